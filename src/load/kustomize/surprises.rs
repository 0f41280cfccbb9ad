//! What patches left in the finished objects that the API server will not like.

use super::accumulate::Accumulated;
use super::resource::Resource;
use super::value::{Entry, Origin, Value, WRITTEN};
use super::workspace::{BuildProblem, ProblemKind, Workspace};
use crate::yaml::{Directive, Step};

/// Keys that `kubectl apply` knows in patches and Kustomize does not.
const LEAKING: &[&str] = &["$retainKeys", "$setElementOrder", "$deleteFromPrimitiveList"];

/// Looks through the objects that a patch may have changed. What a later step has mended is not there any more.
pub fn look(ws: &Workspace<'_>, into: &mut Accumulated) {
    let mut found = Vec::new();
    for resource in into.resources.iter().filter(|r| !r.untouched) {
        part(ws, resource, &resource.value, false, &mut found);
    }
    into.log.problems.append(&mut found);
}

fn is_from_patch(ws: &Workspace<'_>, origin: &Origin) -> bool {
    origin.step != WRITTEN && matches!(ws.steps.get(origin.step as usize), Some(Step::Applied(Directive::Patch, _)))
}

fn part(ws: &Workspace<'_>, resource: &Resource, value: &Value, in_env: bool, found: &mut Vec<BuildProblem>) {
    if in_env {
        value.items().iter().for_each(|variable| value_and_source(ws, resource, variable, found));
    }
    for entry in value.entries() {
        let key = entry.key.text.as_str();
        let leaks = LEAKING.iter().any(|l| key.split('/').next() == Some(*l));
        if leaks && is_from_patch(ws, &entry.key.origin) {
            let message = format!("`{key}` means nothing to Kustomize and ends up in the object");
            let problem = BuildProblem::of(ProblemKind::DirectiveLeaks, ws.span(&entry.key.origin), message);
            found.push(problem.help("take it away: Kustomize has only `$patch: delete`, `replace` and `merge`"));
        }
        part(ws, resource, &entry.value, key == "env", found);
    }
    value.items().iter().for_each(|i| part(ws, resource, i, false, found));
}

/// A variable with a value from one step and a source from another.
fn value_and_source(ws: &Workspace<'_>, resource: &Resource, variable: &Value, found: &mut Vec<BuildProblem>) {
    // A mapping is held by its key.
    fn grip(entry: &Entry) -> &Origin {
        if entry.value.is_scalar() { &entry.value.origin } else { &entry.key.origin }
    }
    let set = |key: &str| variable.entries().iter().find(|e| e.key.text == key && !e.value.is_null()).map(grip);
    let (Some(value), Some(source)) = (set("value"), set("valueFrom")) else { return };
    let (new, old) = if value.step > source.step { (value, source) } else { (source, value) };
    if new.step == old.step || !is_from_patch(ws, new) {
        return;
    }
    let title = resource.id().title();
    let message = format!("`{title}` gets both `value` and `valueFrom` for this variable");
    let problem = BuildProblem::of(ProblemKind::ValueAndValueFrom, ws.grip(new), message)
        .help("set the other to null in the same patch: `valueFrom: null`, or `value: null`")
        .related(ws.grip(old), "the other one");
    found.push(problem);
}
