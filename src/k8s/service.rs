//! Services: what they select and which ports they lead to.

use crate::load::Resource;
use crate::source::Span;
use crate::yaml::{Node, Scalar};

use super::Resolved;
use super::selector::Selector;
use super::workload::PodTemplate;

/// A Service.
#[derive(Clone, Copy, Debug)]
pub struct Service<'t> {
    /// The object.
    pub resource: &'t Resource,
}

/// Where a Service's port leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPort {
    /// This port of the pod.
    Number(u16),
    /// The container port of this name.
    Name(String),
}

/// A port of a Service.
#[derive(Clone, Debug)]
pub struct ServicePort<'t> {
    /// Its mapping.
    pub node: Node<'t>,
    /// The Service's own port.
    pub port: Resolved<u16>,
    /// The port of the pods; the same as `port` where it is not written.
    pub target: Resolved<TargetPort>,
    /// Its name.
    pub name: Option<&'t str>,
    /// `TCP` unless it says otherwise.
    pub protocol: &'t str,
}

impl<'t> Service<'t> {
    /// The view of an object that is a core Service.
    pub fn new(resource: &'t Resource) -> Option<Service<'t>> {
        (resource.kind() == "Service" && resource.group().is_empty()).then_some(Service { resource })
    }

    /// The selector. `None` where endpoints are managed by hand or the Service is an external name.
    pub fn selector(self) -> Option<Selector<'t>> {
        let node = self.resource.node().at("spec.selector").filter(|n| n.is_mapping() && !n.is_empty())?;
        (self.resource.node().at("spec.type").and_then(Node::text) != Some("ExternalName"))
            .then_some(Selector::Map(node))
    }

    /// Whether it has no address of its own, so that it gives the pods' addresses.
    pub fn is_headless(self) -> bool {
        self.resource.node().at("spec.clusterIP").and_then(Node::text) == Some("None")
    }

    /// The ports list's key, or the place where it would go.
    pub fn ports_place(self) -> Span {
        let node = self.resource.node();
        node.at("spec.ports").and_then(Node::key_span).unwrap_or_else(|| self.resource.grip())
    }

    /// Its ports.
    pub fn ports(self) -> Vec<ServicePort<'t>> {
        let items = self.resource.node().at("spec.ports").map(Node::items).unwrap_or_default();
        items.into_iter().filter(|n| n.is_mapping()).map(ServicePort::new).collect()
    }
}

/// The name of a Service in the cluster's DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterHost<'a> {
    /// The Service.
    pub name: &'a str,
    /// Its namespace; the caller's own where none is written.
    pub namespace: Option<&'a str>,
}

impl<'a> ClusterHost<'a> {
    /// Reads `svc`, `svc.ns`, `svc.ns.svc` and `svc.ns.svc.cluster.local`. `None` for what is no such name: an address,
    /// `localhost`, a name outside the cluster.
    pub fn parse(host: &'a str) -> Option<ClusterHost<'a>> {
        let parts: Vec<&str> = host.trim_end_matches('.').split('.').collect();
        let label = |part: &&str| {
            part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && part.starts_with(|c: char| c.is_ascii_lowercase())
        };
        if !parts.iter().take(2).all(label) || host == "localhost" {
            return None;
        }
        match parts.as_slice() {
            [name] => Some(ClusterHost { name, namespace: None }),
            [name, namespace] | [name, namespace, "svc"] | [name, namespace, "svc", "cluster", "local"] => {
                Some(ClusterHost { name, namespace: Some(namespace) })
            }
            _ => None,
        }
    }
}

/// A port number, as far as it is known.
pub fn port_number(node: Node<'_>) -> Resolved<u16> {
    match node.scalar() {
        Some(Scalar::Int(i)) if u16::try_from(i).is_ok() => Resolved::Known(i as u16, node.span()),
        _ => Resolved::Unknown(node.span()),
    }
}

impl<'t> ServicePort<'t> {
    /// The port of a pod that it leads to. Absent where the pod has no port of the name that it asks for; unknown also
    /// while a port of the pod has no name that it can keep, and may turn out to be the one.
    pub fn leads_to(&self, pod: &PodTemplate<'t>) -> Resolved<u16> {
        let span = self.target.span();
        let name = match &self.target {
            Resolved::Known(TargetPort::Number(number), _) => return Resolved::Known(*number, span),
            Resolved::Known(TargetPort::Name(name), _) => name,
            _ => return Resolved::Unknown(span),
        };
        match pod.containers().find_map(|container| container.port_named(name)) {
            Some(found) => {
                found.number.known().map_or(Resolved::Unknown(span), |number| Resolved::Known(*number, span))
            }
            None if pod.has_open_port_names() => Resolved::Unknown(span),
            None => Resolved::Absent(span),
        }
    }

    /// Whether it certainly has no name, which only the one port of a Service may lack.
    pub fn is_unnamed(&self) -> bool {
        self.node.get("name").is_none_or(|name| name.is_null() || name.text() == Some(""))
    }

    fn new(node: Node<'t>) -> ServicePort<'t> {
        let port = node.get("port").map_or_else(|| Resolved::Absent(node.grip()), port_number);
        // Kubernetes takes an empty name and 0 for no target at all.
        let written = |n: &Node<'t>| !n.is_null() && n.text() != Some("") && n.as_int() != Some(0);
        let target = match node.get("targetPort").filter(written) {
            None => port.clone().map(TargetPort::Number),
            Some(n) => match n.scalar() {
                Some(Scalar::Str(text)) if !n.is_templated() => {
                    Resolved::Known(TargetPort::Name(text.to_string()), n.span())
                }
                _ => port_number(n).map(TargetPort::Number),
            },
        };
        let protocol = node.get("protocol").and_then(Node::text).filter(|p| !p.is_empty()).unwrap_or("TCP");
        ServicePort { node, port, target, name: node.get("name").and_then(Node::text), protocol }
    }
}

#[cfg(test)]
mod tests;
