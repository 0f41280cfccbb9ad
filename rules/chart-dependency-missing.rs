use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let Some(helm) = &cx.unit.helm else { return };
    for dependency in &helm.missing {
        cx.report(dependency.span, format!("the dependency `{}` is not in charts/", dependency.name))
            .label("the chart is rendered without it")
            .help("run `helm dependency build` before, or lint what the pipeline renders")
            .note("helm itself renders nothing of a chart that lacks a dependency, be it switched off or not");
    }
}
