use crate::k8s::schema::{self, Patch, Problem, ProblemKind};
use crate::lint::prelude::*;
use crate::suggest;

/// So many missing fields are named for what looks like a patch.
const NAMED: usize = 3;

pub fn check(cx: &mut ResourceContext<'_>) {
    let resource = cx.resource;
    let misfits = cx.misfits();
    // Misspelt it is there, and unknown-field says so.
    let misspelt = |place: &Problem, field: &str| {
        misfits.problems.iter().any(|p| match &p.what {
            ProblemKind::UnknownField { name, expected } => {
                schema::parent_path(&p.path) == place.path
                    && suggest::nearest(name, expected.iter().copied()) == Some(field)
            }
            _ => false,
        })
    };
    let missing = misfits.problems.iter().filter_map(|p| match p.what {
        ProblemKind::Missing { field } if !misspelt(p, field) => Some((p, field)),
        _ => None,
    });
    match misfits.patch {
        Patch::Named => {}
        Patch::Likely => {
            let mut fields: Vec<String> = missing.map(|(_, field)| format!("`{field}`")).collect();
            fields.dedup();
            fields.truncate(NAMED);
            let message = format!("this {} lacks {}: it looks like a patch", resource.kind(), fields.join(" and "));
            cx.report(resource.grip(), message)
                .severity(Severity::Info)
                .help("build the overlay that it belongs to and lint the result")
                .note("applied as it stands, the API server refuses it");
        }
        Patch::No => {
            for (problem, field) in missing {
                let place = match schema::short_path(&problem.path) {
                    "" => format!("this {}", resource.kind()),
                    path => format!("`{path}`"),
                };
                cx.report(schema::place(resource, problem.node), format!("{place} has no `{field}`"))
                    .help(format!("add `{field}`"))
                    .note("the API server refuses the object without it");
            }
        }
    }
}
