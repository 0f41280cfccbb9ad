//! A comment for a pull request or merge request: a table, details behind each finding, no longer than a comment may be.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{OFF_CHANGED_LINES, Report, Style, rule_page, text};
use crate::display::markup::{code, fenced, plain};
use crate::display::{plural, shown, visible};
use crate::lint::{Diagnostic, Part, Severity, Standing};

/// Characters that a comment may have on GitHub. Counted in bytes, so that no way to count gives more.
const LIMIT: usize = 65_536;

/// Kept free for what closes the comment.
const RESERVE: usize = 600;

/// Rows take no more than this, so that details of the first findings find room too.
const ROWS: usize = LIMIT / 2;

/// Lines of files beside the marked place are cut to this, so that they don't have to be scrolled.
const WIDTH: usize = 100;

/// By this line a bot finds its own comment again.
const MARK: &str = "<!-- kvlint -->";

/// A comment under construction.
struct Comment {
    text: String,
    /// Findings without a row, and findings without details.
    cut: (usize, usize),
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut comment = Comment { text: format!("{MARK}\n### kvlint: {}\n", report.summary()), cut: (0, 0) };
    let all: Vec<(&Diagnostic, Standing)> = report.findings().collect();
    let (ours, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, standing)| standing.counts());
    comment.table(report, &ours, ROWS);
    comment.details(report, &ours)?;
    if !others.is_empty() {
        let heading =
            format!("\n<details><summary>{} {OFF_CHANGED_LINES}</summary>\n", plural(others.len(), "finding"));
        comment.text.push_str(&heading);
        comment.table(report, &others, LIMIT - RESERVE);
        comment.text.push_str("\n</details>\n");
    }
    for failure in report.failures.iter().take(3) {
        let short: String = failure.message.chars().take(100).collect();
        let part = match &failure.part {
            Part::Rule(rule) => format!("rule {}", code(rule)),
            Part::Model(unit) => format!("the model of {}", code(unit)),
        };
        let _ = writeln!(comment.text, "\n❗ internal error in {part}: {}", plain(&short));
    }
    let (rows, details) = comment.cut;
    if rows > 0 {
        let _ = writeln!(comment.text, "\n{} more did not fit into this comment.", plural(rows, "finding"));
    }
    if details > 0 {
        let _ =
            writeln!(comment.text, "\nThe details of {} did not fit into this comment.", plural(details, "finding"));
    }
    let _ = writeln!(comment.text, "\n<sub>{}</sub>", report.coverage);
    out.write_all(comment.text.as_bytes())
}

impl Comment {
    /// A row for each finding, until the text has `limit` bytes.
    fn table(&mut self, report: &Report<'_>, findings: &[(&Diagnostic, Standing)], limit: usize) {
        if findings.is_empty() {
            return;
        }
        self.text.push_str("\n| | place | finding | rule |\n|---|---|---|---|\n");
        for (i, (diagnostic, _)) in findings.iter().enumerate() {
            let row = row(report, diagnostic);
            if self.text.len() + row.len() > limit.min(LIMIT - RESERVE) {
                self.cut.0 += findings.len() - i;
                return;
            }
            self.text.push_str(&row);
        }
    }

    /// The snippet, help and notes of each finding, as far as there is room.
    fn details(&mut self, report: &Report<'_>, findings: &[(&Diagnostic, Standing)]) -> io::Result<()> {
        let style = Style { width: WIDTH, ..Style::PLAIN };
        for (i, (diagnostic, standing)) in findings.iter().enumerate() {
            // What would not fit need not be drawn.
            let full = self.text.len() + RESERVE >= LIMIT;
            let mut drawn = Vec::new();
            if !full {
                text::write_one(report, diagnostic, *standing, &style, &mut drawn)?;
            }
            let place = html(&place(report, diagnostic));
            let drawn = fenced(&String::from_utf8_lossy(&drawn));
            let block = format!(
                "\n<details><summary><code>{place}</code> {}</summary>\n\n{drawn}\n</details>\n",
                diagnostic.rule
            );
            if full || self.text.len() + block.len() > LIMIT - RESERVE {
                self.cut.1 += findings.len() - i;
                return Ok(());
            }
            self.text.push_str(&block);
        }
        Ok(())
    }
}

fn row(report: &Report<'_>, diagnostic: &Diagnostic) -> String {
    let mark = match diagnostic.severity {
        Severity::Error => "❌",
        Severity::Warning => "⚠️",
        Severity::Info => "ℹ️",
    };
    let (place, message) = (code(&place(report, diagnostic)), plain(&diagnostic.message));
    format!("| {mark} | {place} | {message} | [{}]({}) |\n", diagnostic.rule, rule_page(diagnostic.rule))
}

fn place(report: &Report<'_>, diagnostic: &Diagnostic) -> String {
    let span = diagnostic.primary.span;
    format!("{}:{}", shown(report.sources.file(span.file).path()), report.sources.line_column(span).line)
}

/// Text inside HTML, in which Markdown is read too.
fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible::line(text).chars() {
        if c.is_ascii_punctuation() && !"/.:-_".contains(c) {
            let _ = write!(escaped, "&#{};", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}
