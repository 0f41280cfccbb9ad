//! A migration as changes of objects: for each object that differs, the JSON patch (RFC 6902) that leads there, and the one that
//! leads back.

use std::ops::Range;

use serde_json::{Value as Json, json};
use similar::{Algorithm, DiffTag};

use crate::load::{Resource, Unit};
use crate::yaml::json::to_json;

/// What names an object to `kubectl` and to a patch's target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName {
    /// `group/version`, or `v1`.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace, where one is written.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectName {
    fn of(resource: &Resource) -> ObjectName {
        ObjectName {
            api_version: resource.api_version().to_string(),
            kind: resource.kind().to_string(),
            namespace: resource.written_namespace().map(str::to_string),
            name: resource.name().to_string(),
        }
    }
}

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectChange {
    /// It is patched.
    Patched {
        /// The object.
        object: ObjectName,
        /// The operations that lead there.
        there: Vec<Json>,
        /// The operations that lead back.
        back: Vec<Json>,
    },
    /// It is new: the whole object.
    Created(ObjectName, Json),
    /// It goes away: the whole object.
    Deleted(ObjectName, Json),
}

/// What differs between a unit before and after.
///
/// # Errors
/// When an object is no JSON, in words.
pub fn between(before: &Unit, after: &Unit) -> Result<Vec<ObjectChange>, String> {
    let read = |unit: &Unit| -> Result<Vec<(ObjectName, Json)>, String> {
        let object = |r: &Resource| {
            let json = to_json(r.node()).map_err(|(_, why)| format!("{}: {why}", r.title()))?;
            Ok((ObjectName::of(r), json))
        };
        unit.resources.iter().map(object).collect()
    };
    let (old, mut new) = (read(before)?, read(after)?);
    let mut changes = Vec::new();
    for (object, was) in old {
        match new.iter().position(|(name, _)| *name == object) {
            Some(index) => {
                let (_, is) = new.remove(index);
                if was != is {
                    changes.push(ObjectChange::Patched { there: patch(&was, &is), back: patch(&is, &was), object });
                }
            }
            None => changes.push(ObjectChange::Deleted(object, was)),
        }
    }
    changes.extend(new.into_iter().map(|(object, json)| ObjectChange::Created(object, json)));
    Ok(changes)
}

/// The operations that make `after` of `before`. A `test` stands before what would do harm to another object than the one that was
/// read: the name of each list item that is gone through, each value that is replaced or removed, and that a key is not there yet.
///
/// The object in a cluster is not quite the one that was read: the API server fills in what was left out (`protocol: TCP`), and keeps
/// no empty list or mapping. So an item of a list that is taken away is known by what names it, and not by all that it holds.
pub fn patch(before: &Json, after: &Json) -> Vec<Json> {
    let mut operations = Vec::new();
    walk(before, after, &mut Vec::new(), &mut operations);
    operations
}

fn walk(before: &Json, after: &Json, path: &mut Vec<String>, out: &mut Vec<Json>) {
    match (before, after) {
        _ if before == after => {}
        _ if !path.is_empty() && is_nothing(before) && !is_nothing(after) => create(path, after, out),
        (Json::Object(old), Json::Object(new)) => {
            for (key, value) in old {
                path.push(key.clone());
                match new.get(key) {
                    Some(other) => walk(value, other, path, out),
                    None => remove(path, value, out),
                }
                path.pop();
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                path.push(key.clone());
                create(path, value, out);
                path.pop();
            }
        }
        (Json::Array(old), Json::Array(new)) => list(old, new, path, out),
        _ => {
            test(path, before, out);
            out.push(json!({"op": "replace", "path": pointer(path), "value": after}));
        }
    }
}

/// Items from the end to the start, so that the positions of those before stay.
fn list(old: &[Json], new: &[Json], path: &mut Vec<String>, out: &mut Vec<Json>) {
    let text = |items: &[Json]| -> Vec<String> { items.iter().map(identity).collect() };
    let (olds, news) = (text(old), text(new));
    let steps = similar::capture_diff_slices(Algorithm::Myers, &olds, &news);
    // Words that are added again would be there twice. Lists of objects hold what the API server fills in, and it refuses a name twice.
    if !old.is_empty() && old.iter().chain(new).all(|item| !item.is_object() && !item.is_array()) {
        test(path, &Json::from(old), out);
    }
    let mut parts: Vec<Vec<Json>> = Vec::new();
    // Where the next gap begins: items that go and items that come between two that stay. The diff may tell a gap in several steps,
    // whose order among themselves says nothing, so a gap is taken as a whole.
    let (mut was, mut is) = (0, 0);
    for step in steps.iter().filter(|step| step.tag() == DiffTag::Equal) {
        parts.push(gap(old, new, was..step.old_range().start, is..step.new_range().start, path));
        for (i, j) in step.old_range().zip(step.new_range()) {
            parts.push(same_item((i, &old[i]), &new[j], path));
        }
        (was, is) = (step.old_range().end, step.new_range().end);
    }
    parts.push(gap(old, new, was..old.len(), is..new.len(), path));
    parts.into_iter().rev().for_each(|part| out.extend(part));
}

/// The same item, by its name; something in it may differ.
fn same_item((index, old): (usize, &Json), new: &Json, path: &mut Vec<String>) -> Vec<Json> {
    path.push(index.to_string());
    let (mut part, mut inner) = (Vec::new(), Vec::new());
    walk(old, new, path, &mut inner);
    if !inner.is_empty() {
        members(old).filter(|(key, value)| *key != "value" && new.get(key) == Some(value)).for_each(|(key, value)| {
            test_member(path, key, value, &mut part);
        });
    }
    part.append(&mut inner);
    path.pop();
    part
}

/// The items `was` give way to the items `is`.
fn gap(old: &[Json], new: &[Json], was: Range<usize>, is: Range<usize>, path: &mut Vec<String>) -> Vec<Json> {
    let mut part = Vec::new();
    for i in was.clone().rev() {
        remove_item(path, i, &old[i], &mut part);
    }
    let at_end = was.end == old.len();
    let items: Vec<&Json> = if at_end { new[is].iter().collect() } else { new[is].iter().rev().collect() };
    for item in items {
        path.push(if at_end { "-".to_string() } else { was.start.to_string() });
        part.push(json!({"op": "add", "path": pointer(path), "value": item}));
        path.pop();
    }
    part
}

/// What makes an item of a list the same item: the number of a port, else its name. A port may be given a name.
fn identity(item: &Json) -> String {
    let text =
        |key| item.get(key).map(|value| format!("{key} {value} {}", item.get("protocol").unwrap_or(&Json::Null)));
    let name = || item.get("name").and_then(Json::as_str).map(|name| format!("name {name}"));
    text("containerPort").or_else(|| text("port")).or_else(name).unwrap_or_else(|| item.to_string())
}

/// What names an item of a list, and is never filled in by the API server.
fn members(item: &Json) -> impl Iterator<Item = (&'static str, &Json)> {
    let named = ["name", "containerPort", "port", "value"].into_iter();
    named.filter_map(|key| Some((key, item.get(key)?))).filter(|(_, value)| value.is_string() || value.is_number())
}

/// Whether the API server drops it.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

fn test(path: &[String], value: &Json, out: &mut Vec<Json>) {
    out.push(json!({"op": "test", "path": pointer(path), "value": value}));
}

fn test_member(path: &[String], key: &str, value: &Json, out: &mut Vec<Json>) {
    out.push(json!({"op": "test", "path": format!("{}/{key}", pointer(path)), "value": value}));
}

/// Adds a key that must not be there yet: `add` would put the value in the place of another. To the library of the API server a
/// `test` for null holds where the key is missing, and nowhere else (`Patch.test` in
/// https://github.com/evanphx/json-patch/blob/v4.12.0/patch.go).
fn create(path: &[String], value: &Json, out: &mut Vec<Json>) {
    test(path, &Json::Null, out);
    out.push(json!({"op": "add", "path": pointer(path), "value": value}));
}

fn remove_item(path: &mut Vec<String>, index: usize, item: &Json, out: &mut Vec<Json>) {
    path.push(index.to_string());
    let before = out.len();
    members(item).for_each(|(key, value)| test_member(path, key, value, out));
    if out.len() == before {
        test(path, item, out);
    }
    out.push(json!({"op": "remove", "path": pointer(path)}));
    path.pop();
}

fn remove(path: &mut Vec<String>, value: &Json, out: &mut Vec<Json>) {
    match value {
        // Item by item, and then nothing may be left.
        Json::Array(items) if items.iter().any(Json::is_object) => {
            for (index, item) in items.iter().enumerate().rev() {
                remove_item(path, index, item, out);
            }
            test(path, &json!([]), out);
        }
        _ => test(path, value, out),
    }
    out.push(json!({"op": "remove", "path": pointer(path)}));
}

/// RFC 6901.
fn pointer(path: &[String]) -> String {
    path.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What RFC 6902 asks of the operations that are made here.
    fn apply(document: &Json, operations: &[Json]) -> Json {
        let mut document = document.clone();
        for operation in operations {
            let path = operation["path"].as_str().unwrap();
            let (parent, last) = path.rsplit_once('/').unwrap_or(("", ""));
            let last = last.replace("~1", "/").replace("~0", "~");
            match operation["op"].as_str().unwrap() {
                // The API server keeps nothing that is empty.
                "test" if operation["value"].is_null() => {
                    assert!(document.pointer(path).is_none_or(is_nothing), "{path}")
                }
                "test" => assert_eq!(document.pointer(path), Some(&operation["value"]), "{path}"),
                "replace" => *document.pointer_mut(path).unwrap() = operation["value"].clone(),
                op => match document.pointer_mut(parent).unwrap() {
                    Json::Object(map) if op == "add" => _ = map.insert(last, operation["value"].clone()),
                    Json::Object(map) => _ = map.shift_remove(&last).unwrap(),
                    Json::Array(list) if op == "add" && last == "-" => list.push(operation["value"].clone()),
                    Json::Array(list) if op == "add" => list.insert(last.parse().unwrap(), operation["value"].clone()),
                    Json::Array(list) => _ = list.remove(last.parse().unwrap()),
                    _ => panic!("{path} leads nowhere"),
                },
            }
        }
        document
    }

    #[test]
    fn what_is_missing_is_created_and_what_is_there_is_tested() {
        let before = json!({"spec": {"containers": [{"name": "a"}, {"name": "vllm", "args": ["x"]}]}});
        let after = json!({"spec": {"containers": [{"name": "a"}, {"name": "vllm", "args": ["x", "--y"], "ports": [{"containerPort": 1}]}]}});
        let operations = patch(&before, &after);
        assert_eq!(operations[0], json!({"op": "test", "path": "/spec/containers/1/name", "value": "vllm"}));
        assert_eq!(operations[1], json!({"op": "test", "path": "/spec/containers/1/args", "value": ["x"]}));
        assert_eq!(operations[2], json!({"op": "add", "path": "/spec/containers/1/args/-", "value": "--y"}));
        assert_eq!(operations[3]["path"], "/spec/containers/1/ports");
        assert_eq!(apply(&before, &operations), after);
        assert_eq!(apply(&after, &patch(&after, &before)), before);
    }

    /// What a server makes of a pod: defaults are filled in.
    #[test]
    fn what_the_api_server_fills_in_is_in_nobodys_way() {
        let before = json!({"spec": {"containers": [{"name": "a"}]}, "ports": [{"port": 80}]});
        let after = json!({
            "spec": {"containers": [{"name": "a", "ports": [{"name": "e", "containerPort": 1}]}]},
            "ports": [{"name": "http", "port": 80}, {"name": "e", "port": 1}],
        });
        let live = json!({
            "spec": {"containers": [{"name": "a", "ports": [{"name": "e", "containerPort": 1, "protocol": "TCP"}]}]},
            "ports": [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "e", "port": 1, "protocol": "TCP"}],
        });
        let back = apply(&live, &patch(&after, &before));
        assert_eq!(back, json!({"spec": {"containers": [{"name": "a"}]}, "ports": [{"port": 80, "protocol": "TCP"}]}));
    }

    #[test]
    #[should_panic(expected = "/ports")]
    fn a_list_that_is_there_is_not_overwritten() {
        apply(&json!({"ports": [1]}), &patch(&json!({}), &json!({"ports": [2]})));
    }

    #[test]
    #[should_panic(expected = "/ports")]
    fn a_list_that_others_added_to_is_not_taken_away() {
        let live = json!({"ports": [{"port": 1}, {"port": 2}]});
        apply(&live, &patch(&json!({"ports": [{"port": 1}]}), &json!({})));
    }

    #[test]
    fn items_that_come_around_one_that_stays_keep_their_order() {
        let (long, short) = (json!([true, null, true]), json!(["", true]));
        assert_eq!(apply(&short, &patch(&short, &long)), long);
        assert_eq!(apply(&long, &patch(&long, &short)), short);
    }

    fn tree() -> impl Strategy<Value = Json> {
        let leaf =
            prop_oneof![Just(json!(null)), any::<bool>().prop_map(Json::from), "[a-c/~]{0,2}".prop_map(Json::from)];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
                proptest::collection::btree_map("[a-c/~]{1,2}|name", inner, 0..5)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_patch_leads_there_and_the_other_back(before in tree(), after in tree()) {
            prop_assert_eq!(apply(&before, &patch(&before, &after)), after.clone());
            prop_assert_eq!(apply(&after, &patch(&after, &before)), before);
        }
    }
}
