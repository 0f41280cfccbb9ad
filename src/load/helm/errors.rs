//! What helm says when a chart does not render, as findings with a place.

use std::sync::LazyLock;

use regex::Regex;

use super::binary::RunError;
use super::chart::Chart;
use super::sets::ValuesSet;
use super::units::file_grip;
use crate::source::{SourceFile, Span};
use crate::yaml::{self, Node};

/// Something that keeps a chart from being rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartProblem {
    /// The bytes to mend.
    pub span: Span,
    /// What helm says, without the places in it.
    pub message: String,
    /// Places on the way to it.
    pub related: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
    /// The values sets that it happens with; empty where it happens with all.
    pub sets: Vec<String>,
}

impl ChartProblem {
    fn at(span: Span, message: impl Into<String>) -> ChartProblem {
        ChartProblem { span, message: message.into(), related: Vec::new(), help: None, sets: Vec::new() }
    }
}

/// `chart/templates/x.yaml:12:5`, in all the forms in which helm writes it.
static PLACE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"([^\s:()<>]+/templates/[^\s:()<>]+):(\d+)(?::(\d+))?").ok());

/// `at <.Values.a.b>: `, which stands before what is wrong with the expression; helm 4 goes on in the next line.
static EXPRESSION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"at <((?:[^>]|>[^:])*)>:\s+").ok());

/// A line of a schema error: `- a.b: …` (gojsonschema), `- at '/a/b': …` (since 3.18).
static SCHEMA: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\s*- (?:at '([^']*)'|([^:\s]+)): (.*)$").ok());

/// `chart.metadata.version "x" is invalid`: what helm asks of Chart.yaml.
static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"chart\.metadata\.([A-Za-z]+)").ok());

/// What helm writes before the lines about a schema.
const SCHEMA_HEAD: &str = "values don't meet the specifications of the schema(s)";

/// What helm writes before the template that renders to no YAML.
pub(super) const BAD_YAML: &str = "YAML parse error on";

/// Turns a failed run into problems. None where the chart's own files have a mistake that is reported anyway.
pub fn explain(error: &RunError, chart: &Chart, set: &ValuesSet) -> Vec<ChartProblem> {
    let message = match error {
        RunError::Failed { message, .. } => message.as_str(),
        RunError::TooSlow(limit) => {
            let mut problem = ChartProblem::at(chart.grip, format!("helm did not end within {limit:?}"));
            problem.help = Some("raise `helm.timeout` in kvlint.yaml if the chart is meant to take that long".into());
            return vec![problem];
        }
        RunError::TooMuch(limit) => {
            return vec![ChartProblem::at(chart.grip, format!("helm printed more than {} MiB", limit >> 20))];
        }
        // It is about no chart, and told where files are that are not analysed.
        RunError::Unusable(_) => return Vec::new(),
    };
    let message = said(message);
    if let Some(rest) = message.strip_prefix(SCHEMA_HEAD) {
        let problems = schema(rest, chart, set);
        // A schema that is no JSON is reported in its place.
        let told = chart.schema.iter().any(|source| is_broken(source)) && problems.iter().all(|p| p.related.is_empty());
        return if told { Vec::new() } else { problems };
    }
    let unreadable = message.starts_with("cannot load") || message.starts_with("failed to parse");
    if unreadable && own_texts(chart, set).any(is_broken) {
        return Vec::new();
    }
    // A definition that is not there, of a chart that is not there either, which is told.
    if message.contains("no template \"") && chart.all().iter().any(|chart| !chart.missing.is_empty()) {
        return Vec::new();
    }
    vec![in_template(&message, chart).or_else(|| of_template(&message, chart)).unwrap_or_else(|| {
        let mut problem = ChartProblem::at(metadata_span(&message, chart).unwrap_or(chart.grip), first_line(&message));
        problem.help = advice(&message);
        problem
    })]
}

/// helm's message without `Error: ` and the advice after it; warnings stand on lines of their own.
fn said(message: &str) -> String {
    let at = message.find("Error: ").map_or(0, |i| i + "Error: ".len());
    let text = &message[at..];
    let end = text.find("\n\nUse --debug flag").unwrap_or(text.len());
    text[..end].trim().to_string()
}

fn first_line(message: &str) -> String {
    message.lines().find(|l| !l.trim().is_empty()).unwrap_or("helm gives no reason").trim().to_string()
}

/// The value in Chart.yaml that a message is about.
fn metadata_span(message: &str, chart: &Chart) -> Option<Span> {
    let named = FIELD.as_ref().and_then(|field| field.captures(message)).and_then(|found| found.get(1));
    let key = match named {
        Some(name) => name.as_str(),
        None if message.contains("kubeVersion") => "kubeVersion",
        None => return None,
    };
    let document = yaml::parse(&chart.metadata).documents.into_iter().next()?.content.ok()?;
    let entry = document.root().entry(key)?;
    Some(if entry.value.span().is_empty() { entry.key.span() } else { entry.value.grip() })
}

/// What a person does about some messages.
fn advice(message: &str) -> Option<String> {
    let words = if message.contains("incompatible with Kubernetes") {
        "set `helm.kube_version` in kvlint.yaml to the version of your clusters"
    } else if message.contains("--set data") {
        "helm reads `--set` as `key=value`, with `\\` before a comma or point that is meant"
    } else {
        return None;
    };
    Some(words.into())
}

fn own_texts<'c>(chart: &'c Chart, set: &'c ValuesSet) -> impl Iterator<Item = &'c SourceFile> {
    let own = chart.all().into_iter().flat_map(|c| [Some(&c.metadata), c.values.as_ref(), c.schema.as_ref()]);
    own.flatten().chain(&set.files).map(AsRef::as_ref)
}

fn is_broken(source: &SourceFile) -> bool {
    if source.path().extension().is_some_and(|end| end == "json") {
        return serde_json::from_str::<serde::de::IgnoredAny>(source.text()).is_err();
    }
    // A copy, for trees hold their source; nothing of it is kept.
    let source = std::sync::Arc::new(SourceFile::new(source.id(), source.path(), source.text()));
    yaml::parse(&source).documents.iter().any(|d| d.content.is_err())
}

/// An error with places in templates: the innermost is where it happens, the others lead there.
fn in_template(message: &str, chart: &Chart) -> Option<ChartProblem> {
    let expression = EXPRESSION.as_ref().and_then(|e| e.captures_iter(message).last());
    let mut places: Vec<(Span, usize)> = Vec::new();
    for found in PLACE.as_ref()?.captures_iter(message) {
        let (Some(path), Some(line)) = (found.get(1), found.get(2)) else { continue };
        let Some(file) = chart.find(path.as_str()).and_then(|p| p.file) else { continue };
        let line = line.as_str().parse::<usize>().ok()?.checked_sub(1)?;
        let Some(line) = file.source.line_span(line) else { continue };
        let column = found.get(3).and_then(|c| c.as_str().parse::<u32>().ok());
        // Each place is followed by its own expression.
        let after = message.get(found.get(0)?.end()..).unwrap_or_default();
        let own = EXPRESSION.as_ref().and_then(|e| e.captures(after)).and_then(|c| c.get(1));
        let span = expression_span(&file.source, line, column, own.map(|m| m.as_str()));
        places.push((span, found.get(0)?.end()));
    }
    let (span, end) = places.pop()?;
    let start = expression.and_then(|e| e.get(0)).map_or(0, |m| m.end()).max(end);
    let text = message.get(start..).unwrap_or_default().trim_start_matches([')', ':', ' ', ',']);
    let text = if text.is_empty() { message } else { text };
    let mut problem = ChartProblem::at(span, first_line(text));
    problem.related = places
        .into_iter()
        .map(|(span, _)| (span, "on the way there".to_string()))
        .filter(|(place, _)| *place != span)
        .collect();
    problem.related.dedup();
    Some(problem)
}

/// An error about what a template renders to, with no place in the template.
fn of_template(message: &str, chart: &Chart) -> Option<ChartProblem> {
    let (path, said) = message.strip_prefix(BAD_YAML)?.trim_start().split_once(": ")?;
    let file = chart.find(path).and_then(|place| place.file)?;
    let said = said.strip_prefix("error converting YAML to JSON: ").unwrap_or(said);
    Some(ChartProblem::at(
        file_grip(&file.source),
        format!("what this template renders to is refused: {}", first_line(said)),
    ))
}

/// The bytes of an expression that helm names by its line, a column that lies in it, and its text as Go prints it.
fn expression_span(source: &SourceFile, line: Span, column: Option<u32>, expression: Option<&str>) -> Span {
    let text = source.slice(line);
    let column = column.unwrap_or(0);
    if let Some(expression) = expression.filter(|e| !e.is_empty()) {
        let found = text.match_indices(expression).map(|(i, _)| i as u32);
        let len = expression.len() as u32;
        if let Some(start) =
            found.min_by_key(|&i| if i <= column && column <= i + len { 0 } else { i.abs_diff(column) })
        {
            return Span::new(line.file, line.start + start, line.start + start + len);
        }
    }
    // Else the action around the column, else the line.
    let before = text.get(..(column as usize).min(text.len())).unwrap_or(text);
    let open = before.rfind("{{");
    let close = open.and_then(|open| text[open..].find("}}").map(|close| open + close + 2));
    let (start, end) = match (open, close) {
        (Some(open), Some(close)) if column > 0 && close > before.len() => (open, close),
        _ => (text.len() - text.trim_start().len(), text.trim_end().len()),
    };
    Span::new(line.file, line.start + start as u32, line.start + end.max(start) as u32)
}

/// Violations of schemas: a head line names the chart, each line below it a value.
fn schema(message: &str, chart: &Chart, set: &ValuesSet) -> Vec<ChartProblem> {
    let mut problems = Vec::new();
    let mut keys: Vec<&str> = Vec::new();
    for line in message.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|l| !l.trim_start().starts_with('-') && !l.contains(' ')) {
            keys = way_to(chart, name).unwrap_or_default();
            continue;
        }
        let Some(found) = SCHEMA.as_ref().and_then(|s| s.captures(line)) else { continue };
        let text = found.get(3).map_or("", |m| m.as_str());
        let mut path: Vec<String> = keys.iter().map(|k| (*k).to_string()).collect();
        match (found.get(1), found.get(2)) {
            (Some(pointer), _) => path.extend(pointer.as_str().split('/').filter(|s| !s.is_empty()).map(unescape)),
            (_, Some(dotted)) if dotted.as_str() != "(root)" => {
                path.extend(dotted.as_str().split('.').map(str::to_string));
            }
            _ => {}
        }
        let name = if path.is_empty() { "the values".to_string() } else { format!("`{}`", path.join(".")) };
        // What must not be there is named in the text alone.
        let named = text.strip_prefix("Additional property ").and_then(|t| t.split(' ').next());
        let span = value_span(chart, set, &path, named).unwrap_or(chart.grip);
        let mut problem = ChartProblem::at(span, format!("{name}: {text}"));
        if let Some(schema) = &chart.schema {
            problem.related.push((Span::new(schema.id(), 0, 0), "the schema asks for it".into()));
        }
        problems.push(problem);
    }
    if problems.is_empty() {
        // A schema that is none: the reason stands behind the list of charts, without a place.
        let reasons = message.lines().map(str::trim).filter(|line| !line.is_empty());
        let reason = reasons.filter(|line| {
            !line.starts_with("in the following chart(s)") && way_to(chart, line.trim_end_matches(':')).is_none()
        });
        let reason = reason.collect::<Vec<_>>().join(" ");
        let span = chart.schema.as_ref().map_or(chart.grip, |schema| file_grip(schema));
        problems.push(ChartProblem::at(span, if reason.is_empty() { SCHEMA_HEAD.into() } else { reason }));
    }
    problems
}

fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// The keys that lead to a chart's values.
fn way_to<'c>(chart: &'c Chart, name: &str) -> Option<Vec<&'c str>> {
    if chart.name == name {
        return Some(Vec::new());
    }
    chart.children.iter().find_map(|child| {
        let mut keys = way_to(&child.chart, name).or_else(|| (child.name == name).then(Vec::new))?;
        keys.insert(0, &child.name);
        Some(keys)
    })
}

/// The place of a value: in the last file of the set that has it, else in values.yaml.
fn value_span(chart: &Chart, set: &ValuesSet, path: &[String], also: Option<&str>) -> Option<Span> {
    let files = set.files.iter().rev().chain(chart.values.as_ref());
    for source in files {
        let Some(document) = yaml::parse(source).documents.into_iter().next() else { continue };
        let Ok(tree) = &document.content else { continue };
        let step = |node: Node<'_>, part: &str| -> Option<yaml::NodeId> {
            match part.parse::<usize>() {
                Ok(index) if node.is_sequence() => node.items().get(index).map(|n| n.id()),
                _ => node.get(part).map(|n| n.id()),
            }
        };
        let mut id = Some(tree.root().id());
        let mut key = None;
        for part in path.iter().map(String::as_str).chain(also) {
            let node = id.map(|id| tree.node(id));
            key = node.and_then(|n| n.entry(part)).map(|e| e.key.span());
            id = node.and_then(|n| step(n, part));
        }
        let Some(node) = id.map(|id| tree.node(id)) else { continue };
        // A mapping is held by its key.
        return Some(if also.is_some() || node.text().is_none() {
            key.unwrap_or_else(|| node.grip())
        } else {
            node.span()
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    /// What is under each problem, and its message.
    fn explained(files: &[(&str, &str)], message: &str) -> Vec<(String, String)> {
        let top = tempfile::tempdir().unwrap();
        let chart = ("Chart.yaml", "apiVersion: v2\nname: stack\nversion: 0.1.0\n");
        for (name, text) in std::iter::once(&chart).chain(files) {
            let path = top.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut sources = SourceMap::new();
        let inside = [std::fs::canonicalize(top.path()).unwrap()];
        let chart = Chart::read(top.path(), &inside, &mut sources).unwrap();
        let set = ValuesSet { name: "default".into(), files: Vec::new(), set: Vec::new() };
        let error = RunError::Failed { message: message.into(), output: String::new() };
        let shown = |p: ChartProblem| {
            let file = sources.file(p.span.file);
            let name = file.path().strip_prefix(top.path()).unwrap().display().to_string();
            let line = file.line_column(p.span.start).line;
            (format!("{name}:{line} {}", file.slice(p.span)), p.message)
        };
        explain(&error, &chart, &set).into_iter().map(shown).collect()
    }

    #[track_caller]
    fn one(files: &[(&str, &str)], message: &str, under: &str, said: &str) {
        assert_eq!(explained(files, message), [(under.to_string(), said.to_string())]);
    }

    const ENGINE: (&str, &str) = ("charts/engine/Chart.yaml", "apiVersion: v2\nname: engine\nversion: 0.1.0\n");

    #[test]
    fn a_schema_of_either_release_leads_to_the_value() {
        let values = ("values.yaml", "engine:\n  ports: [1, x]\nmore: 1\n");
        let old = "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nengine:\n\
                   - ports.1: Invalid type. Expected: integer, given: string\n";
        one(
            &[values, ENGINE],
            old,
            "values.yaml:2 x",
            "`engine.ports.1`: Invalid type. Expected: integer, given: string",
        );
        let new = "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nstack:\n\
                   - at '/engine/ports/1': got string, want integer\n";
        one(&[values, ENGINE], new, "values.yaml:2 x", "`engine.ports.1`: got string, want integer");
        let extra = "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nstack:\n\
                     - (root): Additional property more is not allowed\n";
        one(&[values, ENGINE], extra, "values.yaml:3 more", "the values: Additional property more is not allowed");
    }

    #[test]
    fn helm_4_writes_the_same_over_several_lines() {
        let files = [("templates/a.yaml", "a: 1\nb: {{ .Values.a.b.c }}\n")];
        let said = "Error: stack/templates/a.yaml:2:13\n  executing \"stack/templates/a.yaml\" at <.Values.a.b.c>:\n    nil pointer \
                    evaluating interface {}.c\n\nUse --debug flag to render out invalid YAML\n";
        let nil = "nil pointer evaluating interface {}.c";
        one(&files, said, "templates/a.yaml:2 .Values.a.b.c", nil);
        let files = [
            ("templates/a.yaml", "a: {{ include \"x\" . }}\n"),
            ("templates/_x.tpl", "{{- define \"x\" }}{{ .Values.a.b.c }}{{- end }}\n"),
        ];
        let said = "Error: stack/templates/a.yaml:1:6\n  executing \"stack/templates/a.yaml\" at <include \"x\" .>:\n    error \
                    calling include:\nstack/templates/_x.tpl:1:31\n  executing \"x\" at <.Values.a.b.c>:\n    nil pointer evaluating \
                    interface {}.c\n";
        one(&files, said, "templates/_x.tpl:1 .Values.a.b.c", nil);
    }

    #[test]
    fn what_helm_asks_of_chart_yaml_is_shown_at_the_key() {
        let chart = |more: &'static str| [("values.yaml", ""), ("Chart.yaml", more)];
        for (text, said, under) in [
            (
                "name: stack\nversion: x.y\n",
                "validation: chart.metadata.version \"x.y\" is invalid",
                "Chart.yaml:2 x.y",
            ),
            (
                "name: stack\ntype: app\n",
                "validation: chart.metadata.type must be application or library",
                "Chart.yaml:2 app",
            ),
            (
                "name: stack\nkubeVersion: '>=1.99'\n",
                "chart requires kubeVersion: >=1.99 which is incompatible with Kubernetes v1.32.0",
                "Chart.yaml:2 '>=1.99'",
            ),
            ("name: stack\n", "validation: chart.metadata.version is required", "Chart.yaml:1 stack"),
        ] {
            one(&chart(text), &format!("Error: {said}\n"), under, said);
        }
    }

    #[test]
    fn a_schema_that_is_none_keeps_its_reason() {
        let files = [("values.yaml", "a: 1\n"), ("values.schema.json", "{\"type\": 3}\n")];
        let said = "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nstack:\n\
                    has a primitive type that is NOT VALID -- given: /3/\n";
        let reason = "has a primitive type that is NOT VALID -- given: /3/";
        one(&files, said, "values.schema.json:1 {\"type\": 3}", reason);
        // What is no JSON is reported with the file.
        assert_eq!(explained(&[("values.schema.json", "{type: 3}\n")], said), []);
    }

    #[test]
    fn the_innermost_place_counts() {
        let files = [
            ("templates/a.yaml", "a: 1\nb: {{ include \"x\" . }}\n"),
            ("templates/_x.tpl", "{{- define \"x\" }}\n{{ .Values.a.b }} {{ .Values.a.bc }}\n{{- end }}\n"),
        ];
        let message = "Error: template: stack/templates/a.yaml:2:6: executing \"stack/templates/a.yaml\" at <include \"x\" .>: \
                       error calling include: template: stack/templates/_x.tpl:2:29: executing \"x\" at <.Values.a.bc>: \
                       nil pointer evaluating interface {}.bc\n\nUse --debug flag to render out invalid YAML\n";
        one(&files, message, "templates/_x.tpl:2 .Values.a.bc", "nil pointer evaluating interface {}.bc");
        let required = "Error: execution error at (stack/templates/a.yaml:2:6): name the model\n";
        one(&files, required, "templates/a.yaml:2 {{ include \"x\" . }}", "name the model");
        let parse = "Error: parse error at (stack/templates/a.yaml:2): unclosed action\n";
        one(&files, parse, "templates/a.yaml:2 b: {{ include \"x\" . }}", "unclosed action");
    }

    #[test]
    fn what_has_no_place_is_about_the_chart() {
        let old = "Error: chart requires kubeVersion: >=1.99 which is incompatible with Kubernetes v1.32.0\n";
        one(&[], old, "Chart.yaml:2 stack", old.strip_prefix("Error: ").unwrap().trim());
        one(&[], "", "Chart.yaml:2 stack", "helm gives no reason");
        assert_eq!(explained(&[("values.yaml", "a: [\n")], "Error: cannot load values.yaml: yaml: line 1\n"), []);
    }

    proptest::proptest! {
        /// Whatever helm says, there is a problem with a place in the chart.
        #[test]
        fn any_message_has_a_place(text in "(Error: |at <|>: |stack/templates/a.yaml|:[0-9]{1,3}|- |[a-z./']{0,9}|\n|\u{e9}){0,20}") {
            let _ = explained(&[("templates/a.yaml", "\u{e9}: {{ .x }}\n")], &text);
        }
    }
}
