//! Before and after, for every shape.

use std::sync::Arc;

use super::{At, Changes, Refusal, Value, apply_to};
use crate::source::{SourceFile, SourceMap};
use crate::yaml::{self, Node, Tree};

fn read(text: &str) -> (Arc<SourceFile>, Vec<Arc<Tree>>) {
    let file = SourceMap::new().add("a.yaml", text);
    let trees = yaml::parse(&file).documents.into_iter().map(|d| d.content.unwrap()).collect();
    (file, trees)
}

/// Edits the first document.
fn edit(
    text: &str,
    change: impl for<'t> FnOnce(&mut Changes<'t>, Node<'t>) -> Result<(), Refusal>,
) -> Result<String, String> {
    let (file, trees) = read(text);
    let mut changes = Changes::new();
    let done = change(&mut changes, trees[0].root()).and_then(|()| changes.finish());
    done.map(|edits| apply_to(file.text(), &edits).unwrap()).map_err(|refusal| refusal.reason)
}

/// `a.b.0.c` from the root.
fn at<'t>(root: Node<'t>, path: &str) -> Node<'t> {
    path.split('.').filter(|p| !p.is_empty()).fold(root, |node, step| match step.parse::<usize>() {
        Ok(index) if node.is_sequence() => node.items()[index],
        _ => node.get(step).unwrap(),
    })
}

fn set(text: &str, path: &[&str], value: impl Into<Value>) -> Result<String, String> {
    let value = value.into();
    edit(text, |changes, root| changes.set(root, path, value))
}

fn append(text: &str, path: &str, value: impl Into<Value>) -> Result<String, String> {
    let value = value.into();
    edit(text, |changes, root| changes.append(at(root, path), &[], value))
}

fn remove(text: &str, path: &str) -> Result<String, String> {
    edit(text, |changes, root| changes.remove(at(root, path)))
}

fn replace(text: &str, path: &str, value: impl Into<Value>) -> Result<String, String> {
    let value = value.into();
    edit(text, |changes, root| changes.replace(at(root, path), value))
}

#[test]
fn a_replaced_scalar_keeps_its_quotes() {
    for (before, value, after) in [
        ("a: x # c\n", Value::from("w"), "a: w # c\n"),
        ("a: 'x'\n", Value::from("it's"), "a: 'it''s'\n"),
        ("a: \"x\"\n", Value::from("w"), "a: \"w\"\n"),
        ("a: 'x'\n", Value::from("l1\nl2"), "a: |-\n  l1\n  l2\n"),
        ("a: 1\n", Value::from(2), "a: 2\n"),
        ("a: \"1\"\n", Value::from(2), "a: 2\n"),
        ("a: x\n", Value::from("true"), "a: \"true\"\n"),
        ("a: x\n", Value::from("5557"), "a: \"5557\"\n"),
        ("a: x\n", Value::from("b: c"), "a: \"b: c\"\n"),
        ("a: 'q'\nb: x\n", Value::from("yes"), "a: 'yes'\nb: x\n"),
        ("a: [x, y]\n", Value::from(1), "a: 1\n"),
        ("a:\n", Value::from("x"), "a: x\n"),
        ("a: # c\n", Value::from("x"), "a: x # c\n"),
        ("a: ~\n", Value::from("x"), "a: x\n"),
        ("a: >-\n  x\n  y\nb: 1\n", Value::from("z"), "a: z\nb: 1\n"),
        ("a: |\n  x\nb: 1\n", Value::from("z\nw\n"), "a: |\n  z\n  w\nb: 1\n"),
        ("a:\n  b: 1\n", Value::from("z"), "a: z\n"),
        ("a: # c\n  b: 1\nd: 2", Value::from("z"), "a: z # c\nd: 2"),
        ("a: x # c\n", Value::map([("b", 1)]), "a: # c\n  b: 1\n"),
        ("a: x", Value::list(["b"]), "a:\n- b"),
    ] {
        assert_eq!(replace(before, "a", value).as_deref(), Ok(after), "{before:?}");
    }
    assert_eq!(replace("a: [x, y]\n", "a.1", "b: c").unwrap(), "a: [x, \"b: c\"]\n");
    assert_eq!(
        replace("- x\n-   y # c\n", "1", Value::map([("a", 1), ("b", 2)])).unwrap(),
        "- x\n-   a: 1 # c\n    b: 2\n"
    );
    assert_eq!(replace("-\n- y\n", "0", "x").unwrap(), "- x\n- y\n");
}

#[test]
fn missing_parents_are_created() {
    let path = &["m", "labels", "k"];
    for (before, after) in [
        ("m:\n  labels:\n    a: b\nz: 1\n", "m:\n  labels:\n    a: b\n    k: v\nz: 1\n"),
        ("m:\n  labels: {}\nz: 1\n", "m:\n  labels:\n    k: v\nz: 1\n"),
        ("m:\n  labels:\nz: 1\n", "m:\n  labels:\n    k: v\nz: 1\n"),
        ("m:\n  labels: null # c\nz: 1\n", "m:\n  labels: # c\n    k: v\nz: 1\n"),
        ("m:\n    name: x\nz: 1\n", "m:\n    name: x\n    labels:\n        k: v\nz: 1\n"),
        ("z: 1", "z: 1\nm:\n  labels:\n    k: v"),
        ("z: 1\r\n", "z: 1\r\nm:\r\n  labels:\r\n    k: v\r\n"),
        ("\u{feff}z: 1\r\n", "\u{feff}z: 1\r\nm:\r\n  labels:\r\n    k: v\r\n"),
        ("{\"m\": {\"name\": \"x\"}}", "{\"m\": {\"name\": \"x\", \"labels\": {\"k\": \"v\"}}}"),
        ("{\"m\":{\"labels\":{}}}", "{\"m\":{\"labels\":{\"k\":\"v\"}}}"),
        ("m: {labels: {a: b}}\n", "m: {labels: {a: b, k: v}}\n"),
        ("m: { labels: { a: b } }\n", "m: { labels: { a: b, k: v } }\n"),
        ("m: {labels: }\n", "m: {labels: {k: v}}\n"),
        (
            "{\n  \"m\": {\n    \"labels\": {}\n  }\n}\n",
            "{\n  \"m\": {\n    \"labels\": {\n      \"k\": \"v\"\n    }\n  }\n}\n",
        ),
        ("{\n  \"z\": 1\n}\n", "{\n  \"z\": 1,\n  \"m\": {\n    \"labels\": {\n      \"k\": \"v\"\n    }\n  }\n}\n"),
        ("---\nz: 1\n...\n", "---\nz: 1\nm:\n  labels:\n    k: v\n...\n"),
        ("z: 1\n---\ny: 2\n", "z: 1\nm:\n  labels:\n    k: v\n---\ny: 2\n"),
    ] {
        assert_eq!(set(before, path, "v").as_deref(), Ok(after), "{before:?}");
    }
}

#[test]
fn items_stand_like_their_neighbours() {
    for (before, after) in [
        ("a:\n- x\nb: 1\n", "a:\n- x\n- w\nb: 1\n"),
        ("a:\n  - x\nb: 1\n", "a:\n  - x\n  - w\nb: 1\n"),
        ("a:\n-   x # c\n# d\nb: 1\n", "a:\n-   x # c\n-   w\n# d\nb: 1\n"),
        ("a:\n- \"x\"\n", "a:\n- \"x\"\n- \"w\"\n"),
        ("a:\n- 'x'", "a:\n- 'x'\n- 'w'"),
        ("a: [x]\n", "a: [x, w]\n"),
        ("a: [x,]\n", "a: [x, w,]\n"),
        ("a: [\"x\",\"z\"]\n", "a: [\"x\",\"z\",\"w\"]\n"),
        ("a: []\n", "a:\n- w\n"),
        ("a:\n", "a:\n- w\n"),
        ("a: [\n  x,\n  z\n]\n", "a: [\n  x,\n  z,\n  w\n]\n"),
        ("a: [\n  x,\n  z, # c\n]\n", "a: [\n  x,\n  z, # c\n  w,\n]\n"),
        ("a: [\n  x, # d\n  z # c\n]\n", "a: [\n  x, # d\n  z, # c\n  w\n]\n"),
        ("a: [\n  x, z\n]\n", "a: [\n  x, z, w\n]\n"),
        ("a:\n- |\n  x\n\nb: 1\n", "a:\n- |\n  x\n- w\n\nb: 1\n"),
        ("a:\n- |+\n  x\n\nb: 1\n", "a:\n- |+\n  x\n\n- w\nb: 1\n"),
        ("a:\n- |\n  x", "a:\n- |-\n  x\n- w"),
        ("a:\n- |+\n  x", "a:\n- |-\n  x\n- w"),
        ("a:\n- >-\n  x", "a:\n- >-\n  x\n- w"),
        ("a:\n- - x\n", "a:\n- - x\n- w\n"),
    ] {
        assert_eq!(append(before, "a", "w").as_deref(), Ok(after), "{before:?}");
    }
    let port = Value::map([("name", Value::from("k")), ("port", Value::from(1))]);
    for (before, after) in [
        ("a:\n- name: x\n", "a:\n- name: x\n- name: k\n  port: 1\n"),
        ("a:\n  -   name: x\n", "a:\n  -   name: x\n  -   name: k\n      port: 1\n"),
        ("a:\n- {name: x}\n", "a:\n- {name: x}\n- {name: k, port: 1}\n"),
        ("a: [{\"name\": \"x\"}]", "a: [{\"name\": \"x\"}, {\"name\": \"k\", \"port\": 1}]"),
        (
            "{\"a\": [\n  {\n    \"name\": \"x\"\n  }\n]}",
            "{\"a\": [\n  {\n    \"name\": \"x\"\n  },\n  {\n    \"name\": \"k\",\n    \"port\": 1\n  }\n]}",
        ),
    ] {
        assert_eq!(append(before, "a", port.clone()).as_deref(), Ok(after), "{before:?}");
    }
}

#[test]
fn removed_entries_take_their_lines_along() {
    for (before, path, after) in [
        ("a: 1\nb: 2 # c\nc: 3\n", "b", "a: 1\nc: 3\n"),
        ("a: 1\nb: 2", "b", "a: 1"),
        ("a: 1\n# about b\nb: 2\n# end\n", "b", "a: 1\n# about b\n# end\n"),
        ("a:\n  b: 1\nc: 2\n", "a.b", "a: {}\nc: 2\n"),
        ("a:\n- 1\nc: 2\n", "a.0", "a: []\nc: 2\n"),
        ("- a: 1\n  b: 2\n- c: 3\n", "0.a", "- b: 2\n- c: 3\n"),
        ("- a: 1\n  # x\n  b: 2\n", "0.a", "- # x\n  b: 2\n"),
        ("- a: 1\n- c: 3\n", "0.a", "- {}\n- c: 3\n"),
        ("- a: 1\n- c: 3\n", "0", "- c: 3\n"),
        ("- a: 1\n- c: 3\n", "1", "- a: 1\n"),
        ("a: [x, y, z]\n", "a.0", "a: [y, z]\n"),
        ("a: [x, y, z]\n", "a.1", "a: [x, z]\n"),
        ("a: [x, y, z]\n", "a.2", "a: [x, y]\n"),
        ("a: [x, y,]\n", "a.1", "a: [x,]\n"),
        ("a: [x]\n", "a.0", "a: []\n"),
        ("a: [\n  x,\n  y # c\n]\n", "a.1", "a: [\n  x\n]\n"),
        ("a: [\n  x, # c\n  y,\n]\n", "a.1", "a: [\n  x, # c\n]\n"),
        ("a: [\n  x, # c\n  y\n]\n", "a.0", "a: [\n  y\n]\n"),
        ("a: |\n  x\n\nb: 1\n", "a", "\nb: 1\n"),
        ("x: 1\r\na: |+\r\n  x\r\n\r\nb: 1\r\n", "a", "x: 1\r\nb: 1\r\n"),
    ] {
        assert_eq!(remove(before, path).as_deref(), Ok(after), "{before:?}");
    }
}
#[test]
fn insertions_go_where_they_are_asked_for() {
    let text = "m:\n  # about a\n  a: 1\n  b:\n    c: 1\n    # d: 2\n# end\n";
    let first = edit(text, |ch, root| ch.insert(at(root, "m"), At::First, "k", 0)).unwrap();
    assert_eq!(first, "m:\n  k: 0\n  # about a\n  a: 1\n  b:\n    c: 1\n    # d: 2\n# end\n");
    let last = edit(text, |ch, root| ch.insert(at(root, "m"), At::Last, "k", 0)).unwrap();
    assert_eq!(last, "m:\n  # about a\n  a: 1\n  b:\n    c: 1\n    # d: 2\n  k: 0\n# end\n");
    let after = edit(text, |ch, root| {
        ch.insert(at(root, "m"), At::After(at(root, "m.a")), "k", 0)?;
        ch.insert(at(root, "m"), At::After(at(root, "m.a")), "o", 0)?;
        ch.insert(at(root, "m"), At::Before(at(root, "m.b")), "p", 0)
    });
    assert_eq!(after.unwrap(), "m:\n  # about a\n  a: 1\n  k: 0\n  o: 0\n  p: 0\n  b:\n    c: 1\n    # d: 2\n# end\n");
    let compact = edit("- a: 1\n", |ch, root| ch.insert(at(root, "0"), At::First, "k", 0)).unwrap();
    assert_eq!(compact, "- k: 0\n  a: 1\n");
    let front = edit("# top\na: 1\n", |ch, root| ch.insert(root, At::First, "k", 0)).unwrap();
    assert_eq!(front, "# top\nk: 0\na: 1\n");
    let item = edit("a: [x, y]\n", |ch, root| ch.insert_item(at(root, "a"), At::First, "k")).unwrap();
    assert_eq!(item, "a: [k, x, y]\n");
}
