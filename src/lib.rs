//! kvlint: decides from Kubernetes manifests whether KV-cache events will reach the gateway.
#![forbid(unsafe_code)]

pub mod changed;
pub mod cli;
pub mod config;
pub mod display;
pub mod edit;
pub mod events;
pub mod facts;
pub mod fix;
pub mod k8s;
pub mod lexical;
pub mod lint;
pub mod load;
pub mod lsp;
pub mod migrate;
mod panics;
pub mod reach;
pub mod report;
pub mod source;
pub mod suggest;
pub mod trace;
pub mod yaml;
