//! Policies with their selectors looked up, so that asking one is a look into sets.

use crate::facts::kubernetes;

use super::super::policy::{Direction, NetworkPolicy, Peer, PolicyPort, PolicyRule, PortRange};
use super::super::{Labels, Selector, Truth};
use super::bits::{Bits, Tri};
use super::connections::Connections;
use super::labels::LabelIndex;
use super::{NamespaceId, NamespaceName, Others, Policy, Reach, Reading, Rule, RulePeer, RulePorts, Who};

/// What compiling a policy needs, made once.
pub(super) struct Compiler<'r, 't> {
    reach: &'r Reach<'t>,
    pods: LabelIndex<'t>,
    spaces: LabelIndex<'t>,
    members: Vec<Bits>,
    host_network: Bits,
}

impl<'r, 't> Compiler<'r, 't> {
    pub(super) fn new(reach: &'r Reach<'t>) -> Compiler<'r, 't> {
        let careful = reach.assumptions.reading == Reading::Careful;
        let count = reach.endpoints.len();
        let mut pods = LabelIndex::new(count, careful);
        let mut members = vec![Bits::none(count); reach.namespaces.len()];
        let mut host_network = Bits::none(count);
        for (id, endpoint) in reach.endpoints.iter().enumerate() {
            members[endpoint.namespace].insert(id);
            if endpoint.host_network && careful {
                host_network.insert(id);
            }
            match &endpoint.who {
                Who::Pods(pod) => {
                    pods.insert_all(id, pod.labels);
                    if careful && !kubernetes::is_built_in(pod.resource.group()) {
                        pods.open(id);
                    }
                }
                Who::Assumed(pod) => {
                    pod.labels.iter().for_each(|(key, value)| pods.insert(id, key, value));
                    match &pod.others {
                        Others::Only(keys) => keys.iter().for_each(|key| pods.perhaps(id, key)),
                        Others::AnyBut(keys) => {
                            pods.open(id);
                            keys.iter().for_each(|key| pods.never(id, key));
                        }
                    }
                }
            }
        }
        let mut spaces = LabelIndex::new(reach.namespaces.len(), false);
        let name_label = kubernetes::table().namespace_name_label.as_str();
        for (id, name) in reach.namespaces.iter().enumerate() {
            let object = reach.namespace_name(id).and_then(|name| reach.namespace_objects.get(name));
            match object {
                Some(object) => spaces.insert_all(id, Labels { node: object.node().at("metadata.labels") }),
                None if careful => spaces.open(id),
                None => {}
            }
            match name {
                // Set by the API server, whatever the manifest says.
                NamespaceName::Named(name) => spaces.insert(id, name_label, name),
                NamespaceName::Unwritten | NamespaceName::Template(_) => spaces.open(id),
            }
        }
        Compiler { reach, pods, spaces, members, host_network }
    }

    pub(super) fn policy(&self, view: NetworkPolicy<'t>, namespace: NamespaceId) -> Policy<'t> {
        let count = self.reach.endpoints.len();
        let selected = match view.pod_selector() {
            Some(selector) => self.pods.select(selector),
            None => Tri::all(count),
        };
        // Each network plugin treats pods on the host's network in its own way.
        let selects = selected.clone().and(&self.in_namespace(namespace)).doubt(&self.host_network);
        let compile = |direction: Direction| match view.rules(direction) {
            Some(rules) => rules.into_iter().map(|rule| self.rule(rule, namespace)).collect(),
            None => vec![Rule::unknown(count)],
        };
        Policy {
            view,
            namespace,
            isolates: [view.isolates(Direction::Ingress), view.isolates(Direction::Egress)],
            rules: [compile(Direction::Ingress), compile(Direction::Egress)],
            fits: selected,
            selects,
        }
    }

    /// The endpoints of a namespace, and those that may be in it.
    fn in_namespace(&self, namespace: NamespaceId) -> Tri {
        let mut found = Tri::none(self.reach.endpoints.len());
        for (other, members) in self.members.iter().enumerate() {
            match self.reach.same_namespace(namespace, other) {
                Truth::Yes => found.add(&Tri { yes: members.clone(), maybe: members.clone() }),
                Truth::Unknown => found.maybe.add(members),
                Truth::No => {}
            }
        }
        found
    }

    fn rule(&self, view: PolicyRule<'t>, namespace: NamespaceId) -> Rule<'t> {
        let count = self.reach.endpoints.len();
        if view.is_open() {
            return Rule { view: Some(view), ..Rule::unknown(count) };
        }
        let peers: Vec<RulePeer<'t>> = view.peers.iter().flatten().map(|peer| self.peer(peer, namespace)).collect();
        let mut pods = if view.peers.is_none() { Tri::all(count) } else { Tri::none(count) };
        peers.iter().for_each(|peer| pods.add(&peer.means));
        let everybody = if view.peers.is_none() { Truth::Yes } else { Truth::No };
        let ports = RulePorts::new(view.ports.as_deref());
        Rule { view: Some(view), pods, peers, everybody, ports }
    }

    fn peer(&self, peer: &Peer<'t>, namespace: NamespaceId) -> RulePeer<'t> {
        let count = self.reach.endpoints.len();
        let all = |means: Tri| RulePeer { view: *peer, pods: means.clone(), spaces: means.clone(), means };
        if !peer.node.is_mapping() {
            return all(Tri::unknown(count));
        }
        if peer.block.is_some() {
            return all(match self.reach.assumptions.reading {
                Reading::Careful => Tri::unknown(count),
                Reading::Plain => Tri::none(count),
            });
        }
        let spaces = match (peer.namespaces, peer.pods) {
            (Some(selector), _) => self.namespaces(selector),
            (None, Some(_)) => self.in_namespace(namespace),
            (None, None) => Tri::none(count),
        };
        let pods = peer.pods.map_or_else(|| Tri::all(count), |selector| self.pods.select(selector));
        let means = spaces.clone().and(&pods).doubt(&self.host_network);
        RulePeer { view: *peer, means, pods, spaces }
    }

    /// The endpoints of the namespaces that a selector selects.
    fn namespaces(&self, selector: Selector<'t>) -> Tri {
        let chosen = self.spaces.select(selector);
        let mut found = Tri::none(self.reach.endpoints.len());
        for (id, members) in self.members.iter().enumerate() {
            match chosen.get(id) {
                Truth::Yes => found.add(&Tri { yes: members.clone(), maybe: members.clone() }),
                Truth::Unknown => found.maybe.add(members),
                Truth::No => {}
            }
        }
        found
    }
}

impl RulePorts {
    fn new(ports: Option<&[PolicyPort<'_>]>) -> RulePorts {
        let Some(ports) = ports else {
            return RulePorts { yes: Connections::all(), maybe: Connections::all(), named: Vec::new() };
        };
        let mut found = RulePorts { yes: Connections::none(), maybe: Connections::none(), named: Vec::new() };
        for port in ports {
            let Some(protocol) = port.protocol else {
                found.maybe = Connections::all();
                continue;
            };
            match &port.range {
                PortRange::Every => [&mut found.yes, &mut found.maybe].into_iter().for_each(|c| c.insert_all(protocol)),
                PortRange::Numbers(first, last) => {
                    [&mut found.yes, &mut found.maybe].into_iter().for_each(|c| c.insert(protocol, *first, *last));
                }
                PortRange::Named(name) => found.named.push((protocol, name.clone())),
                PortRange::Unknown => found.maybe.insert_all(protocol),
            }
        }
        found
    }
}
