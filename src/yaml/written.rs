//! How nodes stand in the file that they were written in: what an edit needs to know beyond the values.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::origin::{BlamePart, BlamePlace};
use super::parse;
use super::tree::{Data, Node, NodeId, Tree};
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

    /// The nodes that aliases repeat.
    pub fn aliased(&self) -> BTreeSet<NodeId> {
        let target = |node: &super::tree::NodeData| match node.data {
            Data::Alias(to) => Some(to),
            _ => None,
        };
        self.nodes.iter().filter_map(target).collect()
    }

    /// For each node by its id: the collection that it stands in and its position there. Keys of mappings and the root
    /// have none. An alias has a place of its own; what it repeats keeps the place where it is written.
    pub fn places(&self) -> Vec<Option<(NodeId, usize)>> {
        let mut places = vec![None; self.nodes.len()];
        for (id, node) in self.nodes.iter().enumerate() {
            let mut put = |child: NodeId, index: usize| {
                if let Some(place) = places.get_mut(child as usize) {
                    *place = Some((id as NodeId, index));
                }
            };
            match &node.data {
                Data::Map(entries) => entries.iter().enumerate().for_each(|(i, &(_, value))| put(value, i)),
                Data::Seq(items) => items.iter().enumerate().for_each(|(i, &item)| put(item, i)),
                Data::Scalar(_) | Data::Alias(_) => {}
            }
        }
        places
    }
}

/// The bytes of the document that holds an offset, from its `---` line up to the next one.
pub fn document_at(text: &str, offset: usize) -> Range<usize> {
    let chunks = parse::chunks(text);
    let found = chunks.iter().rev().find(|(start, _)| *start <= offset).or(chunks.first());
    found.map_or(0..text.len(), |&(start, end)| start..end)
}
