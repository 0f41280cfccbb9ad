use crate::events::{Engine, ValueKind};
use crate::facts::vllm::cli::{self, FlagValue, Role};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let parser = cli::parser();
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let image = &publisher.image;
        let Some(file) = &publisher.config_file else { continue };
        if file.never_read {
            let Some(verdict) = image.verdict(&parser.config_file_equals, |_| true) else { continue };
            let flag = publisher.uses(Role::ConfigFile).last();
            let name = flag.map_or("", |f| f.name.as_str());
            cx.report(
                flag.map_or(file.path_span, |f| f.span),
                format!("vLLM never reads a file given as `{name}=FILE`"),
            )
            .observed(verdict.certainty)
            .help(format!("write `{name}` and the path as two words"))
            .note(image.evidence("vLLM", &verdict));
        }
        for entry in &file.entries {
            let Some(flag) = cli::flag(&format!("--{}", entry.key)) else { continue };
            let about_cache = matches!(flag.role, Some(Role::PrefixCachingOn | Role::PrefixCachingOff));
            let is_false = entry.value.kind == ValueKind::Bool && entry.value.as_bool() == Some(false);
            if !about_cache || flag.value != FlagValue::None || !is_false {
                continue;
            }
            let Some(verdict) = image.verdict(&parser.config_file_false, |_| true) else { continue };
            let opposite = match flag.role {
                Some(Role::PrefixCachingOn) => cli::flag_for(Role::PrefixCachingOff),
                _ => cli::flag_for(Role::PrefixCachingOn),
            };
            let opposite = opposite.name.trim_start_matches("--");
            cx.report(
                entry.value.text.span(),
                format!("`{}: false` is without effect in a configuration file", entry.key),
            )
            .severity(Severity::Warning)
            .observed(verdict.certainty)
            .help(format!("write `{opposite}: true`"))
            .note(image.evidence("vLLM", &verdict));
        }
    }
}
