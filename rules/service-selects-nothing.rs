use crate::k8s::{PodTemplate, Selector, Truth};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for service in &model.services {
        let Some(selector) = service.selector() else { continue };
        // First, since most Services select something, and what follows looks at every pod.
        if model.selects_something(*service) {
            continue;
        }
        let pods: Vec<&PodTemplate<'_>> =
            model.pods().map(|(_, pod)| pod).filter(|p| p.resource.may_share_namespace(service.resource)).collect();
        // Where no pod is deployed at all, the Service is for pods of other manifests.
        if pods.is_empty() || model.hidden_pods(*service).is_some() {
            continue;
        }
        let near = nearest(selector, &pods);
        // Nor where pods could only be in its namespace because they name none.
        let namespace = service.resource.namespace();
        if near.is_none() && namespace.is_some() && pods.iter().all(|p| p.resource.namespace() != namespace) {
            continue;
        }
        let message = format!("{} selects no pod of these manifests", service.resource.title());
        let Some((pod, requirement)) = near else {
            let place = selector.node().key_span().unwrap_or_else(|| service.resource.grip());
            cx.report(place, message)
                .help("select by the labels of a pod template; a workload's own labels are not those of its pods")
                .note("the Service has no endpoints, and connections to it are refused");
            continue;
        };
        let key = requirement.key_text().unwrap_or_default();
        let report = match pod.labels.get(key) {
            Some(value) => cx
                .report(requirement.span(), message)
                .related(value.span(), format!("the pods of {} have another value", pod.title()))
                .help(format!("write `{}`", value.text().unwrap_or_default())),
            None => cx
                .report(requirement.key_span().unwrap_or(requirement.span()), message)
                .related(pod.labels_place, format!("the pods of {} have no `{key}`", pod.title()))
                .help("select by labels that the pods have, or add the label to the pod template"),
        };
        report.note("the Service has no endpoints, and connections to it are refused");
    }
}

/// The pod that meets most of the selector, and what it does not meet. None where nothing comes near.
fn nearest<'p, 't>(selector: Selector<'t>, pods: &[&'p PodTemplate<'t>]) -> Option<(&'p PodTemplate<'t>, Node<'t>)> {
    let judge = |pod: &&'p PodTemplate<'t>| {
        let found = selector.requirements(&pod.labels);
        let met = found.iter().filter(|(_, truth)| *truth == Truth::Yes).count();
        let missed = found.into_iter().find(|(_, truth)| *truth == Truth::No)?.0;
        // A label of the same key is nearer than none.
        let same_key = missed.key_text().is_some_and(|key| pod.labels.get(key).is_some());
        Some((met, same_key, *pod, missed))
    };
    let best = pods.iter().filter_map(judge).reduce(|a, b| if (b.0, b.1) > (a.0, a.1) { b } else { a })?;
    // Without a shared label, the only pod there is may still be meant.
    (best.0 > 0 || (best.1 && pods.len() == 1)).then_some((best.2, best.3))
}
