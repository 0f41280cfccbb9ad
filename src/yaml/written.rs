//! How nodes stand in the file that they were written in: what an edit needs to know beyond the values.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::ops::Range;
use std::sync::Arc;

use super::origin::{BlamePart, BlamePlace};
use super::parse;
use super::tree::{Data, Node, NodeData, NodeId, Tree};
use crate::source::Span;

/// Where a node of a composed tree was written.
#[derive(Clone, Copy, Debug)]
pub enum Written<'t> {
    /// As this node of a tree that was read. A node of such a tree is written as itself.
    Node(Node<'t>),
    /// In parts, each with its length in the text.
    Parts(&'t [(usize, BlamePart)]),
    /// Nowhere: these bytes made it.
    Made(Span),
}

impl<'t> Node<'t> {
    /// Where the node was written.
    pub fn written(self) -> Written<'t> {
        match self.blame().map(|blame| &blame.place) {
            None => Written::Node(self),
            Some(BlamePlace::Node(tree, id)) => Written::Node(tree.node(*id)),
            Some(BlamePlace::Rope(parts)) => Written::Parts(parts),
            Some(BlamePlace::Span(span)) => Written::Made(*span),
        }
    }

    /// [`Node::written_entries`] as ids of keys and values.
    pub fn written_entry_ids(self) -> &'t [(NodeId, NodeId)] {
        match &self.tree().nodes[self.id() as usize].data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }
}

impl BlamePart {
    /// The node that this part of a text is taken from, and where in its text; `None` when it was written nowhere.
    pub fn written(&self) -> Option<(Node<'_>, usize)> {
        match self {
            BlamePart::Node(tree, id, start) => Some((Arc::as_ref(tree).node(*id), *start)),
            BlamePart::Span(_) => None,
        }
    }
}

impl Tree {
    /// Whether the text lies inside a scalar of another document.
    pub fn is_embedded(&self) -> bool {
        self.embedding.is_some()
    }

    /// The text inside a scalar that the tree was read from, the bytes of that text, and the root's offset in it. `None` for
    /// a tree that was read from a file.
    pub fn embedded_in(&self) -> Option<(&str, Span, usize)> {
        let outer = self.embedding.as_ref()?;
        let root = self.nodes.get(self.root as usize).map_or(0, |node| node.span.start as usize);
        Some((&outer.text, outer.map.span(0..outer.text.len()), root))
    }

    /// The bytes of the document, from its `---` line up to the next one: in its file, or in the text that it is embedded as.
    /// Empty for a tree that was put together.
    pub fn document(&self) -> Range<usize> {
        self.document.start as usize..self.document.end as usize
    }

    /// The nodes that aliases repeat.
    pub fn aliased(&self) -> &BTreeSet<NodeId> {
        &self.standing().aliased
    }

    /// The first aliased node that is this one, or stands in it, as a key or below one as well.
    pub fn aliased_in(&self, id: NodeId) -> Option<NodeId> {
        self.standing().holders.get(&id).copied()
    }

    /// The collection that a node stands in and its position there. Keys of mappings and the root have none. An alias has a
    /// place of its own; what it repeats keeps the place where it is written.
    pub fn place(&self, id: NodeId) -> Option<(NodeId, usize)> {
        self.standing().places.get(id as usize).copied().flatten()
    }

    fn standing(&self) -> &Standing {
        self.standing.get_or_init(|| Box::new(Standing::of(self)))
    }
}

/// How the nodes of a tree stand in each other.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    aliased: BTreeSet<NodeId>,
    /// By node.
    places: Vec<Option<(NodeId, usize)>>,
    /// Nodes that aliased ones stand in, and aliased ones themselves, each with the first of those.
    holders: BTreeMap<NodeId, NodeId>,
}

impl Standing {
    fn of(tree: &Tree) -> Standing {
        let target = |node: &NodeData| match node.data {
            Data::Alias(to) => Some(to),
            _ => None,
        };
        let aliased: BTreeSet<NodeId> = tree.nodes.iter().filter_map(target).collect();
        let mut places = vec![None; tree.nodes.len()];
        // A key stands in its mapping, though it has no place there.
        let mut mappings: BTreeMap<NodeId, NodeId> = BTreeMap::new();
        for (id, node) in tree.nodes.iter().enumerate() {
            let id = id as NodeId;
            let mut put = |child: NodeId, index: usize| {
                if let Some(place) = places.get_mut(child as usize) {
                    *place = Some((id, index));
                }
            };
            match &node.data {
                Data::Map(entries) => {
                    for (i, &(key, value)) in entries.iter().enumerate() {
                        put(value, i);
                        if aliased.contains(&key) {
                            mappings.entry(key).or_insert(id);
                        }
                    }
                }
                Data::Seq(items) => items.iter().enumerate().for_each(|(i, &item)| put(item, i)),
                Data::Scalar(_) | Data::Alias(_) => {}
            }
        }
        let mut holders = BTreeMap::new();
        for &id in &aliased {
            let mut next = Some(id);
            while let Some(up) = next {
                if let btree_map::Entry::Vacant(place) = holders.entry(up) {
                    place.insert(id);
                } else {
                    break;
                }
                let place: Option<(NodeId, usize)> = places.get(up as usize).copied().flatten();
                next = place.map(|(parent, _)| parent).or_else(|| mappings.get(&up).copied());
            }
        }
        Standing { aliased, places, holders }
    }
}

/// The bytes of the document that holds an offset, from its `---` line up to the next one.
///
/// Looks no further than that: a file may hold thousands of documents, and each of them may be asked for.
pub fn document_at(text: &str, offset: usize) -> Range<usize> {
    let first = parse::first_line(text);
    let bytes = text.as_bytes();
    let mut start = offset.clamp(first, bytes.len());
    let breaks = |b: &u8| *b == b'\n' || *b == b'\r';
    loop {
        start = bytes[first..start].iter().rposition(breaks).map_or(first, |at| first + at + 1);
        if start == first || parse::starts_document(&bytes[start..]) {
            break;
        }
        // The line before: what ends it is passed over.
        start -= 1;
    }
    let mut end = start;
    while let Some(length) = bytes[end..].iter().position(breaks) {
        end += length + 1;
        if parse::starts_document(&bytes[end..]) {
            return start..end;
        }
    }
    start..bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_at_an_offset_is_the_one_that_the_parser_cuts() {
        for text in [
            "",
            "a",
            "---",
            "---\n",
            "a: 1\n---\nb: 2\n",
            "---\na: 1\n--- # b\nb: 2\n---\n---\n",
            "\u{feff}---\na: 1\r\n---\r\nb: 2\r---\rc: 3",
            "a: |\n  ---\n---x\n---\tb\n\n\n---",
        ] {
            let chunks = parse::chunks(text);
            for offset in 0..=text.len() {
                let held = chunks.iter().rev().find(|(start, _)| *start <= offset).or(chunks.first());
                assert_eq!(
                    Some((document_at(text, offset).start, document_at(text, offset).end)),
                    held.copied(),
                    "{text:?} {offset}"
                );
            }
        }
    }
}
