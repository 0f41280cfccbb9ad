use crate::k8s::schema::{self, ProblemKind};
use crate::lint::prelude::*;
use crate::suggest;

/// Up to this number of fields are listed where none is near.
const LISTED: usize = 6;

pub fn check(cx: &mut ResourceContext<'_>) {
    let resource = cx.resource;
    let misfits = cx.misfits();
    for problem in &misfits.problems {
        let ProblemKind::UnknownField { name, expected } = &problem.what else { continue };
        let parent = schema::short_path(schema::parent_path(&problem.path));
        let place = if parent.is_empty() { format!("a {}", resource.kind()) } else { format!("`{parent}`") };
        let shown = excerpt(name);
        let report = cx.report(schema::place(resource, problem.node), format!("{place} has no field `{shown}`"));
        let report = match suggest::nearest(name, expected.iter().copied()) {
            Some(near) => report.label(format!("did you mean `{near}`?")).help(format!("write `{near}`")),
            None if expected.len() <= LISTED => report.help(format!("its fields are `{}`", expected.join("`, `"))),
            None => report.label("no such field"),
        };
        if misfits.custom {
            report.severity(Severity::Warning).note(
                "this part is a pod's, embedded in a custom kind: the field is refused, or dropped without a word",
            );
        } else {
            report
                .note("`kubectl apply` refuses the object; clients that do not validate drop the field without a word");
        }
    }
}
