//! The `helm` program: where it is, and running it so that it reads nothing but the chart and writes nothing at all.
//!
//! It gets an environment without anything but the search path, a home of its own that is deleted afterwards, and a proxy that
//! refuses every connection. It is
//! ended, with what it started, when it takes too long or writes too much.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::load::NotFound;

/// Which helm to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Binary {
    /// None: charts are not rendered.
    #[default]
    Never,
    /// The first on the search path, if there is one.
    OnPath,
    /// This one.
    At(PathBuf),
}

impl std::str::FromStr for Binary {
    type Err = String;

    /// `never`, or the path of the program.
    fn from_str(text: &str) -> Result<Binary, String> {
        match text {
            "" => Err("name the helm program, or `never`".into()),
            "never" => Ok(Binary::Never),
            path => Ok(Binary::At(PathBuf::from(path))),
        }
    }
}

/// More output than this, in bytes, is no chart that anybody deploys.
const OUTPUT_LIMIT: u64 = 128 << 20;

/// Messages are cut after this many bytes.
const MESSAGE_LIMIT: u64 = 64 << 10;

/// Nobody listens there, so nothing is fetched: Go sends every request that is not to this machine to the proxy.
const NO_NETWORK: &str = "http://127.0.0.1:9";

/// Ends what runs of helm are under way, and those to come, when nobody waits for them any more.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

/// How often a run looks whether somebody still waits for it.
const LOOK: Duration = Duration::from_millis(50);

impl Cancel {
    /// Ends them.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A helm that can be run.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    home: TempDir,
    timeout: Duration,
    cancel: Cancel,
}

/// Why a run gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// helm says so: its standard error, and what it printed in spite of it.
    Failed {
        /// What it wrote to standard error.
        message: String,
        /// What it wrote to standard output.
        output: String,
    },
    /// It took longer than the limit.
    TooSlow(Duration),
    /// It printed more than the limit, in bytes.
    TooMuch(u64),
    /// The program could not be started or read.
    Unusable(String),
}

impl Helm {
    /// Finds helm. `Ok(None)` where there is none, or none is wanted.
    ///
    /// # Errors
    /// When a program that was named is not there, or no home can be made for it.
    pub fn find(binary: &Binary, timeout: Duration) -> Result<Option<Helm>, NotFound> {
        let program = match binary {
            Binary::Never => return Ok(None),
            Binary::At(path) if is_program(path) => {
                let fail = |e: io::Error| NotFound { path: path.clone(), message: e.to_string() };
                std::path::absolute(path).map_err(fail)?
            }
            Binary::At(path) => {
                let message = "this is no program that can be run".to_string();
                return Err(NotFound { path: path.clone(), message });
            }
            Binary::OnPath => match on_path() {
                Some(program) => program,
                None => return Ok(None),
            },
        };
        let home = tempfile::Builder::new().prefix("kvlint-helm-").tempdir();
        let home = home.map_err(|e| {
            let message = format!("no folder can be made here for helm's files: {e}");
            NotFound { path: std::env::temp_dir(), message }
        })?;
        Ok(Some(Helm { program, home, timeout, cancel: Cancel::default() }))
    }

    /// The same, whose runs end when they are cancelled.
    pub fn until(self, cancel: &Cancel) -> Helm {
        Helm { cancel: cancel.clone(), ..self }
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A folder that lives as long as this value, for copies and values files.
    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Runs helm and gives what it prints.
    ///
    /// # Errors
    /// When it fails, takes too long, or prints too much.
    pub fn run(&self, arguments: &[OsString]) -> Result<String, RunError> {
        let home = self.folder();
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().current_dir(home);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in ["HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"] {
            command.env(name, home);
        }
        for (name, folder) in [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
            ("HELM_PLUGINS", "plugins"),
            ("HELM_REPOSITORY_CACHE", "repositories"),
            ("HELM_REPOSITORY_CONFIG", "repositories.yaml"),
            ("HELM_REGISTRY_CONFIG", "registry.json"),
            ("KUBECONFIG", "kubeconfig"),
        ] {
            command.env(name, home.join(folder));
        }
        // A helm that is a script, as version managers put one on the search path, finds its interpreter and the program there.
        if let Ok(folders) = std::env::join_paths(path_folders()) {
            command.env("PATH", folders);
        }
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"] {
            command.env(name, NO_NETWORK);
        }
        // Windows programs do not start without it.
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        group(&mut command);
        let unusable = |e: &io::Error| RunError::Unusable(format!("{}: {e}", self.program.display()));
        let mut child = command.spawn().map_err(|e| unusable(&e))?;
        bound(&child);
        let result = self.watch(&mut child);
        if result.is_err() {
            end(&mut child);
        }
        let (output, message) = result?;
        // Both streams are closed, so it is about to end.
        let deadline = Instant::now() + self.timeout;
        let status = loop {
            match child.try_wait().map_err(|e| unusable(&e))? {
                Some(status) => break status,
                None if Instant::now() >= deadline => {
                    end(&mut child);
                    return Err(RunError::TooSlow(self.timeout));
                }
                None => std::thread::sleep(Duration::from_micros(200)),
            }
        };
        let output = String::from_utf8_lossy(&output).into_owned();
        let message = String::from_utf8_lossy(&message).into_owned();
        if status.success() {
            return Ok(output);
        }
        // What shells say of a program that is not there, or can't be run; and helm never fails without a word.
        let is_not_helm = matches!(status.code(), Some(126 | 127)) && !message.contains("Error: ");
        if is_not_helm || (message.trim().is_empty() && output.trim().is_empty()) {
            let said = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it says nothing");
            return Err(RunError::Unusable(format!("{}: {status}: {said}", self.program.display())));
        }
        Err(RunError::Failed { message, output })
    }

    /// Reads both streams to their ends, within the limits of time and size.
    fn watch(&self, child: &mut Child) -> Result<(Vec<u8>, Vec<u8>), RunError> {
        let (sender, receiver) = mpsc::channel();
        let read = |stream: Option<Box<dyn Read + Send>>, first: bool, limit: u64| {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let result = stream.map_or(Ok(0), |stream| stream.take(limit + 1).read_to_end(&mut bytes));
                // Nobody listens any more after a timeout.
                let _ = sender.send((first, result.map(|_| bytes)));
            });
        };
        read(child.stdout.take().map(|s| Box::new(s) as _), true, OUTPUT_LIMIT);
        read(child.stderr.take().map(|s| Box::new(s) as _), false, MESSAGE_LIMIT);
        drop(sender);
        let deadline = Instant::now() + self.timeout;
        let (mut output, mut message) = (Vec::new(), Vec::new());
        let mut open = 2;
        while open > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            match receiver.recv_timeout(left.min(LOOK)) {
                Err(RecvTimeoutError::Timeout) if self.cancel.is_cancelled() => {
                    return Err(RunError::Unusable("cancelled".into()));
                }
                Err(RecvTimeoutError::Timeout) if left > LOOK => continue,
                Ok((true, Ok(bytes))) if bytes.len() as u64 > OUTPUT_LIMIT => {
                    return Err(RunError::TooMuch(OUTPUT_LIMIT));
                }
                Ok((true, Ok(bytes))) => output = bytes,
                Ok((false, Ok(bytes))) => message = bytes,
                Ok((_, Err(e))) => return Err(RunError::Unusable(e.to_string())),
                Err(RecvTimeoutError::Timeout) => return Err(RunError::TooSlow(self.timeout)),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            open -= 1;
        }
        Ok((output, message))
    }
}

/// Memory that helm may ask for, in bytes. A chart of 300 000 objects stays below it; `range until 2000000000` in a template asks for
/// all that there is.
#[cfg(target_os = "linux")]
const MEMORY_LIMIT: u64 = 4 << 30;

/// Ends a child that asks for too much memory. Only Linux sets the limits of a process from outside.
#[cfg(target_os = "linux")]
fn bound(child: &Child) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let limit = Rlimit { current: Some(MEMORY_LIMIT), maximum: Some(MEMORY_LIMIT) };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // A limit that is lower already can't be raised, and need not be.
    let _ = pid.map(|pid| prlimit(Some(pid), Resource::As, limit));
}

#[cfg(not(target_os = "linux"))]
fn bound(_: &Child) {}

/// Programs that helm may start end with it.
#[cfg(unix)]
fn group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn group(_: &mut Command) {}

/// Ends a child with all that it started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may be gone already.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The first helm on the search path. Relative folders do not count: a checkout must not bring its own helm.
fn on_path() -> Option<PathBuf> {
    let name = format!("helm{}", std::env::consts::EXE_SUFFIX);
    path_folders().into_iter().map(|f| f.join(&name)).find(|p| is_program(p))
}

/// The absolute folders of the search path.
fn path_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A program that stands for helm.
    fn script(text: &str, timeout: Duration) -> (TempDir, Helm) {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("helm");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let helm = Helm::find(&Binary::At(path), timeout).unwrap().unwrap();
        (folder, helm)
    }

    #[test]
    fn the_environment_is_its_own() {
        let (_folder, helm) = script("/usr/bin/env | /usr/bin/sort; pwd", Duration::from_secs(20));
        let printed = helm.run(&[]).unwrap();
        let home = helm.folder().display().to_string();
        // Of the search path, only folders that nobody can put into a checkout.
        let path = printed.lines().find_map(|line| line.strip_prefix("PATH=")).unwrap();
        assert!(std::env::split_paths(path).all(|folder| folder.is_absolute()), "{path}");
        let own = |l: &&str| !["_=", "SHLVL=", "PATH="].iter().any(|name| l.starts_with(name));
        for line in printed.lines().filter(own) {
            assert!(line.contains(&home) || line.ends_with(NO_NETWORK), "{line}");
        }
        assert!(printed.contains("HELM_CONFIG_HOME="));
    }

    #[test]
    fn what_takes_too_long_ends_with_all_that_it_started() {
        let (_folder, helm) = script("/bin/sleep 600 & /bin/sleep 600", Duration::from_millis(200));
        assert_eq!(helm.run(&[]), Err(RunError::TooSlow(Duration::from_millis(200))));
    }

    #[test]
    fn a_run_that_nobody_waits_for_ends() {
        let (_folder, helm) = script("/bin/sleep 600", Duration::from_secs(600));
        let cancel = Cancel::default();
        let helm = helm.until(&cancel);
        std::thread::scope(|scope| {
            let run = scope.spawn(|| helm.run(&[]));
            cancel.cancel();
            assert_eq!(run.join().unwrap(), Err(RunError::Unusable("cancelled".into())));
        });
    }

    #[test]
    fn endless_output_is_cut() {
        let (_folder, helm) = script("/usr/bin/yes", Duration::from_secs(60));
        assert_eq!(helm.run(&[]), Err(RunError::TooMuch(OUTPUT_LIMIT)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_is_bounded() {
        // The limit is set when the program may have begun.
        let (_folder, helm) = script("/bin/sleep 0.5; ulimit -v", Duration::from_secs(20));
        assert_eq!(helm.run(&[]).unwrap().trim(), (MEMORY_LIMIT >> 10).to_string());
    }

    #[test]
    fn a_failure_keeps_both_streams() {
        let (_folder, helm) = script("echo a; echo b >&2; exit 1", Duration::from_secs(20));
        let failed = RunError::Failed { message: "b\n".into(), output: "a\n".into() };
        assert_eq!(helm.run(&[]), Err(failed));
    }

    #[test]
    fn a_script_that_does_not_get_to_helm_is_no_mistake_of_the_chart() {
        for (text, said) in [("exec /no/such/helm", "/no/such/helm"), ("exit 3", "it says nothing")] {
            let (_folder, helm) = script(text, Duration::from_secs(20));
            let Err(RunError::Unusable(reason)) = helm.run(&[]) else { panic!("{text}") };
            assert!(reason.contains(said) && reason.contains("helm: exit status: "), "{reason}");
        }
        // Its own interpreter is looked for on the search path.
        let (_folder, helm) = script("sort </dev/null && env | grep -c HELM_PLUGINS", Duration::from_secs(20));
        assert_eq!(helm.run(&[]), Ok("1\n".to_string()));
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_and_none_wanted_is_not() {
        let refused = Helm::find(&Binary::At("/no/such/helm".into()), Duration::ZERO).unwrap_err();
        assert_eq!(refused.path, Path::new("/no/such/helm"));
        assert!(Helm::find(&Binary::Never, Duration::ZERO).unwrap().is_none());
    }
}
