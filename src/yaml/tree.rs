//! The tree of one document: a flat arena of nodes, and cheap handles into it.

use std::borrow::Cow;
use std::collections::hash_map;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use smol_str::SmolStr;

use super::layout::Layout;
use super::origin::{Blame, BlamePart, BlamePlace, Composed, Origin, Removal, Step};
use super::resolve::{self, Scalar};
use super::scalar_map::ScalarMap;
use super::written::Standing;
use crate::source::{SourceFile, Span};

/// Names a node of one [`Tree`].
pub type NodeId = u32;

/// How a node was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// An unquoted scalar; only these are typed.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// A mapping or sequence by indentation.
    Block,
    /// A mapping or sequence in brackets.
    Flow,
}

/// What a node holds, once aliases are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A single value.
    Scalar,
    /// Keys and values.
    Mapping,
    /// A list.
    Sequence,
}

#[derive(Clone, Debug)]
pub(super) enum Data {
    Scalar(SmolStr),
    Map(Box<[(NodeId, NodeId)]>),
    Seq(Box<[NodeId]>),
    Alias(NodeId),
}

#[derive(Clone, Debug)]
pub(super) struct NodeData {
    pub(super) span: Span,
    pub(super) data: Data,
    pub(super) style: Style,
    /// Columns that a block scalar's content is indented by.
    pub(super) indent: u16,
    pub(super) anchored: bool,
    /// A mapping with a `<<` key.
    pub(super) merges: bool,
    /// The value is not there at all (`key:`), so the span is empty.
    pub(super) empty: bool,
    pub(super) tag: Option<Box<str>>,
}

/// One document. Immutable once parsed; aliases point backwards, so the tree has no cycles.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(super) source: Arc<SourceFile>,
    pub(super) nodes: Vec<NodeData>,
    pub(super) root: NodeId,
    /// For text that lies inside a scalar of another document.
    pub(super) embedding: Option<Arc<Embedding>>,
    /// For a tree that was put together from others.
    pub(super) composed: Option<Box<Composed>>,
    /// The bytes of the document in its text, from its `---` line up to the next one.
    pub(super) document: Range<u32>,
    /// What [`Tree::duplicate_keys`] found: a file of a base is asked about by each overlay.
    pub(super) duplicates: OnceLock<Box<[(NodeId, NodeId)]>>,
    /// How the nodes stand in each other: every fix of a finding asks.
    pub(super) standing: OnceLock<Box<Standing>>,
    /// The outcome of [`Tree::layout`].
    pub(super) layout: OnceLock<Layout>,
}

/// Text that was taken out of a scalar, and where it stands.
#[derive(Debug)]
pub(super) struct Embedding {
    pub(super) text: Box<str>,
    pub(super) map: ScalarMap,
}

impl Tree {
    /// A tree of some nodes, of the document that lies there in its text.
    pub(super) fn new(source: Arc<SourceFile>, nodes: Vec<NodeData>, root: NodeId, document: Range<u32>) -> Tree {
        Tree {
            source,
            nodes,
            root,
            embedding: None,
            composed: None,
            document,
            duplicates: OnceLock::new(),
            standing: OnceLock::new(),
            layout: OnceLock::new(),
        }
    }

    /// The document's top node.
    pub fn root(&self) -> Node<'_> {
        Node { tree: self, id: self.root, key: NO_KEY }
    }

    /// The file that the document stands in.
    pub fn source(&self) -> &Arc<SourceFile> {
        &self.source
    }

    /// What the object had and lost while it was built.
    pub fn removals(&self) -> &[Removal] {
        self.composed.as_ref().map_or(&[], |c| &c.removals)
    }

    /// Values that replaced others while the object was built: the bytes of the new one (or of its part), and of the old.
    pub fn overrides(&self) -> Vec<(Span, Span)> {
        let mut found = Vec::new();
        for blame in self.composed.iter().flat_map(|c| &c.blames) {
            let Some(old) = &blame.overrode else { continue };
            let old = old.grip();
            let places = match &blame.place {
                BlamePlace::Rope(parts) => parts.iter().map(|(len, part)| part.span(0..*len)).collect(),
                _ => vec![blame.span()],
            };
            found.extend(places.into_iter().filter(|new| !old.contains(*new)).map(|new| (new, old)));
        }
        found
    }

    /// Whether it was put together from other trees.
    pub fn is_composed(&self) -> bool {
        self.composed.is_some()
    }

    /// The number of nodes, aliases counted once.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the tree holds no node. It always holds its root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The key that a value is written under. Looks through the whole tree: for messages, not for reading.
    pub fn key_of(&self, value: NodeId) -> Option<Node<'_>> {
        let entry = |node: &NodeData| match &node.data {
            Data::Map(entries) => entries.iter().find(|(_, v)| *v == value).map(|(k, _)| *k),
            _ => None,
        };
        self.nodes.iter().find_map(entry).map(|key| self.node(key))
    }

    /// Keys that stand again in the same mapping, once typed as Kubernetes types them: the first and the later one. Merged
    /// mappings may be overridden, so `<<` does not count.
    pub fn duplicate_keys(&self) -> impl Iterator<Item = (Node<'_>, Node<'_>)> {
        let found = self.duplicates.get_or_init(|| self.find_duplicate_keys().into());
        found.iter().map(|&(first, later)| (self.node(first), self.node(later)))
    }

    /// The scalars, keys among them, whose bytes hold these: one, unless a build repeated it.
    pub fn scalars_around(&self, span: Span) -> impl Iterator<Item = Node<'_>> {
        let nodes = (0..self.len()).map(|id| self.node(id as NodeId));
        nodes.filter(move |n| !n.is_alias() && n.shape() == Shape::Scalar && n.span().contains(span))
    }

    fn find_duplicate_keys(&self) -> Vec<(NodeId, NodeId)> {
        let mut found = Vec::new();
        let mut prints = Vec::new();
        for node in &self.nodes {
            let Data::Map(entries) = &node.data else { continue };
            // Nearly every mapping is done with here.
            prints.clear();
            prints.extend(entries.iter().filter_map(|&(k, _)| self.node(k).scalar()).map(fingerprint));
            if !has_equals(&mut prints) {
                continue;
            }
            let keys = || entries.iter().map(|&(k, _)| self.node(k)).filter(|k| !k.is_merge_key() && !k.is_templated());
            if entries.len() <= 16 {
                for (i, later) in keys().enumerate() {
                    found.extend(keys().take(i).find(|k| same_key(*k, later)).map(|first| (first.id, later.id)));
                }
            } else {
                let mut seen = hash_map::HashMap::with_capacity(entries.len());
                for later in keys() {
                    let Ok(name) = super::json::key(later) else { continue };
                    match seen.entry(name) {
                        hash_map::Entry::Occupied(first) => found.push((*first.get(), later.id)),
                        hash_map::Entry::Vacant(place) => _ = place.insert(later.id),
                    }
                }
            }
        }
        found
    }

    /// The node with an id that came from [`Node::id`] of this tree.
    pub fn node(&self, id: NodeId) -> Node<'_> {
        Node { tree: self, id, key: NO_KEY }
    }
}

/// A number that keys share which are one to Kubernetes, and few others do.
fn fingerprint(key: Scalar<'_>) -> u32 {
    // FNV-1a.
    let hash =
        |text: &str| text.bytes().fold(0x811c_9dc5, |hash: u32, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193));
    match key {
        Scalar::Str(text) => hash(text),
        other => hash(&other.to_string()),
    }
}

/// Whether a number stands twice among some; leaves them in any order.
fn has_equals(numbers: &mut [u32]) -> bool {
    if numbers.len() <= 16 {
        return numbers.iter().enumerate().any(|(i, n)| numbers[..i].contains(n));
    }
    numbers.sort_unstable();
    numbers.windows(2).any(|pair| pair[0] == pair[1])
}

/// Whether two keys are one to Kubernetes: `1` and `"1"` are, `yes` and `"true"` too.
fn same_key(a: Node<'_>, b: Node<'_>) -> bool {
    // Different words are different keys, and words of more than five letters are no booleans.
    let is_word = |t: &str| t.len() > 5 && t.starts_with(|c: char| c.is_ascii_alphabetic());
    match (a.text(), b.text()) {
        (Some(a), Some(b)) if a != b && (is_word(a) || is_word(b)) => return false,
        _ => {}
    }
    match (a.scalar(), b.scalar()) {
        (Some(Scalar::Str(a)), Some(Scalar::Str(b))) => a == b,
        (Some(a), Some(b)) => a.to_string() == b.to_string(),
        _ => false,
    }
}

const NO_KEY: NodeId = NodeId::MAX;

/// A handle to a node: `Copy`, two words and a half. Aliases are followed by every reading method.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    id: NodeId,
    key: NodeId,
}

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'t> {
    /// The key.
    pub key: Node<'t>,
    /// The value.
    pub value: Node<'t>,
    /// The `<<` entry that brought it in, when it was merged from another mapping.
    pub merged: Option<Span>,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({:?} {:?})", self.span(), self.data().data)
    }
}

impl PartialEq for Node<'_> {
    /// The same node of the same tree, not equal content.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

impl<'t> Node<'t> {
    fn raw(self) -> &'t NodeData {
        &self.tree.nodes[self.id as usize]
    }

    fn target(self) -> NodeId {
        let mut id = self.id;
        while let Data::Alias(to) = self.tree.nodes[id as usize].data {
            id = to;
        }
        id
    }

    fn data(self) -> &'t NodeData {
        &self.tree.nodes[self.target() as usize]
    }

    fn sibling(self, id: NodeId) -> Node<'t> {
        Node { tree: self.tree, id, key: NO_KEY }
    }

    /// The tree that the node belongs to.
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// The node's id, aliases followed.
    pub fn id(self) -> NodeId {
        self.target()
    }

    /// The file that the node stands in.
    pub fn source(self) -> &'t Arc<SourceFile> {
        match self.blame().map(|b| &b.place) {
            Some(BlamePlace::Node(tree, _)) => &tree.source,
            _ => &self.tree.source,
        }
    }

    /// Where a node of a composed tree came from; `None` in a tree that was read.
    pub(super) fn blame(self) -> Option<&'t Blame> {
        let composed = self.tree.composed.as_ref()?;
        composed.blames.get(self.target() as usize)
    }

    fn file_span(self, span: Span) -> Span {
        match &self.tree.embedding {
            None => span,
            Some(outer) => outer.map.span(span.start as usize..span.end as usize),
        }
    }

    /// The bytes of the value. For an alias, the bytes that it stands for.
    pub fn span(self) -> Span {
        if let Some(blame) = self.blame() {
            return blame.span();
        }
        self.file_span(self.data().span)
    }

    /// The bytes where the node is written: for an alias the `*name` itself.
    pub fn written_span(self) -> Span {
        if let Some(blame) = self.blame() {
            return blame.span();
        }
        self.file_span(self.raw().span)
    }

    /// The bytes of the key that this value was reached by, if it was reached by one.
    pub fn key_span(self) -> Option<Span> {
        (self.key != NO_KEY).then(|| self.sibling(self.key).written_span())
    }

    /// The text of the key that this value was reached by, if it was reached by one.
    pub fn key_text(self) -> Option<&'t str> {
        (self.key != NO_KEY).then(|| self.sibling(self.key).text()).flatten()
    }

    /// A short place to hold the node by: a scalar's own bytes, else its key, else the first key or item inside.
    pub fn grip(self) -> Span {
        match self.shape() {
            Shape::Scalar if !self.span().is_empty() => self.span(),
            _ => self.key_span().unwrap_or_else(|| match &self.data().data {
                Data::Map(entries) if !entries.is_empty() => self.sibling(entries[0].0).written_span(),
                Data::Seq(items) if !items.is_empty() => self.sibling(items[0]).grip(),
                _ => self.span(),
            }),
        }
    }

    /// Where the value came from.
    pub fn origin(self) -> Origin {
        if let Some(blame) = self.blame() {
            return Origin { span: blame.span(), step: blame.step };
        }
        let step = if self.is_alias() { Step::Alias(self.written_span()) } else { Step::Written };
        Origin { span: self.span(), step }
    }

    /// Whether nobody wrote the value: a build made it, and its span is what made it do so.
    pub fn is_synthesised(self) -> bool {
        match self.blame().map(|b| &b.place) {
            Some(BlamePlace::Span(_)) => true,
            Some(BlamePlace::Rope(parts)) => parts.iter().all(|(_, part)| matches!(part, BlamePart::Span(_))),
            _ => false,
        }
    }

    /// What stood here before, the latest first: values that a patch or another entry of a kustomization replaced.
    pub fn overridden(self) -> Vec<Origin> {
        let mut found = Vec::new();
        let mut next = self.blame().and_then(|b| b.overrode.as_deref());
        while let Some(blame) = next {
            found.push(Origin { span: blame.span(), step: blame.step });
            next = blame.overrode.as_deref();
        }
        found
    }

    /// Whether the value is repeated from elsewhere by `*name`.
    pub fn is_alias(self) -> bool {
        matches!(self.raw().data, Data::Alias(_))
    }

    /// Whether the value carries an anchor, so that others may repeat it.
    pub fn is_anchored(self) -> bool {
        self.data().anchored
    }

    /// Whether it is a scalar, a mapping or a sequence.
    pub fn shape(self) -> Shape {
        match self.data().data {
            Data::Map(_) => Shape::Mapping,
            Data::Seq(_) => Shape::Sequence,
            Data::Scalar(_) | Data::Alias(_) => Shape::Scalar,
        }
    }

    /// Whether it is a mapping.
    pub fn is_mapping(self) -> bool {
        self.shape() == Shape::Mapping
    }

    /// Whether it is a sequence.
    pub fn is_sequence(self) -> bool {
        self.shape() == Shape::Sequence
    }

    /// How it was written.
    pub fn style(self) -> Style {
        self.data().style
    }

    /// Columns that a block scalar's content is indented by.
    pub fn indent(self) -> usize {
        self.data().indent.into()
    }

    /// The explicit tag, in full (`tag:yaml.org,2002:str`).
    pub fn tag(self) -> Option<&'t str> {
        self.data().tag.as_deref()
    }

    /// The text of a scalar after quotes and escapes, whatever its type. `None` for collections.
    pub fn text(self) -> Option<&'t str> {
        match &self.data().data {
            Data::Scalar(_) if self.data().empty => Some(""),
            Data::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// [`Node::text`] to keep: long text is shared with the tree, not copied.
    pub fn shared_text(self) -> Option<SmolStr> {
        match &self.data().data {
            Data::Scalar(text) => Some(if self.data().empty { SmolStr::default() } else { text.clone() }),
            _ => None,
        }
    }

    /// The scalar as Kubernetes types it. `None` for collections.
    pub fn scalar(self) -> Option<Scalar<'t>> {
        let node = self.data();
        let Data::Scalar(text) = &node.data else { return None };
        if node.empty && node.tag.is_none() {
            return Some(Scalar::Null);
        }
        Some(match node.tag.as_deref() {
            Some(
                "tag:yaml.org,2002:int"
                | "tag:yaml.org,2002:float"
                | "tag:yaml.org,2002:bool"
                | "tag:yaml.org,2002:null",
            ) => resolve::plain(text),
            None if node.style == Style::Plain => resolve::plain(text),
            _ => Scalar::Str(if node.empty { "" } else { text }),
        })
    }

    /// The value of a string, and only of a string: `yes` is a boolean and has none.
    pub fn as_str(self) -> Option<&'t str> {
        match self.scalar()? {
            Scalar::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The value of an integer.
    pub fn as_int(self) -> Option<i64> {
        match self.scalar()? {
            Scalar::Int(i) => Some(i),
            _ => None,
        }
    }

    /// The value of a boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self.scalar()? {
            Scalar::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// Whether it is null, which Kubernetes reads as absent.
    pub fn is_null(self) -> bool {
        self.scalar() == Some(Scalar::Null)
    }

    /// Whether the scalar is still to be filled in, so that its value is not known here. For places where nothing in a
    /// cluster expands anything.
    pub fn is_templated(self) -> bool {
        self.text().is_some_and(super::is_unfinished)
    }

    /// The value under a key. Of duplicate keys the last counts, as in Kubernetes; merge keys are followed; a null value
    /// is given as it is.
    pub fn get(self, key: &str) -> Option<Node<'t>> {
        self.entry(key).map(|entry| entry.value)
    }

    /// The entry under a key.
    pub fn entry(self, key: &str) -> Option<Entry<'t>> {
        let node = self.data();
        let Data::Map(entries) = &node.data else { return None };
        if node.merges {
            return self.entries().into_iter().rfind(|e| e.key.text() == Some(key));
        }
        let is_key = |k: NodeId| match &self.tree.nodes[k as usize].data {
            Data::Scalar(text) => text == key,
            Data::Alias(_) => self.sibling(k).text() == Some(key),
            Data::Map(_) | Data::Seq(_) => false,
        };
        entries.iter().rev().find(|(k, _)| is_key(*k)).map(|&(k, v)| self.plain_entry(k, v))
    }

    /// The value at the end of a path of keys that hold no dot: `node.at("spec.template.metadata")`.
    pub fn at(self, path: &str) -> Option<Node<'t>> {
        path.split('.').try_fold(self, |node, key| node.get(key))
    }

    fn plain_entry(self, key: NodeId, value: NodeId) -> Entry<'t> {
        Entry { key: self.sibling(key), value: Node { tree: self.tree, id: value, key }, merged: None }
    }

    /// All entries in source order, duplicates kept, merged mappings put in place of their `<<`. Empty for what is not a
    /// mapping.
    pub fn entries(self) -> Vec<Entry<'t>> {
        let mut found = Vec::new();
        self.collect_entries(None, &mut found);
        found
    }

    fn collect_entries(self, merged: Option<Span>, into: &mut Vec<Entry<'t>>) {
        let node = self.data();
        let Data::Map(entries) = &node.data else { return };
        into.reserve(entries.len());
        for &(k, v) in entries {
            if node.merges && self.sibling(k).is_merge_key() {
                let at = merged.unwrap_or_else(|| self.sibling(k).written_span());
                let value = self.sibling(v);
                match value.shape() {
                    Shape::Mapping => value.collect_entries(Some(at), into),
                    // Of several merged mappings the earlier wins, so it comes last.
                    Shape::Sequence => value.items().iter().rev().for_each(|m| m.collect_entries(Some(at), into)),
                    Shape::Scalar => {}
                }
            } else {
                into.push(Entry { merged, ..self.plain_entry(k, v) });
            }
        }
    }

    /// The entries as written: `<<` is a key like others. Empty for what is not a mapping.
    pub fn written_entries(self) -> Vec<Entry<'t>> {
        match &self.data().data {
            Data::Map(entries) => entries.iter().map(|&(k, v)| self.plain_entry(k, v)).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether this key is `<<` without quotes, which merges mappings in.
    pub fn is_merge_key(self) -> bool {
        let node = self.raw();
        node.style == Style::Plain && matches!(&node.data, Data::Scalar(s) if s == "<<")
    }

    /// [`Node::entries`] as ids of keys and values, each key once, with the last of its values. Allocates only where
    /// mappings are merged.
    pub fn entry_ids(self) -> Cow<'t, [(NodeId, NodeId)]> {
        match &self.data().data {
            Data::Map(entries) if !self.data().merges => Cow::Borrowed(entries),
            Data::Map(_) => {
                let mut ids: Vec<(NodeId, NodeId)> = Vec::new();
                for entry in self.entries() {
                    match ids.iter_mut().find(|(k, _)| same_key(self.sibling(*k), entry.key)) {
                        Some(earlier) => *earlier = (entry.key.id, entry.value.id),
                        None => ids.push((entry.key.id, entry.value.id)),
                    }
                }
                Cow::Owned(ids)
            }
            _ => Cow::Borrowed(&[]),
        }
    }

    /// The ids of [`Node::items`].
    pub fn item_ids(self) -> &'t [NodeId] {
        match &self.data().data {
            Data::Seq(items) => items,
            _ => &[],
        }
    }

    /// The items of a sequence; empty for anything else.
    pub fn items(self) -> Vec<Node<'t>> {
        match &self.data().data {
            Data::Seq(items) => items.iter().map(|&id| self.sibling(id)).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the collection has nothing in it; a null counts as empty.
    pub fn is_empty(self) -> bool {
        match &self.data().data {
            Data::Map(entries) => entries.is_empty(),
            Data::Seq(items) => items.is_empty(),
            _ => self.is_null(),
        }
    }

    /// The file bytes under a byte range of [`Node::text`], through quotes, escapes and indentation. The whole value
    /// where the range does not fit.
    pub fn sub_span(self, range: std::ops::Range<usize>) -> Span {
        if let Some(blame) = self.blame() {
            return blame.sub_span(range, self.text().map_or(0, str::len));
        }
        let block = matches!(self.style(), Style::Literal | Style::Folded);
        // Inside another scalar a quote may take two bytes.
        let plain = !block && self.tree.embedding.is_none();
        if plain && range.start == 0 && Some(range.end) == self.text().map(str::len) {
            let span = self.span();
            // Inside the quotes.
            return match self.style() {
                Style::SingleQuoted | Style::DoubleQuoted if span.len() >= 2 => {
                    Span { start: span.start + 1, end: span.end - 1, ..span }
                }
                _ => span,
            };
        }
        self.scalar_map().span(range)
    }

    /// The map from offsets in [`Node::text`] to offsets in the file. Costs a pass over the scalar: keep it when many
    /// spans are taken.
    pub fn scalar_map(self) -> ScalarMap {
        if let Some(blame) = self.blame() {
            return match &blame.place {
                BlamePlace::Node(tree, id) => tree.node(*id).scalar_map(),
                BlamePlace::Rope(parts) => {
                    ScalarMap::rope(blame.span(), parts.iter().map(|(len, part)| (*len, part.span(0..*len))))
                }
                BlamePlace::Span(_) => {
                    let (span, len) = (blame.span(), self.text().map_or(0, str::len));
                    if span.len() as usize == len {
                        ScalarMap::identity(span.file, span.start, span.len())
                    } else {
                        ScalarMap::collapsed(span, len)
                    }
                }
            };
        }
        match &self.tree.embedding {
            None => ScalarMap::build(self.tree.source.text(), self.data()),
            Some(outer) => ScalarMap::build(&outer.text, self.data()).within(&outer.map),
        }
    }
}
