use crate::lint::prelude::*;
use crate::load::kustomize::ProblemKind;

pub fn check(cx: &mut UnitContext<'_>) {
    let Some(kustomize) = &cx.unit.kustomize else { return };
    for problem in kustomize.problems.iter().filter(|p| matches!(p.kind, ProblemKind::Failed | ProblemKind::Absent)) {
        let mut report = cx.report(problem.span, problem.message.clone());
        for (span, text) in &problem.related {
            report = report.related(*span, text.clone());
        }
        match &problem.help {
            Some(help) => report.help(help.clone()),
            None => report.note("`kustomize build` stops here"),
        };
    }
}
