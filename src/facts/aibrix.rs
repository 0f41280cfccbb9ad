//! AIBrix, the gateway: its variables by release, the labels it looks for, the ports it dials, what it decodes.

use serde::Deserialize;

use super::vllm::Setting;
use super::vllm::events::EventEncoding;
use super::{Effect, EffectRow, Pair, Port, Release, ReleaseRange, Status, table};

table!(TABLE: Table = "aibrix.yaml");

/// The whole of `aibrix.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    date: String,
    /// The newest release that was looked at.
    pub newest: Release,
    /// The releases that were looked at.
    pub releases: Vec<Release>,
    /// What the gateway reads.
    pub variables: Vec<Variable>,
    /// Names that no release reads.
    pub never_read: Vec<NeverRead>,
    /// What Go's `ParseBool` takes for true.
    pub bool_true: Vec<String>,
    /// What it takes for false.
    pub bool_false: Vec<String>,
    /// What people write for true and it refuses.
    pub bool_meant_true: Vec<String>,
    /// What people write for false and it refuses.
    pub bool_meant_false: Vec<String>,
    /// What any other text does: the default is used.
    pub bool_invalid: Vec<EffectRow>,
    /// The ports of a pod that the gateway connects to.
    pub dial: Dial,
    /// What a missing replay port does.
    pub replay_failure: EffectRow,
    /// The HTTP port of a pod that it tokenises through.
    pub tokenizer_port: Port,
    /// The labels of a pod.
    pub labels: Labels,
    /// The workloads that are routed to by way of a Service.
    pub service_routes: ServiceRoutes,
    /// A container variable that marks a pod as vLLM.
    pub engine_variable: Label,
    /// What works since when.
    pub capabilities: Vec<Capability>,
    /// Which vLLM each release decodes.
    pub decoders: Vec<Decoder>,
    /// What the gateways before the first decoder log.
    pub old_decoder_error: EffectRow,
    /// The releases of vLLM to advise.
    pub recommended_vllm: ReleaseRange,
    /// The factor between vLLM's block size in tokens and the gateway's in bytes.
    pub bytes_per_token: Factor,
    /// Redis, without which no release starts.
    pub redis: Redis,
    /// How to recognise the gateway.
    pub gateway: Gateway,
    /// How it gets installed.
    pub installs: Vec<Install>,
    /// What the documents ask for.
    pub documented: Documented,
}

/// A variable of the gateway, whatever its name in a release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// A name for rules that does not change: `kv_event_sync`.
    pub id: String,
    /// How its text is read.
    pub kind: Kind,
    /// What an unset variable means, as text.
    pub default: Option<String>,
    /// What both installs set.
    pub installed_default: Option<String>,
    /// The value that synchronisation needs.
    pub required: Option<String>,
    /// Any text will do for synchronisation, but some.
    #[serde(default)]
    pub required_non_empty: bool,
    /// The value with which synchronisation has an effect.
    pub sync_value: Option<String>,
    /// The literals, where it has some.
    #[serde(default)]
    pub values: Vec<String>,
    /// Every value is wrong: it must not be set.
    #[serde(default)]
    pub never_set: bool,
    /// What it does, for people.
    pub effect: String,
    /// Its names by release.
    pub names: Vec<VariableName>,
    /// What happens without the required value.
    pub when_wrong: Option<Consequence>,
    /// How good the evidence is.
    pub status: Status,
}

/// A name of a variable in a range of releases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariableName {
    /// The releases that read it.
    pub releases: ReleaseRange,
    /// The name.
    pub name: String,
    /// The evidence.
    pub source: String,
}

/// How the text of a variable is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Go's `strconv.ParseBool`: [`parse_bool`].
    Bool,
    /// A decimal number.
    Int,
    /// Any text.
    String,
    /// Go's duration syntax, read wrongly by every release.
    Duration,
    /// A format string with one `%s`.
    Template,
}

/// What a wrong value does in every release that reads the variable.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consequence {
    /// What happens.
    pub effect: Effect,
    /// The same for people.
    pub note: String,
}

/// A name that no release reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeverRead {
    /// The name.
    pub name: String,
    /// Where it comes from and what there is instead, for people.
    pub why: String,
    /// The evidence.
    pub source: String,
}

/// What the gateway connects to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dial {
    /// The PUB port of a pod.
    pub events: u16,
    /// The replay port of a pod.
    pub replay: u16,
    /// `tcp`.
    pub transport: String,
    /// The topic that it subscribes to: the empty one, which is every topic.
    pub subscription: String,
    /// Whether it reaches pods by IPv6.
    pub ipv6: bool,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// A factor with its evidence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// The factor.
    pub value: u32,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// The labels of a pod that the gateway looks at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Subscribes to the pod: exactly this value.
    pub enabled: Label,
    /// The model: any value that is not empty.
    pub model: Label,
    /// The HTTP port for routing, never for events.
    pub port: Label,
    /// The engine.
    pub engine: Label,
    /// The number of a LoRA adapter.
    pub lora: Label,
    /// Pods with this label and value are never subscribed to.
    pub excluded: Label,
}

/// The workloads for which a route to a Service is made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRoutes {
    /// The kinds.
    pub kinds: Vec<String>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// A key, and the value that counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The key.
    pub key: String,
    /// The one value that counts; none: any.
    pub value: Option<String>,
    /// What a missing label means.
    pub default: Option<String>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// Something that works since a release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// A name for rules: `sync_exists`, `decodes_arrays`, `reaches_router`, `works_end_to_end`, `standalone_flag`.
    pub id: String,
    /// The releases that have it.
    pub releases: ReleaseRange,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// What a range of gateways decodes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decoder {
    /// The releases of AIBrix.
    pub releases: ReleaseRange,
    /// The releases of vLLM whose events they understand.
    pub vllm: ReleaseRange,
    /// The encoding that they understand.
    pub encoding: EventEncoding,
    /// What they log about other events.
    pub error: String,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// The gateway's need of Redis.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// What happens without it.
    pub missing: Vec<EffectRow>,
    /// The flag that lifts the need, in the releases of the capability `standalone_flag`.
    pub standalone_flag: String,
    /// What the image of such a server has in its name.
    pub image_marks: Vec<String>,
}

/// How to recognise the gateway: any of these is enough.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Last path components of its image.
    pub image_base_names: Vec<String>,
    /// The end of its Deployment's name.
    pub deployment_suffix: String,
    /// Its container's name.
    pub container_names: Vec<String>,
    /// A label of its pods.
    pub pod_labels: Vec<Pair>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// A way of installing AIBrix, and the gateway that comes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// `kustomize` or `helm`.
    pub id: String,
    /// The releases that install so.
    pub releases: ReleaseRange,
    /// The namespace.
    pub namespace: String,
    /// The Deployment; for helm, with a release named `aibrix`.
    pub deployment: String,
    /// The labels of the gateway's pods that a policy can select.
    pub pod_labels: Vec<Pair>,
    /// Keys of labels that the pods may have beside those.
    pub other_label_keys: Vec<String>,
    /// The variables that it sets and that stand in the way of synchronisation.
    pub env: Vec<Pair>,
    /// For helm: the map in `values.yaml` that becomes variables.
    pub values_path: Option<String>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// What AIBrix's documents ask for, whether or not it works.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documented {
    /// The oldest vLLM that they name (it has no KV events at all).
    pub minimum_vllm: Release,
    /// The oldest AIBrix.
    pub minimum_aibrix: Release,
    /// The settings of the publisher that they call required.
    pub required_settings: Vec<Setting>,
    /// The ports that they expose.
    pub ports: PortPair<u16>,
    /// The names that they give them.
    pub port_names: PortPair<String>,
    /// What the parts of a port's name say.
    pub port_name_words: PortNameWords,
    /// The ids of the gateway's variables that they set.
    pub gateway_variables: Vec<String>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// Something for the events port and for the replay port.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "nothing to add to the names")]
pub struct PortPair<T> {
    pub events: T,
    pub replay: T,
}

/// What the parts of a port's name say about a port with the number of one for events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortNameWords {
    /// It is one for events.
    pub means: Vec<String>,
    /// It is one for something else.
    pub other: Vec<String>,
}

impl PortNameWords {
    /// Whether a name says that the port is for events: `kv-events`, `kv-replay`, `zmq`; not `kv-transfer`.
    pub fn names_events(&self, name: &str) -> bool {
        let has = |words: &[String]| {
            name.split('-').any(|part| words.iter().any(|word| part.trim_end_matches('s') == word || part == word))
        };
        has(&self.means) && !has(&self.other)
    }
}

/// What a name of a variable means to the gateway.
#[derive(Debug)]
pub enum NameMatch {
    /// Some release reads it: in these releases, as this variable.
    Read(&'static Variable, &'static VariableName),
    /// No release reads it.
    Never(&'static NeverRead),
}

/// The whole table, for what has no accessor.
pub fn table() -> &'static Table {
    &TABLE
}

/// The day of measurement.
pub fn date() -> &'static str {
    &TABLE.date
}

/// The variable with this id. An id that is not in the table is a mistake in a rule, so it panics.
pub fn variable(id: &str) -> &'static Variable {
    let found = TABLE.variables.iter().find(|variable| variable.id == id);
    found.unwrap_or_else(|| panic!("no variable `{id}` in aibrix.yaml"))
}

/// What a name means; `None` for a name that the tables do not have.
pub fn name(name: &str) -> Option<NameMatch> {
    for variable in &TABLE.variables {
        if let Some(found) = variable.names.iter().find(|row| row.name == name) {
            return Some(NameMatch::Read(variable, found));
        }
    }
    TABLE.never_read.iter().find(|row| row.name == name).map(NameMatch::Never)
}

/// The names under which a release reads a variable (none, when it does not); without a release, those of all.
/// The newest name comes first.
pub fn names_for(variable: &'static Variable, release: Option<&Release>) -> Vec<&'static VariableName> {
    let reads = |row: &&VariableName| release.is_none_or(|release| row.releases.contains(release));
    variable.names.iter().rev().filter(reads).collect()
}

/// The variables that synchronisation needs, in the order in which the gateway looks at them.
pub fn prerequisites() -> impl Iterator<Item = &'static Variable> {
    TABLE.variables.iter().filter(|variable| variable.required.is_some() || variable.required_non_empty)
}

/// What Go's `strconv.ParseBool` makes of a text; `None`: it refuses it, and the default is used.
pub fn parse_bool(text: &str) -> Option<bool> {
    let among = |literals: &[String]| literals.iter().any(|literal| literal == text);
    if among(&TABLE.bool_true) { Some(true) } else { among(&TABLE.bool_false).then_some(false) }
}

/// How a switch is written: the first of what `ParseBool` takes.
pub fn bool_text(on: bool) -> &'static str {
    let literals = if on { &TABLE.bool_true } else { &TABLE.bool_false };
    literals.first().map_or("", String::as_str)
}

/// Whether a text that `ParseBool` refuses was written for true; `None`: it was not refused, or it is not clear.
pub fn meant_bool(text: &str) -> Option<bool> {
    let plain = text.trim().to_ascii_lowercase();
    let among = |words: &[String]| words.contains(&plain);
    match parse_bool(text) {
        Some(_) => None,
        None if among(&TABLE.bool_meant_true) => Some(true),
        None => among(&TABLE.bool_meant_false).then_some(false),
    }
}

/// Whether a release has a capability. An id that is not in the table is a mistake in a rule, so it panics.
pub fn can(id: &str, release: &Release) -> bool {
    capability(id).releases.contains(release)
}

/// The row of a capability, for its range and source.
pub fn capability(id: &str) -> &'static Capability {
    let found = TABLE.capabilities.iter().find(|capability| capability.id == id);
    found.unwrap_or_else(|| panic!("no capability `{id}` in aibrix.yaml"))
}

/// What a gateway decodes; `None`: no vLLM at all.
pub fn decoder(release: &Release) -> Option<&'static Decoder> {
    TABLE.decoders.iter().find(|row| row.releases.contains(release))
}

/// The gateway's block size in bytes that matches a block of so many tokens; `None` if it does not fit.
pub fn matching_block_size(tokens: u32) -> Option<u32> {
    tokens.checked_mul(TABLE.bytes_per_token.value)
}

#[cfg(test)]
#[path = "aibrix/tests.rs"]
mod tests;
