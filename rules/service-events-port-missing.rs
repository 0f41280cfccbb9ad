use crate::events::{EndpointSetting, Model, PortUse, Publisher};
use crate::facts::aibrix;
use crate::fix::pod;
use crate::k8s::{PodTemplate, Service, ServicePort, TargetPort, Truth};
use crate::lint::prelude::*;

/// One of the two ports of a publisher.
struct KvPort {
    what: PortUse,
    number: u16,
    at: Span,
    convention: &'static str,
}

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for service in &model.services {
        for (pod, truth) in model.selected(*service) {
            let publisher = model.publishers_of(pod).find(|p| p.publishing() == Publishing::On);
            let Some(publisher) = publisher.filter(|_| truth == Truth::Yes) else { continue };
            // An engine that listens where the gateway does not dial is the one to move: the Service may be right.
            if model.is_for_aibrix(publisher) && is_elsewhere(publisher) {
                continue;
            }
            let ports = service.ports();
            let kv = kv_ports(publisher);
            if let Some((port, kv, to)) = astray(&ports, &kv, pod) {
                cx.report(port.target.span(), format!("the Service's {} leads to {to}", kv.what.name()))
                    .related(kv.at, format!("the engine's {} is {}", kv.what.name(), kv.number))
                    .help(format!("set targetPort to {}", kv.number))
                    .mend(format!("set targetPort to {}", kv.number), Applicability::Safe, |changes| {
                        changes.set(port.node, &["targetPort"], kv.number)
                    })
                    .note(
                        "nothing listens there; AIBrix's gateway dials the pods themselves, other subscribers may not",
                    );
                break;
            }
            let leads: Vec<Resolved<u16>> = ports.iter().map(|p| p.leads_to(pod)).collect();
            // One that is not known may be what seems to be missing; one that leads nowhere is service-target-port-unknown.
            if leads.iter().any(|to| to.known().is_none()) {
                continue;
            }
            let led = |number: u16| leads.iter().position(|to| to.known() == Some(&number));
            let (listed, missing): (Vec<&KvPort>, Vec<&KvPort>) = kv.iter().partition(|kv| led(kv.number).is_some());
            // A Service without any port for events is for requests alone.
            let ([listed], [missing]) = (listed.as_slice(), missing.as_slice()) else { continue };
            // A port with its name is it; that it leads elsewhere is a finding about the target or the container.
            if ports.iter().any(|port| port.name == Some(missing.convention)) {
                continue;
            }
            if exposed_elsewhere(model, *service, pod, missing.number) {
                continue;
            }
            let message =
                format!("the Service has the engine's {} and not its {}", listed.what.name(), missing.what.name());
            let number = missing.number;
            let mut report = cx.report(service.ports_place(), message);
            if let Some(port) = led(listed.number).and_then(|index| ports.get(index)) {
                report = report.related(port.node.grip(), format!("leads to the {}", listed.what.name()));
            }
            let applicability = if pod::is_internal(*service) { Applicability::Safe } else { Applicability::Unsafe };
            report
                .mend(format!("add the port {number}"), applicability, |changes| {
                    pod::open_ports(*service, changes, &[(number, missing.convention)]).map(drop)
                })
                .related(missing.at, format!("the engine's {} is {number}", missing.what.name()))
                .help(format!("add `{{name: {}, port: {number}, targetPort: {number}}}`", missing.convention))
                .note(
                    "AIBrix's gateway dials the pods themselves; subscribers that go through the Service miss events",
                );
            break;
        }
    }
}

/// The ports that a publisher really listens on.
fn kv_ports(publisher: &Publisher<'_>) -> Vec<KvPort> {
    let names = &aibrix::table().documented.port_names;
    let one = |setting: &Resolved<EndpointSetting>, what, convention: &'static str| match setting {
        Resolved::Known(endpoint, _) => {
            let listens = what == PortUse::Replay || endpoint.parsed.as_ref().is_ok_and(|e| e.binds());
            let number = endpoint.port().filter(|port| listens && *port != 0)?;
            Some(KvPort { what, number, at: endpoint.port_span(), convention })
        }
        _ => None,
    };
    let events = one(publisher.endpoint(), PortUse::Events, names.events.as_str());
    events.into_iter().chain(one(publisher.replay_endpoint(), PortUse::Replay, names.replay.as_str())).collect()
}

/// A port with the name of the convention that leads to neither of the engine's ports.
fn astray<'p, 't, 'k>(
    ports: &'p [ServicePort<'t>],
    kv: &'k [KvPort],
    pod: &PodTemplate<'t>,
) -> Option<(&'p ServicePort<'t>, &'k KvPort, u16)> {
    ports.iter().find_map(|port| {
        let meant = kv.iter().find(|kv| port.name == Some(kv.convention))?;
        let to = *port.leads_to(pod).known()?;
        // A name of the pod that has another number is a finding about the container's ports.
        let by_number = matches!(port.target.known(), Some(TargetPort::Number(_)));
        (by_number && kv.iter().all(|kv| kv.number != to)).then_some((port, meant, to))
    })
}

fn exposed_elsewhere<'t>(model: &Model<'t>, service: Service<'t>, pod: &PodTemplate<'t>, number: u16) -> bool {
    let others = model.services.iter().filter(|other| !std::ptr::eq(other.resource, service.resource));
    let selects = |other: &Service<'t>| model.selected(*other).iter().any(|(p, _)| p.node == pod.node);
    let mut selecting = others.filter(|other| selects(other));
    let may_lead = |p: &ServicePort<'t>| p.leads_to(pod).known().is_none_or(|to| *to == number);
    selecting.any(|other| other.ports().iter().any(may_lead))
}

/// Whether a port of an engine is not the one that the gateway dials, which port-not-dialled says.
fn is_elsewhere(publisher: &Publisher<'_>) -> bool {
    let dial = &aibrix::table().dial;
    let ports = [(publisher.event_port(), dial.events), (publisher.replay_port(), dial.replay)];
    ports.into_iter().any(|(port, dialled)| port.known().is_some_and(|port| port.first != dialled))
}
