//! From bytes that a finding points at to the scalar that holds them.

use std::ops::Range;

use super::changes::Changes;
use super::refusal::Refusal;
use super::text::TextEdit;
use super::words::Script;
use crate::source::Span;
use crate::yaml::{Node, Tree};

/// The scalar of a tree that holds these bytes of a file, and where they stand in its text. Bytes that are a part of an
/// escape or of a line fold belong to no text.
pub fn scalar_at(tree: &Tree, span: Span) -> Option<(Node<'_>, Range<usize>)> {
    tree.scalars_around(span).find_map(|node| {
        let len = node.text()?.len();
        if node.span() == span {
            return Some((node, 0..len));
        }
        Some((node, node.scalar_map().text_range(span)?))
    })
}

impl<'t> Changes<'t> {
    /// Puts other text in the place of the bytes that a finding points at: a scalar, a part of one such as the value in
    /// `--flag=value`, or, if `in_script`, a word or a part of a word of the script that the scalar holds. Quotes are kept
    /// where they can hold the text.
    ///
    /// # Errors
    /// When the bytes are no text of the tree, or the place can't be edited.
    pub fn write_at(&mut self, tree: &'t Tree, span: Span, text: &str, in_script: bool) -> Result<(), Refusal> {
        let (node, range) =
            scalar_at(tree, span).ok_or_else(|| Refusal::at(span, "the text is put together from several places"))?;
        if !in_script {
            return self.retext(node, vec![TextEdit::new(range, text)]);
        }
        let script = Script::new(node)?;
        let unknown = || Refusal::at(span, "this is no word of the script");
        let id = script.word_in(&range).ok_or_else(unknown)?;
        let word = script.word(id).ok_or_else(unknown)?;
        if word.range == range {
            return self.replace_word(&script, id, text);
        }
        // The part of the word that was written as these bytes.
        let starts = (0..=word.text.len()).filter(|i| word.text.is_char_boundary(*i));
        let part = starts.clone().find_map(|start| {
            let end =
                starts.clone().rev().find(|&end| end >= start && word.source_range(start..end).end == range.end)?;
            (word.source_range(start..end) == range).then_some(start..end)
        });
        self.retext_word(&script, id, &[TextEdit::new(part.ok_or_else(unknown)?, text)])
    }
}
