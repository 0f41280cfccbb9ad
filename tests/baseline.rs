//! `--baseline` and `--write-baseline`: what is listed passes, what is new fails, what is gone is told, and no run speaks of what
//! it did not look at.

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::manifests::{FINE, ONE_RULE, silent as pod};
use support::{Ran, folder, kvlint, read, write};

const BASELINE: &str = "--baseline=accepted.json";

fn lint(dir: &Path, arguments: &[&str]) -> Ran {
    kvlint(dir, &[&[ONE_RULE, BASELINE, "--format=concise"], arguments].concat())
}

fn accept(dir: &Path, arguments: &[&str]) -> Ran {
    let ran = lint(dir, &[&["--write-baseline"], arguments].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran
}

fn baseline(dir: &Path) -> Value {
    serde_json::from_str(&read(dir, "accepted.json")).expect("JSON")
}

#[test]
fn what_is_listed_passes_and_is_counted_and_what_is_new_fails() {
    let dir = folder(&[("deploy/a.yaml", &pod("a")), ("deploy/b.yaml", &pod("b"))]);
    let written = accept(dir.path(), &["deploy"]);
    assert!(written.err.contains("accepted.json now lists 2 findings: 2 new, 0 gone"), "{}", written.err);
    let again = lint(dir.path(), &["deploy"]);
    assert_eq!((again.code, again.out.as_str()), (Some(0), ""));
    assert!(again.err.contains("no findings (2 in the baseline)"), "{}", again.err);
    write(dir.path(), "deploy/c.yaml", pod("c"));
    let more = lint(dir.path(), &["deploy"]);
    assert_eq!(more.code, Some(1));
    assert!(more.out.starts_with("deploy/c.yaml:7:") && more.out.lines().count() == 1, "{}", more.out);
    assert!(more.err.contains("1 error (2 in the baseline)"), "{}", more.err);
}

#[test]
fn moved_lines_stay_listed() {
    let both = format!("{}---\n{}", pod("a"), pod("b"));
    let dir = folder(&[("pods.yaml", &both)]);
    accept(dir.path(), &["."]);
    let moved =
        format!("# a comment\n---\n{FINE}---\n{}---\n{}", pod("b"), pod("a").replace("    model", "      model"));
    write(dir.path(), "pods.yaml", &moved);
    let ran = lint(dir.path(), &["."]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
    assert!(!ran.err.contains("no longer") && !ran.err.contains("not analysed"), "{}", ran.err);
}

#[test]
fn the_file_is_sorted_and_the_same_each_time() {
    let dir = folder(&[("b.yaml", &pod("b")), ("a.yaml", &pod("a"))]);
    accept(dir.path(), &["b.yaml", "a.yaml"]);
    let first = read(dir.path(), "accepted.json");
    accept(dir.path(), &["a.yaml", "b.yaml"]);
    assert_eq!(first, read(dir.path(), "accepted.json"));
    let value = baseline(dir.path());
    assert_eq!(value["version"], 1);
    assert_eq!(value["findings"][0]["path"], "a.yaml");
    assert_eq!(value["findings"][0]["rule"], "labelled-but-silent");
    assert!(first.ends_with("}\n"));
    // Paths count from the file's folder, wherever kvlint is run.
    fs::create_dir(dir.path().join("sub")).expect("a folder");
    let ran = kvlint(dir.path().join("sub"), &[ONE_RULE, "--baseline=../accepted.json", "../a.yaml", "../b.yaml"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

#[test]
fn entries_that_no_longer_occur_are_told_until_the_file_is_written_anew() {
    let dir = folder(&[("a.yaml", &pod("a")), ("b.yaml", &pod("b"))]);
    accept(dir.path(), &["."]);
    write(dir.path(), "a.yaml", FINE);
    fs::remove_file(dir.path().join("b.yaml")).expect("a file");
    let ran = lint(dir.path(), &["."]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("no longer in a.yaml: labelled-but-silent: "), "{}", ran.err);
    assert!(ran.err.contains("2 findings of accepted.json no longer occur: `--write-baseline`"), "{}", ran.err);
    let json = kvlint(dir.path(), &[ONE_RULE, BASELINE, "--format=json", "."]);
    let json: Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(json["gone_from_baseline"].as_array().map(Vec::len), Some(2));
    assert!(accept(dir.path(), &["."]).err.contains("lists 0 findings: 0 new, 2 gone"));
    assert!(!lint(dir.path(), &["."]).err.contains("no longer"));
}

#[test]
fn a_run_over_less_claims_nothing_of_the_rest_and_keeps_it() {
    let dir = folder(&[("x/a.yaml", &pod("a")), ("y/b.yaml", &pod("b")), ("y/c.yaml", FINE)]);
    accept(dir.path(), &["."]);
    for paths in [&["x"][..], &["y/c.yaml"], &["y"]] {
        let ran = lint(dir.path(), paths);
        assert!(ran.code == Some(0) && !ran.err.contains("no longer"), "{paths:?}: {}", ran.err);
    }
    write(dir.path(), "x/new.yaml", pod("new"));
    assert!(accept(dir.path(), &["x"]).err.contains("lists 3 findings: 1 new, 0 gone"));
    assert_eq!(baseline(dir.path())["paths"], serde_json::json!(["."]));
    write(dir.path(), "y/b.yaml", FINE);
    let other_rule = kvlint(dir.path(), &["--select=yaml-syntax", BASELINE, "."]);
    assert!(!other_rule.out.contains("no longer"), "a rule that did not run: {}", other_rule.out);
    assert!(lint(dir.path(), &["."]).err.contains("1 finding of accepted.json no longer occur"));
    // A run over more has seen all.
    let outer = kvlint(dir.path().join("x"), &[ONE_RULE, "--baseline=../accepted.json", "--format=concise", ".."]);
    assert!(outer.err.contains("no longer in y/b.yaml"), "{}", outer.err);
}

#[test]
fn a_file_that_is_no_baseline_is_refused_and_never_replaced() {
    let dir = folder(&[("a.yaml", &pod("a"))]);
    let missing = lint(dir.path(), &["."]);
    assert_eq!((missing.code, missing.out.as_str()), (Some(2), ""));
    assert!(
        missing.err.contains("accepted.json: there is no such file") && missing.err.contains("--write-baseline"),
        "{}",
        missing.err
    );
    let entry = "{\"path\": \"a\", \"rule\": \"r\", \"message\": \"m\"}";
    let cases = [
        ("<<<<<<< HEAD\n", "line 1 column 1"),
        ("{\n  \"version\": 1,\n  \"paths\": [],\n  \"findings\": [\n", "line 5 column 0"),
        ("{\"version\": 2, \"anything\": true}", "it has version 2"),
        ("{\"version\": 1, \"paths\": [], \"findings\": [], \"more\": 1}", "unknown field `more`"),
        (&format!("{{\"version\": 1, \"paths\": [], \"findings\": [{entry}]}}"), "missing field `fingerprint`"),
        ("apiVersion: v1\n", "line 1 column 1"),
    ];
    for (text, part) in cases {
        write(dir.path(), "accepted.json", text);
        for flags in [&["."][..], &["--write-baseline", "."]] {
            let ran = lint(dir.path(), flags);
            assert_eq!(ran.code, Some(2), "{text:?}");
            assert!(ran.err.contains(part) && ran.err.contains("help:"), "{text:?}: {}", ran.err);
        }
        assert_eq!(read(dir.path(), "accepted.json"), text);
    }
    assert_eq!(kvlint(dir.path(), &["--write-baseline", "."]).code, Some(2), "it needs the file's name");
}

#[test]
#[cfg(unix)]
fn a_run_that_failed_writes_nothing_and_claims_nothing() {
    let dir = folder(&[("a.yaml", &pod("a")), ("b.yaml", &pod("b"))]);
    accept(dir.path(), &["."]);
    let before = read(dir.path(), "accepted.json");
    fs::remove_file(dir.path().join("a.yaml")).expect("a file");
    std::os::unix::fs::symlink("/nowhere/else", dir.path().join("a.yaml")).expect("a link");
    // A file of more than is ever read.
    let large = fs::File::create(dir.path().join("large.yaml")).expect("a file");
    large.set_len(1 << 30).expect("a large file");
    let ran = lint(dir.path(), &["."]);
    assert!(ran.code == Some(2) && !ran.err.contains("no longer"), "{}", ran.err);
    let ran = lint(dir.path(), &["--write-baseline", "."]);
    assert!(ran.code == Some(2) && ran.err.contains("was not written"), "{}", ran.err);
    assert_eq!(read(dir.path(), "accepted.json"), before);
}

#[test]
fn machine_formats_hold_what_is_listed() {
    let dir = folder(&[("a.yaml", &pod("a"))]);
    accept(dir.path(), &["."]);
    write(dir.path(), "b.yaml", pod("b"));
    let show = |format: &str| {
        let ran = kvlint(dir.path(), &[ONE_RULE, BASELINE, "--format", format, "."]);
        serde_json::from_str::<Value>(&ran.out).expect("JSON")
    };
    let json = show("json");
    assert_eq!(json["diagnostics"][0]["in_baseline"], true);
    assert_eq!(json["diagnostics"][1]["in_baseline"], false);
    assert_eq!((&json["summary"]["errors"], &json["summary"]["in_baseline"]), (&1.into(), &1.into()));
    let sarif = &show("sarif")["runs"][0]["results"];
    assert_eq!((&sarif[0]["baselineState"], &sarif[1]["baselineState"]), (&"unchanged".into(), &"new".into()));
    assert_eq!(sarif[0]["suppressions"][0]["kind"], "external");
    assert_eq!(sarif[1]["suppressions"], serde_json::json!([]), "all results have the array or none");
    assert_eq!(
        sarif[0]["partialFingerprints"]["kvlint/v1"],
        baseline(dir.path())["findings"][0]["fingerprint"],
        "one fingerprint for all that is written in the folder of the baseline"
    );
    assert_eq!(json["diagnostics"][0]["fingerprint"], sarif[0]["partialFingerprints"]["kvlint/v1"]);
}
