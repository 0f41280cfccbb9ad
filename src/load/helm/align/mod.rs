//! From a rendered line back to the line of the template that printed it.
//!
//! `helm template` gives the text that templates print, cut into documents and sorted by kind, and no word about where
//! each line comes from. But the template is at hand: it is taken for a graph of all that it can print
//! (`program`), and the document is searched for in it (`search`). A line is mapped with high confidence when
//! every other explanation of it leaves clearly more of the document to coincidence.

mod defines;
mod margins;
mod output;
mod program;
mod search;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use defines::Defines;

use super::template::Template;
use crate::source::Span;
use margins::{Keys, Margins};
use program::{Origin, Program};
use search::{ByteSet, Printed};

/// How far a mapping can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Only the file is known.
    File,
    /// The best of several explanations.
    Medium,
    /// No other explanation is nearly as good.
    High,
    /// A mark in the template came out on this line.
    Exact,
}

/// What printed a line, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Text of the template.
    Literal,
    /// A value in its place.
    Hole,
    /// `include`, `template`, or an action that gives lines, such as `toYaml`.
    Expansion,
}

/// A place in a template that printed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text that was printed, or the action from `{{` to `}}`.
    pub span: Span,
    /// The expression in the action whose value it is, where that is certain.
    pub expr: Option<Span>,
    /// What stands there.
    pub kind: Kind,
    /// How far to trust it.
    pub confidence: Confidence,
}

/// A part of a rendered line with one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The bytes of the document.
    pub range: Range<usize>,
    /// The place in the template, and behind it the place in the body of each `define` on the way: the last one is the
    /// innermost. Empty when no place is known.
    pub places: Vec<Place>,
}

impl Piece {
    /// The place in the template that was rendered.
    pub fn outer(&self) -> Option<&Place> {
        self.places.first()
    }

    /// The place that printed it, which may stand in a `define`.
    pub fn inner(&self) -> Option<&Place> {
        self.places.last()
    }
}

/// Where one rendered line comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOrigin {
    /// As [`Piece::places`], for the line as a whole: for its first byte that is not blank.
    pub places: Vec<Place>,
    /// The same for its last byte; where a line is put together from several lines of a template, it differs.
    pub last: Vec<Place>,
    /// What kind of parts the line has; the last of [`Kind`]'s order counts.
    pub kind: Kind,
    /// How far the line of the template can be trusted.
    pub confidence: Confidence,
}

/// A rendered document with the origin of each of its bytes.
#[derive(Clone, Debug, Default)]
pub struct Alignment {
    /// One for each line of the document.
    pub lines: Vec<LineOrigin>,
    /// In the order of the document, without gaps.
    pub pieces: Vec<Piece>,
    /// The template, as it is here, can print this very document. Where it can't, no line is mapped with high confidence.
    pub is_exact: bool,
}

impl Alignment {
    /// The pieces that a range of bytes of the document touches, cut to it. A literal's place is the very bytes.
    pub fn locate(&self, range: Range<usize>) -> Vec<Piece> {
        let first = self.pieces.partition_point(|piece| piece.range.end <= range.start);
        let touched = self.pieces.iter().skip(first).take_while(|piece| piece.range.start < range.end);
        touched.map(|piece| cut(piece, &range)).collect()
    }
}

/// The places of bytes that are not blank.
fn filled(printed: &Printed, body: &str) -> impl Iterator<Item = usize> {
    let range = printed.start as usize..printed.end as usize;
    let bytes = body.as_bytes().get(range.clone()).unwrap_or_default();
    range.zip(bytes).filter(|(_, byte)| !byte.is_ascii_whitespace()).map(|(at, _)| at)
}

/// The part of a piece within a range.
fn cut(piece: &Piece, range: &Range<usize>) -> Piece {
    let (start, end) = (piece.range.start.max(range.start), piece.range.end.min(range.end));
    let mut places = piece.places.clone();
    if let Some(Place { span, kind: Kind::Literal, .. }) = places.last_mut()
        && span.len() as usize == piece.range.len()
    {
        let from = span.start + (start - piece.range.start) as u32;
        *span = Span::new(span.file, from, from + (end - start) as u32);
    }
    Piece { range: start..end, places }
}

/// A template, ready to be compared with what it printed.
pub struct Aligner<'t> {
    program: Program<'t>,
    first: Vec<ByteSet>,
    keys: Keys,
}

impl<'t> Aligner<'t> {
    /// Prepares a template. `defines` are those of its chart and of the charts around it.
    pub fn new(template: &'t Template, defines: &Defines<'t>) -> Aligner<'t> {
        let program = Program::new(template, defines);
        let first = search::first_bytes(&program);
        let keys = Keys::new(&program, template.source(), defines);
        Aligner { program, first, keys }
    }

    /// Finds the origin of each line of one rendered document of the template: the text behind its `# Source:` line.
    pub fn align(&self, document: &str) -> Alignment {
        let head = document.len() - document.trim_start().len();
        let body = document.trim();
        let ways = search::ways(&self.program, &self.first, body);
        let margins = Margins::new(self, body, &ways);
        let mut pieces: Vec<Piece> = Vec::new();
        let mut before = None;
        for printed in &ways.best {
            let trust = self.trust(printed, body, &margins);
            let is_part = self.is_part(printed, body, &margins);
            let range = head + printed.start as usize..head + printed.end as usize;
            match pieces.last_mut() {
                // A hole is filled byte by byte, and is as certain as the least of them: where it ends is a part of it.
                Some(last) if before == Some(printed.node) && last.range.end == range.start => {
                    last.range.end = range.end;
                    if let Some((place, trust)) = last.places.last_mut().zip(trust) {
                        place.confidence = place.confidence.min(trust);
                    }
                    if let Some(place) = last.places.last_mut().filter(|_| !is_part) {
                        place.expr = None;
                    }
                }
                _ => pieces.push(Piece { range, places: self.places(printed, trust, is_part, &margins) }),
            }
            before = Some(printed.node);
        }
        let document = Document { text: document, head, body, pieces: &pieces, margins: &margins };
        let lines = document.lines();
        Alignment { lines, pieces, is_exact: !ways.relaxed && !ways.best.is_empty() }
    }

    fn origin(&self, printed: &Printed) -> Option<(&Origin, usize)> {
        let index = *self.program.origin.get(printed.node? as usize)? as usize;
        Some((self.program.origins.get(index)?, index))
    }

    /// How far the part of the template can be trusted that printed some bytes; `None` where they are blank.
    fn trust(&self, printed: &Printed, body: &str, margins: &Margins) -> Option<Confidence> {
        filled(printed, body).map(|at| margins.trust(&margins.piece, at).min(margins.trust(&margins.full, at))).min()
    }

    /// Whether it is certain which part of an action printed some bytes.
    fn is_part(&self, printed: &Printed, body: &str, margins: &Margins) -> bool {
        filled(printed, body).all(|at| margins.trust(&margins.part, at) >= Confidence::High)
    }

    /// The places of a step, outermost first.
    fn places(&self, printed: &Printed, trust: Option<Confidence>, is_part: bool, margins: &Margins) -> Vec<Place> {
        let Some((origin, _)) = self.origin(printed) else { return Vec::new() };
        let at = printed.start as usize;
        let mut places = self.calls(origin.call, margins.trust(&margins.outer, at));
        let confidence =
            trust.unwrap_or_else(|| margins.trust(&margins.piece, at).min(margins.trust(&margins.full, at)));
        let expr = origin.expr.filter(|_| is_part);
        places.push(Place { span: origin.span, expr, kind: origin.kind, confidence });
        places
    }

    /// The calls that lead to an origin, outermost first.
    fn calls(&self, mut call: Option<u32>, confidence: Confidence) -> Vec<Place> {
        let mut places = Vec::new();
        while let Some(found) = call.and_then(|index| self.program.calls.get(index as usize)) {
            places.push(Place { span: found.span, expr: Some(found.expr), kind: Kind::Expansion, confidence });
            call = found.parent;
        }
        places.reverse();
        places
    }
}

/// A document whose pieces are known.
struct Document<'d> {
    text: &'d str,
    /// Where `body` starts in it.
    head: usize,
    body: &'d str,
    pieces: &'d [Piece],
    margins: &'d Margins,
}

impl Document<'_> {
    /// The origin of each line.
    fn lines(&self) -> Vec<LineOrigin> {
        let mut lines = Vec::new();
        let mut start = 0;
        for line in self.text.split('\n') {
            let blank = |b: u8| b == b' ' || b == b'\t' || b == b'\r';
            // A line of blanks is where its blanks come from; its end may come from what follows.
            let first = start + line.bytes().position(|b| !blank(b)).unwrap_or(0);
            let last = start + line.bytes().rposition(|b| !blank(b)).unwrap_or(0);
            lines.push(self.line(first, last));
            start += line.len() + 1;
        }
        if self.text.ends_with('\n') {
            lines.pop();
        }
        lines
    }

    /// The origin of the line between two bytes.
    fn line(&self, first: usize, last: usize) -> LineOrigin {
        let from = self.pieces.partition_point(|piece| piece.range.end <= first);
        let to = self.pieces.partition_point(|piece| piece.range.start <= last);
        let inside = self.pieces.get(from..to.max(from)).unwrap_or_default();
        let Some((one, other)) = inside.first().zip(inside.last()) else {
            let (places, last) = (Vec::new(), Vec::new());
            return LineOrigin { places, last, kind: Kind::Literal, confidence: Confidence::File };
        };
        let is_blank = self.is_blank(&(first..last + 1));
        let (places, other) = (self.places(one, first, is_blank), self.places(other, last, is_blank));
        let trust = |list: &[Place]| list.first().map_or(Confidence::File, |place| place.confidence);
        let confidence = trust(&places).min(trust(&other));
        let kinds = inside.iter().filter(|piece| !self.is_blank(&piece.range));
        let kind = kinds.filter_map(|piece| piece.outer()).map(|place| place.kind).max().unwrap_or(Kind::Literal);
        LineOrigin { places, last: other, kind, confidence }
    }

    /// The places of a piece as those of a line: the line of the template is what is asked for, not the part of it.
    fn places(&self, piece: &Piece, at: usize, is_blank: bool) -> Vec<Place> {
        let at = at.wrapping_sub(self.head);
        let mut places = piece.places.clone();
        if let Some(place) = places.last_mut() {
            // Which of several actions that print nothing left its blanks is not told.
            let most = if is_blank { Confidence::Medium } else { Confidence::High };
            place.confidence = self.margins.trust(&self.margins.full, at).min(most);
        }
        if let Some(place) = places.first_mut() {
            place.confidence = self.margins.trust(&self.margins.outer, at);
        }
        places
    }

    /// Whether a range holds nothing but blanks.
    fn is_blank(&self, range: &Range<usize>) -> bool {
        let range = range.start.saturating_sub(self.head)..range.end.saturating_sub(self.head);
        self.body.get(range).is_some_and(|text| text.trim().is_empty())
    }
}
