use crate::events::Engine;
use crate::facts::vllm;
use crate::facts::vllm::cli::Role;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let Some(config) = publisher.effective_config() else { continue };
        let Some(flag) = publisher.uses(Role::HybridManagerOn).last() else { continue };
        let rows = &vllm::behaviour("hybrid_explicit_enable").rows;
        // Other releases have no row, so without a release nothing can be said.
        let release = publisher.image.release.as_ref();
        let Some(verdict) = release.and_then(|_| publisher.image.verdict(rows, |effect| effect.is_fatal())) else {
            continue;
        };
        cx.report(flag.name_span, format!("`{}` and KV events together end this release of vLLM", flag.name))
            .observed(verdict.certainty)
            .related(config.key_span, "this option alone switches the hybrid KV cache manager off")
            .help("remove the flag")
            .note(publisher.image.evidence("vLLM", &verdict));
    }
}
