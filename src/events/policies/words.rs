//! What is said about a policy that keeps a connection out.

use crate::facts::{aibrix, kubernetes};
use crate::k8s::policy::{Direction, Protocol};
use crate::k8s::reach::{EndpointId, Reach, Who, Why};

use super::super::model::Model;
use super::super::ports::PortUse;
use super::{Blocked, engine_title};

/// Labels of a pod that an advice names at most.
const LABELS: usize = 3;

/// `port 5557`, `ports 5557 and 8000`.
pub fn ports(numbers: &[u16]) -> String {
    let words: Vec<String> = numbers.iter().map(u16::to_string).collect();
    match words.split_last() {
        None => "no port".into(),
        Some((last, [])) => format!("port {last}"),
        Some((last, rest)) => format!("ports {} and {last}", rest.join(", ")),
    }
}

/// `{protocol: TCP, port: 5557}, {protocol: TCP, port: 5558}`.
pub fn port_items(numbers: &[u16]) -> String {
    let item = |number: &u16| format!("{{protocol: {}, port: {number}}}", Protocol::Tcp.as_str());
    numbers.iter().map(item).collect::<Vec<_>>().join(", ")
}

/// The peer that means a namespace: `{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: x}}}`.
pub fn namespace_peer(namespace: &str) -> String {
    let label = &kubernetes::table().namespace_name_label;
    format!("{{namespaceSelector: {{matchLabels: {{{label}: {namespace}}}}}}}")
}

/// The labels of an endpoint, as a person would write them into a selector.
pub fn labels_of(reach: &Reach<'_>, id: EndpointId) -> Option<String> {
    let pair = |key: &str, value: &str| format!("`{key}: {value}`");
    let words: Vec<String> = match &reach.endpoints.get(id)?.who {
        Who::Assumed(pod) => pod.labels.iter().map(|(key, value)| pair(key, value)).collect(),
        Who::Pods(pod) => {
            let entries = pod.labels.node.map(|n| n.entries()).unwrap_or_default();
            let known = entries.iter().filter_map(|e| Some((e.key.text()?, e.value.text()?)));
            known.take(LABELS).map(|(key, value)| pair(key, value)).collect()
        }
    };
    (!words.is_empty()).then(|| words.join(" and "))
}

impl<'t> Blocked<'_, 't> {
    /// The engine, or how many there are.
    pub fn engine_words(&self, model: &Model<'t>) -> String {
        match self.engines().as_slice() {
            [one] => format!("`{}`", engine_title(model, one.publisher)),
            several => format!("{} engines", several.len()),
        }
    }

    /// The two ends as the policy sees them: the one it selects and the one it keeps out.
    fn other(&self, direction: Direction) -> Option<EndpointId> {
        let first = self.needed.first()?;
        match direction {
            Direction::Ingress => first.subscriber.endpoints.first().copied(),
            Direction::Egress => None,
        }
    }

    /// What is wrong, as a message.
    pub fn message(&self, model: &Model<'t>, direction: Direction) -> String {
        let policy = model.reach.policies.get(self.obstacle.policy).map(|p| p.view.title()).unwrap_or_default();
        let ports = ports(&self.ports());
        match (direction, self.obstacle.why) {
            (_, Why::PortName) => format!("`{policy}` opens a port by a name that no container of the engine has"),
            (Direction::Ingress, Why::Port) => format!("`{policy}` lets the gateway in, but not to {ports}"),
            (Direction::Egress, Why::Port) => format!("`{policy}` lets the gateway out to engines, but not to {ports}"),
            (Direction::Ingress, Why::Namespace) => {
                format!("`{policy}` opens {ports} to other namespaces, and not to the gateway's")
            }
            (Direction::Egress, Why::Namespace) => {
                format!("`{policy}` lets the gateway out to {ports} of other namespaces, and not of the engines'")
            }
            (Direction::Ingress, Why::Labels) => {
                format!("`{policy}` opens {ports} to pods with other labels than the gateway's")
            }
            (Direction::Egress, Why::Labels) => {
                format!("`{policy}` lets the gateway out to {ports} of pods with other labels than the engines'")
            }
            (Direction::Ingress, _) => {
                format!("`{policy}` keeps the gateway away from {ports} of {}", self.engine_words(model))
            }
            (Direction::Egress, _) => {
                format!("`{policy}` keeps the gateway from dialling {ports} of {}", self.engine_words(model))
            }
        }
    }

    /// The peer that would let the other end through.
    pub fn peer(&self, model: &Model<'t>, direction: Direction) -> String {
        let namespace = self.needed.first().and_then(|first| match direction {
            Direction::Ingress => first.subscriber.namespace(model),
            Direction::Egress => {
                let engine = model.reach.endpoint_of(&first.publisher.pod)?;
                model.reach.namespace_of_endpoint(engine)
            }
        });
        match namespace {
            Some(namespace) => namespace_peer(namespace),
            // Nothing is written, so both are where the policy is.
            None => "{podSelector: {}}".into(),
        }
    }

    /// What to type.
    pub fn help(&self, model: &Model<'t>, direction: Direction) -> String {
        let items = port_items(&self.ports());
        let peer = self.peer(model, direction);
        match self.obstacle.why {
            Why::Port => format!("add {items} to `ports`"),
            Why::PortName => match self.needed.first() {
                Some(first) => format!("write `{}`, or the name that the container gives this port", first.port.number),
                None => "write the number of the port".into(),
            },
            Why::Labels => match self.other(direction).and_then(|id| labels_of(&model.reach, id)) {
                Some(labels) => {
                    format!("ask for the gateway's own labels, such as {labels}, or leave `podSelector` out")
                }
                None => "ask for labels that the pods have, or leave `podSelector` out".into(),
            },
            Why::Namespace | Why::OtherNamespace => format!("let {peer} through"),
            Why::Closed => {
                let (key, peers) = (direction.key(), direction.peers_key());
                format!("add to `{key}`: {{{peers}: [{peer}], ports: [{items}]}}")
            }
        }
    }

    /// What will happen at run time.
    pub fn consequences(&self, model: &Model<'t>) -> Vec<String> {
        let mut notes = Vec::new();
        for what in [PortUse::Events, PortUse::Replay, PortUse::Http] {
            let Some(needed) = self.needed.iter().find(|n| n.port.what == what) else { continue };
            let path = needed.path(model);
            notes.push(match what {
                PortUse::Events => format!("{path} is closed: the engine's events are never received"),
                PortUse::Replay => {
                    let failure = aibrix::table().replay_failure.note.as_deref().unwrap_or_default();
                    format!("{path} is closed: {failure}")
                }
                _ => {
                    format!("{path} is closed: the gateway can't tokenise with the engine, and its hashes never match")
                }
            });
        }
        notes
    }
}

/// The words that say where the gateway is, for a place in the file.
pub fn gateway_words(model: &Model<'_>, gateway: EndpointId) -> String {
    format!("the gateway `{}` dials from here", model.reach.title(gateway))
}
