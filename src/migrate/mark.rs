//! What [`super::enable`] writes down in annotations, because nothing else would tell [`super::disable`] what stood there before.

use crate::edit::{Changes, Empty, Refusal};
use crate::events::Model;
use crate::k8s::{PodTemplate, Service, Workload};
use crate::load::Resource;
use crate::yaml::Node;

/// Of a workload it names the label which stands there for the sake of events alone: requests are routed by it, so that no other is
/// taken away. Of a Service it is the name of its one port, which needed none before.
pub const ADDED: &str = "kvlint.dev/added";

/// Lists and mappings of a workload that somebody wrote, and that were empty: `vllm/args metadata/labels`. Behind the names of keys
/// without a value stands `=`.
const WAS_EMPTY: &str = "kvlint.dev/was-empty";

const NO_VALUE: char = '=';

/// The value of an annotation, where an object has it.
pub fn value<'t>(resource: &'t Resource, key: &str) -> Option<Node<'t>> {
    resource.annotations()?.get(key)
}

/// The lists and mappings that are filled on the way, by their names. Pods that share an object are not told apart by them.
fn collections<'t>(workload: &Workload<'t>) -> Vec<(String, Node<'t>)> {
    let mut found = Vec::new();
    if let Some(annotations) = workload.resource.node().at("metadata.annotations") {
        found.push(("annotations".to_string(), annotations));
    }
    let [pod] = workload.pods.as_slice() else { return found };
    for path in ["metadata", "metadata.labels"] {
        found.extend(in_template(pod, path).map(|node| (path.replace('.', "/"), node)));
    }
    for container in pod.containers() {
        for list in ["args", "ports"] {
            found.extend(container.node.get(list).map(|node| (format!("{}/{list}", container.name()), node)));
        }
    }
    found
}

/// A part of a pod's template; kinds with labels in another place have none.
fn in_template<'t>(pod: &PodTemplate<'t>, path: &str) -> Option<Node<'t>> {
    pod.node.at(path).filter(|_| pod.row.labels.is_none())
}

/// Names the empty lists and mappings that a change fills.
///
/// # Errors
/// When the object can't be annotated.
pub fn write_empty<'t>(workload: &Workload<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    let written = value(workload.resource, WAS_EMPTY).and_then(Node::text).unwrap_or_default();
    let mut names: Vec<String> = written.split_whitespace().map(str::to_string).collect();
    let before = names.len();
    let mut add = |changes: &Changes<'t>, own: bool| {
        let all = collections(workload).into_iter().filter(|(name, _)| (name == "annotations") == own);
        for (mut name, node) in all.filter(|(_, node)| node.is_empty() && changes.touch(*node)) {
            if node.is_null() && node.span().is_empty() {
                name.push(NO_VALUE);
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(" ")
    };
    let place = ["metadata", "annotations", WAS_EMPTY];
    let text = add(changes, false);
    if text != written {
        changes.set(workload.resource.node(), &place, text.as_str())?;
    }
    // The annotation itself may be the first.
    let text = add(changes, true);
    match names.len() > before {
        true => changes.set(workload.resource.node(), &place, text.as_str()),
        false => Ok(()),
    }
}

/// Keeps the lists and mappings that were there, empty, and takes the annotation about them away.
///
/// # Errors
/// When the annotation can't be taken away.
pub fn keep_empty<'t>(workload: &Workload<'t>, detached: bool, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    let Some(written) = value(workload.resource, WAS_EMPTY) else { return Ok(()) };
    let names: Vec<&str> = written.text().unwrap_or_default().split_whitespace().collect();
    for (name, node) in collections(workload) {
        let written = names.iter().find(|written| written.trim_end_matches(NO_VALUE) == name);
        match written {
            Some(written) if written.ends_with(NO_VALUE) => changes.keep(node, Empty::Key),
            Some(_) => changes.keep(node, Empty::Brackets),
            None => {}
        }
    }
    match detached {
        true => Ok(()),
        false => changes.remove_up_to(written, workload.resource.node()),
    }
}

/// Takes the name of a Service's one port away, which it was given for the sake of others that go now. A name that is used by then
/// stays, and it is said why.
///
/// # Errors
/// When the Service can't be edited.
pub fn unname_port<'t>(
    model: &Model<'t>,
    service: Service<'t>,
    left: usize,
    detached: bool,
    changes: &mut Changes<'t>,
    notes: &mut Vec<String>,
) -> Result<(), Refusal> {
    let Some(mark) = value(service.resource, ADDED) else { return Ok(()) };
    if !detached {
        changes.remove_up_to(mark, service.resource.node())?;
    }
    let Some(name) = mark.text() else { return Ok(()) };
    let Some(port) = service.ports().into_iter().find(|port| port.name == Some(name)) else { return Ok(()) };
    let why = match model.unit.resources.iter().find(|r| refers(r.node(), name)) {
        _ if left > 1 => "other ports stand beside it".to_string(),
        Some(other) => format!("{} refers to it", other.title()),
        None if !model.unit.is_complete() => "not all that may refer to it is here".to_string(),
        None => match port.node.get("name") {
            Some(node) => return changes.remove(node),
            None => return Ok(()),
        },
    };
    notes.push(format!(
        "the port of {} keeps the name `{name}`, which it was given for the others: {why}",
        service.resource.title()
    ));
    Ok(())
}

/// Whether something speaks of the port of a Service by its name: an Ingress, a monitor, a variable or a DNS name of it. The names of
/// ports themselves and where Services lead to are other names.
fn refers(node: Node<'_>, name: &str) -> bool {
    let variable = format!("_SERVICE_PORT_{}", name.to_uppercase().replace('-', "_"));
    let record = format!("_{name}._tcp");
    let text = |node: Node<'_>| node.text().is_some_and(|text| text.contains(&variable) || text.contains(&record));
    let is_name = |key: &str, value: Node<'_>| {
        let key = key.to_ascii_lowercase();
        key.contains("port") && key != "targetport" && value.as_str() == Some(name)
    };
    let below = |key: &str, value: Node<'_>| match key {
        // `port: {name: http}` of an Ingress.
        "port" => value.get("name").is_some_and(|n| n.as_str() == Some(name)),
        // Those of containers: a probe means the port of the pod.
        "httpGet" | "tcpSocket" => false,
        _ => refers(value, name),
    };
    let entry = |entry: crate::yaml::Entry<'_>| {
        let key = entry.key.text().unwrap_or_default();
        is_name(key, entry.value) || below(key, entry.value)
    };
    text(node) || node.entries().into_iter().any(entry) || node.items().into_iter().any(|item| refers(item, name))
}
