use crate::events::{EndpointSetting, Engine, Publisher, ValueKind};
use crate::facts::EffectRow;
use crate::facts::vllm::cli::Role;
use crate::facts::vllm::events::{self, Setting};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        if publisher.is_unreadable() || publisher.is_switched_off() {
            continue;
        }
        for setting in [Setting::Endpoint, Setting::ReplayEndpoint] {
            // Another type is another rule's finding.
            let is_text = publisher.setting(setting).known().is_some_and(|v| v.kind == ValueKind::String);
            let endpoint = match setting {
                Setting::Endpoint => publisher.endpoint(),
                _ => publisher.replay_endpoint(),
            };
            if let Some(endpoint) = endpoint.known().filter(|_| is_text) {
                judge(cx, publisher, setting, endpoint);
            }
        }
    }
}

fn judge(cx: &mut UnitContext<'_>, publisher: &Publisher<'_>, setting: Setting, endpoint: &EndpointSetting) {
    let Some(text) = &endpoint.text else { return };
    let facts = &events::table().endpoint;
    let key = setting.key();
    let whole = text.span();
    let (place, rows, what): (Span, &[EffectRow], String) = match &endpoint.parsed {
        // No replay at all, which is the default.
        Err(_) if text.value.is_empty() && setting == Setting::ReplayEndpoint => return,
        Err(error) => {
            let place = if error.range.is_empty() { whole } else { text.sub_span(error.range.clone()) };
            (place, &facts.malformed, format!("the {} {}", noun(setting), error.reason))
        }
        Ok(parsed) => {
            let host = text.sub_span(parsed.host_range.clone());
            let ranks = publisher.local_ranks().known().copied().unwrap_or(1);
            if parsed.is_tcp() && parsed.host.contains(':') && parsed.binds() && setting == Setting::Endpoint {
                let what = format!("the {} has an IPv6 address, on which vLLM can't listen", noun(setting));
                (host, &facts.ipv6_literal, what)
            } else if parsed.is_tcp() && parsed.port == Some(0) {
                let what = format!("the {} leaves the port to chance", noun(setting));
                (endpoint.port_span(), &facts.port_zero, what)
            } else if let Some((rank, number)) = publisher.rank_without_port(endpoint).filter(|_| parsed.is_tcp()) {
                let what =
                    format!("rank {rank} adds its number to the port of the {}: {number} is no port", noun(setting));
                return beyond(cx, publisher, endpoint, what);
            } else if !parsed.is_tcp() && ranks > 1 && setting == Setting::Endpoint {
                let what = format!("{ranks} ranks of one pod can't share the endpoint `{key}`");
                (whole, &events::table().data_parallel.ipc_with_rank, what)
            } else {
                return;
            }
        }
    };
    let Some(verdict) = publisher.image.verdict(rows, |_| true) else { return };
    let severity = if verdict.is_fatal() { Severity::Error } else { Severity::Warning };
    let wildcard = facts.wildcard_hosts.first().map_or("", String::as_str);
    let transport = facts.transports.first().map_or("", String::as_str);
    cx.report(place, what)
        .severity(severity)
        .observed(verdict.of_every_release())
        .help(format!("write `{transport}://{wildcard}:PORT`, which listens on every address of the pod"))
        .note(publisher.image.evidence("vLLM", &verdict));
}

/// The port is good for the first ranks of the pod, and not for the last.
fn beyond(cx: &mut UnitContext<'_>, publisher: &Publisher<'_>, endpoint: &EndpointSetting, what: String) {
    let table = events::table();
    let Some(verdict) = publisher.image.verdict(&table.endpoint.malformed, |effect| effect.is_fatal()) else { return };
    let mut report = cx.report(endpoint.port_span(), what).observed(verdict.of_every_release());
    let sizes = [Role::DataParallelSizeLocal, Role::DataParallelSize, Role::DataParallelRank];
    for flag in sizes.into_iter().filter_map(|role| publisher.uses(role).last()) {
        report = report.related(flag.span, "this says which ranks run in the pod");
    }
    report
        .label(format!("the last port there is has the number {}", u16::MAX))
        .help("write a port that is as far below it as there are ranks")
        .note(publisher.image.evidence("vLLM", &verdict));
}

fn noun(setting: Setting) -> &'static str {
    if setting == Setting::ReplayEndpoint { "replay endpoint" } else { "endpoint" }
}
