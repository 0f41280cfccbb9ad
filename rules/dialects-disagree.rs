use crate::events::{ConfigValue, Dialect, Engine, EventsConfig, Publisher};
use crate::facts::vllm::cli;
use crate::facts::vllm::events::{self, EventsConfigField, Setting};
use crate::k8s::Text;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        if publisher.drops_json() {
            dropped(cx, publisher);
        }
        for field in &events::table().fields {
            let written = values(publisher, field);
            let Some((winner, rest)) = written.split_first() else { continue };
            // Whoever decides a value elsewhere may have made them agree.
            let Some(value) = &winner.value else { continue };
            for loser in rest {
                let Some(other) = loser.value.as_ref().filter(|other| !same(field, value, other)) else { continue };
                let message = format!(
                    "{} sets `{}` to {}, and {} to {}",
                    loser.dialect.name(),
                    field.key,
                    shown(other),
                    winner.dialect.name(),
                    shown(value)
                );
                let message = if message.len() <= 160 {
                    message
                } else {
                    format!("{} sets `{}` otherwise than {}", loser.dialect.name(), field.key, winner.dialect.name())
                };
                let documented = matches!(winner.dialect, Dialect::Flag | Dialect::Env);
                let counts = if documented { "this one disagrees" } else { "this one counts" };
                cx.report(other.text.span(), message)
                    .label("does not count")
                    .related(value.text.span(), counts)
                    .help("write the setting once")
                    .note(order(winner.dialect, loser.dialect));
            }
        }
    }
}

/// Dotted keys beside a JSON: the JSON is gone, the keys that agree included.
fn dropped(cx: &mut UnitContext<'_>, publisher: &Publisher<'_>) {
    let (Some(dotted), Some(json)) = (&publisher.dotted, publisher.json.last()) else { return };
    let rows = &cli::parser().dotted_and_json;
    let Some(verdict) = publisher.image.verdict(rows, |_| true) else { return };
    let lost: Vec<String> = json
        .entries
        .iter()
        .filter(|e| dotted.get(&e.key).is_none() && events::field_by_key(&e.key).is_some())
        .map(|e| format!("`{}`", e.key))
        .collect();
    // What the dotted keys repeat in full is only untidy.
    let severity = if lost.is_empty() && !json.opaque { Severity::Warning } else { Severity::Error };
    let help = match lost.as_slice() {
        [] => "write all settings in one form".to_string(),
        lost => format!("write all settings in one form: {} would be lost", lost.join(", ")),
    };
    cx.report(json.span, "this JSON is dropped, because dotted keys of the same option stand beside it")
        .severity(severity)
        .observed(verdict.certainty)
        .related(dotted.key_span, "only dotted keys survive")
        .help(help)
        .note(publisher.image.evidence("vLLM", &verdict));
}

/// A setting in one dialect; no value where it is decided elsewhere.
struct Place {
    dialect: Dialect,
    value: Option<ConfigValue>,
}

/// Every place that gives a setting, the one that counts first.
fn values(publisher: &Publisher<'_>, field: &EventsConfigField) -> Vec<Place> {
    let json = publisher.json.last().filter(|_| !publisher.drops_json());
    let file = publisher.config_file.as_ref().and_then(|f| f.events.as_ref());
    let configs = [publisher.dotted.as_ref(), json, file].into_iter().flatten();
    let place = |config: &EventsConfig| {
        let entry = config.get(&field.key).filter(|_| config.error.is_none())?;
        let value = Some(entry.value.clone()).filter(|v| !v.text.opaque);
        Some(Place { dialect: config.dialect, value })
    };
    let mut found: Vec<Place> = configs.filter_map(place).collect();
    for dialect in [Dialect::Flag, Dialect::Env] {
        let written = publisher.documented.iter().rfind(|w| w.setting == field.setting && w.dialect == dialect);
        if let Some(written) = written {
            // A switch without a value says yes.
            let yes = || ConfigValue::guess(Text::synthetic("true", written.name_span));
            let value = (!written.unknown).then(|| written.value.clone().unwrap_or_else(yes));
            found.push(Place { dialect, value });
        }
    }
    found
}

fn same(field: &EventsConfigField, left: &ConfigValue, right: &ConfigValue) -> bool {
    match (field.setting, left.as_bool(), right.as_bool()) {
        (Setting::Enable, Some(left), Some(right)) => left == right,
        _ => left.text.value == right.text.value,
    }
}

fn shown(value: &ConfigValue) -> String {
    if value.text.value.is_empty() { "nothing".to_string() } else { format!("`{}`", value.text.value) }
}

/// Why one counts and the other does not.
fn order(winner: Dialect, loser: Dialect) -> String {
    match (winner, loser) {
        (Dialect::Flag | Dialect::Env, _) => "no release of vLLM reads either of the two".to_string(),
        (_, Dialect::Flag | Dialect::Env) => {
            format!("no release of vLLM reads the {}", if loser == Dialect::Flag { "flag" } else { "variable" })
        }
        _ => format!("{} comes after {}, and the last one counts", winner.name(), loser.name()),
    }
}
