use crate::facts::aibrix;
use crate::k8s::VllmCluster;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let label = &aibrix::table().labels.enabled;
    for workload in model.workloads.iter().filter(|w| VllmCluster::new(w.resource).is_some()) {
        for (_, labels) in workload.misleading_labels() {
            let Some(entry) = labels.entry(&label.key) else { continue };
            cx.report(entry.key.span(), "the label stays on the custom resource and reaches no pod")
                .help("remove it; to be heard, run the engine in a Deployment whose pod template carries the label")
                .note("the controller writes the StatefulSet and gives its pods labels of its own, so that nothing can be added");
        }
    }
}
