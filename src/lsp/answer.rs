//! Findings as the protocol writes them.

use lsp_types::{
    CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString,
    OptionalVersionedTextDocumentIdentifier, Range, TextDocumentEdit, TextEdit, Uri,
};

use super::analysis::Names;
use super::position::{self, Encoding};
use crate::display::visible;
use crate::lint::{Applicability, Diagnostic, Fix, Severity};
use crate::report::rule_page;
use crate::source::{SourceMap, Span};

/// The name that findings carry in the client.
pub const SOURCE: &str = "kvlint";

/// A finding, ready for the client.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// What the client shows.
    pub diagnostic: lsp_types::Diagnostic,
    /// What mends it.
    pub fix: Option<Change>,
}

/// A fix, ready for the client.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it does, as an imperative.
    pub title: String,
    /// Whether it can be made without a second look.
    pub safe: bool,
    /// The edits by file.
    pub edits: Vec<TextDocumentEdit>,
}

/// A finding and the URI of the file that it stands in. None where its file is on no disk.
pub fn finding(
    diagnostic: &Diagnostic,
    sources: &SourceMap,
    names: &Names,
    encoding: Encoding,
) -> Option<(String, Finding)> {
    let (uri, range) = location(diagnostic.primary.span, sources, names, encoding)?;
    let related = diagnostic.related.iter().filter_map(|label| {
        let (uri, range) = location(label.span, sources, names, encoding)?;
        let message = visible::lines(&label.text);
        Some(DiagnosticRelatedInformation { location: Location { uri, range }, message })
    });
    let mut message = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    for note in &diagnostic.notes {
        message.push_str(&format!("\nnote: {note}"));
    }
    let page = rule_page(diagnostic.rule).parse::<Uri>().ok();
    let shown = lsp_types::Diagnostic {
        range,
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Info => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(diagnostic.rule.to_string())),
        code_description: page.map(|href| CodeDescription { href }),
        source: Some(SOURCE.to_string()),
        message: visible::lines(&message),
        related_information: Some(related.collect()),
        tags: None,
        data: None,
    };
    let fix = diagnostic.fix.as_ref().and_then(|fix| change(fix, sources, names, encoding));
    Some((uri.as_str().to_string(), Finding { rule: diagnostic.rule, diagnostic: shown, fix }))
}

fn location(span: Span, sources: &SourceMap, names: &Names, encoding: Encoding) -> Option<(Uri, Range)> {
    let (uri, _) = names.of(span.file)?;
    Some((uri.clone(), position::range(sources.file(span.file), span, encoding)))
}

/// A fix as edits; none where one of them falls on a text that can't be edited, or where it is for show alone.
fn change(fix: &Fix, sources: &SourceMap, names: &Names, encoding: Encoding) -> Option<Change> {
    let mut edits: Vec<TextDocumentEdit> = Vec::new();
    for edit in &fix.edits {
        let source = sources.file(edit.span.file);
        let (uri, version) = names.of(edit.span.file)?;
        if !source.is_editable() {
            return None;
        }
        let range = position::range(source, edit.span, encoding);
        let edit = lsp_types::OneOf::Left(TextEdit { range, new_text: edit.replacement.clone() });
        match edits.iter_mut().find(|e| e.text_document.uri == *uri) {
            Some(file) => file.edits.push(edit),
            None => {
                // With the count of changes, a client refuses edits of a text that has changed since.
                let text_document = OptionalVersionedTextDocumentIdentifier { uri: uri.clone(), version: *version };
                edits.push(TextDocumentEdit { text_document, edits: vec![edit] });
            }
        }
    }
    let safe = fix.applicability == Applicability::Safe;
    (!edits.is_empty()).then(|| Change { title: visible::line(&fix.title).into_owned(), safe, edits })
}
