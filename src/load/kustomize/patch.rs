//! `patches`, `patchesStrategicMerge` and `patchesJson6902`: reading them, finding their objects, applying them.

use super::accumulate::{Accumulated, Layer};
use super::fields::Text;
use super::json_patch;
use super::kustomization::PatchEntry;
use super::merge::{self, Surprise, Trace};
use super::patch_target::{find_target, note_namespace, resource_grip, restore, select, stringify, stringify_metadata};
use super::resource::Resource;
use super::shared;
use super::transform::{Count, change};
use super::value::{Data, Dialect, StepId, Value};
use super::workspace::{BuildProblem, Outcome, ProblemKind, Workspace};
use crate::source::Span;
use crate::yaml::{Directive, Step};

/// Stands for the count of a patch that has no other operation than `test`: it is there to stop the build.
const ONLY_TESTS: Count = (usize::MAX, 0);

/// Whether a strategic merge patch takes all annotations away, or puts others in the place of all.
fn takes_annotations(patch: &Value) -> bool {
    let directive = |map: &Value| matches!(map.text_at(&[merge::DIRECTIVE]), Some("delete" | "replace"));
    let metadata = patch.get("metadata");
    let annotations = metadata.and_then(|m| m.get("annotations"));
    metadata.is_some_and(directive) || annotations.is_some_and(|a| a.is_null() || directive(a))
}

/// A patch's text, read.
struct Texts {
    documents: Vec<Value>,
}

impl Workspace<'_> {
    fn patch_text(
        &mut self,
        layer: &Layer,
        text: &Text,
        is_path: bool,
        dialect: Dialect,
        into: &mut Accumulated,
    ) -> Outcome<Texts> {
        if is_path {
            let (canonical, shown) = self.locate_file(layer, text)?;
            into.log.uses(&canonical);
            let (_, documents) = self.read_yaml(&canonical, &shown).map_err(|e| {
                Box::new(BuildProblem::failed(text.span, format!("the patch `{}` can't be read: {e}", text.text)))
            })?;
            let mut values = Vec::new();
            for tree in &documents.trees {
                match tree {
                    Ok(id) => values.push(Value::read(self.trees[*id as usize].root(), *id, dialect)),
                    Err(e) => {
                        return Err(Box::new(BuildProblem::of(ProblemKind::Syntax, e.span, e.message.clone())));
                    }
                }
            }
            return Ok(Texts { documents: values });
        }
        let documents = self.read_embedded(text.tree, text.node, dialect).map_err(|e| {
            Box::new(
                BuildProblem::failed(e.span, format!("the patch can't be read: {}", e.message))
                    .help("mend the YAML inside the text"),
            )
        })?;
        Ok(Texts { documents })
    }

    /// Applies an entry of `patches` (or, with `late`, of `patchesJson6902`).
    pub(super) fn run_patch(&mut self, layer: &Layer, entry: &PatchEntry, late: bool, into: &mut Accumulated) {
        let step = self.add_step(Step::Applied(Directive::Patch, entry.span));
        let mut count = (0, 0);
        let before = into.log.problems.len();
        if let Err(problem) = self.try_patch(layer, entry, late, step, into, &mut count) {
            into.log.fail(*problem);
            // What failed is not dead, too.
            return;
        }
        // Neither is what has a better reason, or what only tests.
        let explains = |p: &BuildProblem| matches!(p.kind, ProblemKind::NamespaceLater | ProblemKind::PatchLost);
        if into.log.problems[before..].iter().any(explains) || count.0 == usize::MAX {
            return;
        }
        let title = entry.path.as_ref().map_or_else(|| "this patch".to_string(), |p| format!("the patch `{}`", p.text));
        let field = if late { "patchesJson6902" } else { "patches" };
        let span = entry.target.as_ref().and_then(|t| t.span).unwrap_or(entry.span);
        into.log.count(field, span, title, count);
    }

    fn try_patch(
        &mut self,
        layer: &Layer,
        entry: &PatchEntry,
        late: bool,
        step: StepId,
        into: &mut Accumulated,
        count: &mut Count,
    ) -> Outcome<()> {
        let (text, is_path) = match (&entry.path, &entry.patch) {
            (Some(path), None) => (path, true),
            (None, Some(patch)) => (patch, false),
            (None, None) => {
                let problem = BuildProblem::failed(entry.span, "a patch needs a `path` or a `patch`");
                return Err(Box::new(problem.help("name a file under `path`, or write the patch under `patch`")));
            }
            (Some(_), Some(patch)) => {
                let problem =
                    BuildProblem::failed(patch.span, "a patch has either a `path` or a `patch`, and this has both");
                return Err(Box::new(problem.help("take one of them away")));
            }
        };
        let looks_json = {
            let texts = self.patch_text(layer, text, is_path, Dialect::Resources, into)?;
            match texts.documents.first() {
                Some(first) => matches!(first.data, Data::Seq(_)),
                None => {
                    return Err(Box::new(
                        BuildProblem::failed(text.span, "this patch is empty").help("write the patch, or take it away"),
                    ));
                }
            }
        };
        if late && entry.target.as_ref().is_none_or(|t| t.name.is_none()) {
            let problem = BuildProblem::failed(entry.span, "an entry of `patchesJson6902` needs a target with a name");
            return Err(Box::new(problem.help("add `target: {kind: …, name: …}`")));
        }
        if looks_json || late {
            let texts = self.patch_text(layer, text, is_path, Dialect::Legacy, into)?;
            return self.json(layer, &texts, entry, late, step, into, count);
        }
        let texts = self.patch_text(layer, text, is_path, Dialect::Resources, into)?;
        let patches = self.patch_objects(texts, text.span, step)?;
        match &entry.target {
            Some(target) => {
                let [patch] = &patches[..] else {
                    let problem = BuildProblem::failed(
                        text.span,
                        format!("a patch with a target is one document, and this has {}", patches.len()),
                    );
                    return Err(Box::new(problem.help("give each document an entry of its own")));
                };
                let chosen = select(into, target)?;
                note_namespace(layer, target, &chosen, into)?;
                let patch = stringify_metadata(patch.clone());
                for i in chosen {
                    // A target's group and version are the object's, whatever the patch says.
                    let mut patch = patch.clone();
                    if let (Some(own), Some(theirs)) =
                        (into.resources[i].value.get("apiVersion"), patch.get_mut("apiVersion"))
                    {
                        *theirs = own.clone();
                    }
                    self.merge_into(&mut into.resources[i], &patch, entry, count, &mut into.log.problems)?;
                }
            }
            None => {
                for patch in &patches {
                    let i = find_target(self, into, patch)?;
                    let mut patch = patch.clone();
                    if entry.allow_name_change || entry.allow_kind_change {
                        // Kustomize notes the options among the annotations, and for that writes them anew.
                        stringify(&mut patch, "annotations");
                    }
                    self.merge_into(&mut into.resources[i], &patch, entry, count, &mut into.log.problems)?;
                }
            }
        }
        Ok(())
    }

    /// Applies `patchesStrategicMerge`: all are read before the first is applied.
    pub(super) fn run_merge_patches(&mut self, layer: &Layer, entries: &[Text], into: &mut Accumulated) {
        let mut loaded = Vec::new();
        for text in entries {
            let inline = text.text.contains('\n') || !self.is_there(layer, text);
            let step = self.add_step(Step::Applied(Directive::Patch, text.span));
            let inline_read =
                if inline { self.patch_text(layer, text, false, Dialect::Resources, into).ok() } else { None };
            let is_object = |t: &Texts| t.documents.iter().any(|d| matches!(d.data, Data::Map(_)));
            let texts = match inline_read.filter(is_object) {
                Some(texts) => Ok(texts),
                None => self.patch_text(layer, text, true, Dialect::Resources, into),
            };
            match texts.and_then(|t| self.patch_objects(t, text.span, step)) {
                Ok(patches) => {
                    loaded.push((text, patches));
                }
                Err(problem) => into.log.fail(*problem),
            }
        }
        for (text, patches) in loaded {
            let entry = PatchEntry {
                span: text.span,
                path: Some(text.clone()),
                patch: None,
                target: None,
                allow_name_change: false,
                allow_kind_change: false,
            };
            let mut count = (0, 0);
            let before = into.log.problems.len();
            let mut failed = false;
            for patch in patches {
                let patch = stringify_metadata(patch);
                let outcome = find_target(self, into, &patch).and_then(|i| {
                    self.merge_into(&mut into.resources[i], &patch, &entry, &mut count, &mut into.log.problems)
                });
                into.drop_deleted();
                if let Err(problem) = outcome {
                    into.log.fail(*problem);
                    failed = true;
                }
            }
            failed |= into.log.problems[before..].iter().any(|p| p.kind == ProblemKind::PatchLost);
            if !failed {
                into.log.count("patchesStrategicMerge", text.span, "this patch".to_string(), count);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn json(
        &mut self,
        layer: &Layer,
        texts: &Texts,
        entry: &PatchEntry,
        late: bool,
        step: StepId,
        into: &mut Accumulated,
        count: &mut Count,
    ) -> Outcome<()> {
        let Some(target) = &entry.target else {
            let problem = BuildProblem::failed(entry.span, "a JSON patch needs a target");
            return Err(Box::new(problem.help("add `target: {kind: …, name: …}`")));
        };
        let mut patch = texts
            .documents
            .first()
            .cloned()
            .unwrap_or_else(|| Value::text_of("", super::value::Origin::made(entry.span, step)));
        patch.mark(step);
        let refused = |ws: &Workspace<'_>, r: json_patch::Refusal, resource: Option<&Resource>| {
            let message = match resource {
                Some(resource) => format!("{} (in `{}`)", r.message, resource.id().title()),
                None => r.message,
            };
            let mut problem = BuildProblem::failed(ws.grip(&r.at), message);
            problem.help = Some(r.help.unwrap_or_else(|| "mend the operation; `kustomize build` stops here".into()));
            if let Some(resource) = resource {
                problem = problem.related(resource_grip(ws, resource), "the object".to_string());
            }
            Box::new(problem)
        };
        let operations = json_patch::read(&patch).map_err(|r| refused(self, r, None))?;
        let chosen = select(into, target)?;
        note_namespace(layer, target, &chosen, into)?;
        if json_patch::only_tests(&operations) && !chosen.is_empty() {
            *count = ONLY_TESTS;
        }
        for i in chosen {
            let resource = &mut into.resources[i];
            if !late {
                resource.remember();
            }
            // Kustomize's own annotations make the mapping be there.
            let had = resource.value.at(&["metadata", "annotations"]).is_some();
            let before = resource.value.clone();
            if resource.is_noted() && !had {
                let made = super::value::Origin::made(entry.span, step);
                resource.value.at_or_create(&["metadata", "annotations"], &made);
            }
            let mut tombstones = Vec::new();
            let outcome = json_patch::apply(&mut resource.value, &operations, &mut tombstones);
            if !had
                && resource.value.at(&["metadata", "annotations"]).is_some_and(Value::is_empty)
                && let Some(metadata) = resource.value.get_mut("metadata")
            {
                metadata.remove("annotations");
            }
            resource.tombstones.append(&mut tombstones);
            shared::round_trip(&mut resource.value);
            count.0 = count.0.saturating_add(1);
            if !before.same(&resource.value) {
                count.1 += 1;
                resource.untouched = false;
            }
            if let Err(refusal) = outcome {
                let resource = into.resources[i].clone();
                return Err(refused(self, refusal, Some(&resource)));
            }
        }
        Ok(())
    }

    fn patch_objects(&self, texts: Texts, span: Span, step: StepId) -> Outcome<Vec<Value>> {
        let mut found = Vec::new();
        let mut queue: std::collections::VecDeque<Value> = texts.documents.into();
        while let Some(mut value) = queue.pop_front() {
            if value.is_empty() {
                continue;
            }
            let kind = value.get("kind").and_then(Value::text).unwrap_or_default().to_string();
            if kind.ends_with("List") && value.get("items").is_some() {
                queue.extend(value.get("items").map_or(&[][..], Value::items).iter().cloned());
                continue;
            }
            let name = value.text_at(&["metadata", "name"]).unwrap_or_default();
            if kind.is_empty() || name.is_empty() {
                let what = if kind.is_empty() { "kind" } else { "metadata.name" };
                let problem = BuildProblem::failed(
                    self.grip(&value.origin),
                    format!("a strategic merge patch needs `{what}`, and this has none"),
                );
                return Err(Box::new(
                    problem.help("write `apiVersion`, `kind` and `metadata.name` of the object to patch"),
                ));
            }
            value.mark(step);
            found.push(value);
        }
        if found.is_empty() {
            return Err(Box::new(
                BuildProblem::failed(span, "this patch is empty").help("write the patch, or take it away"),
            ));
        }
        Ok(found)
    }

    fn merge_into(
        &self,
        resource: &mut Resource,
        patch: &Value,
        entry: &PatchEntry,
        count: &mut Count,
        problems: &mut Vec<BuildProblem>,
    ) -> Outcome<()> {
        if entry.allow_name_change || entry.allow_kind_change {
            resource.remember();
        }
        let mut trace = Trace::default();
        let grip = resource_grip(self, resource);
        let title = resource.id().title();
        let mut stopped = None;
        let _ = change(resource, count, |r| {
            let old = std::mem::replace(&mut r.value, Value::empty_map(patch.origin.clone()));
            let kept = |path: &[&str]| old.at(path).cloned();
            let (kind, name, namespace) =
                (kept(&["kind"]), kept(&["metadata", "name"]), kept(&["metadata", "namespace"]));
            match merge::merge(old.clone(), patch, &mut trace) {
                Err(stop) => {
                    r.value = old;
                    stopped = Some(stop);
                }
                Ok(None) => {}
                Ok(Some(value)) if value.is_empty() => {}
                Ok(Some(value)) if trace.surprises.iter().any(|s| matches!(s, Surprise::ReplacesAll(_))) => {
                    r.value = value
                }
                Ok(Some(value)) => {
                    r.value = value;
                    // A patch repeats the apiVersion to find the object, not to change it.
                    if let Some(old) =
                        old.get("apiVersion").filter(|o| r.value.get("apiVersion").is_some_and(|n| n.same(o)))
                    {
                        restore(&mut r.value, "apiVersion", old.clone());
                    }
                    if let Some(kind) = kind.filter(|_| !entry.allow_kind_change) {
                        restore(&mut r.value, "kind", kind);
                    }
                    if let Some(metadata) = r.value.get_mut("metadata") {
                        if let Some(mut name) = name.filter(|_| !entry.allow_name_change) {
                            name.untag();
                            restore(metadata, "name", name);
                        }
                        match namespace {
                            Some(mut namespace) if !namespace.is_empty() => {
                                namespace.untag();
                                restore(metadata, "namespace", namespace);
                            }
                            _ => {
                                metadata.remove("namespace");
                            }
                        }
                    }
                }
            }
            Ok(())
        });
        if stopped.is_none() && takes_annotations(patch) {
            resource.forget();
        }
        resource.tombstones.append(&mut trace.tombstones);
        for surprise in trace.surprises {
            problems.push(self.surprise(surprise, grip, &title));
        }
        match stopped {
            None => Ok(()),
            Some(stop) => Err(Box::new(
                BuildProblem::failed(self.grip(&stop.at), format!("{} (in `{title}`)", stop.message))
                    .help("give the patch the object's shape")
                    .related(grip, "the object"),
            )),
        }
    }

    fn surprise(&self, surprise: Surprise, object: Span, title: &str) -> BuildProblem {
        match surprise {
            Surprise::Lost(item) => BuildProblem::of(
                ProblemKind::PatchLost,
                self.grip(&item),
                format!("this item of the patch is lost: it never reaches `{title}`"),
            )
            .help(
                "write the keys that the list merges by as the object has them: a port with its `protocol`, or without",
            )
            .related(object, "the object"),
            Surprise::ReplacesAll(directive) => BuildProblem::of(
                ProblemKind::PatchLost,
                self.grip(&directive),
                format!("`$patch: replace` does nothing for a whole object: `{title}` stays as it is"),
            )
            .help("put the directive into the part to replace, such as `spec`")
            .related(object, "the object"),
        }
    }
}
