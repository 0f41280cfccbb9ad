//! NetworkPolicies on the way from engine to gateway: which connections the gateway needs, and what becomes of each.

pub mod words;

use crate::facts::aibrix;
use crate::k8s::policy::{Direction, Protocol};
use crate::k8s::reach::{EndpointId, Obstacle, Policy, Side, Verdict};
use crate::k8s::{Resolved, Selector, Truth};
use crate::source::Span;
use crate::yaml::Node;

use super::model::Model;
use super::ports::PortUse;
use super::publisher::{Publisher, Publishing};
use super::subscribers::{self, Dialled, Subscriber};

/// A connection that a subscriber and an engine need.
#[derive(Clone, Debug)]
pub struct Needed<'m, 't> {
    /// The engine.
    pub publisher: &'m Publisher<'t>,
    /// The other side.
    pub subscriber: &'m Subscriber,
    /// The port of the side that listens.
    pub port: Dialled,
    /// Where the engine's port is set, or would be.
    pub span: Span,
    /// What the policies say, for each pod that the subscriber may be.
    pub verdicts: Vec<Verdict>,
}

impl Needed<'_, '_> {
    /// Whether it is allowed; unknown where it depends on how the subscriber is installed.
    pub fn truth(&self) -> Truth {
        self.agree(Verdict::truth)
    }

    fn agree(&self, of: impl Fn(&Verdict) -> Truth) -> Truth {
        let mut found = self.verdicts.iter().map(of);
        let first = found.next().unwrap_or(Truth::Unknown);
        if found.all(|other| other == first) { first } else { Truth::Unknown }
    }

    /// The side that closes it, however the subscriber is installed.
    pub fn closed(&self, direction: Direction) -> Option<&Side> {
        let side = |v: &Verdict| match direction {
            Direction::Ingress => v.ingress.truth,
            Direction::Egress => v.egress.truth,
        };
        let first = self.verdicts.first()?;
        let [egress, ingress] = first.sides();
        (self.agree(side) == Truth::No).then_some(if direction == Direction::Ingress { ingress } else { egress })
    }

    /// `aibrix-system/gateway-plugins → default/llama-8b:5557/TCP`.
    pub fn path(&self, model: &Model<'_>) -> String {
        let engine = engine_title(model, self.publisher);
        let other = self.subscriber.title(model);
        let (from, to) = match self.subscriber.direction {
            subscribers::Direction::Dials => (other, engine),
            subscribers::Direction::Binds => (engine, other),
        };
        format!("{from} → {to}:{}/{}", self.port.number, Protocol::Tcp.as_str())
    }
}

/// What to call an engine: `namespace/name`.
pub fn engine_title(model: &Model<'_>, publisher: &Publisher<'_>) -> String {
    model.reach.endpoint_of(&publisher.pod).map_or_else(|| publisher.pod.title(), |id| model.reach.title(id))
}

/// The connections that a subscriber makes to an engine, or an engine to it. Ports that the engine is not known to listen
/// on are left out: those are findings of other rules.
pub fn needed<'m, 't>(
    model: &'m Model<'t>,
    publisher: &'m Publisher<'t>,
    subscriber: &'m Subscriber,
) -> Vec<Needed<'m, 't>> {
    let Some(engine) = model.reach.endpoint_of(&publisher.pod) else { return Vec::new() };
    let mut found = Vec::new();
    for &port in &subscriber.ports {
        let listens = match port.what {
            PortUse::Events => publisher.event_port().known().map(|p| (p.first, p.span)),
            PortUse::Replay => publisher.replay_port().known().map(|p| (p.first, p.span)),
            PortUse::Http => match publisher.http_port() {
                Resolved::Known(number, span) => Some((number, span)),
                _ => None,
            },
            PortUse::NixlSideChannel => None,
        };
        let Some((_, span)) = listens.filter(|(number, _)| *number == port.number) else { continue };
        let verdict = |&other: &EndpointId| match subscriber.direction {
            subscribers::Direction::Dials => model.reach.verdict(other, engine, Protocol::Tcp, port.number),
            subscribers::Direction::Binds => model.reach.verdict(engine, other, Protocol::Tcp, port.number),
        };
        let verdicts = subscriber.endpoints.iter().map(verdict).collect();
        found.push(Needed { publisher, subscriber, port, span, verdicts });
    }
    found
}

/// Every connection that events of the unit need, where the engine is told to publish to AIBrix.
pub fn all_needed<'m, 't>(model: &'m Model<'t>) -> Vec<Needed<'m, 't>> {
    // Policies of another API may open what these close.
    if model.reach.policies.is_empty() || model.reach.other_policy.is_some() {
        return Vec::new();
    }
    let heard = |p: &&Publisher<'t>| p.publishing() == Publishing::On && model.is_for_aibrix(p);
    let pairs = model.engines().filter(heard).flat_map(|p| model.subscribers.iter().map(move |s| (p, s)));
    pairs.flat_map(|(publisher, subscriber)| needed(model, publisher, subscriber)).collect()
}

/// Connections that one place of one policy keeps out.
#[derive(Clone, Debug)]
pub struct Blocked<'m, 't> {
    /// The place and what is wrong with it.
    pub obstacle: Obstacle,
    /// The connections, in the order of engines.
    pub needed: Vec<Needed<'m, 't>>,
}

impl Blocked<'_, '_> {
    /// The numbers of the ports, in order, each once.
    pub fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.needed.iter().map(|n| n.port.number).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Whether nothing but missed events are kept out.
    pub fn is_replay_alone(&self) -> bool {
        self.needed.iter().all(|n| n.port.what == PortUse::Replay)
    }

    /// The pods of the subscribers, each once.
    pub fn subscribers(&self) -> Vec<EndpointId> {
        let mut found: Vec<EndpointId> =
            self.needed.iter().flat_map(|n| n.subscriber.endpoints.iter().copied()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The engines, each once.
    pub fn engines(&self) -> Vec<&Needed<'_, '_>> {
        let mut found: Vec<&Needed<'_, '_>> = Vec::new();
        for needed in &self.needed {
            if !found.iter().any(|f| f.publisher.container.node == needed.publisher.container.node) {
                found.push(needed);
            }
        }
        found
    }
}

/// What is kept out in a direction, one entry for each place that keeps something out.
pub fn blocked<'m, 't>(model: &'m Model<'t>, direction: Direction) -> Vec<Blocked<'m, 't>> {
    let mut found: Vec<Blocked<'m, 't>> = Vec::new();
    for needed in all_needed(model) {
        let Some(obstacle) = needed.closed(direction).and_then(|side| model.reach.obstacle(side)) else { continue };
        match found.iter_mut().find(|b| b.obstacle == obstacle) {
            Some(blocked) => blocked.needed.push(needed),
            None => found.push(Blocked { obstacle, needed: vec![needed] }),
        }
    }
    found
}

/// Words that name the assumption under which a finding holds, where its subscriber is not in the unit.
pub fn assumption(model: &Model<'_>, subscriber: &Subscriber) -> Option<String> {
    if !subscriber.is_assumed(model) {
        return None;
    }
    let namespace = subscriber.namespace(model).unwrap_or_default();
    let labels = |id: &EndpointId| {
        let mut assumed = model.reach.assumed();
        let (_, pod) = assumed.find(|(other, _)| other == id)?;
        Some(pod.labels.iter().map(|(key, value)| format!("`{key}: {value}`")).collect::<Vec<_>>().join(" and "))
    };
    let labels: Vec<String> = subscriber.endpoints.iter().filter_map(labels).collect();
    Some(format!(
        "the gateway is not among these manifests; it is taken to run in `{namespace}` with the labels {} (`gateway` in \
         kvlint.yaml says otherwise)",
        labels.join(", or ")
    ))
}

/// A policy that opens the wrong way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reversed {
    /// The direction that it opens.
    pub direction: Direction,
    /// The place that says whom it is about.
    pub selector: Span,
    /// The peer that should be the selected side.
    pub peer: Span,
}

/// Whether a policy opens the event ports of the gateway to the engines (or lets engines out to them), though the gateway is
/// the one that dials.
pub fn reversed<'t>(model: &Model<'t>, policy: &Policy<'t>) -> Option<Reversed> {
    let dial = &aibrix::table().dial;
    let dials = |s: &&Subscriber| s.direction == subscribers::Direction::Dials;
    let gateways: Vec<EndpointId> =
        model.subscribers.iter().filter(dials).flat_map(|s| s.endpoints.iter().copied()).collect();
    let engines: Vec<EndpointId> = model.publishers.iter().filter_map(|p| model.reach.endpoint_of(&p.pod)).collect();
    let selector = policy.view.pod_selector().filter(|s| !s.is_empty())?;
    let is_gateway = gateways.iter().any(|id| policy.fits_labels(*id) == Truth::Yes);
    let is_engine = names_engines(selector) || engines.iter().any(|id| policy.fits_labels(*id) == Truth::Yes);
    let direction = match (is_gateway, is_engine) {
        (true, false) => Direction::Ingress,
        (false, true) => Direction::Egress,
        _ => return None,
    };
    if policy.isolates(direction) == Truth::No {
        return None;
    }
    for rule in policy.rules(direction) {
        let view = rule.view.as_ref().filter(|v| v.ports.is_some());
        let opens = [dial.events, dial.replay].into_iter().any(|port| rule.may_open(Protocol::Tcp, port));
        if view.is_none() || !opens {
            continue;
        }
        for peer in &rule.peers {
            let Some(pods) = peer.view.pods.filter(|s| !s.is_empty()) else { continue };
            let other = match direction {
                Direction::Ingress => {
                    names_engines(pods) || engines.iter().any(|id| peer.fits_labels(*id) == Truth::Yes)
                }
                Direction::Egress => gateways.iter().any(|id| peer.fits_labels(*id) == Truth::Yes),
            };
            if other {
                let place = crate::k8s::policy::selector_place(pods.node()).unwrap_or_else(|| pods.node().grip());
                return Some(Reversed { direction, selector: policy.view.selector_place(), peer: place });
            }
        }
    }
    None
}

/// Whether a policy would select an engine's pods if the label that asks the gateway to subscribe stood on them as it was meant
/// to. That it does not is a finding of its own, and what follows from it is none.
pub fn selects_as_meant<'t>(model: &Model<'t>, policy: &Policy<'t>, publisher: &Publisher<'t>) -> bool {
    let label = &aibrix::table().labels.enabled;
    let asks_for_it = |node: Node<'t>| match node.get("key").and_then(Node::text) {
        None => node.key_text() == Some(&label.key) && node.text() == label.value.as_deref(),
        Some(key) => {
            let value = |n: &Node<'t>| n.text() == label.value.as_deref();
            let operator = node.get("operator").and_then(Node::text);
            let values = node.get("values").map(Node::items).unwrap_or_default();
            key == label.key && (operator == Some("Exists") || operator == Some("In") && values.iter().any(value))
        }
    };
    let Some(selector) = policy.view.pod_selector() else { return false };
    let unmet: Vec<Node<'t>> = selector
        .requirements(&publisher.pod.labels)
        .into_iter()
        .filter(|(_, truth)| *truth == Truth::No)
        .map(|(node, _)| node)
        .collect();
    publisher.pod.resource.may_share_namespace(policy.view.resource)
        && !unmet.is_empty()
        && unmet.into_iter().all(asks_for_it)
        && asks_to_be_heard(model, publisher)
}

/// Whether an engine's pods were meant to carry the label that asks the gateway to subscribe: it publishes for AIBrix, or the
/// label stands on them with another value, or beside them.
fn asks_to_be_heard<'t>(model: &Model<'t>, publisher: &Publisher<'t>) -> bool {
    let key = &aibrix::table().labels.enabled.key;
    let wanted =
        |value: Node<'t>| value.text().is_none_or(|text| aibrix::parse_bool(&text.to_ascii_lowercase()) != Some(false));
    if let Some(value) = publisher.pod.labels.get(key) {
        return wanted(value);
    }
    let publishes = publisher.publishing() == Publishing::On && model.is_for_aibrix(publisher);
    let beside = model.workloads.get(publisher.workload).map(|w| w.misleading_labels()).unwrap_or_default();
    publishes
        || publisher.pod.annotations.get(key).is_some_and(wanted)
        || beside.iter().any(|(_, labels)| labels.get(key).is_some_and(wanted))
}

/// Whether a selector asks for a label that AIBrix puts on engines.
pub fn names_engines(selector: Selector<'_>) -> bool {
    let labels = &aibrix::table().labels;
    let known = [&labels.enabled.key, &labels.model.key, &labels.engine.key];
    keys(selector).iter().any(|key| known.iter().any(|k| k.as_str() == *key))
}

/// The keys that a selector asks for.
pub fn keys(selector: Selector<'_>) -> Vec<&str> {
    let node = selector.node();
    let labels = node.get("matchLabels").map(Node::entries).unwrap_or_default();
    let expressions = node.get("matchExpressions").map(Node::items).unwrap_or_default();
    let of_labels = labels.into_iter().filter_map(|e| e.key.text());
    of_labels.chain(expressions.into_iter().filter_map(|e| e.get("key").and_then(Node::text))).collect()
}

/// Whether a policy has to do with KV events: it is about engines or gateways, or opens the ports of events.
pub fn concerns_events<'t>(policy: &Policy<'t>) -> bool {
    let dial = &aibrix::table().dial;
    let named = |selector: Selector<'t>| {
        let marks = aibrix::table().installs.iter().flat_map(|i| &i.pod_labels);
        let marks: Vec<_> = marks.chain(&aibrix::table().gateway.pod_labels).collect();
        let labels = selector.node().get("matchLabels");
        names_engines(selector)
            || marks.iter().any(|m| labels.and_then(|l| l.get(&m.key)).and_then(Node::text) == Some(m.value.as_str()))
    };
    let rules = [Direction::Ingress, Direction::Egress].into_iter().flat_map(|d| policy.rules(d));
    let listed = |rule: &crate::k8s::reach::Rule<'t>| {
        let has_list = rule.view.as_ref().is_some_and(|v| v.ports.is_some());
        has_list && [dial.events, dial.replay].into_iter().any(|port| rule.may_open(Protocol::Tcp, port))
    };
    let gateway = |selector: Selector<'t>| !selector.is_empty() && named(selector);
    policy.view.pod_selector().is_some_and(gateway) || rules.into_iter().any(listed)
}
