//! Values, against a real helm: what they are, which line each of them makes, and that keys which nothing reads change nothing.
//!
//! Tests that render run the helm that `KVLINT_HELM` names, else the one on the search path; without one, or without the
//! corpus, they say that they are skipped.

mod compute;
#[path = "../helm/find.rs"]
mod find;
mod trace;
mod unread;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Real charts: their folders in the corpus, and values files in them.
const CHARTS: [(&str, &[&str]); 2] =
    [("aibrix/dist/chart", &["stable.yaml", "vke.yaml"]), ("production-stack/helm", &["values-example.yaml"])];

/// What a helm prints; `None` where it fails or does not end, which some imports of values make it do.
fn run(mut command: Command, to: &Path) -> Option<String> {
    let mut child = command.stdout(File::create(to).unwrap()).stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..600 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success().then(|| fs::read_to_string(to).unwrap());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

/// A chart of the corpus, and a copy without the dependencies that it lacks, which keep helm from rendering it.
fn corpus(path: &str) -> Option<(PathBuf, TempDir)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus").join(path);
    if !folder.is_dir() {
        eprintln!("skipped: no {}", folder.display());
        return None;
    }
    let copy = tempfile::tempdir().unwrap();
    copy_tree(&folder, &copy.path().join("chart"));
    let metadata = copy.path().join("chart/Chart.yaml");
    let text = fs::read_to_string(&metadata).unwrap();
    fs::write(&metadata, format!("{}\n", text.split("\ndependencies:").next().unwrap())).unwrap();
    Some((folder, copy))
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|e| e.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target)
        } else {
            _ = fs::copy(entry.path(), target).unwrap()
        }
    }
}

/// Renders a chart with values files, and one more that is given as text.
fn render(helm: &Path, folder: &Path, files: &[PathBuf], more: Option<&str>) -> Result<String, String> {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(helm);
    command.arg("template").arg("r").arg(folder);
    files.iter().for_each(|file| _ = command.arg("-f").arg(file));
    if let Some(text) = more {
        let file = scratch.path().join("more.yaml");
        fs::write(&file, text).unwrap();
        command.arg("-f").arg(file);
    }
    run(command, &scratch.path().join("out")).ok_or_else(|| "helm failed".to_string())
}
