use crate::events::Engine;
use crate::facts::vllm::cli::Role;
use crate::facts::vllm::events;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let unreadable = publisher.effective_config().is_some_and(|c| c.error.is_some());
        if unreadable || publisher.is_switched_off() {
            continue;
        }
        let (Resolved::Known(events, _), Resolved::Known(replay, _)) =
            (publisher.endpoint(), publisher.replay_endpoint())
        else {
            continue;
        };
        let (Some(port), Some(other)) = (events.port(), replay.port()) else { continue };
        // What connects takes no port, and 0 is a port of its own each time.
        if port == 0 || !events.parsed.as_ref().is_ok_and(|e| e.binds()) {
            continue;
        }
        let facts = &events::table().data_parallel;
        let distance = u32::from(port.abs_diff(other));
        let ranks = publisher.local_ranks();
        let (rows, message) = match ranks.known() {
            _ if distance == 0 => (&facts.replay_same_port, format!("events and replay are both on port {port}")),
            Some(ranks) if distance < *ranks => {
                let (last, first) = (u32::from(port) + ranks - 1, port);
                let message = if other > port {
                    format!("replay port {other} is also an event port: {ranks} ranks take {first} to {last}")
                } else {
                    let last = u32::from(other) + ranks - 1;
                    format!("event port {port} is also a replay port: {ranks} ranks take {other} to {last}")
                };
                (&facts.replay_clash, message)
            }
            _ => continue,
        };
        let Some(verdict) = publisher.image.verdict(rows, |effect| effect.is_fatal()) else { continue };
        let mut report = cx.report(replay.port_span(), message).observed(verdict.of_every_release());
        if events.is_default() {
            report = report.note(format!("{port} is the port of the endpoint that vLLM takes by default"));
        } else {
            report = report.related(events.port_span(), "the port of the events");
        }
        let size = [Role::DataParallelSizeLocal, Role::DataParallelSize].map(|role| publisher.uses(role).last());
        if let Some(flag) = size.into_iter().flatten().next().filter(|_| distance > 0) {
            report = report.related(flag.span, "each rank adds its number to both ports");
        }
        let away = ranks.known().copied().unwrap_or(1).max(1);
        report
            .help(format!("choose a replay port at least {away} away, such as {}", u32::from(port) + away.max(10)))
            .note(publisher.image.evidence("vLLM", &verdict));
    }
}
