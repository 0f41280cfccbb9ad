use crate::lint::prelude::*;

pub fn check(cx: &mut RunContext<'_>) {
    let suppressions = cx.suppressions;
    for suppression in suppressions.entries.iter().filter(|s| s.ran && s.silenced == 0) {
        cx.report(suppression.span, format!("`{}` finds nothing here that could be ignored", suppression.rule))
            .help("remove it")
            .note("it would hide the next mistake at this place");
    }
}
