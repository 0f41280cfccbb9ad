use crate::events::Gateway;
use crate::facts::aibrix;
use crate::k8s::{ClusterHost, Container};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let variable = aibrix::variable("redis_host");
    for gateway in &model.gateways {
        let Some(sync) = gateway.syncing() else { continue };
        if gateway.is_standalone() {
            continue;
        }
        let name = gateway.name_of(variable);
        match gateway.setting(variable) {
            Resolved::Absent(place) if !has_redis_beside(gateway) => {
                missing(cx, gateway, sync, place, format!("`{name}` is not set, and the gateway needs Redis"));
            }
            Resolved::Known(text, span) if text.value.is_empty() => {
                missing(cx, gateway, sync, span, format!("`{name}` is empty, and the gateway needs Redis"));
            }
            Resolved::Known(text, span) if cx.unit.is_complete() => {
                let Some(host) = ClusterHost::parse(&text.value) else { continue };
                let Some(namespace) = host.namespace.or(gateway.pod.resource.namespace()) else { continue };
                // Redis is installed apart more often than not, unless the namespace itself is made here.
                if !model.creates_namespace(namespace)
                    || model.service(host.name, Some(namespace)).is_some()
                    || model.may_be_made(host.name, Some(namespace))
                {
                    continue;
                }
                let message = format!("there is no Service `{}` in the namespace `{namespace}`", host.name);
                missing(cx, gateway, sync, span, message);
            }
            _ => {}
        }
    }
}

fn missing(cx: &mut UnitContext<'_>, gateway: &Gateway<'_>, sync: Span, span: Span, message: String) {
    let variable = aibrix::variable("redis_host");
    let installed = variable.installed_default.as_deref().unwrap_or_default();
    let report = cx.report(span, message).related(sync, "synchronisation is switched on here");
    let report = report.help(format!("name the Service of a Redis; AIBrix installs `{installed}`"));
    if let Some(note) = gateway.image.effect(&aibrix::table().redis.missing).and_then(|(row, _)| row.note.as_deref()) {
        report.note(note);
    }
}

/// Whether another container of the pod may be the Redis of the code's own default, which is the pod itself.
fn has_redis_beside(gateway: &Gateway<'_>) -> bool {
    let port = aibrix::variable("redis_port").default.as_deref().and_then(|p| p.parse().ok());
    let listens = |c: Container<'_>| c.ports().iter().any(|p| p.number.known().copied() == port);
    let marks = &aibrix::table().redis.image_marks;
    let is_redis = |image: &str| marks.iter().any(|mark| image.contains(mark.as_str()));
    let named = |c: Container<'_>| c.image().and_then(Node::text).is_some_and(is_redis);
    gateway.pod.containers().any(|c| !c.init && (listens(c) || named(c)))
}
