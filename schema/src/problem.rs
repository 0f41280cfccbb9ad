//! What is wrong with an object, and how to say it.

use crate::Kind;
use std::{borrow::Cow, fmt};

/// Longest part of a string that a message quotes, in characters.
const QUOTED_CHARS: usize = 40;

/// One thing that the API server would refuse.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The node at fault: the value for a type error, the key for an unknown field, the mapping (or the key of the
    /// empty entry) for a missing one.
    pub node: u32,
    /// Where it is, from the checked node down: `spec.containers[0].ports[0].containerPort`. For a missing field, the
    /// path of the mapping that lacks it; empty for the checked node itself.
    pub path: String,
    /// What is wrong.
    pub what: ProblemKind,
    /// What to do about it, where that is certain.
    pub help: Option<Cow<'static, str>>,
}

/// The kinds of problem.
#[derive(Clone, Debug, PartialEq)]
pub enum ProblemKind {
    /// The object has no such field. Field names are case-sensitive.
    UnknownField {
        /// The field as written.
        name: String,
        /// The fields that the object has, for a suggestion.
        expected: &'static [&'static str],
    },
    /// A value of another type.
    WrongType {
        /// What stands there: ``boolean `true` ``, `a list`.
        found: String,
        /// What belongs there: `a string`.
        expected: &'static str,
    },
    /// The right type, but a value that can't be read.
    BadValue {
        /// What stands there.
        found: String,
        /// What belongs there: `base64 text`.
        expected: &'static str,
    },
    /// A field without which the object is refused.
    Missing {
        /// The field.
        field: &'static str,
    },
    /// The value is nested deeper than any real object; it was not checked.
    TooDeep,
    /// The object has more nodes than any real one (aliases multiply them); from here on it was not checked.
    TooBig,
    /// There are so many problems that those from here on are not told.
    TooMany,
    /// The object could not be decoded for a reason that this crate does not foresee; the rest was not checked.
    Undecodable(String),
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownField { name, .. } => write!(f, "unknown field `{name}`"),
            Self::WrongType { found, expected } | Self::BadValue { found, expected } => {
                write!(f, "expected {expected}, found {found}")
            }
            Self::Missing { field } => write!(f, "`{field}` is missing"),
            Self::TooDeep => f.write_str("nested too deeply to be checked"),
            Self::TooBig => f.write_str("too big to be checked"),
            Self::TooMany => f.write_str("too many problems stand before"),
            Self::Undecodable(reason) => write!(f, "cannot be decoded: {reason}"),
        }
    }
}

/// What a value is, for a message: ``boolean `true` ``.
pub(crate) fn describe(kind: &Kind<'_>) -> String {
    match kind {
        Kind::Bool(b) => format!("boolean `{b}`"),
        Kind::Int(i) => format!("integer `{i}`"),
        Kind::UInt(u) => format!("integer `{u}`"),
        Kind::Float(x) => format!("number `{x}`"),
        Kind::Str(s) if s.chars().count() > QUOTED_CHARS => {
            format!("string `\"{}…\"`", s.chars().take(QUOTED_CHARS).collect::<String>())
        }
        Kind::Str(s) => format!("string `\"{s}\"`"),
        Kind::Null | Kind::Seq(_) | Kind::Map(_) | Kind::Unknown => type_name(kind).to_owned(),
    }
}

/// What a value is, without the value.
pub(crate) fn type_name(kind: &Kind<'_>) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool(_) => "a boolean",
        Kind::Int(_) | Kind::UInt(_) => "an integer",
        Kind::Float(_) => "a number",
        Kind::Str(_) => "a string",
        Kind::Seq(_) => "a list",
        Kind::Map(_) => "a mapping",
        Kind::Unknown => "an unknown value",
    }
}

/// What to do about a value of the wrong type, where that is certain.
pub(crate) fn type_help(found: &Kind<'_>, expected: &str) -> Option<&'static str> {
    match (expected, found) {
        ("a string", Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_)) => Some("quote it"),
        ("an integer", Kind::Str(s)) if s.parse::<i64>().is_ok() => Some("remove the quotes"),
        ("a boolean", Kind::Str(s)) if matches!(s.as_ref(), "true" | "false") => Some("remove the quotes"),
        _ => None,
    }
}
