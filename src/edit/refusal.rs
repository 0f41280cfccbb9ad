//! Why a change is not turned into edits.

use std::fmt;

use crate::source::Span;

/// A change that can't be made by editing bytes, with the reason in words that can stand in help text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why, as a clause without a capital or a final stop: "`labels` is repeated by an alias".
    pub reason: String,
    /// The bytes that stand in the way, where there are some.
    pub span: Option<Span>,
}

impl Refusal {
    /// A reason without a place.
    pub fn new(reason: impl Into<String>) -> Refusal {
        Refusal { reason: reason.into(), span: None }
    }

    /// A reason, and the bytes that stand in the way.
    pub fn at(span: Span, reason: impl Into<String>) -> Refusal {
        Refusal { reason: reason.into(), span: Some(span) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Refusal {}
