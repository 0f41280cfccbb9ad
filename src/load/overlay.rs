//! Texts that count instead of what is on disk: what an editor has not saved yet, and what fixes make of a file before it is
//! written.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::kustomize::{Disk, Files};
use crate::lexical::clean;

/// The path that means standard input.
pub const STDIN: &str = "-";

/// Texts by canonical path. A file is found by discovery, on disk or not yet, and read from here; under [`STDIN`] stands what was
/// read from standard input before, which can't be read twice.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    texts: HashMap<PathBuf, Arc<[u8]>>,
}

impl Overlay {
    /// Puts a text over the file at a canonical path.
    pub fn insert(&mut self, canonical: impl Into<PathBuf>, text: impl Into<Arc<[u8]>>) {
        self.texts.insert(canonical.into(), text.into());
    }

    /// The text over the file that a path leads to, links followed.
    pub fn get(&self, path: &Path) -> Option<&Arc<[u8]>> {
        // Nearly always there is none, and then nothing is asked of the disk.
        if self.texts.is_empty() {
            return None;
        }
        self.texts.get(path).or_else(|| self.texts.get(&place(path)))
    }

    /// The text over the file at a canonical path, without a question to the disk.
    pub(super) fn over(&self, canonical: &Path) -> Option<&Arc<[u8]>> {
        self.texts.get(canonical)
    }

    /// The texts below a folder whose files are not on disk yet: the paths from the folder, sorted.
    pub(in crate::load) fn new_below(&self, folder: &Path) -> Vec<PathBuf> {
        if self.texts.is_empty() {
            return Vec::new();
        }
        let folder = place(folder);
        let new = self.texts.keys().filter(|path| !path.exists());
        let mut below: Vec<PathBuf> =
            new.filter_map(|path| path.strip_prefix(&folder).ok()).map(Path::to_path_buf).collect();
        below.sort();
        below
    }

    /// Every text, by its canonical path, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Arc<[u8]>)> {
        self.texts.iter().map(|(path, text)| (path.as_path(), text))
    }

    /// Standard input, read now unless its text is at hand.
    pub(super) fn stdin(&self) -> io::Result<Vec<u8>> {
        if let Some(text) = self.texts.get(Path::new(STDIN)) {
            return Ok(text.to_vec());
        }
        super::untrusted::stdin()
    }
}

/// The disk, with the texts over it.
impl Files for Overlay {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.get(path) {
            Some(text) => Ok(text.to_vec()),
            None => Disk.read(path),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        Disk.is_file(path) || self.get(path).is_some()
    }

    fn is_folder(&self, path: &Path) -> bool {
        Disk.is_folder(path) || !self.new_below(path).is_empty() && !self.is_file(path)
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        Disk.canonical(path).or_else(|| (self.is_file(path) || self.is_folder(path)).then(|| place(path)))
    }
}

/// Where a file is, was or will be: the folders on the way that are there without links, the rest as given.
pub fn place(path: &Path) -> PathBuf {
    if let Ok(found) = std::fs::canonicalize(path) {
        return found;
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut folder = clean(&absolute);
    let mut gone = Vec::new();
    while let Some(name) = folder.file_name().map(std::ffi::OsStr::to_os_string) {
        gone.push(name);
        folder.pop();
        if let Ok(found) = std::fs::canonicalize(&folder) {
            return gone.iter().rev().fold(found, |path, name| path.join(name));
        }
    }
    absolute
}
