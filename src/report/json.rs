//! One JSON document, described by `docs/schema/report-v1.json`. Fields are added within a version, never changed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::Report;

use crate::display::{shown, visible};
use crate::facts;
use crate::lint::baseline::Entry;
use crate::lint::{self, Applicability, Diagnostic, Label, Part, Severity, Standing};
use crate::source::{SourceMap, Span};

/// The version of the document.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    summary: Summary,
    coverage: Counts,
    diagnostics: Vec<Finding<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gone_from_baseline: &'a [Entry],
    not_analysed: Vec<Missed<'a>>,
    failures: Vec<Failure<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
    facts: &'static str,
}

#[derive(Serialize)]
struct Summary {
    exit_code: u8,
    errors: usize,
    warnings: usize,
    infos: usize,
    suppressed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_on_changed_lines: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_baseline: Option<usize>,
    fixed: usize,
    fixable: Fixable,
    rules: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
struct Fixable {
    safe: usize,
    #[serde(rename = "unsafe")]
    risky: usize,
}

#[derive(Serialize)]
struct Counts {
    resources: usize,
    files: usize,
    files_without_objects: usize,
    units: usize,
    not_analysed: usize,
    analysed_in_part: usize,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    severity: Severity,
    message: &'a str,
    #[serde(flatten)]
    primary: Place<'a>,
    related: Vec<Place<'a>>,
    help: Option<&'a str>,
    notes: &'a [String],
    fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_changed_lines: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_baseline: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Mending<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: String,
    span: Bytes,
    start: At,
    end: At,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

/// Byte offsets in the file's text as UTF-8.
#[derive(Serialize)]
struct Bytes {
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct At {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Mending<'a> {
    title: &'a str,
    applicability: Applicability,
    edits: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    replacement: &'a str,
}

#[derive(Serialize)]
struct Missed<'a> {
    path: String,
    reason: &'a str,
    failed: bool,
    in_part: bool,
    folder: bool,
    files: usize,
}

#[derive(Serialize)]
struct Failure<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    message: &'a str,
}

impl<'a> Failure<'a> {
    fn of(failure: &'a lint::Failure) -> Failure<'a> {
        let (rule, unit) = match &failure.part {
            Part::Rule(rule) => (Some(*rule), None),
            Part::Model(unit) => (None, Some(unit.as_str())),
        };
        Failure { rule, unit, message: &failure.message }
    }
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", visible::json(serde_json::to_string_pretty(&document(report))?))
}

fn document<'a>(report: &'a Report<'_>) -> Document<'a> {
    let coverage = report.coverage;
    let unread = coverage.unread().count();
    let mut rules: BTreeMap<&'static str, usize> = BTreeMap::new();
    report.findings().for_each(|(d, _)| *rules.entry(d.rule).or_default() += 1);
    Document {
        version: VERSION,
        tool: Tool { name: "kvlint", version: env!("CARGO_PKG_VERSION"), facts: facts::DATE },
        summary: Summary {
            exit_code: report.exit_code,
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            infos: report.count(Severity::Info),
            suppressed: report.suppressed,
            not_on_changed_lines: report.off_changed_lines(),
            in_baseline: report.in_baseline(),
            fixed: report.fixed,
            fixable: Fixable {
                safe: report.fixable(Applicability::Safe),
                risky: report.fixable(Applicability::Unsafe),
            },
            rules,
        },
        coverage: Counts {
            resources: coverage.resources,
            files: coverage.files,
            files_without_objects: coverage.files_without_objects,
            units: coverage.units,
            not_analysed: unread,
            analysed_in_part: coverage.not_analysed.len() - unread,
        },
        diagnostics: report
            .all()
            .zip(report.fingerprints())
            .map(|((d, standing), print)| finding(d, standing, print, report.sources))
            .collect(),
        gone_from_baseline: report.gone,
        not_analysed: coverage
            .not_analysed
            .iter()
            .map(|n| Missed {
                path: shown(&n.path),
                reason: &n.reason,
                failed: n.failed,
                in_part: n.in_part,
                folder: n.folder,
                files: n.files,
            })
            .collect(),
        failures: report.failures.iter().map(Failure::of).collect(),
    }
}

fn finding<'a>(
    diagnostic: &'a Diagnostic,
    standing: Standing,
    fingerprint: String,
    sources: &SourceMap,
) -> Finding<'a> {
    let labelled = |label: &'a Label| place(label.span, Some(label.text.as_str()), sources);
    Finding {
        rule: diagnostic.rule,
        severity: diagnostic.severity,
        message: &diagnostic.message,
        primary: labelled(&diagnostic.primary),
        related: diagnostic.related.iter().map(labelled).collect(),
        help: diagnostic.help.as_deref(),
        notes: &diagnostic.notes,
        fingerprint,
        on_changed_lines: standing.on_changed_lines,
        in_baseline: standing.in_baseline,
        fix: diagnostic.fix.as_ref().map(|fix| Mending {
            title: &fix.title,
            applicability: fix.applicability,
            edits: fix
                .edits
                .iter()
                .map(|e| Change { place: place(e.span, None, sources), replacement: &e.replacement })
                .collect(),
        }),
    }
}

fn place<'a>(span: Span, label: Option<&'a str>, sources: &SourceMap) -> Place<'a> {
    let file = sources.file(span.file);
    let at = |offset| {
        let place = file.line_column(offset);
        At { line: place.line, column: place.column }
    };
    Place {
        path: shown(file.path()),
        span: Bytes { start: span.start, end: span.end },
        start: at(span.start),
        end: at(span.end),
        label,
    }
}
