//! Values that stand in several places of an object as one.
//!
//! Kustomize's setters of labels and annotations put one YAML node into every field that lacks the key. Whatever overwrites it in
//! one place later, an overlay's `labels` or a patch, does so in all of them, until a JSON patch makes a copy of the whole object.

use std::collections::HashMap;

use super::emit::stands_plain;
use super::value::{Data, Entry, SharedId, Type, Value};

/// Every value that is shared, in the order in which Kustomize walks an object.
fn each<'v>(value: &'v Value, found: &mut dyn FnMut(SharedId, &'v Value)) {
    match &value.data {
        Data::Map(entries) => {
            let mut entries: Vec<&Entry> = entries.iter().collect();
            entries.sort_by(|a, b| a.key.text.cmp(&b.key.text));
            entries.into_iter().for_each(|e| each(&e.value, found));
        }
        Data::Seq(items) => items.iter().for_each(|i| each(i, found)),
        Data::Scalar(scalar) => {
            if let Some(id) = scalar.shared {
                found(id, value);
            }
        }
    }
}

/// Whether anything is shared.
fn any(value: &Value) -> bool {
    match &value.data {
        Data::Map(entries) => entries.iter().any(|e| any(&e.value)),
        Data::Seq(items) => items.iter().any(any),
        Data::Scalar(scalar) => scalar.shared.is_some(),
    }
}

/// After a step: what was overwritten in one place is overwritten in all.
pub fn settle(before: &Value, object: &mut Value) {
    if !any(before) {
        return;
    }
    let mut old: HashMap<SharedId, &Value> = HashMap::new();
    each(before, &mut |id, value| {
        old.entry(id).or_insert(value);
    });
    let mut new: HashMap<SharedId, Value> = HashMap::new();
    each(object, &mut |id, value| {
        if old.get(&id).is_some_and(|o| !o.same(value)) {
            new.insert(id, value.clone());
        }
    });
    if !new.is_empty() {
        spread(object, &new);
    }
}

fn spread(value: &mut Value, new: &HashMap<SharedId, Value>) {
    if !any(value) {
        return;
    }
    match &mut value.data {
        Data::Scalar(scalar) => {
            if let Some(new) = scalar.shared.and_then(|id| new.get(&id))
                && !new.same(value)
            {
                let mut new = new.clone();
                new.override_from(value);
                *value = new;
            }
        }
        _ => {
            value.entries_mut().into_iter().flatten().for_each(|e| spread(&mut e.value, new));
            value.items_mut().into_iter().flatten().for_each(|i| spread(i, new));
        }
    }
}

/// What a way through JSON does to an object: nothing is shared any more, and only what needs quotes has them. Annotations are
/// written anew as texts.
pub fn round_trip(object: &mut Value) {
    copied(object);
    let Some(metadata) = object.get_mut("metadata") else { return };
    for entry in metadata.get_mut("annotations").and_then(Value::entries_mut).into_iter().flatten() {
        let json = entry.value.to_json();
        if let Data::Scalar(scalar) = &mut entry.value.data
            && matches!(scalar.kind, Type::Number | Type::Bool)
        {
            let text = as_written(&json);
            if text != scalar.text.as_str() {
                entry.value.origin = entry.value.origin.derived(text.len());
            }
            scalar.text = text.into();
            (scalar.kind, scalar.held) = (Type::Str, true);
        } else if !entry.value.is_scalar() {
            entry.value = Value::text_of("", entry.value.origin.derived(0));
        }
    }
}

/// A number or boolean as Go writes it.
fn as_written(json: &serde_json::Value) -> String {
    match json.as_f64() {
        // Whole numbers of this size are exact.
        Some(x) if json.is_f64() && x.fract() == 0.0 && x.abs() < 1e6 => format!("{x:.0}"),
        _ => json.to_string(),
    }
}

fn copied(value: &mut Value) {
    match &mut value.data {
        Data::Scalar(scalar) => {
            scalar.shared = None;
            scalar.untagged = false;
            scalar.held = scalar.kind == Type::Str && !stands_plain(&scalar.text);
        }
        _ => {
            value.entries_mut().into_iter().flatten().for_each(|e| copied(&mut e.value));
            value.items_mut().into_iter().flatten().for_each(copied);
        }
    }
}
