use crate::events::Engine;
use crate::facts::vllm::events;
use crate::fix::publish;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let minimum = &cx.config.minimum_engine;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let Some(release) = publisher.image.release.as_ref().filter(|release| *release < minimum) else { continue };
        if publisher.publishing() != Publishing::On && !publisher.is_labelled() {
            continue;
        }
        let image = &publisher.image;
        let report = cx
            .report(image.span, format!("vLLM {release} is older than {minimum}, the oldest release to accept"))
            .label(if image.assumed { "assumed in the configuration" } else { "the release of the engine" });
        // The tag of somebody's own build is a hint.
        let report = match image.certainty {
            Certainty::Certain => report,
            Certainty::Likely => report.severity(Severity::Warning),
        };
        let publishing = events::publishing_releases();
        let report = match &publishing.since {
            Some(first) if !publishing.contains(release) => report
                .help(format!("use vLLM {} or later", first.max(minimum)))
                .note(format!("whatever documents say, no release before {first} has KV events at all")),
            _ => report.help(format!("use vLLM {minimum} or later")),
        };
        let report = match publish::advised(minimum) {
            Some(release) => report.mend(format!("raise the image to {release}"), Applicability::Unsafe, |changes| {
                publish::modernise(model, publisher, minimum, changes)
            }),
            None => report,
        };
        report.note(format!("this is {}", image.describe("vLLM")));
    }
}
