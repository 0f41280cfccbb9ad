//! What is said of a kustomization that does not build, or builds something else than it looks like.

use super::UnitContext;
use crate::load::kustomize::ProblemKind;

/// Reports the problems of some kinds with their places and what to do, for the rule that the context belongs to. `note` says what
/// comes of all of them.
pub fn report_problems(cx: &mut UnitContext<'_>, kinds: &[ProblemKind], note: Option<&str>) {
    let Some(kustomize) = &cx.unit.kustomize else { return };
    for problem in kustomize.problems.iter().filter(|p| kinds.contains(&p.kind)) {
        let mut report = cx.report(problem.span, problem.message.clone()).help(problem.help.clone());
        for (span, text) in &problem.related {
            report = report.related(*span, text.clone());
        }
        if let Some(note) = note {
            report.note(note);
        }
    }
}
