//! What fixes broke: errors and unreadable documents that were not there before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::apply::{State, forward};
use crate::lint::{Diagnostic, Edit, Severity};
use crate::load::Content;
use crate::report::shown;
use crate::source::Span;

/// What must not become more.
pub(super) struct Troubles<'a> {
    errors: Vec<Trouble<'a>>,
    /// Documents that can't be read, by file.
    broken: BTreeMap<&'a Path, usize>,
    failures: &'a [(&'static str, String)],
}

struct Trouble<'a> {
    path: &'a Path,
    place: String,
    diagnostic: &'a Diagnostic,
}

impl<'a> Troubles<'a> {
    /// Those of a state.
    pub(super) fn of(state: &'a State) -> Troubles<'a> {
        let outcome = state.all.as_ref().unwrap_or(&state.outcome);
        let sources = &state.loaded.sources;
        let trouble = |diagnostic: &'a Diagnostic| {
            let path = sources.file(diagnostic.primary.span.file).path();
            let at = sources.line_column(diagnostic.primary.span);
            Trouble { path, place: format!("{}:{}:{}", shown(path), at.line, at.column), diagnostic }
        };
        let errors = outcome.diagnostics.iter().filter(|d| d.severity == Severity::Error).map(trouble).collect();
        let mut broken: BTreeMap<&Path, usize> = BTreeMap::new();
        for file in state.loaded.units.iter().flat_map(|unit| &unit.files) {
            let bad: usize = match &file.content {
                Content::Stream(stream) => stream.documents.iter().filter(|d| d.content.is_err()).count(),
                Content::NotText { .. } | Content::Template => 1,
            };
            broken.insert(file.source.path(), bad);
        }
        Troubles { errors, broken, failures: &outcome.failures }
    }
}

/// What is there after some edits that was not there before, in words.
pub(super) fn brought(
    before: &Troubles<'_>,
    after: &Troubles<'_>,
    edits: &BTreeMap<PathBuf, &[Edit]>,
) -> Option<String> {
    let more = |(path, n): (&&Path, &usize)| *n > before.broken.get(path).copied().unwrap_or(0);
    if let Some((path, _)) = after.broken.iter().find(|entry| more(*entry)) {
        let syntax = after.errors.iter().find(|t| t.path == *path && t.diagnostic.rule == "yaml-syntax");
        let why = syntax.map(|t| format!(": {} ({})", t.diagnostic.message, t.place)).unwrap_or_default();
        return Some(format!("{} could not be read any more{why}", shown(path)));
    }
    let mut old: Vec<(&Trouble<'_>, Span)> = before
        .errors
        .iter()
        .map(|t| (t, forward(edits.get(t.path).copied().unwrap_or(&[]), t.diagnostic.primary.span)))
        .collect();
    // The surest matches first, so that one old error does not stand for two new ones.
    let same_place = |(t, span): &(&Trouble<'_>, Span), new: &Trouble<'_>| {
        let place = new.diagnostic.primary.span;
        t.path == new.path && t.diagnostic.rule == new.diagnostic.rule && span.start == place.start
    };
    let same_words = |(t, _): &(&Trouble<'_>, Span), new: &Trouble<'_>| {
        let (a, b) = (t.diagnostic, new.diagnostic);
        t.path == new.path && a.rule == b.rule && a.message == b.message
    };
    let near = |(t, span): &(&Trouble<'_>, Span), new: &Trouble<'_>| {
        let place = new.diagnostic.primary.span;
        let touch = span.start <= place.end && place.start <= span.end;
        t.path == new.path && t.diagnostic.rule == new.diagnostic.rule && touch
    };
    let mut left: Vec<&Trouble<'_>> = after.errors.iter().collect();
    let ways: [&dyn Fn(&(&Trouble<'_>, Span), &Trouble<'_>) -> bool; 3] = [&same_place, &same_words, &near];
    for way in ways {
        left.retain(|new| match old.iter().position(|o| way(o, new)) {
            Some(index) => {
                old.swap_remove(index);
                false
            }
            None => true,
        });
    }
    if let Some(new) = left.first() {
        return Some(format!("it brings error[{}] {} ({})", new.diagnostic.rule, new.diagnostic.message, new.place));
    }
    let failed = after.failures.iter().find(|(rule, _)| !before.failures.iter().any(|(known, _)| known == rule));
    failed.map(|(rule, text)| format!("the rule {rule} fails on it: {text}"))
}
