//! From the paths on the command line to the files to read.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet};
use ignore::WalkBuilder;
use walkdir::WalkDir;

/// File name endings that manifests have.
const MANIFESTS: &[&str] = &["yaml", "yml", "json"];

/// Files that make a folder a Kustomize root.
pub const KUSTOMIZATION: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The file that makes a folder a Helm chart.
pub const CHART: &str = "Chart.yaml";

/// Larger files are not manifests.
const SIZE_LIMIT: u64 = 256 << 20;

/// Why something that was found is not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The file or folder.
    pub path: PathBuf,
    /// Why, in words.
    pub reason: String,
    /// Whether reading failed, as opposed to being left out on purpose: the run ends with exit code 2.
    pub failed: bool,
}

/// What one argument leads to.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Files to read, sorted, without repetition.
    pub files: Vec<PathBuf>,
    /// Folders with a kustomization, sorted.
    pub kustomizations: Vec<PathBuf>,
    /// Files and folders left out.
    pub skipped: Vec<Skipped>,
}

/// A path on the command line that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound {
    /// The path.
    pub path: PathBuf,
    /// What is wrong with it.
    pub message: String,
}

/// An argument, resolved.
#[derive(Clone, Debug)]
pub enum Argument {
    /// A folder, and the files below it.
    Folder(Found),
    /// One file, or the files that a pattern matches.
    Files(Found),
}

/// Resolves one argument: a file, a folder or a pattern. `exclude` is matched against paths relative to `base`.
///
/// # Errors
/// When there is nothing at that path, or the pattern is malformed or matches nothing.
pub fn resolve(argument: &Path, exclude: &Exclude) -> Result<Argument, NotFound> {
    let fail = |message: String| NotFound { path: argument.to_path_buf(), message };
    match fs::metadata(argument) {
        Ok(meta) if meta.is_dir() => Ok(Argument::Folder(walk(argument, exclude))),
        Ok(_) => {
            let mut found = Found::default();
            add_file(argument, true, &mut found);
            Ok(Argument::Files(found))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound && is_pattern(argument) => {
            let found = expand(argument, exclude).map_err(fail)?;
            if found.files.is_empty() && found.skipped.is_empty() {
                return Err(fail("no file matches this pattern".into()));
            }
            Ok(Argument::Files(found))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let dangling = fs::symlink_metadata(argument).is_ok();
            Err(fail(if dangling { "this link leads nowhere" } else { "no such file or folder" }.into()))
        }
        Err(e) => Err(fail(describe(&e))),
    }
}

/// Patterns of paths to leave out, relative to a folder.
#[derive(Clone, Debug, Default)]
pub struct Exclude {
    /// The folder that the patterns are relative to, canonical.
    pub base: PathBuf,
    /// The patterns.
    pub patterns: GlobSet,
}

impl Exclude {
    /// Whether a path is left out, itself or through a folder above it.
    pub fn matches(&self, path: &Path) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let relative = absolute.strip_prefix(&self.base).unwrap_or(path);
        relative.ancestors().any(|p| !p.as_os_str().is_empty() && self.patterns.is_match(p))
    }
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '[', '{'])
}

/// Whether a path looks like a manifest by its name.
pub fn is_manifest(path: &Path) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| MANIFESTS.iter().any(|m| m.eq_ignore_ascii_case(e)))
}

fn walk(root: &Path, exclude: &Exclude) -> Found {
    let mut found = Found::default();
    let canonical_root = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    let mut pruned = BTreeSet::new();
    let walker = WalkBuilder::new(root)
        .follow_links(false)
        .require_git(false)
        .add_custom_ignore_filename(".kvlintignore")
        .sort_by_file_name(Ord::cmp)
        .build();
    for entry in walker {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                let path = error_path(&e).unwrap_or_else(|| root.to_path_buf());
                let reason = e.io_error().map_or_else(|| e.to_string(), describe);
                found.skipped.push(Skipped { path, reason, failed: true });
                continue;
            }
        };
        let path = entry.path();
        if pruned.iter().any(|p: &PathBuf| path.starts_with(p)) || exclude.matches(path) {
            continue;
        }
        let Some(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if let Some(reason) = other_loader(path) {
                pruned.insert(path.to_path_buf());
                found.skipped.push(Skipped { path: path.to_path_buf(), reason, failed: false });
            } else if is_kustomize(path) {
                found.kustomizations.push(path.to_path_buf());
            }
        } else if kind.is_symlink() {
            if is_manifest(path) {
                link(path, &canonical_root, &mut found);
            }
        } else if is_manifest(path) {
            add_file(path, false, &mut found);
        }
    }
    found.files.sort();
    found.files.dedup();
    found
}

/// Folders that are not plain manifests.
fn other_loader(folder: &Path) -> Option<String> {
    if folder.join(CHART).is_file() {
        return Some("a Helm chart: render it and lint the output (`helm template … | kvlint -`)".into());
    }
    None
}

/// Whether a folder holds a kustomization.
fn is_kustomize(folder: &Path) -> bool {
    KUSTOMIZATION.iter().any(|name| folder.join(name).is_file())
}

/// Whether a path names a kustomization file.
pub fn is_kustomization(path: &Path) -> bool {
    path.file_name().and_then(|n| n.to_str()).is_some_and(|n| KUSTOMIZATION.contains(&n))
}

/// A link is followed only to a file inside the root, which the walk meets by itself unless it is ignored there.
fn link(path: &Path, root: &Path, found: &mut Found) {
    let skip = |reason: &str| Skipped { path: path.to_path_buf(), reason: reason.into(), failed: false };
    match fs::canonicalize(path) {
        Err(_) => found.skipped.push(skip("a link that leads nowhere")),
        Ok(target) if !target.starts_with(root) => found.skipped.push(skip("a link that leads out of the folder")),
        Ok(target) if target.is_dir() => {}
        Ok(target) if is_manifest(&target) => {}
        Ok(_) => add_file(path, false, found),
    }
}

fn add_file(path: &Path, explicit: bool, found: &mut Found) {
    let skip = |reason: String, failed| Skipped { path: path.to_path_buf(), reason, failed };
    match fs::metadata(path) {
        Err(e) => found.skipped.push(skip(describe(&e), true)),
        // `kvlint <(helm template …)` gives a pipe by this name; any other pipe may never end.
        Ok(meta) if !meta.is_file() && !is_descriptor(path) => {
            found.skipped.push(skip("not a regular file".into(), explicit));
        }
        Ok(meta) if meta.len() > SIZE_LIMIT => {
            found.skipped.push(skip(format!("larger than {} MiB", SIZE_LIMIT >> 20), true));
        }
        Ok(_) => found.files.push(path.to_path_buf()),
    }
}

fn is_descriptor(path: &Path) -> bool {
    path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd") || path == Path::new("/dev/stdin")
}

fn expand(pattern: &Path, exclude: &Exclude) -> Result<Found, String> {
    let text = pattern.to_string_lossy();
    let glob = GlobBuilder::new(&text).literal_separator(true).build().map_err(|e| e.kind().to_string())?;
    let matcher = glob.compile_matcher();
    let fixed: PathBuf = pattern.components().take_while(|c| !is_pattern(Path::new(c.as_os_str()))).collect();
    let start = if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed };
    let mut found = Found::default();
    for entry in WalkDir::new(&start).follow_links(true).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            // A loop of links ends here; what else can't be read has no name that matches.
            Err(_) => continue,
        };
        let path = entry.path().strip_prefix("./").unwrap_or(entry.path());
        if entry.file_type().is_file() && matcher.is_match(path) && !exclude.matches(path) {
            add_file(path, true, &mut found);
        }
    }
    Ok(found)
}

fn error_path(error: &ignore::Error) -> Option<PathBuf> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        _ => None,
    }
}

/// An I/O error in words that name the next step where there is one.
pub fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::NotFound => "no such file or folder".into(),
        _ => error.to_string(),
    }
}
