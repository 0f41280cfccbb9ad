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
            let place = expression.unwrap_or(requirement);
            let kind = workload.resource.kind();
            let report = match pod.labels.entry(key) {
                Some(entry) => cx
                    .report(place.span(), format!("the selector does not match the pods' label `{key}`"))
                    .label("what the selector asks for")
                    .related(entry.value.span(), format!("the pods have `{}`", entry.value.text().unwrap_or_default())),
                None => cx
                    .report(
                        place.span(),
                        format!("the selector asks for the label `{key}`, which the pods do not have"),
                    )
                    .label("no such label on the pod template")
                    .related(pod.labels_place, pod.labels_hint()),
            };
            let report = report.help("make the selector and the labels of the pod template agree");
            match workload.kind.group.as_str() {
                "" | "apps" | "batch" => report
                    .note(format!("the API server refuses the {kind}: `selector` does not match template `labels`")),
                _ => report.note(format!("the controller of {kind} refuses the object or never finds its pods")),
            };
        }
    }
}
