use crate::lint::prelude::*;
use crate::load::Content;

pub fn check(cx: &mut UnitContext<'_>) {
    let unit = cx.unit;
    for file in &unit.files {
        if let Content::NotText { span, message } = &file.content {
            cx.report(*span, format!("this file is not text: {message}"))
                .help("save the file as UTF-8, or leave it out with `exclude` in kvlint.yaml");
        }
        for document in file.documents() {
            if let Err(error) = &document.content {
                cx.report(error.span, error.message.clone())
                    .note("the document can't be read, so nothing in it is checked");
            }
        }
    }
}
