//! Where the pods are in each kind of workload, and which labels reach them.

use serde::Deserialize;

use super::{Pair, Status, table};

table!(TABLE: Table = "workloads.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    date: String,
    kinds: Vec<WorkloadKind>,
}

/// A kind and its pods. Users add their own in `kvlint.yaml`; they need not say where they know it from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadKind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The versions to which the row applies; empty: all.
    #[serde(default)]
    pub versions: Vec<String>,
    /// Where pods are described; empty: the kind has no pod template.
    pub pods: Vec<PodPath>,
    /// Paths of labels that do not reach the pods and where people put them.
    #[serde(default)]
    pub misleading_labels: Vec<String>,
    /// The path of a list of engine flags outside any container.
    pub args: Option<String>,
    /// The path of a list of variables outside any container.
    pub env: Option<String>,
    /// The kind that a controller makes of it, where no template says so.
    pub creates: Option<String>,
    /// Whether a controller completes the pods from elsewhere (presets, other objects, variables that it expands), so that
    /// what a command lacks here may still be there.
    #[serde(default)]
    pub completed: bool,
    /// The labels that the controller gives the pods; `{name}` stands for the object's name.
    #[serde(default)]
    pub pod_labels: Vec<Pair>,
    /// What else to know, for people.
    pub note: Option<String>,
    /// The evidence.
    #[serde(default)]
    pub source: String,
    /// How good the evidence is.
    #[serde(default = "documented")]
    pub status: Status,
}

fn documented() -> Status {
    Status::Documented
}

/// One place in a kind where pods are described.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PodPath {
    /// From the object's root, read with [`segments`].
    pub path: String,
    /// What stands there.
    pub shape: Shape,
    /// The path of the pods' labels from the object's root, where the shape does not say it: [`PodPath::labels_path`].
    pub labels: Option<String>,
    /// What the pods are.
    #[serde(default)]
    pub role: PodRole,
    /// The path of the number of pods.
    pub replicas: Option<String>,
    /// The path of the selector that must match the labels.
    pub selector: Option<String>,
    /// How the selector is written.
    #[serde(default)]
    pub selector_form: SelectorForm,
}

impl PodPath {
    /// Where the labels of these pods are written; `None`: nowhere, nobody can set them.
    pub fn labels_path(&self) -> Option<String> {
        match (&self.labels, self.shape) {
            (Some(labels), _) => Some(labels.clone()),
            (None, Shape::PodTemplate) if self.path.is_empty() => Some("metadata.labels".to_owned()),
            (None, Shape::PodTemplate) => Some(format!("{}.metadata.labels", self.path)),
            (None, Shape::PodSpec | Shape::Container) => None,
        }
    }
}

/// What stands at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `metadata` and `spec`.
    PodTemplate,
    /// What stands under `spec` of a pod, sometimes among other fields.
    PodSpec,
    /// One container.
    Container,
}

/// What the pods of a path are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PodRole {
    /// They may serve a model.
    #[default]
    Serving,
    /// They work for another pod, which publishes.
    Worker,
    /// They are never an engine.
    Auxiliary,
}

/// How a selector is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectorForm {
    /// `matchLabels` and `matchExpressions`.
    #[default]
    LabelSelector,
    /// A map of labels.
    Labels,
}

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// The value of this key.
    Key(&'a str),
    /// Every item of the list: `[]`.
    Items,
    /// Every value of the map: `{}`.
    Values,
}

/// The steps of a path: `spec.roles[].template` is `spec`, `roles`, every item, `template`.
pub fn segments(path: &str) -> Vec<Segment<'_>> {
    let mut steps = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        match part.strip_suffix("[]") {
            _ if part == "{}" => steps.push(Segment::Values),
            Some(key) => steps.extend([Segment::Key(key), Segment::Items]),
            None => steps.push(Segment::Key(part)),
        }
    }
    steps
}

/// Looks at the steps of a path that a user wrote.
///
/// # Errors
/// The part that is no step.
pub fn check_path(path: &str) -> Result<(), &str> {
    let good = |part: &str| {
        let key = part.strip_suffix("[]").unwrap_or(part);
        part == "{}" || (!key.is_empty() && !key.contains(|c: char| "[]{}".contains(c) || c.is_whitespace()))
    };
    if path.is_empty() { Ok(()) } else { path.split('.').find(|part| !good(part)).map_or(Ok(()), Err) }
}

/// The day of measurement.
pub fn date() -> &'static str {
    &TABLE.date
}

/// Every kind of the table.
pub fn kinds() -> &'static [WorkloadKind] {
    &TABLE.kinds
}

/// What is known about a kind; `api_version` as in a manifest: `apps/v1`, `v1`.
pub fn find(api_version: &str, kind: &str) -> Option<&'static WorkloadKind> {
    find_in(&TABLE.kinds, api_version, kind)
}

/// [`find`] among other rows, such as those of a user's config.
pub fn find_in<'a>(kinds: &'a [WorkloadKind], api_version: &str, kind: &str) -> Option<&'a WorkloadKind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let applies = |row: &&WorkloadKind| {
        row.group == group && row.kind == kind && (row.versions.is_empty() || row.versions.iter().any(|v| v == version))
    };
    kinds.iter().find(applies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::check;

    #[test]
    fn every_kind_stands_once_for_a_version_and_has_a_source() {
        let name = |kind: &WorkloadKind| format!("{}/{} {}", kind.group, kind.versions.join(","), kind.kind);
        let names: Vec<_> = kinds().iter().map(name).collect();
        check::unique("kinds", names.iter().map(String::as_str));
        check::sources("kinds", kinds().iter().map(|kind| kind.source.as_str()));
    }

    #[test]
    fn labels_that_reach_the_pods_are_not_called_misleading() {
        for kind in kinds() {
            for pod in &kind.pods {
                let labels = pod.labels_path();
                assert!(!kind.misleading_labels.iter().any(|path| Some(path) == labels.as_ref()), "{}", kind.kind);
            }
        }
    }

    #[test]
    fn steps_into_lists_and_maps_are_told_apart() {
        use Segment::*;
        assert_eq!(segments("spec.roles[].template"), [Key("spec"), Key("roles"), Items, Key("template")]);
        assert_eq!(
            segments("spec.services.{}.extraPodSpec"),
            [Key("spec"), Key("services"), Values, Key("extraPodSpec")]
        );
        assert_eq!(segments(""), []);
    }

    #[test]
    fn a_kind_is_found_by_group_and_version() {
        assert_eq!(find("apps/v1", "Deployment").unwrap().pods[0].path, "spec.template");
        assert_eq!(find("v1", "Pod").unwrap().pods[0].labels_path().unwrap(), "metadata.labels");
        assert!(find("v1", "Service").is_none());
        assert!(find("extensions.example.com/v1", "Deployment").is_none());
        let alpha = find("nvidia.com/v1alpha1", "DynamoGraphDeployment").unwrap();
        let beta = find("nvidia.com/v1beta1", "DynamoGraphDeployment").unwrap();
        assert_ne!(alpha.pods, beta.pods);
        assert!(find("nvidia.com/v1", "DynamoGraphDeployment").is_none());
    }

    #[test]
    fn kinds_without_a_pod_template_are_known_as_such() {
        assert!(find("autoscaling.aibrix.ai/v1alpha1", "PodAutoscaler").unwrap().pods.is_empty());
        let cluster = find("training.distributed-inference.io/v1alpha1", "VLLMCluster").unwrap();
        assert!(cluster.pods.is_empty() && cluster.creates.as_deref() == Some("StatefulSet"));
    }

    #[test]
    fn a_fleets_own_template_labels_do_not_reach_its_pods() {
        let fleet = find("orchestration.aibrix.ai/v1alpha1", "RayClusterFleet").unwrap();
        assert!(fleet.misleading_labels.iter().any(|path| path == "spec.template.metadata.labels"));
        let head = &fleet.pods[0];
        assert_eq!(head.labels_path().unwrap(), "spec.template.spec.headGroupSpec.template.metadata.labels");
        assert_eq!(fleet.pods[1].role, PodRole::Worker);
    }

    #[test]
    fn a_user_writes_a_kind_without_evidence() {
        let text = "{group: example.com, kind: Engine, pods: [{path: spec.pod, shape: pod_template}]}";
        let kind: WorkloadKind = serde_yaml::from_str(text).unwrap();
        assert!(find_in(&[kind], "example.com/v1", "Engine").is_some());
    }
}
