use crate::edit::Value;
use crate::events::{Dialect, Engine, Model, Publisher};
use crate::facts::aibrix;
use crate::facts::vllm::events::{self, Setting};
use crate::facts::vllm::{self, cli};
use crate::fix::{engine, pod, publish};
use crate::lint::Contract;
use crate::lint::prelude::*;
use crate::suggest;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        if publisher.effective_config().is_some() {
            not_enabled(cx, model, publisher);
            without_replay(cx, model, publisher);
        // Where releases decide, no flag or variable of the documents is right, however many there are: that is
        // unsupported-option and unread-variable.
        } else if let Some(first) = publisher.documented.first().filter(|_| cx.config.contract == Contract::Documented)
        {
            documented(cx, model, publisher, first.dialect, first.name_span);
        }
    }
}

/// A configuration that leaves the switch out, or has a publisher and is switched off.
fn not_enabled(cx: &mut UnitContext<'_>, model: &Model<'_>, publisher: &Publisher<'_>) {
    let Some(config) = publisher.readable_config() else { return };
    let Some(verdict) = publisher.image.verdict(&events::table().config.not_enabled, |_| true) else { return };
    let enable = Setting::Enable.key();
    let evidence = publisher.image.evidence("vLLM", &verdict);
    match config.entry(enable) {
        Resolved::Absent(place) => {
            // A misspelt switch is an unknown key, which is another rule's finding.
            let keys = || events::table().fields.iter().map(|f| f.key.as_str());
            if config.entries.iter().any(|e| suggest::nearest(&e.key, keys()) == Some(enable)) {
                return;
            }
            let what = if config.entries.is_empty() { "sets nothing" } else { "does not switch events on" };
            // A publisher that is set up was meant to send; an empty configuration may be meant to be none.
            let switch_on = if config.entries.is_empty() { Applicability::Unsafe } else { Applicability::Safe };
            cx.report(place, format!("{} {what}: `{enable}` is missing", config.dialect.name()))
                .label(format!("`{enable}` is false unless it is set"))
                .help(format!("add `\"{enable}\": true`"))
                .mend(format!("add `\"{enable}\": true`"), switch_on, |changes| {
                    publish::set(model, publisher, changes, &[(Setting::Enable, Value::from(true))])
                })
                .note(evidence);
        }
        // Where the pod is labelled, labelled-but-silent says so.
        Resolved::Known(_, span) if publisher.is_switched_off() && !publisher.is_labelled() => {
            let literals = events::field(Setting::Publisher).values.as_ref();
            let named = config.get(Setting::Publisher.key());
            let sends = |text: &str| literals.is_some_and(|l| l.publishing.iter().any(|p| p == text));
            let Some(named) = named.filter(|n| sends(&n.value.text.value)) else { return };
            cx.report(span, format!("a publisher is set up, but `{enable}` is false"))
                .severity(Severity::Warning)
                .related(named.value.text.span(), "this publisher sends nothing")
                .help(format!("set `{enable}` to true, or remove the configuration"))
                .note(evidence);
        }
        _ => {}
    }
}

/// Events without replay, in a pod that AIBrix's gateway subscribes to.
fn without_replay(cx: &mut UnitContext<'_>, model: &Model<'_>, publisher: &Publisher<'_>) {
    let Some(config) = publisher.readable_config() else { return };
    let absent = publisher.replay_endpoint().is_absent();
    let too_old = publisher.image.release.as_ref().is_some_and(|r| !events::publishing_releases().contains(r));
    if too_old || !absent || !publisher.is_on() || !model.is_for_aibrix(publisher) {
        return;
    }
    let key = Setting::ReplayEndpoint.key();
    let aibrix = aibrix::table();
    // An explicit `null` is the value to edit.
    let place = config.get(key).map_or(config.key_span, |e| e.value.text.span());
    let note = aibrix.replay_failure.note.as_deref().unwrap_or_default();
    let right = engine::endpoint(aibrix.dial.replay);
    cx.report(place, format!("events are published without `{key}`, so missed ones can't be asked for again"))
        .severity(Severity::Warning)
        .label("no replay")
        .help(format!("add `\"{key}\": \"{right}\"`"))
        .mend(format!("add `\"{key}\": \"{right}\"`"), Applicability::Unsafe, |changes| {
            publish::set(model, publisher, changes, &[(Setting::ReplayEndpoint, Value::from(right.as_str()))])?;
            pod::list_ports(publisher, changes)
        })
        .note(format!("a gateway that starts after the engine has no way to learn of older blocks; {note}"));
}

/// The flags or variables of AIBrix's documents, which ask for more than is there.
fn documented(cx: &mut UnitContext<'_>, model: &Model<'_>, publisher: &Publisher<'_>, dialect: Dialect, place: Span) {
    let required = &aibrix::table().documented.required_settings;
    let missing: Vec<Setting> = required.iter().copied().filter(|s| publisher.setting(*s).is_absent()).collect();
    if missing.is_empty() || publisher.is_switched_off() {
        return;
    }
    let name = |setting: &Setting| match dialect {
        Dialect::Env => {
            vllm::table().env.documented.iter().find(|row| row.setting == *setting).map(|row| row.name.as_str())
        }
        _ => cli::documented_flag(*setting).map(|row| row.name.as_str()),
    };
    let names: Vec<String> = missing.iter().map(|s| format!("`{}`", name(s).unwrap_or_else(|| s.key()))).collect();
    let only_replay = missing == [Setting::ReplayEndpoint];
    let noun = if dialect == Dialect::Env { "variables" } else { "flags" };
    cx.report(place, format!("the publisher lacks {}", names.join(", ")))
        .severity(if only_replay { Severity::Warning } else { Severity::Error })
        .label(format!("the first of this container's KV-event {noun}"))
        .help(format!("set {} as well", names.join(", ")))
        .mend(publish::conversion_title(publisher), publish::conversion(model, publisher), |changes| {
            publish::convert(model, publisher, changes)
        })
        .note(format!(
            "AIBrix's documents ask for {} settings together: {}",
            required.len(),
            required.iter().filter_map(name).collect::<Vec<_>>().join(", ")
        ));
}
