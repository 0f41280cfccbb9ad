//! Name references: where an object is named by another, the name follows a prefix, a suffix or a hash.

use std::collections::HashMap;

use super::accumulate::Accumulated;
use super::fieldspec::{Create, Walk, apply};
use super::resource::{Id, Resource};
use super::value::{Data, FragmentPlace, Key, Origin, Place, StepId, Value};
use super::workspace::{BuildProblem, Workspace};
use crate::facts::kustomize::{FieldSpec, Gvk, NameReference};
use crate::source::Span;
use crate::yaml::{Directive, Step};

/// What the search for a referral needs of an object.
struct Candidate {
    id: Id,
    original: Id,
    previous: Vec<Id>,
    name: Value,
    namespace: Option<Value>,
    kind: String,
    prefixes: Vec<smol_str::SmolStr>,
    suffixes: Vec<smol_str::SmolStr>,
}

impl Candidate {
    fn new(resource: &Resource) -> Candidate {
        Candidate {
            id: resource.id(),
            original: resource.original_id(),
            previous: resource.previous_ids().collect(),
            name: resource.value.at(&["metadata", "name"]).cloned().unwrap_or_else(|| resource.value.clone()),
            namespace: resource.value.at(&["metadata", "namespace"]).filter(|n| !n.is_empty()).cloned(),
            kind: resource.kind().to_string(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        }
    }
}

/// The objects that had another name, which alone can change a reference.
struct Renamed<'c> {
    every: &'c [Candidate],
    all: Vec<&'c Candidate>,
    by_name: HashMap<&'c str, Vec<&'c Candidate>>,
}

impl<'c> Renamed<'c> {
    fn new(candidates: &'c [Candidate]) -> Renamed<'c> {
        let all: Vec<&Candidate> = candidates.iter().filter(|c| !c.previous.is_empty()).collect();
        let mut by_name: HashMap<&str, Vec<&Candidate>> = HashMap::new();
        for candidate in &all {
            for id in &candidate.previous {
                let named = by_name.entry(id.name.as_str()).or_default();
                if named.last().is_none_or(|last| !std::ptr::eq(*last, *candidate)) {
                    named.push(candidate);
                }
            }
        }
        Renamed { every: candidates, all, by_name }
    }
}

/// One field of one object.
struct Search<'c> {
    referrer: &'c Candidate,
    role_ref: Option<Gvk>,
    target: &'c Gvk,
    renamed: &'c Renamed<'c>,
    /// Namespaces that the object reaches into.
    namespaces: &'c [String],
    spec: &'c FieldSpec,
    step: StepId,
}

/// Rewrites all references.
pub fn fix(ws: &mut Workspace<'_>, into: &mut Accumulated, span: Span) {
    for resource in into.resources.iter().filter(|r| matches!(r.kind(), "RoleBinding" | "ClusterRoleBinding")) {
        let subjects = resource.value.get("subjects").map_or(&[][..], Value::items);
        if let Some(nameless) = subjects.iter().find(|s| !s.is_scalar() && s.get("name").is_none()) {
            into.log.problems.push(
                BuildProblem::failed(ws.grip(&nameless.origin), "this subject of the binding has no name")
                    .help("write the `name` of the account, user or group"),
            );
        }
    }
    for resource in into.resources.iter().filter(|r| r.kind() == "RoleBinding") {
        let account = |s: &&Value| s.get("kind").and_then(Value::text) == Some("ServiceAccount");
        let subjects = resource.value.get("subjects").map_or(&[][..], Value::items);
        let blank = subjects.iter().filter(account).filter_map(|s| s.get("namespace")).find(|n| !n.is_str());
        if let Some(blank) = blank {
            into.log.problems.push(
                BuildProblem::failed(ws.grip(&blank.origin), "the namespace of this service account is blank")
                    .help("write the namespace, or take the key away"),
            );
        }
    }
    let candidates: Vec<Candidate> = into.resources.iter().map(Candidate::new).collect();
    let renamed = Renamed::new(&candidates);
    if renamed.all.is_empty() {
        return;
    }
    let step = ws.add_step(Step::Applied(Directive::NameReference, span));
    let references = std::sync::Arc::clone(&into.fields.name_reference);
    let meant = |reference: &&NameReference| {
        renamed.all.iter().any(|c| c.previous.iter().any(|id| id.is_selected(&reference.target)))
    };
    let references: Vec<&NameReference> = references.iter().filter(meant).collect();
    for (i, referrer) in candidates.iter().enumerate() {
        let namespaces = service_account_namespaces(&into.resources[i]);
        for reference in &references {
            for spec in reference.fields.iter().filter(|s| referrer.original.is_selected(&s.gvk)) {
                let role_ref = spec.path.ends_with("roleRef/name").then(|| role_ref(&into.resources[i])).flatten();
                let search = Search {
                    referrer,
                    role_ref,
                    target: &reference.target,
                    renamed: &renamed,
                    namespaces: &namespaces,
                    spec,
                    step,
                };
                let any = FieldSpec { gvk: Gvk::default(), ..spec.clone() };
                let resource = &mut into.resources[i];
                let before = resource.value.clone();
                let made = Origin::made(span, step);
                let outcome = apply(&mut resource.value, &any, Create::Nothing, &made, &mut |v| search.set(v));
                if before.same(&resource.value) {
                    resource.value = before;
                } else {
                    resource.untouched = false;
                }
                if let Err(e) = outcome {
                    let title = referrer.id.title();
                    let at = super::patch_target::resource_grip(ws, &into.resources[i]);
                    into.log.problems.push(
                        BuildProblem::failed(at, format!("a name in `{title}` is not clear: {e}"))
                            .help("give the objects different names, or put each overlay into a namespace of its own"),
                    );
                }
            }
        }
    }
}

fn service_account_namespaces(resource: &Resource) -> Vec<String> {
    if resource.kind() != "RoleBinding" {
        return Vec::new();
    }
    let subjects = resource.value.get("subjects").map_or(&[][..], Value::items);
    let account = |s: &&Value| s.get("kind").and_then(Value::text) == Some("ServiceAccount");
    let namespace = |s: &Value| s.get("namespace").and_then(Value::text).map(str::to_string);
    subjects.iter().filter(account).filter_map(namespace).collect()
}

fn role_ref(resource: &Resource) -> Option<Gvk> {
    let text = |key: &str| resource.value.text_at(&["roleRef", key]).map(str::to_string);
    Some(Gvk { group: text("apiGroup")?, version: String::new(), kind: text("kind")? })
}

fn same_ending(a: &[smol_str::SmolStr], b: &[smol_str::SmolStr]) -> bool {
    let n = a.len().min(b.len());
    if n == 0 {
        return a.len() == b.len();
    }
    a[a.len() - n..] == b[b.len() - n..]
}

impl Search<'_> {
    fn set(&self, value: &mut Value) -> Walk {
        match &value.data {
            Data::Scalar(_) if value.is_null() => Ok(()),
            Data::Scalar(_) => self.scalar(value),
            Data::Map(_) => self.map(value),
            Data::Seq(_) => {
                for item in value.items_mut().into_iter().flatten() {
                    match &item.data {
                        Data::Scalar(_) if item.is_null() => {}
                        Data::Scalar(_) => self.scalar(item)?,
                        Data::Map(_) => self.map(item)?,
                        Data::Seq(_) => return Err("a list in a list can't be a name".into()),
                    }
                }
                Ok(())
            }
        }
    }

    fn reaches(&self, c: &Candidate) -> bool {
        self.referrer.id.is_cluster_scoped()
            || c.id.is_cluster_scoped()
            || c.id.namespace == self.referrer.id.namespace
            || c.namespace.as_ref().and_then(Value::text).is_some_and(|n| self.namespaces.iter().any(|x| x == n))
    }

    /// The objects within reach that had a name.
    fn named(&self, name: &str) -> Vec<&Candidate> {
        self.renamed.by_name.get(name).into_iter().flatten().copied().filter(|c| self.reaches(c)).collect()
    }

    fn follow(&self, old: &Value, new: &Value) -> Value {
        let len = old.text().map_or(0, str::len);
        let text = new.text().unwrap_or_default();
        // The referrer's own bytes stay the place to edit. Its text is no longer theirs, so they are one piece of a rope.
        let mut fragments = old.origin.fragments(len);
        fragments.truncate(1);
        if let Some(first) = fragments.first_mut() {
            first.len = text.len();
            if let FragmentPlace::Node(tree, node, _) = first.place {
                first.place = FragmentPlace::Whole(tree, node);
            }
        }
        let overrode = Some(std::sync::Arc::new(new.origin.clone()));
        let mut followed =
            Value::plain_of(text, Origin { place: Place::Rope(fragments.into()), step: self.step, overrode });
        followed.take_place_of(old);
        followed
    }

    fn scalar(&self, value: &mut Value) -> Walk {
        let old = value.text().unwrap_or_default().to_string();
        let Some(found) = self.referral(&old, &self.named(&old), false)? else { return Ok(()) };
        if found.name.text() != Some(&old) {
            *value = self.follow(value, &found.name);
        }
        Ok(())
    }

    fn map(&self, value: &mut Value) -> Walk {
        let Some(name) = value.get("name") else {
            return Err(format!("`{}` holds a mapping without a name", self.spec.path));
        };
        let old = name.text().unwrap_or_default().to_string();
        let mut possible = self.named(&old);
        if let Some(namespace) = value.get("namespace") {
            let text = namespace.text().unwrap_or_default();
            // Whatever is within reach counts, of any kind: one object that started in this namespace makes it the one that objects
            // started in.
            let by_original = self.renamed.every.iter().any(|c| c.original.namespace == text && self.reaches(c));
            possible.retain(|c| if by_original { c.original.namespace == text } else { c.id.namespace == text });
        }
        let Some(found) = self.referral(&old, &possible, true)? else { return Ok(()) };
        if found.name.text() != Some(&old)
            && let Some(name) = value.get_mut("name")
        {
            *name = self.follow(name, &found.name);
        }
        if let Some(namespace) = &found.namespace {
            let origin = namespace.origin.clone().by(self.step);
            let mut new = Value::plain_of(namespace.text().unwrap_or_default(), origin.clone());
            if let Some(old) = value.get("namespace") {
                new.take_place_of(old);
            }
            if value.get("namespace").and_then(Value::text) != new.text() {
                value.set(Key { text: "namespace".into(), origin: origin.derived(9) }, new);
            }
        }
        Ok(())
    }

    fn referral<'c>(
        &self,
        old: &str,
        candidates: &[&'c Candidate],
        with_namespace: bool,
    ) -> Result<Option<&'c Candidate>, String> {
        let referrer = self.referrer;
        let mut left: Vec<&Candidate> = candidates
            .iter()
            .copied()
            .filter(|c| c.previous.iter().any(|id| id.name == old))
            .filter(|c| c.previous.iter().any(|id| id.is_selected(self.target)))
            .filter(|c| self.role_ref.as_ref().is_none_or(|g| c.previous.iter().any(|id| id.is_selected(g))))
            .filter(|c| {
                referrer.id.is_cluster_scoped()
                    || c.id.is_cluster_scoped()
                    || c.kind == "ServiceAccount"
                    || c.id.namespace == referrer.id.namespace
            })
            .collect();
        if let [one] = left[..] {
            return Ok(Some(one));
        }
        let equal = |a: &[smol_str::SmolStr], b: &[smol_str::SmolStr], loose: bool| {
            (loose && (a.is_empty() || b.is_empty())) || same_ending(a, b)
        };
        let sieve = |loose: bool, left: &mut Vec<&Candidate>| {
            left.retain(|c| {
                equal(&c.prefixes, &referrer.prefixes, loose) && equal(&c.suffixes, &referrer.suffixes, loose)
            });
        };
        sieve(true, &mut left);
        if left.len() > 1 {
            sieve(false, &mut left);
        }
        match &left[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            [first, rest @ ..] => {
                let same = rest.iter().all(|c| {
                    c.name.text() == first.name.text()
                        && (!with_namespace
                            || c.namespace.as_ref().and_then(Value::text)
                                == first.namespace.as_ref().and_then(Value::text))
                });
                if same {
                    return Ok(Some(first));
                }
                let names: Vec<String> = left.iter().map(|c| format!("`{}`", c.id.title())).collect();
                Err(format!("`{old}` could be {}", names.join(" or ")))
            }
        }
    }
}
