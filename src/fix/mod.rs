//! Changes of source bytes: building them from what is meant, making them in memory until nothing more is to be done, and writing
//! them at the end.
//!
//! [`edit`](crate::edit) turns an intended change of a node ("set this label", "add this item") into the bytes to change and keeps
//! everything else; rules and commands say what they want. What several of them want of engines and pods is in [`publish`],
//! [`engine`] and [`pod`]. [`apply::fix`] takes the fixes of a run's findings, applies those that
//! don't get in each other's way, loads and lints the outcome, and goes on with what is found then. [`diff`] shows what came of it,
//! [`write`](mod@write) puts it on disk.

pub mod apply;
pub mod command;
pub mod diff;
pub mod engine;
pub mod gateway;
mod moves;
pub mod pod;
pub mod publish;
pub(crate) mod regress;
pub mod write;

pub use apply::{Change, Discarded, End, Fixed, Made, State, fix};
