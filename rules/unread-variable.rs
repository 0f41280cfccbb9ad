use crate::edit::Refusal;
use crate::events::{Engine, Publisher};
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::{self, is_unread_event_variable, option_by_env};
use crate::fix::publish;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for publisher in model.engines().filter(|p| p.engine() == Engine::Vllm) {
        let variables = publisher.container.env_vars();
        let unread = |name: &str| is_unread_event_variable(name) && !publish::is_mentioned(publisher, name);
        let found: Vec<_> = variables.iter().filter(|v| v.name.text().is_some_and(unread)).collect();
        let Some((first, rest)) = found.split_first() else { continue };
        let name = first.name.text().unwrap_or_default();
        let more = match rest.len() {
            0 => String::new(),
            1 => ", nor 1 other given here".to_string(),
            n => format!(", nor {n} others given here"),
        };
        let image = &publisher.image;
        // With the real option beside them they are only litter.
        let harmless = publisher.is_on() && publisher.effective_config().is_some();
        let severity = if harmless { Severity::Warning } else { Severity::Error };
        let env = &vllm::table().env;
        let verdict = image.verdict(&env.unread, |_| true);
        let strict = publisher
            .uses(Role::StrictEnvironment)
            .next()
            .filter(|_| image.release.as_ref().is_some_and(|release| env.strict.releases.contains(release)));
        let mut report = cx
            .report(first.name.span(), format!("vLLM does not read `{name}`{more}"))
            .severity(severity)
            .observed(image.certainty_of_all())
            .label("read by no release of vLLM");
        for variable in rest {
            report = report.related(variable.name.span(), "read by no release of vLLM");
        }
        if let Some(flag) = strict {
            let note = env.strict.note.as_deref().unwrap_or_default();
            report = report.related(flag.span, format!("{}: {note}", env.strict.effect.outcome()));
        }
        let flag = &cli::flag_for(Role::KvEventsConfig).name;
        let setting = option_by_env(name).map_or("…", |row| row.setting.key());
        report = report.help(match harmless {
            true => format!("remove it: `{flag}` says it all"),
            false => format!("set `{setting}` in the JSON of `{flag}`; there is no variable for it"),
        });
        let foreign = found.iter().find(|v| v.name.text().and_then(option_by_env).is_none()).map(|v| v.name.span());
        let report = match foreign {
            // What it was meant to set is not known.
            Some(place) => report.mend("write it into the JSON", Applicability::Display, |_| {
                Err(Refusal::at(place, "a variable here stands for no setting"))
            }),
            None if off(publisher) || harmless && agrees(publisher) => {
                report.mend("remove them", Applicability::Safe, |changes| publish::remove_variables(publisher, changes))
            }
            None => {
                let title = publish::conversion_title(publisher);
                report.mend(title, publish::conversion(model, publisher), |changes| {
                    publish::convert(model, publisher, changes)
                })
            }
        };
        if let Some(verdict) = verdict {
            report.note(image.evidence("vLLM", &verdict));
        }
    }
}

/// Whether the variables ask for nothing, so that they only have to go.
fn off(publisher: &Publisher<'_>) -> bool {
    publisher.effective_config().is_none()
        && publisher.flags.iter().all(|f| cli::option_by_flag(&f.name).is_none())
        && { publisher.is_switched_off() }
}

/// Whether the option that is read says what the variables say.
fn agrees(publisher: &Publisher<'_>) -> bool {
    publisher.documented.iter().all(|written| {
        let said = written.value.as_ref().map(|v| v.text.value.to_ascii_lowercase());
        let read = publisher.setting(written.setting).known().map(|v| v.text.value.to_ascii_lowercase());
        said.is_some() && said == read
    })
}
