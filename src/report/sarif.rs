//! SARIF 2.1.0, for code scanning services. Checked against the standard's schema in `tests/formats.rs`.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::{REPOSITORY, Report, rule_page};

use crate::display::{shown, visible};
use crate::facts;
use crate::lint::{Diagnostic, FINGERPRINT, Fix, Label, Part, RULES, Rule, Severity, Standing};
use crate::source::{FileId, SourceFile, Span};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What relative URIs start from: the top of the repository.
const BASE: &str = "%SRCROOT%";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Value,
    invocations: Value,
    results: Vec<Finding>,
    column_kind: &'static str,
    newline_sequences: [&'static str; 3],
    original_uri_base_ids: Value,
    properties: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<Value>,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Value>,
    partial_fingerprints: HashMap<&'static str, String>,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_offset: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_length: Option<u32>,
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let fingerprints = report.fingerprints();
    let run = Run {
        tool: tool(),
        invocations: invocations(report),
        results: report
            .all()
            .zip(fingerprints)
            .map(|((d, standing), print)| finding(report, d, standing, print))
            .collect(),
        column_kind: "unicodeCodePoints",
        newline_sequences: ["\r\n", "\n", "\r"],
        original_uri_base_ids: json!({ BASE: { "description": { "text": "the top of the repository; the folder that kvlint was run in, where there is none" } } }),
        properties: json!({ "coverage": report.coverage.to_string(), "suppressed": report.suppressed }),
    };
    let document = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] });
    writeln!(out, "{}", visible::json(serde_json::to_string_pretty(&document)?))
}

fn tool() -> Value {
    json!({
        "driver": {
            "name": "kvlint",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": REPOSITORY,
            "properties": { "facts": facts::DATE },
            "rules": RULES.iter().map(descriptor).collect::<Vec<_>>(),
        }
    })
}

fn descriptor(rule: &Rule) -> Value {
    let why = rule.section("Why");
    json!({
        "id": rule.name,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": if why.is_empty() { rule.summary } else { why } },
        "help": { "text": rule.body(), "markdown": rule.body() },
        "helpUri": rule_page(rule.name),
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "tags": [rule.group.as_str(), rule.contract.as_str()],
            "since": rule.since,
        },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// How the run went: what failed, and what was not analysed.
fn invocations(report: &Report<'_>) -> Value {
    let failed = report.failures.iter().map(|failure| {
        let mut notification = json!({ "level": "error", "message": { "text": failure.to_string() } });
        if let Part::Rule(rule) = &failure.part {
            notification["associatedRule"] = json!({ "id": rule });
        }
        notification
    });
    let missed = report.coverage.not_analysed.iter().map(|n| {
        let (uri, relative) = report.uri(&n.path);
        let part = if n.in_part { "analysed in part" } else { "not analysed" };
        json!({
            "level": if n.failed { "error" } else { "note" },
            "message": { "text": format!("{part}: {}: {}", shown(&n.path), n.reason) },
            "locations": [{ "physicalLocation": { "artifactLocation": artifact(uri, relative) } }],
        })
    });
    json!([{
        "executionSuccessful": report.exit_code != 2,
        "exitCode": report.exit_code,
        "toolExecutionNotifications": failed.chain(missed).collect::<Vec<_>>(),
    }])
}

fn artifact(uri: String, relative: bool) -> ArtifactLocation {
    ArtifactLocation { uri, uri_base_id: relative.then_some(BASE) }
}

fn finding(report: &Report<'_>, diagnostic: &Diagnostic, standing: Standing, fingerprint: String) -> Finding {
    let mut text = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!("\nhelp: {help}"));
    }
    for note in &diagnostic.notes {
        text.push_str(&format!("\nnote: {note}"));
    }
    let related = diagnostic.related.iter().enumerate();
    Finding {
        rule_id: diagnostic.rule,
        rule_index: RULES.binary_search_by(|rule| rule.name.cmp(diagnostic.rule)).ok(),
        level: level(diagnostic.severity),
        message: Message { text },
        baseline_state: baseline_state(standing),
        suppressions: standing.in_baseline.map(suppressions),
        locations: [location(report, &diagnostic.primary, None)],
        related_locations: related.map(|(i, label)| location(report, label, Some(i + 1))).collect(),
        fixes: diagnostic.fix.iter().map(|fix| mending(report, fix)).collect(),
        partial_fingerprints: HashMap::from([(FINGERPRINT, fingerprint)]),
    }
}

/// Either all results of a run have this array or none, so it is empty for what the baseline does not list.
/// Source: SARIF 2.1.0, 3.27.23.
fn suppressions(listed: bool) -> Value {
    if listed {
        json!([{ "kind": "external", "status": "accepted", "justification": "listed in the baseline" }])
    } else {
        json!([])
    }
}

/// Only of runs that were measured against something; all results of a run have it or none. Source: SARIF 2.1.0, 3.27.24.
fn baseline_state(standing: Standing) -> Option<&'static str> {
    let measured = standing != Standing::default();
    measured.then_some(if standing.counts() { "new" } else { "unchanged" })
}

/// A fix: what goes away and what comes, file by file.
fn mending(report: &Report<'_>, fix: &Fix) -> Value {
    let mut files: Vec<(FileId, Vec<Value>)> = Vec::new();
    for edit in &fix.edits {
        let replacement = json!({
            "deletedRegion": region(report.sources.file(edit.span.file), edit.span),
            "insertedContent": { "text": edit.replacement },
        });
        match files.iter_mut().find(|(file, _)| *file == edit.span.file) {
            Some((_, replacements)) => replacements.push(replacement),
            None => files.push((edit.span.file, vec![replacement])),
        }
    }
    let change = |(file, replacements): (FileId, Vec<Value>)| {
        let (uri, relative) = report.uri(report.sources.file(file).path());
        json!({ "artifactLocation": artifact(uri, relative), "replacements": replacements })
    };
    json!({
        "description": { "text": fix.title },
        "artifactChanges": files.into_iter().map(change).collect::<Vec<_>>(),
        "properties": { "applicability": fix.applicability },
    })
}

fn region(file: &SourceFile, span: Span) -> Region {
    let (start, end) = (file.line_column(span.start), file.line_column(span.end));
    // Offsets count in the file's own bytes, which a transcoded text does not have.
    let own = file.has_own_bytes();
    Region {
        start_line: start.line,
        start_column: start.column,
        end_line: end.line,
        end_column: end.column,
        byte_offset: own.then_some(span.start),
        byte_length: own.then_some(span.len()),
    }
}

fn location(report: &Report<'_>, label: &Label, id: Option<usize>) -> Location {
    let file = report.sources.file(label.span.file);
    let (uri, relative) = report.uri(file.path());
    Location {
        id,
        physical_location: PhysicalLocation {
            artifact_location: artifact(uri, relative),
            region: region(file, label.span),
        },
        message: (!label.text.is_empty()).then(|| Message { text: label.text.clone() }),
    }
}
