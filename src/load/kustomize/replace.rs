//! `replacements`: a value of one object copied into fields of others.

use std::sync::Arc;

use regex::Regex;

use super::accumulate::{Accumulated, Layer};
use super::fields::Text;
use super::fieldspec::split_path;
use super::kustomization::{FieldOptions, Replacement, ReplacementTarget, Selector, replacement};
use super::resource::{Id, Resource};
use super::selector::matches_texts;
use super::shared;
use super::value::{Data, Fragment, FragmentPlace, Key, Origin, Place, Scalar, Type, Value, cut};
use super::workspace::{BuildProblem, Outcome, Workspace};
use crate::facts::kustomize::Gvk;
use crate::source::Span;
use crate::yaml::{Directive, Step};

const DEFAULT_PATH: &str = "metadata.name";

/// A dotted path: `\.` is a dot, and what stands in brackets is one part.
pub fn path_parts(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut pieces = split_path(path, '.').into_iter();
    while let Some(piece) = pieces.next() {
        if !piece.starts_with('[') || piece.ends_with(']') {
            parts.push(piece);
            continue;
        }
        let mut whole = piece;
        for more in pieces.by_ref() {
            whole.push('.');
            whole.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        parts.push(if whole.contains('=') { whole } else { whole.trim_matches(['[', ']']).to_string() });
    }
    parts
}

fn selected(id: &Id, selector: &Selector) -> bool {
    let text = |t: &Option<Text>| t.as_ref().map(|t| t.text.to_string()).unwrap_or_default();
    let gvk = Gvk { group: text(&selector.group), version: text(&selector.version), kind: text(&selector.kind) };
    let namespace = selector.namespace.as_ref().is_none_or(|n| {
        let wanted = if n.text.is_empty() { "default" } else { n.text.as_str() };
        id.namespace == wanted
    });
    id.is_selected(&gvk) && selector.name.as_ref().is_none_or(|n| n.text == id.name) && namespace
}

/// A value at the end of a path, as `Lookup` finds it.
pub fn lookup<'v>(value: &'v Value, parts: &[String]) -> Option<&'v Value> {
    let mut value = value;
    for part in parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty()) {
        value = match (&value.data, part.parse::<usize>()) {
            (Data::Seq(items), Ok(i)) => items.get(i)?,
            (Data::Seq(items), _) if part == "-" => items.last()?,
            (Data::Seq(items), _) => {
                let (key, wanted) = part.strip_prefix('[')?.strip_suffix(']')?.split_once('=')?;
                items.iter().find(|i| {
                    let found = if key.is_empty() { Some(*i) } else { i.get(key) };
                    found.and_then(Value::text) == Some(wanted)
                })?
            }
            _ => value.get(part)?,
        };
    }
    Some(value)
}

impl Workspace<'_> {
    /// Runs a file of replacements.
    pub(super) fn run_replacement_file(&mut self, layer: &Layer, text: &Text, into: &mut Accumulated) {
        let read = self.locate_file(layer, text).and_then(|(canonical, shown)| {
            into.log.uses(&canonical);
            self.read_yaml(&canonical, &shown)
                .map_err(|e| Box::new(BuildProblem::failed(text.span, format!("`{}` can't be read: {e}", text.text))))
        });
        match read {
            Ok((_, documents)) => {
                for tree in documents.trees.iter().flatten() {
                    let tree_of = Arc::clone(&self.trees[*tree as usize]);
                    let root = tree_of.root();
                    let nodes = if root.is_sequence() { root.items() } else { vec![root] };
                    for node in nodes {
                        let one = replacement(node, *tree, &mut into.log.problems);
                        self.run_replacement(&one, into);
                    }
                }
            }
            Err(problem) => into.log.fail(*problem),
        }
    }

    /// Runs a replacement.
    pub(super) fn run_replacement(&mut self, entry: &Replacement, into: &mut Accumulated) {
        let step = self.add_step(Step::Applied(Directive::Replacement, entry.span));
        let mut count = (0, 0);
        let outcome = source(self, entry, into).and_then(|mut source| {
            if entry.targets.is_empty() {
                let problem = BuildProblem::failed(entry.span, "a replacement needs a source and targets");
                return Err(Box::new(problem.help("name where the value goes under `targets`")));
            }
            for target in &entry.targets {
                write(self, &mut source, target, step, into, &mut count)?;
            }
            Ok(())
        });
        match outcome {
            Ok(()) => into.log.count("replacements", entry.span, "this replacement".into(), count),
            Err(problem) => into.log.fail(*problem),
        }
    }
}

/// A value to copy.
struct Source {
    value: Value,
    /// Where it stands, unless it is a part of what stands there.
    at: Option<(usize, Vec<String>)>,
}

impl Source {
    /// Looks at the value again after an object was written to: Kustomize copies what stands there now.
    fn refresh(&mut self, into: &Accumulated, written: usize) {
        if let Some((i, path)) = self.at.as_ref().filter(|(i, _)| *i == written)
            && let Some(now) = lookup(&into.resources[*i].value, path)
        {
            self.value = now.clone();
        }
    }
}

/// Annotations of an object of which Kustomize keeps notes there are never empty for it. The notes themselves are not copied
/// here: nobody wrote them, and nobody can use them.
fn noted_annotations(resource: &Resource, parts: &[String], span: Span) -> Option<Value> {
    (resource.is_noted() && parts == ["metadata", "annotations"])
        .then(|| Value::empty_map(Origin::made(span, super::value::WRITTEN)))
}

fn source(ws: &Workspace<'_>, entry: &Replacement, into: &Accumulated) -> Outcome<Source> {
    let Some(selector) = &entry.source else {
        let problem = BuildProblem::failed(entry.span, "a replacement needs a source and targets");
        return Err(Box::new(problem.help("name the object to read under `source`")));
    };
    let span = selector.span.unwrap_or(entry.span);
    let found: Vec<usize> = super::resource::by_any_id(&into.resources, |id| selected(id, selector));
    let at = match found[..] {
        [one] => one,
        [] => {
            let problem = BuildProblem::absent(span, "no object is the source of this replacement");
            return Err(Box::new(problem.help("mend the kind or name, or add the object to `resources`")));
        }
        [first, second, ..] => {
            let problem = BuildProblem::failed(span, "several objects are the source of this replacement");
            return Err(Box::new(
                problem
                    .help("add what tells them apart: group, kind, name or namespace")
                    .related(super::patch_target::resource_grip(ws, &into.resources[first]), "one")
                    .related(super::patch_target::resource_grip(ws, &into.resources[second]), "another"),
            ));
        }
    };
    let resource = &into.resources[at];
    let path = entry.field.as_ref().map_or(DEFAULT_PATH, |f| f.text.as_str());
    let parts = path_parts(path);
    // An empty text is a value; kyaml's `IsNilOrEmpty` takes null and collections without content for none.
    let found = lookup(&resource.value, &parts).filter(|v| !v.is_empty() || v.is_str()).cloned();
    let Some(value) = found.or_else(|| noted_annotations(resource, &parts, span)) else {
        let at = entry.field.as_ref().map_or(span, |f| f.span);
        let problem = BuildProblem::failed(at, format!("`{}` has no `{path}`", resource.id().title()));
        return Err(Box::new(
            problem.help("mend the path").related(super::patch_target::resource_grip(ws, resource), "the object"),
        ));
    };
    let Some(delimiter) = &entry.options.delimiter else {
        return Ok(Source { value, at: Some((at, parts)) });
    };
    let Some(text) = value.text() else {
        let problem = BuildProblem::failed(delimiter.span, "only a text can be cut by a delimiter");
        return Err(Box::new(problem.help("take the delimiter away, or name a field with a text")));
    };
    let pieces: Vec<&str> = text.split(&*delimiter.text).collect();
    let piece = usize::try_from(entry.options.index).ok().and_then(|i| pieces.get(i).map(|p| (i, *p)));
    let Some((i, piece)) = piece else {
        let message = format!("`{text}` has {} parts, and part {} is asked for", pieces.len(), entry.options.index);
        return Err(Box::new(BuildProblem::failed(delimiter.span, message).help("indexes count from 0")));
    };
    let start: usize = pieces[..i].iter().map(|p| p.len() + delimiter.text.len()).sum();
    let rope = cut(&value.origin.fragments(text.len()), start..start + piece.len());
    let kind = match &value.data {
        Data::Scalar(s) => s.kind,
        _ => Type::Str,
    };
    let mut part = Value::text_of(piece, Origin { place: Place::Rope(rope.into()), ..value.origin.clone() });
    if let Data::Scalar(s) = &mut part.data {
        s.kind = kind;
    }
    Ok(Source { value: part, at: None })
}

fn write(
    ws: &Workspace<'_>,
    source: &mut Source,
    target: &ReplacementTarget,
    step: u32,
    into: &mut Accumulated,
    count: &mut (usize, usize),
) -> Outcome<()> {
    let Some(select) = &target.select else {
        let problem = BuildProblem::failed(target.span, "a target of a replacement needs a `select`");
        return Err(Box::new(problem.help("say which objects get the value: `select: {kind: …}`")));
    };
    let default = [(DEFAULT_PATH.to_string(), target.span)];
    let given: Vec<(String, Span)> = target.paths.iter().map(|p| (p.text.to_string(), p.span)).collect();
    let paths = if given.is_empty() { &default[..] } else { &given[..] };
    for i in 0..into.resources.len() {
        let resource = &into.resources[i];
        let ids = resource.all_ids();
        if !ids.iter().any(|id| selected(id, select)) || !matches_texts(select, resource)? {
            continue;
        }
        let mut rejected = false;
        for reject in &target.reject {
            let by_id = !reject.has_no_id() && ids.iter().any(|id| selected(id, reject));
            let by_text = (reject.labels.is_some() || reject.annotations.is_some()) && matches_texts(reject, resource)?;
            rejected |= by_id || by_text;
        }
        if rejected {
            continue;
        }
        let grip = super::patch_target::resource_grip(ws, resource);
        let title = resource.id().title();
        for (path, span) in paths {
            let resource = &mut into.resources[i];
            let before = resource.value.clone();
            let parts = path_parts(path);
            let value = &source.value;
            let create = target.options.create.then_some(value);
            let mut set = |field: &mut Value| set_field(field, value, &target.options, step);
            let met = matched(&mut resource.value, &parts, create, step, value, &mut set);
            let fail = |message: String| {
                let problem = BuildProblem::failed(*span, message).related(grip, "the object");
                Err(Box::new(problem.help("mend the path, or let the field be made with `options: {create: true}`")))
            };
            match met {
                Ok(0) => return fail(format!("`{title}` has no field `{path}`")),
                Ok(n) => count.0 += n,
                Err(e) => return fail(format!("{e} (`{path}` of `{title}`)")),
            }
            if resource.value.is_too_large() {
                resource.value = before;
                return fail(format!("with this value `{title}` grows beyond all bounds"));
            }
            if !before.same(&resource.value) {
                shared::settle(&before, &mut resource.value);
                count.1 += 1;
                resource.untouched = false;
                source.refresh(into, i);
            }
        }
    }
    Ok(())
}

fn set_field(field: &mut Value, value: &Value, options: &FieldOptions, step: u32) -> Result<(), String> {
    let mut new = value.clone();
    if let Some(delimiter) = &options.delimiter {
        let Some(old) = field.text().map(str::to_string) else {
            return Err("only a text can be cut by a delimiter".into());
        };
        let text = value.text().filter(|_| !value.is_null()).unwrap_or_default();
        let whole = field.origin.fragments(old.len());
        let mut at = 0;
        let mut pieces: Vec<(String, Vec<Fragment>)> = Vec::new();
        for piece in old.split(&*delimiter.text) {
            pieces.push((piece.to_string(), cut(&whole, at..at + piece.len())));
            at += piece.len() + delimiter.text.len();
        }
        let own = (text.to_string(), value.origin.fragments(text.len()));
        match usize::try_from(options.index) {
            Err(_) => pieces.insert(0, own),
            Ok(i) if i >= pieces.len() => pieces.push(own),
            Ok(i) => pieces[i] = own,
        }
        let sign =
            || Fragment { len: delimiter.text.len(), place: FragmentPlace::Node(delimiter.tree, delimiter.node, 0) };
        let mut joined = String::new();
        let mut rope = Vec::new();
        for (i, (piece, fragments)) in pieces.into_iter().enumerate() {
            if i > 0 {
                joined.push_str(&delimiter.text);
                rope.push(sign());
            }
            joined.push_str(&piece);
            rope.extend(fragments);
        }
        new = Value::text_of(joined, Origin { place: Place::Rope(rope.into()), step, overrode: None });
    }
    if let Data::Scalar(old) = &field.data {
        // Only the text is copied, and a mapping or list has none: a quoted field stays a text, an unquoted one is typed anew.
        let text = new.text().unwrap_or_default();
        let mut typed = match old.kind {
            Type::Str | Type::Time if !old.untagged => Value::text_of(text, new.origin.clone()),
            _ => Value::plain_of(text, new.origin.clone()),
        };
        if let Data::Scalar(typed) = &mut typed.data {
            typed.untagged = old.untagged;
        }
        if !keeps_type(old, &typed) {
            return Err(format!("`{text}` can't stand where `{}` stands, which is no text", old.text));
        }
        new.data = typed.data;
        new.take_place_of(field);
    }
    new.origin = new.origin.by(step);
    new.override_from(field);
    *field = new;
    Ok(())
}

/// Whether a number stays a number and a boolean a boolean: the field keeps its type, and Kustomize stops where the new text
/// is none of it.
fn keeps_type(old: &Scalar, new: &Value) -> bool {
    let Data::Scalar(new) = &new.data else { return true };
    if old.untagged {
        return true;
    }
    let whole = |s: &Scalar| s.to_json().is_i64() || s.to_json().is_u64();
    match old.kind {
        Type::Bool => new.kind == Type::Bool,
        Type::Number => new.kind == Type::Number && (whole(new) || !whole(old)),
        Type::Str | Type::Time | Type::Null => true,
    }
}

type Set<'s> = dyn FnMut(&mut Value) -> Result<(), String> + 's;

/// Calls `set` for every field that a path leads to, and counts them. Where `create` has a value, what is missing is made.
fn matched(
    value: &mut Value,
    path: &[String],
    create: Option<&Value>,
    step: u32,
    source: &Value,
    set: &mut Set<'_>,
) -> Result<usize, String> {
    let Some((first, rest)) = path.split_first() else {
        set(value)?;
        return Ok(1);
    };
    let origin = source.origin.clone().by(step);
    let blank = |next: Option<&String>| match next {
        Some(n) if n.parse::<usize>().is_ok() || n.starts_with('[') => Value::empty_seq(origin.clone()),
        Some(_) => Value::empty_map(origin.clone()),
        None => match create.map(|c| &c.data) {
            Some(Data::Map(_)) => Value::empty_map(origin.clone()),
            Some(Data::Seq(_)) => Value::empty_seq(origin.clone()),
            _ => Value::plain_of("", origin.clone()),
        },
    };
    let need_list = |v: &Value| match v.data {
        Data::Seq(_) => Ok(()),
        _ => Err(format!("`{first}` asks for a list, and there is none")),
    };
    if first == "*" {
        need_list(value)?;
        let mut n = 0;
        for item in value.items_mut().into_iter().flatten() {
            n += matched(item, rest, create, step, source, set)?;
        }
        return Ok(n);
    }
    if let Ok(index) = first.parse::<usize>() {
        need_list(value)?;
        let len = value.items().len();
        let items = value.items_mut().ok_or("no list")?;
        if index == len && create.is_some() {
            items.push(blank(rest.first()));
        }
        let Some(item) = items.get_mut(index) else {
            return Err(format!("the list has {len} items, and item {index} is asked for"));
        };
        return matched(item, rest, create, step, source, set);
    }
    if let Some(inner) = first.strip_prefix('[').and_then(|f| f.strip_suffix(']')) {
        let Some((key, wanted)) = inner.split_once('=') else {
            return Err(format!("`{first}` is not `[key=value]`"));
        };
        need_list(value)?;
        let pattern = regex::RegexBuilder::new(wanted).size_limit(1 << 20).build();
        let pattern: Regex = pattern.map_err(|_| format!("`{wanted}` is not a regular expression"))?;
        let fits = |item: &Value| {
            let found = if key.is_empty() { Some(item) } else { item.get(key) };
            found.and_then(Value::text).is_some_and(|t| pattern.is_match(t.trim()))
        };
        let none = !value.items().iter().any(fits);
        let items = value.items_mut().ok_or("no list")?;
        if none && create.is_some() {
            let word = Value::plain_of(wanted, origin.derived(wanted.len()));
            let mut made = word.clone();
            if !key.is_empty() {
                made = Value::empty_map(origin.clone());
                made.set(Key { text: key.into(), origin: origin.derived(key.len()) }, word);
            }
            items.push(made);
        }
        let mut n = 0;
        for item in items.iter_mut().filter(|i| fits(i)) {
            n += matched(item, rest, create, step, source, set)?;
        }
        return Ok(n);
    }
    match &value.data {
        Data::Map(_) => {}
        Data::Scalar(_) if value.is_null() => return Ok(0),
        _ => return Err(format!("`{first}` asks for a mapping, and there is none")),
    }
    if value.get(first).is_none() {
        if create.is_none() {
            return Ok(0);
        }
        value.set(Key { text: first.into(), origin: origin.derived(first.len()) }, blank(rest.first()));
    }
    let Some(field) = value.get_mut(first) else { return Ok(0) };
    matched(field, rest, create, step, source, set)
}

#[cfg(test)]
mod tests {
    use super::path_parts;

    #[test]
    fn what_stands_in_brackets_is_one_part() {
        assert_eq!(path_parts("spec.[name=a.b].x"), ["spec", "[name=a.b]", "x"]);
        assert_eq!(path_parts(r"metadata.annotations.a\.b/c"), ["metadata", "annotations", "a.b/c"]);
        assert_eq!(path_parts("data.[a.yaml]"), ["data", "a.yaml"]);
    }
}
