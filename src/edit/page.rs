//! The text of one document: lines, columns, and where a node's bytes end.

use std::ops::Range;
use std::sync::Arc;

use super::print::Printer;
use super::refusal::Refusal;
use crate::source::{ReadOnly, SourceFile, Span};
use crate::yaml::{self, Layout, Node, Style, Tree};

/// The text that a tree was read from.
#[derive(Debug)]
pub(super) struct Page<'t> {
    pub tree: &'t Tree,
    pub text: &'t str,
    /// The document's bytes.
    pub range: Range<usize>,
    pub printer: Printer,
}

impl<'t> Page<'t> {
    pub(super) fn new(tree: &'t Tree) -> Result<Page<'t>, Refusal> {
        let source = tree.source();
        let root = tree.root().span();
        if tree.is_composed() {
            return Err(Refusal::at(root, "the object was put together by a build"));
        }
        if tree.is_embedded() {
            return Err(Refusal::at(root, "the value stands in text inside another value"));
        }
        if let Some(why) = source.why_read_only().filter(|why| *why != ReadOnly::Rendered) {
            return Err(Refusal::at(root, format!("{} {}", source.path().display(), why.as_str())));
        }
        let text = source.text();
        let Layout { unit, dash, gap, quotes } = tree.layout();
        let printer = Printer { unit, dash, gap, quotes, ..Printer::of_text(text) };
        Ok(Page { tree, text, range: tree.document(), printer })
    }

    /// The offset of an item's dash.
    pub(super) fn dash(&self, list: Node<'_>, index: usize) -> Result<usize, Refusal> {
        let refuse = |at| Refusal::at(at, "the list is written in a way that edits don't understand");
        let Some(item) = list.item_ids().get(index).map(|&id| self.tree.node(id)) else {
            return Err(refuse(list.span()));
        };
        let start = list.written_span().start as usize;
        let (first, column) = if list.is_indentless() {
            let key = self.tree.place(list.id()).and_then(|(parent, at)| {
                let &(key, _) = self.tree.node(parent).written_entry_ids().get(at)?;
                Some(self.tree.node(key).written_span())
            });
            let Some(key) = key else { return Err(refuse(item.grip())) };
            (key.start as usize, self.column(key.start as usize))
        } else {
            (start, self.column(start))
        };
        let mut line = self.line_start(item.written_span().start as usize);
        loop {
            let at = line + column;
            if self.text.as_bytes().get(at) == Some(&b'-') && (at == first || self.starts_line(at)) {
                return Ok(at);
            }
            if at <= first || line == self.range.start {
                return Err(refuse(item.grip()));
            }
            line = self.line_start(line - 1 - usize::from(self.text[..line].ends_with("\r\n")));
        }
    }

    /// Bytes before an offset on its line.
    pub(super) fn column(&self, at: usize) -> usize {
        at - self.line_start(at)
    }

    /// The start of the line, or of the document.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[self.range.start..at].rfind(['\n', '\r']).map_or(self.range.start, |i| self.range.start + i + 1)
    }

    /// The end of the line, before its break.
    pub(super) fn line_end(&self, at: usize) -> usize {
        self.text[at..self.range.end].find(['\n', '\r']).map_or(self.range.end, |i| at + i)
    }

    /// The start of the next line.
    pub(super) fn next_line(&self, at: usize) -> usize {
        let end = self.line_end(at);
        match &self.text[end..self.range.end] {
            rest if rest.starts_with("\r\n") => end + 2,
            "" => end,
            _ => end + 1,
        }
    }

    /// Whether only blanks stand before it on its line. Looks no further: a file may be one long line.
    pub(super) fn starts_line(&self, at: usize) -> bool {
        let before = self.text[self.range.start..at].trim_end_matches(' ');
        before.is_empty() || before.ends_with(['\n', '\r'])
    }

    /// Whether the line has ended at an offset, but for blanks and a comment.
    pub(super) fn line_is_done(&self, at: usize) -> bool {
        let rest = &self.text[at..self.range.end];
        let trimmed = rest.trim_start_matches([' ', '\t']);
        trimmed.is_empty()
            || trimmed.starts_with(['\n', '\r'])
            || (trimmed.starts_with('#') && trimmed.len() < rest.len())
    }

    /// The offset after the colon behind a key in a block mapping.
    pub(super) fn colon_end(&self, key: Node<'_>) -> Result<usize, Refusal> {
        let span = key.written_span();
        let end = span.end as usize;
        let rest = self.text.get(end..self.range.end).unwrap_or("");
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest[blanks..].starts_with(':') && !rest[..blanks].contains('\t') {
            return Ok(end + blanks + 1);
        }
        Err(Refusal::at(span, "the key is written in a way that edits don't understand"))
    }

    /// The innermost last value of a block collection, and where it would stand if it were empty; of anything else the
    /// node itself.
    pub(super) fn last_leaf<'n>(&self, mut node: Node<'n>, mut floor: usize) -> Result<(Node<'n>, usize), Refusal> {
        while !node.is_alias() && node.style() == Style::Block {
            (node, floor) = match (node.written_entries().last(), node.items().as_slice()) {
                (Some(entry), _) => (entry.value, self.colon_end(entry.key)?),
                (None, [.., item]) => (*item, self.dash(node, node.items().len() - 1)? + 1),
                (None, []) => break,
            };
        }
        Ok((node, floor))
    }

    /// Where the bytes of a node end; `floor` is where it would stand if it were empty.
    pub(super) fn end_of(&self, node: Node<'_>, floor: usize) -> Result<usize, Refusal> {
        let (node, floor) = self.last_leaf(node, floor)?;
        let end = (node.written_span().end as usize).max(floor);
        if node.is_alias() || !matches!(node.style(), Style::Literal | Style::Folded) {
            return Ok(end);
        }
        let header = self.block_header(node, floor)?;
        let mut end = end.max(header.end);
        if self.text[header.clone()].contains('+') {
            return Ok(end);
        }
        // Blank lines at the end are none of the text, unless they are deeper than it.
        loop {
            end = header.end + self.text[header.end..end].trim_end_matches(['\n', '\r']).len();
            let line = self.line_start(end);
            let blanks = self.text[line..end].bytes().all(|b| b == b' ') && end - line <= node.indent();
            if !blanks || line == end || line <= header.end {
                return Ok(end);
            }
            end = line;
        }
    }

    /// The `|-` of a block scalar that follows a key or dash that ends at `floor`.
    pub(super) fn block_header(&self, node: Node<'_>, floor: usize) -> Result<Range<usize>, Refusal> {
        let refuse = || Refusal::at(node.span(), "the text block starts in a way that edits don't understand");
        let end = (node.span().start as usize).max(self.line_end(floor));
        let before = self.text.get(floor..end).ok_or_else(refuse)?;
        let at = floor + before.find(['|', '>']).ok_or_else(refuse)?;
        let rest = &self.text[at..self.range.end];
        let len = 1 + rest[1..].bytes().take_while(|b| matches!(b, b'+' | b'-' | b'0'..=b'9')).count();
        if self.line_is_done(at + len) { Ok(at..at + len) } else { Err(refuse()) }
    }

    /// The start of the line after a node that ends at `end`, over its trailing comment.
    pub(super) fn after(&self, end: usize) -> Result<usize, Refusal> {
        if end > self.range.start && self.text[..end].ends_with(['\n', '\r']) {
            return Ok(end);
        }
        if !self.line_is_done(end) {
            let span = Span::new(self.tree.source().id(), end as u32, self.line_end(end) as u32);
            return Err(Refusal::at(span, "something else follows on the same line"));
        }
        Ok(self.next_line(end))
    }

    /// Goes over comment lines at `at` that are indented deeper than `column`: they belong to what stands above them.
    pub(super) fn over_comments(&self, at: usize, column: usize) -> usize {
        let (mut found, mut line) = (at, at);
        while line < self.range.end {
            let text = &self.text[line..self.line_end(line)];
            let content = text.trim_start_matches([' ', '\t']);
            let next = self.next_line(line);
            if content.starts_with('#') && text.len() - content.len() > column {
                found = next;
            } else if !content.is_empty() {
                break;
            }
            if next == line {
                break;
            }
            line = next;
        }
        found
    }

    /// Goes back over comment lines of the same indentation that stand right above a line.
    pub(super) fn back_over_comments(&self, at: usize, column: usize) -> usize {
        let mut line = at;
        while line > self.range.start {
            let above = self.line_start(line - 1 - usize::from(self.text[..line].ends_with("\r\n")));
            let text = &self.text[above..self.line_end(above)];
            let content = text.trim_start_matches(' ');
            if !content.starts_with('#') || text.len() - content.len() != column {
                break;
            }
            line = above;
        }
        line
    }

    /// Whether the text ends here without a line break.
    pub(super) fn is_open_end(&self, at: usize) -> bool {
        at == self.text.len() && at > self.range.start && !self.text.ends_with(['\n', '\r'])
    }
}

/// The layout of a file, by its first document.
pub(super) fn layout(file: &SourceFile) -> Printer {
    let copy = Arc::new(SourceFile::new(file.id(), "", file.text()));
    let first = yaml::parse(&copy).documents.into_iter().find_map(|d| d.content.ok());
    let page = first.as_deref().and_then(|tree| Page::new(tree).ok());
    page.map_or_else(|| Printer::of_text(file.text()), |page| page.printer)
}

impl Printer {
    pub(super) fn plain(eol: &'static str) -> Printer {
        Printer {
            eol,
            unit: 2,
            dash: 0,
            gap: 1,
            quotes: Style::DoubleQuoted,
            colon: ": ",
            comma: ", ",
            pad: "",
            open: false,
            block: None,
        }
    }
}
