use crate::edit::{Changes, Refusal};
use crate::events::policies::words;
use crate::events::{BoundPort, Model, PortUse, Publisher};
use crate::facts::aibrix;
use crate::fix::{pod, publish};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let dial = &aibrix::table().dial;
    for publisher in &model.publishers {
        if publisher.publishing() != Publishing::On || !model.is_for_aibrix(publisher) {
            continue;
        }
        let ports = [
            (publisher.event_port(), dial.events, Severity::Error, "events are published on", "dials"),
            (publisher.replay_port(), dial.replay, Severity::Warning, "missed events are served on", "asks on"),
        ];
        let events = ports[0].0.known().map(|port| port.first);
        let wrong: Vec<(BoundPort, u16)> = ports
            .iter()
            .filter_map(|(port, dialled, ..)| Some((*port.known()?, *dialled)))
            .filter(|(port, dialled)| port.first != *dialled)
            .collect();
        for (port, dialled, severity, served, dials) in ports {
            let Some(port) = port.known() else { continue };
            // Both on one port is replay-port-clash's to say.
            if port.what == PortUse::Replay && events == Some(port.first) {
                continue;
            }
            // The port of a named host is that host's, and endpoint-connects is about it.
            if port.what == PortUse::Events && !publisher.means_to_listen() {
                continue;
            }
            if port.first == dialled {
                continue;
            }
            let rank = port.first - port.written;
            let report = cx
                .report(port.span, format!("{served} port {}, and the gateway {dials} port {dialled}", port.first))
                .severity(severity)
                .label(if rank == 0 {
                    "nobody connects here".to_string()
                } else {
                    format!("rank {rank} adds its number to this port")
                })
                .note(match severity {
                    Severity::Error => {
                        format!("the gateway connects to port {dialled} of every pod; no variable changes that")
                    }
                    _ => aibrix::table().replay_failure.note.clone().unwrap_or_default(),
                });
            let report = match (rank, publisher.first_rank().known_at()) {
                (1.., Some((_, span))) => report.related(span, format!("the pod's first rank is {rank}")),
                _ => report,
            };
            // Both at once, so that they never meet on one number.
            let title =
                format!("move what is elsewhere to {}", words::ports(&wrong.iter().map(|w| w.1).collect::<Vec<_>>()));
            let report = report.mend(title, Applicability::Unsafe, |changes| {
                wrong.iter().try_for_each(|(port, dialled)| move_to(model, publisher, changes, port, *dialled))
            });
            match dialled.checked_sub(rank) {
                Some(right) if rank > 0 => {
                    report.help(format!("write port {right}, so that rank {rank} listens on {dialled}"));
                }
                _ => {
                    report.help(format!("write port {dialled}"));
                }
            }
        }
    }
}

/// Has the engine listen where the gateway dials, and the lists of ports say so.
fn move_to<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    changes: &mut Changes<'t>,
    port: &BoundPort,
    dialled: u16,
) -> Result<(), Refusal> {
    if port.is_default {
        return Err(Refusal::at(port.span, "the port is the engine's default"));
    }
    let rank = port.first - port.written;
    let right = dialled.checked_sub(rank).unwrap_or(dialled).to_string();
    publish::rewrite(model, publisher, changes, (port.span, &port.written.to_string()), &right)?;
    pod::move_port(model, publisher, changes, (port.first, dialled))
}
