use crate::events::{ConfigEntry, Dialect, Engine, ValueKind};
use crate::facts::EffectRow;
use crate::facts::vllm::events::{self, EventsConfigField, FieldType, Setting};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        for config in publisher.configs().into_iter().filter(|c| c.error.is_none()) {
            for entry in config.entries.iter().filter(|e| !e.value.text.opaque) {
                let Some(field) = events::field_by_key(&entry.key) else { continue };
                let Some(rows) = misfit(field, entry, config.dialect) else { continue };
                let image = &publisher.image;
                let harmful = |effect: crate::facts::Effect| {
                    effect.is_fatal() || effect == crate::facts::Effect::ChangesBehaviour
                };
                let Some(verdict) = image.verdict(rows, harmful) else { continue };
                let wanted = wanted(field);
                let message = format!("`{}` is {}, and takes {wanted}", entry.key, found(entry));
                cx.report(entry.value.text.span(), message)
                    .observed(verdict.certainty)
                    .help(help(field, entry))
                    .note(image.evidence("vLLM", &verdict));
            }
        }
    }
}

/// The rows that say what a value of the wrong type does; `None` where the type is right.
fn misfit(field: &EventsConfigField, entry: &ConfigEntry, dialect: Dialect) -> Option<&'static [EffectRow]> {
    let effects = &events::table().config;
    let text = entry.value.text.value.trim();
    let wrong: Option<&'static [EffectRow]> = Some(&effects.wrong_type);
    match (field.kind, entry.value.kind) {
        (_, ValueKind::Null) if field.nullable => None,
        (_, ValueKind::Null) if field.setting == Setting::Publisher => Some(&effects.publisher_json_null),
        // How dotted text becomes a value depends on the field.
        (FieldType::String, _) if dialect == Dialect::Dotted => None,
        (_, ValueKind::Null | ValueKind::Collection) => wrong,
        (FieldType::Bool, ValueKind::Bool) => None,
        // Where strings are not read, every one is true: only the false ones do harm.
        (FieldType::Bool, ValueKind::String) => match events::parse_bool(text) {
            Some(true) => None,
            Some(false) => Some(&effects.enable_as_string),
            None => wrong,
        },
        (FieldType::Bool, _) => {
            if events::parse_bool(text).is_some() {
                None
            } else {
                wrong
            }
        }
        (FieldType::Integer, ValueKind::Integer | ValueKind::Bool) => None,
        (FieldType::Integer, _) => {
            let whole = text.parse::<f64>().is_ok_and(|n| n.fract() == 0.0);
            if whole { None } else { wrong }
        }
        (FieldType::String, ValueKind::String) => None,
        (FieldType::String, _) => wrong,
    }
}

fn wanted(field: &EventsConfigField) -> &'static str {
    match field.kind {
        FieldType::Bool => "true or false, without quotes",
        FieldType::Integer => "a whole number",
        FieldType::String => "a string",
    }
}

fn found(entry: &ConfigEntry) -> String {
    let text = &entry.value.text.value;
    match entry.value.kind {
        ValueKind::Null => "`null`".to_string(),
        ValueKind::Collection => "a list or an object".to_string(),
        ValueKind::String => format!("the string \"{}\"", excerpt(text)),
        _ => format!("`{}`", excerpt(text)),
    }
}

fn help(field: &EventsConfigField, entry: &ConfigEntry) -> String {
    match (&field.values, entry.value.kind) {
        (Some(values), ValueKind::Null) => {
            format!("write one of \"{}\", or leave the key out", values.accepted.join("\", \""))
        }
        (_, ValueKind::Null) => "leave the key out".to_string(),
        _ => format!("write {}", wanted(field)),
    }
}
