use crate::facts::aibrix;
use crate::fix::pod;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let label = &aibrix::table().labels.enabled;
    let value = label.value.as_deref().unwrap_or_default();
    for (workload, pod) in model.pods() {
        if !pod.can_have_labels || pod.labels.has(&label.key) != Some(false) {
            continue;
        }
        let on = |p: &&crate::events::Publisher<'_>| p.publishing() == Publishing::On && model.is_for_aibrix(p);
        let Some(publisher) = model.publishers_of(pod).find(on) else { continue };
        // The label at another place is discovery-label-misplaced, as an annotation discovery-label-value.
        let elsewhere = workload.misleading_labels().iter().any(|(_, labels)| labels.has(&label.key) != Some(false));
        if elsewhere || pod.annotations.has(&label.key) != Some(false) {
            continue;
        }
        let mut report =
            cx.report(pod.labels_place, format!("the pods publish events, and their labels lack `{}`", label.key));
        if let Some(by) = pod.removed_label(&label.key) {
            report = report.related(by, "this takes the label away");
        }
        report
            .label("these labels reach the pods")
            .related(publisher.command.grip, format!("{} publishes events here", publisher.engine().name()))
            .help(format!("add `{}: \"{value}\"` to the labels of the pod template", label.key))
            .mend(format!("add `{}: \"{value}\"`", label.key), pod::announcing(pod), |changes| {
                pod::announce(model, pod, changes)
            })
            .note("the gateway subscribes to pods with this label alone; it never connects to the others");
    }
}
