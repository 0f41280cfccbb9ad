//! What is told about the place under the mouse: why a rule reports there, and what the tables say of a flag, variable or label.

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position, Range};

use super::actions::touch;
use super::analysis::Findings;
use super::documents::Document;
use super::position::{self, Encoding};
use crate::facts::word;
use crate::lint::find;
use crate::report::rule_page;
use crate::source::Span;
use crate::yaml::{self, Node, Shape};

/// The text for a place; none where nothing is known.
pub fn hover(document: &Document, findings: &Findings, place: Position, encoding: Encoding) -> Option<Hover> {
    let mut parts: Vec<String> = Vec::new();
    let mut range: Option<Range> = None;
    let here = findings.get(document.uri.as_str()).into_iter().flatten();
    for finding in here.filter(|f| touch(f.diagnostic.range, Range::new(place, place))) {
        let Some(rule) = find(finding.rule) else { continue };
        let page = rule_page(rule.name);
        let text = format!("**[{}]({page})**: {}\n\n{}", rule.name, rule.summary, rule.section("Why"));
        if !parts.contains(&text) {
            parts.push(text);
        }
        range = range.or(Some(finding.diagnostic.range));
    }
    if let Some((span, text)) = fact(document, place, encoding) {
        parts.push(text);
        range = range.or_else(|| Some(position::range(&document.source, span, encoding)));
    }
    let value = parts.join("\n\n---\n\n");
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value });
    (!parts.is_empty()).then_some(Hover { contents, range })
}

/// What the tables say of the word at a place, and the word's bytes.
fn fact(document: &Document, place: Position, encoding: Encoding) -> Option<(Span, String)> {
    let text = document.source.text();
    let at = position::offset(&document.source, place, encoding);
    let part = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let before = text[..at].rfind(|c| !part(c)).map_or(0, |i| i + text[i..].chars().next().map_or(1, char::len_utf8));
    let after = text[at..].find(|c| !part(c)).map_or(text.len(), |i| at + i);
    let name = text.get(before..after)?;
    let span = Span::new(document.source.id(), before as u32, after as u32);
    // A short key such as `topic` means something else elsewhere.
    let known = word::about(name)
        .or_else(|| dotted(name))
        .or_else(|| inside_events_config(document, at).then(|| word::about_key(name))?)?;
    Some((span, known))
}

/// What is known of a flag that names a key of its JSON behind a dot: `--kv-events-config.publisher`.
fn dotted(name: &str) -> Option<String> {
    let (flag, key) = name.split_once('.')?;
    let about = word::about(flag).filter(|_| flag.starts_with("--"))?;
    let key = word::configures_events(&flag.replace('_', "-")).then(|| word::about_key(key))?;
    Some(key.into_iter().chain([about]).collect::<Vec<_>>().join("\n\n---\n\n"))
}

/// Whether a place lies in a scalar or mapping that configures events.
fn inside_events_config(document: &Document, at: usize) -> bool {
    let stream = yaml::parse(&document.source);
    let place = Span::new(document.source.id(), at as u32, at as u32);
    stream.documents.iter().filter_map(|d| d.content.as_ref().ok()).any(|tree| within(tree.root(), place))
}

fn within(node: Node<'_>, place: Span) -> bool {
    if !node.span().contains(place) {
        return false;
    }
    match node.shape() {
        Shape::Scalar => node.text().is_some_and(word::configures_events),
        Shape::Sequence => node.items().into_iter().any(|item| within(item, place)),
        Shape::Mapping => {
            let entries = || node.entries().into_iter();
            entries().any(|e| e.key.text().is_some_and(word::configures_events))
                || entries().any(|e| within(e.value, place))
        }
    }
}
