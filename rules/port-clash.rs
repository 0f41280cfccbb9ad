use std::collections::HashMap;

use crate::events::{BoundPort, Company, PortUse, Publisher};
use crate::facts::aibrix;
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::{self, EnvRole};
use crate::k8s::{Container, ContainerPort, PodTemplate};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for (_, pod) in model.pods() {
        let engines: Vec<(&Publisher<'_>, Vec<BoundPort>)> =
            model.publishers_of(pod).map(|publisher| (publisher, sockets(publisher))).collect();
        if engines.iter().all(|(_, bound)| bound.is_empty()) {
            continue;
        }
        let neighbours = neighbours(pod, &engines);
        for (index, (publisher, bound)) in engines.iter().enumerate() {
            for port in bound {
                clash_inside(cx, publisher, port);
                clash_beside(cx, port, index, &engines);
                clash_outside(cx, port, index, &engines, &neighbours);
            }
        }
    }
}

/// A container that runs beside the engines of its pod, or is one of them.
struct Neighbour<'t> {
    container: Container<'t>,
    /// Which of the engines it is.
    engine: Option<usize>,
    /// The TCP ports that it lists.
    listed: Vec<(u16, Span)>,
}

fn neighbours<'t>(pod: &PodTemplate<'t>, engines: &[(&Publisher<'t>, Vec<BoundPort>)]) -> Vec<Neighbour<'t>> {
    let mut by_node = HashMap::new();
    for (index, (publisher, _)) in engines.iter().enumerate() {
        by_node.entry(publisher.container.node.id()).or_insert(index);
    }
    let number = |port: ContainerPort<'_>| port.number.known_at().map(|(&number, span)| (number, span));
    let neighbour = |container: Container<'t>| Neighbour {
        container,
        engine: by_node.get(&container.node.id()).copied(),
        listed: container.ports().into_iter().filter(|p| p.is_tcp()).filter_map(number).collect(),
    };
    pod.containers().filter(|container| container.runs_beside()).map(neighbour).collect()
}

/// Other containers that listen on a port of an engine, or list it. Of each kind one is told: a pod of many engines that all want one port has
/// as many findings as engines, and not as many as there are pairs.
fn clash_outside(
    cx: &mut UnitContext<'_>,
    port: &BoundPort,
    index: usize,
    engines: &[(&Publisher<'_>, Vec<BoundPort>)],
    neighbours: &[Neighbour<'_>],
) {
    let own = engines[index].0.container.node;
    let (mut told_of_engine, mut told_of_list) = (false, false);
    for other in neighbours.iter().filter(|other| other.container.node != own) {
        if told_of_engine && told_of_list {
            return;
        }
        let theirs = other.engine.map_or(&[][..], |engine| &engines[engine].1);
        if let Some((theirs, number)) = theirs.iter().find_map(|p| Some((p, port.meets(p)?))) {
            // Of two engines in a pod the later is reported, and the earlier is the other place.
            if !told_of_engine && other.engine.is_some_and(|engine| engine < index) {
                clash_with_engine(cx, port, theirs, number, other.container);
                told_of_engine = true;
            }
        } else if !told_of_list {
            told_of_list = clash_with_listed(cx, port, other);
        }
    }
}

/// The sockets that an engine binds for events.
fn sockets(publisher: &Publisher<'_>) -> Vec<BoundPort> {
    if publisher.publishing() != Publishing::On {
        return Vec::new();
    }
    let events = publisher.event_port().known().copied().filter(|_| publisher.binds_events());
    events.into_iter().chain(publisher.replay_port().known().copied()).collect()
}

/// The other listeners of the same process.
fn clash_inside(cx: &mut UnitContext<'_>, publisher: &Publisher<'_>, port: &BoundPort) {
    for other in [publisher.http_listener(), publisher.nixl_port()].into_iter().flatten() {
        let Some(number) = port.meets(&other) else { continue };
        let theirs = other.what.name();
        let by_default = other.is_default;
        let report = cx
            .report(port.span, format!("{} the {theirs} of this engine", taken(port)))
            .label(format!("port {number} is taken"))
            .related(
                other.span,
                format!("the {theirs} is {}{}", other.numbers(), if by_default { " by default" } else { "" }),
            )
            .help(who_moves(port, &other))
            .note("the second of the two sockets fails with `Address already in use`");
        if by_default && other.what == PortUse::NixlSideChannel {
            let certainty = publisher.image.certainty;
            report.note(format!("the default is that of {}", publisher.image.describe("vLLM"))).observed(certainty);
        }
    }
}

/// An engine that the same script runs at the same time. The later of the two is reported.
fn clash_beside(
    cx: &mut UnitContext<'_>,
    port: &BoundPort,
    index: usize,
    engines: &[(&Publisher<'_>, Vec<BoundPort>)],
) {
    let publisher = engines[index].0;
    let Company::Abreast(others) = &publisher.command.company else { return };
    let beside = |other: &Publisher<'_>| other.shares_container(publisher) && others.contains(&other.command.grip);
    let mut earlier = engines[..index].iter().filter(|(other, _)| beside(other)).flat_map(|(_, bound)| bound);
    let Some((theirs, number)) = earlier.find_map(|theirs| Some((theirs, port.meets(theirs)?))) else { return };
    cx.report(port.span, format!("{} the {} of another engine of this script", taken(port), theirs.what.name()))
        .label(format!("port {number} is taken"))
        .related(theirs.span, "the other listens on it, and may run at the same time")
        .help("give each engine ports of its own, or a pod of its own")
        .note("the second of the two sockets fails with `Address already in use`");
}

fn clash_with_engine(
    cx: &mut UnitContext<'_>,
    port: &BoundPort,
    theirs: &BoundPort,
    number: u16,
    container: Container<'_>,
) {
    let message = format!("{} the {} of container `{}`", taken(port), theirs.what.name(), container.name());
    cx.report(port.span, message)
        .label(format!("port {number} is taken"))
        .related(theirs.span, format!("container `{}` listens on it too", container.name()))
        .help("containers of a pod share one network: give each engine ports of its own, or a pod of its own")
        .note("the second of the two sockets fails with `Address already in use`");
}

fn clash_with_listed(cx: &mut UnitContext<'_>, port: &BoundPort, other: &Neighbour<'_>) -> bool {
    let Some(&(number, span)) = other.listed.iter().find(|(number, _)| port.contains(*number)) else { return false };
    let name = other.container.name();
    cx.report(port.span, format!("{} a port of container `{name}`", taken(port)))
        .severity(Severity::Warning)
        .label(format!("port {number} is listed by another container"))
        .related(span, format!("container `{name}` lists it"))
        .help("containers of a pod share one network: list the port on the engine, or give one of them another number")
        .note("if both listen, the second socket fails with `Address already in use`");
    true
}

/// The start of a message: `the event port 5557 is also`.
fn taken(port: &BoundPort) -> String {
    format!("{} {}", port.title(), if port.first == port.last { "is also" } else { "include" })
}

/// What to do: the gateway's numbers are fixed, so what stands on them by right stays.
fn who_moves(port: &BoundPort, other: &BoundPort) -> String {
    let dial = &aibrix::table().dial;
    let right = match port.what {
        PortUse::Replay => dial.replay,
        _ => dial.events,
    };
    let name = match other.what {
        PortUse::NixlSideChannel => format!("`{}`", vllm::env_for(EnvRole::NixlPort).name),
        _ => format!("`{}`", cli::flag_for(Role::Port).name),
    };
    if port.first == right {
        format!("set {name} to another number: AIBrix's gateway dials {right} for this and nothing else")
    } else {
        format!("write port {right}, which AIBrix's gateway dials, or set {name} to another number")
    }
}
