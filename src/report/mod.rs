//! Findings for readers: one file a format. A reporter is given a [`Report`] and writes it; it decides nothing.

mod concise;
mod coverage;
mod excerpt;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod sarif;
pub mod statistics;
mod text;
mod uri;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use coverage::{Coverage, NotAnalysed};
pub use text::Style;

use crate::display::{plural, shown};
use crate::lexical;
use crate::lint::baseline::Entry;
use crate::lint::{self, Applicability, Diagnostic, Failure, Severity, Standing};
use crate::load::Unit;
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
    /// GitLab's Code Quality report
    Gitlab,
    /// JUnit's XML, for lists of tests
    Junit,
    /// A table with details, for a comment on a pull request
    Markdown,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 8] = [
        Format::Text,
        Format::Concise,
        Format::Json,
        Format::Sarif,
        Format::Github,
        Format::Gitlab,
        Format::Junit,
        Format::Markdown,
    ];
}

/// A run, ready to be written.
#[derive(Debug)]
pub struct Report<'a> {
    /// Every text that a finding may point into.
    pub sources: &'a SourceMap,
    /// What was linted: the trees that fingerprints are made from.
    pub units: &'a [Unit],
    /// Sorted by path, place and rule.
    pub diagnostics: &'a [Diagnostic],
    /// How they count, one for each; empty when all do.
    pub standings: &'a [Standing],
    /// Entries of the baseline that no longer occur.
    pub gone: &'a [Entry],
    /// What was read and what was not.
    pub coverage: &'a Coverage,
    /// Parts of the run that failed.
    pub failures: &'a [Failure],
    /// Findings that comments and annotations silenced.
    pub suppressed: usize,
    /// The least severity that decides the exit code.
    pub limit: Severity,
    /// Findings that fixes took away before the report.
    pub fixed: usize,
    /// What the process will exit with.
    pub exit_code: u8,
    /// The folder that the run's own relative paths start from: where kvlint was started.
    pub folder: PathBuf,
    /// The folder that paths count from in reports that a program reads beside the repository: its top.
    pub top: PathBuf,
}

impl Report<'_> {
    /// A file's path from the top of the repository, where it lies in it; else as it is shown.
    fn path_from_top(&self, path: &Path) -> String {
        let absolute = lexical::clean(&self.folder.join(path));
        let inside = absolute.strip_prefix(&self.top).ok().filter(|rest| !rest.as_os_str().is_empty());
        inside.map_or_else(|| shown(path), shown)
    }

    /// A URI of a file, and whether it is relative to the top of the repository.
    fn uri(&self, path: &Path) -> (String, bool) {
        uri::uri(&self.folder.join(path), &self.top)
    }

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
            Format::Gitlab => gitlab::write(self, out),
            Format::Junit => junit::write(self, out),
            Format::Markdown => markdown::write(self, out),
        }
    }

    /// Every finding with its standing.
    fn all(&self) -> impl Iterator<Item = (&Diagnostic, Standing)> {
        let standing = |i: usize| self.standings.get(i).copied().unwrap_or_default();
        self.diagnostics.iter().enumerate().map(move |(i, d)| (d, standing(i)))
    }

    /// The findings that people are shown: those that the baseline does not list.
    pub fn findings(&self) -> impl Iterator<Item = (&Diagnostic, Standing)> {
        self.all().filter(|(_, standing)| standing.in_baseline != Some(true))
    }

    /// A fingerprint for each of [`Report::diagnostics`].
    fn fingerprints(&self) -> Vec<String> {
        lint::fingerprints(self.units, self.sources, self.diagnostics, &self.top)
    }

    /// How many findings that the baseline does not list have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings().filter(|(d, _)| d.severity == severity).count()
    }

    /// How many findings touch no changed line; `None` when nobody asked.
    fn off_changed_lines(&self) -> Option<usize> {
        self.standings.first().and_then(|s| s.on_changed_lines)?;
        Some(self.findings().filter(|(_, s)| s.on_changed_lines == Some(false)).count())
    }

    /// How many findings the baseline lists; `None` without one.
    fn in_baseline(&self) -> Option<usize> {
        self.standings.first().and_then(|s| s.in_baseline)?;
        Some(self.all().filter(|(_, s)| s.in_baseline == Some(true)).count())
    }

    /// How many findings have a fix of this kind.
    pub fn fixable(&self, which: Applicability) -> usize {
        self.findings().filter(|(d, _)| d.fix.as_ref().is_some_and(|fix| fix.applicability == which)).count()
    }

    /// `3 errors, 1 warning (4 fixed, 2 suppressed, 1 not on changed lines)`, or `no findings`.
    pub fn summary(&self) -> String {
        let words = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")];
        let part = |(severity, word): (Severity, &str)| match self.count(severity) {
            0 => None,
            n if severity == Severity::Info => Some(format!("{n} {word}")),
            n => Some(plural(n, word)),
        };
        let parts: Vec<String> = words.into_iter().filter_map(part).collect();
        let found = if parts.is_empty() { "no findings".to_string() } else { parts.join(", ") };
        let aside = [
            (self.fixed, "fixed"),
            (self.suppressed, "suppressed"),
            (self.in_baseline().unwrap_or(0), "in the baseline"),
            (self.off_changed_lines().unwrap_or(0), OFF_CHANGED_LINES),
        ];
        let aside: Vec<String> = aside.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        if aside.is_empty() { found } else { format!("{found} ({})", aside.join(", ")) }
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

/// What every format says of a finding that touches no changed line.
const OFF_CHANGED_LINES: &str = "not on changed lines";

/// The page that explains a rule.
pub fn rule_page(rule: &str) -> String {
    format!("{REPOSITORY}/blob/main/rules/{rule}.md")
}
