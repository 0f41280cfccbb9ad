//! From the plan of a document to edits of its text.

use super::Edit;
use super::draft::{Draft, Plan, Slot};
use super::page::Page;
use super::print::{Printer, Setting};
use super::refusal::Refusal;
use super::value::Value;
use super::{text, verify};
use crate::source::Span;
use crate::yaml::{Node, NodeId, Shape, Style};

/// What a node is the value of, as far as its surroundings are to be edited.
#[derive(Clone, Copy, Debug)]
pub(super) enum Context {
    Root,
    /// Under a key of a block mapping: the offset after its colon, the key's column.
    Entry {
        colon: usize,
        column: usize,
    },
    /// An item of a block list: the offset after its dash, the dash's column.
    Item {
        dash: usize,
        column: usize,
    },
    /// Under a key of a mapping in brackets: the key's end, the offset after its colon.
    FlowEntry {
        key: usize,
        colon: Option<usize>,
    },
    FlowItem,
}

impl Context {
    pub(super) fn is_flow(self) -> bool {
        matches!(self, Context::FlowEntry { .. } | Context::FlowItem)
    }

    /// Where the value would stand if it were empty.
    pub(super) fn floor(self) -> usize {
        match self {
            Context::Root | Context::FlowItem => 0,
            Context::Entry { colon, .. } => colon,
            Context::Item { dash, .. } => dash,
            Context::FlowEntry { key, colon } => colon.unwrap_or(key),
        }
    }
}

pub(super) struct Emitter<'p, 't> {
    pub page: &'p Page<'t>,
    pub draft: &'p Draft<'t>,
    pub edits: Vec<Edit>,
    json: bool,
}

/// The edits of one document.
pub(super) fn edits(draft: &Draft<'_>, json: bool) -> Result<Vec<Edit>, Refusal> {
    let page = Page::new(draft.tree)?;
    let mut emitter = Emitter { page: &page, draft, edits: Vec::new(), json };
    // What is inside comes first: where both insert at one place, the inner one's lines stand above the outer one's.
    let mut planned: Vec<(usize, NodeId)> = draft.plans.keys().map(|&id| (draft.upwards(id).count(), id)).collect();
    planned.sort_by_key(|&(depth, id)| (std::cmp::Reverse(depth), id));
    for (_, id) in planned {
        emitter.emit(draft.tree.node(id))?;
    }
    let mut edits = emitter.edits;
    edits.retain(|e| !e.span.is_empty() || !e.replacement.is_empty());
    edits.sort_by_key(|e| (e.span.start, e.span.end));
    let edits = joined(edits, page.text);
    verify::check(&page, &draft.plans, &edits)?;
    Ok(edits)
}

/// The edits with removals that meet made one. What goes away at the end of a file without a last line break takes the break before it
/// along, and that may belong to what goes away above.
fn joined(edits: Vec<Edit>, text: &str) -> Vec<Edit> {
    let mut all: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match all.last_mut() {
            Some(last)
                if last.replacement.is_empty()
                    && edit.replacement.is_empty()
                    && edit.span.start < last.span.end
                    && !edit.span.is_empty() =>
            {
                last.span.end = last.span.end.max(edit.span.end);
                let reaches_end = last.span.end as usize == text.len();
                let head = text.get(..last.span.start as usize).unwrap_or_default();
                if reaches_end && !text.ends_with(['\n', '\r']) {
                    let kept = head.strip_suffix('\n').map(|h| h.strip_suffix('\r').unwrap_or(h));
                    last.span.start = kept.or(head.strip_suffix('\r')).unwrap_or(head).len() as u32;
                }
            }
            _ => all.push(edit),
        }
    }
    all
}

impl<'t> Emitter<'_, 't> {
    pub(super) fn edit(&mut self, start: usize, end: usize, replacement: impl Into<String>) {
        let span = Span::new(self.page.tree.source().id(), start as u32, end as u32);
        self.edits.push(Edit { span, replacement: replacement.into() });
    }

    /// Emits what is planned for a node itself.
    fn emit(&mut self, node: Node<'t>) -> Result<(), Refusal> {
        let draft = self.draft;
        let mut json = self.json;
        for id in draft.upwards(node.id()) {
            let Some((parent, index)) = draft.place(draft.tree.node(id)) else { continue };
            let stays = match draft.plans.get(&parent) {
                None => true,
                Some(Plan::Slots(slots)) => {
                    slots.iter().any(|s| matches!(s, Slot::Kept { index: i, .. } if *i == index))
                }
                Some(_) => false,
            };
            if !stays {
                return Err(Refusal::at(node.grip(), "one change takes away what another one changes"));
            }
            let parent = draft.tree.node(parent);
            json |= parent.style() == Style::Flow && is_json(parent);
        }
        let context = self.context(node)?;
        match draft.plans.get(&node.id()) {
            Some(Plan::Replace(value)) => self.replace(node, context, value, json),
            Some(Plan::Text(edits)) => text::emit(self, node, context, edits, json),
            Some(Plan::Slots(slots)) if node.style() == Style::Flow => self.flow(node, context, slots, json),
            Some(Plan::Slots(slots)) => self.block(node, context, slots),
            Some(Plan::Nothing) => self.nothing(node, context),
            None => Ok(()),
        }
    }

    fn context(&self, node: Node<'t>) -> Result<Context, Refusal> {
        let page = self.page;
        let Some((parent, index)) = self.draft.place(node) else { return Ok(Context::Root) };
        let parent = self.draft.tree.node(parent);
        let flow = parent.style() == Style::Flow;
        Ok(match parent.written_entries().get(index) {
            Some(entry) if flow => {
                let key = entry.key.written_span().end as usize;
                Context::FlowEntry { key, colon: page.colon_end(entry.key).ok() }
            }
            Some(entry) => {
                let column = page.column(entry.key.written_span().start as usize);
                Context::Entry { colon: page.colon_end(entry.key)?, column }
            }
            None if flow => Context::FlowItem,
            None => {
                let dash = page.dash(parent, index)?;
                Context::Item { dash: dash + 1, column: page.column(dash) }
            }
        })
    }

    /// Puts a value in the place of a node.
    pub(super) fn replace(
        &mut self,
        node: Node<'t>,
        context: Context,
        value: &Value,
        json: bool,
    ) -> Result<(), Refusal> {
        let (start, end) = (node.span().start as usize, node.span().end as usize);
        let quotes = matches!(node.style(), Style::SingleQuoted | Style::DoubleQuoted).then(|| node.style());
        let at = Setting { flow: context.is_flow(), json, quotes };
        if is_missing(node) && node.is_anchored() {
            return Err(Refusal::at(node.span(), "the empty value has an anchor"));
        }
        if context.is_flow() {
            return self.replace_in_brackets(node, context, value, at);
        }
        // What is in brackets and not empty stays in brackets.
        let bracketed = node.style() == Style::Flow && !node.is_empty();
        if bracketed && !value.is_inline() {
            let json = json || is_json(node);
            self.edit(start, end, self.printer_in(node).flow(value, None, Setting { json, ..at }));
            return Ok(());
        }
        let new = self.printed(node, context, value, at)?;
        let inline = !new.contains(['\n', '\r']);
        let below = node.style() == Style::Block;
        if matches!(context, Context::Root) {
            if below && !inline || json {
                return Err(Refusal::at(node.grip(), "the whole document would be replaced"));
            }
            let end = self.page.end_of(node, start)?;
            self.edit(start, end, new);
            return Ok(());
        }
        if inline && !is_missing(node) && !below && !is_block_text(node) {
            self.edit(start, end, new.trim_start_matches(' '));
            return Ok(());
        }
        self.replace_lines(node, context, &new)
    }

    fn replace_in_brackets(
        &mut self,
        node: Node<'t>,
        context: Context,
        value: &Value,
        at: Setting,
    ) -> Result<(), Refusal> {
        let text = self.printer_in(node).flow(value, None, at);
        match context {
            _ if !is_missing(node) => self.edit(node.span().start as usize, node.span().end as usize, text),
            Context::FlowEntry { colon: Some(colon), .. } => {
                // Blanks that stood for the value go.
                let rest = &self.page.text[colon..self.page.line_end(colon)];
                let blanks = rest.len() - rest.trim_start_matches(' ').len();
                let closed = rest[blanks..].starts_with([',', '}']);
                self.edit(colon, if closed { colon + blanks } else { colon }, format!(" {text}"));
            }
            Context::FlowEntry { key, colon: None } => self.edit(key, key, format!(": {text}")),
            _ => return Err(Refusal::at(node.span(), "the item is written in a way that edits don't understand")),
        }
        Ok(())
    }

    /// The new value as it stands behind the key or the dash of the old one.
    fn printed(&self, node: Node<'t>, context: Context, value: &Value, at: Setting) -> Result<String, Refusal> {
        let stays_block = is_block_text(node) && matches!(value, Value::String(_));
        let block = stays_block.then(|| node.indent()).filter(|i| *i > 0);
        let printer = Printer { block, ..self.printer_in(node) };
        match context {
            Context::Root => Ok(printer.after_dash(value, 0, at)),
            Context::Entry { column, .. } => Ok(printer.after_key(value, column, at)),
            Context::Item { dash, column } => {
                let start = node.span().start as usize;
                let is_inside = !is_missing(node) && !is_block_text(node) && start >= dash;
                let on_line = is_inside && self.page.line_start(start) == self.page.line_start(dash);
                let gap = if on_line { start - dash } else { printer.gap };
                let printer = Printer { gap, ..printer };
                Ok(format!("{}{}", " ".repeat(gap), printer.after_dash(value, column, at)))
            }
            Context::FlowEntry { .. } | Context::FlowItem => Err(Refusal::new("a bracket was expected here")),
        }
    }

    /// Puts lines in the place of a value that has lines of its own, or gets some.
    fn replace_lines(&mut self, node: Node<'t>, context: Context, new: &str) -> Result<(), Refusal> {
        if node.is_anchored() {
            return Err(Refusal::at(node.grip(), "the value has an anchor"));
        }
        let floor = context.floor();
        let end = self.page.end_of(node, floor)?.max(floor);
        let kept = self.page.text[floor..end].trim_end_matches(['\n', '\r']).len();
        let end = floor + kept;
        let split = new.find(['\n', '\r']).unwrap_or(new.len());
        let (head, rest) = new.split_at(split);
        let start = node.span().start as usize;
        if node.style() == Style::Block && self.page.line_start(start) != self.page.line_start(floor) {
            self.edit(floor, floor, head);
            self.edit(self.page.line_end(floor), end, rest);
            return Ok(());
        }
        if !self.page.line_is_done(end) {
            return Err(Refusal::at(node.grip(), "something else follows on the same line"));
        }
        let line_end = self.page.line_end(end);
        if self.page.text[end..line_end].contains('#') {
            self.edit(floor, end, head);
            self.edit(line_end, line_end, rest);
        } else {
            self.edit(floor, line_end, new);
        }
        Ok(())
    }
}

/// Whether nothing is written where the value would stand: `key:`.
fn is_missing(node: Node<'_>) -> bool {
    node.span().is_empty() && node.shape() == Shape::Scalar
}

/// Whether it is a text behind `|` or `>`.
fn is_block_text(node: Node<'_>) -> bool {
    matches!(node.style(), Style::Literal | Style::Folded)
}

/// Whether a collection in brackets is written as JSON: all keys, or else all items that are text, in double quotes.
pub(super) fn is_json(node: Node<'_>) -> bool {
    let entries = node.written_entries();
    if node.is_mapping() {
        return !entries.is_empty() && entries.iter().all(|e| e.key.style() == Style::DoubleQuoted);
    }
    let items = node.items();
    node.is_sequence() && items.iter().any(|i| i.is_mapping()) && items.iter().all(|i| !i.is_mapping() || is_json(*i))
}
