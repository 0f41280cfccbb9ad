//! Where the files of a build come from: a disk, or texts at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::lexical::clean;
use crate::load::untrusted;

/// What a build asks of a file system. It only reads.
pub trait Files: Sync {
    /// A file's bytes.
    ///
    /// # Errors
    /// When there is no such file or it can't be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Whether there is a file.
    fn is_file(&self, path: &Path) -> bool;
    /// Whether there is a folder.
    fn is_folder(&self, path: &Path) -> bool;
    /// The path without links and `..`; `None` where nothing is there.
    fn canonical(&self, path: &Path) -> Option<PathBuf>;
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        untrusted::read(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        std::fs::canonicalize(path).ok()
    }
}

/// Files of which it is kept where something was asked for and nothing is.
pub struct Asking<'f> {
    files: &'f dyn Files,
    absent: Mutex<BTreeSet<PathBuf>>,
}

impl<'f> Asking<'f> {
    /// Over other files.
    pub fn new(files: &'f dyn Files) -> Asking<'f> {
        Asking { files, absent: Mutex::default() }
    }

    /// Where something was asked for and nothing is.
    pub fn absent(self) -> BTreeSet<PathBuf> {
        self.absent.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, path: &Path, there: bool) {
        // A folder where a file was wanted changes with all that is put into it.
        if !there && self.files.canonical(path).is_none() {
            self.absent.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_path_buf());
        }
    }
}

impl Files for Asking<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let read = self.files.read(path);
        self.note(path, read.is_ok());
        read
    }

    fn is_file(&self, path: &Path) -> bool {
        let there = self.files.is_file(path);
        self.note(path, there);
        there
    }

    fn is_folder(&self, path: &Path) -> bool {
        let there = self.files.is_folder(path);
        self.note(path, there);
        there
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        let found = self.files.canonical(path);
        self.note(path, found.is_some());
        found
    }
}

/// Texts at hand, by path.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Texts {
    /// A file system of these texts.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a Path, &'a [u8])>) -> Texts {
        Texts { files: files.into_iter().map(|(path, bytes)| (clean(path), bytes.to_vec())).collect() }
    }
}

impl Files for Texts {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.get(&clean(path)).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.contains_key(&clean(path))
    }

    fn is_folder(&self, path: &Path) -> bool {
        let path = clean(path);
        path.as_os_str().is_empty() || self.files.keys().any(|f| f != &path && f.starts_with(&path))
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        let path = clean(path);
        (self.is_file(&path) || self.is_folder(&path)).then_some(path)
    }
}
