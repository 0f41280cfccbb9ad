use crate::events::options::{FlagUse, Meaning};
use crate::events::{Engine, Publisher};
use crate::facts::vllm::cli::{self, Role};
use crate::fix::command::CommandLine;
use crate::lint::prelude::*;

/// Flags that decide about events, or where they are sent.
const ROLES: &[Role] = &[
    Role::KvEventsConfig,
    Role::PrefixCachingOn,
    Role::PrefixCachingOff,
    Role::HashAlgorithm,
    Role::BlockSize,
    Role::HybridManagerOn,
    Role::HybridManagerOff,
    Role::ConfigFile,
    Role::DataParallelSize,
    Role::DataParallelSizeLocal,
    Role::DataParallelRank,
];

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.publishers.iter().filter(|p| p.engine() == Engine::Vllm) {
        let publisher: &Publisher<'_> = publisher;
        for (index, flag) in publisher.flags.iter().enumerate() {
            let Some(identity) = identity(flag) else { continue };
            let later = publisher.flags.iter().skip(index + 1).rfind(|f| self::identity(f) == Some(identity));
            let Some(last) = later else { continue };
            let rows = &cli::parser().repeated_flag;
            let Some(verdict) = publisher.image.verdict(rows, |_| true) else { continue };
            let text = |f: &FlagUse| f.value.as_ref().map(|v| v.value.clone());
            let agree = text(flag) == text(last) && flag.role() == last.role();
            let opaque = [flag, last].into_iter().filter_map(|f| f.value.as_ref()).any(|v| v.opaque);
            // Both written elsewhere, they may agree.
            if opaque && !agree {
                continue;
            }
            let message = if flag.role() == last.role() {
                format!("`{}` is given twice, and only the last one counts", name(flag))
            } else {
                format!("`{}` is undone by `{}` further on", name(flag), name(last))
            };
            let report = cx
                .report(flag.span, message)
                .severity(if agree { Severity::Info } else { Severity::Warning })
                .observed(verdict.certainty)
                .label("without effect")
                .related(last.span, "this one counts")
                .help("remove one of the two")
                .note(publisher.image.evidence("vLLM", &verdict));
            // Of flags that no release has, none wins.
            if matches!(flag.meaning, Meaning::Known { .. }) {
                // Nothing that runs changes, but where the two differ the one that counts may be the mistake.
                let applicability = if agree { Applicability::Safe } else { Applicability::Unsafe };
                report.mend("remove the one without effect", applicability, |changes| {
                    CommandLine::of(publisher)?.remove(changes, flag)
                });
            }
        }
    }
}

/// What a use sets: the flag's role and its dotted key, or the documented flag. A switch and its opposite set the same.
fn identity(flag: &FlagUse) -> Option<(Option<Role>, Option<&str>)> {
    match flag.meaning {
        Meaning::Known { flag: known, .. } => {
            let role = known.role.filter(|r| ROLES.contains(r))?;
            let role = match role {
                Role::PrefixCachingOff => Role::PrefixCachingOn,
                Role::HybridManagerOff => Role::HybridManagerOn,
                role => role,
            };
            Some((Some(role), flag.dotted.as_ref().map(|key| key.value.as_str())))
        }
        Meaning::Documented(row) => Some((None, Some(row.name.as_str()))),
        Meaning::Ambiguous | Meaning::Other => None,
    }
}

fn name(flag: &FlagUse) -> String {
    match &flag.dotted {
        Some(key) => format!("{}.{}", flag.name, key.value),
        None => flag.name.clone(),
    }
}
