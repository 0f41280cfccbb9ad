//! Hostile input: deep, wide, and multiplied by aliases.

use crate::tree::*;
use kvlint_schema::{Fragment, Outcome, ProblemKind, check, check_fragment};
use serde_json::{Value, json};

/// `depth` schemas, each inside the last.
fn nested_schema(tree: &mut JsonTree, depth: usize, wrap: &[&str]) -> u32 {
    let mut schema = tree.add(&json!({"type": "object"}));
    for _ in 0..depth {
        for field in wrap {
            let key = tree.add(&json!(field));
            schema = tree.map(vec![(key, schema)]);
        }
    }
    schema
}

fn crd(tree: &mut JsonTree, schema: u32) -> u32 {
    let mut node = schema;
    for field in ["openAPIV3Schema", "schema"] {
        let key = tree.add(&json!(field));
        node = tree.map(vec![(key, node)]);
    }
    node = tree.seq(vec![node]);
    for field in ["versions", "spec"] {
        let key = tree.add(&json!(field));
        node = tree.map(vec![(key, node)]);
    }
    node
}

/// kvlint works in threads of 2 MiB, and its own frames need some of that.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(3 << 19).spawn(run).expect("a thread").join().expect("no overflow");
}

#[test]
fn deep_nesting_is_reported_once_and_overflows_no_stack() {
    for wrap in [&["not"][..], &["a", "properties"], &["items"], &["additionalProperties"], &["a", "dependencies"]] {
        on_a_small_stack(move || {
            let mut tree = JsonTree::default();
            let schema = nested_schema(&mut tree, 1000, wrap);
            let root = crd(&mut tree, schema);
            let Outcome::Checked(problems) = check(&tree, root, "apiextensions.k8s.io/v1", "CustomResourceDefinition")
            else {
                panic!("a core kind")
            };
            assert_eq!(problems.iter().filter(|p| p.what == ProblemKind::TooDeep).count(), 1, "{wrap:?}");
        });
    }
}

#[test]
fn a_schema_around_a_pod_template_is_not_too_deep() {
    let mut tree = JsonTree::default();
    let schema = nested_schema(&mut tree, 30, &["a", "properties"]);
    let root = crd(&mut tree, schema);
    let Outcome::Checked(problems) = check(&tree, root, "apiextensions.k8s.io/v1", "CustomResourceDefinition") else {
        panic!("a core kind")
    };
    assert!(problems.iter().all(|p| p.what != ProblemKind::TooDeep));
}

#[test]
fn open_values_are_not_walked() {
    let mut tree = JsonTree::default();
    let fields = nested_schema(&mut tree, 1000, &["f:a"]);
    let (key, list_key) = (tree.add(&json!("fieldsV1")), tree.add(&json!("managedFields")));
    let entry = tree.map(vec![(key, fields)]);
    let list = tree.seq(vec![entry]);
    let root = tree.map(vec![(list_key, list)]);
    assert_eq!(check_fragment(&tree, root, Fragment::ObjectMeta), []);
}

#[test]
fn aliases_cannot_multiply_the_work() {
    let mut tree = JsonTree::default();
    let key = tree.add(&json!("allOf"));
    let mut schema = tree.add(&json!({"type": "object"}));
    for _ in 0..30 {
        let list = tree.seq(vec![schema; 10]);
        schema = tree.map(vec![(key, list)]);
    }
    let root = crd(&mut tree, schema);
    let Outcome::Checked(problems) = check(&tree, root, "apiextensions.k8s.io/v1", "CustomResourceDefinition") else {
        panic!("a core kind")
    };
    assert_eq!(problems.iter().filter(|p| p.what == ProblemKind::TooBig).count(), 1);
}

#[test]
fn problems_beyond_the_limit_are_said_to_be_there() {
    let data: serde_json::Map<_, _> = (0..1500).map(|i| (format!("k{i}"), json!(i))).collect();
    let mut tree = JsonTree::default();
    let root = tree.add(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}));
    let Outcome::Checked(problems) = check(&tree, root, "v1", "ConfigMap") else { panic!("a core kind") };
    assert_eq!(problems.len(), 1001);
    assert_eq!(problems.iter().filter(|p| p.what == ProblemKind::TooMany).count(), 1);
}

#[test]
fn an_aliased_mistake_is_reported_once() {
    let mut tree = JsonTree::default();
    let container = tree.add(&json!({"name": "a", "stdin": "x"}));
    let (key, list) = (tree.add(&json!("containers")), tree.seq(vec![container, container]));
    let root = tree.map(vec![(key, list)]);
    assert_eq!(
        lines(&check_fragment(&tree, root, Fragment::PodSpec)),
        ["containers[0].stdin: expected a boolean, found string `\"x\"`"]
    );
}

#[test]
fn at_most_a_thousand_problems_are_reported() {
    let args: Vec<Value> = (0..1001).map(Value::from).collect();
    let said = said_of_container(json!({"args": args}));
    assert_eq!(said.len(), 1001);
    assert!(said.iter().any(|line| line == "args[1000]: too many problems stand before"), "{said:?}");
}
