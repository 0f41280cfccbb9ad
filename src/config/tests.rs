use super::*;

fn read(text: &str) -> (Config, Arc<SourceFile>) {
    let mut sources = SourceMap::new();
    let source = sources.add("kvlint.yaml", text);
    (Config::read(&source), source)
}

/// The text under each problem, its message and help.
fn problems(text: &str) -> Vec<(String, String, String)> {
    let (config, source) = read(text);
    let show = |p: &ConfigProblem| (source.slice(p.span).into(), p.message.clone(), p.help.clone().unwrap_or_default());
    config.problems.iter().map(show).collect()
}

#[track_caller]
fn one_problem(text: &str, under: &str, words: &str) {
    let found = problems(text);
    assert_eq!(found.len(), 1, "{found:?}");
    let (span, message, help) = &found[0];
    assert_eq!(span, under, "{message}");
    assert!(format!("{message}; {help}").contains(words), "{message}; {help}");
}

#[test]
fn every_key_is_read() {
    let text = r#"
rules: {labelled-but-silent: off, duplicate-key: "warning"}
exclude: [vendor/, "*.tmpl.yaml", /only/here.yaml]
overrides:
  - files: [staging/**]
    rules: {duplicate-key: info}
assume: {engine: 0.11.0, gateway: "0.7.0"}
minimum: {engine: 0.9.0}
contract: documented
gateway:
  namespace: gateways
  labels: {app: gateway}
workloads:
  - group: example.com
    kind: Engine
    versions: [v1]
    pods:
      - {path: "spec.roles[].pod", shape: pod_spec, labels: "spec.roles[].labels", role: worker, replicas: spec.n,
         selector: spec.selector, selector_form: labels}
    misleading_labels: [metadata.labels]
roots: [src]
helm:
  release: demo
  namespace: models
  kube_version: 1.31.0
  api_versions: [example.com/v1]
  timeout: 7
  set: [a=1]
  values: [{name: prod, files: [Cargo.toml], set: [b=2], charts: [charts/*]}]
"#;
    let (config, _) = read(text);
    assert_eq!(config.problems, []);
    assert_eq!(config.level("labelled-but-silent", Path::new("a.yaml")), Some(Level::Off));
    assert_eq!(config.level("duplicate-key", Path::new("a.yaml")), Some(Level::Warning));
    assert_eq!(config.level("duplicate-key", Path::new("staging/deep/a.yaml")), Some(Level::Info));
    assert_eq!(config.level("yaml-syntax", Path::new("a.yaml")), None);
    let excluded = |path: &str| {
        discover::Exclude { base: config.folder.clone(), patterns: config.exclude.clone() }.matches(Path::new(path))
    };
    for path in ["vendor/a.yaml", "x/vendor/y/a.yaml", "x/a.tmpl.yaml", "only/here.yaml"] {
        assert!(excluded(path), "{path}");
    }
    for path in ["vendors/a.yaml", "x/only/here.yaml", "a.yaml"] {
        assert!(!excluded(path), "{path}");
    }
    assert_eq!(config.assume.engine, Some(Release::new(0, 11, 0)));
    assert_eq!(config.assume.gateway, Some(Release::new(0, 7, 0)));
    assert_eq!(config.minimum_engine, Release::new(0, 9, 0));
    assert_eq!(config.contract, Contract::Documented);
    assert_eq!(config.gateway.namespace, "gateways");
    assert_eq!(config.gateway.labels, [[("app".to_string(), "gateway".to_string())]]);
    let kind = &config.workloads[0];
    assert_eq!((kind.group.as_str(), kind.kind.as_str(), kind.versions.len()), ("example.com", "Engine", 1));
    let pod = &kind.pods[0];
    assert_eq!(pod.role, facts::workloads::PodRole::Worker);
    assert_eq!(pod.selector_form, facts::workloads::SelectorForm::Labels);
    assert_eq!(kind.misleading_labels, ["metadata.labels"]);
    assert!(config.roots[0].ends_with("src"));
    let helm = &config.helm;
    assert_eq!((helm.release.as_deref(), helm.namespace.as_deref()), (Some("demo"), Some("models")));
    assert_eq!((helm.kube_version.as_deref(), helm.timeout.as_secs()), (Some("1.31.0"), 7));
    assert_eq!(
        (helm.api_versions.as_slice(), helm.set.as_slice()),
        (&["example.com/v1".into()][..], &["a=1".into()][..])
    );
    let set = &helm.sets[0];
    assert_eq!((set.name.as_str(), set.set.as_slice(), set.files.len()), ("prod", &["b=2".to_string()][..], 1));
    assert!(set.files[0].ends_with("Cargo.toml"));
}

#[test]
fn misspelt_names_get_a_suggestion() {
    one_problem("rule: {}\n", "rule", "did you mean `rules`?");
    one_problem("rules: {duplicate-keys: off}\n", "duplicate-keys", "did you mean `duplicate-key`?");
    one_problem("rules: {duplicate-key: eror}\n", "eror", "did you mean `error`?");
    one_problem("contract: observd\n", "observd", "did you mean `observed`?");
    one_problem("assume: {engin: 0.9.0}\n", "engin", "did you mean `engine`?");
    one_problem("workloads: [{group: a, kind: B, pods: [{path: a, shape: pod}]}]\n", "pod", "known are");
}

#[test]
fn values_of_the_wrong_type_are_underlined() {
    one_problem("rules: [a]\n", "rules", "must be a mapping");
    one_problem("- a\n", "a", "must be a mapping");
    one_problem("exclude: vendor\n", "vendor", "must be a list");
    one_problem("exclude: ['a[']\n", "'a['", "malformed");
    one_problem("minimum: {engine: 0.9}\n", "0.9", "not a release");
    one_problem("gateway: {namespace: {}}\n", "namespace", "single value");
    one_problem("gateway: {labels: {app: true}}\n", "true", "quote it: `\"true\"`");
    one_problem("rules: {duplicate-key: [off]}\n", "duplicate-key", "must be one of");
    one_problem("roots: [no/such]\n", "no/such", "no folder");
    one_problem("helm: {timeout: 0}\n", "0", "number of seconds");
    one_problem("helm: {timeout: soon}\n", "soon", "number of seconds");
    one_problem("helm: {values: [{name: a, files: [no/such.yaml]}]}\n", "no/such.yaml", "no file");
    one_problem("helm: {values: [{files: []}]}\n", "files", "has no `name`");
    one_problem("workloads: [{group: a, kind: B}]\n", "group", "has no `pods`");
    one_problem("workloads: [{group: a, kind: B, pods: [{path: 'a[0].b', shape: container}]}]\n", "'a[0].b'", "`a[0]`");
    one_problem("rules: {}\nrules: {}\n", "rules", "line 1");
    one_problem("rules: \"x\nexclude: []\n", "\"", "not closed");
    one_problem("rules: {}\n---\nrules: {}\n", "---", "first document");
}

#[test]
fn empty_files_and_keys_are_fine() {
    for text in ["", "# nothing\n", "rules:\n", "overrides:\nworkloads:\n", "---\n"] {
        assert_eq!(problems(text), [], "{text:?}");
    }
}

#[test]
fn the_nearest_configuration_counts() {
    let top = tempfile::tempdir().unwrap();
    let deep = top.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(top.path().join("kvlint.yaml"), "rules: {}\n").unwrap();
    let root = std::fs::canonicalize(top.path()).unwrap();
    assert_eq!(Config::find(&deep), Some(root.join("kvlint.yaml")));
    std::fs::write(top.path().join("a/.kvlint.yaml"), "exclude: [x]\n").unwrap();
    let found = Config::find(&deep).unwrap();
    assert_eq!(found, root.join("a/.kvlint.yaml"));
    let mut sources = SourceMap::new();
    assert_eq!(Config::load(&found, &mut sources).unwrap().folder, root.join("a"));
    assert!(Config::load(&root, &mut sources).unwrap_err().contains("folder"));
    assert!(Config::load(&root.join("none"), &mut sources).unwrap_err().contains("no such file"));
    std::fs::write(&found, b"rules: \xff\n").unwrap();
    assert_eq!(Config::load(&found, &mut sources).unwrap().problems.len(), 1);
}

#[test]
fn the_published_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kvlint.schema.json");
    let text = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == text, "run `UPDATE=1 cargo test published_schema` to renew docs/kvlint.schema.json");
}

proptest::proptest! {
    /// Whatever the file says, reading it ends, and its problems lie in it.
    #[test]
    fn every_problem_lies_in_the_text(
        key in "(rules|exclude|overrides|assume|gateway|workloads|roots|contract|x\u{e9}|)",
        value in "[-a:'\"\\[\\]{},#&*!~0. \n\u{e9}]{0,24}",
    ) {
        let (config, source) = read(&format!("{key}: {value}\n"));
        for problem in &config.problems {
            let (start, end) = (problem.span.start as usize, problem.span.end as usize);
            proptest::prop_assert!(source.text().get(start..end).is_some(), "{problem:?}");
        }
    }
}
