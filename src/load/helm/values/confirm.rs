//! Proof by trial: a value is changed, the chart rendered again, and the line looked at.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Number, Value as Json};

use super::path::{Segment, ValuePath};
use super::{Kind, Values};

/// What is put behind texts.
const MARK: &str = "kvl";

/// Renders a chart again with one more values file, given as text.
pub type Render<'r> = dyn Fn(&str) -> Result<String, String> + 'r;

/// Asks a renderer which values change which lines, each value once.
pub struct Confirm<'r> {
    values: &'r Values,
    clean: &'r str,
    render: &'r Render<'r>,
    known: HashMap<ValuePath, BTreeSet<usize>>,
}

impl<'r> Confirm<'r> {
    /// `clean` is what the chart renders to as it is.
    pub fn new(values: &'r Values, clean: &'r str, render: &'r Render<'r>) -> Confirm<'r> {
        Confirm { values, clean, render, known: HashMap::new() }
    }

    /// Whether a line of the output, from 0, changes in its place with the value. `false` also where helm refuses the other value.
    pub fn changes(&mut self, path: &ValuePath, line: usize) -> bool {
        if let Some(lines) = self.known.get(path) {
            return lines.contains(&line);
        }
        let rendered = override_of(self.values, path).and_then(|text| (self.render)(&text).ok());
        let lines = rendered.map(|text| changed(self.clean, &text)).unwrap_or_default();
        let changes = lines.contains(&line);
        self.known.insert(path.clone(), lines);
        changes
    }

    /// The only one of some values that changes a line.
    pub fn only<'p>(&mut self, paths: &'p [ValuePath], line: usize) -> Option<&'p ValuePath> {
        let mut found = None;
        for path in paths {
            if self.changes(path, line) {
                if found.is_some() {
                    return None;
                }
                found = Some(path);
            }
        }
        found
    }
}

/// A values file that gives one value another value of its type: text goes on, numbers count one up, booleans turn. `None` for
/// what has no other value of its type.
pub fn override_of(values: &Values, path: &ValuePath) -> Option<String> {
    // What a subchart sees of the globals is set at the root.
    let global = path.segments().iter().position(|s| *s == Segment::Key("global".into())).unwrap_or(0);
    let path: ValuePath = path.segments().get(global..)?.iter().cloned().collect();
    let leaf = values.get(&path)?;
    let other = match (leaf.kind(), leaf.to_json()) {
        (Kind::Text, Json::String(text)) => {
            // Behind the last line break it would be a line more.
            let body = text.trim_end_matches('\n');
            Json::String(format!("{body}{MARK}{}", &text[body.len()..]))
        }
        (Kind::Bool, Json::Bool(b)) => Json::Bool(!b),
        (Kind::Number, Json::Number(n)) => Json::Number(match n.as_i64().and_then(|i| i.checked_add(1)) {
            Some(next) => next.into(),
            None => Number::from_f64(n.as_f64()? + 1.0)?,
        }),
        _ => return None,
    };
    // A list is replaced as a whole, so the one file has all of it.
    let segments = path.segments();
    let keys = segments.iter().take_while(|s| matches!(s, Segment::Key(_))).count();
    let (outer, inner) = segments.split_at(keys);
    let mut value = if inner.is_empty() {
        other
    } else {
        let mut list = values.get(&outer.iter().cloned().collect())?.to_json();
        *inner.iter().try_fold(&mut list, |at, segment| match segment {
            Segment::Index(index) => at.get_mut(index),
            Segment::Key(key) => at.get_mut(key.as_str()),
            Segment::Any => None,
        })? = other;
        list
    };
    for segment in outer.iter().rev() {
        let Segment::Key(key) = segment else { return None };
        value = Json::Object(Map::from_iter([(key.to_string(), value)]));
    }
    Some(value.to_string())
}

/// The lines, from 0, that another rendering says differently in the same place. None where lines came or went: what belongs
/// to what is not certain then.
pub fn changed(clean: &str, other: &str) -> BTreeSet<usize> {
    let (clean, other): (Vec<&str>, Vec<&str>) = (clean.lines().collect(), other.lines().collect());
    if clean.len() != other.len() {
        return BTreeSet::new();
    }
    (0..clean.len()).filter(|&i| clean[i] != other[i]).collect()
}
