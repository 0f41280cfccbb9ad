use crate::facts::aibrix;
use crate::fix::pod;
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
        // A port that nobody dials needs another number, not a line in the list.
        let missing: Vec<_> = ports
            .into_iter()
            .filter_map(|(port, dialled, name, severity)| Some((*port.known()?, dialled, name, severity)))
            .filter(|(port, dialled, ..)| port.first == *dialled && !publisher.pod_lists(*dialled))
            .collect();
        let only_lists = missing.iter().all(|(_, _, name, _)| pod::only_lists(publisher, name));
        let applicability = if only_lists { Applicability::Safe } else { Applicability::Unsafe };
        for &(port, dialled, name, severity) in &missing {
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
                .mend("list what is missing", applicability, |changes| {
                    missing
                        .iter()
                        .try_for_each(|(_, number, name, _)| pod::list_port(publisher, changes, *number, name))
                })
                .note("AIBrix's documents ask for both ports on the container; policies and Services that name ports need them");
        }
    }
}
