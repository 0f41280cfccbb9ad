use crate::k8s::{PodTemplate, Workload};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in &model.publishers {
        let pod = &publisher.pod;
        let (Some(host_network), Some((&replicas, place))) = (pod.host_network(), pod.replicas.known_at()) else {
            continue;
        };
        let Some(workload) = model.workloads.get(publisher.workload) else { continue };
        if publisher.publishing() != Publishing::On || replicas < 2 || one_per_node(workload, pod) {
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
                place,
                format!("the {replicas} replicas share port {numbers} of the host, so each needs a node of its own"),
            )
            .severity(Severity::Info)
            .help("have as many nodes as replicas, or remove `hostNetwork`")
            .note("the scheduler counts listed ports of such a pod as host ports: a second pod on a node stays Pending")
        } else {
            cx.report(
                place,
                format!("{replicas} replicas publish on port {numbers} of the host, and nothing keeps them apart"),
            )
            .help("remove `hostNetwork`, or list the port: the scheduler then keeps two such pods off one node")
            .note("the second engine on a node fails with `Address already in use`")
        };
        report
            .related(host_network.key_span().unwrap_or(host_network.span()), "pods use the network of their node")
            .related(port.span, format!("the event port is {numbers}"));
    }
}

/// Whether something else keeps the pods on different nodes.
fn one_per_node(workload: &Workload<'_>, pod: &PodTemplate<'_>) -> bool {
    let spec_has = |path: &str| pod.spec.and_then(|s| s.at(path)).is_some_and(|n| !n.is_empty());
    workload.resource.kind() == "DaemonSet"
        || spec_has("affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution")
}
