use crate::events::Model;
use crate::events::policies::{self, words};
use crate::k8s::Truth;
use crate::k8s::policy::NetworkPolicy;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    if model.publishers.is_empty() && model.gateways.is_empty() {
        return;
    }
    for (id, policy) in model.reach.policies.iter().enumerate() {
        let concerned = policies::concerns_events(policy) && policies::reversed(model, policy).is_none();
        let keys = policy.view.pod_selector().map(policies::keys).unwrap_or_default();
        let hidden = model.hidden_pods_with(&keys, policy.view.resource);
        if !concerned || policy.selects_something() || hidden.is_some() {
            continue;
        }
        // The label that it asks for is missing on the pods, or not as it was meant.
        if model.publishers.iter().any(|p| policies::selects_as_meant(model, policy, p)) {
            continue;
        }
        let title = policy.view.title();
        // Pods with the right labels elsewhere: the policy is in the wrong namespace.
        let elsewhere =
            |e: &usize| policy.fits_labels(*e) == Truth::Yes && model.reach.shares_namespace(*e, id) == Truth::No;
        let stray = (0..model.reach.endpoints.len()).find(elsewhere);
        if let Some(endpoint) = stray {
            let (pod, namespace) = (model.reach.title(endpoint), model.reach.namespace_of_endpoint(endpoint));
            let node = policy.view.resource.node();
            let place = node.at("metadata.namespace").map_or_else(|| policy.view.resource.grip(), Node::span);
            let message = format!("`{title}` selects no pod: those with these labels are in another namespace");
            let mut report = cx.report(place, message);
            if let Some(found) = model.reach.endpoints.get(endpoint).and_then(|e| e.pod()) {
                report = report.related(found.resource.grip(), format!("`{pod}` has the labels"));
            }
            report
                .help(format!("put the policy into `{}`", namespace.unwrap_or_default()))
                .note("a policy is about pods of its own namespace alone");
            continue;
        }
        let mut report = cx.report(place(model, policy.view), format!("`{title}` selects no pod of these manifests"));
        let mut help = None;
        // The gateway has the labels of the way it was installed.
        for gateway in &model.gateways {
            let Some(endpoint) = model.reach.endpoint_of(&gateway.pod) else { continue };
            if model.reach.shares_namespace(endpoint, id) == Truth::No {
                continue;
            }
            if let Some(labels) = words::labels_of(&model.reach, endpoint) {
                let place = gateway.pod.labels.node.map_or(gateway.pod.labels_place, Node::grip);
                report = report.related(place, "the gateway of these manifests has other labels");
                help = Some(format!("for the gateway of these manifests, ask for {labels}"));
            }
        }
        report
            .help(help.unwrap_or_else(|| "ask for labels that the pods' templates have".into()))
            .note("a policy without pods opens nothing and closes nothing");
    }
}

/// The first label that no pod has, else what is asked for first.
fn place(model: &Model<'_>, policy: NetworkPolicy<'_>) -> Span {
    let nobody = |key: &str| model.pods().all(|(_, pod)| pod.labels.has(key) == Some(false));
    let labels = policy.pod_selector().and_then(|s| s.node().get("matchLabels")).map(Node::entries);
    let missing = labels.unwrap_or_default().into_iter().find(|e| e.key.text().is_some_and(nobody));
    missing.map_or_else(|| policy.selector_place(), |entry| entry.key.span())
}
