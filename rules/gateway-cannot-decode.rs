use crate::events::{Engine, Gateway, Publisher};
use crate::facts::vllm::events;
use crate::facts::{Release, aibrix};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let assumed = cx.config.assume.gateway.as_ref();
    let publishers: Vec<_> = model
        .engines()
        .filter(|p| p.engine() == Engine::Vllm && p.publishing() == Publishing::On && model.is_for_aibrix(p))
        .collect();
    for gateway in &model.gateways {
        let Some(release) = &gateway.image.release else { continue };
        if gateway.sync().known() == Some(&false) || !aibrix::can("sync_exists", release) {
            continue;
        }
        if gateway.decodes_nothing() {
            decodes_nothing(cx, gateway, release, &publishers);
        } else {
            for publisher in &publishers {
                not_decoded(cx, publisher, Some((release, Some(gateway))));
            }
        }
    }
    if model.gateways.is_empty() {
        for publisher in &publishers {
            not_decoded(cx, publisher, assumed.map(|release| (release, None)));
        }
    }
}

/// The gateway is older than the first decoder that fits any vLLM.
fn decodes_nothing(cx: &mut UnitContext<'_>, gateway: &Gateway<'_>, release: &Release, publishers: &[&Publisher<'_>]) {
    let Some(first) = publishers.first() else { return };
    let since = aibrix::table().decoders.iter().filter_map(|d| d.releases.since.as_ref()).min();
    let error = &aibrix::table().old_decoder_error;
    cx.report(gateway.image.span, format!("AIBrix {release} decodes the events of no vLLM"))
        .label("the gateway's release")
        .related(first.image.span, "this engine sends events to it")
        .help(format!(
            "use AIBrix {} or later",
            aibrix::capability("reaches_router").releases.since.as_ref().or(since).unwrap_or(release)
        ))
        .note(format!("every batch ends in `{}`", error.note.as_deref().unwrap_or_default()))
        .note(format!("seen in AIBrix {}; this is {}", error.releases, gateway.image.describe("AIBrix")))
        .observed(gateway.image.certainty);
}

/// The engine's release is not among those that the gateway decodes; without a gateway, that no gateway decodes.
fn not_decoded(cx: &mut UnitContext<'_>, publisher: &Publisher<'_>, gateway: Option<(&Release, Option<&Gateway<'_>>)>) {
    let Some(engine) = &publisher.image.release else { return };
    let decoders = &aibrix::table().decoders;
    // What a release without events sends is not the question.
    if !events::publishing_releases().contains(engine) {
        return;
    }
    let decoder = match gateway {
        Some((release, _)) => aibrix::decoder(release),
        None => decoders.last().filter(|_| !decoders.iter().any(|d| d.vllm.contains(engine))),
    };
    let Some(decoder) = decoder.filter(|d| !d.vllm.contains(engine)) else { return };
    let image = &publisher.image;
    let (message, certainty) = match gateway {
        Some((release, found)) => {
            let sure = found.is_none_or(|g| g.image.certainty == Certainty::Certain)
                && image.certainty == Certainty::Certain
                && *release <= aibrix::table().newest;
            let certainty = if sure { Certainty::Certain } else { Certainty::Likely };
            let name = found.and_then(|g| cx.model.reach.endpoint_of(&g.pod)).map(|id| cx.model.reach.title(id));
            let name = name.map_or("the gateway".to_string(), |name| format!("the gateway `{name}`"));
            (format!("{name}, AIBrix {release}, can't decode the events of vLLM {engine}"), certainty)
        }
        None => (format!("no released gateway decodes the events of vLLM {engine}"), Certainty::Likely),
    };
    let mut report = cx.report(image.span, message).label("the engine's release");
    if let Some((release, Some(found))) = gateway {
        report = report.related(found.image.span, format!("AIBrix {release} decodes vLLM {}", decoder.vllm));
    }
    let newest = &aibrix::table().newest;
    report
        .help(format!("use vLLM {}", aibrix::table().recommended_vllm))
        .note(format!("every batch ends in `{}`", decoder.error))
        .note(format!("AIBrix {} to {newest} was looked at; this is {}", first_sync(), image.describe("vLLM")))
        .observed(certainty);
}

/// The first release of AIBrix that synchronises at all.
fn first_sync() -> String {
    aibrix::capability("sync_exists").releases.since.as_ref().map(Release::to_string).unwrap_or_default()
}
