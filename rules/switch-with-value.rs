use crate::edit::{Changes, Refusal};
use crate::events::options::{FlagUse, Meaning};
use crate::events::{Engine, Publisher, ValueKind};
use crate::facts::vllm::cli::{self, FlagValue};
use crate::fix::command::CommandLine;
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
            let lower = value.value.to_ascii_lowercase();
            let off = matches!(lower.as_str(), "false" | "0");
            let opposite = cli::flags().iter().find(|f| f.name == known.name.replacen("--", "--no-", 1));
            let opposite = opposite.filter(|_| off);
            let help = match opposite {
                Some(opposite) => format!("write `{}` alone", opposite.name),
                None if off => "remove the flag and the value".to_string(),
                None => format!("write `{}` alone", known.name),
            };
            let release = publisher.image.release.as_ref();
            let there = |f: &cli::Flag| f.releases.is_all() || release.is_some_and(|r| f.releases.contains(r));
            let safe = match opposite {
                Some(opposite) => there(opposite),
                // What the release does without the switch is not what was written.
                None => !off,
            };
            let applicability = if safe { Applicability::Safe } else { Applicability::Unsafe };
            let word = opposite.map_or(flag.name.as_str(), |opposite| opposite.name.as_str());
            let word = Some(word).filter(|_| opposite.is_some() || !off);
            let report = cx
                .report(value.span(), format!("`{}` is a switch and takes no value, not even `{shown}`", flag.name))
                .observed(verdict.of_every_release())
                .related(flag.name_span, "the switch")
                .help(help.clone());
            let report = match lower.as_str() {
                "true" | "1" | "false" | "0" => {
                    report.mend(help, applicability, |changes| write(publisher, changes, flag, word))
                }
                // What was meant is not known.
                _ => report,
            };
            report.note(publisher.image.evidence("vLLM", &verdict));
        }
    }
}

/// Writes a switch without its value, as another word or not at all.
fn write<'t>(
    publisher: &Publisher<'t>,
    changes: &mut Changes<'t>,
    flag: &FlagUse,
    word: Option<&str>,
) -> Result<(), Refusal> {
    let line = CommandLine::of(publisher)?;
    let Some(word) = word else {
        return line.remove(changes, &FlagUse { words: 2 - usize::from(flag.equals), ..flag.clone() });
    };
    if flag.equals || word != flag.name {
        line.rename(changes, flag, word)?;
    }
    match flag.equals {
        true => Ok(()),
        false => line.remove(changes, &FlagUse { index: flag.index + 1, words: 1, ..flag.clone() }),
    }
}
