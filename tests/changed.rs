//! `--diff-base` in real repositories: which findings decide the exit code, and what is said where git can't answer.

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::git::{self, git};
use support::manifests::ONE_RULE;
use support::{Ran, command, folder, read, run, write};
use tempfile::TempDir;

/// Two pods that are labelled and publish nothing: one error each, on lines 7 and 21.
const TWO: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: first
  labels:
    model.aibrix.ai/name: llama
    model.aibrix.ai/kv-events-enabled: \"true\"
spec:
  containers:
    - name: vllm
      image: vllm/vllm-openai:v0.11.1
      command: [vllm, serve, meta-llama/Llama-3.1-8B-Instruct]
---
apiVersion: v1
kind: Pod
metadata:
  name: second
  labels:
    # the label
    model.aibrix.ai/name: llama
    model.aibrix.ai/kv-events-enabled: \"true\"
spec:
  containers:
    - name: vllm
      image: vllm/vllm-openai:v0.11.1
      command: [vllm, serve, meta-llama/Llama-3.1-8B-Instruct]
";

/// A repository with a first commit on `main`, and the branch `work` checked out.
struct Repository(TempDir);

impl Repository {
    /// `None` with a message where git is absent.
    fn new(files: &[(&str, &str)]) -> Option<Repository> {
        if !git::is_installed() {
            return None;
        }
        let repository = Repository(folder(files));
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit();
        repository.git(&["checkout", "--quiet", "-b", "work"]);
        Some(repository)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, files: &[(&str, &str)]) {
        files.iter().for_each(|(name, text)| write(self.path(), name, text));
    }

    /// Replaces a text that stands in a file.
    fn replace(&self, name: &str, old: &str, new: &str) {
        let text = read(self.path(), name);
        assert!(text.contains(old), "{old:?} is in {name}");
        self.write(&[(name, &text.replacen(old, new, 1))]);
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "change"]);
    }

    fn git(&self, arguments: &[&str]) {
        git(self.path(), arguments);
    }
}

/// kvlint as the owner of a repository runs it, with a git to ask.
fn kvlint(folder: &Path, arguments: &[&str]) -> Ran {
    kvlint_with(folder, arguments, &[])
}

fn kvlint_with(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let path = std::env::var_os("PATH").unwrap_or_default();
    run(command(folder, arguments).env("PATH", path).env("HOME", folder).envs(environment.iter().copied()))
}

/// Which findings touch changed lines, as `path:line`, and the exit code.
fn touched(folder: &Path, reference: &str) -> (Vec<String>, Option<i32>) {
    let ran = kvlint(folder, &[ONE_RULE, "--diff-base", reference, "--format=json", "."]);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.err));
    let findings = report["diagnostics"].as_array().expect("findings");
    let on = |d: &&Value| d["on_changed_lines"].as_bool().expect("an answer for each finding");
    let place = |d: &Value| format!("{}:{}", d["path"].as_str().expect("a path"), d["start"]["line"]);
    (findings.iter().filter(on).map(place).collect(), ran.code)
}

#[test]
fn a_finding_on_an_old_line_is_reported_and_passes() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    repository.replace("pods.yaml", "name: first", "name: other");
    repository.commit();
    let ran = kvlint(repository.path(), &[ONE_RULE, "--diff-base=main", "--format=concise", "."]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.out.lines().filter(|l| l.ends_with("(not on changed lines)")).count(), 2, "{}", ran.out);
    assert!(ran.err.contains("2 errors (2 not on changed lines)"), "{}", ran.err);
}

#[test]
fn a_finding_on_a_changed_line_fails_whether_it_is_committed_staged_or_neither() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    assert_eq!(touched(repository.path(), "main"), (vec![], Some(0)));
    repository.replace("pods.yaml", "events-enabled: \"true\"", "events-enabled: 'true'");
    let first = (vec!["pods.yaml:7".to_string()], Some(1));
    assert_eq!(touched(repository.path(), "main"), first, "in the working tree");
    repository.git(&["add", "."]);
    assert_eq!(touched(repository.path(), "main"), first, "in the index");
    repository.commit();
    assert_eq!(touched(repository.path(), "main"), first, "in a commit");
    assert_eq!(touched(repository.path(), "HEAD"), (vec![], Some(0)), "nothing since");
}

#[test]
fn what_others_changed_on_the_base_branch_is_not_ours() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    repository.write(&[("mine.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")]);
    repository.commit();
    repository.git(&["checkout", "--quiet", "main"]);
    repository.replace("pods.yaml", "\"true\"", "'true'");
    repository.commit();
    repository.git(&["checkout", "--quiet", "work"]);
    assert_eq!(touched(repository.path(), "main"), (vec![], Some(0)));
}

#[test]
fn untracked_and_ignored_files_are_new() {
    let Some(repository) = Repository::new(&[("old.yaml", TWO), (".gitignore", "rendered*\n")]) else { return };
    repository.write(&[("new é.yaml", TWO)]);
    assert_eq!(touched(repository.path(), "main").0, ["new é.yaml:7", "new é.yaml:21"]);
    fs::remove_file(repository.path().join("new é.yaml")).expect("a file");
    repository.write(&[("rendered.yaml", TWO)]);
    let ran = kvlint(repository.path(), &[ONE_RULE, "--diff-base=main", "rendered.yaml"]);
    assert_eq!(ran.code, Some(1), "git does not know the file, so it may be new: {}", ran.out);
}

#[test]
fn lines_around_removed_ones_are_changed() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    repository.replace("pods.yaml", "    # the label\n    model.aibrix.ai/name: llama\n", "");
    assert_eq!(touched(repository.path(), "main"), (vec!["pods.yaml:19".to_string()], Some(1)));
}

#[test]
fn a_renamed_file_keeps_its_old_lines() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    fs::create_dir(repository.path().join("deploy")).expect("a folder");
    repository.git(&["mv", "pods.yaml", "deploy/renamed pods.yaml"]);
    repository.replace(
        "deploy/renamed pods.yaml",
        "name: llama\n    model.aibrix.ai/kv-events-enabled: \"true\"",
        "name: llama\n    model.aibrix.ai/kv-events-enabled: 'true'",
    );
    repository.commit();
    assert_eq!(touched(repository.path(), "main"), (vec!["deploy/renamed pods.yaml:7".to_string()], Some(1)));
}

#[test]
fn related_places_on_changed_lines_count() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    // The finding points at the label on line 7, and at the container that publishes nothing.
    let ran = kvlint(repository.path(), &[ONE_RULE, "--format=json", "."]);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    let related = report["diagnostics"][0]["related"][0]["start"]["line"].as_u64().expect("a related place") as usize;
    assert_ne!(related, 7);
    let line = TWO.lines().nth(related - 1).expect("a line");
    repository.replace("pods.yaml", line, &format!("{line} # touched"));
    assert_eq!(touched(repository.path(), "main"), (vec!["pods.yaml:7".to_string()], Some(1)));
}

/// A Service that two Deployments could stand behind, and one of them.
const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata: {name: llama}
spec:
  selector: {app: llama}
  ports: [{port: 8000}]
";
const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: vllm, image: vllm/vllm-openai:v0.11.1, command: [vllm, serve, x]}]}
";

#[test]
fn an_object_that_the_change_removed_is_missed_where_it_was_needed() {
    let (llama, other) = (DEPLOYMENT.replace("NAME", "llama"), DEPLOYMENT.replace("NAME", "other"));
    let alone = [
        ("svc.yaml", SERVICE),
        ("llama.yaml", &llama),
        ("other.yaml", &other),
        ("x/a.yaml", &other),
        ("x/b.yaml", SERVICE),
    ];
    let both = format!("{llama}---\n{other}");
    let Some(repository) = Repository::new(&alone) else { return };
    let lint = |repository: &Repository, path: &str| {
        let rule = "--select=service-selects-nothing";
        let ran =
            kvlint(repository.path(), &[rule, "--diff-base=main", "--error-on-warning", "--format=concise", path]);
        assert_ne!(ran.code, Some(2), "{}", ran.err);
        (ran.out.lines().count(), ran.code)
    };
    assert_eq!(lint(&repository, "."), (0, Some(0)));
    repository.replace("other.yaml", "{app: other}}", "{app: other} }");
    assert_eq!(lint(&repository, "x"), (1, Some(0)), "the Service selected nothing before");
    fs::remove_file(repository.path().join("llama.yaml")).expect("a file");
    repository.commit();
    assert_eq!(lint(&repository, "."), (2, Some(1)), "a file was removed");
    assert_eq!(lint(&repository, "x"), (1, Some(0)), "it was no part of this folder");
    let Some(repository) = Repository::new(&[("svc.yaml", SERVICE), ("both.yaml", &both)]) else { return };
    repository.write(&[("both.yaml", &other)]);
    assert_eq!(lint(&repository, "."), (1, Some(1)), "a document was removed");
    // What lists objects loses one with any line.
    let kustomization = "resources:\n  - llama.yaml\n  - svc.yaml\n  - other.yaml\n";
    let list = |items: &[&str]| {
        let item = |text: &&str| format!("  - {}\n", text.trim_end().replace('\n', "\n    "));
        format!("apiVersion: v1\nkind: List\nitems:\n{}", items.iter().map(item).collect::<String>())
    };
    let lists = [
        ("svc.yaml", SERVICE),
        ("llama.yaml", llama.as_str()),
        ("other.yaml", &other),
        ("kustomization.yaml", kustomization),
        ("l/list.yaml", &list(&[&llama, SERVICE, &other])),
    ];
    let Some(repository) = Repository::new(&lists) else { return };
    assert_eq!((lint(&repository, ".").0, lint(&repository, "l").0), (0, 0));
    repository.replace("kustomization.yaml", "  - llama.yaml\n", "");
    repository.write(&[("l/list.yaml", &list(&[SERVICE, &other]))]);
    assert_eq!(lint(&repository, "kustomization.yaml"), (1, Some(1)), "an entry of `resources` was removed");
    assert_eq!(lint(&repository, "l"), (1, Some(1)), "an item of a list was removed");
}

#[test]
fn a_commit_may_be_named_by_its_message() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    repository.git(&["commit", "--quiet", "--allow-empty", "--message", "the old state"]);
    repository.replace("pods.yaml", "first", "other");
    repository.git(&["commit", "--quiet", "--all", "--message", "the new state"]);
    repository.git(&["config", "diff.orderFile", "/nowhere"]);
    let (found, code) = touched(repository.path(), ":/the old");
    assert_eq!((found, code), (vec![], Some(0)), "the name is on no line of a finding");
    let ran = kvlint(repository.path(), &["--diff-base=:pods.yaml", "."]);
    assert!(ran.code == Some(2) && ran.err.contains("knows no commit"), "a file is no commit: {}", ran.err);
}

#[test]
fn names_of_any_kind_are_understood() {
    let names = ["a b.yaml", "ü \"q\" \\.yaml", "tab\tand\nline.yaml", "-dash.yaml", "b/x.yaml"];
    let files: Vec<(&str, &str)> = names.iter().map(|n| (*n, TWO)).collect();
    let Some(repository) = Repository::new(&files) else { return };
    // Settings that give the output of `git diff` another shape.
    for setting in
        ["diff.noprefix=true", "color.ui=always", "diff.external=false", "core.pager=false", "diff.renames=false"]
    {
        let (key, value) = setting.split_once('=').expect("a setting");
        repository.git(&["config", key, value]);
    }
    for name in names {
        repository.replace(name, "\"true\"", "'true'");
    }
    let (found, code) = touched(repository.path(), "main");
    assert_eq!((found.len(), code), (names.len(), Some(1)), "{found:?}");
    assert!(found.iter().all(|place| place.ends_with(":7")), "{found:?}");
}

#[test]
fn no_program_of_the_configuration_is_run() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO), (".gitattributes", "*.yaml diff=spy\n")]) else {
        return;
    };
    let script = repository.path().join("spy.sh");
    fs::write(&script, "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\ncat \"$1\"\n").expect("a script");
    #[cfg(unix)]
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("permissions");
    let script = script.to_string_lossy().into_owned();
    for key in ["diff.spy.command", "diff.spy.textconv", "diff.external", "core.fsmonitor", "core.pager"] {
        repository.git(&["config", key, &script]);
    }
    let _ = fs::remove_file(repository.path().join("ran"));
    repository.replace("pods.yaml", "\"true\"", "'true'");
    assert_eq!(touched(repository.path(), "main").0, ["pods.yaml:7"]);
    let environment = [("GIT_EXTERNAL_DIFF", script.as_str()), ("GIT_PAGER", &script), ("GIT_INDEX_FILE", "/nowhere")];
    let ran = kvlint_with(repository.path(), &[ONE_RULE, "--diff-base=main", "."], &environment);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(!repository.path().join("ran").exists());
}

#[test]
fn binary_files_and_submodules_change_as_a_whole() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO), (".gitattributes", "pods.yaml -diff\n")]) else {
        return;
    };
    let Some(module) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    repository.replace("pods.yaml", "first", "other");
    assert_eq!(touched(repository.path(), "main").0, ["pods.yaml:7", "pods.yaml:21"]);
    repository.git(&["submodule", "--quiet", "add", &module.path().to_string_lossy(), "module"]);
    repository.commit();
    assert_eq!(touched(repository.path(), "HEAD"), (vec![], Some(0)), "a submodule at its commit did not change");
    module.commit();
    git(repository.path().join("module"), &["pull", "--quiet"]);
    assert_eq!(touched(repository.path(), "HEAD").0, ["module/pods.yaml:7", "module/pods.yaml:21"]);
}

#[test]
fn a_shallow_clone_says_how_to_get_the_history() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    repository.commit();
    let clone = folder(&[]);
    let url = format!("file://{}", repository.path().display());
    git(clone.path(), &["clone", "--quiet", "--depth=1", "--branch=work", &url, "copy"]);
    let copy = clone.path().join("copy");
    let missing = kvlint(&copy, &["--diff-base=origin/main", "."]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.err.contains("shallow clone") && missing.err.contains("fetch-depth: 0"), "{}", missing.err);
    git(&copy, &["fetch", "--quiet", "--depth=1", "origin", "main:refs/remotes/origin/main"]);
    let unrelated = kvlint(&copy, &["--diff-base=origin/main", "."]);
    assert_eq!(unrelated.code, Some(2));
    assert!(unrelated.err.contains("no common ancestor") && unrelated.err.contains("--unshallow"), "{}", unrelated.err);
    git(&copy, &["fetch", "--quiet", "--unshallow"]);
    assert_eq!(touched(&copy, "origin/main"), (vec![], Some(0)));
}

#[test]
fn what_is_no_commit_is_refused_and_nothing_is_linted() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    for (reference, part) in [
        ("--output=x", "is no commit"),
        ("", "is no commit"),
        ("nowhere", "knows no commit `nowhere`"),
        ("main..work", "knows no commit"),
    ] {
        let ran = kvlint(repository.path(), &[&format!("--diff-base={reference}"), "."]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{reference:?}");
        assert!(ran.err.contains(part) && ran.err.contains("help:"), "{reference:?}: {}", ran.err);
    }
    assert!(!repository.path().join("x").exists());
    repository.git(&["checkout", "--quiet", "--orphan", "other"]);
    // In the same second, the same tree would be the same commit.
    repository.write(&[("other.yaml", TWO)]);
    repository.commit();
    let ran = kvlint(repository.path(), &["--diff-base=main", "."]);
    assert!(ran.code == Some(2) && ran.err.contains("no common ancestor"), "{}", ran.err);
}

#[test]
fn without_a_repository_or_git_the_message_says_so() {
    let folder = folder(&[("pods.yaml", TWO)]);
    let alone = folder.path().to_string_lossy().into_owned();
    let ran = kvlint_with(folder.path(), &["--diff-base=main", "."], &[("PATH", &alone)]);
    assert!(ran.code == Some(2) && ran.err.contains("git is not installed"), "{}", ran.err);
    if !git::is_installed() {
        return;
    }
    let ran = kvlint(folder.path(), &["--diff-base=main", "."]);
    assert!(ran.code == Some(2) && ran.err.contains("lies in no git repository"), "{}", ran.err);
}

#[test]
fn every_format_tells_what_is_not_on_changed_lines() {
    let Some(repository) = Repository::new(&[("pods.yaml", TWO)]) else { return };
    repository.replace("pods.yaml", "\"true\"", "'true'");
    let show = |format: &str| {
        let ran = kvlint(repository.path(), &[ONE_RULE, "--diff-base=main", "--format", format, "."]);
        assert_eq!(ran.code, Some(1), "{format}: {}", ran.err);
        ran.out
    };
    assert_eq!(show("text").matches("(not on changed lines)").count(), 1, "{}", show("text"));
    let github = show("github");
    let commands: Vec<&str> = github.lines().filter_map(|l| l.split(' ').next()).collect();
    assert_eq!(commands, ["::error", "::notice"], "{github}");
    let sarif: Value = serde_json::from_str(&show("sarif")).expect("JSON");
    let states: Vec<_> = (0..2).map(|i| sarif["runs"][0]["results"][i]["baselineState"].clone()).collect();
    assert_eq!(states, ["new", "unchanged"]);
    let json: Value = serde_json::from_str(&show("json")).expect("JSON");
    assert_eq!(json["summary"]["not_on_changed_lines"], 1);
    let without = kvlint(repository.path(), &[ONE_RULE, "--format=sarif", "."]);
    assert!(!without.out.contains("baselineState"), "nothing is said when nobody asked");
}

#[test]
fn lines_are_compared_after_fixes() {
    // The comment silences nothing, and `--fix` takes its line away.
    let unused = format!("# kvlint: ignore[yaml-syntax] once needed\n{TWO}");
    let Some(repository) = Repository::new(&[("pods.yaml", &unused)]) else { return };
    // The line before the label: where the label stands once everything has moved up by one.
    repository.replace("pods.yaml", "model.aibrix.ai/name: llama", "model.aibrix.ai/name: lama");
    let rules = "--select=labelled-but-silent,yaml-syntax,suppression-unused";
    let lint = |flags: &[&str]| {
        kvlint(repository.path(), &[&[rules, "--diff-base=main", "--format=concise", "."], flags].concat())
    };
    assert_eq!(lint(&[]).code, Some(0));
    let fixed = lint(&["--fix"]);
    assert_eq!(fixed.code, Some(0), "{}{}", fixed.out, fixed.err);
    assert!(fixed.err.contains("1 fixed"), "{}", fixed.err);
    let places: Vec<_> = fixed.out.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(places, ["pods.yaml:7:40", "pods.yaml:21:40"], "{}", fixed.out);
    assert_eq!(fixed.out, lint(&[]).out, "the next run says the same");
}
