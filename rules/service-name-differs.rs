use std::collections::HashSet;

use crate::events::Model;
use crate::facts::aibrix;
use crate::k8s::{PodTemplate, Service, Truth};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let key = &aibrix::table().labels.model.key;
    let routed = &aibrix::table().service_routes.kinds;
    let mut told = HashSet::new();
    for service in model.services.iter().filter(|s| !s.is_headless() && !s.resource.has_open_name()) {
        let selected = model.selected(*service);
        let sure = selected.iter().filter(|(_, truth)| *truth == Truth::Yes).map(|(pod, _)| *pod);
        // The controller routes by way of a Service to these kinds alone.
        let Some(pod) = sure
            .filter(|pod| routed.iter().any(|kind| kind == pod.resource.kind()))
            .find(|pod| serves(model, *service, pod))
        else {
            continue;
        };
        let Some(label) = pod.labels.get(key).filter(|n| !n.is_templated()) else { continue };
        let Some(name) = label.text().filter(|name| !name.is_empty() && *name != service.resource.name()) else {
            continue;
        };
        if model.service(name, service.resource.namespace()).is_some()
            || !told.insert((name, service.resource.namespace()))
        {
            continue;
        }
        if model.may_be_made(name, service.resource.namespace()) {
            continue;
        }
        cx.report(service.resource.grip(), format!("the Service of the model `{name}` has another name"))
            .related(label.span(), format!("the pods of {} serve `{name}`", pod.title()))
            .help(format!("call the Service `{name}`"))
            .note(format!(
                "AIBrix routes requests for a model to the Service named as `{key}`, unless they name a strategy"
            ));
    }
}

/// Whether a Service leads to the port that the pod's engine answers requests on. A Service for metrics or events may have
/// any name.
fn serves<'t>(model: &Model<'t>, service: Service<'t>, pod: &PodTemplate<'t>) -> bool {
    let http: Vec<u16> = model.publishers_of(pod).filter_map(|p| p.http_port().known().copied()).collect();
    service.ports().iter().any(|port| port.leads_to(pod).known().is_some_and(|port| http.contains(port)))
}
