//! The first step of switching events off: what [`super::enable`] adds is taken away, wherever it came from.

use super::run::Migration;
use super::{mark, target};
use crate::edit::{Changes, Refusal};
use crate::events::{Model, Publisher};
use crate::facts::aibrix;
use crate::facts::vllm::env;
use crate::fix::command::CommandLine;
use crate::fix::engine;
use crate::fix::pod::is_internal;
use crate::k8s::{Service, ServicePort, Truth, Workload};
use crate::yaml::Node;

/// Changes one workload. `notes` tell of what may still switch events on.
///
/// # Errors
/// Why nothing of it is changed.
pub fn workload<'t>(
    model: &Model<'t>,
    index: usize,
    migration: &Migration,
    changes: &mut Changes<'t>,
    notes: &mut Vec<String>,
) -> Result<(), Refusal> {
    let workload = &model.workloads[index];
    let engines = target::engines(model, index)?;
    mark::keep_empty(workload, migration.detached, changes)?;
    for starts in engines.chunk_by(|a, b| a.shares_container(b)) {
        let publisher = starts[0];
        for start in starts {
            options(start, changes)?;
        }
        if starts.iter().any(|start| start.is_open()) {
            let title = workload.resource.title();
            let note =
                format!("a part of the command of {title} is decided elsewhere: events may be switched on there");
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        for variable in publisher.container.env_vars() {
            if env::option_by_env(variable.name.text().unwrap_or_default()).is_some() {
                changes.remove_up_to(variable.node, publisher.container.node)?;
            }
        }
        for port in publisher.container.ports() {
            let number = port.number.known().copied();
            if is_for_events(number, port.name.and_then(Node::text)) {
                changes.remove_up_to(port.node, publisher.container.node)?;
            }
        }
        let label = &aibrix::table().labels.enabled.key;
        let own = publisher.pod.labels.entry(label);
        let misplaced = workload.misleading_labels().into_iter().filter_map(|(_, labels)| labels.entry(label));
        let named = model_label(model, workload).and_then(|key| publisher.pod.labels.entry(key));
        for entry in own.into_iter().chain(misplaced).chain(named) {
            changes.remove_up_to(entry.value, workload.resource.node())?;
        }
    }
    // Objects in a cluster have annotations that no manifest tells, so that a patch of them might not fit.
    if let Some(mark) = mark::value(workload.resource, mark::ADDED).filter(|_| !migration.detached) {
        changes.remove_up_to(mark, workload.resource.node())?;
    }
    Ok(())
}

/// The model's name among the pods' labels, where the object says that [`super::enable`] wrote it and nothing selects by it. The
/// gateway routes requests by that label, so that one of anybody else's stays.
fn model_label<'t>(model: &Model<'t>, workload: &Workload<'t>) -> Option<&'t str> {
    let key = aibrix::table().labels.model.key.as_str();
    let mark = mark::value(workload.resource, mark::ADDED);
    let marked = mark.is_some_and(|mark| mark.text() == Some(key));
    let selected = model.unit.resources.iter().any(|r| {
        let selectors = ["spec.selector", "spec.selector.matchLabels", "spec.podSelector.matchLabels"];
        selectors.iter().any(|path| r.node().at(path).is_some_and(|s| s.get(key).is_some()))
    });
    (marked && !selected).then_some(key)
}

/// Closes the ports in the Services that select a changed workload's pods and no other engine that still publishes.
///
/// # Errors
/// When a Service can't be edited.
pub fn services<'t>(
    model: &Model<'t>,
    targets: &[usize],
    migration: &Migration,
    changes: &mut Changes<'t>,
    notes: &mut Vec<String>,
) -> Result<(), Refusal> {
    let is_target =
        |resource: &crate::load::Resource| targets.iter().any(|&i| std::ptr::eq(model.workloads[i].resource, resource));
    for service in &model.services {
        let selected = model.selected(*service);
        let certain = selected.iter().any(|(pod, truth)| *truth == Truth::Yes && is_target(pod.resource));
        if !certain || !selected.iter().all(|(pod, _)| is_target(pod.resource)) || !is_internal(*service) {
            continue;
        }
        let extra = extra_ports(*service);
        for port in &extra {
            changes.remove_up_to(port.node, service.resource.node())?;
        }
        let left = service.ports().len() - extra.len();
        mark::unname_port(model, *service, left, migration.detached, changes, notes)?;
    }
    Ok(())
}

fn extra_ports(service: Service<'_>) -> Vec<ServicePort<'_>> {
    let ports = service.ports();
    let of_events: Vec<bool> = ports.iter().map(|p| is_for_events(p.port.known().copied(), p.name)).collect();
    // A Service needs a port: one that is there for events alone is somebody's own.
    if of_events.iter().all(|events| *events) {
        return Vec::new();
    }
    ports.into_iter().zip(of_events).filter(|(_, events)| *events).map(|(port, _)| port).collect()
}

/// A port that the gateway dials for events, unless its name says that it is for something else.
fn is_for_events(number: Option<u16>, name: Option<&str>) -> bool {
    let words = &aibrix::table().documented.port_name_words;
    engine::ports().iter().any(|(n, _)| Some(*n) == number) && name.is_none_or(|name| words.names_events(name))
}

fn options<'t>(publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    let flag = engine::config_flag(publisher)?;
    if flag.is_none()
        && let Some(config) = publisher.effective_config()
    {
        return Err(Refusal::at(config.key_span, "events are configured in a file; change them there"));
    }
    let line = CommandLine::of(publisher)?;
    let mut found = engine::invented_flags(publisher).into_iter().chain(flag).peekable();
    if publisher.is_open() && found.peek().is_none() {
        return Err(Refusal::at(publisher.command.grip, "a part of the command is decided elsewhere"));
    }
    found.try_for_each(|flag| line.remove(changes, flag))
}
