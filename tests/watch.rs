//! `--watch` as somebody at a terminal meets it: every change is seen, whatever kind of file it is in, and mistakes end nothing.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use support::manifests::{FINE, SILENT};
use support::{command, folder, kvlint, write};
use tempfile::TempDir;

/// Longer runs count as hanging; debug builds on busy machines are slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// What ends each run.
const END: &str = "watching for changes; Ctrl-C ends";

/// A watching kvlint, both streams in one.
struct Watching {
    dir: TempDir,
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn new(files: &[(&str, &str)], arguments: &[&str]) -> Watching {
        let dir = folder(files);
        // Both streams in one, so that their order is kept.
        let (out, into) = std::io::pipe().expect("a pipe");
        let always = ["--watch", "--format=concise", "--select=labelled-but-silent,yaml-syntax,config-invalid"];
        let child = command(&dir, &always)
            .args(arguments)
            .stdout(into.try_clone().expect("a pipe"))
            .stderr(into)
            .spawn()
            .expect("kvlint starts");
        let (send, lines) = channel();
        thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Watching { dir, child, lines }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Waits for a run that says this, whichever runs come before: a change may be seen in two steps.
    fn until(&self, part: &str) {
        let end = Instant::now() + PATIENCE;
        let mut said = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            let found = line.contains(part);
            said.push(line);
            if found {
                return;
            }
        }
        panic!("waited for {part:?}, and met {said:#?}");
    }

    /// The summary of a run that found nothing, and its end.
    fn until_clean(&self) {
        self.until("no findings");
        self.until(END);
    }

    fn until_found(&self, what: &str) {
        self.until(what);
        self.until(END);
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn files_that_change_come_and_go_are_linted_again() {
    let watching = Watching::new(&[("deploy/a.yaml", FINE)], &["deploy"]);
    watching.until_clean();
    write(watching.path(), "deploy/a.yaml", SILENT);
    watching.until_found("deploy/a.yaml:7:");
    write(watching.path(), "deploy/new/b.yaml", SILENT);
    watching.until_found("deploy/new/b.yaml:7:");
    fs::rename(watching.path().join("deploy/new/b.yaml"), watching.path().join("deploy/c.yaml")).expect("a file");
    watching.until_found("deploy/c.yaml:7:");
    fs::remove_file(watching.path().join("deploy/c.yaml")).expect("a file");
    watching.until("1 error");
    // As editors write: beside the file, and moved to its place.
    write(watching.path(), "deploy/.a.yaml.swp", FINE);
    fs::rename(watching.path().join("deploy/.a.yaml.swp"), watching.path().join("deploy/a.yaml")).expect("a file");
    watching.until_clean();
}

#[test]
fn a_base_elsewhere_and_a_kustomization_are_watched() {
    let overlay = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../base]\n";
    let base = "resources: [a.yaml]\n";
    let files = [
        ("overlays/x/kustomization.yaml", overlay),
        ("base/kustomization.yaml", base),
        ("base/a.yaml", FINE),
        ("base/silent.yaml", SILENT),
    ];
    let watching = Watching::new(&files, &["overlays/x"]);
    watching.until_clean();
    write(watching.path(), "base/kustomization.yaml", "resources: [a.yaml, silent.yaml]\n");
    watching.until_found("base/silent.yaml:7:");
    write(watching.path(), "base/silent.yaml", FINE.replace("fine", "other"));
    watching.until_clean();
}

#[test]
fn what_was_missed_is_waited_for() {
    let overlay = "resources: [../../base]\n";
    let watching = Watching::new(&[("overlays/x/kustomization.yaml", overlay)], &["overlays/x"]);
    watching.until(END);
    write(watching.path(), "base/a.yaml", SILENT);
    write(watching.path(), "base/kustomization.yaml", "resources: [a.yaml]\n");
    watching.until_found("base/a.yaml:7:");
}

#[test]
fn a_configuration_that_comes_is_honoured_and_a_mistake_ends_nothing() {
    let watching = Watching::new(&[("deploy/a.yaml", SILENT)], &["deploy"]);
    watching.until_found("labelled-but-silent");
    write(watching.path(), "kvlint.yaml", "exclude: [nothing]\nrules: {labelled-but-silent: warning}\n");
    watching.until_found("warning[labelled-but-silent]");
    write(watching.path(), "kvlint.yaml", "rules: [\n");
    watching.until("kvlint.yaml:");
    fs::remove_dir_all(watching.path().join("deploy")).expect("a folder");
    watching.until("no such file or folder");
    fs::remove_file(watching.path().join("kvlint.yaml")).expect("a file");
    write(watching.path(), "deploy/b.yaml", SILENT);
    watching.until_found("deploy/b.yaml:7:");
}

#[test]
fn its_own_reports_are_no_changes() {
    let watching = Watching::new(&[("a.yaml", SILENT)], &[".", "--report=json=out/report.json"]);
    // The folder is missing, so nothing can be written.
    watching.until_found("can't write");
    fs::create_dir(watching.path().join("out")).expect("a folder");
    write(watching.path(), "b.yaml", FINE);
    watching.until(END);
    assert!(watching.path().join("out/report.json").exists());
    let more = watching.lines.recv_timeout(Duration::from_secs(3));
    assert!(more.is_err(), "nothing changed but the report: {more:?}");
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_it_and_leaves_nothing() {
    use std::os::unix::process::ExitStatusExt;
    let mut watching = Watching::new(&[("a.yaml", SILENT)], &[".", "--report=json=report.json"]);
    watching.until(END);
    let id = watching.child.id().to_string();
    assert!(Command::new("sh").args(["-c", &format!("kill -INT {id}")]).status().expect("sh runs").success());
    let status = watching.child.wait().expect("an end");
    assert!(status.signal() == Some(2) || status.code() == Some(130), "{status}");
    let mut left: Vec<_> =
        fs::read_dir(watching.path()).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.yaml", "report.json"]);
}

#[test]
fn what_cannot_be_watched_is_refused() {
    for arguments in
        [&["--watch", "-"][..], &["--watch", "--fix", "."], &["--watch", "--baseline=b", "--write-baseline", "."]]
    {
        let ran = kvlint(".", arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}");
        assert!(ran.err.contains("--watch"), "{arguments:?}");
    }
}

#[test]
fn values_that_are_missing_are_waited_for() {
    let chart = "apiVersion: v2\nname: m\nversion: 0.1.0\n";
    let files = [("model/Chart.yaml", chart), ("model/templates/p.yaml", SILENT)];
    let watching = Watching::new(&files, &["--helm=never", "--values=elsewhere.yaml", "model"]);
    watching.until("elsewhere.yaml");
    watching.until(END);
    write(watching.path(), "elsewhere.yaml", "a: 1\n");
    watching.until_found("model/templates/p.yaml:7:");
}
