//! The rules about single objects. What overlays share, since none of them changes it, is looked at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::context::{ResourceContext, Seen};
use super::diagnostic::Diagnostic;
use super::rule::Rule;
use super::run::{Guarded, guarded};
use crate::config::Config;
use crate::load::{Resource, Unit};
use crate::yaml::NodeId;

/// Objects that one task looks at: enough that starting the task costs nothing beside them, and few enough that they stay
/// in the processor's cache while one rule after another looks at them.
const CHUNK: usize = 32;

/// The bytes of text after which a task has enough with fewer objects: a CRD is as large as a hundred others.
const CHUNK_TEXT: u32 = 128 << 10;

/// A rule over single objects, with its check.
pub(super) type AboutObject = (&'static Rule, fn(&mut ResourceContext<'_>));

/// What makes two objects one: the address of the tree, which outlives the run, and the node in it. All that a rule about objects
/// sees hangs on these.
type Key = (usize, NodeId);

fn key(resource: &Resource) -> Key {
    (Arc::as_ptr(resource.tree()) as usize, resource.node().id())
}

/// Objects that stand in several units, and what was found in them.
#[derive(Default)]
pub(super) struct Shared {
    objects: HashSet<Key>,
    /// By whether the unit was complete: some rules look at such units alone.
    found: HashMap<(Key, bool), Vec<Diagnostic>>,
}

impl Shared {
    /// Of these units.
    pub(super) fn of(units: &[Unit]) -> Shared {
        let (mut seen, mut objects) = (HashSet::new(), HashSet::new());
        if units.len() > 1 {
            let all = units.iter().flat_map(|unit| &unit.resources).map(key);
            objects.extend(all.filter(|key| !seen.insert(*key)));
        }
        Shared { objects, found: HashMap::new() }
    }
}

/// What a rule found in some objects, and how much after each of them.
struct Looked {
    result: Guarded,
    ends: Vec<usize>,
}

/// What the rules find in the objects of a unit.
pub(super) fn lint(unit: &Unit, rules: &[AboutObject], config: &Config, shared: &mut Shared) -> Vec<Guarded> {
    let complete = unit.is_complete();
    let is_known = |resource: &&Resource| shared.found.contains_key(&(key(resource), complete));
    let (known, fresh): (Vec<&Resource>, Vec<&Resource>) = unit.resources.iter().partition(is_known);
    let mut results: Vec<Guarded> =
        known.iter().map(|resource| Ok((shared.found[&(key(resource), complete)].clone(), Vec::new()))).collect();
    let chunks = chunks(&fresh);
    let looked: Vec<Vec<Looked>> = chunks.par_iter().map(|chunk| look(chunk, rules, config)).collect();
    for (resources, looked) in chunks.into_iter().zip(looked) {
        for (index, resource) in resources.iter().enumerate().filter(|(_, r)| shared.objects.contains(&key(r))) {
            let own = looked.iter().flat_map(|looked| looked.of(index)).cloned().collect();
            shared.found.insert((key(resource), complete), own);
        }
        results.extend(looked.into_iter().map(|looked| looked.result));
    }
    results
}

/// The objects of each task, in their order.
fn chunks<'r, 'u>(resources: &'r [&'u Resource]) -> Vec<&'r [&'u Resource]> {
    let mut found = Vec::with_capacity(resources.len() / CHUNK + 1);
    let (mut start, mut text) = (0, 0u32);
    for (index, resource) in resources.iter().enumerate() {
        text = text.saturating_add(resource.node().span().len());
        if index + 1 - start == CHUNK || text >= CHUNK_TEXT || index + 1 == resources.len() {
            found.push(&resources[start..=index]);
            (start, text) = (index + 1, 0);
        }
    }
    found
}

impl Looked {
    /// What was found in one of the objects; nothing where the rule failed.
    fn of(&self, index: usize) -> &[Diagnostic] {
        let Ok((found, _)) = &self.result else { return &[] };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &found[start..self.ends[index]]
    }
}

/// All rules look at some objects while they are at hand; a rule that fails says so once.
fn look(resources: &[&Resource], rules: &[AboutObject], config: &Config) -> Vec<Looked> {
    if !rules.is_empty() {
        // The search for duplicate keys goes through a tree in the order in which it lies in memory, and the rules jump about
        // in it: this way round they find it in the cache. What is found is kept by the tree. A tree that was put together has
        // no key twice, and nobody asks.
        let read = resources.iter().map(|resource| resource.tree()).filter(|tree| !tree.is_composed());
        read.for_each(|tree| drop(tree.duplicate_keys()));
    }
    let seen: Vec<Seen<'_>> = resources.iter().map(|_| Seen::default()).collect();
    let run = |(rule, check): &AboutObject| {
        let mut ends = Vec::with_capacity(resources.len());
        let result = guarded(rule, config, |mut sink| {
            for (resource, seen) in resources.iter().zip(&seen) {
                let mut cx = ResourceContext { resource, config, seen, sink };
                check(&mut cx);
                sink = cx.sink;
                ends.push(sink.len());
            }
            sink
        });
        Looked { result, ends }
    };
    rules.iter().map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_in_one_task_and_a_large_one_ends_it() {
        let object = |name: usize, text: usize| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{name}}}\ndata: {{a: {}}}\n", "x".repeat(text))
        };
        let texts: Vec<String> =
            (0..CHUNK + 5).map(|i| object(i, if i == 2 { CHUNK_TEXT as usize } else { 1 })).collect();
        let loaded = crate::load::from_texts(&[("a.yaml".into(), texts.join("---\n"))]);
        let objects: Vec<&Resource> = loaded.units[0].resources.iter().collect();
        let chunks = chunks(&objects);
        assert_eq!(chunks.iter().map(|chunk| chunk.len()).collect::<Vec<_>>(), [3, CHUNK, 2]);
        let names = |objects: &[&Resource]| objects.iter().map(|o| o.name().to_string()).collect::<Vec<_>>();
        assert_eq!(names(&chunks.concat()), names(&objects));
    }
}
