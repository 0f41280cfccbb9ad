//! Engines other than vLLM: how to recognise them, and what SGLang's KV events settings do.

use serde::Deserialize;

use super::{EffectRow, ReleaseRange, Status, ValueRow, table};

table!(TABLE: Table = "sglang.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    date: String,
    engines: Vec<Engine>,
    sglang: Sglang,
}

/// An engine that is not vLLM itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// A name for rules: `sglang`, `simulator`, `tensorrt_llm`, `dynamo_vllm`, `dynamo_sglang`.
    pub id: String,
    /// Programs that start it.
    pub commands: Vec<String>,
    /// Python modules that start it.
    pub modules: Vec<String>,
    /// Last path components of its images.
    pub image_base_names: Vec<String>,
    /// The HTTP port without a flag.
    pub http_port: Option<u16>,
    /// The flag for the HTTP port.
    pub http_port_flag: Option<String>,
    /// Flags that name the model.
    pub model_flags: Vec<String>,
    /// Flags for the block size in tokens.
    pub block_size_flags: Vec<String>,
    /// The flag that takes the KV events settings as JSON.
    pub events_flag: Option<String>,
    /// The releases that have it.
    pub events_flag_releases: Option<ReleaseRange>,
    /// The switch that turns events on, where there is no JSON.
    pub enable_flag: Option<String>,
    /// The flag for the endpoint, where there is no JSON.
    pub endpoint_flag: Option<String>,
    /// Further flags about events.
    #[serde(default)]
    pub other_flags: Vec<String>,
    /// The topic that it makes up itself.
    pub topic: Option<String>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// What SGLang's `--kv-events-config` accepts and does. There is no switch in it: naming a publisher turns it on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sglang {
    /// The keys of every release that has the flag.
    pub fields: Vec<String>,
    /// Keys of newer releases; since when was not found out.
    pub newer_fields: Vec<String>,
    /// The publisher when none is named.
    pub publisher_default: String,
    /// The publishers that send events.
    pub publishers: Vec<String>,
    /// What any other key does.
    pub unknown_key: EffectRow,
    /// What a missing or null publisher does.
    pub publisher_null_or_unset: Vec<EffectRow>,
    /// What `tcp://0.0.0.0` does.
    pub any_address: Vec<EffectRow>,
    /// Whether a rank adds its number to the port.
    pub port_offset: EffectRow,
    /// `array` or `map`.
    pub event_encoding: Vec<ValueRow>,
}

/// The day of measurement.
pub fn date() -> &'static str {
    &TABLE.date
}

/// Every engine of the table.
pub fn engines() -> &'static [Engine] {
    &TABLE.engines
}

/// The engine that a program starts; `program` without its folder.
pub fn by_command(program: &str) -> Option<&'static Engine> {
    TABLE.engines.iter().find(|engine| engine.commands.iter().any(|known| known == program))
}

/// The engine that a Python module starts.
pub fn by_module(module: &str) -> Option<&'static Engine> {
    TABLE.engines.iter().find(|engine| engine.modules.iter().any(|known| known == module))
}

/// The engine in an image; `base` is the last component of its path, without a tag.
pub fn by_image(base: &str) -> Option<&'static Engine> {
    TABLE.engines.iter().find(|engine| engine.image_base_names.iter().any(|known| known == base))
}

/// SGLang's own settings.
pub fn sglang() -> &'static Sglang {
    &TABLE.sglang
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{check, effect_at};

    #[test]
    fn every_engine_stands_once_and_has_a_source() {
        check::unique("engines", engines().iter().map(|engine| engine.id.as_str()));
        check::unique(
            "commands",
            engines().iter().flat_map(|e| e.commands.iter().chain(&e.modules)).map(String::as_str),
        );
        check::unique("images", engines().iter().flat_map(|engine| &engine.image_base_names).map(String::as_str));
        check::sources("engines", engines().iter().map(|engine| engine.source.as_str()));
    }

    #[test]
    fn rows_of_one_situation_do_not_overlap() {
        check::effects("publisher_null_or_unset", &sglang().publisher_null_or_unset);
        check::effects("any_address", &sglang().any_address);
        check::values("event_encoding", &sglang().event_encoding);
    }

    #[test]
    fn engines_are_recognised_by_what_starts_them() {
        assert_eq!(by_module("sglang.launch_server").unwrap().id, "sglang");
        assert_eq!(by_command("llm-d-inference-sim").unwrap().id, "simulator");
        assert_eq!(by_image("tensorrt-llm").unwrap().id, "tensorrt_llm");
        assert!(by_image("sglang-router").is_none(), "a router is no engine");
    }

    #[test]
    fn releases_that_nobody_looked_at_get_no_verdict() {
        let at = |release: &str| effect_at(&sglang().any_address, &release.parse().unwrap()).is_some();
        assert!(at("0.5.12") && !at("0.5.14") && at("0.5.16"));
    }
}
