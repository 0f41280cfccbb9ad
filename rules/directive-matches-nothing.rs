use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let Some(kustomize) = &cx.unit.kustomize else { return };
    for directive in kustomize.directives.iter().filter(|d| d.matched == 0) {
        let help = match directive.field {
            "images" => "write the image's name as the manifests have it, with its registry and without the tag",
            "patches" | "patchesJson6902" => {
                "mend the target: kind, name and namespace as the object has them before this layer's `namespace` and `namePrefix`"
            }
            _ => "mend the names, or take the entry away",
        };
        cx.report(directive.span, format!("{} matches nothing", directive.title))
            .help(help)
            .note(format!("`kustomize build` passes over such an entry of `{}` without a word", directive.field));
    }
}
