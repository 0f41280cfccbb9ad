//! Whole deployments made clean by one command, and what the change looks like.

use std::fs;
use std::path::Path;

use support::{folder, kvlint, read, write};

/// An engine with the flags of AIBrix's documents, in a release before events.
const FLAGS: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: mistral-7b
  labels:
    model.aibrix.ai/name: mistral-7b
    model.aibrix.ai/kv-events-enabled: "true"
spec:
  selector:
    matchLabels:
      model.aibrix.ai/name: mistral-7b
  template:
    metadata:
      labels:
        model.aibrix.ai/name: mistral-7b
        model.aibrix.ai/kv-events-enabled: "true" # the router listens
    spec:
      containers:
        - name: engine
          image: vllm/vllm-openai:v0.7.1
          command:
            - python3
            - -m
            - vllm.entrypoints.openai.api_server
            - --model
            - mistralai/Mistral-7B-Instruct-v0.3
            - --served-model-name
            - mistral-7b
            # What the cache holds
            - --enable-kv-cache-events
            - --kv-events-publisher
            - zmq
            - --kv-events-endpoint
            - "tcp://0.0.0.0:5557"
            - --kv-events-replay-endpoint
            - "tcp://*:5558"
            - --kv-events-buffer-steps
            - "20000"
            # Memory
            - --gpu-memory-utilization
            - "0.9"
          ports:
            - containerPort: 8000
              name: api
            - containerPort: 5557
              name: kv-events
            - containerPort: 5558
              name: kv-replay
---
apiVersion: v1
kind: Service
metadata:
  name: mistral-7b
spec:
  selector:
    model.aibrix.ai/name: mistral-7b
  ports:
    - {name: api, port: 8000, targetPort: api}
    - {name: kv-events, port: 5557, targetPort: kv-events}
    - {name: kv-replay, port: 5558, targetPort: kv-replay}
"#;

/// The same by environment, with a variable of somebody else's between.
const VARIABLES: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: phi-4
spec:
  selector:
    matchLabels: {model.aibrix.ai/name: phi-4}
  template:
    metadata:
      labels:
        model.aibrix.ai/name: phi-4
        model.aibrix.ai/kv-events-enabled: "true"
    spec:
      containers:
        - name: engine
          image: vllm/vllm-openai:v0.7.1
          args:
            - --model=microsoft/phi-4
            - --served-model-name=phi-4
          env:
            - name: VLLM_ENABLE_KV_CACHE_EVENTS
              value: "true"
            - name: VLLM_KV_EVENTS_PUBLISHER
              value: "zmq"
            # Where weights are kept
            - name: HF_HOME
              value: /weights
            - name: VLLM_KV_EVENTS_ENDPOINT
              value: "tcp://*:5557"
            - name: VLLM_KV_EVENTS_REPLAY_ENDPOINT
              value: "tcp://*:5558"
            - name: VLLM_KV_EVENTS_HWM
              value: "50000"
          ports:
            - {name: api, containerPort: 8000}
            - {name: kv-events, containerPort: 5557}
            - {name: kv-replay, containerPort: 5558}
"#;

/// Labelled, and told nothing; the replay port has a number that nobody dials.
const SILENT: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: gemma-9b
spec:
  selector:
    matchLabels: {model.aibrix.ai/name: gemma-9b}
  template:
    metadata:
      labels:
        model.aibrix.ai/name: gemma-9b
        model.aibrix.ai/kv-events-enabled: "true"
    spec:
      containers:
        - name: engine
          image: registry.example.com/vllm/vllm-openai:0.11.0
          command:
            - vllm
            - serve
            - /models/gemma-9b
            - --served-model-name
            - gemma-9b
          ports:
            - containerPort: 8000
              protocol: TCP
              name: api
            - containerPort: 5557
              protocol: TCP
              name: kv-events
            - containerPort: 5559
              protocol: TCP
              name: kv-replay
---
apiVersion: v1
kind: Service
metadata:
  name: gemma-9b
spec:
  selector: {model.aibrix.ai/name: gemma-9b}
  ports:
    - {name: api, port: 8000, targetPort: 8000}
    - {name: kv-events, port: 5557, targetPort: kv-events}
    - {name: kv-replay, port: 5559, targetPort: kv-replay}
"#;

/// Makes all fixes and gives the diff of it, without its context. Nothing may be left to find, and a second run changes nothing.
fn mended(dir: &Path) -> String {
    let diff = kvlint(dir, &["--diff", "--unsafe-fixes", "."]);
    let fixed = kvlint(dir, &["--fix", "--unsafe-fixes", "--format", "concise", "."]);
    assert!(fixed.code == Some(0) && fixed.out.is_empty(), "{}", fixed.said());
    let again = kvlint(dir, &["--diff", "--unsafe-fixes", "."]);
    assert!(again.code == Some(0) && again.out.is_empty(), "{}", again.said());
    let changed = |line: &&str| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---");
    diff.out.lines().filter(changed).map(|line| format!("{line}\n")).collect()
}

#[test]
fn flags_of_the_documents_become_one_flag_where_they_stood() {
    let dir = folder(&[("model.yaml", FLAGS)]);
    insta::assert_snapshot!(mended(dir.path()), @r#"
    -          image: vllm/vllm-openai:v0.7.1
    +          image: vllm/vllm-openai:v0.23.0
    -            - --enable-kv-cache-events
    -            - --kv-events-publisher
    -            - zmq
    -            - --kv-events-endpoint
    -            - "tcp://0.0.0.0:5557"
    -            - --kv-events-replay-endpoint
    -            - "tcp://*:5558"
    -            - --kv-events-buffer-steps
    -            - "20000"
    +            - --kv-events-config
    +            - '{"enable_kv_cache_events": true, "publisher": "zmq", "endpoint": "tcp://*:5557", "replay_endpoint": "tcp://*:5558", "buffer_steps": 20000}'
    "#);
    let text = read(&dir, "model.yaml");
    assert!(text.contains("            # What the cache holds\n            - --kv-events-config\n"), "{text}");
    assert!(text.contains("            # Memory\n            - --gpu-memory-utilization\n"), "{text}");
}

#[test]
fn raising_an_image_is_nothing_that_is_done_unasked() {
    let dir = folder(&[("model.yaml", FLAGS)]);
    let fixed = kvlint(dir.path(), &["--fix", "."]);
    assert_eq!(fixed.code, Some(1));
    assert_eq!(read(&dir, "model.yaml"), FLAGS);
    // With a release that has the form, nothing is in doubt.
    write(&dir, "model.yaml", FLAGS.replace("v0.7.1", "v0.11.1"));
    let fixed = kvlint(dir.path(), &["--fix", "."]);
    assert_eq!(fixed.code, Some(0), "{}", fixed.out);
}

#[test]
fn variables_of_the_documents_become_a_flag() {
    let dir = folder(&[("model.yaml", VARIABLES)]);
    insta::assert_snapshot!(mended(dir.path()), @r#"
    -          image: vllm/vllm-openai:v0.7.1
    +          image: vllm/vllm-openai:v0.23.0
    +            - --kv-events-config
    +            - '{"enable_kv_cache_events": true, "publisher": "zmq", "endpoint": "tcp://*:5557", "replay_endpoint": "tcp://*:5558", "hwm": 50000}'
    -            - name: VLLM_ENABLE_KV_CACHE_EVENTS
    -              value: "true"
    -            - name: VLLM_KV_EVENTS_PUBLISHER
    -              value: "zmq"
    -            - name: VLLM_KV_EVENTS_ENDPOINT
    -              value: "tcp://*:5557"
    -            - name: VLLM_KV_EVENTS_REPLAY_ENDPOINT
    -              value: "tcp://*:5558"
    -            - name: VLLM_KV_EVENTS_HWM
    -              value: "50000"
    "#);
}

#[test]
fn a_silent_engine_publishes_and_its_ports_follow() {
    let dir = folder(&[("model.yaml", SILENT)]);
    insta::assert_snapshot!(mended(dir.path()), @r#"
    +            - --kv-events-config
    +            - '{"enable_kv_cache_events": true, "publisher": "zmq", "endpoint": "tcp://*:5557", "replay_endpoint": "tcp://*:5558"}'
    -            - containerPort: 5559
    +            - containerPort: 5558
    "#);
}

#[test]
fn the_silent_sample_of_the_corpus_becomes_clean() {
    let from = Path::new("../shared/corpus/aibrix/samples/semantic-router/models");
    let Ok(files) = fs::read_dir(from) else {
        eprintln!("skipped: {} is not here", from.display());
        return;
    };
    let dir = folder(&[]);
    for file in files.flatten() {
        // Read and written, so that the copy may be changed whatever the original's permissions.
        let text = fs::read_to_string(file.path()).expect("a manifest");
        fs::write(dir.path().join(file.file_name()), text).expect("a copy");
    }
    let diff = mended(dir.path());
    // The options of one engine, a port in the JSON of the other, and a port in the list of each.
    assert_eq!(diff.lines().count(), 8, "{diff}");
}
