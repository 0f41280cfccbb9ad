use crate::edit::Refusal;
use crate::events::{ConfigEntry, Engine};
use crate::facts::sglang;
use crate::facts::vllm::events::{self, Setting};
use crate::fix::publish;
use crate::lint::prelude::*;
use crate::suggest;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let sglang = sglang::sglang();
    for publisher in &model.publishers {
        let (keys, rows): (Vec<&str>, &[_]) = match publisher.engine() {
            Engine::Vllm => {
                let fields = events::table().fields.iter();
                (fields.map(|f| f.key.as_str()).collect(), &events::table().config.unknown_key)
            }
            Engine::Sglang => {
                let fields = sglang.fields.iter().chain(&sglang.newer_fields);
                (fields.map(String::as_str).collect(), std::slice::from_ref(&sglang.unknown_key))
            }
            Engine::Simulator => continue,
        };
        let engine = publisher.engine().name();
        let image = &publisher.image;
        for config in publisher.configs().into_iter().filter(|c| c.error.is_none()) {
            let opaque = |e: &&ConfigEntry| e.key.contains('$') || e.key.contains("{{");
            for entry in config.entries.iter().filter(|e| !keys.contains(&e.key.as_str()) && !opaque(e)) {
                let Some(verdict) = image.verdict(rows, |_| true) else { continue };
                // Where naming a publisher is the switch, this one says nothing new.
                let needless = publisher.engine() == Engine::Sglang
                    && entry.key == Setting::Enable.key()
                    && entry.value.as_bool() == Some(true);
                let meant = suggest::nearest(&entry.key, keys.iter().copied());
                // Ignored, the switch that was meant leaves events off.
                let enable = Setting::Enable.key();
                let stays_off = meant == Some(enable) && config.get(enable).is_none();
                let severity = match () {
                    () if needless => Severity::Info,
                    () if verdict.is_fatal() || stays_off => Severity::Error,
                    () => Severity::Warning,
                };
                let help = match meant {
                    Some(known) => format!("did you mean `{known}`?"),
                    None if needless => "remove it: naming a publisher switches events on".to_string(),
                    None => format!("use one of {}", keys.join(", ")),
                };
                let key = match excerpt(&entry.key) {
                    key if key.is_empty() => "the empty key".to_string(),
                    key => format!("`{key}`"),
                };
                let report = cx
                    .report(entry.key_span, format!("{key} is no setting of {engine}'s KV events"))
                    .severity(severity)
                    .observed(verdict.certainty)
                    .help(help)
                    .note(image.evidence(engine, &verdict));
                let Some(known) = meant.filter(|known| config.get(known).is_none()) else { continue };
                let plain = |text: &str| text.to_lowercase().replace('-', "_");
                let same = plain(known) == plain(&entry.key);
                let applicability = if same { Applicability::Safe } else { Applicability::Unsafe };
                report.mend(format!("write `{known}`"), applicability, |changes| {
                    if publisher.effective_config().is_none_or(|counts| counts.span != config.span) {
                        return Err(Refusal::at(entry.key_span, "another configuration counts"));
                    }
                    publish::edit_config(model, publisher, changes, |root, json| {
                        let value = root.get(&entry.key).ok_or_else(|| Refusal::new("the key was not found again"))?;
                        json.rename(value, known)
                    })
                });
            }
        }
    }
}
