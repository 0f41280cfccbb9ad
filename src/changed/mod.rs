//! Lines that changed since a commit, and the findings that touch them. The only room that runs git.

mod diff;
mod git;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

pub use diff::Hunk;
pub use git::Trouble;

use crate::lexical::clean;
use crate::lint::{self, Diagnostic};
use crate::load::{InputFile, Loaded, discover};
use crate::source::{FileId, SourceFile, SourceMap, Span};
use crate::yaml::{Node, Tree};

/// What changed in a repository since the merge base of a commit and `HEAD`: commits, the index, the working tree.
#[derive(Debug, Default)]
pub struct Changes {
    /// The work tree's folder, canonical.
    top: PathBuf,
    /// By path from `top`. Files that are not here did not change.
    files: BTreeMap<PathBuf, Lines>,
    /// Every path that git knows from `top`, submodules as one path. What git does not know counts as new.
    tracked: HashSet<PathBuf>,
    /// Paths from `top` at which a file is no more.
    gone: Vec<PathBuf>,
}

/// The changed lines of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lines {
    /// Each: git shows no lines (binary content, a submodule), or does not know the file.
    All,
    /// In the order of the file.
    Some(Vec<Hunk>),
}

impl Changes {
    /// Asks git what changed in the repository around `folder` since its branch left `reference`, untracked files included.
    ///
    /// # Errors
    /// When there is no git, no repository, no such commit, or no common ancestor (a shallow clone).
    pub fn since(reference: &str, folder: &Path) -> Result<Changes, Trouble> {
        git::changes(reference, folder)
    }

    fn new(top: PathBuf, files: Vec<diff::FileDiff>, tracked: HashSet<PathBuf>) -> Changes {
        let mut changes = Changes { top, tracked, ..Changes::default() };
        for file in files {
            changes.gone.extend(file.old);
            let Some(path) = file.new else { continue };
            changes.files.insert(path, if file.opaque { Lines::All } else { Lines::Some(file.hunks) });
        }
        // A file that became a link comes as one removed and one added.
        changes.gone.retain(|path| std::fs::symlink_metadata(changes.top.join(path)).is_err());
        changes
    }

    /// Which findings touch changed lines: with the primary place, a related one, or an edit of the fix. A finding that rests on
    /// the absence of something (`needs: complete`) also counts where the change took a file or an object out of its unit.
    pub fn touched(&self, loaded: &Loaded, diagnostics: &[Diagnostic]) -> Vec<bool> {
        let mut seen = Seen { changes: self, sources: &loaded.sources, files: HashMap::new() };
        let bereft = self.bereft(loaded);
        let absence = |d: &Diagnostic| lint::find(d.rule).is_some_and(|rule| rule.needs_complete);
        diagnostics
            .iter()
            .map(|d| {
                let edits = d.fix.iter().flat_map(|fix| fix.edits.iter().map(|edit| edit.span));
                let mut places = std::iter::once(d.primary.span).chain(d.related.iter().map(|l| l.span)).chain(edits);
                places.any(|span| seen.touches(span)) || (absence(d) && bereft.contains(&d.primary.span.file))
            })
            .collect()
    }

    /// Files of units out of which the change took a file or an object.
    fn bereft(&self, loaded: &Loaded) -> HashSet<FileId> {
        let mut found = HashSet::new();
        let manifest = |path: &&PathBuf| {
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
        };
        let gone: Vec<PathBuf> = self.gone.iter().filter(manifest).map(|path| self.top.join(path)).collect();
        // Many changes take nothing away, and then no path has to be looked up.
        if gone.is_empty() && !self.files.values().any(|lines| lines.lost(|hunk| hunk.lost_lines)) {
            return found;
        }
        for unit in &loaded.units {
            let root = canonical(&unit.root);
            let folders: HashSet<PathBuf> =
                unit.files.iter().filter_map(|f| canonical(f.source.path()).parent().map(Path::to_path_buf)).collect();
            let of_unit =
                |path: &PathBuf| path.starts_with(&root) || path.parent().is_some_and(|p| folders.contains(p));
            let lost_file = gone.iter().any(of_unit);
            let less = |file: &InputFile| {
                let lost = |lines: Lines| match lists(file) {
                    true => lines.lost(|hunk| hunk.lost_lines),
                    false => lines.lost(|hunk| hunk.lost_object),
                };
                self.lines(&file.source).is_some_and(lost)
            };
            if lost_file || unit.files.iter().any(less) {
                found.extend(unit.files.iter().map(|f| f.source.id()));
            }
        }
        found
    }

    /// The changed lines of a file; `None` when it did not change.
    fn lines(&self, file: &SourceFile) -> Option<Lines> {
        let real = canonical(file.path());
        let named = lexical(file.path());
        let own = real.strip_prefix(&self.top).ok();
        let known = own.is_some_and(|p| p.ancestors().any(|p| self.tracked.contains(p)));
        if !known {
            return Some(Lines::All);
        }
        // A link that leads elsewhere now, and a submodule at another commit, change all that is reached through them.
        let above = |path: &Path| path.ancestors().skip(1).any(|p| self.files.contains_key(p));
        let through = named.strip_prefix(&self.top).ok().filter(|_| named != real);
        if own.is_some_and(above) || through.is_some_and(|p| self.files.contains_key(p) || above(p)) {
            return Some(Lines::All);
        }
        own.and_then(|p| self.files.get(p)).cloned()
    }
}

impl Lines {
    fn lost(&self, what: impl Fn(&Hunk) -> bool) -> bool {
        matches!(self, Lines::Some(hunks) if hunks.iter().any(what))
    }
}

/// Whether a line of a file may stand for an object of the unit, though no `kind:` stands at its margin: an entry of a kustomization, an
/// item of a list, any line of JSON.
fn lists(file: &InputFile) -> bool {
    let list = |tree: &Tree| {
        let root = tree.root();
        root.is_sequence() || root.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"))
    };
    let path = file.source.path();
    discover::is_kustomization(path)
        || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"))
        || file.source.text().trim_start().starts_with('{')
        || file.documents().iter().filter_map(|d| d.content.as_deref().ok()).any(list)
}

/// Changed lines of the files that were asked about.
struct Seen<'a> {
    changes: &'a Changes,
    sources: &'a SourceMap,
    files: HashMap<FileId, Option<Asked>>,
}

struct Asked {
    lines: Lines,
    /// Offsets at which lines start as git counts them: a lone `\r` ends none.
    starts: Vec<u32>,
}

impl Seen<'_> {
    fn touches(&mut self, span: Span) -> bool {
        let file = self.sources.file(span.file);
        let asked = self.files.entry(span.file).or_insert_with(|| {
            let lines = self.changes.lines(file)?;
            let breaks = file.text().bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1);
            Some(Asked { lines, starts: std::iter::once(0).chain(breaks).collect() })
        });
        let Some(Asked { lines, starts }) = asked else { return false };
        let line = |offset: u32| starts.partition_point(|&start| start <= offset);
        let (first, last) = (line(span.start), line(span.start.max(span.end.saturating_sub(1))));
        match lines {
            Lines::All => true,
            Lines::Some(hunks) => hunks.iter().any(|hunk| hunk.first <= last && first <= hunk.last),
        }
    }
}

fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| lexical(path))
}

/// The absolute path without `.` and `..`, links not followed. The folder that it starts from is canonical.
fn lexical(path: &Path) -> PathBuf {
    clean(&std::env::current_dir().and_then(std::fs::canonicalize).unwrap_or_default().join(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::from_texts;

    fn hunk(first: usize, last: usize) -> Hunk {
        Hunk { first, last, lost_object: false, lost_lines: false }
    }

    fn touches(text: &str, hunks: &[Hunk], part: &str) -> bool {
        let loaded = from_texts(&[("a.yaml".into(), text.to_string())]);
        let top = std::env::current_dir().and_then(std::fs::canonicalize).expect("a folder");
        let files = BTreeMap::from([(PathBuf::from("a.yaml"), Lines::Some(hunks.to_vec()))]);
        let changes = Changes { top, files, tracked: HashSet::from(["a.yaml".into()]), ..Changes::default() };
        let mut seen = Seen { changes: &changes, sources: &loaded.sources, files: HashMap::new() };
        let start = text.find(part).expect(part) as u32;
        seen.touches(Span::new(FileId(0), start, start + part.len() as u32))
    }

    #[test]
    fn a_span_touches_the_lines_that_it_is_on_and_no_others() {
        let text = "a: 1\nb: 2\nc: 3\nd: 4\n";
        assert!(touches(text, &[hunk(2, 2)], "b"));
        assert!(!touches(text, &[hunk(2, 2)], "a: 1\n"));
        assert!(!touches(text, &[hunk(2, 2)], "c"));
        assert!(touches(text, &[hunk(1, 1), hunk(4, 9)], "3\nd"));
        assert!(!touches(text, &[], "b"));
    }

    #[test]
    fn lines_are_counted_as_git_counts_them() {
        // To YAML this is three lines, to git two.
        assert!(touches("a: 1\rb: 2\nc: 3\n", &[hunk(1, 1)], "2"));
        assert!(touches("a: 1\rb: 2\nc: 3\n", &[hunk(2, 2)], "3"));
    }

    #[test]
    fn what_git_does_not_know_is_new() {
        let loaded = from_texts(&[("a.yaml".into(), "a: 1\n".into())]);
        let changes = Changes { top: "/nowhere".into(), ..Changes::default() };
        assert_eq!(changes.lines(&loaded.sources.files()[0]), Some(Lines::All));
    }
}
