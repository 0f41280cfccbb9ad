//! `kvlint lines`: from recorded output, and against the marks of a real helm.

use std::path::{Path, PathBuf};

use support::{Ran, folder, kvlint};

use super::{CHART, find, project};

/// `path:line` of the template and its helpers for each line, and how certain it is.
fn mapped(ran: &Ran) -> Vec<(String, String)> {
    let rows = ran.out.lines().filter(|line| !line.starts_with("# Source: ") && line.len() > 6);
    rows.filter_map(|row| {
        let (confidence, rest) = row.split_at(6);
        let known = ["high", "medium", "file", "exact", "wrong"].contains(&confidence.trim());
        let place = rest.strip_prefix("  ")?.split("  ").next()?;
        known.then(|| (confidence.trim().to_string(), place.replace("templates/", "")))
    })
    .collect()
}

/// The percentage of high confidence, the marks that agree and those that do not, of each rendering.
fn counts(ran: &Ran) -> Vec<(f64, usize, usize)> {
    let number = |text: &str, before: &str, after: &str| -> Option<f64> {
        let end = text.find(after)?;
        text[..end].rsplit(before).next()?.trim().parse().ok()
    };
    let count = |line: &str| {
        let high = number(line, "high ", " %")?;
        let right = number(line, "markers: ", " right")?;
        Some((high, right as usize, number(line, ", ", " wrong")? as usize))
    };
    ran.out.lines().filter(|line| line.contains(" lines mapped: ")).filter_map(count).collect()
}

#[test]
fn recorded_output_leads_to_the_lines_of_its_templates() {
    for (name, want) in [
        ("chart-literal-text", None),
        ("chart-value", None),
        ("chart-to-yaml", None),
        ("chart-range", None),
        ("chart-helper", Some("1 2 3 4 5 6>2 6>3 7 8 9 10 11 12 13 14 15>11 15>12 15>13 15>14")),
    ] {
        let ran = kvlint(project(name), &["lines", "rendered.yaml", "--chart", "chart"]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let lines = mapped(&ran);
        assert!(lines.len() > 10 && lines.iter().all(|(confidence, _)| confidence == "high"), "{}", ran.out);
        if let Some(want) = want {
            let short = |place: &str| place.replace("engine.yaml:", "").replace("_engine.tpl:", "").replace(" > ", ">");
            assert_eq!(lines.iter().map(|(_, place)| short(place)).collect::<Vec<_>>().join(" "), want);
        }
    }
}

#[test]
fn what_can_not_be_mapped_is_said() {
    let top = folder(&[("pod.yaml", "kind: Pod\n")]);
    let ran = kvlint(top.path(), &["lines", "pod.yaml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("no rendered chart here"), "{}", ran.err);
    // A template that was changed since it was rendered.
    let top = folder(&[
        ("chart/Chart.yaml", CHART),
        ("chart/templates/a.yaml", "kind: Pod\nmetadata:\n  name: after\n"),
        ("out.yaml", "---\n# Source: engine/templates/a.yaml\nkind: Pod\nmetadata:\n  name: before\n"),
    ]);
    let ran = kvlint(top.path(), &["lines", "out.yaml", "--chart", "chart", "--check"]);
    assert!(mapped(&ran).iter().all(|(confidence, _)| confidence != "high"), "{}", ran.out);
    assert!(ran.out.contains("not checked against markers"), "{}", ran.out);
}

/// A chart with what makes mapping hard: several documents, loops, helpers in helpers, blocks, files, a default that values
/// repeat, a checksum, a text in which a comment is a mistake.
const HARD: &[(&str, &str)] = &[
    ("chart/Chart.yaml", CHART),
    (
        "chart/values.yaml",
        "modes: [ReadWriteOnce]\nengines:\n  a: {image: x, env: [{name: A, value: \"1\"}, {name: B, value: \"2\"}]}\n  \
         b: {image: y, env: []}\nsettings: {one: {two: [3, 4]}}\ntext: |\n  first\n  second: line\n",
    ),
    ("chart/files/run.sh", "#!/bin/sh\nkind: Pod\necho \"$1\"\n"),
    (
        "chart/templates/_helpers.tpl",
        "{{- define \"name\" -}}\n{{ printf \"%s-%s\" .Release.Name .Chart.Name | trunc 63 | trimSuffix \"-\" }}\n{{- end }}\n\
         {{ define \"labels\" -}}\napp: {{ include \"name\" . }}\n{{- with .Values.labels }}\n{{ toYaml . }}\n{{- end }}\n\
         tier: backend\n{{- end -}}\n{{ define \"env\" }}\n{{- range . }}\n- name: {{ .name }}\n  value: {{ .value | quote }}\n\
         {{- end }}\n{{- end }}\n",
    ),
    (
        "chart/templates/engines.yaml",
        "{{- $root := . }}\n{{- range $name, $engine := .Values.engines }}\n---\nkind: Pod\nmetadata:\n  name: {{ $name }}\n  \
         labels:\n    {{- include \"labels\" $root | nindent 4 }}\n  annotations:\n    checksum/config: {{ include (print \
         $.Template.BasePath \"/config.yaml\") $root | sha256sum }}\nspec:\n  containers:\n    - name: {{ $name }}\n      \
         image: {{ $engine.image }}\n      {{- if $engine.env }}\n      env:\n        {{- include \"env\" $engine.env | nindent 8 \
         }}\n      {{- else }}\n      env: []\n      {{- end }}\n---\nkind: Service\nmetadata:\n  name: {{ $name }}\n  labels: \
         {{- include \"labels\" $root | nindent 4 }}\n{{- end }}\n",
    ),
    (
        "chart/templates/config.yaml",
        "kind: ConfigMap\nmetadata:\n  name: {{ include \"name\" . }}\ndata:\n  run.sh: |-\n    {{- .Files.Get \"files/run.sh\" | \
         nindent 4 }}\n  settings.yaml: |\n    {{- toYaml .Values.settings | nindent 4 }}\n  text: |\n{{ .Values.text | indent 4 \
         }}\n  modes:\n    {{- if .Values.modes }}\n    {{- toYaml .Values.modes | nindent 4 }}\n    {{- else }}\n    - \
         ReadWriteOnce\n    {{- end }}\n",
    ),
    (
        "chart/templates/folded.yaml",
        "kind: ConfigMap\nmetadata: {name: folded}\ndata:\n  a: first words\n    - and more\n",
    ),
    ("chart/templates/NOTES.txt", "Nothing: {{ include \"name\" . }}\n"),
];

#[test]
fn no_certain_line_is_wrong_and_most_lines_are_certain() {
    let Some(helm) = find::helm("lines checked against marks") else { return };
    let helm = helm.to_str().expect("a path that is text");
    let top = folder(HARD);
    let ran = kvlint(top.path(), &["lines", "--helm", helm, "--check", "chart"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let counts = counts(&ran);
    assert!(matches!(counts.as_slice(), [(high, right, 0)] if *high > 90.0 && *right > 50), "{}", ran.out);
    // What marks prove is said to be so.
    assert!(mapped(&ran).iter().filter(|(confidence, _)| confidence == "exact").count() > 50, "{}", ran.out);
    let mode = mapped(&ran)
        .into_iter()
        .zip(ran.out.lines().filter(|l| !l.starts_with('#')))
        .find(|(_, l)| l.ends_with("- ReadWriteOnce"));
    assert_eq!(mode.expect("the line is there").0, ("exact".to_string(), "config.yaml:13".to_string()));
    // The chart is as it was.
    for (name, text) in HARD {
        assert_eq!(&std::fs::read_to_string(top.path().join(name)).expect("it is there"), *text, "{name}");
    }
}

#[test]
fn the_charts_of_the_corpus_are_mapped() {
    let Some(helm) = find::helm("lines of real charts") else { return };
    let helm = helm.to_str().expect("a path that is text");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    for (chart, values) in [
        ("aibrix/dist/chart", &["", "stable.yaml", "vke.yaml"][..]),
        ("production-stack/helm", &["", "values-example.yaml"][..]),
    ] {
        let folder: PathBuf = corpus.join(chart);
        if !folder.is_dir() {
            eprintln!("skipped: no {}", folder.display());
            continue;
        }
        for file in values {
            let set = if file.is_empty() { vec![] } else { vec!["-f", *file] };
            let ran = kvlint(&folder, &[&["lines", "--helm", helm, "--check", "--summary", "."][..], &set].concat());
            let counts = counts(&ran);
            assert!(
                matches!(counts.as_slice(), [(high, right, 0)] if *high >= 95.0 && *right > 100),
                "{}{}",
                ran.out,
                ran.err
            );
        }
    }
}
