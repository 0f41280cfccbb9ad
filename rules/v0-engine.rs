use crate::events::options::Meaning;
use crate::events::{Engine, Publisher};
use crate::facts::vllm::cli;
use crate::facts::vllm::{self, EnvRole};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let variable = vllm::env_for(EnvRole::UseV1);
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm && p.is_on()) {
        match publisher.env_for(EnvRole::UseV1) {
            Resolved::Known(text, span) if text.value.trim().parse() == Ok(0) => {
                let harmful = |e: crate::facts::Effect| {
                    e.is_fatal()
                        || matches!(e, crate::facts::Effect::NoEvents | crate::facts::Effect::NoEventsWithWarning)
                };
                let Some(verdict) = publisher.image.verdict(&variable.when_off, harmful) else { continue };
                let outcome = if verdict.is_fatal() { "ends this release" } else { "chooses the V0 engine" };
                cx.report(span, format!("`{}` is 0, which {outcome}: no KV events", variable.name))
                    .observed(verdict.certainty)
                    .help(format!("remove `{}`, or set it to 1", variable.name))
                    .note(publisher.image.evidence("vLLM", &verdict));
            }
            // Which of the two wins then was not measured.
            Resolved::Known(..) | Resolved::Unknown(_) => {}
            Resolved::Absent(_) => fallback(cx, publisher),
        }
    }
}

/// Flags that only the V0 engine has, so that it is chosen.
fn fallback(cx: &mut UnitContext<'_>, publisher: &Publisher<'_>) {
    let Some(release) = &publisher.image.release else { return };
    let falls_back = |meaning| matches!(meaning, Meaning::Known { flag, .. } if cli::falls_back_to_v0(flag, release));
    let found: Vec<_> = publisher.flags.iter().filter(|f| falls_back(f.meaning)).collect();
    let Some((first, rest)) = found.split_first() else { return };
    let rows = &vllm::behaviour("v0_fallback_flag").rows;
    let Some(verdict) = publisher.image.verdict(rows, |_| true) else { return };
    let mut report = cx
        .report(first.name_span, format!("`{}` makes vLLM {release} choose the V0 engine: no KV events", first.name))
        // The list of flags was read in one release and shrinks in later ones.
        .observed(Certainty::Likely)
        .label("a flag of the V0 engine");
    for flag in rest {
        report = report.related(flag.name_span, "a flag of the V0 engine");
    }
    report
        .help("remove the flag, or use a release without the V0 engine")
        .note(publisher.image.evidence("vLLM", &verdict));
}
