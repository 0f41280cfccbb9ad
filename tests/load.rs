//! Which files are read, what is left out and why, and which objects are found.

use std::fs;
use std::path::{Path, PathBuf};

use kvlint::config::Config;
use kvlint::load::{self, Content, Exclude, Inputs, Loaded, NotFound, UnitKind};
use kvlint::source::SourceMap;
use support::{folder as tree, write};
use tempfile::TempDir;

const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  name: model\n";

fn inputs(top: &TempDir, paths: &[&str]) -> Inputs {
    let paths = paths.iter().map(|p| if p.is_empty() { top.path().to_path_buf() } else { top.path().join(p) });
    Inputs { paths: paths.collect(), ..Inputs::default() }
}

fn load_paths(top: &TempDir, paths: &[&str]) -> Loaded {
    load::load(&inputs(top, paths)).expect("every path leads somewhere")
}

/// Paths relative to the folder, of all files that were read.
fn files(top: &TempDir, loaded: &Loaded) -> Vec<String> {
    let all = loaded.units.iter().flat_map(|u| &u.files).map(|f| relative(top, f.source.path()));
    let mut all: Vec<String> = all.collect();
    all.sort();
    all
}

fn relative(top: &TempDir, path: &Path) -> String {
    path.strip_prefix(top.path()).unwrap_or(path).display().to_string()
}

/// What was left out: path, reason, and whether that is a failure.
fn skipped(top: &TempDir, loaded: &Loaded) -> Vec<(String, String, bool)> {
    loaded.skipped.iter().map(|s| (relative(top, &s.path), s.reason.clone(), s.failed)).collect()
}

fn names(loaded: &Loaded) -> Vec<String> {
    loaded.units.iter().flat_map(|u| &u.resources).map(kvlint::load::Resource::title).collect()
}

#[test]
fn manifests_below_a_folder_are_one_complete_unit() {
    let top = tree(&[("deploy/a.yaml", SERVICE), ("svc/b.yml", SERVICE), ("c.YAML", SERVICE), ("notes.txt", "x: [")]);
    let loaded = load_paths(&top, &[""]);
    assert_eq!(files(&top, &loaded), ["c.YAML", "deploy/a.yaml", "svc/b.yml"]);
    assert_eq!(loaded.units.len(), 1);
    assert!(loaded.units[0].is_complete());
    assert_eq!(skipped(&top, &loaded), []);
}

#[test]
fn ignored_and_hidden_files_are_not_read() {
    let top = tree(&[
        (".gitignore", "build/\n*.tmp.yaml\n!keep.tmp.yaml\n"),
        ("build/a.yaml", SERVICE),
        ("x.tmp.yaml", SERVICE),
        ("keep.tmp.yaml", SERVICE),
        (".hidden/a.yaml", SERVICE),
        (".a.yaml", SERVICE),
        ("sub/.kvlintignore", "local.yaml\n"),
        ("sub/local.yaml", SERVICE),
        ("sub/a.yaml", SERVICE),
    ]);
    assert_eq!(files(&top, &load_paths(&top, &[""])), ["keep.tmp.yaml", "sub/a.yaml"]);
    // Who names a file or a hidden folder wants it read.
    assert_eq!(files(&top, &load_paths(&top, &["build/a.yaml", ".hidden"])), [".hidden/a.yaml", "build/a.yaml"]);
}

#[test]
fn the_configuration_is_no_manifest() {
    let top = tree(&[("kvlint.yaml", "rules: ["), (".kvlint.yaml", "rules: ["), ("a.yaml", SERVICE)]);
    let loaded = load_paths(&top, &[""]);
    assert_eq!(files(&top, &loaded), ["a.yaml"]);
    assert_eq!(skipped(&top, &loaded), []);
}

#[test]
fn charts_are_counted_and_kustomize_roots_are_units_of_their_own() {
    let top = tree(&[
        ("chart/Chart.yaml", "name: x\n"),
        ("chart/templates/a.yaml", "a: {{ .Values.x }}\n"),
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", SERVICE),
        ("a.yaml", SERVICE),
    ]);
    let loaded = load_paths(&top, &[""]);
    assert_eq!(files(&top, &loaded), ["a.yaml", "base/a.yaml", "base/kustomization.yaml", "chart/Chart.yaml"]);
    let kinds: Vec<&str> = loaded.units.iter().map(|u| u.kind.as_str()).collect();
    assert_eq!(kinds, ["kustomize", "plain", "helm"]);
    let found = skipped(&top, &loaded);
    assert_eq!(found.len(), 1);
    assert!(found[0].0 == "chart" && found[0].1.contains("Helm") && !found[0].2);
    assert_eq!(loaded.skipped[0].files, 1, "every file of the chart is accounted for");
    assert!(!loaded.units[2].is_complete());
    for part in ["chart", "chart/templates", "chart/templates/a.yaml", "chart/Chart.yaml"] {
        let itself = load_paths(&top, &[part]);
        assert_eq!(files(&top, &itself), ["chart/Chart.yaml"], "{part} leads to the chart");
        assert_eq!(itself.skipped.len(), 1);
    }
}

#[test]
fn a_folder_may_be_called_like_a_file() {
    let top = tree(&[("x.yaml/a.yaml", SERVICE)]);
    assert_eq!(files(&top, &load_paths(&top, &[""])), ["x.yaml/a.yaml"]);
    assert_eq!(files(&top, &load_paths(&top, &["x.yaml"])), ["x.yaml/a.yaml"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_to_files_inside_the_folder_only() {
    use std::os::unix::fs::symlink;
    let outside = tree(&[("secret.yaml", SERVICE)]);
    let top = tree(&[("a/real.yaml", SERVICE), ("a/text", SERVICE)]);
    let at = |name: &str| top.path().join(name);
    symlink(at("a"), at("a/loop")).unwrap();
    symlink(at("a/real.yaml"), at("again.yaml")).unwrap();
    symlink(at("a/text"), at("text.yaml")).unwrap();
    symlink(at("nowhere"), at("dangling.yaml")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    symlink(at("me.yaml"), at("me.yaml")).unwrap();
    symlink(outside.path().join("secret.yaml"), at("out.yaml")).unwrap();
    symlink(outside.path(), at("out")).unwrap();
    let loaded = load_paths(&top, &[""]);
    assert_eq!(files(&top, &loaded), ["a/real.yaml", "text.yaml"]);
    let (nowhere, out) = ("a link that leads nowhere".to_string(), "a link that leads out of the folder".to_string());
    assert_eq!(
        skipped(&top, &loaded),
        [
            ("dangling.yaml".to_string(), nowhere.clone(), false),
            ("me.yaml".to_string(), nowhere, false),
            ("out".to_string(), out.clone(), false),
            ("out.yaml".to_string(), out, false),
        ]
    );
    // A link that is named is what was asked for.
    symlink(top.path().join("a"), at("root")).unwrap();
    assert_eq!(files(&top, &load_paths(&top, &["root"])), ["root/real.yaml"]);
    assert_eq!(load_paths(&top, &["out.yaml"]).units[0].files.len(), 1);
    let error = load::load(&inputs(&top, &["dangling.yaml"])).unwrap_err();
    assert_eq!(error[0].message, "this link leads nowhere");
}

#[cfg(unix)]
#[test]
fn pipes_are_not_opened() {
    let top = tree(&[("a.yaml", SERVICE)]);
    let pipe = top.path().join("pipe.yaml");
    if !std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|s| s.success()) {
        eprintln!("skipped: no mkfifo here");
        return;
    }
    let loaded = load_paths(&top, &[""]);
    assert_eq!(files(&top, &loaded), ["a.yaml"]);
    assert_eq!(skipped(&top, &loaded), [("pipe.yaml".into(), "not a regular file".into(), false)]);
    assert!(load_paths(&top, &["pipe.yaml"]).skipped[0].failed, "a pipe that was named can't be left out quietly");
}

#[test]
fn patterns_match_as_in_a_shell() {
    let top = tree(&[("a/x.yaml", SERVICE), ("a/b/y.yaml", SERVICE), ("a/.h/z.yaml", SERVICE), ("a/x.txt", SERVICE)]);
    let by = |pattern: &str| files(&top, &load_paths(&top, &[pattern]));
    assert_eq!(by("a/*.yaml"), ["a/x.yaml"]);
    assert_eq!(by("a/**/*.yaml"), ["a/b/y.yaml", "a/x.yaml"]);
    assert_eq!(by("a/.h/*.yaml"), ["a/.h/z.yaml"]);
    assert_eq!(by("a/{x,b/y}.yaml"), ["a/b/y.yaml", "a/x.yaml"]);
    // Named by their pattern, so read whatever their name.
    assert_eq!(by("a/x.*"), ["a/x.txt", "a/x.yaml"]);
    let message = |pattern: &str| -> Vec<NotFound> { load::load(&inputs(&top, &[pattern])).unwrap_err() };
    assert_eq!(message("a/*.json")[0].message, "no file matches this pattern");
    assert_eq!(message("none/*.yaml")[0].message, "no file matches this pattern");
    assert!(!message("a/[.yaml")[0].message.is_empty());
}

#[test]
fn every_path_that_leads_nowhere_is_told() {
    let top = tree(&[]);
    let errors = load::load(&inputs(&top, &["one", "two.yaml"])).unwrap_err();
    let messages: Vec<&str> = errors.iter().map(|e| e.message.as_str()).collect();
    assert_eq!(messages, ["no such file or folder"; 2]);
}

#[test]
fn excluded_paths_are_not_read() {
    let top = tree(&[
        ("vendor/a.yaml", SERVICE),
        ("x/vendor/b.yaml", SERVICE),
        ("x/c.gen.yaml", SERVICE),
        ("d.yaml", SERVICE),
    ]);
    write(&top, "kvlint.yaml", "exclude: [vendor/, '*.gen.yaml']\n");
    let mut sources = SourceMap::new();
    let config = Config::load(&top.path().join("kvlint.yaml"), &mut sources).unwrap();
    let exclude = Exclude { base: config.folder.clone(), patterns: config.exclude.clone() };
    let loaded = load::load(&Inputs { exclude, sources, ..inputs(&top, &[""]) }).unwrap();
    assert_eq!(files(&top, &loaded), ["d.yaml"]);
    // The configuration's text is among the sources, and the ids still fit.
    assert_eq!(loaded.sources.files().len(), 2);
    let file = &loaded.units[0].files[0].source;
    assert_eq!(loaded.sources.file(file.id()).path(), file.path());
}

#[test]
fn configured_roots_are_units_of_their_own() {
    let top =
        tree(&[("one/a.yaml", SERVICE), ("two/b.yaml", SERVICE), ("two/deep/c.yaml", SERVICE), ("d.yaml", SERVICE)]);
    let roots: Vec<PathBuf> = ["one", "two"].iter().map(|r| fs::canonicalize(top.path().join(r)).unwrap()).collect();
    let shape = |paths: &[&str]| {
        let loaded = load::load(&Inputs { roots: roots.clone(), ..inputs(&top, paths) }).unwrap();
        let unit = |u: &load::Unit| (relative(&top, &u.root), u.files.len(), u.is_complete());
        loaded.units.iter().map(unit).collect::<Vec<_>>()
    };
    let unit = |root: &str, files, complete| (root.to_string(), files, complete);
    assert_eq!(shape(&[""]), [unit("", 1, true), unit("one", 1, true), unit("two", 2, true)]);
    assert_eq!(shape(&["two/deep"]), [unit("two/deep", 1, false)]);
}

#[test]
fn a_file_is_read_once_with_the_outermost_folder() {
    let top = tree(&[("deploy/a.yaml", SERVICE), ("deploy/svc/b.yaml", SERVICE)]);
    for paths in [["deploy", "deploy/svc"], ["deploy/svc", "deploy"], ["deploy/svc/b.yaml", "deploy"]] {
        let loaded = load_paths(&top, &paths);
        assert_eq!(loaded.units.len(), 1, "{paths:?}");
        assert_eq!(loaded.units[0].files.len(), 2, "{paths:?}");
        assert!(loaded.units[0].is_complete(), "{paths:?}");
    }
}

#[test]
fn single_files_are_a_part_unless_a_renderer_wrote_them() {
    let rendered = format!("---\n# Source: chart/templates/svc.yaml\n{SERVICE}");
    let top = tree(&[("a.yaml", SERVICE), ("out.yaml", rendered.as_str())]);
    assert!(!load_paths(&top, &["a.yaml"]).units[0].is_complete());
    let whole = load_paths(&top, &["out.yaml"]);
    assert!(whole.units[0].is_complete());
    assert_eq!(whole.units[0].kind, UnitKind::Stream);
}

#[test]
fn templates_are_counted_and_make_the_unit_partial() {
    let template = "apiVersion: v1\nkind: Service\nmetadata:\n  {{- include \"x\" . }}\n";
    let quoted = "apiVersion: v1\nkind: Service\nmetadata:\n  name: \"{{ .Values.name }}\"\n";
    let top = tree(&[("t.yaml", template), ("q.yaml", quoted), ("broken.yaml", "a: [")]);
    let loaded = load_paths(&top, &[""]);
    let unit = &loaded.units[0];
    let is_template = |f: &&load::InputFile| matches!(f.content, Content::Template);
    assert_eq!(unit.files.iter().filter(is_template).count(), 1);
    assert_eq!(skipped(&top, &loaded), [("t.yaml".into(), "a template: lint what it renders to".into(), false)]);
    assert_eq!(unit.resources.len(), 1, "text in quotes is YAML all the same");
    assert_eq!(unit.missing.len(), 2, "{:?}", unit.missing);
}

#[test]
fn lists_are_taken_apart() {
    let list = "
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Service, metadata: {name: a}}
  - apiVersion: v1
    kind: List
    items:
      - {apiVersion: v1, kind: Service, metadata: {name: b}}
      - {not: an object}
  - apiVersion: v1
    kind: ServiceList
    items: [{apiVersion: v1, kind: Service, metadata: {name: c}}]
---
apiVersion: v1
kind: List
items: []
---
apiVersion: example.com/v1
kind: AllowList
metadata: {name: d}
spec: {items: [1]}
";
    let top = tree(&[("a.yaml", list)]);
    assert_eq!(names(&load_paths(&top, &[""])), ["Service/a", "Service/b", "Service/c", "AllowList/d"]);
}

#[test]
fn json_is_read_where_it_holds_an_object() {
    let object = "{\n\t\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"a\"}\n}\n";
    let top = tree(&[("a.json", object), ("package.json", "{\"name\": \"x\"}"), ("tsconfig.json", "{ // comment\n}")]);
    let loaded = load_paths(&top, &[""]);
    assert_eq!(names(&loaded), ["Service/a"]);
    assert_eq!(loaded.skipped.len(), 2);
    assert!(loaded.units[0].files[0].documents()[0].oddities.is_empty());
}

#[test]
fn what_is_not_text_is_not_read_as_something_else() {
    let top = tree(&[("empty.yaml", ""), ("comments.yaml", "# nothing\n\n---\n# more\n")]);
    fs::write(top.path().join("binary.yaml"), b"\x7fELF\x00\x01").unwrap();
    fs::write(top.path().join("latin1.yaml"), b"name: caf\xe9\n").unwrap();
    let utf16: Vec<u8> = "\u{feff}a: 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(top.path().join("utf16.yaml"), utf16).unwrap();
    let loaded = load_paths(&top, &[""]);
    let unit = &loaded.units[0];
    let kind = |f: &load::InputFile| match &f.content {
        Content::NotText { .. } => "not text".to_string(),
        Content::Stream(s) => format!("{} documents", s.documents.len()),
        Content::Template => "template".to_string(),
    };
    let found: Vec<(String, String)> = unit.files.iter().map(|f| (relative(&top, f.source.path()), kind(f))).collect();
    let wanted = [
        ("binary.yaml", "not text"),
        ("comments.yaml", "0 documents"),
        ("empty.yaml", "0 documents"),
        ("latin1.yaml", "not text"),
        ("utf16.yaml", "1 documents"),
    ];
    assert_eq!(found, wanted.map(|(a, b)| (a.to_string(), b.to_string())));
    assert!(!unit.files[4].source.is_editable(), "offsets in the text are not offsets in the file");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_a_failure() {
    use std::os::unix::fs::PermissionsExt;
    let top = tree(&[("a.yaml", SERVICE), ("locked.yaml", SERVICE), ("folder/b.yaml", SERVICE)]);
    for name in ["locked.yaml", "folder"] {
        fs::set_permissions(top.path().join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    if fs::read(top.path().join("locked.yaml")).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    let loaded = load_paths(&top, &[""]);
    let found = skipped(&top, &loaded);
    fs::set_permissions(top.path().join("folder"), fs::Permissions::from_mode(0o755)).unwrap();
    let denied = |path: &str| (path.to_string(), "permission denied".to_string(), true);
    assert_eq!(found, [denied("folder"), denied("locked.yaml")]);
    assert_eq!(loaded.units[0].missing.len(), 2, "what is not read may hold anything");
}

#[test]
fn a_text_over_a_file_counts_instead_of_it() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: disk}\n";
    let top = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = top.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("plain/a.yaml", pod);
    write("root/kustomization.yaml", "resources: [b.yaml]\n");
    write("root/b.yaml", pod);
    let mut overlay = load::Overlay::default();
    for name in ["plain/a.yaml", "root/b.yaml"] {
        let path = std::fs::canonicalize(top.path().join(name)).unwrap();
        overlay.insert(path, pod.replace("disk", "unsaved").into_bytes());
    }
    let loaded = load::load(&Inputs { overlay, ..inputs(&top, &[""]) }).unwrap();
    let names: Vec<&str> = loaded.units.iter().flat_map(|u| &u.resources).map(|r| r.name()).collect();
    assert_eq!(names, ["unsaved", "unsaved"]);
}
