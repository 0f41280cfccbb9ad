//! Changes of a pod and of the Services in front of it: labels and ports.

use super::engine;
use crate::edit::{At, Changes, Refusal, Value};
use crate::events::{Model, Publisher, Resolved};
use crate::facts::vllm::cli::Role;
use crate::facts::{aibrix, kubernetes};
use crate::k8s::{Container, PodTemplate, Service, ServicePort, TargetPort, Text, Truth};
use crate::lint::Applicability;
use crate::load::Resource;
use crate::yaml::{BlamePart, Node, Written};

/// Lists the ports that the gateway dials among those of an engine's container, where none of the pod does. On the node's own network
/// a port that is listed is also claimed, as the engine does: the scheduler then knows of it.
///
/// # Errors
/// When the list can't be edited.
pub fn list_ports<'t>(publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
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

/// Opens ports in a Service. With more than one port all of them need names, so that one without gets its own. Gives the names of
/// those that had none.
///
/// # Errors
/// When the Service can't be edited.
pub fn open_ports<'t>(
    service: Service<'t>,
    changes: &mut Changes<'t>,
    new: &[(u16, &str)],
) -> Result<Vec<String>, Refusal> {
    let ports = service.ports();
    let named = name_ports(&ports, changes, new)?;
    let last = ports.last().map(|p| p.node);
    for (number, name) in new {
        let mut port = vec![("name", Value::from(*name)), ("port", Value::from(*number))];
        port = with_protocol(last, port);
        port.push(("targetPort", Value::from(*number)));
        changes.append(service.resource.node(), &["spec", "ports"], like(last, port))?;
    }
    Ok(named)
}

/// Gives the ports of a Service that lack one a name: that of the port of the pod, else `http`, as engines serve. Gives the names.
///
/// # Errors
/// When no name is known to be right, or a port can't be edited.
pub fn name_ports<'t>(
    ports: &[ServicePort<'t>],
    changes: &mut Changes<'t>,
    others: &[(u16, &str)],
) -> Result<Vec<String>, Refusal> {
    let mut taken: Vec<String> = ports.iter().filter_map(|p| p.name).map(str::to_string).collect();
    taken.extend(others.iter().map(|(_, name)| (*name).to_string()));
    let before = taken.len();
    for port in ports.iter().filter(|port| port.is_unnamed()) {
        let target = match port.target.known() {
            Some(TargetPort::Name(name)) => Some(name.clone()),
            _ => None,
        };
        let numbered = port.port.known().map(|number| format!("port-{number}"));
        let choices = [target, Some("http".to_string()), numbered].into_iter().flatten();
        let Some(name) = choices.into_iter().find(|name| is_label_name(name) && !taken.contains(name)) else {
            return Err(Refusal::at(
                port.node.grip(),
                "a Service with several ports needs a name for each: give it one",
            ));
        };
        match port.node.get("name") {
            Some(empty) => changes.replace(empty, name.as_str())?,
            None => changes.insert(port.node, At::First, "name", name.as_str())?,
        }
        taken.push(name);
    }
    Ok(taken.split_off(before))
}

/// Whether a text can name the port of a Service (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names).
fn is_label_name(text: &str) -> bool {
    text.len() <= 63
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
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
    let place = |key: &str| match order.iter().position(|k| *k == key) {
        // A name stands in front.
        None if key == "name" => 0,
        found => found.map_or(usize::MAX, |place| place + 1),
    };
    entries.sort_by_key(|(key, _)| place(key));
    Value::map(entries)
}

/// Whether listing a port of that name is all that [`list_port`] does, so that nothing else changes.
pub fn only_lists(publisher: &Publisher<'_>, name: &str) -> bool {
    publisher.pod.host_network().is_none() && publisher.container.port_named(name).is_none()
}

/// Gives what names a port of the pod another name: probes of its container, and Services.
///
/// # Errors
/// When a reference can't be edited.
pub fn rename_references<'t>(
    model: &Model<'t>,
    pod: &PodTemplate<'t>,
    container: Container<'t>,
    changes: &mut Changes<'t>,
    (old, new): (&str, &str),
) -> Result<(), Refusal> {
    for key in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
        if let Some(probe) = container.node.get(key) {
            rename_below(probe, changes, (old, new))?;
        }
    }
    for service in selecting(model, pod) {
        for port in service.ports() {
            match port.node.get("targetPort") {
                Some(target) if target.as_str() == Some(old) => changes.replace(target, Value::from(new))?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn rename_below<'t>(node: Node<'t>, changes: &mut Changes<'t>, (old, new): (&str, &str)) -> Result<(), Refusal> {
    for entry in node.entries() {
        if entry.key.text() == Some("port") && entry.value.as_str() == Some(old) {
            changes.replace(entry.value, Value::from(new))?;
        } else {
            rename_below(entry.value, changes, (old, new))?;
        }
    }
    Ok(())
}

/// Moves a port of an engine where others say its number: the list of its container, and Services that lead to the number.
///
/// # Errors
/// When one of them can't be edited.
pub fn move_port<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    changes: &mut Changes<'t>,
    (old, new): (u16, u16),
) -> Result<(), Refusal> {
    let listed = publisher.container.ports();
    if !publisher.pod_lists(new) {
        let own = listed.iter().find(|p| p.number.known() == Some(&old) && p.is_tcp());
        match own.and_then(|p| p.node.get("containerPort")) {
            Some(node) => changes.replace(node, Value::from(new))?,
            None => {
                let name = engine::ports().into_iter().find(|(number, _)| *number == new).map(|(_, name)| name);
                list_port(publisher, changes, new, name.unwrap_or_default())?;
            }
        }
        // Both numbers were one on the node.
        if let Some(node) = own.and_then(|p| p.node.get("hostPort")).filter(|n| n.as_int() == Some(old.into())) {
            changes.replace(node, Value::from(new))?;
        }
    }
    for service in selecting(model, &publisher.pod) {
        for port in service.ports() {
            if port.target.known() == Some(&TargetPort::Number(old)) {
                changes.set(port.node, &["targetPort"], new)?;
            }
        }
    }
    Ok(())
}

/// The Services that certainly select a pod.
fn selecting<'s, 't>(
    model: &'s Model<'t>,
    pod: &'s PodTemplate<'t>,
) -> impl Iterator<Item = Service<'t>> + use<'s, 't> {
    let selects = |service: &Service<'t>| {
        model.selected(*service).iter().any(|(other, truth)| *truth == Truth::Yes && other.node == pod.node)
    };
    model.services.iter().copied().filter(selects)
}

/// Whether a Service is reached from inside the cluster alone: events are nobody else's business.
pub fn is_internal(service: Service<'_>) -> bool {
    let kind = service.resource.node().at("spec.type").and_then(Node::text);
    kind.is_none_or(|kind| kind == "ClusterIP")
}

/// Gives the pods the label by which the gateway finds them, and the model's name where they lack it: without one they are
/// skipped all the same.
///
/// # Errors
/// When nothing tells the name, or the labels can't be edited.
pub fn announce<'t>(model: &Model<'t>, pod: &PodTemplate<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    let labels = &aibrix::table().labels;
    let enabled = (labels.enabled.key.as_str(), labels.enabled.value.as_deref().unwrap_or_default());
    if pod.labels.has(&labels.model.key) != Some(false) {
        return set_labels(pod, changes, &[enabled]);
    }
    let engine = model.publishers_of(pod).next();
    let engine = engine.ok_or_else(|| Refusal::at(pod.labels_place, "which model the pods serve is not known"))?;
    set_labels(pod, changes, &[enabled, (&labels.model.key, &model_name(engine))])
}

/// Whether [`announce`] adds the one label that was meant and concludes nothing.
pub fn announcing(pod: &PodTemplate<'_>) -> Applicability {
    match pod.labels.has(&aibrix::table().labels.model.key) {
        Some(true) => Applicability::Safe,
        _ => Applicability::Unsafe,
    }
}

/// The name that the gateway knows the model by: the one that it is served under, else the workload's.
pub fn model_name(publisher: &Publisher<'_>) -> String {
    match publisher.flag(Role::ServedModelName) {
        Resolved::Known(Text { value, .. }, _) if is_label_value(&value) => value,
        _ => written_name(publisher.pod.resource),
    }
}

/// The name as the file has it, without what a build puts around it: what is written beside it is shared by all overlays.
pub fn written_name(resource: &Resource) -> String {
    let node = resource.node().at("metadata.name");
    let own = match node.map(Node::written) {
        Some(Written::Node(node)) => node.text().map(str::to_string),
        Some(Written::Parts(parts)) => {
            let home = match resource.node().written() {
                Written::Node(node) => Some(node.source().id()),
                _ => None,
            };
            parts.iter().find_map(|(len, part)| match part {
                BlamePart::Node(tree, id, start) if Some(tree.source().id()) == home => {
                    tree.node(*id).text()?.get(*start..start + len).map(str::to_string)
                }
                _ => None,
            })
        }
        _ => None,
    };
    own.unwrap_or_else(|| resource.name().to_string())
}

/// Sets a label of the pods, where their labels are or would be.
///
/// # Errors
/// When pods of this kind get no labels, or the place can't be edited.
pub fn set_label<'t>(pod: &PodTemplate<'t>, changes: &mut Changes<'t>, key: &str, value: &str) -> Result<(), Refusal> {
    set_labels(pod, changes, &[(key, value)])
}

fn set_labels<'t>(pod: &PodTemplate<'t>, changes: &mut Changes<'t>, labels: &[(&str, &str)]) -> Result<(), Refusal> {
    let refused = || Refusal::at(pod.labels_place, "the pods of this kind can't be given labels");
    if let Some(node) = pod.labels.node {
        return labels.iter().try_for_each(|(key, value)| changes.set(node, &[*key], *value));
    }
    if !pod.can_have_labels {
        return Err(refused());
    }
    match &pod.row.labels {
        // A person writes it in front of the spec.
        None => match pod.node.get("spec").filter(|_| pod.node.get("metadata").is_none()) {
            Some(spec) => {
                let labels = Value::map([("labels", Value::map(labels.iter().copied()))]);
                changes.insert(pod.node, At::Before(spec), "metadata", labels)
            }
            None => {
                labels.iter().try_for_each(|(key, value)| changes.set(pod.node, &["metadata", "labels", *key], *value))
            }
        },
        Some(path) if !path.contains(['[', '*']) => labels.iter().try_for_each(|(key, value)| {
            let mut keys: Vec<&str> = path.split('.').collect();
            keys.push(key);
            changes.set(pod.resource.node(), &keys, *value)
        }),
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
