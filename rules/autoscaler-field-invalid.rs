use crate::facts::kubernetes;
use crate::k8s::Autoscaler;
use crate::k8s::spec::Fault;
use crate::lint::prelude::*;

pub fn check(cx: &mut ResourceContext<'_>) {
    let resource = cx.resource;
    let faults = if Autoscaler::new(resource).is_some() { cx.faults() } else { return };
    let Some(schema) = kubernetes::spec_schema(resource.api_version(), resource.kind()) else { return };
    let Some(spec) = resource.node().get("spec") else { return };
    let renamed = |path: &str| {
        let field = path.strip_prefix("spec.").unwrap_or_default();
        schema.renamed.iter().any(|r| r.instead.as_deref() == Some(field) && spec.get(&r.written).is_some())
    };
    for fault in faults {
        let note = "the API server refuses the object";
        match fault {
            Fault::WrongType { node, path, expected } => {
                let report = cx.report(node.grip(), format!("`{path}` is not {}", expected.noun())).note(note);
                if *expected == kubernetes::FieldType::String && node.text().is_some() {
                    report.help("put it in quotes");
                } else {
                    report.help(format!("write {} here", expected.noun()));
                }
            }
            Fault::BadValue { node, path, values } => {
                let text = node.text().unwrap_or_default();
                cx.report(node.span(), format!("`{path}` can't be `{text}`"))
                    .help(format!("use one of `{}`", values.join("`, `")))
                    .note(note);
            }
            // Under its wrong name it is there, which is another finding.
            Fault::Missing { path, .. } if renamed(path) => {}
            Fault::Missing { place, path } => {
                cx.report(*place, format!("{} needs `{path}`", resource.kind())).help("add it").note(note);
            }
            Fault::Unknown { .. } => {}
        }
    }
}
