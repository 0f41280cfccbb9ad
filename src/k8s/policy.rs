//! NetworkPolicy of `networking.k8s.io/v1`, as it is written: what it selects, which directions it isolates, what it opens.
//!
//! Source: Kubernetes API reference, NetworkPolicy v1; defaults from `pkg/apis/networking/v1/defaults.go`.

pub mod ip;

use std::ops::RangeInclusive;

use crate::facts::kubernetes;
use crate::load::Resource;
use crate::source::Span;
use crate::yaml::{Node, Scalar, is_unfinished};

use super::selector::{Selector, Truth};
use ip::Cidr;

/// Which way a connection is opened, seen from the pod that a policy selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Towards the pod.
    Ingress,
    /// From the pod.
    Egress,
}

impl Direction {
    /// The word in `policyTypes`.
    pub fn policy_type(self) -> &'static str {
        match self {
            Direction::Ingress => "Ingress",
            Direction::Egress => "Egress",
        }
    }

    /// The key of the rules.
    pub fn key(self) -> &'static str {
        match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        }
    }

    /// The key of a rule's peers.
    pub fn peers_key(self) -> &'static str {
        match self {
            Direction::Ingress => "from",
            Direction::Egress => "to",
        }
    }
}

/// A transport protocol that policies know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "nothing to add to the names")]
pub enum Protocol {
    Sctp,
    Tcp,
    Udp,
}

impl Protocol {
    /// Every protocol, in the order in which they are printed.
    pub const ALL: [Protocol; 3] = [Protocol::Sctp, Protocol::Tcp, Protocol::Udp];

    /// The word in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Sctp => "SCTP",
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
        }
    }

    /// The protocol of a word; `None` for one that Kubernetes refuses.
    pub fn parse(word: &str) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|p| p.as_str() == word)
    }

    fn of(node: Node<'_>) -> Option<Protocol> {
        let word = node.get("protocol").filter(|n| !n.is_null()).and_then(Node::text).filter(|t| !t.is_empty());
        Protocol::parse(word.unwrap_or(&kubernetes::table().default_protocol))
    }
}

/// A NetworkPolicy.
#[derive(Clone, Copy, Debug)]
pub struct NetworkPolicy<'t> {
    /// The object.
    pub resource: &'t Resource,
}

/// One item of `ingress` or `egress`.
#[derive(Clone, Debug)]
pub struct PolicyRule<'t> {
    /// Its mapping.
    pub node: Node<'t>,
    /// Who is let through; `None`: everybody.
    pub peers: Option<Vec<Peer<'t>>>,
    /// On which ports; `None`: on all.
    pub ports: Option<Vec<PolicyPort<'t>>>,
}

/// One item of `from` or `to`. Without any field it lets nobody through, and the API server refuses it.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'t> {
    /// Its mapping.
    pub node: Node<'t>,
    /// Pods; without `namespaces`, of the policy's own namespace.
    pub pods: Option<Selector<'t>>,
    /// Namespaces; without `pods`, all pods in them.
    pub namespaces: Option<Selector<'t>>,
    /// Addresses.
    pub block: Option<Node<'t>>,
}

/// Which ports an item of `ports` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortRange {
    /// All of the protocol.
    Every,
    /// These numbers, both ends included.
    Numbers(u16, u16),
    /// The container port of this name, whatever its number in each pod.
    Named(String),
    /// Decided elsewhere.
    Unknown,
}

/// One item of `ports`.
#[derive(Clone, Debug)]
pub struct PolicyPort<'t> {
    /// Its mapping.
    pub node: Node<'t>,
    /// The protocol; `None` where it is decided elsewhere or not a protocol.
    pub protocol: Option<Protocol>,
    /// The ports.
    pub range: PortRange,
}

impl<'t> NetworkPolicy<'t> {
    /// The view of an object that is a NetworkPolicy.
    pub fn new(resource: &'t Resource) -> Option<NetworkPolicy<'t>> {
        let known = resource.kind() == "NetworkPolicy" && resource.group() == kubernetes::table().network_policy_group;
        known.then_some(NetworkPolicy { resource })
    }

    fn spec(self) -> Option<Node<'t>> {
        self.resource.node().get("spec")
    }

    /// `name`, or `namespace/name` where a namespace is written.
    pub fn title(self) -> String {
        match self.resource.namespace() {
            Some(namespace) => format!("{namespace}/{}", self.resource.name()),
            None => self.resource.name().to_string(),
        }
    }

    /// The pods that it is about; `None` means every pod of its namespace.
    pub fn pod_selector(self) -> Option<Selector<'t>> {
        let node = self.spec()?.get("podSelector").filter(|n| !n.is_null())?;
        Some(Selector::Expressions(node))
    }

    /// The place of the selector: the first label in it, else its key, else the object's name.
    pub fn selector_place(self) -> Span {
        let Some(Selector::Expressions(node)) = self.pod_selector() else { return self.resource.grip() };
        selector_place(node).unwrap_or_else(|| self.resource.grip())
    }

    /// Whether what it does not open in a direction is closed.
    pub fn isolates(self, direction: Direction) -> Truth {
        let Some(spec) = self.spec() else { return Truth::Unknown };
        let types = spec.get("policyTypes").filter(|n| !n.is_null());
        match types {
            Some(node) if !node.is_sequence() => Truth::Unknown,
            Some(node) if !node.is_empty() => {
                let words: Vec<&str> = node.items().into_iter().map(|n| n.text().unwrap_or("")).collect();
                if words.contains(&direction.policy_type()) {
                    Truth::Yes
                } else if words.iter().any(|w| is_unfinished(w)) {
                    Truth::Unknown
                } else {
                    Truth::No
                }
            }
            // The default: ingress always, egress where rules are written for it.
            _ => match direction {
                Direction::Ingress => Truth::Yes,
                Direction::Egress => match spec.get("egress") {
                    Some(rules) if rules.is_sequence() && !rules.is_empty() => Truth::Yes,
                    Some(rules) if !rules.is_sequence() && !rules.is_null() => Truth::Unknown,
                    _ => Truth::No,
                },
            },
        }
    }

    /// What it opens in a direction. `None` where that is decided elsewhere (`ingress: {{ … }}`).
    pub fn rules(self, direction: Direction) -> Option<Vec<PolicyRule<'t>>> {
        match self.spec().and_then(|s| s.get(direction.key())) {
            None => Some(Vec::new()),
            Some(node) if node.is_null() => Some(Vec::new()),
            Some(node) if node.is_sequence() => {
                Some(node.items().into_iter().map(|rule| PolicyRule::new(rule, direction)).collect())
            }
            Some(_) => None,
        }
    }

    /// The place that closes a direction: its rules' key where they are empty, else the word in `policyTypes`, else the
    /// object's name.
    pub fn isolation_place(self, direction: Direction) -> Span {
        let Some(spec) = self.spec() else { return self.resource.grip() };
        if let Some(entry) = spec.entry(direction.key()) {
            return entry.key.span();
        }
        let types = spec.get("policyTypes").map(Node::items).unwrap_or_default();
        let word = types.into_iter().find(|n| n.text() == Some(direction.policy_type()));
        word.map_or_else(|| self.resource.grip(), Node::span)
    }
}

/// The first value that a selector asks for, else the key of the selector.
pub fn selector_place(node: Node<'_>) -> Option<Span> {
    let first = node.get("matchLabels").and_then(|m| m.entries().into_iter().next()).map(|e| e.value.grip());
    let expression = || node.get("matchExpressions").and_then(|e| e.items().into_iter().next());
    let expression = || expression().map(|e| e.get("key").map_or_else(|| e.grip(), Node::span));
    first.or_else(expression).or_else(|| node.key_span())
}

impl<'t> PolicyRule<'t> {
    fn new(node: Node<'t>, direction: Direction) -> PolicyRule<'t> {
        // An empty list is the same as none: everybody, every port.
        let list = |key: &str| node.get(key).filter(|n| !n.is_empty());
        PolicyRule {
            node,
            peers: list(direction.peers_key()).map(|n| n.items().into_iter().map(Peer::new).collect()),
            ports: list("ports").map(|n| n.items().into_iter().map(PolicyPort::new).collect()),
        }
    }

    /// Whether a part that should be a list is text that is filled in elsewhere.
    pub fn is_open(&self) -> bool {
        let scalar = |key: &str| self.node.get(key).is_some_and(|n| !n.is_sequence() && !n.is_null());
        !self.node.is_mapping() && !self.node.is_null() || ["from", "to", "ports"].into_iter().any(scalar)
    }

    /// The key of the list of ports, else the rule.
    pub fn ports_place(&self) -> Span {
        self.node.entry("ports").map_or_else(|| self.node.grip(), |e| e.key.span())
    }
}

impl<'t> Peer<'t> {
    fn new(node: Node<'t>) -> Peer<'t> {
        let selector = |key: &str| node.get(key).filter(|n| !n.is_null()).map(Selector::Expressions);
        Peer {
            node,
            pods: selector("podSelector"),
            namespaces: selector("namespaceSelector"),
            block: node.get("ipBlock").filter(|n| !n.is_null()),
        }
    }

    /// The addresses of `ipBlock`; `None` where there is none. The error: a range that can't be read here.
    pub fn addresses(self) -> Option<Result<ip::Addresses, Span>> {
        let block = self.block?;
        let range = |node: Node<'t>| node.text().and_then(Cidr::parse).ok_or_else(|| node.grip());
        let cidr = match block.get("cidr") {
            Some(node) => range(node),
            None => Err(block.grip()),
        };
        Some(cidr.and_then(|cidr| {
            let mut found = ip::Addresses::of(cidr);
            for node in block.get("except").map(Node::items).unwrap_or_default() {
                found.remove(range(node)?);
            }
            Ok(found)
        }))
    }
}

impl<'t> PolicyPort<'t> {
    fn new(node: Node<'t>) -> PolicyPort<'t> {
        PolicyPort { node, protocol: Protocol::of(node), range: port_range(node) }
    }
}

fn port_range(node: Node<'_>) -> PortRange {
    const VALID: RangeInclusive<i64> = 1..=u16::MAX as i64;
    let number = |n: Node<'_>| n.as_int().filter(|i| VALID.contains(i)).and_then(|i| u16::try_from(i).ok());
    let Some(port) = node.get("port").filter(|n| !n.is_null()) else {
        return if node.is_mapping() { PortRange::Every } else { PortRange::Unknown };
    };
    let end = node.get("endPort").filter(|n| !n.is_null());
    match (port.scalar(), number(port)) {
        (_, Some(first)) => match end {
            None => PortRange::Numbers(first, first),
            Some(end) => match number(end) {
                Some(last) if last >= first => PortRange::Numbers(first, last),
                _ => PortRange::Unknown,
            },
        },
        (Some(Scalar::Str(name)), _) if !is_unfinished(name) && end.is_none() => PortRange::Named(name.to_string()),
        _ => PortRange::Unknown,
    }
}

#[cfg(test)]
#[path = "policy/tests.rs"]
mod tests;
