//! What fixes broke: errors and unreadable documents that were not there before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::apply::forward;
use crate::lint::{Diagnostic, Edit, Outcome, Severity};
use crate::load::{Content, Loaded};
use crate::report::shown;
use crate::source::Span;

/// What must not become more.
pub(crate) struct Troubles<'a> {
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
    /// Those of what was loaded, and of what all rules found in it.
    pub(crate) fn of(loaded: &'a Loaded, outcome: &'a Outcome) -> Troubles<'a> {
        let sources = &loaded.sources;
        let trouble = |diagnostic: &'a Diagnostic| {
            let path = sources.file(diagnostic.primary.span.file).path();
            let at = sources.line_column(diagnostic.primary.span);
            Trouble { path, place: format!("{}:{}:{}", shown(path), at.line, at.column), diagnostic }
        };
        let errors = outcome.diagnostics.iter().filter(|d| d.severity == Severity::Error).map(trouble).collect();
        let mut broken: BTreeMap<&Path, usize> = BTreeMap::new();
        for file in loaded.units.iter().flat_map(|unit| &unit.files) {
            let bad: usize = match &file.content {
                Content::Stream(stream) => stream.documents.iter().filter(|d| d.content.is_err()).count(),
                Content::NotText { .. } | Content::Template => 1,
            };
            broken.insert(file.source.path(), bad);
        }
        Troubles { errors, broken, failures: &outcome.failures }
    }
}

/// What is there after some edits that was not there before, in words. The edits go by the path that findings show.
pub(crate) fn brought(
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
    if let Some(new) = unmatched(before, after, edits) {
        return Some(format!("it brings error[{}] {} ({})", new.diagnostic.rule, new.diagnostic.message, new.place));
    }
    let failed = after.failures.iter().find(|(rule, _)| !before.failures.iter().any(|(known, _)| known == rule));
    failed.map(|(rule, text)| format!("the rule {rule} fails on it: {text}"))
}

/// How surely an old error is the new one, of the same rule in the same file.
#[derive(Clone, Copy)]
enum Match {
    /// It starts where the new one does.
    Place,
    /// It says the same.
    Words,
    /// It touches the new one.
    Touch,
}

impl Match {
    fn holds(self, old: (&Diagnostic, Span), new: &Diagnostic) -> bool {
        let (span, place) = (old.1, new.primary.span);
        match self {
            Match::Place => span.start == place.start,
            Match::Words => old.0.message == new.message,
            Match::Touch => span.start <= place.end && place.start <= span.end,
        }
    }
}

/// The first error that was not there before. The surest matches are made first, and each old error stands for one new
/// one.
fn unmatched<'a>(
    before: &Troubles<'_>,
    after: &'a Troubles<'a>,
    edits: &BTreeMap<PathBuf, &[Edit]>,
) -> Option<&'a Trouble<'a>> {
    let mut old: BTreeMap<(&Path, &str), Vec<(&Diagnostic, Span)>> = BTreeMap::new();
    for t in &before.errors {
        let moved = forward(edits.get(t.path).copied().unwrap_or(&[]), t.diagnostic.primary.span);
        old.entry((t.path, t.diagnostic.rule)).or_default().push((t.diagnostic, moved));
    }
    let mut left: Vec<&Trouble<'_>> = after.errors.iter().collect();
    for way in [Match::Place, Match::Words, Match::Touch] {
        left.retain(|new| {
            let Some(same) = old.get_mut(&(new.path, new.diagnostic.rule)) else { return true };
            let Some(index) = same.iter().position(|o| way.holds(*o, new.diagnostic)) else { return true };
            same.remove(index);
            false
        });
    }
    left.first().copied()
}
