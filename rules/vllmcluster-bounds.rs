use crate::k8s::VllmCluster;
use crate::lint::prelude::*;

pub fn check(cx: &mut ResourceContext<'_>) {
    let Some(cluster) = VllmCluster::new(cx.resource).filter(|c| c.is_scaled()) else { return };
    let (min, max, replicas) = (cluster.min(), cluster.max(), cluster.replicas());
    if let (Some((least, min_at)), Some((most, max_at))) = (min.known_at(), max.known_at())
        && least > most
    {
        cx.report(min_at, format!("at least {least} replicas are asked for, and at most {most}"))
            .related(max_at, "the upper bound")
            .help("make the lower bound the smaller one")
            .note("KEDA refuses the ScaledObject that the controller makes of it, so nothing is scaled");
        return;
    }
    let Some((start, start_at)) = replicas.known_at() else { return };
    let bounds = [(min.known_at(), "below", "lower"), (max.known_at(), "above", "upper")];
    for (bound, side, which) in bounds {
        let Some((number, at)) = bound else { continue };
        if (side == "below" && start < number) || (side == "above" && start > number) {
            cx.report(start_at, format!("{start} replicas are {side} the autoscaler's {which} bound of {number}"))
                .severity(Severity::Warning)
                .related(at, format!("the {which} bound"))
                .help("choose a number between the bounds")
                .note("the autoscaler changes the number as soon as it runs, and engines start or stop at once");
        }
    }
}
