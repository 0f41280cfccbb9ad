//! What is accepted although it is found: findings on lines that did not change.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output;
use crate::changed::Changes;
use crate::lint::{Diagnostic, Standing};
use crate::load::Loaded;

/// Which findings decide the exit code.
#[derive(Args, Debug)]
pub struct AcceptArguments {
    /// Fail only for findings on lines that changed since the branch left REF (asks git); all are still reported
    #[arg(long, value_name = "REF", help_heading = "Exit code")]
    diff_base: Option<String>,
}

/// What findings are measured against.
#[derive(Debug, Default)]
pub struct Accepted {
    changes: Option<Changes>,
}

impl AcceptArguments {
    /// Reads what findings will be measured against, before anything is linted: mistakes show at once. They are told, and
    /// there is nothing then.
    pub fn prepare(&self, paths: &[PathBuf]) -> Option<Accepted> {
        let mut accepted = Accepted::default();
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
    /// How each finding counts; empty when nothing was asked for.
    pub fn standings(&self, loaded: &Loaded, diagnostics: &[Diagnostic]) -> Vec<Standing> {
        let Some(changes) = &self.changes else { return Vec::new() };
        let touched = changes.touched(loaded, diagnostics);
        touched.into_iter().map(|t| Standing { on_changed_lines: Some(t), ..Standing::default() }).collect()
    }
}

/// The folder of the first path, whose repository is asked.
fn folder(paths: &[PathBuf]) -> PathBuf {
    let here = PathBuf::from(".");
    let Some(path) = paths.first().filter(|p| *p != Path::new("-")) else { return here };
    let existing = path.ancestors().find(|p| p.is_dir());
    existing.filter(|p| !p.as_os_str().is_empty()).map_or(here, Path::to_path_buf)
}
