//! The lines of a file that a snippet shows, cleaned and cut to size, as a source that miette reads.
//!
//! miette gets no byte of the file itself but these lines: terminal escapes are replaced, tabs are spaces, long lines are cut
//! around what is marked, and offsets are offsets into the excerpt. Nothing depends on the size of the file.

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::display::visible;
use crate::source::{LineColumn, SourceFile, Span};

/// Columns of a tab stop.
const TAB: usize = 4;

/// Lines around a marked line.
const CONTEXT: usize = 1;

/// A place to mark.
pub struct Mark {
    /// Where.
    pub span: Span,
    /// The text beside it.
    pub text: String,
    /// Whether it is the primary one.
    pub primary: bool,
}

/// How long lines may get.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Characters of a line that are shown.
    pub width: usize,
    /// What is shown in place of the rest.
    pub ellipsis: &'static str,
}

/// Cleaned lines of one file.
#[derive(Debug)]
pub struct Excerpt {
    name: String,
    text: String,
    lines: Vec<Line>,
    /// Starts of marks in `text`, with their positions in the file.
    places: Vec<(usize, LineColumn)>,
}

#[derive(Debug)]
struct Line {
    /// From 0, in the file.
    number: usize,
    /// In `text`; the end is after the line break.
    start: usize,
    end: usize,
}

impl Excerpt {
    /// Takes the lines around the marks out of a file. A mark over several lines is cut to its first. Also gives the marks
    /// as miette wants them, in the order of their places.
    pub fn new(file: &SourceFile, name: String, marks: &[Mark], room: Room) -> (Excerpt, Vec<LabeledSpan>) {
        let mut marks: Vec<(usize, Span, &Mark)> = marks
            .iter()
            .map(|mark| {
                let line = file.line_index(mark.span.start);
                (line, within_line(file, line, mark.span), mark)
            })
            .collect();
        marks.sort_by_key(|(_, span, mark)| (*span, !mark.primary));
        let mut numbers: Vec<usize> =
            marks.iter().flat_map(|(line, ..)| line.saturating_sub(CONTEXT)..=line + CONTEXT).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut excerpt = Excerpt { name, text: String::new(), lines: Vec::new(), places: Vec::new() };
        let mut labels = Vec::new();
        for number in numbers {
            let Some(span) = file.line_span(number) else { continue };
            let here: Vec<_> = marks.iter().filter(|(line, ..)| *line == number).collect();
            let marked = here.iter().find(|(_, _, m)| m.primary).or_else(|| here.first()).map(|(_, span, _)| *span);
            let start = excerpt.text.len();
            let spans: Vec<Span> = here.iter().map(|(_, span, _)| *span).collect();
            let ranges = excerpt.push_line(file, span, marked, &spans, room);
            for ((_, _, mark), (from, to)) in here.iter().zip(ranges) {
                let text = (!mark.text.is_empty()).then(|| visible::line(&mark.text).into_owned());
                let place = SourceSpan::from((from, to - from));
                labels.push(if mark.primary {
                    LabeledSpan::new_primary_with_span(text, place)
                } else {
                    LabeledSpan::new_with_span(text, place)
                });
                excerpt.places.push((from, file.line_column(mark.span.start)));
            }
            excerpt.text.push('\n');
            excerpt.lines.push(Line { number, start, end: excerpt.text.len() });
        }
        labels.sort_by_key(LabeledSpan::offset);
        (excerpt, labels)
    }

    /// Adds a cleaned line, and gives the ranges that the marks have in it.
    fn push_line(
        &mut self,
        file: &SourceFile,
        line: Span,
        around: Option<Span>,
        marks: &[Span],
        room: Room,
    ) -> Vec<(usize, usize)> {
        let window = window(file, line, around, room.width);
        if window.start > line.start {
            self.text.push_str(room.ellipsis);
        }
        let mut ranges = vec![(self.text.len(), self.text.len()); marks.len()];
        let mut column = 0;
        let slice = file.slice(window);
        for (i, c) in slice.char_indices() {
            let offset = window.start + i as u32;
            self.place(offset, marks, &mut ranges);
            match c {
                '\u{feff}' if offset == 0 => {}
                '\t' => {
                    let spaces = TAB - column % TAB;
                    self.text.extend(std::iter::repeat_n(' ', spaces));
                    column += spaces;
                }
                c => {
                    self.text.push(visible::replacement(c).unwrap_or(c));
                    column += 1;
                }
            }
        }
        self.place(window.end, marks, &mut ranges);
        if window.end < line.end {
            self.text.push_str(room.ellipsis);
        }
        ranges
    }

    /// The text now ends where byte `offset` of the file stands: starts and ends of marks up to there are here.
    fn place(&self, offset: u32, marks: &[Span], ranges: &mut [(usize, usize)]) {
        let here = self.text.len();
        for (mark, range) in marks.iter().zip(ranges) {
            // The last call at or before the mark's start counts, and the first at or after its end.
            if offset <= mark.start {
                *range = (here, here);
            } else if offset <= mark.end || (range.1 == range.0 && !mark.is_empty()) {
                range.1 = here;
            }
        }
    }
}

/// The part of a span that lies in its first line.
fn within_line(file: &SourceFile, line: usize, span: Span) -> Span {
    let end = file.line_span(line).map_or(span.end, |l| l.end.max(span.start));
    let cut = Span { end: span.end.min(end), ..span };
    let text = file.slice(cut);
    // A span that is cut ends with its last word.
    if cut.end < span.end { Span { end: cut.start + text.trim_end().len() as u32, ..cut } } else { cut }
}

/// The part of a line to show: all of it when it is short, else the surroundings of `around`.
fn window(file: &SourceFile, line: Span, around: Option<Span>, width: usize) -> Span {
    let text = file.slice(line);
    if text.len() <= width || (text.len() <= 4 * width && text.chars().count() <= width) {
        return line;
    }
    let around = around.unwrap_or(line.head());
    let before = &text[..(around.start.saturating_sub(line.start) as usize).min(text.len())];
    let after = &text[before.len()..];
    let left = width / 3;
    let start = before.char_indices().rev().take(left).last().map_or(before.len(), |(i, _)| i);
    let taken = before[start..].chars().count();
    let end = after.char_indices().nth(width - taken).map_or(text.len(), |(i, _)| before.len() + i);
    Span { start: line.start + start as u32, end: line.start + end as u32, ..line }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let last = span.offset() + span.len();
        let index = |offset: usize| self.lines.partition_point(|l| l.end <= offset).min(self.lines.len() - 1);
        let (Some(mut first), Some(mut end)) =
            (self.lines.first().map(|_| index(span.offset())), self.lines.first().map(|_| index(last)))
        else {
            return Err(MietteError::OutOfBounds);
        };
        // Contexts with a gap between them are not one.
        if self.lines[end].number - self.lines[first].number != end - first {
            return Err(MietteError::OutOfBounds);
        }
        let blank = |i: usize| self.text[self.lines[i].start..self.lines[i].end].trim().is_empty();
        for _ in 0..before {
            if first == 0 || self.lines[first - 1].number + 1 != self.lines[first].number || blank(first - 1) {
                break;
            }
            first -= 1;
        }
        for _ in 0..after {
            if end + 1 == self.lines.len() || self.lines[end].number + 1 != self.lines[end + 1].number || blank(end + 1)
            {
                break;
            }
            end += 1;
        }
        let (start, stop) = (self.lines[first].start, self.lines[end].end);
        let place = self.places.iter().find(|(offset, _)| *offset == span.offset()).map(|(_, place)| *place);
        // Without context, miette asks for the position to print; else for the lines.
        let (line, column) = match place {
            Some(place) if before == 0 && after == 0 => (place.line - 1, place.column - 1),
            _ => (self.lines[first].number, 0),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[start..stop],
            (start, stop - start).into(),
            line,
            column,
            end - first + 1,
        )))
    }
}
