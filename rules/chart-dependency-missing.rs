use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let Some(helm) = &cx.unit.helm else { return };
    for dependency in &helm.missing {
        let label =
            if helm.is_broken { "the chart does not render without it" } else { "the chart is rendered without it" };
        let mut report = cx
            .report(dependency.span, format!("the dependency `{}` is not in charts/", dependency.name))
            .label(label)
            .help("run `helm dependency build` before, or lint what the pipeline renders")
            .note("helm itself renders nothing of a chart that lacks a dependency, be it switched off or not");
        if let Some(why) = &dependency.why_not_local {
            report = report.note(format!("it is not taken from its own folder: {why}"));
        }
    }
}
