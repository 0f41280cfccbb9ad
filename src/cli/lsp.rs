//! `kvlint lsp`: the language server over standard input and output.

use std::io::{self, BufReader};

use clap::Args;

use super::{FAILURE, output};
use crate::display::{shown, visible};
use crate::load::helm::{Binary, Helm, TIMEOUT};
use crate::lsp::{self, End};

#[derive(Args, Debug)]
pub struct LspArguments {
    /// The helm program, or `never` [default: the helm on the search path]
    #[arg(long, value_name = "PROGRAM")]
    helm: Option<Binary>,
}

pub fn run(arguments: &LspArguments) -> u8 {
    let helm = arguments.helm.clone().unwrap_or(Binary::OnPath);
    if let Err(e) = Helm::find(&helm, TIMEOUT) {
        output::complain(&format!("{}: {}", visible::line(&shown(&e.path)), e.message));
        return FAILURE;
    }
    match lsp::serve(BufReader::new(io::stdin()), io::stdout(), helm) {
        Ok(End::Orderly) => 0,
        // As the protocol asks.
        Ok(End::Abrupt) => 1,
        Err(failure) => {
            output::complain(&format!("language server: {failure}"));
            FAILURE
        }
    }
}
