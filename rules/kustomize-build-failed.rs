use crate::lint::prelude::*;
use crate::lint::report_problems;
use crate::load::kustomize::ProblemKind;

pub fn check(cx: &mut UnitContext<'_>) {
    report_problems(cx, &[ProblemKind::Failed, ProblemKind::Absent], Some("`kustomize build` stops here"));
}
