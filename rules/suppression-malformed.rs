use crate::lint::prelude::*;

pub fn check(cx: &mut RunContext<'_>) {
    let suppressions = cx.suppressions;
    for malformed in &suppressions.malformed {
        cx.report(malformed.span, malformed.message.clone())
            .help("the forms are `# kvlint: ignore[rule] reason` and `# kvlint: ignore-file[rule] reason`")
            .note("it silences nothing");
    }
}
