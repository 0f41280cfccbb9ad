use crate::events::options::Meaning;
use crate::events::{Engine, ValueKind};
use crate::facts::vllm::cli::{self, FlagValue};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let configured = publisher.publishing() != Publishing::Unconfigured;
        for flag in &publisher.flags {
            let Meaning::Known { flag: known, .. } = flag.meaning else { continue };
            // The tables know switches for splitting the command line that have nothing to do with events.
            if known.value != FlagValue::None || known.role.is_none() && !configured {
                continue;
            }
            let follows = publisher.positional.contains(&(flag.index + 1));
            let next = publisher.command.words.get(flag.index + 1).filter(|_| follows);
            let Some(value) = flag.value.as_ref().filter(|_| flag.equals).or(next) else { continue };
            let is_bool = crate::events::ConfigValue::guess(value.clone()).kind == ValueKind::Bool;
            if value.opaque || !flag.equals && !is_bool && !matches!(value.value.as_str(), "True" | "False" | "0" | "1")
            {
                continue;
            }
            let rows = &cli::parser().switch_with_value;
            let Some(verdict) = publisher.image.verdict(rows, |effect| effect.is_fatal()) else { continue };
            let shown = excerpt(&value.value);
            let off = matches!(value.value.to_ascii_lowercase().as_str(), "false" | "0");
            let opposite = cli::flags().iter().find(|f| f.name == known.name.replacen("--", "--no-", 1));
            let help = match opposite.filter(|_| off) {
                Some(opposite) => format!("write `{}` alone", opposite.name),
                None if off => "remove the flag and the value".to_string(),
                None => format!("write `{}` alone", known.name),
            };
            cx.report(value.span(), format!("`{}` is a switch and takes no value, not even `{shown}`", flag.name))
                .observed(verdict.of_every_release())
                .related(flag.name_span, "the switch")
                .help(help)
                .note(publisher.image.evidence("vLLM", &verdict));
        }
    }
}
