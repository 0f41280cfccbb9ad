use crate::facts::aibrix;
use crate::fix::pod;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let labels = &aibrix::table().labels;
    let key = &labels.model.key;
    for (_, pod) in model.pods().filter(|(_, pod)| pod.is_serving()) {
        let Some(enabled) = pod.labels.entry(&labels.enabled.key) else { continue };
        if enabled.value.text() != labels.enabled.value.as_deref() {
            continue;
        }
        let report = match (pod.labels.entry(key), pod.labels.has(key)) {
            (Some(name), _) if name.value.is_null() || name.value.text() == Some("") => {
                cx.report(name.value.grip(), format!("the label `{key}` is empty, so the events belong to no model"))
            }
            (None, Some(false)) => cx
                .report(pod.labels_place, format!("the pod asks to be heard, and its labels lack `{key}`"))
                .label("the model's name is missing here"),
            _ => continue,
        };
        let report = report
            .related(enabled.key.span(), "this label asks the gateway to subscribe")
            .help(format!("add `{key}` with the name that requests ask for"))
            .note("the gateway files events by model and skips a pod that names none");
        let noted = pod.annotations.get(key).and_then(Node::text).filter(|name| !name.is_empty());
        let served = model.publishers_of(pod).next().map(pod::model_name);
        let report = match (noted, served) {
            (Some(name), _) => report.mend(format!("add `{key}: {name}`"), Applicability::Safe, |changes| {
                pod::set_label(pod, changes, key, name)
            }),
            // What requests ask for may still be another name.
            (None, Some(name)) => report.mend(format!("add `{key}: {name}`"), Applicability::Unsafe, |changes| {
                pod::set_label(pod, changes, key, &name)
            }),
            _ => report,
        };
        if let Some(annotation) = pod.annotations.entry(key) {
            report
                .related(annotation.key.span(), "an annotation")
                .note(format!("releases up to {} read the label alone", aibrix::table().newest));
        }
    }
}
