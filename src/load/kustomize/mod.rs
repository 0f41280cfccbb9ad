//! Kustomize trees, built in process: what `kustomize build` gives, and where every value of it was written.
//!
//! [`build`] runs one root in the order of Kustomize's own code ([`accumulate`]): resources, generators, components,
//! transformers in their fixed order, then hashes, name references and variables. Objects are trees of
//! [`value::Value`], in which every key and value keeps its place, the step that put it there and what it replaced;
//! [`compose`] turns them into trees that the rest of kvlint reads like any other. Nothing is fetched and nothing is run:
//! what would need it is noted as missing, and the rest is built.

pub mod accumulate;
pub mod compose;
mod dangling;
pub mod emit;
pub mod entries;
pub mod fields;
pub mod fieldspec;
pub mod files;
mod generate;
mod hash;
mod images;
mod json_patch;
pub mod kustomization;
mod loader;
pub mod merge;
mod merge_list;
mod names;
pub mod order;
pub mod origin;
mod patch;
mod patch_target;
mod plugins;
mod read;
mod replace;
pub mod resource;
pub mod roots;
mod selector;
mod shared;
mod surprises;
mod transform;
mod units;
pub mod users;
pub mod value;
mod vars;
pub mod workspace;

pub use accumulate::{Accumulated, DirectiveUse};
pub use emit::{Printed, emit, print};
pub use files::{Asking, Disk, Files, Texts};
pub use order::Order;
pub use units::{Dangling, Kustomized, Layer, join_uses, unit};
pub use workspace::{BuildProblem, Folder, ProblemKind, Workspace};

use crate::source::Span;
use crate::yaml::{Directive, Step};
use accumulate::{Layer as Own, first_span};
use value::{Data, Key, Origin, Type, Value};
use workspace::Outcome;

/// Objects with this annotation are used and not deployed.
const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// Builds one root. Problems are in the result's log; what could be built in spite of them is built.
pub fn build(ws: &mut Workspace<'_>, root: &Folder, order: Order) -> Accumulated {
    let mut into = Accumulated::default();
    ws.runs = 0;
    let mut nowhere = Span::new(crate::source::FileId(0), 0, 0);
    if ws.kustomization(root, nowhere).is_err() {
        nowhere = ws.start_of_unread(root);
    }
    let Some(layer) = ws.layer(root, &[], nowhere, &mut into) else { return into };
    into.log.folders.push(root.clone());
    // Kustomize's order of building makes the annotations of a base depend on the root, so nothing is shared.
    ws.notes = layer.kustomization.build_metadata.iter().any(|t| t.text.ends_with("Annotations"));
    ws.accumulate(&layer, &mut into);
    finish(ws, &layer, order, &mut into);
    into
}

/// What happens once, after all layers.
fn finish(ws: &mut Workspace<'_>, layer: &Own, order: Order, into: &mut Accumulated) {
    let span = first_span(&layer.kustomization);
    for resource in into.resources.iter_mut().filter(|r| r.hashed) {
        let at = ws.grip(&resource.value.origin);
        let step = ws.add_step(Step::Applied(Directive::Hash, at));
        generate::add_hash(resource, at, step);
    }
    names::fix(ws, into, span);
    let before = into.log.problems.len();
    vars::resolve(ws, into);
    into.log.forgive_absent(before);
    let local = |r: &resource::Resource| r.texts("annotations").any(|(k, v)| k == LOCAL_CONFIG && v != "false");
    into.resources.retain(|r| !r.is_deleted());
    look_at_names(ws, into, local);
    into.resources.retain(|r| !local(r));
    surprises::look(ws, into);
    if let Err(problem) = order::sort(&mut into.resources, layer.kustomization.sort.as_ref(), order) {
        into.log.problems.push(*problem);
    }
    if let Err(problem) = metadata(ws, layer, into) {
        into.log.problems.push(*problem);
    }
}

/// Objects that patches or replacements gave one name, or none: Kustomize looks once more at the end, before those that are not
/// deployed go.
fn look_at_names(ws: &Workspace<'_>, into: &mut Accumulated, local: impl Fn(&resource::Resource) -> bool) {
    // What stops the build before that is the reason, and often of this, too.
    if into.log.problems.iter().any(BuildProblem::is_fatal) {
        return;
    }
    let mut first: std::collections::HashMap<resource::Id, usize> = std::collections::HashMap::new();
    let mut problems = Vec::new();
    for (i, resource) in into.resources.iter().enumerate() {
        let id = resource.id();
        let grip = patch_target::resource_grip(ws, resource);
        if resource.nameless || (id.name.is_empty() && !id.kind.ends_with("List")) {
            let message = format!("something takes the name of this {} away", id.kind);
            let problem = BuildProblem::failed(grip, message);
            problems.push(problem.help("see what the patches and replacements write to `metadata.name`"));
            continue;
        }
        let title = id.title();
        // How the namespace is written makes no other object.
        let other = *first.entry(resource::Id { written_namespace: "".into(), ..id }).or_insert(i);
        let other = &into.resources[other];
        if std::ptr::eq(other, resource) || (local(resource) && local(other)) {
            continue;
        }
        problems.push(
            BuildProblem::failed(grip, format!("in the end two objects are `{title}`"))
                .help("give one of them another name or namespace")
                .related(patch_target::resource_grip(ws, other), "the other one"),
        );
    }
    into.log.problems.append(&mut problems);
}

/// `buildMetadata`, and what Kustomize does to annotations at the end.
fn metadata(ws: &mut Workspace<'_>, layer: &Own, into: &mut Accumulated) -> Outcome<()> {
    // The version that the facts here were read from and measured with.
    const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "kustomize-v5.5.0");
    let asked = |name: &str| layer.kustomization.build_metadata.iter().find(|t| t.text == name);
    if let Some(text) = asked("managedByLabel") {
        let step = ws.add_step(Step::Applied(Directive::Metadata, text.span));
        let made = Origin::made(text.span, step);
        for resource in &mut into.resources {
            resource.untouched = false;
            if let Some(labels) = resource.value.at_or_create(&["metadata", "labels"], &made) {
                let key = Key { text: MANAGED_BY.0.into(), origin: made.clone() };
                labels.set(key, Value::text_of(MANAGED_BY.1, made.clone()));
            }
        }
    }
    for text in layer.kustomization.build_metadata.iter().filter(|t| t.text != "managedByLabel") {
        if !matches!(text.text.as_str(), "originAnnotations" | "transformerAnnotations") {
            let problem = BuildProblem::failed(text.span, format!("`{}` is not a value of `buildMetadata`", text.text));
            return Err(Box::new(problem.help("originAnnotations, transformerAnnotations and managedByLabel are")));
        }
    }
    let (origins, transformers) = (asked("originAnnotations"), asked("transformerAnnotations"));
    for resource in &mut into.resources {
        let mut notes = Vec::new();
        if let (Some(text), Some(origin)) = (origins, resource.annotations.origin.clone()) {
            notes.push((text.span, "config.kubernetes.io/origin", origin));
        }
        if let (Some(text), false) = (transformers, resource.annotations.transformers.is_empty()) {
            let items =
                resource.annotations.transformers.iter().map(|t| format!("- {}", t.trim_end().replace('\n', "\n  ")));
            let list = items.collect::<Vec<_>>().join("\n") + "\n";
            notes.push((text.span, "alpha.config.kubernetes.io/transformations", list));
        }
        for (span, key, text) in notes {
            let step = ws.add_step(Step::Applied(Directive::Metadata, span));
            let made = Origin::made(span, step);
            resource.untouched = false;
            if let Some(map) = resource.value.at_or_create(&["metadata", "annotations"], &made) {
                map.set(Key { text: key.into(), origin: made.clone() }, Value::text_of(text, made));
            }
        }
        let wrong = |v: &Value| match &v.data {
            Data::Map(entries) => {
                entries.is_empty()
                    || entries.iter().any(|e| !matches!(&e.value.data, Data::Scalar(s) if s.kind == Type::Str))
            }
            _ => v.is_null(),
        };
        if !resource.value.at(&["metadata", "annotations"]).is_some_and(wrong) {
            continue;
        }
        resource.untouched = false;
        let Some(metadata) = resource.value.get_mut("metadata") else { continue };
        if metadata.get("annotations").is_some_and(Value::is_empty) {
            metadata.remove("annotations");
            continue;
        }
        if let Some(annotations) = metadata.get_mut("annotations") {
            annotations.make_texts();
        }
    }
    Ok(())
}
