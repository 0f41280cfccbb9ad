//! Folders with files.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// A folder with these files, which goes with the value.
///
/// # Panics
/// When the disk does not take them, as all below.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    files.iter().for_each(|(name, text)| write(&dir, name, text));
    dir
}

/// As [`folder`], for files that are no text.
pub fn folder_of_bytes(files: &[(&str, &[u8])]) -> TempDir {
    let dir = folder(&[]);
    files.iter().for_each(|(name, bytes)| write(&dir, name, bytes));
    dir
}

/// Writes a file, with the folders that it lies in.
pub fn write(dir: impl AsRef<Path>, name: &str, contents: impl AsRef<[u8]>) {
    let path = dir.as_ref().join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(&path, contents).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// What a file holds.
pub fn read(dir: impl AsRef<Path>, name: &str) -> String {
    let path = dir.as_ref().join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
