use crate::facts::aibrix;
use crate::k8s::Autoscaler;
use crate::k8s::spec::Fault;
use crate::lint::prelude::*;

pub fn check(cx: &mut ResourceContext<'_>) {
    let resource = cx.resource;
    if Autoscaler::new(resource).is_none() {
        return;
    }
    for fault in cx.faults() {
        let Fault::Unknown { entry, path, instead } = fault else { continue };
        let report = cx.report(entry.key.span(), format!("{} has no field `{path}`", resource.kind()));
        let report = match instead {
            Some(path) => report.help(format!("write it as `{path}`")),
            None => report.help("remove it"),
        };
        let report = report.note("the API server refuses the object, or drops the field where validation is off");
        let labels = entry.value.at("metadata.labels");
        if let Some(label) = labels.and_then(|l| l.entry(&aibrix::table().labels.enabled.key)) {
            report.related(label.key.span(), "no pod gets this label; it belongs on the workload's own pod template");
        }
    }
}
