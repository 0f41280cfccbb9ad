//! The settings of a run, and the file kvlint.yaml that holds them.

mod check;
mod keys;
mod read;
mod rules;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobSet;

use crate::facts::workloads::WorkloadKind;
use crate::facts::{self, Release};
use crate::load::{self, discover, untrusted};
use crate::source::{SourceFile, SourceMap, Span};
use crate::yaml;

pub use rules::Contract;
pub use schema::json_schema;

/// What the user makes of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Its findings are dropped.
    Off,
    /// Its findings become information.
    Info,
    /// Its findings become warnings.
    Warning,
    /// Its findings become errors.
    Error,
}

/// Releases that image tags don't tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assume {
    /// vLLM's, for images whose tag says nothing.
    pub engine: Option<Release>,
    /// The gateway's.
    pub gateway: Option<Release>,
}

/// The gateway as far as the manifests don't hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayPlace {
    /// Its namespace.
    pub namespace: String,
    /// The labels of its pods; several where the way of installing is not known.
    pub labels: Vec<Vec<(String, String)>>,
}

impl Default for GatewayPlace {
    fn default() -> GatewayPlace {
        let installs = &facts::aibrix::table().installs;
        let pair = |p: &facts::Pair| (p.key.clone(), p.value.clone());
        GatewayPlace {
            namespace: installs.first().map(|i| i.namespace.clone()).unwrap_or_default(),
            labels: installs.iter().map(|i| i.pod_labels.iter().map(pair).collect()).collect(),
        }
    }
}

/// Levels of rules for some paths.
#[derive(Clone, Debug, Default)]
pub struct Override {
    /// The paths, relative to the configuration's folder.
    pub files: GlobSet,
    /// Rules and their levels.
    pub rules: Vec<(String, Level)>,
}

/// Something wrong with the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The place.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The configuration's folder, canonical; patterns are relative to it.
    pub folder: PathBuf,
    /// Rules and their levels; later ones win.
    pub rules: Vec<(String, Level)>,
    /// Levels by path; later ones win, and all win over `rules`.
    pub overrides: Vec<Override>,
    /// Rules that alone count, when not empty (`--select`).
    pub select: Vec<String>,
    /// Patterns of paths to leave out.
    pub exclude: GlobSet,
    /// Releases that tags don't tell.
    pub assume: Assume,
    /// The oldest vLLM to accept.
    pub minimum_engine: Release,
    /// Which contract findings are judged by.
    pub contract: Contract,
    /// Where the gateway is.
    pub gateway: GatewayPlace,
    /// Kinds that make pods, beside those of the tables.
    pub workloads: Vec<WorkloadKind>,
    /// Folders that are units of their own, canonical.
    pub roots: Vec<PathBuf>,
    /// How Helm charts are rendered.
    pub helm: load::helm::Options,
    /// What is wrong with the file.
    pub problems: Vec<ConfigProblem>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            folder: PathBuf::new(),
            rules: Vec::new(),
            overrides: Vec::new(),
            select: Vec::new(),
            exclude: GlobSet::empty(),
            assume: Assume::default(),
            minimum_engine: facts::aibrix::table().documented.minimum_vllm.clone(),
            contract: Contract::Observed,
            gateway: GatewayPlace::default(),
            workloads: Vec::new(),
            roots: Vec::new(),
            helm: load::helm::Options::default(),
            problems: Vec::new(),
        }
    }
}

impl Config {
    /// The configuration that applies to a folder: the nearest above it, itself included. What has the name counts, whatever it
    /// is: a link that leads nowhere must not make the run pass by other settings.
    pub fn find(start: &Path) -> Option<PathBuf> {
        Config::candidates(start).into_iter().find(|p| std::fs::symlink_metadata(p).is_ok())
    }

    /// Where a configuration that applies to a folder may be, the nearest place first.
    pub fn candidates(start: &Path) -> Vec<PathBuf> {
        let Ok(start) = std::fs::canonicalize(start) else { return Vec::new() };
        start.ancestors().flat_map(|folder| discover::CONFIG.iter().map(|name| folder.join(name))).collect()
    }

    /// Reads a configuration file and adds it to the sources; what is wrong with its content is in [`Config::problems`].
    ///
    /// # Errors
    /// When the file can't be read, in words that name it.
    pub fn load(path: &Path, sources: &mut SourceMap) -> Result<Config, String> {
        Config::load_within(path, None, sources)
    }

    /// As [`Config::load`], for a file that nobody named: it was found among what is linted, so neither a link in its place nor a
    /// path in it may lead out of the repository.
    ///
    /// # Errors
    /// As [`Config::load`], and when it lies outside.
    pub fn load_found(path: &Path, sources: &mut SourceMap) -> Result<Config, String> {
        let top = Config::reach(path);
        let named = "name the file with `--config` if it is meant";
        match untrusted::inside(path, &top) {
            Ok(_) => Config::load_within(path, Some(&top), sources),
            Err(e) if e.to_string() == untrusted::LEADS_OUT => {
                Err(format!("{}: a link that leads out of the repository: {named}", path.display()))
            }
            Err(e) => Err(format!("{}: {}", path.display(), discover::describe(&e))),
        }
    }

    /// How far a configuration that was found may look: the repository around it; without one its folder. Canonical.
    pub fn reach(path: &Path) -> PathBuf {
        let folder = folder_of(path);
        let top = folder.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_path_buf);
        top.unwrap_or(folder)
    }

    fn load_within(path: &Path, top: Option<&Path>, sources: &mut SourceMap) -> Result<Config, String> {
        let fail = |e: &std::io::Error| format!("{}: {}", path.display(), discover::describe(e));
        if std::fs::metadata(path).map_err(|e| fail(&e))?.is_dir() {
            return Err(format!("{}: this is a folder", path.display()));
        }
        let bytes = match discover::is_descriptor(path) {
            // `--config <(…)`.
            true => std::fs::read(path),
            false => untrusted::read(path),
        };
        let bytes = bytes.map_err(|e| fail(&e))?;
        match load::decode(bytes) {
            Ok(decoded) => Ok(Config::read_within(&sources.add(path, decoded.text), top)),
            Err(e) => {
                let source = sources.insert(SourceFile::new(sources.next_id(), path, e.lossy).read_only());
                let place = e.lossy_offset as u32;
                let message = format!("this file is not text: {}", e.message);
                let span = Span::new(source.id(), place, place);
                let problems = vec![ConfigProblem { span, message, help: Some("save it as UTF-8".into()) }];
                Ok(Config { problems, folder: folder_of(path), ..Config::default() })
            }
        }
    }

    /// Reads a configuration; what is wrong with it is in [`Config::problems`], and the rest of it counts.
    pub fn read(source: &Arc<SourceFile>) -> Config {
        Config::read_within(source, None)
    }

    /// As [`Config::read`]; files and folders outside of `top`, which is canonical, count as mistakes.
    pub fn read_within(source: &Arc<SourceFile>, top: Option<&Path>) -> Config {
        let mut config = Config { folder: folder_of(source.path()), ..Config::default() };
        let stream = yaml::parse(source);
        let mut documents = stream.documents.iter();
        let Some(document) = documents.next() else { return config };
        match &document.content {
            Err(e) => {
                let help = Some("mend the file; none of it counts".to_string());
                config.problems.push(ConfigProblem { span: e.span, message: e.message.clone(), help });
            }
            Ok(tree) => {
                let folder = config.folder.clone();
                let place = Place { folder: &folder, top };
                config.problems = check::check(tree, place);
                read::read(tree.root(), place, &mut config);
            }
        }
        if let Some(second) = documents.next() {
            let message = "only the first document of a configuration counts".to_string();
            let span = Span { end: second.span.start + 3, ..second.span };
            config.problems.push(ConfigProblem { span, message, help: Some("join the documents into one".into()) });
        }
        config
    }

    /// The level that the user gives a rule at a path; `None` where the rule keeps its own.
    pub fn level(&self, rule: &str, path: &Path) -> Option<Level> {
        if !self.select.is_empty() && !self.select.iter().any(|s| s == rule) {
            return Some(Level::Off);
        }
        let mut level = self.rules.iter().rfind(|(name, _)| name == rule).map(|(_, level)| *level);
        if !self.overrides.is_empty() {
            let relative = discover::relative(path, &self.folder);
            for entry in self.overrides.iter().filter(|o| relative.ancestors().any(|p| o.files.is_match(p))) {
                level = entry.rules.iter().rfind(|(name, _)| name == rule).map(|(_, l)| *l).or(level);
            }
        }
        level
    }
}

/// Where the paths of a configuration lead from, and how far.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    /// The folder that they are relative to.
    folder: &'a Path,
    /// The folder, canonical, that they must not lead out of: for a configuration that nobody named.
    top: Option<&'a Path>,
}

impl Place<'_> {
    /// Where a path leads to, if it may.
    fn at(self, path: &str) -> Option<PathBuf> {
        let path = self.folder.join(path);
        (!self.is_beyond(&path)).then_some(path)
    }

    /// Whether a path that leads somewhere leads too far.
    fn is_beyond(self, path: &Path) -> bool {
        let real = std::fs::canonicalize(self.folder.join(path));
        self.top.zip(real.ok()).is_some_and(|(top, real)| !real.starts_with(top))
    }
}

/// The folder of a configuration file, canonical.
fn folder_of(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = absolute.parent().unwrap_or(&absolute);
    std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf())
}

#[cfg(test)]
mod tests;
