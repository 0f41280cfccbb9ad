//! What the entries of a kustomization lead to: files in its folder, other folders, and what is not on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::accumulate::{Accumulated, Layer, add_variable};
use super::fields::Text;
use super::fieldspec;
use super::resource::Resource;
use super::value::{Data, Dialect, Value};
use super::workspace::{BuildProblem, Folder, Outcome, ProblemKind, Workspace};
use crate::lexical::clean;
use crate::load::unit::Missing;
use crate::source::Span;
use crate::yaml::OddityKind;

/// Deepest chain of kustomizations that is followed.
const DEPTH_LIMIT: usize = 100;

/// Kustomizations that one root may run: components run again for everyone who uses them.
const RUN_LIMIT: usize = 10_000;

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
            let message = format!("`{}` is not on this machine, and nothing is fetched", text.text);
            return Err(Box::new(BuildProblem::of(ProblemKind::Elsewhere, text.span, message)));
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
                into.log.gap = true;
                into.log.missing.push(Missing { reason: problem.message.clone(), span: Some(problem.span) });
                into.log.problems.push(*problem);
                return None;
            }
        };
        let mut chain = chain.to_vec();
        chain.push(folder.canonical.clone());
        Some(Layer { folder: Some(folder.clone()), file, kustomization, chain, way: PathBuf::new() })
    }

    pub(super) fn component(&mut self, layer: &Layer, entry: &Text, into: &mut Accumulated) {
        match self.subfolder(layer, entry) {
            Ok(folder) => self.folder(&folder, layer, true, entry, into),
            Err(problem) => self.note_missing(entry, *problem, into),
        }
    }

    fn note_missing(&mut self, entry: &Text, problem: BuildProblem, into: &mut Accumulated) {
        into.log.gap = true;
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
                        Err(problem) => into.log.fail_to_make(*problem),
                    }
                }
                Err(problem) => into.log.fail_to_make(*problem),
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
        for (tree, document) in documents.trees.iter().zip(&documents.stream.documents) {
            // What is no JSON stops Kustomize; what is read into it here is not what was meant.
            if let Some(oddity) = document.oddities.iter().find(|o| o.kind == OddityKind::NotJson) {
                whole = false;
                into.log.gap = true;
                let reason = format!("a document of {} is not what Kubernetes reads", shown.display());
                into.log.missing.push(Missing { reason, span: Some(oddity.span) });
                into.log.problems.push(BuildProblem::of(ProblemKind::Syntax, oddity.span, oddity.message.clone()));
                continue;
            }
            match tree {
                Ok(id) => values.push(Value::read(self.trees[*id as usize].root(), *id, Dialect::Resources)),
                Err(e) => {
                    whole = false;
                    into.log.gap = true;
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
