//! What was read and what was not: every file that was found is counted once.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::PathBuf;

use crate::display::plural;
use crate::load::{Content, InputFile, Loaded, Resource, Unit, UnitKind};
use crate::source::{FileId, Span};

/// A file or folder that was not analysed, or only in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnalysed {
    /// The path.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
    /// Whether reading failed, as opposed to being left out on purpose.
    pub failed: bool,
    /// Whether other documents of the file were analysed.
    pub in_part: bool,
    /// Whether it is a kustomization that asks for what is elsewhere or is not done here; no finding says so.
    pub unresolved: bool,
    /// Whether it is a folder, with all that is below it.
    pub folder: bool,
    /// The manifest files that it stands for.
    pub files: usize,
}

/// The counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Kubernetes objects.
    pub resources: usize,
    /// Files that were analysed, in whole or in part.
    pub files: usize,
    /// Those of them that hold no Kubernetes object.
    pub files_without_objects: usize,
    /// Things deployed together.
    pub units: usize,
    /// What was not analysed, sorted by path.
    pub not_analysed: Vec<NotAnalysed>,
}

impl Coverage {
    /// Counts what was loaded.
    pub fn of(loaded: &Loaded) -> Coverage {
        let mut coverage = Coverage::default();
        let mut missed: BTreeMap<PathBuf, NotAnalysed> = BTreeMap::new();
        for skipped in &loaded.skipped {
            let entry = NotAnalysed {
                path: skipped.path.clone(),
                reason: skipped.reason.clone(),
                failed: skipped.failed,
                in_part: false,
                unresolved: false,
                folder: skipped.path.is_dir(),
                files: skipped.files,
            };
            missed.entry(skipped.path.clone()).or_insert(entry);
        }
        // A base that several overlays build is in the units of all of them.
        let mut seen = HashSet::new();
        for unit in &loaded.units {
            coverage.units += usize::from(!unit.files.is_empty());
            coverage.resources += unit.resources.len();
            if let Some(helm) = &unit.helm {
                // The rendered text is no file; what it was made from are files.
                seen.extend(helm.rendered);
                let own = |file: &FileId| unit.files.iter().any(|f| f.source.id() == *file);
                coverage.files += helm.sources.iter().filter(|file| !own(file) && seen.insert(**file)).count();
            }
            for file in unit.files.iter().filter(|file| seen.insert(file.source.id())) {
                let unread = unread(file);
                if unread.as_ref().is_none_or(|entry| entry.in_part) {
                    coverage.files += 1;
                    coverage.files_without_objects += usize::from(!holds_objects(unit, file));
                }
                if let Some(entry) = unread {
                    missed.entry(entry.path.clone()).or_insert(entry);
                }
            }
        }
        for unit in loaded.units.iter().filter(|unit| unit.kustomize.is_some()) {
            unresolved(unit, loaded, &mut missed);
        }
        coverage.not_analysed = missed.into_values().collect();
        coverage
    }

    /// Entries of which nothing was analysed.
    pub fn unread(&self) -> impl Iterator<Item = &NotAnalysed> {
        self.not_analysed.iter().filter(|n| !n.in_part)
    }
}

/// What a build lacks because it is elsewhere or needs a program: each entry that asks for it, with its place. What stops the build
/// is a finding, and is told there.
fn unresolved(unit: &Unit, loaded: &Loaded, missed: &mut BTreeMap<PathBuf, NotAnalysed>) {
    let told = |span: &Span| unit.kustomize.iter().flat_map(|k| &k.problems).any(|p| p.span == *span);
    for missing in &unit.missing {
        let Some(span) = missing.span.filter(|span| !told(span)) else { continue };
        let path = loaded.sources.file(span.file).path().to_path_buf();
        let reason = format!("line {}: {}", loaded.sources.line_column(span).line, missing.reason);
        let entry = missed.entry(path.clone()).or_insert_with(|| NotAnalysed {
            path,
            reason: reason.clone(),
            failed: false,
            in_part: true,
            unresolved: true,
            folder: false,
            files: 1,
        });
        if entry.in_part && !entry.reason.contains(&reason) {
            entry.reason = format!("{}; {reason}", entry.reason);
        }
    }
}

/// Whether a file describes Kubernetes objects. Patches, values and the kustomizations themselves count as such where they
/// take part in a build.
fn holds_objects(unit: &Unit, file: &InputFile) -> bool {
    matches!(unit.kind, UnitKind::Kustomize | UnitKind::Helm)
        || file.documents().iter().filter_map(|d| d.content.as_ref().ok()).any(|t| Resource::new(t, t.root()).is_some())
}

/// What of a file could not be read.
fn unread(file: &InputFile) -> Option<NotAnalysed> {
    let (reason, in_part) = match &file.content {
        Content::Template => ("a template: lint what it renders to".to_string(), false),
        Content::NotText { message, .. } => (format!("not text: {message}"), false),
        Content::Stream(stream) => {
            let broken = stream.documents.iter().filter(|d| d.content.is_err()).count();
            match (broken, stream.documents.len()) {
                (0, _) => return None,
                (n, all) if n == all => ("its YAML can't be read".to_string(), false),
                (n, all) => (format!("{n} of {} can't be read", plural(all, "document")), true),
            }
        }
    };
    Some(NotAnalysed {
        path: file.source.path().to_path_buf(),
        reason,
        failed: false,
        in_part,
        unresolved: false,
        folder: false,
        files: 1,
    })
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resources = plural(self.resources, "resource");
        write!(f, "{resources} in {}, {}", plural(self.files, "file"), plural(self.units, "unit"))?;
        let unread = self.unread().count();
        let folders = self.unread().filter(|n| n.folder).count();
        let files = plural(self.unread().map(|n| n.files).sum(), "file");
        let missed = match folders {
            0 => format!("{files} not analysed"),
            n => format!("{files} not analysed ({} left out)", plural(n, "folder")),
        };
        let rest = [
            (unread, missed),
            (self.not_analysed.len() - unread, format!("{} analysed in part", self.not_analysed.len() - unread)),
            (self.files_without_objects, format!("{} without Kubernetes objects", self.files_without_objects)),
        ];
        let rest: Vec<String> = rest.into_iter().filter(|(n, _)| *n > 0).map(|(_, text)| text).collect();
        if rest.is_empty() { Ok(()) } else { write!(f, "; {}", rest.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::from_texts;

    #[test]
    fn every_file_is_counted_once() {
        let object = "apiVersion: v1\nkind: Pod\n";
        let files = [
            ("a.yaml", object.to_string()),
            ("b.yaml", format!("{object}---\n\"open\n")),
            ("c.yaml", "\"open\n".to_string()),
            ("d.yaml", "# nothing\n".to_string()),
            ("e.yaml", "a: {{ x }}: b\n".to_string()),
            ("f.yaml", "a: \u{7}\n".to_string()),
        ];
        let coverage = Coverage::of(&from_texts(&files.map(|(n, t)| (n.into(), t))));
        assert_eq!(
            coverage.to_string(),
            "2 resources in 3 files, 1 unit; 3 files not analysed, 1 analysed in part, 1 without Kubernetes objects"
        );
    }

    #[test]
    fn what_a_kustomization_lacks_is_told_with_its_line() {
        let kustomization = "resources: [a.yaml, 'https://x.example/b.yaml']\nhelmCharts: [{name: x}]\n";
        let files =
            [("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"), ("kustomization.yaml", kustomization)];
        let coverage = Coverage::of(&from_texts(&files.map(|(n, t)| (n.into(), t.into()))));
        assert_eq!(coverage.to_string(), "1 resource in 2 files, 1 unit; 1 analysed in part");
        assert_eq!(
            coverage.not_analysed[0].reason,
            "line 2: a Helm chart is rendered here, which kvlint does not do; \
             line 1: `https://x.example/b.yaml` is not on this machine, and nothing is fetched"
        );
    }

    #[test]
    fn nouns_follow_their_numbers() {
        let coverage = Coverage { resources: 1, files: 1, units: 1, ..Default::default() };
        assert_eq!(coverage.to_string(), "1 resource in 1 file, 1 unit");
    }
}
