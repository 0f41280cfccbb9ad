//! From the paths on the command line to the files to read.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use globset::{GlobBuilder, GlobSet};
use ignore::{DirEntry, WalkBuilder, WalkState};
use walkdir::WalkDir;

use super::ignored::{Ignored, is_hidden as hidden};
use super::kustomize::Files;
use super::overlay::{Overlay, place};
use super::untrusted;

/// File name endings that manifests have.
const MANIFESTS: &[&str] = &["yaml", "yml", "json"];

/// Files that make a folder a Kustomize root.
pub const KUSTOMIZATION: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The file that makes a folder a Helm chart.
pub const CHART: &str = "Chart.yaml";

/// The names of kvlint's own configuration, the preferred one first. It is never linted as a manifest.
pub const CONFIG: &[&str] = &["kvlint.yaml", ".kvlint.yaml"];

/// The file that names what kvlint leaves out, beside `.gitignore`.
pub const IGNORE_FILE: &str = ".kvlintignore";

/// Larger files, in bytes, are not manifests.
pub const SIZE_LIMIT: u64 = 256 << 20;

/// Why something that was found is not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The file or folder.
    pub path: PathBuf,
    /// Why, in words.
    pub reason: String,
    /// Whether reading failed, as opposed to being left out on purpose: the run ends with exit code 2.
    pub failed: bool,
    /// The manifest files that it stands for: 1 for a file, those below it for a folder.
    pub files: usize,
}

/// What one argument leads to.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Files to read, sorted, without repetition.
    pub files: Vec<PathBuf>,
    /// Folders with a kustomization, sorted.
    pub kustomizations: Vec<PathBuf>,
    /// Folders with a Helm chart that lie in no other, sorted.
    pub charts: Vec<PathBuf>,
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

/// Resolves one argument: a file, a folder or a pattern. `exclude` is matched against paths relative to `base`. Texts over files that
/// are not there yet are found as these would be.
///
/// # Errors
/// When there is nothing at that path, or the pattern is malformed or matches nothing.
pub fn resolve(argument: &Path, exclude: &Exclude, overlay: &Overlay) -> Result<Argument, NotFound> {
    let fail = |message: String| NotFound { path: argument.to_path_buf(), message };
    match fs::metadata(argument) {
        Ok(meta) if meta.is_dir() => {
            let mut found = walk(argument, exclude);
            add_unsaved(argument, exclude, overlay, &mut found);
            Ok(Argument::Folder(found))
        }
        Ok(_) => {
            let mut found = Found::default();
            add_file(argument, true, &mut found);
            Ok(Argument::Files(found))
        }
        Err(_) if overlay.is_file(argument) => {
            Ok(Argument::Files(Found { files: vec![argument.to_path_buf()], ..Found::default() }))
        }
        Err(_) if overlay.is_folder(argument) => {
            let mut found = Found::default();
            add_unsaved(argument, exclude, overlay, &mut found);
            Ok(Argument::Folder(found))
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
        let relative = relative(path, &self.base);
        relative.ancestors().any(|p| !p.as_os_str().is_empty() && self.patterns.is_match(p))
    }
}

/// A path relative to a canonical folder that it lies in; else the path as it is. Links in the folders on the way are
/// followed, a link at the end is not.
pub fn relative(path: &Path, base: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    if let Ok(rest) = absolute.strip_prefix(base) {
        return rest.to_path_buf();
    }
    let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else { return path.to_path_buf() };
    let canonical = fs::canonicalize(folder).map(|folder| folder.join(name));
    canonical.ok().and_then(|p| p.strip_prefix(base).map(Path::to_path_buf).ok()).unwrap_or_else(|| path.to_path_buf())
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
    let mut charts: Vec<PathBuf> = Vec::new();
    let canonical_root = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    let exclude = exclude.clone();
    found.skipped.extend(canonical_root.ancestors().find_map(untrusted::endless));
    let endless: Arc<Mutex<Vec<Skipped>>> = Arc::default();
    let told = Arc::clone(&endless);
    let tell = move |endless| told.lock().unwrap_or_else(PoisonError::into_inner).push(endless);
    let mut walker = WalkBuilder::new(root);
    as_configured(&mut walker, move |entry| !exclude.matches(entry.path()), tell);
    for entry in entries(root, walker) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                let path = error_path(&e).unwrap_or_else(|| root.to_path_buf());
                let reason = e.io_error().map_or_else(|| e.to_string(), describe);
                found.skipped.push(Skipped { path, reason, failed: true, files: 1 });
                continue;
            }
        };
        let path = entry.path();
        let Some(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            continue;
        }
        if path.file_name().is_some_and(|name| name == CHART)
            && let Some(folder) = path.parent()
        {
            charts.push(folder.to_path_buf());
        }
        if is_kustomization(path)
            && let Some(folder) = path.parent()
        {
            found.kustomizations.push(folder.to_path_buf());
        }
        if kind.is_symlink() {
            // The walk gives a root that is a link as one, and goes into it.
            if entry.depth() > 0 {
                link(path, &canonical_root, &mut found);
            }
        } else if is_manifest(path) && !is_config(path) {
            if kind.is_file() {
                found.files.push(path.to_path_buf());
            } else {
                add_file(path, false, &mut found);
            }
        }
    }
    leave_out(charts, &mut found);
    found.skipped.append(&mut endless.lock().unwrap_or_else(PoisonError::into_inner));
    found.files.sort();
    found.files.dedup();
    found.kustomizations.sort();
    found.kustomizations.dedup();
    found
}

/// Adds what a walk would find if the texts over files that are not there yet were saved.
fn add_unsaved(root: &Path, exclude: &Exclude, overlay: &Overlay, found: &mut Found) {
    let new = overlay.new_below(root);
    if new.is_empty() {
        return;
    }
    let real = place(root);
    // The ignore files above the folder count, too.
    let top = super::repository::top_of(&real.join("x")).unwrap_or(&real).to_path_buf();
    let mut ignored = Ignored::below(&top);
    for relative in new {
        let (path, full) = (root.join(&relative), real.join(&relative));
        let in_chart = || full.ancestors().any(|folder| found.charts.iter().any(|chart| place(chart) == folder));
        let left_out = hidden(relative.as_os_str().as_encoded_bytes()) || exclude.matches(&full) || in_chart();
        if left_out || !is_manifest(&path) && !is_kustomization(&path) || is_config(&path) || ignored.matches(&full) {
            continue;
        }
        if let Some(folder) = path.parent().filter(|_| is_kustomization(&path)) {
            found.kustomizations.push(folder.to_path_buf());
        }
        if is_manifest(&path) {
            found.files.push(path);
        }
    }
    found.files.sort();
    found.kustomizations.sort();
    found.kustomizations.dedup();
}

/// What a walk goes into and what it leaves out; `keep` is asked beside that. It never goes into a folder whose `.gitignore`
/// has no end, and gives that file to `tell`.
pub(crate) fn as_configured(
    walker: &mut WalkBuilder,
    keep: impl Fn(&DirEntry) -> bool + Send + Sync + 'static,
    tell: impl Fn(Skipped) + Send + Sync + 'static,
) {
    let go = move |entry: &DirEntry| {
        if !keep(entry) {
            return false;
        }
        let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        match folder.then(|| untrusted::endless(entry.path())).flatten() {
            Some(endless) => {
                tell(endless);
                false
            }
            None => true,
        }
    };
    walker
        .follow_links(false)
        .require_git(false)
        .ignore(false)
        // What a person ignores everywhere is not the same on another machine.
        .git_global(false)
        .add_custom_ignore_filename(IGNORE_FILE)
        .filter_entry(go);
}

/// Sub-folders from which on a walk is shared between threads. Starting them, and their waiting for each other, costs more
/// than a small walk.
const WORTH_THREADS: usize = 8;

/// All entries of a walk, in no order: what is made of them is sorted. Threads share the folders where there are many.
pub(crate) fn entries(root: &Path, mut walker: WalkBuilder) -> Vec<Result<DirEntry, ignore::Error>> {
    // The walk reads what the folders above leave out, too.
    let canonical_root = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    if canonical_root.ancestors().any(|folder| untrusted::endless(folder).is_some()) {
        return Vec::new();
    }
    let folder = |entry: io::Result<fs::DirEntry>| entry.and_then(|e| e.file_type()).is_ok_and(|kind| kind.is_dir());
    let folders = fs::read_dir(root).map_or(0, |entries| entries.map(folder).filter(|is| *is).count());
    if folders < WORTH_THREADS || rayon::current_num_threads() == 1 {
        return walker.build().collect();
    }
    let threads = rayon::current_num_threads();
    let (sender, receiver) = mpsc::channel();
    walker.threads(threads).build_parallel().run(|| {
        let sender = sender.clone();
        Box::new(move |entry| match sender.send(entry) {
            Ok(()) => WalkState::Continue,
            Err(_) => WalkState::Quit,
        })
    });
    drop(sender);
    receiver.into_iter().collect()
}

/// Whether a file is kvlint's own configuration, which is read as such or not at all.
pub fn is_config(path: &Path) -> bool {
    path.file_name().and_then(|n| n.to_str()).is_some_and(|name| CONFIG.contains(&name))
}

/// Whether a path names a kustomization file.
pub fn is_kustomization(path: &Path) -> bool {
    path.file_name().and_then(|n| n.to_str()).is_some_and(|n| KUSTOMIZATION.contains(&n))
}

/// Takes away what lies in charts, which are read as a whole; of charts inside each other the outermost counts.
fn leave_out(mut charts: Vec<PathBuf>, found: &mut Found) {
    charts.sort();
    for folder in charts {
        if !found.charts.iter().any(|outer| folder.starts_with(outer)) {
            found.charts.push(folder);
        }
    }
    if found.charts.is_empty() {
        return;
    }
    let folders: BTreeSet<&Path> = found.charts.iter().map(PathBuf::as_path).collect();
    let outside = |path: &Path| !path.ancestors().any(|folder| folders.contains(folder));
    found.files.retain(|path| outside(path));
    found.kustomizations.retain(|folder| outside(folder));
    found.skipped.retain(|skipped| outside(&skipped.path));
}

/// The chart that a file is part of, so that it says nothing alone: a template, or one of the files that tell of the chart.
pub fn chart_of(path: &Path) -> Option<PathBuf> {
    let chart = path.ancestors().skip(1).filter(|folder| folder.join(CHART).is_file()).last()?;
    let parts: Vec<_> = path.strip_prefix(chart).ok()?.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    let inner = parts.chunks(2).skip_while(|pair| pair.len() == 2 && pair[0] == "charts").flatten();
    let inner: Vec<&str> = inner.map(AsRef::as_ref).collect();
    let belongs = match inner.as_slice() {
        [name] => [CHART, "templates", "ci"].contains(name) || name.starts_with("values"),
        [folder, ..] => ["templates", "ci"].contains(folder),
        [] => false,
    };
    let folder = if chart.as_os_str().is_empty() { Path::new(".") } else { chart };
    belongs.then(|| folder.to_path_buf())
}

/// A link is followed only to a file inside the root, which the walk meets by itself unless it is ignored there.
fn link(path: &Path, root: &Path, found: &mut Found) {
    let skip = |reason: &str| Skipped { path: path.to_path_buf(), reason: reason.into(), failed: false, files: 1 };
    let named = is_manifest(path);
    match fs::canonicalize(path) {
        Err(_) if named => found.skipped.push(skip("a link that leads nowhere")),
        Err(_) => {}
        Ok(target) if !target.starts_with(root) && (named || target.is_dir()) => {
            found.skipped.push(skip("a link that leads out of the folder"));
        }
        Ok(target) if !named || target.is_dir() || is_manifest(&target) => {}
        Ok(_) => add_file(path, false, found),
    }
}

fn add_file(path: &Path, explicit: bool, found: &mut Found) {
    let skip = |reason: String, failed| Skipped { path: path.to_path_buf(), reason, failed, files: 1 };
    match fs::metadata(path) {
        Err(e) => found.skipped.push(skip(describe(&e), true)),
        // `kvlint <(helm template …)` gives a pipe by this name; any other pipe may never end.
        Ok(meta) if !meta.is_file() && !is_descriptor(path) => {
            found.skipped.push(skip("not a regular file".into(), explicit));
        }
        Ok(_) => found.files.push(path.to_path_buf()),
    }
}

/// Whether a path names an open stream of this process, as `<(…)` of a shell does.
pub(crate) fn is_descriptor(path: &Path) -> bool {
    path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd") || path == Path::new("/dev/stdin")
}

/// The files that a pattern matches, as a shell would: hidden names only where the pattern names them, links to folders
/// not followed.
fn expand(pattern: &Path, exclude: &Exclude) -> Result<Found, String> {
    let bare = pattern.strip_prefix("./").unwrap_or(pattern);
    let text = bare.to_string_lossy();
    let glob = GlobBuilder::new(&text).literal_separator(true).build().map_err(|e| e.kind().to_string())?;
    let matcher = glob.compile_matcher();
    let fixed: PathBuf = bare.components().take_while(|c| !is_pattern(Path::new(c.as_os_str()))).collect();
    let start = if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed.clone() };
    let rest = bare.strip_prefix(&fixed).unwrap_or(bare);
    let hidden_named = rest.components().any(|c| is_hidden(c.as_os_str()));
    let mut found = Found::default();
    let walker = WalkDir::new(&start).sort_by_file_name().into_iter();
    for entry in walker.filter_entry(|e| e.depth() == 0 || hidden_named || !is_hidden(e.file_name())) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                let path = e.path().unwrap_or(&start).to_path_buf();
                // A pattern without a match is told by the caller.
                if e.depth() > 0 {
                    let reason = e.io_error().map_or_else(|| e.to_string(), describe);
                    found.skipped.push(Skipped { path, reason, failed: true, files: 1 });
                }
                continue;
            }
        };
        let path = entry.path().strip_prefix("./").unwrap_or(entry.path());
        if !path.is_dir() && matcher.is_match(path) && !exclude.matches(path) {
            add_file(path, true, &mut found);
        }
    }
    Ok(found)
}

fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().starts_with('.')
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
