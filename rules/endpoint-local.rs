use std::net::IpAddr;

use crate::events::{EndpointSetting, Engine, Model, Publisher};
use crate::facts::aibrix;
use crate::facts::vllm::events::{self, Setting};
use crate::fix::{engine, pod, publish};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let labelled = |p: &&Publisher<'_>| p.engine() != Engine::Simulator && p.is_labelled() && !p.is_switched_off();
    for publisher in model.publishers.iter().filter(labelled) {
        if let Resolved::Known(endpoint, _) = publisher.endpoint() {
            judge(cx, model, publisher, Setting::Endpoint, endpoint);
        }
        if let Resolved::Known(endpoint, _) = publisher.replay_endpoint() {
            judge(cx, model, publisher, Setting::ReplayEndpoint, endpoint);
        }
    }
}

fn judge(
    cx: &mut UnitContext<'_>,
    model: &Model<'_>,
    publisher: &Publisher<'_>,
    setting: Setting,
    endpoint: &EndpointSetting,
) {
    let (Ok(parsed), Some(text)) = (&endpoint.parsed, &endpoint.text) else { return };
    let facts = &events::table().endpoint;
    let dial = &aibrix::table().dial;
    let is_replay = setting == Setting::ReplayEndpoint;
    let loopback = || {
        let listed = facts.loopback_hosts.contains(&parsed.host);
        listed || parsed.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    let (part, what) = if parsed.transport != dial.transport {
        (0..parsed.transport.len(), format!("`{}` stays inside the pod", parsed.transport))
    } else if is_replay && loopback() {
        // Events on such a host connect, which is another rule's finding.
        (parsed.host_range.clone(), "this address stays inside the pod".to_string())
    } else {
        return;
    };
    let label = &aibrix::table().labels.enabled.key;
    let port = if is_replay { dial.replay } else { dial.events };
    let names = &aibrix::table().documented.port_names;
    let name = if is_replay { &names.replay } else { &names.events };
    let right = engine::endpoint(port);
    let report = cx
        .report(text.sub_span(part), format!("AIBrix's gateway can't reach `{}`: {what}", setting.key()))
        .severity(if is_replay { Severity::Warning } else { Severity::Error })
        .help(format!("write `{right}`"))
        .mend(format!("write `{right}`"), Applicability::Unsafe, |changes| {
            publish::rewrite_part(model, publisher, changes, (text, 0..text.value.len()), &right)?;
            if publisher.pod_lists(port) { Ok(()) } else { pod::list_port(publisher, changes, port, name) }
        })
        .note(format!("the gateway connects to the pod's address with {}", dial.transport));
    if let Some(entry) = publisher.pod.labels.entry(label) {
        report.related(entry.key.span(), "the gateway subscribes to this pod");
    }
}
