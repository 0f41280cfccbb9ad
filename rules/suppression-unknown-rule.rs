use crate::lint::RULES;
use crate::lint::prelude::*;
use crate::suggest;

pub fn check(cx: &mut RunContext<'_>) {
    let suppressions = cx.suppressions;
    for suppression in suppressions.entries.iter().filter(|s| !s.is_known()) {
        let name = &suppression.rule;
        let report = cx.report(suppression.span, format!("there is no rule `{}`", excerpt(name)));
        let report = match suggest::nearest(name, RULES.iter().map(|r| r.name)) {
            Some(near) => report.label(format!("did you mean `{near}`?")).help(format!("write `{near}`")),
            None => report.help("`kvlint rules` lists the rules"),
        };
        report.note("it silences nothing");
    }
}
