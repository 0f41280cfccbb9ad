//! Machine formats against their schemas, and text as people see it.

use std::path::PathBuf;

use boon::{Compiler, Schemas};
use serde_json::Value;

use kvlint::lint::{Applicability, Diagnostic, Edit, Failure, Fix, Label, Part, Severity, Standing};
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
        Diagnostic {
            fix: Some(Fix {
                title: "write the name in two files".into(),
                applicability: Applicability::Display,
                edits: vec![
                    Edit { span: at(1, "x\u{202e}y"), replacement: "xy".into() },
                    Edit { span: at(0, "llama").tail(), replacement: "-xy".into() },
                ],
            }),
            ..finding("yaml-syntax", Severity::Info, label(at(1, "x\u{202e}y"), "reordered"))
        },
        finding("yaml-syntax", Severity::Error, label(whole.tail(), "the end")),
        finding("yaml-syntax", Severity::Error, label(at(1, "# \u{85}"), "a\u{1b}[31m")),
    ]
}

fn render(format: Format, style: &Style, findings: impl Fn(&Loaded) -> Vec<Diagnostic>) -> String {
    render_with(format, style, &loaded(), findings, &[])
}

fn render_with(
    format: Format,
    style: &Style,
    loaded: &Loaded,
    findings: impl Fn(&Loaded) -> Vec<Diagnostic>,
    standings: &[Standing],
) -> String {
    let diagnostics = findings(loaded);
    let report = Report {
        sources: &loaded.sources,
        units: &loaded.units,
        diagnostics: &diagnostics,
        standings,
        gone: &[],
        coverage: &Coverage::of(loaded),
        failures: &[Failure { part: Part::Rule("yaml-syntax"), message: "index out of bounds".into() }],
        suppressed: 1,
        limit: Severity::Error,
        fixed: 0,
        exit_code: 2,
        folder: PathBuf::from("/project"),
        top: PathBuf::from("/project"),
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
    let fix = &value["diagnostics"][0]["fix"];
    assert_eq!(
        (fix["applicability"].as_str(), fix["edits"][0]["replacement"].as_str()),
        (Some("safe"), Some("\"false\""))
    );
    assert_eq!(value["summary"]["fixable"], serde_json::json!({ "safe": 1, "unsafe": 0 }));
    let measured = render_with(Format::Json, &Style::PLAIN, &loaded(), findings, &standings());
    validate(&measured, "docs/schema/report-v1.json");
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
    // What goes away are the bytes under the caret; what comes, and who may make it, stands beside.
    let fix = &run["results"][0]["fixes"][0];
    let change = &fix["artifactChanges"][0];
    assert_eq!(change["artifactLocation"], first["artifactLocation"]);
    assert_eq!(change["replacements"][0]["deletedRegion"], first["region"]);
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "\"false\"");
    assert_eq!(fix["properties"]["applicability"], "safe");
    assert!(run["results"][1].get("fixes").is_none());
    let notifications = &run["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notifications.as_array().map(Vec::len), Some(3), "{notifications}");
    for result in run["results"].as_array().expect("results") {
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let measured = render_with(Format::Sarif, &Style::PLAIN, &loaded(), findings, &standings());
    let measured = validate(&measured, "tests/schema/sarif-schema-2.1.0.json");
    let states =
        measured["runs"][0]["results"].as_array().expect("results").iter().map(|r| r["baselineState"].as_str());
    assert_eq!(states.flatten().collect::<Vec<_>>(), ["new", "unchanged", "new", "unchanged", "new"]);
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
            units: &loaded.units,
            diagnostics: &diagnostics,
            standings: &[],
            gone: &[],
            coverage: &Coverage::of(&loaded),
            failures: &[],
            suppressed: 0,
            limit: Severity::Error,
            fixed: 0,
            exit_code: 1,
            folder: PathBuf::from("/project"),
            top: PathBuf::from("/project"),
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

/// The standings of [`findings`]: the second touches no changed line, the fourth is in the baseline.
fn standings() -> Vec<Standing> {
    let mut all = vec![Standing { on_changed_lines: Some(true), in_baseline: Some(false) }; 5];
    all[1].on_changed_lines = Some(false);
    all[3].in_baseline = Some(true);
    all
}

#[test]
fn gitlab_gets_what_it_documents() {
    let schema = "tests/schema/gitlab-code-quality.json";
    let value = validate(&render(Format::Gitlab, &Style::PLAIN, findings), schema);
    let all = value.as_array().expect("violations");
    assert_eq!(all.len(), 5);
    let prints: std::collections::HashSet<_> = all.iter().map(|v| v["fingerprint"].to_string()).collect();
    assert_eq!(prints.len(), 5, "GitLab drops what has a fingerprint twice");
    assert_eq!(all[0]["severity"], "major");
    assert_eq!(all[0]["location"]["lines"], serde_json::json!({ "begin": 9, "end": 9 }));
    let measured = render_with(Format::Gitlab, &Style::PLAIN, &loaded(), findings, &standings());
    let measured = validate(&measured, schema);
    assert_eq!(measured.as_array().map(Vec::len), Some(4), "the baseline is left out");
    assert_eq!(measured[1]["severity"], "info");
    assert!(measured[1]["description"].as_str().is_some_and(|d| d.ends_with("(not on changed lines)")));
    assert_eq!(render(Format::Gitlab, &Style::PLAIN, |_| Vec::new()), "[]\n");
}

/// An element of a JUnit report.
struct Element {
    name: String,
    attributes: std::collections::BTreeMap<String, String>,
    children: Vec<Element>,
    text: String,
}

/// Reads XML with a parser that checks that it is well-formed.
fn xml(text: &str) -> Element {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let new = |e: &quick_xml::events::BytesStart<'_>| Element {
        name: e.name().as_ref().to_string(),
        attributes: e
            .attributes()
            .map(|a| a.expect("an attribute"))
            .map(|a| {
                let value = quick_xml::escape::unescape(&a.value).expect("entities").into_owned();
                (a.key.as_ref().to_string(), value)
            })
            .collect(),
        children: Vec::new(),
        text: String::new(),
    };
    let root =
        Element { name: String::new(), attributes: Default::default(), children: Vec::new(), text: String::new() };
    let mut open = vec![root];
    loop {
        let top = open.len() - 1;
        match reader.read_event().expect("well-formed XML") {
            Event::Start(e) => open.push(new(&e)),
            Event::Empty(e) => open[top].children.push(new(&e)),
            Event::End(_) => {
                let done = open.pop().expect("an open element");
                open[top - 1].children.push(done);
            }
            Event::Text(t) => open[top].text.push_str(&t),
            Event::GeneralRef(r) => {
                let entity = format!("&{};", &*r);
                open[top].text.push_str(&quick_xml::escape::unescape(&entity).expect("a known entity"));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    open.remove(0).children.remove(0)
}

/// A name, the attributes that are required, others, and the children.
type Kind = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// Elements of the format as Jenkins describes it (junit-10.xsd of its xUnit plug-in).
const JUNIT: [Kind; 6] = [
    ("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &["testsuite"]),
    ("testsuite", &["name", "tests", "failures", "errors"], &["skipped", "time", "file"], &["testcase"]),
    ("testcase", &["name"], &["classname", "time"], &["skipped", "error", "failure"]),
    ("failure", &[], &["type", "message"], &[]),
    ("skipped", &[], &["type", "message"], &[]),
    ("error", &[], &["type", "message"], &[]),
];

fn check_junit(element: &Element) {
    let (_, required, others, children) =
        JUNIT.iter().find(|(name, ..)| *name == element.name).unwrap_or_else(|| panic!("no element {}", element.name));
    assert!(required.iter().all(|name| element.attributes.contains_key(*name)), "{:?}", element.attributes);
    for name in element.attributes.keys() {
        assert!(required.contains(&name.as_str()) || others.contains(&name.as_str()), "{} has no {name}", element.name);
    }
    for child in &element.children {
        assert!(children.contains(&child.name.as_str()), "{} in {}", child.name, element.name);
        check_junit(child);
    }
}

#[test]
fn junit_is_what_jenkins_reads() {
    let report = xml(&render_with(Format::Junit, &Style::PLAIN, &loaded(), findings, &standings()));
    check_junit(&report);
    let suites: Vec<&str> = report.children.iter().map(|s| s.attributes["name"].as_str()).collect();
    assert_eq!(suites, ["../secret.yaml", "deploy/llama 1.yaml", "kvlint", "svc/odd.yaml"]);
    for suite in &report.children {
        let of = |kind: &str| suite.children.iter().filter(|c| c.children.iter().any(|r| r.name == kind)).count();
        let count = |name: &str| suite.attributes[name].parse::<usize>().expect("a number");
        assert_eq!(count("tests"), suite.children.len());
        assert_eq!([count("failures"), count("errors"), count("skipped")], [of("failure"), of("error"), of("skipped")]);
    }
    assert_eq!(
        (&*report.attributes["tests"], &*report.attributes["failures"], &*report.attributes["errors"]),
        ("6", "2", "2")
    );
    let llama = &report.children[1].children;
    assert_eq!(llama[0].attributes["name"], "labelled-but-silent at 9:44");
    assert_eq!(llama[0].children[0].attributes["message"], "error: something is wrong with `llama`");
    assert!(llama[0].children[0].text.contains("svc/odd.yaml:1:9: and this Service, in another file\n"));
    assert!(llama[1].children[0].attributes["message"].starts_with("not on changed lines: "));
    let odd = &report.children[3].children;
    assert_eq!(odd.iter().map(|c| c.children[0].name.as_str()).collect::<Vec<_>>(), ["skipped", "failure"]);
    assert!(odd[1].children[0].text.contains("a␛[31m"));
    let clean = xml(&render(Format::Junit, &Style::PLAIN, |_| Vec::new()));
    let passed = clean.children.iter().filter(|s| s.children.iter().any(|c| c.attributes["name"] == "no findings"));
    assert_eq!(passed.count(), 2, "a file without findings is a test that passed");
}

#[test]
fn markdown_for_a_comment() {
    let text = render_with(Format::Markdown, &Style::PLAIN, &loaded(), findings, &standings());
    insta::assert_snapshot!("markdown", text);
}

/// Links and raw HTML in Markdown, as GitHub would read it.
fn markup(text: &str) -> (Vec<String>, Vec<String>) {
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
    let (mut links, mut html, mut fenced) = (Vec::new(), Vec::new(), false);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => links.push(dest_url.to_string()),
            Event::Html(tag) | Event::InlineHtml(tag) => html.push(tag.trim().to_string()),
            Event::Start(Tag::CodeBlock(_)) => fenced = true,
            Event::End(TagEnd::CodeBlock) => fenced = false,
            Event::Text(text) => assert!(fenced || !text.contains("@team"), "a mention: {text}"),
            _ => {}
        }
    }
    (links, html)
}

#[test]
fn names_in_a_comment_are_no_markup() {
    let hostile = "a`|b</details><img src=x>[c](http://d) @team ![e](f) ``` <script>\u{1b}\n# g";
    let path = format!("x/{hostile}.yaml");
    let text = format!("kind: Pod\nname: \"{}\"\n# ````\n", hostile.replace(['\n', '\u{1b}', '"'], " "));
    let loaded = from_texts(&[(path.into(), text)]);
    let findings = |loaded: &Loaded| {
        let name = span(loaded, 0, "name: ");
        [hostile, "the name `a` <b> `c", "`x` <i> @team `y`"]
            .iter()
            .map(|message| Diagnostic {
                message: (*message).to_string(),
                help: Some(hostile.to_string()),
                notes: vec![hostile.to_string()],
                ..finding("yaml-syntax", Severity::Error, label(name, hostile))
            })
            .collect::<Vec<_>>()
    };
    let (links, html) = markup(&render_with(Format::Markdown, &Style::PLAIN, &loaded, findings, &[]));
    let page = kvlint::report::rule_page("yaml-syntax");
    assert_eq!(links, vec![page; 3], "the pages of the rules alone");
    for tag in &html {
        let known = ["<!-- kvlint -->", "<details><summary><code>x/a&#96;", "</details>", "<sub>", "</sub>"];
        assert!(known.iter().any(|k| tag.starts_with(k)) && !tag.contains("<img"), "{tag:?}");
    }
    let ends = html.iter().filter(|tag| *tag == "</details>").count();
    assert_eq!(ends, 3, "{html:?}");
}

#[test]
fn a_comment_is_no_longer_than_a_comment_may_be() {
    let many = |n: usize| {
        move |loaded: &Loaded| {
            let at = label(span(loaded, 0, "\"true\""), "漢".repeat(40).as_str());
            vec![finding("labelled-but-silent", Severity::Error, at); n]
        }
    };
    let few = render(Format::Markdown, &Style::PLAIN, many(3));
    assert!(!few.contains("did not fit") && few.matches("<details>").count() == 3);
    for n in [120, 1_000, 20_000] {
        let text = render(Format::Markdown, &Style::PLAIN, many(n));
        assert!(text.len() <= 65_536, "{n} findings give {} bytes", text.len());
        let rows = text.lines().filter(|l| l.starts_with("| ❌")).count();
        let details = text.matches("<details>").count();
        assert!(details > 20, "{details}");
        assert_eq!(text.matches("</details>").count(), details, "nothing is cut in its middle");
        assert!(text.contains(&format!("The details of {} findings did not fit", n - details)), "{n}");
        if rows < n {
            assert!(text.contains(&format!("{} findings more did not fit", n - rows)), "{n}");
        }
        assert!(text.ends_with("</sub>\n"));
    }
    let off = vec![Standing { on_changed_lines: Some(false), in_baseline: None }; 5_000];
    let text = render_with(Format::Markdown, &Style::PLAIN, &loaded(), many(5_000), &off);
    assert!(text.len() <= 65_536 && text.contains("<summary>5000 findings not on changed lines</summary>"));
}

#[test]
fn no_report_takes_the_place_of_what_was_linted() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n";
    let dir = support::folder(&[("pod.yaml", pod), ("kvlint.yaml", "rules: {}\n")]);
    let run = |arguments: &[&str]| {
        let ran = support::kvlint(&dir, arguments);
        (ran.code, ran.said())
    };
    for arguments in [
        &["-o", "pod.yaml"][..],
        &["--report", "json=./pod.yaml"],
        &["--diff", "-o", "pod.yaml"],
        &["-o", "kvlint.yaml"],
    ] {
        let (code, said) = run(arguments);
        assert!(code == Some(2) && said.contains("was read in this run"), "{arguments:?}: {said}");
        assert_eq!(support::read(&dir, "pod.yaml"), pod);
    }
    // A report that lies there from the last run is replaced, and no manifest that was passed over.
    for _ in 0..2 {
        let (code, said) = run(&["--report", "json=last.json", "--baseline", "b.json", "--write-baseline"]);
        assert!(code == Some(0) && !said.contains("not analysed"), "{said}");
    }
}
