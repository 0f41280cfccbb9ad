//! `kvlint lsp`: the language server over standard input and output.

use std::io::{self, BufReader};

use super::{FAILURE, output};
use crate::lsp::{self, End};

pub fn run() -> u8 {
    match lsp::serve(BufReader::new(io::stdin()), io::stdout()) {
        Ok(End::Orderly) => 0,
        // As the protocol asks.
        Ok(End::Abrupt) => 1,
        Err(failure) => {
            output::complain(&format!("language server: {failure}"));
            FAILURE
        }
    }
}
