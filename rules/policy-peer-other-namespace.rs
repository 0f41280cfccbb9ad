use crate::events::policies;
use crate::k8s::policy::Direction;
use crate::k8s::reach::Why;
use crate::lint::name_ends;
use crate::lint::prelude::*;

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
            let peer = blocked.peer(model, direction);
            let selector = peer.trim_start_matches('{').strip_suffix('}').unwrap_or(&peer);
            let report = cx
                .report(blocked.obstacle.span, message)
                .label("without a `namespaceSelector` a peer lies in the policy's own namespace")
                .help(format!("write `{selector}` into the same item, beside `podSelector`"));
            name_ends(report, model, &blocked);
        }
    }
}
