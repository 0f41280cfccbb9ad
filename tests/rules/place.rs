//! The bytes that a finding is about, as examples and expected findings write them: `at` and the bytes between backticks.
//!
//! Where the line has them more than once, it is said which are meant: ``at 2nd `5557` ``. What is long, or goes over several
//! lines, is shortened: `…` stands for what is left out between its start and its end. Bytes with a backtick stand between two.

use std::fmt;

/// So many bytes at least are written out.
const SHORT: usize = 60;

/// How many of a long text's characters stand before and after `…`.
const SHOWN: (usize, usize) = (40, 12);

/// Stands for what is left out.
pub const LEFT_OUT: char = '…';

/// Where a finding is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub bytes: String,
    /// Which of the same bytes on the line, from 1.
    pub nth: usize,
    /// How often the line has them.
    pub times: usize,
}

impl Place {
    /// The place of some bytes of a file's text.
    pub fn new(file: impl Into<String>, text: &str, span: std::ops::Range<usize>) -> Place {
        let before = &text[..span.start];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..].split('\n').next().unwrap_or_default();
        let bytes = &text[span.clone()];
        let first = bytes.split('\n').next().unwrap_or_default();
        let same = || (0..line.len()).filter(|at| line.get(*at..).is_some_and(|rest| rest.starts_with(first)));
        Place {
            file: file.into(),
            line: before.matches('\n').count() + 1,
            bytes: bytes.to_string(),
            nth: same().filter(|at| *at <= span.start - start).count(),
            times: same().count(),
        }
    }

    /// Whether a part of the bytes may be left out.
    pub fn is_long(&self) -> bool {
        self.bytes.len() > SHORT || self.bytes.contains('\n')
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("at ")?;
        if self.times > 1 {
            write!(f, "{}{} ", self.nth, suffix(self.nth))?;
        }
        let mut shown = self.bytes.clone();
        if self.is_long() {
            let first = self.bytes.lines().next().unwrap_or_default();
            let last = self.bytes.lines().next_back().unwrap_or_default().trim_start();
            let head: String = first.chars().take(SHOWN.0).collect();
            let tail: Vec<char> = last.chars().rev().take(SHOWN.1).collect();
            shown = format!("{head}{LEFT_OUT}{}", tail.into_iter().rev().collect::<String>());
        }
        if shown.contains('`') { write!(f, "`` {shown} ``") } else { write!(f, "`{shown}`") }
    }
}

/// What follows the number in `2nd`.
pub fn suffix(n: usize) -> &'static str {
    match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}
