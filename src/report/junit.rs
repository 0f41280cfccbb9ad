//! JUnit's XML as Jenkins, GitLab and others read it: a test suite for each file, a test case for each finding, and one that
//! passes for a file without.
//!
//! What decides the exit code is a failure; the rest is skipped, so that a run that passes has no red test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::{OFF_CHANGED_LINES, Report};

use crate::display::{shown, visible};
use crate::lint::{Diagnostic, Part, Standing};

/// What became of one thing that was looked at.
enum Case {
    Passed {
        name: String,
    },
    Failed {
        name: String,
        kind: String,
        message: String,
        text: String,
    },
    Skipped {
        name: String,
        message: String,
        text: String,
    },
    /// Reading or a rule failed.
    Broken {
        name: String,
        message: String,
    },
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for file in report.units.iter().flat_map(|unit| &unit.files) {
        suites.entry(shown(file.source.path())).or_default();
    }
    for (diagnostic, standing) in report.findings() {
        let path = shown(report.sources.file(diagnostic.primary.span.file).path());
        suites.entry(path).or_default().push(case(report, diagnostic, standing));
    }
    for missed in report.coverage.not_analysed.iter().filter(|n| n.failed) {
        let broken = Case::Broken { name: "read".into(), message: missed.reason.clone() };
        suites.entry(shown(&missed.path)).or_default().push(broken);
    }
    for failure in report.failures {
        let name = match &failure.part {
            Part::Rule(rule) => (*rule).to_string(),
            Part::Model(unit) => unit.clone(),
        };
        let broken = Case::Broken { name, message: format!("internal error: {}", failure.message) };
        suites.entry("kvlint".into()).or_default().push(broken);
    }
    for cases in suites.values_mut().filter(|cases| cases.is_empty()) {
        cases.push(Case::Passed { name: "no findings".into() });
    }
    let count = |is: fn(&Case) -> bool| suites.values().flatten().filter(|case| is(case)).count();
    let (failures, errors) = (count(failed), count(broken));
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"kvlint\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\">",
        count(|_| true)
    )?;
    for (path, cases) in &suites {
        write_suite(path, cases, out)?;
    }
    writeln!(out, "</testsuites>")
}

fn failed(case: &Case) -> bool {
    matches!(case, Case::Failed { .. })
}

fn broken(case: &Case) -> bool {
    matches!(case, Case::Broken { .. })
}

fn case(report: &Report<'_>, diagnostic: &Diagnostic, standing: Standing) -> Case {
    let at = report.sources.line_column(diagnostic.primary.span);
    let name = format!("{} at {}:{}", diagnostic.rule, at.line, at.column);
    let mut text = String::new();
    for label in std::iter::once(&diagnostic.primary).chain(&diagnostic.related) {
        let at = report.sources.line_column(label.span);
        let path = shown(report.sources.file(label.span.file).path());
        let what = if label.text.is_empty() { String::new() } else { format!(" {}", label.text) };
        let _ = writeln!(text, "{path}:{}:{}:{what}", at.line, at.column);
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(text, "help: {help}");
    }
    for note in &diagnostic.notes {
        let _ = writeln!(text, "note: {note}");
    }
    let kind = diagnostic.severity.to_string();
    let message = format!("{kind}: {}", diagnostic.message);
    if !standing.counts() {
        Case::Skipped { name, message: format!("{OFF_CHANGED_LINES}: {message}"), text }
    } else if diagnostic.severity < report.limit {
        Case::Skipped { name, message, text }
    } else {
        Case::Failed { name, kind, message, text }
    }
}

fn write_suite(path: &str, cases: &[Case], out: &mut dyn Write) -> io::Result<()> {
    let count = |is: fn(&Case) -> bool| cases.iter().filter(|case| is(case)).count();
    let skipped = count(|case| matches!(case, Case::Skipped { .. }));
    let (failures, errors, path) = (count(failed), count(broken), attribute(path));
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"", cases.len());
    writeln!(out, "  <testsuite name=\"{path}\" {counts}>")?;
    for case in cases {
        let (Case::Passed { name }
        | Case::Failed { name, .. }
        | Case::Skipped { name, .. }
        | Case::Broken { name, .. }) = case;
        write!(out, "    <testcase name=\"{}\" classname=\"{path}\"", attribute(name))?;
        match case {
            Case::Passed { .. } => writeln!(out, "/>")?,
            Case::Failed { kind, message, text, .. } => {
                let (message, text) = (attribute(message), content(text));
                writeln!(
                    out,
                    ">\n      <failure type=\"{kind}\" message=\"{message}\">{text}</failure>\n    </testcase>"
                )?;
            }
            Case::Skipped { message, text, .. } => {
                let (message, text) = (attribute(message), content(text));
                writeln!(out, ">\n      <skipped message=\"{message}\">{text}</skipped>\n    </testcase>")?;
            }
            Case::Broken { message, .. } => {
                let message = attribute(message);
                writeln!(out, ">\n      <error type=\"failed\" message=\"{message}\"/>\n    </testcase>")?;
            }
        }
    }
    writeln!(out, "  </testsuite>")
}

/// Text between quotes; line breaks and tabs would become spaces.
fn attribute(text: &str) -> String {
    escape(text, false)
}

/// Text between tags.
fn content(text: &str) -> String {
    let escaped = escape(text, true);
    let safe = |line: &str| match line.trim_start().starts_with("::") {
        // GitHub's runner takes such a line for a command.
        true => line.replacen("::", "&#58;:", 1),
        false => line.to_string(),
    };
    escaped.split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

/// Characters that XML has no place for, not even by number, are shown as symbols.
/// Source: <https://www.w3.org/TR/xml/#charsets>.
fn escape(text: &str, lines: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' if lines => escaped.push('\n'),
            '\n' => escaped.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            c => escaped.push(visible::replacement(c).unwrap_or(c)),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_it() {
        assert_eq!(attribute("a\"<b>&'\n\u{1b}\u{ffff}"), "a&quot;&lt;b&gt;&amp;'&#10;␛\u{fffd}");
        assert_eq!(content("]]>\n"), "]]&gt;\n");
        assert_eq!(content("a\n  ::error::b\n"), "a\n  &#58;:error::b\n");
    }
}
