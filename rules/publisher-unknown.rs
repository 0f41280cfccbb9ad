use crate::events::{Engine, ValueKind};
use crate::facts::sglang;
use crate::facts::vllm::events::{self, Setting};
use crate::fix::publish;
use crate::lint::prelude::*;
use crate::suggest;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in &model.publishers {
        if publisher.is_unreadable() {
            continue;
        }
        let Resolved::Known(value, span) = publisher.setting(Setting::Publisher) else { continue };
        if value.kind != ValueKind::String {
            continue;
        }
        let engine = publisher.engine();
        let name = value.text.value.as_str();
        let sglang = sglang::sglang();
        let known: Vec<&str> = match engine {
            Engine::Vllm => {
                let values = events::field(Setting::Publisher).values.as_ref();
                values.map(|v| v.accepted.iter().map(String::as_str).collect()).unwrap_or_default()
            }
            Engine::Sglang => sglang.publishers.iter().chain([&sglang.publisher_default]).map(String::as_str).collect(),
            Engine::Simulator => continue,
        };
        if known.contains(&name) {
            continue;
        }
        let image = &publisher.image;
        // A release without the option refuses it whatever it says.
        let own = publisher.effective_config().is_some() && engine == Engine::Vllm;
        let rows = &events::table().config.publisher_unknown;
        let verdict = image.verdict(rows, |effect| effect.is_fatal()).filter(|_| engine == Engine::Vllm);
        if own && verdict.is_none() {
            continue;
        }
        let report = cx.report(span, format!("{} has no publisher `{}`", engine.name(), excerpt(name)));
        let near = suggest::nearest(name, known.iter().copied());
        let report = match near {
            Some(near) => {
                let same = near.eq_ignore_ascii_case(name);
                let applicability = if same { Applicability::Safe } else { Applicability::Unsafe };
                report.mend(format!("write `{near}`"), applicability, |changes| {
                    publish::rewrite_part(model, publisher, changes, (&value.text, 0..name.len()), near)
                })
            }
            None => report,
        };
        let help = match near {
            Some(near) => format!("write `{near}`: case matters"),
            None => format!("write `{}`", known.first().copied().unwrap_or_default()),
        };
        match &verdict {
            Some(verdict) => report.observed(verdict.certainty).help(help).note(image.evidence(engine.name(), verdict)),
            // AIBrix's documents know no other publisher either, so this holds for its flags and variables too.
            None => report.observed(image.certainty_of_all()).help(help),
        };
    }
}
