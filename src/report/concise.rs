//! `path:line:col: error[rule] message`, one line a finding.

use std::io::{self, Write};

use super::{Report, Style, shown, visible};

pub(super) fn write(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for diagnostic in report.diagnostics {
        let span = diagnostic.primary.span;
        let path = shown(report.sources.file(span.file).path());
        let at = report.sources.line_column(span);
        let tag = format!("{}[{}]", diagnostic.severity, diagnostic.rule);
        let tag = style.severity(diagnostic.severity, &tag);
        let message = visible::line(&diagnostic.message);
        writeln!(out, "{}:{}:{}: {tag} {message}", visible::line(&path), at.line, at.column)?;
    }
    Ok(())
}
