//! The language server: what `kvlint` would say of each unit, while its files are being edited.
//!
//! The client's texts lie over the files on disk. After each change, the units around the changed file are loaded and linted
//! whole on a second thread, so that a port that is missing in one file is told in the other; the first thread answers the
//! client meanwhile, from the last results. Nothing is ever written: fixes go to the client as edits.

mod actions;
mod analysis;
mod answer;
mod documents;
mod hover;
mod links;
mod place;
mod position;
mod session;
mod transport;

pub use session::{End, Failure, serve};
