//! Runs every rule over every unit, and sorts what they find.

use std::fmt;

use rayon::prelude::*;

use super::context::{RunContext, Sink, UnitContext};
use super::diagnostic::{Diagnostic, Severity};
use super::objects::Shared;
use super::rule::{Check, RULES, Rule};
use super::suppress::Suppressions;
use super::{objects, overlays, relocate, restrain};
use crate::config::{Config, Level};
use crate::events::Model;
use crate::load::{Loaded, Unit};
use crate::panics;
use crate::source::SourceMap;

/// What a run found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Sorted by file, place and rule.
    pub diagnostics: Vec<Diagnostic>,
    /// Findings that comments and annotations silenced.
    pub suppressed: usize,
    /// Parts of the run that failed. The others ran.
    pub failures: Vec<Failure>,
}

/// A part of a run that panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What failed.
    pub part: Part,
    /// What it said, and where.
    pub message: String,
}

/// A part of a run that may fail without the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The rule of this name.
    Rule(&'static str),
    /// What is made of the unit with this title, for the rules about units: none of them ran there.
    Model(String),
}

impl Failure {
    /// Whether a rule may have found nothing because of it.
    pub fn stops(&self, rule: &Rule) -> bool {
        match &self.part {
            Part::Rule(name) => *name == rule.name,
            Part::Model(_) => matches!(rule.check, Check::Unit(_)),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "internal error in {}: {}", self.part, self.message)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Rule(name) => write!(f, "rule {name}"),
            Part::Model(unit) => write!(f, "the model of {unit}, which no rule about units looked at"),
        }
    }
}

/// Lints all that was loaded. `only` restricts the run to some rules; suppressions are honoured in any case.
pub fn lint(loaded: &Loaded, config: &Config, only: Option<&[&str]>) -> Outcome {
    let chosen: Vec<&'static Rule> =
        RULES.iter().filter(|r| only.is_none_or(|names| names.contains(&r.name))).collect();
    let mut outcome = Outcome::default();
    let mut by_unit = Vec::new();
    let places = relocate::Relocation::new(loaded);
    let mut shared = Shared::of(&loaded.units);
    for unit in &loaded.units {
        let mut found = Vec::new();
        collect(lint_unit(unit, &chosen, config, &mut shared), &mut found, &mut outcome.failures);
        overlays::name_overridden(unit, &mut found);
        let found = found.into_par_iter().map(|d| relocate::relocate(d, &places)).collect();
        by_unit.push(found);
    }
    let found = overlays::join(loaded, by_unit);
    let mut suppressions = Suppressions::collect(loaded);
    let configured = |d: Diagnostic| configure(d, loaded, config);
    let mut kept: Vec<Diagnostic> = found.into_iter().filter_map(configured).collect();
    let before = kept.len();
    kept.retain(|d| !suppressions.silence(d));
    outcome.suppressed = before - kept.len();
    let failed = |rule: &Rule| outcome.failures.iter().any(|failure| failure.stops(rule));
    let sound: Vec<&'static Rule> = chosen.iter().copied().filter(|rule| !failed(rule)).collect();
    suppressions.settle(&sound, loaded, config);
    let last = chosen.iter().filter_map(|rule| match rule.check {
        Check::Run(check) => Some(guarded(rule, config, |sink| {
            let mut cx = RunContext { loaded, config, suppressions: &suppressions, sink };
            check(&mut cx);
            cx.sink
        })),
        _ => None,
    });
    let mut found = Vec::new();
    collect(last.collect(), &mut found, &mut outcome.failures);
    let moved = found.into_iter().map(|d| relocate::relocate(d, &places));
    let late: Vec<Diagnostic> = moved.filter_map(configured).collect();
    let before = late.len();
    let late: Vec<Diagnostic> = late.into_iter().filter(|d| !suppressions.silence(d)).collect();
    outcome.suppressed += before - late.len();
    kept.extend(late);
    kept.iter_mut().for_each(|d| restrain::to_editable(d, &loaded.sources));
    sort(&mut kept, &loaded.sources);
    kept.dedup();
    outcome.diagnostics = kept;
    outcome
}

/// A rule over a unit, with its check.
type AboutUnit = (&'static Rule, fn(&mut UnitContext<'_>));

/// What some rules say of a unit, with every place as it is there, and which of them failed.
pub(super) fn examine(unit: &Unit, config: &Config, rules: &[&str]) -> (Vec<Diagnostic>, Vec<Failure>) {
    let chosen: Vec<&'static Rule> = rules.iter().filter_map(|name| super::rule::find(name)).collect();
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    collect(lint_unit(unit, &chosen, config, &mut Shared::default()), &mut found, &mut failures);
    (found, failures)
}

/// What a part of a run found, and what failed of others that it had a look at; or its own failure.
pub(super) type Guarded = Result<(Vec<Diagnostic>, Vec<Failure>), Failure>;

fn collect(results: Vec<Guarded>, found: &mut Vec<Diagnostic>, failures: &mut Vec<Failure>) {
    for result in results {
        match result {
            Ok((diagnostics, others)) => {
                found.extend(diagnostics);
                failures.extend(others);
            }
            Err(failure) => failures.push(failure),
        }
    }
}

fn lint_unit(unit: &Unit, rules: &[&'static Rule], config: &Config, shared: &mut Shared) -> Vec<Guarded> {
    let runs = |rule: &&&'static Rule| unit.is_complete() || !rule.needs_complete;
    let (mut about_objects, mut about_unit) = (Vec::new(), Vec::new());
    for rule in rules.iter().filter(runs) {
        match rule.check {
            Check::Resource(check) => about_objects.push((*rule, check)),
            Check::Unit(check) => about_unit.push((*rule, check)),
            Check::Run(_) => {}
        }
    }
    let objects = || objects::lint(unit, &about_objects, config, shared);
    let whole = || -> Vec<Guarded> {
        let model = match panics::guarded(|| Model::new(unit, config)) {
            Ok(model) => model,
            Err(message) => return vec![Err(Failure { part: Part::Model(unit.title()), message })],
        };
        let run = |(rule, check): &AboutUnit| {
            guarded(rule, config, |sink| {
                let mut cx = UnitContext { unit, model: &model, config, sink };
                check(&mut cx);
                cx.sink
            })
        };
        about_unit.par_iter().map(run).collect()
    };
    let (objects, whole) = rayon::join(objects, whole);
    whole.into_iter().chain(objects).collect()
}

/// A rule that panics takes nothing else with it.
pub(super) fn guarded(rule: &'static Rule, config: &Config, run: impl FnOnce(Sink) -> Sink) -> Guarded {
    let sink = Sink::new(rule, config);
    let failure = |message| Failure { part: Part::Rule(rule.name), message };
    panics::guarded(|| run(sink)).map(Sink::into_found).map_err(failure)
}

/// Applies the configured level of the rule at the finding's path.
fn configure(mut diagnostic: Diagnostic, loaded: &Loaded, config: &Config) -> Option<Diagnostic> {
    let path = loaded.sources.file(diagnostic.primary.span.file).path();
    match config.level(diagnostic.rule, path) {
        None => {}
        Some(Level::Off) => return None,
        Some(Level::Info) => diagnostic.severity = Severity::Info,
        Some(Level::Warning) => diagnostic.severity = Severity::Warning,
        Some(Level::Error) => diagnostic.severity = Severity::Error,
    }
    Some(diagnostic)
}

fn sort(diagnostics: &mut [Diagnostic], sources: &SourceMap) {
    diagnostics.sort_by(|a, b| {
        let path = |d: &Diagnostic| sources.file(d.primary.span.file).path();
        path(a)
            .cmp(path(b))
            .then_with(|| a.primary.span.cmp(&b.primary.span))
            .then_with(|| a.rule.cmp(b.rule))
            .then_with(|| a.message.cmp(&b.message))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::find;

    fn breaks(_: &mut UnitContext<'_>) {
        panic!("out of bounds");
    }

    /// Asks a rule that breaks.
    fn asks(cx: &mut UnitContext<'_>) {
        let (found, failures) = outcome(cx.unit, breaks, "breaks");
        assert!(found.is_empty());
        cx.sink.failures.extend(failures);
    }

    fn outcome(unit: &Unit, check: fn(&mut UnitContext<'_>), name: &'static str) -> (Vec<Diagnostic>, Vec<Failure>) {
        let known = find("yaml-syntax").unwrap();
        let rule: &'static Rule = Box::leak(Box::new(Rule { name, check: Check::Unit(check), ..*known }));
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        collect(lint_unit(unit, &[rule], &Config::default(), &mut Shared::default()), &mut found, &mut failures);
        (found, failures)
    }

    #[test]
    fn a_rule_that_breaks_is_a_failure_also_where_another_rule_asked_it() {
        let loaded = crate::load::from_texts(&[("a.yaml".into(), "apiVersion: v1\nkind: Pod\n".into())]);
        for check in [breaks as fn(&mut UnitContext<'_>), asks] {
            let (_, failures) = outcome(&loaded.units[0], check, "breaks");
            assert_eq!(failures.len(), 1);
            assert_eq!(failures[0].part, Part::Rule("breaks"));
            assert!(failures[0].message.starts_with("out of bounds"));
        }
    }

    #[test]
    fn a_model_that_breaks_stops_the_rules_about_units_alone() {
        let failure = Failure { part: Part::Model("deploy".into()), message: "out of bounds".into() };
        let stopped = |check: fn(&Check) -> bool| RULES.iter().filter(|r| check(&r.check)).all(|r| failure.stops(r));
        assert!(stopped(|check| matches!(check, Check::Unit(_))));
        assert!(!RULES.iter().filter(|r| !matches!(r.check, Check::Unit(_))).any(|r| failure.stops(r)));
    }
}
