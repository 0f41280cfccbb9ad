use crate::events::options::{FlagUse, Meaning};
use crate::events::{Engine, Publisher};
use crate::facts::Release;
use crate::facts::vllm::cli::{self, Role};
use crate::fix::{engine, publish};
use crate::lint::prelude::*;
use crate::suggest;

/// JSON that is shown in an advice.
const LONGEST: usize = 300;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let found: Vec<(&FlagUse, Why)> =
            publisher.flags.iter().filter_map(|flag| Some((flag, why(publisher, flag)?))).collect();
        let Some((first, reason)) = found.first() else { continue };
        let mut names: Vec<String> = Vec::new();
        for (flag, _) in &found {
            let name = written(flag);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let rows = match reason {
            Why::Dotted => &cli::parser().dotted,
            Why::Ambiguous => &cli::parser().ambiguous_abbreviation,
            Why::Never | Why::NotHere => &cli::parser().unknown_flag,
        };
        let Some(verdict) = publisher.image.verdict(rows, |effect| effect.is_fatal()) else { continue };
        let message = match (reason, names.as_slice()) {
            (Why::Ambiguous, _) => format!("`{}` is short for several flags, and vLLM refuses it", first.name),
            (Why::Dotted, _) => format!("this release of vLLM breaks dotted keys such as `{}`", written(first)),
            (_, [name]) => format!("{} has no flag `{name}`", who(publisher, reason)),
            (_, [name, rest @ ..]) => {
                let more = if rest.len() == 1 { "1 other".to_string() } else { format!("{} others", rest.len()) };
                format!("{} has no flag `{name}`, nor {more} given here", who(publisher, reason))
            }
            (_, []) => continue,
        };
        let mut report =
            cx.report(first.name_span, message).observed(verdict.certainty).label(label(publisher, first, reason));
        for (flag, reason) in found.iter().skip(1) {
            report = report.related(flag.name_span, label(publisher, flag, reason));
        }
        let report = report.help(help(publisher, &found));
        // Every flag that is refused goes, or none does.
        let report = if found.iter().all(|(flag, _)| matches!(flag.meaning, Meaning::Documented(_))) {
            let title = publish::conversion_title(publisher);
            report.mend(title, publish::conversion(model, publisher), |changes| {
                publish::convert(model, publisher, changes)
            })
        } else if found.iter().all(|(flag, _)| is_early(publisher, flag)) {
            let title = "raise the image to a release that has it";
            report.mend(title, Applicability::Unsafe, |changes| {
                publish::modernise(model, publisher, &Release::new(0, 0, 0), changes)
            })
        } else if let [(flag, Why::Never | Why::Ambiguous)] = found.as_slice() {
            // It was meant to be the one flag that takes JSON.
            let right = &cli::flag_for(Role::KvEventsConfig).name;
            let is_json = flag.value.as_ref().is_some_and(|v| v.value.trim_start().starts_with('{'));
            let near = *reason == Why::Ambiguous || suggest::nearest(&flag.name, [right.as_str()]).is_some();
            match is_json && near && flag.dotted.is_none() {
                true => report.mend(format!("write `{right}`"), Applicability::Unsafe, |changes| {
                    publish::rewrite(model, publisher, changes, (flag.name_span, &flag.name), right)
                }),
                false => report,
            }
        } else {
            report
        };
        report.note(format!("of what it does not accept: {}", publisher.image.evidence("vLLM", &verdict)));
    }
}

/// Why a flag is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// No release has it.
    Never,
    /// This release does not have it.
    NotHere,
    /// A dotted key, which this release breaks.
    Dotted,
    /// Short for several.
    Ambiguous,
}

fn why(publisher: &Publisher<'_>, flag: &FlagUse) -> Option<Why> {
    let release = publisher.image.release.as_ref();
    match flag.meaning {
        Meaning::Documented(_) => Some(Why::Never),
        Meaning::Ambiguous => {
            let events = &cli::flag_for(Role::KvEventsConfig).name;
            events.starts_with(&flag.name.replace('_', "-")).then_some(Why::Ambiguous)
        }
        Meaning::Other => cli::is_unknown_event_flag(&flag.name).then_some(Why::Never),
        Meaning::Known { flag: known, .. } => {
            let release = release?;
            let about_events = known.role == Some(Role::KvEventsConfig);
            let configured = publisher.publishing() != Publishing::Unconfigured;
            if known.is_absent(release) && (about_events || configured) {
                return Some(Why::NotHere);
            }
            // Where it is broken, it is the underscore of a key that breaks.
            let key = flag.dotted.as_ref().filter(|key| about_events && key.value.contains('_'));
            key.and_then(|_| publisher.image.verdict(&cli::parser().dotted, |e| e.is_fatal())).map(|_| Why::Dotted)
        }
    }
}

/// Whether it is the option for events, in a release before it.
fn is_early(publisher: &Publisher<'_>, flag: &FlagUse) -> bool {
    flag.role() == Some(Role::KvEventsConfig) && publish::lacks_events(publisher)
}

fn who(publisher: &Publisher<'_>, why: &Why) -> String {
    match (why, &publisher.image.release) {
        (Why::NotHere, Some(release)) => format!("vLLM {release}"),
        _ => "vLLM".to_string(),
    }
}

fn written(flag: &FlagUse) -> String {
    match &flag.dotted {
        Some(key) => format!("{}.{}", flag.name, key.value),
        None => flag.name.clone(),
    }
}

fn label(publisher: &Publisher<'_>, flag: &FlagUse, why: &Why) -> String {
    match (why, flag.meaning) {
        (Why::NotHere, Meaning::Known { flag, .. }) => format!("in vLLM {}", flag.releases),
        (Why::Ambiguous, _) => "starts several flags".to_string(),
        (Why::Dotted, _) => format!("refused by {}", publisher.image.describe("vLLM")),
        _ => "in no release of vLLM".to_string(),
    }
}

/// What to write in place of the flags: the JSON that says the same.
fn help(publisher: &Publisher<'_>, found: &[(&FlagUse, Why)]) -> String {
    let events = cli::flag_for(Role::KvEventsConfig);
    let needed = found.iter().any(|(flag, why)| *why != Why::NotHere || flag.role() == Some(Role::KvEventsConfig));
    if !needed {
        return "remove the flag, or use a release that has it".to_string();
    }
    if publisher.image.release.as_ref().is_some_and(|release| events.is_absent(release)) {
        return format!("use vLLM {} with `{}`", events.releases, events.name);
    }
    if found.iter().all(|(_, why)| *why == Why::Ambiguous) {
        return format!("write `{}`", events.name);
    }
    // The flag was meant to be the one that takes JSON, and has it.
    let is_json = |flag: &FlagUse| flag.value.as_ref().is_some_and(|v| v.value.trim_start().starts_with('{'));
    if let [(flag, _)] = found
        && is_json(flag)
    {
        return format!("write `{}`", events.name);
    }
    if publisher.effective_config().is_some() {
        return format!("remove it: `{}` is read, and takes all settings in its JSON", events.name);
    }
    let settings = engine::written(publisher).map(|settings| engine::in_json(&engine::with_required(settings)));
    // Long or unknown values are not repeated.
    match settings.ok().filter(|json| json.len() < LONGEST && !json.contains('\n')) {
        Some(json) => format!("write `{} '{json}'`", events.name),
        None => format!("write all settings into the JSON of `{}`", events.name),
    }
}
