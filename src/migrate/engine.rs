//! The engine's options as a migration writes and removes them.

use serde_json::Value as Json;

use crate::events::options::FlagUse;
use crate::events::{Publisher, Resolved};
use crate::facts::aibrix;
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::events::{self, Setting};
use crate::fix::edit::{Refusal, Value};

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

/// The JSON for an engine that says nothing about events yet, with what its flags and variables of AIBrix's documents ask for.
pub fn new_config(publisher: &Publisher<'_>) -> String {
    let dial = &aibrix::table().dial;
    let mut config = vec![
        (Setting::Enable, Json::Bool(true)),
        (Setting::Publisher, publishing_word().into()),
        (Setting::Endpoint, endpoint(dial.events).into()),
        (Setting::ReplayEndpoint, endpoint(dial.replay).into()),
    ];
    for written in publisher.documented.iter().filter(|w| !w.unknown) {
        let Some(text) = written.value.as_ref().map(|v| v.text.value.as_str()) else { continue };
        let value = match written.setting {
            Setting::BufferSteps | Setting::Hwm | Setting::MaxQueueSize => {
                text.trim().parse::<u64>().ok().map(Json::from)
            }
            Setting::Topic => Some(text.into()),
            Setting::Enable | Setting::Publisher | Setting::Endpoint | Setting::ReplayEndpoint => None,
        };
        if let Some(value) = value.filter(|_| config.iter().all(|(setting, _)| *setting != written.setting)) {
            config.push((written.setting, value));
        }
    }
    let entry = |(setting, value): &(Setting, Json)| format!("\"{}\": {value}", setting.key());
    format!("{{{}}}", config.iter().map(entry).collect::<Vec<_>>().join(", "))
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

fn publishing_word() -> &'static str {
    let values = events::field(Setting::Publisher).values.as_ref();
    values.and_then(|v| v.publishing.first()).map_or("", String::as_str)
}
