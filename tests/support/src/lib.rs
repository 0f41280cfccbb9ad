//! What tests of the program are made of: a folder with files, a run of kvlint in it, and what that said.

mod files;
pub mod git;
pub mod manifests;
mod program;

pub use files::{folder, folder_of_bytes, read, write};
pub use program::{Ran, command, finish, kvlint, kvlint_with_input, program, run};
