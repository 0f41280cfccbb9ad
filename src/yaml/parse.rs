//! Reads a file into documents: the only place that knows the YAML parser.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, Placement, ScalarStyle, StructureStyle, options};
use smol_str::SmolStr;

use super::dialect::{self, Oddity};
use super::mistake::{Before, Leaf};
use super::scalar_map::ScalarMap;
use super::tree::{Data, Embedding, NodeData, NodeId, Style, Tree};
use crate::source::{FileId, SourceFile, Span};

/// Deepest nesting that is read. Kubernetes allows 10 000; real manifests stay below 40.
const DEPTH_LIMIT: usize = 1000;

/// Nodes that aliases may repeat in one document before it counts as an alias bomb. Go refuses by a ratio that sets in
/// at about this size.
const ALIAS_LIMIT: u64 = 400_000;

/// Times that a document is read once more without what Kubernetes' reader passes over; each is for a mistake of its own.
const REREADS: usize = 32;

/// What is wrong with an alias to nothing; most are text such as `*.yaml`.
const NO_ANCHOR: &str = "no anchor of this name stands above: put the value in quotes if it is text";

/// A comment, with its `#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The comment's bytes up to the end of the line.
    pub span: Span,
    /// Whether something stands before it on its line.
    pub trailing: bool,
}

/// Why a document can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The bytes to mend; empty where something is missing.
    pub span: Span,
    /// What is wrong.
    pub message: String,
}

/// One document of a stream.
#[derive(Clone, Debug)]
pub struct Document {
    /// All its bytes, from its `---` line to the next.
    pub span: Span,
    /// The tree, or why there is none. An empty document has a null root.
    pub content: Result<Arc<Tree>, SyntaxError>,
    /// What YAML 1.2 accepts and Kubernetes' reader does not.
    pub oddities: Vec<Oddity>,
}

impl Document {
    /// Whether it looks like an object of Kubernetes: a mapping with an `apiVersion` and a `kind`.
    pub fn is_object(&self) -> bool {
        let has = |tree: &Tree, key: &str| tree.root().get(key).is_some();
        self.content.as_ref().is_ok_and(|tree| has(tree, "apiVersion") && has(tree, "kind"))
    }
}

/// A whole file: its documents and comments.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// In source order. Parts with nothing but blanks and comments are left out.
    pub documents: Vec<Document>,
    /// In source order.
    pub comments: Vec<Comment>,
}

/// Parses a file. The stream is cut at lines that start with `---`, as Kubernetes' reader does, so that one broken
/// document does not hide the others.
pub fn parse(source: &Arc<SourceFile>) -> Stream {
    let text = source.text();
    let mut stream = Stream::default();
    for (start, end) in chunks(text) {
        let chunk = &text[start..end];
        if is_blank(chunk) {
            comments_only(source.id(), chunk, start, &mut stream.comments);
            continue;
        }
        let (mut builder, outcome) = read_as_go_does(source.id(), start, chunk);
        let span = Span::new(source.id(), start as u32, end as u32);
        let mut oddities = Vec::new();
        let content = match outcome {
            Err(error) => Err(error),
            Ok(None) => {
                stream.comments.append(&mut builder.comments);
                continue;
            }
            Ok(Some(root)) => {
                let mut nodes = std::mem::take(&mut builder.nodes);
                nodes.shrink_to_fit();
                let tree = Tree::new(Arc::clone(source), nodes, root, span.start..span.end);
                oddities = dialect::oddities(chunk, start, &tree, builder.second_document);
                Ok(Arc::new(tree))
            }
        };
        stream.comments.append(&mut builder.comments);
        stream.documents.push(Document { span, content, oddities });
    }
    stream
}

/// Reads a document. Where the parser stops at what Kubernetes' reader passes over, a tab in brackets or a comment right behind a
/// quote, the document is read again with blanks in its place, so that every span stays where it is.
fn read_as_go_does(file: FileId, start: usize, chunk: &str) -> (Builder, Result<Option<NodeId>, SyntaxError>) {
    let mut text = Cow::Borrowed(chunk);
    let mut passed: Vec<Comment> = Vec::new();
    for reread in 0.. {
        let mut builder = Builder::new(file, start);
        // About what manifests need; growing by doubling would copy most nodes once more.
        builder.nodes.reserve(chunk.len() / 14);
        let outcome = builder.read(&text);
        let passes = std::mem::take(&mut builder.passes);
        if outcome.is_ok() || passes.is_empty() || reread >= REREADS {
            builder.comments.append(&mut passed);
            builder.comments.sort_by_key(|comment| comment.span);
            return (builder, outcome);
        }
        let mut bytes = text.into_owned().into_bytes();
        for range in passes {
            if bytes.get(range.start) == Some(&b'#') {
                let span = Span::new(file, (start + range.start) as u32, (start + range.end) as u32);
                passed.push(Comment { span, trailing: true });
            }
            bytes[range].fill(b' ');
        }
        // Whole characters went, so that this is text still.
        text = String::from_utf8(bytes).map_or(Cow::Borrowed(chunk), Cow::Owned);
    }
    unreachable!("the loop returns")
}

/// Parses text that was taken out of a scalar, such as JSON in an argument. Spans of the nodes lead to the file through
/// `map`. Only the first document counts.
///
/// # Errors
/// The place and reason when the text is not YAML (and so not JSON either).
pub fn parse_embedded(source: &Arc<SourceFile>, text: &str, map: ScalarMap) -> Result<Tree, SyntaxError> {
    let mut builder = Builder::new(source.id(), 0);
    let root = builder.read(text).map_err(|e| {
        let start = e.span.start as usize;
        let next = (start..=text.len()).skip(1).find(|&i| text.is_char_boundary(i)).unwrap_or(start);
        let end = next.max(e.span.end as usize);
        SyntaxError { span: map.span(start..end), message: e.message }
    })?;
    let embedding = Arc::new(Embedding { text: text.into(), map });
    let root = root.unwrap_or_else(|| builder.null());
    let tree = Tree::new(Arc::clone(source), builder.nodes, root, 0..text.len() as u32);
    Ok(Tree { embedding: Some(embedding), ..tree })
}

/// As [`parse_embedded`], for a stream: every document that is not blank.
///
/// # Errors
/// The first place that is not YAML.
pub fn parse_embedded_stream(source: &Arc<SourceFile>, text: &str, map: ScalarMap) -> Result<Vec<Tree>, SyntaxError> {
    let embedding = Arc::new(Embedding { text: text.into(), map });
    let mut found = Vec::new();
    for (start, end) in chunks(text) {
        let chunk = &text[start..end];
        if is_blank(chunk) {
            continue;
        }
        let mut builder = Builder::new(source.id(), start);
        let root = builder.read(chunk).map_err(|e| {
            let at = e.span.start as usize;
            let after = (at..=text.len()).skip(1).find(|&i| text.is_char_boundary(i)).unwrap_or(at);
            SyntaxError { span: embedding.map.span(at..after), message: e.message }
        })?;
        if let Some(root) = root {
            let tree = Tree::new(Arc::clone(source), builder.nodes, root, start as u32..end as u32);
            found.push(Tree { embedding: Some(Arc::clone(&embedding)), ..tree });
        }
    }
    Ok(found)
}

/// Byte ranges of the documents. A `---` line belongs to the document that it starts.
pub(super) fn chunks(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut start = 0;
    let first = first_line(text);
    let mut line = first;
    if line > 0 {
        start = line;
    }
    loop {
        let rest = &bytes[line..];
        if line > first && starts_document(rest) {
            found.push((start, line));
            start = line;
        }
        match rest.iter().position(|&b| b == b'\n' || b == b'\r') {
            Some(len) => line += len + 1,
            None => break,
        }
    }
    found.push((start, bytes.len()));
    found
}

/// Where the first line starts: behind a byte order mark.
pub(super) fn first_line(text: &str) -> usize {
    if text.starts_with('\u{feff}') { 3 } else { 0 }
}

/// Whether a line that starts here starts a document, unless it is the first of the file.
pub(super) fn starts_document(rest: &[u8]) -> bool {
    rest.starts_with(b"---") && matches!(rest.get(3), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
}

/// Whether there is nothing but comments, blanks and document markers.
fn is_blank(chunk: &str) -> bool {
    chunk.lines().all(|line| {
        let line = line.strip_prefix("---").unwrap_or(line).trim_matches([' ', '\t', '\r', '\u{feff}']);
        line.is_empty() || line.starts_with('#')
    })
}

fn comments_only(file: FileId, chunk: &str, base: usize, into: &mut Vec<Comment>) {
    let mut at = base;
    for line in chunk.split_inclusive(['\n', '\r']) {
        if let Some(hash) = line.find('#') {
            let end = line.trim_end_matches(['\n', '\r']).len();
            let trailing = !line[..hash].trim().is_empty();
            into.push(Comment { span: Span::new(file, (at + hash) as u32, (at + end) as u32), trailing });
        }
        at += line.len();
    }
}

struct Open {
    id: NodeId,
    first_child: usize,
    mapping: bool,
    size: u64,
}

/// Turns events into an arena.
struct Builder {
    file: FileId,
    base: usize,
    nodes: Vec<NodeData>,
    comments: Vec<Comment>,
    open: Vec<Open>,
    children: Vec<NodeId>,
    /// By the parser's anchor number: the node, and how many nodes an alias to it stands for.
    anchors: Vec<(NodeId, u64)>,
    repeated: u64,
    /// Where a second document starts after `...` in the same chunk; Kubernetes drops it.
    second_document: Option<Span>,
    /// Bytes of the chunk at which the parser stopped and Kubernetes' reader goes on.
    passes: Vec<Range<usize>>,
}

impl Builder {
    fn new(file: FileId, base: usize) -> Builder {
        Builder {
            file,
            base,
            nodes: Vec::new(),
            comments: Vec::new(),
            open: Vec::new(),
            children: Vec::new(),
            anchors: Vec::new(),
            repeated: 0,
            second_document: None,
            passes: Vec::new(),
        }
    }

    fn null(&mut self) -> NodeId {
        let span = Span::new(self.file, self.base as u32, self.base as u32);
        self.nodes.push(NodeData {
            span,
            data: Data::Scalar(SmolStr::default()),
            style: Style::Plain,
            indent: 0,
            anchored: false,
            merges: false,
            empty: true,
            tag: None,
        });
        (self.nodes.len() - 1) as NodeId
    }

    fn error(&self, at: Range<usize>, message: impl Into<String>) -> SyntaxError {
        let span = Span::new(self.file, (self.base + at.start) as u32, (self.base + at.end) as u32);
        SyntaxError { span, message: message.into() }
    }

    /// What was read up to now.
    fn before<'t>(&self, chunk: &'t str) -> Before<'t> {
        let offset = |at: u32| (at as usize).saturating_sub(self.base);
        let flow = |open: &&Open| self.nodes[open.id as usize].style == Style::Flow;
        let bracket = self.open.iter().rev().find(flow).map(|open| offset(self.nodes[open.id as usize].span.start));
        let leaf = |node: &&NodeData| matches!(node.data, Data::Scalar(_) | Data::Alias(_));
        let last = self.nodes.iter().rev().find(leaf);
        let last = last.map(|node| Leaf {
            range: offset(node.span.start)..offset(node.span.end),
            is_plain: node.style == Style::Plain && !node.empty,
        });
        let read = last.as_ref().map_or(0, |leaf| leaf.range.end);
        Before { chunk, read: read.max(bracket.map_or(0, |b| b + 1)), last, bracket }
    }

    /// Reads the first document of the chunk; `None` where there is none.
    fn read(&mut self, chunk: &str) -> Result<Option<NodeId>, SyntaxError> {
        let options = options! {
            emit_anchor_events: false,
            emit_unresolved_aliases: true,
            block_nesting_limit: DEPTH_LIMIT as _,
            flow_nesting_limit: DEPTH_LIMIT as _,
            max_buffered_comment_events: 1 << 20,
        };
        let mut root = None;
        let mut parser = Parser::new_from_str_with_options(chunk, options);
        while let Some(next) = parser.next_event() {
            let (event, at) = match next {
                Ok(event) => event,
                Err(e) => {
                    let at = e.marker().byte_offset().unwrap_or(0).min(chunk.len());
                    let before = self.before(chunk);
                    let mistake = before.explain(e.kind(), at, &e.info());
                    self.passes = before.passes(e.kind(), at);
                    return Err(self.error(mistake.range, mistake.message));
                }
            };
            let range = at.byte_range().unwrap_or(0..0);
            let span = Span::new(self.file, (self.base + range.start) as u32, (self.base + range.end) as u32);
            match event {
                Event::Comment(_, placement) => {
                    self.comments.push(Comment { span, trailing: placement == Placement::Right });
                }
                Event::DocumentStart(..) => self.anchors.clear(),
                Event::SequenceEnd | Event::MappingEnd => {
                    if let Some(id) = self.close(span) {
                        root = root.or(Some(id));
                    }
                }
                Event::Scalar(..) | Event::Alias(_) | Event::UnresolvedAlias(_) => {
                    // A block has no bytes of its own where it starts.
                    if root.is_some() && self.second_document.is_none_or(Span::is_empty) {
                        self.second_document = Some(span);
                    }
                    let id = self.leaf(event, span, at.indent, chunk)?;
                    if self.open.is_empty() {
                        root = root.or(Some(id));
                    }
                }
                Event::SequenceStart(style, anchor, tag) => {
                    if root.is_some() {
                        self.second_document.get_or_insert(span);
                    }
                    self.start(false, style, anchor, tag.as_deref().map(full_tag), span);
                }
                Event::MappingStart(style, anchor, tag) => {
                    if root.is_some() {
                        self.second_document.get_or_insert(span);
                    }
                    self.start(true, style, anchor, tag.as_deref().map(full_tag), span);
                }
                _ => {}
            }
        }
        Ok(root)
    }

    fn push(&mut self, node: NodeData) -> NodeId {
        self.nodes.push(node);
        let id = (self.nodes.len() - 1) as NodeId;
        if let Some(open) = self.open.last_mut() {
            open.size += 1;
        }
        id
    }

    fn anchor(&mut self, number: usize, id: NodeId, size: u64) {
        if number > 0 {
            if self.anchors.len() <= number {
                self.anchors.resize(number + 1, (NodeId::MAX, 0));
            }
            self.anchors[number] = (id, size);
        }
    }

    fn start(&mut self, mapping: bool, style: StructureStyle, anchor: usize, tag: Option<Box<str>>, span: Span) {
        let data = if mapping { Data::Map(Box::new([])) } else { Data::Seq(Box::new([])) };
        let style = if style == StructureStyle::Flow { Style::Flow } else { Style::Block };
        let id = self.push(NodeData {
            span,
            data,
            style,
            indent: 0,
            anchored: anchor > 0,
            merges: false,
            empty: false,
            tag,
        });
        // Size 0 marks a node that is not complete: an alias to it from within would be a cycle.
        self.anchor(anchor, id, 0);
        self.open.push(Open { id, first_child: self.children.len(), mapping, size: 1 });
    }

    /// Ends the innermost collection; gives its id when it was the document's root.
    fn close(&mut self, span: Span) -> Option<NodeId> {
        let open = self.open.pop()?;
        let children = &self.children[open.first_child..];
        let flow = self.nodes[open.id as usize].style == Style::Flow;
        // The end of a block collection is reported at the next token, far below its last child.
        let start = self.nodes[open.id as usize].span.start;
        let end = if flow { span.end } else { children.last().map_or(start, |&c| self.nodes[c as usize].span.end) };
        let data = if open.mapping {
            Data::Map(children.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
        } else {
            Data::Seq(children.into())
        };
        let merges = match &data {
            Data::Map(entries) => entries.iter().any(|(k, _)| {
                let key = &self.nodes[*k as usize];
                key.style == Style::Plain && matches!(&key.data, Data::Scalar(s) if s == "<<")
            }),
            _ => false,
        };
        self.children.truncate(open.first_child);
        let node = &mut self.nodes[open.id as usize];
        node.data = data;
        node.merges = merges;
        node.span.end = end.max(start);
        for anchor in self.anchors.iter_mut().filter(|a| a.0 == open.id) {
            anchor.1 = open.size;
        }
        match self.open.last_mut() {
            Some(parent) => {
                parent.size += open.size;
                self.children.push(open.id);
                None
            }
            None => Some(open.id),
        }
    }

    fn leaf(
        &mut self,
        event: Event<'_>,
        mut span: Span,
        indent: Option<usize>,
        chunk: &str,
    ) -> Result<NodeId, SyntaxError> {
        let at = span.start as usize - self.base..span.end as usize - self.base;
        let (data, style, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                let text = self.block_text(text, style, &mut span, chunk);
                (Data::Scalar(SmolStr::new(text)), style, anchor, tag.as_deref().map(full_tag))
            }
            Event::Alias(number) => {
                let (target, size) = self.anchors.get(number).copied().unwrap_or((NodeId::MAX, 0));
                if target == NodeId::MAX {
                    return Err(self.error(at, NO_ANCHOR));
                }
                if size == 0 {
                    return Err(self.error(at, "this alias stands inside the value that it repeats"));
                }
                self.repeated = self.repeated.saturating_add(size);
                if self.repeated > ALIAS_LIMIT {
                    return Err(self.error(at, "aliases repeat too much: the document would grow beyond all bounds"));
                }
                if let Some(open) = self.open.last_mut() {
                    open.size = open.size.saturating_add(size - 1);
                }
                (Data::Alias(target), Style::Plain, 0, None)
            }
            _ => return Err(self.error(at, NO_ANCHOR)),
        };
        let empty = style == Style::Plain && span.is_empty() && matches!(data, Data::Scalar(_));
        let indent = indent.unwrap_or(0).min(u16::MAX.into()) as u16;
        let id = self.push(NodeData { span, data, style, indent, anchored: anchor > 0, merges: false, empty, tag });
        self.anchor(anchor, id, 1);
        if !self.open.is_empty() {
            self.children.push(id);
        }
        Ok(id)
    }

    /// Corrects two habits of the parser: a block scalar's span runs into the next line's indentation, and one that ends
    /// the file without a line break is given one, which Go does not add.
    fn block_text<'t>(&self, text: Cow<'t, str>, style: Style, span: &mut Span, chunk: &str) -> Cow<'t, str> {
        if !matches!(style, Style::Literal | Style::Folded) {
            return text;
        }
        let bytes = chunk.as_bytes();
        let start = span.start as usize - self.base;
        let mut end = span.end as usize - self.base;
        while end > start && bytes[end - 1] == b' ' {
            end -= 1;
        }
        span.end = (self.base + end) as u32;
        let whole_rest = end == bytes.len() && self.file_ends_at(chunk, end);
        if whole_rest && !chunk.ends_with(['\n', '\r']) && text.ends_with('\n') {
            let mut text = text.into_owned();
            text.pop();
            return Cow::Owned(text);
        }
        text
    }

    fn file_ends_at(&self, chunk: &str, end: usize) -> bool {
        chunk.len() == end
    }
}

fn full_tag(tag: &granit_parser::Tag) -> Box<str> {
    format!("{}{}", tag.handle(), tag.suffix()).into()
}
