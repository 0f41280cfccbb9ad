//! Places as the protocol counts them: lines from 0, and columns in UTF-16 or UTF-8 units.

use lsp_types::{Position, PositionEncodingKind, Range};
use serde_json::Value;

use crate::source::{SourceFile, Span};

/// The units that columns count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// What every client knows.
    #[default]
    Utf16,
    /// Bytes, where the client offers it.
    Utf8,
}

impl Encoding {
    /// Bytes where the client offers them, as they need no counting; else what every client knows.
    pub fn agreed(initialize: &Value) -> Encoding {
        let offered = initialize.pointer("/capabilities/general/positionEncodings").and_then(Value::as_array);
        let bytes =
            offered.into_iter().flatten().any(|kind| kind.as_str() == Some(PositionEncodingKind::UTF8.as_str()));
        if bytes { Encoding::Utf8 } else { Encoding::Utf16 }
    }

    /// The protocol's word.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf8 => PositionEncodingKind::UTF8,
        }
    }

    fn width(self, text: &str) -> usize {
        match self {
            Encoding::Utf16 => text.chars().map(char::len_utf16).sum(),
            Encoding::Utf8 => text.len(),
        }
    }

    /// The byte offset of a column in a line; past the end is the end, inside a character is its start.
    fn offset(self, line: &str, column: u32) -> usize {
        let mut left = column as usize;
        for (at, c) in line.char_indices() {
            let width = match self {
                Encoding::Utf16 => c.len_utf16(),
                Encoding::Utf8 => c.len_utf8(),
            };
            if left < width {
                return at;
            }
            left -= width;
        }
        line.len()
    }
}

/// The bytes before the first column: a byte order mark is not shown by editors.
fn lead(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// The place of a byte offset.
pub fn position(source: &SourceFile, offset: u32, encoding: Encoding) -> Position {
    let text = source.text();
    let mut offset = (offset as usize).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let line = source.line_index(offset as u32);
    let mut start = source.line_starts()[line] as usize;
    if line == 0 {
        start = lead(text).min(offset);
    }
    Position::new(line as u32, encoding.width(&text[start..offset]) as u32)
}

/// The range of a span.
pub fn range(source: &SourceFile, span: Span, encoding: Encoding) -> Range {
    Range::new(position(source, span.start, encoding), position(source, span.end, encoding))
}

/// The byte offset of a place; past the end of a line is that line's end, past the last line the text's end.
pub fn offset(source: &SourceFile, place: Position, encoding: Encoding) -> usize {
    let index = place.line as usize;
    let Some(span) = source.line_span(index) else { return source.text().len() };
    let start = span.start as usize + if index == 0 { lead(source.text()) } else { 0 };
    match source.text().get(start..span.end as usize) {
        Some(line) => start + encoding.offset(line, place.character),
        None => start.min(source.text().len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, SourceMap};

    #[test]
    fn columns_count_utf16_units_and_lines_end_in_any_way() {
        let mut map = SourceMap::new();
        let source = map.add("a.yaml", "a\r\né: 😀x\rz\n");
        let x = source.text().find('x').unwrap() as u32;
        assert_eq!(position(&source, x, Encoding::Utf16), Position::new(1, 5));
        assert_eq!(position(&source, x, Encoding::Utf8), Position::new(1, 8));
        for encoding in [Encoding::Utf16, Encoding::Utf8] {
            for (at, _) in source.text().char_indices().filter(|(_, c)| !"\r\n".contains(*c)) {
                assert_eq!(offset(&source, position(&source, at as u32, encoding), encoding), at);
            }
        }
    }

    #[test]
    fn a_place_past_the_end_is_the_end_and_one_inside_a_character_its_start() {
        let mut map = SourceMap::new();
        let source = map.add("a.yaml", "😀\nab");
        assert_eq!(offset(&source, Position::new(0, 1), Encoding::Utf16), 0);
        assert_eq!(offset(&source, Position::new(0, 99), Encoding::Utf16), 4);
        assert_eq!(offset(&source, Position::new(9, 0), Encoding::Utf16), source.text().len());
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        let mut map = SourceMap::new();
        let source = map.add("a.yaml", "\u{feff}ab");
        assert_eq!(range(&source, Span::new(FileId(0), 4, 5), Encoding::Utf16).start, Position::new(0, 1));
        assert_eq!(offset(&source, Position::new(0, 1), Encoding::Utf16), 4);
    }
}
