//! `kvlint build DIR`: the objects that a Kustomize root comes to, with each line's origin where it is asked for.

use std::path::PathBuf;

use clap::Args;

use super::{FAILURE, output, written};
use crate::display::visible;
use crate::load::kustomize;

const AFTER: &str = "Exit codes: 0 the root was built; 2 `kustomize build` would stop. What is not on this machine, or needs a program, \
is told on standard error, is left out of the result, and does not change the exit code.";

/// What the subcommand takes.
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub struct BuildArguments {
    /// The folder that holds the kustomization
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// End each line with the file and line that its value stands in, and the step that set it
    #[arg(long)]
    origins: bool,
}

/// Prints the objects; what would stop `kustomize build`, and what is not here, goes to standard error. The exit code is 2 for the
/// former alone: what is here of a partial root was built.
pub fn run(arguments: &BuildArguments) -> u8 {
    let printed = kustomize::print(&arguments.folder, arguments.origins);
    for missing in &printed.missing {
        output::advise(&visible::line(missing));
    }
    for problem in &printed.problems {
        output::complain(&visible::line(problem));
    }
    let code = written(None, &printed.text);
    if printed.problems.is_empty() { code } else { FAILURE }
}
