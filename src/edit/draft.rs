//! What is to change in one document, as a plan on its nodes.

use std::collections::BTreeMap;

use super::refusal::Refusal;
use super::text::TextEdit;
use super::value::Value;
use crate::yaml::{Node, NodeId, Shape, Tree};

/// What becomes of a node.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// This stands in its place.
    Replace(Value),
    /// Parts of its text change.
    Text(Vec<TextEdit>),
    /// The collection has these entries or items.
    Slots(Vec<Slot>),
    /// Nothing stands behind the key.
    Nothing,
}

/// An entry or item of a collection that changes.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// One that stands there, by its position, perhaps under another key.
    Kept { index: usize, key: Option<String> },
    /// A new one; items have no key.
    New { key: String, value: Value },
}

/// The plan for one tree that was read.
#[derive(Debug)]
pub(super) struct Draft<'t> {
    pub tree: &'t Tree,
    pub plans: Plans,
}

/// What becomes of the nodes that do not stay as they are.
pub(super) type Plans = BTreeMap<NodeId, Plan>;

impl<'t> Draft<'t> {
    pub(super) fn new(tree: &'t Tree) -> Draft<'t> {
        Draft { tree, plans: Plans::new() }
    }

    /// The collection that a node stands in, and its position there.
    pub(super) fn place(&self, node: Node<'_>) -> Option<(NodeId, usize)> {
        self.tree.place(node.id())
    }

    /// The node and all that it stands in.
    pub(super) fn upwards(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(id), |&id| self.tree.place(id).map(|(parent, _)| parent))
    }

    /// Refuses to change what others repeat.
    pub(super) fn guard(&self, node: Node<'_>) -> Result<(), Refusal> {
        if node.is_alias() {
            return Err(Refusal::at(node.written_span(), "the value is repeated from elsewhere by an alias"));
        }
        match self.upwards(node.id()).find(|id| self.tree.aliased().contains(id)) {
            Some(id) => {
                Err(Refusal::at(self.tree.node(id).grip(), "the value has an anchor, and aliases repeat it elsewhere"))
            }
            None => Ok(()),
        }
    }

    /// Refuses to take away what others repeat, in whole or in part, or what stands here by an alias.
    pub(super) fn guard_all(&self, node: Node<'_>) -> Result<(), Refusal> {
        self.guard(node)?;
        if let Some(id) = self.tree.aliased_in(node.id()) {
            return Err(Refusal::at(self.tree.node(id).grip(), "a part of it has an anchor, and aliases repeat it"));
        }
        Ok(())
    }

    /// Refuses a key that others repeat.
    pub(super) fn guard_own(&self, key: Node<'_>) -> Result<(), Refusal> {
        if key.is_alias() || self.tree.aliased().contains(&key.id()) {
            return Err(Refusal::at(key.written_span(), "the key is shared by an anchor"));
        }
        Ok(())
    }

    /// The entries or items of a collection, to be changed.
    pub(super) fn slots(&mut self, node: Node<'t>) -> Result<&mut Vec<Slot>, Refusal> {
        self.guard(node)?;
        if node.tag().is_some() {
            return Err(Refusal::at(node.grip(), "the value has a tag"));
        }
        let len = match node.shape() {
            Shape::Mapping => {
                let entries = node.written_entries();
                if let Some(merge) = entries.iter().find(|e| e.key.is_merge_key()) {
                    let reason = "a merge key (`<<`) brings other entries into this mapping";
                    return Err(Refusal::at(merge.key.written_span(), reason));
                }
                entries.len()
            }
            Shape::Sequence => node.items().len(),
            Shape::Scalar => return Err(Refusal::at(node.grip(), "the value is neither a mapping nor a list")),
        };
        let all = || Plan::Slots((0..len).map(|index| Slot::Kept { index, key: None }).collect());
        match self.plans.entry(node.id()).or_insert_with(all) {
            Plan::Slots(slots) => Ok(slots),
            _ => Err(Refusal::at(node.grip(), "the value is replaced by another change")),
        }
    }

    /// Drops what was planned for a node and below it.
    pub(super) fn forget(&mut self, node: Node<'_>) {
        let below: Vec<NodeId> =
            self.plans.keys().copied().filter(|&id| self.upwards(id).any(|up| up == node.id())).collect();
        for id in below {
            self.plans.remove(&id);
        }
    }
}
