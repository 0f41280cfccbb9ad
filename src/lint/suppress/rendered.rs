//! Suppressions in rendered text stand in a template, or in values: there they are counted, shown, and in force.

use super::read::Reader;
use super::{Scope, Suppression};
use crate::load::helm::Locator;
use crate::source::Span;
use crate::yaml::Comment;

impl Reader<'_> {
    /// Leads what was read in rendered text back to where it was written.
    pub(super) fn led_back(&mut self, mut entry: Suppression) -> Suppression {
        let Some(rendering) = self.loaded.renderings.get(&entry.written.file) else { return entry };
        // A rendered text holds all templates of a chart: what is said of a file is said of one.
        let rendered = match entry.scope {
            Scope::Span(span) => span,
            Scope::File(span) => rendering.section_span(span),
        };
        let locator = Locator::new(rendering);
        let (Some(written), Some(name)) = (locator.locate(entry.written), locator.locate(entry.span)) else {
            entry.scope = Scope::Span(rendered);
            return entry;
        };
        entry.also.push(rendered);
        if written.is_same_text {
            let comment = rendering.source().slice(entry.written).starts_with('#');
            entry.scope = match entry.scope {
                Scope::File(_) => Scope::File(written.primary),
                Scope::Span(_) if comment => Scope::Span(self.line_or_next(written.primary)),
                Scope::Span(_) => Scope::Span(written.primary),
            };
        } else {
            entry.scope = Scope::Span(rendered);
        }
        if written.is_proven {
            (entry.written, entry.span) = (written.primary, name.primary);
        }
        entry
    }

    /// What a comment in a template covers there.
    fn line_or_next(&mut self, comment: Span) -> Span {
        let source = self.loaded.sources.file(comment.file);
        let line = source.line_span(source.line_index(comment.start)).unwrap_or(comment);
        let before = Span { end: comment.start, ..line };
        let trailing = !source.slice(before).trim().is_empty();
        self.covers.covered(source, &Comment { span: comment, trailing })
    }
}
