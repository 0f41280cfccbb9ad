//! `## Fixed` holds, in order, what the rule's fixes make of each Incorrect example. An Incorrect example of which nothing can
//! be fixed has the word `no-fix` in its fence; one whose fix is unsafe though those of the rule are safe, `unsafe-fix`. Of
//! several files only those that change need to stand there.
//!
//! Beside the text itself it is checked that what had a fix is no longer found, that a second run changes nothing, that every
//! comment is still there (but the one that the finding is about), and that no rule has more errors than before.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kvlint::fix::{self, Fixed, State};
use kvlint::lint::{self, Applicability, Diagnostic, FixKind, RULES, Rule, Severity};
use kvlint::load::{Content, Loaded, Overlay};

use super::example::{self, Example};

/// The example with some texts changed, loaded and linted by all rules.
fn state(example: &Example, over: &Overlay) -> State {
    let mut texts = example.texts();
    for (path, text) in &mut texts {
        if let Some(new) = over.get(path) {
            *text = String::from_utf8(new.to_vec()).expect("UTF-8");
        }
    }
    let (loaded, config) = super::load(example, &texts);
    let outcome = lint::lint(&loaded, &config, None);
    State { loaded, outcome, all: None }
}

fn run(rule: &Rule, example: &Example, limit: Applicability, over: &Overlay) -> Fixed {
    let chosen = |d: &Diagnostic| d.rule == rule.name;
    fix::fix(state(example, over), over.clone(), limit, &chosen, &mut |over| Some(state(example, over)))
}

fn limit(rule: &Rule, example: &Example) -> Applicability {
    let safe = rule.fix == FixKind::Safe && !example.unsafe_fix;
    if safe { Applicability::Safe } else { Applicability::Unsafe }
}

fn of_rule<'a>(rule: &'a Rule, state: &'a State) -> impl Iterator<Item = &'a Diagnostic> {
    state.outcome.diagnostics.iter().filter(|d| d.rule == rule.name)
}

fn is_mended(d: &Diagnostic, limit: Applicability) -> bool {
    d.fix.as_ref().is_some_and(|fix| fix.applicability.is_within(limit))
}

/// The comments of all files, but those that a finding of the rule stands in: they are what is wrong.
fn comments(rule: &Rule, loaded: &Loaded, at_fault: &[&Diagnostic]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for file in loaded.units.iter().flat_map(|unit| &unit.files) {
        let Content::Stream(stream) = &file.content else { continue };
        for comment in &stream.comments {
            if !at_fault.iter().any(|d| d.rule == rule.name && comment.span.contains(d.primary.span)) {
                *found.entry(file.source.slice(comment.span).to_string()).or_default() += 1;
            }
        }
    }
    found
}

fn errors(state: &State) -> BTreeMap<&'static str, usize> {
    let mut found = BTreeMap::new();
    for d in state.outcome.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
        *found.entry(d.rule).or_default() += 1;
    }
    found
}

fn check(rule: &Rule, example: &Example, wanted: &Example) -> Vec<String> {
    let mut wrong = Vec::new();
    let limit = limit(rule, example);
    let before = state(example, &Overlay::default());
    let at_fault: Vec<&Diagnostic> = of_rule(rule, &before).collect();
    let fixed = run(rule, example, limit, &Overlay::default());
    wrong.extend(fixed.discarded.iter().map(|d| format!("the fix at {} was taken back: {}", d.place, d.why)));
    if fixed.end != fix::End::Settled {
        wrong.push("the fixes bring each other back".into());
    }
    let wanted: BTreeMap<PathBuf, String> = wanted.texts().into_iter().collect();
    let mut over = Overlay::default();
    for change in &fixed.changes {
        over.insert(change.location.clone(), change.after.clone().into_bytes());
        match wanted.get(&change.location) {
            Some(text) if *text == change.after => {}
            Some(text) => {
                let diff = fix::diff::unified(&change.location, text, &change.after);
                wrong.push(format!("what stands under Fixed and what the fix makes:\n{diff}"));
            }
            None => wrong.push(format!("{} changes and is not under Fixed", change.location.display())),
        }
    }
    for path in wanted.keys().filter(|path| !fixed.changes.iter().any(|c| c.location == **path)) {
        wrong.push(format!("nothing changes in {}", path.display()));
    }
    let open = at_fault.iter().filter(|d| !is_mended(d, limit)).count();
    let left: Vec<&Diagnostic> = of_rule(rule, &fixed.state).collect();
    if left.len() != open || left.iter().any(|d| is_mended(d, limit)) {
        wrong.push(format!("{open} findings had no fix, and these are left: {left:#?}"));
    }
    let again = run(rule, example, limit, &over);
    wrong.extend(again.changes.iter().map(|c| format!("a second run makes of {}:\n{}", c.location.display(), c.after)));
    let kept = comments(rule, &fixed.state.loaded, &[]);
    for (text, n) in comments(rule, &before.loaded, &at_fault) {
        if kept.get(&text).copied().unwrap_or(0) < n {
            wrong.push(format!("the comment {text:?} is lost"));
        }
    }
    let old = errors(&before);
    for (name, n) in errors(&fixed.state) {
        if n > old.get(name).copied().unwrap_or(0) {
            wrong.push(format!("{name} has {n} errors now"));
        }
    }
    wrong
}

#[test]
fn every_fix_makes_what_stands_under_fixed() {
    let only = std::env::var("RULE").ok();
    let mut wrong = Vec::new();
    for rule in RULES.iter().filter(|r| only.as_ref().is_none_or(|name| r.name == name)) {
        let incorrect = example::parse(rule.section("Incorrect"));
        let fixed = example::parse(rule.section("Fixed"));
        let with_fix: Vec<&Example> = incorrect.iter().filter(|e| rule.fix != FixKind::None && !e.no_fix).collect();
        for (i, example) in incorrect.iter().enumerate().filter(|(_, e)| rule.fix == FixKind::None || e.no_fix) {
            let found = state(example, &Overlay::default());
            if of_rule(rule, &found).any(|d| is_mended(d, Applicability::Unsafe)) {
                wrong.push(format!("{}: Incorrect example {} has a fix", rule.name, i + 1));
            }
        }
        if with_fix.len() != fixed.len() {
            let (a, b) = (with_fix.len(), fixed.len());
            wrong.push(format!("{}: {a} Incorrect examples are not marked `no-fix`, {b} stand under Fixed", rule.name));
            continue;
        }
        for (i, (example, wanted)) in with_fix.into_iter().zip(&fixed).enumerate() {
            wrong.extend(
                check(rule, example, wanted).into_iter().map(|w| format!("{}, Fixed {}: {w}", rule.name, i + 1)),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
