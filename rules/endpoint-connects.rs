use std::net::IpAddr;

use crate::events::{Endpoint, Engine, Publisher};
use crate::facts::vllm::events::{self, Setting};
use crate::facts::{kubernetes, sglang};
use crate::fix::publish;
use crate::k8s::Text;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in &model.publishers {
        if publisher.is_unreadable() || publisher.is_switched_off() || publisher.engine() == Engine::Simulator {
            continue;
        }
        let found = match publisher.endpoint() {
            Resolved::Known(setting, _) => match (&setting.parsed, &setting.text) {
                (Ok(endpoint), Some(text)) => named(publisher, endpoint, text),
                _ => None,
            },
            Resolved::Unknown(_) => own_address(publisher),
            Resolved::Absent(_) => None,
        };
        let Some(Found { place, host, port, why, is_certain }) = found else { continue };
        let facts = &events::table().endpoint;
        let rows = if publisher.engine() == Engine::Sglang { &sglang::sglang().any_address } else { &facts.connects };
        let Some(verdict) = publisher.image.verdict(rows, |e| !matches!(e, crate::facts::Effect::Works)) else {
            continue;
        };
        let engine = publisher.engine().name();
        let wildcard = facts.wildcard_hosts.first().map_or("", String::as_str);
        let shown = excerpt(&host);
        let message = match why {
            Why::Listens => format!("{engine} connects to `{shown}` instead of listening there"),
            Why::Dialled => format!("{engine} connects to `{shown}`, while AIBrix's gateway connects to the pod"),
        };
        // SGLang's releases were not all looked at.
        let certainty = match publisher.engine() {
            Engine::Vllm => verdict.of_every_release(),
            _ => verdict.certainty,
        };
        cx.report(place, message)
            .observed(certainty)
            .label("nothing listens in the pod")
            .help(format!(
                "write `{wildcard}` for the host: `{}://{wildcard}:{port}`",
                facts.transports.first().map_or("", String::as_str)
            ))
            .mend(
                format!("write `{wildcard}` for the host"),
                if is_certain { Applicability::Safe } else { Applicability::Unsafe },
                |changes| publish::rewrite(model, publisher, changes, (place, &host), wildcard),
            )
            .note(publisher.image.evidence(engine, &verdict));
    }
}

/// What the author had in mind.
enum Why {
    /// To listen on every address, or on the pod's own.
    Listens,
    /// To send to a subscriber, in a pod whose subscriber comes by itself.
    Dialled,
}

/// An endpoint that connects.
struct Found {
    /// The host's bytes.
    place: Span,
    host: String,
    port: String,
    why: Why,
    /// Whether listening is what was plainly meant.
    is_certain: bool,
}

fn named(publisher: &Publisher<'_>, endpoint: &Endpoint, text: &Text) -> Option<Found> {
    let facts = &events::table().endpoint;
    if !endpoint.is_tcp() || endpoint.binds() {
        return None;
    }
    let host = endpoint.host.as_str();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    let listed = |hosts: &[String]| hosts.iter().any(|h| h == host);
    let loopback = listed(&facts.loopback_hosts) || address.is_some_and(|a| a.is_loopback());
    // A sidecar may listen on the loopback, and a collector on any other address or name, unless it is the gateway
    // that comes to the pod.
    let alone = publisher.pod.containers().filter(|c| !c.init).count() == 1;
    let why = if listed(&facts.lookalike_hosts) {
        Why::Listens
    } else if publisher.engine() == Engine::Sglang {
        return None;
    } else if loopback && (alone || publisher.is_labelled()) {
        Why::Listens
    } else if publisher.is_labelled() {
        Why::Dialled
    } else {
        return None;
    };
    let port = text.value.get(endpoint.port_range.clone()).unwrap_or_default().to_string();
    Some(Found {
        place: text.sub_span(endpoint.host_range.clone()),
        host: host.to_string(),
        port,
        why,
        is_certain: listed(&facts.lookalike_hosts),
    })
}

/// `tcp://$(POD_IP):5557`, where the variable is the pod's own address.
fn own_address(publisher: &Publisher<'_>) -> Option<Found> {
    let text = publisher.written(Setting::Endpoint).filter(|_| publisher.engine() == Engine::Vllm)?;
    let (before, rest) = text.value.split_once("://$(")?;
    let (name, port) = rest.split_once("):")?;
    let field = publisher.container.env(name)?.node.at("valueFrom.fieldRef.fieldPath")?;
    let path = field.text()?;
    kubernetes::table().address_fields.iter().any(|f| f == path).then(|| {
        let start = before.len() + 3;
        let host = format!("$({name})");
        let place = text.sub_span(start..start + host.len());
        Found { place, host, port: port.to_string(), why: Why::Listens, is_certain: true }
    })
}
