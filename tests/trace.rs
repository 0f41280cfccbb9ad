//! Traces and lists of connections as they are printed, on real trees.

use std::path::Path;

use kvlint::config::Config;
use kvlint::load::{self, Inputs, Loaded};
use kvlint::reach::{self, ReachOptions};
use kvlint::trace::{self, TraceOptions};

fn loaded(path: &str) -> Loaded {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    load::load(&Inputs { paths: vec![root], ..Default::default() }).unwrap()
}

#[test]
fn every_hop_of_the_samples_is_fine() {
    let text = trace::run(&loaded("testdata/samples"), &Config::default(), &TraceOptions::default());
    assert!(!text.contains("BROKEN") && !text.contains('?') && !text.contains('!'), "{text}");
    assert!(text.contains("3 paths: 3 ok"), "{text}");
}

/// The line of an engine in the table.
fn line(text: &str, engine: &str) -> Vec<String> {
    let line = text.lines().find(|l| l.trim_start().starts_with(engine)).unwrap_or_else(|| panic!("{engine}: {text}"));
    line.split_whitespace().skip(1).map(str::to_string).collect()
}

#[test]
fn a_blocked_path_names_rule_and_place() {
    let project = |name: &str| {
        let loaded = loaded(&format!("testdata/projects/{name}"));
        trace::run(&loaded, &Config::default(), &TraceOptions::default())
    };
    let denied = project("policy-default-deny");
    assert_eq!(line(&denied, "models/mistral-7b")[4], "BROKEN", "{denied}");
    assert!(denied.contains("[events-blocked-egress]") && denied.contains("policies.yaml:18:26"), "{denied}");
    let named = project("policy-with-named-ports");
    assert_eq!(line(&named, "models/mistral-7b")[4], "ok", "{named}");
    assert_eq!(line(&named, "models/phi-4")[4], "BROKEN", "{named}");
    let elsewhere = project("policy-in-another-namespace");
    assert!(elsewhere.contains("[policy-peer-other-namespace]"), "{elsewhere}");
    // The policy that is reversed closes nothing: the path is open, and the release of a gateway elsewhere is not known.
    let reversed = project("policy-from-the-documents");
    assert_eq!(line(&reversed, "default/mistral-7b"), ["ok", "ok", "ok", "ok", "ok", "?", "?"], "{reversed}");
    let corrected = project("policy-corrected");
    assert_eq!(line(&corrected, "default/mistral-7b")[4], "ok", "{corrected}");
}

#[test]
fn a_port_that_is_not_listed_is_named_and_stops_nothing() {
    let text = "apiVersion: v1
kind: Pod
metadata:
  name: llama
  labels: {model.aibrix.ai/name: llama, model.aibrix.ai/kv-events-enabled: 'true'}
spec:
  containers:
    - name: vllm
      image: vllm/vllm-openai:v0.12.0
      args: [--kv-events-config, '{\"enable_kv_cache_events\": true, \"endpoint\": \"tcp://*:5557\"}']
";
    let loaded = load::from_texts(&[("pod.yaml".into(), text.to_string())]);
    let trace = trace::run(&loaded, &Config::default(), &TraceOptions::default());
    assert_eq!(line(&trace, "llama")[2], "ok", "{trace}");
    assert!(trace.contains("is reachable all the same [event-port-not-exposed]"), "{trace}");
    assert!(!trace.contains("BROKEN"), "{trace}");
}

#[test]
fn the_gateway_reaches_the_engines_of_the_samples() {
    let options = ReachOptions {
        from: Some("aibrix-system/*".into()),
        port: Some("5557".parse().unwrap()),
        ..ReachOptions::default()
    };
    let text = reach::run(&loaded("testdata/samples"), &Config::default(), &options);
    let wanted = "aibrix-system/aibrix-gateway-plugins[Deployment] => default/qwen-coder-7b[Deployment] : TCP 5557";
    assert!(text.lines().any(|l| l == wanted), "{text}");
    assert!(!text.contains("redis-master[Deployment] => default/qwen-coder-7b"), "{text}");
}
