//! Runs of kvlint.

use std::env;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Longer runs count as hanging; debug builds on busy machines are slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a run of kvlint said, and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
    /// Its exit code.
    pub code: Option<i32>,
}

impl Ran {
    /// All that it said.
    pub fn said(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }
}

/// The program that cargo built for the test that runs.
///
/// # Panics
/// When the test was not built by cargo.
pub fn program() -> PathBuf {
    if let Some(path) = env::var_os("CARGO_BIN_EXE_kvlint") {
        return path.into();
    }
    // An older cargo tells it while compiling alone. Its tests lie in a folder beside the program.
    let test = env::current_exe().expect("a test");
    let folder = test.parent().and_then(Path::parent).expect("a folder of tests");
    folder.join(format!("kvlint{}", env::consts::EXE_SUFFIX))
}

/// kvlint, started in a folder, without any variable of the environment and without input; both streams are kept.
pub fn command<S: AsRef<OsStr>>(dir: impl AsRef<Path>, arguments: &[S]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(dir).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs kvlint in a folder to its end.
///
/// # Panics
/// As [`finish`].
pub fn kvlint<S: AsRef<OsStr>>(dir: impl AsRef<Path>, arguments: &[S]) -> Ran {
    // By reference: who gives a folder away keeps it until the end.
    run(&mut command(&dir, arguments))
}

/// As [`kvlint`], with some text on standard input.
///
/// # Panics
/// As [`finish`].
pub fn kvlint_with_input<S: AsRef<OsStr>>(dir: impl AsRef<Path>, arguments: &[S], input: &str) -> Ran {
    let mut child = command(&dir, arguments).stdin(Stdio::piped()).spawn().expect("kvlint starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let input = input.to_string();
    // Who refuses its arguments reads nothing.
    let writing = thread::spawn(move || _ = pipe.write_all(input.as_bytes()));
    let ran = finish(child);
    writing.join().expect("a thread");
    ran
}

/// Runs a command to its end.
///
/// # Panics
/// As [`finish`].
pub fn run(command: &mut Command) -> Ran {
    finish(command.spawn().expect("kvlint starts"))
}

/// Waits for the end.
///
/// # Panics
/// When it does not come, a signal brings it, what was said is not UTF-8, or a panic shows.
pub fn finish(mut child: Child) -> Ran {
    let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let started = Instant::now();
    let status = loop {
        match child.try_wait().expect("a status") {
            Some(status) => break status,
            None if started.elapsed() > PATIENCE => {
                child.kill().expect("kvlint ends");
                panic!("kvlint hangs");
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let text = |bytes: JoinHandle<Vec<u8>>| String::from_utf8(bytes.join().expect("a thread")).expect("UTF-8");
    let ran = Ran { out: text(out), err: text(err), code: status.code() };
    let said = ran.said();
    assert!(!said.contains("panicked") && !said.contains("internal error"), "{said}");
    assert!(ran.code.is_some(), "kvlint was killed by a signal: {said}");
    ran
}

/// Reads a stream to its end, so that whoever writes into it need not wait.
fn drain(stream: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.map(|mut s| s.read_to_end(&mut bytes).expect("output"));
        bytes
    })
}
