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
mod compile;
pub mod connections;
mod labels;
mod list;
mod verdict;

use std::collections::HashMap;

use crate::facts::kubernetes;
use crate::load::{Resource, Unit};
use crate::yaml::{Node, NodeId, is_unfinished};

use super::policy::{Direction, NetworkPolicy, Peer, PolicyRule, Protocol};
use super::{PodTemplate, Truth, Workload};
use bits::Tri;
use compile::Compiler;
use connections::Connections;

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
    /// Whether there may be others, of names that are not known.
    more_ports: bool,
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
                more_ports: assumptions.reading == Reading::Careful && pod.has_open_port_names(),
                who: Who::Pods(Box::new(pod.clone())),
            });
        }
        for pod in assumed {
            let namespace = reach.namespace(NamespaceName::Named(pod.namespace), &mut ids);
            let who = Who::Assumed(pod);
            reach.endpoints.push(Endpoint { namespace, host_network: false, ports: Vec::new(), more_ports: true, who });
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
            Some(text) if is_unfinished(text) => NamespaceName::Template(text),
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

    /// Whether a pod has a port of this name, and which: `Some(None)` where that is not known.
    fn named_port(&self, endpoint: EndpointId, protocol: Protocol, name: &str) -> Option<Option<u16>> {
        let endpoint = self.endpoints.get(endpoint)?;
        let listed = endpoint.ports.iter().find(|(p, n, _)| *p == protocol && *n == name);
        listed.map(|(_, _, number)| *number).or(endpoint.more_ports.then_some(None))
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

#[cfg(test)]
#[path = "reach/tests.rs"]
mod tests;
