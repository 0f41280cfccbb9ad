//! Findings for readers: one file a format. A reporter is given a [`Report`] and writes it; it decides nothing.

mod concise;
mod coverage;
mod excerpt;
mod github;
mod json;
mod path;
mod sarif;
pub mod statistics;
mod text;
pub mod visible;

use std::io::{self, Write};
use std::path::PathBuf;

pub use coverage::{Coverage, NotAnalysed};
pub use path::shown;
pub use text::Style;

use crate::lint::{Applicability, Diagnostic, Severity};
use crate::source::SourceMap;

/// Where the project lives; rules and mistakes in kvlint itself are looked up there.
pub const REPOSITORY: &str = "https://github.com/kvlint/kvlint";

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Annotated snippets, for people
    #[default]
    Text,
    /// One line a finding: `path:line:col: severity[rule] message`
    Concise,
    /// One JSON document (docs/schema/report-v1.json)
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub workflow commands, for annotations on a pull request
    Github,
}

/// A run, ready to be written.
#[derive(Debug)]
pub struct Report<'a> {
    /// Every text that a finding may point into.
    pub sources: &'a SourceMap,
    /// Sorted by path, place and rule.
    pub diagnostics: &'a [Diagnostic],
    /// What was read and what was not.
    pub coverage: &'a Coverage,
    /// Rules that failed, with what they said.
    pub failures: &'a [(&'static str, String)],
    /// Findings that comments and annotations silenced.
    pub suppressed: usize,
    /// Findings that fixes took away before the report.
    pub fixed: usize,
    /// What the process will exit with.
    pub exit_code: u8,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
}

impl Report<'_> {
    /// Writes the findings, and whatever else the format has a place for.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&self, format: Format, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Text => text::write(self, style, out),
            Format::Concise => concise::write(self, style, out),
            Format::Json => json::write(self, out),
            Format::Sarif => sarif::write(self, out),
            Format::Github => github::write(self, out),
        }
    }

    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == severity).count()
    }

    /// How many findings have a fix of this kind.
    pub fn fixable(&self, which: Applicability) -> usize {
        self.diagnostics.iter().filter(|d| d.fix.as_ref().is_some_and(|fix| fix.applicability == which)).count()
    }

    /// `3 errors, 1 warning (4 fixed, 2 suppressed)`, or `no findings`.
    pub fn summary(&self) -> String {
        let words = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")];
        let part = |(severity, word): (Severity, &str)| match self.count(severity) {
            0 => None,
            n if severity == Severity::Info => Some(format!("{n} {word}")),
            n => Some(plural(n, word)),
        };
        let parts: Vec<String> = words.into_iter().filter_map(part).collect();
        let found = if parts.is_empty() { "no findings".to_string() } else { parts.join(", ") };
        let beside = [(self.fixed, "fixed"), (self.suppressed, "suppressed")];
        let beside: Vec<String> =
            beside.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        if beside.is_empty() { found } else { format!("{found} ({})", beside.join(", ")) }
    }
}

/// What makes a fix, for people.
fn fix_flag(applicability: Applicability) -> &'static str {
    match applicability {
        Applicability::Safe => "--fix",
        Applicability::Unsafe => "--fix --unsafe-fixes",
        Applicability::Display => "by hand",
    }
}

/// The page that explains a rule.
pub fn rule_page(rule: &str) -> String {
    format!("{REPOSITORY}/blob/main/rules/{rule}.md")
}

/// A number and a noun, in the plural unless it is one.
pub(crate) fn plural(n: usize, noun: &str) -> String {
    if n == 1 { format!("{n} {noun}") } else { format!("{n} {noun}s") }
}
