//! Fields that an object does not have, and the places where any field may stand.

use crate::tree::*;
use kvlint_schema::{Fragment, Outcome, ProblemKind, check, check_fragment};
use serde_json::{Value, json};

const SILENT: [&str; 0] = [];

#[test]
fn an_unknown_field_points_at_its_key() {
    let object = json!({"name": "a", "image": "b", "enviroment": []});
    let (tree, root) = JsonTree::new(&object);
    let problems = check_fragment(&tree, root, Fragment::Container);
    assert_eq!(lines(&problems), ["enviroment: unknown field `enviroment`"]);
    assert_eq!(text(&tree, problems[0].node), "enviroment");
    let ProblemKind::UnknownField { expected, .. } = problems[0].what else { panic!("an unknown field") };
    assert!(expected.contains(&"env"), "the container's fields are named");
}

#[test]
fn every_unknown_field_is_reported() {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "label": {}},
        "spec": {
            "replica": 3, "selector": {"app": "a"},
            "template": {"spec": {"containers": [
                {"name": "a", "image": "b", "port": [], "ports": [{"containerport": 1, "containerPort": 1}]},
            ], "volumes": [{"name": "v", "emptydir": {}}]}},
        },
        "extra": UNKNOWN,
    });
    assert_eq!(
        said(&object),
        [
            "extra: unknown field `extra`",
            "metadata.label: unknown field `label`",
            "spec.replica: unknown field `replica`",
            "spec.selector.app: unknown field `app`",
            "spec.template.spec.containers[0].port: unknown field `port`",
            "spec.template.spec.containers[0].ports[0].containerport: unknown field `containerport`",
            "spec.template.spec.volumes[0].emptydir: unknown field `emptydir`",
        ]
    );
}

#[test]
fn api_version_and_kind_are_fields_of_an_object_and_of_no_other() {
    let object = |claim_kind: Value| {
        json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "a"},
            "spec": {
                "selector": {}, "template": {"spec": {"containers": []}},
                "volumeClaimTemplates": [{"apiVersion": "v2", "kind": claim_kind, "metadata": {"name": "data"}}],
            },
        })
    };
    // The server does not compare these with anything.
    assert_eq!(said(&object(json!("Claim"))), SILENT);
    assert_eq!(said(&object(json!(null))), SILENT);
    assert_eq!(said(&object(json!(UNKNOWN))), SILENT);
    assert_eq!(
        said(&object(json!(1))),
        ["spec.volumeClaimTemplates[0].kind: expected a string, found integer `1` (quote it)"]
    );
    assert_eq!(
        said_of_fragment(&json!({"kind": "Pod", "spec": {"containers": []}}), Fragment::PodTemplateSpec),
        ["kind: unknown field `kind`"]
    );
}

#[test]
fn the_caller_says_what_the_object_is() {
    let (tree, root) = JsonTree::new(&json!({"apiVersion": UNKNOWN, "kind": "pod", "metadata": {"name": "a"}}));
    assert_eq!(check(&tree, root, "v1", "ConfigMap"), Outcome::Checked(vec![]));
}

#[test]
fn managed_fields_are_open() {
    let metadata = json!({"managedFields": [{"manager": "kubectl", "fieldsV1": {"f:metadata": {"f:labels": {}}}}]});
    assert_eq!(said_of_fragment(&metadata, Fragment::ObjectMeta), SILENT);
}

#[test]
fn opaque_parameters_are_open() {
    let claim = json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": {"name": "a"},
        "spec": {"devices": {
            "requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu.nvidia.com"}}],
            "config": [{"opaque": {"driver": "gpu.nvidia.com", "parameters": {"anything": [1, {"goes": true}]}}}],
        }},
    });
    assert_eq!(said(&claim), SILENT);
}

fn crd(schema: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "as.b.dev"},
        "spec": {
            "group": "b.dev", "scope": "Namespaced", "names": {"kind": "A", "plural": "as"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    })
}

#[test]
fn a_schema_has_known_fields_and_any_default() {
    let schema = json!({
        "type": "object", "x-kubernetes-preserve-unknown-fields": true, "x-mine": 1,
        "properties": {
            "a": {"type": "integer", "minimum": 0, "default": {"any": ["thing"]}, "enum": [1, "a", null]},
            "b": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "c": {"minimum": "0"},
        },
    });
    let at = "spec.versions[0].schema.openAPIV3Schema";
    assert_eq!(
        said(&crd(schema)),
        [
            format!("{at}.properties.c.minimum: expected a number, found string `\"0\"`"),
            format!("{at}.x-mine: unknown field `x-mine`"),
        ]
    );
}

#[test]
fn the_server_does_not_look_for_unknown_fields_inside_items() {
    let schema = json!({"properties": {
        "a": {"items": {"x-mine": 1, "properties": {"b": {"x-mine": 1, "maxLength": "3"}}}},
        "b": {"items": [{"x-mine": 1}], "additionalProperties": {"x-mine": 1}},
        "c": {"additionalProperties": false, "additionalItems": true, "dependencies": {"a": ["b"], "c": {"type": "a"}}},
        "d": {"additionalProperties": UNKNOWN, "items": UNKNOWN, "dependencies": {"a": UNKNOWN}},
        "e": {"additionalProperties": "no"},
    }});
    let at = "spec.versions[0].schema.openAPIV3Schema.properties";
    assert_eq!(
        said(&crd(schema)),
        [
            format!(
                "{at}.a.items.properties.b.maxLength: expected an integer, found string `\"3\"` (remove the quotes)"
            ),
            format!("{at}.e.additionalProperties: expected a schema or a boolean, found string `\"no\"`"),
        ]
    );
}

#[test]
fn a_merge_key_and_an_unknown_key_are_passed_over() {
    assert_eq!(said_of_fragment(&json!({"<<": {"name": "a"}, UNKNOWN: "b"}), Fragment::Container), SILENT);
}
