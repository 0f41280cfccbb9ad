//! The order in which Kustomize does things: `kusttarget.go`, step by step.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fieldspec;
use super::generate;
use super::images::Image;
use super::kustomization::{Kustomization, LabelEntry, ReplacementEntry, Variable};
use super::resource::{Ids, Resource};
use super::transform::{Affix, Count, Namespace, Subjects, change, replicas, set_pairs};
use super::workspace::{BuildProblem, Folder, ProblemKind, Workspace};
use crate::facts::kustomize::{self as facts, FieldSpec, Fields};
use crate::lexical::clean;
use crate::load::unit::Missing;
use crate::source::Span;
use crate::yaml::{Directive, Step};

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
    /// Whether objects may be lacking because something that makes them could not be read.
    pub gap: bool,
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

    /// Notes why an object or a step could not be made. What is elsewhere is not wrong, it is missing.
    pub(super) fn fail(&mut self, problem: BuildProblem) {
        match problem.kind {
            ProblemKind::Elsewhere => self.missing.push(Missing { reason: problem.message, span: Some(problem.span) }),
            _ => self.problems.push(problem),
        }
    }

    /// [`Log::fail`] for what makes objects: what is not there afterwards may be among them.
    pub(super) fn fail_to_make(&mut self, problem: BuildProblem) {
        if problem.kind != ProblemKind::Absent || !self.gap {
            self.fail(problem);
        }
        self.gap = true;
    }

    /// Forgets that something is absent where what is lacking may be it: of the problems from an index on.
    pub(super) fn forgive_absent(&mut self, from: usize) {
        if self.gap {
            let mut own = self.problems.split_off(from);
            own.retain(|p| p.kind != ProblemKind::Absent);
            self.problems.append(&mut own);
        }
    }

    pub(super) fn extend(&mut self, other: &Log) {
        self.gap |= other.gap;
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
    pub(super) fn append(&mut self, ws: &Workspace<'_>, more: &[Resource], span: Span) {
        let mut ids = Ids::of(&self.resources);
        for resource in more {
            if self.resources.len() >= OBJECT_LIMIT {
                self.log.problems.push(
                    BuildProblem::failed(span, format!("more than {OBJECT_LIMIT} objects come in"))
                        .help("a base that comes in over two ways comes in twice, and over two of those four times"),
                );
                return;
            }
            let id = resource.id();
            if ids.has(&id)
                && let Some(other) = self.resources.iter().position(|r| r.id().same(&id))
            {
                let grip = super::patch_target::resource_grip(ws, resource);
                let message = format!("`{}` comes in twice", id.title());
                self.log.problems.push(
                    BuildProblem::failed(span, message)
                        .help("take one of the two out, or give one a prefix, a suffix or a namespace of its own")
                        .related(super::patch_target::resource_grip(ws, &self.resources[other]), "the first")
                        .related(grip, "the second"),
                );
                continue;
            }
            ids.add(&id);
            self.resources.push(resource.clone());
        }
    }
}

/// What the annotations say of something that a kustomization configures.
pub(super) fn configured(layer: &Layer, kind: &str) -> String {
    configured_in(layer, layer.file.file_name().unwrap_or_default().as_ref(), kind)
}

/// [`configured`] in another file of the layer.
pub(super) fn configured_in(layer: &Layer, file: &Path, kind: &str) -> String {
    let path = clean(&layer.way.join(file));
    format!("configuredIn: {}\nconfiguredBy:\n  apiVersion: builtin\n  kind: {kind}\n", path.display())
}

impl Workspace<'_> {
    /// Runs a kustomization on what is accumulated.
    pub(super) fn accumulate(&mut self, layer: &Layer, into: &mut Accumulated) {
        into.log.uses(&layer.file);
        if let Some(problems) = self.file_problems.get(&layer.file) {
            into.log.problems.extend(problems.iter().cloned());
        }
        let k = Arc::clone(&layer.kustomization);
        for (text, what) in &k.unresolved {
            into.log
                .missing
                .push(Missing { reason: format!("{what}, which kvlint does not do"), span: Some(text.span) });
        }
        for text in &k.idle {
            // The kustomization uses it, though nothing reads it here.
            if let Ok((canonical, _)) = self.locate_file(layer, text) {
                into.log.uses(&canonical);
            }
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
                Err(problem) => into.log.fail(*problem),
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
                into.log.fail_to_make(*problem);
            }
        }
        self.run_generators(layer, &k.external_generators, into);
        for entry in &k.components {
            self.component(layer, entry, into);
        }
        let before = into.log.problems.len();
        self.transformers(layer, &k, into);
        into.log.forgive_absent(before);
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

pub(super) fn add_variable(into: &mut Accumulated, variable: &Variable) {
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
