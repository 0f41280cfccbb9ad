use crate::events::{Gateway, HttpUrl};
use crate::facts::aibrix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let label = &aibrix::table().labels.enabled;
    // With several gateways it is not known which one serves a pod.
    let [gateway] = model.gateways.as_slice() else { return };
    let (Some(_), Some((port, template))) = (gateway.syncing(), dialled(gateway)) else { return };
    for publisher in &model.publishers {
        let asked = label.value.as_deref().is_some_and(|v| publisher.pod.labels.equals(&label.key, v) == Some(true));
        let Resolved::Known(own, span) = publisher.http_port() else { continue };
        if !asked || publisher.publishing() != Publishing::On || own == port {
            continue;
        }
        let variable = aibrix::variable("tokenizer_endpoint_template");
        let name = gateway.name_of(variable);
        let report = cx.report(span, format!("the engine answers on port {own}, and the gateway tokenises on {port}"));
        let report = report.observed(Certainty::Certain).related(template, format!("`{name}` leads to port {port}"));
        let report = report.help(format!("serve on port {port}, or set `{name}` to `http://%s:{own}`"));
        if let Some(wrong) = &variable.when_wrong {
            report.note(wrong.note.clone());
        }
    }
}

/// The port of the template, and the place that decides it.
fn dialled(gateway: &Gateway<'_>) -> Option<(u16, Span)> {
    let variable = aibrix::variable("tokenizer_endpoint_template");
    let port = |text: &str| HttpUrl::parse(&text.replacen("%s", "0.0.0.0", 1)).ok().map(|url| url.port);
    match gateway.setting(variable) {
        Resolved::Known(text, span) => port(&text.value).map(|port| (port, span)),
        Resolved::Absent(place) => variable.default.as_deref().and_then(port).map(|port| (port, place)),
        Resolved::Unknown(_) => None,
    }
}
