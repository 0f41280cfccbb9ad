//! Whether one connection is allowed, and which policies and lines decide it.

use crate::source::Span;
use crate::suggest;
use crate::yaml::Node;

use super::super::policy::{Direction, PolicyRule, PortRange, Protocol, selector_place};
use super::super::selector::Truth;
use super::{EndpointId, NamespaceName, Policy, PolicyId, Reach, Rule};

/// Whether a connection is allowed. It takes both sides.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What the policies on the source say.
    pub egress: Side,
    /// What the policies on the destination say.
    pub ingress: Side,
}

impl Verdict {
    /// Whether the connection is allowed.
    pub fn truth(&self) -> Truth {
        self.egress.truth.and(self.ingress.truth)
    }

    /// The sides, the source's first.
    pub fn sides(&self) -> [&Side; 2] {
        [&self.egress, &self.ingress]
    }
}

/// What the policies on one end say.
#[derive(Clone, Debug)]
pub struct Side {
    /// The direction, seen from that end.
    pub direction: Direction,
    /// Whether that end allows the connection.
    pub truth: Truth,
    /// Policies that may select that end for the direction; none: it is open to everything.
    pub policies: Vec<PolicyId>,
    /// The rules that allow it, as a policy and an index into its rules.
    pub allowing: Vec<(PolicyId, usize)>,
    /// What the policies are asked about.
    asked: Asked,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    guarded: EndpointId,
    other: EndpointId,
    destination: EndpointId,
    protocol: Protocol,
    port: u16,
}

/// What in a policy keeps a connection out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A rule names the other end, and opens other ports.
    Port,
    /// A rule opens the port for pods with these labels in the policy's own namespace, and the other end is elsewhere.
    OtherNamespace,
    /// A rule lets the other end in, to a port of a name that is nearly the one of the port in question.
    PortName,
    /// A rule opens the port to other namespaces.
    Namespace,
    /// A rule opens the port to other pods.
    Labels,
    /// No rule comes near.
    Closed,
}

/// The place to change so that a connection is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The policy.
    pub policy: PolicyId,
    /// The field.
    pub span: Span,
    /// What is wrong with it.
    pub why: Why,
}

impl<'t> Reach<'t> {
    /// Whether a connection from one endpoint to a port of another is allowed.
    pub fn verdict(&self, from: EndpointId, to: EndpointId, protocol: Protocol, port: u16) -> Verdict {
        let egress = Asked { guarded: from, other: to, destination: to, protocol, port };
        let ingress = Asked { guarded: to, other: from, destination: to, protocol, port };
        Verdict { egress: self.side(Direction::Egress, egress), ingress: self.side(Direction::Ingress, ingress) }
    }

    fn side(&self, direction: Direction, asked: Asked) -> Side {
        let mut side = Side { direction, truth: Truth::Yes, policies: Vec::new(), allowing: Vec::new(), asked };
        let (mut certain, mut all_allow, mut none_allows, mut allowed) = (false, true, true, false);
        for (id, policy) in self.policies_on(asked.guarded) {
            let selects = policy.selects(asked.guarded).and(policy.isolates(direction));
            if selects == Truth::No {
                continue;
            }
            side.policies.push(id);
            certain |= selects == Truth::Yes;
            let mut lets = Truth::No;
            for (index, rule) in policy.rules(direction).iter().enumerate() {
                let one = self.lets(rule, &asked);
                if one == Truth::Yes {
                    side.allowing.push((id, index));
                }
                lets = lets.or(one);
            }
            allowed |= selects == Truth::Yes && lets == Truth::Yes;
            all_allow &= lets == Truth::Yes;
            none_allows &= lets == Truth::No;
        }
        // Whichever of the policies select the end: it is open, or one of those that select it allows.
        side.truth = if allowed || all_allow {
            Truth::Yes
        } else if certain && none_allows {
            Truth::No
        } else {
            Truth::Unknown
        };
        side
    }

    fn lets(&self, rule: &Rule<'t>, asked: &Asked) -> Truth {
        rule.admits(asked.other).and(rule.opens(self, asked.destination, asked.protocol, asked.port))
    }

    /// The place to change where a side denies; `None` where it does not.
    pub fn obstacle(&self, side: &Side) -> Option<Obstacle> {
        let asked = &side.asked;
        let rank = |why: Why| match why {
            Why::OtherNamespace => 0,
            Why::Port | Why::PortName => 1,
            Why::Namespace | Why::Labels => 2,
            Why::Closed => 3,
        };
        let mut best: Option<Obstacle> = None;
        let mut offer = |policy, span, why| {
            if best.is_none_or(|b| rank(why) < rank(b.why)) {
                best = Some(Obstacle { policy, span, why });
            }
        };
        if side.truth != Truth::No {
            return None;
        }
        for &id in &side.policies {
            let Some(policy) = self.policies.get(id).filter(|p| p.selects(asked.guarded) == Truth::Yes) else {
                continue;
            };
            offer(id, policy.view.isolation_place(side.direction), Why::Closed);
            for rule in policy.rules(side.direction) {
                let opens = rule.opens(self, asked.destination, asked.protocol, asked.port) == Truth::Yes;
                let Some(view) = &rule.view else { continue };
                if rule.admits(asked.other) == Truth::Yes {
                    // More ports for everybody is not what the author wants.
                    if let Some(name) = self.misspelt_port(view, asked) {
                        offer(id, name.span(), Why::PortName);
                    } else if !rule.peers.is_empty() {
                        offer(id, view.ports_place(), Why::Port);
                    }
                    continue;
                }
                for peer in rule.peers.iter().filter(|p| opens && p.view.block.is_none()) {
                    let (labels, space) = (peer.fits_labels(asked.other), peer.fits_namespace(asked.other));
                    let place =
                        |node: Option<Node<'t>>| node.and_then(selector_place).unwrap_or_else(|| peer.view.node.grip());
                    match (labels, space, peer.view.namespaces) {
                        (Truth::Yes, Truth::No, None) => {
                            // What is missing stands beside the selector.
                            offer(id, peer.view.node.grip(), Why::OtherNamespace);
                        }
                        (_, Truth::No, Some(selector)) => offer(id, place(Some(selector.node())), Why::Namespace),
                        (Truth::No, Truth::Yes, _) => offer(id, place(peer.view.pods.map(|s| s.node())), Why::Labels),
                        _ => {}
                    }
                }
            }
        }
        best
    }

    /// The name of a port in a rule that the destination does not have, where its own name for the port is much like it.
    fn misspelt_port(&self, rule: &PolicyRule<'t>, asked: &Asked) -> Option<Node<'t>> {
        let listed = &self.endpoints.get(asked.destination)?.ports;
        let own =
            || listed.iter().filter(|(p, _, n)| *p == asked.protocol && *n == Some(asked.port)).map(|(_, n, _)| *n);
        rule.ports.iter().flatten().find_map(|port| {
            let PortRange::Named(name) = &port.range else { return None };
            let stray = port.protocol == Some(asked.protocol)
                && self.named_port(asked.destination, asked.protocol, name).is_none();
            suggest::nearest(name, own()).filter(|_| stray).and_then(|_| port.node.get("port"))
        })
    }

    /// Why it is not known whether a side allows: words that follow "because", and the place.
    pub fn doubt(&self, side: &Side) -> Option<(String, Span)> {
        let asked = &side.asked;
        if side.truth != Truth::Unknown {
            return None;
        }
        for &id in &side.policies {
            let Some(policy) = self.policies.get(id) else { continue };
            let name = policy.view.title();
            let place = policy.view.resource.grip();
            if policy.isolates(side.direction) == Truth::Unknown {
                return Some((format!("the policy types of `{name}` are filled in elsewhere"), place));
            }
            if policy.selects(asked.guarded) == Truth::Unknown {
                let words = self.selection_doubt(policy, asked.guarded);
                return Some((
                    format!("it is not known whether `{name}` selects {words}"),
                    policy.view.selector_place(),
                ));
            }
            for rule in policy.rules(side.direction) {
                let place = rule.view.as_ref().map_or(place, |v| v.node.grip());
                if rule.view.as_ref().is_none_or(|v| v.is_open()) {
                    return Some((format!("rules of `{name}` are filled in elsewhere"), place));
                }
                let opens = rule.opens(self, asked.destination, asked.protocol, asked.port);
                let unknown = opens != Truth::No && rule.admits(asked.other) == Truth::Unknown;
                if let Some(words) = unknown.then(|| self.peer_doubt(rule, asked.other)).flatten() {
                    return Some((format!("{words} (`{name}`)"), place));
                }
                if opens == Truth::Unknown && rule.admits(asked.other) != Truth::No {
                    return Some((format!("a port of `{name}` is not known here"), place));
                }
            }
        }
        None
    }

    fn selection_doubt(&self, policy: &Policy<'t>, endpoint: EndpointId) -> String {
        let title = self.title(endpoint);
        let Some(found) = self.endpoints.get(endpoint) else { return title };
        if self.same_namespace(policy.namespace, found.namespace) == Truth::Unknown {
            return format!("{title}, because a namespace is not written");
        }
        if found.host_network {
            return format!("{title}, because it is on the host's network");
        }
        format!("{title}, because labels are decided elsewhere")
    }

    fn peer_doubt(&self, rule: &Rule<'t>, other: EndpointId) -> Option<String> {
        let title = self.title(other);
        let endpoint = self.endpoints.get(other)?;
        let peer = rule.peers.iter().find(|p| p.means(other) == Truth::Unknown)?;
        Some(if peer.view.block.is_some() {
            "whether an `ipBlock` covers pods depends on the network plugin".to_string()
        } else if peer.fits_namespace(other) == Truth::Unknown {
            match self.namespaces.get(endpoint.namespace) {
                Some(NamespaceName::Named(name)) if peer.view.namespaces.is_some() => {
                    format!("the labels of the namespace `{name}` are not in the unit")
                }
                _ => format!("the namespace of {title} or of the policy is not written"),
            }
        } else if endpoint.host_network {
            format!("{title} is on the host's network, which network plugins treat differently")
        } else {
            format!("not all labels of {title} are known")
        })
    }
}
