//! Reads an edited document again: it must hold what was meant, and nothing else may have changed.

use std::sync::Arc;

use super::apply::apply_to;
use super::draft::{Draft, Plan, Slot};
use super::page::Page;
use super::refusal::Refusal;
use super::text;
use super::value::Value;
use crate::lint::Edit;
use crate::source::{FileId, SourceFile, Span};
use crate::yaml::{self, Node, Scalar, Shape};

/// Applies the edits to the document and compares the outcome with the plan.
pub(super) fn check(page: &Page<'_>, draft: &Draft<'_>, edits: &[Edit]) -> Result<(), Refusal> {
    let refuse = || {
        let span = edits.first().map(|e| e.span);
        Refusal { reason: "the text around it is written in a way that edits don't understand".into(), span }
    };
    let (start, end) = (page.range.start as u32, page.range.end as u32);
    let moved: Option<Vec<Edit>> = edits
        .iter()
        .map(|edit| {
            let fits = start <= edit.span.start && edit.span.end <= end;
            fits.then(|| Edit {
                span: Span::new(edit.span.file, edit.span.start - start, edit.span.end - start),
                replacement: edit.replacement.clone(),
            })
        })
        .collect();
    let old = page.text.get(page.range.clone()).ok_or_else(refuse)?;
    let new = apply_to(old, &moved.ok_or_else(refuse)?).map_err(|_| refuse())?;
    // The next document starts a line.
    if page.range.end < page.text.len() && !new.ends_with(['\n', '\r']) {
        return Err(refuse());
    }
    let file = Arc::new(SourceFile::new(FileId(0), "", new));
    let stream = yaml::parse(&file);
    let [document] = stream.documents.as_slice() else { return Err(refuse()) };
    let Ok(tree) = &document.content else { return Err(refuse()) };
    if is_planned(draft, draft.tree.root(), tree.root()) { Ok(()) } else { Err(refuse()) }
}

/// What happens to the documents of a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whole<'v> {
    /// This is added behind all others.
    Added(&'v Value),
    /// The one that starts at this offset is taken away.
    Removed(usize),
}

/// Checks that a file keeps its other documents.
pub(super) fn documents(file: &SourceFile, edits: &[Edit], whole: Whole<'_>) -> Result<(), Refusal> {
    let refuse = || {
        let span = edits.first().map(|e| e.span);
        Refusal { reason: "the other documents of the file would be read differently".into(), span }
    };
    let read = |text: &str| yaml::parse(&Arc::new(SourceFile::new(FileId(0), "", text))).documents;
    let (old, new) = (read(file.text()), read(&apply_to(file.text(), edits).map_err(|_| refuse())?));
    let gone = |d: &yaml::Document| matches!(whole, Whole::Removed(at) if d.span.start as usize == at);
    let mut kept = old.iter().filter(|d| !gone(d));
    let mut after = new.iter();
    for old in kept.by_ref() {
        let same = match (&old.content, after.next().map(|d| &d.content)) {
            (Ok(old), Some(Ok(new))) => is_planned(&Draft::new(old), old.root(), new.root()),
            (Err(old), Some(Err(new))) => old.message == new.message,
            _ => false,
        };
        if !same {
            return Err(refuse());
        }
    }
    let right = match (after.next().map(|d| &d.content), whole) {
        (Some(Ok(new)), Whole::Added(value)) => value.matches(new.root()),
        (None, Whole::Removed(_)) => true,
        _ => false,
    };
    if right && after.next().is_none() { Ok(()) } else { Err(refuse()) }
}

/// Whether a node is as planned, with all that is below it. A list and not recursion: the depth is the input's choice.
fn is_planned<'n>(draft: &Draft<'_>, old: Node<'n>, new: Node<'n>) -> bool {
    let mut pairs = vec![(old, new)];
    while let Some((old, new)) = pairs.pop() {
        let right = match draft.plans.get(&old.id()) {
            Some(Plan::Replace(value)) => value.matches(new),
            Some(Plan::Text(edits)) => {
                let text = old.text().and_then(|t| text::changed(t, edits).ok());
                text.is_some()
                    && new.text().map(str::to_string) == text
                    && (old.as_str().is_none() || new.as_str().is_some())
            }
            Some(Plan::Slots(slots)) => slots_hold(slots, old, new, &mut pairs),
            None => nothing_changed(old, new, &mut pairs),
        };
        if !right {
            return false;
        }
    }
    true
}

/// Whether a collection has these entries or items; what was kept is left to be compared.
fn slots_hold<'n>(slots: &[Slot], old: Node<'n>, new: Node<'n>, pairs: &mut Vec<(Node<'n>, Node<'n>)>) -> bool {
    if old.is_mapping() {
        let (before, after) = (old.written_entries(), new.written_entries());
        return new.is_mapping()
            && after.len() == slots.len()
            && slots.iter().zip(after).all(|(slot, entry)| match slot {
                Slot::New { key, value } => entry.key.as_str() == Some(key) && value.matches(entry.value),
                Slot::Kept { index, key } => before.get(*index).is_some_and(|old| {
                    pairs.push((old.value, entry.value));
                    match key {
                        Some(name) => entry.key.as_str() == Some(name),
                        None => {
                            pairs.push((old.key, entry.key));
                            true
                        }
                    }
                }),
            });
    }
    let (before, after) = (old.items(), new.items());
    new.is_sequence()
        && after.len() == slots.len()
        && slots.iter().zip(after).all(|(slot, item)| match slot {
            Slot::New { value, .. } => value.matches(item),
            Slot::Kept { index, .. } => before.get(*index).is_some_and(|old| {
                pairs.push((*old, item));
                true
            }),
        })
}

/// Whether a node itself is what it was; what is below it is left to be compared.
fn nothing_changed<'n>(old: Node<'n>, new: Node<'n>, pairs: &mut Vec<(Node<'n>, Node<'n>)>) -> bool {
    if old.shape() != new.shape() || old.tag() != new.tag() || old.is_anchored() != new.is_anchored() {
        return false;
    }
    let (before, after) = (old.written_entries(), new.written_entries());
    let (items, new_items) = (old.items(), new.items());
    let same = before.len() == after.len() && items.len() == new_items.len();
    for (old, new) in before.iter().zip(&after) {
        pairs.push((old.key, new.key));
        pairs.push((old.value, new.value));
    }
    pairs.extend(items.into_iter().zip(new_items));
    same && (old.shape() != Shape::Scalar || (old.text() == new.text() && kind(old) == kind(new)))
}

/// The type of a scalar.
fn kind(node: Node<'_>) -> Option<std::mem::Discriminant<Scalar<'_>>> {
    node.scalar().map(|s| std::mem::discriminant(&s))
}
