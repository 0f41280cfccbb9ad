//! GitHub workflow commands: `::error file=…,line=…::message` puts an annotation on a pull request.
//!
//! Names and messages come from untrusted files. Every line starts with a command of ours, and line breaks are encoded, so
//! that nothing in them can start another command.

use std::io::{self, Write};

use super::{OFF_CHANGED_LINES, Report, fix_flag};

use crate::display::{shown, visible};
use crate::edit::apply_to;
use crate::fix::diff;
use crate::lint::{Diagnostic, Edit, Fix, Severity, Standing};
use crate::source::{FileId, SourceMap};

/// Lines of a fix that an annotation shows.
const SUGGESTED: usize = 12;

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for (diagnostic, standing) in report.findings() {
        write_one(report, diagnostic, standing, out)?;
    }
    for failure in report.failures {
        writeln!(out, "::error title=kvlint::{}", data(&failure.to_string()))?;
    }
    for missed in report.coverage.not_analysed.iter().filter(|n| n.failed) {
        let path = report.path_from_top(&missed.path);
        writeln!(out, "::error file={},title=kvlint::not analysed: {}", property(&path), data(&missed.reason))?;
    }
    Ok(())
}

fn write_one(report: &Report<'_>, diagnostic: &Diagnostic, standing: Standing, out: &mut dyn Write) -> io::Result<()> {
    let span = diagnostic.primary.span;
    let file = report.sources.file(span.file);
    let (start, end) = (file.line_column(span.start), file.line_column(span.end));
    let command = match diagnostic.severity {
        // It passes, and must not look as if it failed the check.
        _ if !standing.counts() => "notice",
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    write!(
        out,
        "::{command} file={},line={},endLine={}",
        property(&report.path_from_top(file.path())),
        start.line,
        end.line
    )?;
    // GitHub refuses columns where the lines differ.
    if start.line == end.line {
        write!(out, ",col={},endColumn={}", start.column, end.column)?;
    }
    let mut message = diagnostic.message.clone();
    for related in &diagnostic.related {
        let file = report.sources.file(related.span.file);
        let at = file.line_column(related.span.start);
        message.push_str(&format!(
            "\n{}:{}:{}: {}",
            report.path_from_top(file.path()),
            at.line,
            at.column,
            related.text
        ));
    }
    if let Some(help) = &diagnostic.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    for note in &diagnostic.notes {
        message.push_str(&format!("\nnote: {note}"));
    }
    if let Some(fix) = &diagnostic.fix {
        message.push_str(&suggestion(report.sources, fix));
    }
    let aside = if standing.counts() { String::new() } else { format!(" ({OFF_CHANGED_LINES})") };
    writeln!(out, ",title={}::{}", property(&format!("kvlint: {}{aside}", diagnostic.rule)), data(&message))
}

/// A fix as text: annotations hold no more. (Suggestions that can be taken with a click are review comments, which are made
/// through GitHub's API alone.)
fn suggestion(sources: &SourceMap, fix: &Fix) -> String {
    let mut text = format!("\nfix: {} [{}]", fix.title, fix_flag(fix.applicability));
    let mut files: Vec<(FileId, Vec<Edit>)> = Vec::new();
    for edit in &fix.edits {
        match files.iter_mut().find(|(file, _)| *file == edit.span.file) {
            Some((_, edits)) => edits.push(edit.clone()),
            None => files.push((edit.span.file, vec![edit.clone()])),
        }
    }
    for (id, edits) in files {
        let file = sources.file(id);
        let Ok(after) = apply_to(file.text(), &edits) else { continue };
        let lines = diff::changed(file.text(), &after);
        text.push_str(&format!("\n{}:", shown(file.path())));
        for line in lines.iter().take(SUGGESTED) {
            text.push_str(&format!("\n{line}"));
        }
        if lines.len() > SUGGESTED {
            text.push_str("\n…");
        }
    }
    text
}

/// Text after `::`. The log is shown in terminals too, so control characters are made visible.
fn data(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => encoded.push_str("%25"),
            '\r' => encoded.push_str("%0D"),
            '\n' => encoded.push_str("%0A"),
            c => encoded.push(visible::replacement(c).unwrap_or(c)),
        }
    }
    encoded
}

/// A property's value.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_or_message_ends_the_command() {
        assert_eq!(property("a\n::error::x,y%"), "a%0A%3A%3Aerror%3A%3Ax%2Cy%25");
        assert_eq!(data("\u{1b}[2J"), "␛[2J");
        assert_eq!(data("a\r\n::stop-commands::x"), "a%0D%0A::stop-commands::x");
    }
}
