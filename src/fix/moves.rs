//! Where places of a file are after some edits of it.

use crate::lint::Edit;
use crate::source::Span;

/// Edits of one file, as what they do to the offsets behind them.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// The bytes of each edit, and the length of what comes in their place. Sorted; they do not overlap.
    edits: Vec<(Span, i64)>,
    /// By how much each edit, with all before it, pushes on what follows.
    grown: Vec<i64>,
}

impl Moves {
    /// Of these edits, in any order.
    pub(super) fn of(edits: &[Edit]) -> Moves {
        let mut edits: Vec<(Span, i64)> = edits.iter().map(|e| (e.span, e.replacement.len() as i64)).collect();
        edits.sort_unstable();
        let mut sum = 0;
        let add = |(span, len): &(Span, i64)| {
            sum += len - i64::from(span.len());
            sum
        };
        let grown = edits.iter().map(add).collect();
        Moves { edits, grown }
    }

    /// Where a span is after the edits. What was replaced in part is where its replacement is.
    pub(super) fn forward(&self, span: Span) -> Span {
        let start = self.offset(span.start, false);
        let end = if span.is_empty() { start } else { self.offset(span.end, true) };
        Span { start, end: end.max(start), ..span }
    }

    fn offset(&self, offset: u32, is_end: bool) -> u32 {
        // What is inserted at the start pushes the place on; at the end it is not a part of it.
        let behind = |span: Span| span.end < offset || (span.end == offset && !(is_end && span.is_empty()));
        let before = self.edits.partition_point(|(span, _)| behind(*span));
        let mut moved = i64::from(offset) + before.checked_sub(1).map_or(0, |last| self.grown[last]);
        if let Some((span, len)) = self.edits.get(before).filter(|(span, _)| span.start < offset && offset < span.end) {
            moved -= i64::from(offset - span.start);
            moved += if is_end { *len } else { 0 };
        }
        u32::try_from(moved).unwrap_or(0)
    }
}
