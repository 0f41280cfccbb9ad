//! Charts that need others from folders beside them (`file://`), and dependencies with names that YAML takes for something else.

use std::fs;

use support::{folder, kvlint};

use super::{CHART, POD, find, found, notes};

/// `app` needs `engine`, which lies beside it.
fn beside(version: &str) -> Vec<(&'static str, String)> {
    let needs = format!(
        "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n  - name: engine\n    alias: coder\n    version: {version}\n    \
         repository: file://../engine\n    condition: coder.enabled\n"
    );
    vec![
        ("charts/app/Chart.yaml", needs),
        ("charts/app/Chart.lock", "digest: sha256:0\n".into()),
        ("charts/app/values.yaml", "coder:\n  label: \"yes\"\n".into()),
        ("charts/engine/Chart.yaml", CHART.into()),
        ("charts/engine/values.yaml", "enabled: true\nport: 6000\nlabel: \"true\"\n".into()),
        ("charts/engine/templates/pod.yaml", POD.into()),
    ]
}

fn written(files: &[(&'static str, String)]) -> tempfile::TempDir {
    folder(&files.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>())
}

#[test]
fn a_chart_beside_the_one_that_needs_it_is_a_part_of_it() {
    let Some(helm) = find::helm("dependencies in other folders") else { return };
    let helm = helm.to_str().expect("a path that is text");
    let top = written(&beside("0.1.0"));
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "json", "charts/app"]);
    let places = |rule: &str| found(&ran, rule).into_iter().map(|(place, _)| place).collect::<Vec<_>>();
    assert_eq!(places("discovery-label-value"), ["charts/app/values.yaml:2:10"], "{}", ran.err);
    assert_eq!(places("port-not-dialled"), ["charts/engine/values.yaml:2:7"]);
    assert!(places("chart-dependency-missing").is_empty() && places("chart-does-not-render").is_empty());
    // What both charts have is found once, and mended in its file.
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "json", "charts"]);
    assert_eq!(found(&ran, "port-not-dialled").len(), 1, "{}", ran.out);
    assert!(found(&ran, "values-key-unread").is_empty(), "the condition of the other chart reads it: {}", ran.out);
    kvlint(top.path(), &["--helm", helm, "--fix", "--unsafe-fixes", "charts"]);
    let values = fs::read_to_string(top.path().join("charts/engine/values.yaml")).expect("it is there");
    assert_eq!(values, "enabled: true\nport: 5557\nlabel: \"true\"\n");
    assert!(!top.path().join("charts/app/charts").exists(), "nothing is put into the chart");
}

#[test]
fn a_chart_beside_it_that_is_another_one_stays_missing_and_says_why() {
    let top = written(&beside("^2.0.0"));
    let ran = kvlint(top.path(), &["--helm", "never", "--select", "chart-dependency-missing", "charts/app"]);
    assert!(!ran.out.contains("chart-dependency-missing"), "nothing was rendered: {}", ran.out);
    let Some(helm) = find::helm("dependencies of another version") else { return };
    let ran = kvlint(top.path(), &["--helm", helm.to_str().expect("text"), "--format", "json", "charts/app"]);
    let why =
        "it is not taken from its own folder: the chart in charts/engine has version 0.1.0, and `^2.0.0` is asked for";
    assert!(notes(&ran, "chart-dependency-missing")[0].iter().any(|note| note == why), "{}", ran.out);
}

#[test]
fn a_missing_dependency_that_is_used_is_one_finding() {
    let Some(helm) = find::helm("definitions of missing charts") else { return };
    let needs = "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n  - {name: common, version: 1.0.0, repository: \"https://x\"}\n";
    let top = folder(&[("app/Chart.yaml", needs), ("app/templates/a.yaml", "a: {{ include \"common.name\" . }}\n")]);
    let ran = kvlint(top.path(), &["--helm", helm.to_str().expect("text"), "--format", "json", "app"]);
    assert_eq!((found(&ran, "chart-dependency-missing").len(), found(&ran, "chart-does-not-render").len()), (1, 0));
}

#[test]
fn a_name_that_yaml_takes_for_a_boolean_is_what_helm_makes_of_it() {
    let Some(helm) = find::helm("an alias that is a boolean") else { return };
    let needs =
        "apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n  - {name: engine, version: 0.1.0, alias: y}\n";
    let top = folder(&[
        ("app/Chart.yaml", needs),
        ("app/charts/engine/Chart.yaml", CHART),
        ("app/charts/engine/values.yaml", "port: 6000\nlabel: \"true\"\n"),
        ("app/charts/engine/templates/pod.yaml", POD),
    ]);
    let ran = kvlint(top.path(), &["--helm", helm.to_str().expect("text"), "--format", "json", "app"]);
    let (place, _) = found(&ran, "port-not-dialled").remove(0);
    assert_eq!(place, "app/charts/engine/values.yaml:1:7");
}
