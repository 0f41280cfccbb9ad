//! Where a value came from: its place, the step that put it there, and what it replaced.

use std::sync::Arc;

use crate::source::Span;
use crate::yaml::NodeId;

/// Names a tree of the workspace.
pub type TreeId = u32;

/// Names a step of the workspace; 0 is "written there".
pub type StepId = u32;

/// What was written, untouched.
pub const WRITTEN: StepId = 0;

/// Where a value, or a part of one, stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A node that was read.
    Node(TreeId, NodeId),
    /// Bytes that made it, without being it: an entry of a kustomization.
    Span(Span),
    /// Text put together from several places.
    Rope(Arc<[Fragment]>),
}

/// A part of a rope.
#[derive(Clone, Debug, PartialEq)]
pub struct Fragment {
    /// Bytes of the text that it makes up.
    pub len: usize,
    /// Where it stands.
    pub place: FragmentPlace,
}

/// Where a part of a rope stands.
#[derive(Clone, Debug, PartialEq)]
pub enum FragmentPlace {
    /// In the decoded text of a node, from this offset on.
    Node(TreeId, NodeId, usize),
    /// Text made because of what a node says, without being it.
    Whole(TreeId, NodeId),
    /// Bytes that made it.
    Span(Span),
}

/// Where a value came from, how it got here, and what stood here before.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// Where it stands.
    pub place: Place,
    /// How it got here.
    pub step: StepId,
    /// What it replaced.
    pub overrode: Option<Arc<Origin>>,
}

impl Origin {
    /// A value as it was read.
    pub fn node(tree: TreeId, node: NodeId) -> Origin {
        Origin { place: Place::Node(tree, node), step: WRITTEN, overrode: None }
    }

    /// A value that nobody wrote.
    pub fn made(span: Span, step: StepId) -> Origin {
        Origin { place: Place::Span(span), step, overrode: None }
    }

    /// The same place, reached by another step.
    pub fn by(mut self, step: StepId) -> Origin {
        self.step = step;
        self
    }

    /// For a text of this length that was made because of this place, without standing there.
    pub fn derived(&self, len: usize) -> Origin {
        let place = match &self.place {
            Place::Node(tree, node) => {
                Place::Rope(Arc::new([Fragment { len, place: FragmentPlace::Whole(*tree, *node) }]))
            }
            Place::Rope(parts) => match parts.first().map(|p| &p.place) {
                Some(FragmentPlace::Node(tree, node, _) | FragmentPlace::Whole(tree, node)) => {
                    Place::Rope(Arc::new([Fragment { len, place: FragmentPlace::Whole(*tree, *node) }]))
                }
                Some(FragmentPlace::Span(span)) => Place::Span(*span),
                None => self.place.clone(),
            },
            Place::Span(span) => Place::Span(*span),
        };
        Origin { place, step: self.step, overrode: None }
    }

    /// The parts of a text with this origin; `len` is the text's length.
    pub fn fragments(&self, len: usize) -> Vec<Fragment> {
        let one = |place| vec![Fragment { len, place }];
        match &self.place {
            Place::Node(tree, node) => one(FragmentPlace::Node(*tree, *node, 0)),
            Place::Span(span) => one(FragmentPlace::Span(*span)),
            Place::Rope(parts) => parts.to_vec(),
        }
    }
}

/// Cuts a range out of the parts of a text.
pub fn cut(parts: &[Fragment], range: std::ops::Range<usize>) -> Vec<Fragment> {
    let mut found = Vec::new();
    let mut at = 0;
    for part in parts {
        let (start, end) = (range.start.max(at), range.end.min(at + part.len));
        if start < end {
            let place = match &part.place {
                FragmentPlace::Node(tree, node, offset) => FragmentPlace::Node(*tree, *node, offset + (start - at)),
                other => other.clone(),
            };
            found.push(Fragment { len: end - start, place });
        }
        at += part.len;
    }
    found
}
