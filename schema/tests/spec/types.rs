//! Values of the wrong type, and values whose text can't be read.

use crate::tree::*;
use kvlint_schema::{Fragment, Outcome, check, check_fragment, is_core};
use serde_json::{Value, json};

const SILENT: [&str; 0] = [];

fn config_map(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data})
}

fn secret(fields: Value) -> Value {
    let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}});
    secret.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    secret
}

#[test]
fn a_sound_deployment_is_silent() {
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "vllm", "labels": {"app": "vllm"}, "annotations": null, "creationTimestamp": null},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "vllm"}},
            "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": {"app": "vllm"}},
                "spec": {"containers": [{
                    "name": "engine",
                    "image": "vllm/vllm-openai:v0.10.1",
                    "args": ["serve", "--port=8000"],
                    "env": [{"name": "PYTHONHASHSEED", "value": "0"}],
                    "ports": [{"containerPort": 8000, "name": "http", "protocol": "TCP"}],
                    "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 5},
                    "resources": {"limits": {"cpu": 1, "memory": "16Gi", "nvidia.com/gpu": 1}},
                }]},
            },
        },
        "status": {},
    });
    assert_eq!(said(&deployment), SILENT);
}

#[test]
fn other_kinds_are_not_looked_at() {
    let (tree, root) = JsonTree::new(&json!({"spec": 3}));
    for (api_version, kind) in [("kvlint.dev/v1", "Pod"), ("v1", "Deployment"), ("extensions/v1beta1", "Ingress")] {
        assert_eq!(check(&tree, root, api_version, kind), Outcome::NotCore);
        assert!(!is_core(api_version, kind));
    }
    assert!(is_core("apps/v1", "Deployment"));
}

#[test]
fn an_environment_value_is_a_string() {
    assert_eq!(
        said_of_container(json!({"env": [
            {"name": "A", "value": 1}, {"name": "B", "value": true}, {"name": "C", "value": 0.5},
            {"name": "D", "value": "1"}, {"name": "E", "value": null}, {"name": "F", "value": UNKNOWN},
        ]})),
        [
            "env[0].value: expected a string, found integer `1` (quote it)",
            "env[1].value: expected a string, found boolean `true` (quote it)",
            "env[2].value: expected a string, found number `0.5` (quote it)",
        ]
    );
}

#[test]
fn labels_and_annotations_are_strings() {
    let metadata = json!({
        "labels": {"model.aibrix.ai/kv-events-enabled": true, "version": 1, "empty": null},
        "annotations": {"a": false, "list": []},
    });
    assert_eq!(
        said_of_fragment(&metadata, Fragment::ObjectMeta),
        [
            "annotations.a: expected a string, found boolean `false` (quote it)",
            "annotations.list: expected a string, found a list",
            "labels.version: expected a string, found integer `1` (quote it)",
            "labels[\"model.aibrix.ai/kv-events-enabled\"]: expected a string, found boolean `true` (quote it)",
        ]
    );
}

#[test]
fn arguments_are_strings_in_a_list() {
    assert_eq!(
        said_of_container(json!({"args": ["--port", 8000, null], "command": "vllm serve"})),
        [
            "args[1]: expected a string, found integer `8000` (quote it)",
            "command: expected a list, found string `\"vllm serve\"`",
        ]
    );
}

#[test]
fn data_of_a_config_map_is_strings() {
    assert_eq!(
        said(&config_map(json!({"port": 8000, "nested": {"a": "b"}, "text": "8000"}))),
        [
            "data.nested: expected a string, found a mapping",
            "data.port: expected a string, found integer `8000` (quote it)",
        ]
    );
}

#[test]
fn a_container_port_is_a_number() {
    assert_eq!(
        said_of_container(json!({"ports": [
            {"containerPort": "5557"}, {"containerPort": "http"}, {"containerPort": 1.0}, {"containerPort": 1.5},
            {"containerPort": true}, {"containerPort": 3_000_000_000_u64}, {"containerPort": UNKNOWN},
        ]})),
        [
            "ports[0].containerPort: expected an integer, found string `\"5557\"` (remove the quotes)",
            "ports[1].containerPort: expected an integer, found string `\"http\"`",
            "ports[3].containerPort: expected an integer, found number `1.5`",
            "ports[4].containerPort: expected an integer, found boolean `true`",
            "ports[5].containerPort: expected an integer of at most 32 bits, found integer `3000000000`",
        ]
    );
}

#[test]
fn a_64_bit_integer_has_a_limit_too() {
    let spec = json!({"containers": [{"name": "a", "image": "b"}], "terminationGracePeriodSeconds": u64::MAX});
    assert_eq!(
        said(&pod(spec)),
        ["spec.terminationGracePeriodSeconds: expected an integer of at most 64 bits, found integer \
          `18446744073709551615`"]
    );
}

#[test]
fn a_boolean_is_no_string() {
    assert_eq!(
        said_of_container(json!({"stdin": "true", "tty": "yes", "stdinOnce": 1})),
        [
            "stdin: expected a boolean, found string `\"true\"` (remove the quotes)",
            "stdinOnce: expected a boolean, found integer `1`",
            "tty: expected a boolean, found string `\"yes\"`",
        ]
    );
}

#[test]
fn a_target_port_is_an_integer_or_a_string() {
    let service = |port: Value| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
            "spec": {"ports": [{"port": 80, "targetPort": port}]},
        })
    };
    for port in [json!(8000), json!("http"), json!("8000"), json!(8000.0), json!(null), json!(UNKNOWN)] {
        assert_eq!(said(&service(port)), SILENT);
    }
    assert_eq!(
        said(&service(json!(true))),
        ["spec.ports[0].targetPort: expected an integer or a string, found boolean `true`"]
    );
    assert_eq!(
        said(&service(json!(1_u64 << 40))),
        ["spec.ports[0].targetPort: expected an integer of at most 32 bits, found integer `1099511627776`"]
    );
}

#[test]
fn a_quantity_is_a_number_or_text_of_its_own_form() {
    assert_eq!(
        said_of_container(json!({"resources": {
            "requests": {"cpu": 1, "memory": 0.5, "a": "500m", "b": null, "c": UNKNOWN, "d": "1e3"},
            "limits": {"cpu": true, "memory": "16GB", "a": "two", "b": ["1"]},
        }})),
        [
            "resources.limits.a: expected a quantity such as `500m` or `2Gi`, found string `\"two\"`",
            "resources.limits.b: expected a quantity such as `500m` or `2Gi`, found a list",
            "resources.limits.cpu: expected a quantity such as `500m` or `2Gi`, found boolean `true`",
            "resources.limits.memory: expected a quantity such as `500m` or `2Gi`, found string `\"16GB\"` \
             (quantities have no `B`: write `16G`)",
        ]
    );
}

#[test]
fn data_of_a_secret_is_base64_and_is_not_repeated() {
    assert_eq!(said(&secret(json!({"data": {"a": "YQ==", "b": "YW\nJj\n", "c": null, "d": UNKNOWN}}))), SILENT);
    assert_eq!(
        said(&secret(json!({"data": {"token": "hf_secret", "n": 1234}}))),
        [
            "data.n: expected base64 text, found an integer (put plain text under `stringData`, or encode it)",
            "data.token: expected base64 text, found other text (put plain text under `stringData`, or \
             encode it)",
        ]
    );
    assert_eq!(
        said(&secret(json!({"stringData": {"token": "hf_secret", "n": 1234}}))),
        ["stringData.n: expected a string, found an integer (quote it)"]
    );
}

#[test]
fn binary_data_of_a_config_map_is_base64() {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "binaryData": {"a": "b"}});
    assert_eq!(said(&object), ["binaryData.a: expected base64 text, found other text"]);
}

#[test]
fn a_time_is_rfc_3339() {
    let metadata = |time: Value| json!({"name": "a", "creationTimestamp": time});
    for time in [json!(null), json!("2024-05-01T12:00:00Z"), json!("9999-12-31T23:59:59Z")] {
        assert_eq!(said_of_fragment(&metadata(time), Fragment::ObjectMeta), SILENT);
    }
    assert_eq!(
        said_of_fragment(&metadata(json!("2024-05-01")), Fragment::ObjectMeta),
        ["creationTimestamp: expected a time such as `2024-05-01T12:00:00Z`, found string `\"2024-05-01\"`"]
    );
}

#[test]
fn shapes_must_agree() {
    assert_eq!(
        said(&pod(
            json!({"containers": {"name": "a"}, "volumes": [["a"]], "securityContext": [], "nodeSelector": "a"})
        )),
        [
            "spec.containers: expected a list, found a mapping",
            "spec.nodeSelector: expected a mapping, found string `\"a\"`",
            "spec.securityContext: expected a mapping, found a list",
            "spec.volumes[0]: expected a mapping, found a list",
        ]
    );
    let (tree, root) = JsonTree::new(&json!(["a"]));
    assert_eq!(lines(&check_fragment(&tree, root, Fragment::Container)), [": expected a mapping, found a list"]);
}

#[test]
fn null_is_absence_everywhere() {
    let spec = json!({
        "containers": [{
            "name": "a", "image": "b", "command": null, "args": [null], "ports": null, "resources": {"limits": null},
            "env": [{"name": "A", "valueFrom": null}], "stdin": null, "livenessProbe": null,
        }],
        "hostNetwork": null, "nodeSelector": {"a": null}, "tolerations": [null],
    });
    assert_eq!(said(&pod(spec)), SILENT);
}

#[test]
fn unknown_values_fit_everywhere() {
    let spec = json!({
        "containers": [UNKNOWN, {"name": UNKNOWN, "image": UNKNOWN, "ports": UNKNOWN, "env": [UNKNOWN],
            "resources": {"limits": {"cpu": UNKNOWN}}, "args": [UNKNOWN], "stdin": UNKNOWN,
            "livenessProbe": {"httpGet": {"port": UNKNOWN}}}],
        "volumes": UNKNOWN,
    });
    assert_eq!(said(&pod(spec)), SILENT);
    assert_eq!(said(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": UNKNOWN, "spec": UNKNOWN})), SILENT);
}

#[test]
fn a_type_error_points_at_the_value() {
    let object = pod(json!({"containers": [{"name": "a", "image": "b", "ports": [{"containerPort": "5557x"}]}]}));
    let (tree, root) = JsonTree::new(&object);
    let Outcome::Checked(problems) = check(&tree, root, "v1", "Pod") else { panic!("a core kind") };
    assert_eq!(text(&tree, problems[0].node), "5557x");
    assert_eq!(problems[0].path, "spec.containers[0].ports[0].containerPort");
}

#[test]
fn scalar_keys_are_read_as_text() {
    let mut tree = JsonTree::default();
    let (key, value) = (tree.add(&json!(8080)), tree.add(&json!("a")));
    let data = tree.map(vec![(key, value)]);
    let key = tree.add(&json!("labels"));
    let metadata = tree.map(vec![(key, data)]);
    assert_eq!(check_fragment(&tree, metadata, Fragment::ObjectMeta), []);

    let (list, value) = (tree.add(&json!(["a"])), tree.add(&json!("b")));
    let metadata = tree.map(vec![(list, value)]);
    assert_eq!(lines(&check_fragment(&tree, metadata, Fragment::ObjectMeta)), [": expected a string, found a list"]);
}

#[test]
fn long_text_is_cut() {
    let said = said_of_container(json!({"ports": "ü".repeat(500)}));
    assert_eq!(said, [format!("ports: expected a list, found string `\"{}…\"`", "ü".repeat(40))]);
}
