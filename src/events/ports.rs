//! The ports that an engine's process listens on, so that rules can say which of them meet.

use crate::facts::vllm::cli::Role;
use crate::facts::vllm::{self, EnvRole};
use crate::facts::{Effect, effect_at};
use crate::k8s::{Container, ContainerPort, Resolved};
use crate::source::Span;
use crate::yaml::{self, Node};

use super::command::Engine;
use super::publisher::{EndpointSetting, Publisher};

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortUse {
    /// Events are published on it.
    Events,
    /// Missed events are asked for on it.
    Replay,
    /// Requests are served on it.
    Http,
    /// NIXL exchanges its metadata on it.
    NixlSideChannel,
}

impl PortUse {
    /// What it is called in messages.
    pub fn name(self) -> &'static str {
        match self {
            PortUse::Events => "event port",
            PortUse::Replay => "replay port",
            PortUse::Http => "HTTP port",
            PortUse::NixlSideChannel => "port of NIXL's side channel",
        }
    }
}

/// One port, or the ports of several data-parallel ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundPort {
    /// What it is for.
    pub what: PortUse,
    /// The number as it is written.
    pub written: u16,
    /// The first number that the pod listens on: the written one and the number of the pod's first rank.
    pub first: u16,
    /// The last.
    pub last: u16,
    /// The number's bytes; for a default, the place where it would be set.
    pub span: Span,
    /// Whether nothing is written and the engine's default is meant.
    pub is_default: bool,
}

impl BoundPort {
    fn single(what: PortUse, port: u16, span: Span, is_default: bool) -> BoundPort {
        BoundPort { what, written: port, first: port, last: port, span, is_default }
    }

    /// Whether the pod listens on this number.
    pub fn contains(&self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// A number that both listen on.
    pub fn meets(&self, other: &BoundPort) -> Option<u16> {
        let first = self.first.max(other.first);
        (first <= self.last.min(other.last)).then_some(first)
    }

    /// `the event port 5557`, or `the event ports 5557 to 5560`.
    pub fn title(&self) -> String {
        let plural = if self.first == self.last { "" } else { "s" };
        format!("the {}{plural} {}", self.what.name(), self.numbers())
    }

    /// `5557`, or `5557 to 5560`.
    pub fn numbers(&self) -> String {
        if self.first == self.last { self.first.to_string() } else { format!("{} to {}", self.first, self.last) }
    }
}

/// A KV connector that `--kv-transfer-config` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorName {
    /// Its name.
    pub name: String,
    /// The name's bytes.
    pub span: Span,
}

impl Publisher<'_> {
    /// The port that events are published on. Unknown for an endpoint without a fixed TCP port.
    pub fn event_port(&self) -> Resolved<BoundPort> {
        let port = || self.zmq_port(PortUse::Events, self.endpoint());
        self.concluded.event_port.get_or_init(port).clone()
    }

    /// The port that missed events are asked for on. Absent where no replay endpoint is written.
    pub fn replay_port(&self) -> Resolved<BoundPort> {
        let port = || self.zmq_port(PortUse::Replay, self.replay_endpoint());
        self.concluded.replay_port.get_or_init(port).clone()
    }

    fn zmq_port(&self, what: PortUse, endpoint: &Resolved<EndpointSetting>) -> Resolved<BoundPort> {
        let bound = |setting: &EndpointSetting| {
            // Port 0 is a random one.
            let written = setting.port().filter(|port| *port != 0)?;
            let rank = if self.adds_rank() { *self.first_rank().known()? } else { 0 };
            let ranks = if self.adds_rank() { self.local_ranks().known().copied().unwrap_or(1).max(1) } else { 1 };
            let first = u16::try_from(u32::from(written).checked_add(rank)?).ok()?;
            let last = u16::try_from(u32::from(first).saturating_add(ranks - 1)).unwrap_or(u16::MAX);
            let (span, is_default) = (setting.port_span(), setting.is_default());
            Some(BoundPort { what, written, first, last, span, is_default })
        };
        endpoint.as_ref().parse(bound)
    }

    /// The last data-parallel rank of the pod and the number that it would take an endpoint's port to, where that is beyond
    /// the last port there is.
    pub fn rank_without_port(&self, endpoint: &EndpointSetting) -> Option<(u32, u32)> {
        let written = endpoint.port().filter(|port| *port != 0 && self.adds_rank())?;
        let (first, ranks) = (*self.first_rank().known()?, *self.local_ranks().known()?);
        let last = first.checked_add(ranks.max(1) - 1)?;
        let number = u32::from(written).checked_add(last)?;
        (number > u32::from(u16::MAX)).then_some((last, number))
    }

    /// Whether the engine listens for subscribers, as far as is known; it connects to them otherwise.
    pub fn binds_events(&self) -> bool {
        self.endpoint().known().and_then(|e| e.parsed.as_ref().ok()).is_some_and(|e| e.binds())
    }

    /// Whether the endpoint was written to listen on: it does, or looks as if it did, as `tcp://0.0.0.0` does.
    pub fn means_to_listen(&self) -> bool {
        let lookalikes = &vllm::events::table().endpoint.lookalike_hosts;
        let endpoint = self.endpoint();
        let parsed = endpoint.known().and_then(|e| e.parsed.as_ref().ok());
        parsed.is_some_and(|e| e.binds() || lookalikes.contains(&e.host))
    }

    /// Whether each data-parallel rank adds its number to the ports; only where a release is known not to, it does not.
    fn adds_rank(&self) -> bool {
        let rows = &vllm::events::table().data_parallel.port_offset;
        let row = self.image.release.as_ref().filter(|_| self.engine() == Engine::Vllm);
        row.and_then(|release| effect_at(rows, release)).is_none_or(|row| row.effect == Effect::Works)
    }

    /// The number of the first data-parallel rank that runs in the pod.
    pub fn first_rank(&self) -> Resolved<u32> {
        match self.number(Role::DataParallelRank).or(self.number(Role::DataParallelStartRank)) {
            Resolved::Absent(span) => Resolved::Known(0, span),
            found => found,
        }
    }

    /// The port that requests are served on; `None` for a Unix socket.
    pub fn http_listener(&self) -> Option<BoundPort> {
        if !self.flag(Role::Uds).is_absent() {
            return None;
        }
        let is_default = self.flag(Role::Port).is_absent();
        let (port, span) = match self.http_port() {
            Resolved::Known(port, span) => (port, span),
            _ => return None,
        };
        Some(BoundPort::single(PortUse::Http, port, span, is_default))
    }

    /// The port of NIXL's side channel, which is opened only where `--kv-transfer-config` names a connector that uses it.
    pub fn nixl_port(&self) -> Option<BoundPort> {
        let uses_nixl = |c: &ConnectorName| vllm::table().nixl_connectors.contains(&c.name);
        let connector = self.kv_connectors().into_iter().find(uses_nixl)?;
        match self.env_for(EnvRole::NixlPort) {
            Resolved::Known(text, span) => {
                let port = text.value.trim().parse().ok()?;
                Some(BoundPort::single(PortUse::NixlSideChannel, port, span, false))
            }
            Resolved::Absent(_) => {
                let release = self.image.release.as_ref()?;
                let port = vllm::env_default(EnvRole::NixlPort, release)?.parse().ok()?;
                Some(BoundPort::single(PortUse::NixlSideChannel, port, connector.span, true))
            }
            Resolved::Unknown(_) => None,
        }
    }

    /// The connectors of `--kv-transfer-config`, those inside others included.
    pub fn kv_connectors(&self) -> Vec<ConnectorName> {
        let key = &vllm::table().connector_key;
        let mut found = Vec::new();
        let dotted = self.flags.iter().filter(|f| f.role() == Some(Role::KvTransferConfig));
        for flag in dotted.filter(|f| f.dotted.as_ref().is_some_and(|dotted| dotted.value == *key)) {
            if let Some(text) = flag.value.as_ref().filter(|t| !t.opaque) {
                found.push(ConnectorName { name: text.value.clone(), span: text.span() });
            }
        }
        // Dotted keys drop the JSON.
        if !found.is_empty() {
            return found;
        }
        if let Resolved::Known(text, _) = self.flag(Role::KvTransferConfig)
            && let Ok(tree) = yaml::parse_embedded(self.pod.resource.tree().source(), &text.value, text.map().clone())
        {
            collect_connectors(tree.root(), key, &mut found);
        }
        found
    }

    /// Whether a container of the pod lists this TCP port.
    pub fn pod_lists(&self, port: u16) -> bool {
        self.pod.containers().any(|c| lists_port(c, port))
    }
}

/// Whether a container lists this port, or one whose number is not known or was not understood.
fn lists_port(container: Container<'_>, port: u16) -> bool {
    let unknown = container.node.get("ports").is_some_and(|n| !n.is_sequence() && !n.is_null());
    unknown
        || container
            .listed_ports()
            .filter(ContainerPort::is_tcp)
            .any(|p| p.number.known().is_none_or(|number| *number == port))
}

fn collect_connectors(node: Node<'_>, key: &str, found: &mut Vec<ConnectorName>) {
    for entry in node.entries() {
        match entry.value.text() {
            Some(name) if entry.key.text() == Some(key) => {
                found.push(ConnectorName { name: name.to_string(), span: entry.value.span() });
            }
            _ => collect_connectors(entry.value, key, found),
        }
    }
    for item in node.items() {
        collect_connectors(item, key, found);
    }
}

#[cfg(test)]
mod tests;
