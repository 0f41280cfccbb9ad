//! Mappings and lists in brackets, on one line or on several.

use super::block::quotes_of;
use super::draft::Slot;
use super::emit::{Context, Emitter, is_json};
use super::print::{Printer, Setting};
use super::refusal::Refusal;
use super::value::Value;
use crate::source::Span;
use crate::yaml::{Node, Shape, Style};

/// An entry or item in brackets.
#[derive(Clone, Copy, Debug)]
struct Cell {
    start: usize,
    end: usize,
    /// The offset of the comma behind it.
    comma: Option<usize>,
    /// Whether it has lines of its own.
    own: bool,
}

impl<'t> Emitter<'_, 't> {
    /// Goes over blanks, line breaks and comments.
    fn over_blanks(&self, mut at: usize, end: usize) -> usize {
        loop {
            let rest = &self.page.text[at..end];
            at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            if !self.page.text[at..end].starts_with('#') {
                return at;
            }
            at = self.page.line_end(at).min(end);
        }
    }

    fn cells(&self, node: Node<'t>) -> Result<Vec<Cell>, Refusal> {
        let page = self.page;
        let span = node.span();
        let (open, close) = (span.start as usize, (span.end as usize).saturating_sub(1));
        let bracket = if node.is_mapping() { (b'{', b'}') } else { (b'[', b']') };
        let bytes = page.text.as_bytes();
        if bytes.get(open) != Some(&bracket.0) || bytes.get(close) != Some(&bracket.1) || open >= close {
            return Err(Refusal::at(span, "the brackets are written in a way that edits don't understand"));
        }
        let ranges: Vec<(usize, usize)> = if node.is_mapping() {
            let range = |e: crate::yaml::Entry<'t>| {
                let key = e.key.written_span();
                let value = e.value.written_span();
                let end = if value.is_empty() {
                    page.colon_end(e.key).unwrap_or(key.end as usize)
                } else {
                    value.end as usize
                };
                (key.start as usize, end)
            };
            node.written_entries().into_iter().map(range).collect()
        } else {
            node.items().into_iter().map(|i| (i.written_span().start as usize, i.written_span().end as usize)).collect()
        };
        let mut cells: Vec<Cell> = Vec::new();
        let mut before = open + 1;
        for (start, end) in ranges {
            let unclear = start < before || end > close || self.over_blanks(before, start) != start;
            if unclear {
                let at = Span::new(span.file, start as u32, start as u32);
                return Err(Refusal::at(at, "the brackets hold something that edits don't understand"));
            }
            let next = self.over_blanks(end, close);
            let comma = (bytes.get(next) == Some(&b',') && next < close).then_some(next);
            before = comma.map_or(next, |c| c + 1);
            let behind = comma.map_or(end, |c| c + 1);
            // Behind a comma a comment needs no blank.
            let own = page.starts_line(start) && (page.line_is_done(behind) || page.text[behind..].starts_with('#'));
            cells.push(Cell { start, end, comma, own });
        }
        let complete = self.over_blanks(before, close) == close;
        let separated = cells.len() < 2 || cells[..cells.len() - 1].iter().all(|c| c.comma.is_some());
        if !complete || !separated {
            return Err(Refusal::at(span, "the brackets hold something that edits don't understand"));
        }
        Ok(cells)
    }

    /// Emits a collection in brackets with these slots.
    pub(super) fn flow(&mut self, node: Node<'t>, context: Context, slots: &[Slot], json: bool) -> Result<(), Refusal> {
        let page = self.page;
        let json = json || is_json(node);
        let first_kept = slots.iter().any(|s| matches!(s, Slot::Kept { .. }));
        if node.is_empty() && !context.is_flow() && !json && !matches!(context, Context::Root) {
            return self.replace(node, context, &value_of(node, slots), json);
        }
        let cells = self.cells(node)?;
        self.rename_keys(node, slots, Setting { flow: true, json, quotes: None })?;
        let (open, close) = (node.span().start as usize, node.span().end as usize - 1);
        let new: Vec<String> = slots.iter().filter_map(|s| self.cell(node, s, json)).collect();
        let Some((first, last)) = cells.first().zip(cells.last()) else {
            if page.text[open..close].contains('#') {
                return Err(Refusal::at(node.span(), "a comment stands between the brackets"));
            }
            let text = self.printer_in(node).flow(
                &value_of(node, slots),
                self.spread(node),
                Setting { flow: true, json, quotes: None },
            );
            self.edit(open, close + 1, text);
            return Ok(());
        };
        if !first_kept {
            let commented = self.has_comment(open + 1, &cells) || page.text[last.end..close].contains('#');
            if new.is_empty() && !commented {
                self.edit(open + 1, close, "");
            } else if new.is_empty() {
                let all: Vec<Cell> = cells.clone();
                for cell in all {
                    self.edit(cell.start, cell.comma.map_or(cell.end, |c| c + 1), "");
                }
            } else {
                let between = if first.own { self.separator(first) } else { page.printer.comma.to_string() };
                self.edit(first.start, last.end, new.join(&between));
            }
            return Ok(());
        }
        let mut previous: Option<usize> = None;
        let mut waiting: Vec<String> = Vec::new();
        let ends = std::iter::once(None);
        for slot in slots.iter().map(Some).chain(ends) {
            match slot {
                Some(new @ Slot::New { .. }) => waiting.extend(self.cell(node, new, json)),
                Some(Slot::Kept { index, .. }) => {
                    self.flow_gap(node, &cells, previous, Some(*index), &waiting)?;
                    waiting.clear();
                    previous = Some(*index);
                }
                None => self.flow_gap(node, &cells, previous, None, &waiting)?,
            }
        }
        Ok(())
    }

    fn separator(&self, cell: &Cell) -> String {
        format!(",{}{}", self.page.printer.eol, " ".repeat(self.page.column(cell.start)))
    }

    fn flow_gap(
        &mut self,
        node: Node<'t>,
        cells: &[Cell],
        previous: Option<usize>,
        next: Option<usize>,
        new: &[String],
    ) -> Result<(), Refusal> {
        let page = self.page;
        let removed = cells.get(previous.map_or(0, |p| p + 1)..next.unwrap_or(cells.len())).unwrap_or(&[]);
        let before = previous.and_then(|p| cells.get(p));
        let after = next.and_then(|n| cells.get(n));
        let trailing = cells.last().is_some_and(|c| c.comma.is_some());
        if let Some((first, last)) = removed.first().zip(removed.last()) {
            if !new.is_empty() {
                // New ones take the place.
                let between = if first.own { self.separator(first) } else { self.printer_in(node).comma.to_string() };
                self.edit(first.start, last.end, new.join(&between));
                return Ok(());
            }
            let lines = removed.iter().all(|c| c.own);
            match (before, after) {
                (Some(before), None) if lines && page.starts_line(first.start) => {
                    // The comma before belonged to it, unless one stands at the end too.
                    if let (false, Some(comma)) = (trailing, before.comma) {
                        self.edit(comma, comma + 1, "");
                    }
                    self.remove_cell_lines(removed);
                }
                (_, _) if lines => self.remove_cell_lines(removed),
                (Some(before), _) => self.cut(before.end, last.end, cells, previous, removed)?,
                (None, Some(after)) => self.edit(first.start, after.start, ""),
                (None, None) => {}
            }
            return Ok(());
        }
        if new.is_empty() {
            return Ok(());
        }
        let printer = self.printer_in(node);
        match (before, after) {
            (Some(cell), _) if cell.own => {
                let separator = self.separator(cell);
                let line = separator.get(1..).unwrap_or("");
                let lines = format!("{line}{}", new.join(&separator));
                let line_end = page.line_end(cell.comma.unwrap_or(cell.end));
                match cell.comma {
                    Some(comma) if comma < page.line_end(cell.end) => {
                        self.edit(line_end, line_end, format!("{lines},"))
                    }
                    Some(_) => self.edit(cell.end, cell.end, format!("{}{}", printer.comma, new.join(printer.comma))),
                    None => {
                        self.edit(cell.end, cell.end, ",");
                        self.edit(line_end, line_end, lines);
                    }
                }
            }
            (Some(cell), _) => {
                self.edit(cell.end, cell.end, format!("{}{}", printer.comma, new.join(printer.comma)));
            }
            (None, Some(cell)) if cell.own => {
                let separator = self.separator(cell);
                self.edit(cell.start, cell.start, format!("{}{separator}", new.join(&separator)));
            }
            (None, Some(cell)) => {
                self.edit(cell.start, cell.start, format!("{}{}", new.join(printer.comma), printer.comma));
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// Takes away what lies between the end of one item and that of a later one, comments excepted.
    fn cut(
        &mut self,
        start: usize,
        end: usize,
        cells: &[Cell],
        previous: Option<usize>,
        removed: &[Cell],
    ) -> Result<(), Refusal> {
        if !self.has_comment(start, removed) {
            self.edit(start, end, "");
            return Ok(());
        }
        // A comment may stand between them: take the items and one comma each.
        let last_comma = removed.last().and_then(|c| c.comma);
        if let (None, Some(comma)) = (last_comma, previous.and_then(|p| cells.get(p)).and_then(|c| c.comma)) {
            self.edit(comma, comma + 1, "");
        }
        for cell in removed {
            self.edit(cell.start, cell.comma.map_or(cell.end, |c| c + 1), "");
        }
        Ok(())
    }

    /// Whether a comment stands before or between items; what they hold themselves does not count.
    fn has_comment(&self, mut from: usize, cells: &[Cell]) -> bool {
        cells.iter().any(|cell| {
            let between = self.page.text.get(from..cell.start).unwrap_or("");
            from = cell.end;
            between.contains('#')
        })
    }

    fn remove_cell_lines(&mut self, cells: &[Cell]) {
        let page = self.page;
        for cell in cells {
            let end = page.next_line(cell.comma.unwrap_or(cell.end).max(cell.end));
            self.edit(page.line_start(cell.start), end, "");
        }
    }

    /// A new slot in brackets.
    fn cell(&self, node: Node<'t>, slot: &Slot, json: bool) -> Option<String> {
        let Slot::New { key, value } = slot else { return None };
        let printer = self.printer_in(node);
        let at = Setting { flow: true, json, quotes: quotes_of(node) };
        let lines = if value.is_inline() { None } else { self.spread_inside(node, value, json) };
        Some(match node.is_mapping() {
            true if matches!(value, Value::Map(_) | Value::List(_)) => {
                printer.flow_entry(key, value, lines, Setting { quotes: None, ..at })
            }
            true => printer.flow_entry(key, value, None, at),
            false => printer.flow(value, lines, at),
        })
    }

    /// The indentation of the line on which a collection in brackets goes over several lines; `None` where it stands on one.
    fn spread(&self, node: Node<'t>) -> Option<usize> {
        let page = self.page;
        if !node.is_empty() {
            let start = node.span().start as usize;
            let inner = page.text.get(start..node.span().end as usize)?;
            return inner.contains(['\n', '\r']).then(|| indent_of(page.text, page.line_start(start)));
        }
        // An empty one follows the collection that it stands in.
        let (parent, _) = self.draft.place(node)?;
        let parent = self.draft.tree.node(parent);
        let spread = parent.style() == Style::Flow && self.spread(parent).is_some();
        let start = node.span().start as usize;
        let own = page.text.get(page.line_start(start)..start).is_some_and(|t| !t.contains(['{', '[']));
        (spread && own).then(|| indent_of(page.text, page.line_start(start)))
    }

    /// How a new collection inside `node` is spread: as its neighbours are, else as `node` is in JSON.
    fn spread_inside(&self, node: Node<'t>, value: &Value, json: bool) -> Option<usize> {
        let page = self.page;
        let shape = if matches!(value, Value::Map(_)) { Shape::Mapping } else { Shape::Sequence };
        let values: Vec<Node<'t>> = if node.is_mapping() {
            node.written_entries().into_iter().map(|e| e.value).collect()
        } else {
            node.items()
        };
        let own = self.cells(node).ok()?.first().filter(|c| c.own).map(|c| page.column(c.start))?;
        let alike: Vec<_> =
            values.into_iter().filter(|v| !v.is_alias() && v.shape() == shape && !v.is_empty()).collect();
        let spread = match alike.last() {
            Some(last) => self.spread(*last).is_some(),
            None => json,
        };
        spread.then_some(own)
    }

    /// Blanks around the signs as this collection has them, else as the document has.
    pub(super) fn flow_layout(&self, node: Node<'t>, printer: &mut Printer) {
        let text = self.page.text;
        let all = (0..self.draft.tree.len()).map(|id| self.draft.tree.node(id as u32));
        let flows = || std::iter::once(node).chain(all.clone().filter(|n| n.style() == Style::Flow));
        let cells: Vec<(Node<'_>, Vec<Cell>)> =
            flows().take(64).filter_map(|n| self.cells(n).ok().map(|c| (n, c))).collect();
        let comma = cells.iter().find_map(|(_, cells)| {
            let pair = cells.windows(2).find(|w| !text[w[0].end..w[1].start].contains(['\n', '\r', '#']))?;
            Some(if text[..pair[1].start].ends_with(' ') { ", " } else { "," })
        });
        let colon = cells.iter().filter(|(n, _)| n.is_mapping()).find_map(|(n, _)| {
            let entry = n.written_entries().into_iter().find(|e| !e.value.written_span().is_empty())?;
            let between = text.get(entry.key.written_span().end as usize..entry.value.written_span().start as usize)?;
            Some(if between.contains(' ') { ": " } else { ":" })
        });
        printer.colon = colon.unwrap_or(": ");
        printer.comma = comma.unwrap_or(if printer.colon == ":" { "," } else { ", " });
        let pad = cells.iter().filter(|(n, c)| n.is_mapping() && !c.is_empty()).find_map(|(n, c)| {
            let inside = text.get(n.span().start as usize + 1..c[0].start)?;
            (!inside.contains(['\n', '\r'])).then_some(if inside.is_empty() { "" } else { " " })
        });
        printer.pad = pad.unwrap_or("");
        let unit = cells.iter().find_map(|(n, c)| {
            let first = c.first().filter(|c| c.own)?;
            let outer = indent_of(text, self.page.line_start(n.span().start as usize));
            self.page.column(first.start).checked_sub(outer).filter(|u| *u > 0)
        });
        printer.unit = unit.unwrap_or(printer.unit);
    }
}

fn indent_of(text: &str, line: usize) -> usize {
    let rest = &text[line..];
    rest.len() - rest.trim_start_matches(' ').len()
}

fn value_of(node: Node<'_>, slots: &[Slot]) -> Value {
    let new = slots.iter().filter_map(|slot| match slot {
        Slot::New { key, value } => Some((key.clone(), value.clone())),
        Slot::Kept { .. } => None,
    });
    if node.is_mapping() { Value::Map(new.collect()) } else { Value::List(new.map(|(_, value)| value).collect()) }
}
