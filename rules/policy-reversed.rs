use crate::edit::{At, Changes, Refusal, Value};
use crate::events::Model;
use crate::events::Publisher;
use crate::events::policies::{self, words};
use crate::facts::aibrix;
use crate::facts::kubernetes;
use crate::k8s::policy::{Direction, Protocol};
use crate::k8s::reach::Policy;
use crate::k8s::{Container, ContainerPort, Truth};
use crate::lint::prelude::*;
use crate::load::Resource;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let table = aibrix::table();
    for policy in &model.reach.policies {
        let Some(reversed) = policies::reversed(model, policy) else { continue };
        let title = policy.view.title();
        let Some(subscriber) = model.subscribers.first() else { continue };
        let (message, right, wrong) = match reversed.direction {
            Direction::Ingress => (
                format!("`{title}` opens the gateway to the engines, but it is the gateway that dials"),
                "select the engines here",
                "let the gateway in here",
            ),
            Direction::Egress => (
                format!("`{title}` lets the engines out to the gateway, but it is the gateway that dials"),
                "these are the pods that are dialled",
                "the gateway opens the connection, and nothing dials it",
            ),
        };
        let mut report = cx.report(reversed.selector, message).label(right).related(reversed.peer, wrong);
        for publisher in model.engines().take(NAMED) {
            let engine = policies::engine_title(model, publisher);
            if let Some(port) = publisher.event_port().known() {
                report = report.related(port.span, format!("`{engine}` listens on port {}", port.first));
            }
        }
        for gateway in &model.gateways {
            report = report.related(gateway.container.grip(), "the gateway connects to the engines from here");
        }
        let ports = [table.dial.events, table.dial.replay, table.tokenizer_port.port];
        let (label, namespace) = (&table.labels.enabled, subscriber.namespace(model).unwrap_or_default());
        let engine = model.publishers.first().map_or("the engine".into(), |p| policies::engine_title(model, p));
        report = report
            .help(format!(
                "in the engines' namespace select `{}: \"{}\"`, open {} to {}, and the ports of requests to who sends them",
                label.key,
                label.value.as_deref().unwrap_or_default(),
                words::ports(&ports),
                words::namespace_peer(namespace)
            ))
            .mend("turn the policy around", Applicability::Unsafe, |changes| {
                let resource = policy.view.resource;
                let at_home = |p: &Publisher<'_>| p.pod.resource.namespace() == resource.namespace();
                if !model.publishers.iter().any(at_home) {
                    return Err(Refusal::at(resource.grip(), "it has to stand in the namespace of the engines"));
                }
                let serving = serving_ports(model, policy, reversed.direction)?;
                turn(resource, reversed.direction, namespace, &serving, changes)
            })
            .note(format!("the connection is {} → {engine}:{}/TCP", subscriber.title(model), table.dial.events));
        if let Some(assumption) = policies::assumption(model, subscriber) {
            report.note(assumption);
        }
    }
}

/// The ports of the engines that are open to everybody until the policy selects the engines, but for those of events. Without them it
/// would end the requests to the engines.
fn serving_ports<'t>(model: &Model<'t>, policy: &Policy<'t>, direction: Direction) -> Result<Vec<u16>, Refusal> {
    let refuse = |why: &str| Err(Refusal::at(policy.view.resource.grip(), why));
    let dial = &aibrix::table().dial;
    let mut ports = Vec::new();
    for (id, endpoint) in model.reach.endpoints.iter().enumerate() {
        let Some(pod) = endpoint.pod().filter(|pod| pod.resource.may_share_namespace(policy.view.resource)) else {
            continue;
        };
        let fits = match direction {
            Direction::Ingress => {
                let mut peers = policy.rules(Direction::Ingress).iter().flat_map(|rule| &rule.peers);
                peers.any(|peer| peer.fits_labels(id) != Truth::No)
            }
            Direction::Egress => policy.fits_labels(id) != Truth::No,
        };
        let closed = model.reach.policies_on(id).any(|(_, other)| other.isolates(Direction::Ingress) == Truth::Yes);
        if !fits || closed {
            continue;
        }
        let mut engines = model.publishers_of(pod).peekable();
        if engines.peek().is_none() {
            return refuse("it would close pods that are no engines");
        }
        for engine in engines {
            match engine.http_port() {
                Resolved::Known(port, _) => ports.push(port),
                _ => return refuse("on which ports the engines serve is not known"),
            }
        }
        for port in pod.containers().flat_map(Container::listed_ports).filter(ContainerPort::is_tcp) {
            match port.number.known() {
                Some(number) => ports.push(*number),
                None => return refuse("on which ports the engines serve is not known"),
            }
        }
    }
    ports.retain(|port| ![dial.events, dial.replay].contains(port));
    ports.sort_unstable();
    ports.dedup();
    Ok(ports)
}

/// Opens the engines to the gateway with the selectors that the policy has. Only of a policy with one rule for one peer is it plain
/// what it has to become.
fn turn<'t>(
    resource: &'t Resource,
    direction: Direction,
    gateway: &str,
    serving: &[u16],
    changes: &mut Changes<'t>,
) -> Result<(), Refusal> {
    let unclear = || Refusal::at(resource.grip(), "the policy says more than this");
    let one = |node: Option<Node<'t>>| match node.map(Node::items).unwrap_or_default().as_slice() {
        [only] => Ok(*only),
        _ => Err(unclear()),
    };
    let spec = resource.node().get("spec").ok_or_else(unclear)?;
    let (rules, peers) = match direction {
        Direction::Ingress => ("ingress", "from"),
        Direction::Egress => ("egress", "to"),
    };
    let rule = one(spec.get(rules))?;
    let peer = one(rule.get(peers))?;
    let (here, there) = spec.get("podSelector").zip(peer.get("podSelector")).ok_or_else(unclear)?;
    let types = spec.get("policyTypes");
    if types.is_some_and(|types| types.items().len() > 1) {
        return Err(unclear());
    }
    match direction {
        Direction::Ingress => {
            let (engines, gateways) = (Value::of(there)?, Value::of(here)?);
            changes.replace(here, engines)?;
            changes.replace(there, gateways)?;
        }
        Direction::Egress => {
            let list = spec.get(rules).ok_or_else(unclear)?;
            let list_of_peers = rule.get(peers).ok_or_else(unclear)?;
            changes.rename(list, "ingress")?;
            changes.rename(list_of_peers, "from")?;
            if let Some(only) = types.and_then(|types| types.items().first().copied()) {
                changes.replace(only, Value::from("Ingress"))?;
            }
        }
    }
    changes.set(
        peer,
        &["namespaceSelector"],
        Value::map([(
            "matchLabels",
            Value::map([(kubernetes::table().namespace_name_label.as_str(), Value::from(gateway))]),
        )]),
    )?;
    // From now on the engines are closed to all else.
    if serving.is_empty() {
        return Ok(());
    }
    let list = spec.get(rules).ok_or_else(unclear)?;
    let with_protocol = rule.get("ports").map(Node::items).unwrap_or_default();
    let with_protocol = with_protocol.last().is_some_and(|last| last.get("protocol").is_some());
    let port = |number: &u16| {
        let protocol = with_protocol.then(|| ("protocol", Value::from(Protocol::Tcp.as_str())));
        Value::map(protocol.into_iter().chain([("port", Value::from(*number))]))
    };
    let open = Value::map([("ports", Value::List(serving.iter().map(port).collect()))]);
    changes.insert_item(list, At::Last, open)
}
