//! Trees that were written to harm: whatever stands in them, kvlint ends, with an exit code that it documents, and nothing that it
//! prints moves a cursor or speaks to a pipeline in its place.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longer runs count as hanging; debug builds on busy machines are slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// A pod with the discovery label and an engine that publishes nothing: one error.
const SILENT: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: llama
  labels:
    model.aibrix.ai/name: llama
    model.aibrix.ai/kv-events-enabled: \"true\"
spec:
  containers:
    - name: vllm
      image: vllm/vllm-openai:v0.11.1
      command: [vllm, serve, meta-llama/Llama-3.1-8B-Instruct]
";

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

struct Ran {
    out: String,
    err: String,
    code: i32,
}

impl Ran {
    fn said(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }
}

/// A folder with files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    dir
}

/// What a terminal acts on, or hides, or what reorders what is read.
fn acts(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}

fn run<S: AsRef<OsStr>>(dir: &Path, arguments: &[S]) -> Ran {
    run_with(dir, arguments, Stdio::null())
}

/// Runs kvlint to its end and checks what holds for every run: no panic, no signal, no hanging, a documented exit code, and
/// harmless output.
fn run_with<S: AsRef<OsStr>>(dir: &Path, arguments: &[S], stdin: Stdio) -> Ran {
    fn drain(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            stream.map(|mut s| s.read_to_end(&mut bytes).expect("output"));
            bytes
        })
    }
    let what: Vec<String> = arguments.iter().map(|a| a.as_ref().to_string_lossy().into_owned()).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kvlint"));
    command.args(arguments).current_dir(dir).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", dir).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("kvlint starts");
    let (out, err) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let started = Instant::now();
    let status = loop {
        match child.try_wait().expect("a status") {
            Some(status) => break status,
            None if started.elapsed() > PATIENCE => {
                child.kill().expect("kvlint ends");
                panic!("kvlint {what:?} hangs");
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    let text = |bytes: thread::JoinHandle<Vec<u8>>| String::from_utf8(bytes.join().expect("a thread")).expect("UTF-8");
    let ran = Ran { out: text(out), err: text(err), code: status.code().unwrap_or(-1) };
    let said = ran.said();
    assert!(!said.contains("panicked") && !said.contains("internal error"), "kvlint {what:?}: {said}");
    assert!((0..=2).contains(&ran.code), "kvlint {what:?} ends with {}: {said}", ran.code);
    if let Some(c) = said.chars().find(|c| acts(*c)) {
        panic!("kvlint {what:?} prints {c:?}: {said:?}");
    }
    // A runner takes a line as a command whatever blanks stand before it.
    let ours = ["::error file=", "::warning file=", "::notice file=", "::error title=kvlint::"];
    let foreign = said.lines().find(|l| l.trim_start().starts_with("::") && !ours.iter().any(|o| l.starts_with(o)));
    assert_eq!(foreign, None, "kvlint {what:?} lets a workflow command through");
    ran
}

/// All [`WAYS`] over a folder, which end with one of these codes.
fn every_way(dir: &Path, codes: &[i32]) {
    for way in WAYS {
        let ran = run(dir, way);
        assert!(codes.contains(&ran.code), "kvlint {way:?} ends with {}: {}", ran.code, ran.said());
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
    every_way(dir.path(), &[0, 1, 2]);
    // The parts that a build refuses as a whole are seen without one.
    let dir = folder(&[("engine.yaml", engine.trim_end_matches("---\n").as_bytes()), ("rest.yaml", rest.as_bytes())]);
    let ran = run(dir.path(), &["--format", "json"]);
    assert!(ran.out.matches("\"rule\"").count() >= 3, "the objects are judged: {}", ran.out);
    every_way(dir.path(), &[0, 1, 2]);
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
    every_way(dir.path(), &[0, 1, 2]);
    fs::write(dir.path().join("kvlint.yaml"), config).expect("a file");
    every_way(dir.path(), &[0, 1, 2]);
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
    assert_eq!((ran.out.matches("\"rule\"").count() >= names.len(), ran.code), (true, 1), "{}", ran.said());
    every_way(dir.path(), &[0, 1, 2]);
    for name in names {
        let ran = run(dir.path(), &[OsStr::new("--format=github"), OsStr::new("--"), OsStr::from_bytes(name)]);
        assert_eq!(ran.code, 1, "{}", ran.said());
        let ran = run(dir.path(), &[OsStr::new("units"), OsStr::new("--"), OsStr::from_bytes(name)]);
        assert_eq!(ran.code, 0, "{}", ran.said());
        // A name that is not there.
        let mut absent = name.to_vec();
        absent.extend_from_slice(b".no");
        let ran = run(dir.path(), &[OsStr::new("--"), OsStr::from_bytes(&absent)]);
        assert_eq!(ran.code, 2, "{}", ran.said());
    }
    assert!(!dir.path().join("pwned").exists());
}

/// One bad text each: its name, its bytes, and words of what is said. An empty word asks for nothing but a quiet end.
fn bad_texts() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let laughs = |text: &str, close: &str| -> Vec<u8> {
        let line = |i: usize| format!("a{i}: &a{i} {}{close}\n", text.replace('*', &format!("*a{}", i - 1)));
        (1..12).map(line).fold("a0: &a0 lol\n".to_string(), |all, line| all + &line).into_bytes()
    };
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    vec![
        ("billion laughs in lists", laughs("[*,*,*,*,*,*,*,*,*", "]"), "yaml-syntax"),
        ("billion laughs in maps", laughs("{a: *,b: *,c: *,d: *,e: *,f: *,g: *,h: *", "}"), "yaml-syntax"),
        ("merge keys", laughs("{<<: [*,*,*,*,*,*,*,*]", "}"), "yaml-syntax"),
        ("an alias of itself", b"a: &a [*a]\n".to_vec(), "yaml-syntax"),
        ("nested flow lists", format!("a: {}\n", "[".repeat(10_000)).into_bytes(), "yaml-syntax"),
        ("nested flow maps", format!("{}1{}\n", "{a: ".repeat(10_000), "}".repeat(10_000)).into_bytes(), "yaml-syntax"),
        (
            "nested JSON",
            format!("{}{}", "{\"apiVersion\":[".repeat(10_000), "]}".repeat(10_000)).into_bytes(),
            "yaml-syntax",
        ),
        (
            "nested blocks",
            (0..10_000).map(|i| format!("{}a:\n", " ".repeat(i % 3000))).collect::<String>().into_bytes(),
            "",
        ),
        ("nested dashes", format!("{}a\n", "- ".repeat(10_000)).into_bytes(), "yaml-syntax"),
        ("nested question marks", format!("{}a\n", "? ".repeat(10_000)).into_bytes(), "yaml-syntax"),
        ("a huge plain scalar", format!("{pod}spec: {}\n", "x".repeat(10 << 20)).into_bytes(), ""),
        ("a huge quoted scalar", format!("{pod}x: \"{}\"\n", "\\u00e9".repeat(2 << 20)).into_bytes(), ""),
        ("a huge block", format!("{pod}x: |\n{}", "  some text\n".repeat(1 << 20)).into_bytes(), ""),
        ("a huge key", format!("{pod}{}: 1\n", "k".repeat(10 << 20)).into_bytes(), ""),
        ("a huge comment", format!("{pod}# {}\n", "c".repeat(10 << 20)).into_bytes(), ""),
        ("a huge number", format!("{pod}x: {}\n", "9".repeat(1 << 20)).into_bytes(), ""),
        ("many anchors", (0..50_000).map(|i| format!("k{i}: &a{i} x\n")).collect::<String>().into_bytes(), ""),
        ("many equal keys", "k: x\n".repeat(20_000).into_bytes(), ""),
        ("many tags", "- !t x\n".repeat(50_000).into_bytes(), ""),
        ("NUL bytes", b"apiVersion: v1\nkind: Pod\x00\nmetadata: {name: a\x00b}\n".to_vec(), "yaml-syntax"),
        ("invalid UTF-8", b"apiVersion: v1\nkind: Pod\nmetadata: {name: \xff\xfe\xc0\x80}\n".to_vec(), "yaml-syntax"),
        ("UTF-16 without a mark", utf16(SILENT), ""),
        ("half a character of UTF-16", b"\xfe\xff\x00a\x00".to_vec(), "yaml-syntax"),
        ("a surrogate alone", b"\xfe\xff\x00a\xd8\x00\x00b".to_vec(), "yaml-syntax"),
        ("a mark in the middle", format!("{pod}\u{feff}x: 1\n").into_bytes(), ""),
        ("directives", "%YAML 9.9\n%TAG ! tag:x,\n%FOO\n---\n".repeat(2000).into_bytes(), ""),
        (
            "a version that is no version",
            format!("{SILENT}---\n{}", SILENT.replace("v0.11.1", &"9".repeat(5000))).into_bytes(),
            "labelled-but-silent",
        ),
    ]
}

#[test]
fn bad_texts_are_told_and_hide_no_other_file() {
    for (what, bytes, words) in bad_texts() {
        let dir = folder(&[("a.yaml", &bytes), ("b.yaml", SILENT.as_bytes())]);
        let ran = run(dir.path(), &["--format=concise", "--select=labelled-but-silent,yaml-syntax"]);
        assert_eq!(ran.code, 1, "{what}: {:.2000}", ran.said());
        assert!(ran.out.contains("b.yaml:7:40: error[labelled-but-silent]"), "{what} hides a file: {:.2000}", ran.out);
        assert!(
            ran.out.lines().any(|l| l.starts_with("a.yaml:") && l.contains(words)) || words.is_empty(),
            "{what}: {:.2000}",
            ran.out
        );
        assert!(ran.out.lines().all(|l| l.len() < 2000), "{what} floods the output");
        // Every rule, as people see it.
        let ran = run(dir.path(), &["--color=never"]);
        assert!(ran.code == 1 && ran.out.len() < 200_000 + 100 * bytes.len(), "{what}: {} bytes", ran.out.len());
    }
}

#[test]
fn bad_json_in_scalars_is_told() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let bomb = format!("{{\\\"enable_kv_cache_events\\\": {deep}}}");
    let text = SILENT.trim_end_matches("]\n").to_string() + ", --kv-events-config, \"" + &bomb + "\"]\n";
    let script: String = format!("sh -c '{}'", "$(".repeat(20_000));
    let shell = SILENT.replace("[vllm, serve, meta-llama/Llama-3.1-8B-Instruct]", &format!("[sh, -c, {script:?}]"));
    let heredocs = SILENT.replace(
        "[vllm, serve, meta-llama/Llama-3.1-8B-Instruct]",
        &format!("[sh, -c, {:?}]", "cat <<A <<B\n".repeat(5000)),
    );
    for text in [&text, &shell, &heredocs] {
        let dir = folder(&[("a.yaml", text.as_bytes())]);
        for way in [&["--format=text"][..], &["--format=json"], &["trace"], &["--diff", "--unsafe-fixes"]] {
            let ran = run(dir.path(), way);
            assert!(ran.code < 2, "{}", &ran.said()[..ran.said().len().min(3000)]);
        }
    }
}

#[test]
fn a_hundred_thousand_documents_are_read() {
    let mut text: String =
        (0..100_000).map(|i| format!("---\nkind: ConfigMap\napiVersion: v1\nmetadata: {{name: c{i}}}\n")).collect();
    text.push_str("---\n");
    text.push_str(SILENT);
    let dir = folder(&[("a.yaml", text.as_bytes())]);
    let ran = run(dir.path(), &["--format=concise", "--select=labelled-but-silent,yaml-syntax"]);
    assert_eq!(
        (ran.out.lines().filter(|l| l.contains("labelled-but-silent")).count(), ran.code),
        (1, 1),
        "{:.2000}",
        ran.out
    );
    let dir = folder(&[("a.yaml", "---\n".repeat(100_000).as_bytes()), ("b.yaml", SILENT.as_bytes())]);
    assert_eq!(run(dir.path(), &["--format=concise"]).code, 1);
}

#[test]
fn paths_of_a_kustomization_lead_to_no_secret() {
    let outer = folder(&[
        ("secret.txt", b"TOP-SECRET"),
        ("other/secret.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: TOP-SECRET}\n"),
        ("work/pod.yaml", SILENT.as_bytes()),
        ("work/kustomization.yaml", b""),
    ]);
    let work = outer.path().join("work");
    let absolute = outer.path().join("secret.txt").display().to_string();
    let escapes = [
        "configMapGenerator: [{name: a, files: [../secret.txt]}]",
        &format!("configMapGenerator: [{{name: a, files: [{absolute}]}}]"),
        "configMapGenerator: [{name: a, envs: [../secret.txt]}]",
        "secretGenerator: [{name: a, files: [x=./../work/../secret.txt]}]",
        "resources: [../other/secret.yaml]",
        "resources: [../../../../../../../../etc/passwd]",
        "resources: [../../../../../../../../etc]",
        "patches: [{path: ../other/secret.yaml}]",
        "replacements: [{path: ../secret.txt}]",
        "configurations: [../secret.txt]",
        "crds: [../secret.txt]",
        "openapi: {path: ../secret.txt}",
        "helmGlobals: {chartHome: ../other}",
        "resources: [file:///etc/passwd, 'https://127.0.0.1:1/x.yaml', 'git::ssh://127.0.0.1/x']",
        #[cfg(unix)]
        "configMapGenerator: [{name: a, files: [link.txt]}]",
        #[cfg(unix)]
        "resources: [link.yaml]",
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../secret.txt", work.join("link.txt")).expect("a link");
        std::os::unix::fs::symlink("../other/secret.yaml", work.join("link.yaml")).expect("a link");
    }
    for escape in escapes {
        fs::write(work.join("kustomization.yaml"), format!("{escape}\n")).expect("a file");
        for way in [&["build", "."][..], &["build", "--origins"], &["--format=text"], &["--format=json"], &["units"]] {
            let ran = run(&work, way);
            assert!(!ran.said().contains("TOP-SECRET") && !ran.said().contains("root:"), "{escape}: {}", ran.said());
        }
        let ran = run(&work, &["--fix", "--unsafe-fixes", "."]);
        assert!(ran.code <= 2);
        assert_eq!(fs::read(outer.path().join("secret.txt")).expect("the secret"), b"TOP-SECRET");
    }
}

#[test]
fn patterns_that_explode_are_refused_or_end() {
    let patterns = [
        "(a*)*$",
        "((a{1000}){1000}){1000}",
        "(x+x+)+y",
        "[",
        "(?P<x>",
        "\\\\p{L}{500}{500}",
        "(?=a)",
        &"(".repeat(20_000),
        &"a|".repeat(100_000),
    ];
    for pattern in patterns {
        let kustomization = format!(
            "resources: [pod.yaml]\npatches:\n- target: {{kind: Pod, name: '{pattern}'}}\n  patch: '[{{\"op\": \"add\", \"path\": \"/metadata/x\", \"value\": 1}}]'\n"
        );
        let pod = SILENT.replace("name: llama\n", &format!("name: {}\n", "x".repeat(200)));
        let dir = folder(&[("kustomization.yaml", kustomization.as_bytes()), ("pod.yaml", pod.as_bytes())]);
        for way in [&["build"][..], &["--format=concise"]] {
            run(dir.path(), way);
        }
    }
    let globs = [
        "{a,b}".repeat(2000),
        "**/".repeat(10_000),
        "[".into(),
        "{{{{".into(),
        "*".repeat(100_000),
        "[!a-".into(),
        "../../**".into(),
        "/etc/**".into(),
    ];
    for glob in globs {
        let quoted = serde_json::to_string(&glob).expect("text");
        for config in [
            format!("exclude: [{quoted}]\n"),
            format!("overrides: [{{files: [{quoted}], rules: {{labelled-but-silent: off}}}}]\n"),
            format!("roots: [{quoted}]\n"),
        ] {
            let dir = folder(&[("kvlint.yaml", config.as_bytes()), ("pod.yaml", SILENT.as_bytes())]);
            let ran = run(dir.path(), &["--format=concise"]);
            assert!(ran.out.lines().all(|l| l.len() < 500_000), "{:.300}", ran.said());
        }
    }
}

#[test]
fn kustomizations_that_use_each_other_and_grow_end() {
    let level = |i: usize| format!("resources: [{}]\n", vec![format!("../b{}", i - 1); 4].join(", "));
    let mut files: Vec<(String, String)> =
        vec![("b0/kustomization.yaml".into(), "resources: [p.yaml]\n".into()), ("b0/p.yaml".into(), SILENT.into())];
    files.extend((1..15).map(|i| (format!("b{i}/kustomization.yaml"), level(i))));
    let components = |i: usize| {
        format!(
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncomponents: [../c{0}, ../c{0}, ../c{0}]\n",
            i - 1
        )
    };
    files.push((
        "c0/kustomization.yaml".into(),
        "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnamePrefix: xxxxxxxx\n".into(),
    ));
    files.extend((1..15).map(|i| (format!("c{i}/kustomization.yaml"), components(i))));
    files.push(("top/kustomization.yaml".into(), "resources: [../b0]\ncomponents: [../c14]\n".into()));
    files.push(("self/kustomization.yaml".into(), "resources: [., ../loop]\n".into()));
    files.push(("loop/kustomization.yaml".into(), "resources: [../self]\n".into()));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let dir = folder(&files);
    run(dir.path(), &["--format=concise"]);
    for root in ["b14", "top", "self"] {
        run(dir.path(), &["build", root]);
    }
}

#[test]
fn variables_that_double_each_other_end() {
    let chain = |n: usize, value: &str| -> String {
        let one = |i: usize| format!("        - {{name: A{}, value: '$(A{i})$(A{i})'}}\n", i + 1);
        format!("      env:\n        - {{name: A0, value: '{value}'}}\n") + &(0..n).map(one).collect::<String>()
    };
    let many: String = (0..2000).map(|_| ", '$(A20)'").collect();
    for env in [chain(60, ""), chain(60, "x"), chain(2000, "x"), chain(5, &"v".repeat(1 << 20))] {
        let text = SILENT.trim_end_matches("]\n").to_string() + ", '$(A60)'" + &many + "]\n" + &env;
        let dir = folder(&[("a.yaml", text.as_bytes())]);
        assert!(run(dir.path(), &["--format=concise"]).code < 2);
    }
    // What is small enough is still known.
    let env = chain(3, "1").replace("A3", "VLLM_KV_EVENTS_USE_INT_BLOCK_HASHES");
    let dir = folder(&[("a.yaml", (SILENT.to_string() + &env).as_bytes())]);
    let ran = run(dir.path(), &["--format=concise"]);
    assert!(ran.code < 2, "{}", ran.said());
}

#[test]
fn many_findings_in_one_large_document_end() {
    let container = |i: usize| {
        format!(
            "    - {{name: v{i}, image: 'vllm/vllm-openai:v0.12.0', args: [--kv-events-config, '{{\"enable_kv_cache_events\": true, \
             \"endpoint\": \"tcp://0.0.0.0:5557\"}}']}}\n"
        )
    };
    // Each wants the port of all others, which are no pairs to be told one by one.
    let many: String = (0..200).map(container).collect();
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n{many}")
        .replace("0.0.0.0", "*");
    let dir = folder(&[("a.yaml", text.as_bytes())]);
    let ran = run(dir.path(), &["--format=json", "--select=port-clash"]);
    assert_eq!(ran.out.matches("\"rule\": \"port-clash\"").count(), 199, "{:.2000}", ran.err);
    let large = format!("  annotations: {{x: '{}'}}\n", "x".repeat(1 << 20));
    let containers: String = (0..40).map(container).collect();
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n{large}spec:\n  containers:\n{containers}");
    let dir = folder(&[("a.yaml", text.as_bytes())]);
    let ran = run(dir.path(), &["--format=json", "--select=endpoint-connects"]);
    assert_eq!(ran.code, 1, "{:.2000}", ran.err);
    assert_eq!(ran.out.matches("\"rule\": \"endpoint-connects\"").count(), 40);
    assert_eq!(ran.out.matches("\"applicability\"").count(), 40, "each has its fix");
}

/// What only a file system of Unix has.
#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn fifo(path: &Path) {
        assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
    }

    #[test]
    fn pipes_and_devices_under_any_name_are_not_waited_for() {
        let names = [
            "a.yaml",
            "kustomization.yaml",
            "kvlint.yaml",
            ".gitignore",
            ".kvlintignore",
            ".git/info/exclude",
            ".git/index",
            "Chart.yaml",
            "baseline.json",
        ];
        for name in names {
            for device in [false, true] {
                let dir = folder(&[
                    ("pod.yaml", SILENT.as_bytes()),
                    ("sub/pod.yaml", SILENT.as_bytes()),
                    (".git/info/x", b""),
                ]);
                for place in [dir.path().join(name), dir.path().join("sub").join(name)] {
                    fs::create_dir_all(place.parent().expect("a parent")).expect("a folder");
                    if device { symlink("/dev/zero", &place).expect("a link") } else { fifo(&place) }
                }
                for way in [
                    &["--format=concise"][..],
                    &["--format=concise", "--whole-unit", "sub/pod.yaml"],
                    &["units"],
                    &["--diff"],
                    &["sub"],
                ] {
                    let ran = run(dir.path(), way);
                    // What hides the rest is no quiet success.
                    let told = ran.said().contains("not analysed");
                    assert!(
                        ran.code > 0 || told || ["units", "--diff"].contains(&way[0]),
                        "{name} {way:?}: {}",
                        ran.said()
                    );
                }
                run(dir.path(), &["build"]);
            }
        }
    }

    #[test]
    fn what_a_command_line_names_may_be_a_device() {
        let dir = folder(&[("pod.yaml", SILENT.as_bytes())]);
        fifo(&dir.path().join("pipe"));
        symlink("/dev/zero", dir.path().join("zero.json")).expect("a link");
        for option in ["--config", "--baseline"] {
            for file in ["/dev/zero", "zero.json", "pipe"] {
                let ran = run(dir.path(), &[option, file]);
                assert_eq!(ran.code, 2, "{option} {file}: {}", ran.said());
                assert!(ran.err.contains("not a regular file"), "{option} {file}: {}", ran.said());
            }
        }
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_no_missing_one() {
        for target in ["/dev/zero", "pipe", "sub", "kvlint.yaml", "nowhere"] {
            let dir = folder(&[("pod.yaml", SILENT.as_bytes()), ("sub/x", b"")]);
            fifo(&dir.path().join("pipe"));
            symlink(target, dir.path().join("kvlint.yaml")).expect("a link");
            for way in [&["--format=json"][..], &["--whole-unit", "pod.yaml"], &["units"]] {
                let ran = run(dir.path(), way);
                assert_eq!(ran.code, 2, "{target} {way:?}: {}", ran.said());
                assert!(ran.err.contains("kvlint.yaml: "), "{target} {way:?}: {}", ran.err);
            }
        }
    }

    /// Files that are settings, and not read as manifests, are links or name others: nothing of what lies outside is printed.
    #[test]
    fn settings_lead_to_no_secret() {
        let secret = "TOP-SECRET: [TOP-SECRET\n";
        let values = "helm: {values: [{name: a, files: [../secret.yaml]}]}\nroots: [..]\n";
        let cases: [(&str, Option<&str>, &str); 6] = [
            ("kvlint.yaml", None, "leads out of the repository"),
            ("a/.kvlint.yaml", None, "leads out of the repository"),
            ("a/kustomization.yaml", None, "leads out of the folder"),
            ("a/Kustomization", None, "leads out of the folder"),
            ("kvlint.yaml", Some(values), "leads out of the repository"),
            ("a/kustomization.yaml", Some("resources: [pod.yaml]\n"), "two kustomizations"),
        ];
        for (place, text, said) in cases {
            let outer = folder(&[
                ("secret.yaml", secret.as_bytes()),
                ("work/a/pod.yaml", SILENT.as_bytes()),
                ("work/.git/HEAD", b""),
                ("work/c/Chart.yaml", b"apiVersion: v2\nname: c\nversion: 0.1.0\n"),
                ("work/c/templates/a.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Values }}'}\n"),
            ]);
            let work = outer.path().join("work");
            match text {
                Some(text) => fs::write(work.join(place), text).expect("a file"),
                None => symlink(outer.path().join("secret.yaml"), work.join(place)).expect("a link"),
            }
            if said == "two kustomizations" {
                symlink(outer.path().join("secret.yaml"), work.join("a/kustomization.yml")).expect("a link");
            }
            for way in [
                &["--format=text", "a", "c"][..],
                &["--format=json", "a", "c"],
                &["--format=sarif", "a", "c"],
                &["--whole-unit", "a/pod.yaml"],
                &["units", "a", "c"],
                &["build", "a"],
                &["--diff", "a", "c"],
            ] {
                let ran = run(&work, way);
                assert!(!ran.said().contains("TOP-SECRET"), "{place} {way:?}: {}", ran.said());
                if way[0] == "--format=text" {
                    assert!(ran.said().contains(said), "{place}: {}", ran.said());
                    assert_ne!(ran.code, 0, "{place}: {}", ran.said());
                }
            }
        }
        // A link that stays inside is one as any other.
        let dir = folder(&[("a/pod.yaml", SILENT.as_bytes()), ("set.yaml", b"rules: {labelled-but-silent: off}\n")]);
        symlink("set.yaml", dir.path().join("kvlint.yaml")).expect("a link");
        let ran = run(dir.path(), &["--format=concise", "a"]);
        assert!(!ran.out.contains("labelled-but-silent"), "{}", ran.said());
    }

    #[test]
    fn endless_input_is_refused() {
        let dir = folder(&[]);
        for way in [&["-"][..], &["--fix", "-"]] {
            let zero = fs::File::open("/dev/zero").expect("a device");
            let ran = run_with(dir.path(), way, Stdio::from(zero));
            assert_eq!(ran.code, 2, "{}", ran.said());
            assert!(ran.said().contains("larger than"), "{}", ran.said());
        }
    }

    #[test]
    fn links_out_of_the_tree_are_not_followed_and_their_targets_never_written() {
        let outer = folder(&[
            ("outside/pod.yaml", SILENT.as_bytes()),
            ("work/own.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
        ]);
        let work = outer.path().join("work");
        symlink("../outside/pod.yaml", work.join("file.yaml")).expect("a link");
        symlink("../outside", work.join("folder")).expect("a link");
        symlink("/etc/passwd", work.join("passwd.yaml")).expect("a link");
        symlink(".", work.join("loop")).expect("a link");
        symlink("a", work.join("b")).expect("a link");
        symlink("b", work.join("a")).expect("a link");
        symlink("circle.yaml", work.join("circle.yaml")).expect("a link");
        let ran = run(&work, &["--format=concise"]);
        assert!(!ran.said().contains("labelled-but-silent"), "{}", ran.said());
        assert!(ran.said().contains("file.yaml: a link that leads out of the folder"), "{}", ran.said());
        for way in [
            &["--fix", "--unsafe-fixes", "."][..],
            &["--fix", "--unsafe-fixes", "file.yaml"],
            &["enable", "--all", "."],
            &["enable", "--all", "file.yaml"],
        ] {
            run(&work, way);
            assert_eq!(fs::read_to_string(outer.path().join("outside/pod.yaml")).expect("a file"), SILENT, "{way:?}");
        }
    }

    #[test]
    fn an_unreadable_file_is_an_error_and_hides_no_other() {
        let dir = folder(&[("pod.yaml", SILENT.as_bytes()), ("sub/locked.yaml", b"a: 1\n")]);
        fs::set_permissions(dir.path().join("sub/locked.yaml"), fs::Permissions::from_mode(0o000))
            .expect("permissions");
        let ran = run(dir.path(), &["--format=concise", "--select=labelled-but-silent"]);
        assert!(ran.out.contains("pod.yaml:7"), "{}", ran.said());
        // Nothing is unreadable for root.
        if fs::read(dir.path().join("sub/locked.yaml")).is_err() {
            assert_eq!(ran.code, 2);
            assert!(ran.said().contains("locked.yaml: permission denied"), "{}", ran.said());
        }
    }

    /// Runs git as its user would; `false` where it is not installed.
    fn git(dir: &Path, arguments: &[&str]) -> bool {
        let mut command = Command::new("git");
        command.current_dir(dir).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(arguments);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let Ok(output) = command.output() else { return false };
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        true
    }

    #[test]
    fn nothing_of_a_hostile_repository_is_run() {
        let dir = folder(&[("pod.yaml", SILENT.as_bytes()), ("other.yaml", SILENT.as_bytes())]);
        if !git(dir.path(), &["init", "--quiet", "--initial-branch=main"]) {
            return eprintln!("skipped: git is not installed");
        }
        git(dir.path(), &["add", "--all"]);
        git(dir.path(), &["commit", "--quiet", "-m", "first"]);
        let spy = dir.path().join("spy.sh");
        fs::write(&spy, "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\ncat\n").expect("a script");
        fs::set_permissions(&spy, fs::Permissions::from_mode(0o755)).expect("permissions");
        let spy = spy.display().to_string();
        fs::write(dir.path().join(".gitattributes"), "* diff=spy filter=Spy.Two merge=spy\n").expect("a file");
        fs::create_dir_all(dir.path().join("hooks")).expect("a folder");
        for hook in ["post-index-change", "post-checkout", "reference-transaction", "fsmonitor-watchman", "pre-auto-gc"]
        {
            fs::copy(&spy, dir.path().join("hooks").join(hook)).expect("a hook");
        }
        let keys = [
            "core.fsmonitor",
            "core.pager",
            "core.editor",
            "core.sshCommand",
            "core.askPass",
            "core.gitProxy",
            "core.alternateRefsCommand",
            "diff.external",
            "diff.spy.command",
            "diff.spy.textconv",
            "filter.Spy.Two.clean",
            "filter.Spy.Two.smudge",
            "filter.Spy.Two.process",
            "pager.diff",
            "credential.helper",
            "gpg.program",
            "remote.origin.uploadpack",
            "sequence.editor",
            "alias.diff",
            "alias.rev-parse",
            "merge.spy.driver",
            "uploadpack.packObjectsHook",
            "interactive.diffFilter",
        ];
        for key in keys {
            git(dir.path(), &["config", key, &spy]);
        }
        git(dir.path(), &["config", "filter.Spy.Two.required", "true"]);
        git(dir.path(), &["config", "core.hooksPath", &dir.path().join("hooks").display().to_string()]);
        fs::write(dir.path().join("pod.yaml"), SILENT.replace("\"true\"", "'true'")).expect("a file");
        // A file that looks changed and is not: git reads it to know.
        fs::write(dir.path().join("other.yaml"), SILENT).expect("a file");
        let _ = fs::remove_file(dir.path().join("ran"));
        for base in ["main", "HEAD"] {
            let ran = run(dir.path(), &["--select=labelled-but-silent", "--diff-base", base, "--format=json", "."]);
            assert_eq!(ran.code, 1, "{}", ran.said());
            assert!(
                !dir.path().join("ran").exists() && !dir.path().join("hooks/ran").exists(),
                "a program of the repository ran"
            );
        }
        // A name that the command line can't turn off.
        git(dir.path(), &["config", "filter.a=b.clean", &spy]);
        let ran = run(dir.path(), &["--diff-base", "main", "."]);
        assert_eq!(ran.code, 2, "{}", ran.said());
        assert!(ran.err.contains("has a `=` in its name"), "{}", ran.err);
        assert!(!dir.path().join("ran").exists());
    }

    #[test]
    fn a_reference_is_no_option_of_git() {
        let dir = folder(&[("pod.yaml", SILENT.as_bytes())]);
        if !git(dir.path(), &["init", "--quiet"]) {
            return eprintln!("skipped: git is not installed");
        }
        for reference in [
            "--output=pwned",
            "-O",
            "",
            "--upload-pack=touch pwned",
            "main\n::error::pwned",
            "\u{1b}[31m",
            "HEAD:pod.yaml",
        ] {
            let ran = run(dir.path(), &[&format!("--diff-base={reference}"), "."]);
            assert_eq!(ran.code, 2, "{reference:?}: {}", ran.said());
        }
        assert!(!dir.path().join("pwned").exists());
    }

    #[test]
    fn standard_input_may_be_cut_off_or_hold_anything() {
        let dir = folder(&[]);
        for bytes in [&b"\x00\xff\xfe\x1b[31m"[..], b"", SILENT.as_bytes(), b"--- \x1b]0;x\x07"] {
            let mut input = tempfile::tempfile().expect("a file");
            input.write_all(bytes).expect("written");
            std::io::Seek::rewind(&mut input).expect("rewound");
            run_with(dir.path(), &["--stdin-filename", "\u{1b}[31m\n::error::pwned", "-"], Stdio::from(input));
        }
    }
}
