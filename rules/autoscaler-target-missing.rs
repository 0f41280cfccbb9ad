use crate::events::Model;
use crate::facts::kubernetes;
use crate::k8s::autoscaler::ScaleTarget;
use crate::k8s::{Autoscaler, Workload};
use crate::lint::prelude::*;
use crate::load::Resource;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for resource in &cx.unit.resources {
        let Some(autoscaler) = Autoscaler::new(resource) else { continue };
        let Some(target) = autoscaler.target() else { continue };
        let name = target.name.text().unwrap_or_default();
        let namespace = target.namespace.or(resource.namespace());
        let near = |r: &Resource| r.namespace().is_none() || namespace.is_none() || r.namespace() == namespace;
        let same = |r: &&&Resource| r.may_be_called(name) && target.group.is_none_or(|group| r.group() == group);
        let of_kind = model.of_kind(target.kind);
        if of_kind.iter().filter(same).any(|r| near(r)) || is_made(model, &target, name, namespace) {
            continue;
        }
        let makes_pods = |w: &&Workload<'_>| !w.pods.is_empty() || w.kind.creates.is_some();
        let namesake = of_kind.iter().find(|r| r.name() == name);
        let other_kind = model
            .workloads
            .iter()
            .map(|w| (w, w.resource))
            .find(|(w, r)| namesake.is_none() && makes_pods(w) && r.name() == name && near(r));
        // What is wrong of the reference: its group, its kind or its name.
        let wrong = match (namesake, other_kind) {
            (Some(other), _) if near(other) => target.node.get("apiVersion"),
            (None, Some(_)) => target.node.get("kind"),
            _ => None,
        };
        let place = namespace.map_or(String::new(), |n| format!(" in the namespace `{n}`"));
        let report =
            cx.report(wrong.unwrap_or(target.name).span(), format!("there is no {} `{name}`{place}", target.kind));
        let report = report.label(format!("{} scales nothing", resource.title()));
        // Without any workload the manifests hardly are all that is deployed.
        let severity = if model.workloads.iter().any(|w| makes_pods(&w)) { Severity::Error } else { Severity::Warning };
        let report = report.severity(severity);
        let others = |r: &&&Resource| near(r) && model.workloads.iter().any(|w| std::ptr::eq(w.resource, **r));
        if let Some(other) = namesake {
            let what = if near(other) { "is of another API group" } else { "is in another namespace" };
            report
                .related(other.grip(), format!("{} {what}", other.title()))
                .help("make the reference and the object agree");
        } else if let Some((_, other)) = other_kind {
            let kind = other.kind();
            report
                .related(other.grip(), format!("the object of this name is a {kind}"))
                .help(format!("set the reference's kind to {kind}"));
        } else if let [only] = of_kind.iter().filter(others).collect::<Vec<_>>().as_slice() {
            report
                .related(only.grip(), format!("the only {} there", target.kind))
                .help(format!("name `{}`", only.name()));
        } else {
            report.help(format!("name a {} of these manifests, or add it to them", target.kind));
        }
    }
}

/// Whether a controller of the unit may make the target. An object makes no other of its own kind.
fn is_made(model: &Model<'_>, target: &ScaleTarget<'_>, name: &str, namespace: Option<&str>) -> bool {
    let scalable = |r: &Resource| r.kind() != target.kind && !kubernetes::makes_no_pods(r.group(), r.kind());
    model.makers(name, namespace).any(scalable)
}
