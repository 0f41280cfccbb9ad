//! `kvlint [PATHS]`: load, lint, report.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::settings::{self, InputArguments, RuleArguments};
use super::terminal::{self, Color};
use super::{FAILURE, issue_request, output};
use crate::config::Config;
use crate::lint::{self, Diagnostic, Outcome, Severity};
use crate::load::Loaded;
use crate::report::{Coverage, Format, Report, Style, shown, statistics, visible};

/// Names of files that were not analysed that are listed for people; machine formats list all.
const LISTED: usize = 10;

/// What the subcommand takes.
#[derive(Args, Debug)]
pub struct LintArguments {
    #[command(flatten)]
    inputs: InputArguments,
    /// How to write findings
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Output")]
    format: Format,
    /// Write findings to a file, which is replaced whole
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Also count findings by rule
    #[arg(long, help_heading = "Output")]
    statistics: bool,
    /// Findings only: no summary and no coverage
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    rules: RuleArguments,
    /// Exit with 1 for warnings too
    #[arg(long, help_heading = "Exit code")]
    error_on_warning: bool,
    /// Exit with 0 whatever is found; errors of usage, configuration and input still exit with 2
    #[arg(long, help_heading = "Exit code")]
    exit_zero: bool,
    /// Threads to use [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

pub fn run(arguments: &LintArguments, color: Color) -> u8 {
    if let Some(n) = arguments.threads {
        // It fails only when the pool exists, and nothing ran before.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(n)).build_global();
    }
    let configured = settings::configure(&arguments.inputs).and_then(|(mut config, sources)| {
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
    let Some(mut loaded) = settings::load(&arguments.inputs, &config, sources) else { return FAILURE };
    let outcome = lint::lint(&loaded, &config, None);
    let code = report(arguments, color, &config, &loaded, &outcome);
    // These hold helm's temporary folder, which must go.
    loaded.renderings.clear();
    loaded.units.iter_mut().for_each(|unit| unit.helm = None);
    // The process ends here, and taking the trees apart would only cost time.
    std::mem::forget((loaded, outcome));
    code
}

fn report(arguments: &LintArguments, color: Color, config: &Config, loaded: &Loaded, outcome: &Outcome) -> u8 {
    let coverage = Coverage::of(loaded);
    let failed = failures(arguments, config, loaded, outcome, &coverage);
    let report = Report {
        sources: &loaded.sources,
        diagnostics: &outcome.diagnostics,
        coverage: &coverage,
        failures: &outcome.failures,
        suppressed: outcome.suppressed,
        exit_code: exit_code(arguments, &outcome.diagnostics, failed),
        folder: std::env::current_dir().unwrap_or_default(),
    };
    let file = arguments.output.as_deref();
    let style = if file.is_some() { terminal::file(color) } else { terminal::standard_output(color) };
    let text = arguments.format == Format::Text;
    let delivered = output::deliver(file, |out| {
        report.write(arguments.format, &style, out)?;
        if text { out.write_all(closing(arguments, &report, &style).as_bytes()) } else { Ok(()) }
    });
    // Machine formats print data only, and a text report in a file is not seen.
    if !text || file.is_some() {
        output_closing(&closing(arguments, &report, &Style::PLAIN));
    }
    match delivered {
        Ok(()) => report.exit_code,
        Err(message) => {
            output::complain(&message);
            FAILURE
        }
    }
}

fn exit_code(arguments: &LintArguments, diagnostics: &[Diagnostic], failed: bool) -> u8 {
    let limit = if arguments.error_on_warning { Severity::Warning } else { Severity::Error };
    let found = diagnostics.iter().any(|d| d.severity >= limit);
    if failed { FAILURE } else { u8::from(found && !arguments.exit_zero) }
}

/// Says what went wrong beside the findings, and whether anything did.
fn failures(
    arguments: &LintArguments,
    config: &Config,
    loaded: &Loaded,
    outcome: &Outcome,
    coverage: &Coverage,
) -> bool {
    for (rule, text) in &outcome.failures {
        output::complain(&format!("internal error in rule {rule}: {text}"));
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
    let nothing = coverage.resources == 0 && outcome.diagnostics.is_empty() && !unread;
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
fn closing(arguments: &LintArguments, report: &Report<'_>, style: &Style) -> String {
    let mut text = String::new();
    if arguments.statistics && !report.diagnostics.is_empty() {
        text.push_str(&statistics::table(report));
        text.push('\n');
    }
    if arguments.quiet {
        return text;
    }
    // Data formats hold the list; failures were told already, and so was a file with a finding.
    let listing = !matches!(arguments.format, Format::Json | Format::Sarif);
    let told = |path: &Path| report.diagnostics.iter().any(|d| report.sources.file(d.primary.span.file).path() == path);
    let missed: Vec<_> =
        report.coverage.not_analysed.iter().filter(|n| listing && !n.failed && !told(&n.path)).collect();
    for entry in missed.iter().take(LISTED) {
        let path = shown(&entry.path);
        let line = format!("{}: {}", visible::line(&path), visible::line(&entry.reason));
        text.push_str(&format!("{} {line}\n", style.advice("not analysed:")));
    }
    if missed.len() > LISTED {
        text.push_str(&format!("… and {} more: `--format json` lists all\n", missed.len() - LISTED));
    }
    let worst = report.diagnostics.iter().map(|d| d.severity).max();
    let summary = worst.map_or_else(|| style.bold(&report.summary()), |s| style.severity(s, &report.summary()));
    text.push_str(&format!("{summary}\n{}\n", report.coverage));
    text
}

fn output_closing(text: &str) {
    // Standard error may be closed, and then nobody is left to tell.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
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
        let outcome = Outcome { failures: vec![("yaml-syntax", "index out of bounds".into())], ..Default::default() };
        let arguments = arguments(&["--exit-zero"]);
        let failed = failures(&arguments, &Config::default(), &loaded, &outcome, &Coverage::of(&loaded));
        assert_eq!(exit_code(&arguments, &outcome.diagnostics, failed), 2);
    }
}
