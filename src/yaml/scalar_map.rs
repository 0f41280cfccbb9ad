//! From offsets in a scalar's decoded text to the bytes of the file, through quotes, escapes, folds and indentation.

use std::ops::Range;

use super::tree::{Data, NodeData, Style};
use crate::source::{FileId, Span};

/// One stretch of decoded text and the source bytes that it came from. Where the lengths are equal, offsets inside count
/// alike; a replaced part of the same length by chance is still inside the bytes that it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    decoded: u32,
    decoded_len: u32,
    source: u32,
    source_len: u32,
}

/// Maps byte ranges of decoded text to spans of the file.
#[derive(Clone, Debug)]
pub struct ScalarMap {
    file: FileId,
    /// Where the scalar's content starts, for empty text.
    start: u32,
    /// In the order of the decoded text, without gaps.
    runs: Vec<Run>,
}

impl ScalarMap {
    /// A map for text that stands in the file as it is, from `start` on.
    pub fn identity(file: FileId, start: u32, len: u32) -> ScalarMap {
        ScalarMap { file, start, runs: vec![Run { decoded: 0, decoded_len: len, source: start, source_len: len }] }
    }

    /// A map for text of which every part was made from the same bytes.
    pub fn collapsed(span: Span, len: usize) -> ScalarMap {
        // Equal lengths would mean byte for byte, so such text is two runs over the same bytes.
        let run = Run { decoded: 0, decoded_len: len as u32, source: span.start, source_len: span.len() };
        let runs = if run.decoded_len == run.source_len && len > 1 {
            let half = run.decoded_len / 2;
            let first = Run { decoded_len: half, ..run };
            vec![first, Run { decoded: half, decoded_len: run.decoded_len - half, ..run }]
        } else {
            vec![run]
        };
        ScalarMap { file: span.file, start: span.start, runs }
    }

    /// A map for text that was put together from parts: the length of each and its bytes. A map leads into one file, that of
    /// `main`; what comes from another stands where the parts beside it leave room, as `$(NAME)` does, else in all of `main`.
    pub(super) fn rope(main: Span, parts: impl IntoIterator<Item = (usize, Span)>) -> ScalarMap {
        let parts: Vec<(usize, Span)> = parts.into_iter().collect();
        let here = |part: Option<&(usize, Span)>| part.map(|(_, span)| *span).filter(|span| span.file == main.file);
        let mut runs = Vec::with_capacity(parts.len());
        let mut decoded = 0;
        for (i, (len, span)) in parts.iter().enumerate() {
            let beside = i.checked_sub(1).and_then(|i| here(parts.get(i))).zip(here(parts.get(i + 1)));
            let room = beside.filter(|(before, after)| before.end < after.start);
            let source = match room {
                _ if span.file == main.file => *span,
                Some((before, after)) => Span::new(main.file, before.end, after.start),
                None => main,
            };
            if *len > 0 {
                runs.push(Run { decoded, decoded_len: *len as u32, source: source.start, source_len: source.len() });
            }
            decoded += *len as u32;
        }
        ScalarMap { file: main.file, start: main.start, runs }
    }

    /// A map for text that was made from `source`, a range of the text under `self`, by cutting and replacing, for
    /// instance a shell word: each piece `(decoded, source, length)` stands in both byte for byte. What lies between two
    /// pieces, before the first and after the last was made from the source bytes in the same gap.
    pub fn pieces(
        &self,
        decoded_len: usize,
        source: Range<usize>,
        pieces: impl IntoIterator<Item = (usize, usize, usize)>,
    ) -> ScalarMap {
        let mut inner = ScalarMap { file: self.file, start: source.start as u32, runs: Vec::new() };
        let (mut decoded_at, mut source_at) = (0, source.start);
        let end = std::iter::once((decoded_len, source.end, 0));
        for (decoded, from, len) in pieces.into_iter().chain(end) {
            if decoded > decoded_at {
                inner.push(decoded_at, decoded - decoded_at, source_at, from.saturating_sub(source_at));
            }
            if len > 0 {
                inner.runs.push(Run {
                    decoded: decoded as u32,
                    decoded_len: len as u32,
                    source: from as u32,
                    source_len: len as u32,
                });
            }
            (decoded_at, source_at) = (decoded + len, from + len);
        }
        inner.within(self)
    }

    /// The file bytes under a byte range of the decoded text.
    pub fn span(&self, range: Range<usize>) -> Span {
        let start = self.start_of(range.start as u32);
        let end = if range.is_empty() { start } else { self.end_of(range.end as u32) };
        Span::new(self.file, start, end.max(start))
    }

    /// The range of the decoded text that was made from exactly these bytes; `None` where no range was.
    pub fn text_range(&self, span: Span) -> Option<Range<usize>> {
        let offset = |at: u32, start: bool| {
            let run = self.runs.iter().find(|run| {
                let end = run.source + run.source_len;
                if start { run.source <= at && at < end } else { run.source < at && at <= end }
            })?;
            if run.decoded_len == run.source_len {
                return Some(run.decoded + (at - run.source));
            }
            match at {
                at if at == run.source => Some(run.decoded),
                at if at == run.source + run.source_len => Some(run.decoded + run.decoded_len),
                _ => None,
            }
        };
        if span.file != self.file {
            return None;
        }
        let start = offset(span.start, true).or_else(|| offset(span.start, false))?;
        let end = if span.is_empty() { start } else { offset(span.end, false)? };
        let range = start as usize..end as usize;
        (start <= end && self.span(range.clone()) == span).then_some(range)
    }

    fn run_at(&self, decoded: u32) -> Option<&Run> {
        let after = self.runs.partition_point(|r| r.decoded <= decoded);
        self.runs[..after].last()
    }

    fn start_of(&self, decoded: u32) -> u32 {
        let Some(run) = self.run_at(decoded) else { return self.start };
        let into = decoded - run.decoded;
        if into >= run.decoded_len {
            run.source + run.source_len
        } else if run.decoded_len == run.source_len {
            run.source + into
        } else {
            run.source
        }
    }

    fn end_of(&self, decoded: u32) -> u32 {
        let Some(run) = self.run_at(decoded.saturating_sub(1)) else { return self.start };
        let into = decoded - run.decoded;
        if run.decoded_len == run.source_len {
            run.source + into.min(run.source_len)
        } else {
            run.source + run.source_len
        }
    }

    /// The map of text that was decoded twice: `self` leads into the text that `outer` leads from.
    pub(super) fn within(&self, outer: &ScalarMap) -> ScalarMap {
        let mut runs = Vec::with_capacity(self.runs.len());
        for run in &self.runs {
            if run.decoded_len != run.source_len || run.source_len == 0 {
                let span = outer.span(run.source as usize..(run.source + run.source_len) as usize);
                runs.push(Run { source: span.start, source_len: span.len(), ..*run });
                continue;
            }
            // An identical stretch may cross several runs of the outer map.
            let mut at = run.source;
            let stop = run.source + run.source_len;
            while at < stop {
                let (next, source, source_len) = match outer.run_at(at) {
                    Some(o) if at < o.decoded + o.decoded_len => {
                        let next = stop.min(o.decoded + o.decoded_len);
                        if o.decoded_len == o.source_len {
                            (next, o.source + (at - o.decoded), next - at)
                        } else {
                            (next, o.source, o.source_len)
                        }
                    }
                    _ => (stop, outer.start_of(at), 0),
                };
                runs.push(Run { decoded: run.decoded + (at - run.source), decoded_len: next - at, source, source_len });
                at = next;
            }
        }
        ScalarMap { file: outer.file, start: outer.start_of(self.start), runs }
    }

    /// Aligns a scalar's decoded text with the bytes that it was read from. `source` is the text that the node's span
    /// counts in. Where the two cannot be aligned (only in documents that are refused anyway) the rest of the text maps to
    /// the rest of the scalar.
    pub(super) fn build(source: &str, node: &NodeData) -> ScalarMap {
        let mut map = ScalarMap { file: node.span.file, start: node.span.start, runs: Vec::new() };
        let Data::Scalar(decoded) = &node.data else { return map };
        if node.empty {
            return map;
        }
        let quoted = matches!(node.style, Style::SingleQuoted | Style::DoubleQuoted);
        map.start += u32::from(quoted);
        let (lo, hi) = (node.span.start as usize + usize::from(quoted), node.span.end as usize - usize::from(quoted));
        if source.get(lo..hi) == Some(decoded) {
            map.push(0, decoded.len(), lo, decoded.len());
            return map;
        }
        let mut aligner = Aligner { raw: source.as_bytes(), at: lo, end: hi, decoded, done: 0, node, map };
        aligner.run();
        aligner.map
    }

    fn push(&mut self, decoded: usize, decoded_len: usize, source: usize, source_len: usize) {
        let run = Run {
            decoded: decoded as u32,
            decoded_len: decoded_len as u32,
            source: source as u32,
            source_len: source_len as u32,
        };
        if let Some(last) = self.runs.last_mut() {
            let same = last.decoded_len == last.source_len && decoded_len == source_len;
            if same && last.decoded + last.decoded_len == run.decoded && last.source + last.source_len == run.source {
                last.decoded_len += run.decoded_len;
                last.source_len += run.source_len;
                return;
            }
        }
        self.runs.push(run);
    }
}

/// Walks raw and decoded text side by side.
struct Aligner<'a> {
    raw: &'a [u8],
    at: usize,
    end: usize,
    decoded: &'a str,
    done: usize,
    node: &'a NodeData,
    map: ScalarMap,
}

impl Aligner<'_> {
    fn run(&mut self) {
        let text = self.decoded.as_bytes();
        let block = matches!(self.node.style, Style::Literal | Style::Folded);
        if block {
            // Blank lines before the first text lie before the span, which starts at the content.
            while text.get(self.done) == Some(&b'\n') && self.at < self.end && !self.at_break() {
                self.take(1, 0);
            }
        }
        while self.done < text.len() {
            if self.at >= self.end {
                // Line breaks that chomping keeps or adds at the end.
                self.map.push(self.done, text.len() - self.done, self.end.max(self.at), 0);
                return;
            }
            let byte = self.raw[self.at];
            if self.at_break() {
                self.line_break(block);
            } else if !block && (byte == b' ' || byte == b'\t') && self.blanks_before_break() {
                // Trimmed by folding; the break itself is next.
            } else if self.node.style == Style::SingleQuoted && byte == b'\'' {
                self.take(1, 2);
            } else if self.node.style == Style::DoubleQuoted && byte == b'\\' {
                self.escape();
            } else if byte == text[self.done] {
                self.take(1, 1);
            } else {
                self.map.push(self.done, text.len() - self.done, self.at, self.end - self.at);
                return;
            }
        }
    }

    fn at_break(&self) -> bool {
        matches!(self.raw[self.at], b'\n' | b'\r')
    }

    fn take(&mut self, decoded: usize, raw: usize) {
        self.map.push(self.done, decoded, self.at, raw);
        self.done += decoded;
        self.at += raw;
    }

    fn skip_break(&mut self) {
        let two = self.raw[self.at] == b'\r' && self.raw.get(self.at + 1) == Some(&b'\n');
        self.at += if two { 2 } else { 1 };
    }

    fn skip_blanks(&mut self) {
        while self.at < self.end && matches!(self.raw[self.at], b' ' | b'\t') {
            self.at += 1;
        }
    }

    fn blanks_before_break(&mut self) -> bool {
        let start = self.at;
        self.skip_blanks();
        if self.at < self.end && self.at_break() {
            return true;
        }
        self.at = start;
        false
    }

    fn line_break(&mut self, block: bool) {
        let start = self.at;
        self.skip_break();
        let broke = self.at;
        if block {
            let indented = (self.at + usize::from(self.node.indent)).min(self.end);
            while self.at < indented && self.raw[self.at] == b' ' {
                self.at += 1;
            }
        } else {
            self.skip_blanks();
        }
        // A fold turns one break into a blank, and drops one of several.
        let wanted = self.decoded.as_bytes()[self.done];
        if wanted == b'\n' || (wanted == b' ' && self.node.style != Style::Literal) {
            self.map.push(self.done, 1, start, broke - start);
            self.done += 1;
        }
    }

    fn escape(&mut self) {
        let width = match self.raw.get(self.at + 1) {
            Some(b'x') => 4,
            Some(b'u') => 6,
            Some(b'U') => 10,
            Some(b'\n' | b'\r') => {
                self.at += 1;
                self.skip_break();
                self.skip_blanks();
                return;
            }
            _ => 2,
        };
        let len = self.decoded[self.done..].chars().next().map_or(1, char::len_utf8);
        // A surrogate pair is two escapes for one character.
        let width = if width == 6 && len == 4 { 12 } else { width };
        self.take(len, width.min(self.end.saturating_sub(self.at)).max(1));
    }
}
