//! Files, spans, lines and columns: where every byte of input lives.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Names one [`SourceFile`] of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in one file. 12 bytes and `Copy`, so every node carries one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file that the range lies in.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// A span from byte offsets.
    pub fn new(file: FileId, start: u32, end: u32) -> Span {
        debug_assert!(start <= end, "a span runs forwards");
        Span { file, start, end }
    }

    /// Length in bytes.
    pub fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether the span covers no byte: a place between two bytes.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The place at the first byte.
    pub fn head(self) -> Span {
        Span { end: self.start, ..self }
    }

    /// The place after the last byte.
    pub fn tail(self) -> Span {
        Span { start: self.end, ..self }
    }

    /// The smallest span that covers both. Spans of different files do not mix: `self` is returned.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether `other` lies within this span.
    pub fn contains(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.file.0, self.start, self.end)
    }
}

/// A position for people: both count from 1. The column counts characters, as editors and compilers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// Why a text is never edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOnly {
    /// Its bytes are not the file's own: they were transcoded, are no text, or come out of a pipe.
    Foreign,
    /// A renderer wrote it, and would write it again.
    Rendered,
    /// It was reached from the paths that were given, and lies outside of them.
    Outside,
}

impl ReadOnly {
    /// Why and what to do, to follow the file's path.
    pub fn as_str(self) -> &'static str {
        match self {
            ReadOnly::Foreign => "can't be written back: its text is not its bytes",
            ReadOnly::Rendered => "was rendered: change what it was rendered from",
            ReadOnly::Outside => "lies outside of the paths that were given: name its folder, too",
        }
    }
}

/// One file's text, decoded to UTF-8, and the index of its lines.
#[derive(Debug)]
pub struct SourceFile {
    id: FileId,
    path: PathBuf,
    location: Option<PathBuf>,
    text: String,
    read_only: Option<ReadOnly>,
    line_starts: OnceLock<Vec<u32>>,
    /// Characters before each multiple of [`BLOCK`].
    characters: OnceLock<Vec<u32>>,
}

/// Bytes that are counted one by one for a column; longer lines are counted once, block by block.
const BLOCK: usize = 4096;

/// Characters that start in these bytes.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b & 0xc0 != 0x80).count()
}

impl SourceFile {
    /// A file whose text is at hand. `path` is the path to show to people.
    pub fn new(id: FileId, path: impl Into<PathBuf>, text: impl Into<String>) -> SourceFile {
        SourceFile {
            id,
            path: path.into(),
            location: None,
            text: text.into(),
            read_only: None,
            line_starts: OnceLock::new(),
            characters: OnceLock::new(),
        }
    }

    /// Marks text whose bytes are not the file's own (a transcoded file, rendered templates): it is never edited.
    pub fn read_only(self) -> SourceFile {
        self.read_only_for(ReadOnly::Foreign)
    }

    /// Marks text that is never edited; the first reason stays.
    pub fn read_only_for(mut self, reason: ReadOnly) -> SourceFile {
        self.read_only.get_or_insert(reason);
        self
    }

    /// Says where the bytes were read from, which may be another path than the one to show. `-` is standard input.
    pub fn read_from(mut self, location: impl Into<PathBuf>) -> SourceFile {
        self.location = Some(location.into());
        self
    }

    /// The file's name in its [`SourceMap`].
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The path to show to people, as it was reached from the command line.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the bytes were read from: a path to open, `-` for standard input. `None` for text that was at hand.
    pub fn location(&self) -> Option<&Path> {
        self.location.as_deref()
    }

    /// Whether an edit by offset can be written back.
    pub fn is_editable(&self) -> bool {
        self.read_only.is_none()
    }

    /// Why the text is never edited.
    pub fn why_read_only(&self) -> Option<ReadOnly> {
        self.read_only
    }

    /// Whether offsets in the text are offsets in the file.
    pub fn has_own_bytes(&self) -> bool {
        self.read_only != Some(ReadOnly::Foreign)
    }

    /// The text under a span; empty when the span does not fit this text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Offsets at which lines start. A line ends with `\n`, `\r\n` or a lone `\r`, as in YAML.
    pub fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let bytes = self.text.as_bytes();
            let mut starts = vec![0];
            for (i, &b) in bytes.iter().enumerate() {
                if b == b'\n' || (b == b'\r' && bytes.get(i + 1) != Some(&b'\n')) {
                    starts.push(i as u32 + 1);
                }
            }
            starts
        })
    }

    /// The line, from 0, that holds a byte offset.
    pub fn line_index(&self, offset: u32) -> usize {
        self.line_starts().partition_point(|&s| s <= offset).saturating_sub(1)
    }

    /// The bytes of a line, counted from 0, without its line ending.
    pub fn line_span(&self, index: usize) -> Option<Span> {
        let starts = self.line_starts();
        let start = *starts.get(index)?;
        let end = starts.get(index + 1).map_or(self.text.len() as u32, |&e| e);
        let line = &self.text[start as usize..end as usize];
        let end = start + line.trim_end_matches(['\n', '\r']).len() as u32;
        Some(Span::new(self.id, start, end))
    }

    /// The line and column of a byte offset; an offset past the end is the end.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_index(offset as u32);
        let mut start = self.line_starts()[line] as usize;
        // A byte order mark is not a column: editors do not show it.
        if start == 0 && self.text.starts_with('\u{feff}') {
            start = '\u{feff}'.len_utf8().min(offset);
        }
        LineColumn { line: line + 1, column: self.characters_between(start, offset) + 1 }
    }

    /// Characters between two offsets, in a time that does not depend on their distance: a file of one line may have
    /// findings all over it.
    fn characters_between(&self, start: usize, end: usize) -> usize {
        let bytes = self.text.as_bytes();
        if end - start <= BLOCK {
            return count(&bytes[start..end]);
        }
        let blocks = self.characters.get_or_init(|| {
            let mut before = 0;
            let add = |block: &[u8]| {
                let here = before;
                before += count(block) as u32;
                here
            };
            // One more entry than whole blocks, so that an offset at the very end has one.
            bytes.chunks(BLOCK).chain([&[][..]]).map(add).collect()
        });
        let before = |offset: usize| blocks[offset / BLOCK] as usize + count(&bytes[offset / BLOCK * BLOCK..offset]);
        before(end) - before(start)
    }
}

/// All files of a run, by [`FileId`].
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<Arc<SourceFile>>,
}

impl SourceMap {
    /// A map without files.
    pub fn new() -> SourceMap {
        SourceMap::default()
    }

    /// The name that the next file gets.
    pub fn next_id(&self) -> FileId {
        FileId(self.files.len() as u32)
    }

    /// Adds text under a path and returns the file.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<SourceFile> {
        let file = SourceFile::new(self.next_id(), path, text);
        self.insert(file)
    }

    /// Adds a file that was made with [`SourceMap::next_id`].
    ///
    /// # Panics
    /// When the file's id is not the next one: ids are positions.
    pub fn insert(&mut self, file: SourceFile) -> Arc<SourceFile> {
        assert_eq!(file.id, self.next_id(), "file ids are positions in the map");
        let file = Arc::new(file);
        self.files.push(Arc::clone(&file));
        file
    }

    /// Adds a file that others hold already.
    ///
    /// # Panics
    /// When the file's id is not the next one: ids are positions.
    pub fn insert_shared(&mut self, file: &Arc<SourceFile>) {
        assert_eq!(file.id, self.next_id(), "file ids are positions in the map");
        self.files.push(Arc::clone(file));
    }

    /// The file with this id.
    ///
    /// # Panics
    /// When the id comes from another map.
    pub fn file(&self, id: FileId) -> &Arc<SourceFile> {
        &self.files[id.0 as usize]
    }

    /// All files, in the order of their ids.
    pub fn files(&self) -> &[Arc<SourceFile>] {
        &self.files
    }

    /// The text under a span.
    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file).slice(span)
    }

    /// Where a span starts, for people.
    pub fn line_column(&self, span: Span) -> LineColumn {
        self.file(span.file).line_column(span.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_any_of_the_three_line_breaks() {
        let mut map = SourceMap::new();
        let file = map.add("a.yaml", "a\nb\r\nc\rd");
        assert_eq!(file.line_starts(), [0, 2, 5, 7]);
        assert_eq!(file.line_column(5), LineColumn { line: 3, column: 1 });
        assert_eq!(file.slice(file.line_span(1).unwrap()), "b");
    }

    #[test]
    fn columns_of_long_lines_are_exact() {
        let mut map = SourceMap::new();
        let text = "aé漢".repeat(BLOCK);
        let file = map.add("a.yaml", format!("x\n{text}"));
        for (i, (offset, _)) in text.char_indices().enumerate().step_by(97) {
            assert_eq!(file.line_column(offset as u32 + 2), LineColumn { line: 2, column: i + 1 });
        }
        assert_eq!(file.line_column(u32::MAX).column, 3 * BLOCK + 1);
    }

    #[test]
    fn columns_count_characters_and_skip_the_byte_order_mark() {
        let mut map = SourceMap::new();
        let file = map.add("a.yaml", "\u{feff}é: x");
        let x = file.text().find('x').unwrap() as u32;
        assert_eq!(file.line_column(x), LineColumn { line: 1, column: 4 });
        assert_eq!(file.line_column(999).line, 1);
    }
}
