use crate::events::policies;
use crate::events::subscribers::Subscriber;
use crate::events::{Gateway, Model};
use crate::facts::{aibrix, kubernetes};
use crate::k8s::policy::{Direction, Protocol};
use crate::k8s::reach::PolicyId;
use crate::k8s::{ClusterHost, TargetPort, Truth};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let needs_one = !model.publishers.is_empty() || !model.gateways.is_empty();
    if model.reach.other_policy.is_some() || !needs_one {
        return;
    }
    for subscriber in &model.subscribers {
        let gateway = subscriber.gateway.and_then(|index| model.gateways.get(index));
        let Some(redis) = Redis::of(model, gateway) else { continue };
        let sealed = |protocol, ports: &[u16]| sealed(model, subscriber, protocol, ports);
        let dns = &kubernetes::table().dns_ports.ports;
        let no_name = sealed(Protocol::Udp, dns).filter(|_| redis.by_name);
        let no_redis = redis.port.and_then(|port| sealed(Protocol::Tcp, &[port]));
        let missing: Vec<String> = [
            no_name.map(|_| "names".to_string()),
            no_redis.map(|_| format!("Redis on port {}", redis.port.unwrap_or_default())),
        ]
        .into_iter()
        .flatten()
        .collect();
        if let Some(policy) = no_name.or(no_redis).and_then(|id| model.reach.policies.get(id)) {
            let title = policy.view.title();
            let place = policy.view.isolation_place(Direction::Egress);
            let message = format!("`{title}` keeps the gateway from {}", missing.join(" and from "));
            report(cx, gateway, subscriber, place, message, redis.span, &redis);
            continue;
        }
        // The Redis of these manifests may be closed to this gateway alone.
        for (target, port) in &redis.pods {
            for id in &subscriber.endpoints {
                let verdict = model.reach.verdict(*id, *target, Protocol::Tcp, *port);
                let Some(obstacle) = verdict.sides().into_iter().find_map(|side| model.reach.obstacle(side)) else {
                    continue;
                };
                let Some(policy) = model.reach.policies.get(obstacle.policy) else { continue };
                let message = format!(
                    "`{}` closes port {port} of `{}`, which the gateway needs",
                    policy.view.title(),
                    model.reach.title(*target)
                );
                report(cx, gateway, subscriber, obstacle.span, message, redis.span, &redis);
            }
        }
    }
}

/// The Redis that a gateway needs.
struct Redis {
    /// Whether the gateway must resolve a name to find it.
    by_name: bool,
    /// Its port behind any Service; `None` where that is not known.
    port: Option<u16>,
    /// Its pods in the unit.
    pods: Vec<(usize, u16)>,
    /// Where it is named.
    span: Option<Span>,
}

impl Redis {
    /// `None` where the gateway needs none, or it is not known.
    fn of(model: &Model<'_>, gateway: Option<&Gateway<'_>>) -> Option<Redis> {
        let (host, port) = (aibrix::variable("redis_host"), aibrix::variable("redis_port"));
        let installed = |v: &'static aibrix::Variable| v.installed_default.as_deref().or(v.default.as_deref());
        let default_port = installed(port).and_then(|p| p.parse().ok());
        let Some(gateway) = gateway else {
            return Some(Redis { by_name: true, port: default_port, pods: Vec::new(), span: None });
        };
        if gateway.is_standalone() {
            return None;
        }
        let (name, span) = match gateway.setting(host) {
            Resolved::Known(text, span) => (text.value, Some(span)),
            Resolved::Absent(_) => return None,
            Resolved::Unknown(_) => return None,
        };
        let number = match gateway.setting(port) {
            Resolved::Known(text, _) => text.value.trim().parse().ok(),
            Resolved::Absent(_) => default_port,
            Resolved::Unknown(_) => None,
        };
        let by_name = name.parse::<std::net::IpAddr>().is_err();
        let mut redis = Redis { by_name, port: number, pods: Vec::new(), span };
        let namespace = |h: &ClusterHost<'_>| h.namespace.map(str::to_string);
        let service = ClusterHost::parse(&name).and_then(|h| {
            let own = gateway.pod.resource.namespace().map(str::to_string);
            model.service(h.name, namespace(&h).or(own).as_deref())
        });
        let Some(service) = service.filter(|_| by_name) else { return Some(redis) };
        let target = service.ports().into_iter().find(|p| p.port.known().copied() == number).map(|p| p.target);
        redis.port = match target {
            Some(Resolved::Known(TargetPort::Number(port), _)) => Some(port),
            _ => None,
        };
        let pods = model.selected(service).into_iter().filter(|(_, truth)| *truth == Truth::Yes);
        let ends: Vec<usize> = pods.filter_map(|(pod, _)| model.reach.endpoint_of(pod)).collect();
        redis.pods = redis.port.map(|port| ends.into_iter().map(|id| (id, port)).collect()).unwrap_or_default();
        Some(redis)
    }
}

/// A policy that closes a gateway's egress while nothing opens any of these ports to anybody.
fn sealed(model: &Model<'_>, subscriber: &Subscriber, protocol: Protocol, ports: &[u16]) -> Option<PolicyId> {
    let mut found = None;
    for &endpoint in &subscriber.endpoints {
        let mut closes = None;
        for (id, policy) in model.reach.policies_on(endpoint) {
            if policy.isolates(Direction::Egress) == Truth::No {
                continue;
            }
            let rules = policy.rules(Direction::Egress);
            if rules.iter().any(|rule| ports.iter().any(|port| rule.may_open(protocol, *port))) {
                return None;
            }
            let certain = policy.selects(endpoint).and(policy.isolates(Direction::Egress)) == Truth::Yes;
            closes = closes.or(certain.then_some(id));
        }
        found = found.or(Some(closes?));
    }
    found
}

fn report(
    cx: &mut UnitContext<'_>,
    gateway: Option<&Gateway<'_>>,
    subscriber: &Subscriber,
    place: Span,
    message: String,
    host: Option<Span>,
    redis: &Redis,
) {
    let model = cx.model;
    let dns = kubernetes::table().dns_ports.ports.first().copied().unwrap_or_default();
    let mut report = cx.report(place, message);
    if let Some(gateway) = gateway {
        report = report.related(gateway.container.grip(), "this is the gateway");
    }
    if let Some(host) = host {
        report = report.related(host, "its Redis is named here");
    }
    let port = redis.port.map_or(String::new(), |port| format!(", and TCP {port} to its Redis"));
    report = report.help(format!("let the gateway out to UDP {dns} and TCP {dns}{port}"));
    let image = gateway.and_then(|g| g.image.effect(&aibrix::table().redis.missing));
    if let Some(note) = image.and_then(|(row, _)| row.note.clone()) {
        report = report.note(note);
    }
    if let Some(assumption) = policies::assumption(model, subscriber) {
        report.note(assumption);
    }
}
