//! `kvlint [PATHS]`: load, lint, report.

use std::path::{Path, PathBuf};

use clap::Args;

use super::accept::{AcceptArguments, Accepted};
use super::fix::{self, FixArguments};
use super::reports::ReportArguments;
use super::settings::{self, InputArguments, RuleArguments};
use super::terminal::Color;
use super::{FAILURE, issue_request, output, watch};
use crate::config::Config;
use crate::display::{shown, visible};
use crate::lint::{self, Applicability, Diagnostic, Outcome, Severity, Standing};
use crate::load::Loaded;
use crate::report::{Coverage, Format, Report, Style, statistics};

/// Names of files that were not analysed that are listed for people; machine formats list all.
const LISTED: usize = 10;

/// What the subcommand takes.
#[derive(Args, Debug)]
pub struct LintArguments {
    #[command(flatten)]
    pub(super) inputs: InputArguments,
    #[command(flatten)]
    pub(super) reports: ReportArguments,
    /// Also count findings by rule
    #[arg(long, help_heading = "Output")]
    statistics: bool,
    /// Findings only: no summary and no coverage
    #[arg(short, long, help_heading = "Output")]
    pub(super) quiet: bool,
    #[command(flatten)]
    rules: RuleArguments,
    #[command(flatten)]
    pub(super) fixes: FixArguments,
    /// Exit with 1 for warnings too
    #[arg(long, help_heading = "Exit code")]
    error_on_warning: bool,
    /// Exit with 0 whatever is found; errors of usage, configuration and input still exit with 2
    #[arg(long, help_heading = "Exit code")]
    pub(super) exit_zero: bool,
    #[command(flatten)]
    pub(super) accept: AcceptArguments,
    /// Lint again whenever a file changes, until Ctrl-C
    #[arg(long, conflicts_with_all = ["fix", "diff", "write_baseline"])]
    watch: bool,
    /// Threads to use [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

pub fn run(arguments: &LintArguments, color: Color) -> u8 {
    if arguments.watch {
        return watch::run(arguments, color);
    }
    lint(arguments, color, &mut |_, _| (), std::mem::forget)
}

/// Is given each file that a run read, with its text, and each place where it found none.
pub(super) type Reading<'r> = &'r mut dyn FnMut(&Path, Option<&str>);

/// One run of several.
pub(super) fn once(arguments: &LintArguments, color: Color, read: Reading<'_>) -> u8 {
    lint(arguments, color, read, drop)
}

/// `done` is given what was linted. Where the process ends then, taking the trees apart would only cost time.
fn lint(arguments: &LintArguments, color: Color, read: Reading<'_>, done: fn((Loaded, Outcome))) -> u8 {
    if let Some(n) = arguments.threads {
        // It fails only when the pool exists, and nothing ran before.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(n)).build_global();
    }
    let configured = arguments.reports.check().and_then(|()| settings::configure(&arguments.inputs));
    let configured = configured.and_then(|(mut config, sources)| {
        settings::apply(&arguments.rules, &mut config)?;
        Ok((config, sources))
    });
    let (config, sources) = match configured {
        Ok(configured) => configured,
        Err(message) => {
            output::complain(&message);
            return FAILURE;
        }
    };
    let Some(accepted) = arguments.accept.prepare(&arguments.inputs.paths) else { return FAILURE };
    if arguments.fixes.change_files() {
        return fix::run(arguments, color, &config, &sources);
    }
    let Some(mut loaded) = settings::load(&arguments.inputs, &config, sources) else { return FAILURE };
    if let Err(message) = arguments.reports.spare(&loaded) {
        output::complain(&message);
        return FAILURE;
    }
    accepted.leave_out(&mut loaded);
    arguments.reports.leave_out(&mut loaded);
    let outcome = lint::lint(&loaded, &config, None);
    let code = report(arguments, color, &config, &loaded, &outcome, &accepted, &Mended::default());
    for file in loaded.sources.files() {
        // Rendered text has no file of its own.
        let location = file.location();
        read(location.unwrap_or(file.path()), location.map(|_| file.text()));
    }
    loaded.absent.iter().for_each(|path| read(path, None));
    // These hold helm's temporary folder, which must go.
    loaded.forget_renderings();
    done((loaded, outcome));
    code
}

/// What fixes did before the report.
#[derive(Debug, Default)]
pub(super) struct Mended {
    /// Findings that are gone.
    pub findings: usize,
    /// Standard output has the fixed text, so the report goes to standard error.
    pub text_on_output: bool,
    /// Something could not be written.
    pub failed: bool,
}

pub(super) fn report(
    arguments: &LintArguments,
    color: Color,
    config: &Config,
    loaded: &Loaded,
    outcome: &Outcome,
    accepted: &Accepted,
    mended: &Mended,
) -> u8 {
    let coverage = Coverage::of(loaded);
    let failed = failures(arguments, config, loaded, outcome, &coverage) || mended.failed;
    let judgement = accepted.judge(&arguments.inputs.paths, config, loaded, outcome, failed);
    let failed = failed || judgement.failed;
    let folder = std::env::current_dir().unwrap_or_default();
    let report = Report {
        sources: &loaded.sources,
        units: &loaded.units,
        diagnostics: &outcome.diagnostics,
        standings: &judgement.standings,
        gone: &judgement.gone,
        coverage: &coverage,
        failures: &outcome.failures,
        suppressed: outcome.suppressed,
        fixed: mended.findings,
        limit: limit(arguments),
        exit_code: exit_code(arguments, &outcome.diagnostics, &judgement.standings, failed),
        top: top(&folder),
        folder,
    };
    let written = arguments
        .reports
        .deliver(&report, color, mended.text_on_output, |style| closing(arguments, &report, &judgement.notes, style));
    if written { report.exit_code } else { FAILURE }
}

/// The top of the repository that a folder lies in: by `.git`; else the workspace of a runner, which may hold a checkout without one; else
/// the folder itself.
fn top(folder: &Path) -> PathBuf {
    let git = folder.ancestors().find(|above| above.join(".git").exists()).map(Path::to_path_buf);
    let workspace = || {
        let named = std::env::var_os("GITHUB_WORKSPACE").filter(|path| !path.is_empty())?;
        std::fs::canonicalize(named).ok().filter(|workspace| folder.starts_with(workspace))
    };
    git.or_else(workspace).unwrap_or_else(|| folder.to_path_buf())
}

/// The least severity that decides the exit code.
fn limit(arguments: &LintArguments) -> Severity {
    if arguments.error_on_warning { Severity::Warning } else { Severity::Error }
}

fn exit_code(arguments: &LintArguments, diagnostics: &[Diagnostic], standings: &[Standing], failed: bool) -> u8 {
    let found = lint::any_counts(diagnostics, standings, limit(arguments));
    if failed { FAILURE } else { u8::from(found && !arguments.exit_zero) }
}

/// Says what went wrong beside the findings, and whether anything did.
pub(super) fn failures(
    arguments: &LintArguments,
    config: &Config,
    loaded: &Loaded,
    outcome: &Outcome,
    coverage: &Coverage,
) -> bool {
    for failure in &outcome.failures {
        output::complain(&failure.to_string());
    }
    if !outcome.failures.is_empty() {
        output::advise(&issue_request());
    }
    for missed in coverage.not_analysed.iter().filter(|n| n.failed) {
        output::complain(&format!("{}: {}", visible::line(&shown(&missed.path)), missed.reason));
    }
    // Mistakes in the configuration are findings, unless the rule that reports them was left out.
    let place = |d: &Diagnostic| d.primary.span;
    for problem in &config.problems {
        if !outcome.diagnostics.iter().any(|d| place(d) == problem.span) {
            let at = loaded.sources.line_column(problem.span);
            let path = shown(loaded.sources.file(problem.span.file).path());
            output::complain(&format!("{path}:{}:{}: {}", at.line, at.column, problem.message));
        }
    }
    let unread = coverage.not_analysed.iter().any(|n| n.failed);
    // A commit may well touch nothing that is deployed.
    let expected = !arguments.inputs.whole_unit;
    let nothing = expected && coverage.resources == 0 && outcome.diagnostics.is_empty() && !unread;
    if nothing {
        nothing_found(arguments, coverage);
    }
    nothing || unread || !outcome.failures.is_empty() || !config.problems.is_empty()
}

/// A run that looked at nothing must not pass for a run that found nothing.
fn nothing_found(arguments: &LintArguments, coverage: &Coverage) {
    let paths: Vec<String> = arguments.inputs.paths.iter().map(|p| format!("`{}`", shown(p))).collect();
    output::complain(&format!("no Kubernetes object found in {}", visible::line(&paths.join(", "))));
    if coverage.unread().next().is_some() {
        output::advise("what is there was not analysed; render charts and overlays and pipe the output to `kvlint -`");
    } else if coverage.files > 0 {
        output::advise("an object is a mapping with `apiVersion` and `kind`; name a folder or file that holds some");
    } else {
        output::advise("name a folder with .yaml, .yml or .json files, or pipe manifests to `kvlint -`");
    }
}

/// What stands after the findings.
fn closing(arguments: &LintArguments, report: &Report<'_>, notes: &[String], style: &Style) -> String {
    let mut text = String::new();
    if arguments.statistics && !report.diagnostics.is_empty() {
        text.push_str(&statistics::table(report));
        text.push('\n');
    }
    if arguments.quiet {
        return text;
    }
    // Data formats hold the list; failures were told already, and so was a file with a finding.
    let listing = !matches!(arguments.reports.format, Format::Json | Format::Sarif);
    let told = |path: &Path| report.diagnostics.iter().any(|d| report.sources.file(d.primary.span.file).path() == path);
    let entries = report.coverage.not_analysed.iter();
    let missed: Vec<_> = entries.filter(|n| listing && !n.failed && (n.unresolved || !told(&n.path))).collect();
    for entry in missed.iter().take(LISTED) {
        let path = shown(&entry.path);
        let line = format!("{}: {}", visible::line(&path), visible::line(&entry.reason));
        let part = if entry.in_part { "analysed in part:" } else { "not analysed:" };
        text.push_str(&format!("{} {line}\n", style.advice(part)));
    }
    if missed.len() > LISTED {
        text.push_str(&format!("… and {} more: `--format json` lists all\n", missed.len() - LISTED));
    }
    notes.iter().for_each(|note| text.push_str(&format!("{} {note}\n", style.advice("baseline:"))));
    let worst = report.findings().filter(|(_, standing)| standing.counts()).map(|(d, _)| d.severity).max();
    let summary = worst.map_or_else(|| style.bold(&report.summary()), |s| style.severity(s, &report.summary()));
    let counts = (report.fixable(Applicability::Safe), report.fixable(Applicability::Unsafe));
    let fixable = fix::fixable(&arguments.fixes, counts.0, counts.1).map(|line| line + "\n").unwrap_or_default();
    text.push_str(&format!("{summary}\n{fixable}{}\n", report.coverage));
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::lint::{Failure, Part};
    use crate::load::from_texts;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: LintArguments,
    }

    fn arguments(words: &[&str]) -> LintArguments {
        Line::parse_from([&["kvlint"], words].concat()).arguments
    }

    #[test]
    fn a_failed_rule_is_an_internal_error_even_with_exit_zero() {
        let loaded = from_texts(&[("a.yaml".into(), "apiVersion: v1\nkind: Pod\n".into())]);
        let failure = Failure { part: Part::Rule("yaml-syntax"), message: "index out of bounds".into() };
        let outcome = Outcome { failures: vec![failure], ..Default::default() };
        let arguments = arguments(&["--exit-zero"]);
        let failed = failures(&arguments, &Config::default(), &loaded, &outcome, &Coverage::of(&loaded));
        assert_eq!(exit_code(&arguments, &outcome.diagnostics, &[], failed), 2);
    }
}
