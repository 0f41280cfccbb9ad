use crate::lint::prelude::*;
use crate::load::kustomize::ProblemKind;

pub fn check(cx: &mut UnitContext<'_>) {
    let Some(kustomize) = &cx.unit.kustomize else { return };
    for problem in kustomize.problems.iter().filter(|p| p.kind == ProblemKind::PatchLost) {
        let mut report = cx.report(problem.span, problem.message.clone());
        for (span, text) in &problem.related {
            report = report.related(*span, text.clone());
        }
        if let Some(help) = &problem.help {
            report.help(help.clone());
        }
    }
}
