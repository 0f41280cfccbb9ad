use crate::events::{Engine, Publisher};
use crate::facts::vllm;
use crate::facts::vllm::cli::{self, Role};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm && p.is_on()) {
        let Some((place, name)) = switched_off(publisher) else { continue };
        let image = &publisher.image;
        let rows = &vllm::table().prefix_caching.when_off;
        let Some(verdict) = image.verdict(rows, |_| true) else { continue };
        let on = &cli::flag_for(Role::PrefixCachingOn).name;
        let report = cx
            .report(place, format!("`{name}` switches prefix caching off, and without it there are no KV events"))
            .observed(verdict.certainty)
            .help(format!("remove it, or write `{on}`"))
            .note(image.evidence("vLLM", &verdict));
        if let Some(config) = publisher.effective_config() {
            report.related(config.key_span, "events are asked for here");
        } else if let Some(written) = publisher.documented.first() {
            report.related(written.name_span, "events are asked for here");
        }
    }
}

/// The option that has the last word about prefix caching, if it says no.
fn switched_off<'p>(publisher: &'p Publisher<'_>) -> Option<(Span, &'p str)> {
    let is_about = |role| matches!(role, Some(Role::PrefixCachingOn | Role::PrefixCachingOff));
    if let Some(last) = publisher.flags.iter().rfind(|f| is_about(f.role())) {
        // A flag that this release lacks ends it, which is another rule's finding.
        let flag = cli::flag(&last.name);
        let absent = publisher.image.release.as_ref().is_some_and(|r| flag.is_some_and(|f| f.is_absent(r)));
        return (last.role() == Some(Role::PrefixCachingOff) && !absent)
            .then_some((last.name_span, last.name.as_str()));
    }
    let file = publisher.config_file.as_ref()?;
    let entry = file.entries.iter().rfind(|e| {
        let role = cli::flag(&format!("--{}", e.key)).and_then(|f| f.role);
        is_about(role) && e.value.as_bool() == Some(true)
    })?;
    let role = cli::flag(&format!("--{}", entry.key)).and_then(|f| f.role);
    (role == Some(Role::PrefixCachingOff)).then_some((entry.key_span, entry.key.as_str()))
}
