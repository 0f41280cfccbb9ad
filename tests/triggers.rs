//! The whole unit around a file: what is read because one file changed.

use std::fs;
use std::path::{Path, PathBuf};

use kvlint::load::Exclude;
use kvlint::load::triggers::{Surroundings, Target};
use support::git::git;
use support::{Ran, command, folder, run};
use tempfile::TempDir;

const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  name: model\nspec:\n  selector: {app: model}\n";
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: pod\n  labels: {app: pod}\n\
    spec: {containers: [{name: a, image: a}]}\n";

/// A folder with these files, as git's index has them where they are `tracked`.
fn tree(tracked: bool, files: &[(&str, &str)]) -> TempDir {
    let top = folder(files);
    if tracked {
        git(top.path(), &["init", "-q"]);
        git(top.path(), &["add", "--force", "."]);
    }
    top
}

/// What a file leads to, in words, relative to the folder.
fn around_with(top: &TempDir, roots: &[&str], file: &str) -> Vec<String> {
    let real = fs::canonicalize(top.path()).unwrap();
    let roots: Vec<PathBuf> = roots.iter().map(|r| real.join(r)).collect();
    let exclude = Exclude::default();
    let mut around = Surroundings::new(&exclude, &roots, &[], top.path());
    let relative = |path: &Path| path.strip_prefix(&real).unwrap_or(path).display().to_string();
    let word = |target: &Target| match target {
        Target::Kustomization(path) => format!("kustomization {}", relative(path)),
        Target::Chart(path) => format!("chart {}", relative(path)),
        Target::Root(path) => format!("root {}", relative(path)),
        Target::Folder { path, outside: None } => format!("folder {}", relative(path)),
        Target::Folder { path, outside: Some(outside) } => {
            format!("folder {} beside {}", relative(path), relative(outside))
        }
        Target::All(path) => format!("all {}", relative(path)),
    };
    match around.of(Path::new(file)) {
        Ok(targets) => targets.iter().map(word).collect(),
        Err(reason) => vec![format!("nothing: {reason}")],
    }
}

fn around(top: &TempDir, file: &str) -> Vec<String> {
    around_with(top, &[], file)
}

const OVERLAYS: &[(&str, &str)] = &[
    ("base/kustomization.yaml", "resources: [model.yaml]\n"),
    ("base/model.yaml", SERVICE),
    ("overlays/prod/kustomization.yaml", "resources: [../../base]\npatches: [{path: patch.yaml}]\n"),
    ("overlays/prod/patch.yaml", SERVICE),
    ("overlays/test/kustomization.yml", "resources:\n- ../../base\ncomponents: [../../parts/extra]\n"),
    ("parts/extra/kustomization.yaml", "kind: Component\nconfigMapGenerator: [{name: c, files: [x=settings.ini]}]\n"),
    ("parts/extra/settings.ini", "a = 1\n"),
    ("elsewhere/kustomization.yaml", "namespace: base\nresources: [pod.yaml]\n"),
    ("elsewhere/pod.yaml", POD),
    ("elsewhere/forgotten.yaml", POD),
    ("cluster/kustomization.yaml", "resources: [../overlays/prod]\n"),
];

#[test]
fn a_file_leads_to_all_roots_that_use_it() {
    for git in [true, false] {
        let top = tree(git, OVERLAYS);
        let both = ["kustomization cluster", "kustomization overlays/test"];
        assert_eq!(around(&top, "base/model.yaml"), both);
        assert_eq!(around(&top, "base/kustomization.yaml"), both);
        assert_eq!(around(&top, "overlays/prod/patch.yaml"), ["kustomization cluster"]);
        assert_eq!(around(&top, "parts/extra/settings.ini"), ["kustomization overlays/test"]);
        assert_eq!(around(&top, "elsewhere/pod.yaml"), ["kustomization elsewhere"]);
        // It may be what the kustomization names by another name.
        assert_eq!(around(&top, "elsewhere/forgotten.yaml"), ["kustomization elsewhere"]);
    }
}

#[test]
fn a_file_that_is_gone_leads_to_who_still_names_it() {
    let top = tree(true, OVERLAYS);
    fs::remove_file(top.path().join("base/model.yaml")).unwrap();
    assert_eq!(around(&top, "base/model.yaml"), ["kustomization cluster", "kustomization overlays/test"]);
    fs::remove_file(top.path().join("elsewhere/kustomization.yaml")).unwrap();
    assert_eq!(around(&top, "elsewhere/kustomization.yaml"), ["folder elsewhere"]);
    fs::remove_dir_all(top.path().join("base")).unwrap();
    assert_eq!(around(&top, "base/kustomization.yaml"), ["kustomization cluster", "kustomization overlays/test"]);
    assert_eq!(around(&top, "never/there.yaml"), ["nothing: gone, with its folder"]);
}

#[test]
fn a_file_that_was_renamed_leads_to_who_names_what_it_was_called() {
    let top = tree(
        true,
        &[
            ("base/kustomization.yaml", "resources: [model.yaml, sub/old.yaml]\n"),
            ("base/renamed.yaml", SERVICE),
            ("base/sub/new.yaml", SERVICE),
            ("base/other/new.yaml", SERVICE),
            ("prod/kustomization.yaml", "resources: [../base]\n"),
        ],
    );
    assert_eq!(around(&top, "base/renamed.yaml"), ["kustomization prod"]);
    assert_eq!(around(&top, "base/sub/new.yaml"), ["kustomization prod", "folder base/sub"]);
    assert_eq!(around(&top, "base/other/new.yaml"), ["folder base/other"]);
    let ran = kvlint(&top, &["base/renamed.yaml"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("kustomize-build-failed"), "{}", ran.out);
    assert!(ran.err.contains("base/renamed.yaml: the kustomization beside it does not use it"), "{}", ran.err);
}

#[test]
fn a_base_of_many_is_led_to_all_of_them() {
    let mut files = vec![("base/kustomization.yaml".to_string(), "resources: [a.yaml]\n".to_string())];
    files.push(("base/a.yaml".into(), SERVICE.into()));
    files.push(("top/kustomization.yaml".into(), "resources: [../o/0, ../o/1/.]\n".into()));
    for n in 0..12 {
        files.push((format!("o/{n}/kustomization.yaml"), "resources: [../../base]\n".into()));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let found = around(&tree(true, &files), "base/a.yaml");
    assert_eq!(found.len(), 11, "{found:?}");
    assert!(found.contains(&"kustomization top".to_string()) && !found.contains(&"kustomization o/1".to_string()));
}

#[test]
fn a_kustomization_that_git_does_not_know_counts_above_the_file() {
    let top = tree(true, &[("model/pod.yaml", POD)]);
    fs::write(top.path().join("model/kustomization.yaml"), "resources: [pod.yaml]\n").unwrap();
    assert_eq!(around(&top, "model/pod.yaml"), ["kustomization model"]);
}

#[test]
fn circles_and_unused_components_lead_somewhere() {
    let top = tree(
        true,
        &[
            ("a/kustomization.yaml", "resources: [../b, pod.yaml]\n"),
            ("a/pod.yaml", POD),
            ("b/kustomization.yaml", "resources: [../a]\n"),
            ("c/kustomization.yaml", "kind: Component\nresources: [pod.yaml]\n"),
            ("c/pod.yaml", POD),
        ],
    );
    assert_eq!(around(&top, "a/pod.yaml"), ["kustomization a"]);
    assert_eq!(around(&top, "c/pod.yaml"), ["kustomization c"]);
}

#[cfg(unix)]
#[test]
fn a_base_under_another_name_is_found() {
    let top = tree(false, OVERLAYS);
    std::os::unix::fs::symlink("base", top.path().join("alias")).unwrap();
    fs::create_dir(top.path().join("linked")).unwrap();
    fs::write(top.path().join("linked/kustomization.yaml"), "resources: [../alias]\n").unwrap();
    fs::write(top.path().join("elsewhere/kustomization.yaml"), "resources: [\"../b\\x61se\"]\n").unwrap();
    git(top.path(), &["init", "-q"]);
    git(top.path(), &["add", "."]);
    let all =
        ["kustomization cluster", "kustomization elsewhere", "kustomization linked", "kustomization overlays/test"];
    assert_eq!(around(&top, "base/model.yaml"), all);
}

#[test]
fn names_of_folders_may_hold_anything() {
    let top = tree(
        true,
        &[
            ("a b/the base: x/kustomization.yaml", "resources: [pod.yaml]\n"),
            ("a b/the base: x/pod.yaml", POD),
            ("one/kustomization.yaml", "resources:\n  - '../a b/the base: x/'\n"),
            ("two/kustomization.yaml", "resources: [../a b/the base]\n"),
            ("ü/kustomization.yaml", "resources: [pod.yaml]\n"),
            ("ü/pod.yaml", POD),
            ("three/kustomization.yaml", "resources: [\"./../ü\"]\n"),
            ("my.base/kustomization.yaml", "resources: [pod.yaml]\n"),
            ("my.base/pod.yaml", POD),
            ("four/kustomization.yaml", "resources: [../my.base/., ../my-base, ../x/my.base]\n"),
        ],
    );
    assert_eq!(around(&top, "a b/the base: x/pod.yaml"), ["kustomization one"]);
    assert_eq!(around(&top, "ü/pod.yaml"), ["kustomization three"]);
    assert_eq!(around(&top, "my.base/pod.yaml"), ["kustomization four"]);
}

#[test]
fn files_of_transformers_may_name_more_files() {
    let top = tree(
        true,
        &[
            ("k/kustomization.yaml", "transformers: [t.yaml]\n"),
            ("k/t.yaml", "kind: PatchTransformer\napiVersion: builtin\nmetadata: {name: t}\npath: sub/patch.yaml\n"),
            ("k/sub/patch.yaml", SERVICE),
        ],
    );
    assert_eq!(around(&top, "k/sub/patch.yaml"), ["kustomization k", "folder k/sub"]);
}

#[test]
fn a_file_of_a_chart_leads_to_the_outermost_chart() {
    let top = tree(
        true,
        &[
            ("charts/model/Chart.yaml", "name: model\n"),
            ("charts/model/templates/pod.yaml", POD),
            ("charts/model/charts/sub/Chart.yaml", "name: sub\n"),
            ("charts/model/charts/sub/values.yaml", "a: 1\n"),
            ("charts/model/templates/_helpers.tpl", "{{ define \"x\" }}{{ end }}\n"),
        ],
    );
    for file in ["templates/pod.yaml", "charts/sub/values.yaml", "templates/_helpers.tpl", "Chart.yaml"] {
        assert_eq!(around(&top, &format!("charts/model/{file}")), ["chart charts/model"], "{file}");
    }
}

#[test]
fn a_folder_is_whole_only_where_nothing_else_could_belong_to_it() {
    let top = tree(
        true,
        &[
            ("deploy/pod.yaml", POD),
            ("deploy/sub/service.yaml", SERVICE),
            ("package.json", "{\"name\": \"x\"}\n"),
            (".github/workflows/ci.yaml", "kind: x\n"),
            ("chart/Chart.yaml", "name: c\n"),
            ("chart/templates/pod.yaml", POD),
            ("k/kustomization.yaml", "resources: [pod.yaml]\n"),
            ("k/pod.yaml", POD),
        ],
    );
    assert_eq!(around(&top, "deploy/pod.yaml"), ["folder deploy"]);
    assert_eq!(around(&top, "deploy/sub/service.yaml"), ["folder deploy/sub beside deploy/pod.yaml"]);
    assert_eq!(around_with(&top, &["deploy/sub"], "deploy/sub/service.yaml"), ["root deploy/sub"]);
    assert_eq!(around_with(&top, &["deploy"], "deploy/sub/service.yaml"), ["root deploy"]);
    assert_eq!(around_with(&top, &["deploy/sub"], "deploy/pod.yaml"), ["folder deploy"]);
}

#[test]
fn files_that_are_no_manifests_lead_to_nothing() {
    let top = tree(
        true,
        &[
            ("README.md", "# hello\n"),
            ("compose.yaml", "services: {}\n"),
            ("empty.yaml", "\n"),
            (".hidden/pod.yaml", POD),
            ("ignored/pod.yaml", POD),
            ("ignored/kept.yaml", POD),
            (".gitignore", "/ignored/*\n"),
            ("ignored/.kvlintignore", "!kept.yaml\n"),
        ],
    );
    assert_eq!(around(&top, "README.md"), ["nothing: no manifest by its name, and no kustomization or chart uses it"]);
    assert_eq!(around(&top, "compose.yaml"), ["nothing: no Kubernetes object in it"]);
    let hidden = ["nothing: hidden, or left out by .gitignore or .kvlintignore"];
    assert_eq!(around(&top, ".hidden/pod.yaml"), hidden);
    assert_eq!(around(&top, "ignored/pod.yaml"), hidden);
    assert_eq!(around(&top, "ignored/kept.yaml"), ["folder ignored"]);
    // What was taken out of a file is missing from its folder.
    assert_eq!(around(&top, "empty.yaml"), ["folder "]);
}

#[test]
fn another_repository_has_surroundings_of_its_own() {
    let (here, there) = (tree(true, OVERLAYS), tree(true, OVERLAYS));
    let file = there.path().join("base/model.yaml");
    let found = around(&here, &file.display().to_string());
    let real = fs::canonicalize(there.path()).unwrap();
    let wanted = ["cluster", "overlays/test"].map(|f| format!("kustomization {}", real.join(f).display()));
    assert_eq!(found, wanted);
}

/// A run over the whole units around some files.
fn kvlint(top: &TempDir, arguments: &[&str]) -> Ran {
    support::kvlint(top, &[&["--whole-unit", "--format", "concise"], arguments].concat())
}

const BROKEN: &str =
    "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {selector: {app: x}, ports: [{port: oops}]}\n";

#[test]
fn only_the_units_of_the_files_are_linted_and_each_once() {
    let mut files = OVERLAYS.to_vec();
    files.push(("elsewhere/pod.yaml", BROKEN));
    files.push(("overlays/prod/nested/kustomization.yaml", "resources: [bad.yaml]\n"));
    files.push(("overlays/prod/nested/bad.yaml", BROKEN));
    files.push(("plain/a.yaml", POD));
    files.push(("plain/deep/kustomization.yaml", "resources: [bad.yaml]\n"));
    files.push(("plain/deep/bad.yaml", BROKEN));
    let top = tree(true, &files);
    let ran = kvlint(&top, &["base/model.yaml", "./base/model.yaml", "base/kustomization.yaml"]);
    assert!(ran.err.ends_with("2 units\n") && !ran.out.contains("wrong-type"), "{}{}", ran.out, ran.err);
    let ran = kvlint(&top, &["plain/a.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
    assert!(ran.err.contains("1 resource in 1 file, 1 unit"), "{}", ran.err);
    let ran = kvlint(&top, &["plain/deep/bad.yaml", "elsewhere/pod.yaml"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.out.lines().filter(|l| l.contains("error[wrong-type]")).count(), 2, "{}", ran.out);
    // The working folder may be any.
    let ran = kvlint(&top, &["-q", &top.path().join("elsewhere/pod.yaml").display().to_string()]);
    assert!(ran.out.starts_with("elsewhere/pod.yaml:"), "{}", ran.out);
}

#[test]
fn nothing_to_lint_is_no_mistake() {
    let top = tree(true, &[("README.md", "hello\n"), ("a/pod.yaml", POD)]);
    let ran = kvlint(&top, &["README.md", "gone/for-good.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
    assert!(ran.err.contains("not analysed: README.md: no manifest by its name"), "{}", ran.err);
    assert!(ran.err.contains("not analysed: gone/for-good.yaml: gone, with its folder"), "{}", ran.err);
}

#[test]
fn a_hidden_file_is_not_worth_a_word() {
    let top = tree(true, &[(".pre-commit-config.yaml", "repos: []\n"), (".github/workflows/ci.yaml", "on: push\n")]);
    let ran = kvlint(&top, &[".pre-commit-config.yaml", ".github/workflows/ci.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    assert!(!ran.err.contains("not analysed"), "{}", ran.err);
}

#[test]
fn a_base_is_mended_through_the_overlays_that_use_it() {
    let unused = format!("# kvlint: ignore-file[host-network-clash] moved on\n{POD}");
    let top = tree(
        true,
        &[
            ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
            ("base/pod.yaml", &unused),
            ("prod/kustomization.yaml", "resources: [../base]\n"),
        ],
    );
    let ran = kvlint(&top, &["--fix", "base/pod.yaml"]);
    assert_eq!(fs::read_to_string(top.path().join("base/pod.yaml")).unwrap(), POD, "{}{}", ran.out, ran.err);
}

#[test]
fn a_changed_configuration_is_tried_on_all_that_it_is_for() {
    let top = tree(true, &[("kvlint.yaml", "exclude: [old/**]\n"), ("a/bad.yaml", BROKEN), ("old/bad.yaml", BROKEN)]);
    let ran = kvlint(&top, &["kvlint.yaml"]);
    assert!(ran.out.contains("a/bad.yaml:") && !ran.out.contains("old/bad.yaml:"), "{}{}", ran.out, ran.err);
    let ran = kvlint(&top, &["old/bad.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    assert!(ran.err.contains("left out by `exclude`"), "{}", ran.err);
}

#[test]
fn what_lies_outside_keeps_absence_from_being_a_finding() {
    let engine = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  labels: {model.aibrix.ai/name: phi-4}\n\
        spec: {containers: [{name: vllm, image: \"vllm/vllm-openai:v0.11.1\"}]}\n";
    let service = SERVICE.replace("app: model", "model.aibrix.ai/name: phi-3");
    let files = [("a/service.yaml", &*service), ("a/pod.yaml", engine), ("b/pod.yaml", POD)];
    let top = tree(true, &files);
    let ran = kvlint(&top, &["a/service.yaml"]);
    assert!(!ran.out.contains("service-selects-nothing"), "{}", ran.out);
    let top = tree(true, &[files[0], files[1], files[2], ("kvlint.yaml", "roots: [a]\n")]);
    let ran = kvlint(&top, &["a/service.yaml"]);
    assert!(ran.out.contains("service-selects-nothing"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_chart_is_rendered_whole_or_named_as_not_analysed() {
    let template = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: {{ .Values.port }}}]}\n";
    let top = tree(
        true,
        &[
            ("model/Chart.yaml", "apiVersion: v2\nname: model\nversion: 0.1.0\n"),
            ("model/values.yaml", "port: oops\n"),
            ("model/templates/service.yaml", template),
            ("other/bad.yaml", BROKEN),
        ],
    );
    let ran = kvlint(&top, &["model/values.yaml", "model/templates/service.yaml"]);
    let chart = |line: &str| line.contains("model");
    assert!(!ran.out.contains("other/bad.yaml"), "{}", ran.out);
    // Without a helm there is nothing to render it with, and that is told.
    assert!(ran.out.lines().chain(ran.err.lines()).any(chart), "{}{}", ran.out, ran.err);
    let Some(helm) = std::env::var_os("KVLINT_HELM") else {
        println!("skipped: KVLINT_HELM names no helm to render with");
        return;
    };
    let words = ["--whole-unit", "--format", "concise", "model/values.yaml"];
    let ran = run(command(&top, &words).env("PATH", Path::new(&helm).parent().unwrap()));
    assert!(ran.code == Some(1) && ran.out.contains("error[wrong-type]"), "{}", ran.out);
}

#[test]
fn values_of_a_named_set_lead_to_the_charts_that_are_rendered_with_them() {
    let chart = "apiVersion: v2\nname: m\nversion: 0.1.0\n";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: m}\n";
    let named = "helm: {values: [{name: prod, files: [envs/prod.yaml], charts: [charts/a]}]}\n";
    let top = folder(&[
        (".git/HEAD", ""),
        ("kvlint.yaml", named),
        ("envs/prod.yaml", "port: 1\n"),
        ("charts/a/Chart.yaml", chart),
        ("charts/a/templates/p.yaml", pod),
        ("charts/b/Chart.yaml", chart),
        ("charts/b/templates/p.yaml", pod),
    ]);
    let ran = kvlint(&top, &["units", "--helm=never", "envs/prod.yaml"]);
    assert!(ran.out.contains("charts/a") && !ran.out.contains("charts/b"), "{}", ran.said());
}
