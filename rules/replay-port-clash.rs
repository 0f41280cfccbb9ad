use crate::events::Engine;
use crate::facts::aibrix;
use crate::facts::vllm::events;
use crate::fix::{pod, publish};
use crate::lint::prelude::*;

/// The replay port that is suggested is as far away at least, so that ranks may be added.
const ROOM: u32 = 10;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        if publisher.is_unreadable() || publisher.is_switched_off() {
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
        let distance = port.abs_diff(other);
        let (ranks, ranks_at) = publisher.local_ranks().known_at().map_or((1, None), |(ranks, at)| (*ranks, Some(at)));
        let (rows, message) = if distance == 0 {
            (&facts.replay_same_port, format!("events and replay are both on port {port}"))
        } else if u32::from(distance) < ranks {
            let (what, of, first) = if other > port {
                (format!("replay port {other}"), "an event port", port)
            } else {
                (format!("event port {port}"), "a replay port", other)
            };
            let taken = match last_of(first, ranks) {
                Some(last) => format!("{ranks} ranks take {first} to {last}"),
                None => format!("{ranks} ranks take all from {first} on"),
            };
            (&facts.replay_clash, format!("{what} is also {of}: {taken}"))
        } else {
            continue;
        };
        let Some(verdict) = publisher.image.verdict(rows, |effect| effect.is_fatal()) else { continue };
        let mut report = cx.report(replay.port_span(), message).observed(verdict.of_every_release());
        if events.is_default() {
            report = report.note(format!("{port} is the port of the endpoint that vLLM takes by default"));
        } else {
            report = report.related(events.port_span(), "the port of the events");
        }
        if let Some(place) = ranks_at.filter(|_| distance > 0) {
            report = report.related(place, "each rank adds its number to both ports");
        }
        let away = ranks.max(1);
        let such_as = last_of(port, away.max(ROOM) + 1).map_or(String::new(), |free| format!(", such as {free}"));
        let dial = &aibrix::table().dial;
        // The gateway asks for missed events on one port, on which no other engine of the pod may be.
        let other_socket = |listener: &crate::events::BoundPort| listener.contains(dial.replay);
        let free = [publisher.http_listener(), publisher.nixl_port()].iter().flatten().all(|l| !other_socket(l));
        let meant = distance == 0 && port == dial.events && ranks == 1 && free && model.is_for_aibrix(publisher);
        let report = match meant {
            true => report.mend(format!("move replay to port {}", dial.replay), Applicability::Unsafe, |changes| {
                let old = (replay.port_span(), other.to_string());
                publish::rewrite(model, publisher, changes, (old.0, &old.1), &dial.replay.to_string())?;
                pod::list_ports(publisher, changes)
            }),
            false => report,
        };
        report
            .help(format!("choose a replay port at least {away} away{such_as}"))
            .note(publisher.image.evidence("vLLM", &verdict));
    }
}

/// The last of so many ports from the first on, if there are as many.
fn last_of(first: u16, count: u32) -> Option<u16> {
    u16::try_from(u32::from(first).checked_add(count)?.checked_sub(1)?).ok()
}
