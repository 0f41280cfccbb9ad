use crate::lint::prelude::*;
use crate::lint::suppress::Suppression;

pub fn check(cx: &mut RunContext<'_>) {
    let mut last = None;
    let suppressions = cx.suppressions;
    let bare = |s: &&Suppression| s.reason.is_empty() && s.is_known();
    for suppression in suppressions.entries.iter().filter(bare) {
        // One comment may name several rules.
        if last.replace(suppression.written) == Some(suppression.written) {
            continue;
        }
        cx.report(suppression.span, format!("nothing says why `{}` is ignored here", suppression.rule))
            .help("write the reason behind it")
            .note("a reason lets the next person judge whether it still holds");
    }
}
