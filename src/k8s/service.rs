//! Services: what they select and which ports they lead to.

use crate::load::Resource;
use crate::source::Span;
use crate::yaml::{Node, Scalar};

use super::Resolved;
use super::selector::Selector;

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

/// A port number, as far as it is known.
pub fn port_number(node: Node<'_>) -> Resolved<u16> {
    match node.scalar() {
        Some(Scalar::Int(i)) if u16::try_from(i).is_ok() => Resolved::Known(i as u16, node.span()),
        _ => Resolved::Unknown(node.span()),
    }
}

impl<'t> ServicePort<'t> {
    fn new(node: Node<'t>) -> ServicePort<'t> {
        let port = node.get("port").map_or_else(|| Resolved::Absent(node.grip()), port_number);
        let target = match node.get("targetPort").filter(|n| !n.is_null()) {
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
