//! Names that a prefix, a suffix or a hash left behind: those in fields that Kustomize does not follow.

use std::collections::HashMap;

use smol_str::SmolStr;

use super::accumulate::Accumulated;
use super::fieldspec::split_path;
use super::resource::{Id, Resource};
use super::value::{Data, Value};

/// Keys under which objects name others, and the kind that is meant.
const NAMING: &[(&[&str], &str)] = &[
    (&["configMapRef", "name"], "ConfigMap"),
    (&["configMapKeyRef", "name"], "ConfigMap"),
    (&["configMap", "name"], "ConfigMap"),
    (&["secretRef", "name"], "Secret"),
    (&["secretKeyRef", "name"], "Secret"),
    (&["secret", "secretName"], "Secret"),
    (&["secret", "name"], "Secret"),
    (&["imagePullSecrets", "name"], "Secret"),
    (&["persistentVolumeClaim", "claimName"], "PersistentVolumeClaim"),
    (&["serviceAccountName"], "ServiceAccount"),
];

/// References that may leave out the kind: the group of the object that has them, the key, and the kind that is meant then.
/// Kustomize's own table (`src/facts/kustomize/name_references.yaml`) has none of them.
/// Sources, read on 2026-11-28: the markers `+kubebuilder:default` in
/// - the Gateway API at 4564255ac (2026-08-21): `apis/v1/object_reference_types.go` (`SecretObjectReference` is a Secret,
///   `BackendObjectReference` a Service), `apis/v1/shared_types.go` (`ParentReference` and `ParentGatewayReference` are a Gateway),
///   with the keys from `gateway_types.go`, `httproute_types.go`, `grpcroute_types.go`, `listenerset_types.go`;
/// - the inference extension at 84436a96 (2026-08-18): `api/v1/inferencepool_types.go` (`EndpointPickerRef` is a Service), and at
///   v1.0.1: `apix/v1alpha2/inferencepool_types.go` (`Extension` is a Service), `apix/v1alpha2/inferenceobjective_types.go`
///   (`PoolObjectReference` is an InferencePool); `InferenceModel` of v0.3.0 has the same `poolRef`.
const DEFAULT_KINDS: &[(&str, &str, &str)] = &[
    ("gateway.networking.k8s.io", "backendRefs", "Service"),
    ("gateway.networking.k8s.io", "backendRef", "Service"),
    ("gateway.networking.k8s.io", "parentRefs", "Gateway"),
    ("gateway.networking.k8s.io", "parentRef", "Gateway"),
    ("gateway.networking.k8s.io", "certificateRefs", "Secret"),
    ("gateway.networking.k8s.io", "clientCertificateRef", "Secret"),
    ("inference.networking.k8s.io", "endpointPickerRef", "Service"),
    ("inference.networking.x-k8s.io", "extensionRef", "Service"),
    ("inference.networking.x-k8s.io", "poolRef", "InferencePool"),
];

/// The object that a name is for, as far as what stands beside the name says.
struct Meant<'v> {
    kind: &'v str,
    group: Option<&'v str>,
    namespace: Option<&'v str>,
}

/// What names objects now, and what named others of them before.
struct Names<'a> {
    into: &'a Accumulated,
    now: HashMap<(SmolStr, SmolStr), Vec<Id>>,
    before: HashMap<(SmolStr, SmolStr), Vec<(usize, Id)>>,
}

/// The names that lead nowhere now, each with the object that is called otherwise.
pub fn dangling(into: &Accumulated) -> Vec<(Value, usize)> {
    let mut names = Names { into, now: HashMap::new(), before: HashMap::new() };
    for (i, resource) in into.resources.iter().enumerate() {
        let id = resource.id();
        for old in resource.previous_ids().filter(|old| old.name != id.name) {
            names.before.entry((old.kind.clone(), old.name.clone())).or_default().push((i, old));
        }
        names.now.entry((id.kind.clone(), id.name.clone())).or_default().push(id);
    }
    let mut found = Vec::new();
    if !names.before.is_empty() {
        for resource in &into.resources {
            names.look(resource, &resource.value, &mut Vec::new(), &mut found);
        }
    }
    found
}

impl Names<'_> {
    fn look<'v>(
        &self,
        referrer: &'v Resource,
        value: &'v Value,
        path: &mut Vec<&'v str>,
        found: &mut Vec<(Value, usize)>,
    ) {
        match &value.data {
            Data::Map(entries) => {
                if let Some(name) = value.get("name").filter(|_| !path.is_empty())
                    && let Some(meant) = meant(referrer, value, path)
                {
                    path.push("name");
                    self.check(referrer, &meant, name, path, found);
                    path.pop();
                }
                for entry in entries.iter() {
                    path.push(&entry.key.text);
                    self.look(referrer, &entry.value, path, found);
                    path.pop();
                }
            }
            Data::Seq(items) => items.iter().for_each(|i| self.look(referrer, i, path, found)),
            Data::Scalar(_) => {
                if let Some((_, kind)) = NAMING.iter().find(|(keys, _)| path.ends_with(keys)) {
                    self.check(referrer, &Meant { kind, group: None, namespace: None }, value, path, found);
                }
            }
        }
    }

    fn check(
        &self,
        referrer: &Resource,
        meant: &Meant<'_>,
        name: &Value,
        path: &[&str],
        found: &mut Vec<(Value, usize)>,
    ) {
        let Some(text) = name.text() else { return };
        let key = (SmolStr::new(meant.kind), SmolStr::new(text));
        let Some(before) = self.before.get(&key) else { return };
        let id = referrer.id();
        let fits_group = |other: &Id| meant.group.is_none_or(|group| other.group == group);
        let in_reach = |old: &Id, now: &Id| match meant.namespace {
            Some(namespace) => old.written_namespace == namespace || now.namespace == namespace,
            None => id.is_cluster_scoped() || now.is_cluster_scoped() || now.namespace == id.namespace,
        };
        if self.now.get(&key).into_iter().flatten().any(fits_group) || self.follows(referrer, meant.kind, path) {
            return;
        }
        let renamed = before.iter().find(|(i, old)| fits_group(old) && in_reach(old, &self.into.resources[*i].id()));
        if let Some((i, _)) = renamed
            && !found.iter().any(|(other, _)| other.origin.place == name.origin.place)
        {
            found.push((name.clone(), *i));
        }
    }

    /// Whether Kustomize follows names of this kind in this field.
    fn follows(&self, referrer: &Resource, kind: &str, path: &[&str]) -> bool {
        let id = referrer.original_id();
        let leads_here = |field: &str| {
            let keys = split_path(field, '/');
            let same = keys.iter().zip(path).all(|(a, b)| a.trim_end_matches("[]") == *b);
            // A field may hold the mapping around the name.
            same && (keys.len() == path.len() || (keys.len() + 1 == path.len() && path.last() == Some(&"name")))
        };
        self.into
            .fields
            .name_reference
            .iter()
            .filter(|r| r.target.kind.is_empty() || r.target.kind == kind)
            .flat_map(|r| &r.fields)
            .any(|field| id.is_selected(&field.gvk) && leads_here(&field.path))
    }
}

/// What a mapping with a name refers to: `kind` beside the name says it, or the key that the mapping stands under.
fn meant<'v>(referrer: &Resource, value: &'v Value, path: &[&str]) -> Option<Meant<'v>> {
    let text = |key: &str| value.get(key).and_then(Value::text);
    let namespace = text("namespace").filter(|n| !n.is_empty());
    let named = text("apiGroup").or_else(|| text("group"));
    let group = named.or_else(|| text("apiVersion").map(|v| super::resource::split_api_version(v).0));
    if let Some(kind) = text("kind") {
        return Some(Meant { kind, group, namespace });
    }
    let id = referrer.id();
    let (_, _, kind) = DEFAULT_KINDS.iter().find(|(of, key, _)| id.group == *of && path.last() == Some(key))?;
    Some(Meant { kind, group, namespace })
}
