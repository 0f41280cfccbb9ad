//! Environment variables of vLLM: what it reads, and what documents ask for and no release reads.

use serde::Deserialize;

use super::{TABLE, events::Setting};
use crate::facts::{Effect, EffectRow, Release, ReleaseRange, Status, ValueRow, effect_at, value_at};

/// Environment variables, read and never read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// What upstream reads.
    pub known: Vec<EnvVariable>,
    /// What documents ask for and no release reads.
    pub documented: Vec<DocumentedVariable>,
    /// Starts of names that would be about KV events; unless known, no release reads them.
    pub event_prefixes: Vec<String>,
    /// What a `VLLM_` name does that a release does not read.
    pub unread: Vec<EffectRow>,
    /// What it does with `--fail-on-environ-validation`.
    pub strict: EffectRow,
}

/// A variable that upstream reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvVariable {
    /// The name.
    pub name: String,
    /// What it is for.
    pub role: EnvRole,
    /// The releases that read it.
    pub releases: ReleaseRange,
    /// What it accepts.
    pub value: EnvValue,
    /// The default of every release that reads it.
    pub default: Option<String>,
    /// The defaults by release, where they differ.
    #[serde(default)]
    pub defaults: Vec<ValueRow>,
    /// What a value that it does not accept does.
    pub bad_value: Option<EffectRow>,
    /// What the value `0` does to KV events.
    #[serde(default)]
    pub when_off: Vec<EffectRow>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// What a variable is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvRole {
    /// Block hashes in events as integers or bytes.
    IntBlockHashes,
    /// The V1 engine on or off.
    UseV1,
    /// Python's hash seed.
    HashSeed,
    /// The start of vLLM's internal ports; clashes with Kubernetes' service links.
    VllmPort,
    /// The address of the node.
    HostIp,
    /// The NIXL connector's side channel port.
    NixlPort,
    /// The NIXL connector's side channel address.
    NixlHost,
}

/// What a variable accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvValue {
    /// What Python's `int()` reads; `true` is not among it.
    Integer,
    /// `random` or 0 to 4294967295.
    HashSeed,
    /// Anything.
    String,
}

impl EnvValue {
    /// What a variable of this kind takes, in words.
    pub fn wanted(self) -> &'static str {
        match self {
            EnvValue::Integer => "a whole number such as 0 or 1",
            EnvValue::HashSeed => "`random` or a number from 0 to 4294967295",
            EnvValue::String => "any text",
        }
    }

    /// Whether a variable of this kind takes the text, as Python reads it.
    pub fn accepts(self, text: &str) -> bool {
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        match self {
            EnvValue::String => true,
            EnvValue::Integer => {
                let text = text.trim();
                let number = text.strip_prefix(['+', '-']).unwrap_or(text);
                number.split('_').all(digits)
            }
            // An empty variable counts as none.
            EnvValue::HashSeed => text.is_empty() || text == "random" || digits(text) && text.parse::<u32>().is_ok(),
        }
    }
}

/// A variable that documents ask for and no release reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentedVariable {
    /// The name.
    pub name: String,
    /// The KV events setting that it was meant to be.
    pub setting: Setting,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// The variable of this name, if some release reads it.
pub fn variable(name: &str) -> Option<&'static EnvVariable> {
    TABLE.env.known.iter().find(|variable| variable.name == name)
}

/// The variable for a role. Each role has exactly one.
pub fn env_for(role: EnvRole) -> &'static EnvVariable {
    TABLE.env.known.iter().find(|variable| variable.role == role).expect("each role has a row")
}

/// The KV events setting that a variable was meant to be, if it is one that documents ask for and no release reads.
pub fn option_by_env(name: &str) -> Option<&'static DocumentedVariable> {
    TABLE.env.documented.iter().find(|variable| variable.name == name)
}

/// Whether a name is about KV events and no release reads it.
pub fn is_unread_event_variable(name: &str) -> bool {
    variable(name).is_none() && TABLE.env.event_prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
}

/// What a `VLLM_` name does in a release that does not read it.
pub fn unread_variable(release: &Release) -> Option<&'static EffectRow> {
    effect_at(&TABLE.env.unread, release)
}

/// The default of a variable in a release.
pub fn env_default(role: EnvRole, release: &Release) -> Option<&'static str> {
    let variable = env_for(role);
    let by_release = value_at(&variable.defaults, release).map(|row| row.value.as_str());
    by_release.or(variable.default.as_deref()).filter(|_| variable.releases.contains(release))
}

/// Whether KV events are silently or loudly absent with the V0 engine, by release.
pub fn without_v1(release: &Release) -> Option<Effect> {
    effect_at(&env_for(EnvRole::UseV1).when_off, release).map(|row| row.effect)
}
