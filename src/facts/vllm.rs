//! Upstream vLLM: its releases, images, commands, environment variables and engine behaviour.
//!
//! The command line is in [`cli`], the publisher and what it sends in [`events`].

use serde::Deserialize;

use super::{Effect, EffectRow, Release, ReleaseRange, Status, ValueRow, effect_at, table};

pub mod cli;
pub mod events;

pub use cli::{Flag, Parser, Role, flag, flag_for, parser};
pub use events::{EventsConfigField, Setting, field};

table!(TABLE: Table = "vllm.yaml");

/// The whole of `vllm.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    date: String,
    /// The oldest release that was looked at.
    pub oldest: Release,
    /// The newest release that was looked at. What holds "and later" was seen up to here.
    pub newest: Release,
    /// Releases that exist and were not looked at.
    pub unexamined: Vec<Release>,
    /// Every release from `oldest` to `newest`, in order.
    pub releases: Vec<Release>,
    /// Images that run vLLM.
    pub images: Images,
    /// Commands that start the server.
    pub entry_points: Vec<EntryPoint>,
    /// Programs that take `-m MODULE`; also with a version behind, such as `python3.12`.
    pub interpreters: Vec<String>,
    /// The HTTP port when `--port` is not given.
    pub http_default_port: DefaultPort,
    /// Environment variables.
    pub env: Environment,
    /// Connectors of `--kv-transfer-config` that bind the NIXL side channel.
    pub nixl_connectors: Vec<String>,
    /// Connectors whose cache events join the stream.
    pub event_connectors: Vec<Connector>,
    /// `always`, `only_xxhash` or `inverted`: whether equal hashes in two pods need the same `PYTHONHASHSEED`.
    pub hash_seed_needed: Vec<ValueRow>,
    /// Prefix caching, without which nothing is published.
    pub prefix_caching: PrefixCaching,
    /// Values of `--prefix-caching-hash-algo`.
    pub hash_algorithms: Vec<HashAlgorithms>,
    /// Values of `--block-size`.
    pub block_sizes: Vec<BlockSizes>,
    /// Situations that are no single flag or value.
    pub behaviours: Vec<Behaviour>,
}

/// Images that run vLLM.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// Repositories of upstream's own image.
    pub upstream: Vec<String>,
    /// Registries that upstream pushes to; an image without a registry comes from the first.
    pub upstream_registries: Vec<String>,
    /// Last path components of other images that run vLLM.
    pub derived: Vec<String>,
    /// Last path components of images that look like vLLM and are not.
    pub not_engines: Vec<String>,
    /// The command of upstream's image, for pods with `args` alone. The releases between the rows are not known.
    pub entry_points: Vec<ImageEntryPoint>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// The command that upstream's image starts by itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageEntryPoint {
    /// The releases.
    pub releases: ReleaseRange,
    /// The [`EntryPoint::id`].
    pub entry_point: String,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// Who built an image, which decides how far its tag can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageOrigin {
    /// Upstream's image from upstream's registry: the tag is the release.
    Upstream,
    /// Upstream's path in another registry, probably a copy.
    Mirror,
    /// Somebody's build of vLLM: patches are possible, the tag is a hint.
    Derived,
}

/// A command that starts the server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryPoint {
    /// A name for rules: `vllm_serve`, `openai_api_server`, `api_server`, `cli_module`.
    pub id: String,
    /// The words of the command before its flags; for a module, the words after `-m`.
    pub words: Vec<String>,
    /// Started by an interpreter's `-m`.
    pub module: bool,
    /// The HTTP port without `--port`.
    pub port: u16,
    /// The releases that have it.
    pub releases: ReleaseRange,
    /// The first release that deprecates it.
    pub deprecated_since: Option<Release>,
    /// What a model as the first word without dashes does.
    pub positional_model: Vec<EffectRow>,
    /// What `--model` does.
    pub model_flag: Vec<EffectRow>,
}

/// A port with its evidence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultPort {
    /// The TCP port.
    pub port: u16,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

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

/// A KV connector.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// The value of `kv_connector`.
    pub name: String,
    /// The releases.
    pub releases: ReleaseRange,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// Prefix caching by release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrefixCaching {
    /// `use_v1`, `on_in_v1` or `on`: the default for generative decoder models.
    pub defaults: Vec<ValueRow>,
    /// `forced_off`, `off` or `on`: the default for hybrid models.
    pub hybrid_models: Vec<ValueRow>,
    /// What happens to events when it is off.
    pub when_off: Vec<EffectRow>,
}

/// The values of `--prefix-caching-hash-algo` in a range of releases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashAlgorithms {
    /// The releases.
    pub releases: ReleaseRange,
    /// What is accepted.
    pub values: Vec<String>,
    /// What is used when the flag is not given.
    pub default: String,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// The values of `--block-size`, in tokens, in a range of releases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockSizes {
    /// The releases.
    pub releases: ReleaseRange,
    /// What is accepted; empty: any number above 0.
    pub values: Vec<u32>,
    /// What is used when the flag is not given, unless the backend or the model choose.
    pub default: u32,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// A situation and what each release does in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// A name for rules.
    pub id: String,
    /// The situation, for people.
    pub when: String,
    /// What happens, by release; a release without a row does nothing special.
    pub rows: Vec<EffectRow>,
}

/// The whole table, for what has no accessor.
pub fn table() -> &'static Table {
    &TABLE
}

/// The day of measurement.
pub fn date() -> &'static str {
    &TABLE.date
}

/// Whether the release is one that exists. A number that does not exist is a private build or a mistake.
pub fn is_release(release: &Release) -> bool {
    TABLE.releases.contains(release)
}

/// Whether the release is newer than anything that was measured, so that only assumptions can be made.
pub fn is_beyond_facts(release: &Release) -> bool {
    *release > TABLE.newest
}

/// Who built an image; `None` when nothing says that it runs vLLM. `name` has no tag and no digest.
pub fn image_origin(name: &str) -> Option<ImageOrigin> {
    let images = &TABLE.images;
    let (registry, path) = split_registry(name);
    let base = path.rsplit('/').next().unwrap_or(path);
    if images.not_engines.iter().any(|other| other == base) {
        return None;
    }
    let is_upstream_path = |path: &str| images.upstream.iter().any(|upstream| upstream == path);
    if is_upstream_path(path)
        && registry.is_none_or(|registry| images.upstream_registries.iter().any(|r| r == registry))
    {
        return Some(ImageOrigin::Upstream);
    }
    let is_mirror = images.upstream.iter().any(|upstream| path == upstream || path.ends_with(&format!("/{upstream}")));
    if is_mirror {
        return Some(ImageOrigin::Mirror);
    }
    images.derived.iter().any(|derived| derived == base).then_some(ImageOrigin::Derived)
}

/// The registry is the first part, if it looks like a host (the rule of Docker's reference grammar).
fn split_registry(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), path),
        _ => (None, name),
    }
}

/// The command with this id.
pub fn entry_point(id: &str) -> Option<&'static EntryPoint> {
    TABLE.entry_points.iter().find(|entry| entry.id == id)
}

/// The command that upstream's image runs when the pod gives none; `None` where it is not known.
pub fn image_entry_point(release: &Release) -> Option<&'static EntryPoint> {
    let row = TABLE.images.entry_points.iter().find(|row| row.releases.contains(release))?;
    entry_point(&row.entry_point)
}

/// The variable of this name, if some release reads it.
pub fn env(name: &str) -> Option<&'static EnvVariable> {
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
    env(name).is_none() && TABLE.env.event_prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
}

/// What a `VLLM_` name does in a release that does not read it.
pub fn unread_variable(release: &Release) -> Option<&'static EffectRow> {
    effect_at(&TABLE.env.unread, release)
}

/// The default of a variable in a release.
pub fn env_default(role: EnvRole, release: &Release) -> Option<&'static str> {
    let variable = env_for(role);
    let by_release = super::value_at(&variable.defaults, release).map(|row| row.value.as_str());
    by_release.or(variable.default.as_deref()).filter(|_| variable.releases.contains(release))
}

/// What `--prefix-caching-hash-algo` accepts.
pub fn hash_algorithms(release: &Release) -> Option<&'static HashAlgorithms> {
    TABLE.hash_algorithms.iter().find(|row| row.releases.contains(release))
}

/// What `--block-size` accepts.
pub fn block_sizes(release: &Release) -> Option<&'static BlockSizes> {
    TABLE.block_sizes.iter().find(|row| row.releases.contains(release))
}

/// The tokens of a block when nobody says otherwise, the same in every release.
pub fn default_block_size() -> u32 {
    TABLE.block_sizes.last().expect("the table has rows").default
}

/// The rows of a situation. An id that is not in the table is a mistake in a rule, so it panics.
pub fn behaviour(id: &str) -> &'static Behaviour {
    let found = TABLE.behaviours.iter().find(|behaviour| behaviour.id == id);
    found.unwrap_or_else(|| panic!("no behaviour `{id}` in vllm.yaml"))
}

/// What a release does in a situation; `None`: nothing special.
pub fn behaves(id: &str, release: &Release) -> Option<&'static EffectRow> {
    effect_at(&behaviour(id).rows, release)
}

/// Whether KV events are silently or loudly absent with the V0 engine, by release.
pub fn without_v1(release: &Release) -> Option<Effect> {
    effect_at(&env_for(EnvRole::UseV1).when_off, release).map(|row| row.effect)
}

#[cfg(test)]
#[path = "vllm/tests.rs"]
mod tests;
