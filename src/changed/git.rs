//! Running git: what it is asked, in an environment in which nothing but git itself runs.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Changes;
use super::diff;

/// Why nothing is known of changed lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong.
    pub message: String,
    /// What to do, where that is known.
    pub help: Option<String>,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Trouble {}

fn trouble(message: impl Into<String>) -> Trouble {
    Trouble { message: message.into(), help: None }
}

impl Trouble {
    fn help(self, help: impl Into<String>) -> Trouble {
        Trouble { help: Some(help.into()), ..self }
    }
}

/// Variables that git needs to find itself, its user's settings (`safe.directory`) and a place for temporary files. All
/// others are dropped: those of a hook name another index, and some name programs to run.
const KEPT: [&str; 9] =
    ["PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "SYSTEMROOT", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "TEMP"];

/// Settings of every call. No program of a configuration is run, and nothing is fetched, not even the missing objects of a
/// partial clone.
/// `git diff` writes the index that it has refreshed, and tells a hook.
const SETTINGS: [&str; 5] = [
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "core.fsmonitor=false",
    "core.safecrlf=false",
    "protocol.allow=never",
];

/// What turns a filter (`filter.NAME.clean`) off. Git runs the program of a filter on each file that looks changed, and no option of
/// `git diff` prevents it. Source: `gitattributes(5)`, where an empty command is none.
const NO_FILTER: [&str; 3] = ["clean=", "process=", "required=false"];

/// Options of `git diff` that settings of the user would otherwise decide.
const DIFF: [&str; 15] = [
    "--unified=0",
    "--inter-hunk-context=0",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
    "--no-indent-heuristic",
    "--diff-algorithm=myers",
    "--find-renames",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
    "--ignore-submodules=dirty",
    "--no-function-context",
    // Of no file that a configuration names.
    "-O/dev/null",
];

pub(super) fn changes(reference: &str, folder: &Path) -> Result<Changes, Trouble> {
    if reference.is_empty() || reference.starts_with('-') {
        return Err(trouble(format!("`{reference}` is no commit"))
            .help("name a branch, a tag or a commit: `--diff-base origin/main`"));
    }
    let git = Git { folder, settings: Vec::new() };
    let top = git.top()?;
    let git = Git { folder: &top, settings: git.without_filters()? };
    let base = git.merge_base(reference)?;
    let mut arguments: Vec<&str> = vec!["diff"];
    arguments.extend(DIFF);
    arguments.extend([base.as_str(), "--"]);
    let output = git.ask(&arguments)?;
    let files =
        diff::parse(&output).map_err(|line| trouble(format!("the output of `git diff` is not understood: {line}")))?;
    let tracked = git.ask(&["ls-files", "-z", "--cached"])?;
    let tracked = tracked.split(|&b| b == 0).filter(|name| !name.is_empty()).map(diff::from_bytes).collect();
    Ok(Changes::new(top, files, tracked))
}

/// Git, in a folder.
struct Git<'a> {
    folder: &'a Path,
    /// Beside [`SETTINGS`].
    settings: Vec<OsString>,
}

impl Git<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.folder).arg("--no-pager");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        command.args(arguments).stdin(Stdio::null()).env_clear();
        let kept: Vec<(&OsStr, OsString)> =
            KEPT.iter().filter_map(|name| Some((OsStr::new(name), std::env::var_os(name)?))).collect();
        command.envs(kept);
        command.envs([
            ("LC_ALL", "C"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
        ]);
        command
    }

    /// Runs git, and gives whether it succeeded, its output, and the first line of its complaint.
    fn run(&self, arguments: &[&str]) -> Result<(bool, Vec<u8>, String), Trouble> {
        let output = self.command(arguments).output().map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => trouble("git is not installed, and `--diff-base` asks it for changed lines")
                .help("install git, or leave `--diff-base` out"),
            _ => trouble(format!("git can't be started: {e}")),
        })?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        let fatal = complaint.lines().find(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
        let complaint = fatal.or(complaint.lines().next()).unwrap_or("no reason given");
        Ok((output.status.success(), output.stdout, complaint.to_string()))
    }

    /// The output of a call that must succeed.
    fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, Trouble> {
        let (ok, output, complaint) = self.run(arguments)?;
        if ok { Ok(output) } else { Err(trouble(format!("`git {}` failed: {complaint}", arguments[0]))) }
    }

    /// Settings that turn every configured filter off.
    fn without_filters(&self) -> Result<Vec<OsString>, Trouble> {
        // It fails where there is none.
        let (_, output, _) = self.run(&["config", "--null", "--name-only", "--get-regexp", "^filter\\."])?;
        let driver = |key: &'_ [u8]| key.iter().rposition(|&b| b == b'.').map(|end| key[..end].to_vec());
        let drivers: BTreeSet<Vec<u8>> = output.split(|&b| b == 0).filter_map(driver).collect();
        let mut settings = Vec::new();
        for driver in drivers {
            let shown = String::from_utf8_lossy(&driver).into_owned();
            if driver.contains(&b'=') {
                let wrong =
                    trouble(format!("the repository's `{shown}` can't be turned off, for it has a `=` in its name"));
                return Err(wrong.help("give the filter another name in the configuration of git"));
            }
            for off in NO_FILTER {
                let mut setting = diff::from_bytes(&driver).into_os_string();
                setting.push(".");
                setting.push(off);
                settings.push(setting);
            }
        }
        Ok(settings)
    }

    fn top(&self) -> Result<PathBuf, Trouble> {
        let (ok, output, complaint) = self.run(&["rev-parse", "--show-toplevel"])?;
        if !ok {
            let shown = self.folder.display();
            return Err(if complaint.contains("not a git repository") {
                trouble(format!("{shown} lies in no git repository, and `--diff-base` asks git for changed lines"))
                    .help("run kvlint inside the repository, or use `--baseline FILE`")
            } else {
                trouble(format!("git does not open the repository around {shown}: {complaint}"))
            });
        }
        let top = diff::from_bytes(output.strip_suffix(b"\n").unwrap_or(&output));
        std::fs::canonicalize(&top).map_err(|e| trouble(format!("{}: {e}", top.display())))
    }

    /// The commit at which the current branch left `reference`, as `git diff REF...HEAD` takes it.
    fn merge_base(&self, reference: &str) -> Result<String, Trouble> {
        let commit = |name: &str| -> Result<Option<String>, Trouble> {
            // In two steps, for `:/words` takes all behind it for words.
            let verify = |name: &str| -> Result<Option<String>, Trouble> {
                let (ok, output, _) = self.run(&["rev-parse", "--verify", "--quiet", name])?;
                Ok(ok.then(|| line(&output)))
            };
            match verify(name)? {
                Some(object) => verify(&format!("{object}^{{commit}}")),
                None => Ok(None),
            }
        };
        let Some(head) = commit("HEAD")? else {
            return Err(trouble("the repository has no commit yet").help("leave `--diff-base` out"));
        };
        let Some(since) = commit(reference)? else {
            let wrong = trouble(format!("git knows no commit `{reference}`"));
            return Err(if self.is_shallow()? {
                shallow(wrong)
            } else {
                wrong.help(format!(
                    "fetch it (`git fetch origin`), or see `git branch --all` for names such as `origin/{reference}`"
                ))
            });
        };
        let (ok, output, complaint) = self.run(&["merge-base", &since, &head])?;
        if ok {
            return Ok(line(&output));
        }
        let wrong = trouble(format!("`{reference}` and the current commit have no common ancestor here"));
        Err(if self.is_shallow()? {
            shallow(wrong)
        } else if complaint.starts_with("fatal") {
            trouble(format!("`git merge-base` failed: {complaint}"))
        } else {
            wrong.help("name a commit of the same history")
        })
    }

    fn is_shallow(&self) -> Result<bool, Trouble> {
        Ok(line(&self.ask(&["rev-parse", "--is-shallow-repository"])?) == "true")
    }
}

fn shallow(wrong: Trouble) -> Trouble {
    let message = format!("{}: this is a shallow clone", wrong.message);
    trouble(message).help("fetch the history: `git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout")
}

fn line(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim_end().to_string()
}
