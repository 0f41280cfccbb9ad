use crate::events::Engine;
use crate::facts::vllm::events;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        if publisher.effective_config().is_none() || publisher.is_switched_off() {
            continue;
        }
        let (Resolved::Known(endpoint, _), Resolved::Known(ranks, place)) =
            (publisher.endpoint(), publisher.local_ranks())
        else {
            continue;
        };
        let binds = endpoint.parsed.as_ref().is_ok_and(|e| e.binds());
        let Some(port) = endpoint.port().filter(|port| *port > 0 && binds && ranks > 1) else { continue };
        let rows = &events::table().data_parallel.port_offset;
        let Some(verdict) = publisher.image.verdict(rows, |effect| effect.is_fatal()) else { continue };
        cx.report(place, format!("{ranks} ranks of one pod all publish on port {port} in this release of vLLM"))
            .observed(verdict.certainty)
            .related(endpoint.port_span(), "the port of every rank")
            .help("run one rank in each pod, or use a release that gives each rank a port of its own")
            .note(publisher.image.evidence("vLLM", &verdict));
    }
}
