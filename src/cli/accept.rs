//! What is accepted although it is found: findings on lines that did not change, and those that a baseline lists.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output;
use crate::changed::Changes;
use crate::config::Config;
use crate::display::{shown, visible};
use crate::lint::baseline::{Baseline, Entry, Scope, Unusable};
use crate::lint::{Outcome, Standing};
use crate::load::Loaded;

/// Entries of a baseline that are listed for people; `--format json` lists all.
const LISTED: usize = 10;

/// Which findings decide the exit code.
#[derive(Args, Debug)]
pub struct AcceptArguments {
    /// Fail only for findings on lines that changed since the branch left REF (asks git); all are still reported
    #[arg(long, value_name = "REF", help_heading = "Exit code")]
    diff_base: Option<String>,
    /// Leave out the findings that FILE lists, and count them
    #[arg(long, value_name = "FILE", help_heading = "Exit code")]
    baseline: Option<PathBuf>,
    /// Write the findings of this run to the baseline, so that only later ones count
    #[arg(long, requires = "baseline", conflicts_with = "diff", help_heading = "Exit code")]
    write_baseline: bool,
}

/// What findings are measured against.
#[derive(Debug, Default)]
pub struct Accepted {
    changes: Option<Changes>,
    baseline: Option<(PathBuf, Baseline)>,
    write: bool,
}

/// How the findings of a run count.
#[derive(Debug, Default)]
pub struct Judgement {
    /// One for each finding; empty when nothing was asked for.
    pub standings: Vec<Standing>,
    /// Entries of the baseline that no longer occur.
    pub gone: Vec<Entry>,
    /// Lines for people.
    pub notes: Vec<String>,
    /// Whether something went wrong, which was told.
    pub failed: bool,
}

impl AcceptArguments {
    /// The files that are read for it.
    pub fn inputs(&self) -> impl Iterator<Item = &Path> {
        self.baseline.as_deref().into_iter()
    }

    /// Reads what findings will be measured against, before anything is linted: mistakes show at once. They are told, and
    /// there is nothing then.
    pub fn prepare(&self, paths: &[PathBuf]) -> Option<Accepted> {
        let mut accepted = Accepted { write: self.write_baseline, ..Accepted::default() };
        if let Some(path) = &self.baseline {
            match Baseline::read(path) {
                Ok(baseline) => accepted.baseline = Some((path.clone(), baseline)),
                Err(Unusable::Absent) if self.write_baseline => {
                    accepted.baseline = Some((path.clone(), Baseline::empty(path)));
                }
                Err(reason) => {
                    output::complain(&format!("can't use the baseline {}: {reason}", visible::line(&shown(path))));
                    output::advise(match reason {
                        Unusable::Absent => "write it: add `--write-baseline`",
                        Unusable::Broken(_) => "mend it, or delete it and write it anew with `--write-baseline`",
                    });
                    return None;
                }
            }
        }
        if let Some(reference) = &self.diff_base {
            match Changes::since(reference, &folder(paths)) {
                Ok(changes) => accepted.changes = Some(changes),
                Err(trouble) => {
                    output::complain(&trouble.message);
                    trouble.help.iter().for_each(|help| output::advise(help));
                    return None;
                }
            }
        }
        Some(accepted)
    }
}

impl Accepted {
    /// The baseline beside the manifests is JSON, and no manifest that was passed over.
    pub fn leave_out(&self, loaded: &mut Loaded) {
        let Some(own) = self.baseline.as_ref().and_then(|(path, _)| std::fs::canonicalize(path).ok()) else { return };
        let is_own = |path: &Path| {
            path.file_name() == own.file_name() && std::fs::canonicalize(path).is_ok_and(|path| path == own)
        };
        loaded.skipped.retain(|skipped| !is_own(&skipped.path));
    }

    /// How each finding counts. Writes the baseline where that was asked for, unless the run failed: what it could not read
    /// would be missing in it.
    pub fn judge(
        &self,
        paths: &[PathBuf],
        config: &Config,
        loaded: &Loaded,
        outcome: &Outcome,
        failed: bool,
    ) -> Judgement {
        let mut judgement = Judgement::default();
        if self.changes.is_some() || self.baseline.is_some() {
            judgement.standings = vec![Standing::default(); outcome.diagnostics.len()];
        }
        if let Some(changes) = &self.changes {
            let touched = changes.touched(loaded, &outcome.diagnostics);
            judgement.standings.iter_mut().zip(touched).for_each(|(s, touched)| s.on_changed_lines = Some(touched));
        }
        let Some((file, baseline)) = &self.baseline else { return judgement };
        let stopped =
            |rule: &str| crate::lint::find(rule).is_some_and(|rule| outcome.failures.iter().any(|f| f.stops(rule)));
        let selected = |rule: &str| config.select.is_empty() || config.select.iter().any(|name| name == rule);
        let scope = Scope { paths, ran: &|rule| !failed && selected(rule) && !stopped(rule) };
        let mut compared = baseline.compare(loaded, &outcome.diagnostics, &scope);
        let name = visible::line(&shown(file)).into_owned();
        if self.write && failed {
            output::complain(&format!("{name} was not written, because something could not be read or failed"));
        } else if self.write {
            let renewed = baseline.renewed(loaded, &outcome.diagnostics, &scope);
            match output::deliver(Some(file), |out| out.write_all(renewed.text().as_bytes())) {
                Ok(()) => {
                    let new = compared.listed.iter().filter(|listed| !**listed).count();
                    let counts = format!("{} new, {} gone", new, compared.gone.len());
                    judgement.notes.push(format!("{name} now lists {}: {counts}", findings(renewed.len())));
                    compared.listed.fill(true);
                    compared.gone.clear();
                }
                Err(message) => {
                    output::complain(&message);
                    judgement.failed = true;
                }
            }
        }
        judgement.standings.iter_mut().zip(compared.listed).for_each(|(s, listed)| s.in_baseline = Some(listed));
        judgement.notes.extend(notes(&name, &compared.gone));
        judgement.gone = compared.gone;
        judgement
    }
}

/// What to say of entries that no longer occur.
fn notes(baseline: &str, gone: &[Entry]) -> Vec<String> {
    if gone.is_empty() {
        return Vec::new();
    }
    let entry = |e: &Entry| format!("no longer in {}: {}: {}", e.path, e.rule, e.message);
    let mut lines: Vec<String> = gone.iter().take(LISTED).map(|e| visible::line(&entry(e)).into_owned()).collect();
    if gone.len() > LISTED {
        lines.push(format!("… and {} more: `--format json` lists all", gone.len() - LISTED));
    }
    lines.push(format!("{} of {baseline} no longer occur: `--write-baseline` takes them out", findings(gone.len())));
    lines
}

fn findings(n: usize) -> String {
    if n == 1 { "1 finding".into() } else { format!("{n} findings") }
}

/// The folder of the first path, whose repository is asked.
fn folder(paths: &[PathBuf]) -> PathBuf {
    let here = PathBuf::from(".");
    let Some(path) = paths.first().filter(|p| *p != Path::new("-")) else { return here };
    let existing = path.ancestors().find(|p| p.is_dir());
    existing.filter(|p| !p.as_os_str().is_empty()).map_or(here, Path::to_path_buf)
}
