//! Code actions: the fixes of the findings under the cursor.

use std::collections::HashMap;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, DocumentChanges, OneOf, Range, TextDocumentEdit,
    TextEdit, Uri, WorkspaceEdit,
};

use super::analysis::Findings;

/// The fixes of the findings that a range touches. A finding that is no longer where it was found is refused by the client, by the
/// version in the edit. A client that does not know `versions` gets edits without any.
pub fn actions(findings: &Findings, params: &CodeActionParams, versions: bool) -> Vec<CodeActionOrCommand> {
    let wanted = |kind: &CodeActionKind| {
        let only = params.context.only.as_deref();
        // A kind asks for all below it: `quickfix` and the empty kind for `quickfix`.
        only.is_none_or(|only| {
            only.iter().any(|o| {
                o.as_str().is_empty()
                    || kind == o
                    || kind.as_str().strip_prefix(o.as_str()).is_some_and(|rest| rest.starts_with('.'))
            })
        })
    };
    if !wanted(&CodeActionKind::QUICKFIX) {
        return Vec::new();
    }
    let here = findings.get(params.text_document.uri.as_str()).into_iter().flatten();
    let mut actions: Vec<CodeActionOrCommand> = Vec::new();
    for finding in here.filter(|f| touch(f.diagnostic.range, params.range)) {
        let Some(fix) = &finding.fix else { continue };
        actions.push(CodeActionOrCommand::CodeAction(CodeAction {
            title: format!("{} ({})", fix.title, finding.rule),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![finding.diagnostic.clone()]),
            edit: Some(if versions {
                let document_changes = Some(DocumentChanges::Edits(fix.edits.clone()));
                WorkspaceEdit { document_changes, ..WorkspaceEdit::default() }
            } else {
                WorkspaceEdit { changes: Some(changes(&fix.edits)), ..WorkspaceEdit::default() }
            }),
            is_preferred: Some(fix.safe),
            ..CodeAction::default()
        }));
    }
    actions
}

#[allow(clippy::mutable_key_type, reason = "the protocol's type; no key is ever changed")]
fn changes(edits: &[TextDocumentEdit]) -> HashMap<Uri, Vec<TextEdit>> {
    let plain = |edit: &OneOf<TextEdit, lsp_types::AnnotatedTextEdit>| match edit {
        OneOf::Left(edit) => edit.clone(),
        OneOf::Right(edit) => edit.text_edit.clone(),
    };
    edits.iter().map(|file| (file.text_document.uri.clone(), file.edits.iter().map(plain).collect())).collect()
}

/// Whether two ranges share a place; a cursor at either end counts.
pub fn touch(a: Range, b: Range) -> bool {
    a.start <= b.end && b.start <= a.end
}
