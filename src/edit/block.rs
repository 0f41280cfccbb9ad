//! Mappings and lists by indentation: their entries as lines.

use super::draft::Slot;
use super::emit::{Context, Emitter};
use super::print::{Printer, Setting};
use super::refusal::Refusal;
use super::value::Value;
use crate::source::Span;
use crate::yaml::{Node, Shape, Style};

/// An entry or item.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// The first byte of its key or its dash.
    head: usize,
    /// The end of its value.
    end: usize,
}

impl<'t> Emitter<'_, 't> {
    fn rows(&self, node: Node<'t>) -> Result<Vec<Row>, Refusal> {
        if node.is_mapping() {
            let row = |entry: crate::yaml::Entry<'t>| {
                let floor = self.page.colon_end(entry.key)?;
                Ok(Row { head: entry.key.written_span().start as usize, end: self.page.end_of(entry.value, floor)? })
            };
            return node.written_entries().into_iter().map(row).collect();
        }
        let items = node.items().into_iter().enumerate();
        items
            .map(|(index, item)| {
                let head = self.page.dash(node, index)?;
                Ok(Row { head, end: self.page.end_of(item, head + 1)?.max(head + 1) })
            })
            .collect()
    }

    /// Takes away all of a collection that stands under a key.
    pub(super) fn nothing(&mut self, node: Node<'t>, context: Context) -> Result<(), Refusal> {
        let rows = self.rows(node)?;
        self.collapse(node, context, &rows, "")
    }

    /// Emits a collection of lines with these slots.
    pub(super) fn block(&mut self, node: Node<'t>, context: Context, slots: &[Slot]) -> Result<(), Refusal> {
        let rows = self.rows(node)?;
        let Some(first) = rows.first().copied() else {
            return Err(Refusal::at(node.grip(), "the value is written in a way that edits don't understand"));
        };
        let kept: Vec<usize> =
            slots.iter().filter_map(|s| if let Slot::Kept { index, .. } = s { Some(*index) } else { None }).collect();
        self.rename_keys(node, slots, Setting::default())?;
        let column = self.page.column(first.head);
        if kept.is_empty() && slots.is_empty() {
            let brackets = if node.is_mapping() { "{}" } else { "[]" };
            return self.collapse(node, context, &rows, brackets);
        }
        if kept.is_empty() {
            let lines: Vec<String> = slots.iter().filter_map(|s| self.line(node, column, s)).collect();
            let end = rows.last().map_or(first.end, |row| row.end);
            let kept = self.page.text[first.head..end].trim_end_matches(['\n', '\r']).len();
            let text = lines.join(&format!("{}{}", self.page.printer.eol, " ".repeat(column)));
            self.edit(first.head, first.head + kept, text);
            return Ok(());
        }
        let mut previous = None;
        let mut new = Vec::new();
        for slot in slots {
            match slot {
                Slot::Kept { index, .. } => {
                    self.gap(node, &rows, previous, Some(*index), &new, column)?;
                    new.clear();
                    previous = Some(*index);
                }
                Slot::New { .. } => new.extend(self.line(node, column, slot)),
            }
        }
        self.gap(node, &rows, previous, None, &new, column)
    }

    /// Changes of keys, in mappings of either style.
    pub(super) fn rename_keys(&mut self, node: Node<'t>, slots: &[Slot], at: Setting) -> Result<(), Refusal> {
        let entries = node.written_entries();
        for slot in slots {
            let Slot::Kept { index, key: Some(name) } = slot else { continue };
            let Some(entry) = entries.get(*index) else { continue };
            let style = entry.key.style();
            if matches!(style, Style::Literal | Style::Folded) || entry.key.tag().is_some() {
                return Err(Refusal::at(entry.key.span(), "the key is written in a way that edits don't understand"));
            }
            let quotes = matches!(style, Style::SingleQuoted | Style::DoubleQuoted).then_some(style);
            let span = entry.key.written_span();
            let text = self.page.printer.text(name, Setting { quotes, ..at });
            self.edit(span.start as usize, span.end as usize, text);
        }
        Ok(())
    }

    /// What a new slot looks like, without its first indentation.
    fn line(&self, node: Node<'t>, column: usize, slot: &Slot) -> Option<String> {
        let Slot::New { key, value } = slot else { return None };
        let printer = self.printer_in(node);
        let quotes = quotes_of(node);
        let at = Setting { flow: false, json: false, quotes };
        let flow = if value.is_inline() { None } else { siblings_in_brackets(node, value) };
        Some(match (node.is_mapping(), flow) {
            (true, None) => printer.entry(key, value, column, at),
            (true, Some(json)) => {
                let text = printer.flow(value, None, Setting { json, quotes: None, ..at });
                format!("{}: {text}", printer.key(key, Setting::default()))
            }
            (false, None) => printer.item(value, column, at),
            (false, Some(json)) => {
                let text = printer.flow(value, None, Setting { json, quotes: None, ..at });
                format!("-{}{text}", " ".repeat(printer.gap))
            }
        })
    }

    /// The layout of a collection's own entries where it shows one, else the document's.
    pub(super) fn printer_in(&self, node: Node<'t>) -> Printer {
        let page = self.page;
        let mut printer = page.printer.clone();
        if node.style() == Style::Flow {
            self.flow_layout(node, &mut printer);
        } else if node.is_mapping() {
            for entry in node.written_entries().into_iter().rev() {
                if entry.value.is_alias() || entry.value.style() != Style::Block {
                    continue;
                }
                let key = page.column(entry.key.written_span().start as usize);
                let value = page.column(entry.value.written_span().start as usize).saturating_sub(key);
                match entry.value.shape() {
                    Shape::Mapping if value > 0 => printer.unit = value,
                    Shape::Sequence => printer.dash = if entry.value.is_indentless() { 0 } else { value },
                    _ => {}
                }
            }
        } else if node.is_sequence() {
            let gap = node.items().into_iter().enumerate().find_map(|(index, item)| {
                let dash = self.page.dash(node, index).ok()?;
                let start = item.written_span().start as usize;
                let between = page.text.get(dash + 1..start)?;
                (!between.is_empty() && between.bytes().all(|b| b == b' ')).then_some(between.len())
            });
            printer.gap = gap.unwrap_or(printer.gap);
        }
        printer
    }

    /// What happens between two entries that stay: those that stood between them go, new ones come.
    fn gap(
        &mut self,
        node: Node<'t>,
        rows: &[Row],
        previous: Option<usize>,
        next: Option<usize>,
        new: &[String],
        column: usize,
    ) -> Result<(), Refusal> {
        let page = self.page;
        let eol = page.printer.eol;
        let indent = " ".repeat(column);
        let floor = match previous.and_then(|p| Some((p, rows.get(p)?))) {
            // The line break belongs to the text of a block.
            Some((index, row)) if self.ends_in_block(node, index)? => page.after(row.end)?,
            Some((_, row)) => row.end,
            None => page.range.start,
        };
        let removed = rows.get(previous.map_or(0, |p| p + 1)..next.unwrap_or(rows.len())).unwrap_or(&[]);
        let open_end = removed.last().filter(|row| page.is_open_end(page.after(row.end).unwrap_or(0)));
        if let (Some(last), false) = (open_end, new.is_empty()) {
            let others = &removed[..removed.len() - 1];
            self.remove_rows(others, floor)?;
            self.own_line(last.head)?;
            self.edit(last.head, page.text.len(), new.join(&format!("{eol}{indent}")));
            return Ok(());
        }
        self.remove_rows(removed, floor)?;
        if new.is_empty() {
            return Ok(());
        }
        let lines: String = new.iter().map(|line| format!("{indent}{line}{eol}")).collect();
        // What comes in the place of others stands where they did, behind their comments.
        if let Some(old) = removed.first().filter(|row| page.starts_line(row.head)) {
            let at = page.line_start(old.head);
            self.edit(at, at, lines);
            return Ok(());
        }
        match (previous.and_then(|p| rows.get(p)), next.and_then(|n| rows.get(n))) {
            (Some(row), _) => {
                let at = page.over_comments(page.after(row.end)?, column);
                if page.is_open_end(at) {
                    if at == row.end {
                        self.seal(node, previous.unwrap_or(0))?;
                    }
                    let lines: String = new.iter().map(|line| format!("{eol}{indent}{line}")).collect();
                    self.edit(at, at, lines);
                } else {
                    self.edit(at, at, lines);
                }
            }
            (None, Some(row)) if page.starts_line(row.head) => {
                let line = page.line_start(row.head);
                let root = std::ptr::eq(node.tree(), page.tree) && node == page.tree.root();
                // A comment at the top of a document is about the document.
                let at = if root || !removed.is_empty() { line } else { page.back_over_comments(line, column) };
                self.edit(at, at, lines);
            }
            (None, Some(row)) => {
                let lines: String = new.iter().map(|line| format!("{line}{eol}{indent}")).collect();
                self.edit(row.head, row.head, lines);
            }
            (None, None) => {}
        }
        Ok(())
    }

    fn own_line(&self, head: usize) -> Result<(), Refusal> {
        if self.page.starts_line(head) {
            return Ok(());
        }
        let span = Span::new(self.page.tree.source().id(), head as u32, head as u32);
        Err(Refusal::at(span, "something else stands before it on its line"))
    }

    /// Takes away the lines of entries that stand together; what ends at `floor` stays.
    fn remove_rows(&mut self, rows: &[Row], floor: usize) -> Result<(), Refusal> {
        let page = self.page;
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let compact = !page.starts_line(row.head);
            if compact && index > 0 {
                self.own_line(row.head)?;
            }
            let start = if compact { row.head } else { page.line_start(row.head) };
            let end = page.after(row.end)?;
            match ranges.last_mut() {
                Some(last) if last.1 == start => last.1 = end,
                _ => ranges.push((start, end)),
            }
        }
        for (start, end) in ranges {
            let (mut start, mut end) = (start, end);
            if page.starts_line(start) {
                if page.is_open_end(end) {
                    // The line before ends the file now, as this one did.
                    let before = page.text[..start].trim_end_matches(['\n', '\r']).len();
                    start = start.min(before.max(floor));
                }
            } else {
                // What follows on the next lines moves up to the dash.
                let before = &page.text[page.line_start(start)..start];
                if !before.trim_end_matches(' ').ends_with('-') {
                    self.own_line(start)?;
                }
                let rest = &page.text[end..page.range.end];
                end += rest.len() - rest.trim_start_matches([' ', '\n', '\r']).len();
            }
            self.edit(start, end, "");
        }
        Ok(())
    }

    /// Writes `{}` or `[]` where nothing is left.
    fn collapse(&mut self, node: Node<'t>, context: Context, rows: &[Row], empty: &str) -> Result<(), Refusal> {
        let page = self.page;
        if node.is_anchored() || node.tag().is_some() {
            return Err(Refusal::at(node.grip(), "the value has an anchor or a tag"));
        }
        let Some((first, others)) = rows.split_first() else { return Ok(()) };
        match context {
            Context::Entry { colon, .. } | Context::Item { dash: colon, .. } if page.starts_line(first.head) => {
                let gap = if empty.is_empty() { "" } else { " " };
                self.edit(colon, colon, format!("{gap}{empty}"));
                self.remove_rows(rows, colon)
            }
            _ => {
                let kept = page.text[first.head..first.end].trim_end_matches(['\n', '\r']).len();
                self.edit(first.head, first.head + kept, empty);
                self.remove_rows(others, first.end)
            }
        }
    }

    /// The last value inside an entry or item, and where it would stand if it were empty.
    fn last_leaf(&self, node: Node<'t>, index: usize) -> Result<Option<(Node<'t>, usize)>, Refusal> {
        let page = self.page;
        match (node.written_entries().get(index), node.items().get(index)) {
            (Some(entry), _) => page.last_leaf(entry.value, page.colon_end(entry.key)?).map(Some),
            (None, Some(item)) => page.last_leaf(*item, page.dash(node, index)? + 1).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Whether an entry ends with a block of text that ends with a line break.
    fn ends_in_block(&self, node: Node<'t>, index: usize) -> Result<bool, Refusal> {
        let block = |value: Node<'t>| {
            !value.is_alias()
                && matches!(value.style(), Style::Literal | Style::Folded)
                && value.text().is_some_and(|t| t.ends_with('\n'))
        };
        Ok(self.last_leaf(node, index)?.is_some_and(|(value, _)| block(value)))
    }

    /// Text in a block that ends with the file, without a line break, gets none from one that follows now.
    fn seal(&mut self, node: Node<'t>, index: usize) -> Result<(), Refusal> {
        let page = self.page;
        let Some((value, floor)) = self.last_leaf(node, index)? else { return Ok(()) };
        let block = matches!(value.style(), Style::Literal | Style::Folded);
        if value.is_alias() || !block || value.text().is_some_and(|t| t.ends_with('\n')) {
            return Ok(());
        }
        let header = page.block_header(value, floor)?;
        match page.text[header.clone()].find('+') {
            Some(plus) => self.edit(header.start + plus, header.start + plus + 1, "-"),
            None if page.text[header.clone()].contains('-') => {}
            None => self.edit(header.end, header.end, "-"),
        }
        Ok(())
    }
}

/// The quotes that all text beside a new one has.
pub(super) fn quotes_of(node: Node<'_>) -> Option<Style> {
    let values: Vec<Node<'_>> =
        if node.is_mapping() { node.written_entries().into_iter().map(|e| e.value).collect() } else { node.items() };
    let texts: Vec<Style> =
        values.into_iter().filter(|v| !v.is_alias() && v.as_str().is_some()).map(|v| v.style()).collect();
    let few = if node.is_mapping() { 2 } else { 1 };
    let first = *texts.first()?;
    let same = texts.len() >= few && texts.iter().all(|s| *s == first);
    (same && matches!(first, Style::SingleQuoted | Style::DoubleQuoted)).then_some(first)
}

/// Whether collections beside a new one are all in brackets, and then whether as JSON.
fn siblings_in_brackets(node: Node<'_>, value: &Value) -> Option<bool> {
    let shape = if matches!(value, Value::Map(_)) { Shape::Mapping } else { Shape::Sequence };
    let values: Vec<Node<'_>> =
        if node.is_mapping() { node.written_entries().into_iter().map(|e| e.value).collect() } else { node.items() };
    // A list of words on one line says nothing about a list of mappings.
    let nested = |v: &Node<'_>| v.items().iter().any(|item| item.shape() != Shape::Scalar);
    let holds = matches!(value, Value::List(items) if items.iter().any(|item| !item.is_inline()));
    let same = |v: &Node<'_>| shape == Shape::Mapping || nested(v) == holds;
    let alike: Vec<_> =
        values.into_iter().filter(|v| !v.is_alias() && v.shape() == shape && !v.is_empty() && same(v)).collect();
    let all = !alike.is_empty() && alike.iter().all(|v| v.style() == Style::Flow);
    all.then(|| alike.iter().any(|v| super::emit::is_json(*v)))
}
