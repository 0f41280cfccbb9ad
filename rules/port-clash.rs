use crate::events::{BoundPort, PortUse, Publisher};
use crate::facts::aibrix;
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::{self, EnvRole};
use crate::k8s::Container;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for (index, publisher) in model.publishers.iter().enumerate() {
        let bound = sockets(publisher);
        for port in &bound {
            clash_inside(cx, publisher, port);
        }
        for container in publisher.pod.containers() {
            if container.node == publisher.container.node || !container.runs_beside() {
                continue;
            }
            // Of two engines in a pod the later is reported, and the earlier is the other place.
            let other = model.publishers.iter().position(|p| p.container.node == container.node);
            let theirs = other.map(|i| sockets(&model.publishers[i])).unwrap_or_default();
            for port in &bound {
                if let Some((theirs, number)) = theirs.iter().find_map(|p| Some((p, port.meets(p)?))) {
                    if other.is_some_and(|i| i < index) {
                        clash_with_engine(cx, port, theirs, number, container);
                    }
                } else {
                    clash_with_listed(cx, port, container);
                }
            }
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

fn clash_with_listed(cx: &mut UnitContext<'_>, port: &BoundPort, container: Container<'_>) {
    for listed in container.ports().iter().filter(|p| p.is_tcp()) {
        let Some((&number, span)) = listed.number.known_at() else { continue };
        if !port.contains(number) {
            continue;
        }
        cx.report(port.span, format!("{} a port of container `{}`", taken(port), container.name()))
        .severity(Severity::Warning)
        .label(format!("port {number} is listed by another container"))
        .related(span, format!("container `{}` lists it", container.name()))
        .help("containers of a pod share one network: list the port on the engine, or give one of them another number")
        .note("if both listen, the second socket fails with `Address already in use`");
    }
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
