use crate::facts::kubernetes;
use crate::k8s::{Container, PodTemplate, ServicePort, TargetPort, Truth};
use crate::lint::prelude::*;

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
            report.note("the Service has no endpoint for this port, and connections to it are refused");
        }
    }
}

/// Whether a pod has a port of this name and protocol, as the endpoints controller looks for it.
fn offers(pod: &PodTemplate<'_>, name: &str, port: &ServicePort<'_>) -> Truth {
    // The controllers of custom kinds add containers and ports.
    if !kubernetes::keeps_containers(pod.resource.group(), pod.resource.kind()) {
        return Truth::Unknown;
    }
    let mut open = pod.containers().next().is_none();
    for container in pod.containers() {
        // Without an image it is a patch of a container that is written elsewhere.
        open |= container.image().is_none();
        open |= container.node.get("ports").is_some_and(|n| !n.is_sequence() && !n.is_null());
        for listed in container.ports() {
            let Some(node) = listed.name else { continue };
            if node.is_templated() {
                open = true;
            } else if node.text() == Some(name) && listed.protocol == port.protocol {
                return Truth::Yes;
            }
        }
    }
    if open { Truth::Unknown } else { Truth::No }
}
