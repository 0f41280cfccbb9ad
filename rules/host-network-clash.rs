use crate::k8s::PodTemplate;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.engines() {
        let pod = &publisher.pod;
        // The number of pods of a DaemonSet stands nowhere, so that it is not known.
        let (Some(host_network), Some((&replicas, replicas_at))) = (pod.host_network(), pod.replicas.known_at()) else {
            continue;
        };
        if publisher.publishing() != Publishing::On || replicas < 2 || is_one_per_node(pod) {
            continue;
        }
        let Some(port) = publisher.event_port().known().copied() else { continue };
        if !publisher.binds_events() {
            continue;
        }
        // With hostNetwork every listed port becomes a host port, and the scheduler gives a host port to one pod of a node.
        let listed = pod.containers().any(|c| !c.ports().is_empty());
        let numbers = port.numbers();
        let report = if listed {
            cx.report(
                host_network.span(),
                format!("the {replicas} replicas share port {numbers} of the host, so each needs a node of its own"),
            )
            .severity(Severity::Info)
            .help("have as many nodes as replicas, or remove `hostNetwork`")
            .note("the scheduler counts listed ports of such a pod as host ports: a second pod on a node stays Pending")
        } else {
            cx.report(
                host_network.span(),
                format!("{replicas} replicas publish on port {numbers} of the host, and nothing keeps them apart"),
            )
            .help("remove `hostNetwork`, or list the port: the scheduler then keeps two such pods off one node")
            .note("the second engine on a node fails with `Address already in use`")
        };
        report
            .label("pods use the network of their node")
            .related(replicas_at, format!("{replicas} replicas"))
            .related(port.span, format!("the event port is {numbers}"));
    }
}

/// Whether something else keeps the pods on different nodes.
fn is_one_per_node(pod: &PodTemplate<'_>) -> bool {
    let path = "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    pod.spec.and_then(|spec| spec.at(path)).is_some_and(|terms| !terms.is_empty())
}
