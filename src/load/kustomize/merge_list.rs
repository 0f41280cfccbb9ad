//! Strategic merge of lists that have keys: which items belong together, and in what order they come out.

use super::merge::{DIRECTIVE, Directive, Merged, Stop, Surprise, Trace, named, walk};
use super::value::{Data, Key, Value};
use crate::facts::kustomize::Schema;

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

pub(super) fn walk_list(
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
                    trace.bury_vanished(&dest, &new);
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
    let asked = patch.clone();
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
    let mut valid_keys = Vec::new();
    for i in 0..values.len() {
        let (k, v) = valid(&values, &values[i], keys);
        let (find_keys, find_values) = valid(std::slice::from_ref(&v), &v, &k);
        let old = find(&dest, &find_keys, &find_values);
        let new = patch.as_ref().and_then(|p| find(p, &find_keys, &find_values));
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
                // The keys that found the item are not what the patch changes.
                if let (Some(base), true) = (old.and_then(|o| dest.items().get(o)), merged.in_place) {
                    keep_keys(&mut merged.value, base, &k);
                }
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
    append_rest(&mut added, &dest, &valid_keys);
    for item in asked.iter().flat_map(|p| p.items()) {
        if !item.is_empty() && !has_directive(item) && !added.items().iter().any(|found| holds(found, item)) {
            trace.surprises.push(Surprise::Lost(item.origin.clone()));
        }
    }
    added.origin = dest.origin;
    Ok(Some(Merged { value: added, in_place }))
}

fn has_directive(item: &Value) -> bool {
    item.get(DIRECTIVE).is_some() || item.entries().iter().any(|e| has_directive(&e.value))
}

/// Whether an item of the result has what an item of the patch asks for. Lists inside it answer for themselves.
fn holds(found: &Value, asked: &Value) -> bool {
    match (&found.data, &asked.data) {
        (Data::Map(_), Data::Map(entries)) => entries.iter().all(|e| match found.get(&e.key.text) {
            Some(value) => e.value.is_null() || holds(value, &e.value),
            // Every port is TCP unless it says otherwise.
            None => e.value.is_empty() || (e.key.text == "protocol" && e.value.text() == Some("TCP")),
        }),
        (Data::Scalar(found), Data::Scalar(asked)) => found.text == asked.text,
        (Data::Seq(_), Data::Seq(_)) => true,
        _ => false,
    }
}

/// Gives keys that a patch only repeats the places that they have in the base.
fn keep_keys(merged: &mut Value, base: &Value, keys: &[String]) {
    for key in keys {
        let (Some(old), Some(new)) = (base.get(key), merged.get(key)) else { continue };
        if old.same(new) {
            let old = old.clone();
            if let Some(new) = merged.get_mut(key) {
                *new = old;
            }
        }
    }
}

/// Takes the directive out of an item.
fn spend(list: Option<&mut Value>, index: usize) {
    let Some(list) = list.filter(|l| l.items().get(index).is_some_and(|i| i.get(DIRECTIVE).is_some())) else { return };
    if let Some(item) = list.items_mut().and_then(|items| items.get_mut(index)) {
        item.remove(DIRECTIVE);
    }
}

/// The keys' values of all items, the patch's first, each once.
pub(super) fn values_of(sources: &[Option<&Value>], keys: &[String]) -> Vec<Vec<String>> {
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
