//! Strategic merge, as Kustomize does it: `kyaml/yaml/merge2` and `walk`, its surprises included.

use smol_str::SmolStr;

use super::merge_list::{values_of, walk_list};
use super::resource::Tombstone;
use super::value::{Data, Key, Origin, Value};
use crate::facts::kustomize::Schema;

/// The key that says how a part of a patch applies.
pub const DIRECTIVE: &str = "$patch";

/// A part of a patch that has no effect, or one that goes wrong.
#[derive(Clone, Debug)]
pub enum Surprise {
    /// A list item of which something does not reach the object.
    Lost(Origin),
    /// `$patch: replace` for a whole object, which does nothing.
    ReplacesAll(Origin),
}

/// What a merge leaves beside its result.
#[derive(Debug, Default)]
pub struct Trace {
    /// What was taken away.
    pub tombstones: Vec<Tombstone>,
    /// What will surprise.
    pub surprises: Vec<Surprise>,
    pub(super) path: Vec<SmolStr>,
}

/// Why a merge stops, and where in the patch.
#[derive(Debug)]
pub struct Stop {
    /// In words.
    pub message: String,
    /// The part of the patch.
    pub at: Origin,
}

/// A result, and whether it is the base's own part, changed in place, rather than the patch's.
pub(super) struct Merged {
    pub(super) value: Value,
    pub(super) in_place: bool,
}

/// Merges a patch into an object. `None`: the object is deleted.
///
/// # Errors
/// When a patch has another shape than the object, or an unknown directive.
pub fn merge(object: Value, patch: &Value, trace: &mut Trace) -> Result<Option<Value>, Stop> {
    if let Some(all) = patch.get(DIRECTIVE).filter(|d| d.text() == Some("replace")) {
        // Kustomize makes the new object and then keeps the old one: `Resource.ApplyFilter` uses no result but a deletion.
        trace.surprises.push(Surprise::ReplacesAll(all.origin.clone()));
        return Ok(Some(object));
    }
    Ok(walk(Some(object), Some(patch.clone()), None, false, trace)?.map(|m| m.value))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    Merge,
    Replace,
    Delete,
}

fn present(value: &Option<Value>) -> Option<&Value> {
    value.as_ref().filter(|v| !v.is_null())
}

/// Merges two values. `mirrored` says that the base's value is the patch's own, because the base has none: Kustomize walks
/// it as both, and what it changes in one is changed in the other.
pub(super) fn walk(
    dest: Option<Value>,
    patch: Option<Value>,
    schema: Option<Schema>,
    mirrored: bool,
    trace: &mut Trace,
) -> Result<Option<Merged>, Stop> {
    let schema = schema.or_else(|| {
        [&dest, &patch]
            .into_iter()
            .filter_map(present)
            .find_map(|v| Schema::of(v.get("apiVersion").and_then(Value::text)?, v.get("kind").and_then(Value::text)?))
    });
    let Some(first) = present(&dest).or(present(&patch)) else {
        return walk_map(dest, patch, schema, mirrored, trace);
    };
    let same_shape = |v: &Value| std::mem::discriminant(&v.data) == std::mem::discriminant(&first.data);
    if let Some(other) = present(&patch).filter(|p| !same_shape(p)) {
        let name = |v: &Value| match v.data {
            Data::Map(_) => "a mapping",
            Data::Seq(_) => "a list",
            Data::Scalar(_) => "a single value",
        };
        let message = format!("the patch has {} where the object has {}", name(other), name(first));
        return Err(Stop { message, at: other.origin.clone() });
    }
    match first.data {
        Data::Map(_) => walk_map(dest, patch, schema, mirrored, trace),
        Data::Seq(_) => match schema.and_then(Schema::merge_keys) {
            Some(keys) => walk_list(dest, patch, schema, keys, mirrored, trace),
            None => Ok(take(dest, patch, trace)),
        },
        Data::Scalar(_) => Ok(take(dest, patch, trace)),
    }
}

/// The patch's part, else the base's.
fn take(dest: Option<Value>, patch: Option<Value>, trace: &mut Trace) -> Option<Merged> {
    match (dest, patch) {
        (dest, Some(mut value)) => {
            if let Some(old) = &dest {
                value.override_from(old);
                trace.bury_vanished(old, &value);
            }
            Some(Merged { value, in_place: false })
        }
        (Some(value), None) => Some(Merged { value, in_place: true }),
        (None, None) => None,
    }
}

/// Takes the directive out of a mapping.
fn map_directive(patch: &mut Value) -> Result<Option<Directive>, Stop> {
    let Some(found) = patch.get(DIRECTIVE) else { return Ok(None) };
    let directive = named(found)?;
    patch.remove(DIRECTIVE);
    Ok(Some(directive))
}

pub(super) fn named(value: &Value) -> Result<Directive, Stop> {
    match value.text() {
        Some("delete") => Ok(Directive::Delete),
        Some("replace") => Ok(Directive::Replace),
        Some("merge") => Ok(Directive::Merge),
        other => {
            let message = format!("`{}` is not a patch directive: delete, replace and merge are", other.unwrap_or("…"));
            Err(Stop { message, at: value.origin.clone() })
        }
    }
}

fn walk_map(
    dest: Option<Value>,
    mut patch: Option<Value>,
    schema: Option<Schema>,
    mut mirrored: bool,
    trace: &mut Trace,
) -> Result<Option<Merged>, Stop> {
    let directive = match &mut patch {
        Some(p) if !p.is_null() => map_directive(p),
        _ => Ok(None),
    };
    let (mut dest, in_place) = match dest.filter(|d| !d.is_null() || patch.is_none()) {
        // A null in the base that no patch speaks of stays, unless nothing at all is written after the colon.
        Some(null) if null.is_null() => {
            let written = null.text().is_some_and(|t| !t.is_empty());
            return Ok(written.then_some(Merged { value: null, in_place: true }));
        }
        None => {
            // An unknown directive in a part that is new is passed over.
            if matches!(directive, Ok(Some(Directive::Delete))) {
                return Ok(None);
            }
            match &patch {
                None => return Ok(None),
                Some(null) if null.is_null() => return Ok(None),
                Some(new) => {
                    mirrored = true;
                    (new.clone(), false)
                }
            }
        }
        Some(mut dest) => {
            if let Some(null) = patch.as_ref().filter(|p| p.is_null()) {
                trace.bury(&null.origin, &dest.origin);
                return Ok(None);
            }
            match directive? {
                Some(Directive::Delete) => {
                    if let Some(patch) = &patch {
                        trace.bury(&patch.origin, &dest.origin);
                    }
                    return Ok(None);
                }
                Some(Directive::Replace) => match &patch {
                    Some(new) => {
                        mirrored = true;
                        let mut new = new.clone();
                        new.override_from(&dest);
                        trace.bury_vanished(&dest, &new);
                        (new, false)
                    }
                    None => (dest, true),
                },
                Some(Directive::Merge) => {
                    dest.remove(DIRECTIVE);
                    (dest, true)
                }
                None => (dest, true),
            }
        }
    };
    let patched = patch.as_ref().map_or(&[][..], Value::entries);
    let mut keys: Vec<SmolStr> = dest.entries().iter().chain(patched).map(|e| e.key.text.clone()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let field = schema.and_then(|s| s.field(&key));
        let old = dest.get(&key).cloned();
        let new = patched.iter().find(|e| e.key.text == key);
        if new.is_none() && old.as_ref().is_some_and(|o| settled(o, field)) {
            continue;
        }
        trace.path.push(key.clone());
        let value = walk(old.clone(), new.map(|e| e.value.clone()), field, mirrored, trace)?;
        match value.filter(|m| !m.value.is_null() || new.is_none()) {
            Some(merged) => {
                let origin = new.map_or_else(|| merged.value.origin.clone(), |e| e.key.origin.clone());
                put(&mut dest, Key { text: key, origin }, merged);
            }
            None => {
                if let (Some(old), Some(new)) = (&old, new)
                    && trace.tombstones.last().is_none_or(|t| t.path != trace.path)
                {
                    trace.bury(&new.value.origin, &old.origin);
                }
                dest.remove(&key);
            }
        }
        trace.path.pop();
    }
    Ok(Some(Merged { value: dest, in_place }))
}

/// Replaces a value without a word on what it overrode: the merge below has said it. A mapping or list that is the patch's
/// alone comes with its key.
fn put(map: &mut Value, key: Key, merged: Merged) {
    let Some(entries) = map.entries_mut() else { return };
    let Merged { mut value, in_place } = merged;
    match entries.iter_mut().find(|e| e.key.text == key.text) {
        Some(entry) => {
            value.take_place_of(&entry.value);
            if !in_place && !value.is_scalar() {
                entry.key.give_way_to(key);
            }
            entry.value = value;
        }
        None => entries.push(super::value::Entry { key, value }),
    }
}

/// Whether a part that no patch speaks of stays as it is. Kustomize drops nulls that nothing is written for, and items of
/// keyed lists that repeat a key.
fn settled(value: &Value, schema: Option<Schema>) -> bool {
    match &value.data {
        Data::Scalar(s) => !(value.is_null() && s.text.is_empty()),
        Data::Map(entries) => {
            let text = |key: &str| value.get(key).and_then(Value::text);
            let schema = schema.or_else(|| Schema::of(text("apiVersion")?, text("kind")?));
            entries.iter().all(|e| settled(&e.value, schema.and_then(|s| s.field(&e.key.text))))
        }
        Data::Seq(items) => {
            let Some(keys) = schema.and_then(Schema::merge_keys) else { return true };
            let single = [String::new()];
            let keys = if keys.is_empty() { &single[..] } else { keys };
            let words = values_of(&[Some(value)], keys);
            let full = (0..keys.len()).all(|i| {
                let given = words.iter().filter(|w| w.get(i).is_some_and(|w| !w.is_empty())).count();
                given == words.len() || (given == 0 && i > 0)
            });
            let inner = schema.and_then(Schema::items);
            full && words.len() == items.len() && items.iter().all(|i| settled(i, inner) && !i.is_empty())
        }
    }
}

impl Trace {
    /// Notes what a replaced mapping or list had and the new one has not.
    pub(super) fn bury_vanished(&mut self, old: &Value, new: &Value) {
        let grave = Grave { step: new.origin.step, by: &new.origin };
        vanished(old, new, &grave, &mut self.path, &mut self.tombstones);
    }

    pub(super) fn bury(&mut self, by: &Origin, removed: &Origin) {
        self.tombstones.push(Tombstone {
            path: self.path.clone(),
            step: by.step,
            by: by.clone(),
            removed: removed.clone(),
        });
    }
}

/// What replaced something.
pub(super) struct Grave<'g> {
    /// The step.
    pub(super) step: super::value::StepId,
    /// Where it is written.
    pub(super) by: &'g Origin,
}

/// Notes the parts of a value that its successor lacks; `path` leads to both.
pub(super) fn vanished(
    old: &Value,
    new: &Value,
    grave: &Grave<'_>,
    path: &mut Vec<SmolStr>,
    tombstones: &mut Vec<Tombstone>,
) {
    let mut one = |name: &SmolStr, old: &Value, new: Option<&Value>| {
        path.push(name.clone());
        match new {
            Some(new) => vanished(old, new, grave, path, tombstones),
            None => tombstones.push(Tombstone {
                path: path.clone(),
                step: grave.step,
                by: grave.by.clone(),
                removed: old.origin.clone(),
            }),
        }
        path.pop();
    };
    old.entries().iter().for_each(|e| one(&e.key.text, &e.value, new.get(&e.key.text)));
    for item in old.items() {
        if let Some(name) = item.get("name").and_then(Value::text) {
            let same = new.items().iter().find(|i| i.get("name").and_then(Value::text) == Some(name));
            one(&SmolStr::new(name), item, same);
        }
    }
}
