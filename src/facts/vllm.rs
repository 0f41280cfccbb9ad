//! Upstream vLLM: its releases, images, commands, environment variables and engine behaviour.
//!
//! The command line is in [`cli`], environment variables in [`env`](mod@env), the publisher and what it sends in [`events`].

use serde::Deserialize;

use super::{EffectRow, Port, Release, ReleaseRange, Status, ValueRow, table};

pub mod cli;
pub mod env;
pub mod events;

pub use cli::{Flag, Parser, Role, flag, flag_for, parser};
pub use env::{
    DocumentedVariable, EnvRole, EnvValue, EnvVariable, Environment, env_default, env_for, is_unread_event_variable,
    option_by_env, unread_variable, without_v1,
};
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
    /// Programs that run nothing of what stands behind them.
    pub mentioning_programs: Vec<String>,
    /// The HTTP port when `--port` is not given.
    pub http_default_port: Port,
    /// Environment variables.
    pub env: Environment,
    /// The key that names a connector in `--kv-transfer-config`, at any depth.
    pub connector_key: String,
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
    /// Algorithms whose hashes are too long for events in the releases of the behaviour `sha256_overflow`.
    pub overflowing_hash_algorithms: Vec<String>,
    /// What any other value does.
    pub hash_algorithm_unknown: Vec<EffectRow>,
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
    /// Ends of the paths of images that run vLLM and whose tags count releases of their own.
    pub own_releases: Vec<String>,
    /// Words of a path or tag without which a tag's release is not taken for the engine's.
    pub engine_words: Vec<String>,
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

/// Whether the tag of an image can tell the release of the engine in it. `team/assistant:v1.2.0` counts releases of its
/// own, also where it starts vLLM.
pub fn tag_tells_engine(name: &str, tag: &str) -> bool {
    let images = &TABLE.images;
    let ends_with =
        |own: &String| name.strip_suffix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    let names_engine = |text: &str| images.engine_words.iter().any(|word| text.contains(word.as_str()));
    if images.own_releases.iter().any(ends_with) {
        return names_engine(tag);
    }
    image_origin(name).is_some() || names_engine(split_registry(name).1) || names_engine(tag)
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

#[cfg(test)]
#[path = "vllm/tests.rs"]
mod tests;
