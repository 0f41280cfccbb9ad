//! Built objects as trees that the rest of kvlint reads like any other.

use std::sync::Arc;

use super::resource::Resource;
use super::value::{Data, FragmentPlace, Origin, Place, Type, Value};
use super::workspace::Workspace;
use crate::load::unit::Resource as Object;
use crate::yaml::{Blame, BlamePart, BlamePlace, Composer, NodeId, Removal, Step, Style, Tree};

/// The object that rules see. One that nothing changed is the tree that was read.
pub fn object(ws: &Workspace<'_>, resource: &Resource) -> Option<Object> {
    if resource.untouched
        && let Place::Node(tree, node) = &resource.value.origin.place
        && !has_dialect_words(&resource.value)
    {
        let tree = &ws.trees[*tree as usize];
        return Object::new(tree, tree.node(*node));
    }
    let tree = Arc::new(compose(ws, resource));
    let root = tree.root();
    Object::new(&tree, root)
}

/// Whether a text is one to Kustomize and a boolean or number to the reader of plain manifests.
fn has_dialect_words(value: &Value) -> bool {
    match &value.data {
        Data::Map(entries) => entries.iter().any(|e| has_dialect_words(&e.value)),
        Data::Seq(items) => items.iter().any(has_dialect_words),
        Data::Scalar(s) => {
            s.kind == Type::Str
                && s.text.len() <= 3
                && matches!(crate::yaml::resolve::plain(&s.text), crate::yaml::Scalar::Bool(_))
        }
    }
}

/// Puts an object's tree together.
pub fn compose(ws: &Workspace<'_>, resource: &Resource) -> Tree {
    let span = super::patch_target::resource_grip(ws, resource);
    let mut composer = Composer::new(ws.sources.file(span.file), nodes(&resource.value));
    let root = node(ws, &mut composer, &resource.value);
    let removals = resource.tombstones.iter().map(|t| Removal {
        path: t.path.clone(),
        by: ws.grip(&t.by),
        removed: ws.grip(&t.removed),
    });
    composer.finish(root, removals.collect())
}

/// How many nodes a value takes, its keys included.
fn nodes(value: &Value) -> usize {
    let below: usize = match &value.data {
        Data::Map(entries) => entries.iter().map(|e| 1 + nodes(&e.value)).sum(),
        Data::Seq(items) => items.iter().map(nodes).sum(),
        Data::Scalar(_) => 0,
    };
    1 + below
}

fn node(ws: &Workspace<'_>, composer: &mut Composer, value: &Value) -> NodeId {
    let blame = blame(ws, &value.origin);
    match &value.data {
        Data::Map(entries) => {
            let mut children = Vec::with_capacity(entries.len());
            for entry in entries.iter() {
                let style = style_of(ws, &entry.key.origin);
                let key = composer.text(entry.key.text.clone(), style, self::blame(ws, &entry.key.origin));
                children.push((key, node(ws, composer, &entry.value)));
            }
            composer.map(children, Style::Block, blame)
        }
        Data::Seq(items) => {
            let children = items.iter().map(|i| node(ws, composer, i)).collect();
            composer.seq(children, Style::Block, blame)
        }
        Data::Scalar(s) => match s.kind {
            Type::Str => composer.text(s.text.clone(), style_of(ws, &value.origin), blame),
            Type::Time => composer.text(format!("{}T00:00:00Z", s.text).into(), Style::Plain, blame),
            Type::Null | Type::Bool | Type::Number => composer.plain(s.text.clone(), blame),
        },
    }
}

/// How the text is written where it stands; plain where it was put together.
fn style_of(ws: &Workspace<'_>, origin: &Origin) -> Style {
    match &origin.place {
        Place::Node(tree, node) => match ws.node(*tree, *node).style() {
            Style::Block | Style::Flow => Style::Plain,
            style => style,
        },
        _ => Style::Plain,
    }
}

fn blame(ws: &Workspace<'_>, origin: &Origin) -> Blame {
    let tree = |id: u32| Arc::clone(&ws.trees[id as usize]);
    let place = match &origin.place {
        Place::Node(id, node) => BlamePlace::Node(tree(*id), *node),
        Place::Span(span) => BlamePlace::Span(*span),
        Place::Rope(parts) => BlamePlace::Rope(
            parts
                .iter()
                .map(|part| {
                    let place = match &part.place {
                        FragmentPlace::Node(id, node, start) => BlamePart::Node(tree(*id), *node, *start),
                        FragmentPlace::Whole(id, node) => BlamePart::Span(ws.node(*id, *node).span()),
                        FragmentPlace::Span(span) => BlamePart::Span(*span),
                    };
                    (part.len, place)
                })
                .collect(),
        ),
    };
    let step = ws.steps.get(origin.step as usize).copied().unwrap_or(Step::Written);
    Blame { place, step, overrode: origin.overrode.as_ref().map(|o| Arc::new(blame(ws, o))) }
}
