//! Which values some template looks at.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use crate::load::helm::values::ValuePath;

/// What a walk through all templates found.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    /// Read with all below.
    whole: BTreeSet<ValuePath>,
    /// Looked at, to see whether there is something.
    tested: BTreeSet<ValuePath>,
    /// Changed while rendering, so that what is read there need not be what stands in a file.
    changed: BTreeSet<ValuePath>,
    /// Keys that are set in mappings that a variable does not name.
    pub(super) set_keys: BTreeSet<SmolStr>,
    /// The same, under names that are not known.
    pub(super) sets_any: bool,
    /// The walk was given up.
    pub(super) given_up: bool,
}

impl Reads {
    /// A value is used as it is, with all in it.
    pub fn read(&mut self, path: &ValuePath) {
        if !self.whole.contains(path) {
            self.whole.insert(path.clone());
        }
    }

    /// A value is only asked whether it is there, or how much of it.
    pub(super) fn test(&mut self, path: &ValuePath) {
        if !self.tested.contains(path) {
            self.tested.insert(path.clone());
        }
    }

    /// Adds what another walk found, save for one path.
    pub(super) fn add(&mut self, other: Reads, save: &ValuePath) {
        self.whole.extend(other.whole.into_iter().filter(|path| path != save));
        self.tested.extend(other.tested);
        self.changed.extend(other.changed);
        self.set_keys.extend(other.set_keys);
        self.sets_any |= other.sets_any;
        self.given_up |= other.given_up;
    }

    pub(super) fn change(&mut self, path: &ValuePath) {
        self.changed.insert(path.clone());
    }

    /// Whether something else may stand at a path than the files say.
    pub(super) fn is_changed(&self, path: &ValuePath) -> bool {
        self.given_up || self.changed.iter().any(|c| c.overlaps(path))
    }

    /// Whether any template looks at the value, at what it stands in as a whole, or at something in it.
    pub fn is_read(&self, path: &ValuePath) -> bool {
        if self.given_up || self.whole.iter().any(|p| p.overlaps(path)) {
            return true;
        }
        self.tested.iter().any(|tested| {
            // A mapping of which only the presence is asked: everything in it counts. Where somebody looks into it,
            // its entries stand for themselves.
            path.covers(tested) || (tested.covers(path) && !self.looks_into(tested))
        })
    }

    /// Whether the value is used with all in it.
    pub fn is_read_whole(&self, path: &ValuePath) -> bool {
        self.given_up || self.whole.iter().any(|p| p.covers(path))
    }

    /// The keys right below a path that some template names.
    pub fn keys_below(&self, path: &ValuePath) -> Vec<&str> {
        use crate::load::helm::values::Segment;
        let depth = path.segments().len();
        let below = self.whole.iter().chain(&self.tested).filter(|p| path.covers(p));
        let mut keys: Vec<&str> = below
            .filter_map(|p| match p.segments().get(depth) {
                Some(Segment::Key(key)) => Some(key.as_str()),
                _ => None,
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn looks_into(&self, path: &ValuePath) -> bool {
        let depth = path.segments().len();
        self.whole.iter().chain(&self.tested).any(|p| p.segments().len() > depth && path.covers(p))
    }
}
