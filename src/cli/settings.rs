//! Paths and settings of a run: the configuration file, with the flags over it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::names;
use super::output;
use crate::config::{Config, Level};
use crate::display::{shown, visible};
use crate::lint::{Contract, RULES};
use crate::load::helm::{Binary, NamedSet};
use crate::load::{self, Exclude, Inputs, Loaded, Overlay};
use crate::source::SourceMap;

/// What to read, and the settings that say how.
#[derive(Args, Clone, Debug)]
pub struct InputArguments {
    /// Files, folders and patterns; `-` is standard input
    #[arg(value_name = "PATHS", default_value = ".", hide_default_value = false)]
    pub paths: Vec<PathBuf>,
    /// Read the whole unit around each file: the Kustomize roots that use it, its chart, its root or folder (for hooks)
    #[arg(long)]
    pub whole_unit: bool,
    /// The path to show for standard input
    #[arg(long, value_name = "PATH")]
    pub stdin_filename: Option<PathBuf>,
    /// The helm program, or `never` [default: the helm on the search path]
    #[arg(long, value_name = "PROGRAM", help_heading = "Helm charts")]
    pub helm: Option<Binary>,
    /// Values to render charts with, instead of their own and their ci/ files; `NAME=FILE` names a set, and several files of
    /// one name, or without a name, are one set
    #[arg(short = 'f', long, value_name = "[NAME=]FILE", help_heading = "Helm charts")]
    pub values: Vec<String>,
    /// A value over all sets, as helm's --set takes it
    #[arg(long, value_name = "KEY=VALUE", value_parser = set_argument, help_heading = "Helm charts")]
    pub set: Vec<String>,
    /// A chart that rendered input comes from: findings are shown in its templates
    #[arg(long, value_name = "FOLDER", help_heading = "Helm charts")]
    pub chart: Vec<PathBuf>,
    /// The configuration file, instead of the nearest kvlint.yaml
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long, conflicts_with = "config", help_heading = "Settings")]
    pub no_config: bool,
    /// Whether files outside of the paths count as editable, as none is written.
    #[arg(skip)]
    pub detached: bool,
}

impl InputArguments {
    /// The values files that are named.
    pub fn values_files(&self) -> impl Iterator<Item = PathBuf> {
        self.values.iter().map(|argument| PathBuf::from(NamedSet::parse(argument).1))
    }

    /// Where a configuration is, or could be: the one that is named, or those of the folders above the first path.
    pub fn configurations(&self) -> Vec<PathBuf> {
        match &self.config {
            _ if self.no_config => Vec::new(),
            Some(path) => vec![path.clone()],
            None => Config::candidates(&start(&self.paths)),
        }
    }
}

/// # Errors
/// When helm could not read it.
fn set_argument(text: &str) -> Result<String, String> {
    load::helm::values::check_set(text).map(|()| text.to_string())
}

/// Settings that win over those of the configuration file.
#[derive(Args, Debug)]
pub struct RuleArguments {
    /// Only these rules (names of rules or groups, separated by commas)
    #[arg(long, value_name = "RULES", value_delimiter = ',', help_heading = "Settings")]
    pub select: Vec<String>,
    /// Not these rules (names of rules or groups, separated by commas)
    #[arg(long, value_name = "RULES", value_delimiter = ',', help_heading = "Settings")]
    pub ignore: Vec<String>,
    /// What to judge by
    #[arg(long, value_enum, value_name = "CONTRACT", help_heading = "Settings")]
    pub contract: Option<ContractName>,
}

/// The answer of `--contract`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ContractName {
    /// What the documents ask for; what releases were seen to do is information
    Documented,
    /// Also what releases were seen to do
    Observed,
}

/// Reads the configuration file; its text becomes the first source, so that findings can point into it.
///
/// # Errors
/// When there is no such file, or it can't be read.
pub fn configure(arguments: &InputArguments) -> Result<(Config, SourceMap), String> {
    let mut sources = SourceMap::new();
    let found = || match arguments.whole_unit {
        // The files of a commit come in any number and order, so none of them decides which configuration counts.
        true => Config::find(Path::new(".")),
        false => Config::find(&start(&arguments.paths)),
    };
    let config = match &arguments.config {
        _ if arguments.no_config => Ok(Config::default()),
        Some(path) => Config::load(&near(path), &mut sources),
        None => match found() {
            Some(path) => Config::load_found(&near(&path), &mut sources),
            None => Ok(Config::default()),
        },
    };
    let config = config.map_err(|reason| format!("can't read the configuration {}", visible::lines(&reason)))?;
    Ok((config, sources))
}

/// The configuration and all that the paths lead to; what is wrong is told, and there is nothing then.
pub fn prepare(arguments: &InputArguments) -> Option<(Config, Loaded)> {
    let (config, sources) = configure(arguments).map_err(|message| output::complain(&message)).ok()?;
    let loaded = load(arguments, &config, sources)?;
    Some((config, loaded))
}

/// The folder from which the nearest configuration is looked for: that of the first path.
fn start(paths: &[PathBuf]) -> PathBuf {
    let path = paths.first().filter(|p| *p != Path::new("-")).map_or(Path::new("."), PathBuf::as_path);
    let path =
        std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_path_buf());
    if path.is_dir() { path } else { path.parent().map(Path::to_path_buf).unwrap_or(path) }
}

/// The path relative to the current folder, where it lies inside.
fn near(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).to_path_buf()
}

/// Puts the flags over the settings.
///
/// # Errors
/// For a name that is no rule's, and when no rule is left.
pub fn apply(arguments: &RuleArguments, config: &mut Config) -> Result<(), String> {
    let select = names::expand(&arguments.select)?;
    let ignore = names::expand(&arguments.ignore)?;
    // Who names a rule wants to see it, whatever the file says.
    config.rules.retain(|(rule, level)| *level != Level::Off || !select.contains(rule));
    if !select.is_empty() || !ignore.is_empty() {
        let all = || RULES.iter().map(|r| r.name.to_string()).collect();
        let mut chosen: Vec<String> = if select.is_empty() { all() } else { select };
        chosen.retain(|rule| !ignore.contains(rule));
        if chosen.is_empty() {
            return Err("--select and --ignore leave no rule".into());
        }
        config.select = chosen;
    }
    match arguments.contract {
        Some(ContractName::Documented) => config.contract = Contract::Documented,
        Some(ContractName::Observed) => config.contract = Contract::Observed,
        None => {}
    }
    Ok(())
}

/// How charts are rendered: as the configuration says, with the flags over it.
fn helm(arguments: &InputArguments, config: &Config) -> load::helm::Options {
    let mut options = config.helm.clone();
    options.binary = arguments.helm.clone().unwrap_or(Binary::OnPath);
    if !arguments.values.is_empty() {
        options.sets = NamedSet::of_arguments(&arguments.values);
    }
    options.set.extend_from_slice(&arguments.set);
    options.charts.clone_from(&arguments.chart);
    options
}

/// Loads what the paths lead to. What is wrong with them goes to standard error.
pub fn load(arguments: &InputArguments, config: &Config, sources: SourceMap) -> Option<Loaded> {
    load_over(arguments, config, sources, Overlay::default())
}

/// As [`load`], with texts that count instead of what is on disk.
pub fn load_over(arguments: &InputArguments, config: &Config, sources: SourceMap, overlay: Overlay) -> Option<Loaded> {
    let inputs = Inputs {
        paths: arguments.paths.clone(),
        stdin_filename: arguments.stdin_filename.clone(),
        exclude: Exclude { base: config.folder.clone(), patterns: config.exclude.clone() },
        roots: config.roots.clone(),
        detached: arguments.detached,
        editable: Vec::new(),
        helm: helm(arguments, config),
        sources,
        overlay,
    };
    let loaded = if arguments.whole_unit { load::triggers::load_around(&inputs) } else { load::load(&inputs) };
    let errors = match loaded {
        Ok(loaded) => return Some(loaded),
        Err(errors) => errors,
    };
    for error in errors {
        output::complain(&format!("{}: {}", visible::line(&shown(&error.path)), error.message));
    }
    None
}
