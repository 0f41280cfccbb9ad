//! A place in YAML that a template wrote out of one value: which part of the value it is.

use std::ops::Range;
use std::sync::Arc;

use crate::load::helm::values::{Segment, ValuePath};
use crate::source::{FileId, SourceFile};
use crate::yaml::{self, Node, Shape};

/// A part of a value, and whether its key is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) path: ValuePath,
    pub(super) is_key: bool,
    /// The scalar as it was printed.
    pub(super) text: Option<String>,
}

/// The part at the offset `at` of a document in which `block` is the text of one value. `None` where the text is not YAML of
/// its own or the offset lies between its parts.
pub(super) fn part_at(document: &str, block: &Range<usize>, at: usize) -> Option<Part> {
    let text = document.get(block.clone())?;
    let line = document.get(..block.start)?.rfind('\n').map_or(0, |i| i + 1);
    // The first line goes on at the column where it starts; the others are indented in full.
    let indent = block.start - line;
    let blanks = text.len() - text.trim_start_matches(['\n', '\r']).len();
    let padded = if blanks > 0 { text.to_string() } else { format!("{}{text}", " ".repeat(indent)) };
    let at = at.checked_sub(block.start)? + if blanks > 0 { 0 } else { indent };
    let source = Arc::new(SourceFile::new(FileId(u32::MAX), "block", padded));
    let stream = yaml::parse(&source);
    let [document] = stream.documents.as_slice() else { return None };
    let tree = document.content.as_ref().ok()?;
    descend(tree.root(), at as u32, ValuePath::root())
}

fn descend(node: Node<'_>, at: u32, path: ValuePath) -> Option<Part> {
    let within = |node: Node<'_>| {
        let span = node.written_span();
        span.start <= at && at <= span.end
    };
    match node.shape() {
        Shape::Scalar => {
            let text = node.text().map(str::to_string);
            within(node).then_some(Part { path, is_key: false, text })
        }
        Shape::Mapping => {
            for entry in node.entries() {
                let key = path.key(entry.key.text()?);
                if within(entry.key) {
                    return Some(Part { path: key, is_key: true, text: None });
                }
                if let Some(part) = descend(entry.value, at, key) {
                    return Some(part);
                }
            }
            None
        }
        Shape::Sequence => {
            node.items().into_iter().enumerate().find_map(|(i, item)| descend(item, at, path.then(Segment::Index(i))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(document: &str, block: &str, mark: &str) -> Option<(String, bool)> {
        let start = document.find(block).unwrap();
        let place = document.find(mark).unwrap();
        part_at(document, &(start..start + block.len()), place).map(|p| (p.path.to_string(), p.is_key))
    }

    #[test]
    fn a_line_of_an_indented_block_leads_to_its_part() {
        let document = "spec:\n    limits:\n      cpu: 500m\n    ports:\n    - name: kv\n      port: 5557\nend: 1\n";
        let block = "limits:\n      cpu: 500m\n    ports:\n    - name: kv\n      port: 5557";
        assert_eq!(at(document, block, "500m"), Some(("limits.cpu".into(), false)));
        assert_eq!(at(document, block, "cpu"), Some(("limits.cpu".into(), true)));
        assert_eq!(at(document, block, "5557"), Some(("ports[0].port".into(), false)));
        assert_eq!(at(document, block, "kv"), Some(("ports[0].name".into(), false)));
        assert_eq!(at(document, block, "end"), None);
    }

    #[test]
    fn text_in_a_line_may_be_flow_or_a_scalar() {
        assert_eq!(at("a: {\"b\":[1,22]}\n", "{\"b\":[1,22]}", "22"), Some(("b[1]".into(), false)));
        assert_eq!(at("a: text\n", "text", "ext"), Some((String::new(), false)));
        assert_eq!(at("a: [b\n", "[b", "b"), None);
    }
}
