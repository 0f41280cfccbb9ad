use crate::events::policies::{self, words};
use crate::events::ports::PortUse;
use crate::facts::{aibrix, kubernetes};
use crate::k8s::Truth;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let table = aibrix::table();
    // Policies of their own choice: who writes none for anything does not miss one here.
    let mut spaces: Vec<(Option<&str>, Vec<policies::Needed<'_, '_>>)> = Vec::new();
    for needed in policies::all_needed(model) {
        let open = |v: &crate::k8s::reach::Verdict| v.ingress.truth == Truth::Yes && v.ingress.policies.is_empty();
        let on_host = needed.publisher.pod.host_network().is_some();
        let meant = || model.reach.policies.iter().any(|p| policies::selects_as_meant(model, p, needed.publisher));
        if needed.port.what != PortUse::Events || on_host || !needed.verdicts.iter().all(open) || meant() {
            continue;
        }
        let engine = model.reach.endpoint_of(&needed.publisher.pod);
        let space = engine.and_then(|id| model.reach.namespace_of_endpoint(id));
        match spaces.iter_mut().find(|(name, _)| *name == space) {
            Some((_, engines)) => engines.push(needed),
            None => spaces.push((space, vec![needed])),
        }
    }
    for (space, mut engines) in spaces {
        // Two gateways need the same port.
        engines.dedup_by_key(|n| n.publisher.container.grip());
        let serving = serving(&engines);
        let Some((first, rest)) = engines.split_first() else { continue };
        let title = policies::engine_title(model, first.publisher);
        let message = match rest.len() {
            0 => format!("every pod of the cluster can connect to the event port of `{title}`"),
            more => format!("every pod of the cluster can connect to the event ports of `{title}` and {more} more"),
        };
        let mut report = cx.report(first.span, message).label("no policy selects this pod for ingress");
        for needed in rest.iter().take(NAMED) {
            let title = policies::engine_title(model, needed.publisher);
            report = report.related(needed.span, format!("`{title}` is as open"));
        }
        let gateway = words::namespace_peer(first.subscriber.namespace(model).unwrap_or_default());
        let events = words::port_items(&[table.dial.events, table.dial.replay]);
        let http = words::port_items(&serving);
        let place = space.map_or(String::new(), |name| format!(", namespace: {name}"));
        let label = &table.labels.enabled;
        let value = label.value.as_deref().unwrap_or_default();
        report
            .help(format!(
                "add {{apiVersion: {}/v1, kind: NetworkPolicy, metadata: {{name: allow-kv-events{place}}}, \
                 spec: {{podSelector: {{matchLabels: {{{}: \"{value}\"}}}}, policyTypes: [Ingress], ingress: [{{from: \
                 [{gateway}], ports: [{events}]}}, {{ports: [{http}]}}]}}}}",
                kubernetes::table().network_policy_group, label.key
            ))
            .note("the events tell which blocks of tokens are cached; other policies of these manifests leave the port open");
    }
}

/// The ports of the engines that are for others than the gateway's part that listens to events.
fn serving(engines: &[policies::Needed<'_, '_>]) -> Vec<u16> {
    let table = aibrix::table();
    let mut ports: Vec<u16> = Vec::new();
    for needed in engines {
        let pod = &needed.publisher.pod;
        let listed = pod.containers().flat_map(|c| c.listed_ports()).filter(|port| port.is_tcp());
        ports.extend(listed.filter_map(|port| port.number.known().copied()));
        ports.extend(needed.publisher.http_port().known().copied());
    }
    ports.retain(|port| ![table.dial.events, table.dial.replay].contains(port));
    ports.sort_unstable();
    ports.dedup();
    ports
}
