//! Fixes: edits of source bytes, made in memory until nothing more is to be done, checked, and written at the end.
//!
//! [`apply::fix`] takes the fixes of a run's findings, applies those that don't get in each other's way, loads and lints the
//! outcome, and goes on with what is found then. [`diff`] shows what came of it, [`write`](mod@write) puts it on disk.

pub mod apply;
pub mod diff;
pub mod edit;
mod regress;
pub mod write;

pub use apply::{Change, Discarded, Fixed, Made, State, fix};
