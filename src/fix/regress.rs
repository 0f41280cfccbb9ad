//! What fixes broke: errors and unreadable documents that were not there before.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};

use super::moves::Moves;
use crate::display::shown;
use crate::lint::{Diagnostic, Edit, Failure, Outcome, Severity};
use crate::load::{Content, Loaded};
use crate::source::Span;

/// What must not become more.
pub(crate) struct Troubles<'a> {
    errors: Vec<Trouble<'a>>,
    /// Documents that can't be read, by file.
    broken: BTreeMap<&'a Path, usize>,
    failures: &'a [Failure],
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
    let failed = after.failures.iter().find(|new| !before.failures.iter().any(|known| known.part == new.part));
    failed.map(|failure| format!("it brings an {failure}"))
}

/// An error that was there before, and where it is now.
struct Old {
    span: Span,
    /// Whether it stands for no new one yet.
    free: bool,
}

/// The old errors by what a new one has in common with them, in their order.
type By<'a, K> = HashMap<(&'a Path, &'static str, K), VecDeque<usize>>;

/// The first error that was not there before. Each old error stands for one new one, of the same rule in the same file: first
/// for one that starts at its place, then for one that says the same, then for one that it touches.
fn unmatched<'a>(
    before: &Troubles<'_>,
    after: &'a Troubles<'a>,
    edits: &BTreeMap<PathBuf, &[Edit]>,
) -> Option<&'a Trouble<'a>> {
    let moves: HashMap<&Path, Moves> = edits.iter().map(|(path, edits)| (path.as_path(), Moves::of(edits))).collect();
    let mut old: Vec<Old> = Vec::new();
    let (mut by_place, mut by_words): (By<'_, u32>, By<'_, &str>) = (By::new(), By::new());
    let mut by_rule: By<'_, ()> = By::new();
    for Trouble { path, diagnostic, .. } in &before.errors {
        let (span, at) = (diagnostic.primary.span, old.len());
        let span = moves.get(path).map_or(span, |moves| moves.forward(span));
        by_place.entry((path, diagnostic.rule, span.start)).or_default().push_back(at);
        by_words.entry((path, diagnostic.rule, &diagnostic.message)).or_default().push_back(at);
        by_rule.entry((path, diagnostic.rule, ())).or_default().push_back(at);
        old.push(Old { span, free: true });
    }
    let mut left: Vec<&Trouble<'_>> = after.errors.iter().collect();
    left.retain(|new| {
        let key = (new.path, new.diagnostic.rule, new.diagnostic.primary.span.start);
        !take(by_place.get_mut(&key), &mut old)
    });
    left.retain(|new| {
        let key = (new.path, new.diagnostic.rule, new.diagnostic.message.as_str());
        !take(by_words.get_mut(&key), &mut old)
    });
    left.retain(|new| {
        let Some(same) = by_rule.get_mut(&(new.path, new.diagnostic.rule, ())) else { return true };
        same.retain(|at| old[*at].free);
        let place = new.diagnostic.primary.span;
        let touches = |at: &&usize| old[**at].span.start <= place.end && place.start <= old[**at].span.end;
        let Some(&at) = same.iter().find(touches) else { return true };
        old[at].free = false;
        false
    });
    left.first().copied()
}

/// Takes the first that stands for no other.
fn take(same: Option<&mut VecDeque<usize>>, old: &mut [Old]) -> bool {
    let Some(same) = same else { return false };
    while let Some(at) = same.pop_front() {
        if std::mem::take(&mut old[at].free) {
            return true;
        }
    }
    false
}
