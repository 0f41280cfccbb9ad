//! The loop: take fixes that don't conflict, apply them in memory, load and lint again, until nothing is left to do.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::moves::Moves;
use super::regress::{self, Troubles};
use crate::edit::apply_to;
use crate::lint::{Applicability, Diagnostic, Edit, Outcome};
use crate::load::{Loaded, Overlay, STDIN};
use crate::source::{FileId, SourceFile, Span};

/// Fixes bring other fixes to light, and of those that meet at one place one is made in a round. Where so many rounds in a row
/// leave no fewer to make, they bring each other back.
const ROUNDS: usize = 10;

/// Rounds in all: each loads and lints everything.
const ALL_ROUNDS: usize = 100;

/// Pieces of a round that are tried to be left out, one at a time: each is a run of all rules.
const PIECES: usize = 16;

/// What was loaded, and what was found in it.
#[derive(Debug, Default)]
pub struct State {
    /// All that was read.
    pub loaded: Loaded,
    /// What is reported.
    pub outcome: Outcome,
    /// What all rules find, where `outcome` holds some rules only: a fix must not break what nobody asked about.
    pub all: Option<Outcome>,
}

impl State {
    fn troubles(&self) -> Troubles<'_> {
        Troubles::of(&self.loaded, self.all.as_ref().unwrap_or(&self.outcome))
    }
}

/// A fix that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The rule that gave it.
    pub rule: &'static str,
    /// What it did.
    pub title: String,
    /// The findings that it mended.
    pub findings: usize,
}

/// A fix that was tried and taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// The rule that gave it.
    pub rule: &'static str,
    /// What it would do.
    pub title: String,
    /// `path:line:column` of the finding.
    pub place: String,
    /// What it would break.
    pub why: String,
}

/// A file that is to be written.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its canonical path; [`STDIN`] for standard input.
    pub location: PathBuf,
    /// The text as it was read.
    pub before: Arc<SourceFile>,
    /// The text to write.
    pub after: String,
}

/// What came of a run of fixes. Nothing is written yet.
#[derive(Debug, Default)]
pub struct Fixed {
    /// The files after all fixes, and what is still found in them.
    pub state: State,
    /// Files that differ, sorted by path.
    pub changes: Vec<Change>,
    /// Fixes in the order in which they were made.
    pub made: Vec<Made>,
    /// Fixes that were taken back.
    pub discarded: Vec<Discarded>,
    /// Files that one fix changes together, as canonical paths: all of them are written or none.
    pub together: Vec<Vec<PathBuf>>,
    /// Why there was no further round.
    pub end: End,
}

/// Why no more fixes are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// Nothing was left to do.
    #[default]
    Settled,
    /// Fixes bring each other back.
    Circle,
    /// Those that wait for others are too many for one run.
    Unfinished,
}

/// Loads and lints what is on disk with some texts over it. `None` where the paths lead nowhere any more.
pub type Reload<'a> = dyn FnMut(&Overlay) -> Option<State> + 'a;

/// A fix in terms of files, which outlive one round's ids.
#[derive(Clone, Debug)]
struct Candidate {
    rule: &'static str,
    title: String,
    place: String,
    findings: usize,
    edits: Vec<Keyed>,
}

impl Candidate {
    fn place_in_files(&self) -> Option<(&Path, u32, u32)> {
        self.edits.first().map(|e| (e.key.as_path(), e.edit.span.start, e.edit.span.end))
    }
}

/// An edit of the file at a canonical path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Keyed {
    key: PathBuf,
    edit: Edit,
}

/// Makes the fixes up to `limit` of the findings that `chosen` takes, in memory.
///
/// All edits of a fix are made or none. Of fixes that touch the same bytes the first by place, then by rule counts, and the
/// others have their turn in the next round. After each round everything is loaded and linted again; a fix that brings an
/// error, or a document that can't be read, is taken back.
pub fn fix(
    first: State,
    overlay: Overlay,
    limit: Applicability,
    chosen: &dyn Fn(&Diagnostic) -> bool,
    reload: &mut Reload<'_>,
) -> Fixed {
    let mut fixed = Fixed { state: first, ..Fixed::default() };
    let mut overlay = overlay;
    let mut before: BTreeMap<PathBuf, Arc<SourceFile>> = BTreeMap::new();
    let mut refused: Vec<Vec<Keyed>> = Vec::new();
    let (mut fewest, mut idle, mut rounds) = (usize::MAX, 0, 0);
    loop {
        let mut open = candidates(&fixed.state, limit, chosen);
        let known: HashSet<&Vec<Keyed>> = refused.iter().collect();
        open.retain(|candidate| !known.contains(&candidate.edits));
        let left = open.len();
        let batch = without_conflicts(open);
        if batch.is_empty() {
            break;
        }
        (fewest, idle) = if left < fewest { (left, 0) } else { (fewest, idle + 1) };
        if idle == ROUNDS || rounds == ALL_ROUNDS {
            fixed.end = if idle == ROUNDS { End::Circle } else { End::Unfinished };
            break;
        }
        rounds += 1;
        let mut round = Round { state: &fixed.state, overlay: &overlay, batch: &batch, reload, best: None };
        let (kept, back) = round.settle();
        let best = round.best.take();
        refused.extend(back.iter().map(|(i, _)| batch[*i].edits.clone()));
        for (i, why) in back {
            let Candidate { rule, title, place, .. } = &batch[i];
            fixed.discarded.push(Discarded { rule, title: title.clone(), place: place.clone(), why });
        }
        let Some((state, over)) = best else { continue };
        for candidate in kept.iter().map(|&i| &batch[i]) {
            for keyed in &candidate.edits {
                let file = fixed.state.loaded.sources.file(keyed.edit.span.file);
                before.entry(keyed.key.clone()).or_insert_with(|| Arc::clone(file));
            }
            fixed.together.push(keys(&candidate.edits));
            let Candidate { rule, title, findings, .. } = candidate;
            fixed.made.push(Made { rule, title: title.clone(), findings: *findings });
        }
        let applied = by_key(kept.iter().map(|&i| &batch[i]));
        let moves: BTreeMap<&PathBuf, Moves> = applied.iter().map(|(key, edits)| (key, Moves::of(edits))).collect();
        for keyed in refused.iter_mut().flatten() {
            keyed.edit.span = moves.get(&keyed.key).map_or(keyed.edit.span, |m| m.forward(keyed.edit.span));
        }
        // Ids are new after every load.
        let ids: BTreeMap<PathBuf, Span> =
            state.loaded.sources.files().iter().map(|f| (key_of(f), Span::new(f.id(), 0, 0))).collect();
        for keyed in refused.iter_mut().flatten() {
            if let Some(new) = ids.get(&keyed.key) {
                keyed.edit.span.file = new.file;
            }
        }
        (fixed.state, overlay) = (state, over);
    }
    fixed.together.retain(|keys| keys.len() > 1);
    let text = |key: &Path| overlay.get(key).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    fixed.changes = before
        .into_iter()
        .filter_map(|(location, before)| Some(Change { after: text(&location)?, location, before }))
        .filter(|change| change.after != change.before.text())
        .collect();
    fixed
}

/// The name of a file that outlives a load: its canonical path where it is on disk.
pub(crate) fn key_of(file: &SourceFile) -> PathBuf {
    match file.location() {
        Some(path) if path == Path::new(STDIN) => path.to_path_buf(),
        Some(path) => std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()),
        None => file.path().to_path_buf(),
    }
}

fn keys(edits: &[Keyed]) -> Vec<PathBuf> {
    let mut keys: Vec<PathBuf> = edits.iter().map(|e| e.key.clone()).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// The fixes of a state, sorted; one that several findings ask for stands once.
fn candidates(state: &State, limit: Applicability, chosen: &dyn Fn(&Diagnostic) -> bool) -> Vec<Candidate> {
    let sources = &state.loaded.sources;
    let mut found: Vec<Candidate> = Vec::new();
    let mut same: HashMap<Vec<Keyed>, usize> = HashMap::new();
    let mut names: HashMap<FileId, PathBuf> = HashMap::new();
    for diagnostic in state.outcome.diagnostics.iter().filter(|d| chosen(d)) {
        let Some(fix) = diagnostic.fix.as_ref().filter(|fix| fix.applicability.is_within(limit)) else { continue };
        if fix.edits.iter().any(|edit| !sources.file(edit.span.file).is_editable() || is_idle(edit, state)) {
            continue;
        }
        let mut name = |file: FileId| names.entry(file).or_insert_with(|| key_of(sources.file(file))).clone();
        let keyed = |edit: &Edit| Keyed { key: name(edit.span.file), edit: edit.clone() };
        let mut edits: Vec<Keyed> = fix.edits.iter().map(keyed).collect();
        // The sort is stable: insertions at one place keep their order.
        edits.sort_by(|a, b| (&a.key, a.edit.span).cmp(&(&b.key, b.edit.span)));
        if edits.is_empty() {
            continue;
        }
        if let Some(&at) = same.get(&edits) {
            found[at].findings += 1;
            continue;
        }
        same.insert(edits.clone(), found.len());
        let at = sources.line_column(diagnostic.primary.span);
        let path = sources.file(diagnostic.primary.span.file).path();
        found.push(Candidate {
            rule: diagnostic.rule,
            title: fix.title.clone(),
            place: format!("{}:{}:{}", crate::display::shown(path), at.line, at.column),
            findings: 1,
            edits,
        });
    }
    found.sort_by(|a, b| a.place_in_files().cmp(&b.place_in_files()).then_with(|| a.rule.cmp(b.rule)));
    found
}

/// An edit that changes nothing would be made for ever.
fn is_idle(edit: &Edit, state: &State) -> bool {
    state.loaded.sources.slice(edit.span) == edit.replacement
}

/// The fixes in order, without those that touch bytes of one before them.
fn without_conflicts(open: Vec<Candidate>) -> Vec<Candidate> {
    let mut taken: Vec<Candidate> = Vec::new();
    let mut bytes: BTreeMap<PathBuf, BTreeSet<Span>> = BTreeMap::new();
    for candidate in open {
        let clash = |e: &Keyed| {
            let Some(all) = bytes.get(&e.key) else { return false };
            let span = e.edit.span;
            // Those taken don't overlap, so that the nearest before its end decide.
            let before = all.range(..=Span { start: span.end, end: u32::MAX, ..span }).rev();
            before.take_while(|s| s.end >= span.start).any(|s| touch(*s, span))
        };
        if candidate.edits.iter().any(clash) {
            continue;
        }
        for e in &candidate.edits {
            bytes.entry(e.key.clone()).or_default().insert(e.edit.span);
        }
        taken.push(candidate);
    }
    taken
}

/// Whether two edits of different fixes get in each other's way: common bytes, or an insertion at the edge of the other, whose
/// order nobody has decided.
fn touch(a: Span, b: Span) -> bool {
    match a.is_empty() || b.is_empty() {
        true => a.start <= b.end && b.start <= a.end,
        false => a.start < b.end && b.start < a.end,
    }
}

fn by_key<'a>(candidates: impl Iterator<Item = &'a Candidate>) -> BTreeMap<PathBuf, Vec<Edit>> {
    let mut edits: BTreeMap<PathBuf, Vec<Edit>> = BTreeMap::new();
    for keyed in candidates.flat_map(|c| &c.edits) {
        edits.entry(keyed.key.clone()).or_default().push(keyed.edit.clone());
    }
    edits
}

/// One round: which of its fixes can be made together.
struct Round<'a, 'r> {
    state: &'a State,
    overlay: &'a Overlay,
    batch: &'a [Candidate],
    reload: &'a mut Reload<'r>,
    /// The latest attempt that broke nothing.
    best: Option<(State, Overlay)>,
}

impl Round<'_, '_> {
    /// The fixes to keep and those to take back, each with its reason. All are tried at once; where that breaks something,
    /// all without a half of them, a quarter and so on, so that a culprit is found in few runs, and fixes that need each
    /// other stay together. What was taken back has one more try beside what was kept.
    fn settle(&mut self) -> (Vec<usize>, Vec<(usize, String)>) {
        let mut kept: Vec<usize> = Vec::new();
        let mut back: Vec<(usize, String, usize)> = Vec::new();
        let mut waiting: Vec<Vec<usize>> = vec![(0..self.batch.len()).collect()];
        while let Some(part) = waiting.pop() {
            let all: Vec<usize> = kept.iter().chain(&part).copied().collect();
            let why = match self.attempt(&all) {
                Ok(()) => {
                    kept = all;
                    continue;
                }
                Err(why) => why,
            };
            if let [only] = part.as_slice() {
                back.push((*only, why, kept.len()));
            } else if let Some((rest, culprits)) = self.without_a_piece(&kept, &part) {
                kept = rest;
                waiting.push(culprits);
            } else {
                let (first, second) = part.split_at(part.len() / 2);
                waiting.extend([second.to_vec(), first.to_vec()]);
            }
        }
        let mut refused = Vec::new();
        for (i, why, beside) in back {
            let all: Vec<usize> = kept.iter().copied().chain([i]).collect();
            if kept.len() > beside && self.attempt(&all).is_ok() {
                kept = all;
            } else {
                refused.push((i, why));
            }
        }
        kept.sort_unstable();
        (kept, refused)
    }

    /// What is good of a bad part: all but one piece, the largest pieces tried first; and that piece.
    fn without_a_piece(&mut self, kept: &[usize], part: &[usize]) -> Option<(Vec<usize>, Vec<usize>)> {
        let mut size = part.len() / 2;
        while size > 0 && part.len() / size <= PIECES {
            for (at, piece) in part.chunks(size).enumerate() {
                let rest = part[..at * size].iter().chain(&part[at * size + piece.len()..]);
                let all: Vec<usize> = kept.iter().chain(rest).copied().collect();
                if self.attempt(&all).is_ok() {
                    return Some((all, piece.to_vec()));
                }
            }
            size /= 2;
        }
        None
    }

    /// Applies some of the fixes, loads and lints.
    ///
    /// # Errors
    /// What they would break.
    fn attempt(&mut self, fixes: &[usize]) -> Result<(), String> {
        let mut over = self.overlay.clone();
        let edits = by_key(fixes.iter().filter_map(|&i| self.batch.get(i)));
        for (key, edits) in &edits {
            let Some(edit) = edits.first() else { continue };
            let file = self.state.loaded.sources.file(edit.span.file);
            let text = apply_to(file.text(), edits).map_err(|conflict| conflict.to_string())?;
            over.insert(key.clone(), text.into_bytes());
        }
        let state = (self.reload)(&over).ok_or("what it leaves can't be loaded")?;
        let before = self.state.troubles();
        let after = state.troubles();
        if let Some(why) = regress::brought(&before, &after, &edits_by_path(self.state, &edits)) {
            return Err(why);
        }
        self.best = Some((state, over));
        Ok(())
    }
}

/// Edits by the path that findings show.
fn edits_by_path<'a>(state: &State, edits: &'a BTreeMap<PathBuf, Vec<Edit>>) -> BTreeMap<PathBuf, &'a [Edit]> {
    let path = |edits: &[Edit]| edits.first().map(|e| state.loaded.sources.file(e.span.file).path().to_path_buf());
    edits.values().filter_map(|edits| Some((path(edits)?, edits.as_slice()))).collect()
}

#[cfg(test)]
#[path = "apply/tests.rs"]
mod tests;
