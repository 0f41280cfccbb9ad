//! Edits applied to text.

use std::fmt;

use crate::source::Span;

/// One change of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    /// The bytes that go away; empty to insert.
    pub span: Span,
    /// What comes in their place.
    pub replacement: String,
}

/// Why edits can't be applied together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Two edits change the same bytes, by their positions in the list.
    Overlap(usize, usize),
    /// An edit reaches past the end of the text or into the middle of a character, by its position in the list.
    OutOfText(usize),
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Conflict::Overlap(a, b) => write!(f, "edits {a} and {b} change the same bytes"),
            Conflict::OutOfText(i) => write!(f, "edit {i} does not fit the text"),
        }
    }
}

impl std::error::Error for Conflict {}

/// The text after all edits; their files are not looked at.
///
/// Edits are taken in the order of their offsets. Insertions at the same offset are made in the order of the list, and
/// come before a replacement that starts there.
///
/// # Errors
/// When two edits overlap, or one does not lie on character boundaries of the text.
pub fn apply_to(text: &str, edits: &[Edit]) -> Result<String, Conflict> {
    let mut order: Vec<(usize, &Edit)> = edits.iter().enumerate().collect();
    // The sort is stable, so equal insertions keep their order.
    order.sort_by_key(|(_, edit)| (edit.span.start, edit.span.end));
    let mut out = String::with_capacity(text.len() + edits.iter().map(|e| e.replacement.len()).sum::<usize>());
    let (mut done, mut last) = (0, 0);
    for (index, edit) in order {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        if start < done {
            return Err(Conflict::Overlap(last.min(index), last.max(index)));
        }
        let (Some(kept), Some(_)) = (text.get(done..start), text.get(start..end)) else {
            return Err(Conflict::OutOfText(index));
        };
        out.push_str(kept);
        out.push_str(&edit.replacement);
        (done, last) = (end, index);
    }
    out.push_str(text.get(done..).unwrap_or(""));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span};

    fn edit(start: u32, end: u32, replacement: &str) -> Edit {
        Edit { span: Span::new(FileId(0), start, end), replacement: replacement.into() }
    }

    #[test]
    fn insertions_at_one_offset_keep_the_order_of_the_list() {
        let edits = [edit(3, 4, "D"), edit(1, 1, "x"), edit(1, 1, "y"), edit(1, 2, "B")];
        assert_eq!(apply_to("abcd", &edits).unwrap(), "axyBcD");
    }

    #[test]
    fn overlaps_and_split_characters_are_refused() {
        assert_eq!(apply_to("abcd", &[edit(0, 2, ""), edit(1, 3, "")]), Err(Conflict::Overlap(0, 1)));
        assert_eq!(apply_to("abcd", &[edit(2, 2, "x"), edit(1, 3, "")]), Err(Conflict::Overlap(0, 1)));
        assert_eq!(apply_to("é", &[edit(1, 1, "x")]), Err(Conflict::OutOfText(0)));
        assert_eq!(apply_to("a", &[edit(1, 9, "x")]), Err(Conflict::OutOfText(0)));
    }
}
