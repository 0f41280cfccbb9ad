//! How a document is laid out, so that what is written into it looks like the rest.

use super::tree::{Node, Shape, Style, Tree};

/// The widths and quotes that most of a document has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns from a key to the keys of its value.
    pub unit: usize,
    /// Columns from a key to the dashes of its list.
    pub dash: usize,
    /// Blanks behind a dash.
    pub gap: usize,
    /// The quotes of text.
    pub quotes: Style,
}

impl Tree {
    /// The document's layout. Of a tree that was read from a file; any other has none to learn from.
    pub fn layout(&self) -> Layout {
        *self.layout.get_or_init(|| Layout::of(self))
    }

    /// The start of the line, or of the document.
    fn line_start(&self, at: usize) -> usize {
        let start = self.document().start;
        self.source.text()[start..at].rfind(['\n', '\r']).map_or(start, |i| start + i + 1)
    }
}

impl Node<'_> {
    /// Whether a block list under a key is not indented: such a list's span starts with its first item, not with its dash. Of
    /// a node that was read from a file.
    pub fn is_indentless(self) -> bool {
        let start = self.written_span().start;
        let first = self.item_ids().first().map_or(start, |&id| self.tree().node(id).written_span().start);
        first == start || !self.tree().source.text()[start as usize..].starts_with('-')
    }
}

impl Layout {
    fn of(tree: &Tree) -> Layout {
        let text = tree.source.text();
        let column = |node: Node<'_>| {
            let at = node.written_span().start as usize;
            at - tree.line_start(at)
        };
        let mut units = Counts::default();
        let (mut dashes, mut gaps) = (Counts::default(), Counts::default());
        let (mut single, mut double) = (0, 0);
        for id in 0..tree.len() {
            let node = tree.node(id as u32);
            match (node.shape(), node.style()) {
                (Shape::Scalar, Style::SingleQuoted) => single += 1,
                (Shape::Scalar, Style::DoubleQuoted) => double += 1,
                (Shape::Mapping, Style::Block) => {
                    for entry in node.written_entries() {
                        if entry.value.is_alias() || entry.value.style() != Style::Block {
                            continue;
                        }
                        let (key, value) = (column(entry.key), column(entry.value));
                        match entry.value.shape() {
                            Shape::Mapping => units.add(value.saturating_sub(key)),
                            _ if entry.value.is_indentless() => dashes.add(0),
                            _ => dashes.add(value.saturating_sub(key)),
                        }
                    }
                }
                (Shape::Sequence, Style::Block) => {
                    for item in node.items().into_iter().filter(|i| !i.is_alias() && !i.span().is_empty()) {
                        let start = item.span().start as usize;
                        let before = &text[tree.line_start(start)..start];
                        if before.trim_end_matches(' ').ends_with('-') {
                            gaps.add(before.len() - before.trim_end_matches(' ').len());
                        }
                    }
                }
                _ => {}
            }
        }
        Layout {
            unit: units.most().filter(|u| *u > 0).unwrap_or(2),
            dash: dashes.most().unwrap_or(0),
            gap: gaps.most().filter(|g| *g > 0).unwrap_or(1),
            quotes: if single > double { Style::SingleQuoted } else { Style::DoubleQuoted },
        }
    }
}

/// How often each width was seen.
#[derive(Default)]
struct Counts(Vec<(usize, usize)>);

impl Counts {
    fn add(&mut self, width: usize) {
        match self.0.iter_mut().find(|(w, _)| *w == width) {
            Some((_, count)) => *count += 1,
            None => self.0.push((width, 1)),
        }
    }

    /// The most frequent; of equals the one that was seen first.
    fn most(&self) -> Option<usize> {
        let best = self.0.iter().map(|(_, count)| *count).max()?;
        self.0.iter().find(|(_, count)| *count == best).map(|(width, _)| *width)
    }
}
