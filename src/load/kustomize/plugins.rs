//! `transformers` and `generators`: the built-in ones, configured by objects of their own.

use std::path::Path;
use std::sync::Arc;

use super::accumulate::{Accumulated, Layer, configured_in};
use super::fields::{Fields as Mapping, Pairs, Text};
use super::fieldspec::{Create, apply};
use super::generate;
use super::kustomization::{self as file, At, PatchEntry};
use super::resource::Resource;
use super::transform::{Affix, Namespace, Subjects, replicas, set_pairs};
use super::value::{Dialect, Place, Value};
use super::workspace::{BuildProblem, Workspace};
use crate::facts::kustomize::{FieldSpec, Gvk};
use crate::load::unit::Missing;
use crate::yaml::{Directive, Node, Step};

/// Objects that configure plugins.
struct Configured {
    objects: Vec<(Resource, Text)>,
}

impl Workspace<'_> {
    /// The objects that entries of `transformers` or `generators` lead to: inline YAML, a file, or a folder that is built.
    fn plugins(&mut self, layer: &Layer, entries: &[Text], into: &mut Accumulated) -> Configured {
        let mut found = Configured { objects: Vec::new() };
        let (inline, paths): (Vec<&Text>, Vec<&Text>) =
            entries.iter().partition(|t| t.text.contains(':') && !self.is_there(layer, t));
        for entry in inline {
            match self.read_embedded(entry.tree, entry.node, Dialect::Resources) {
                Ok(values) => {
                    let objects = self.objects(values, &mut into.log.problems);
                    found.objects.extend(objects.into_iter().map(|o| (o, entry.clone())));
                }
                Err(e) => into.log.problems.push(BuildProblem::failed(e.span, e.message)),
            }
        }
        for entry in paths {
            let mut own = Accumulated::default();
            self.resource(layer, entry, &mut own);
            into.log.problems.append(&mut own.log.problems);
            into.log.missing.append(&mut own.log.missing);
            into.log.gap |= own.log.gap;
            own.log.files.iter().for_each(|f| into.log.uses(f));
            into.log.folders.append(&mut own.log.folders);
            found.objects.extend(own.resources.into_iter().map(|o| (o, entry.clone())));
        }
        found
    }

    fn external(&self, resource: &Resource, entry: &Text, what: &str, into: &mut Accumulated) {
        let reason = format!("the {what} `{}` is a program of its own, which kvlint does not run", resource.kind());
        into.log.missing.push(Missing { reason, span: Some(entry.span) });
    }

    /// Runs `generators`.
    pub(super) fn run_generators(&mut self, layer: &Layer, entries: &[Text], into: &mut Accumulated) {
        for (resource, entry) in self.plugins(layer, entries, into).objects {
            let Some(at) = self.builtin(&resource) else {
                self.external(&resource, &entry, "generator", into);
                continue;
            };
            let tree = Arc::clone(&self.trees[at.tree as usize]);
            let node = tree.node(at.node);
            let secret = match resource.kind() {
                "ConfigMapGenerator" => false,
                "SecretGenerator" => true,
                "IAMPolicyGenerator" => {
                    self.iam_policy(node, at, into);
                    continue;
                }
                _ => {
                    self.external(&resource, &entry, "generator", into);
                    continue;
                }
            };
            let problems = &mut into.log.problems;
            let mut generator = file::generator(node, at.tree, secret, false, None, problems);
            if generator.name.is_none()
                && let Some(metadata) = node.get("metadata")
            {
                let metadata = Mapping::new(metadata, at.tree, &[], "metadata", false, problems);
                generator.name = metadata.word("name", problems);
                generator.namespace = generator.namespace.or(metadata.word("namespace", problems));
            }
            let outcome = self.generate(layer, &generator, into).map(|mut new| {
                let file = if self.is_there(layer, &entry) {
                    Path::new(entry.text.as_str())
                } else {
                    Path::new(layer.file.file_name().unwrap_or_default())
                };
                new.annotations.origin = self
                    .notes
                    .then(|| configured_in(layer, file, resource.kind()) + &format!("  name: {}\n", resource.name()));
                new
            });
            if let Err(problem) = outcome.and_then(|new| generate::absorb(into, new, generator.span)) {
                into.log.fail_to_make(*problem);
            }
        }
    }

    /// The node of an object that configures a built-in plugin.
    fn builtin(&self, resource: &Resource) -> Option<At> {
        match (resource.api_version(), &resource.value.origin.place) {
            ("builtin", Place::Node(tree, node)) => {
                Some(At { tree: *tree, node: *node, span: self.node(*tree, *node).grip() })
            }
            _ => None,
        }
    }

    fn iam_policy(&mut self, node: Node<'_>, at: At, into: &mut Accumulated) {
        let step = self.add_step(Step::Applied(Directive::Generator, at.span));
        let origin = super::value::Origin::made(at.span, step);
        let text = |path: &str| node.at(path).and_then(Node::text).unwrap_or_default().to_string();
        if text("cloud") != "gke" {
            into.log.problems.push(BuildProblem::failed(at.span, "an IAMPolicyGenerator knows the cloud `gke` alone"));
            return;
        }
        let key = |text: &str| super::value::Key { text: text.into(), origin: origin.clone() };
        let word = |text: String| Value::text_of(text, origin.clone());
        let mut object = Value::empty_map(origin.clone());
        object.set(key("apiVersion"), word("v1".into()));
        object.set(key("kind"), word("ServiceAccount".into()));
        let mut metadata = Value::empty_map(origin.clone());
        let mut annotations = Value::empty_map(origin.clone());
        let account =
            format!("{}@{}.iam.gserviceaccount.com", text("serviceAccount.name"), text("serviceAccount.projectId"));
        annotations.set(key("iam.gke.io/gcp-service-account"), word(account));
        metadata.set(key("annotations"), annotations);
        metadata.set(key("name"), word(text("kubernetesService.name")));
        let namespace = text("kubernetesService.namespace");
        if !namespace.is_empty() {
            metadata.set(key("namespace"), word(namespace));
        }
        object.set(key("metadata"), metadata);
        let mut resource = Resource::new(object);
        resource.untouched = false;
        if let Err(problem) = generate::absorb(into, resource, at.span) {
            into.log.fail(*problem);
        }
    }

    /// Runs `transformers`.
    pub(super) fn run_transformers(&mut self, layer: &Layer, entries: &[Text], into: &mut Accumulated) {
        for (resource, entry) in self.plugins(layer, entries, into).objects {
            match self.builtin(&resource) {
                Some(at) => {
                    let tree = Arc::clone(&self.trees[at.tree as usize]);
                    self.transformer(layer, resource.kind(), tree.node(at.node), at, &entry, into);
                    into.drop_deleted();
                }
                None => self.external(&resource, &entry, "transformer", into),
            }
        }
    }

    fn transformer(&mut self, layer: &Layer, kind: &str, node: Node<'_>, at: At, entry: &Text, into: &mut Accumulated) {
        let mut problems = Vec::new();
        let f = Mapping::new(node, at.tree, &[], "a transformer", false, &mut problems);
        let specs: Vec<FieldSpec> = f
            .list("fieldSpecs", &mut problems)
            .into_iter()
            .map(|n| file::field_spec(n, at.tree, &mut problems))
            .collect();
        let step = |ws: &mut Self, directive| ws.add_step(Step::Applied(directive, at.span));
        match kind {
            "NamespaceTransformer" => {
                let metadata = f.get("metadata");
                let text = metadata.and_then(|n| {
                    Mapping::new(n, at.tree, &[], "metadata", false, &mut problems).word("namespace", &mut problems)
                });
                let subjects = match f.word("setRoleBindingSubjects", &mut problems).as_ref().map(|t| t.text.as_str()) {
                    None | Some("defaultOnly") => Subjects::Default,
                    Some("allServiceAccounts") => Subjects::All,
                    Some("none") => Subjects::None,
                    Some(other) => {
                        problems.push(BuildProblem::failed(
                            at.span,
                            format!("`{other}` is not a value of `setRoleBindingSubjects`"),
                        ));
                        Subjects::Default
                    }
                };
                let unset_only = f.flag("unsetOnly", &mut problems);
                if let Some(text) = &text {
                    let step = step(self, Directive::Namespace);
                    let namespace = Namespace { text, fields: &specs, unset_only, subjects, step };
                    namespace.run(&mut into.resources, &mut problems);
                }
            }
            "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer" => {
                for (name, before, directive) in
                    [("prefix", true, Directive::NamePrefix), ("suffix", false, Directive::NameSuffix)]
                {
                    let meant = kind.to_ascii_lowercase().contains(name);
                    if let Some(text) = f.word(name, &mut problems).filter(|_| meant) {
                        let step = step(self, directive);
                        Affix { text: &text, before, fields: &specs, step }.run(&mut into.resources, &mut problems);
                    }
                }
            }
            "LabelTransformer" | "AnnotationsTransformer" => {
                let (name, directive) = match kind {
                    "LabelTransformer" => ("labels", Directive::Labels),
                    _ => ("annotations", Directive::CommonAnnotations),
                };
                let pairs: Pairs = f.pairs(name, &mut problems);
                let step = step(self, directive);
                set_pairs(&mut into.resources, &pairs, &specs, step, &mut problems);
            }
            "ImageTagTransformer" => {
                if let Some(node) = f.get("imageTag") {
                    let image = file::image(node, at.tree, false, &mut problems);
                    self.run_image(&image, &specs, into);
                }
            }
            "ReplicaCountTransformer" => {
                if let Some(node) = f.get("replica") {
                    let replica = file::replica(node, at.tree, false, &mut problems);
                    let step = step(self, Directive::Replicas);
                    replicas(&mut into.resources, &replica, &specs, step, &mut problems);
                }
            }
            "PatchTransformer" | "PatchJson6902Transformer" => {
                let late = kind != "PatchTransformer";
                let mut patch = PatchEntry {
                    span: at.span,
                    path: f.word("path", &mut problems),
                    patch: f.word(if late { "jsonOp" } else { "patch" }, &mut problems),
                    target: f.get("target").map(|n| file::selector(n, at.tree, &[], &mut Vec::new())),
                    allow_name_change: false,
                    allow_kind_change: false,
                };
                let option =
                    |name: &str| node.at("options").and_then(|o| o.get(name)).and_then(Node::as_bool) == Some(true);
                patch.allow_name_change = option("allowNameChange");
                patch.allow_kind_change = option("allowKindChange");
                self.run_patch(layer, &patch, late, into);
            }
            "PatchStrategicMergeTransformer" => {
                let mut entries = f.texts("paths", &mut problems);
                entries.extend(f.word("patches", &mut problems));
                self.run_merge_patches(layer, &entries, into);
            }
            "ReplacementTransformer" => {
                for node in f.list("replacements", &mut problems) {
                    let path = Mapping::new(node, at.tree, &[], "a replacement", false, &mut problems)
                        .word("path", &mut problems);
                    match path {
                        Some(path) => self.run_replacement_file(layer, &path, into),
                        None => {
                            let replacement = file::replacement(node, at.tree, &mut problems);
                            self.run_replacement(&replacement, into);
                        }
                    }
                }
            }
            "ValueAddTransformer" => self.value_add(layer, node, at, into),
            "HashTransformer" => {
                let step = step(self, Directive::Hash);
                for resource in into.resources.iter_mut().filter(|r| r.hashed) {
                    generate::add_hash(resource, at.span, step);
                }
            }
            other => {
                let reason = format!("the transformer `{other}` is not one that kvlint knows");
                into.log.missing.push(Missing { reason, span: Some(entry.span) });
            }
        }
        into.log.problems.append(&mut problems);
    }

    fn value_add(&mut self, layer: &Layer, node: Node<'_>, at: At, into: &mut Accumulated) {
        let mut problems = Vec::new();
        let f = Mapping::new(node, at.tree, &[], "a transformer", false, &mut problems);
        let step = self.add_step(Step::Applied(Directive::Plugin, at.span));
        let origin = super::value::Origin::made(at.span, step);
        let base =
            layer.folder.as_ref().and_then(|f| f.canonical.file_name()).map(|n| n.to_string_lossy().into_owned());
        let value = f.word("value", &mut problems).map(|t| t.text.trim().to_string()).or(base).unwrap_or_default();
        for target in f.list("targets", &mut problems) {
            let t = Mapping::new(target, at.tree, &[], "a target", false, &mut problems);
            let selector =
                t.get("selector").map(|n| file::selector(n, at.tree, &[], &mut Vec::new())).unwrap_or_default();
            let path = t.word("fieldPath", &mut problems).map(|p| p.text.to_string()).unwrap_or_default();
            let position = t.integer("filePathPosition", &mut problems);
            let chosen = match super::patch_target::select(into, &selector) {
                Ok(chosen) => chosen,
                Err(problem) => {
                    problems.push(*problem);
                    continue;
                }
            };
            let spec = FieldSpec { gvk: Gvk::default(), path, create: true };
            for i in chosen {
                let resource = &mut into.resources[i];
                resource.untouched = false;
                let outcome = apply(&mut resource.value, &spec, Create::Scalar, &origin, &mut |v| {
                    let old = v.text().unwrap_or_default();
                    let new =
                        if position > 0 { insert_part(old, position as usize - 1, &value) } else { value.clone() };
                    let mut new = Value::text_of(new, origin.clone());
                    new.override_from(v);
                    *v = new;
                    Ok(())
                });
                if let Err(e) = outcome {
                    problems.push(BuildProblem::failed(at.span, e));
                }
            }
        }
        into.log.problems.append(&mut problems);
    }
}

/// Puts a part into a path of slashes; an absolute path stays one.
fn insert_part(path: &str, position: usize, part: &str) -> String {
    let (lead, rest) = path.strip_prefix('/').map_or(("", path), |r| ("/", r));
    let mut parts: Vec<&str> = rest.split('/').filter(|p| !p.is_empty()).collect();
    parts.insert(position.min(parts.len()), part);
    format!("{lead}{}", parts.join("/"))
}
