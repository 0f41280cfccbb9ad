//! JSON patches (RFC 6902) as Kustomize's library applies them: `replace` makes a missing key, indexes may be negative.

use std::sync::Arc;

use smol_str::SmolStr;

use super::merge::{Grave, vanished};
use super::resource::Tombstone;
use super::value::{Data, Fragment, FragmentPlace, Key, Origin, Place, Value};

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    op: SmolStr,
    path: Value,
    from: Option<Value>,
    value: Option<Value>,
    /// The operation's mapping.
    origin: Origin,
}

/// Why a patch does not apply, and where it says so.
#[derive(Debug)]
pub struct Refusal {
    /// In words.
    pub message: String,
    /// The place in the patch.
    pub at: Origin,
    /// What to do.
    pub help: Option<String>,
}

/// Whether all that a patch does is to test.
pub fn only_tests(patch: &[Operation]) -> bool {
    patch.iter().all(|operation| operation.op == "test")
}

/// Reads a list of operations.
///
/// # Errors
/// What is not an operation.
pub fn read(patch: &Value) -> Result<Vec<Operation>, Refusal> {
    let refuse = |at: &Value, message: &str| Refusal { message: message.into(), at: at.origin.clone(), help: None };
    if !matches!(patch.data, Data::Seq(_)) {
        return Err(refuse(patch, "a JSON patch is a list of operations"));
    }
    let mut found = Vec::new();
    for item in patch.items() {
        let Some(op) = item.get("op").and_then(Value::text) else {
            return Err(refuse(item, "an operation of a JSON patch needs an `op`"));
        };
        if !matches!(op, "add" | "replace" | "remove" | "move" | "copy" | "test") {
            let at = item.get("op").unwrap_or(item);
            return Err(refuse(at, &format!("`{op}` is not an operation of a JSON patch")));
        }
        let Some(path) = item.get("path").filter(|p| p.is_scalar()) else {
            return Err(refuse(item, "an operation of a JSON patch needs a `path`"));
        };
        found.push(Operation {
            op: op.into(),
            path: path.clone(),
            from: item.get("from").cloned(),
            value: item.get("value").cloned(),
            origin: item.origin.clone(),
        });
    }
    Ok(found)
}

/// Applies the operations; what they take away is added to `tombstones`.
///
/// # Errors
/// The first operation that does not apply.
pub fn apply(object: &mut Value, patch: &[Operation], tombstones: &mut Vec<Tombstone>) -> Result<(), Refusal> {
    for operation in patch {
        one(object, operation, tombstones)?;
        if operation.op == "copy" && object.is_too_large() {
            let message = "with this copy the object grows beyond all bounds".into();
            return Err(Refusal { message, at: operation.origin.clone(), help: None });
        }
    }
    Ok(())
}

fn keys(pointer: &str) -> Vec<SmolStr> {
    pointer.split('/').skip(1).map(|k| k.replace("~1", "/").replace("~0", "~").into()).collect()
}

fn one(object: &mut Value, operation: &Operation, tombstones: &mut Vec<Tombstone>) -> Result<(), Refusal> {
    let pointer = operation.path.text().unwrap_or_default();
    let path = keys(pointer);
    let refuse = |message: String, help: Option<String>| Refusal { message, at: operation.path.origin.clone(), help };
    let op = operation.op.as_str();
    let (last, parents) = match path.split_last() {
        Some((last, parents)) => (last, parents),
        None if op == "test" => {
            let wanted = operation.value.as_ref();
            return match wanted.is_some_and(|w| w.same(object)) {
                true => Ok(()),
                false => Err(refuse("the object is not what `test` asks for".into(), None)),
            };
        }
        None => return Err(refuse(format!("`{op}` needs a path that starts with `/`"), None)),
    };
    let value = match op {
        "add" | "replace" => match &operation.value {
            Some(value) => value.clone(),
            None => {
                return Err(Refusal {
                    message: format!("`{op}` needs a `value`"),
                    at: operation.origin.clone(),
                    help: None,
                });
            }
        },
        "move" | "copy" => {
            let from = operation.from.as_ref().and_then(Value::text).map(keys).unwrap_or_default();
            let missing = || refuse(format!("`{op}` has no value at its `from`"), None);
            let (last, parents) = from.split_last().ok_or_else(missing)?;
            let parent = lookup(object, parents).ok_or_else(missing)?;
            let mut value = get(parent, last).cloned().ok_or_else(missing)?;
            if op == "move" {
                remove(parent, last);
            }
            value.origin = value.origin.by(operation.origin.step);
            value
        }
        _ => Value::text_of("", operation.origin.clone()),
    };
    let named = names_on(object, &path);
    let Some(parent) = lookup(object, parents) else {
        let there = (0..parents.len()).rev().find(|n| lookup(object, &parents[..*n]).is_some()).unwrap_or(0);
        let missing = join(&parents[..=there]);
        let help = if last == "-" || last.parse::<i64>().is_ok() {
            format!("add the list first: `path: {}` with a list as its value", join(parents))
        } else {
            format!("add `{missing}` first, or patch with a strategic merge, which makes what is missing")
        };
        let message = format!("`{op}` can't reach `{pointer}`: the object has no `{missing}`");
        return Err(refuse(message, Some(help)));
    };
    if matches!(op, "add" | "replace")
        && let Some(old) = get(parent, last).filter(|_| matches!(parent.data, Data::Map(_)) || op == "replace")
    {
        let grave = Grave { step: operation.origin.step, by: &operation.path.origin };
        vanished(old, &value, &grave, &mut named.clone(), tombstones);
    }
    match op {
        "add" | "move" | "copy" => match insert(parent, last, &operation.path, value) {
            true => Ok(()),
            false => Err(refuse(format!("`{pointer}` is no place in the list"), None)),
        },
        "replace" => match replace(parent, last, &operation.path, value) {
            true => Ok(()),
            false => Err(refuse(format!("`{pointer}` is not in the list, so it can't be replaced"), None)),
        },
        "remove" => match remove(parent, last) {
            Some(old) => {
                tombstones.push(Tombstone {
                    path: named,
                    step: operation.origin.step,
                    by: operation.path.origin.clone(),
                    removed: old.origin,
                });
                Ok(())
            }
            None => Err(refuse(
                format!("`{pointer}` is not there, so it can't be removed"),
                Some("take the operation out, or mend its path".into()),
            )),
        },
        _ => {
            let wanted = operation.value.as_ref();
            let same = match (get(parent, last), wanted) {
                (Some(found), Some(wanted)) => found.same(wanted),
                (None, wanted) => wanted.is_none_or(Value::is_null),
                (Some(found), None) => found.is_null(),
            };
            match same {
                true => Ok(()),
                false => Err(refuse(format!("`{pointer}` is not what `test` asks for"), None)),
            }
        }
    }
}

fn join(keys: &[SmolStr]) -> String {
    keys.iter().map(|k| format!("/{}", k.replace('~', "~0").replace('/', "~1"))).collect()
}

fn index(key: &str, len: usize) -> Option<usize> {
    let index: i64 = key.parse().ok()?;
    let index = if index < 0 { index + len as i64 } else { index };
    usize::try_from(index).ok().filter(|i| *i < len)
}

fn lookup<'v>(object: &'v mut Value, path: &[SmolStr]) -> Option<&'v mut Value> {
    let mut value = object;
    for key in path {
        value = match &value.data {
            Data::Map(_) => value.get_mut(key)?,
            Data::Seq(items) => {
                let i = index(key, items.len())?;
                value.items_mut()?.get_mut(i)?
            }
            Data::Scalar(_) => return None,
        };
    }
    (!value.is_scalar()).then_some(value)
}

/// A path on which items of lists go by their names, as tombstones have them.
fn names_on(object: &Value, path: &[SmolStr]) -> Vec<SmolStr> {
    let mut at = Some(object);
    let mut named = Vec::with_capacity(path.len());
    for key in path {
        let next = at.and_then(|value| get(value, key));
        let name = next.filter(|_| at.is_some_and(|v| matches!(v.data, Data::Seq(_)))).and_then(|i| i.get("name"));
        named.push(name.and_then(Value::text).map_or_else(|| key.clone(), SmolStr::new));
        at = next;
    }
    named
}

fn get<'v>(parent: &'v Value, key: &str) -> Option<&'v Value> {
    match &parent.data {
        Data::Seq(items) => items.get(index(key, items.len())?),
        _ => parent.get(key),
    }
}

/// A key that stands at the end of the operation's path.
fn key_of(text: &SmolStr, path: &Value) -> Key {
    let pointer = path.text().unwrap_or_default();
    let origin = match &path.origin.place {
        Place::Node(tree, node) if pointer.ends_with(text.as_str()) => {
            let place = FragmentPlace::Node(*tree, *node, pointer.len() - text.len());
            let rope = Arc::new([Fragment { len: text.len(), place }]);
            Origin { place: Place::Rope(rope), step: path.origin.step, overrode: None }
        }
        _ => path.origin.derived(text.len()),
    };
    Key { text: text.clone(), origin }
}

fn insert(parent: &mut Value, key: &SmolStr, path: &Value, value: Value) -> bool {
    if matches!(parent.data, Data::Map(_)) {
        parent.set_with_key(key_of(key, path), value);
        return true;
    }
    let Some(items) = parent.items_mut() else { return false };
    let at = if key == "-" { Some(items.len()) } else { index(key, items.len() + 1) };
    match at {
        Some(at) => {
            items.insert(at, value);
            true
        }
        None => false,
    }
}

fn replace(parent: &mut Value, key: &SmolStr, path: &Value, mut value: Value) -> bool {
    if matches!(parent.data, Data::Map(_)) {
        parent.set_with_key(key_of(key, path), value);
        return true;
    }
    let Some(items) = parent.items_mut() else { return false };
    let Some(at) = index(key, items.len()) else { return false };
    value.override_from(&items[at]);
    items[at] = value;
    true
}

fn remove(parent: &mut Value, key: &str) -> Option<Value> {
    match &parent.data {
        Data::Seq(items) => {
            let at = index(key, items.len())?;
            Some(parent.items_mut()?.remove(at))
        }
        _ => parent.remove(key).map(|e| e.value),
    }
}
