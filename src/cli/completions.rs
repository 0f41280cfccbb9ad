//! `kvlint completions SHELL`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{FAILURE, output};

/// What the subcommand takes.
#[derive(Args, Debug)]
pub struct CompletionsArguments {
    /// The shell to complete for
    shell: Shell,
}

pub fn run(arguments: &CompletionsArguments) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "kvlint", &mut script);
    match output::deliver(None, |out| out.write_all(&script)) {
        Ok(()) => 0,
        Err(message) => {
            output::complain(&message);
            FAILURE
        }
    }
}
