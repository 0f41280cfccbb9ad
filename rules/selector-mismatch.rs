use crate::facts::kubernetes;
use crate::k8s::Truth;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for (workload, pod) in model.pods() {
        let Some(selector) = pod.selector else { continue };
        for (requirement, truth) in selector.requirements(&pod.labels) {
            if truth != Truth::No {
                continue;
            }
            // A `matchExpressions` item is a mapping: its key is what to look for.
            let expression = requirement.get("key");
            let key = match expression {
                Some(node) => node.text(),
                None => requirement.key_span().map(|span| requirement.source().slice(span).trim_matches(['"', '\''])),
            };
            let key = key.unwrap_or_default();
            let key_place = expression.map_or(requirement.key_span(), |node| Some(node.span()));
            let key_place = key_place.unwrap_or_else(|| requirement.grip());
            let kind = workload.resource.kind();
            let report = match pod.labels.entry(key) {
                Some(entry) => cx
                    .report(
                        value_place(requirement).unwrap_or(key_place),
                        format!("the selector does not match the pods' label `{key}`"),
                    )
                    .label("what the selector asks for")
                    .related(entry.value.span(), format!("the pods have `{}`", entry.value.text().unwrap_or_default())),
                None => cx
                    .report(key_place, format!("the selector asks for the label `{key}`, which the pods do not have"))
                    .label("no such label on the pod template")
                    .related(pod.labels_place, pod.labels_hint()),
            };
            let report = report.help("make the selector and the labels of the pod template agree");
            report.note(match kubernetes::is_built_in(&workload.kind.group) {
                true => format!("the API server refuses the {kind}: `selector` does not match template `labels`"),
                false => format!("the controller of {kind} refuses the object or never finds its pods"),
            });
        }
    }
}

/// What a requirement compares the label with: the value, or the `values` of an expression that has some.
fn value_place(requirement: Node<'_>) -> Option<Span> {
    match requirement.get("key") {
        Some(_) => requirement.entry("values").map(|values| values.key.span()),
        None => Some(requirement.span()),
    }
}
