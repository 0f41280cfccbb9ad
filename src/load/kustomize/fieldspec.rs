//! Walking to the fields that a directive changes, and joining lists of such fields.

use std::sync::Arc;

use smol_str::SmolStr;

use super::resource::split_api_version;
use super::value::{Data, Key, Origin, Value};
use crate::facts::kustomize::{FieldSpec, Fields, NameReference, order};

/// What is made where the last key of a path is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// Nothing.
    Nothing,
    /// An empty text, which the setter fills.
    Scalar,
    /// A mapping.
    Map,
}

/// Why a walk stopped: in words.
pub type Walk = Result<(), String>;

/// `a/b\/c` as `a` and `b/c`.
pub fn split_path(path: &str, delimiter: char) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut raw = path.split(delimiter).peekable();
    if path.contains(delimiter) && path.starts_with(delimiter) {
        raw.next();
    }
    for part in raw {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(part);
            }
            _ => parts.push(part.to_string()),
        }
    }
    parts
}

/// Calls `set` for every value that a field leads to. `made` is the origin of what has to be created on the way.
///
/// # Errors
/// Where a scalar stands in the way, or `set` refuses a value.
pub fn apply(
    object: &mut Value,
    spec: &FieldSpec,
    create: Create,
    made: &Origin,
    set: &mut dyn FnMut(&mut Value) -> Walk,
) -> Walk {
    let text = |key: &str| object.get(key).and_then(Value::text).unwrap_or_default();
    let (group, version) = split_api_version(text("apiVersion"));
    if !spec.gvk.selects(group, version, text("kind")) {
        return Ok(());
    }
    let create = if spec.create { create } else { Create::Nothing };
    let path = split_path(&spec.path, '/');
    if create == Create::Nothing && !leads_somewhere(object, &path) {
        return Ok(());
    }
    walk(object, &path, create, made, set).map_err(|e| format!("{e}, on the way to `{}`", spec.path))
}

/// Whether anything stands at the end of the path, so that nothing is copied in vain.
fn leads_somewhere(value: &Value, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    match &value.data {
        Data::Map(_) => value.get(first.trim_end_matches("[]")).is_some_and(|v| leads_somewhere(v, rest)),
        Data::Seq(items) => items.iter().any(|i| leads_somewhere(i, path)),
        // A scalar in the way is an error, which the walk reports.
        Data::Scalar(_) => !value.is_null(),
    }
}

fn walk(
    value: &mut Value,
    path: &[String],
    create: Create,
    made: &Origin,
    set: &mut dyn FnMut(&mut Value) -> Walk,
) -> Walk {
    let Some((first, rest)) = path.split_first() else { return set(value) };
    match &value.data {
        Data::Scalar(_) if value.is_null() => Ok(()),
        Data::Scalar(_) => Err("a mapping or list is expected, and a single value stands there".into()),
        Data::Seq(_) => {
            let items = value.items_mut().into_iter().flatten();
            for item in items {
                walk(item, path, create, made, set)?;
            }
            Ok(())
        }
        Data::Map(_) => {
            let name = first.trim_end_matches("[]");
            let is_list = name.len() != first.len();
            if name.is_empty() {
                return Err("the path has an empty key".into());
            }
            let makes = create != Create::Nothing && !is_list;
            let blank = || match (rest.is_empty(), create) {
                (true, Create::Scalar) => Value::blank(made.clone()),
                _ => Value::empty_map(made.clone()),
            };
            if makes && value.get(name).is_none() {
                let key = Key { text: SmolStr::new(name), origin: made.derived(name.len()) };
                value.set(key, blank());
            }
            let Some(field) = value.get_mut(name) else { return Ok(()) };
            if makes && field.is_null() {
                field.data = blank().data;
            } else if is_list && field.is_null() {
                return Ok(());
            }
            walk(field, rest, create, made, set)
        }
    }
}

/// Adds a field unless it is there.
///
/// # Errors
/// When it is there and differs in whether it is created.
pub fn merge_one(into: &mut Arc<Vec<FieldSpec>>, spec: &FieldSpec) -> Result<(), String> {
    let same = |x: &&FieldSpec| x.path == spec.path && spec.gvk.selects(&x.gvk.group, &x.gvk.version, &x.gvk.kind);
    match into.iter().find(same) {
        Some(old) if old.create != spec.create => {
            Err(format!("`{}` is given twice, with `create` and without", spec.path))
        }
        Some(_) => Ok(()),
        None => {
            Arc::make_mut(into).push(spec.clone());
            Ok(())
        }
    }
}

type Specs = Arc<Vec<FieldSpec>>;

/// `known` is the list without any `configurations`, which is shared: no field of it swallows another. In a list that was joined
/// one may: a field of one kind stands before the same field of all kinds and takes its place.
fn merge_all(into: &mut Specs, more: &Specs, known: &Specs) -> Result<(), String> {
    if Arc::ptr_eq(into, more) {
        return Ok(());
    }
    if into.is_empty() && Arc::ptr_eq(more, known) {
        *into = Arc::clone(more);
        return Ok(());
    }
    more.iter().try_for_each(|spec| merge_one(into, spec))?;
    Arc::make_mut(into).sort_by_key(|a| order(&a.gvk));
    Ok(())
}

/// Joins what two kustomizations know about fields.
///
/// # Errors
/// When they contradict each other.
pub fn merge(into: &mut Fields, more: &Fields) -> Result<(), String> {
    let known = crate::facts::kustomize::fields();
    merge_all(&mut into.name_prefix, &more.name_prefix, &known.name_prefix)?;
    merge_all(&mut into.name_suffix, &more.name_suffix, &known.name_suffix)?;
    merge_all(&mut into.namespace, &more.namespace, &known.namespace)?;
    merge_all(&mut into.common_labels, &more.common_labels, &known.common_labels)?;
    merge_all(&mut into.labels, &more.labels, &known.labels)?;
    merge_all(&mut into.template_labels, &more.template_labels, &known.template_labels)?;
    merge_all(&mut into.common_annotations, &more.common_annotations, &known.common_annotations)?;
    merge_all(&mut into.images, &more.images, &known.images)?;
    merge_all(&mut into.replicas, &more.replicas, &known.replicas)?;
    merge_all(&mut into.var_reference, &more.var_reference, &known.var_reference)?;
    if Arc::ptr_eq(&into.name_reference, &more.name_reference) {
        return Ok(());
    }
    if into.name_reference.is_empty() {
        into.name_reference = Arc::clone(&more.name_reference);
        return Ok(());
    }
    let references = Arc::make_mut(&mut into.name_reference);
    for other in more.name_reference.iter() {
        match references.iter_mut().find(|r| r.target == other.target) {
            Some(mine) => {
                let mut fields = Arc::new(std::mem::take(&mut mine.fields));
                let outcome = other.fields.iter().try_for_each(|spec| merge_one(&mut fields, spec));
                mine.fields = Arc::unwrap_or_clone(fields);
                outcome?;
            }
            None => references.push(NameReference::clone(other)),
        }
    }
    references.sort_by_key(|a| order(&a.target));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_can_be_escaped() {
        assert_eq!(split_path(r"metadata/annotations/a\/b", '/'), ["metadata", "annotations", "a/b"]);
        assert_eq!(split_path("/spec/x", '/'), ["spec", "x"]);
    }
}
