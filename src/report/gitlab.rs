//! GitLab's Code Quality report: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.

use std::io::{self, Write};

use serde::Serialize;

use super::{OFF_CHANGED_LINES, Report};

use crate::display::visible;
use crate::lint::{self, Severity};

#[derive(Serialize)]
struct Violation {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    /// From the top of the repository.
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = report.all().zip(report.fingerprints());
    let violations: Vec<Violation> = all
        .filter(|((_, standing), _)| standing.in_baseline != Some(true))
        .map(|((diagnostic, standing), fingerprint)| {
            let span = diagnostic.primary.span;
            let file = report.sources.file(span.file);
            let aside = if standing.counts() { String::new() } else { format!(" ({OFF_CHANGED_LINES})") };
            let help = diagnostic.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
            Violation {
                description: format!("{}{help}{aside}", diagnostic.message),
                check_name: diagnostic.rule,
                fingerprint,
                severity: match diagnostic.severity {
                    _ if !standing.counts() => "info",
                    Severity::Error => "major",
                    Severity::Warning => "minor",
                    Severity::Info => "info",
                },
                location: Location {
                    path: lint::relative(&report.folder.join(file.path()), &report.top),
                    lines: Lines { begin: file.line_column(span.start).line, end: file.line_column(span.end).line },
                },
            }
        })
        .collect();
    writeln!(out, "{}", visible::json(serde_json::to_string_pretty(&violations)?))
}
