//! Where output goes: standard output, or a file that is replaced whole; messages go to standard error.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::display::{shown, visible};
use crate::fix::write::replace;
use crate::load::discover::describe;

/// Writes to standard output, or to a file through a temporary file and a rename, so that nobody ever reads half a report.
///
/// A reader that has gone (`| head`) is not an error.
///
/// # Errors
/// What stopped the writing, in words.
pub fn deliver(to: Option<&Path>, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), String> {
    let path = match to {
        Some(path) if path != Path::new("-") => path,
        _ => {
            let mut out = BufWriter::new(io::stdout().lock());
            return match write(&mut out).and_then(|()| out.flush()) {
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                    // What is left in the buffer must not be tried again.
                    let _ = out.into_parts();
                    Ok(())
                }
                result => result.map_err(|e| format!("can't write to standard output: {}", describe(&e))),
            };
        }
    };
    let result = match fs::metadata(path) {
        // A device or a pipe can't be replaced.
        Ok(meta) if !meta.is_file() => {
            OpenOptions::new().write(true).open(path).and_then(|file| fill(BufWriter::new(file), write))
        }
        _ => replace(path, write),
    };
    match result {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("can't write {}: {}", visible::line(&shown(path)), describe(&e)))
        }
        _ => Ok(()),
    }
}

fn fill(mut out: BufWriter<File>, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    write(&mut out)?;
    out.flush()
}

/// Writes to standard error. When that is closed, nobody is left to tell.
pub fn deliver_to_error(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    let _ = fill_error(write);
}

fn fill_error(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stderr().lock());
    write(&mut out)?;
    out.flush()
}

/// An error message on standard error. When that is closed, nobody is left to tell.
pub fn complain(message: &str) {
    say(&format!("error: {message}"));
}

/// What to do about an error.
pub fn advise(message: &str) {
    say(&format!("  help: {message}"));
}

/// Lines on standard error, with nothing in them that a terminal would act on.
pub fn say(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", visible::lines(message));
}
