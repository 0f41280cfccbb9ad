//! The engine's options as a migration writes and removes them.

use serde_json::{Map, Value as Json};

use crate::events::options::FlagUse;
use crate::events::{Publisher, Resolved};
use crate::facts::aibrix;
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::events::{self, Setting};
use crate::fix::edit::Refusal;

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
    if let Some(dotted) = publisher.flags.iter().find(|f| f.dotted.is_some() && f.role() == Some(Role::KvEventsConfig)) {
        return Err(Refusal::at(dotted.span, format!("events are configured by `{name}` with a dot; write it as JSON first")));
    }
    Ok(first)
}

/// The JSON for an engine that says nothing about events yet, with what its flags and variables of AIBrix's documents ask for.
pub fn new_config(publisher: &Publisher<'_>) -> Json {
    let mut config = Map::new();
    let mut put = |setting: Setting, value: Json| config.insert(setting.key().to_string(), value);
    put(Setting::Enable, Json::Bool(true));
    put(Setting::Publisher, publishing_word().into());
    let dial = &aibrix::table().dial;
    put(Setting::Endpoint, endpoint(dial.events).into());
    put(Setting::ReplayEndpoint, endpoint(dial.replay).into());
    for written in publisher.documented.iter().filter(|w| !w.unknown) {
        let Some(text) = written.value.as_ref().map(|v| v.text.value.as_str()) else { continue };
        match written.setting {
            Setting::BufferSteps | Setting::Hwm | Setting::MaxQueueSize => {
                if let Ok(number) = text.trim().parse::<u64>() {
                    put(written.setting, number.into());
                }
            }
            Setting::Topic => _ = put(Setting::Topic, text.into()),
            Setting::Enable | Setting::Publisher | Setting::Endpoint | Setting::ReplayEndpoint => {}
        }
    }
    Json::Object(config)
}

/// The JSON of an engine that is configured, so that events are sent and the gateway can hear them. What is right stays.
///
/// # Errors
/// When the text is no JSON object.
pub fn mended_config(publisher: &Publisher<'_>, text: &str) -> Result<Json, String> {
    let mut json: Json = serde_json::from_str(text).map_err(|e| format!("the JSON can't be read: {e}"))?;
    let Some(config) = json.as_object_mut() else { return Err("the JSON is no object".into()) };
    config.insert(Setting::Enable.key().to_string(), Json::Bool(true));
    let words = events::field(Setting::Publisher).values.as_ref().map(|v| v.publishing.as_slice()).unwrap_or_default();
    let publishes = |value: &Json| value.as_str().is_some_and(|v| words.iter().any(|w| w == v));
    if !config.get(Setting::Publisher.key()).is_some_and(publishes) {
        config.insert(Setting::Publisher.key().to_string(), publishing_word().into());
    }
    let dial = &aibrix::table().dial;
    let heard = |setting: Resolved<crate::events::EndpointSetting>, port: u16| match setting {
        Resolved::Known(setting, _) => {
            setting.port() == Some(port) && setting.text.as_ref().is_none_or(|t| events::binds(&t.value))
        }
        Resolved::Unknown(_) => true,
        Resolved::Absent(_) => false,
    };
    if !heard(publisher.endpoint(), dial.events) {
        config.insert(Setting::Endpoint.key().to_string(), endpoint(dial.events).into());
    }
    if !heard(publisher.replay_endpoint(), dial.replay) {
        config.insert(Setting::ReplayEndpoint.key().to_string(), endpoint(dial.replay).into());
    }
    Ok(json)
}

/// JSON on one line, spaced as the text that it replaces.
pub fn print(json: &Json, like: Option<&str>) -> String {
    let spaced = like.is_none_or(|text| text.contains("\": ") || !text.contains("\":"));
    let mut out = Vec::new();
    let written = if spaced {
        serde::Serialize::serialize(json, &mut serde_json::Serializer::with_formatter(&mut out, Spaced))
    } else {
        serde_json::to_writer(&mut out, json)
    };
    // Memory takes everything.
    debug_assert!(written.is_ok());
    String::from_utf8(out).unwrap_or_default()
}

/// `{"a": 1, "b": 2}`
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        out.write_all(b": ")
    }

    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }
}

fn publishing_word() -> &'static str {
    let values = events::field(Setting::Publisher).values.as_ref();
    values.and_then(|v| v.publishing.first()).map_or("", String::as_str)
}
