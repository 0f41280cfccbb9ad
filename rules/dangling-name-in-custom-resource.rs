use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let Some(kustomize) = &cx.unit.kustomize else { return };
    for left in &kustomize.dangling {
        cx.report(left.span, format!("nothing is called `{}` any more: it is `{}` now", left.name, left.now))
            .related(left.object, "the object that is renamed")
            .help("add the field to `configurations` as a nameReference, or switch the prefix or hash off for this object")
            .note("Kustomize follows names in the fields of its own table, and this one is not in it");
    }
}
