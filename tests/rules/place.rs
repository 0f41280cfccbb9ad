//! The bytes that a finding is about, as examples and expected findings write them: `at` and the bytes between backticks.
//!
//! Where the line has them more than once, it is said which are meant: ``at 2nd `5557` ``. What is long, or goes over several
//! lines, is shortened: `…` stands for what is left out between its start and its end. Bytes with a backtick stand between two.

use std::fmt;

/// So many bytes at least are written out.
const SHORT: usize = 60;

/// How many of a long text's characters stand before and after `…`.
const SHOWN: (usize, usize) = (40, 12);

const LEFT_OUT: char = '…';

/// The bytes that a marker asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which of those on the line, from 1; `None` where they stand there once.
    nth: Option<usize>,
    bytes: String,
}

impl Wanted {
    /// Reads what follows `at `, and gives what is left of the text.
    pub fn parse(text: &str) -> Option<(Wanted, &str)> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let nth = text[..digits].parse().ok();
        let text = match nth {
            Some(n) => text[digits..].strip_prefix(suffix(n))?.strip_prefix(' ')?,
            None => text,
        };
        let ticks = text.bytes().take_while(|b| *b == b'`').count();
        let (fence, text) = text.split_at(ticks);
        let (bytes, rest) = text.split_once(fence).filter(|(bytes, _)| ticks > 0 && !bytes.is_empty())?;
        let bytes = if ticks > 1 { bytes.trim_matches(' ') } else { bytes };
        Some((Wanted { nth, bytes: bytes.to_string() }, rest))
    }
}

/// Where a finding is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    /// From 1.
    pub line: usize,
    bytes: String,
    /// Which of the same bytes on the line, from 1.
    nth: usize,
    /// How often the line has them.
    times: usize,
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

    /// Whether it is what a marker asks for.
    pub fn is(&self, wanted: &Wanted) -> bool {
        let nth = (self.times > 1).then_some(self.nth);
        let same = match wanted.bytes.split_once(LEFT_OUT) {
            Some((head, tail)) if self.is_long() => {
                !head.is_empty() && !tail.is_empty() && self.bytes.starts_with(head) && self.bytes.ends_with(tail)
            }
            _ => self.bytes == wanted.bytes,
        };
        same && nth == wanted.nth
    }

    fn is_long(&self) -> bool {
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

fn suffix(n: usize) -> &'static str {
    match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}
