//! Which bytes a suppression comment covers.

use crate::source::{SourceFile, Span};
use crate::yaml::Comment;

/// The line of a trailing comment; else the next line that is not blank or a comment, with the lines that are indented
/// deeper than it, which are its value.
pub(super) fn covered(source: &SourceFile, comment: &Comment) -> Span {
    let line = source.line_index(comment.span.start);
    let text = |i: usize| source.line_span(i).map(|s| (s, source.slice(s)));
    if comment.trailing {
        return text(line).map_or(comment.span, |(span, _)| span);
    }
    let mut next = line + 1;
    while let Some((_, t)) = text(next)
        && (!is_content(t) || is_marker(t))
    {
        next += 1;
    }
    let Some((mut span, first)) = text(next) else { return comment.span };
    let depth = indent(first);
    let opens_list = opens_value(first);
    let mut i = next + 1;
    while let Some((s, t)) = text(i) {
        if is_content(t) {
            // A list may stand at the same indentation as its key.
            let item_of_key = opens_list && indent(t) == depth && is_item(t);
            if is_marker(t) || (indent(t) <= depth && !item_of_key) {
                break;
            }
            span = span.to(s);
        }
        i += 1;
    }
    span
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_content(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}

/// `---` and `...` at the start of a line bound documents.
fn is_marker(line: &str) -> bool {
    ["---", "..."].iter().any(|m| line.strip_prefix(m).is_some_and(|r| r.is_empty() || r.starts_with([' ', '\t'])))
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    line == "-" || line.starts_with("- ")
}

/// Whether the line is a key whose value starts on the next: `args:`, `args: &anchor`, `args: # comment`.
fn opens_value(line: &str) -> bool {
    let line = line.trim_end();
    let value = line.rsplit_once(": ").map_or("", |(_, value)| value.trim_start());
    !is_item(line) && (line.ends_with(':') || value.starts_with(['&', '!', '#']))
}
