//! What the absence of an object means: nothing, while another object of the unit may bring it into being.

use crate::facts::kubernetes;
use crate::k8s::Service;
use crate::load::Resource;

use super::model::Model;

/// What an object may make that no manifest shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Makes {
    /// Nothing.
    Nothing,
    /// Objects whose names start with its own; its pods, if it has any, are written in it.
    Named,
    /// Such objects, and pods that are written nowhere.
    HiddenPods,
    /// Anything: its kind is in no table.
    Anything,
}

fn makes(model: &Model<'_>, resource: &Resource) -> Makes {
    let (group, kind) = (resource.group(), resource.kind());
    if kubernetes::makes_nothing(group, kind) {
        return Makes::Nothing;
    }
    // Kinds of the user's configuration are workloads of the model too.
    match model.workloads.iter().find(|w| std::ptr::eq(w.resource, resource)) {
        None => Makes::Anything,
        Some(workload) if workload.kind.pods.is_empty() && !kubernetes::makes_no_pods(group, kind) => Makes::HiddenPods,
        Some(_) => Makes::Named,
    }
}

impl<'t> Model<'t> {
    /// An object that may make pods which the unit does not show, in the namespace of `near`: the labels of such pods are
    /// unknown, so that "selects nothing" can't be said.
    pub fn hidden_pods(&self, near: &Resource) -> Option<&'t Resource> {
        let hides = |r: &&Resource| matches!(makes(self, r), Makes::HiddenPods | Makes::Anything);
        self.unit.resources.iter().filter(|r| r.may_share_namespace(near)).find(hides)
    }

    /// An object whose controller may make the object `name` in a namespace. Controllers name what they make after their
    /// object.
    pub fn may_be_made(&self, name: &str, namespace: Option<&str>) -> Option<&'t Resource> {
        let shares = |r: &&Resource| r.namespace().is_none() || namespace.is_none() || r.namespace() == namespace;
        self.unit.resources.iter().filter(shares).find(|r| match makes(self, r) {
            Makes::Nothing => false,
            Makes::Named | Makes::HiddenPods => !r.name().is_empty() && name.starts_with(r.name()),
            Makes::Anything => true,
        })
    }

    /// The Service of a name in a namespace, as far as both are written. An object without a namespace may be in any.
    pub fn service(&self, name: &str, namespace: Option<&str>) -> Option<Service<'t>> {
        let may = |s: &&Service<'t>| match (s.resource.namespace(), namespace) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        self.services.iter().filter(may).find(|s| s.resource.name() == name).copied()
    }

    /// Whether the unit holds Services or workloads of a namespace, so that it is the place to look for them. What names no
    /// namespace goes to the default one.
    pub fn describes_namespace(&self, namespace: &str) -> bool {
        let default = &kubernetes::table().default_namespace;
        let lives = |r: &Resource| r.namespace().unwrap_or(default) == namespace;
        self.services.iter().any(|s| lives(s.resource)) || self.publishers.iter().any(|p| lives(p.pod.resource))
    }

    /// Whether the unit makes a namespace, so that all that belongs there can be expected in it.
    pub fn creates_namespace(&self, namespace: &str) -> bool {
        self.of_kind("Namespace").iter().any(|r| r.name() == namespace)
    }
}
