//! Files replaced whole: a temporary file beside the place, then one rename, so that at any moment a reader, or a machine that
//! loses power, has the old bytes or the new ones.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempPath};

use super::Change;
use crate::load::discover::describe;

/// A file that was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The path to show.
    pub path: PathBuf,
    /// Why.
    pub why: String,
}

/// Bytes that wait beside the file that they replace. Dropped, they go away.
struct Prepared {
    temporary: TempPath,
    path: PathBuf,
}

/// Replaces a file, or makes it. What is there keeps its permissions.
///
/// # Errors
/// What stopped the writing; the file is then as it was.
pub fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = path.parent().map(Path::to_path_buf);
    prepare(path, write)?.put()?;
    folder.iter().for_each(|folder| settle(folder));
    Ok(())
}

/// Replaces or makes files, all of them or, where one can't be made ready, none.
///
/// # Errors
/// The file that stopped it, and why.
pub fn all(files: &[(PathBuf, String)]) -> Result<(), Refused> {
    let refuse = |path: &Path, e: &io::Error| Refused { path: path.to_path_buf(), why: describe(e) };
    let mut prepared = Vec::new();
    for (path, text) in files {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if real.is_dir() {
            return Err(refuse(path, &io::ErrorKind::IsADirectory.into()));
        }
        let ready = prepare(real, |out| out.write_all(text.as_bytes())).map_err(|e| refuse(path, &e))?;
        prepared.push((path, ready));
    }
    for (path, ready) in prepared {
        ready.put().map_err(|e| refuse(path, &e))?;
    }
    files.iter().filter_map(|(path, _)| path.parent()).for_each(settle);
    Ok(())
}

/// Writes bytes to a file beside `path`, down to the disk.
fn prepare(path: PathBuf, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Prepared> {
    if path.file_name().is_none() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    // Hidden, and not named like a manifest: one that is left behind by a killed process is never read.
    builder.prefix(".kvlint-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As for any new file: the process's mask takes away what it takes away.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder)?;
    let mut out = BufWriter::new(temporary.as_file_mut());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    if let Ok(meta) = fs::metadata(&path) {
        temporary.as_file().set_permissions(meta.permissions())?;
    }
    temporary.as_file().sync_all()?;
    Ok(Prepared { temporary: temporary.into_temp_path(), path })
}

impl Prepared {
    fn put(self) -> io::Result<()> {
        self.temporary.persist(&self.path).map_err(|e| e.error)
    }
}

/// Brings renames down to the disk. Where folders can't be synced, a crash may bring the old file back, whole.
fn settle(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Writes changed files. Those that changed on disk since they were read, or that can't be written, are left alone, and with
/// them all files that one fix changes `together` with them.
pub fn changes(changes: &[Change], together: &[Vec<PathBuf>]) -> Vec<Refused> {
    let mut refused: Vec<Refused> = Vec::new();
    let mut prepared: Vec<(&Change, Prepared)> = Vec::new();
    let refuse = |change: &Change, why: String| Refused { path: change.before.path().to_path_buf(), why };
    let mut bad: BTreeSet<&Path> = BTreeSet::new();
    for change in changes {
        let ready = unchanged(change).and_then(|()| {
            let fill = |out: &mut dyn Write| out.write_all(change.after.as_bytes());
            prepare(change.location.clone(), fill).map_err(|e| describe(&e))
        });
        match ready {
            Ok(ready) => prepared.push((change, ready)),
            Err(why) => {
                bad.insert(&change.location);
                refused.push(refuse(change, why));
            }
        }
    }
    // A group with one file that can't be written is not written, and so on through the groups that share a file with it.
    loop {
        let spoilt = together.iter().filter(|group| group.iter().any(|path| bad.contains(path.as_path())));
        let more: Vec<&Path> = spoilt.flatten().map(PathBuf::as_path).filter(|path| !bad.contains(path)).collect();
        if more.is_empty() {
            break;
        }
        bad.extend(more);
    }
    for (change, ready) in prepared {
        if bad.contains(change.location.as_path()) {
            let why = "a fix changes it together with a file that can't be written".to_string();
            refused.push(refuse(change, why));
            continue;
        }
        let done = unchanged(change).and_then(|()| ready.put().map_err(|e| describe(&e)));
        if let Err(why) = done {
            refused.push(refuse(change, why));
        }
    }
    let folders: BTreeSet<&Path> = changes.iter().filter_map(|change| change.location.parent()).collect();
    folders.into_iter().for_each(settle);
    refused
}

/// Whether the bytes on disk are those that the fixes were made for, in a file that may be written.
fn unchanged(change: &Change) -> Result<(), String> {
    let path = &change.location;
    // The path is canonical; if it no longer is, something else stands in its way.
    if fs::canonicalize(path).map_err(|e| describe(&e))? != *path {
        return Err("a link took its place since it was read".into());
    }
    if fs::metadata(path).map_err(|e| describe(&e))?.permissions().readonly() {
        return Err("it is read-only".into());
    }
    let bytes = fs::read(path).map_err(|e| describe(&e))?;
    if bytes != change.before.text().as_bytes() {
        return Err("it changed since it was read: run again".into());
    }
    Ok(())
}
