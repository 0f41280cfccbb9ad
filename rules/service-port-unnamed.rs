use crate::fix::pod;
use crate::k8s::Service;
use crate::lint::prelude::*;

pub fn check(cx: &mut ResourceContext<'_>) {
    let Some(service) = Service::new(cx.resource) else { return };
    let ports = service.ports();
    if ports.len() < 2 {
        return;
    }
    for port in ports.iter().filter(|port| port.is_unnamed()) {
        let number = port.port.known().map_or(String::new(), |number| format!(" {number}"));
        let place =
            port.node.get("name").or_else(|| port.node.get("port")).map_or_else(|| port.node.grip(), Node::span);
        cx.report(place, format!("the port{number} has no name, and the Service has {} ports", ports.len()))
            .label("without a name")
            .help("add a `name`, such as `http`")
            .mend("name it", Applicability::Safe, |changes| pod::name_ports(&ports, changes, &[]).map(drop))
            .note("the API server refuses the Service, so `kubectl apply` fails");
    }
}
