//! `kvlint trace [PATHS]`: the way of an event from each engine to each gateway, hop by hop.

use std::path::PathBuf;

use clap::Args;

use super::settings::InputArguments;
use super::{FAILURE, settings, written};
use crate::trace::{self, TraceFormat, TraceOptions};

/// What the subcommand takes.
#[derive(Args, Debug)]
pub struct TraceArguments {
    #[command(flatten)]
    inputs: InputArguments,
    /// How to write it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: TraceFormat,
    /// Write to a file, which is replaced whole
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(arguments: &TraceArguments) -> u8 {
    let Some((config, loaded)) = settings::prepare(&arguments.inputs) else { return FAILURE };
    written(arguments.output.as_deref(), &trace::run(&loaded, &config, &TraceOptions { format: arguments.format }))
}
