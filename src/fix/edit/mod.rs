//! Edits of text: bytes that go away and what comes in their place.

mod apply;

pub use apply::{Conflict, apply_to};
