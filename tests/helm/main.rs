//! Charts from outside: sets, places, suppressions, rendered input, and charts that mean harm.
//!
//! Tests that render run the helm that `KVLINT_HELM` names, else the one on the search path; without one they say that they
//! are skipped.

mod find;
mod lines;
mod mending;
mod parents;

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use support::{Ran, command, folder, kvlint, kvlint_with_input, run};

/// The findings of `--format json`.
fn findings(ran: &Ran) -> Vec<Json> {
    let report: Json = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.said()));
    report["diagnostics"].as_array().expect("a list").clone()
}

fn place(of: &Json) -> String {
    let path = of["path"].as_str().expect("a path");
    format!("{path}:{}:{}", of["start"]["line"], of["start"]["column"])
}

/// Where a finding of a rule stands, with the places and words of its related labels.
fn found(ran: &Ran, rule: &str) -> Vec<(String, Vec<(String, String)>)> {
    let label = |l: &Json| (place(l), l["label"].as_str().unwrap_or_default().to_string());
    let one = |d: &Json| (place(d), d["related"].as_array().expect("a list").iter().map(label).collect());
    findings(ran).iter().filter(|d| d["rule"] == rule).map(one).collect()
}

fn notes(ran: &Ran, rule: &str) -> Vec<Vec<String>> {
    let texts = |d: &Json| d["notes"].as_array().expect("a list").iter().map(|n| n.as_str().unwrap().into()).collect();
    findings(ran).iter().filter(|d| d["rule"] == rule).map(texts).collect()
}

fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/projects").join(name)
}

const CHART: &str = "apiVersion: v2\nname: engine\nversion: 0.1.0\n";

/// A pod whose label and event port come from values.
const POD: &str = "apiVersion: v1
kind: Pod
metadata:
  name: phi-4
  labels:
    model.aibrix.ai/name: phi-4
    model.aibrix.ai/kv-events-enabled: {{ .Values.label | quote }}
spec:
  containers:
    - name: vllm
      image: vllm/vllm-openai:v0.12.0
      args:
        - --kv-events-config
        - '{\"enable_kv_cache_events\": true, \"publisher\": \"zmq\", \"endpoint\": \"tcp://*:{{ .Values.port }}\", \"replay_endpoint\": \"tcp://*:5558\"}'
      ports:
        - containerPort: {{ .Values.port }}
        - containerPort: 5558
";

macro_rules! helm_or_return {
    ($name:ident, $test:expr) => {
        let Some($name) = find::helm($test) else { return };
        let $name = $name.to_str().expect("a path that is text");
    };
}

#[test]
fn a_value_is_shown_with_the_template_and_the_definition_on_its_way() {
    helm_or_return!(helm, "values behind findings");
    let ran = kvlint(project("chart-helper"), &["--helm", helm, "--format", "json", "chart"]);
    let on_the_way = |place: &str, words: &str| (format!("chart/templates/{place}"), words.to_string());
    assert_eq!(
        found(&ran, "publisher-unknown"),
        [(
            "chart/values.yaml:3:14".to_string(),
            vec![
                on_the_way("engine.yaml:13:11", "the template prints it here"),
                on_the_way("_engine.tpl:7:47", "the definition writes it here")
            ]
        )]
    );
    let ran = kvlint(project("chart-helper"), &["--format", "json", "rendered.yaml", "--chart", "chart"]);
    let (at, related) = found(&ran, "port-name-invalid").remove(0);
    assert_eq!(at, "chart/templates/engine.yaml:15:9");
    assert_eq!(related[0], on_the_way("_engine.tpl:13:9", "the definition writes it here"));
    assert_eq!(related[1], ("rendered.yaml:20:17".to_string(), "rendered here".to_string()));
}

#[test]
fn the_last_file_that_sets_a_value_wins_and_sets_are_named() {
    helm_or_return!(helm, "values sets");
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        ("chart/values.yaml", "port: 5557\nlabel: \"true\"\n"),
        ("chart/ci/odd-values.yaml", "port: 6001\n"),
        ("chart/templates/pod.yaml", POD),
        ("base.yaml", "label: \"yes\"\nport: 6002\n"),
        ("prod.yaml", "# only this\nport: 6003\n"),
    ]);
    let run = |arguments: &[&str]| {
        let arguments = [&["--helm", helm, "--format", "json", "chart"], arguments].concat();
        kvlint(top.path(), &arguments)
    };
    let places = |ran: &Ran| found(ran, "port-not-dialled").into_iter().map(|f| f.0).collect::<Vec<_>>();
    let own = run(&[]);
    assert_eq!(places(&own), ["chart/ci/odd-values.yaml:1:7"]);
    let one = run(&["-f", "base.yaml", "-f", "prod.yaml"]);
    assert_eq!(places(&one), ["prod.yaml:2:7"]);
    assert_eq!(found(&one, "discovery-label-value")[0].0, "base.yaml:1:8");
    let two = run(&["-f", "base=base.yaml", "-f", "prod=base.yaml", "-f", "prod=prod.yaml", "-f", "plain="]);
    assert_eq!(places(&two), ["base.yaml:2:7", "prod.yaml:2:7"]);
    assert!(notes(&two, "discovery-label-value")[0].contains(&"with base and prod".to_string()), "{}", two.out);
    assert!(notes(&two, "port-not-dialled")[0].contains(&"only with base".to_string()), "{}", two.out);
    let given = run(&["--set", "port=6004"]);
    assert_eq!(places(&given), ["chart/templates/pod.yaml:14:86"], "what the command line sets is in no file");
}

#[test]
fn a_set_that_breaks_the_chart_does_not_hide_the_others() {
    helm_or_return!(helm, "a broken values set");
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        ("chart/values.yaml", "port: 6000\nlabel: \"true\"\nmodel: {name: phi-4}\n"),
        ("chart/ci/bare-values.yaml", "model: null\n"),
        ("chart/templates/pod.yaml", POD),
        (
            "chart/templates/settings.yaml",
            "kind: ConfigMap\napiVersion: v1\nmetadata: {name: {{ .Values.model.name }}}\n",
        ),
    ]);
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "json", "chart"]);
    assert_eq!(found(&ran, "chart-does-not-render")[0].0, "chart/templates/settings.yaml:3:21");
    let broken = findings(&ran).into_iter().find(|d| d["rule"] == "chart-does-not-render").unwrap();
    assert!(broken["message"].as_str().unwrap().contains("with `ci/bare`"), "{broken}");
    assert_eq!(found(&ran, "port-not-dialled")[0].0, "chart/values.yaml:1:7");
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_broken_document_is_shown_in_its_template() {
    helm_or_return!(helm, "broken YAML from a template");
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        ("chart/values.yaml", "name: phi-4\n"),
        (
            "chart/templates/settings.yaml",
            "{{- /* first */}}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\ndata:\n  mode: fast: true\n",
        ),
    ]);
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "concise", "chart"]);
    assert!(ran.out.starts_with("chart/templates/settings.yaml:7:"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("error[yaml-syntax]") && ran.out.lines().count() == 1, "{}", ran.out);
}

#[test]
fn suppressions_work_where_they_are_written() {
    helm_or_return!(helm, "suppressions in charts");
    let in_template = POD.replace("| quote }}", "| quote }} # kvlint: ignore[discovery-label-value] on purpose");
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        (
            "chart/values.yaml",
            "# kvlint: ignore[port-not-dialled] another gateway\nport: 6000\nlabel: \"yes\"\nunused: 1 # kvlint: ignore[port-clash] x\n",
        ),
        ("chart/ci/more-values.yaml", "label: \"no\"\n"),
        ("chart/templates/pod.yaml", &in_template),
    ]);
    let rules = "discovery-label-value,port-not-dialled,port-clash,suppression-unused";
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "concise", "chart", "--select", rules]);
    assert_eq!(
        ran.out,
        "chart/values.yaml:4:28: warning[suppression-unused] `port-clash` finds nothing here that could be ignored\n"
    );
    let whole = format!("# kvlint: ignore-file[discovery-label-value, port-not-dialled] not ours\n{POD}");
    let other = POD.replace("phi-4", "other");
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        ("chart/values.yaml", "port: 5557\nlabel: \"yes\"\n"),
        ("chart/templates/a.yaml", &whole),
        ("chart/templates/b.yaml", &other),
    ]);
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "json", "chart"]);
    assert_eq!(found(&ran, "discovery-label-value").len(), 1, "of the other template alone: {}", ran.out);
}

#[test]
fn rendered_input_leads_to_its_chart() {
    let literal = project("chart-literal-text");
    let rendered = std::fs::read_to_string(literal.join("rendered.yaml")).unwrap();
    let place = "chart/templates/engine.yaml:15:44: error[discovery-label-value]";
    let piped = kvlint_with_input(&literal, &["--format", "concise", "--chart", "chart", "-"], &rendered);
    assert!(piped.out.starts_with(place), "{}{}", piped.out, piped.err);
    let alone = kvlint_with_input(&literal, &["--format", "concise", "-"], &rendered);
    assert!(alone.out.starts_with("<stdin>:15:44: error[discovery-label-value]"), "{}", alone.out);
    // What `helm template --output-dir` writes.
    let top = folder(&[("out/engine/templates/engine.yaml", &rendered)]);
    let chart = literal.join("chart");
    let ran = kvlint(top.path(), &["--format", "concise", "--chart", chart.to_str().unwrap(), "out"]);
    assert!(ran.out.contains("templates/engine.yaml:15:44: error[discovery-label-value]"), "{}", ran.out);
    let wrong = kvlint(top.path(), &["--chart", "out", "out"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("no Helm chart"), "{}", wrong.err);
}

#[test]
fn a_line_of_a_text_among_the_values_is_shown_there() {
    helm_or_return!(helm, "lines of values");
    let text = POD.replace("{{ .Values.label | quote }}", "\"yes\"").replace("{{ .Values.port }}", "5557");
    let value: String = text.lines().map(|line| format!("  {line}\n")).collect();
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        ("chart/values.yaml", &format!("pod: |\n{value}")),
        ("chart/templates/pod.yaml", "{{- .Values.pod }}\n"),
    ]);
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "json", "chart"]);
    assert_eq!(found(&ran, "discovery-label-value")[0].0, "chart/values.yaml:8:42");
}

/// The same lines in two branches, of which the text does not tell which was taken.
fn twice() -> String {
    let text = POD.replace("{{ .Values.label | quote }}", "\"yes\"").replace("{{ .Values.port }}", "5557");
    format!("{{{{- if eq .Release.Name (printf \"%s\" \"demo\") }}}}\n{text}{{{{- else }}}}\n{text}{{{{- end }}}}\n")
}

#[test]
fn a_line_that_can_not_be_found_is_not_made_up() {
    let text = POD.replace("{{ .Values.label | quote }}", "\"yes\"").replace("{{ .Values.port }}", "5557");
    let rendered = format!("---\n# Source: engine/templates/pod.yaml\n{text}");
    let top =
        folder(&[("chart/Chart.yaml", CHART), ("chart/templates/pod.yaml", &twice()), ("rendered.yaml", &rendered)]);
    let ran = kvlint(top.path(), &["--format", "json", "rendered.yaml", "--chart", "chart"]);
    assert_eq!(found(&ran, "discovery-label-value")[0].0, "rendered.yaml:9:40", "either branch may have made it");
}

#[test]
fn marks_tell_which_of_two_equal_branches_was_taken() {
    helm_or_return!(helm, "marks in templates");
    let top = folder(&[("chart/Chart.yaml", CHART), ("chart/templates/pod.yaml", &twice())]);
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "json", "chart"]);
    assert_eq!(found(&ran, "discovery-label-value")[0].0, "chart/templates/pod.yaml:26:40");
}

#[test]
fn a_packed_dependency_is_shown_with_the_key_that_sets_it() {
    helm_or_return!(helm, "packed dependencies");
    let top = folder(&[
        (
            "chart/Chart.yaml",
            "apiVersion: v2\nname: stack\nversion: 0.1.0\ndependencies: [{name: engine, version: 0.1.0}]\n",
        ),
        ("chart/values.yaml", "engine:\n  port: 6000\n"),
    ]);
    std::fs::create_dir_all(top.path().join("chart/charts")).unwrap();
    let packed = pack(&[
        ("engine/Chart.yaml", CHART),
        ("engine/values.yaml", "port: 5557\nlabel: \"yes\"\n"),
        ("engine/templates/pod.yaml", POD),
    ]);
    std::fs::write(top.path().join("chart/charts/engine-0.1.0.tgz"), packed).unwrap();
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "json", "chart"]);
    let (at, related) = found(&ran, "port-not-dialled").remove(0);
    assert_eq!(at, "chart/values.yaml:2:9");
    assert_eq!(related[0].0, "chart/charts/engine-0.1.0.tgz:templates/pod.yaml:14:86");
    assert_eq!(found(&ran, "discovery-label-value")[0].0, "chart/charts/engine-0.1.0.tgz:values.yaml:2:8");
    assert!(
        notes(&ran, "discovery-label-value")[0].iter().any(|n| n.contains("set below `engine` in chart/values.yaml"))
    );
}

fn pack(files: &[(&str, &str)]) -> Vec<u8> {
    let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(gz);
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

#[test]
fn settings_reach_the_templates() {
    helm_or_return!(helm, "settings of a release");
    let template = "apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  containers:
    - name: v{{ .Capabilities.KubeVersion.Minor }}-{{ .Capabilities.APIVersions.Has \"example.com/v1\" }}
      image: vllm/vllm-openai:v0.12.0
";
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        ("chart/templates/pod.yaml", template),
        (
            "kvlint.yaml",
            "helm: {release: demo, namespace: models, kube_version: 1.29.0, api_versions: [example.com/v1]}\n",
        ),
    ]);
    let ran = kvlint(top.path(), &["units", "--helm", helm, "chart"]);
    assert!(ran.out.contains("Pod/models/demo, container v29-true"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("chart/templates/pod.yaml:8:13"), "{}", ran.out);
}

#[test]
fn nothing_is_written_into_a_chart_and_nothing_is_left() {
    helm_or_return!(helm, "what a run leaves");
    let top = folder(&[
        (
            "chart/Chart.yaml",
            "apiVersion: v2\nname: engine\nversion: 0.1.0\ndependencies: [{name: redis, version: 1.0.0, repository: \"https://example.invalid\"}]\n",
        ),
        ("chart/values.yaml", "port: 6000\nlabel: \"yes\"\n"),
        ("chart/templates/pod.yaml", POD),
    ]);
    let temporary = tempfile::tempdir().unwrap();
    let list = |folder: &Path| {
        let mut all: Vec<PathBuf> =
            walkdir::WalkDir::new(folder).into_iter().map(|e| e.unwrap().path().into()).collect();
        all.sort();
        all
    };
    let before = list(top.path());
    let words = ["--helm", helm, "--format", "json", "chart"];
    let ran = run(command(&top, &words).env("TMPDIR", temporary.path()));
    assert_eq!(found(&ran, "chart-dependency-missing")[0].0, "chart/Chart.yaml:4:23");
    assert_eq!(found(&ran, "port-not-dialled")[0].0, "chart/values.yaml:1:7", "the rest is linted all the same");
    assert_eq!(list(top.path()), before);
    assert_eq!(list(temporary.path()).len(), 1, "helm's home is gone");
}

#[test]
fn charts_that_mean_harm_do_none() {
    helm_or_return!(helm, "charts that mean harm");
    let named = "apiVersion: v2\nname: \"e\\e[31mvil\\n\"\nversion: 0.1.0\n";
    let top = folder(&[
        ("name/Chart.yaml", named),
        ("name/templates/a.yaml", "apiVersion: v1\nkind: Pod\n"),
        ("out/Chart.yaml", CHART),
        ("out/charts/x.txt", ""),
        (
            "dots/Chart.yaml",
            "apiVersion: v2\nname: a\nversion: 0.1.0\ndependencies: [{name: \"../../etc\", version: 1.0.0, repository: \"file://../../etc\"}]\n",
        ),
        ("dots/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
        ("deep/Chart.yaml", CHART),
        ("deep/templates/a.yaml", "{{- define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}\n"),
    ]);
    let escaped = kvlint(top.path(), &["--helm", helm, "name"]);
    assert!(!escaped.out.contains('\u{1b}') && !escaped.err.contains('\u{1b}'), "{:?}{:?}", escaped.out, escaped.err);
    std::fs::write(top.path().join("out/charts/evil.tgz"), pack_raw("evil/../../../tmp/kvlint-evil")).unwrap();
    let ran = kvlint(top.path(), &["--helm", helm, "out"]);
    assert!(ran.err.contains("leads out of the archive") && ran.code == Some(2), "{}{}", ran.out, ran.err);
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "concise", "dots"]);
    assert!(ran.out.contains("[chart-dependency-missing]"), "{}{}", ran.out, ran.err);
    let ran = kvlint(top.path(), &["--helm", helm, "--format", "concise", "deep"]);
    assert!(ran.out.contains("[chart-does-not-render]"), "{}{}", ran.out, ran.err);
}

/// An archive with one file of a name that no honest program writes.
fn pack_raw(name: &str) -> Vec<u8> {
    let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(gz);
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    builder.append(&header, std::io::empty()).unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}

#[test]
fn a_helm_that_is_not_there_is_an_error_and_none_at_all_a_note() {
    let folder = project("chart-value");
    let ran = kvlint(&folder, &["--helm", "/no/such/helm", "chart"]);
    assert!(ran.err.contains("/no/such/helm") && ran.code == Some(2), "{}", ran.err);
    let ran = kvlint(&folder, &["."]);
    assert!(ran.out.contains("install helm, or lint `helm template"), "{}", ran.out);
}

#[test]
fn files_of_a_chart_are_checked_without_helm() {
    let top = folder(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: engine\nname: again\nversion: 0.1.0\n"),
        ("chart/values.yaml", "a: [1\nb: 2\n"),
        ("chart/values.schema.json", "{\"type\": \"object\"\n"),
        ("chart/ci/one-values.yaml", "a: \"x\n"),
        ("chart/crds/a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, name: b}\n"),
        ("chart/templates/plain.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: c, name: d}\n"),
        ("chart/templates/pod.yaml", "a: {{ b: }} c\n"),
    ]);
    let ran =
        kvlint(top.path(), &["--helm", "never", "--format", "json", "chart", "--select", "duplicate-key,yaml-syntax"]);
    let places: Vec<String> =
        findings(&ran).iter().map(|d| format!("{} {}", place(d), d["rule"].as_str().unwrap())).collect();
    assert_eq!(
        places,
        [
            "chart/Chart.yaml:3:1 duplicate-key",
            "chart/ci/one-values.yaml:1:4 yaml-syntax",
            "chart/crds/a.yaml:3:21 duplicate-key",
            "chart/templates/plain.yaml:3:21 duplicate-key",
            "chart/values.schema.json:1:1 yaml-syntax",
            "chart/values.yaml:1:4 yaml-syntax",
        ]
    );
}

#[test]
fn output_does_not_depend_on_threads() {
    helm_or_return!(helm, "output and threads");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/projects");
    let charts: Vec<String> = ["value", "helper", "range", "subchart"].map(|n| format!("chart-{n}/chart")).to_vec();
    let run = |threads: &str| {
        let mut arguments = vec!["--helm", helm, "--format", "json", "--threads", threads];
        arguments.extend(charts.iter().map(String::as_str));
        kvlint(&root, &arguments).out
    };
    assert_eq!(run("1"), run("7"));
}
