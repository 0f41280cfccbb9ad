//! What is mended and shown in a chart's values, with a real helm where one is needed.

use std::fs;

use support::{folder, kvlint};

use super::{CHART, POD, find, found, project};

fn copy_of(name: &str) -> tempfile::TempDir {
    let top = tempfile::tempdir().expect("a temporary folder");
    let chart = project(name).join("chart");
    for part in ["Chart.yaml", "values.yaml", "templates/engine.yaml"] {
        let target = top.path().join("chart").join(part);
        fs::create_dir_all(target.parent().expect("a folder")).expect("made");
        fs::copy(chart.join(part), target).expect("copied");
    }
    top
}

#[test]
fn a_value_that_stands_in_several_places_is_mended_once() {
    let Some(helm) = find::helm("fixes of values") else { return };
    let helm = helm.to_str().expect("a path that is text");
    let top = copy_of("chart-value");
    let values = || fs::read_to_string(top.path().join("chart/values.yaml")).expect("it is there");
    let before = values();
    let select = ["--helm", helm, "--unsafe-fixes", "--select", "port-not-dialled,discovery-label-value", "chart"];
    let ran = kvlint(top.path(), &[&["--diff"], &select[..]].concat());
    assert!(ran.out.contains("-  port: 6000\n+  port: 5557\n"), "{}{}", ran.out, ran.err);
    assert_eq!(values(), before);
    let ran = kvlint(top.path(), &[&["--fix"], &select[..]].concat());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert_eq!(values(), before.replace("port: 6000", "port: 5557").replace("label: \"yes\"", "label: \"true\""));
    assert!(!ran.err.contains("ten rounds"), "{}", ran.err);
}

#[test]
fn a_file_of_values_that_is_given_is_mended_where_it_lies() {
    let Some(helm) = find::helm("fixes of given values") else { return };
    let helm = helm.to_str().expect("a path that is text");
    let files = [
        ("chart/Chart.yaml", CHART),
        ("chart/values.yaml", "port: 5557\nlabel: \"true\"\n"),
        ("chart/templates/pod.yaml", POD),
        ("env/prod.yaml", "port: 6001\n"),
        ("chart/env/more.yaml", "label: \"yes\"\n"),
    ];
    let top = folder(&files);
    let given = ["-f", "env/prod.yaml", "-f", "chart/env/more.yaml", "chart"];
    let ran = kvlint(top.path(), &[&["--helm", helm, "--fix", "--unsafe-fixes"], &given[..]].concat());
    assert!(!ran.out.contains("not analysed"), "{}", ran.out);
    let text = |name: &str| fs::read_to_string(top.path().join(name)).expect("it is there");
    assert_eq!(
        (text("env/prod.yaml"), text("chart/env/more.yaml")),
        ("port: 5557\n".into(), "label: \"true\"\n".into())
    );
}

/// A pod with one line of its own.
fn pod(label: &str, image: &str, script: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: phi-4\n  labels:\n    model.aibrix.ai/name: phi-4\n    \
         model.aibrix.ai/kv-events-enabled: {label}\nspec:\n  containers:\n    - name: vllm\n      image: {image}\n      args:\n        \
         - --kv-events-config\n        - {script}\n"
    )
}

const EVENTS: &str = "'{\"enable_kv_cache_events\": true, \"publisher\": \"zmq\"}'";

/// The place of the only finding of a rule, and the places beside it.
#[track_caller]
fn shown(files: &[(&str, &str)], rule: &str) -> Option<(String, Vec<String>)> {
    let helm = find::helm("values behind findings")?;
    let top = folder(files);
    let arguments = ["--helm", helm.to_str().expect("text"), "--format", "json", "chart"];
    let mut findings = found(&kvlint(top.path(), &arguments), rule);
    assert_eq!(findings.len(), 1, "{findings:?}");
    let (place, related) = findings.remove(0);
    Some((place, related.into_iter().map(|(place, _)| place).collect()))
}

#[test]
fn one_of_several_values_is_shown_where_the_values_decide() {
    let chart = format!("{CHART}appVersion: v0.6.1\n");
    for (image, values, want) in [
        ("vllm/vllm-openai:{{ .Values.tag | default .Chart.AppVersion }}", "tag: v0.6.2\n", "chart/values.yaml:1:6"),
        ("vllm/vllm-openai:{{ default \"latest\" .Values.tag }}", "tag: v0.6.2\n", "chart/values.yaml:1:6"),
        ("vllm/vllm-openai:{{ coalesce .Values.none .Values.tag \"v1\" }}", "tag: v0.6.2\n", "chart/values.yaml:1:6"),
    ] {
        let text = pod("\"true\"", image, EVENTS);
        let files = [("chart/Chart.yaml", &*chart), ("chart/values.yaml", values), ("chart/templates/pod.yaml", &text)];
        let Some((place, _)) = shown(&files, "engine-too-old") else { return };
        assert_eq!(place, want, "{image}");
    }
    // Without the value it is the chart's own word, which is named beside the template.
    let text = pod("\"true\"", "vllm/vllm-openai:{{ .Values.tag | default .Chart.AppVersion }}", EVENTS);
    let files =
        [("chart/Chart.yaml", &*chart), ("chart/values.yaml", "tag: \"\"\n"), ("chart/templates/pod.yaml", &text)];
    let Some((place, related)) = shown(&files, "engine-too-old") else { return };
    assert!(place.starts_with("chart/templates/pod.yaml:11:"), "{place}");
    assert_eq!(related, ["chart/Chart.yaml:4:13"]);
}

#[test]
fn a_value_of_several_lines_is_shown_in_its_file() {
    // Long enough for the writer of YAML to fold it.
    let json = "{\"enable_kv_cache_events\": true, \"topic\": \"kv-events of a model with a long name\", \"publisher\": \"zeromq\", \
                \"endpoint\": \"tcp://*:5557\", \"hwm\": 100000, \"max_queue_size\": 100000, \"buffer_steps\": 10000}";
    let values = format!("args:\n  - --kv-events-config\n  - '{json}'\n");
    let text = pod("\"true\"", "vllm/vllm-openai:v0.12.0", "x").replace(
        "      args:\n        - --kv-events-config\n        - x\n",
        "      args:\n        {{- toYaml .Values.args | nindent 8 }}\n",
    );
    let files = [("chart/Chart.yaml", CHART), ("chart/values.yaml", &*values), ("chart/templates/pod.yaml", &text)];
    let Some((place, _)) = shown(&files, "publisher-unknown") else { return };
    assert!(place.starts_with("chart/values.yaml:3:"), "{place}");
    let values = "script: |\n  set -e\n  exec vllm serve m \\\n    --kv-events-config '{\"enable_kv_cache_events\": true, \"publisher\": \"zeromq\"}'\n";
    let text = pod("\"true\"", "vllm/vllm-openai:v0.12.0", "x").replace(
        "      args:\n        - --kv-events-config\n        - x\n",
        "      command: [sh, -c]\n      args:\n        - |\n          {{- .Values.script | nindent 10 }}\n",
    );
    let files = [("chart/Chart.yaml", CHART), ("chart/values.yaml", values), ("chart/templates/pod.yaml", &text)];
    let Some((place, _)) = shown(&files, "publisher-unknown") else { return };
    assert!(place.starts_with("chart/values.yaml:4:"), "{place}");
}

#[test]
fn what_templates_in_files_read_is_read() {
    let files = [
        ("chart/Chart.yaml", CHART),
        ("chart/files/one.yaml", "a: {{ .Values.one }}\n"),
        ("chart/files/many/a.yaml", "b: {{ .Values.two }}\n"),
    ];
    let unread = |template: &str| {
        let more = [("chart/values.yaml", "one: 1\ntwo: 2\nthree: 3\n"), ("chart/templates/a.yaml", template)];
        let top = folder(&[&files[..], &more[..]].concat());
        let ran =
            kvlint(top.path(), &["--helm", "never", "--select", "values-key-unread", "--format", "json", "chart"]);
        found(&ran, "values-key-unread").into_iter().map(|(place, _)| place).collect::<Vec<_>>()
    };
    // A file that the template names is looked into; of others any value may be read.
    let named = "data:\n{{ tpl (.Files.Get \"files/one.yaml\") . | indent 2 }}\n";
    assert_eq!(unread(named), ["chart/values.yaml:2:1", "chart/values.yaml:3:1"]);
    let all = [
        "data:\n{{ tpl ((.Files.Glob \"files/many/*\").AsConfig) . | indent 2 }}\n",
        "data:\n{{ range $path, $_ := .Files.Glob \"files/**\" }}{{ tpl ($.Files.Get $path) $ }}{{ end }}\n",
        "data:\n{{ tpl (.Files.Get (printf \"files/%s\" .Values.one)) . }}\n",
    ];
    for template in all {
        assert!(unread(template).is_empty(), "{template}");
    }
    // A file that is printed and no template reads nothing.
    assert_eq!(unread("data: {{ .Files.Get \"files/one.yaml\" | quote }}\n").len(), 3);
}

#[test]
fn settings_that_helm_refuses_are_mistakes_of_the_settings() {
    let chart = [("chart/Chart.yaml", CHART), ("chart/templates/pod.yaml", "kind: Pod\n")];
    let config = "helm:\n  release: A b\n  kube_version: abc\n  set: [a]\n";
    let top = folder(&[&chart[..], &[("kvlint.yaml", config)]].concat());
    let ran = kvlint(top.path(), &["--helm", "never", "--format", "concise", "chart"]);
    let places: Vec<&str> =
        ran.out.lines().filter(|l| l.contains("config-invalid")).filter_map(|l| l.split(' ').next()).collect();
    assert_eq!(places, ["kvlint.yaml:2:12:", "kvlint.yaml:3:17:", "kvlint.yaml:4:9:"], "{}{}", ran.out, ran.err);
    assert_eq!(ran.code, Some(2));
    let ran = kvlint(top.path(), &["--no-config", "--helm", "never", "--set", "foo", "chart"]);
    assert!(ran.code == Some(2) && ran.err.contains("key `foo` has no value"), "{}", ran.err);
    let ran = kvlint(top.path(), &["--no-config", "--helm", "never", "-f", "nope.yaml", "chart"]);
    assert_eq!((ran.code, ran.err.matches("nope.yaml").count()), (Some(2), 1), "{}", ran.err);
    let ran = kvlint(top.path(), &["--no-config", "--helm", "/nope", "chart"]);
    assert_eq!((ran.code, ran.err.matches("/nope").count()), (Some(2), 1), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn a_helm_that_does_not_run_is_a_failure_of_the_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        ("chart/templates/pod.yaml", "kind: Pod\n"),
        ("broken", "#!/bin/sh\nexec /no/such/program\n"),
        ("silent", "#!/bin/sh\nexit 0\n"),
    ]);
    for name in ["broken", "silent"] {
        let path = top.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let ran = kvlint(top.path(), &["--helm", "./broken", "chart"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("chart: a Helm chart, and helm could not be run: "), "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("does not render"), "{}", ran.out);
    let ran = kvlint(top.path(), &["--helm", "./silent", "chart"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.out.contains("helm prints no object"), "{}{}", ran.out, ran.err);
    let ran = kvlint(top.path(), &["lines", "--helm", "./broken", "chart"]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
}

#[test]
fn a_chart_that_does_not_render_has_no_lines_and_says_why() {
    let Some(helm) = find::helm("lines of a broken chart") else { return };
    let top = folder(&[("chart/Chart.yaml", CHART), ("chart/templates/a.yaml", "a: {{ .Values.a.b.c }}\n")]);
    let ran = kvlint(top.path(), &["lines", "--helm", helm.to_str().expect("text"), "chart"]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("chart/templates/a.yaml:1:7: the chart does not render: nil pointer"), "{}", ran.err);
}

#[test]
fn a_schema_is_read_as_json() {
    let schema = "{\"type\": \"object\",\n \"properties\": {},\n}\n";
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        ("chart/templates/pod.yaml", "kind: Pod\n"),
        ("chart/values.schema.json", schema),
    ]);
    let ran = kvlint(top.path(), &["--helm", "never", "--format", "json", "chart"]);
    assert_eq!(
        found(&ran, "yaml-syntax").iter().map(|f| f.0.as_str()).collect::<Vec<_>>(),
        ["chart/values.schema.json:3:1"]
    );
}

#[test]
fn a_chart_that_is_not_the_one_of_the_input_is_told() {
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        ("chart/templates/pod.yaml", "kind: Pod\n"),
        ("out.yaml", "---\n# Source: other/templates/pod.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"),
    ]);
    let ran = kvlint(top.path(), &["--chart", "chart", "out.yaml"]);
    assert!(
        ran.out.contains("not analysed: chart: no `# Source:` of the input is about this chart"),
        "{}{}",
        ran.out,
        ran.err
    );
}
