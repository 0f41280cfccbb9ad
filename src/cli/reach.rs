//! `kvlint reach [PATHS]`: the connections that the network policies of a unit allow.

use std::path::PathBuf;

use clap::Args;

use super::settings::InputArguments;
use super::{FAILURE, settings, written};
use crate::reach::{self, PortFilter, ReachFormat, ReachOptions};

/// What the subcommand takes.
#[derive(Args, Debug)]
pub struct ReachArguments {
    #[command(flatten)]
    inputs: InputArguments,
    /// Only from ends of this name: `name`, `namespace/name` (with `*` and `?`), or `external`
    #[arg(long, value_name = "END")]
    from: Option<String>,
    /// Only to ends of this name
    #[arg(long, value_name = "END")]
    to: Option<String>,
    /// Only connections that this port is among: `5557`, `53/UDP`
    #[arg(long, value_name = "PORT")]
    port: Option<PortFilter>,
    /// How to write the list
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReachFormat,
    /// Also name the policies and lines that allow or deny
    #[arg(long)]
    explain: bool,
    /// The namespace of objects that name none
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Write to a file, which is replaced whole
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(arguments: &ReachArguments) -> u8 {
    let options = ReachOptions {
        format: arguments.format,
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        port: arguments.port,
        explain: arguments.explain,
        namespace: arguments.namespace.clone(),
    };
    let Some((config, loaded)) = settings::prepare(&arguments.inputs) else { return FAILURE };
    written(arguments.output.as_deref(), &reach::run(&loaded, &config, &options))
}
