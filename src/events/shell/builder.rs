//! Puts words together piece by piece, each with its place in the input.

use std::ops::Range;

use super::{Assignment, Piece, Word, assignment_name};
use crate::k8s::expansion::{Expanded, Place};

/// Puts words together from parts, splitting where the shell splits.
pub(super) struct Builder<'m> {
    map: &'m Expanded,
    done: Vec<Word>,
    current: Word,
    /// Where the current word starts in the input.
    start: usize,
    /// Whether there is a word, be it an empty one.
    pub started: bool,
}

impl<'m> Builder<'m> {
    pub(super) fn new(map: &'m Expanded, start: usize) -> Self {
        Self {
            map,
            done: Vec::new(),
            current: Word::empty(),
            start: map.source_range(start..start).start,
            started: false,
        }
    }

    pub(super) fn verbatim(&mut self, range: Range<usize>) {
        let map = self.map;
        for (at, place) in map.stretches(range) {
            self.push(map.text().get(at).unwrap_or(""), place, None);
        }
    }

    /// Text of the script itself in which blanks separate words.
    pub(super) fn fields(&mut self, range: Range<usize>) {
        let mut at = range.start;
        for field in self.map.text().get(range).unwrap_or("").split_inclusive(is_blank) {
            let word = field.strip_suffix(is_blank).unwrap_or(field);
            self.verbatim(at..at + word.len());
            at += field.len();
            if word.len() < field.len() {
                if self.started {
                    self.finish(self.source_end(at - 1));
                }
                self.start = self.map.source_range(at..at).start;
            }
        }
    }

    pub(super) fn opaque(&mut self, range: Range<usize>, splits: bool) {
        self.current.opaque = true;
        self.current.splits |= splits;
        self.verbatim(range);
        self.started = true;
    }

    pub(super) fn push(&mut self, text: &str, place: Place, definition: Option<Place>) {
        if text.is_empty() {
            return;
        }
        let start = self.current.text.len();
        self.current.text.push_str(text);
        self.started = true;
        self.current.pieces.push(Piece { text: start..self.current.text.len(), place, definition });
    }

    /// Appends a variable's value that was written at `source`; `pieces` tell where the script defines it.
    pub(super) fn value(&mut self, text: &str, pieces: &[Piece], source: &Range<usize>, split: bool) {
        let separates = |c: char| split && is_blank(c);
        let mut at = 0;
        for field in text.split_inclusive(separates) {
            let word = field.strip_suffix(separates).unwrap_or(field);
            self.slice(text, at..at + word.len(), pieces, source);
            if word.len() < field.len() {
                self.end_word(source);
            }
            at += field.len();
        }
    }

    fn slice(&mut self, text: &str, at: Range<usize>, pieces: &[Piece], source: &Range<usize>) {
        let place = Place { range: source.clone(), verbatim: false };
        if pieces.is_empty() {
            return self.push(text.get(at).unwrap_or(""), place, None);
        }
        let first = pieces.partition_point(|piece| piece.text.end <= at.start);
        for piece in pieces.iter().skip(first).take_while(|piece| piece.text.start < at.end) {
            let part = piece.text.start.max(at.start)..piece.text.end.min(at.end);
            let origin = piece.definition.as_ref().unwrap_or(&piece.place);
            let mut definition = origin.clone();
            if origin.verbatim {
                let from = origin.range.start + (part.start - piece.text.start);
                definition.range = from..from + part.len();
            }
            self.push(text.get(part).unwrap_or(""), place.clone(), Some(definition));
        }
    }

    fn end_word(&mut self, source: &Range<usize>) {
        if self.started {
            self.finish(source.end);
        }
        self.start = source.start;
    }

    fn finish(&mut self, end: usize) {
        let mut word = std::mem::replace(&mut self.current, Word::empty());
        word.range = self.start..end.max(self.start);
        self.done.push(word);
        self.started = false;
    }

    /// What there is, `end` being the end of it all in the kubelet's output.
    pub(super) fn words(mut self, end: usize) -> Vec<Word> {
        if self.started {
            self.finish(self.source_end(end));
        }
        self.done
    }

    /// All of it as one word, be it empty.
    pub(super) fn single(mut self, end: usize) -> Word {
        let mut word = std::mem::replace(&mut self.current, Word::empty());
        word.range = self.start..self.source_end(end).max(self.start);
        word
    }

    fn source_end(&self, end: usize) -> usize {
        self.map.source_range(end.saturating_sub(1)..end).end.max(self.start)
    }
}

/// The separators of words that an expansion gives, `IFS` being what it is by default.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n')
}

impl Word {
    fn empty() -> Self {
        Self { text: String::new(), range: 0..0, opaque: false, splits: false, pieces: Vec::new() }
    }
}

impl Word {
    /// The word as the argument `NAME=value` of `env`.
    pub(super) fn as_assignment(&self) -> Option<Assignment> {
        let name = assignment_name(&self.text)?;
        let start = self.text.find('=')? + 1;
        let text = self.text.get(start..)?.to_owned();
        // Behind the `=`, so that an opening quote belongs to the value; both may come from one reference.
        let behind = self.source_range(start - 1..start).end;
        let range = behind.min(self.source_range(start..self.text.len()).start)..self.range.end;
        let shift = |at: usize| at.max(start) - start;
        let slice = |place: &Place, by: usize| Place {
            range: if place.verbatim { place.range.start + by..place.range.end } else { place.range.clone() },
            verbatim: place.verbatim,
        };
        let pieces = self.pieces.iter().filter(|piece| piece.text.end > start).map(|piece| {
            let by = start.saturating_sub(piece.text.start);
            Piece {
                text: shift(piece.text.start)..shift(piece.text.end),
                place: slice(&piece.place, by),
                definition: piece.definition.as_ref().map(|place| slice(place, by)),
            }
        });
        let value = Word { text, range, opaque: self.opaque, splits: false, pieces: pieces.collect() };
        Some(Assignment { name: name.to_owned(), value, range: self.range.clone() })
    }
}
