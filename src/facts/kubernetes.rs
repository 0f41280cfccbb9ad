//! Kubernetes itself: port names, namespaces, and the specs of custom kinds that kvlint checks.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Status, table};

table!(TABLE: Table = "kubernetes.yaml");

/// The whole of `kubernetes.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    date: String,
    /// What a port may be called.
    pub port_name: PortName,
    /// What a port's number may be.
    pub port_range: PortRange,
    /// The namespace of an object that names none.
    pub default_namespace: String,
    /// The label of every namespace that has its name.
    pub namespace_name_label: String,
    /// The API group of NetworkPolicy.
    pub network_policy_group: String,
    other_policies: Vec<OtherPolicies>,
    /// The ports that the cluster's DNS listens on.
    pub dns_ports: DnsPorts,
    /// The protocol of a port that names none.
    pub default_protocol: String,
    /// Paths of a `fieldRef` that give an address of the pod or its node.
    pub address_fields: Vec<String>,
    cluster_scoped: Vec<ClusterScoped>,
    built_in_groups: Vec<String>,
    controller_labels: Vec<ControllerLabel>,
    makes_nothing: Vec<Kinds>,
    makes_no_pods: Vec<Kinds>,
    keeps_containers: Vec<Kinds>,
    makes_labelled_pods: Vec<LabelledPods>,
    autoscalers: Vec<Autoscaler>,
    specs: Vec<SpecSchema>,
}

/// The group of an API with policies of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherPolicies {
    group: String,
    #[allow(dead_code, reason = "evidence for people")]
    source: String,
}

/// The ports of the cluster's DNS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsPorts {
    /// The numbers.
    pub ports: Vec<u16>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// Whether an object is a policy of another API than Kubernetes' own, so that NetworkPolicies alone don't tell what is allowed.
pub fn is_other_policy(group: &str, kind: &str) -> bool {
    kind.contains("Policy") && TABLE.other_policies.iter().any(|row| row.group == group)
}

/// What a port may be called.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortName {
    /// In bytes.
    pub max_length: usize,
    /// A regular expression.
    pub pattern: String,
    /// What it must not contain.
    pub forbidden: Vec<String>,
    /// Whether digits alone are refused.
    pub needs_letter: bool,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

impl PortName {
    /// Whether the API server takes the name.
    pub fn accepts(&self, name: &str) -> bool {
        self.fault(name).is_none()
    }

    /// The first thing that is wrong with a name. The same as `pattern` and the other fields say, without a regex engine.
    pub fn fault(&self, name: &str) -> Option<PortNameFault<'_>> {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if name.len() > self.max_length {
            return Some(PortNameFault::Long);
        }
        if let Some(bad) = name.chars().find(|c| *c != '-' && !edge(Some(*c))) {
            return Some(PortNameFault::Character(bad));
        }
        if !edge(name.chars().next()) || !edge(name.chars().last()) {
            return Some(PortNameFault::Edge);
        }
        if let Some(part) = self.forbidden.iter().find(|part| name.contains(part.as_str())) {
            return Some(PortNameFault::Forbidden(part));
        }
        let has_letter = name.bytes().any(|byte| byte.is_ascii_lowercase());
        (self.needs_letter && !has_letter).then_some(PortNameFault::NoLetter)
    }
}

/// What is wrong with the name of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortNameFault<'a> {
    /// It is too long.
    Long,
    /// It has a character that no name has.
    Character(char),
    /// It is empty, or starts or ends with a dash.
    Edge,
    /// It has a part that no name has.
    Forbidden(&'a str),
    /// It has digits alone.
    NoLetter,
}

/// What a port's number may be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "nothing to add to the names; both are included")]
pub struct PortRange {
    pub min: u32,
    pub max: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClusterScoped {
    group: String,
    kinds: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ControllerLabel {
    key: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "evidence, checked by a test"))]
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kinds {
    group: String,
    /// Empty: every kind of the group.
    #[serde(default)]
    kinds: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelledPods {
    group: String,
    kinds: Vec<String>,
    keys: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "evidence, checked by a test"))]
    source: String,
}

/// A kind that scales other workloads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Autoscaler {
    /// The API group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The path of the reference to the workload.
    pub target: String,
    /// The path of the least number of pods.
    pub min: String,
    /// The path of the greatest number of pods.
    pub max: String,
    /// The kind of a target that names none.
    pub default_kind: Option<String>,
    /// The least number where none is written.
    pub default_min: Option<i64>,
    /// The greatest number where none is written.
    pub default_max: Option<i64>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// The fields under `spec` of a custom kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecSchema {
    /// The API group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The versions with these fields.
    pub versions: Vec<String>,
    /// Whether further fields are fine, because the schema is not known for certain.
    #[serde(default)]
    pub open: bool,
    /// The fields by name.
    pub fields: BTreeMap<String, Field>,
    /// What people write instead of a field.
    #[serde(default)]
    pub renamed: Vec<Renamed>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// A field of a spec.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Whether it must be there.
    #[serde(default)]
    pub required: bool,
    /// The literals, where it has some.
    #[serde(default)]
    pub values: Vec<String>,
    /// The least number of items of a list.
    #[serde(default)]
    pub min_items: usize,
    /// The fields of an object, or of each item of a list; an empty list field has items of another kind.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// Whether further fields are fine.
    #[serde(default)]
    pub open: bool,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they are JSON's own types")]
pub enum FieldType {
    String,
    Integer,
    Boolean,
    Object,
    List,
}

/// A field that people write and that is not in the schema.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renamed {
    /// What they write.
    pub written: String,
    /// What there is; none: nothing like it.
    pub instead: Option<String>,
}

/// The whole table, for what has no accessor.
pub fn table() -> &'static Table {
    &TABLE
}

/// The day of measurement.
pub fn date() -> &'static str {
    &TABLE.date
}

/// Whether objects of a kind have no namespace, as far as the table knows; `group` is empty for the core group.
pub fn is_cluster_scoped(group: &str, kind: &str) -> bool {
    TABLE.cluster_scoped.iter().any(|row| row.group == group && row.kinds.iter().any(|known| known == kind))
}

/// Whether a group is Kubernetes' own; empty for the core group.
pub fn is_built_in(group: &str) -> bool {
    TABLE.built_in_groups.iter().any(|known| known == group)
}

/// Whether Kubernetes' own controllers add a label to pods.
pub fn is_controller_label(key: &str) -> bool {
    TABLE.controller_labels.iter().any(|label| label.key == key)
}

/// Whether the controllers of a kind are known to make no pods and no Services beside those that are written.
pub fn makes_nothing(group: &str, kind: &str) -> bool {
    is_built_in(group) || listed(&TABLE.makes_nothing, group, kind)
}

/// Whether the controllers of a kind are known to make no pods.
pub fn makes_no_pods(group: &str, kind: &str) -> bool {
    makes_nothing(group, kind) || listed(&TABLE.makes_no_pods, group, kind)
}

/// How the label keys of pods start that a kind's controller makes and no manifest shows; `None`: nobody knows.
pub fn made_label_keys(group: &str, kind: &str) -> Option<&'static [String]> {
    let row = TABLE.makes_labelled_pods.iter().find(|row| row.group == group && row.kinds.iter().any(|k| k == kind));
    row.map(|row| row.keys.as_slice())
}

/// Whether the pods of a kind have the containers that its template writes, and no others.
pub fn keeps_containers(group: &str, kind: &str) -> bool {
    is_built_in(group) || listed(&TABLE.keeps_containers, group, kind)
}

fn listed(rows: &[Kinds], group: &str, kind: &str) -> bool {
    rows.iter().any(|row| row.group == group && (row.kinds.is_empty() || row.kinds.iter().any(|k| k == kind)))
}

/// What is known about a kind that scales other workloads.
pub fn autoscaler(group: &str, kind: &str) -> Option<&'static Autoscaler> {
    TABLE.autoscalers.iter().find(|row| row.group == group && row.kind == kind)
}

/// Every kind that scales other workloads.
pub fn autoscalers() -> &'static [Autoscaler] {
    &TABLE.autoscalers
}

/// The fields under `spec` of a kind; `api_version` as in a manifest.
pub fn spec_schema(api_version: &str, kind: &str) -> Option<&'static SpecSchema> {
    let (group, version) = api_version.split_once('/')?;
    let applies =
        |row: &&SpecSchema| row.group == group && row.kind == kind && row.versions.iter().any(|v| v == version);
    TABLE.specs.iter().find(applies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::check;

    #[test]
    fn every_spec_has_a_source_and_sound_renames() {
        check::sources("specs", TABLE.specs.iter().map(|spec| spec.source.as_str()));
        check::unique("specs", TABLE.specs.iter().map(|spec| spec.kind.as_str()));
        for spec in &TABLE.specs {
            for renamed in &spec.renamed {
                assert!(!spec.fields.contains_key(&renamed.written), "{} is a field", renamed.written);
                assert!(renamed.instead.as_ref().is_none_or(|field| spec.fields.contains_key(field)));
            }
        }
    }

    #[test]
    fn autoscalers_and_controller_labels_have_a_source() {
        check::sources("autoscalers", TABLE.autoscalers.iter().map(|row| row.source.as_str()));
        check::sources("makes_labelled_pods", TABLE.makes_labelled_pods.iter().map(|row| row.source.as_str()));
        check::sources("controller_labels", TABLE.controller_labels.iter().map(|row| row.source.as_str()));
    }

    #[test]
    fn kinds_that_make_pods_are_not_called_inert() {
        assert!(makes_nothing("apps", "Deployment") && makes_nothing("keda.sh", "ScaledObject"));
        for (group, kind) in
            [("gateway.networking.k8s.io", "Gateway"), ("ray.io", "RayCluster"), ("keda.sh", "ScaledJob")]
        {
            assert!(!makes_nothing(group, kind), "{kind}");
        }
    }

    #[test]
    fn the_seeds_autoscaler_uses_fields_that_do_not_exist() {
        let spec = spec_schema("autoscaling.aibrix.ai/v1alpha1", "PodAutoscaler").unwrap();
        for field in ["targetRef", "metric", "algorithm", "template"] {
            assert!(!spec.fields.contains_key(field) && spec.renamed.iter().any(|row| row.written == field), "{field}");
        }
        assert!(spec.fields["scaleTargetRef"].required && !spec.open);
    }

    #[test]
    fn a_port_name_is_a_service_name() {
        let rule = &table().port_name;
        for name in ["kv-events", "kv-replay", "a", "8000a"] {
            assert!(rule.accepts(name), "{name}");
        }
        for name in ["", "KV", "kv_events", "-kv", "kv-", "kv--events", "5557", "kv-events-replay"] {
            assert!(!rule.accepts(name), "{name}");
        }
    }

    #[test]
    fn namespaces_and_cluster_roles_have_no_namespace() {
        assert!(is_cluster_scoped("", "Namespace"));
        assert!(is_cluster_scoped("rbac.authorization.k8s.io", "ClusterRole"));
        assert!(!is_cluster_scoped("apps", "Deployment"));
    }
}
