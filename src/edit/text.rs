//! Changes inside the text of a scalar: only the bytes of the changed part are touched.

use std::ops::Range;

use super::Edit;
use super::apply::apply_to;
use super::draft::{Plan, Plans};
use super::emit::{Context, Emitter};
use super::page::Page;
use super::print::{self, Setting};
use super::refusal::Refusal;
use super::value::Value;
use super::verify;
use crate::source::{FileId, Span};
use crate::yaml::{BlamePart, Node, Style};

/// A change of a part of some text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// The bytes of the text that go away; empty to insert.
    pub range: Range<usize>,
    /// What comes in their place.
    pub text: String,
}

impl TextEdit {
    /// Puts `text` in the place of `range`.
    pub fn new(range: Range<usize>, text: impl Into<String>) -> TextEdit {
        TextEdit { range, text: text.into() }
    }

    /// The same edit of a longer text, in which this one starts at `by`.
    pub fn moved(self, by: usize) -> TextEdit {
        TextEdit { range: self.range.start + by..self.range.end + by, ..self }
    }
}

/// The one change that makes `new` of `old`, as short as it can be; none where they are equal.
pub fn difference(old: &str, new: &str) -> Vec<TextEdit> {
    if old == new {
        return Vec::new();
    }
    let same = |a: (char, char)| a.0 == a.1;
    let width = |a: (char, char)| a.0.len_utf8();
    let start: usize = old.chars().zip(new.chars()).take_while(|a| same(*a)).map(width).sum();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end: usize = old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(|a| same(*a)).map(width).sum();
    vec![TextEdit::new(start..old.len() - end, &new_rest[..new_rest.len() - end])]
}

/// The text after the edits.
///
/// # Errors
/// When they overlap or do not fit the text.
pub fn changed(text: &str, edits: &[TextEdit]) -> Result<String, Refusal> {
    let edit = |e: &TextEdit| {
        let (start, end) = (u32::try_from(e.range.start).ok()?, u32::try_from(e.range.end).ok()?);
        (start <= end).then(|| Edit { span: Span::new(FileId(0), start, end), replacement: e.text.clone() })
    };
    let edits: Option<Vec<Edit>> = edits.iter().map(edit).collect();
    let edits = edits.ok_or_else(|| Refusal::new("the change does not fit the text"))?;
    apply_to(text, &edits).map_err(|_| Refusal::new("two changes of one text are in each other's way"))
}

/// The part of a composed text that an edit changes, as a node that was written, and the edit in its text.
pub(super) fn part<'t>(parts: &'t [(usize, BlamePart)], edit: TextEdit) -> Result<(Node<'t>, TextEdit), Refusal> {
    let mut at = 0;
    let mut place = None;
    for (len, part) in parts {
        let inside = at <= edit.range.start && edit.range.end <= at + len;
        // An insertion between two parts belongs to one that somebody wrote.
        if inside && (place.is_none() || matches!(part, BlamePart::Node(..))) {
            place = Some((at, part));
        }
        at += len;
    }
    let Some((at, part)) = place else {
        return Err(Refusal::new("the change goes over parts of the value that stand in different places"));
    };
    match part {
        BlamePart::Span(span) => Err(Refusal::at(*span, "the build makes this part of the value")),
        BlamePart::Node(tree, id, start) => {
            let range = start + edit.range.start - at..start + edit.range.end - at;
            Ok((tree.node(*id), TextEdit { range, text: edit.text }))
        }
    }
}

/// Emits changes of a scalar's text.
pub(super) fn emit<'t>(
    emitter: &mut Emitter<'_, 't>,
    node: Node<'t>,
    context: Context,
    edits: &[TextEdit],
    json: bool,
) -> Result<(), Refusal> {
    let old = node.text().unwrap_or("");
    let new = changed(old, edits)?;
    for edit in edits {
        if is_template_at(old, &edit.range) {
            return Err(Refusal::at(node.sub_span(edit.range.clone()), "the text is a template there"));
        }
    }
    if new == old {
        return Ok(());
    }
    let file = node.tree().source().id();
    let at = Setting { flow: context.is_flow(), json, quotes: None };
    let page = emitter.page;
    let direct = direct(page, node, edits, &new, at).or_else(|| in_quotes(page, node, edits)).map(|edits| {
        let edit = |(range, replacement): (Range<usize>, String)| Edit {
            span: Span::new(file, range.start as u32, range.end as u32),
            replacement,
        };
        edits.into_iter().map(edit).collect::<Vec<_>>()
    });
    let plan = Plans::from([(node.id(), Plan::Text(edits.to_vec()))]);
    if let Some(direct) = direct
        && verify::holds(emitter.page, &plan, &direct)
    {
        emitter.edits.extend(direct);
        return Ok(());
    }
    if node.tag().is_some() {
        return Err(Refusal::at(node.span(), "the value has a tag"));
    }
    let value = if node.as_str().is_some() { Value::String(new) } else { Value::typed(&new) };
    let before = emitter.edits.len();
    emitter.replace(node, context, &value, json)?;
    let rewritten = emitter.edits.get(before..).unwrap_or(&[]);
    if !matches!(value, Value::String(_)) || verify::holds(emitter.page, &plan, rewritten) {
        Ok(())
    } else {
        Err(Refusal::at(node.span(), "the text is written in a way that edits don't understand"))
    }
}

/// Whether a range touches `{{ … }}`, or a part of `${…}`. Replacing the whole of the latter is a decision.
fn is_template_at(text: &str, range: &Range<usize>) -> bool {
    let touches = |open: &str, close: &str, whole: bool| {
        text.match_indices(open).any(|(start, _)| {
            let end = text[start..].find(close).map_or(text.len(), |len| start + len + close.len());
            let apart = range.end <= start || end <= range.start;
            let around = range.start <= start && end <= range.end;
            !(apart || whole && around)
        })
    };
    touches("{{", "}}", false) || touches("${", "}", true)
}

/// The changed bytes of text without quotes on several lines that needs quotes now: its lines stay as they are.
fn in_quotes(page: &Page<'_>, node: Node<'_>, edits: &[TextEdit]) -> Option<Vec<(Range<usize>, String)>> {
    let (start, end) = (node.span().start as usize, node.span().end as usize);
    let raw = page.text.get(start..end)?;
    if node.style() != Style::Plain || node.as_str().is_none() || !raw.contains('\n') {
        return None;
    }
    let map = node.scalar_map();
    let mut found = vec![(start..start, "\"".to_string())];
    for edit in edits {
        let span = map.span(edit.range.clone());
        found.push((span.start as usize..span.end as usize, print::escape(&edit.text)));
    }
    let changed = |at: usize| found.iter().any(|(range, _)| range.contains(&at));
    let special = raw.match_indices(['"', '\\']).map(|(at, _)| start + at).filter(|at| !changed(*at));
    let special: Vec<usize> = special.collect();
    found.extend(special.into_iter().map(|at| (at..at, "\\".to_string())));
    found.push((end..end, "\"".to_string()));
    found.sort_by_key(|(range, _)| (range.start, range.end));
    Some(found)
}

/// The changed bytes, where the changed parts can be written in the scalar's own style.
fn direct(
    page: &Page<'_>,
    node: Node<'_>,
    edits: &[TextEdit],
    new: &str,
    at: Setting,
) -> Option<Vec<(Range<usize>, String)>> {
    let style = node.style();
    if node.span().is_empty() {
        return None;
    }
    match style {
        Style::Plain if node.as_str().is_some() && !print::is_plain(new, at.flow) => return None,
        Style::SingleQuoted if !edits.iter().all(|e| print::is_printable(&e.text)) => return None,
        _ => {}
    }
    let map = node.scalar_map();
    let old = node.text()?;
    let block = matches!(style, Style::Literal | Style::Folded);
    let mut found = Vec::new();
    for edit in edits {
        let span = map.span(edit.range.clone());
        let (mut start, mut end) = (span.start as usize, span.end as usize);
        let mut text = match style {
            Style::DoubleQuoted => print::escape(&edit.text),
            Style::SingleQuoted => edit.text.replace('\'', "''"),
            _ => edit.text.clone(),
        };
        if style == Style::Folded && edit.text.contains('\n') {
            return None;
        }
        let deleted = page.text.get(start..end)?;
        if deleted.ends_with(['\n', '\r']) && edit.range.end < old.len() {
            // The next line's indentation goes with the line break.
            let rest = &page.text[end..page.line_end(end)];
            let blanks = rest.len() - rest.trim_start_matches(' ').len();
            end += if block { blanks.min(node.indent()) } else { blanks };
        }
        if block {
            let indent = " ".repeat(node.indent());
            let broke = |text: String| text.replace('\n', &format!("{}{indent}", page.printer.eol));
            let at_end = edit.range.start == old.len() && old.ends_with('\n');
            text = if at_end {
                // Behind the last line break the next line's indentation is not there yet.
                start = page.end_of(node, page.line_start(node.span().start as usize).saturating_sub(1)).ok()?;
                start = page.next_line(start);
                end = start;
                let lines = text.strip_suffix('\n')?;
                format!("{indent}{}{}", broke(lines.to_string()), page.printer.eol)
            } else {
                broke(text)
            };
        }
        found.push((start..end, text));
    }
    Some(found)
}
