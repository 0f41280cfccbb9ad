//! Files to units of resources: discovery, then one loader for each way to write manifests.

mod text;

pub use text::{DecodeError, Decoded, Encoding, decode};
