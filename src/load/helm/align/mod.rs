//! From a rendered line back to the line of the template that printed it.
//!
//! `helm template` gives the text that templates print, cut into documents and sorted by kind, and no word about where
//! each line comes from. But the template is at hand: it is taken for a graph of all that it can print
//! ([`program`]), and the document is searched for in it ([`search`]). A line is mapped with high confidence when
//! every other explanation of it leaves clearly more of the document to coincidence.

mod defines;
mod output;
mod program;
mod search;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

pub use defines::Defines;

use super::template::Template;
use crate::source::{SourceFile, Span};
use program::{Origin, Program};
use search::{ByteSet, Printed, Ways};

/// What the next best explanation of a line must cost more, for the first to be trusted: seven letters that would
/// have to stand in a value by chance.
const MARGIN: u32 = 28;

/// By what the cost is divided of a value that would be the text of another arm.
const DEFAULTS: u32 = 8;

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
    /// The expression in the action whose value it is.
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
    /// Prepares a template. `files` are all files that a span of the template or of a definition can lie in.
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
            let range = head + printed.start as usize..head + printed.end as usize;
            match pieces.last_mut() {
                // A hole is filled byte by byte.
                Some(last) if before == Some(printed.node) && last.range.end == range.start => {
                    last.range.end = range.end
                }
                _ => pieces.push(Piece { range, places: self.places(printed, &margins, ways.relaxed) }),
            }
            before = Some(printed.node);
        }
        let lines = self.lines(document, head, body, &pieces, &margins, ways.relaxed);
        Alignment { lines, pieces, is_exact: !ways.relaxed && !ways.best.is_empty() }
    }

    fn origin(&self, printed: &Printed) -> Option<(&Origin, usize)> {
        let index = *self.program.origin.get(printed.node? as usize)? as usize;
        Some((self.program.origins.get(index)?, index))
    }

    /// What a rival's explanation counts for. Where it stands in another arm of the same `if`, its value may well be the
    /// very text of this arm: people spell defaults out.
    fn weighed(&self, cost: u32, mine: Option<usize>, rival: Option<usize>) -> u32 {
        let origin = |index: Option<usize>| self.program.origins.get(index?);
        match (origin(mine), origin(rival)) {
            (Some(mine), Some(rival)) if self.program.exclude_each_other(mine, rival) => cost / DEFAULTS,
            _ => cost,
        }
    }

    /// The places of a step, outermost first.
    fn places(&self, printed: &Printed, margins: &Margins, relaxed: bool) -> Vec<Place> {
        let Some((origin, _)) = self.origin(printed) else { return Vec::new() };
        let trust = |margin: Option<&u32>| confidence(margin.copied().unwrap_or(0), relaxed);
        let at = printed.start as usize;
        let mut places = self.calls(origin.call, trust(margins.outer.get(at)));
        // A part of a line is trusted when no other part of the template explains it as well.
        let inner = trust(margins.piece.get(at)).min(trust(margins.full.get(at)));
        places.push(Place { span: origin.span, expr: origin.expr, kind: origin.kind, confidence: inner });
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

    fn lines(
        &self,
        document: &str,
        head: usize,
        body: &str,
        pieces: &[Piece],
        margins: &Margins,
        relaxed: bool,
    ) -> Vec<LineOrigin> {
        let mut lines = Vec::new();
        let mut start = 0;
        for line in document.split('\n') {
            let blank = |b: u8| b == b' ' || b == b'\t' || b == b'\r';
            let end = start + line.len();
            // A line of blanks is where its blanks come from; its end may come from what follows.
            let first = start + line.bytes().position(|b| !blank(b)).unwrap_or(0);
            let last = start + line.bytes().rposition(|b| !blank(b)).unwrap_or(0);
            lines.push(self.line(first, last, head, body, pieces, margins, relaxed));
            start = end + 1;
        }
        if document.ends_with('\n') {
            lines.pop();
        }
        lines
    }

    #[allow(clippy::too_many_arguments)]
    fn line(
        &self,
        first: usize,
        last: usize,
        head: usize,
        body: &str,
        pieces: &[Piece],
        margins: &Margins,
        relaxed: bool,
    ) -> LineOrigin {
        let from = pieces.partition_point(|piece| piece.range.end <= first);
        let to = pieces.partition_point(|piece| piece.range.start <= last);
        let inside = pieces.get(from..to.max(from)).unwrap_or_default();
        let Some((one, other)) = inside.first().zip(inside.last()) else {
            let (places, last) = (Vec::new(), Vec::new());
            return LineOrigin { places, last, kind: Kind::Literal, confidence: Confidence::File };
        };
        let is_blank =
            body.get(first.saturating_sub(head)..=last.saturating_sub(head)).is_some_and(|line| line.trim().is_empty());
        let places = |piece: &Piece, at: usize| {
            let mut places = piece.places.clone();
            let margin = |list: &[u32]| list.get(at.wrapping_sub(head)).copied().unwrap_or(0);
            // The line, not the part of it, is what is asked for.
            if let Some(place) = places.last_mut() {
                // Which of several actions that print nothing left its blanks is not told.
                let most = if is_blank { Confidence::Medium } else { Confidence::High };
                place.confidence = confidence(margin(&margins.full), relaxed).min(most);
            }
            if let Some(place) = places.first_mut() {
                place.confidence = confidence(margin(&margins.outer), relaxed);
            }
            places
        };
        let (places, other) = (places(one, first), places(other, last));
        let trust = |list: &[Place]| list.first().map_or(Confidence::File, |place| place.confidence);
        let confidence = trust(&places).min(trust(&other));
        let kinds = inside.iter().filter(|piece| !prints_blanks(body, head, &piece.range));
        let kind = kinds.filter_map(|piece| piece.outer()).map(|place| place.kind).max().unwrap_or(Kind::Literal);
        LineOrigin { places, last: other, kind, confidence }
    }
}

/// Whether a range of the document holds nothing but blanks.
fn prints_blanks(body: &str, head: usize, range: &Range<usize>) -> bool {
    let range = range.start.saturating_sub(head)..range.end.saturating_sub(head);
    body.get(range).is_some_and(|text| text.trim().is_empty())
}

fn confidence(margin: u32, relaxed: bool) -> Confidence {
    if margin >= MARGIN && !relaxed { Confidence::High } else { Confidence::Medium }
}

/// What makes two origins the same: the line of the template, the line of the define, the very part.
struct Keys {
    outer: Vec<u32>,
    full: Vec<u32>,
    piece: Vec<u32>,
}

impl Keys {
    fn new(program: &Program<'_>, source: &Arc<SourceFile>, defines: &Defines<'_>) -> Keys {
        let line = |span: Span| {
            let file = if span.file == source.id() { Some(source) } else { defines.file(span.file) };
            (span.file, file.map_or(0, |file| file.line_index(span.start)))
        };
        let mut chains: HashMap<(Option<u32>, Span), u32> = HashMap::new();
        let mut roots = Vec::new();
        let mut links: Vec<u32> = Vec::new();
        for call in &program.calls {
            let parent = call.parent.and_then(|parent| links.get(parent as usize).copied());
            let next = chains.len() as u32;
            links.push(*chains.entry((parent, call.expr)).or_insert(next));
            let root = call.parent.and_then(|parent| roots.get(parent as usize).copied()).unwrap_or(call.span);
            roots.push(root);
        }
        let mut keys = Keys { outer: Vec::new(), full: Vec::new(), piece: Vec::new() };
        let (mut outers, mut fulls, mut pieces) = (HashMap::new(), HashMap::new(), HashMap::new());
        for origin in &program.origins {
            let chain = origin.call.and_then(|call| links.get(call as usize).copied());
            let root = origin.call.and_then(|call| roots.get(call as usize).copied()).unwrap_or(origin.span);
            let next = outers.len() as u32;
            keys.outer.push(*outers.entry(line(root)).or_insert(next));
            let next = fulls.len() as u32;
            keys.full.push(*fulls.entry((chain, line(origin.span))).or_insert(next));
            let next = pieces.len() as u32;
            keys.piece.push(*pieces.entry((chain, origin.span, origin.expr)).or_insert(next));
        }
        keys
    }
}

/// For each byte of a document what its best explanation by something else costs more than the best of all.
struct Margins {
    /// By another line of the template.
    outer: Vec<u32>,
    /// By another line, in a `define` perhaps.
    full: Vec<u32>,
    /// By another part of a template.
    piece: Vec<u32>,
}

impl Margins {
    fn new(aligner: &Aligner<'_>, body: &str, ways: &Ways) -> Margins {
        let mut best: Vec<Option<usize>> = vec![None; body.len()];
        for printed in &ways.best {
            let origin = aligner.origin(printed).map(|(_, index)| index);
            best.get_mut(printed.start as usize..printed.end as usize).unwrap_or_default().fill(origin);
        }
        let none = || vec![u32::MAX; body.len()];
        let mut margins = Margins { outer: none(), full: none(), piece: none() };
        for (printed, cost) in &ways.steps {
            let rival = aligner.origin(printed).map(|(_, index)| index);
            let range = printed.start as usize..printed.end as usize;
            let mut last = (usize::MAX, *cost);
            for (at, mine) in range.clone().zip(best.get(range).unwrap_or_default()) {
                if *mine == rival {
                    continue;
                }
                if mine.is_some() && last.0 != mine.unwrap_or(usize::MAX) {
                    last = (mine.unwrap_or(usize::MAX), aligner.weighed(*cost, *mine, rival));
                }
                let cost = last.1;
                let differs = |list: &[u32]| {
                    let key = |origin: Option<usize>| origin.and_then(|index| list.get(index));
                    key(*mine) != key(rival)
                };
                let note = |list: &mut Vec<u32>| {
                    if let Some(margin) = list.get_mut(at) {
                        *margin = cost.min(*margin);
                    }
                };
                if differs(&aligner.keys.piece) {
                    note(&mut margins.piece);
                }
                if differs(&aligner.keys.full) {
                    note(&mut margins.full);
                }
                if differs(&aligner.keys.outer) {
                    note(&mut margins.outer);
                }
            }
        }
        margins
    }
}
