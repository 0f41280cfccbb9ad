//! Trees that were written to harm: whatever stands in them, kvlint ends, with an exit code that it documents, and nothing that it
//! prints moves a cursor or speaks to a pipeline in its place.

mod settings;
mod texts;
#[cfg(unix)]
mod unix;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use support::manifests::SILENT;
use support::{Ran, command, folder_of_bytes as folder};

/// Terminal escapes with seven and with eight bits, a bell, marks that reorder text, and lines that a pipeline takes as commands; as a
/// double-quoted YAML or JSON string has it.
const EVIL: &str =
    "\\u001b]0;x\\u0007\\u009b31m\\r\\n::error::pwned\\n  ::set-output name=findings::0\\u202e\\u2028\\u0000\\ufeffx";

/// Every way to write something about a folder that holds a kustomization.
const WAYS: &[&[&str]] = &[
    &["--format", "text"],
    &["--format", "text", "--color", "never", "--statistics"],
    &["--format", "concise"],
    &["--format", "json"],
    &["--format", "sarif"],
    &["--format", "github"],
    &["--format", "gitlab"],
    &["--format", "junit"],
    &["--format", "markdown"],
    &["--diff", "--unsafe-fixes"],
    &["--whole-unit"],
    &["units"],
    &["build"],
    &["build", "--origins"],
    &["reach"],
    &["reach", "--explain"],
    &["reach", "--format", "json"],
    &["reach", "--format", "dot"],
    &["trace"],
    &["trace", "--format", "json"],
    &["trace", "--format", "markdown"],
    &["trace", "--format", "mermaid"],
    &["trace", "--format", "dot"],
    &["trace", "--format", "svg"],
    &["enable", "--all", "--dry-run"],
    &["enable", "--all", "--dry-run", "--as", "kubectl"],
    &["disable", "--all", "--dry-run"],
];

/// What a terminal acts on, or hides, or what reorders what is read.
fn acts(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}

/// Runs kvlint to its end as its user would, and checks what holds for every run.
fn run<S: AsRef<OsStr>>(dir: &Path, arguments: &[S]) -> Ran {
    run_with(dir, arguments, Stdio::null())
}

/// As [`run`], with input. What holds: no panic, no signal, no hanging, a documented exit code, and harmless output.
fn run_with<S: AsRef<OsStr>>(dir: &Path, arguments: &[S], stdin: Stdio) -> Ran {
    let what: Vec<String> = arguments.iter().map(|a| a.as_ref().to_string_lossy().into_owned()).collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let ran = support::run(command(dir, arguments).env("PATH", path).env("HOME", dir).stdin(stdin));
    let said = ran.said();
    assert!(ran.code.is_some_and(|code| (0..=2).contains(&code)), "kvlint {what:?} ends with {:?}: {said}", ran.code);
    if let Some(c) = said.chars().find(|c| acts(*c)) {
        panic!("kvlint {what:?} prints {c:?}: {said:?}");
    }
    // A runner takes a line as a command whatever blanks stand before it.
    let ours = ["::error file=", "::warning file=", "::notice file=", "::error title=kvlint::"];
    let foreign = said.lines().find(|l| l.trim_start().starts_with("::") && !ours.iter().any(|o| l.starts_with(o)));
    assert_eq!(foreign, None, "kvlint {what:?} lets a workflow command through");
    ran
}

/// All [`WAYS`] over a folder.
fn every_way(dir: &Path) {
    for way in WAYS {
        run(dir, way);
    }
}

#[test]
fn names_and_values_of_objects_speak_to_no_terminal_and_no_pipeline() {
    let engine = format!(
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: "a{EVIL}"
  namespace: "n{EVIL}"
  labels: {{"model.aibrix.ai/name": "m{EVIL}", "k{EVIL}": "v{EVIL}"}}
  annotations: {{"kvlint.dev/ignore": "r{EVIL}"}}
spec:
  selector: {{matchLabels: {{app: "s{EVIL}"}}}}
  template:
    metadata:
      labels: {{app: "s{EVIL}", "model.aibrix.ai/name": "m{EVIL}", "model.aibrix.ai/kv-events-enabled": "true{EVIL}", "model.aibrix.ai/port": "p{EVIL}"}}
    spec:
      containers:
        - name: "c{EVIL}"
          image: "vllm/vllm-openai:v0.11.1{EVIL}"
          command: [vllm, serve, "m{EVIL}"]
          args: ["--kv-events-config", "{{\"enable_kv_cache_events\": true, \"publisher\": \"zmq{EVIL_JSON}\", \"endpoint\": \"tcp://{EVIL_JSON}:5557\", \"odd{EVIL_JSON}\": 1}}", "--block-size={EVIL}"]
          env: [{{name: "VLLM_X{EVIL}", value: "$(NO{EVIL})"}}]
          ports: [{{name: "p{EVIL}", containerPort: 5557, protocol: "TCP{EVIL}"}}, {{containerPort: "5558{EVIL}"}}]
---
"#,
        EVIL_JSON = EVIL.replace('\\', "\\\\")
    );
    let rest = format!(
        r#"apiVersion: v1
kind: Service
metadata: {{name: "svc{EVIL}", namespace: "n{EVIL}"}}
spec: {{type: "T{EVIL}", selector: {{app: "s{EVIL}"}}, ports: [{{name: "q{EVIL}", port: 5557, targetPort: "p{EVIL}"}}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: "np{EVIL}", namespace: "n{EVIL}"}}
spec:
  podSelector: {{matchLabels: {{app: "s{EVIL}"}}}}
  policyTypes: [Ingress, "E{EVIL}"]
  ingress: [{{from: [{{podSelector: {{matchExpressions: [{{key: "k{EVIL}", operator: "In{EVIL}", values: ["v{EVIL}"]}}]}}}}, {{ipBlock: {{cidr: "10.0.0.0/8{EVIL}"}}}}], ports: [{{port: "p{EVIL}"}}]}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: "aibrix-gateway-plugins", namespace: aibrix-system}}
spec:
  selector: {{matchLabels: {{app: gateway-plugins}}}}
  template:
    metadata: {{labels: {{app: gateway-plugins}}}}
    spec:
      containers:
        - name: gateway-plugin
          image: "aibrix/gateway-plugins:v0.4.0"
          env: [{{name: AIBRIX_KV_EVENT_SYNC_ENABLED, value: "true{EVIL}"}}, {{name: AIBRIX_PREFIX_CACHE_TOKENIZER_TYPE, value: "x{EVIL}"}}, {{name: AIBRIX_USE_REMOTE_TOKENIZER, value: "{EVIL}"}}]
---
kind: "K{EVIL}"
apiVersion: "g{EVIL}/v1"
metadata: {{name: "o{EVIL}"}}
"#
    );
    let all = format!("{engine}{rest}");
    let kustomization =
        format!("resources: [all.yaml]\nnamePrefix: \"x\"\ncommonAnnotations: {{\"a{EVIL}\": \"b{EVIL}\"}}\n");
    let dir = folder(&[("kustomization.yaml", kustomization.as_bytes()), ("all.yaml", all.as_bytes())]);
    every_way(dir.path());
    // The parts that a build refuses as a whole are seen without one.
    let dir = folder(&[("engine.yaml", engine.trim_end_matches("---\n").as_bytes()), ("rest.yaml", rest.as_bytes())]);
    let ran = run(dir.path(), &["--format", "json"]);
    assert!(ran.out.matches("\"rule\"").count() >= 3, "the objects are judged: {}", ran.out);
    every_way(dir.path());
}

#[test]
fn a_kustomization_and_a_configuration_speak_to_no_terminal_and_no_pipeline() {
    let kustomization = format!(
        "resources: [\"r{EVIL}\", \"https://x{EVIL}\", pod.yaml]\nnamespace: \"n{EVIL}\"\nimages: [{{name: vllm/vllm-openai, newTag: \"t{EVIL}\"}}]\n\
         patches: [{{path: \"p{EVIL}\"}}, {{target: {{kind: \"({EVIL}\"}}, patch: \"- op: x{EVIL}\"}}]\n\"field{EVIL}\": 1\n"
    );
    let config = format!(
        "rules: {{\"rule{EVIL}\": off, labelled-but-silent: \"l{EVIL}\"}}\nexclude: [\"[{EVIL}\"]\n\"key{EVIL}\": 1\n"
    );
    let files: &[(&str, &[u8])] = &[
        ("kustomization.yaml", kustomization.as_bytes()),
        ("pod.yaml", SILENT.as_bytes()),
        ("broken.yaml", b"a: \x1b[31m\n"),
        ("second.yaml", b"kind: \"\x1b[2J\n::error::pwned\n"),
    ];
    let dir = folder(files);
    every_way(dir.path());
    fs::write(dir.path().join("kvlint.yaml"), config).expect("a file");
    every_way(dir.path());
}

#[test]
#[cfg(unix)]
fn names_of_files_and_folders_speak_to_no_terminal_and_no_pipeline() {
    use std::os::unix::ffi::OsStrExt;
    let names: &[&[u8]] = &[
        b"\x1b[31mred.yaml",
        b"::error::pwned.yaml",
        b"line\n::error::pwned.yaml",
        b"return\r::error::pwned.yaml",
        b"-rf.yaml",
        b"--fix.yaml",
        b"not\xffUTF-8.yaml",
        b"\xc2\x9b31m.yaml",
        "\u{202e}lmay.yaml".as_bytes(),
        b"a%0A::error::pwned,file=x:y.yaml",
        b"<script>|`$(touch pwned)`.yaml",
        b"]]>&.yaml",
    ];
    let dir = folder(&[]);
    for (i, name) in names.iter().enumerate() {
        let path = dir.path().join(OsStr::from_bytes(name));
        fs::write(&path, SILENT.replace("name: llama\n", &format!("name: llama-{i}\n"))).expect("a file");
        let inside = dir.path().join(OsStr::from_bytes(&name.repeat(2)));
        fs::create_dir(&inside).expect("a folder");
        fs::write(inside.join("pod.yaml"), SILENT.replace("name: llama\n", &format!("name: inside-{i}\n")))
            .expect("a file");
        fs::write(inside.join("broken.yaml"), "a: [\n").expect("a file");
        fs::write(inside.join("Chart.yaml"), "name: c\n").expect("a file");
    }
    let ran = run(dir.path(), &["--format", "json", "--select=labelled-but-silent"]);
    assert_eq!((ran.out.matches("\"rule\"").count() >= names.len(), ran.code), (true, Some(1)), "{}", ran.said());
    every_way(dir.path());
    for name in names {
        let ran = run(dir.path(), &[OsStr::new("--format=github"), OsStr::new("--"), OsStr::from_bytes(name)]);
        assert_eq!(ran.code, Some(1), "{}", ran.said());
        let ran = run(dir.path(), &[OsStr::new("units"), OsStr::new("--"), OsStr::from_bytes(name)]);
        assert_eq!(ran.code, Some(0), "{}", ran.said());
        // A name that is not there.
        let mut absent = name.to_vec();
        absent.extend_from_slice(b".no");
        let ran = run(dir.path(), &[OsStr::new("--"), OsStr::from_bytes(&absent)]);
        assert_eq!(ran.code, Some(2), "{}", ran.said());
    }
    assert!(!dir.path().join("pwned").exists());
}
