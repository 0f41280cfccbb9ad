//! The change as a component, as a script, and as text on standard output.

use std::fs;
use std::process::Command;

use support::{folder, kvlint, kvlint_with_input, read};

use crate::{BARE, CLOSED, run, silent};

#[test]
fn a_component_and_a_script_make_the_same_change_elsewhere() {
    let base = "resources: [model.yaml]\n";
    let overlay = "resources: [../base]\n";
    let top =
        folder(&[("base/kustomization.yaml", base), ("base/model.yaml", BARE), ("prod/kustomization.yaml", overlay)]);
    run(top.path(), &["enable", "default/llama", "prod", "--as", "kustomize", "-o", "kv-events"]);
    assert_eq!(read(&top, "base/model.yaml"), BARE, "the base stays");
    fs::write(top.path().join("prod/kustomization.yaml"), "resources: [../base]\ncomponents: [../kv-events]\n")
        .unwrap();
    silent(top.path(), "prod");
    let built = run(top.path(), &["build", "prod"]);
    assert!(built.contains("--kv-events-config") && built.contains("containerPort: 5557"), "{built}");
    // The same with the real tool, where it is installed.
    if let Ok(real) = Command::new("kubectl").args(["kustomize", "prod"]).current_dir(top.path()).output() {
        assert!(real.status.success(), "{}", String::from_utf8_lossy(&real.stderr));
        fs::write(top.path().join("real.yaml"), real.stdout).unwrap();
        silent(top.path(), "real.yaml");
    } else {
        eprintln!("skipped: kubectl is not installed");
    }
    let script = run(top.path(), &["enable", "default/llama", "base", "--as", "kubectl"]);
    assert!(script.starts_with("#!/bin/sh\n") && script.contains("rollback() {"), "{script}");
    assert!(script.contains("kubectl patch deployment.v1.apps/llama -n default --type=json"), "{script}");
}

#[test]
fn a_kustomization_stands_around_an_overlay_that_renames() {
    let model = BARE.replace("  namespace: default\n", "").replace(", namespace: default", "");
    let deny = CLOSED.replace(", namespace: default", "");
    let overlay =
        "resources: [../base]\nnamespace: prod\nnamePrefix: x-\nimages: [{name: vllm/vllm-openai, newTag: v0.12.0}]\n";
    let top = folder(&[
        ("base/kustomization.yaml", "resources: [model.yaml, deny.yaml]\n"),
        ("base/model.yaml", &model),
        ("base/deny.yaml", &deny),
        ("prod/kustomization.yaml", overlay),
    ]);
    let ran = kvlint(top.path(), &["enable", "prod/x-llama", "prod", "--as", "kustomize", "-o", "prod-kv-events"]);
    assert!(ran.code == Some(0) && ran.err.contains("around the overlay"), "{}", ran.err);
    let root = read(&top, "prod-kv-events/kustomization.yaml");
    assert!(root.contains("- ../prod\n") && root.contains("kind: Kustomization"), "{root}");
    let built = run(top.path(), &["build", "prod-kv-events"]);
    assert!(built.contains("name: x-llama-kv-events") && built.contains("--kv-events-config"), "{built}");
    let found = kvlint(top.path(), &["--format", "concise", "prod-kv-events"]);
    assert!(!found.out.contains("error["), "{}", found.out);
    let refused = kvlint(top.path(), &["enable", "prod/x-llama", "prod", "--as", "kustomize"]);
    assert_eq!(refused.code, Some(2));
}

#[test]
fn a_name_that_is_a_path_leads_nowhere() {
    let evil = BARE.replace("  name: llama\n  namespace", "  name: x/../../evil\n  namespace");
    let top = folder(&[("in/model.yaml", &evil), ("in/deny.yaml", CLOSED)]);
    let refused = kvlint(top.path(), &["enable", "--all", "in", "--as", "kustomize", "-o", "out"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(!top.path().join("out").exists() && !top.path().join("evil-kv-events.yaml").exists());
}

#[test]
fn what_comes_from_a_pipe_is_printed() {
    let top = folder(&[]);
    let ran = kvlint_with_input(top.path(), &["enable", "default/llama", "-"], BARE);
    let text = ran.out;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(text.starts_with("# our model\n") && text.contains("--kv-events-config"), "{text}");
    let back = kvlint_with_input(top.path(), &["disable", "default/llama", "-"], &text);
    assert_eq!(back.out, BARE);
    let rendered = format!("---\n# Source: chart/templates/model.yaml\n{BARE}");
    let refused = kvlint_with_input(top.path(), &["enable", "default/llama", "-"], &rendered);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    let script = kvlint_with_input(top.path(), &["enable", "default/llama", "-", "--as", "kubectl"], &rendered);
    assert_eq!(script.code, Some(0), "{}", script.err);
    assert!(script.out.contains("kubectl patch deployment.v1.apps/llama -n default"));
}

/// A `kubectl` of two objects that can be changed and taken back, and that refuses what the file `refuse` names.
#[cfg(unix)]
const KUBECTL: &str = r#"#!/bin/sh
refuse=$(cat refuse)
case "$*" in *"${refuse:-nothing}"*) echo "it is refused" >&2; exit 1 ;; esac
needs=before next=after
case "$*" in *'"remove"'*) needs=after next=before ;; esac
state=state-${2##*/}-${2%%.*}
state=$(echo "$state" | tr / -)
[ "$(cat "$state" 2>/dev/null || echo before)" = "$needs" ] || { echo "the test fails" >&2; exit 1; }
case "$*" in *--dry-run=server*) ;; *) echo "$next" >"$state" ;; esac
"#;

#[test]
#[cfg(unix)]
fn a_script_changes_all_or_nothing_and_takes_back_what_it_can() {
    use std::os::unix::fs::PermissionsExt as _;
    let model = BARE.replace("  namespace: default\n", "").replace(", namespace: default", "");
    let top = folder(&[("model.yaml", &model), ("bin/kubectl", KUBECTL)]);
    fs::set_permissions(top.path().join("bin/kubectl"), fs::Permissions::from_mode(0o755)).unwrap();
    run(top.path(), &["enable", "prod/llama", ".", "--as", "kubectl", "-o", "enable.sh"]);
    let script = read(&top, "enable.sh");
    assert!(
        script.contains("deployment.v1.apps/llama -n prod") && script.contains("service/llama -n prod"),
        "{script}"
    );
    assert!(!script.contains("annotations"), "objects in a cluster have some: {script}");
    let absent = r#"{"op":"test","path":"/spec/template/spec/containers/0/ports","value":null}"#;
    assert!(script.contains(absent), "{script}");
    let sh = |words: &[&str], refuse: &str| {
        fs::write(top.path().join("refuse"), refuse).unwrap();
        let path = format!("{}:{}", top.path().join("bin").display(), std::env::var("PATH").unwrap());
        let output =
            Command::new("sh").arg("enable.sh").args(words).current_dir(top.path()).env("PATH", path).output().unwrap();
        let state =
            |name: &str| fs::read_to_string(top.path().join(name)).map_or("before".into(), |s| s.trim().to_string());
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), state("state-llama-deployment"), state("state-llama-service-llama"), told)
    };
    let (code, model, service, told) = sh(&[], "service/llama");
    assert_eq!((code, &*model, &*service), (Some(1), "before", "before"), "{told}");
    assert!(told.contains("nothing is changed"), "{told}");
    let (code, model, service, told) = sh(&["--dry-run"], "");
    assert_eq!((code, &*model, &*service), (Some(0), "before", "before"), "{told}");
    let (code, model, service, told) = sh(&[], "");
    assert_eq!((code, &*model, &*service), (Some(0), "after", "after"), "{told}");
    let (code, .., told) = sh(&[], "");
    assert!(code == Some(0) && told.contains("changed already"), "{told}");
    let (code, model, service, told) = sh(&["--rollback"], "service/llama");
    assert_eq!((code, &*model, &*service), (Some(1), "before", "after"), "{told}");
    assert!(told.contains("not all is taken back"), "{told}");
    let (code, model, service, told) = sh(&["--rollback"], "");
    assert_eq!((code, &*model, &*service), (Some(0), "before", "before"), "{told}");
}
