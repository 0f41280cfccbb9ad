//! `path:line:col: error[rule] message`, one line a finding.

use std::io::{self, Write};

use super::{OFF_CHANGED_LINES, Report, Style};

use crate::display::{shown, visible};

pub(super) fn write(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for (diagnostic, standing) in report.findings() {
        let span = diagnostic.primary.span;
        let path = shown(report.sources.file(span.file).path());
        let at = report.sources.line_column(span);
        let tag = format!("{}[{}]", diagnostic.severity, diagnostic.rule);
        let tag = if standing.counts() { style.severity(diagnostic.severity, &tag) } else { style.faint(&tag) };
        let message = visible::line(&diagnostic.message);
        let aside = if standing.counts() { String::new() } else { format!(" ({OFF_CHANGED_LINES})") };
        writeln!(out, "{}:{}:{}: {tag} {message}{aside}", visible::line(&path), at.line, at.column)?;
    }
    Ok(())
}
