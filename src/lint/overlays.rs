//! One defect in a base is one finding, however many overlays show it.

use std::collections::HashMap;

use super::diagnostic::{Diagnostic, Label};
use super::restrain;
use super::stretches::Stretches;
use crate::load::{Loaded, Unit, UnitKind};
use crate::source::{FileId, Span};

/// A finding, and the units that have it.
struct Joined {
    diagnostic: Diagnostic,
    seen: Vec<usize>,
    /// Whether all of them ask for the same change.
    agreed: bool,
}

/// Joins what the units found. Findings of one rule at one place that several Kustomize roots, or several values sets of a
/// chart, give are one, and a note says through which it is seen, or that it is in some of them alone. What is not so in every unit
/// that uses a file is not mended there.
pub(super) fn join(loaded: &Loaded, by_unit: Vec<Vec<Diagnostic>>) -> Vec<Diagnostic> {
    if loaded.units.len() < 2 {
        return by_unit.into_iter().flatten().collect();
    }
    let shares = |unit: &Unit| match unit.kind {
        UnitKind::Kustomize | UnitKind::Helm => true,
        _ => unit.files.iter().any(|file| loaded.renderings.contains_key(&file.source.id())),
    };
    let sharing: Vec<bool> = loaded.units.iter().map(shares).collect();
    let mut users: HashMap<FileId, Vec<usize>> = HashMap::new();
    for (i, unit) in loaded.units.iter().enumerate() {
        let mut files: Vec<FileId> = unit.files.iter().map(|file| file.source.id()).collect();
        // A template, or a file of values, that is nowhere but in what it renders to.
        files.extend(unit.helm.iter().flat_map(|helm| &helm.sources));
        files.sort();
        files.dedup();
        files.into_iter().for_each(|file| users.entry(file).or_default().push(i));
    }
    let mut joined: Vec<Joined> = Vec::new();
    let mut index: HashMap<(&'static str, Span, usize), usize> = HashMap::new();
    for (i, found) in by_unit.into_iter().enumerate() {
        // Several findings of one unit at one place stay apart.
        let mut nth: HashMap<(&'static str, Span), usize> = HashMap::new();
        for diagnostic in found {
            let place = (diagnostic.rule, diagnostic.primary.span);
            let n = nth.entry(place).or_default();
            let key = (place.0, place.1, *n);
            *n += 1;
            match index.get(&key).filter(|_| sharing[i]) {
                Some(&at) => {
                    joined[at].agreed &= joined[at].diagnostic.fix == diagnostic.fix;
                    joined[at].seen.push(i);
                    joined[at].diagnostic.rendered.extend(diagnostic.rendered);
                }
                None => {
                    if sharing[i] {
                        index.insert(key, joined.len());
                    }
                    joined.push(Joined { diagnostic, seen: vec![i], agreed: true });
                }
            }
        }
    }
    let finish = |Joined { mut diagnostic, seen, agreed }: Joined| {
        let all = users.get(&diagnostic.primary.span.file).into_iter().flatten();
        let together = all.filter(|i| sharing[**i]).count();
        if together > 1 && sharing[seen[0]] {
            diagnostic.notes.push(seen_in(loaded, &seen, together));
        }
        restrain::to_agreed(&mut diagnostic, agreed, &names(&seen, loaded));
        restrain::to_shared(&mut diagnostic, &seen, &users, loaded);
        diagnostic
    };
    joined.into_iter().map(finish).collect()
}

/// What some units are called.
pub(super) fn names(units: &[usize], loaded: &Loaded) -> Vec<String> {
    units.iter().map(|&i| loaded.units[i].title()).collect()
}

/// `in a and b`, `only with prod`.
fn seen_in(loaded: &Loaded, seen: &[usize], users: usize) -> String {
    let only = if seen.len() < users { "only " } else { "" };
    let units = || seen.iter().map(|&i| &loaded.units[i]);
    let root = units().next().map(|unit| &unit.root);
    let sets: Vec<String> = units().filter_map(|unit| unit.helm.as_ref()).map(|helm| helm.set.clone()).collect();
    // The sets of one chart need not repeat it.
    if sets.len() == seen.len() && units().all(|unit| Some(&unit.root) == root) {
        return format!("{only}with {}", list(&sets));
    }
    format!("{only}in {}", list(&names(seen, loaded)))
}

/// Names the value of a base that the finding's value replaced, so that both ends of an override are in sight.
pub(super) fn name_overridden(unit: &Unit, found: &mut [Diagnostic]) {
    if unit.kind != UnitKind::Kustomize || found.is_empty() {
        return;
    }
    let overrides = Stretches::new(unit.resources.iter().flat_map(|r| r.tree().overrides()).collect());
    for diagnostic in found {
        let place = diagnostic.primary.span;
        for (_, old) in overrides.around(place).filter(|_| !place.is_empty()).take(OVERRIDDEN) {
            if *old != place && diagnostic.related.iter().all(|l| l.span != *old) {
                diagnostic.related.push(Label { span: *old, text: "overrides this".into() });
            }
        }
    }
}

/// The most replaced values that one finding names.
const OVERRIDDEN: usize = 3;

/// The most names that a note spells out.
const NAMES: usize = 6;

/// Names as a sentence lists them.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        many if many.len() > NAMES => format!("{} and {} more", many[..NAMES - 1].join(", "), many.len() - NAMES + 1),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
