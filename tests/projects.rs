//! Whole trees, each with the findings that it must give: `expected.txt` is the concise output.
//!
//! A project with a chart holds what it renders to, `rendered.yaml`: without helm its findings are led back to the templates. With
//! helm the chart itself is linted, which gives `expected-helm.txt`.
//!
//! `UPDATE=1 cargo test --test projects` writes the files anew; read the difference before you keep it.

#[path = "helm/find.rs"]
mod find;

use std::path::{Path, PathBuf};
use std::process::Command;

fn projects() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/projects");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(root).expect("testdata/projects").map(|e| e.expect("an entry").path()).collect();
    found.sort();
    found
}

fn concise(folder: &Path, paths: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_kvlint"))
        .args(["--format", "concise", "--color", "never"])
        .args(paths)
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("kvlint runs");
    (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code())
}

#[test]
fn every_project_gives_its_findings() {
    let mut wrong = Vec::new();
    for folder in projects() {
        let (found, code) = concise(&folder, &["."]);
        let file = folder.join("expected.txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &found).expect("expected.txt can be written");
            continue;
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{} gives\n{found}\nand not\n{expected}", folder.display()));
        }
        let has_errors = found.contains(": error[");
        let config_error = found.contains("[config-invalid]");
        let wanted = if config_error { 2 } else { i32::from(has_errors) };
        assert_eq!(code, Some(wanted), "exit code of {}", folder.display());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_chart_gives_its_findings_with_helm() {
    let Some(helm) = find::helm("findings of charts") else { return };
    let helm = helm.to_str().expect("a path that is text");
    let mut wrong = Vec::new();
    for folder in projects().into_iter().filter(|folder| folder.join("chart/Chart.yaml").is_file()) {
        let (found, _) = concise(&folder, &["--helm", helm, "chart"]);
        let file = folder.join("expected-helm.txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &found).expect("expected-helm.txt can be written");
            continue;
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{} gives\n{found}\nand not\n{expected}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_sample_chart_is_clean_with_its_switch_on_and_off() {
    let Some(helm) = find::helm("the sample chart") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (found, code) = concise(root, &["--helm", helm.to_str().expect("text"), "testdata/samples"]);
    assert_eq!((found.as_str(), code), ("", Some(0)));
}

#[test]
fn the_samples_are_clean() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (found, code) = concise(root, &["testdata/samples"]);
    assert!(!found.contains('['), "{found}");
    assert_eq!(code, Some(0));
}

/// A sample with one thing broken, and the rule that must say so.
const BROKEN: &[(&str, &str, &str, &str)] = &[
    ("model/deployment.yaml", "        model.aibrix.ai/kv-events-enabled: \"true\"\n", "", "discovery-label-missing"),
    ("model/deployment.yaml", "kv-events-enabled: \"true\"", "kv-events-enabled: \"True\"", "discovery-label-value"),
    (
        "model/deployment.yaml",
        "\"enable_kv_cache_events\": true",
        "\"enable_kv_cache_events\": false",
        "labelled-but-silent",
    ),
    (
        "model/deployment.yaml",
        "\"enable_kv_cache_events\": true",
        "'enable_kv_cache_events': true",
        "config-json-malformed",
    ),
    ("model/deployment.yaml", "\"buffer_steps\": 10000", "\"buffer_steps\": \"many\"", "config-wrong-type"),
    ("model/deployment.yaml", "buffer_steps", "buffer_step", "config-unknown-key"),
    ("model/deployment.yaml", "tcp://*:5557", "tcp://0.0.0.0:5557", "endpoint-connects"),
    ("model/deployment.yaml", "tcp://*:5557", "tcp://*", "endpoint-malformed"),
    ("model/deployment.yaml", "tcp://*:5557", "tcp://*:6000", "port-not-dialled"),
    ("model/deployment.yaml", "tcp://*:5558", "tcp://*:5557", "replay-port-clash"),
    (
        "model/deployment.yaml",
        "            - name: kv-events\n              containerPort: 5557\n",
        "",
        "event-port-not-exposed",
    ),
    ("model/deployment.yaml", "v0.12.0", "v0.6.6", "engine-too-old"),
    ("model/deployment.yaml", "v0.12.0", "latest", "engine-version-unknown"),
    ("model/deployment.yaml", "v0.12.0", "v0.24.0", "gateway-cannot-decode"),
    ("model/deployment.yaml", "\"16\"", "\"32\"", "block-size-mismatch"),
    ("model/deployment.yaml", "name: kv-replay", "name: kv-replay-endpoint", "port-name-invalid"),
    ("model/service.yaml", "targetPort: http", "targetPort: web", "service-target-port-unknown"),
    ("model/service.yaml", "  name: qwen-coder-7b\n  namespace", "  name: coder\n  namespace", "service-name-differs"),
    ("gateway/gateway.yaml", "value: remote\n", "value: character\n", "tokenizer-type"),
    (
        "gateway/gateway.yaml",
        "AIBRIX_PREFIX_CACHE_USE_REMOTE_TOKENIZER",
        "AIBRIX_USE_REMOTE_TOKENIZER",
        "gateway-variable-unread",
    ),
    (
        "gateway/gateway.yaml",
        "REMOTE_TOKENIZER\n              value: \"true\"",
        "REMOTE_TOKENIZER\n              value: \"yes\"",
        "gateway-value-false",
    ),
    ("gateway/gateway.yaml", "qwen-coder-7b.default:8000", "qwen-coder.default:8000", "tokenizer-endpoint"),
    ("autoscaling/podautoscaler.yaml", "scaleTargetRef", "targetRef", "autoscaler-unknown-field"),
    ("autoscaling/podautoscaler.yaml", "    name: qwen-coder-7b\n", "    name: coder\n", "autoscaler-target-missing"),
];

#[test]
fn each_broken_sample_gives_its_rule() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/samples");
    let mut wrong = Vec::new();
    for (file, from, to, rule) in BROKEN {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(&samples, folder.path());
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).expect(file);
        // The last one: labels stand first on the object and then on the pods.
        let at = text.rfind(from).unwrap_or_else(|| panic!("{from:?} is not in {file}"));
        std::fs::write(&path, format!("{}{to}{}", &text[..at], &text[at + from.len()..])).expect("written");
        let (found, _) = concise(folder.path(), &["."]);
        if !found.contains(&format!("[{rule}]")) {
            wrong.push(format!("{rule} ({from:?} as {to:?}): {found}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A sample with one mistake in it, and the one rule that says so: what follows from the mistake is no finding of its own.
const ONE_MISTAKE: &[(&str, &str, &str, &str)] = &[
    ("model/deployment.yaml", EVENTS, "            - --enable-kv-cache-events\n", "unsupported-option"),
    ("model/deployment.yaml", EVENTS, "            - --kv-events-config\n", "config-json-malformed"),
    (
        "model/deployment.yaml",
        "            - name: kv-events\n              containerPort: 5557\n            - name: kv-replay\n              containerPort: 5558\n",
        "",
        "event-port-not-exposed",
    ),
    ("model/deployment.yaml", "containerPort: 5557", "containerport: 5557", "unknown-field"),
    ("model/deployment.yaml", "      containers:\n", "      container:\n", "unknown-field"),
    ("model/deployment.yaml", "name: kv-replay", "name: kv-replay-endpoint", "port-name-invalid"),
    ("model/deployment.yaml", "tcp://*:5557", "tcp://*:5556", "port-not-dialled"),
    ("model/deployment.yaml", "events-enabled: \"true\"", "events-enabled: \"True\"", "discovery-label-value"),
    ("model/deployment.yaml", "        model.aibrix.ai/kv-events-enabled: \"true\"\n", "", "discovery-label-missing"),
    (
        "model/deployment.yaml",
        "ai/kv-events-enabled: \"true\"",
        "ai/kv-event-enabled: \"true\"",
        "discovery-label-missing",
    ),
    (
        "model/deployment.yaml",
        "        model.aibrix.ai/kv-events-enabled: \"true\"\n",
        "      annotations:\n        model.aibrix.ai/kv-events-enabled: \"true\"\n",
        "discovery-label-value",
    ),
    ("model/service.yaml", "targetPort: kv-events", "targetPort: kv-event", "service-target-port-unknown"),
    ("gateway/gateway.yaml", "gateway-plugins:v0.7.0", "gateway-plugins:v0.4.1", "gateway-cannot-decode"),
    ("network-policies/allow-gateway.yaml", "port: 5557", "port: kv-event", "events-blocked-ingress"),
];

/// The engine's options for events in the sample.
const EVENTS: &str = "            - --kv-events-config
            - >-
              {\"enable_kv_cache_events\": true,
               \"publisher\": \"zmq\",
               \"endpoint\": \"tcp://*:5557\",
               \"replay_endpoint\": \"tcp://*:5558\",
               \"buffer_steps\": 10000}
";

#[test]
fn each_mistake_is_said_once() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/samples");
    let mut wrong = Vec::new();
    for (file, from, to, rule) in ONE_MISTAKE {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for part in ["autoscaling", "gateway", "model", "network-policies"] {
            std::fs::create_dir_all(folder.path().join(part)).expect("made");
            copy(&samples.join(part), &folder.path().join(part));
        }
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).expect(file);
        let at = text.rfind(from).unwrap_or_else(|| panic!("{from:?} is not in {file}"));
        std::fs::write(&path, format!("{}{to}{}", &text[..at], &text[at + from.len()..])).expect("written");
        let (found, _) = concise(folder.path(), &["."]);
        if found.lines().filter(|line| line.contains('[')).count() != 1 || !found.contains(&format!("[{rule}]")) {
            wrong.push(format!("{rule} ({from:?} as {to:?}): {found}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).expect("made");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("copied");
        }
    }
}
