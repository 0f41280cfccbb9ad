use crate::lint::prelude::*;
use crate::load::{InputFile, Unit, UnitKind};
use crate::yaml::{Document, OddityKind};

pub fn check(cx: &mut UnitContext<'_>) {
    let unit = cx.unit;
    let documents = unit.files.iter().flat_map(|f| f.documents().iter().map(move |d| (f, d)));
    let read = documents.filter(|(file, document)| is_read_so(unit, file, document));
    for oddity in read.flat_map(|(_, document)| &document.oddities) {
        let help = match oddity.kind {
            OddityKind::DroppedDocument => "put a line `---` before it",
            OddityKind::Tab => "use spaces",
            OddityKind::Escape => "write the character itself",
            OddityKind::NotJson => "use text for keys, and quote what is text",
            OddityKind::MultilineKey => "put the key on one line",
        };
        let report = cx.report(oddity.span, oddity.message.clone()).help(help);
        if oddity.kind == OddityKind::DroppedDocument {
            report.note("nothing says so: the part is missing from the cluster");
        } else {
            report.note("other YAML tools accept it, so it shows only when it is applied");
        }
    }
}

/// Whether Kubernetes' reader gets a document to see: an object, what stands behind it in the same document, and the files of
/// Kustomize and Helm, which use the same reader.
fn is_read_so(unit: &Unit, file: &InputFile, document: &Document) -> bool {
    let object = |text: &str| text.contains("apiVersion:") && text.contains("kind:");
    matches!(unit.kind, UnitKind::Kustomize | UnitKind::Helm)
        || document.is_object()
        || document.oddities.iter().any(|o| o.kind == OddityKind::DroppedDocument)
            && object(file.source.slice(document.span))
}
