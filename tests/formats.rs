//! Machine formats against their schemas, and text as people see it.

use std::path::PathBuf;

use boon::{Compiler, Schemas};
use serde_json::Value;

use kvlint::lint::{Applicability, Diagnostic, Edit, Fix, Label, Severity};
use kvlint::load::{Loaded, Skipped, from_texts};
use kvlint::report::{Coverage, Format, Report, Style};
use kvlint::source::Span;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: llama
spec:
  template:
    metadata:
      labels:
        model.aibrix.ai/kv-events-enabled: \"true\"
    spec:
      containers:
        - name: vllm
          args: [--port, \"8000\"]
";

/// Two files, one of them with all that is odd in a line.
fn loaded() -> Loaded {
    let odd = "\u{feff}kind: \"é漢\"\r\nname:\tx\u{202e}y # \u{85}\r\n";
    let mut loaded = from_texts(&[
        (PathBuf::from("./deploy/llama 1.yaml"), DEPLOYMENT.to_string()),
        (PathBuf::from("svc/odd.yaml"), odd.to_string()),
    ]);
    let skipped = |path: &str, failed| Skipped { path: path.into(), reason: "because".into(), failed, files: 1 };
    loaded.skipped = vec![skipped("chart", false), skipped("../secret.yaml", true)];
    loaded
}

/// The bytes of the first `text` in a file.
fn span(loaded: &Loaded, file: usize, text: &str) -> Span {
    let file = &loaded.sources.files()[file];
    let start = file.text().find(text).expect(text) as u32;
    Span::new(file.id(), start, start + text.len() as u32)
}

fn label(span: Span, text: &str) -> Label {
    Label { span, text: text.into() }
}

fn finding(rule: &'static str, severity: Severity, primary: Label) -> Diagnostic {
    Diagnostic {
        rule,
        severity,
        message: "something is wrong with `llama`".into(),
        primary,
        related: Vec::new(),
        help: None,
        notes: Vec::new(),
        fix: None,
        rendered: Vec::new(),
    }
}

fn findings(loaded: &Loaded) -> Vec<Diagnostic> {
    let rule = "labelled-but-silent";
    let at = |file, text| span(loaded, file, text);
    let whole = Span { start: 0, end: DEPLOYMENT.len() as u32, ..at(0, "apiVersion") };
    vec![
        Diagnostic {
            related: vec![
                label(at(0, "vllm"), "this container"),
                label(at(1, "漢"), "and this Service, in another file"),
                label(at(0, "kv-events-enabled"), "the key"),
            ],
            help: Some("write `false`, or start the engine with `--kv-events-config`".into()),
            notes: vec![
                "the pod will be Running and serve requests, and the gateway will never learn what it has cached, so that \
                 every request goes to a pod chosen by chance"
                    .into(),
                "seen in vLLM 0.9.0 to 0.11.1".into(),
            ],
            fix: Some(Fix {
                title: "switch the label off".into(),
                applicability: Applicability::Safe,
                edits: vec![Edit { span: at(0, "\"true\""), replacement: "\"false\"".into() }],
            }),
            ..finding(rule, Severity::Error, label(at(0, "\"true\""), "the gateway subscribes to this pod"))
        },
        finding(rule, Severity::Warning, label(whole, "")),
        finding("yaml-syntax", Severity::Info, label(at(1, "x\u{202e}y"), "reordered")),
        finding("yaml-syntax", Severity::Error, label(whole.tail(), "the end")),
        finding("yaml-syntax", Severity::Error, label(at(1, "# \u{85}"), "a\u{1b}[31m")),
    ]
}

fn render(format: Format, style: &Style, findings: impl Fn(&Loaded) -> Vec<Diagnostic>) -> String {
    let loaded = loaded();
    let diagnostics = findings(&loaded);
    let report = Report {
        sources: &loaded.sources,
        diagnostics: &diagnostics,
        coverage: &Coverage::of(&loaded),
        failures: &[("yaml-syntax", "index out of bounds".into())],
        suppressed: 1,
        exit_code: 2,
        folder: PathBuf::from("/project"),
    };
    let mut out = Vec::new();
    report.write(format, style, &mut out).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

fn validate(document: &str, schema: &str) -> Value {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.enable_format_assertions();
    let index = compiler.compile(&format!("{root}{schema}"), &mut schemas).expect("a schema");
    let value: Value = serde_json::from_str(document).expect("JSON");
    if let Err(error) = schemas.validate(&value, index) {
        panic!("{error:#}");
    }
    value
}

#[test]
fn json_follows_its_schema() {
    let value = validate(&render(Format::Json, &Style::PLAIN, findings), "docs/schema/report-v1.json");
    assert_eq!(value["diagnostics"][0]["start"], serde_json::json!({ "line": 9, "column": 44 }));
    assert_eq!(value["diagnostics"][0]["path"], "deploy/llama 1.yaml");
    assert_eq!(value["not_analysed"].as_array().map(Vec::len), Some(2));
    validate(&render(Format::Json, &Style::PLAIN, |_| Vec::new()), "docs/schema/report-v1.json");
}

#[test]
fn the_schema_refuses_what_is_not_a_report() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/report-v1.json");
    let mut schemas = Schemas::new();
    let index = Compiler::new().compile(root, &mut schemas).expect("a schema");
    let mut value: Value = serde_json::from_str(&render(Format::Json, &Style::PLAIN, findings)).expect("JSON");
    value["diagnostics"][0]["severity"] = "fatal".into();
    assert!(schemas.validate(&value, index).is_err());
}

#[test]
fn sarif_follows_the_standards_schema() {
    let value = validate(&render(Format::Sarif, &Style::PLAIN, findings), "tests/schema/sarif-schema-2.1.0.json");
    let run = &value["runs"][0];
    let first = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(first["artifactLocation"]["uri"], "deploy/llama%201.yaml");
    assert_eq!(first["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    assert_eq!(run["results"][0]["relatedLocations"].as_array().map(Vec::len), Some(3));
    let notifications = &run["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notifications.as_array().map(Vec::len), Some(3), "{notifications}");
    for result in run["results"].as_array().expect("results") {
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    validate(&render(Format::Sarif, &Style::PLAIN, |_| Vec::new()), "tests/schema/sarif-schema-2.1.0.json");
}

#[test]
fn fingerprints_survive_moved_lines_and_tell_equal_lines_apart() {
    let fingerprints = |text: &str| {
        let loaded = from_texts(&[("a.yaml".into(), text.to_string())]);
        let source = &loaded.sources.files()[0];
        let starts: Vec<usize> = text.match_indices("port").map(|(i, _)| i).collect();
        let at = |i: usize| Span::new(source.id(), i as u32, i as u32 + 4);
        let diagnostics: Vec<Diagnostic> =
            starts.iter().map(|&i| finding("yaml-syntax", Severity::Error, label(at(i), ""))).collect();
        let report = Report {
            sources: &loaded.sources,
            diagnostics: &diagnostics,
            coverage: &Coverage::of(&loaded),
            failures: &[],
            suppressed: 0,
            exit_code: 1,
            folder: PathBuf::from("/project"),
        };
        let mut out = Vec::new();
        report.write(Format::Sarif, &Style::PLAIN, &mut out).expect("memory");
        let value: Value = serde_json::from_slice(&out).expect("JSON");
        let results = value["runs"][0]["results"].as_array().expect("results").clone();
        results.iter().map(|r| r["partialFingerprints"]["kvlint/v1"].clone()).collect::<Vec<_>>()
    };
    let before = fingerprints("a:\n- port: 1\n- port: 1\n- port: 2\n");
    assert_eq!(before, fingerprints("# new\n\na:\n    - port:  1\n    - port: 1\n    - port: 2\n"));
    let distinct: std::collections::HashSet<String> = before.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), 3);
}

#[test]
fn text_for_people() {
    insta::assert_snapshot!("text", render(Format::Text, &Style::PLAIN, findings));
}

#[test]
fn text_in_ascii_on_a_narrow_terminal() {
    let style = Style { unicode: false, width: 60, ..Style::PLAIN };
    insta::assert_snapshot!("text-ascii", render(Format::Text, &style, findings));
}

#[test]
fn text_in_colour_with_links() {
    let style = Style { color: true, links: true, ..Style::PLAIN };
    let text = render(Format::Text, &style, |loaded| findings(loaded).drain(..1).collect());
    insta::assert_snapshot!("text-colour", text.replace('\u{1b}', "␛"));
}

#[test]
fn concise_and_github() {
    insta::assert_snapshot!("concise", render(Format::Concise, &Style::PLAIN, findings));
    insta::assert_snapshot!("github", render(Format::Github, &Style::PLAIN, findings));
}
