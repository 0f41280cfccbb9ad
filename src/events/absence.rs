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
        None if kubernetes::made_label_keys(group, kind).is_some() => Makes::HiddenPods,
        None => Makes::Anything,
        Some(workload) if workload.pods.is_empty() && !kubernetes::makes_no_pods(group, kind) => Makes::HiddenPods,
        Some(_) => Makes::Named,
    }
}

impl<'t> Model<'t> {
    /// An object that may make pods which the unit does not show and which a Service may select: nothing can be said about a
    /// Service that selects no other.
    pub fn hidden_pods(&self, service: Service<'t>) -> Option<&'t Resource> {
        let entries = service.selector().map(|s| s.node().entries()).unwrap_or_default();
        let keys: Vec<&str> = entries.iter().filter_map(|e| e.key.text()).collect();
        self.hidden_pods_with(&keys, service.resource)
    }

    /// An object in the namespace of `near` that may make pods which the unit does not show and which carry labels of these
    /// keys.
    pub fn hidden_pods_with(&self, keys: &[&str], near: &Resource) -> Option<&'t Resource> {
        let hides = |r: &&Resource| match makes(self, r) {
            Makes::Nothing | Makes::Named => false,
            Makes::HiddenPods | Makes::Anything => kubernetes::made_label_keys(r.group(), r.kind())
                .is_none_or(|known| keys.iter().any(|key| known.iter().any(|start| key.starts_with(start.as_str())))),
        };
        self.unit.resources.iter().filter(|r| r.may_share_namespace(near)).find(hides)
    }

    /// The objects whose controllers may make the object `name` in a namespace. Controllers name what they make after their
    /// object.
    pub fn makers<'s>(&'s self, name: &'s str, namespace: Option<&'s str>) -> impl Iterator<Item = &'t Resource> + 's {
        let shares = move |r: &&Resource| r.namespace().is_none() || namespace.is_none() || r.namespace() == namespace;
        self.unit.resources.iter().filter(shares).filter(move |r| match makes(self, r) {
            Makes::Nothing => false,
            Makes::Named | Makes::HiddenPods => r.has_open_name() || !r.name().is_empty() && name.starts_with(r.name()),
            Makes::Anything => true,
        })
    }

    /// Whether there may be a Service `name` in a namespace though none is written: a controller may make it, or a Service
    /// of these manifests has a name that is filled in later.
    pub fn may_be_made(&self, name: &str, namespace: Option<&str>) -> bool {
        let near = |r: &Resource| r.namespace().is_none() || namespace.is_none() || r.namespace() == namespace;
        self.services.iter().any(|s| s.resource.has_open_name() && near(s.resource))
            || self.makers(name, namespace).next().is_some()
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
        let lives = |r: &Resource| !r.has_open_namespace() && r.namespace().unwrap_or(default) == namespace;
        self.services.iter().any(|s| lives(s.resource)) || self.publishers.iter().any(|p| lives(p.pod.resource))
    }

    /// Whether the unit makes a namespace, so that all that belongs there can be expected in it.
    pub fn creates_namespace(&self, namespace: &str) -> bool {
        self.of_kind("Namespace").iter().any(|r| r.name() == namespace)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::load::{self, Loaded};

    use super::*;

    fn load(more: &str) -> Loaded {
        let text = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: prod}}\nspec: {{selector: {{app: web}}}}\n---\n{more}"
        );
        load::from_texts(&[("unit.yaml".into(), text)])
    }

    /// Whether pods may be hidden from the Service `web`, and whether the object `llama-head` may be made in `prod`.
    fn judge(more: &str) -> (bool, bool) {
        let loaded = load(more);
        let config = Config::default();
        let model = Model::new(&loaded.units[0], &config);
        (model.hidden_pods(model.services[0]).is_some(), model.may_be_made("llama-head", Some("prod")))
    }

    fn object(api_version: &str, kind: &str, namespace: &str, spec: &str) -> String {
        format!(
            "apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: llama, namespace: {namespace}}}\nspec: {spec}\n"
        )
    }

    #[test]
    fn kubernetes_own_kinds_hide_nothing() {
        let template = "{template: {spec: {containers: []}}}";
        assert_eq!(judge(&object("apps/v1", "Deployment", "prod", template)), (false, false));
        assert_eq!(judge(&object("keda.sh/v1alpha1", "ScaledObject", "prod", "{}")), (false, false));
    }

    #[test]
    fn a_known_custom_kind_makes_objects_of_its_name() {
        let ray = "{headGroupSpec: {template: {spec: {containers: []}}}}";
        assert_eq!(judge(&object("ray.io/v1", "RayCluster", "prod", ray)), (false, true));
        assert_eq!(judge(&object("ray.io/v1", "RayCluster", "staging", ray)), (false, false));
        // Its pods are written nowhere.
        assert_eq!(judge(&object("production-stack.vllm.ai/v1alpha1", "VLLMRuntime", "prod", "{}")), (true, true));
        assert_eq!(judge(&object("model.aibrix.ai/v1alpha1", "ModelAdapter", "prod", "{}")), (false, true));
    }

    #[test]
    fn an_unknown_kind_may_make_anything() {
        assert_eq!(judge(&object("example.com/v1", "Thing", "prod", "{}")), (true, true));
        assert_eq!(judge(&object("example.com/v1", "Thing", "staging", "{}")), (false, false));
    }

    #[test]
    fn the_pods_of_a_gateway_carry_labels_of_their_own() {
        let (hidden, _) = judge(&object("gateway.networking.k8s.io/v1", "Gateway", "prod", "{}"));
        assert!(!hidden);
    }

    #[test]
    fn an_object_without_a_namespace_may_be_in_any() {
        let loaded = load("apiVersion: v1\nkind: Service\nmetadata: {name: api}\nspec: {}\n");
        let config = Config::default();
        let model = Model::new(&loaded.units[0], &config);
        assert!(model.service("api", Some("prod")).is_some());
        assert!(model.service("web", Some("staging")).is_none());
        assert!(model.service("web", None).is_some());
        assert!(model.describes_namespace("prod") && model.describes_namespace("default"));
        assert!(!model.describes_namespace("staging") && !model.creates_namespace("prod"));
    }
}
