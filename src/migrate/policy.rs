//! NetworkPolicies that let the gateway reach engines which other policies close.

use crate::config::Config;
use crate::events::policies::{self, Needed};
use crate::events::{Model, Publisher};
use crate::facts::{aibrix, kubernetes};
use crate::fix::edit::{Refusal, Value, append_document, remove_document};
use crate::fix::engine;
use crate::k8s::policy::Direction;
use crate::lint::Edit;
use crate::load::{Resource, Unit};
use crate::source::SourceFile;
use crate::yaml::{Node, Written};

/// The label by which a policy is known as ours
/// (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/).
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "kvlint");

const KIND: &str = "NetworkPolicy";

/// Adds a policy behind each workload that the gateway is kept out of. `notes` tells of what is closed on the gateway's side.
///
/// # Errors
/// When the workload's file can't take another document.
pub fn enable<'t>(
    model: &Model<'t>,
    targets: &[usize],
    config: &Config,
    notes: &mut Vec<String>,
) -> Result<Vec<Edit>, Refusal> {
    let mut edits = Vec::new();
    let mut done: Vec<usize> = Vec::new();
    let all = policies::all_needed(model);
    for needed in &all {
        let publisher = needed.publisher;
        if !targets.contains(&publisher.workload) {
            continue;
        }
        if needed.closed(Direction::Egress).is_some() {
            let note = format!(
                "a NetworkPolicy keeps the gateway from connecting to {}: allow its egress to ports {}",
                policies::engine_title(model, publisher),
                engine::ports().map(|(n, _)| n.to_string()).join(" and ")
            );
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        if needed.closed(Direction::Ingress).is_none() || done.contains(&publisher.workload) {
            continue;
        }
        done.push(publisher.workload);
        let file = file_of(publisher.pod.resource)?;
        let closed =
            all.iter().filter(|n| n.publisher.workload == publisher.workload && n.closed(Direction::Ingress).is_some());
        let mut ports: Vec<u16> = closed.map(|n| n.port.number).collect();
        ports.sort_unstable();
        ports.dedup();
        edits.extend(append_document(file, &policy(model, needed, &ports, config))?);
    }
    Ok(edits)
}

/// Takes the policies away that [`enable`] adds.
///
/// # Errors
/// When a file can't be edited.
pub fn disable(model: &Model<'_>, targets: &[usize], unit: &Unit) -> Result<Vec<Edit>, Refusal> {
    let mut edits = Vec::new();
    for &index in targets {
        let workload = &model.workloads[index];
        let wanted = name(workload.resource);
        let ours = |r: &&Resource| {
            let label = r.node().at("metadata.labels").and_then(|l| l.get(MANAGED_BY.0)).and_then(Node::text);
            r.kind() == KIND
                && r.name() == wanted
                && label == Some(MANAGED_BY.1)
                && r.may_share_namespace(workload.resource)
        };
        for resource in unit.resources.iter().filter(ours) {
            let Written::Node(node) = resource.node().written() else { continue };
            edits.extend(remove_document(node.tree())?);
        }
    }
    Ok(edits)
}

fn name(workload: &Resource) -> String {
    let (_, port) = engine::ports()[0];
    format!("{}-{port}", workload.name())
}

/// The file that an object is written in.
fn file_of(resource: &Resource) -> Result<&SourceFile, Refusal> {
    match resource.node().written() {
        Written::Node(node) => Ok(node.tree().source()),
        _ => Err(Refusal::at(resource.grip(), "the build makes this object: there is no file to add a policy to")),
    }
}

fn policy(model: &Model<'_>, needed: &Needed<'_, '_>, ports: &[u16], config: &Config) -> Value {
    let publisher = needed.publisher;
    let resource = publisher.pod.resource;
    let mut metadata = vec![("name", Value::from(name(resource)))];
    if let Some(namespace) = resource.written_namespace() {
        metadata.push(("namespace", Value::from(namespace)));
    }
    metadata.push(("labels", Value::map([MANAGED_BY])));
    let port = |number: &u16| Value::map([("protocol", Value::from("TCP")), ("port", Value::from(*number))]);
    let rule = Value::map([
        ("from", Value::List(peers(model, needed, config))),
        ("ports", Value::List(ports.iter().map(port).collect())),
    ]);
    Value::map([
        ("apiVersion", Value::from("networking.k8s.io/v1")),
        ("kind", Value::from(KIND)),
        ("metadata", Value::map(metadata)),
        (
            "spec",
            Value::map([
                ("podSelector", Value::map([("matchLabels", Value::map([engine_label(publisher)]))])),
                ("policyTypes", Value::list(["Ingress"])),
                ("ingress", Value::List(vec![rule])),
            ]),
        ),
    ])
}

/// The label that says which model the pods serve, which every engine that the gateway finds has.
fn engine_label(publisher: &Publisher<'_>) -> (String, Value) {
    let key = &aibrix::table().labels.model.key;
    let value = publisher.pod.labels.get(key).and_then(Node::text).unwrap_or_else(|| publisher.pod.resource.name());
    (key.clone(), Value::from(value))
}

/// The gateway's pods: those of the unit by the label that marks them, else those of each way of installing it.
fn peers(model: &Model<'_>, needed: &Needed<'_, '_>, config: &Config) -> Vec<Value> {
    let inside = needed.subscriber.gateway.and_then(|index| model.gateways.get(index));
    let marks = &aibrix::table().gateway.pod_labels;
    let own = inside.and_then(|g| marks.iter().find(|m| g.pod.labels.equals(&m.key, &m.value) == Some(true)));
    let namespace = inside.and_then(|g| g.pod.resource.namespace()).unwrap_or(&config.gateway.namespace);
    let labels: Vec<Vec<(String, String)>> = match own {
        Some(mark) => vec![vec![(mark.key.clone(), mark.value.clone())]],
        None => config.gateway.labels.clone(),
    };
    let selector = |pairs: Vec<(String, String)>| Value::map([("matchLabels", Value::map(pairs))]);
    let place = (kubernetes::table().namespace_name_label.clone(), namespace.to_string());
    let peer = |labels: Vec<(String, String)>| {
        Value::map([("namespaceSelector", selector(vec![place.clone()])), ("podSelector", selector(labels))])
    };
    labels.into_iter().map(peer).collect()
}
