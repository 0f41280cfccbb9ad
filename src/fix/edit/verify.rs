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

fn is_planned(draft: &Draft<'_>, old: Node<'_>, new: Node<'_>) -> bool {
    match draft.plans.get(&old.id()) {
        Some(Plan::Replace(value)) => value.matches(new),
        Some(Plan::Text(edits)) => {
            let text = old.text().and_then(|t| text::changed(t, edits).ok());
            text.is_some()
                && new.text().map(str::to_string) == text
                && (old.as_str().is_none() || new.as_str().is_some())
        }
        Some(Plan::Slots(slots)) if old.is_mapping() => {
            let (before, after) = (old.written_entries(), new.written_entries());
            new.is_mapping()
                && after.len() == slots.len()
                && slots.iter().zip(after).all(|(slot, entry)| match slot {
                    Slot::New { key, value } => entry.key.as_str() == Some(key) && value.matches(entry.value),
                    Slot::Kept { index, key } => before.get(*index).is_some_and(|old| {
                        let same_key = match key {
                            Some(name) => entry.key.as_str() == Some(name),
                            None => is_planned(draft, old.key, entry.key),
                        };
                        same_key && is_planned(draft, old.value, entry.value)
                    }),
                })
        }
        Some(Plan::Slots(slots)) => {
            let (before, after) = (old.items(), new.items());
            new.is_sequence()
                && after.len() == slots.len()
                && slots.iter().zip(after).all(|(slot, item)| match slot {
                    Slot::New { value, .. } => value.matches(item),
                    Slot::Kept { index, .. } => before.get(*index).is_some_and(|old| is_planned(draft, *old, item)),
                })
        }
        None => match old.shape() {
            Shape::Scalar => {
                new.shape() == Shape::Scalar
                    && new.text() == old.text()
                    && kind(new) == kind(old)
                    && old.tag() == new.tag()
            }
            Shape::Mapping => {
                let (before, after) = (old.written_entries(), new.written_entries());
                new.is_mapping()
                    && before.len() == after.len()
                    && before.iter().zip(after).all(|(old, new)| {
                        is_planned(draft, old.key, new.key) && is_planned(draft, old.value, new.value)
                    })
            }
            Shape::Sequence => {
                let (before, after) = (old.items(), new.items());
                new.is_sequence()
                    && before.len() == after.len()
                    && before.into_iter().zip(after).all(|(old, new)| is_planned(draft, old, new))
            }
        },
    }
}

/// The type of a scalar.
fn kind(node: Node<'_>) -> Option<std::mem::Discriminant<Scalar<'_>>> {
    node.scalar().map(|s| std::mem::discriminant(&s))
}
