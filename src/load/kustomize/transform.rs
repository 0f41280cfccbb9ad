//! Namespace, prefix, suffix, labels, annotations and replicas.

use super::fields::{Pairs, Text};
use super::fieldspec::{Create, Walk, apply};
use super::resource::{Ids, Resource, by_any_id};
use super::shared;
use super::value::{Data, Fragment, FragmentPlace, Key, Origin, Place, StepId, Value};
use super::workspace::BuildProblem;
use crate::facts::kustomize::{self as facts, FieldSpec};
use crate::source::Span;

/// How many objects a directive met, and how many it changed.
pub type Count = (usize, usize);

/// Runs a change on one object and notes whether it changed anything.
pub fn change(resource: &mut Resource, count: &mut Count, work: impl FnOnce(&mut Resource) -> Walk) -> Walk {
    let before = resource.value.clone();
    let outcome = work(resource);
    count.0 += 1;
    if !before.same(&resource.value) {
        shared::settle(&before, &mut resource.value);
        count.1 += 1;
        resource.untouched = false;
    } else if resource.untouched {
        // What was copied in vain is dropped, so that the object is still the one that was read.
        resource.value = before;
    }
    outcome
}

fn failed(span: Span, resource: &Resource, e: String) -> BuildProblem {
    BuildProblem::failed(span, format!("{} of `{}`", e, resource.id().title()))
}

/// Which subjects of a role binding get the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subjects {
    /// Those named `default`.
    #[default]
    Default,
    /// Every service account.
    All,
    /// None.
    None,
}

/// `namespace`.
pub struct Namespace<'a> {
    /// The namespace.
    pub text: &'a Text,
    /// The fields beside `metadata.namespace`.
    pub fields: &'a [FieldSpec],
    /// Whether a namespace that is set stays.
    pub unset_only: bool,
    /// For role bindings.
    pub subjects: Subjects,
    /// The step.
    pub step: StepId,
}

impl Namespace<'_> {
    fn set(&self, value: &mut Value) -> Walk {
        if self.unset_only && value.text().is_some_and(|t| !t.is_empty()) {
            return Ok(());
        }
        if !value.is_scalar() {
            return Err("a namespace is a text, and there is a list or mapping".into());
        }
        if value.text() != Some(&self.text.text) || !value.is_str() {
            let mut new = Value::text_of(self.text.text.clone(), self.text.origin().by(self.step));
            if value.text().is_some_and(|t| !t.is_empty()) {
                new.override_from(value);
            }
            *value = new;
        }
        Ok(())
    }

    fn one(&self, resource: &mut Resource) -> Walk {
        let made = self.text.origin().by(self.step);
        let id = resource.id();
        if !id.is_cluster_scoped() {
            let spec = FieldSpec { gvk: Default::default(), path: "metadata/namespace".into(), create: true };
            apply(&mut resource.value, &spec, Create::Scalar, &made, &mut |v| self.set(v))?;
        }
        let binding = matches!(resource.kind(), "RoleBinding" | "ClusterRoleBinding");
        if binding {
            let wanted = |item: &Value| match self.subjects {
                Subjects::Default => item.get("name").and_then(Value::text) == Some("default"),
                Subjects::All => item.get("kind").and_then(Value::text) == Some("ServiceAccount"),
                Subjects::None => false,
            };
            if resource.value.get("subjects").is_some_and(|s| s.items().iter().any(wanted)) {
                let items = resource.value.get_mut("subjects").and_then(Value::items_mut);
                for item in items.into_iter().flatten().filter(|i| wanted(i)) {
                    if item.get("namespace").is_none() {
                        let key = Key { text: "namespace".into(), origin: made.derived(9) };
                        item.set(key, Value::blank(made.clone()));
                    }
                    item.get_mut("namespace").map_or(Ok(()), |v| self.set(v))?;
                }
            }
        }
        let api_version = resource.api_version().to_string();
        for spec in self.fields {
            let meta = spec.path == "metadata/namespace" || (spec.path == "metadata/name" && api_version != "v1");
            let subject = binding && spec.path == "subjects/namespace";
            if !meta && !subject {
                apply(&mut resource.value, spec, Create::Scalar, &made, &mut |v| self.set(v))?;
            }
        }
        Ok(())
    }

    /// Changes all objects.
    pub fn run(&self, resources: &mut [Resource], problems: &mut Vec<BuildProblem>) -> Count {
        let mut count = (0, 0);
        let mut ids = Ids::of(resources);
        for resource in resources {
            ids.remove(&resource.id());
            resource.remember();
            if let Err(e) = change(resource, &mut count, |r| self.one(r)) {
                problems.push(failed(self.text.span, resource, e));
            }
            let id = resource.id();
            if ids.add(&id) > 1 {
                let message = format!("with this namespace two objects are `{}`", id.title());
                problems.push(
                    BuildProblem::failed(self.text.span, message)
                        .help("give one of them another name, or build them in different kustomizations"),
                );
            }
        }
        count
    }
}

/// `namePrefix` and `nameSuffix`.
pub struct Affix<'a> {
    /// The text.
    pub text: &'a Text,
    /// Whether it goes before the name.
    pub before: bool,
    /// The fields.
    pub fields: &'a [FieldSpec],
    /// The step.
    pub step: StepId,
}

impl Affix<'_> {
    fn set(&self, value: &mut Value) -> Walk {
        let Some(old) = value.text().filter(|_| value.is_scalar()) else {
            return Err("a name is a text, and there is a list or mapping".into());
        };
        let own = Fragment { len: self.text.text.len(), place: FragmentPlace::Node(self.text.tree, self.text.node, 0) };
        let mut rope = value.origin.fragments(old.len());
        let text = if self.before { format!("{}{old}", self.text.text) } else { format!("{old}{}", self.text.text) };
        if self.before {
            rope.insert(0, own);
        } else {
            rope.push(own);
        }
        let mut new =
            Value::plain_of(text, Origin { place: Place::Rope(rope.into()), step: self.step, overrode: None });
        new.take_place_of(value);
        new.override_from(value);
        *value = new;
        Ok(())
    }

    /// Changes all objects.
    pub fn run(&self, resources: &mut [Resource], problems: &mut Vec<BuildProblem>) -> Count {
        let mut count = (0, 0);
        for resource in resources {
            let id = resource.original_id();
            if facts::is_unprefixed(&id.group, &id.version, &id.kind) {
                continue;
            }
            let made = self.text.origin().by(self.step);
            for spec in self.fields.iter().filter(|spec| id.is_selected(&spec.gvk)) {
                if spec.path == "metadata/name" {
                    let list = if self.before { &mut resource.prefixes } else { &mut resource.suffixes };
                    list.push(self.text.text.clone());
                    resource.remember();
                }
                let outcome = change(resource, &mut count, |r| {
                    apply(&mut r.value, spec, Create::Scalar, &made, &mut |v| self.set(v))
                });
                if let Err(e) = outcome {
                    problems.push(failed(self.text.span, resource, e));
                }
            }
        }
        count
    }
}

/// Labels or annotations on all objects.
pub fn set_pairs(
    resources: &mut [Resource],
    pairs: &Pairs,
    fields: &[FieldSpec],
    step: StepId,
    problems: &mut Vec<BuildProblem>,
) -> Count {
    let mut count = (0, 0);
    for resource in resources {
        for (i, (key, value)) in pairs.iter().enumerate() {
            let made = key.origin().by(step);
            let mut set = |map: &mut Value| -> Walk {
                if map.is_scalar() && !map.is_null() {
                    return Err("labels and annotations are a mapping, and there is a single value".into());
                }
                if map.get(&key.text).is_some_and(|v| v.is_str() && v.text() == Some(&value.text)) {
                    return Ok(());
                }
                let mut new = Value::text_of(value.text.clone(), value.origin().by(step));
                match map.get(&key.text) {
                    Some(old) => new.take_place_of(old),
                    // One value stands in all the fields that lack the key.
                    None => {
                        if let Data::Scalar(scalar) = &mut new.data {
                            scalar.shared = Some((step, i as u32));
                        }
                    }
                }
                map.set(Key { text: key.text.clone(), origin: made.clone() }, new);
                Ok(())
            };
            let outcome = change(resource, &mut count, |r| {
                let noted = r.is_noted();
                fields.iter().try_for_each(|spec| {
                    let there = noted && spec.path == "metadata/annotations";
                    let spec = FieldSpec { create: spec.create || there, ..spec.clone() };
                    apply(&mut r.value, &spec, Create::Map, &made, &mut set)
                })
            });
            if let Err(e) = outcome {
                problems.push(failed(key.span, resource, e));
                break;
            }
        }
    }
    count
}

/// An entry of `replicas`.
pub fn replicas(
    resources: &mut [Resource],
    entry: &super::kustomization::ReplicaEntry,
    fields: &[FieldSpec],
    step: StepId,
    problems: &mut Vec<BuildProblem>,
) -> Count {
    let mut count = (0, 0);
    let name = entry.name.as_ref().map_or("", |n| n.text.as_str());
    let origin = match entry.count_at {
        Some(at) => Origin::node(at.tree, at.node).by(step),
        None => Origin::made(entry.span, step),
    };
    for spec in fields {
        for i in by_any_id(resources, |id| id.name == name && id.is_selected(&spec.gvk)) {
            let outcome = change(&mut resources[i], &mut count, |r| {
                apply(&mut r.value, spec, Create::Scalar, &origin, &mut |v| {
                    let mut new = Value::plain_of(entry.count.to_string(), origin.clone());
                    new.take_place_of(v);
                    if v.text().is_some_and(|t| !t.is_empty()) {
                        new.override_from(v);
                    }
                    *v = new;
                    Ok(())
                })
            });
            if let Err(e) = outcome {
                problems.push(failed(entry.span, &resources[i], e));
            }
        }
    }
    if count.0 == 0 {
        let kinds: Vec<&str> = fields.iter().map(|f| f.gvk.kind.as_str()).collect();
        let span = entry.name.as_ref().map_or(entry.span, |n| n.span);
        problems.push(
            BuildProblem::absent(span, format!("no workload is named `{name}`, so its replicas can't be set"))
                .help(format!("`replicas` knows {}; patch other kinds", kinds.join(", "))),
        );
    }
    count
}
