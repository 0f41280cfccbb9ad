//! What the tables say of a single word, for people who point at it: a flag, a variable, a label, a key of the events' JSON.

use super::aibrix::{self, NameMatch};
use super::vllm::cli::{self, FlagValue};
use super::vllm::env;
use super::vllm::events::{self, Setting};

/// What is known of a flag, variable or label, as Markdown; none where the tables don't have it.
pub fn about(word: &str) -> Option<String> {
    flag(word).or_else(|| variable(word)).or_else(|| label(word))
}

/// What is known of a key of the JSON that configures events, as Markdown. Such keys are short words that mean other things elsewhere.
pub fn about_key(word: &str) -> Option<String> {
    let field = events::field_by_key(word)?;
    let default = match (&field.default, field.defaults.last()) {
        (Some(default), _) if !default.is_empty() => format!(" Default: `{default}`."),
        (_, Some(row)) => format!(" Default in vLLM {}: `{}`.", row.releases, row.value),
        _ => String::new(),
    };
    Some(format!("`{word}`: a setting of vLLM's KV-cache events.{default}\n\n{}", source(&field.source)))
}

/// Whether a text configures events in some way: only there do the short keys mean what the tables say.
pub fn configures_events(text: &str) -> bool {
    text.contains(Setting::Enable.key()) || text == cli::flag_for(cli::Role::KvEventsConfig).name
}

fn flag(word: &str) -> Option<String> {
    if let Some(invented) = cli::option_by_flag(word) {
        return Some(format!(
            "`{word}`: in no release of vLLM; documents ask for it. The setting is `{}` of the JSON of `{}`.\n\n{}",
            invented.setting.key(),
            cli::flag_for(cli::Role::KvEventsConfig).name,
            source(&invented.source)
        ));
    }
    let flag = cli::flags().iter().find(|flag| flag.is_written(word))?;
    let takes = match flag.value {
        FlagValue::None => "a switch",
        FlagValue::One => "takes a value",
        FlagValue::Optional => "may take a value",
        FlagValue::Many => "takes values up to the next flag",
        FlagValue::Json => "takes JSON",
    };
    Some(format!("`{}`: a flag of vLLM, {}; {takes}.\n\n{}", flag.name, flag.releases, source(&flag.source)))
}

fn variable(word: &str) -> Option<String> {
    if let Some(known) = env::variable(word) {
        let default = known.default.as_ref().map(|d| format!(" Default: `{d}`.")).unwrap_or_default();
        return Some(format!("`{word}`: read by vLLM, {}.{default}\n\n{}", known.releases, source(&known.source)));
    }
    if let Some(invented) = env::option_by_env(word) {
        return Some(format!(
            "`{word}`: read by no release of vLLM; documents ask for it.\n\n{}",
            source(&invented.source)
        ));
    }
    match aibrix::name(word)? {
        NameMatch::Read(variable, name) => {
            let default = variable.default.as_ref().map(|d| format!(" Default: `{d}`.")).unwrap_or_default();
            Some(format!(
                "`{word}`: read by AIBrix's gateway, {}. {}.{default}\n\n{}",
                name.releases,
                variable.effect.trim_end_matches('.'),
                source(&name.source)
            ))
        }
        NameMatch::Never(row) => Some(format!("`{word}`: read by no release. {}\n\n{}", row.why, source(&row.source))),
    }
}

fn label(word: &str) -> Option<String> {
    let labels = &aibrix::table().labels;
    let known = [
        (&labels.enabled, "the gateway subscribes to the KV events of pods that carry it"),
        (&labels.model, "the model that the pod serves; the gateway routes by it"),
        (&labels.port, "the port on which the pod serves the model over HTTP, never for events"),
        (&labels.engine, "the engine that runs in the pod"),
        (&labels.lora, "the number of the LoRA adapter that the pod serves"),
        (&labels.excluded, "the gateway never subscribes to pods with this value"),
    ];
    let (label, meaning) = known.into_iter().find(|(label, _)| label.key == word)?;
    let value = label.value.as_ref().map(|v| format!(" Value: `{v}`.")).unwrap_or_default();
    Some(format!("`{word}`: a label of AIBrix on pods: {meaning}.{value}\n\n{}", source(&label.source)))
}

fn source(text: &str) -> String {
    format!("*Source: {text}*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_variables_labels_and_keys_are_known_by_name() {
        assert!(about("--kv_events_config").unwrap().contains("0.9.0 and later"));
        assert!(about("--enable-kv-cache-events").unwrap().contains("in no release of vLLM"));
        assert!(about(&aibrix::table().labels.enabled.key).unwrap().contains("subscribes"));
        assert!(aibrix::table().variables.iter().flat_map(|v| &v.names).all(|n| about(&n.name).is_some()));
        assert!(about_key(Setting::BufferSteps.key()).unwrap().contains("10000"));
        assert_eq!(about("topic"), None, "a short word means other things");
    }
}
