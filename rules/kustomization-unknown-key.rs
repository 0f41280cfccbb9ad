use crate::lint::prelude::*;
use crate::load::kustomize::ProblemKind;

pub fn check(cx: &mut UnitContext<'_>) {
    let Some(kustomize) = &cx.unit.kustomize else { return };
    for problem in kustomize.problems.iter().filter(|p| p.kind == ProblemKind::UnknownKey) {
        let report = cx.report(problem.span, problem.message.clone());
        let report = match &problem.help {
            Some(help) => report.help(help.clone()),
            None => report,
        };
        report.note("`kustomize build` stops here");
    }
}
