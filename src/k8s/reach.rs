//! Which connections NetworkPolicies allow between the pods of a unit: for certain, perhaps, and why.
//!
//! Kubernetes' rule: a pod that no policy selects for a direction is open in that direction; a pod that some select is
//! open to what at least one of them lets through; a connection needs the egress of its source and the ingress of its
//! destination. Source: <https://kubernetes.io/docs/concepts/services-networking/network-policies/>.
//!
//! What the unit does not tell is unknown, never closed: labels of a namespace that is made elsewhere, text that a
//! renderer fills in, pods on the host's network (each network plugin treats them in its own way), and whether an `ipBlock`
//! covers a pod (some plugins say yes, some no).

pub mod bits;
pub mod connections;
mod labels;
mod list;
mod verdict;

use std::collections::HashMap;

use crate::facts::kubernetes;
use crate::load::{Resource, Unit};
use crate::yaml::{Node, NodeId};

use super::policy::{Direction, NetworkPolicy, Peer, PolicyPort, PolicyRule, PortRange, Protocol};
use super::text::is_template;
use super::{Labels, PodTemplate, Selector, Truth, Workload};
use bits::{Bits, Tri};
use connections::Connections;
use labels::LabelIndex;

pub use list::{Connection, End};
pub use verdict::{Obstacle, Side, Verdict, Why};

/// How to read what the manifests leave open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// What is not known stays unknown.
    #[default]
    Careful,
    /// What is not written is not there, pods on the host's network are pods as others, and an `ipBlock` never means a pod.
    Plain,
}

/// How to read a unit's policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Assumptions<'t> {
    /// The namespace of objects that name none. `None`: one namespace whose name is not known.
    pub namespace: Option<&'t str>,
    /// How to read what the manifests leave open.
    pub reading: Reading,
}

/// The number of an [`Endpoint`] in [`Reach::endpoints`].
pub type EndpointId = usize;
/// The number of a [`Policy`] in [`Reach::policies`].
pub type PolicyId = usize;
type NamespaceId = usize;

/// Labels of an assumed pod beside those that are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Others<'t> {
    /// It may have these keys and no others.
    Only(Vec<&'t str>),
    /// It may have any key but these.
    AnyBut(Vec<&'t str>),
}

/// A pod that is not in the unit and is taken to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumed<'t> {
    /// What to call it.
    pub name: &'t str,
    /// Its namespace.
    pub namespace: &'t str,
    /// Labels that it has.
    pub labels: Vec<(&'t str, &'t str)>,
    /// Labels that it may have.
    pub others: Others<'t>,
}

/// Who takes part in connections.
#[derive(Clone, Debug)]
pub enum Who<'t> {
    /// The pods of a template.
    Pods(Box<PodTemplate<'t>>),
    /// A pod outside of the unit.
    Assumed(Assumed<'t>),
}

/// Pods that are alike.
#[derive(Clone, Debug)]
pub struct Endpoint<'t> {
    /// Who they are.
    pub who: Who<'t>,
    namespace: NamespaceId,
    host_network: bool,
    /// The named ports; `None` for a number that is decided elsewhere.
    ports: Vec<(Protocol, &'t str, Option<u16>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum NamespaceName<'t> {
    Named(&'t str),
    /// Text that is filled in elsewhere; the same text is the same namespace.
    Template(&'t str),
    /// Left to whoever applies the manifest.
    Unwritten,
}

/// What a rule of a policy lets through, compiled.
#[derive(Debug)]
pub struct Rule<'t> {
    /// The rule as written; none for rules that are text filled in elsewhere.
    pub view: Option<PolicyRule<'t>>,
    pods: Tri,
    /// Each peer with the pods that it means.
    pub peers: Vec<RulePeer<'t>>,
    /// Everybody, outside of the cluster too.
    everybody: Truth,
    ports: RulePorts,
}

/// An item of `from` or `to`, compiled.
#[derive(Debug)]
pub struct RulePeer<'t> {
    /// The item as written.
    pub view: Peer<'t>,
    means: Tri,
    pods: Tri,
    spaces: Tri,
}

impl RulePeer<'_> {
    /// Whether it means an endpoint.
    pub fn means(&self, endpoint: EndpointId) -> Truth {
        self.means.get(endpoint)
    }

    /// Whether its `podSelector` selects an endpoint's labels, wherever the endpoint is.
    pub fn fits_labels(&self, endpoint: EndpointId) -> Truth {
        self.pods.get(endpoint)
    }

    /// Whether it means the namespace of an endpoint.
    pub fn fits_namespace(&self, endpoint: EndpointId) -> Truth {
        self.spaces.get(endpoint)
    }
}

#[derive(Debug)]
struct RulePorts {
    yes: Connections,
    maybe: Connections,
    named: Vec<(Protocol, String)>,
}

/// A policy, compiled.
#[derive(Debug)]
pub struct Policy<'t> {
    /// The policy as written.
    pub view: NetworkPolicy<'t>,
    namespace: NamespaceId,
    fits: Tri,
    selects: Tri,
    isolates: [Truth; 2],
    rules: [Vec<Rule<'t>>; 2],
}

/// The pods and policies of a unit.
#[derive(Debug, Default)]
pub struct Reach<'t> {
    /// All pods: those of the unit, then the assumed ones.
    pub endpoints: Vec<Endpoint<'t>>,
    /// All policies.
    pub policies: Vec<Policy<'t>>,
    assumptions: Assumptions<'t>,
    namespaces: Vec<NamespaceName<'t>>,
    /// The Namespace objects.
    namespace_objects: HashMap<&'t str, &'t Resource>,
    /// For each endpoint the policies that may select it.
    selected_by: Vec<Vec<PolicyId>>,
    /// Endpoints by the address of their object and the template's node.
    by_template: HashMap<(usize, NodeId), EndpointId>,
    /// A policy of another API, with which NetworkPolicies alone don't tell what is allowed.
    pub other_policy: Option<&'t Resource>,
}

impl<'t> Reach<'t> {
    /// Compiles a unit's policies.
    pub fn new(
        unit: &'t Unit,
        workloads: &[Workload<'t>],
        assumed: Vec<Assumed<'t>>,
        assumptions: Assumptions<'t>,
    ) -> Reach<'t> {
        let named = |r: &'t Resource| (r.kind() == "Namespace" && r.group().is_empty()).then(|| (r.name(), r));
        let mut reach = Reach {
            endpoints: Vec::new(),
            policies: Vec::new(),
            assumptions,
            namespaces: Vec::new(),
            namespace_objects: unit.resources.iter().filter_map(named).collect(),
            selected_by: Vec::new(),
            by_template: HashMap::new(),
            other_policy: unit.resources.iter().find(|r| kubernetes::is_other_policy(r.group(), r.kind())),
        };
        let mut ids = HashMap::new();
        for pod in workloads.iter().flat_map(|w| &w.pods) {
            let namespace = reach.namespace_of(pod.resource, &mut ids);
            reach.by_template.insert(template_key(pod), reach.endpoints.len());
            reach.endpoints.push(Endpoint {
                namespace,
                host_network: pod.host_network().is_some(),
                ports: named_ports(pod),
                who: Who::Pods(Box::new(pod.clone())),
            });
        }
        for pod in assumed {
            let namespace = reach.namespace(NamespaceName::Named(pod.namespace), &mut ids);
            let who = Who::Assumed(pod);
            reach.endpoints.push(Endpoint { namespace, host_network: false, ports: Vec::new(), who });
        }
        let views: Vec<(NetworkPolicy<'t>, NamespaceId)> = unit
            .resources
            .iter()
            .filter_map(NetworkPolicy::new)
            .map(|view| (view, reach.namespace_of(view.resource, &mut ids)))
            .collect();
        if !views.is_empty() {
            let compiler = Compiler::new(&reach);
            let policies = views.into_iter().map(|(view, namespace)| compiler.policy(view, namespace)).collect();
            reach.policies = policies;
        }
        reach.selected_by = vec![Vec::new(); reach.endpoints.len()];
        for (id, policy) in reach.policies.iter().enumerate() {
            policy.selects.maybe.iter().for_each(|endpoint| reach.selected_by[endpoint].push(id));
        }
        reach
    }

    fn namespace_of(
        &mut self,
        resource: &'t Resource,
        ids: &mut HashMap<NamespaceName<'t>, NamespaceId>,
    ) -> NamespaceId {
        let text = resource.node().at("metadata.namespace").and_then(Node::text).filter(|t| !t.is_empty());
        let name = match text {
            Some(text) if is_template(text) => NamespaceName::Template(text),
            Some(text) => NamespaceName::Named(text),
            None => NamespaceName::Unwritten,
        };
        self.namespace(name, ids)
    }

    fn namespace(&mut self, name: NamespaceName<'t>, ids: &mut HashMap<NamespaceName<'t>, NamespaceId>) -> NamespaceId {
        let key = match (self.assumptions.namespace, name) {
            (Some(given), NamespaceName::Unwritten) => NamespaceName::Named(given),
            _ => name,
        };
        *ids.entry(key).or_insert_with(|| {
            self.namespaces.push(key);
            self.namespaces.len() - 1
        })
    }

    /// The name of a namespace, where it is known.
    fn namespace_name(&self, id: NamespaceId) -> Option<&'t str> {
        match self.namespaces.get(id)? {
            NamespaceName::Named(name) => Some(name),
            NamespaceName::Unwritten | NamespaceName::Template(_) => None,
        }
    }

    /// Whether two namespaces are the same.
    fn same_namespace(&self, a: NamespaceId, b: NamespaceId) -> Truth {
        match (self.namespace_name(a), self.namespace_name(b)) {
            _ if a == b => Truth::Yes,
            (Some(_), Some(_)) => Truth::No,
            _ => Truth::Unknown,
        }
    }

    /// The namespace of an endpoint, where it is known.
    pub fn namespace_of_endpoint(&self, id: EndpointId) -> Option<&'t str> {
        self.namespace_name(self.endpoints.get(id)?.namespace)
    }

    /// Whether an endpoint lies in the namespace of a policy.
    pub fn shares_namespace(&self, endpoint: EndpointId, policy: PolicyId) -> Truth {
        match (self.endpoints.get(endpoint), self.policies.get(policy)) {
            (Some(endpoint), Some(policy)) => self.same_namespace(endpoint.namespace, policy.namespace),
            _ => Truth::Unknown,
        }
    }

    /// The endpoint of a pod template.
    pub fn endpoint_of(&self, pod: &PodTemplate<'t>) -> Option<EndpointId> {
        self.by_template.get(&template_key(pod)).copied()
    }

    /// The pods that are taken to be there.
    pub fn assumed(&self) -> impl Iterator<Item = (EndpointId, &Assumed<'t>)> {
        self.endpoints.iter().enumerate().filter_map(|(id, e)| match &e.who {
            Who::Assumed(assumed) => Some((id, assumed)),
            Who::Pods(_) => None,
        })
    }

    /// `namespace/name` of an endpoint; only the name where the namespace is not known.
    pub fn title(&self, id: EndpointId) -> String {
        let name = self.endpoints.get(id).map(Endpoint::name).unwrap_or_default();
        match self.namespace_of_endpoint(id) {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name,
        }
    }

    /// The policies that may select an endpoint.
    pub fn policies_on(&self, endpoint: EndpointId) -> impl Iterator<Item = (PolicyId, &Policy<'t>)> {
        let ids = self.selected_by.get(endpoint).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|&id| Some((id, self.policies.get(id)?)))
    }

    /// Whether a pod has a port of this name, and which.
    fn named_port(&self, endpoint: EndpointId, protocol: Protocol, name: &str) -> Option<Option<u16>> {
        let endpoint = self.endpoints.get(endpoint)?;
        match &endpoint.who {
            Who::Assumed(_) => Some(None),
            Who::Pods(_) => endpoint.ports.iter().find(|(p, n, _)| *p == protocol && *n == name).map(|(_, _, n)| *n),
        }
    }
}

impl<'t> Endpoint<'t> {
    /// The object's name, with the part of it where its pods are of several kinds.
    pub fn name(&self) -> String {
        match &self.who {
            Who::Pods(pod) => match pod.part {
                Some(part) => format!("{}:{part}", pod.resource.name()),
                None => pod.resource.name().to_string(),
            },
            Who::Assumed(assumed) => assumed.name.to_string(),
        }
    }

    /// The template of its pods, when it is in the unit.
    pub fn pod(&self) -> Option<&PodTemplate<'t>> {
        match &self.who {
            Who::Pods(pod) => Some(pod),
            Who::Assumed(_) => None,
        }
    }
}

impl<'t> Policy<'t> {
    /// Whether it selects an endpoint.
    pub fn selects(&self, endpoint: EndpointId) -> Truth {
        self.selects.get(endpoint)
    }

    /// Whether its `podSelector` selects an endpoint's labels, wherever the endpoint is.
    pub fn fits_labels(&self, endpoint: EndpointId) -> Truth {
        self.fits.get(endpoint)
    }

    /// Whether it may select any pod at all.
    pub fn selects_something(&self) -> bool {
        !self.selects.maybe.is_empty()
    }

    /// What it opens in a direction.
    pub fn rules(&self, direction: Direction) -> &[Rule<'t>] {
        match direction {
            Direction::Ingress => &self.rules[0],
            Direction::Egress => &self.rules[1],
        }
    }

    /// Whether it closes what it does not open in a direction.
    pub fn isolates(&self, direction: Direction) -> Truth {
        match direction {
            Direction::Ingress => self.isolates[0],
            Direction::Egress => self.isolates[1],
        }
    }
}

fn template_key(pod: &PodTemplate<'_>) -> (usize, NodeId) {
    (std::ptr::from_ref(pod.resource) as usize, pod.node.id())
}

fn named_ports<'t>(pod: &PodTemplate<'t>) -> Vec<(Protocol, &'t str, Option<u16>)> {
    let mut found = Vec::new();
    for container in pod.containers() {
        for port in container.ports() {
            if let (Some(name), Some(protocol)) = (port.name.and_then(Node::text), Protocol::parse(port.protocol)) {
                found.push((protocol, name, port.number.known().copied()));
            }
        }
    }
    found
}

/// What compiling a policy needs, made once.
struct Compiler<'r, 't> {
    reach: &'r Reach<'t>,
    pods: LabelIndex<'t>,
    spaces: LabelIndex<'t>,
    members: Vec<Bits>,
    host_network: Bits,
}

impl<'r, 't> Compiler<'r, 't> {
    fn new(reach: &'r Reach<'t>) -> Compiler<'r, 't> {
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

    fn policy(&self, view: NetworkPolicy<'t>, namespace: NamespaceId) -> Policy<'t> {
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

impl<'t> Rule<'t> {
    fn unknown(count: usize) -> Rule<'t> {
        let ports = RulePorts { yes: Connections::none(), maybe: Connections::all(), named: Vec::new() };
        Rule { view: None, pods: Tri::unknown(count), peers: Vec::new(), everybody: Truth::Unknown, ports }
    }

    /// Whether it lets an endpoint through at all.
    pub fn admits(&self, endpoint: EndpointId) -> Truth {
        self.pods.get(endpoint)
    }

    /// Whether it lets some connection on a port through, whoever the other side is.
    pub fn may_open(&self, protocol: Protocol, port: u16) -> bool {
        self.ports.maybe.contains(protocol, port) || self.ports.named.iter().any(|(p, _)| *p == protocol)
    }

    /// The connections to a destination that it lets through: certain ones, possible ones.
    pub fn connections(&self, reach: &Reach<'t>, destination: Option<EndpointId>) -> (Connections, Connections) {
        let (mut yes, mut maybe) = (self.ports.yes.clone(), self.ports.maybe.clone());
        for (protocol, name) in &self.ports.named {
            match destination.and_then(|id| reach.named_port(id, *protocol, name)) {
                Some(Some(number)) => {
                    yes.insert(*protocol, number, number);
                    maybe.insert(*protocol, number, number);
                }
                Some(None) => maybe.insert_all(*protocol),
                None => {}
            }
        }
        (yes, maybe)
    }

    /// Whether it lets a connection on a port of an endpoint through, the peers aside.
    pub fn opens(&self, reach: &Reach<'t>, destination: EndpointId, protocol: Protocol, port: u16) -> Truth {
        let (yes, maybe) = self.connections(reach, Some(destination));
        match (yes.contains(protocol, port), maybe.contains(protocol, port)) {
            (true, _) => Truth::Yes,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::No,
        }
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

#[cfg(test)]
#[path = "reach/tests.rs"]
mod tests;
