//! The engine's options as fixes and migrations write them.

use serde_json::Value as Json;

use crate::events::options::FlagUse;
use crate::events::{Dialect, Publisher, Resolved};
use crate::facts::aibrix;
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::events::{self, Setting};

use super::publish::{meant, typed};
use crate::edit::{Refusal, Value};

/// An endpoint on which an engine listens on all its addresses: `tcp://*:5557`.
pub fn endpoint(port: u16) -> String {
    let host = events::table().endpoint.wildcard_hosts.first().map_or("*", String::as_str);
    format!("{}://{host}:{port}", aibrix::table().dial.transport)
}

/// The ports that the gateway dials, with the names that AIBrix's documents give them.
pub fn ports() -> [(u16, &'static str); 2] {
    let table = aibrix::table();
    let names = &table.documented.port_names;
    [(table.dial.events, names.events.as_str()), (table.dial.replay, names.replay.as_str())]
}

/// Flags of AIBrix's documents, which no release has.
pub fn invented_flags<'p>(publisher: &'p Publisher<'_>) -> Vec<&'p FlagUse> {
    publisher.flags.iter().filter(|f| cli::option_by_flag(&f.name).is_some()).collect()
}

/// The flag that configures events, where it is given once and as JSON.
///
/// # Errors
/// When it is given in a way that is not changed here.
pub fn config_flag<'p>(publisher: &'p Publisher<'_>) -> Result<Option<&'p FlagUse>, Refusal> {
    let name = &cli::flag_for(Role::KvEventsConfig).name;
    let mut uses = publisher.uses(Role::KvEventsConfig);
    let (first, second) = (uses.next(), uses.next());
    if let Some(second) = second {
        return Err(Refusal::at(second.span, format!("`{name}` is given more than once")));
    }
    if let Some(dotted) = publisher.flags.iter().find(|f| f.dotted.is_some() && f.role() == Some(Role::KvEventsConfig))
    {
        return Err(Refusal::at(
            dotted.span,
            format!("events are configured by `{name}` with a dot; write it as JSON first"),
        ));
    }
    Ok(first)
}

/// What the flags and variables of AIBrix's documents ask for, in the order of the tables. An endpoint that looks as if the engine
/// listened there is written so that it does.
///
/// # Errors
/// When a value is decided elsewhere, or is none that the setting takes.
pub fn written(publisher: &Publisher<'_>) -> Result<Vec<(Setting, Json)>, Refusal> {
    let mut found = Vec::new();
    for field in &events::table().fields {
        let of =
            |dialect| publisher.documented.iter().rfind(move |w| w.setting == field.setting && w.dialect == dialect);
        let Some(written) = of(Dialect::Flag).or_else(|| of(Dialect::Env)) else { continue };
        if written.unknown {
            return Err(Refusal::at(
                written.name_span,
                format!("what `{}` is set to is decided elsewhere", written.name),
            ));
        }
        let value = match &written.value {
            None => Json::Bool(true),
            Some(value) => typed(field.setting, &value.text)?,
        };
        let is_endpoint = matches!(field.setting, Setting::Endpoint | Setting::ReplayEndpoint);
        let value = match value.as_str() {
            Some(text) if is_endpoint => meant(text).into(),
            _ => value,
        };
        found.push((field.setting, value));
    }
    Ok(found)
}

/// Settings with those that AIBrix's documents call required, as they stand there; what is given stays.
pub fn with_required(mut settings: Vec<(Setting, Json)>) -> Vec<(Setting, Json)> {
    let dial = &aibrix::table().dial;
    let required = [
        (Setting::Enable, Json::Bool(true)),
        (Setting::Publisher, publishing_word().into()),
        (Setting::Endpoint, endpoint(dial.events).into()),
        (Setting::ReplayEndpoint, endpoint(dial.replay).into()),
    ];
    for (setting, value) in required {
        if settings.iter().all(|(given, _)| *given != setting) {
            settings.push((setting, value));
        }
    }
    let place = |setting: Setting| events::table().fields.iter().position(|f| f.setting == setting);
    settings.sort_by_key(|(setting, _)| place(*setting));
    settings
}

/// Settings as the text of one JSON object.
pub fn in_json(settings: &[(Setting, Json)]) -> String {
    let entry = |(setting, value): &(Setting, Json)| format!("\"{}\": {value}", setting.key());
    format!("{{{}}}", settings.iter().map(entry).collect::<Vec<_>>().join(", "))
}

/// The JSON for an engine that says nothing about events yet: with the gateway's ports, and what else its flags and variables of
/// AIBrix's documents ask for.
pub fn new_config(publisher: &Publisher<'_>) -> String {
    let mut settings = Vec::new();
    for written in publisher.documented.iter().filter(|w| !w.unknown) {
        let kept = !matches!(
            written.setting,
            Setting::Enable | Setting::Publisher | Setting::Endpoint | Setting::ReplayEndpoint
        );
        let value = written.value.as_ref().and_then(|v| typed(written.setting, &v.text).ok()).filter(|_| kept);
        if let Some(value) = value.filter(|_| settings.iter().all(|(setting, _)| *setting != written.setting)) {
            settings.push((written.setting, value));
        }
    }
    in_json(&with_required(settings))
}

/// What must be changed in the JSON of an engine that is configured, so that events are sent and the gateway can hear them. What is
/// right, or decided elsewhere, stays.
pub fn corrections(publisher: &Publisher<'_>) -> Vec<(&'static str, Value)> {
    let mut found = Vec::new();
    let enable = publisher.setting(Setting::Enable);
    if !matches!(&enable, Resolved::Known(value, _) if value.as_bool() == Some(true)) && !enable.is_unknown() {
        found.push((Setting::Enable.key(), Value::from(true)));
    }
    let words = events::field(Setting::Publisher).values.as_ref().map(|v| v.publishing.as_slice()).unwrap_or_default();
    let named = publisher.setting(Setting::Publisher);
    if !matches!(&named, Resolved::Known(value, _) if words.contains(&value.text.value)) && !named.is_unknown() {
        found.push((Setting::Publisher.key(), Value::from(publishing_word())));
    }
    let dial = &aibrix::table().dial;
    let endpoints = [
        (Setting::Endpoint, publisher.endpoint(), dial.events),
        (Setting::ReplayEndpoint, publisher.replay_endpoint(), dial.replay),
    ];
    for (setting, found_there, port) in endpoints {
        let heard = match found_there {
            Resolved::Known(there, _) => {
                // The replay socket binds whatever its address.
                let listens =
                    setting == Setting::ReplayEndpoint || there.text.as_ref().is_none_or(|t| events::binds(&t.value));
                there.port() == Some(port) && listens
            }
            Resolved::Unknown(_) => true,
            Resolved::Absent(_) => false,
        };
        if !heard {
            found.push((setting.key(), Value::from(endpoint(port))));
        }
    }
    found
}

/// The publisher that sends.
pub fn publishing_word() -> &'static str {
    let values = events::field(Setting::Publisher).values.as_ref();
    values.and_then(|v| v.publishing.first()).map_or("", String::as_str)
}
