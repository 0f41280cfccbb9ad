//! Which bytes a suppression comment covers.

use std::collections::HashMap;

use crate::source::{FileId, SourceFile, Span};
use crate::yaml::Comment;

/// What comments cover, with what is known of the lines of each file once one was asked about.
#[derive(Debug, Default)]
pub(super) struct Covers {
    files: HashMap<FileId, Contents>,
}

impl Covers {
    /// The line of a trailing comment; else the next line that is not blank or a comment, with the lines that are indented
    /// deeper than it, which are its value.
    pub(super) fn covered(&mut self, source: &SourceFile, comment: &Comment) -> Span {
        let line = source.line_index(comment.span.start);
        if comment.trailing {
            return source.line_span(line).unwrap_or(comment.span);
        }
        let contents = self.files.entry(source.id()).or_insert_with(|| Contents::of(source));
        contents.entry_after(line).unwrap_or(comment.span)
    }
}

/// The entries of a file, each by its first line: those that are neither blank nor a comment, nor bound documents.
#[derive(Debug)]
struct Contents {
    /// The line, from 0, and the bytes from there to the end of what is its value. Sorted.
    entries: Vec<(usize, Span)>,
}

impl Contents {
    fn of(source: &SourceFile) -> Contents {
        let lines: Vec<(usize, Span, &str)> = (0..source.line_starts().len())
            .filter_map(|line| source.line_span(line).map(|span| (line, span, source.slice(span))))
            .filter(|(_, _, text)| is_content(text))
            .collect();
        let mut entries = Vec::new();
        // Lines below without those that are a value of one above them: what bounds the next line is the first of these.
        let mut below: Vec<usize> = Vec::new();
        for (at, &(line, span, text)) in lines.iter().enumerate().rev() {
            if !is_marker(text) {
                let depth = indent(text);
                while let Some(&next) = below.last()
                    && !is_marker(lines[next].2)
                    && indent(lines[next].2) > depth
                {
                    below.pop();
                }
                // A list may stand at the same indentation as its key.
                let is_of_list = |next: &&usize| {
                    let text = lines[**next].2;
                    !is_marker(text) && indent(text) == depth && is_item(text)
                };
                let opens_list = opens_value(text);
                let end = below.iter().rev().find(|next| !(opens_list && is_of_list(next)));
                let last = end.map_or(lines.len(), |&end| end) - 1;
                entries.push((line, span.to(lines[last].1)));
            }
            below.push(at);
        }
        entries.reverse();
        Contents { entries }
    }

    /// The next entry below a line, with its value.
    fn entry_after(&self, line: usize) -> Option<Span> {
        let next = self.entries.partition_point(|(first, _)| *first <= line);
        self.entries.get(next).map(|(_, span)| *span)
    }
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
