use crate::facts::aibrix;
use crate::fix::pod;
use crate::k8s::PodTemplate;
use crate::lint::prelude::*;
use crate::suggest;
use crate::yaml::Entry;

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
        if let Some(entry) = misspelt(pod) {
            let key = entry.key.text().unwrap_or_default();
            cx.report(entry.key.span(), format!("the gateway does not know the label `{key}`"))
                .label(format!("did you mean `{}`?", label.key))
                .related(publisher.command.grip, format!("{} publishes events here", publisher.engine().name()))
                .help(format!("write `{}`", label.key))
                .mend(format!("rename it to `{}`", label.key), pod::announcing(pod), |changes| {
                    changes.rename(entry.value, &label.key)
                })
                .note("the gateway subscribes to pods with the right label alone; it never connects to the others");
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

/// A label of the pods whose key is nearly the one that the gateway looks for.
fn misspelt<'t>(pod: &PodTemplate<'t>) -> Option<Entry<'t>> {
    let wanted = aibrix::table().labels.enabled.key.split_once('/')?;
    let near = |entry: &Entry<'t>| {
        let parts = entry.key.text().and_then(|key| key.split_once('/'));
        parts.is_some_and(|(prefix, name)| {
            suggest::nearest(prefix, [wanted.0]).is_some() && suggest::nearest(name, [wanted.1]).is_some()
        })
    };
    pod.labels.node?.entries().into_iter().find(near)
}
