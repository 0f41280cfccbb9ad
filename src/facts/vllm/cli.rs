//! vLLM's command line: its flags, the flags that documents invented, and how the parser treats what it is given.

use std::borrow::Cow;

use serde::Deserialize;

use super::events::Setting;
use crate::facts::{EffectRow, Release, ReleaseRange, Status, effect_at, table};

table!(TABLE: Table = "vllm_cli.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    date: String,
    flags: Vec<Flag>,
    documented: Vec<DocumentedFlag>,
    event_prefixes: Vec<String>,
    parser: Parser,
}

/// A flag that some release has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// With dashes: `--kv-events-config`.
    pub name: String,
    /// One-dash forms: `-tp`.
    #[serde(default)]
    pub short: Vec<String>,
    /// What rules ask for it by; none for flags that matter only for splitting the command line.
    pub role: Option<Role>,
    /// How many words it takes.
    pub value: FlagValue,
    /// The releases that have it.
    pub releases: ReleaseRange,
    /// For [`Role::V0Fallback`]: the releases in which it chooses the V0 engine, where these are not all.
    pub fallback: Option<ReleaseRange>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

impl Flag {
    /// Whether the text before any `=` is this flag, written out: `_` counts as `-`, as in vLLM's parser.
    pub fn is_written(&self, text: &str) -> bool {
        self.is_spelt(text, &normalize(text))
    }

    /// [`Flag::is_written`] for text whose normal form is at hand.
    fn is_spelt(&self, text: &str, normal: &str) -> bool {
        self.name == normal || self.short.iter().any(|short| short == text)
    }

    /// Whether a release certainly lacks the flag. A range that is only inferred proves nothing.
    pub fn is_absent(&self, release: &Release) -> bool {
        self.status != Status::Inferred && !self.releases.contains(release)
    }
}

/// How many words a flag takes after itself (none of them when it is written with `=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagValue {
    /// A switch.
    None,
    /// Exactly one.
    One,
    /// One or none.
    Optional,
    /// At least one, up to the next flag.
    Many,
    /// Exactly one, which is JSON.
    Json,
}

/// What a flag is for. Several flags may have one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is the name of its flag; the table says what it does")]
pub enum Role {
    KvEventsConfig,
    KvTransferConfig,
    KvCacheDtype,
    StrictEnvironment,
    PrefixCachingOn,
    PrefixCachingOff,
    HashAlgorithm,
    BlockSize,
    HybridManagerOff,
    HybridManagerOn,
    Lora,
    Model,
    ServedModelName,
    Port,
    Host,
    Uds,
    ConfigFile,
    Headless,
    TensorParallelSize,
    PipelineParallelSize,
    DataParallelSize,
    DataParallelSizeLocal,
    DataParallelRank,
    DataParallelStartRank,
    DataParallelAddress,
    DataParallelRpcPort,
    V0Fallback,
}

/// A flag that documents ask for and no release has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentedFlag {
    /// With dashes.
    pub name: String,
    /// The KV events setting that it stands for.
    pub setting: Setting,
    /// How many words it would take.
    pub value: FlagValue,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// What the parser does, by release; one list of rows for each way of writing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parser {
    /// A flag that the release does not have.
    pub unknown_flag: Vec<EffectRow>,
    /// `--kv_events_config`.
    pub underscores: Vec<EffectRow>,
    /// `--kv-events` for `--kv-events-config`.
    pub abbreviations: Vec<EffectRow>,
    /// A prefix of several flags: `--kv`.
    pub ambiguous_abbreviation: Vec<EffectRow>,
    /// `--enable-prefix-caching true`.
    pub switch_with_value: Vec<EffectRow>,
    /// What happens to all but the last.
    pub repeated_flag: Vec<EffectRow>,
    /// `--kv-events-config.endpoint tcp://*:5557`.
    pub dotted: Vec<EffectRow>,
    /// What happens to the JSON when dotted keys stand beside it.
    pub dotted_and_json: Vec<EffectRow>,
    /// Single quotes, `True`, an empty value.
    pub invalid_json: Vec<EffectRow>,
    /// `{"buffer_steps":10k}`.
    pub human_numbers_in_json: Vec<EffectRow>,
    /// `--config FILE`.
    pub config_file: Vec<EffectRow>,
    /// `--config=FILE`.
    pub config_file_equals: Vec<EffectRow>,
    /// A mapping as a value in that file.
    pub config_file_nested: Vec<EffectRow>,
    /// A switch that is `false` in that file.
    pub config_file_false: Vec<EffectRow>,
    /// An unknown key in that file.
    pub config_file_unknown_key: Vec<EffectRow>,
}

/// What a written flag turns out to be.
#[derive(Debug)]
pub enum FlagMatch {
    /// The flag, written out.
    Exact(&'static Flag),
    /// An abbreviation of this flag alone.
    Abbreviation(&'static Flag),
    /// A prefix of several flags, which the parser refuses.
    Ambiguous(Vec<&'static Flag>),
    /// No flag of the tables. Most flags of vLLM are not in the tables, so this does not mean unknown to vLLM.
    None,
}

/// The day of measurement.
pub fn date() -> &'static str {
    &TABLE.date
}

/// How the parser treats what it is given.
pub fn parser() -> &'static Parser {
    &TABLE.parser
}

/// Every flag of the table.
pub fn flags() -> &'static [Flag] {
    &TABLE.flags
}

/// The flag of this name (also with underscores, also in its short form), whatever releases have it.
pub fn flag(name: &str) -> Option<&'static Flag> {
    let normal = normalize(name);
    TABLE.flags.iter().find(|flag| flag.is_spelt(name, &normal))
}

/// The flag for a role; the first where there are several, which is the one that most releases have.
pub fn flag_for(role: Role) -> &'static Flag {
    flags_for(role).next().unwrap_or_else(|| panic!("no flag for {role:?} in vllm_cli.yaml"))
}

/// All flags with a role.
pub fn flags_for(role: Role) -> impl Iterator<Item = &'static Flag> {
    TABLE.flags.iter().filter(move |flag| flag.role == Some(role))
}

/// The flag that no release has, if documents ask for it. Takes underscores too.
pub fn option_by_flag(name: &str) -> Option<&'static DocumentedFlag> {
    let name = normalize(name);
    TABLE.documented.iter().find(|flag| flag.name == name)
}

/// Whether a name that is no flag of the tables is one about KV events, which no release has.
pub fn is_unknown_event_flag(name: &str) -> bool {
    let name = normalize(name);
    let about_events = TABLE.event_prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()));
    about_events && matches!(resolve(&name, None), FlagMatch::None)
}

/// The invented flag for a setting; none for settings that documents never made into a flag.
pub fn documented_flag(setting: Setting) -> Option<&'static DocumentedFlag> {
    TABLE.documented.iter().find(|flag| flag.setting == setting)
}

/// What a written flag is in a release, as the parser finds it; without a release, among the flags of all. A flag that
/// may or may not be in the release counts as being there.
///
/// `text` is the part before `=` and without a dotted key.
pub fn resolve(text: &str, release: Option<&Release>) -> FlagMatch {
    let exists = |flag: &&Flag| release.is_none_or(|release| !flag.is_absent(release));
    let name = normalize(text);
    if let Some(flag) = TABLE.flags.iter().filter(|flag| flag.is_spelt(text, &name)).find(exists) {
        return FlagMatch::Exact(flag);
    }
    if !name.starts_with("--") || name.len() == 2 {
        return FlagMatch::None;
    }
    let found: Vec<_> = TABLE.flags.iter().filter(|flag| flag.name.starts_with(&*name)).filter(exists).collect();
    match found[..] {
        [] => FlagMatch::None,
        [flag] => FlagMatch::Abbreviation(flag),
        _ => FlagMatch::Ambiguous(found),
    }
}

/// Whether a flag makes this release fall back to the V0 engine.
pub fn falls_back_to_v0(flag: &Flag, release: &Release) -> bool {
    flag.role == Some(Role::V0Fallback)
        && flag.releases.contains(release)
        && flag.fallback.as_ref().is_none_or(|range| range.contains(release))
        && effect_at(&super::behaviour("v0_fallback_flag").rows, release).is_some()
}

/// The parser turns `_` into `-` in the name of a flag with two dashes.
fn normalize(text: &str) -> Cow<'_, str> {
    if text.starts_with("--") && text.contains('_') { text.replace('_', "-").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::check;

    #[test]
    fn every_flag_stands_once_and_has_a_source() {
        let names = TABLE.flags.iter().flat_map(|flag| std::iter::once(&flag.name).chain(&flag.short));
        check::unique("flags", names.map(String::as_str).chain(TABLE.documented.iter().map(|flag| flag.name.as_str())));
        check::sources("flags", TABLE.flags.iter().map(|flag| flag.source.as_str()));
        check::sources("documented", TABLE.documented.iter().map(|flag| flag.source.as_str()));
        for flag in &TABLE.flags {
            assert!(flag.name.starts_with("--") && flag.releases.is_forward(), "{}", flag.name);
        }
    }

    #[test]
    fn the_parser_does_one_thing_at_a_time() {
        let p = parser();
        let rows = [&p.unknown_flag, &p.underscores, &p.abbreviations, &p.ambiguous_abbreviation, &p.switch_with_value];
        let more = [&p.repeated_flag, &p.dotted, &p.dotted_and_json, &p.invalid_json, &p.human_numbers_in_json];
        let files = [&p.config_file, &p.config_file_equals, &p.config_file_nested, &p.config_file_false];
        for rows in rows.into_iter().chain(more).chain(files).chain([&p.config_file_unknown_key]) {
            check::effects("parser", rows);
        }
    }

    #[test]
    fn underscores_and_short_forms_name_the_same_flag() {
        assert_eq!(flag("--kv_events_config").unwrap().role, Some(Role::KvEventsConfig));
        assert_eq!(flag("-tp").unwrap().role, Some(Role::TensorParallelSize));
        assert_eq!(option_by_flag("--enable_kv_cache_events").unwrap().setting, Setting::Enable);
    }

    #[test]
    fn an_abbreviation_must_belong_to_one_flag() {
        let release = Release::new(0, 11, 0);
        assert!(
            matches!(resolve("--kv-events", Some(&release)), FlagMatch::Abbreviation(f) if f.name == "--kv-events-config")
        );
        assert!(matches!(resolve("--kv", Some(&release)), FlagMatch::Ambiguous(_)));
        assert!(matches!(resolve("--kv-events-config", Some(&release)), FlagMatch::Exact(_)));
        assert!(matches!(resolve("--kv-events-topic", Some(&release)), FlagMatch::None));
        assert!(matches!(resolve("--kv-events", Some(&Release::new(0, 8, 5))), FlagMatch::None));
    }

    #[test]
    fn a_guessed_range_proves_no_absence() {
        let old = Release::new(0, 8, 0);
        assert!(flag("--kv-events-config").unwrap().is_absent(&old), "executed");
        assert!(flag("--data-parallel-rank").unwrap().is_absent(&old), "read in each release");
        assert!(!flag("--no-enable-lora").unwrap().is_absent(&old), "first release not bisected");
    }

    #[test]
    fn a_flag_of_the_old_engine_brings_the_old_engine_back_while_it_exists() {
        let tracing = flag("--otlp-traces-endpoint").unwrap();
        assert!(falls_back_to_v0(tracing, &Release::new(0, 9, 0)));
        assert!(!falls_back_to_v0(tracing, &Release::new(0, 11, 0)));
        assert!(!falls_back_to_v0(flag("--port").unwrap(), &Release::new(0, 9, 0)));
    }
}
