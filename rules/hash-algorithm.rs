use crate::events::Engine;
use crate::facts::vllm::cli::Role;
use crate::facts::vllm::{self, HashAlgorithms};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let table = vllm::table();
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let Resolved::Known(text, span) = publisher.flag(Role::HashAlgorithm) else { continue };
        let value = text.value.as_str();
        let image = &publisher.image;
        let accepts = |row: &&HashAlgorithms| row.values.iter().any(|v| v == value);
        let accepting: Vec<&HashAlgorithms> = table.hash_algorithms.iter().filter(accepts).collect();
        let here = image.release.as_ref().map(|release| vllm::hash_algorithms(release));
        let refused = match here {
            // A release before the flag is another rule's finding.
            Some(row) => row.is_some_and(|row| !accepts(&row)),
            None => accepting.is_empty(),
        };
        if refused {
            let Some(verdict) = image.verdict(&table.hash_algorithm_unknown, |effect| effect.is_fatal()) else {
                continue;
            };
            let newest = table.hash_algorithms.last();
            let help = here.flatten().or(newest).map(|row| format!("write one of {}", row.values.join(", ")));
            let who = match &image.release {
                Some(release) => format!("vLLM {release}"),
                None => "any release of vLLM".to_string(),
            };
            let mut report = cx
                .report(span, format!("`{}` is no hash algorithm of {who}", excerpt(value)))
                .observed(verdict.certainty)
                .help(help);
            for row in accepting {
                report = report.note(format!("`{value}` is accepted by vLLM {}", row.releases));
            }
            report.note(image.evidence("vLLM", &verdict));
        } else if publisher.is_on() && publisher.overflows(value) {
            let rows = &vllm::behaviour("sha256_overflow").rows;
            // Without a release nothing is said: of most releases it is the default.
            let Some(verdict) = image.verdict(rows, |_| true).filter(|_| here.is_some()) else { continue };
            let default = here.flatten().map_or("", |row| row.default.as_str());
            cx.report(span, format!("`{value}` makes hashes that this release of vLLM can't put into events"))
                .observed(verdict.certainty)
                .help(format!("write `{default}`, the default, or use a release that sends them"))
                .note(image.evidence("vLLM", &verdict));
        }
    }
}
