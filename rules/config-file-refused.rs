use crate::events::Engine;
use crate::facts::vllm::cli::{self, Role};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let parser = cli::parser();
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let image = &publisher.image;
        let Some(file) = &publisher.config_file else { continue };
        // The command line's way to the file, without which its keys mean nothing.
        let path = file.path_span;
        if let Some(events) = file.events.as_ref().filter(|e| e.nested)
            && let Some(verdict) = image.verdict(&parser.config_file_nested, |effect| effect.is_fatal())
        {
            let key = cli::flag_for(Role::KvEventsConfig).name.trim_start_matches("--");
            cx.report(events.key_span, format!("`{key}` is a mapping, which this release of vLLM refuses in a file"))
                .observed(verdict.certainty)
                .related(path, "the file is read here")
                .help(format!("write JSON in quotes: `{key}: '{{\"…\": …}}'`"))
                .note(image.evidence("vLLM", &verdict));
        }
        let refused: Vec<_> = file
            .entries
            .iter()
            .filter(|entry| {
                let flag = format!("--{}", entry.key);
                let unknown = cli::option_by_flag(&flag).is_some() || cli::is_unknown_event_flag(&flag);
                let events = cli::flag(&flag).filter(|f| f.role == Some(Role::KvEventsConfig));
                unknown || image.release.as_ref().is_some_and(|r| events.is_some_and(|f| f.is_absent(r)))
            })
            .collect();
        let Some((first, rest)) = refused.split_first() else { continue };
        let rows = &parser.config_file_unknown_key;
        let Some(verdict) = image.verdict(rows, |effect| effect.is_fatal()) else { continue };
        let release = image.release.as_ref().map(|r| format!(" {r}")).unwrap_or_default();
        let mut report = cx
            .report(first.key_span, format!("vLLM{release} has no option `{}` for its configuration file", first.key))
            .observed(verdict.certainty)
            .related(path, "the file is read here");
        for entry in rest {
            report = report.related(entry.key_span, "refused as well");
        }
        let flag = cli::flag_for(Role::KvEventsConfig);
        report
            .help(format!("set it in the JSON of `{}` (vLLM {})", flag.name.trim_start_matches("--"), flag.releases))
            .note(image.evidence("vLLM", &verdict));
    }
}
