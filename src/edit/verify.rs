//! Reads an edited document again: it must hold what was meant, and nothing else may have changed.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::Edit;
use super::apply::apply_to;
use super::draft::{Plan, Plans, Slot};
use super::page::Page;
use super::refusal::Refusal;
use super::text;
use super::value::Value;
use crate::source::{FileId, SourceFile, Span};
use crate::yaml::{self, Node, NodeId, Scalar, Shape, Style, Tree};

/// Applies the edits to the document and compares the outcome with the plans. What is read again is the smallest part of the
/// document that holds all that changes and reads alone as it does there: a document may be a list of hundreds of objects, each
/// with findings.
pub(super) fn check(page: &Page<'_>, plans: &Plans, edits: &[Edit]) -> Result<(), Refusal> {
    let refuse = || {
        let span = edits.first().map(|e| e.span);
        Refusal { reason: "the text around it is written in a way that edits don't understand".into(), span }
    };
    if holds(page, plans, edits) { Ok(()) } else { Err(refuse()) }
}

/// Bytes of a document up to which builds with assertions ask the whole document as well. Beyond, that would take them the time that
/// parts are there to save.
const COMPARED: usize = 16 << 10;

/// Whether the document holds what is planned, and else what it held, once the edits are made.
pub(super) fn holds(page: &Page<'_>, plans: &Plans, edits: &[Edit]) -> bool {
    let whole = || {
        let read = read_edited(page, &page.range, edits);
        read.is_some_and(|tree| is_planned(plans, page.tree.root(), tree.root()))
    };
    let Some(part) = Part::around(page, plans, edits) else { return whole() };
    let verdict = part.holds(page, plans, edits);
    if !verdict && !part.holds(page, &Plans::new(), &[]) {
        // It has an alias to what stands outside, or a tag whose meaning does.
        return whole();
    }
    debug_assert!(
        page.range.len() > COMPARED || verdict == whole(),
        "a part says of a document what the document says: {edits:?}"
    );
    verdict
}

/// The only document in a stretch of the page's text with some edits.
fn read_edited(page: &Page<'_>, range: &Range<usize>, edits: &[Edit]) -> Option<Arc<Tree>> {
    let (start, end) = (range.start as u32, range.end as u32);
    let moved = edits.iter().map(|edit| {
        let fits = start <= edit.span.start && edit.span.end <= end;
        let span = fits.then(|| Span::new(edit.span.file, edit.span.start - start, edit.span.end - start))?;
        Some(Edit { span, replacement: edit.replacement.clone() })
    });
    let moved: Vec<Edit> = moved.collect::<Option<_>>()?;
    let new = apply_to(page.text.get(range.clone())?, &moved).ok()?;
    // What follows starts a line.
    if range.end < page.text.len() && !new.ends_with(['\n', '\r']) {
        return None;
    }
    let mut documents = yaml::parse(&Arc::new(SourceFile::new(FileId(0), "", new))).documents;
    let only = documents.pop().filter(|_| documents.is_empty())?;
    only.content.ok()
}

/// The lines of an entry or item of a collection by indentation. What stands before them ends before they start, and what
/// follows starts at their column or before it, so that they mean the same without it.
struct Part<'t> {
    range: Range<usize>,
    /// Of the key or dash.
    column: usize,
    /// None for an item.
    key: Option<Node<'t>>,
    value: Node<'t>,
}

impl<'t> Part<'t> {
    /// The smallest part that holds every planned change and every edit.
    fn around(page: &Page<'t>, plans: &Plans, edits: &[Edit]) -> Option<Part<'t>> {
        let tree = page.tree;
        let upwards = |id: NodeId| std::iter::successors(Some(id), |&id| tree.place(id).map(|(parent, _)| parent));
        let mut ids = plans.keys().copied();
        let mut common: Vec<NodeId> = upwards(ids.next()?).collect();
        for id in ids {
            let others: BTreeSet<NodeId> = upwards(id).collect();
            common.retain(|id| others.contains(id));
        }
        let first = edits.iter().map(|e| e.span.start as usize).min()?;
        let last = edits.iter().map(|e| e.span.end as usize).max()?;
        let parts = common.into_iter().filter_map(|id| Part::of(page, id));
        parts.into_iter().find(|part| part.range.start <= first && last <= part.range.end)
    }

    /// The lines of the entry with this value, or of this item; `None` where something else stands on them.
    fn of(page: &Page<'t>, id: NodeId) -> Option<Part<'t>> {
        let (parent, index) = page.tree.place(id)?;
        let parent = page.tree.node(parent);
        let head = head(page, parent, index)?;
        let range = page.line_start(head)..end(page, parent, index)?;
        let key = parent.written_entry_ids().get(index).map(|&(key, _)| page.tree.node(key));
        Some(Part { range, column: page.column(head), key, value: page.tree.node(id) })
    }

    /// Whether it holds what is planned, read alone.
    fn holds(&self, page: &Page<'_>, plans: &Plans, edits: &[Edit]) -> bool {
        let Some(tree) = read_edited(page, &self.range, edits) else { return false };
        let root = tree.root();
        let column = |at: Span| {
            let before = tree.source().text().get(..at.start as usize).unwrap_or_default();
            before.len() - before.rfind(['\n', '\r']).map_or(0, |i| i + 1)
        };
        if root.style() != Style::Block || root.is_anchored() || root.tag().is_some() {
            return false;
        }
        match (self.key, root.written_entries().as_slice(), root.items().as_slice()) {
            (Some(key), [entry], []) => {
                column(entry.key.written_span()) == self.column
                    && is_planned(plans, key, entry.key)
                    && is_planned(plans, self.value, entry.value)
            }
            (None, [], [item]) => {
                !root.is_indentless() && column(root.span()) == self.column && is_planned(plans, self.value, *item)
            }
            _ => false,
        }
    }
}

/// Where the key or dash of an entry or item stands, if that starts its line.
fn head(page: &Page<'_>, parent: Node<'_>, index: usize) -> Option<usize> {
    let head = match parent.written_entry_ids().get(index) {
        _ if parent.style() != Style::Block => return None,
        Some(&(key, _)) => page.tree.node(key).written_span().start as usize,
        None => page.dash(parent, index).ok()?,
    };
    page.starts_line(head).then_some(head)
}

/// The start of the line of what follows behind an entry or item, which may be another's; else the end of the document.
fn end(page: &Page<'_>, parent: Node<'_>, index: usize) -> Option<usize> {
    let (mut parent, mut index) = (parent, index);
    loop {
        if index + 1 < parent.written_entry_ids().len().max(parent.item_ids().len()) {
            return head(page, parent, index + 1).map(|head| page.line_start(head));
        }
        let Some((up, at)) = page.tree.place(parent.id()) else { return Some(page.range.end) };
        (parent, index) = (page.tree.node(up), at);
    }
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
            (Ok(old), Some(Ok(new))) => is_planned(&Plans::new(), old.root(), new.root()),
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
fn is_planned<'n>(plans: &Plans, old: Node<'n>, new: Node<'n>) -> bool {
    let mut pairs = vec![(old, new)];
    while let Some((old, new)) = pairs.pop() {
        let right = match plans.get(&old.id()) {
            Some(Plan::Replace(value)) => value.matches(new),
            Some(Plan::Text(edits)) => {
                let text = old.text().and_then(|t| text::changed(t, edits).ok());
                text.is_some()
                    && new.text().map(str::to_string) == text
                    && (old.as_str().is_none() || new.as_str().is_some())
            }
            Some(Plan::Slots(slots)) => slots_hold(slots, old, new, &mut pairs),
            Some(Plan::Nothing) => new.is_null(),
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
