//! `kvlint enable` and `kvlint disable`: KV-cache events switched on or off for workloads that exist, in the manifests that define
//! them.
//!
//! A migration runs in steps, and each step sees what the one before made of the files: first the engines and what stands around
//! them, then the gateway, then the policies that keep it out. Every step says what it wants as
//! [`Changes`](crate::edit::Changes) of nodes, so that comments and style survive and what a build composed is changed where it
//! was written. Nothing is written here: [`Migrated`] holds texts before and after, and [`patches`] gives the same change as JSON
//! patches of objects, for [`kustomize`] and [`kubectl`].

mod check;
mod disable;
mod enable;
mod gateway;
pub mod kubectl;
pub mod kustomize;
mod mark;
pub mod patches;
mod policy;
mod run;
mod target;

pub use check::brings;
pub use run::{Migrated, Migration, Refused, Way, migrate};
pub use target::Target;
