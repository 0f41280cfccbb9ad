//! Runs every rule over every unit, and sorts what they find.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use super::context::{ResourceContext, RunContext, Seen, Sink, UnitContext};
use super::diagnostic::{Diagnostic, Severity};
use super::overlays;
use super::rule::{Check, RULES, Rule};
use super::suppress::Suppressions;
use crate::config::{Config, Level};
use crate::events::Model;
use crate::load::{Loaded, Resource, Unit};
use crate::source::SourceMap;

/// Objects that one task looks at: enough that starting the task costs nothing beside them, and few enough that they stay
/// in the processor's cache while one rule after another looks at them.
const CHUNK: usize = 32;

/// What a run found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Sorted by file, place and rule.
    pub diagnostics: Vec<Diagnostic>,
    /// Findings that comments and annotations silenced.
    pub suppressed: usize,
    /// Rules that failed, with what they said. The other rules ran.
    pub failures: Vec<(&'static str, String)>,
}

/// Lints all that was loaded. `only` restricts the run to some rules; suppressions are honoured in any case.
pub fn lint(loaded: &Loaded, config: &Config, only: Option<&[&str]>) -> Outcome {
    let chosen: Vec<&'static Rule> =
        RULES.iter().filter(|r| only.is_none_or(|names| names.contains(&r.name))).collect();
    let mut outcome = Outcome::default();
    let mut by_unit = Vec::new();
    for unit in &loaded.units {
        let mut found = Vec::new();
        collect(lint_unit(unit, &chosen, config), &mut found, &mut outcome.failures);
        overlays::name_overridden(unit, &mut found);
        by_unit.push(found);
    }
    let found = overlays::join(loaded, by_unit);
    let mut suppressions = Suppressions::collect(loaded);
    let configured = |d: Diagnostic| configure(d, loaded, config);
    let mut kept: Vec<Diagnostic> = found.into_iter().filter_map(configured).collect();
    let before = kept.len();
    kept.retain(|d| !suppressions.silence(d));
    outcome.suppressed = before - kept.len();
    let failed = |rule: &Rule| outcome.failures.iter().any(|(name, _)| *name == rule.name);
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
    let late: Vec<Diagnostic> = found.into_iter().filter_map(configured).collect();
    let before = late.len();
    let late: Vec<Diagnostic> = late.into_iter().filter(|d| !suppressions.silence(d)).collect();
    outcome.suppressed += before - late.len();
    kept.extend(late);
    sort(&mut kept, &loaded.sources);
    kept.dedup();
    outcome.diagnostics = kept;
    outcome
}

/// A rule over a unit, with its check.
type AboutUnit = (&'static Rule, fn(&mut UnitContext<'_>));

/// A rule over single objects, with its check.
type AboutObject = (&'static Rule, fn(&mut ResourceContext<'_>));

type Guarded = Result<Vec<Diagnostic>, (&'static str, String)>;

fn collect(results: Vec<Guarded>, found: &mut Vec<Diagnostic>, failures: &mut Vec<(&'static str, String)>) {
    for result in results {
        match result {
            Ok(diagnostics) => found.extend(diagnostics),
            Err(failure) => failures.push(failure),
        }
    }
}

fn lint_unit(unit: &Unit, rules: &[&'static Rule], config: &Config) -> Vec<Guarded> {
    let runs = |rule: &&&'static Rule| unit.is_complete() || !rule.needs_complete;
    let (mut about_objects, mut about_unit) = (Vec::new(), Vec::new());
    for rule in rules.iter().filter(runs) {
        match rule.check {
            Check::Resource(check) => about_objects.push((*rule, check)),
            Check::Unit(check) => about_unit.push((*rule, check)),
            Check::Run(_) => {}
        }
    }
    // All rules look at an object while it is at hand, then at the next.
    let objects = || -> Vec<Vec<Guarded>> {
        unit.resources.par_chunks(CHUNK).map(|chunk| lint_objects(chunk, &about_objects, config)).collect()
    };
    let whole = || -> Vec<Guarded> {
        let model = Model::new(unit, config);
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
    whole.into_iter().chain(objects.into_iter().flatten()).collect()
}

/// What the rules about single objects find in some; a rule that fails says so once.
fn lint_objects(resources: &[Resource], rules: &[AboutObject], config: &Config) -> Vec<Guarded> {
    if !rules.is_empty() {
        // The search for duplicate keys goes through a tree in the order in which it lies in memory, and the rules jump about
        // in it: this way round they find it in the cache. What is found is kept by the tree. A tree that was put together has
        // no key twice, and nobody asks.
        let read = resources.iter().map(Resource::tree).filter(|tree| !tree.is_composed());
        read.for_each(|tree| drop(tree.duplicate_keys()));
    }
    let seen: Vec<Seen<'_>> = resources.iter().map(|_| Seen::default()).collect();
    let run = |(rule, check): &AboutObject| {
        guarded(rule, config, |mut sink| {
            for (resource, seen) in resources.iter().zip(&seen) {
                let mut cx = ResourceContext { resource, config, seen, sink };
                check(&mut cx);
                sink = cx.sink;
            }
            sink
        })
    };
    rules.iter().map(run).collect()
}

/// A rule that panics takes nothing else with it.
fn guarded(rule: &'static Rule, config: &Config, run: impl FnOnce(Sink) -> Sink) -> Guarded {
    let sink = Sink::new(rule, config);
    match catch_unwind(AssertUnwindSafe(|| run(sink))) {
        Ok(sink) => Ok(sink.into_found()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Err((rule.name, text.to_string()))
        }
    }
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
