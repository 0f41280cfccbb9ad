//! `kvlint lsp`: the language server over standard input and output.

use lsp_server::Connection;

use super::{FAILURE, output};
use crate::lsp;

pub fn run() -> u8 {
    let (connection, threads) = Connection::stdio();
    let served = lsp::serve(connection);
    match served {
        // The writing thread ends when it has written all.
        Ok(()) => match threads.join() {
            Ok(()) => 0,
            Err(e) => {
                output::complain(&format!("the language server can't write: {e}"));
                FAILURE
            }
        },
        Err(failure) => {
            output::complain(&format!("language server: {failure}"));
            FAILURE
        }
    }
}
