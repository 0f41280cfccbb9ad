//! A value that is known, absent, or not knowable from the manifests; the three are never confused.

use crate::source::Span;

/// A setting as far as manifests tell it.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved<T> {
    /// The value and its bytes.
    Known(T, Span),
    /// Not set; the span is the place where it would go.
    Absent(Span),
    /// Set to something that is decided elsewhere: `$(VAR)`, `valueFrom`, a template. Rules stay silent.
    Unknown(Span),
}

impl<T> Resolved<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Resolved::Known(value, _) => Some(value),
            _ => None,
        }
    }

    /// The value and its bytes, if it is known.
    pub fn known_at(&self) -> Option<(&T, Span)> {
        match self {
            Resolved::Known(value, span) => Some((value, *span)),
            _ => None,
        }
    }

    /// The bytes, or the place.
    pub fn span(&self) -> Span {
        match self {
            Resolved::Known(_, span) | Resolved::Absent(span) | Resolved::Unknown(span) => *span,
        }
    }

    /// Whether it is not set.
    pub fn is_absent(&self) -> bool {
        matches!(self, Resolved::Absent(_))
    }

    /// Whether it is set to something that can't be known.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Resolved::Unknown(_))
    }

    /// Another value of the same standing.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Resolved<U> {
        match self {
            Resolved::Known(value, span) => Resolved::Known(f(value), span),
            Resolved::Absent(span) => Resolved::Absent(span),
            Resolved::Unknown(span) => Resolved::Unknown(span),
        }
    }

    /// Reads the value further; what can't be read is unknown.
    pub fn parse<U>(self, f: impl FnOnce(T) -> Option<U>) -> Resolved<U> {
        match self {
            Resolved::Known(value, span) => f(value).map_or(Resolved::Unknown(span), |v| Resolved::Known(v, span)),
            Resolved::Absent(span) => Resolved::Absent(span),
            Resolved::Unknown(span) => Resolved::Unknown(span),
        }
    }

    /// This, or `other` where this is absent.
    pub fn or(self, other: Resolved<T>) -> Resolved<T> {
        if self.is_absent() { other } else { self }
    }

    /// The same with a reference to the value.
    pub fn as_ref(&self) -> Resolved<&T> {
        match self {
            Resolved::Known(value, span) => Resolved::Known(value, *span),
            Resolved::Absent(span) => Resolved::Absent(*span),
            Resolved::Unknown(span) => Resolved::Unknown(*span),
        }
    }
}
