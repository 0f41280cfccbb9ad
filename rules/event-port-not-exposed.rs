use crate::events::{Model, Publisher};
use crate::facts::aibrix;
use crate::fix::pod;
use crate::k8s::{TargetPort, Truth};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let dial = &aibrix::table().dial;
    let names = &aibrix::table().documented.port_names;
    for publisher in model.engines() {
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
        let Some(severity) = missing.iter().map(|(.., severity)| *severity).max() else { continue };
        let names: Vec<&str> = missing.iter().map(|(_, _, name, _)| name.as_str()).collect();
        let services = named_by_services(model, publisher, &names);
        // A Service without its port has no endpoint for it.
        let severity = if services.is_empty() { severity } else { Severity::Error };
        let place = container.node.entry("ports").map_or_else(|| container.grip(), |entry| entry.key.span());
        let join = |words: Vec<String>, and: &str| words.join(and);
        let titles = missing.iter().map(|(port, dialled, ..)| format!("the {} {dialled}", port.what.name())).collect();
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let lines = missing.iter().map(|(_, dialled, ..)| format!("`containerPort: {dialled}`")).collect();
        let items =
            missing.iter().map(|(_, dialled, name, _)| format!("`- {{name: {name}, containerPort: {dialled}}}`"));
        let message =
            format!("{} {verb} not among the ports of container `{}`", join(titles, " and "), container.name());
        let mut report = cx
            .report(place, message)
            .severity(severity)
            .label(format!("no {} in this pod", join(lines, " and no ")))
            .help(format!("add {} to the container's ports", join(items.collect(), " and ")))
            .mend("list what is missing", applicability, |changes| {
                missing.iter().try_for_each(|(_, number, name, _)| pod::list_port(publisher, changes, *number, name))
            });
        for (port, dialled, ..) in &missing {
            let what = port.what.name();
            report = report.related(
                port.span,
                match port.is_default {
                    true => format!("the {what} is the engine's default, {dialled}"),
                    false => format!("the {what} is set here"),
                },
            );
        }
        for (span, name) in services {
            report = report.related(span, format!("this Service leads to a port named `{name}`"));
        }
        report.note(
            "AIBrix's documents ask for both ports on the container; policies and Services that name ports need them",
        );
    }
}

/// Where Services lead to ports of these names, which the pods of an engine do not list.
fn named_by_services(model: &Model<'_>, publisher: &Publisher<'_>, names: &[&str]) -> Vec<(Span, String)> {
    let mut found = Vec::new();
    for service in &model.services {
        if !model.selected(*service).iter().any(|(pod, truth)| pod.node == publisher.pod.node && *truth == Truth::Yes) {
            continue;
        }
        for port in service.ports() {
            match (&port.target, port.leads_to(&publisher.pod)) {
                (Resolved::Known(TargetPort::Name(name), span), Resolved::Absent(_))
                    if names.contains(&name.as_str()) =>
                {
                    found.push((*span, name.clone()));
                }
                _ => {}
            }
        }
    }
    found
}
