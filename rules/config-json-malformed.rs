use crate::events::Engine;
use crate::facts::vllm::cli::{self, Role};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let parser = cli::parser();
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let image = &publisher.image;
        for config in publisher.configs() {
            let Some(error) = &config.error else { continue };
            let rows = if error.human_numbers { &parser.human_numbers_in_json } else { &parser.invalid_json };
            let Some(verdict) = image.verdict(rows, |effect| effect.is_fatal()) else { continue };
            let name = config.dialect.name();
            let text = publisher.uses(Role::KvEventsConfig).filter_map(|f| f.value.as_ref());
            let unquoted = publisher.command.in_script
                && text
                    .filter(|t| t.span() == config.span)
                    .any(|t| !t.value.contains(['"', '\'']) && t.value.contains(':'));
            let (message, help) = if error.human_numbers {
                (format!("the JSON of {name} has a number with a unit"), "write the number out, such as 10000")
            } else if unquoted {
                let message = format!("the JSON of {name} has lost its quotes: the shell takes them away");
                (message, "put the whole JSON into single quotes")
            } else {
                (
                    format!("the JSON of {name} is malformed: {}", error.message),
                    "write JSON: double quotes, `true` and `false`",
                )
            };
            // The quotes belong around all of it.
            cx.report(if unquoted { config.span } else { error.span }, message)
                .observed(verdict.of_every_release())
                .related(config.key_span, "vLLM reads this option as JSON")
                .help(help)
                .note(image.evidence("vLLM", &verdict));
        }
        let bare = publisher.uses(Role::KvEventsConfig).filter(|f| f.value.is_none() && !publisher.is_open());
        for flag in bare {
            let Some(verdict) = image.verdict(&parser.invalid_json, |effect| effect.is_fatal()) else { continue };
            cx.report(flag.name_span, format!("`{}` is given no value", flag.name))
                .observed(verdict.of_every_release())
                .help("put the JSON behind it, as a word of its own")
                .note(image.evidence("vLLM", &verdict));
        }
    }
}
