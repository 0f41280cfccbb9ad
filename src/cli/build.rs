//! `kvlint build DIR`: the objects that a Kustomize root comes to, with each line's origin where it is asked for.

use std::path::PathBuf;

use clap::Args;

use super::{FAILURE, output};
use crate::load::kustomize;
use crate::report::visible;

/// What the subcommand takes.
#[derive(Args, Debug)]
pub struct BuildArguments {
    /// The folder that holds the kustomization
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// End each line with the file and line that its value stands in, and the step that set it
    #[arg(long)]
    origins: bool,
}

/// Prints the objects; what would stop `kustomize build`, and what is not here, goes to standard error.
pub fn run(arguments: &BuildArguments) -> u8 {
    let printed = kustomize::print(&arguments.folder, arguments.origins);
    for missing in &printed.missing {
        output::advise(&visible::line(missing));
    }
    for problem in &printed.problems {
        output::complain(&visible::line(problem));
    }
    match output::deliver(None, |out| out.write_all(printed.text.as_bytes())) {
        Ok(()) if printed.problems.is_empty() => 0,
        Ok(()) => FAILURE,
        Err(message) => {
            output::complain(&message);
            FAILURE
        }
    }
}
