//! Annotated snippets for people. miette draws the snippets; the lines around them are ours.

use std::io::{self, Write};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters, ThemeStyles};
use owo_colors::Style as Paint;

use super::excerpt::{Excerpt, Mark, Room};
use super::{OFF_CHANGED_LINES, Report, fix_flag, rule_page};
use crate::display::{shown, visible};
use crate::lint::{Diagnostic, Label, Severity, Standing};
use crate::source::FileId;

/// What the place that is written to can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colours.
    pub color: bool,
    /// Lines and arrows beyond ASCII.
    pub unicode: bool,
    /// Links that can be clicked.
    pub links: bool,
    /// Columns of a line; longer lines of files are cut.
    pub width: usize,
}

impl Style {
    /// For files and pipes.
    pub const PLAIN: Style = Style { color: false, unicode: true, links: false, width: 160 };

    /// Text in the colour of a severity.
    pub fn severity(&self, severity: Severity, text: &str) -> String {
        self.paint(color_of(severity).bold(), text)
    }

    /// Text in bold type.
    pub fn bold(&self, text: &str) -> String {
        self.paint(Paint::new().bold(), text)
    }

    /// Text in the colour of advice.
    pub fn advice(&self, text: &str) -> String {
        self.paint(Paint::new().cyan().bold(), text)
    }

    /// Text that stands back.
    pub fn faint(&self, text: &str) -> String {
        self.paint(Paint::new().dimmed(), text)
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.color { paint.style(text).to_string() } else { text.to_string() }
    }

    /// Text that leads to a page, where the terminal has links.
    fn link(&self, text: &str, url: &str) -> String {
        if self.links { format!("\u{1b}]8;;{url}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\") } else { text.to_string() }
    }
}

fn color_of(severity: Severity) -> Paint {
    match severity {
        Severity::Error => Paint::new().red(),
        Severity::Warning => Paint::new().yellow(),
        Severity::Info => Paint::new().blue(),
    }
}

pub(super) fn write(report: &Report<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    report.findings().try_for_each(|(diagnostic, standing)| write_one(report, diagnostic, standing, style, out))
}

/// One finding: a heading, snippets, help and notes.
pub(super) fn write_one(
    report: &Report<'_>,
    diagnostic: &Diagnostic,
    standing: Standing,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let severity = diagnostic.severity;
    let rule = style.link(diagnostic.rule, &rule_page(diagnostic.rule));
    let tag = format!("{severity}[{rule}]");
    let message = format!(": {}", visible::line(&diagnostic.message));
    if standing.counts() {
        writeln!(out, "{}{}", style.severity(severity, &tag), style.bold(&message))?;
    } else {
        writeln!(out, "{}", style.faint(&format!("{tag}{message} ({OFF_CHANGED_LINES})")))?;
    }
    let boxes = by_file(diagnostic);
    let boxes = boxes.iter().map(|(file, labels)| snippet(report, diagnostic, *file, labels, style));
    out.write_all(join(&boxes.collect::<String>(), &characters(style)).as_bytes())?;
    if let Some(help) = &diagnostic.help {
        remark(out, style, "help", help)?;
    }
    if let Some(fix) = &diagnostic.fix {
        remark(out, style, "fix", &format!("{} [{}]", fix.title, fix_flag(fix.applicability)))?;
    }
    for note in &diagnostic.notes {
        remark(out, style, "note", note)?;
    }
    writeln!(out)
}

/// The labels of each file, the primary one's file first.
fn by_file(diagnostic: &Diagnostic) -> Vec<(FileId, Vec<&Label>)> {
    let mut files: Vec<(FileId, Vec<&Label>)> = vec![(diagnostic.primary.span.file, vec![&diagnostic.primary])];
    for label in &diagnostic.related {
        match files.iter_mut().find(|(file, _)| *file == label.span.file) {
            Some((_, labels)) => labels.push(label),
            None => files.push((label.span.file, vec![label])),
        }
    }
    files
}

fn snippet(report: &Report<'_>, diagnostic: &Diagnostic, file: FileId, labels: &[&Label], style: &Style) -> String {
    let source = report.sources.file(file);
    let is_primary = |label: &Label| std::ptr::eq(label, &diagnostic.primary);
    let marks: Vec<Mark> =
        labels.iter().map(|l| Mark { span: l.span, text: l.text.clone(), primary: is_primary(l) }).collect();
    let room =
        Room { width: style.width.saturating_sub(10).max(40), ellipsis: if style.unicode { "…" } else { "..." } };
    let name = visible::line(&shown(source.path())).into_owned();
    let (excerpt, labels) = Excerpt::new(source, name, &marks, room);
    let highlights = labels
        .iter()
        .map(|l| if l.primary() { color_of(diagnostic.severity).bold() } else { Paint::new().blue().bold() })
        .collect();
    let mut drawn = String::new();
    let picture = Picture { excerpt, labels };
    if handler(style, highlights).render_report(&mut drawn, &picture).is_err() {
        return String::new();
    }
    // The first line is miette's place for the message, which stands above already.
    drawn.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_string())
}

/// Makes one box of all boxes, their lines in one column.
fn join(boxes: &str, characters: &ThemeCharacters) -> String {
    let (bar, mut corner) = (characters.hbar, characters.ltop);
    let top = format!("{corner}{bar}[");
    let bottom = format!("{}{}", characters.lbot, bar.to_string().repeat(4));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let widest = boxes.lines().filter(|l| l.trim_start().starts_with(&top)).map(indent).max().unwrap_or(0);
    let mut joined = String::with_capacity(boxes.len());
    let mut padding = 0;
    for line in boxes.lines() {
        if let Some(place) = line.trim_start().strip_prefix(&top) {
            padding = widest - indent(line);
            joined.push_str(&format!("{:widest$}{corner}{bar}[{place}\n", ""));
            corner = characters.lcross;
        } else if line.trim_start() != bottom {
            joined.push_str(&format!("{:padding$}{line}\n", ""));
        }
    }
    joined + &format!("{:widest$}{bottom}\n", "")
}

fn characters(style: &Style) -> ThemeCharacters {
    if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() }
}

fn handler(style: &Style, highlights: Vec<Paint>) -> GraphicalReportHandler {
    let plain = Paint::new();
    let characters = characters(style);
    let styles = if style.color {
        ThemeStyles { link: plain, linum: plain.blue(), highlights, ..ThemeStyles::ansi() }
    } else {
        ThemeStyles::none()
    };
    GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_urls(false)
        .with_context_lines(1)
        .with_wrap_lines(false)
        .without_cause_chain()
        .without_syntax_highlighting()
}

/// One snippet as miette sees it: a diagnostic without words.
#[derive(Debug)]
struct Picture {
    excerpt: Excerpt,
    labels: Vec<LabeledSpan>,
}

impl std::fmt::Display for Picture {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Picture {}

impl miette::Diagnostic for Picture {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// Columns of wrapped text: longer lines are hard to read.
const TEXT_WIDTH: usize = 110;

/// `help: …` or `note: …`, wrapped with a hanging indent.
fn remark(out: &mut dyn Write, style: &Style, word: &str, text: &str) -> io::Result<()> {
    let indent = " ".repeat(word.len() + 4);
    let mut first = true;
    for paragraph in text.lines() {
        for line in wrap(&visible::line(paragraph), style.width.min(TEXT_WIDTH).saturating_sub(indent.len()).max(30)) {
            if first {
                writeln!(out, "  {} {line}", style.advice(&format!("{word}:")))?;
            } else {
                writeln!(out, "{indent}{}", visible::no_command(line.into()))?;
            }
            first = false;
        }
    }
    Ok(())
}

/// Cuts at spaces; a word longer than a line stays whole, and indentation is kept.
fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.chars().count() > width {
        let indent = rest.len() - rest.trim_start().len();
        let limit = rest.char_indices().nth(width + 1).map_or(rest.len(), |(i, _)| i);
        let cut = rest[indent..limit.max(indent)].rfind(' ').map(|i| i + indent);
        let Some(cut) = cut.or_else(|| rest[indent..].find(' ').map(|i| i + indent)) else { break };
        lines.push(rest[..cut].trim_end());
        rest = rest[cut..].trim_start();
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaaa bb", 5), ["aaaaaaaa", "bb"]);
        assert_eq!(wrap("  - é é é é", 7), ["  - é é", "é é"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
