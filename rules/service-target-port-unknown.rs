use crate::edit::Value;
use crate::events::Publisher;
use crate::facts::aibrix;
use crate::fix::pod;
use crate::k8s::{Container, ContainerPort, PodTemplate, ServicePort, TargetPort, Truth};
use crate::lint::prelude::*;
use crate::suggest;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for service in &model.services {
        let selected = model.selected(*service);
        let Some((pod, _)) = selected.iter().find(|(_, truth)| *truth == Truth::Yes) else { continue };
        for port in service.ports() {
            let Resolved::Known(TargetPort::Name(name), span) = &port.target else { continue };
            if selected.iter().any(|(pod, _)| offers(pod, name, &port) != Truth::No) {
                continue;
            }
            let publisher = model.publishers_of(pod).find(|p| p.publishing() == Publishing::On);
            let engine = publisher.and_then(|p| {
                let number = engine_port(p, name)?;
                Some((p, number)).filter(|_| !p.pod_lists(number) && pod.host_network().is_none())
            });
            // A port that the gateway dials has to be listed anyway, which event-port-not-exposed says.
            let dial = &aibrix::table().dial;
            let dialled = |number: u16| [dial.events, dial.replay].contains(&number);
            if engine.is_some_and(|(publisher, number)| model.is_for_aibrix(publisher) && dialled(number)) {
                continue;
            }
            let report = cx.report(*span, format!("no container of the selected pods has a port named `{name}`"));
            let named = pod.containers().flat_map(Container::ports);
            let names: Vec<Node<'_>> = named.filter_map(|p| p.name).collect();
            let place = pod
                .containers()
                .find(|c| !c.init)
                .map_or(pod.labels_place, |c| c.ports_node().and_then(Node::key_span).unwrap_or_else(|| c.grip()));
            let listed: Vec<&str> = names.iter().filter_map(|n| n.text()).collect();
            let report = match listed.as_slice() {
                [] => report.help(format!("write the number, or name a containerPort `{name}`")),
                _ => report.help(format!("name one of `{}`, or write the number", listed.join("`, `"))),
            };
            let other = names.iter().find(|n| n.text() == Some(name.as_str()));
            let report = match other {
                Some(n) => report.related(n.span(), format!("the port of this name is not {}", port.protocol)),
                None => report.related(place, format!("{} is selected", pod.title())),
            };
            let report = match (engine, meant(pod, name, &port, &listed), port.node.get("targetPort")) {
                (Some((publisher, number)), ..) => {
                    report.mend(format!("list the port as `{name}`"), Applicability::Safe, |changes| {
                        pod::list_port(publisher, changes, number, name)
                    })
                }
                (None, Some((value, applicability)), Some(target)) => {
                    report.mend("write what the pods have", applicability, |changes| changes.replace(target, value))
                }
                _ => report,
            };
            report.note("the Service has no endpoint for this port, and connections to it are refused");
        }
    }
}

/// What a name was meant to be: the number that it spells, the container's port of the same number, or a name like it.
fn meant(pod: &PodTemplate<'_>, name: &str, port: &ServicePort<'_>, listed: &[&str]) -> Option<(Value, Applicability)> {
    if let Ok(number) = name.parse::<u16>() {
        return Some((Value::from(number), Applicability::Safe));
    }
    let same = |p: &ContainerPort<'_>| p.number.known().is_some_and(|n| port.port.known() == Some(n));
    let ports = pod.containers().flat_map(Container::ports);
    let found = ports.filter(|p| same(p) && p.protocol == port.protocol).find_map(|p| p.name?.as_str());
    if let Some(found) = found {
        return Some((Value::from(found), Applicability::Safe));
    }
    let near = suggest::nearest(name, listed.iter().copied()).filter(|near| *near != name)?;
    Some((Value::from(near), Applicability::Unsafe))
}

/// The port of an engine that has this name in AIBrix's documents.
fn engine_port(publisher: &Publisher<'_>, name: &str) -> Option<u16> {
    let names = &aibrix::table().documented.port_names;
    let port = match name {
        _ if name == names.events => publisher.event_port(),
        _ if name == names.replay => publisher.replay_port(),
        _ => return None,
    };
    port.known().map(|port| port.first)
}

/// Whether a pod has a port of this name and protocol, as the endpoints controller looks for it.
fn offers(pod: &PodTemplate<'_>, name: &str, port: &ServicePort<'_>) -> Truth {
    let fits = |p: &ContainerPort<'_>| p.name.and_then(Node::text) == Some(name) && p.protocol == port.protocol;
    match pod.containers().flat_map(Container::ports).any(|p| fits(&p)) {
        true => Truth::Yes,
        false if pod.has_open_port_names() => Truth::Unknown,
        false => Truth::No,
    }
}
