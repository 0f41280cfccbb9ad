use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let Some(kustomize) = &cx.unit.kustomize else { return };
    for directive in kustomize.directives.iter().filter(|d| d.matched > 0 && d.changed == 0) {
        cx.report(directive.span, format!("{} changes nothing", directive.title))
            .help("take the entry away, or mend it")
            .note("what it asks for is already there when it runs");
    }
}
