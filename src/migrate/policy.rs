//! NetworkPolicies that let the gateway reach engines which other policies close.

use crate::config::Config;
use crate::edit::{Refusal, Value, append_document, remove_document};
use crate::events::policies::{self, Needed};
use crate::events::{Model, Publisher};
use crate::facts::{aibrix, kubernetes};
use crate::fix::engine;
use crate::fix::pod::written_name;
use crate::k8s::policy::Direction;
use crate::k8s::reach::Who;
use crate::k8s::{PodTemplate, Selector, Truth};
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
        let pods = Pods::of(publisher)?;
        stay_open(model, needed, &pods)?;
        let closed =
            all.iter().filter(|n| n.publisher.workload == publisher.workload && n.closed(Direction::Ingress).is_some());
        let mut ports: Vec<u16> = closed.map(|n| n.port.number).collect();
        ports.sort_unstable();
        ports.dedup();
        edits.extend(append_document(file, &policy(model, needed, pods.selector, &ports, config))?);
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
        let wanted = [name(workload.resource), format!("{}{}", workload.resource.name(), suffix())];
        let ours = |r: &&Resource| {
            let label = r.node().at("metadata.labels").and_then(|l| l.get(MANAGED_BY.0)).and_then(Node::text);
            r.kind() == KIND
                && (r.name() == wanted[1] || written_name(r) == wanted[0])
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

/// The policy's name as it is written: a build changes it as it changes that of the workload beside it.
fn name(workload: &Resource) -> String {
    format!("{}{}", written_name(workload), suffix())
}

fn suffix() -> String {
    let (_, port) = engine::ports()[0];
    format!("-{port}")
}

/// The pods of an engine, as a policy selects them.
struct Pods<'t> {
    /// What goes into the policy.
    selector: Value,
    /// What selects them, or the labels that do.
    by: By<'t>,
}

enum By<'t> {
    Selector(Selector<'t>),
    Labels(Vec<(&'t str, &'t str)>),
}

impl<'t> Pods<'t> {
    /// The workload's own selector, which is for its pods alone; of pods without one all their labels, but for the one that
    /// `enable` adds.
    fn of(publisher: &Publisher<'t>) -> Result<Pods<'t>, Refusal> {
        let pod = &publisher.pod;
        if let Some(selector) = pod.selector.filter(|s| !s.is_empty()) {
            let node = match selector.node().written() {
                // As it is written: overlays that share it may add to it.
                Written::Node(node) => node,
                _ => selector.node(),
            };
            let copy = Value::of(node)?;
            let selector_value = match selector {
                Selector::Map(_) => Value::map([("matchLabels", copy)]),
                Selector::Expressions(_) => copy,
            };
            return Ok(Pods { selector: selector_value, by: By::Selector(selector) });
        }
        let unclear =
            || Refusal::at(pod.labels_place, "no label tells the pods of this engine from others, as a policy needs");
        if pod.labels.has_templates() {
            return Err(unclear());
        }
        let enabled = &aibrix::table().labels.enabled.key;
        let entries = pod.labels.node.map(Node::entries).unwrap_or_default().into_iter();
        let labels: Vec<(&str, &str)> = entries
            .filter_map(|entry| Some((entry.key.text()?, entry.value.text()?)))
            .filter(|(key, _)| key != enabled)
            .collect();
        if labels.is_empty() {
            return Err(unclear());
        }
        let selector = Value::map([("matchLabels", Value::map(labels.iter().copied()))]);
        Ok(Pods { selector, by: By::Labels(labels) })
    }

    fn may_hold(&self, pod: &PodTemplate<'t>) -> bool {
        match &self.by {
            By::Selector(selector) => selector.selects(&pod.labels) == Truth::Yes,
            By::Labels(labels) => labels.iter().all(|(key, value)| pod.labels.equals(key, value) == Some(true)),
        }
    }
}

/// Refuses a policy that would close pods which are open now: from then on they would hear the gateway alone.
fn stay_open<'t>(model: &Model<'t>, needed: &Needed<'_, 't>, pods: &Pods<'t>) -> Result<(), Refusal> {
    let own = &needed.publisher.pod;
    for (id, endpoint) in model.reach.endpoints.iter().enumerate() {
        let Who::Pods(pod) = &endpoint.who else { continue };
        let other = pod.node != own.node && pod.resource.may_share_namespace(own.resource) && pods.may_hold(pod);
        let closed = model.reach.policies_on(id).any(|(_, policy)| policy.isolates(Direction::Ingress) == Truth::Yes);
        if other && !closed {
            return Err(Refusal::at(
                pod.labels_place,
                format!("the policy that lets the gateway in would close {}, which has the same labels", pod.title()),
            ));
        }
    }
    Ok(())
}

/// The file that an object is written in.
fn file_of(resource: &Resource) -> Result<&SourceFile, Refusal> {
    match resource.node().written() {
        Written::Node(node) => Ok(node.tree().source()),
        _ => Err(Refusal::at(resource.grip(), "the build makes this object: there is no file to add a policy to")),
    }
}

fn policy(model: &Model<'_>, needed: &Needed<'_, '_>, selector: Value, ports: &[u16], config: &Config) -> Value {
    let resource = needed.publisher.pod.resource;
    let mut metadata = vec![("name", Value::from(name(resource)))];
    if let Some(namespace) = namespace_in_file(resource) {
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
                ("podSelector", selector),
                ("policyTypes", Value::list(["Ingress"])),
                ("ingress", Value::List(vec![rule])),
            ]),
        ),
    ])
}

/// The namespace in the file, where a build sets none: it sets it on the policy as well.
fn namespace_in_file(resource: &Resource) -> Option<&str> {
    let node = resource.node().at("metadata.namespace")?;
    match (node.written(), resource.node().written()) {
        (Written::Node(node), Written::Node(home)) if std::ptr::eq(node.tree(), home.tree()) => node.text(),
        _ => None,
    }
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
