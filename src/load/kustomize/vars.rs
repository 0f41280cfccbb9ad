//! `vars`: `$(NAME)` in the fields that may hold it.

use super::accumulate::Accumulated;
use super::fieldspec::{Create, Walk, apply};
use super::kustomization::Variable;
use super::replace::{lookup, path_parts};
use super::resource::{Id, Resource, by_any_id};
use super::value::{Data, Fragment, FragmentPlace, Origin, Place, Type, Value, cut};
use super::workspace::{BuildProblem, Workspace};
use crate::source::Span;
use crate::yaml::{Directive, Step};

const DEFAULT_PATH: &str = "metadata.name";

impl Workspace<'_> {
    /// Notes which object a variable reads.
    pub(super) fn variable_target(&mut self, variable: &Variable, into: &mut Accumulated) {
        let text = |t: &Option<super::fields::Text>| t.as_ref().map(|t| t.text.to_string()).unwrap_or_default();
        let object = &variable.object;
        let (group, version) = (text(&object.group), text(&object.version));
        let api_version = if group.is_empty() { version } else { format!("{group}/{version}") };
        let id = Id::new(&api_version, &text(&object.kind), &text(&object.name), &text(&object.namespace));
        let with_namespace = object.namespace.is_some() || id.is_cluster_scoped();
        let found =
            by_any_id(&into.resources, |i| if with_namespace { i.same(&id) } else { i.same_but_namespace(&id) });
        match found[..] {
            [one] => into.resources[one].variables.push(variable.name.text.clone()),
            [] => {}
            _ => into.log.problems.push(
                BuildProblem::failed(variable.span, format!("several objects are `{}`", id.title()))
                    .help("add the namespace of one of them to `objref`"),
            ),
        }
    }
}

/// Puts the values of all variables in.
pub fn resolve(ws: &mut Workspace<'_>, into: &mut Accumulated) {
    let mut values: Vec<(String, Value, Span, usize)> = Vec::new();
    for variable in &into.variables {
        let name = &variable.name.text;
        let Some(resource) = into.resources.iter().find(|r| r.variables.contains(name)) else {
            into.log.problems.push(
                BuildProblem::absent(variable.span, format!("no object is the source of the variable `{name}`"))
                    .help("mend `objref`: the apiVersion, kind and name that the object had first"),
            );
            continue;
        };
        let path = variable.field.as_ref().map_or(DEFAULT_PATH, |f| f.text.as_str());
        // `a[0].b` is `a.0.b`.
        let parts: Vec<String> = path_parts(path).into_iter().flat_map(split_index).collect();
        match lookup(&resource.value, &parts) {
            Some(value) => values.push((name.to_string(), value.clone(), variable.span, 0)),
            None => {
                let at = variable.field.as_ref().map_or(variable.span, |f| f.span);
                let problem = BuildProblem::failed(at, format!("`{}` has no `{path}`", resource.id().title()));
                into.log.problems.push(
                    problem
                        .help("mend the path")
                        .related(super::patch_target::resource_grip(ws, resource), "the object"),
                );
            }
        }
    }
    if values.is_empty() {
        return;
    }
    let fields = std::sync::Arc::clone(&into.fields.var_reference);
    let span = values[0].2;
    let step = ws.add_step(Step::Applied(Directive::Variable, span));
    for resource in &mut into.resources {
        let outcome = one(resource, &fields, &mut values, step, span);
        if let Err(e) = outcome {
            let at = super::patch_target::resource_grip(ws, resource);
            into.log.problems.push(BuildProblem::failed(at, format!("a variable can't be put in: {e}")));
        }
    }
    for (name, _, span, uses) in values {
        into.log.count("vars", span, format!("the variable `{name}`"), (uses, uses));
    }
}

fn split_index(part: String) -> Vec<String> {
    match part.strip_suffix(']').and_then(|p| p.split_once('[')) {
        Some((name, index)) if !name.is_empty() && index.parse::<usize>().is_ok() => {
            vec![name.to_string(), index.to_string()]
        }
        _ => vec![part],
    }
}

type Values = Vec<(String, Value, Span, usize)>;

fn one(
    resource: &mut Resource,
    fields: &[crate::facts::kustomize::FieldSpec],
    values: &mut Values,
    step: u32,
    span: Span,
) -> Walk {
    if !has_reference(&resource.value) {
        return Ok(());
    }
    let made = Origin::made(span, step);
    let before = resource.value.clone();
    for spec in fields {
        apply(&mut resource.value, spec, Create::Nothing, &made, &mut |v| {
            match &v.data {
                Data::Scalar(_) => put(v, values, step),
                Data::Map(_) => v.entries_mut().into_iter().flatten().for_each(|e| put(&mut e.value, values, step)),
                Data::Seq(items) => {
                    if items.iter().any(|i| !i.is_str()) {
                        return Err("an item of the list is not a text".into());
                    }
                    v.items_mut().into_iter().flatten().for_each(|i| put(i, values, step));
                }
            }
            Ok(())
        })?;
    }
    if !before.same(&resource.value) {
        resource.untouched = false;
    }
    Ok(())
}

fn has_reference(value: &Value) -> bool {
    match &value.data {
        Data::Map(entries) => entries.iter().any(|e| has_reference(&e.value)),
        Data::Seq(items) => items.iter().any(has_reference),
        Data::Scalar(s) => s.text.contains('$'),
    }
}

/// Replaces the references of one text. A text that is nothing but a reference takes the value's type, too.
fn put(value: &mut Value, values: &mut Values, step: u32) {
    if !value.is_str() {
        return;
    }
    let Some(text) = value.text().map(str::to_string) else { return };
    if !text.contains('$') {
        return;
    }
    let whole = value.origin.fragments(text.len());
    let mut out = String::new();
    let mut rope: Vec<Fragment> = Vec::new();
    let mut at = 0;
    let mut changed = false;
    let mut only = None;
    while let Some(offset) = text[at..].find('$') {
        let sign = at + offset;
        let rest = &text[sign + 1..];
        if rest.is_empty() {
            break;
        }
        let mut keep = |range: std::ops::Range<usize>, out: &mut String| {
            out.push_str(&text[range.clone()]);
            rope.extend(cut(&whole, range));
        };
        keep(at..sign, &mut out);
        if rest.starts_with('$') {
            keep(sign + 1..sign + 2, &mut out);
            changed = true;
            at = sign + 2;
            continue;
        }
        let name = rest.strip_prefix('(').and_then(|r| r.split_once(')')).map(|(n, _)| n);
        let Some(name) = name else {
            let width = 1 + rest.chars().next().map_or(0, char::len_utf8);
            keep(sign..sign + width, &mut out);
            at = sign + width;
            continue;
        };
        let end = sign + name.len() + 3;
        let found = values.iter_mut().find(|(n, v, ..)| n == name && v.is_scalar());
        match found {
            Some((_, new, _, uses)) => {
                *uses += 1;
                changed = true;
                let word = new.text().unwrap_or_default();
                out.push_str(word);
                rope.extend(new.origin.fragments(word.len()));
                if sign == 0 && end == text.len() {
                    only = Some(new.clone());
                }
            }
            None => keep(sign..end, &mut out),
        }
        at = end;
    }
    if !changed {
        return;
    }
    out.push_str(&text[at..]);
    rope.extend(cut(&whole, at..text.len()));
    rope.retain(|f| f.len > 0 && !matches!(&f.place, FragmentPlace::Node(..) if f.len == 0));
    let mut new = Value::text_of(out, Origin { place: Place::Rope(rope.into()), step, overrode: None });
    if let Some(Value { data: Data::Scalar(s), .. }) = only
        && let Data::Scalar(own) = &mut new.data
    {
        own.kind = if s.kind == Type::Time { Type::Str } else { s.kind };
    }
    new.override_from(value);
    *value = new;
}
