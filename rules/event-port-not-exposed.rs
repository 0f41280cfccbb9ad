use crate::facts::aibrix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let dial = &aibrix::table().dial;
    let names = &aibrix::table().documented.port_names;
    for publisher in &model.publishers {
        if publisher.publishing() != Publishing::On || !model.is_for_aibrix(publisher) {
            continue;
        }
        let container = publisher.container;
        let ports = [
            (publisher.event_port(), dial.events, &names.events, Severity::Error),
            (publisher.replay_port(), dial.replay, &names.replay, Severity::Warning),
        ];
        for (port, dialled, name, severity) in ports {
            let Some(port) = port.known() else { continue };
            // A port that nobody dials needs another number, not a line in the list.
            if port.first != dialled || publisher.pod_lists(port.first) {
                continue;
            }
            let what = port.what.name();
            let place = container.node.entry("ports").map_or_else(|| container.grip(), |entry| entry.key.span());
            let here = if port.is_default {
                format!("the {what} is the engine's default, {dialled}")
            } else {
                format!("the {what} is set here")
            };
            cx.report(place, format!("the {what} {dialled} is not among the ports of container `{}`", container.name()))
                .severity(severity)
                .label(format!("no `containerPort: {dialled}` in this pod"))
                .related(port.span, here)
                .help(format!("add `- {{name: {name}, containerPort: {dialled}}}` to the container's ports"))
                .note("AIBrix's documents ask for both ports on the container; policies and Services that name ports need them");
        }
    }
}
