//! Text that Kubernetes rewrites before a program sees it, with the way back to the file.

use std::sync::Arc;

use super::expansion::{self, Variable};
use crate::source::Span;
use crate::yaml::{Node, ScalarMap, is_template};

/// A string after Kubernetes' `$(VAR)` expansion.
#[derive(Clone, Debug)]
pub struct Text {
    /// The string that the program gets. Parts that are not known stay as they were written.
    pub value: String,
    /// Whether a part is not known.
    pub opaque: bool,
    span: Span,
    // Settings are handed from rule to rule: a copy must cost nothing but its text.
    map: Arc<ScalarMap>,
}

impl Text {
    /// Text as it stands in the file.
    pub fn literal(node: Node<'_>) -> Text {
        let value = node.text().unwrap_or("").to_string();
        Text { opaque: is_template(&value), value, span: node.span(), map: Arc::new(node.scalar_map()) }
    }

    /// Text that stands nowhere; `span` is what it was concluded from.
    pub fn synthetic(value: &str, span: Span) -> Text {
        let map = Arc::new(ScalarMap::identity(span.file, span.start, 0));
        Text { value: value.to_string(), opaque: false, span, map }
    }

    /// Text cut out of other text: `pieces` as in [`ScalarMap::pieces`].
    pub fn cut(
        &self,
        value: String,
        opaque: bool,
        range: std::ops::Range<usize>,
        pieces: impl IntoIterator<Item = (usize, usize, usize)>,
    ) -> Text {
        let map = Arc::new(self.map.pieces(value.len(), range.clone(), pieces));
        Text { opaque, span: self.map.span(range), map, value }
    }

    /// A part of the text, as text of its own.
    pub fn part(&self, range: std::ops::Range<usize>) -> Text {
        let value = self.value[range.clone()].to_string();
        let pieces = [(0, range.start, range.len())];
        let map = Arc::new(self.map.pieces(value.len(), range.clone(), pieces));
        Text { opaque: self.opaque, span: self.map.span(range), map, value }
    }

    /// The whole value in the file, quotes included.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The file bytes under a part of [`Text::value`].
    pub fn sub_span(&self, range: std::ops::Range<usize>) -> Span {
        self.map.span(range)
    }

    /// How offsets in [`Text::value`] lead to the file.
    pub fn map(&self) -> &ScalarMap {
        &self.map
    }
}

/// Expands `$(VAR)` as the kubelet does in `command`, `args` and `env` values; what that adds is taken from `budget`, and what is
/// beyond it is unknown.
pub fn expand(node: Node<'_>, budget: &mut usize, lookup: impl Fn(&str) -> Variable) -> Text {
    let text = Text::literal(node);
    if !text.value.contains('$') {
        return text;
    }
    let expanded = expansion::expand_within(&text.value, budget, lookup);
    let opaque = text.opaque || expanded.is_unknown(0..expanded.text().len());
    let map = Arc::new(text.map.pieces(expanded.text().len(), 0..text.value.len(), expanded.pieces()));
    Text { value: expanded.text().to_string(), opaque, span: text.span, map }
}
