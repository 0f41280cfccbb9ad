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
use crate::load::helm::{self, Binary, Cancel};
use crate::load::kustomize::Files;
use crate::load::triggers::{Surroundings, Target, load_with};
use crate::load::{self, Inputs, Loaded, Missing, Overlay, UnitKind, overlay};
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

    /// Whether one of these files changed, or any in the folder of one of the charts: templates read what they like of it.
    fn touches(&self, files: &BTreeSet<PathBuf>, targets: &[Target]) -> bool {
        let charts = || targets.iter().filter(|target| matches!(target, Target::Chart(_))).map(Target::folder);
        match self {
            Changed::All => true,
            Changed::Some(changed) => {
                changed.iter().any(|file| files.contains(file) || charts().any(|chart| file.starts_with(chart)))
            }
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
    /// What renders charts.
    helm: Binary,
    /// Ends the rendering with the session.
    cancel: Cancel,
    groups: BTreeMap<Vec<Target>, Group>,
}

impl Analyst {
    /// For a client that counts columns so.
    pub fn new(encoding: Encoding, helm: Binary, cancel: Cancel) -> Analyst {
        Analyst { encoding, helm, cancel, groups: BTreeMap::new() }
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
        let mut by_configuration: BTreeMap<Option<PathBuf>, Vec<&Path>> = BTreeMap::new();
        for document in job.documents.iter() {
            results.versions.insert(document.uri.as_str().to_string(), document.version);
            match &document.path {
                Some(path) => by_configuration.entry(configuration_of(path, &overlay)).or_default().push(path),
                None => {
                    let reason = "the text is not saved in a folder yet";
                    let loaded = alone(document, document.uri.as_str().into(), reason);
                    let config = Config::default();
                    self.collect(&loaded, &config, &job.documents, &mut results.findings, &mut results.log);
                }
            }
        }
        let here = std::env::current_dir().unwrap_or_default();
        let mut before = std::mem::take(&mut self.groups);
        for (configuration, paths) in by_configuration {
            let (config, sources) = configured(configuration.as_deref(), &overlay);
            let exclude = load::Exclude { base: config.folder.clone(), patterns: config.exclude.clone() };
            let mut around = Surroundings::new(&exclude, &config.roots, &config.helm.sets, &here).over(&overlay);
            for path in paths {
                // A file that nothing is to be said of has none.
                let targets = around.of(path).unwrap_or_default();
                if targets.is_empty() || self.groups.contains_key(&targets) {
                    continue;
                }
                let kept = before.remove(&targets).filter(|group| !job.changed.touches(&group.files, &targets));
                let group = kept.unwrap_or_else(|| {
                    let inputs = Inputs {
                        paths: vec![path.to_path_buf()],
                        exclude: exclude.clone(),
                        roots: config.roots.clone(),
                        sources: sources.clone(),
                        overlay: overlay.clone(),
                        helm: helm::Options {
                            binary: self.helm.clone(),
                            cancel: self.cancel.clone(),
                            ..config.helm.clone()
                        },
                        ..Inputs::default()
                    };
                    self.lint(&inputs, &mut around, &config, &job.documents)
                });
                self.groups.insert(targets, group);
            }
        }
        let mut shown = Shown::default();
        for (uri, found) in &results.findings {
            found.iter().for_each(|finding| _ = shown.is_new(uri, finding));
        }
        for group in self.groups.values() {
            for (uri, found) in &group.findings {
                let all = results.findings.entry(uri.clone()).or_default();
                all.extend(found.iter().filter(|finding| shown.is_new(uri, finding)).cloned());
            }
            results.log.extend_from_slice(&group.log);
        }
        results
    }

    /// Lints the units around one file.
    fn lint(&self, inputs: &Inputs, around: &mut Surroundings<'_>, config: &Config, documents: &Documents) -> Group {
        let files = inputs.paths.iter().cloned().collect();
        let mut group = Group { files, findings: Findings::new(), log: Vec::new() };
        match load_with(around, inputs) {
            Ok(loaded) => {
                self.collect(&loaded, config, documents, &mut group.findings, &mut group.log);
                group.files.extend(loaded.sources.files().iter().map(|source| overlay::place(source.path())));
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
        let raw = |unit: &&load::Unit| unit.kind == UnitKind::Helm && !unit.is_complete();
        let raw =
            loaded.units.iter().filter(raw).filter(|u| u.helm.as_ref().is_none_or(|helm| helm.rendered.is_none()));
        log.extend(raw.map(|unit| {
            let (chart, why) = (
                unit.root.display(),
                match self.helm {
                    Binary::Never => "`--helm never` says so",
                    _ => "there is no helm on the server's search path, and `kvlint lsp --helm PROGRAM` names none",
                },
            );
            format!("the chart {chart} is not rendered: {why}")
        }));
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
            let path = overlay::place(source.path());
            // The client knows the file by the path that it opened, which may lead through links.
            match documents.iter().find(|d| d.path.as_ref() == Some(&path)) {
                // What was read from the disk says nothing about the places in another text.
                Some(open) if open.source.text() != source.text() => None,
                Some(open) => Some((open.uri.clone(), Some(open.version))),
                None => path.is_file().then(|| Some((place::uri(&path)?, None)))?,
            }
        };
        Names(sources.files().iter().map(name).collect())
    }

    /// The client's name of a source, and its count of changes while it is open. None for what is on no disk.
    pub fn of(&self, file: crate::source::FileId) -> Option<&(lsp_types::Uri, Option<i32>)> {
        self.0.get(file.0 as usize)?.as_ref()
    }
}

/// The configuration file that applies to a file: on disk, or open and not saved yet.
fn configuration_of(path: &Path, overlay: &Overlay) -> Option<PathBuf> {
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir())?;
    Config::candidates(folder).into_iter().find(|candidate| overlay.is_file(candidate))
}

/// What a configuration file says, the client's text of it before that on disk.
fn configured(path: Option<&Path>, overlay: &Overlay) -> (Config, SourceMap) {
    let mut sources = SourceMap::new();
    let Some(path) = path else { return (Config::default(), sources) };
    let unsaved = overlay.get(path).and_then(|text| std::str::from_utf8(text).ok());
    let config = match unsaved {
        Some(text) => Config::read_within(&sources.add(path, text), Some(&Config::reach(path))),
        None => Config::load_found(path, &mut sources).unwrap_or_default(),
    };
    (config, sources)
}

/// One text, of which `missing` tells why nothing is known of what stands around it.
fn alone(document: &Document, path: PathBuf, missing: &str) -> Loaded {
    let mut loaded = load::from_texts(&[(path, document.source.text().to_string())]);
    loaded.units.iter_mut().for_each(|unit| unit.missing.push(Missing { reason: missing.into(), span: None }));
    loaded
}
