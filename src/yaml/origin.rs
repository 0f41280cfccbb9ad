//! Where a node came from: the bytes that hold it, the step that put it there, and what it overrode.

use std::sync::Arc;

use smol_str::SmolStr;

use super::tree::{NodeId, Tree};
use crate::source::Span;

/// The step that put a node where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It stands in the file at this place.
    Written,
    /// It stands elsewhere in the file and is repeated here by an alias; the span is the alias.
    Alias(Span),
    /// An entry of a kustomization put it there; the span is the entry.
    Applied(Directive, Span),
}

/// What in a kustomization changes objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// A patch of any kind.
    Patch,
    /// `namespace`.
    Namespace,
    /// `namePrefix`.
    NamePrefix,
    /// `nameSuffix`.
    NameSuffix,
    /// `labels`.
    Labels,
    /// `commonLabels`.
    CommonLabels,
    /// `commonAnnotations`.
    CommonAnnotations,
    /// `replicas`.
    Replicas,
    /// `images`.
    Images,
    /// `replacements`.
    Replacement,
    /// `configMapGenerator`, `secretGenerator`.
    Generator,
    /// The hash at the end of a generated name.
    Hash,
    /// A name that follows the object that it names.
    NameReference,
    /// `vars`.
    Variable,
    /// A transformer with a file of its own.
    Plugin,
    /// `buildMetadata`.
    Metadata,
}

impl Directive {
    /// A few words, to follow "set by".
    pub fn as_str(self) -> &'static str {
        match self {
            Directive::Patch => "patch",
            Directive::Namespace => "namespace",
            Directive::NamePrefix => "namePrefix",
            Directive::NameSuffix => "nameSuffix",
            Directive::Labels => "labels",
            Directive::CommonLabels => "commonLabels",
            Directive::CommonAnnotations => "commonAnnotations",
            Directive::Replicas => "replicas",
            Directive::Images => "images",
            Directive::Replacement => "replacement",
            Directive::Generator => "generator",
            Directive::Hash => "content hash",
            Directive::NameReference => "name reference",
            Directive::Variable => "variable",
            Directive::Plugin => "transformer",
            Directive::Metadata => "buildMetadata",
        }
    }
}

/// Where a node came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The bytes that hold the value.
    pub span: Span,
    /// How they got here.
    pub step: Step,
}

/// What a composed tree keeps of each of its nodes.
#[derive(Clone, Debug)]
pub(super) struct Composed {
    /// By node.
    pub(super) blames: Vec<Blame>,
    /// What was taken away on the way.
    pub(super) removals: Vec<Removal>,
}

/// Where a node of a composed tree came from.
#[derive(Clone, Debug)]
pub struct Blame {
    /// Where it stands.
    pub place: BlamePlace,
    /// How it got here.
    pub step: Step,
    /// What it replaced.
    pub overrode: Option<Arc<Blame>>,
}

/// The place of a node of a composed tree.
#[derive(Clone, Debug)]
pub enum BlamePlace {
    /// A node of a tree that was read.
    Node(Arc<Tree>, NodeId),
    /// Parts of text, each with its length and place.
    Rope(Arc<[(usize, BlamePart)]>),
    /// Bytes that made it.
    Span(Span),
}

/// The place of a part of a text.
#[derive(Clone, Debug)]
pub enum BlamePart {
    /// The text of a node of a tree that was read, from an offset on.
    Node(Arc<Tree>, NodeId, usize),
    /// Bytes that made it.
    Span(Span),
}

/// Something that an object had and lost while it was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Keys from the object's root; an item of a list by its key's value.
    pub path: Vec<SmolStr>,
    /// The place that took it away.
    pub by: Span,
    /// What was there.
    pub removed: Span,
}

impl Blame {
    /// A short place to hold the value by.
    pub(super) fn grip(&self) -> Span {
        match &self.place {
            BlamePlace::Node(tree, id) => tree.node(*id).grip(),
            _ => self.span(),
        }
    }

    /// The bytes of the value: of a rope, the longest part.
    pub fn span(&self) -> Span {
        match &self.place {
            BlamePlace::Node(tree, id) => tree.node(*id).span(),
            BlamePlace::Span(span) => *span,
            BlamePlace::Rope(parts) => {
                let longest = parts.iter().max_by_key(|(len, _)| *len);
                longest.map_or_else(|| Span::new(crate::source::FileId(0), 0, 0), |(len, part)| part.span(0..*len))
            }
        }
    }

    /// The bytes of a part of the value; `len` is the length of the whole.
    pub(super) fn sub_span(&self, range: std::ops::Range<usize>, len: usize) -> Span {
        match &self.place {
            BlamePlace::Node(tree, id) => tree.node(*id).sub_span(range),
            BlamePlace::Span(span) => within(*span, range, len),
            BlamePlace::Rope(parts) => {
                let mut at = 0;
                let mut found: Option<(usize, Span)> = None;
                for (len, part) in parts.iter() {
                    let (start, end) = (range.start.max(at), range.end.min(at + len));
                    let inside = start < end || (range.is_empty() && at <= range.start && range.start <= at + len);
                    if inside {
                        let width = end.saturating_sub(start);
                        let local = start - at..end.max(start) - at;
                        let span = match part {
                            BlamePart::Span(span) => within(*span, local, *len),
                            BlamePart::Node(..) => part.span(local),
                        };
                        found = match found {
                            // Neighbours in one file are one stretch; else the part with most of the range.
                            Some((w, old)) if old.file == span.file && old.end == span.start => {
                                Some((w + width, old.to(span)))
                            }
                            Some((w, old)) if w >= width => Some((w, old)),
                            _ => Some((width, span)),
                        };
                    }
                    at += len;
                }
                found.map_or_else(|| self.span(), |(_, span)| span)
            }
        }
    }
}

impl BlamePart {
    pub(super) fn span(&self, range: std::ops::Range<usize>) -> Span {
        match self {
            BlamePart::Node(tree, id, start) => tree.node(*id).sub_span(start + range.start..start + range.end),
            BlamePart::Span(span) => *span,
        }
    }
}

/// A part of text that was made from a stretch of bytes: byte for byte where the lengths agree, as for a file that became a
/// ConfigMap's value; else all of the stretch.
fn within(span: Span, range: std::ops::Range<usize>, len: usize) -> Span {
    if span.len() as usize != len || range.end > len {
        return span;
    }
    Span::new(span.file, span.start + range.start as u32, span.start + range.end as u32)
}
