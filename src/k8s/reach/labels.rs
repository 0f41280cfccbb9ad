//! Labels of many things, turned round so that a selector is a few operations on sets.

use std::collections::HashMap;

use crate::facts::kubernetes;
use crate::yaml::{Node, is_unfinished};

use super::super::selector::Selector;
use super::super::workload::Labels;
use super::bits::{Bits, Tri};

/// Who has a key, and with which value.
#[derive(Debug)]
struct Key<'t> {
    has: Bits,
    /// The value is decided elsewhere.
    templated: Bits,
    values: HashMap<&'t str, Bits>,
    /// Who may have the key though it is not written.
    perhaps: Bits,
    /// Who certainly lacks the key, though other labels of theirs are not known.
    never: Bits,
}

/// The labels of things that are numbered from 0.
#[derive(Debug)]
pub struct LabelIndex<'t> {
    len: usize,
    keys: HashMap<&'t str, Key<'t>>,
    /// Who may have labels that are not written.
    open: Bits,
    /// Whether Kubernetes' own controllers add labels to these things.
    grown: bool,
}

impl<'t> LabelIndex<'t> {
    /// An index of so many things without labels.
    pub fn new(len: usize, grown: bool) -> LabelIndex<'t> {
        LabelIndex { len, keys: HashMap::new(), open: Bits::none(len), grown }
    }

    fn key(&mut self, key: &'t str) -> &mut Key<'t> {
        let none = || Bits::none(self.len);
        self.keys.entry(key).or_insert_with(|| Key {
            has: none(),
            templated: none(),
            values: HashMap::new(),
            perhaps: none(),
            never: none(),
        })
    }

    /// A label of a thing.
    pub fn insert(&mut self, index: usize, key: &'t str, value: &'t str) {
        let len = self.len;
        let key = self.key(key);
        key.has.insert(index);
        if is_unfinished(value) {
            key.templated.insert(index);
        }
        key.values.entry(value).or_insert_with(|| Bits::none(len)).insert(index);
    }

    /// The labels of a thing as they are written.
    pub fn insert_all(&mut self, index: usize, labels: Labels<'t>) {
        let Some(node) = labels.node else { return };
        if !node.is_mapping() && !node.is_null() {
            self.open(index);
        }
        for entry in node.entries() {
            match entry.key.text() {
                // Kubernetes reads null as the empty string.
                Some(key) if !is_unfinished(key) => {
                    let value = if entry.value.is_null() { "" } else { entry.value.text().unwrap_or("") };
                    self.insert(index, key, value);
                }
                _ => self.open(index),
            }
        }
    }

    /// A thing may have labels that are not written.
    pub fn open(&mut self, index: usize) {
        self.open.insert(index);
    }

    /// A thing may have this key.
    pub fn perhaps(&mut self, index: usize, key: &'t str) {
        self.key(key).perhaps.insert(index);
    }

    /// A thing certainly lacks this key.
    pub fn never(&mut self, index: usize, key: &'t str) {
        self.key(key).never.insert(index);
    }

    /// Who has a key.
    fn has(&self, key: &str) -> Tri {
        let found = self.keys.get(key);
        let yes = found.map_or_else(|| Bits::none(self.len), |k| k.has.clone());
        let mut maybe = match found {
            Some(k) => self.open.clone().and(&k.never.clone().complement()),
            None => self.open.clone(),
        };
        if self.grown && kubernetes::is_controller_label(key) {
            maybe = Bits::all(self.len);
        }
        if let Some(k) = found {
            maybe.add(&k.perhaps);
        }
        maybe.add(&yes);
        Tri { yes, maybe }
    }

    /// Who has a key with one of these values.
    fn among(&self, key: &str, values: &[&str]) -> Tri {
        let has = self.has(key);
        let none = || Bits::none(self.len);
        let Some(found) = self.keys.get(key) else { return Tri { yes: none(), maybe: has.maybe } };
        let mut yes = none();
        values.iter().filter_map(|value| found.values.get(value)).for_each(|bits| yes.add(bits));
        if values.iter().any(|value| is_unfinished(value)) {
            return Tri { yes, maybe: has.maybe };
        }
        let mut maybe = has.maybe.and(&found.has.clone().complement());
        maybe.add(&yes);
        maybe.add(&found.templated);
        Tri { yes, maybe }
    }

    /// What a selector selects. Without requirements that is everything.
    pub fn select(&self, selector: Selector<'t>) -> Tri {
        let (map, expressions) = match selector {
            Selector::Map(node) => (Some(node), None),
            Selector::Expressions(node) if node.is_mapping() || node.is_null() => {
                (node.get("matchLabels"), node.get("matchExpressions"))
            }
            Selector::Expressions(_) => return Tri::unknown(self.len),
        };
        let mut found = Tri::all(self.len);
        for node in [map, expressions].into_iter().flatten() {
            if node.text().is_some() && !node.is_null() {
                return Tri::unknown(self.len);
            }
        }
        for entry in map.map(Node::entries).unwrap_or_default() {
            found = found.and(&match entry.key.text() {
                Some(key) if !is_unfinished(key) => self.among(key, &[entry.value.text().unwrap_or("")]),
                _ => Tri::unknown(self.len),
            });
        }
        for expression in expressions.map(Node::items).unwrap_or_default() {
            found = found.and(&self.expression(expression));
        }
        found
    }

    /// Source: Kubernetes `apimachinery/pkg/labels/selector.go`, `Requirement.Matches`.
    fn expression(&self, node: Node<'t>) -> Tri {
        let text = |key| node.get(key).and_then(Node::text).filter(|t| !is_unfinished(t));
        let (Some(key), Some(operator)) = (text("key"), text("operator")) else { return Tri::unknown(self.len) };
        let values = node.get("values");
        if values.is_some_and(|v| !v.is_sequence() && !v.is_null()) {
            return Tri::unknown(self.len);
        }
        let values: Vec<&str> =
            values.map(Node::items).unwrap_or_default().into_iter().filter_map(Node::text).collect();
        match operator {
            "In" => self.among(key, &values),
            "NotIn" => self.among(key, &values).complement(),
            "Exists" => self.has(key),
            "DoesNotExist" => self.has(key).complement(),
            _ => Tri::unknown(self.len),
        }
    }
}
