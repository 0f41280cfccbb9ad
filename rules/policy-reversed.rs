use crate::events::policies::{self, words};
use crate::facts::aibrix;
use crate::k8s::policy::Direction;
use crate::lint::prelude::*;

/// Engines that a finding names at most.
const ENGINES: usize = 3;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let table = aibrix::table();
    for policy in &model.reach.policies {
        let Some(reversed) = policies::reversed(model, policy) else { continue };
        let title = policy.view.title();
        let Some(subscriber) = model.subscribers.first() else { continue };
        let (message, right, wrong) = match reversed.direction {
            Direction::Ingress => (
                format!("`{title}` opens the gateway to the engines, but it is the gateway that dials"),
                "select the engines here",
                "let the gateway in here",
            ),
            Direction::Egress => (
                format!("`{title}` lets the engines out to the gateway, but it is the gateway that dials"),
                "these are the pods that are dialled",
                "the gateway opens the connection, and nothing dials it",
            ),
        };
        let mut report = cx.report(reversed.selector, message).label(right).related(reversed.peer, wrong);
        for publisher in model.publishers.iter().take(ENGINES) {
            let engine = policies::engine_title(model, publisher);
            if let Some(port) = publisher.event_port().known() {
                report = report.related(port.span, format!("`{engine}` listens on port {}", port.first));
            }
        }
        for gateway in &model.gateways {
            report = report.related(gateway.container.grip(), "the gateway connects to the engines from here");
        }
        let ports = [table.dial.events, table.dial.replay, table.tokenizer_port.port];
        let (label, namespace) = (&table.labels.enabled, subscriber.namespace(model).unwrap_or_default());
        let engine = model.publishers.first().map_or("the engine".into(), |p| policies::engine_title(model, p));
        report = report
            .help(format!(
                "in the engines' namespace select `{}: \"{}\"`, and open {} to {}",
                label.key,
                label.value.as_deref().unwrap_or_default(),
                words::ports(&ports),
                words::namespace_peer(namespace)
            ))
            .note(format!("the connection is {} → {engine}:{}/TCP", subscriber.title(model), table.dial.events));
        if let Some(assumption) = policies::assumption(model, subscriber) {
            report.note(assumption);
        }
    }
}
