//! Fields without which an object is refused.

use crate::tree::*;
use kvlint_schema::{Fragment, Outcome, check};
use serde_json::{Value, json};

const SILENT: [&str; 0] = [];

fn object(api_version: &str, kind: &str, spec: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec})
}

#[test]
fn an_object_has_a_name_or_asks_for_one() {
    let named = |metadata: Value| said(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}));
    assert_eq!(named(json!({"name": "a"})), SILENT);
    assert_eq!(named(json!({"generateName": "a-"})), SILENT);
    assert_eq!(named(json!({"name": UNKNOWN})), SILENT);
    assert_eq!(named(json!({UNKNOWN: "a"})), SILENT);
    assert_eq!(named(json!({"namespace": "b"})), ["metadata: `name` is missing"]);
    assert_eq!(named(json!(null)), [": `metadata` is missing"]);
    assert_eq!(said(&json!({"apiVersion": "v1", "kind": "ConfigMap"})), [": `metadata` is missing"]);
}

#[test]
fn a_workload_selects_its_pods() {
    for kind in ["Deployment", "DaemonSet", "StatefulSet", "ReplicaSet"] {
        assert_eq!(
            said(&object("apps/v1", kind, json!({}))),
            ["spec: `selector` is missing", "spec: `template` is missing"],
            "{kind}"
        );
        assert_eq!(
            said(&json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a"}})),
            [": `spec` is missing"]
        );
    }
    assert_eq!(said(&object("v1", "ReplicationController", json!({}))), ["spec: `template` is missing"]);
    assert_eq!(said(&object("batch/v1", "Job", json!({}))), ["spec: `template` is missing"]);
    assert_eq!(
        said(&object("batch/v1", "CronJob", json!({"schedule": "@daily", "jobTemplate": {}}))),
        ["spec.jobTemplate: `spec` is missing"]
    );
}

#[test]
fn what_has_a_default_is_not_required() {
    // Marked as required by older OpenAPI documents, yet accepted by the server.
    assert_eq!(said(&object("networking.k8s.io/v1", "NetworkPolicy", json!({}))), SILENT);
    assert_eq!(
        said(&json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "a"}})),
        SILENT
    );
    assert_eq!(
        said(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "a"},
            "roleRef": {"kind": "Role", "name": "a"}, "subjects": [{"kind": "ServiceAccount", "name": "a"}],
        })),
        SILENT
    );
    assert_eq!(said(&object("v1", "Service", json!({"clusterIP": "None"}))), SILENT);
    assert_eq!(said(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})), SILENT);
}

#[test]
fn items_name_themselves() {
    let spec = json!({
        "containers": [
            {"image": "a", "ports": [{"name": "http"}], "env": [{"value": "a"}], "volumeMounts": [{"name": "v"}]},
            null,
        ],
        "volumes": [{"emptyDir": {}}, {"name": "s", "persistentVolumeClaim": {}}],
    });
    assert_eq!(
        said(&pod(spec)),
        [
            "spec.containers[0].env[0]: `name` is missing",
            "spec.containers[0].ports[0]: `containerPort` is missing",
            "spec.containers[0].volumeMounts[0]: `mountPath` is missing",
            "spec.containers[0]: `name` is missing",
            "spec.containers[1]: `image` is missing",
            "spec.containers[1]: `name` is missing",
            "spec.volumes[0]: `name` is missing",
            "spec.volumes[1].persistentVolumeClaim: `claimName` is missing",
        ]
    );
    assert_eq!(
        said(&object("v1", "Service", json!({"ports": [{"targetPort": 80}]}))),
        ["spec.ports[0]: `port` is missing"]
    );
}

#[test]
fn an_operator_may_fill_in_what_only_validation_asks_for() {
    assert_eq!(said_of_fragment(&json!({"name": "main"}), Fragment::Container), SILENT);
    assert_eq!(said_of_fragment(&json!({"image": "a"}), Fragment::Container), [": `name` is missing"]);
    assert_eq!(said_of_fragment(&json!({}), Fragment::PodTemplateSpec), SILENT);
    assert_eq!(said_of_fragment(&json!({}), Fragment::PodSpec), [": `containers` is missing"]);
    assert_eq!(said_of_fragment(&json!({}), Fragment::ObjectMeta), SILENT);
    assert_eq!(said_of_container(json!({"image": null})), ["spec.containers[0]: `image` is missing"]);
}

#[test]
fn a_missing_field_points_at_the_mapping_or_at_the_empty_entry() {
    let (tree, root) = JsonTree::new(&pod(json!({"containers": null})));
    let Outcome::Checked(problems) = check(&tree, root, "v1", "Pod") else { panic!("a core kind") };
    assert_eq!(text(&tree, problems[0].node), "containers");

    let (tree, root) = JsonTree::new(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}));
    let Outcome::Checked(problems) = check(&tree, root, "v1", "Pod") else { panic!("a core kind") };
    assert_eq!(problems[0].node, root);
}
