//! `kvlint --watch`: lints again whenever something that was read, or could have been, changes.
//!
//! Files are looked at by their size and times, twice a second at most. Notices of the system would come sooner, but not for network
//! drives and shared folders of containers, and they would bring a library for each system. The looking takes a tenth of the time at
//! most, unless one look takes longer than a second.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ignore::WalkBuilder;

use super::lint::{self, LintArguments};
use super::terminal::Color;
use super::{FAILURE, output};
use crate::load::{STDIN, discover, text, untrusted};
use crate::report::Format;

/// The shortest time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest time between two looks: one that took long because the machine stood still says nothing about the next.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Between two looks at what is being written: an editor or `git checkout` takes several steps.
const SETTLE: Duration = Duration::from_millis(100);

/// How often it is waited for that; what never rests is linted as it is.
const SETTLES: usize = 20;

/// The looking takes one part of this many of the time.
const SHARE: u32 = 10;

/// What tells that a file changed; nothing where there is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    /// Tells a file from another that was moved to its place.
    #[cfg(unix)]
    inode: u64,
    #[cfg(unix)]
    changed: (i64, i64),
}

type Stamps = BTreeMap<PathBuf, Option<Stamp>>;

/// What a run read of files; nothing where it found none.
type Texts = BTreeMap<PathBuf, Option<String>>;

/// Lints, and lints again on every change, until the process is ended. Gives a code only when it can't begin.
pub fn run(arguments: &LintArguments, color: Color) -> u8 {
    if arguments.inputs.paths.iter().any(|path| path == Path::new(STDIN)) {
        output::complain("`--watch` needs files: standard input ends and does not change");
        return FAILURE;
    }
    let mut read: Vec<PathBuf> = Vec::new();
    loop {
        clear(arguments);
        let before = stamps(arguments, &read);
        read.clear();
        let mut first_met = Texts::new();
        lint::once(arguments, color, &mut |path, text| {
            read.push(path.to_path_buf());
            let real = real(path);
            if !before.contains_key(&real) {
                first_met.insert(real, text.map(str::to_owned));
            }
        });
        output::say("watching for changes; Ctrl-C ends");
        let seen = stamps(arguments, &read);
        if !changed_during_run(&before, &first_met, &seen) {
            wait(arguments, &read, seen);
        }
        settle(arguments, &read);
    }
}

/// Whether something is not as the run met it. What it read for the first time, outside the folders, was not looked at before: the
/// texts are compared then. Times can't tell, because the clock of files is behind the other by as much as a short run takes.
fn changed_during_run(before: &Stamps, first_met: &Texts, seen: &Stamps) -> bool {
    let text_now = |path: &Path| untrusted::read(path).ok().map(text::lossy);
    let changed = |(path, stamp): (&PathBuf, &Option<Stamp>)| match (before.get(path), first_met.get(path)) {
        (Some(earlier), _) => earlier != stamp,
        (None, Some(text)) => text_now(path) != *text,
        // It came below a folder that was walked.
        (None, None) => stamp.is_some(),
    };
    // What is only not read any more is still there.
    let removed = |(path, earlier): (&PathBuf, &Option<Stamp>)| {
        earlier.is_some() && !seen.contains_key(path) && stamp(path).is_none()
    };
    seen.iter().any(changed) || before.iter().any(removed)
}

/// Waits until something is not as it was seen.
fn wait(arguments: &LintArguments, read: &[PathBuf], seen: Stamps) {
    let mut cost = Duration::ZERO;
    loop {
        thread::sleep((cost * SHARE).clamp(PAUSE, LONGEST_PAUSE));
        let start = Instant::now();
        if stamps(arguments, read) != seen {
            return;
        }
        cost = start.elapsed();
    }
}

/// Waits until nothing changes any more, but not for ever.
fn settle(arguments: &LintArguments, read: &[PathBuf]) {
    let mut seen = stamps(arguments, read);
    for _ in 0..SETTLES {
        thread::sleep(SETTLE);
        let now = stamps(arguments, read);
        if now == seen {
            return;
        }
        seen = now;
    }
}

/// The files that a run would read: those below the folders that were given, those that the last run read or looked for elsewhere, and
/// the places where a configuration could be. What the run itself writes does not count.
fn stamps(arguments: &LintArguments, read: &[PathBuf]) -> Stamps {
    let mut found = Stamps::new();
    for path in &arguments.inputs.paths {
        // For a pattern, or a path that is not there yet, the folder in which it would be.
        match path.ancestors().find(|p| fs::metadata(p).is_ok() || p.as_os_str().is_empty()) {
            Some(folder) if folder.as_os_str().is_empty() => walk(Path::new("."), &mut found),
            Some(folder) if folder.is_dir() => walk(folder, &mut found),
            _ => add(path, &mut found),
        }
    }
    read.iter().for_each(|path| add(path, &mut found));
    arguments.inputs.configurations().iter().for_each(|path| add(path, &mut found));
    arguments.inputs.values_files().for_each(|path| add(&path, &mut found));
    arguments.accept.inputs().for_each(|path| add(path, &mut found));
    for own in arguments.reports.files().filter_map(|path| fs::canonicalize(path).ok()) {
        found.remove(&own);
    }
    found
}

/// Every file below a folder that discovery could look at, whatever its name: a kustomization may use any.
fn walk(folder: &Path, into: &mut Stamps) {
    let mut walker = WalkBuilder::new(real(folder));
    discover::as_configured(&mut walker, |_| true, drop);
    let files = discover::entries(folder, walker)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|e| e.file_type().is_none_or(|kind| !kind.is_dir()));
    for entry in files {
        let stamp = stamp(entry.path());
        into.insert(entry.into_path(), stamp);
    }
}

fn add(path: &Path, into: &mut Stamps) {
    into.entry(real(path)).or_insert_with_key(|real| stamp(real));
}

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_path_buf())
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = fs::metadata(path).ok()?;
    #[cfg(unix)]
    use std::os::unix::fs::MetadataExt as _;
    Some(Stamp {
        modified: meta.modified().ok(),
        size: meta.len(),
        #[cfg(unix)]
        inode: meta.ino(),
        #[cfg(unix)]
        changed: (meta.ctime(), meta.ctime_nsec()),
    })
}

/// Takes the last report from the terminal, so that there is no doubt which findings are of now.
fn clear(arguments: &LintArguments) {
    let for_people = matches!(arguments.reports.format, Format::Text | Format::Concise);
    if for_people && arguments.reports.file().is_none() && io::stdout().is_terminal() {
        // A terminal that is gone is met again when the report is written.
        let _ = io::stdout().write_all(b"\x1b[H\x1b[2J\x1b[3J").and_then(|()| io::stdout().flush());
    }
}
