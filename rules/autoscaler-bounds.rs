use crate::k8s::Autoscaler;
use crate::lint::prelude::*;

pub fn check(cx: &mut ResourceContext<'_>) {
    let resource = cx.resource;
    let Some(autoscaler) = Autoscaler::new(resource) else { return };
    let (min, max) = (autoscaler.min(), autoscaler.max());
    if let (Some((&least, min_at)), Some((&most, max_at))) = (min.known_at(), max.known_at())
        && least > most
    {
        // Defaults stand nowhere; the number that is written is the one to edit.
        let written = if min_at == resource.grip() { max_at } else { min_at };
        let report = cx.report(written, format!("at least {least} pods are asked for, and at most {most}"));
        let report =
            report.help("make the lower bound the smaller one").note("the autoscaler is refused or does nothing");
        if written == min_at && max_at != resource.grip() {
            report.related(max_at, "the upper bound");
        }
    } else if let Some((&most, max_at)) = max.known_at().filter(|(most, _)| **most < 1) {
        cx.report(max_at, format!("at most {most} pods are asked for"))
            .help("allow at least one pod")
            .note("the autoscaler is refused, or no engine runs");
    }
}
