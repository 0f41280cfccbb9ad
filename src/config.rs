//! The settings of a run.

use std::path::{Path, PathBuf};

use globset::GlobSet;

use crate::facts::workloads::WorkloadKind;
use crate::facts::{self, Release};
use crate::lint::Contract;
use crate::source::Span;

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
            problems: Vec::new(),
        }
    }
}

impl Config {
    /// Reads a configuration file; what is wrong with it is in [`Config::problems`].
    pub fn read(_source: &std::sync::Arc<crate::source::SourceFile>) -> Config {
        Config::default()
    }

    /// The configuration that counts for a folder: `kvlint.yaml` in it or in the nearest folder above.
    pub fn find(start: &Path) -> Option<PathBuf> {
        start.ancestors().map(|folder| folder.join("kvlint.yaml")).find(|path| path.is_file())
    }

    /// The level that the user gives a rule at a path; `None` where the rule keeps its own.
    pub fn level(&self, rule: &str, path: &Path) -> Option<Level> {
        if !self.select.is_empty() && !self.select.iter().any(|s| s == rule) {
            return Some(Level::Off);
        }
        let mut level = self.rules.iter().rfind(|(name, _)| name == rule).map(|(_, level)| *level);
        if !self.overrides.is_empty() {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            let relative = absolute.strip_prefix(&self.folder).unwrap_or(path);
            for entry in self.overrides.iter().filter(|o| o.files.is_match(relative)) {
                level = entry.rules.iter().rfind(|(name, _)| name == rule).map(|(_, l)| *l).or(level);
            }
        }
        level
    }
}
