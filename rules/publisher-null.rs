use crate::edit::{Changes, Refusal, Value};
use crate::events::{Engine, Model, Publisher, ValueKind};
use crate::facts::Effect;
use crate::facts::sglang;
use crate::facts::vllm::events::{self, Setting};
use crate::fix::publish;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in &model.publishers {
        match publisher.engine() {
            Engine::Vllm => vllm(cx, model, publisher),
            Engine::Sglang => sglang(cx, model, publisher),
            Engine::Simulator => {}
        }
    }
}

fn vllm(cx: &mut UnitContext<'_>, model: &Model<'_>, publisher: &Publisher<'_>) {
    let Some(config) = publisher.readable_config() else { return };
    let effects = &events::table().config;
    let key = Setting::Publisher.key();
    let Some(values) = &events::field(Setting::Publisher).values else { return };
    let image = &publisher.image;
    let (place, verdict, message) = match config.entry(key) {
        // Switched off in a pod that asks to be heard, it is labelled-but-silent, which mends both.
        Resolved::Absent(_) if publisher.is_switched_off() && publisher.asks_to_be_heard() => return,
        Resolved::Absent(place) => {
            let verdict = image.verdict(&effects.publisher_unset, |effect| effect.is_fatal());
            (place, verdict, format!("no `{key}` is named, and this release of vLLM ends without one"))
        }
        // JSON's own null is of the wrong type, which is another rule's finding.
        Resolved::Known(entry, span)
            if entry.value.kind == ValueKind::String && values.silent.contains(&entry.value.text.value) =>
        {
            // Switched off, it is what it says, unless the engine ends.
            let harmful = |e: Effect| e.is_fatal() || !publisher.is_switched_off() && publisher.is_on();
            let verdict = image.verdict(&effects.publisher_null, harmful);
            let ends =
                if verdict.as_ref().is_some_and(|v| v.is_fatal()) { ", and ends this release of vLLM" } else { "" };
            (span, verdict, format!("the publisher `{}` publishes nothing{ends}", entry.value.text.value))
        }
        _ => return,
    };
    let Some(verdict) = verdict else { return };
    let sending = values.publishing.first().map_or("", String::as_str);
    let report = cx.report(place, message).observed(verdict.certainty);
    let report = match publisher.is_on() {
        // Which of the two was meant, the switch or the publisher that is none, is not plain.
        true => {
            report.mend(format!("name the publisher `{sending}`"), certainty(config.get(key).is_none()), |changes| {
                name(model, publisher, changes, sending)
            })
        }
        false => report,
    };
    report
        .help(if publisher.is_switched_off() {
            "remove the whole configuration: it is switched off anyway".to_string()
        } else {
            format!("write `\"{key}\": \"{sending}\"`")
        })
        .note(image.evidence("vLLM", &verdict));
}

/// A publisher that nobody named is plainly to be named.
fn certainty(unnamed: bool) -> Applicability {
    if unnamed { Applicability::Safe } else { Applicability::Unsafe }
}

fn name<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    changes: &mut Changes<'t>,
    sending: &str,
) -> Result<(), Refusal> {
    publish::set(model, publisher, changes, &[(Setting::Publisher, Value::from(sending))])
}

fn sglang(cx: &mut UnitContext<'_>, model: &Model<'_>, publisher: &Publisher<'_>) {
    let Some(config) = publisher.readable_config() else { return };
    let table = sglang::sglang();
    let key = Setting::Publisher.key();
    let (place, what) = match config.entry(key) {
        Resolved::Absent(place) => (place, format!("no `{key}` is named, and SGLang ends without one")),
        Resolved::Known(entry, span)
            if entry.value.kind == ValueKind::Null || entry.value.text.value == table.publisher_default =>
        {
            (span, format!("the publisher `{}` ends SGLang", entry.value.text.value))
        }
        _ => return,
    };
    let rows = &table.publisher_null_or_unset;
    let Some(verdict) = publisher.image.verdict(rows, |effect| effect.is_fatal()) else { return };
    let sending = table.publishers.first().map_or("", String::as_str);
    cx.report(place, what)
        .observed(verdict.certainty)
        .help(format!("write `\"{key}\": \"{sending}\"`, or remove the option"))
        .mend(format!("name the publisher `{sending}`"), certainty(config.get(key).is_none()), |changes| {
            name(model, publisher, changes, sending)
        })
        .note(publisher.image.evidence("SGLang", &verdict));
}
