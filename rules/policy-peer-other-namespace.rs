use crate::events::policies;
use crate::k8s::policy::Direction;
use crate::k8s::reach::Why;
use crate::lint::prelude::*;

/// Engines that a finding names at most.
const ENGINES: usize = 5;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for direction in [Direction::Ingress, Direction::Egress] {
        for blocked in policies::blocked(model, direction) {
            let Some(first) = blocked.needed.first().filter(|_| blocked.obstacle.why == Why::OtherNamespace) else {
                continue;
            };
            let engine = model.reach.endpoint_of(&first.publisher.pod);
            let engine = engine.and_then(|id| model.reach.namespace_of_endpoint(id)).unwrap_or_default();
            let gateway = first.subscriber.namespace(model).unwrap_or_default();
            let message = match direction {
                Direction::Ingress => format!("this peer means pods of `{engine}`, and the gateway is in `{gateway}`"),
                Direction::Egress => format!("this peer means pods of `{gateway}`, and the engines are in `{engine}`"),
            };
            let mut report = cx
                .report(blocked.obstacle.span, message)
                .label("without a `namespaceSelector` a peer lies in the policy's own namespace");
            for needed in blocked.engines().into_iter().take(ENGINES) {
                let title = policies::engine_title(model, needed.publisher);
                report = report.related(needed.span, format!("`{title}` listens on port {}", needed.port.number));
            }
            for id in blocked.subscribers() {
                if let Some(pod) = model.reach.endpoints.get(id).and_then(|e| e.pod()) {
                    report = report.related(pod.resource.grip(), format!("the gateway is in `{gateway}`"));
                }
            }
            let peer = blocked.peer(model, direction);
            let selector = peer.trim_start_matches('{').strip_suffix('}').unwrap_or(&peer);
            report = report.help(format!("write `{selector}` into the same item, beside `podSelector`"));
            let notes = blocked.consequences(model).into_iter();
            for note in notes.chain(policies::assumption(model, first.subscriber)) {
                report = report.note(note);
            }
        }
    }
}
