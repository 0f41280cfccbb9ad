use crate::k8s::VllmCluster;
use crate::k8s::vllm_cluster::GPU;
use crate::lint::prelude::*;

pub fn check(cx: &mut ResourceContext<'_>) {
    let Some(cluster) = VllmCluster::new(cx.resource) else { return };
    let (gpus, requested) = (cluster.gpus(), cluster.requested_gpus());
    if let (Some((limit, at)), Some((request, request_at))) = (gpus.known_at(), requested.known_at())
        && limit != request
    {
        cx.report(request_at, format!("the request for `{GPU}` is {request}, and its limit is {limit}"))
            .related(at, "the limit")
            .help("write the same number in both")
            .note(format!("Kubernetes refuses pods whose request of `{GPU}` is not their limit"));
        return;
    }
    let (tensor, pipeline) = (cluster.tensor_parallel(), cluster.pipeline_parallel());
    let (Some((tp, tp_at)), Some((pp, pp_at))) = (tensor.known_at(), pipeline.known_at()) else { return };
    let Some(needed) = tp.checked_mul(*pp).filter(|n| *n > 0) else { return };
    let sizes = format!("tensor {tp} × pipeline {pp}");
    let (span, message, severity) = match gpus {
        // A cluster on one device may do without a GPU.
        Resolved::Absent(place) if needed > 1 => {
            (place, format!("no GPU is asked for, and {sizes} needs {needed}"), Severity::Error)
        }
        Resolved::Known(have, at) if have < needed => {
            (at, format!("{have} GPUs are too few: {sizes} needs {needed}"), Severity::Error)
        }
        Resolved::Known(have, at) if have > needed => {
            (at, format!("{have} GPUs are more than {sizes} uses, which is {needed}"), Severity::Warning)
        }
        _ => return,
    };
    let mut report = cx.report(span, message).severity(severity);
    for (at, what) in [(tp_at, "the tensor-parallel size"), (pp_at, "the pipeline-parallel size")] {
        // A default stands nowhere.
        if at != cluster.resource.grip() {
            report = report.related(at, what);
        }
    }
    let report = report.help(format!("ask for {needed} of `{GPU}`, or change the sizes"));
    match severity {
        Severity::Error => report.note("the engine ends at start: it can't place all its parts"),
        _ => report.note("the other GPUs are reserved and stay idle"),
    };
}
