use crate::events::{Gateway, HttpUrl};
use crate::facts::aibrix;
use crate::k8s::{ClusterHost, Text};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let variable = aibrix::variable("tokenizer_endpoint");
    let model = cx.model;
    for gateway in &model.gateways {
        let setting = gateway.setting(variable);
        match (gateway.sync(), &setting) {
            (Resolved::Known(true, sync), Resolved::Absent(place)) if gateway.misnamed(variable).is_none() => {
                missing(cx, gateway, sync, *place, "is not set");
            }
            (Resolved::Known(true, sync), Resolved::Known(text, span)) if text.value.is_empty() => {
                missing(cx, gateway, sync, *span, "is empty");
            }
            // Without synchronisation the endpoint is not looked at.
            (Resolved::Known(true, _) | Resolved::Unknown(_), Resolved::Known(text, _)) => written(cx, gateway, text),
            _ => {}
        }
    }
}

fn missing(cx: &mut UnitContext<'_>, gateway: &Gateway<'_>, sync: Span, span: Span, what: &str) {
    let variable = aibrix::variable("tokenizer_endpoint");
    let name = gateway.name_of(variable);
    let report = cx.report(span, format!("synchronisation is on, and `{name}` {what}"));
    let report = report.related(sync, "synchronisation is switched on here");
    let port = aibrix::table().tokenizer_port.port;
    let report =
        report.help(format!("set it to the address of a model's Service, such as `http://my-model.default:{port}`"));
    if let Some(wrong) = &variable.when_wrong {
        report.note(wrong.note.clone());
    }
}

fn written(cx: &mut UnitContext<'_>, gateway: &Gateway<'_>, text: &Text) {
    let url = match HttpUrl::parse(&text.value) {
        Ok(url) => url,
        Err(bad) => {
            cx.report(text.sub_span(bad.range), format!("the tokenizer's endpoint {}", bad.reason))
                .severity(Severity::Warning)
                .help("write it as `http://SERVICE.NAMESPACE:PORT`")
                .note(format!("releases up to {} only ask whether it is empty", aibrix::table().newest));
            return;
        }
    };
    let model = cx.model;
    let Some(host) = ClusterHost::parse(&url.host).filter(|_| cx.unit.is_complete()) else { return };
    let Some(namespace) = host.namespace.or(gateway.pod.resource.namespace()) else { return };
    let Some(service) = model.service(host.name, Some(namespace)) else {
        // A Service of this name in another namespace is the one that was meant.
        let elsewhere = model.service(host.name, None);
        let expected = elsewhere.is_some() || model.describes_namespace(namespace);
        if !expected || model.may_be_made(host.name, Some(namespace)) {
            return;
        }
        let message = format!("there is no Service `{}` in the namespace `{namespace}`", host.name);
        let report = cx.report(text.sub_span(url.host_range), message).severity(Severity::Warning);
        let report =
            report.label("the tokenizer's endpoint").help("name a Service of a model that the gateway can reach");
        let report =
            report.note("nothing dials the endpoint in the releases that are known, so that the mistake stays hidden");
        if let Some(other) = elsewhere {
            report.related(other.resource.grip(), "the Service of this name is in another namespace");
        }
        return;
    };
    let ports = service.ports();
    if ports.is_empty() || ports.iter().any(|p| p.port.known().is_none_or(|port| *port == url.port)) {
        return;
    }
    let listed: Vec<String> = ports.iter().filter_map(|p| p.port.known()).map(u16::to_string).collect();
    cx.report(text.sub_span(url.port_range), format!("the Service `{}` has no port {}", host.name, url.port))
        .severity(Severity::Warning)
        .related(service.ports_place(), format!("{} has {}", service.resource.title(), listed.join(", ")))
        .help(format!("use a port of the Service: {}", listed.join(", ")))
        .note("nothing dials the endpoint in the releases that are known, so that the mistake stays hidden");
}
