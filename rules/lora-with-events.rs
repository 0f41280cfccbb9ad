use crate::events::Engine;
use crate::facts::vllm;
use crate::facts::vllm::cli::Role;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm && p.is_on()) {
        let Some(flag) = publisher.uses(Role::Lora).last() else { continue };
        let rows = &vllm::behaviour("lora_with_events").rows;
        // Later releases have no row, so without a release nothing can be said.
        let release = publisher.image.release.as_ref();
        let Some(verdict) = release.and_then(|_| publisher.image.verdict(rows, |effect| effect.is_fatal())) else {
            continue;
        };
        let fixed = rows.last().and_then(|row| row.releases.until.as_ref());
        let mut report = cx
            .report(flag.name_span, format!("`{}` and KV events together end this release of vLLM", flag.name))
            .observed(verdict.certainty)
            .note(publisher.image.evidence("vLLM", &verdict));
        if let Some(config) = publisher.effective_config() {
            report = report.related(config.key_span, "events are asked for here");
        }
        match fixed {
            Some(last) => report.help(format!("use a release after vLLM {last}, or leave one of the two out")),
            None => report.help("leave one of the two out"),
        };
    }
}
