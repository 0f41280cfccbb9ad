//! Changes of a pod and of the Services in front of it: labels and ports.

use super::edit::{Changes, Refusal, Value};
use super::engine;
use crate::events::{Publisher, Resolved};
use crate::facts::kubernetes;
use crate::facts::vllm::cli::Role;
use crate::k8s::{Container, PodTemplate, Service, Text};
use crate::yaml::Node;

/// Lists the ports that the gateway dials among those of an engine's container, where none of the pod does.
///
/// # Errors
/// When the list can't be edited.
pub fn list_ports<'t>(publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    // On the node's own network a port that is listed is also claimed.
    if publisher.pod.host_network().is_some() {
        return Ok(());
    }
    for (number, name) in engine::ports() {
        let here = publisher.container.ports();
        if publisher.pod_lists(number) || here.iter().any(|p| p.number.known() == Some(&number)) {
            continue;
        }
        list_port(publisher, changes, number, name)?;
    }
    Ok(())
}

/// Lists a port for events. A port that has its name already, with a number on which nothing else of the engine listens, was meant
/// to be it and gets the number.
///
/// # Errors
/// When the list can't be edited.
pub fn list_port<'t>(
    publisher: &Publisher<'t>,
    changes: &mut Changes<'t>,
    number: u16,
    name: &str,
) -> Result<(), Refusal> {
    let container = publisher.container;
    let listed = container.ports();
    if let Some(port) = listed.iter().find(|p| p.name.and_then(Node::text) == Some(name)) {
        let other = [publisher.http_listener(), publisher.nixl_port()].into_iter().flatten();
        let free = port.number.known().is_some_and(|n| other.into_iter().all(|bound| !bound.contains(*n)));
        if let Some(node) = port.node.get("containerPort").filter(|_| free && port.is_tcp()) {
            return changes.replace(node, Value::from(number));
        }
    }
    let taken = listed.iter().any(|p| p.name.and_then(Node::text) == Some(name));
    let mut port = vec![("containerPort", Value::from(number))];
    if !taken {
        port.push(("name", Value::from(name)));
    }
    let last = listed.last().map(|p| p.node);
    changes.append(container.node, &["ports"], like(last, with_protocol(last, port)))
}

/// Opens a port in a Service.
///
/// # Errors
/// When the Service can't be edited.
pub fn open_port<'t>(
    service: Service<'t>,
    changes: &mut Changes<'t>,
    number: u16,
    name: &str,
) -> Result<(), Refusal> {
    let last = service.ports().last().map(|p| p.node);
    let mut port = vec![("name", Value::from(name)), ("port", Value::from(number))];
    port = with_protocol(last, port);
    port.push(("targetPort", Value::from(number)));
    changes.append(service.resource.node(), &["spec", "ports"], like(last, port))
}

/// With the protocol in so many words, unless the neighbour leaves it out.
fn with_protocol<'k>(neighbour: Option<Node<'_>>, mut port: Vec<(&'k str, Value)>) -> Vec<(&'k str, Value)> {
    if neighbour.is_none_or(|n| n.get("protocol").is_some()) {
        port.push(("protocol", Value::from(kubernetes::table().default_protocol.as_str())));
    }
    port
}

/// Entries in the order of those of a neighbour.
fn like(neighbour: Option<Node<'_>>, mut entries: Vec<(&str, Value)>) -> Value {
    let order: Vec<&str> =
        neighbour.map(|n| n.entries().into_iter().filter_map(|e| e.key.text()).collect()).unwrap_or_default();
    let place = |key: &str| order.iter().position(|k| *k == key).unwrap_or(order.len());
    entries.sort_by_key(|(key, _)| place(key));
    Value::map(entries)
}

/// The container of a pod that lists a port under a name that is right for events.
pub fn container_with<'t>(pod: &PodTemplate<'t>, name: &str) -> Option<Container<'t>> {
    pod.containers().find(|c| c.port_named(name).is_some())
}

/// The name that the gateway knows the model by: the one that it is served under, else the workload's.
pub fn model_name(publisher: &Publisher<'_>) -> String {
    match publisher.flag(Role::ServedModelName) {
        Resolved::Known(Text { value, .. }, _) if is_label_value(&value) => value,
        _ => publisher.pod.resource.name().to_string(),
    }
}

/// Sets a label of the pods, where their labels are or would be.
///
/// # Errors
/// When pods of this kind get no labels, or the place can't be edited.
pub fn set_label<'t>(pod: &PodTemplate<'t>, changes: &mut Changes<'t>, key: &str, value: &str) -> Result<(), Refusal> {
    let refused = || Refusal::at(pod.labels_place, "the pods of this kind can't be given labels");
    if let Some(labels) = pod.labels.node {
        return changes.set(labels, &[key], value);
    }
    if !pod.can_have_labels {
        return Err(refused());
    }
    match &pod.row.labels {
        None => changes.set(pod.node, &["metadata", "labels", key], value),
        Some(path) if !path.contains(['[', '*']) => {
            let mut keys: Vec<&str> = path.split('.').collect();
            keys.push(key);
            changes.set(pod.resource.node(), &keys, value)
        }
        Some(_) => Err(refused()),
    }
}

/// Whether a text can be the value of a label (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set).
fn is_label_value(text: &str) -> bool {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && end(text.chars().next())
        && end(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
