//! The order in which Kustomize does things: `kusttarget.go`, step by step.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fields::Text;
use super::fieldspec;
use super::files::clean;
use super::generate;
use super::images::Image;
use super::kustomization::{Kustomization, LabelEntry, ReplacementEntry, Variable};
use super::resource::{Resource, by_current_id};
use super::transform::{Affix, Count, Namespace, Subjects, change, replicas, set_pairs};
use super::value::{Data, Dialect, Value};
use super::workspace::{BuildProblem, Folder, Outcome, ProblemKind, Workspace};
use crate::facts::kustomize::{self as facts, FieldSpec, Fields};
use crate::load::unit::Missing;
use crate::source::Span;
use crate::yaml::{Directive, Step};

/// Deepest chain of kustomizations that is followed.
const DEPTH_LIMIT: usize = 100;

/// Kustomizations that one root may run: components run again for everyone who uses them.
const RUN_LIMIT: usize = 10_000;

/// Objects that one root may have.
const OBJECT_LIMIT: usize = 20_000;

/// Notes of one kind that a build keeps.
const LOG_LIMIT: usize = 10_000;

/// Something that a kustomization asks for, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectiveUse {
    /// The field of the kustomization.
    pub field: &'static str,
    /// The entry.
    pub span: Span,
    /// What to call it in a message.
    pub title: String,
    /// How many objects or values it met.
    pub matched: usize,
    /// How many of them it changed.
    pub changed: usize,
}

/// What a build notes beside its objects.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// What is wrong.
    pub problems: Vec<BuildProblem>,
    /// What is not there.
    pub missing: Vec<Missing>,
    /// What every directive did.
    pub directives: Vec<DirectiveUse>,
    /// The files that were used, in order.
    pub files: Vec<PathBuf>,
    /// The folders that were built, in order.
    pub folders: Vec<Folder>,
}

impl Log {
    /// Notes a file.
    pub fn uses(&mut self, canonical: &Path) {
        if !self.files.iter().any(|f| f == canonical) {
            self.files.push(canonical.to_path_buf());
        }
    }

    /// Notes what a directive did.
    pub fn count(&mut self, field: &'static str, span: Span, title: String, count: Count) {
        self.directives.push(DirectiveUse { field, span, title, matched: count.0, changed: count.1 });
    }

    fn extend(&mut self, other: &Log) {
        // A base that is used twice doubles its notes at every layer.
        fn add<T: Clone>(own: &mut Vec<T>, more: &[T]) {
            let room = LOG_LIMIT.saturating_sub(own.len());
            own.extend(more.iter().take(room).cloned());
        }
        add(&mut self.problems, &other.problems);
        add(&mut self.missing, &other.missing);
        add(&mut self.directives, &other.directives);
        other.files.iter().for_each(|f| self.uses(f));
        for folder in &other.folders {
            if !self.folders.contains(folder) {
                self.folders.push(folder.clone());
            }
        }
    }
}

/// The objects of a folder and of those below it, and what was noted on the way.
#[derive(Clone, Debug, Default)]
pub struct Accumulated {
    /// The objects, in order.
    pub resources: Vec<Resource>,
    /// What is known about fields.
    pub fields: Fields,
    /// Variables.
    pub variables: Vec<Variable>,
    /// Notes.
    pub log: Log,
}

/// One kustomization of the chain.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// Its folder.
    pub folder: Option<Folder>,
    /// Its file.
    pub file: PathBuf,
    /// Its fields.
    pub kustomization: Arc<Kustomization>,
    /// The folders above it, and its own.
    pub chain: Vec<PathBuf>,
    /// The way to its folder from the root's, for `buildMetadata`.
    pub way: PathBuf,
}

impl Accumulated {
    /// Notes on every object that a transformer ran, where `buildMetadata` asks for it.
    pub(super) fn note(&mut self, ws: &Workspace<'_>, layer: &Layer, transformer: &str) {
        if ws.notes {
            let text = configured(layer, transformer);
            self.resources.iter_mut().for_each(|r| r.annotations.transformers.push(text.clone()));
        }
    }

    /// Takes out what was deleted.
    pub fn drop_deleted(&mut self) {
        self.resources.retain(|r| !r.is_deleted());
    }

    /// Adds objects; an id that is there already is a problem.
    fn append(&mut self, ws: &Workspace<'_>, more: &[Resource], span: Span) {
        for resource in more {
            if self.resources.len() >= OBJECT_LIMIT {
                self.log.problems.push(BuildProblem::failed(span, format!("more than {OBJECT_LIMIT} objects come in")));
                return;
            }
            let id = resource.id();
            if let Some(&other) = by_current_id(&self.resources, &id).first() {
                let grip = super::patch::resource_grip(ws, resource);
                let message = format!("`{}` comes in twice", id.title());
                self.log.problems.push(
                    BuildProblem::failed(span, message)
                        .help("take one of the two out, or give one a prefix, a suffix or a namespace of its own")
                        .related(super::patch::resource_grip(ws, &self.resources[other]), "the first")
                        .related(grip, "the second"),
                );
                continue;
            }
            self.resources.push(resource.clone());
        }
    }
}

/// What the annotations say of something that a kustomization configures.
pub(super) fn configured(layer: &Layer, kind: &str) -> String {
    let name = layer.file.file_name().unwrap_or_default();
    let path = clean(&layer.way.join(name));
    format!("configuredIn: {}\nconfiguredBy:\n  apiVersion: builtin\n  kind: {kind}\n", path.display())
}

/// Whether an entry of `resources` points out of this machine.
pub fn is_remote(entry: &str) -> bool {
    let lower = entry.to_ascii_lowercase();
    let schemes = ["http://", "https://", "ssh://", "git::", "file://", "git@", "github.com/", "github.com:", "gh:"];
    schemes.iter().any(|s| lower.starts_with(s)) || lower.contains("?ref=") || lower.contains(".git//")
}

impl Workspace<'_> {
    /// Finds a file that an entry names. It must be in the layer's folder or below.
    pub(super) fn locate_file(&self, layer: &Layer, text: &Text) -> Outcome<(PathBuf, PathBuf)> {
        let fail = |message: String, help: &str| Err(Box::new(BuildProblem::failed(text.span, message).help(help)));
        let Some(folder) = &layer.folder else {
            return fail(format!("`{}` has no folder to be looked up in", text.text), "mend the path");
        };
        if is_remote(&text.text) && !self.files.is_file(&folder.canonical.join(&*text.text)) {
            return fail(
                format!("`{}` is not on this machine, and nothing is fetched", text.text),
                "keep a copy of it beside the kustomization",
            );
        }
        let path = folder.canonical.join(&*text.text);
        let Some(canonical) = self.files.canonical(&path).filter(|p| self.files.is_file(p)) else {
            return fail(
                format!("there is no file `{}`", text.text),
                "mend the path: it counts from the folder of the kustomization",
            );
        };
        if !self.load_anywhere && !canonical.starts_with(&folder.canonical) {
            return fail(
                format!("`{}` is outside the folder of its kustomization", text.text),
                "move the file into the folder, or put a kustomization beside it and use that folder",
            );
        }
        Ok((canonical, clean(&folder.shown.join(&*text.text))))
    }

    /// Whether an entry names a file that is there.
    pub(super) fn is_there(&self, layer: &Layer, text: &Text) -> bool {
        layer.folder.as_ref().is_some_and(|f| self.files.is_file(&f.canonical.join(&*text.text)))
    }

    /// Accumulates a folder as a part of others: its result is kept for the next overlay that uses it.
    fn folder(&mut self, folder: &Folder, above: &Layer, component: bool, entry: &Text, into: &mut Accumulated) {
        let (chain, from) = (&above.chain, entry.span);
        self.runs += 1;
        if self.runs > RUN_LIMIT {
            if self.runs == RUN_LIMIT + 1 {
                into.log.problems.push(BuildProblem::failed(from, format!("more than {RUN_LIMIT} kustomizations run")));
            }
            return;
        }
        if !component
            && !self.notes
            && let Some(built) = self.built.get(&folder.canonical)
        {
            let built = Arc::clone(built);
            let cycle = built.log.folders.iter().any(|f| chain.iter().any(|c| c.starts_with(&f.canonical)));
            if !cycle {
                self.join(&built, from, into);
                return;
            }
        }
        let Some(mut layer) = self.layer(folder, chain, from, into) else { return };
        layer.way = above.way.join(&*entry.text);
        if layer.kustomization.component != component {
            let (is, help) = if component {
                ("is no component", "name it under `resources`, or give it `kind: Component`")
            } else {
                ("is a component", "name it under `components`")
            };
            into.log.problems.push(BuildProblem::failed(from, format!("`{}` {is}", folder.shown.display())).help(help));
            return;
        }
        if component {
            into.log.folders.push(folder.clone());
            self.accumulate(&layer, into);
            return;
        }
        let mut own = Accumulated::default();
        own.log.folders.push(folder.clone());
        // What was noted while the file was read belongs to this folder.
        self.accumulate(&layer, &mut own);
        let own = Arc::new(own);
        self.built.insert(folder.canonical.clone(), Arc::clone(&own));
        self.join(&own, from, into);
    }

    fn join(&self, built: &Accumulated, from: Span, into: &mut Accumulated) {
        into.log.extend(&built.log);
        into.append(self, &built.resources, from);
        if let Err(e) = fieldspec::merge(&mut into.fields, &built.fields) {
            into.log
                .problems
                .push(BuildProblem::failed(from, format!("the configurations contradict each other: {e}")));
        }
        for variable in &built.variables {
            add_variable(into, variable);
        }
    }

    /// Reads the kustomization of a folder. What is wrong with it goes to `into`, unless the build goes on without it.
    pub fn layer(&mut self, folder: &Folder, chain: &[PathBuf], from: Span, into: &mut Accumulated) -> Option<Layer> {
        let (file, kustomization) = match self.kustomization(folder, from) {
            Ok(found) => found,
            Err(problem) => {
                into.log.missing.push(Missing { reason: problem.message.clone(), span: Some(problem.span) });
                into.log.problems.push(*problem);
                return None;
            }
        };
        let mut chain = chain.to_vec();
        chain.push(folder.canonical.clone());
        Some(Layer { folder: Some(folder.clone()), file, kustomization, chain, way: PathBuf::new() })
    }

    /// Runs a kustomization on what is accumulated.
    pub(super) fn accumulate(&mut self, layer: &Layer, into: &mut Accumulated) {
        into.log.uses(&layer.file);
        if let Some(problems) = self.file_problems.get(&layer.file) {
            into.log.problems.extend(problems.iter().cloned());
        }
        let k = Arc::clone(&layer.kustomization);
        for (span, what) in &k.unresolved {
            into.log.missing.push(Missing { reason: format!("{what}, which kvlint does not do"), span: Some(*span) });
        }
        for entry in &k.resources {
            self.resource(layer, entry, into);
        }
        let mut known = facts::fields();
        for text in &k.configurations {
            match self.configuration(layer, text, into) {
                Ok(more) => {
                    if let Err(e) = fieldspec::merge(&mut known, &more) {
                        into.log.problems.push(BuildProblem::failed(text.span, e));
                    }
                }
                Err(problem) => into.log.problems.push(*problem),
            }
        }
        if let Err(e) = fieldspec::merge(&mut into.fields, &known) {
            let span = k.configurations.first().map_or_else(|| first_span(&k), |t| t.span);
            into.log
                .problems
                .push(BuildProblem::failed(span, format!("the configurations contradict each other: {e}")));
        }
        for entry in &k.generators {
            let outcome = self.generate(layer, entry, into).map(|mut new| {
                let kind = if entry.secret { "SecretGenerator" } else { "ConfigMapGenerator" };
                new.annotations.origin = self.notes.then(|| configured(layer, kind));
                new
            });
            if let Err(problem) = outcome.and_then(|new| generate::absorb(into, new, entry.span)) {
                into.log.problems.push(*problem);
            }
        }
        self.run_generators(layer, &k.external_generators, into);
        for entry in &k.components {
            self.component(layer, entry, into);
        }
        self.transformers(layer, &k, into);
        for text in &k.validators {
            let reason = "validators are run here, which kvlint does not do".to_string();
            into.log.missing.push(Missing { reason, span: Some(text.span) });
        }
        for variable in &k.variables {
            self.variable_target(variable, into);
            add_variable(into, variable);
        }
    }

    fn transformers(&mut self, layer: &Layer, k: &Kustomization, into: &mut Accumulated) {
        let fields = into.fields.clone();
        if !k.merge_patches.is_empty() {
            self.run_merge_patches(layer, &k.merge_patches, into);
            into.drop_deleted();
            into.note(self, layer, "PatchStrategicMergeTransformer");
        }
        for entry in &k.patches {
            self.run_patch(layer, entry, false, into);
            into.drop_deleted();
            into.note(self, layer, "PatchTransformer");
        }
        if let Some(text) = &k.namespace {
            let step = self.add_step(Step::Applied(Directive::Namespace, text.span));
            let subjects = Subjects::Default;
            let namespace = Namespace { text, fields: &fields.namespace, unset_only: false, subjects, step };
            namespace.run(&mut into.resources, &mut into.log.problems);
            into.note(self, layer, "NamespaceTransformer");
        }
        for (text, before, specs, directive) in [
            (&k.name_prefix, true, &fields.name_prefix, Directive::NamePrefix),
            (&k.name_suffix, false, &fields.name_suffix, Directive::NameSuffix),
        ] {
            if let Some(text) = text {
                let step = self.add_step(Step::Applied(directive, text.span));
                Affix { text, before, fields: specs, step }.run(&mut into.resources, &mut into.log.problems);
                into.note(self, layer, if before { "PrefixTransformer" } else { "SuffixTransformer" });
            }
        }
        for entry in &k.labels {
            match label_fields(entry, &fields) {
                Ok(specs) => {
                    let step = self.add_step(Step::Applied(Directive::Labels, entry.span));
                    set_pairs(&mut into.resources, &entry.pairs, &specs, step, &mut into.log.problems);
                    into.note(self, layer, "LabelTransformer");
                }
                Err(e) => into.log.problems.push(BuildProblem::failed(entry.span, e)),
            }
        }
        for (pairs, specs, directive) in [
            (&k.common_labels, &fields.common_labels, Directive::CommonLabels),
            (&k.common_annotations, &fields.common_annotations, Directive::CommonAnnotations),
        ] {
            let labels = directive == Directive::CommonLabels;
            // Kustomize runs the labels once more wherever there are any.
            if !pairs.is_empty() || (labels && !k.labels.is_empty()) {
                into.note(self, layer, if labels { "LabelTransformer" } else { "AnnotationsTransformer" });
            }
            if let Some((first, _)) = pairs.first() {
                let step = self.add_step(Step::Applied(directive, first.span));
                set_pairs(&mut into.resources, pairs, specs, step, &mut into.log.problems);
            }
        }
        for entry in &k.json_patches {
            self.run_patch(layer, entry, true, into);
            into.drop_deleted();
            into.note(self, layer, "PatchJson6902Transformer");
        }
        for entry in &k.replicas {
            let step = self.add_step(Step::Applied(Directive::Replicas, entry.span));
            let count = replicas(&mut into.resources, entry, &fields.replicas, step, &mut into.log.problems);
            into.note(self, layer, "ReplicaCountTransformer");
            if count.0 > 0 {
                let name = entry.name.as_ref().map_or("", |n| n.text.as_str());
                into.log.count("replicas", entry.span, format!("the number of replicas of `{name}`"), count);
            }
        }
        for entry in &k.images {
            self.run_image(entry, &fields.images, into);
            into.note(self, layer, "ImageTagTransformer");
        }
        for entry in &k.replacements {
            match entry {
                ReplacementEntry::Inline(replacement) => self.run_replacement(replacement, into),
                ReplacementEntry::Path(text) => self.run_replacement_file(layer, text, into),
            }
        }
        if !k.replacements.is_empty() {
            into.note(self, layer, "ReplacementTransformer");
        }
        self.run_transformers(layer, &k.transformers, into);
    }

    pub(super) fn run_image(
        &mut self,
        entry: &super::kustomization::ImageEntry,
        fields: &[FieldSpec],
        into: &mut Accumulated,
    ) {
        let step = self.add_step(Step::Applied(Directive::Images, entry.span));
        let image = match Image::new(entry, step) {
            Ok(image) => image,
            Err(problem) => {
                into.log.problems.push(*problem);
                return;
            }
        };
        let mut count = (0, 0);
        for resource in into.resources.iter_mut().filter(|r| r.kind() != "CustomResourceDefinition") {
            let mut unused = (0, 0);
            let outcome = change(resource, &mut unused, |r| {
                image.everywhere(&mut r.value, &mut count);
                let made = super::value::Origin::made(entry.span, step);
                // What the lists have set is set again to the same, which does not count twice.
                let mut seen = (0, 0);
                let outcome = fields.iter().try_for_each(|spec| {
                    fieldspec::apply(&mut r.value, spec, fieldspec::Create::Nothing, &made, &mut |v| {
                        image.set(v, &mut seen);
                        Ok(())
                    })
                });
                count.1 += seen.1;
                count.0 += if count.0 == 0 { seen.0 } else { seen.1 };
                outcome
            });
            if let Err(e) = outcome {
                into.log.problems.push(BuildProblem::failed(entry.span, format!("{e} of `{}`", resource.id().title())));
            }
        }
        let name = entry.name.as_ref().map_or("", |n| n.text.as_str());
        let span = entry.name.as_ref().map_or(entry.span, |n| n.span);
        into.log.count("images", span, format!("the image `{name}`"), count);
    }

    fn component(&mut self, layer: &Layer, entry: &Text, into: &mut Accumulated) {
        match self.subfolder(layer, entry) {
            Ok(folder) => self.folder(&folder, layer, true, entry, into),
            Err(problem) => self.note_missing(entry, *problem, into),
        }
    }

    fn note_missing(&mut self, entry: &Text, problem: BuildProblem, into: &mut Accumulated) {
        if is_remote(&entry.text) {
            let reason = format!("`{}` is not on this machine, and nothing is fetched", entry.text);
            into.log.missing.push(Missing { reason, span: Some(entry.span) });
        } else {
            into.log.missing.push(Missing { reason: problem.message.clone(), span: Some(problem.span) });
            into.log.problems.push(problem);
        }
    }

    /// The folder that an entry names.
    pub(super) fn subfolder(&self, layer: &Layer, entry: &Text) -> Outcome<Folder> {
        let fail = |message: String, help: &str| Err(Box::new(BuildProblem::failed(entry.span, message).help(help)));
        let Some(own) = &layer.folder else { return fail(format!("there is no `{}`", entry.text), "mend the path") };
        if entry.text.is_empty() {
            return fail("this entry is empty".into(), "name a file or folder, or take the entry away");
        }
        if Path::new(&*entry.text).is_absolute() {
            return fail(
                format!("`{}` is an absolute path, which Kustomize refuses", entry.text),
                "write the path from the folder of the kustomization",
            );
        }
        let path = own.canonical.join(&*entry.text);
        let Some(canonical) = self.files.canonical(&path) else {
            return fail(
                format!("there is no file or folder `{}`", entry.text),
                "mend the path: it counts from the folder of the kustomization",
            );
        };
        if !self.files.is_folder(&canonical) {
            return fail(format!("`{}` is a file, and a folder is needed", entry.text), "name the folder");
        }
        if layer.chain.iter().any(|c| c.starts_with(&canonical)) {
            return fail(
                format!("`{}` leads back to where the build comes from", entry.text),
                "a kustomization can't use itself or a folder above it: move what both need to a base",
            );
        }
        if layer.chain.len() > DEPTH_LIMIT {
            return fail("kustomizations are nested too deep".into(), "use fewer layers");
        }
        Ok(Folder { canonical, shown: clean(&own.shown.join(&*entry.text)) })
    }

    /// An entry of `resources`: a file, else a folder.
    pub(super) fn resource(&mut self, layer: &Layer, entry: &Text, into: &mut Accumulated) {
        if self.is_there(layer, entry) {
            match self.locate_file(layer, entry) {
                Ok((canonical, shown)) => {
                    into.log.uses(&canonical);
                    match self.resources_of(&canonical, &shown, entry, into) {
                        Ok(mut resources) => {
                            if self.notes {
                                let path = clean(&layer.way.join(&*entry.text));
                                for resource in Arc::make_mut(&mut resources) {
                                    resource.annotations.origin = Some(format!("path: {}\n", path.display()));
                                }
                            }
                            into.append(self, &resources, entry.span);
                        }
                        Err(problem) => into.log.problems.push(*problem),
                    }
                }
                Err(problem) => into.log.problems.push(*problem),
            }
            return;
        }
        match self.subfolder(layer, entry) {
            Ok(folder) => self.folder(&folder, layer, false, entry, into),
            Err(problem) => self.note_missing(entry, *problem, into),
        }
    }

    fn resources_of(
        &mut self,
        canonical: &Path,
        shown: &Path,
        entry: &Text,
        into: &mut Accumulated,
    ) -> Outcome<Arc<Vec<Resource>>> {
        let (file, documents) = self
            .read_yaml(canonical, shown)
            .map_err(|e| Box::new(BuildProblem::failed(entry.span, format!("`{}` can't be read: {e}", entry.text))))?;
        if let Some(resources) = file.resources {
            return Ok(resources);
        }
        let mut values = Vec::new();
        let mut whole = true;
        for tree in &documents.trees {
            match tree {
                Ok(id) => values.push(Value::read(self.trees[*id as usize].root(), *id, Dialect::Resources)),
                Err(e) => {
                    whole = false;
                    let reason = format!("a document of {} can't be read", shown.display());
                    into.log.missing.push(Missing { reason, span: Some(e.span) });
                    into.log.problems.push(BuildProblem::of(ProblemKind::Syntax, e.span, e.message.clone()));
                }
            }
        }
        let before = into.log.problems.len();
        let resources = Arc::new(self.objects(values, &mut into.log.problems));
        // What is wrong is said in every overlay, so only what is right is kept.
        if whole && into.log.problems.len() == before {
            self.keep_resources(canonical, Arc::clone(&resources));
        }
        Ok(resources)
    }

    /// Objects from documents: lists are taken apart, and every object needs a kind and a name.
    pub(super) fn objects(&self, values: Vec<Value>, problems: &mut Vec<BuildProblem>) -> Vec<Resource> {
        let mut found = Vec::new();
        let mut queue: std::collections::VecDeque<Value> = values.into();
        while let Some(value) = queue.pop_front() {
            if value.is_empty() {
                continue;
            }
            let kind = value.get("kind").and_then(Value::text).unwrap_or_default();
            let name = value.text_at(&["metadata", "name"]).unwrap_or_default();
            let list = kind.ends_with("List");
            let missing = match (kind.is_empty(), name.is_empty() && !list) {
                (true, _) => Some("kind"),
                (false, true) => Some("metadata.name"),
                _ => None,
            };
            if let Some(missing) = missing {
                let message = format!("Kustomize needs `{missing}` on every object, and this has none");
                problems.push(
                    BuildProblem::failed(self.grip(&value.origin), message)
                        .help("add it, or take the document out of `resources`"),
                );
                continue;
            }
            if let Some(span) = null_item(self, &value) {
                problems.push(
                    BuildProblem::failed(span, "Kustomize refuses an empty item in a list").help("take the `-` away"),
                );
            }
            match value.get("items") {
                Some(items) if list => {
                    if let Data::Seq(items) = &items.data {
                        queue.extend(items.iter().cloned());
                    }
                }
                _ => found.push(Resource::new(value)),
            }
        }
        found
    }
}

fn null_item(ws: &Workspace<'_>, value: &Value) -> Option<Span> {
    match &value.data {
        Data::Map(entries) => entries.iter().find_map(|e| null_item(ws, &e.value)),
        Data::Seq(items) => {
            items.iter().find_map(|i| if i.is_null() { Some(ws.grip(&i.origin)) } else { null_item(ws, i) })
        }
        Data::Scalar(_) => None,
    }
}

/// A place for what concerns a whole kustomization.
pub(super) fn first_span(k: &Kustomization) -> Span {
    k.span.unwrap_or_else(|| Span::new(crate::source::FileId(0), 0, 0))
}

/// The fields that an entry of `labels` reaches.
fn label_fields(entry: &LabelEntry, known: &Fields) -> Result<Vec<FieldSpec>, String> {
    let mut fields = Arc::new(entry.fields.clone());
    let mut add = |more: &[FieldSpec]| more.iter().try_for_each(|s| fieldspec::merge_one(&mut fields, s));
    add(&known.labels)?;
    if entry.selectors {
        add(&known.common_labels)?;
    } else {
        if entry.templates {
            add(&known.template_labels)?;
        }
        add(&[FieldSpec { gvk: facts::Gvk::default(), path: "metadata/labels".into(), create: true }])?;
    }
    Ok(fields.to_vec())
}

fn add_variable(into: &mut Accumulated, variable: &Variable) {
    match into.variables.iter().find(|v| v.name.text == variable.name.text) {
        Some(other) if other.span == variable.span => {}
        Some(other) => {
            let problem = BuildProblem::failed(
                variable.name.span,
                format!("the variable `{}` is given twice", variable.name.text),
            )
            .help("rename one of the two")
            .related(other.name.span, "the other one");
            into.log.problems.push(problem);
        }
        None => into.variables.push(variable.clone()),
    }
}
