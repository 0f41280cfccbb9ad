use crate::facts::aibrix::{self, parse_bool};
use crate::fix::pod;
use crate::lint::prelude::*;
use crate::yaml::is_unfinished;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let label = &aibrix::table().labels.enabled;
    for workload in &model.workloads {
        let pods: Vec<_> = workload.pods.iter().filter(|p| p.is_serving() && p.can_have_labels).collect();
        // One pod with the label is enough: the others may be meant to stay silent.
        if pods.is_empty() || pods.iter().any(|p| p.labels.has(&label.key) != Some(false)) {
            continue;
        }
        for (path, labels) in workload.misleading_labels() {
            let Some(entry) = labels.entry(&label.key) else { continue };
            let value = entry.value.text().unwrap_or_default();
            // A deliberate `false`, wherever it stands, asks for nothing.
            if is_unfinished(value) || parse_bool(&value.to_ascii_lowercase()) == Some(false) {
                continue;
            }
            let kind = workload.resource.kind();
            let mut report = cx
                .report(entry.key.span(), format!("the label `{}` stands where it does not reach the pods", label.key))
                .label(format!("the pods of this {kind} do not get its `{path}`"))
                .help(format!("move the label to `{}`", right_path(&pods, path)))
                .note("the gateway looks at the labels of pods alone, so it does not subscribe to these");
            // Of several pods, which are meant is for a person to say.
            if let [pod] = pods.as_slice() {
                report = report.mend("move the label to the pods' labels", pod::announcing(pod), |changes| {
                    pod::announce(model, pod, changes)?;
                    changes.remove_up_to(entry.value, workload.resource.node())
                });
            }
            for annotation in pods.iter().filter_map(|p| p.annotations.entry(&label.key)) {
                report = report.related(annotation.key.span(), "here it is an annotation, which nothing reads");
            }
            let mut places: Vec<_> = pods.iter().map(|p| (p.labels_place, p.labels_hint())).collect();
            places.dedup();
            for (place, hint) in places {
                report = report.related(place, hint);
            }
        }
    }
}

/// The path of the first pod's labels, for people.
fn right_path(pods: &[&crate::k8s::PodTemplate<'_>], other: &str) -> String {
    pods.first().and_then(|p| p.row.labels_path()).filter(|p| p != other).unwrap_or_else(|| "metadata.labels".into())
}
