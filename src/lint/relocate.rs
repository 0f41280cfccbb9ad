//! Findings in rendered text are led back to the bytes of the chart that made it, before anybody sees them.

use std::collections::HashMap;
use std::sync::Arc;

use super::diagnostic::{Applicability, Diagnostic, Fix, Label, Rendered};
use crate::edit::Edit;
use crate::load::Loaded;
use crate::load::helm::{Located, Locator, Rendering};
use crate::source::{FileId, Span};

/// Leads places back, for all findings of a run.
pub(super) struct Relocation<'l> {
    locators: HashMap<FileId, Locator<'l>>,
}

impl<'l> Relocation<'l> {
    pub(super) fn new(loaded: &'l Loaded) -> Relocation<'l> {
        let locator = |(id, rendering): (&FileId, &'l Arc<Rendering>)| (*id, Locator::new(rendering));
        Relocation { locators: loaded.renderings.iter().map(locator).collect() }
    }

    fn locate(&self, span: Span) -> Option<Located> {
        self.locators.get(&span.file)?.locate(span)
    }
}

/// Puts every place of a finding where it comes from. The place in the rendered text is kept in [`Diagnostic::rendered`].
pub(super) fn relocate(mut diagnostic: Diagnostic, places: &Relocation<'_>) -> Diagnostic {
    if places.locators.is_empty() {
        return diagnostic;
    }
    let rendered = Rendered {
        primary: diagnostic.primary.span,
        related: diagnostic.related.iter().map(|label| label.span).collect(),
    };
    let mut spans = std::iter::once(&rendered.primary).chain(&rendered.related);
    if spans.any(|span| places.locators.contains_key(&span.file)) {
        diagnostic.rendered.push(rendered);
    }
    let mut more: Vec<Label> = Vec::new();
    for label in &mut diagnostic.related {
        if let Some(located) = places.locate(label.span) {
            label.span = located.primary;
            // What another label is about is in its words; its line is only told where nothing better is known.
            if !located.is_proven {
                label.text = format!("{} ({})", label.text, located.text);
            }
        }
    }
    diagnostic.fix = diagnostic.fix.take().and_then(|fix| relocate_fix(fix, places));
    let span = diagnostic.primary.span;
    if let Some(located) = places.locate(span) {
        diagnostic.primary.span = located.primary;
        let text = &mut diagnostic.primary.text;
        *text = match (text.is_empty(), !located.is_proven) {
            (true, _) => located.text,
            (false, true) => format!("{text} ({})", located.text),
            (false, false) => std::mem::take(text),
        };
        more.extend(located.related.into_iter().map(|(span, text)| Label { span, text }));
        diagnostic.notes.extend(located.notes);
    }
    diagnostic.related.extend(more);
    let primary = diagnostic.primary.span;
    drop_repeated(&mut diagnostic.related, primary);
    diagnostic
}

/// A fix of rendered text is one of the values where it exchanges all of a value; a template prints for many, and is never
/// edited. What is made of the value is up to the template, so such a fix is made when it is asked for.
fn relocate_fix(mut fix: Fix, places: &Relocation<'_>) -> Option<Fix> {
    let mut moved: Vec<Span> = Vec::new();
    for edit in &mut fix.edits {
        if places.locators.contains_key(&edit.span.file) {
            let located = places.locate(edit.span).filter(|l| l.is_value && l.is_same_text && !edit.span.is_empty())?;
            edit.span = located.primary;
            moved.push(edit.span);
            fix.applicability = Applicability::Unsafe;
        }
    }
    // One value may stand in several places: they ask for one edit of it, or can't be had together.
    let mut edits: Vec<Edit> = Vec::new();
    for edit in fix.edits {
        let rival = |other: &Edit| moved.contains(&edit.span) && other.span == edit.span;
        match edits.iter().find(|other| rival(other)) {
            Some(same) if same.replacement == edit.replacement => {}
            Some(_) => return None,
            None => edits.push(edit),
        }
    }
    fix.edits = edits;
    Some(fix)
}

/// Places that fell together are named once.
fn drop_repeated(labels: &mut Vec<Label>, primary: Span) {
    let mut seen: Vec<(Span, String)> = vec![(primary, String::new())];
    labels.retain(|label| {
        let told = seen.iter().any(|(span, text)| *span == label.span && (text.is_empty() || *text == label.text));
        // A place that is the primary one is kept for its words alone.
        let keep = !told || (label.span == primary && !seen.iter().any(|(s, t)| *s == label.span && *t == label.text));
        seen.push((label.span, label.text.clone()));
        keep
    });
}
