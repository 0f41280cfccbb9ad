use crate::events::Engine;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let image = &publisher.image;
        if publisher.publishing() != Publishing::On || image.release.is_some() || image.opaque {
            continue;
        }
        cx.report(image.span, "the image does not tell which release of vLLM publishes the events".to_string())
            .label("no release can be read here")
            .help("pin a tag such as a release, or state the release under `assume` in kvlint.yaml")
            .note("releases differ in the options they take and in how they encode events; only what all of them do was checked");
    }
}
