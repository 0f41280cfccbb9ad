//! A file that lists findings which are accepted for now: they don't fail a run, and new ones do.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::diagnostic::Diagnostic;
use super::fingerprint::{fingerprints, relative};
use crate::lexical::absolute;
use crate::load::{Loaded, discover, untrusted};

/// The version of the file.
const VERSION: u32 = 1;

/// Larger files are no baselines.
const SIZE_LIMIT: u64 = 64 << 20;

/// A finding in the file. Rule, path and message are for readers; the fingerprint and the path name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From the folder of the baseline, with forward slashes.
    pub path: String,
    /// The rule's name.
    pub rule: String,
    /// What the rule said when the file was written.
    pub message: String,
    /// See [`fingerprints`], with paths from the folder of the baseline.
    pub fingerprint: String,
}

/// The file as it is written: sorted, one entry a finding, so that its changes read well.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    /// What was linted when the file was written: only a run over all of it can say that an entry is gone.
    paths: BTreeSet<String>,
    findings: Vec<Entry>,
}

/// Why there is no baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// There is no such file.
    Absent,
    /// It can't be read or written, or is no baseline: in words, with the place.
    Broken(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unusable::Absent => "there is no such file",
            Unusable::Broken(reason) => reason,
        })
    }
}

/// A baseline and the folder that its paths count from.
#[derive(Debug, Default)]
pub struct Baseline {
    folder: PathBuf,
    document: Document,
}

/// A run beside a baseline.
#[derive(Debug, Default)]
pub struct Comparison {
    /// For each finding, whether the baseline lists it.
    pub listed: Vec<bool>,
    /// Entries that the run would have found again, and did not.
    pub gone: Vec<Entry>,
}

/// What a run looked for, so that it does not take what it could not see for mended.
pub struct Scope<'a> {
    /// The paths of the command line.
    pub paths: &'a [PathBuf],
    /// Whether a rule ran.
    pub ran: &'a dyn Fn(&str) -> bool,
}

impl Baseline {
    /// One without entries, to be written to a path.
    pub fn empty(path: &Path) -> Baseline {
        Baseline { folder: folder(path), document: Document { version: VERSION, ..Document::default() } }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When there is none, or when it can't be read or is no baseline of this version.
    pub fn read(path: &Path) -> Result<Baseline, Unusable> {
        let broken = |e: &dyn fmt::Display| Unusable::Broken(e.to_string());
        let text = match discover::is_descriptor(path) {
            // `--baseline <(…)`.
            true => untrusted::stream_up_to(path, SIZE_LIMIT),
            false => untrusted::read_up_to(path, SIZE_LIMIT),
        };
        let text = text.map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Unusable::Absent,
            _ => broken(&discover::describe(&e)),
        })?;
        Baseline::parse(path, &text)
    }

    /// Reads the text of a file at a path.
    ///
    /// # Errors
    /// When it is no baseline of this version.
    pub fn parse(path: &Path, text: &[u8]) -> Result<Baseline, Unusable> {
        let broken = |e: &dyn fmt::Display| Unusable::Broken(e.to_string());
        // Only the version of a later file is sure to be understood.
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        if let Ok(Versioned { version }) = serde_json::from_slice(text)
            && version != VERSION
        {
            return Err(broken(&format!(
                "it has version {version}, and this release of kvlint reads version {VERSION}"
            )));
        }
        let document = serde_json::from_slice(text).map_err(|e| broken(&e))?;
        Ok(Baseline { folder: folder(path), document })
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.document.findings.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.document.findings.is_empty()
    }

    /// Which findings are listed, and which entries are gone.
    pub fn compare(&self, loaded: &Loaded, diagnostics: &[Diagnostic], scope: &Scope<'_>) -> Comparison {
        let found = self.entries(loaded, diagnostics);
        let known: HashSet<_> = self.document.findings.iter().map(name).collect();
        let now: HashSet<_> = found.iter().map(name).collect();
        let gone = self.document.findings.iter().filter(|e| !now.contains(&name(e)) && self.would_see(e, scope));
        Comparison { listed: found.iter().map(|e| known.contains(&name(e))).collect(), gone: gone.cloned().collect() }
    }

    /// The baseline of a run. Entries that the run could not see are kept.
    pub fn renewed(&self, loaded: &Loaded, diagnostics: &[Diagnostic], scope: &Scope<'_>) -> Baseline {
        let mut findings: BTreeSet<Entry> = self.entries(loaded, diagnostics).into_iter().collect();
        let now: HashSet<_> = findings.iter().map(|e| (e.path.clone(), e.fingerprint.clone())).collect();
        let unseen = self.document.findings.iter().filter(|e| !self.would_see(e, scope));
        findings.extend(unseen.filter(|e| !now.contains(&(e.path.clone(), e.fingerprint.clone()))).cloned());
        let mut paths = self.document.paths.clone();
        paths.extend(self.paths(scope));
        // What lies in a folder that was given goes without saying.
        let outer = paths.clone();
        paths.retain(|path| !outer.iter().any(|other| other != path && lies_in(path, other)));
        let document = Document { version: VERSION, paths, findings: findings.into_iter().collect() };
        Baseline { folder: self.folder.clone(), document }
    }

    /// The file's text.
    pub fn text(&self) -> String {
        // A structure of strings and numbers can always be written.
        serde_json::to_string_pretty(&self.document).unwrap_or_default() + "\n"
    }

    fn entries(&self, loaded: &Loaded, diagnostics: &[Diagnostic]) -> Vec<Entry> {
        let prints = fingerprints(&loaded.units, &loaded.sources, diagnostics, &self.folder);
        let entry = |(d, fingerprint): (&Diagnostic, String)| Entry {
            path: relative(loaded.sources.file(d.primary.span.file).path(), &self.folder),
            rule: d.rule.to_string(),
            message: d.message.clone(),
            fingerprint,
        };
        diagnostics.iter().zip(prints).map(entry).collect()
    }

    /// Whether the run would have found this entry again: it ran the rule, over all that the baseline was written for. A run
    /// over less may lack the overlay or the gateway that makes it a finding.
    fn would_see(&self, entry: &Entry, scope: &Scope<'_>) -> bool {
        let given = self.paths(scope);
        let covered = |path: &String| given.iter().any(|g| lies_in(path, g));
        (scope.ran)(&entry.rule) && self.document.paths.iter().all(covered)
    }

    fn paths(&self, scope: &Scope<'_>) -> BTreeSet<String> {
        let stdin = Path::new("-");
        scope.paths.iter().map(|p| if p == stdin { "-".into() } else { relative(p, &self.folder) }).collect()
    }
}

/// What makes two entries one.
fn name(entry: &Entry) -> (&str, &str) {
    (&entry.path, &entry.fingerprint)
}

/// Whether a path is another one, or lies below it. Both count from one folder.
fn lies_in(path: &str, other: &str) -> bool {
    if path == other || (other == "." && path != "-" && path != ".." && !path.starts_with("../")) {
        return true;
    }
    // `..` holds what does not climb higher.
    let climbs = |p: &str| p.split('/').take_while(|part| *part == "..").count();
    if !other.is_empty() && other.split('/').all(|part| part == "..") {
        return path != "-" && climbs(path) <= climbs(other);
    }
    path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

fn folder(path: &Path) -> PathBuf {
    absolute(path).parent().map(Path::to_path_buf).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lies_in_itself_and_in_the_folders_above_it() {
        for (path, other) in
            [("a", "a"), ("a/b", "a"), ("a/b", "."), ("a", ".."), ("../a", ".."), ("../../a", "../.."), ("-", "-")]
        {
            assert!(lies_in(path, other), "{path} in {other}");
        }
        for (path, other) in [
            ("a", "a/b"),
            ("ab", "a"),
            ("../a", "."),
            ("..", "."),
            ("-", "."),
            ("-", ".."),
            ("../../a", ".."),
            (".", "a"),
        ] {
            assert!(!lies_in(path, other), "{path} not in {other}");
        }
    }
}
