use crate::facts::aibrix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let variable = aibrix::variable("kv_event_sync");
    for gateway in model.gateways.iter().filter(|g| !g.can_sync()) {
        let Some(release) = &gateway.image.release else { continue };
        let asked = variable.names.iter().find_map(|n| gateway.container.env(&n.name)).filter(|var| {
            var.value
                .known()
                .is_some_and(|text| aibrix::parse_bool(&text.value) != Some(false) && !text.value.is_empty())
        });
        let listened = model.publishers.iter().find(|p| p.is_labelled() && p.publishing() == Publishing::On);
        let related = match (&asked, listened) {
            (Some(var), _) => (var.name.span(), "synchronisation is asked for here".to_string()),
            (None, Some(p)) => (p.container.grip(), format!("{} publishes for the gateway", p.pod.title())),
            (None, None) => continue,
        };
        let since = &aibrix::capability("sync_exists").releases;
        let severity = if gateway.image.certainty == Certainty::Certain { Severity::Error } else { Severity::Warning };
        cx.report(gateway.image.span, format!("release {release} of the gateway has no KV-event synchronisation"))
            .severity(severity)
            .related(related.0, related.1)
            .help(format!("use release {} of the gateway", aibrix::table().newest))
            .note(format!("synchronisation is in {since}; {}", gateway.image.describe("the gateway")));
    }
}
