use crate::events::Model;
use crate::facts::aibrix::{self, parse_bool};
use crate::fix::pod;
use crate::k8s::PodTemplate;
use crate::lint::prelude::*;
use crate::yaml::{Scalar, is_unfinished};

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let label = &aibrix::table().labels.enabled;
    let wanted = label.value.as_deref().unwrap_or_default();
    for (workload, pod) in model.pods() {
        let publishes = model.publishers_of(pod).any(|p| p.publishing() == Publishing::On);
        let Some(entry) = pod.labels.entry(&label.key) else {
            // On the workload as well, it is discovery-label-misplaced.
            if workload.misleading_labels().iter().all(|(_, labels)| labels.get(&label.key).is_none()) {
                as_annotation(cx, model, pod);
            }
            continue;
        };
        let (Some(text), Some(scalar)) = (entry.value.text(), entry.value.scalar()) else { continue };
        if is_unfinished(text) {
            continue;
        }
        // The API server refuses any other type, which `wrong-type` says.
        let is_string = matches!(scalar, Scalar::Str(_) | Scalar::Null);
        if !is_string || text == wanted {
            continue;
        }
        // Null is the empty string to Kubernetes.
        let shown = if text.is_empty() || entry.value.is_null() { "nothing".to_string() } else { format!("`{text}`") };
        let subscribed = format!("the gateway compares the label with the string \"{wanted}\", byte for byte");
        if parse_bool(&text.to_ascii_lowercase()) == Some(false) {
            if publishes {
                cx.report(entry.value.span(), format!("the engine publishes events, and the label says {shown}"))
                    .severity(Severity::Info)
                    .label("the gateway does not subscribe to the pod")
                    .help(format!("write `\"{wanted}\"`, or switch the publisher off"))
                    .mend(format!("write \"{wanted}\""), Applicability::Unsafe, |changes| {
                        pod::announce(model, pod, changes)
                    })
                    .note(subscribed);
            }
            continue;
        }
        let report = cx
            .report(entry.value.span(), format!("the label is set to {shown}, and the gateway looks for \"{wanted}\""))
            .label("another string")
            .help(format!("write `\"{wanted}\"`, with quotes"))
            .note(subscribed);
        // A silent engine is not to be announced: whether it shall publish is the first question.
        if publishes {
            report.mend(format!("write \"{wanted}\""), certainty(text).max(pod::announcing(pod)), |changes| {
                pod::announce(model, pod, changes)
            });
        }
    }
}

/// Whether a value was plainly meant as yes.
fn certainty(text: &str) -> Applicability {
    if aibrix::meant_bool(text) == Some(true) || parse_bool(text) == Some(true) {
        Applicability::Safe
    } else {
        Applicability::Unsafe
    }
}

/// The key among the annotations, where the gateway does not look.
fn as_annotation<'t>(cx: &mut UnitContext<'_>, model: &Model<'t>, pod: &PodTemplate<'t>) {
    let label = &aibrix::table().labels.enabled;
    let Some(entry) = pod.annotations.entry(&label.key) else { return };
    let text = entry.value.text().unwrap_or_default();
    if pod.labels.has(&label.key) != Some(false)
        || is_unfinished(text)
        || parse_bool(&text.to_ascii_lowercase()) == Some(false)
    {
        return;
    }
    let report = cx
        .report(entry.key.span(), format!("`{}` is an annotation here, and the gateway looks at labels", label.key))
        .label("an annotation")
        .related(pod.labels_place, pod.labels_hint())
        .help("move the line from `annotations` to `labels`")
        .note("pods are found by a label; the gateway does not subscribe to these");
    if model.publishers_of(pod).any(|p| p.publishing() == Publishing::On) {
        report.mend("move it to the labels", pod::announcing(pod), |changes| {
            pod::announce(model, pod, changes)?;
            changes.remove_up_to(entry.value, pod.resource.node())
        });
    }
}
