//! Suppressions in rendered text stand in a template, or in values: there they are counted, shown, and in force.

use super::{Scope, Suppressions, cover};
use crate::load::Loaded;
use crate::load::helm::Locator;
use crate::source::Span;
use crate::yaml::Comment;

impl Suppressions {
    /// Leads what was read last back to where it was written. Every values set that a chart is rendered with brings it again,
    /// so it may be there already.
    pub(super) fn lead_back(&mut self, loaded: &Loaded, entries: usize, malformed: usize) {
        if loaded.renderings.is_empty() {
            return;
        }
        for bad in &mut self.malformed[malformed..] {
            bad.span = loaded.shown_span(bad.span);
        }
        let known: Vec<_> = self.malformed.drain(malformed..).collect();
        for bad in known {
            if !self.malformed.contains(&bad) {
                self.malformed.push(bad);
            }
        }
        for mut entry in self.entries.split_off(entries) {
            let Some(rendering) = loaded.renderings.get(&entry.written.file) else {
                self.entries.push(entry);
                continue;
            };
            // A rendered text holds all templates of a chart: what is said of a file is said of one.
            let rendered = match entry.scope {
                Scope::Span(span) => span,
                Scope::File(span) => rendering.section_span(span),
            };
            let locator = Locator::new(rendering);
            let (Some(written), Some(name)) = (locator.locate(entry.written), locator.locate(entry.span)) else {
                entry.scope = Scope::Span(rendered);
                self.entries.push(entry);
                continue;
            };
            entry.also.push(rendered);
            if written.is_same_text {
                let comment = rendering.source().slice(entry.written).starts_with('#');
                entry.scope = match entry.scope {
                    Scope::File(_) => Scope::File(written.primary),
                    Scope::Span(_) if comment => Scope::Span(line_or_next(loaded, written.primary)),
                    Scope::Span(_) => Scope::Span(written.primary),
                };
            } else {
                entry.scope = Scope::Span(rendered);
            }
            if written.is_proven {
                (entry.written, entry.span) = (written.primary, name.primary);
            }
            match self.entries.iter_mut().find(|e| e.span == entry.span && e.rule == entry.rule) {
                Some(known) => known.also.append(&mut entry.also),
                None => self.entries.push(entry),
            }
        }
    }
}

/// What a comment in a template covers there.
fn line_or_next(loaded: &Loaded, comment: Span) -> Span {
    let source = loaded.sources.file(comment.file);
    let line = source.line_span(source.line_index(comment.start)).unwrap_or(comment);
    let before = Span { end: comment.start, ..line };
    let trailing = !source.slice(before).trim().is_empty();
    cover::covered(source, &Comment { span: comment, trailing })
}
