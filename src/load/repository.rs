//! What lies in a repository, without a look into its folders where git's index has the list: kustomizations, charts,
//! manifests by name, and what is ignored.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{Match, WalkBuilder};
use rayon::prelude::*;
use regex::bytes::{Regex, RegexBuilder};

use super::discover::{self, CHART, Exclude, IGNORE_FILE};
use super::git_index::{self, Index};
use super::kustomize::files::clean;
use super::kustomize::users::{self, Uses};
use super::{text, untrusted};

/// Files that are looked into, at most, before manifests are taken for granted.
const PEEKS: usize = 256;

/// A kustomization of the repository.
#[derive(Debug)]
struct Kustomization {
    /// Its folder, below the canonical top.
    folder: PathBuf,
    /// What stands in it.
    bytes: Vec<u8>,
    uses: OnceLock<Uses>,
}

impl Kustomization {
    fn uses(&self) -> &Uses {
        self.uses.get_or_init(|| users::uses(&self.folder, text_of(self.bytes.clone())))
    }

    /// Whether its text may name a folder: thousands of kustomizations end in `../../base`, and reading their YAML would take far
    /// longer than this. `word` finds the folder's last name.
    fn may_name(&self, folder: &Path, word: &Regex) -> bool {
        // An escape or another encoding hides a name.
        if self.bytes.iter().any(|b| *b == b'\\' || *b == 0) || !is_plain(folder) || !is_plain(&self.folder) {
            return true;
        }
        word.find_iter(&self.bytes).any(|found| {
            let before = self.bytes[..found.start()].iter().rev().take_while(|b| is_plain_byte(b)).count();
            let after = self.bytes[found.end()..].iter().take_while(|b| is_plain_byte(b)).count();
            let token = &self.bytes[found.start() - before..found.end() + after];
            let Ok(token) = std::str::from_utf8(token) else { return true };
            let path = clean(&self.folder.join(token));
            // Some file systems take any case.
            path.as_os_str().eq_ignore_ascii_case(folder)
        })
    }
}

/// Whether a path can stand in YAML only as it is, without quotes in between.
fn is_plain(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().iter().all(is_plain_byte)
}

fn is_plain_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._/-+@~".contains(byte)
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
    list: List,
    /// Whether folders may have other names through links.
    links: bool,
    /// Whether a file of `taken` is a link, which may lead to a pipe or a console.
    linked: bool,
    /// Files that make their folders a kustomization or a chart.
    taken: Vec<PathBuf>,
    kustomizations: OnceLock<Vec<Kustomization>>,
    ignored: HashMap<PathBuf, Ignores>,
}

/// The ignore files of one folder, by precedence.
type Ignores = [Option<Gitignore>; 2];

/// The top of the repository that a canonical path lies in.
pub fn top_of(path: &Path) -> Option<&Path> {
    path.ancestors().skip(1).find(|folder| folder.join(".git").exists())
}

impl Repository {
    /// Lists what is below a canonical folder: from git's index where that is its top, else by a walk.
    pub fn read(top: &Path, exclude: &Exclude) -> Repository {
        let empty = || Repository {
            top: top.to_path_buf(),
            exclude: exclude.clone(),
            list: List::Walked(Vec::new()),
            links: false,
            linked: false,
            taken: Vec::new(),
            kustomizations: OnceLock::new(),
            ignored: HashMap::new(),
        };
        let listed = Index::of(top).and_then(|index| Repository { list: List::Index(index), ..empty() }.sorted_out());
        let walked = || Repository { list: List::Walked(walk(top)), ..empty() }.sorted_out();
        listed.or_else(walked).unwrap_or_else(empty)
    }

    /// Takes note of what matters about the list; `None` where it can't be read.
    fn sorted_out(mut self) -> Option<Repository> {
        let (mut links, mut linked, mut taken) = (false, false, Vec::new());
        self.each(&mut |path, link| {
            links |= link && self.top.join(native(path)).is_dir();
            let name = path.rsplit(is_separator).next().unwrap_or(path);
            let names = discover::KUSTOMIZATION.iter().chain([&CHART]);
            if !is_hidden(path) && names.into_iter().any(|n| n.as_bytes() == name) {
                linked |= link;
                taken.push(self.top.join(native(path)));
            }
            true
        })?;
        taken.retain(|file| !self.exclude.matches(file));
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
            // One that is in the index and not on the disk is deleted.
            let read = |file: &PathBuf| {
                let bytes = read_listed(file, listed)?;
                Some(Kustomization { folder: file.parent()?.to_path_buf(), bytes, uses: OnceLock::new() })
            };
            let files: Vec<&PathBuf> = self.taken.iter().filter(|file| discover::is_kustomization(file)).collect();
            files.into_par_iter().filter_map(read).collect()
        })
    }

    /// The kustomizations in the folders above a file that name it; a file that is gone counts as long as it is named. Then those
    /// that may use it through a file of a generator or transformer.
    pub fn direct_users(&self, file: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let real = std::fs::canonicalize(file).ok();
        let same = |path: &PathBuf| path == file || real.is_some() && std::fs::canonicalize(path).ok() == real;
        let inside = |folder: &&Path| folder.starts_with(&self.top);
        let (mut named, mut possible) = (Vec::new(), Vec::new());
        // A folder above the file is read even where git does not know its kustomization yet.
        for folder in file.ancestors().skip(1).take_while(inside) {
            let Some(text) = discover::KUSTOMIZATION.iter().find_map(|name| read_text(&folder.join(name))) else {
                continue;
            };
            let uses = users::uses(folder, text);
            if uses.paths.iter().any(same) {
                named.push(folder.to_path_buf());
            } else if uses.plugins {
                possible.push(folder.to_path_buf());
            }
        }
        (named, possible)
    }

    /// The kustomizations that nothing uses and that lead to one of these folders.
    pub fn roots_of(&self, folders: &[PathBuf]) -> Vec<PathBuf> {
        let mut reached: Vec<PathBuf> = folders.to_vec();
        let mut used = vec![false; reached.len()];
        let mut next = 0;
        while let Some(folder) = reached.get(next).cloned() {
            for user in self.users_of(&folder) {
                used[next] = true;
                if !reached.contains(user) {
                    reached.push(user.clone());
                    used.push(false);
                }
            }
            next += 1;
        }
        let mut roots: Vec<PathBuf> =
            reached.iter().zip(&used).filter(|(_, used)| !**used).map(|(folder, _)| folder.clone()).collect();
        if roots.is_empty() {
            // A circle, which the build of any of them reports.
            roots.extend(folders.first().cloned());
        }
        roots.sort();
        roots
    }

    /// The kustomizations that name a folder. One that lies in the folder does not count: Kustomize refuses it.
    fn users_of(&self, folder: &Path) -> Vec<&PathBuf> {
        let Some(name) = folder.file_name().map(|n| regex::escape(&n.to_string_lossy())) else { return Vec::new() };
        let word = RegexBuilder::new(&name).case_insensitive(true).build().ok();
        // Behind a link the folder has another name.
        let may_name = |k: &Kustomization| self.links || word.as_ref().is_none_or(|word| k.may_name(folder, word));
        let names = |k: &&Kustomization| {
            !k.folder.starts_with(folder)
                && may_name(k)
                && k.uses().paths.iter().any(|p| p == folder || std::fs::canonicalize(p).is_ok_and(|p| p == folder))
        };
        let found: Vec<&Kustomization> = self.kustomizations().par_iter().filter(names).collect();
        found.into_iter().map(|k| &k.folder).collect()
    }

    /// A manifest outside a folder that no kustomization, chart or configured root claims: with such a one about, the folder may
    /// be a part of what is deployed together. Where too many files would have to be looked into, one is taken for granted.
    pub fn manifest_outside(&self, folder: &Path, roots: &[PathBuf]) -> Option<PathBuf> {
        let taken: HashSet<&Path> = self.taken.iter().filter_map(|file| file.parent()).collect();
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
        let mut chart = folders.find(|folder| folder.join(CHART).is_file())?.to_path_buf();
        while let Some(outer) = chart.parent().filter(|p| p.ends_with("charts")).and_then(Path::parent) {
            if !outer.starts_with(&self.top) || !outer.join(CHART).is_file() {
                break;
            }
            chart = outer.to_path_buf();
        }
        Some(chart)
    }

    /// Whether a walk of the repository would leave a path out: hidden, or named by `.gitignore` or `.kvlintignore`.
    pub fn is_ignored(&mut self, path: &Path) -> bool {
        let Ok(relative) = path.strip_prefix(&self.top) else { return false };
        if is_hidden(relative.as_os_str().as_encoded_bytes()) {
            return true;
        }
        let mut part = self.top.clone();
        for name in relative.components() {
            part.push(name);
            if self.names_ignored(&part, part != path) {
                return true;
            }
        }
        false
    }

    fn names_ignored(&mut self, path: &Path, folder: bool) -> bool {
        let inside = |f: &&Path| f.starts_with(&self.top);
        let above: Vec<PathBuf> = path.ancestors().skip(1).take_while(inside).map(Path::to_path_buf).collect();
        for f in &above {
            let top = *f == self.top;
            self.ignored.entry(f.clone()).or_insert_with(|| ignore_files(f, top));
        }
        // All of kvlint's files come before all of git's, and the nearest before those above.
        for kind in 0..2 {
            for matcher in above.iter().filter_map(|f| self.ignored.get(f)?[kind].as_ref()) {
                match matcher.matched(path, folder) {
                    Match::Ignore(_) => return true,
                    Match::Whitelist(_) => return false,
                    Match::None => {}
                }
            }
        }
        false
    }
}

fn ignore_files(folder: &Path, top: bool) -> Ignores {
    let read = |names: &[&str]| {
        if untrusted::endless(folder).is_some() {
            return None;
        }
        let there: Vec<PathBuf> = names.iter().map(|n| folder.join(n)).filter(|p| p.is_file()).collect();
        if there.is_empty() {
            return None;
        }
        let mut builder = GitignoreBuilder::new(folder);
        // A line that is no pattern is left out, as by a walk.
        there.iter().for_each(|path| drop(builder.add(path)));
        builder.build().ok()
    };
    let git: &[&str] = if top { &[".git/info/exclude", ".gitignore"] } else { &[".gitignore"] };
    [read(&[IGNORE_FILE]), read(git)]
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
/// so a file that git listed needs no look before.
fn read_listed(path: &Path, listed: bool) -> Option<Vec<u8>> {
    if !listed && !path.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let mut start = [0; 8192];
    // Of a regular file a part is read only where it ends.
    let length = file.read(&mut start).ok()?;
    let mut bytes = start.get(..length)?.to_vec();
    if length == start.len() {
        file.take(discover::SIZE_LIMIT).read_to_end(&mut bytes).ok()?;
    }
    Some(bytes)
}

fn read_text(path: &Path) -> Option<String> {
    untrusted::read(path).ok().map(text_of)
}

fn text_of(bytes: Vec<u8>) -> String {
    text::decode(bytes).map_or_else(|e| e.lossy, |decoded| decoded.text)
}

fn native(path: &[u8]) -> PathBuf {
    git_index::native(path).unwrap_or_default()
}

fn is_separator(byte: &u8) -> bool {
    *byte == b'/' || *byte == std::path::MAIN_SEPARATOR as u8
}

fn is_hidden(path: &[u8]) -> bool {
    path.split(is_separator).any(|name| name.first() == Some(&b'.'))
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
