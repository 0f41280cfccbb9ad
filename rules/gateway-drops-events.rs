use crate::events::Engine;
use crate::facts::aibrix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let publishes = model.publishers.iter().any(|p| p.engine() == Engine::Vllm && p.publishing() == Publishing::On);
    let reaches = aibrix::capability("reaches_router");
    for gateway in &model.gateways {
        let Some(release) = &gateway.image.release else { continue };
        let sync = gateway.sync();
        if sync.known() != Some(&true)
            || !aibrix::can("sync_exists", release)
            || reaches.releases.contains(release)
            // With an engine beside it, gateway-cannot-decode says the worse.
            || publishes && aibrix::decoder(release).is_none()
        {
            continue;
        }
        let since = reaches.releases.since.as_ref().unwrap_or(release);
        cx.report(gateway.image.span, format!("AIBrix {release} hears events and never shows them to the router"))
            .label("the gateway's release")
            .related(sync.span(), "synchronisation is on")
            .help(format!("use AIBrix {since} or later"))
            .note(format!("before {since}, events fill one table and the router reads another; requests are routed as without events"))
            .note(format!("this is {}", gateway.image.describe("AIBrix")))
            .observed(gateway.image.certainty);
    }
}
