use crate::events::Engine;
use crate::facts::vllm::{self, EnvRole};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in &model.publishers {
        for variable in &vllm::table().env.known {
            let applies = match (variable.role, publisher.engine()) {
                // Python's own, whichever engine.
                (EnvRole::HashSeed, Engine::Vllm | Engine::Sglang) => true,
                // Read when the first event is made.
                (EnvRole::IntBlockHashes, Engine::Vllm) => publisher.is_on(),
                (_, engine) => engine == Engine::Vllm,
            };
            let Some(row) = variable.bad_value.as_ref().filter(|_| applies) else { continue };
            let Resolved::Known(text, span) = publisher.env(&variable.name) else { continue };
            if variable.value.accepts(&text.value) {
                continue;
            }
            let Some(verdict) = publisher.image.verdict(std::slice::from_ref(row), |effect| effect.is_fatal()) else {
                continue;
            };
            let wanted = variable.value.wanted();
            let report = match text.value.as_str() {
                "" => cx.report(span, format!("`{}` is empty, and takes {wanted}", variable.name)),
                value => cx.report(span, format!("`{}` is `{}`, and takes {wanted}", variable.name, short(value))),
            };
            report
                .observed(verdict.of_every_release())
                .help(format!("write {wanted}, in quotes, or leave the variable out"))
                .note(publisher.image.evidence(publisher.engine().name(), &verdict));
        }
    }
}

/// Enough of a value to recognise it.
fn short(value: &str) -> String {
    match value.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_string(),
    }
}
