//! The unit around a file: what to read when one file changed and only what it takes part in is of interest.
//!
//! A hook is given the files of a commit, an editor one file. Neither wants the repository read, and neither can do with the file
//! alone: a Service is right or wrong beside its Deployment. So each file is a *trigger*, which leads to
//!
//! 1. the Kustomize roots that use it, directly or through bases and components, wherever they lie in the repository;
//! 2. else the Helm charts that the configuration has rendered with it, and the one that it lies in;
//! 3. else the roots of the kustomization beside it, which may name what the file was called before;
//! 4. else the nearest folder of `roots` in kvlint.yaml;
//! 5. else its folder, which is complete only where nothing else in the repository could be deployed with it.
//!
//! Files of kvlint's configuration lead to all that they apply to. The repository ends at its top folder; without one, at the
//! folder that the process was started in. Kustomizations that git does not track are seen only in the folders above the file.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::discover::{self, Exclude, NotFound, Skipped};
use super::helm::NamedSet;
use super::ignored::is_hidden;
use super::kustomize::Files;
use super::overlay;
use super::repository::{Repository, may_hold_object, top_of};
use super::unit::{Missing, UnitKind};
use super::{Inputs, Loaded, Overlay, load};

/// Why a manifest beside a kustomization is not linted.
const UNUSED: &str = "the kustomization beside it does not use it";

/// Something to load because of a file. Folders are canonical.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A folder with a kustomization that no other uses.
    Kustomization(PathBuf),
    /// A Helm chart.
    Chart(PathBuf),
    /// A folder of `roots`.
    Root(PathBuf),
    /// A folder of plain manifests that nothing else claims.
    Folder {
        /// The folder.
        path: PathBuf,
        /// A manifest outside it that may be deployed with it, so that what is absent here proves nothing.
        outside: Option<PathBuf>,
    },
    /// Everything below a folder: what a configuration applies to, or what was asked for as a folder.
    All(PathBuf),
}

impl Target {
    /// The folder.
    pub fn folder(&self) -> &Path {
        match self {
            Target::Kustomization(path) | Target::Chart(path) | Target::Root(path) | Target::All(path) => path,
            Target::Folder { path, .. } => path,
        }
    }
}

/// Finds the units around files. What is learnt about a repository is kept for the next file.
#[derive(Debug)]
pub struct Surroundings<'s> {
    exclude: &'s Exclude,
    roots: &'s [PathBuf],
    sets: &'s [NamedSet],
    here: PathBuf,
    overlay: Overlay,
    repositories: HashMap<PathBuf, Repository>,
    /// Roots by the kustomizations that lead to them.
    roots_by_folder: HashMap<Vec<PathBuf>, Vec<PathBuf>>,
    outside: HashMap<PathBuf, Option<PathBuf>>,
}

impl<'s> Surroundings<'s> {
    /// Files are judged by what the configuration leaves out, by its `roots`, and by the values sets that charts are rendered with.
    /// `here` bounds the look-out where there is no repository.
    pub fn new(exclude: &'s Exclude, roots: &'s [PathBuf], sets: &'s [NamedSet], here: &Path) -> Surroundings<'s> {
        Surroundings {
            exclude,
            roots,
            sets,
            here: real(here),
            overlay: Overlay::default(),
            repositories: HashMap::new(),
            roots_by_folder: HashMap::new(),
            outside: HashMap::new(),
        }
    }

    /// With texts that count instead of what is on disk.
    pub fn over(self, overlay: &Overlay) -> Surroundings<'s> {
        Surroundings { overlay: overlay.clone(), ..self }
    }

    /// What to load because of a file, which may be gone.
    ///
    /// # Errors
    /// Why nothing is loaded, in words.
    pub fn of(&mut self, file: &Path) -> Result<Vec<Target>, &'static str> {
        self.lead(file).map(|(targets, _)| targets)
    }

    /// The repository that a file lies in; without one the folder that bounds the look-out.
    fn top(&self, file: &Path) -> PathBuf {
        let folder = file.parent().unwrap_or(file);
        top_of(file).unwrap_or(if file.starts_with(&self.here) { &self.here } else { folder }).to_path_buf()
    }

    /// The file without links in the folders on the way.
    fn place(&self, file: &Path) -> PathBuf {
        place(&if file.is_absolute() { file.to_path_buf() } else { self.here.join(file) })
    }

    /// As [`Surroundings::of`], and why the file itself is in none of it.
    fn lead(&mut self, file: &Path) -> Result<(Vec<Target>, Option<&'static str>), &'static str> {
        let file = self.place(file);
        if file.is_dir() {
            return Ok((vec![Target::All(real(&file))], None));
        }
        let folder = file.parent().unwrap_or(&file).to_path_buf();
        let top = self.top(&file);
        let (exclude, overlay) = (self.exclude, &self.overlay);
        let new = || Repository::read(&top, exclude, overlay);
        let repository = self.repositories.entry(top.clone()).or_insert_with(new);
        let config = discover::is_config(&file) || file.file_name().is_some_and(|n| n == discover::IGNORE_FILE);
        if config && folder.is_dir() {
            return Ok((vec![Target::All(folder)], None));
        }
        if exclude.matches(&file) {
            return Err("left out by `exclude` in kvlint.yaml");
        }
        if repository.is_ignored(&file) {
            return Err("hidden, or left out by .gitignore or .kvlintignore");
        }
        let (mut users, mut possible) = repository.direct_users(&file);
        let there = |folder: &Path| discover::KUSTOMIZATION.iter().any(|name| overlay.is_file(&folder.join(name)));
        if discover::is_kustomization(&file) {
            users.push(folder.clone());
        }
        let mut roots = |mut users: Vec<PathBuf>, repository: &mut Repository| -> Vec<Target> {
            users.retain(|user| !exclude.matches(user));
            users.sort();
            let roots = self.roots_by_folder.entry(users).or_insert_with_key(|users| {
                let mut found = repository.roots_of(users);
                found.retain(|root| there(root) && !exclude.matches(root) && !repository.is_ignored(root));
                found
            });
            roots.iter().cloned().map(Target::Kustomization).collect()
        };
        let mut targets = roots(users, repository);
        if !targets.is_empty() {
            return Ok((targets, None));
        }
        let named = |set: &&NamedSet| set.files.iter().any(|path| place(&self.here.join(path)) == file);
        let sets: Vec<&NamedSet> = self.sets.iter().filter(named).collect();
        if !sets.is_empty() {
            let mut charts = repository.charts();
            let own = repository.chart_of(&file);
            charts.retain(|chart| !exclude.matches(chart) && !repository.is_ignored(chart));
            charts.retain(|chart| {
                own.as_ref() == Some(chart) || sets.iter().any(|set| set.is_for(&shown(&self.here, chart)))
            });
            if !charts.is_empty() {
                return Ok((charts.into_iter().map(Target::Chart).collect(), None));
            }
        }
        // What is not used now may have been, under this name or another.
        let unused = discover::is_manifest(&file) && there(&folder) && repository.chart_of(&file).is_none();
        if unused {
            possible.push(folder.clone());
            possible.dedup();
        }
        targets = roots(possible, repository);
        if unused && !targets.is_empty() {
            return Ok((targets, Some(UNUSED)));
        }
        match self.without_users(&file, &folder, &top) {
            Ok(target) => targets.push(target),
            Err(reason) if targets.is_empty() => return Err(reason),
            Err(_) => {}
        }
        Ok((targets, None))
    }

    /// The unit of a file that no kustomization names.
    fn without_users(&mut self, file: &Path, folder: &Path, top: &Path) -> Result<Target, &'static str> {
        let Some(repository) = self.repositories.get(top) else { return Err("its repository can't be read") };
        if let Some(chart) = repository.chart_of(file) {
            return Ok(Target::Chart(chart));
        }
        if !discover::is_manifest(file) {
            return Err("no manifest by its name, and no kustomization or chart uses it");
        }
        if discover::KUSTOMIZATION.iter().any(|name| self.overlay.is_file(&folder.join(name))) {
            return Err(UNUSED);
        }
        // A text that is being written may become one.
        let unsaved = self.overlay.get(file).is_some();
        if !unsaved && may_hold_object(file) == Some(false) {
            return Err("no Kubernetes object in it");
        }
        if let Some(root) = self.roots.iter().filter(|r| file.starts_with(r)).max_by_key(|r| r.as_os_str().len()) {
            return Ok(Target::Root(root.clone()));
        }
        if !self.overlay.is_folder(folder) {
            return Err("gone, with its folder");
        }
        let outside = self.outside.entry(folder.to_path_buf());
        let outside = outside.or_insert_with(|| repository.manifest_outside(folder, self.roots)).clone();
        Ok(Target::Folder { path: folder.to_path_buf(), outside })
    }

    /// The path to show for a canonical one: from the folder that the process was started in, where it lies there.
    fn shown(&self, path: &Path) -> PathBuf {
        shown(&self.here, path)
    }
}

/// Loads the whole units around the paths of `inputs`: each unit once, whatever number of paths leads to it. Every file of these units
/// is editable that lies in the repository of one of the paths. A path that leads to nothing is among [`Loaded::skipped`].
///
/// # Errors
/// When a path that is to be loaded leads nowhere, which only a change behind our back can bring about.
pub fn load_around(inputs: &Inputs) -> Result<Loaded, Vec<NotFound>> {
    let here = std::env::current_dir().unwrap_or_default();
    let around = Surroundings::new(&inputs.exclude, &inputs.roots, &inputs.helm.sets, &here);
    load_with(&mut around.over(&inputs.overlay), inputs)
}

/// As [`load_around`], with what is known of the surroundings, which must be those of the inputs.
///
/// # Errors
/// As [`load_around`].
pub fn load_with(around: &mut Surroundings<'_>, inputs: &Inputs) -> Result<Loaded, Vec<NotFound>> {
    let mut targets: BTreeMap<Target, ()> = BTreeMap::new();
    let mut skipped: Vec<Skipped> = Vec::new();
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut editable: Vec<PathBuf> = inputs.editable.clone();
    for path in &inputs.paths {
        if path == Path::new("-") {
            paths.push(path.clone());
            continue;
        }
        let real = around.place(path);
        let top = around.top(&real);
        let reason = match around.lead(path) {
            Ok((found, reason)) => {
                targets.extend(found.into_iter().map(|target| (target, ())));
                reason
            }
            // Nobody expects such a file to be deployed.
            Err(_) if real.strip_prefix(&top).is_ok_and(|path| is_hidden(path.as_os_str().as_encoded_bytes())) => None,
            Err(reason) => Some(reason),
        };
        let left_out = |reason: &str| Skipped { path: path.clone(), reason: reason.into(), failed: false, files: 1 };
        skipped.extend(reason.map(left_out));
        if !editable.contains(&top) {
            editable.push(top);
        }
    }
    for target in targets.keys() {
        let folder = around.shown(target.folder());
        paths.push(match target {
            // The file, not the folder: other kustomizations may lie below it.
            Target::Kustomization(real) => {
                let name = discover::KUSTOMIZATION.iter().find(|name| around.overlay.is_file(&real.join(name)));
                if folder == Path::new(".") { PathBuf::new() } else { folder }
                    .join(name.unwrap_or(&"kustomization.yaml"))
            }
            _ => folder,
        });
    }
    let mut loaded = load(&Inputs { paths, editable, ..inputs.clone() })?;
    let all: Vec<&Path> = targets.keys().filter(|t| matches!(t, Target::All(_))).map(Target::folder).collect();
    loaded.units.retain_mut(|unit| {
        let folder = overlay::place(&unit.root);
        if unit.kind == UnitKind::Stream || all.iter().any(|a| folder.starts_with(a)) {
            return true;
        }
        let mut wanted = false;
        for target in targets.keys().filter(|t| t.folder() == folder) {
            wanted |= matches!(target, Target::Kustomization(_)) == (unit.kind == UnitKind::Kustomize);
            if let (Target::Folder { outside: Some(outside), .. }, UnitKind::Plain) = (target, unit.kind) {
                let outside = around.shown(outside);
                let reason = format!(
                    "{} may be deployed with it: name folders that are deployed on their own under `roots` in kvlint.yaml",
                    outside.display()
                );
                unit.missing.push(Missing { reason, span: None });
            }
        }
        wanted
    });
    loaded.skipped.extend(skipped);
    loaded.skipped.sort();
    loaded.skipped.dedup();
    Ok(loaded)
}

fn shown(here: &Path, path: &Path) -> PathBuf {
    match path.strip_prefix(here) {
        Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from("."),
        Ok(rest) => rest.to_path_buf(),
        Err(_) => path.to_path_buf(),
    }
}

/// The canonical path of something that is there; else the path as it is.
fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Where a file is or was: the folders on the way without links, the name as given.
fn place(file: &Path) -> PathBuf {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return real(file) };
    let mut gone = vec![name.to_os_string()];
    let mut folder = crate::lexical::clean(folder);
    loop {
        if let Ok(found) = std::fs::canonicalize(&folder) {
            return gone.iter().rev().fold(found, |path, name| path.join(name));
        }
        let Some(name) = folder.file_name().map(std::ffi::OsStr::to_os_string) else { return file.to_path_buf() };
        gone.push(name);
        if !folder.pop() {
            return file.to_path_buf();
        }
    }
}
