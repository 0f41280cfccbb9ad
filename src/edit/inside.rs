//! Documents inside scalars: JSON in an argument, a configuration file in a ConfigMap, a patch in a kustomization.

use std::sync::Arc;

use super::Edit;
use super::changes::Changes;
use super::draft::Draft;
use super::emit;
use super::refusal::Refusal;
use super::text::TextEdit;
use crate::source::{FileId, SourceFile, Span};
use crate::yaml::{self, Node, Tree};

/// The edits of some JSON that make the changes of `change`, which is given the JSON's root. New keys and text are in double
/// quotes, blanks as in the JSON.
///
/// # Errors
/// When the text is neither JSON nor YAML, or what is asked for can't be done.
pub fn json(
    text: &str,
    change: impl for<'x> FnOnce(Node<'x>, &mut Changes<'x>) -> Result<(), Refusal>,
) -> Result<Vec<TextEdit>, Refusal> {
    document(text, true, change)
}

/// As [`json`], for YAML.
///
/// # Errors
/// As [`json`], and where the text is several documents.
pub fn yaml(
    text: &str,
    change: impl for<'x> FnOnce(Node<'x>, &mut Changes<'x>) -> Result<(), Refusal>,
) -> Result<Vec<TextEdit>, Refusal> {
    document(text, false, change)
}

fn document(
    text: &str,
    json: bool,
    change: impl for<'x> FnOnce(Node<'x>, &mut Changes<'x>) -> Result<(), Refusal>,
) -> Result<Vec<TextEdit>, Refusal> {
    let stream = yaml::parse(&Arc::new(SourceFile::new(FileId(0), "", text)));
    let [document] = stream.documents.as_slice() else {
        return Err(Refusal::new("the text is not one document"));
    };
    let tree = document.content.as_ref().map_err(|e| Refusal::new(e.message.clone()))?;
    let mut changes = Changes { json, ..Changes::new() };
    change(tree.root(), &mut changes)?;
    Ok(changes.finish().map_err(|r| Refusal::new(r.reason))?.into_iter().map(text_edit).collect())
}

fn text_edit(edit: Edit) -> TextEdit {
    TextEdit::new(edit.span.start as usize..edit.span.end as usize, edit.replacement)
}

impl<'t> Changes<'t> {
    /// Changes JSON that stands in a scalar, from `start` to `end` of its text: all of it, or what follows
    /// `--kv-events-config=`. The scalar keeps its quotes and what else it holds.
    ///
    /// # Errors
    /// As [`json`] and [`Changes::retext`].
    pub fn json(
        &mut self,
        node: Node<'t>,
        range: std::ops::Range<usize>,
        change: impl for<'x> FnOnce(Node<'x>, &mut Changes<'x>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let text =
            node.text().and_then(|t| t.get(range.clone())).ok_or_else(|| Refusal::new("the value is no text"))?;
        let edits = json(text, change).map_err(|r| Refusal::at(node.span(), r.reason))?;
        self.retext(node, edits.into_iter().map(|e| e.moved(range.start)).collect())
    }

    /// Changes a YAML document that is the text of a scalar.
    ///
    /// # Errors
    /// As [`yaml()`] and [`Changes::retext`].
    pub fn yaml(
        &mut self,
        node: Node<'t>,
        change: impl for<'x> FnOnce(Node<'x>, &mut Changes<'x>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let text = node.text().ok_or_else(|| Refusal::new("the value is no text"))?;
        let edits = yaml(text, change).map_err(|r| Refusal::at(node.span(), r.reason))?;
        self.retext(node, edits)
    }
}

/// Emits drafts of trees that were read from the text of scalars: the text is edited, and then the scalars that hold it.
pub(super) fn edits(drafts: &[&Draft<'_>]) -> Result<Vec<Edit>, Refusal> {
    let mut texts: Vec<(&Tree, Span, Vec<TextEdit>)> = Vec::new();
    for draft in drafts {
        let Some((text, span, at)) = draft.tree.embedded_in() else { continue };
        let stream = yaml::parse(&Arc::new(SourceFile::new(FileId(0), "", text)));
        let inner = stream.documents.iter().find_map(|d| {
            let holds = d.span.start as usize <= at && at <= d.span.end as usize;
            d.content.as_ref().ok().filter(|t| holds && t.len() == draft.tree.len())
        });
        let inner = inner.ok_or_else(|| Refusal::at(span, "the text can't be read on its own"))?;
        let mut copy = Draft::new(inner);
        copy.plans.clone_from(&draft.plans);
        let edits = emit::edits(&copy, false).map_err(|r| Refusal::at(span, r.reason))?.into_iter().map(text_edit);
        match texts.iter_mut().find(|(tree, s, _)| *s == span && same_file(tree, draft.tree)) {
            Some((_, _, all)) => all.extend(edits),
            None => texts.push((draft.tree, span, edits.collect())),
        }
    }
    let mut found = Vec::new();
    for (tree, span, edits) in texts {
        let stream = yaml::parse(tree.source());
        let text = tree.embedded_in().map_or("", |(text, _, _)| text);
        let trees = stream.documents.iter().filter_map(|d| d.content.as_ref().ok());
        let scalar = trees.flat_map(|t| (0..t.len()).map(move |id| t.node(id as u32))).find(|node| {
            !node.is_alias() && node.text() == Some(text) && node.scalar_map().span(0..text.len()) == span
        });
        let scalar = scalar.ok_or_else(|| Refusal::at(span, "the value stands in text inside another text"))?;
        let mut outer = Changes::new();
        outer.retext(scalar, edits)?;
        found.extend(outer.finish()?);
    }
    Ok(found)
}

fn same_file(a: &Tree, b: &Tree) -> bool {
    a.source().id() == b.source().id()
}
