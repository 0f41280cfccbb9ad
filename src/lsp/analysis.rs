//! Linting behind the client's back: the units around each open text, on a thread of their own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::answer::{self, Finding};
use super::documents::{Document, Documents};
use super::place;
use super::position::Encoding;
use crate::config::Config;
use crate::lint;
use crate::load::triggers::{Surroundings, Target, load_around};
use crate::load::{self, Inputs, Loaded, Missing, Overlay};
use crate::source::{SourceFile, SourceMap};

/// What to look at again.
#[derive(Clone, Debug)]
pub enum Changed {
    /// These files; those that are on no disk by the name that the client gives them.
    Some(BTreeSet<PathBuf>),
    /// Anything.
    All,
}

impl Changed {
    /// Both.
    pub fn join(self, other: Changed) -> Changed {
        match (self, other) {
            (Changed::Some(mut a), Changed::Some(b)) => {
                a.extend(b);
                Changed::Some(a)
            }
            _ => Changed::All,
        }
    }

    fn touches(&self, files: &BTreeSet<PathBuf>) -> bool {
        match self {
            Changed::All => true,
            Changed::Some(changed) => changed.iter().any(|file| files.contains(file)),
        }
    }
}

/// A question to the thread that lints.
#[derive(Debug)]
pub struct Job {
    /// The open texts, as they are now.
    pub documents: Documents,
    /// What changed since the last question.
    pub changed: Changed,
}

/// What is found in each file, by the file's URI. Sorted as findings are.
pub type Findings = BTreeMap<String, Vec<Arc<Finding>>>;

/// The answer to a [`Job`].
#[derive(Debug)]
pub struct Results {
    /// The findings of every unit that an open text is part of.
    pub findings: Findings,
    /// The client's count of changes of each text that was looked at, by its URI.
    pub versions: HashMap<String, i32>,
    /// What went wrong beside the findings, for the client's log.
    pub log: Vec<String>,
}

/// Some units that open texts share, and what was found in them.
#[derive(Debug)]
struct Group {
    /// Every file that was read, canonical.
    files: BTreeSet<PathBuf>,
    findings: Findings,
    log: Vec<String>,
}

/// What several groups find in the files that they share, once each.
#[derive(Default)]
struct Shown {
    findings: HashMap<Likeness, Vec<Arc<Finding>>>,
}

/// What few findings have in common: the file, the line and column where they start, and the message.
type Likeness = (String, (u32, u32), String);

impl Shown {
    fn is_new(&mut self, uri: &str, finding: &Arc<Finding>) -> bool {
        let (at, message) = (finding.diagnostic.range.start, finding.diagnostic.message.clone());
        let same = self.findings.entry((uri.to_string(), (at.line, at.character), message)).or_default();
        let new = !same.contains(finding);
        if new {
            same.push(Arc::clone(finding));
        }
        new
    }
}

/// Lints, and remembers what need not be linted again.
#[derive(Debug)]
pub struct Analyst {
    encoding: Encoding,
    groups: BTreeMap<Vec<Target>, Group>,
}

impl Analyst {
    /// For a client that counts columns so.
    pub fn new(encoding: Encoding) -> Analyst {
        Analyst { encoding, groups: BTreeMap::new() }
    }

    /// Looks at all units around the open texts; those that nothing changed in are not linted again.
    pub fn answer(&mut self, job: &Job) -> Results {
        let mut overlay = Overlay::default();
        for document in job.documents.iter() {
            if let Some(path) = &document.path {
                overlay.insert(path.clone(), document.source.text().as_bytes());
            }
        }
        let mut results = Results { findings: Findings::new(), versions: HashMap::new(), log: Vec::new() };
        let mut wanted: BTreeMap<Vec<Target>, &Path> = BTreeMap::new();
        for document in job.documents.iter() {
            results.versions.insert(document.uri.as_str().to_string(), document.version);
            match &document.path {
                Some(path) => {
                    let targets = targets(path, &overlay);
                    if !targets.is_empty() {
                        wanted.entry(targets).or_insert(path);
                    }
                }
                None => {
                    let (loaded, config) = alone(document);
                    self.collect(&loaded, &config, &job.documents, &mut results.findings, &mut results.log);
                }
            }
        }
        self.groups.retain(|targets, _| wanted.contains_key(targets));
        let mut shown = Shown::default();
        for (uri, found) in &results.findings {
            found.iter().for_each(|finding| _ = shown.is_new(uri, finding));
        }
        for (targets, path) in wanted {
            let kept = self.groups.remove(&targets).filter(|group| !job.changed.touches(&group.files));
            let group = kept.unwrap_or_else(|| self.lint(path, &overlay, &job.documents));
            for (uri, found) in &group.findings {
                let all = results.findings.entry(uri.clone()).or_default();
                all.extend(found.iter().filter(|finding| shown.is_new(uri, finding)).cloned());
            }
            results.log.extend_from_slice(&group.log);
            self.groups.insert(targets, group);
        }
        results
    }

    /// Lints the units around one file.
    fn lint(&self, path: &Path, overlay: &Overlay, documents: &Documents) -> Group {
        let mut group =
            Group { files: BTreeSet::from([path.to_path_buf()]), findings: Findings::new(), log: Vec::new() };
        let (config, sources) = configuration(path, overlay);
        let inputs = Inputs {
            paths: vec![path.to_path_buf()],
            exclude: load::Exclude { base: config.folder.clone(), patterns: config.exclude.clone() },
            roots: config.roots.clone(),
            sources,
            overlay: overlay.clone(),
            ..Inputs::default()
        };
        match load_around(&inputs) {
            Ok(loaded) => {
                self.collect(&loaded, &config, documents, &mut group.findings, &mut group.log);
                let real = |source: &Arc<SourceFile>| std::fs::canonicalize(source.path()).ok();
                group.files.extend(loaded.sources.files().iter().filter_map(real));
            }
            Err(errors) => group.log.extend(errors.iter().map(|e| format!("{}: {}", e.path.display(), e.message))),
        }
        group
    }

    fn collect(
        &self,
        loaded: &Loaded,
        config: &Config,
        documents: &Documents,
        findings: &mut Findings,
        log: &mut Vec<String>,
    ) {
        let outcome = lint::lint(loaded, config, None);
        log.extend(outcome.failures.iter().map(ToString::to_string));
        let failed = loaded.skipped.iter().filter(|s| s.failed);
        log.extend(failed.map(|s| format!("{}: {}", s.path.display(), s.reason)));
        let names = Names::new(&loaded.sources, documents);
        for diagnostic in &outcome.diagnostics {
            if let Some((uri, finding)) = answer::finding(diagnostic, &loaded.sources, &names, self.encoding) {
                findings.entry(uri).or_default().push(Arc::new(finding));
            }
        }
    }
}

/// The client's name of each source.
pub struct Names(Vec<Option<(lsp_types::Uri, Option<i32>)>>);

impl Names {
    fn new(sources: &SourceMap, documents: &Documents) -> Names {
        let name = |source: &Arc<SourceFile>| {
            let open = |d: &&Document| d.path.is_none() && Path::new(d.uri.as_str()) == source.path();
            if let Some(unsaved) = documents.iter().find(open) {
                return Some((unsaved.uri.clone(), Some(unsaved.version)));
            }
            let path = std::fs::canonicalize(source.path()).ok()?;
            // The client knows the file by the path that it opened, which may lead through links.
            match documents.iter().find(|d| d.path.as_ref() == Some(&path)) {
                Some(open) => Some((open.uri.clone(), Some(open.version))),
                None => Some((place::uri(&path)?, None)),
            }
        };
        Names(sources.files().iter().map(name).collect())
    }

    /// The client's name of a source, and its count of changes while it is open. None for what is on no disk.
    pub fn of(&self, file: crate::source::FileId) -> Option<&(lsp_types::Uri, Option<i32>)> {
        self.0.get(file.0 as usize)?.as_ref()
    }
}

/// What is linted because of a file. A file that nothing is to be said of has none.
fn targets(path: &Path, overlay: &Overlay) -> Vec<Target> {
    let (config, _) = configuration(path, overlay);
    let exclude = load::Exclude { base: config.folder.clone(), patterns: config.exclude.clone() };
    let here = std::env::current_dir().unwrap_or_default();
    let found = Surroundings::new(&exclude, &config.roots, &here).over(overlay).of(path);
    found.unwrap_or_default()
}

/// The configuration that applies to a file, the client's text of it before that on disk.
fn configuration(path: &Path, overlay: &Overlay) -> (Config, SourceMap) {
    let mut sources = SourceMap::new();
    let Some(found) = path.parent().and_then(Config::find) else { return (Config::default(), sources) };
    let unsaved = overlay.get(&found).and_then(|text| std::str::from_utf8(text).ok());
    let config = match unsaved {
        Some(text) => Config::read(&sources.add(&found, text)),
        None => Config::load(&found, &mut sources).unwrap_or_default(),
    };
    (config, sources)
}

/// A text that was never saved: nothing is known of what stands around it.
fn alone(document: &Document) -> (Loaded, Config) {
    let mut loaded = load::from_texts(&[(document.uri.as_str().into(), document.source.text().to_string())]);
    let reason = "the text is not saved in a folder yet".to_string();
    loaded.units.iter_mut().for_each(|unit| unit.missing.push(Missing { reason: reason.clone(), span: None }));
    (loaded, Config::default())
}
