//! Reading from trees that anybody may have written: a name may lead to a pipe that nobody writes to, or to a device without an end.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::discover::{IGNORE_FILE, SIZE_LIMIT, Skipped};

/// Larger files name nothing to leave out. The walk reads them whole.
const IGNORE_LIMIT: u64 = 16 << 20;

/// A file's bytes.
///
/// # Errors
/// When it can't be read, is no regular file, or is larger than [`SIZE_LIMIT`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_up_to(path, SIZE_LIMIT)
}

/// As [`read`], with a limit of its own.
///
/// # Errors
/// As [`read`].
pub fn read_up_to(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let meta = fs::metadata(path)?;
    // Opening a pipe waits for its other end.
    if !meta.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if meta.len() > limit {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::with_capacity(meta.len() as usize + 1);
    fill(&mut fs::File::open(path)?, &mut bytes, limit)?;
    Ok(bytes)
}

/// What an open stream of this process gives (`<(…)` of a shell), up to a limit.
///
/// # Errors
/// When it can't be read or gives more.
pub fn stream_up_to(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fill(&mut fs::File::open(path)?, &mut bytes, limit)?;
    Ok(bytes)
}

/// A file's bytes as text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.utf8_error()))
}

/// All of standard input.
///
/// # Errors
/// When it can't be read or is larger than [`SIZE_LIMIT`].
pub fn stdin() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    to_end(&mut io::stdin().lock(), &mut bytes)?;
    Ok(bytes)
}

/// Reads on to the end.
///
/// # Errors
/// As the stream's, and when there is more than [`SIZE_LIMIT`]: a part of a manifest says something else than the whole.
pub fn to_end(stream: &mut dyn Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    fill(stream, bytes, SIZE_LIMIT)
}

fn fill(stream: &mut dyn Read, bytes: &mut Vec<u8>, limit: u64) -> io::Result<()> {
    stream.take(limit + 1).read_to_end(bytes)?;
    if bytes.len() as u64 > limit { Err(too_large(limit)) } else { Ok(()) }
}

fn too_large(limit: u64) -> io::Error {
    io::Error::other(format!("larger than {} MiB", limit >> 20))
}

/// Where a link leads, if that is inside of a folder that it must not leave: a link can name any file of the machine, and what is in
/// that would be printed. Both are canonical.
///
/// # Errors
/// When it leads nowhere, or out of the folder. Nothing of the target is in the error, not even its name.
pub fn inside(path: &Path, folder: &Path) -> io::Result<PathBuf> {
    let real = fs::canonicalize(path)?;
    if real.starts_with(folder) { Ok(real) } else { Err(io::Error::other(LEADS_OUT)) }
}

/// What is wrong with a link out of the folder that it must stay in.
pub const LEADS_OUT: &str = "a link that leads out of the folder";

/// The file in a folder that a walk would read for what it leaves out, and never come to its end: the folder must not be walked.
pub fn endless(folder: &Path) -> Option<Skipped> {
    // A link that leads nowhere is not read, and neither is a folder.
    let bad = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|meta| !meta.is_dir() && (!meta.is_file() || meta.len() > IGNORE_LIMIT))
    };
    let names = [IGNORE_FILE, ".gitignore", ".git/info/exclude"];
    let path = names.iter().map(|name| folder.join(name)).find(bad)?;
    let reason = "no file that says what to leave out, so nothing in its folder was read".into();
    Some(Skipped { path, reason, failed: true, files: 1 })
}
