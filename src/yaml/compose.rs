//! Putting a tree together from parts of others: every node keeps where it came from.

use std::sync::Arc;

use smol_str::SmolStr;

use super::origin::{Blame, Composed, Removal};
use super::resolve::{self, Scalar};
use super::tree::{Data, NodeData, NodeId, Style, Tree};
use crate::source::{SourceFile, Span};

/// Builds a tree, children first.
#[derive(Debug)]
pub struct Composer {
    source: Arc<SourceFile>,
    nodes: Vec<NodeData>,
    blames: Vec<Blame>,
}

impl Composer {
    /// A composer for an object of so many nodes that mainly stands in `source`.
    pub fn new(source: &Arc<SourceFile>, nodes: usize) -> Composer {
        Composer { source: Arc::clone(source), nodes: Vec::with_capacity(nodes), blames: Vec::with_capacity(nodes) }
    }

    fn push(&mut self, data: Data, style: Style, tag: Option<Box<str>>, empty: bool, blame: Blame) -> NodeId {
        let span = Span::new(self.source.id(), 0, 0);
        self.nodes.push(NodeData { span, data, style, indent: 0, anchored: false, merges: false, empty, tag });
        self.blames.push(blame);
        (self.nodes.len() - 1) as NodeId
    }

    /// A text, whatever it looks like.
    pub fn text(&mut self, text: SmolStr, style: Style, blame: Blame) -> NodeId {
        let looks_typed = style == Style::Plain && !matches!(resolve::plain(&text), Scalar::Str(_));
        let tag = looks_typed.then(|| "tag:yaml.org,2002:str".into());
        self.push(Data::Scalar(text), style, tag, false, blame)
    }

    /// A number, a boolean or null as it is written without quotes.
    pub fn plain(&mut self, text: SmolStr, blame: Blame) -> NodeId {
        let empty = text.is_empty();
        self.push(Data::Scalar(text), Style::Plain, None, empty, blame)
    }

    /// A mapping of keys and values.
    pub fn map(&mut self, entries: Vec<(NodeId, NodeId)>, style: Style, blame: Blame) -> NodeId {
        self.push(Data::Map(entries.into()), style, None, false, blame)
    }

    /// A list.
    pub fn seq(&mut self, items: Vec<NodeId>, style: Style, blame: Blame) -> NodeId {
        self.push(Data::Seq(items.into()), style, None, false, blame)
    }

    /// The tree.
    pub fn finish(self, root: NodeId, removals: Vec<Removal>) -> Tree {
        let composed = Some(Box::new(Composed { blames: self.blames, removals }));
        Tree { composed, ..Tree::new(self.source, self.nodes, root, 0..0) }
    }
}
