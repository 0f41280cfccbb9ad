//! The KV events settings of vLLM, what the publisher does with them, and how it encodes events.

use serde::Deserialize;

use crate::facts::{EffectRow, Release, ReleaseRange, Status, ValueRow, table, value_at};

table!(TABLE: Table = "vllm_events.yaml");

/// The whole of `vllm_events.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    date: String,
    /// The fields of the config.
    pub fields: Vec<EventsConfigField>,
    /// The words that are read as true.
    pub bool_true: Vec<String>,
    /// The words that are read as false.
    pub bool_false: Vec<String>,
    /// What odd configs do.
    pub config: ConfigEffects,
    /// What endpoints do.
    pub endpoint: EndpointFacts,
    /// The replay socket.
    pub replay: Replay,
    /// Several ranks in one pod.
    pub data_parallel: DataParallel,
    /// What is sent.
    pub wire: Wire,
}

/// A setting of the publisher, in whatever dialect it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Publish at all.
    Enable,
    /// Through what.
    Publisher,
    /// The PUB socket.
    Endpoint,
    /// The replay socket.
    ReplayEndpoint,
    /// Batches kept for replay.
    BufferSteps,
    /// ZeroMQ's high water mark, in messages.
    Hwm,
    /// Events waiting to be sent before the scheduler blocks.
    MaxQueueSize,
    /// The first frame of each message.
    Topic,
}

impl Setting {
    /// The key in the JSON of `--kv-events-config`.
    pub fn key(self) -> &'static str {
        &field(self).key
    }
}

/// One field of the config.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsConfigField {
    /// What it sets.
    pub setting: Setting,
    /// Its key in the JSON.
    pub key: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Whether JSON's `null` is a value of it.
    #[serde(default)]
    pub nullable: bool,
    /// The default of every release, as text; none: unset.
    pub default: Option<String>,
    /// The defaults by release, where they differ.
    #[serde(default)]
    pub defaults: Vec<ValueRow>,
    /// The literals, for a field that has some.
    pub values: Option<Literals>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they are JSON's own types")]
pub enum FieldType {
    Bool,
    Integer,
    String,
}

/// The literals of `publisher`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Literals {
    /// All of them; case matters.
    pub accepted: Vec<String>,
    /// Those that send events.
    pub publishing: Vec<String>,
    /// Those that send nothing.
    pub silent: Vec<String>,
}

/// What odd configs do, by release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigEffects {
    /// A key that is no field, such as a field with dashes.
    pub unknown_key: Vec<EffectRow>,
    /// A value of the wrong type.
    pub wrong_type: Vec<EffectRow>,
    /// A string for the switch.
    pub enable_as_string: Vec<EffectRow>,
    /// JSON's `null` as the publisher.
    pub publisher_json_null: Vec<EffectRow>,
    /// No publisher.
    pub publisher_unset: Vec<EffectRow>,
    /// The string `null` as the publisher.
    pub publisher_null: Vec<EffectRow>,
    /// Another string.
    pub publisher_unknown: Vec<EffectRow>,
    /// A publisher, but not switched on.
    pub not_enabled: Vec<EffectRow>,
}

/// What endpoints do, by release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointFacts {
    /// When the PUB socket binds.
    pub bind_rule: BindRule,
    /// What may stand before `://`.
    pub transports: Vec<String>,
    /// Hosts that mean all interfaces to ZeroMQ.
    pub wildcard_hosts: Vec<String>,
    /// Hosts that people take for the wildcard and with which vLLM connects.
    pub lookalike_hosts: Vec<String>,
    /// Hosts that no other pod reaches.
    pub loopback_hosts: Vec<String>,
    /// An endpoint that does not bind, without anybody listening there.
    pub connects: Vec<EffectRow>,
    /// `tcp://[::]:5557`.
    pub ipv6_literal: Vec<EffectRow>,
    /// `tcp://*:5557` in a cluster with IPv6 alone.
    pub wildcard_is_ipv4_only: Vec<EffectRow>,
    /// What ZeroMQ refuses: an unexpanded variable, no port, another scheme.
    pub malformed: Vec<EffectRow>,
    /// `tcp://*:0`.
    pub port_zero: Vec<EffectRow>,
    /// Where newer releases tell the port over HTTP.
    pub source_path: SourcePath,
}

/// When the PUB socket binds; otherwise it connects.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindRule {
    /// The releases: all that publish.
    pub releases: ReleaseRange,
    /// It binds if the endpoint contains one of these.
    pub contains: Vec<String>,
    /// Or starts with one of these.
    pub prefixes: Vec<String>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

impl BindRule {
    /// Whether vLLM binds this endpoint (and does not connect to it).
    pub fn binds(&self, endpoint: &str) -> bool {
        self.contains.iter().any(|part| endpoint.contains(part.as_str()))
            || self.prefixes.iter().any(|prefix| endpoint.starts_with(prefix.as_str()))
    }
}

/// The HTTP path that tells the endpoints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcePath {
    /// The path.
    pub path: String,
    /// The releases that have it.
    pub releases: ReleaseRange,
}

/// The replay socket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// It binds whatever the endpoint looks like.
    pub always_binds: bool,
    /// From here on a reply has the topic as an additional frame.
    pub topic_in_reply_since: Release,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// Several ranks in one pod, by release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataParallel {
    /// Ranks that one pod may have; of more nothing is concluded.
    pub most_ranks: u32,
    /// Whether a rank adds its number to the ports.
    pub port_offset: Vec<EffectRow>,
    /// The replay port lies among the ranks' PUB ports.
    pub replay_clash: Vec<EffectRow>,
    /// Events and replay on one port.
    pub replay_same_port: Vec<EffectRow>,
    /// An `ipc://` endpoint with several ranks.
    pub ipc_with_rank: Vec<EffectRow>,
}

/// What is sent, by release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wire {
    /// `array` or `map`: [`EventEncoding`].
    pub event_encoding: Vec<ValueRow>,
    /// `int64` or `uint64_or_bytes`.
    pub block_hash: Vec<ValueRow>,
}

/// How one event is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventEncoding {
    /// A msgpack array with the type's name first.
    Array,
    /// A msgpack map with the key `type`.
    Map,
}

/// The whole table, for what has no accessor.
pub fn table() -> &'static Table {
    &TABLE
}

/// The day of measurement.
pub fn date() -> &'static str {
    &TABLE.date
}

/// The field for a setting. Each setting has exactly one.
pub fn field(setting: Setting) -> &'static EventsConfigField {
    TABLE.fields.iter().find(|field| field.setting == setting).expect("each setting has a row")
}

/// The field with this key in the JSON.
pub fn field_by_key(key: &str) -> Option<&'static EventsConfigField> {
    TABLE.fields.iter().find(|field| field.key == key)
}

/// A boolean as the config reads it, also where it is written as a string.
pub fn parse_bool(text: &str) -> Option<bool> {
    let among = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if among(&TABLE.bool_true) { Some(true) } else { among(&TABLE.bool_false).then_some(false) }
}

/// The default of a setting. For `publisher` the text `zmq_if_enabled` stands for vLLM's own choice.
pub fn default_of(setting: Setting, release: &Release) -> Option<&'static str> {
    let field = field(setting);
    value_at(&field.defaults, release).map(|row| row.value.as_str()).or(field.default.as_deref())
}

/// Whether vLLM binds this endpoint as its PUB socket, in every release that publishes.
pub fn binds(endpoint: &str) -> bool {
    TABLE.endpoint.bind_rule.binds(endpoint)
}

/// How a release encodes events; `None` for releases that publish nothing.
pub fn event_encoding(release: &Release) -> Option<EventEncoding> {
    match value_at(&TABLE.wire.event_encoding, release)?.value.as_str() {
        "array" => Some(EventEncoding::Array),
        "map" => Some(EventEncoding::Map),
        other => unreachable!("the tests allow no encoding `{other}`"),
    }
}

/// The releases that publish at all.
pub fn publishing_releases() -> &'static ReleaseRange {
    &TABLE.endpoint.bind_rule.releases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::check;

    #[test]
    fn every_setting_has_one_field_and_every_row_a_source() {
        check::unique("fields", TABLE.fields.iter().map(|field| field.key.as_str()));
        check::sources("fields", TABLE.fields.iter().map(|field| field.source.as_str()));
        assert_eq!(TABLE.fields.len(), 8);
        for field in &TABLE.fields {
            assert_eq!(field.setting.key(), field.key);
            check::values(&field.key, &field.defaults);
        }
    }

    #[test]
    fn rows_of_one_situation_do_not_overlap() {
        let c = &TABLE.config;
        let e = &TABLE.endpoint;
        let d = &TABLE.data_parallel;
        let config = [&c.unknown_key, &c.wrong_type, &c.enable_as_string, &c.publisher_json_null, &c.publisher_unset];
        let more = [&c.publisher_null, &c.publisher_unknown, &c.not_enabled, &e.connects, &e.ipv6_literal];
        let rest = [&e.wildcard_is_ipv4_only, &e.malformed, &e.port_zero, &d.port_offset, &d.replay_clash];
        for rows in config.into_iter().chain(more).chain(rest).chain([&d.ipc_with_rank, &d.replay_same_port]) {
            check::effects("vllm_events.yaml", rows);
        }
        check::values("event_encoding", &TABLE.wire.event_encoding);
        check::values("block_hash", &TABLE.wire.block_hash);
    }

    #[test]
    fn only_wildcards_and_local_transports_bind() {
        for endpoint in ["tcp://*:5557", "tcp://[::]:5557", "tcp://[fd00::5]:5557", "ipc:///tmp/kv", "inproc://kv"] {
            assert!(binds(endpoint), "{endpoint}");
        }
        for endpoint in ["tcp://0.0.0.0:5557", "tcp://127.0.0.1:5557", "tcp://gateway.ns:5557", "tcp://$(POD_IP):5557"]
        {
            assert!(!binds(endpoint), "{endpoint}");
        }
        assert!(binds(default_of(Setting::Endpoint, &Release::new(0, 11, 0)).unwrap()));
    }

    #[test]
    fn events_became_maps_in_0_24() {
        assert_eq!(event_encoding(&Release::new(0, 8, 5)), None);
        assert_eq!(event_encoding(&Release::new(0, 23, 0)), Some(EventEncoding::Array));
        assert_eq!(event_encoding(&Release::new(0, 24, 0)), Some(EventEncoding::Map));
    }

    #[test]
    fn the_default_publisher_changed_in_0_11_1() {
        assert_eq!(default_of(Setting::Publisher, &Release::new(0, 11, 0)), Some("null"));
        assert_eq!(default_of(Setting::Publisher, &Release::new(0, 11, 1)), Some("zmq_if_enabled"));
        assert_eq!(default_of(Setting::ReplayEndpoint, &Release::new(0, 11, 1)), None);
    }
}
