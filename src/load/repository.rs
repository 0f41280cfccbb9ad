//! What lies in a repository, without a look into its folders where git's index has the list: kustomizations, charts,
//! manifests by name, and what is ignored.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ignore::WalkBuilder;
use rayon::prelude::*;
use regex::bytes::{Regex, RegexBuilder};

use super::discover::{self, CHART, Exclude};
use super::git_index::{self, Index};
use super::ignored::{Ignored, is_hidden};
use super::kustomize::Files;
use super::kustomize::users::{self, Uses};
use super::overlay::Overlay;
use super::{text, untrusted};
use crate::lexical::clean;

/// Files that are looked into, at most, before manifests are taken for granted.
const PEEKS: usize = 256;

/// Folders whose users are looked for one by one; for more, every kustomization is read as YAML once.
const ONE_BY_ONE: usize = 8;

/// Links to folders whose names are looked for in texts; with more, every kustomization is read as YAML.
const LINKS: usize = 64;

/// Most kustomizations are read with one call into this many bytes.
const START: usize = 8192;

/// A kustomization of the repository.
#[derive(Debug)]
struct Kustomization {
    /// Its folder, below the canonical top.
    folder: PathBuf,
    /// What stands in it.
    bytes: Vec<u8>,
    /// Whether an escape or another encoding may hide a name.
    veiled: bool,
    uses: OnceLock<Uses>,
}

impl Kustomization {
    fn new(folder: PathBuf, bytes: Vec<u8>) -> Kustomization {
        let veiled = bytes.iter().any(|b| *b == b'\\' || *b == 0);
        Kustomization { folder, bytes, veiled, uses: OnceLock::new() }
    }

    fn uses(&self) -> &Uses {
        self.uses.get_or_init(|| users::uses(&self.folder, text::lossy(self.bytes.clone())))
    }
}

/// What must stand in the text of a kustomization that names a folder. Thousands of kustomizations end in `../../base`, and
/// reading their YAML would take far longer than this.
///
/// A path that leads to a folder ends with the folder's name or that of a link to it: one that ends with `..` instead leads to a folder
/// above its own, which Kustomize refuses, or goes through the name of another.
struct Naming<'r> {
    folder: &'r Path,
    bytes: &'r [u8],
    /// The folder's last name, in any case, as some file systems take it. None where YAML may write it in several ways.
    word: Option<Regex>,
    plain: bool,
    /// The names of links to folders; none where there are too many to look for.
    links: Option<&'r Regex>,
    linked: bool,
}

impl<'r> Naming<'r> {
    fn of(folder: &'r Path, repository: &'r Repository) -> Naming<'r> {
        let name = folder.file_name().map(Path::new).filter(|name| is_plain(name));
        let word = name.and_then(|n| any_case(&regex::escape(&n.to_string_lossy())));
        Naming {
            folder,
            bytes: folder.as_os_str().as_encoded_bytes(),
            word,
            plain: is_plain(folder),
            links: repository.link_words.as_ref(),
            linked: !repository.links.is_empty(),
        }
    }

    fn may_stand_in(&self, k: &Kustomization) -> bool {
        let Some(word) = self.word.as_ref().filter(|_| !k.veiled) else { return true };
        if self.linked && self.links.is_none_or(|links| links.is_match(&k.bytes)) {
            return true;
        }
        let mut found = word.find_iter(&k.bytes).peekable();
        if found.peek().is_none() || !self.plain || !is_plain(&k.folder) {
            return found.peek().is_some();
        }
        found.any(|found| {
            let before = k.bytes[..found.start()].iter().rev().take_while(|b| is_plain_byte(b)).count();
            let after = k.bytes[found.end()..].iter().take_while(|b| is_plain_byte(b)).count();
            let token = &k.bytes[found.start() - before..found.end() + after];
            leads(k.folder.as_os_str().as_encoded_bytes(), token, self.bytes).unwrap_or_else(|| {
                let Ok(token) = std::str::from_utf8(token) else { return true };
                clean(&k.folder.join(token)).as_os_str().eq_ignore_ascii_case(self.folder)
            })
        })
    }
}

/// Whether a relative path leads from one folder to another in any case, by its words; `None` where that takes more than a look.
fn leads(mut from: &[u8], path: &[u8], to: &[u8]) -> Option<bool> {
    let mut rest = path;
    loop {
        if let Some(deeper) = rest.strip_prefix(b"./") {
            rest = deeper;
        } else if let Some(above) = rest.strip_prefix(b"../") {
            from = &from[..from.iter().rposition(|b| *b == b'/')?];
            rest = above;
        } else {
            break;
        }
    }
    let rest = rest.strip_suffix(b"/").unwrap_or(rest);
    if rest.split(|b| *b == b'/').any(|name| matches!(name, b"" | b"." | b"..")) {
        return None;
    }
    let tail = to.len().checked_sub(rest.len() + 1);
    Some(tail.is_some_and(|at| {
        to[..at].eq_ignore_ascii_case(from) && to[at] == b'/' && to[at + 1..].eq_ignore_ascii_case(rest)
    }))
}

fn any_case(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).case_insensitive(true).build().ok()
}

/// Whether a path can stand in YAML only as it is, without quotes in between.
fn is_plain(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().iter().all(is_plain_byte)
}

fn is_plain_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-' | b'+' | b'@' | b'~')
}

#[derive(Debug)]
enum List {
    Index(Index),
    /// Paths relative to the top, and whether they are links.
    Walked(Vec<(PathBuf, bool)>),
}

/// One repository, or one folder where there is none.
#[derive(Debug)]
pub struct Repository {
    /// The top folder, canonical.
    pub top: PathBuf,
    exclude: Exclude,
    overlay: Overlay,
    list: List,
    /// The names of links to folders, through which these have other names.
    links: Vec<String>,
    link_words: Option<Regex>,
    /// Whether a file of `taken` is a link, which may lead to a pipe or a console.
    linked: bool,
    /// Files that make their folders a kustomization or a chart, from the top.
    taken: Vec<PathBuf>,
    kustomizations: OnceLock<Vec<Kustomization>>,
    /// Kustomizations by the paths that they name.
    by_use: OnceLock<HashMap<PathBuf, Vec<usize>>>,
    ignored: Ignored,
}

/// The top of the repository that a canonical path lies in.
pub fn top_of(path: &Path) -> Option<&Path> {
    path.ancestors().skip(1).find(|folder| folder.join(".git").exists())
}

impl Repository {
    /// Lists what is below a canonical folder: from git's index where that is its top, else by a walk. Texts over the files count instead
    /// of these, and beside them.
    pub fn read(top: &Path, exclude: &Exclude, overlay: &Overlay) -> Repository {
        let empty = || Repository {
            top: top.to_path_buf(),
            exclude: exclude.clone(),
            overlay: overlay.clone(),
            list: List::Walked(Vec::new()),
            links: Vec::new(),
            link_words: None,
            linked: false,
            taken: Vec::new(),
            kustomizations: OnceLock::new(),
            by_use: OnceLock::new(),
            ignored: Ignored::below(top),
        };
        let listed = Index::of(top).and_then(|index| Repository { list: List::Index(index), ..empty() }.sorted_out());
        let walked = || Repository { list: List::Walked(walk(top)), ..empty() }.sorted_out();
        listed.or_else(walked).unwrap_or_else(empty)
    }

    /// Takes note of what matters about the list; `None` where it can't be read.
    fn sorted_out(mut self) -> Option<Repository> {
        let (mut links, mut linked, mut taken) = (Vec::new(), false, Vec::new());
        self.each(&mut |path, link| {
            if link && self.top.join(native(path)).is_dir() {
                let name = path.rsplit(is_separator).next().unwrap_or(path);
                links.push(String::from_utf8_lossy(name).into_owned());
            }
            if takes_its_folder(path) && !is_hidden(path) {
                linked |= link;
                taken.push(native(path));
            }
            true
        })?;
        let unsaved = self.overlay.iter().filter_map(|(path, _)| path.strip_prefix(&self.top).ok());
        let unsaved = unsaved.filter(|path| {
            let bytes = path.as_os_str().as_encoded_bytes();
            takes_its_folder(bytes) && !is_hidden(bytes)
        });
        taken.extend(unsaved.map(Path::to_path_buf));
        if self.overlay.iter().next().is_some() {
            taken.sort();
            taken.dedup();
        }
        if !self.exclude.patterns.is_empty() {
            taken.retain(|file| !self.exclude.matches(&self.top.join(file)));
        }
        links.sort();
        links.dedup();
        if !links.is_empty() && links.len() <= LINKS && links.iter().all(|name| is_plain(Path::new(name))) {
            self.link_words = any_case(&links.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().join("|"));
        }
        (self.links, self.linked, self.taken) = (links, linked, taken);
        Some(self)
    }

    fn each(&self, visit: &mut dyn FnMut(&[u8], bool) -> bool) -> Option<()> {
        match &self.list {
            List::Index(index) => index.visit(&mut |entry| visit(entry.path, entry.link)),
            List::Walked(paths) => {
                paths.iter().all(|(path, link)| visit(path.as_os_str().as_encoded_bytes(), *link));
                Some(())
            }
        }
    }

    fn kustomizations(&self) -> &[Kustomization] {
        self.kustomizations.get_or_init(|| {
            let listed = matches!(self.list, List::Index(_)) && !self.linked;
            // The system finds a short path faster.
            let here = std::env::current_dir().is_ok_and(|here| here == self.top);
            // One that is in the index and not on the disk is deleted.
            let read = |start: &mut Vec<u8>, file: &&PathBuf| {
                let path = self.top.join(file);
                let bytes = match self.overlay.over(&path) {
                    Some(text) => text.to_vec(),
                    None => read_listed(if here { file } else { &path }, listed, start)?,
                };
                Some(Kustomization::new(path.parent()?.to_path_buf(), bytes))
            };
            let files: Vec<&PathBuf> = self.taken.iter().filter(|file| discover::is_kustomization(file)).collect();
            let read = files.par_iter().with_min_len(64).map_init(|| vec![0; START], read);
            read.filter_map(|read| read).collect()
        })
    }

    /// The kustomizations in the folders above a file that name it; a file that is gone counts as long as it is named. Then those
    /// that may use it: through a file of a generator or transformer, or under a name that it had before.
    pub fn direct_users(&self, file: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let real = std::fs::canonicalize(file).ok();
        let same = |path: &PathBuf| path == file || real.is_some() && std::fs::canonicalize(path).ok() == real;
        // A file beside this one that is named and not there: this one may be what was made of it.
        let lost = |path: &PathBuf| path.parent() == file.parent() && self.overlay.canonical(path).is_none();
        let inside = |folder: &&Path| folder.starts_with(&self.top);
        let (mut named, mut possible) = (Vec::new(), Vec::new());
        // A folder above the file is read even where git does not know its kustomization yet.
        for folder in file.ancestors().skip(1).take_while(inside) {
            let text = |name: &&str| self.overlay.read(&folder.join(name)).ok().map(text::lossy);
            let Some(text) = discover::KUSTOMIZATION.iter().find_map(text) else { continue };
            let uses = users::uses(folder, text);
            if uses.paths.iter().any(same) {
                named.push(folder.to_path_buf());
            } else if uses.plugins || uses.paths.iter().any(lost) {
                possible.push(folder.to_path_buf());
            }
        }
        (named, possible)
    }

    /// The kustomizations that nothing uses and that lead to one of these folders.
    pub fn roots_of(&self, folders: &[PathBuf]) -> Vec<PathBuf> {
        let mut reached: HashSet<PathBuf> = folders.iter().cloned().collect();
        let mut next: Vec<PathBuf> = folders.to_vec();
        let mut roots: Vec<PathBuf> = Vec::new();
        while !next.is_empty() {
            let users: Vec<Vec<&PathBuf>> = if next.len() > ONE_BY_ONE {
                next.iter().map(|folder| self.named_by(folder)).collect()
            } else {
                next.iter().map(|folder| self.users_of(folder)).collect()
            };
            let unused = next.iter().zip(&users).filter(|(_, users)| users.is_empty());
            roots.extend(unused.map(|(folder, _)| folder.clone()));
            let found: Vec<PathBuf> = users.into_iter().flatten().cloned().collect();
            next = found.into_iter().filter(|user| reached.insert(user.clone())).collect();
        }
        if roots.is_empty() {
            // A circle, which the build of any of them reports.
            roots.extend(folders.first().cloned());
        }
        roots.sort();
        roots.dedup();
        roots
    }

    /// The kustomizations that name a folder. One that lies in the folder does not count: Kustomize refuses it.
    fn users_of(&self, folder: &Path) -> Vec<&PathBuf> {
        let naming = Naming::of(folder, self);
        let names = |k: &&Kustomization| {
            naming.may_stand_in(k)
                && !k.folder.starts_with(folder)
                && k.uses().paths.iter().any(|p| p == folder || std::fs::canonicalize(p).is_ok_and(|p| p == folder))
        };
        let found: Vec<&Kustomization> = self.kustomizations().par_iter().with_min_len(64).filter(names).collect();
        found.into_iter().map(|k| &k.folder).collect()
    }

    /// As [`Self::users_of`], from a list of all that is named.
    fn named_by(&self, folder: &Path) -> Vec<&PathBuf> {
        let all = self.kustomizations();
        let by_use = self.by_use.get_or_init(|| {
            let folders: HashSet<&Path> = all.iter().map(|k| k.folder.as_path()).collect();
            // Behind a link, or in another case, a folder has another name than that by which it is known.
            let known = |path: &PathBuf| {
                let sure = folders.contains(path.as_path()) || self.links.is_empty() && discover::is_manifest(path);
                if sure { path.clone() } else { std::fs::canonicalize(path).unwrap_or_else(|_| path.clone()) }
            };
            let names = |k: &Kustomization| k.uses().paths.iter().map(known).collect::<Vec<_>>();
            let named: Vec<Vec<PathBuf>> = all.par_iter().map(names).collect();
            let mut by_use: HashMap<PathBuf, Vec<usize>> = HashMap::new();
            for (index, path) in
                named.into_iter().enumerate().flat_map(|(i, paths)| paths.into_iter().map(move |p| (i, p)))
            {
                by_use.entry(path).or_default().push(index);
            }
            by_use
        });
        let users = by_use.get(folder).into_iter().flatten().map(|index| &all[*index].folder);
        users.filter(|user| !user.starts_with(folder)).collect()
    }

    /// A manifest outside a folder that no kustomization, chart or configured root claims: with such a one about, the folder may
    /// be a part of what is deployed together. Where too many files would have to be looked into, one is taken for granted.
    pub fn manifest_outside(&self, folder: &Path, roots: &[PathBuf]) -> Option<PathBuf> {
        let taken: HashSet<PathBuf> =
            self.taken.iter().filter_map(|file| Some(self.top.join(file.parent()?))).collect();
        let claimed = |path: &Path| {
            let mut above = path.ancestors().skip(1);
            above.any(|f| f == folder || taken.contains(f) || roots.iter().any(|r| r == f))
        };
        let mut peeks = 0;
        let mut found = None;
        self.each(&mut |path, _| {
            let relative = native(path);
            if is_hidden(path) || !discover::is_manifest(&relative) || discover::is_config(&relative) {
                return true;
            }
            let path = self.top.join(&relative);
            if claimed(&path) || self.exclude.matches(&path) {
                return true;
            }
            peeks += 1;
            if peeks > PEEKS || may_hold_object(&path).unwrap_or(false) {
                found = Some(path);
                return false;
            }
            true
        });
        found
    }

    /// The chart that a path belongs to: the outermost, because a chart in another's `charts` is rendered with it.
    pub fn chart_of(&self, path: &Path) -> Option<PathBuf> {
        let inside = |folder: &&Path| folder.starts_with(&self.top);
        let mut folders = path.ancestors().skip(1).take_while(inside);
        let is_chart = |folder: &Path| self.overlay.is_file(&folder.join(CHART));
        let mut chart = folders.find(|folder| is_chart(folder))?.to_path_buf();
        while let Some(outer) = chart.parent().filter(|p| p.ends_with("charts")).and_then(Path::parent) {
            if !outer.starts_with(&self.top) || !is_chart(outer) {
                break;
            }
            chart = outer.to_path_buf();
        }
        Some(chart)
    }

    /// All charts, those in another's `charts` by the outermost.
    pub fn charts(&self) -> Vec<PathBuf> {
        let files = self.taken.iter().filter(|file| file.file_name().is_some_and(|name| name == CHART));
        let mut found: Vec<PathBuf> = files.filter_map(|file| self.chart_of(&self.top.join(file))).collect();
        found.sort();
        found.dedup();
        found
    }

    /// Whether a walk of the repository would leave a path out: hidden, or named by `.gitignore` or `.kvlintignore`.
    pub fn is_ignored(&mut self, path: &Path) -> bool {
        self.ignored.matches(path)
    }
}

/// Whether a file makes its folder a kustomization or a chart.
fn takes_its_folder(path: &[u8]) -> bool {
    let names = discover::KUSTOMIZATION.iter().chain([&CHART]);
    names.into_iter().any(|name| {
        let folder = path.strip_suffix(name.as_bytes());
        folder.is_some_and(|folder| folder.last().is_none_or(is_separator))
    })
}

/// Whether a file's text may hold a Kubernetes object, or what was to be one. `None` where it can't be read or is empty.
pub fn may_hold_object(path: &Path) -> Option<bool> {
    static WORDS: std::sync::LazyLock<Option<regex::Regex>> =
        std::sync::LazyLock::new(|| regex::Regex::new(r"(?i)apiversion|\bkind\b").ok());
    let text = read_text(path)?;
    if text.trim().is_empty() {
        return None;
    }
    Some(WORDS.as_ref().is_none_or(|words| words.is_match(&text)))
}

/// Reads a small file in as few calls as can be: there may be thousands. A checkout makes no pipes, whose opening may never end,
/// so a file that git listed needs no look before. `start` has room for most.
fn read_listed(path: &Path, listed: bool, start: &mut [u8]) -> Option<Vec<u8>> {
    if !listed && !path.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    // Of a regular file a part is read only where it ends.
    let length = file.read(start).ok()?;
    let mut bytes = start.get(..length)?.to_vec();
    if length == start.len() {
        file.take(discover::SIZE_LIMIT).read_to_end(&mut bytes).ok()?;
    }
    Some(bytes)
}

fn read_text(path: &Path) -> Option<String> {
    untrusted::read(path).ok().map(text::lossy)
}

fn native(path: &[u8]) -> PathBuf {
    git_index::native(path).unwrap_or_default()
}

pub(super) fn is_separator(byte: &u8) -> bool {
    *byte == b'/' || *byte == std::path::MAIN_SEPARATOR as u8
}

/// All files and links below a folder, relative to it and sorted, as `kvlint FOLDER` would meet them.
fn walk(top: &Path) -> Vec<(PathBuf, bool)> {
    let mut walker = WalkBuilder::new(top);
    discover::as_configured(&mut walker, |_| true, drop);
    let relative = |entry: ignore::DirEntry| {
        let kind = entry.file_type()?;
        let path = entry.path().strip_prefix(top).ok()?;
        (!kind.is_dir()).then(|| (path.to_path_buf(), kind.is_symlink()))
    };
    let mut paths: Vec<(PathBuf, bool)> =
        discover::entries(top, walker).into_iter().filter_map(Result::ok).filter_map(relative).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_lead_by_their_words() {
        let lead = |path: &str| leads(b"/r/a/overlays/prod", path.as_bytes(), b"/r/a/base");
        assert_eq!(lead("../../base"), Some(true));
        assert_eq!(lead("./../../Base/"), Some(true));
        assert_eq!(lead("../../../a/base"), Some(true));
        assert_eq!(lead("../base"), Some(false));
        assert_eq!(lead("base"), Some(false));
        assert_eq!(lead("../../../b/base"), Some(false));
        assert_eq!(lead("../../base/."), None);
        assert_eq!(lead("../x/../../base"), None);
        assert_eq!(lead("/r/a/base"), None);
        assert_eq!(lead("../../../../../../base"), None);
    }
}
