//! Strategic merge, as Kustomize does it: `kyaml/yaml/merge2` and `walk`, its surprises included.

use smol_str::SmolStr;

use super::resource::Tombstone;
use super::value::{Data, Key, Origin, Value};
use crate::facts::kustomize::Schema;

/// The key that says how a part of a patch applies.
pub const DIRECTIVE: &str = "$patch";

/// A part of a patch that has no effect, or one that goes wrong.
#[derive(Clone, Debug)]
pub enum Surprise {
    /// A list item that merges with nothing and is not added either.
    Lost(Origin),
    /// A variable's `value` and `valueFrom`, the one from the patch first.
    ValueAndSource(Origin, Origin),
}

/// What a merge leaves beside its result.
#[derive(Debug, Default)]
pub struct Trace {
    /// What was taken away.
    pub tombstones: Vec<Tombstone>,
    /// What will surprise.
    pub surprises: Vec<Surprise>,
    path: Vec<SmolStr>,
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
struct Merged {
    value: Value,
    in_place: bool,
}

/// Merges a patch into an object. `None`: the object is deleted.
///
/// # Errors
/// When a patch has another shape than the object, or an unknown directive.
pub fn merge(object: Value, patch: &Value, trace: &mut Trace) -> Result<Option<Value>, Stop> {
    Ok(walk(Some(object), Some(patch.clone()), None, false, trace)?.map(|m| m.value))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

fn present(value: &Option<Value>) -> Option<&Value> {
    value.as_ref().filter(|v| !v.is_null())
}

/// Merges two values. `mirrored` says that the base's value is the patch's own, because the base has none: Kustomize walks
/// it as both, and what it changes in one is changed in the other.
fn walk(
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
            None => Ok(take(dest, patch)),
        },
        Data::Scalar(_) => Ok(take(dest, patch)),
    }
}

/// The patch's part, else the base's.
fn take(dest: Option<Value>, patch: Option<Value>) -> Option<Merged> {
    match (dest, patch) {
        (dest, Some(mut value)) => {
            if let Some(old) = &dest {
                value.override_from(old);
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

fn named(value: &Value) -> Result<Directive, Stop> {
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
        match value.map(|m| m.value).filter(|v| !v.is_null() || new.is_none()) {
            Some(value) => {
                let origin = new.map_or_else(|| value.origin.clone(), |e| e.key.origin.clone());
                put(&mut dest, Key { text: key, origin }, value);
            }
            None => {
                if let (Some(old), Some(new)) = (&old, new)
                    && !trace.tombstones.last().is_some_and(|t| t.path == trace.path)
                {
                    trace.bury(&new.value.origin, &old.origin);
                }
                dest.remove(&key);
            }
        }
        trace.path.pop();
    }
    if let Some(patch) = &patch {
        note_value_and_source(&dest, patch, trace);
    }
    Ok(Some(Merged { value: dest, in_place }))
}

/// Replaces a value without a word on what it overrode: the merge below has said it.
fn put(map: &mut Value, key: Key, value: Value) {
    let Some(entries) = map.entries_mut() else { return };
    match entries.iter_mut().find(|e| e.key.text == key.text) {
        Some(entry) => entry.value = value,
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

fn note_value_and_source(dest: &Value, patch: &Value, trace: &mut Trace) {
    let in_env = trace.path.iter().rev().nth(1).is_some_and(|p| p == "env");
    if !in_env {
        return;
    }
    let set = |v: &Value, key: &str| {
        let entry = v.entries().iter().find(|e| e.key.text == key && !e.value.is_null())?;
        // A mapping is held by its key.
        Some(if entry.value.is_scalar() { entry.value.origin.clone() } else { entry.key.origin.clone() })
    };
    if let (Some(value), Some(source)) = (set(dest, "value"), set(dest, "valueFrom")) {
        match (set(patch, "value").is_some(), set(patch, "valueFrom").is_some()) {
            (true, false) => trace.surprises.push(Surprise::ValueAndSource(value, source)),
            (false, true) => trace.surprises.push(Surprise::ValueAndSource(source, value)),
            _ => {}
        }
    }
}

impl Trace {
    fn bury(&mut self, by: &Origin, removed: &Origin) {
        self.tombstones.push(Tombstone {
            path: self.path.clone(),
            step: by.step,
            by: by.clone(),
            removed: removed.clone(),
        });
    }
}

/// Takes the directive out of a list: an item that holds nothing else.
fn list_directive(patch: &mut Value) -> Result<Option<Directive>, Stop> {
    let Some(item) = patch.items().iter().find(|i| i.get(DIRECTIVE).is_some()) else { return Ok(None) };
    if item.entries().len() > 1 {
        return Ok(None);
    }
    let Some(found) = item.get(DIRECTIVE) else { return Ok(None) };
    let directive = named(found)?;
    let word = found.text().unwrap_or_default().to_string();
    set_item(patch, None, &[DIRECTIVE.to_string()], &[word]);
    Ok(Some(directive))
}

fn walk_list(
    dest: Option<Value>,
    mut patch: Option<Value>,
    schema: Option<Schema>,
    keys: &[String],
    mut mirrored: bool,
    trace: &mut Trace,
) -> Result<Option<Merged>, Stop> {
    let mut in_place = true;
    let mut dest = match dest.filter(|d| !d.is_null()) {
        None => {
            in_place = false;
            mirrored = true;
            match &patch {
                Some(p) => p.clone(),
                None => return Ok(None),
            }
        }
        Some(mut dest) => {
            if let Some(null) = patch.as_ref().filter(|p| p.is_null()) {
                trace.bury(&null.origin, &dest.origin);
                return Ok(None);
            }
            let directive = match &mut patch {
                Some(p) => list_directive(p)?,
                None => None,
            };
            match (directive, &patch) {
                (Some(Directive::Delete), Some(p)) => {
                    trace.bury(&p.origin, &dest.origin);
                    return Ok(None);
                }
                (Some(Directive::Replace), Some(p)) => {
                    in_place = false;
                    mirrored = true;
                    let mut new = p.clone();
                    new.override_from(&dest);
                    new
                }
                (Some(Directive::Merge), Some(_)) => {
                    set_item(&mut dest, None, &[DIRECTIVE.to_string()], &["merge".to_string()]);
                    dest
                }
                _ => dest,
            }
        }
    };
    let single = [String::new()];
    let keys = if keys.is_empty() { &single[..] } else { keys };
    let sources = [patch.as_ref(), Some(&dest)];
    let mut values = values_of(&sources, keys);
    if values.is_empty() {
        return Ok(Some(Merged { value: dest, in_place }));
    }
    if keys.len() > 1 {
        unify(&mut values);
    }
    let items_schema = schema.and_then(Schema::items);
    let mut added = Value::empty_seq(dest.origin.clone());
    let mut used = vec![false; patch.as_ref().map_or(0, |p| p.items().len())];
    let mut valid_keys = Vec::new();
    for i in 0..values.len() {
        let (k, v) = valid(&values, &values[i], keys);
        let (find_keys, find_values) = valid(std::slice::from_ref(&v), &v, &k);
        let old = find(&dest, &find_keys, &find_values);
        let new = patch.as_ref().and_then(|p| find(p, &find_keys, &find_values));
        if let Some(n) = new {
            used[n] = true;
        }
        trace.path.push(v.first().cloned().unwrap_or_default().into());
        let merged = walk(
            old.map(|o| dest.items()[o].clone()),
            new.and_then(|n| patch.as_ref().map(|p| p.items()[n].clone())),
            items_schema,
            mirrored,
            trace,
        )?;
        trace.path.pop();
        // A directive is spent once it was read. Where the base has no such list, Kustomize walks the patch's list as both.
        if let Some(n) = new {
            spend(patch.as_mut(), n);
        }
        if let (Some(o), true) = (old, mirrored) {
            spend(Some(&mut dest), o);
            if let Some(merged) = &merged {
                for (list, at) in [(Some(&mut dest), old), (patch.as_mut(), new)] {
                    if let Some(item) = list.and_then(Value::items_mut).and_then(|l| l.get_mut(at.unwrap_or(o))) {
                        *item = merged.value.clone();
                    }
                }
            }
        }
        match merged.filter(|m| !m.value.is_null() && !matches!(&m.value.data, Data::Map(e) if e.is_empty())) {
            None => set_item(&mut dest, None, &k, &v),
            Some(mut merged) => {
                for (key, word) in k.iter().zip(&v) {
                    if !key.is_empty() && !word.is_empty() && merged.value.get(key).is_none() {
                        let origin = merged.value.origin.clone();
                        merged.value.set(
                            Key { text: key.into(), origin: origin.derived(key.len()) },
                            Value::plain_of(word.as_str(), origin.derived(word.len())),
                        );
                    }
                }
                if let (true, Some(o)) = (merged.in_place, old)
                    && let Some(item) = dest.items_mut().and_then(|items| items.get_mut(o))
                {
                    *item = merged.value.clone();
                }
                set_item(&mut added, Some(merged.value), &k, &v);
            }
        }
        valid_keys = k;
    }
    if let Some(p) = &patch {
        let lost = used.iter().zip(p.items()).filter(|(used, item)| !**used && !item.is_empty());
        trace.surprises.extend(lost.map(|(_, item)| Surprise::Lost(item.origin.clone())));
    }
    append_rest(&mut added, &dest, &valid_keys);
    added.origin = dest.origin;
    Ok(Some(Merged { value: added, in_place }))
}

/// Takes the directive out of an item.
fn spend(list: Option<&mut Value>, index: usize) {
    let Some(list) = list.filter(|l| l.items().get(index).is_some_and(|i| i.get(DIRECTIVE).is_some())) else { return };
    if let Some(item) = list.items_mut().and_then(|items| items.get_mut(index)) {
        item.remove(DIRECTIVE);
    }
}

/// The keys' values of all items, the patch's first, each once.
fn values_of(sources: &[Option<&Value>], keys: &[String]) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    for item in sources.iter().flatten().flat_map(|s| s.items()) {
        let words: Vec<String> = match keys {
            [key] if key.is_empty() => vec![item.text().unwrap_or_default().to_string()],
            _ => keys
                .iter()
                .map(|k| item.get(k).filter(|v| !v.is_empty()).and_then(Value::text).unwrap_or_default().to_string())
                .collect(),
        };
        if !found.contains(&words) {
            found.push(words);
        }
    }
    found
}

/// Fills the gaps of partly given keys from others that agree as far as they go.
fn unify(values: &mut [Vec<String>]) {
    for i in 0..values.len() {
        for j in 0..values.len() {
            if let Some(joined) = join(&values[i], &values[j]) {
                values[i].clone_from(&joined);
                values[j] = joined;
            }
        }
    }
}

fn join(a: &[String], b: &[String]) -> Option<Vec<String>> {
    let mut common = false;
    let mut joined = Vec::new();
    for (x, y) in a.iter().zip(b) {
        if x == y {
            common = true;
        } else if !x.is_empty() && !y.is_empty() {
            return None;
        }
        joined.push(if x.is_empty() { y.clone() } else { x.clone() });
    }
    common.then_some(joined)
}

/// The keys that some item has, and their values.
fn valid(all: &[Vec<String>], values: &[String], keys: &[String]) -> (Vec<String>, Vec<String>) {
    let known = |i: usize| all.iter().any(|v| v.get(i).is_some_and(|w| !w.is_empty()));
    if !(0..keys.len()).any(known) {
        return (keys.to_vec(), values.to_vec());
    }
    let pick = |list: &[String]| list.iter().enumerate().filter(|(i, _)| known(*i)).map(|(_, w)| w.clone()).collect();
    (pick(keys), pick(values))
}

/// The first item whose keys have these values.
fn find(list: &Value, keys: &[String], values: &[String]) -> Option<usize> {
    list.items().iter().position(|item| match keys {
        [key] if key.is_empty() => item.text().unwrap_or_default() == values.first().map_or("", String::as_str),
        _ => {
            matches!(item.data, Data::Map(_))
                && keys.iter().zip(values).all(|(k, v)| item.get(k).is_some_and(|x| x.text().unwrap_or_default() == v))
        }
    })
}

/// Kustomize's `ElementSetter`: puts an item in the place of those that match, else at the end; without an item, takes
/// them away. Nulls and empty mappings go in any case.
fn set_item(list: &mut Value, element: Option<Value>, keys: &[String], values: &[String]) {
    let is_mapping_setter =
        keys.first().is_some_and(|k| !k.is_empty()) && values.first().is_some_and(|v| !v.is_empty());
    let Some(items) = list.items_mut() else { return };
    let mut matched = false;
    let mut kept = Vec::with_capacity(items.len() + 1);
    for item in std::mem::take(items) {
        if item.is_null() || matches!(&item.data, Data::Map(e) if e.is_empty()) {
            continue;
        }
        if !matches!(item.data, Data::Map(_)) && is_mapping_setter {
            kept.push(item);
            continue;
        }
        let has = |(key, value): (&String, &String)| {
            if key.is_empty() {
                value.is_empty() || item.text() == Some(value)
            } else {
                // An empty value asks for the key alone.
                item.get(key).is_some_and(|v| value.is_empty() || v.text().unwrap_or_default() == value)
            }
        };
        if values.is_empty() {
            continue;
        }
        if !keys.iter().zip(values).all(has) {
            kept.push(item);
            continue;
        }
        matched = true;
        kept.extend(element.clone());
    }
    if let (false, Some(element)) = (matched, element)
        && !element.is_null()
    {
        kept.push(element);
    }
    *items = kept;
}

/// Appends the base's items that the patch did not speak of.
fn append_rest(added: &mut Value, dest: &Value, keys: &[String]) {
    for item in dest.items() {
        if keys.first().is_none_or(String::is_empty) {
            let word = item.text().unwrap_or_default().to_string();
            set_item(added, Some(item.clone()), &[String::new()], &[word]);
            continue;
        }
        let mut values = Vec::new();
        for key in keys {
            match item.get(key) {
                Some(value) => values.push(value.text().unwrap_or_default().to_string()),
                None => {
                    if let Some(items) = added.items_mut() {
                        items.push(item.clone());
                    }
                }
            }
        }
        if keys.len() > 1 {
            set_item(added, None, keys, &values);
        }
        set_item(added, Some(item.clone()), keys, &values);
    }
}
