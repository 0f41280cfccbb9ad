//! Whole documents of a file.

use super::Edit;
use super::print::{Printer, Setting};
use super::refusal::Refusal;
use super::value::Value;
use super::verify::{self, Whole};
use crate::source::{ReadOnly, SourceFile, Span};
use crate::yaml::{Tree, document_at};

/// Adds a document at the end of a file, in the layout of the file's other documents; the file's last line keeps its (or no)
/// line break.
///
/// # Errors
/// When the file is JSON or can't be written to, or a document of it would be read differently then.
pub fn append_document(file: &SourceFile, value: &Value) -> Result<Vec<Edit>, Refusal> {
    let text = file.text();
    let end = Span::new(file.id(), text.len() as u32, text.len() as u32);
    // Whether rendered text may be changed is decided later.
    if let Some(why) = file.why_read_only().filter(|why| *why != ReadOnly::Rendered) {
        return Err(Refusal::at(end, format!("{} {}", file.path().display(), why.as_str())));
    }
    let Value::Map(entries) = value else { return Err(Refusal::at(end, "a document must be a mapping")) };
    let content = text.trim_start_matches(['\u{feff}', ' ', '\t', '\n', '\r']);
    if content.starts_with(['{', '[']) {
        return Err(Refusal::at(end, "the file is JSON, which holds one document"));
    }
    let printer = super::page::layout(file);
    let eol = printer.eol;
    let body: Vec<String> = entries.iter().map(|(k, v)| printer.entry(k, v, 0, Setting::default())).collect();
    let body = body.join(eol);
    let new = if content.is_empty() {
        format!("{body}{eol}")
    } else if text.ends_with(['\n', '\r']) {
        format!("---{eol}{body}{eol}")
    } else {
        format!("{eol}---{eol}{body}")
    };
    let edits = vec![Edit { span: end, replacement: new }];
    verify::documents(file, &edits, Whole::Added(value))?;
    Ok(edits)
}

/// Takes a document away, with its `---` line; of the first document of several, the next one's line stays.
///
/// # Errors
/// When the file can't be written to, or another document of it would be read differently then.
pub fn remove_document(tree: &Tree) -> Result<Vec<Edit>, Refusal> {
    let file = tree.source();
    let at = tree.root().span();
    if file.why_read_only().is_some_and(|why| why != ReadOnly::Rendered) || tree.is_composed() || tree.is_embedded() {
        return Err(Refusal::at(at, format!("{} can't be written to", file.path().display())));
    }
    let text = file.text();
    let range = document_at(text, at.start as usize);
    let (mut start, end) = (range.start, range.end);
    let last = end == text.len();
    if last && !text.ends_with(['\n', '\r']) {
        start = text[..start]
            .trim_end_matches(['\n', '\r'])
            .len()
            .max(start.saturating_sub(if text[..start].ends_with("\r\n") { 2 } else { 1 }));
    }
    let span = Span::new(file.id(), start as u32, end as u32);
    let edits = vec![Edit { span, replacement: String::new() }];
    verify::documents(file, &edits, Whole::Removed(range.start))?;
    Ok(edits)
}

impl Printer {
    /// The layout of a file without a document to learn from.
    pub(super) fn of_text(text: &str) -> Printer {
        let eol = match text.find(['\n', '\r']) {
            Some(at) if text[at..].starts_with("\r\n") => "\r\n",
            Some(at) if text[at..].starts_with('\r') => "\r",
            _ => "\n",
        };
        Printer { open: !text.ends_with(['\n', '\r']), ..Printer::plain(eol) }
    }
}
