//! The objects of a patch, and what is odd about a patch before it runs.

use super::accumulate::{Accumulated, Layer};
use super::kustomization::Selector;
use super::resource::{Resource, by_any_id};
use super::selector::Matcher;
use super::value::{Key, Value};
use super::workspace::{BuildProblem, Outcome, ProblemKind, Workspace};
use crate::source::Span;

/// A short place to hold an object by.
pub(super) fn resource_grip(ws: &Workspace<'_>, resource: &Resource) -> Span {
    let name = resource.value.at(&["metadata", "name"]).or_else(|| resource.value.get("kind"));
    name.map_or_else(|| ws.grip(&resource.value.origin), |n| ws.span(&n.origin))
}

pub(super) fn restore(map: &mut Value, key: &str, value: Value) {
    match map.get_mut(key) {
        Some(old) => *old = value,
        None => {
            let origin = value.origin.clone();
            map.set(Key { text: key.into(), origin }, value);
        }
    }
}

/// The objects that a target takes.
pub(super) fn select(into: &Accumulated, target: &Selector) -> Outcome<Vec<usize>> {
    let matcher = Matcher::new(target)?;
    Ok((0..into.resources.len())
        .filter(|&i| !into.resources[i].is_deleted() && matcher.matches(&into.resources[i]))
        .collect())
}

/// A target that would fit but for a namespace that the same kustomization sets later.
pub(super) fn note_namespace(
    layer: &Layer,
    target: &Selector,
    chosen: &[usize],
    into: &mut Accumulated,
) -> Outcome<()> {
    let (Some(wanted), Some(later), true) = (&target.namespace, &layer.kustomization.namespace, chosen.is_empty())
    else {
        return Ok(());
    };
    let matcher = Matcher::new(target)?;
    if !matcher.takes_namespace(&later.text) || !into.resources.iter().any(|r| matcher.matches_but_namespace(r)) {
        return Ok(());
    }
    let message = format!("no object is in the namespace `{}` yet when this patch runs", wanted.text);
    into.log.problems.push(
        BuildProblem::of(ProblemKind::NamespaceLater, wanted.span, message)
            .help("take `namespace` out of the target: patches run before the `namespace` of the same file is set")
            .related(later.span, "this namespace is set after the patches"),
    );
    Ok(())
}

pub(super) fn find_target(ws: &Workspace<'_>, into: &Accumulated, patch: &Value) -> Outcome<usize> {
    let id = Resource::new(patch.clone()).id();
    let found: Vec<usize> =
        by_any_id(&into.resources, |i| i.same(&id)).into_iter().filter(|&i| !into.resources[i].is_deleted()).collect();
    let at = patch.at(&["metadata", "name"]).map_or_else(|| ws.grip(&patch.origin), |n| ws.span(&n.origin));
    match &found[..] {
        [one] => Ok(*one),
        [] => {
            let mut problem = BuildProblem::absent(at, format!("there is no `{}` to patch", id.title()));
            let near = into.resources.iter().find(|r| r.name() == id.name || r.original_id().name == id.name);
            problem = match near {
                Some(near) => {
                    let other = near.id();
                    let detail = if other.kind != id.kind {
                        format!("`{}` has this name", other.title())
                    } else if other.namespace != id.namespace {
                        format!("it is in the namespace `{}`", other.namespace)
                    } else {
                        format!("its apiVersion is `{}`", near.api_version())
                    };
                    problem
                        .help("write the apiVersion, kind, name and namespace that the object has before this layer")
                        .related(resource_grip(ws, near), detail)
                }
                None => problem.help("add the object to `resources`, or mend the name, or give the patch a `target`"),
            };
            Err(Box::new(problem))
        }
        [first, second, ..] => Err(Box::new(
            BuildProblem::failed(at, format!("several objects are `{}`", id.title()))
                .help("give the patch the namespace of one of them")
                .related(resource_grip(ws, &into.resources[*first]), "one")
                .related(resource_grip(ws, &into.resources[*second]), "another"),
        )),
    }
}

/// Kustomize rewrites labels and annotations of such a patch as texts, so that null deletes none of them.
pub(super) fn stringify_metadata(mut patch: Value) -> Value {
    stringify(&mut patch, "labels");
    stringify(&mut patch, "annotations");
    patch
}

/// [`stringify_metadata`] for one of the two.
pub(super) fn stringify(patch: &mut Value, key: &str) {
    let Some(metadata) = patch.get_mut("metadata") else { return };
    let Some(map) = metadata.get_mut(key) else { return };
    if map.is_empty() {
        metadata.remove(key);
        return;
    }
    map.make_texts();
}
