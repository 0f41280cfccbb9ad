//! Places where YAML 1.2 reads a document and Kubernetes' reader (go-yaml v2) refuses it or loses a part.

use super::json;
use super::tree::{Data, Node, NodeId, Style, Tree};
use crate::source::Span;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddityKind {
    /// Text after `...` without `---`: Kubernetes drops it without a word.
    DroppedDocument,
    /// A tab where go-yaml allows none.
    Tab,
    /// An escape in double quotes that go-yaml does not know.
    Escape,
    /// A key that is a list, a mapping or null, or a number that JSON cannot carry.
    NotJson,
    /// A flow mapping's key that goes over several lines.
    MultilineKey,
}

/// One such place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// Its bytes.
    pub span: Span,
    /// What it is.
    pub kind: OddityKind,
    /// What is wrong, in one sentence.
    pub message: String,
}

/// Finds them in one document. `base` is the chunk's offset in the file.
pub(super) fn oddities(chunk: &str, base: usize, tree: &Tree, second: Option<Span>) -> Vec<Oddity> {
    let mut found = Vec::new();
    let mut add = |span, kind, message: &str| found.push(Oddity { span, kind, message: message.to_string() });
    let file = tree.source().id();
    let at = |start: usize, len: usize| Span::new(file, (base + start) as u32, (base + start + len) as u32);
    if let Some(span) = second {
        add(span, OddityKind::DroppedDocument, "Kubernetes drops what follows `...`; a new document starts with `---`");
    }
    let tabs = chunk.contains('\t');
    if tabs {
        let mut start = 0;
        for line in chunk.split_inclusive('\n') {
            let text = line.trim_end_matches(['\n', '\r']);
            let blanks = text.len() - text.trim_start_matches([' ', '\t']).len();
            if let Some(column) = text[..blanks].find('\t')
                && !text[blanks..].starts_with('#')
                && !inside_scalar(tree, at(start + column, 1))
            {
                add(at(start + column, 1), OddityKind::Tab, "Kubernetes' YAML reader refuses tabs as indentation");
            }
            let indent = text.len() - text.trim_start_matches(' ').len();
            if text[indent..].starts_with("-\t") && !inside_scalar(tree, at(start + indent, 2)) {
                let tab = at(start + indent + 1, 1);
                add(tab, OddityKind::Tab, "Kubernetes' YAML reader refuses a tab after `-`");
            }
            start += line.len();
        }
    }
    scan(tree, &mut found);
    found
}

/// Whether a span lies in a scalar or in brackets, where tabs are allowed.
fn inside_scalar(tree: &Tree, span: Span) -> bool {
    tree.nodes.iter().any(|n| (matches!(n.data, Data::Scalar(_)) || n.style == Style::Flow) && n.span.contains(span))
}

/// Looks at every node once, in the arena's order: cheaper than a walk down the tree, and aliases are not followed.
fn scan(tree: &Tree, found: &mut Vec<Oddity>) {
    for (id, node) in tree.nodes.iter().enumerate() {
        match &node.data {
            Data::Scalar(text) => match node.style {
                Style::DoubleQuoted if text.len() as u32 + 2 != node.span.len() => {
                    scalar(tree.node(id as NodeId), found)
                }
                Style::Plain if text.starts_with(['.', '-', '+']) => scalar(tree.node(id as NodeId), found),
                _ => {}
            },
            Data::Map(entries) => entries.iter().for_each(|&(k, _)| mapping_key(tree, k, node.style, found)),
            Data::Seq(_) | Data::Alias(_) => {}
        }
    }
}

fn mapping_key(tree: &Tree, key: NodeId, style: Style, found: &mut Vec<Oddity>) {
    let raw = &tree.nodes[key as usize];
    let node = tree.node(key);
    let plain_text = matches!(&raw.data, Data::Scalar(s) if s.starts_with(|c: char| c.is_ascii_alphabetic() && c != 'n' && c != 'N'));
    if !plain_text && let Err((at, message)) = json::key(node) {
        found.push(Oddity { span: at.span(), kind: OddityKind::NotJson, message });
    } else if style == Style::Flow && raw.style == Style::Plain && tree.source().slice(raw.span).contains('\n') {
        let message = "Kubernetes' YAML reader refuses a key that goes over several lines".to_string();
        found.push(Oddity { span: raw.span, kind: OddityKind::MultilineKey, message });
    }
}

fn scalar(node: Node<'_>, found: &mut Vec<Oddity>) {
    if node.style() == Style::DoubleQuoted {
        let raw = node.source().slice(node.span());
        if let Some((start, len, message)) = bad_escape(raw) {
            let span = node.span();
            let span = Span::new(span.file, span.start + start as u32, span.start + (start + len) as u32);
            found.push(Oddity { span, kind: OddityKind::Escape, message: message.to_string() });
        }
    } else if node.style() == Style::Plain
        && let Some(super::Scalar::Float(x)) = node.scalar()
        && !x.is_finite()
    {
        let message = "JSON has no infinite number and no not-a-number: quote it if text is meant".to_string();
        found.push(Oddity { span: node.span(), kind: OddityKind::NotJson, message });
    }
}

/// The first escape that YAML 1.2 has and go-yaml lacks.
fn bad_escape(raw: &str) -> Option<(usize, usize, &'static str)> {
    let bytes = raw.as_bytes();
    let mut i = 0;
    while let Some(offset) = raw.get(i..)?.find('\\') {
        let at = i + offset;
        match bytes.get(at + 1)? {
            b'/' => return Some((at, 2, "Kubernetes' YAML reader does not know the escape `\\/`")),
            b'u' if matches!(
                bytes.get(at + 2..at + 4),
                Some([b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F'])
            ) =>
            {
                return Some((at, 6, "Kubernetes' YAML reader refuses surrogate escapes: write the character itself"));
            }
            _ => i = at + 2,
        }
    }
    None
}
