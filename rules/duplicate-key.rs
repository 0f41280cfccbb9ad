use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let unit = cx.unit;
    for document in unit.files.iter().flat_map(|f| f.documents()) {
        let Ok(tree) = &document.content else { continue };
        for (first, later) in tree.duplicate_keys() {
            let key = excerpt(later.text().unwrap_or_default());
            let report = cx
                .report(later.written_span(), format!("the key `{key}` stands twice in this mapping"))
                .label("this one counts")
                .related(first.written_span(), "this one is lost")
                .help("keep one of them");
            if document.is_object() {
                report.note("Kubernetes' reader takes the last and drops the others without a word; Kustomize and strict readers refuse the file");
            } else {
                report
                    .note("most readers take the last and drop the others without a word; strict ones refuse the file");
            }
        }
    }
}
