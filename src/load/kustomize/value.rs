//! The objects while they are being built: a tree in which every key and value keeps where it came from.

use std::sync::Arc;

use smol_str::SmolStr;

pub use super::origin::{Fragment, FragmentPlace, Origin, Place, StepId, TreeId, WRITTEN, cut};
use crate::yaml::resolve::{self, Scalar as Typed};
use crate::yaml::{Node, Shape, Style};

/// Values that one object may have.
const SIZE_LIMIT: usize = 1 << 20;

/// Bytes of text that count as one value.
const TEXT_WEIGHT: usize = 64;

/// The type of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Str,
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool,
    /// An integer or a float.
    Number,
    /// A date, which becomes text.
    Time,
}

/// A single value: its text as written, after quotes and escapes, and its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The text.
    pub text: SmolStr,
    /// The type.
    pub kind: Type,
    /// Whether quotes or a block hold it: what Kustomize writes there later is held by them, too, and so is a text.
    pub held: bool,
    /// Whether Kustomize wrote it without saying that it is a text: what is written there later is typed anew.
    pub untagged: bool,
    /// What names it where it stands in several places at once.
    pub shared: Option<SharedId>,
}

/// Names a value that Kustomize put in several places of an object as one: the step that did it, and which of its values.
pub type SharedId = (StepId, u32);

/// A key.
#[derive(Clone, Debug)]
pub struct Key {
    /// The text.
    pub text: SmolStr,
    /// Where it stands.
    pub origin: Origin,
}

impl Key {
    /// The same key, from elsewhere, takes the place of this one.
    pub fn give_way_to(&mut self, mut key: Key) {
        if key.origin.place != self.origin.place {
            key.origin.overrode = Some(Arc::new(self.origin.clone()));
        }
        *self = key;
    }
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Value,
}

/// What a value holds. Collections are shared until they are changed.
#[derive(Clone, Debug)]
pub enum Data {
    /// Keys and values; no key twice.
    Map(Arc<Vec<Entry>>),
    /// A list.
    Seq(Arc<Vec<Value>>),
    /// A single value.
    Scalar(Scalar),
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it holds.
    pub data: Data,
    /// Where it came from.
    pub origin: Origin,
}

/// How plain scalars are typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Resources and patches: `yes` is text.
    Resources,
    /// Kustomization files and JSON patches: `yes` is true.
    Legacy,
}

fn type_of(node: Node<'_>, dialect: Dialect) -> Type {
    let kind = match node.scalar() {
        None | Some(Typed::Null) => Type::Null,
        Some(Typed::Bool(_)) => Type::Bool,
        Some(Typed::Int(_) | Typed::UInt(_) | Typed::Float(_)) => Type::Number,
        Some(Typed::Str(_)) => Type::Str,
    };
    if dialect == Dialect::Legacy {
        return kind;
    }
    let text = node.text().unwrap_or_default();
    match kind {
        Type::Bool if !is_bool(text) => Type::Str,
        Type::Str if node.style() == Style::Plain && node.tag().is_none() && is_date(text) => Type::Time,
        kind => kind,
    }
}

/// Whether Kustomize's library takes a plain word for a boolean.
fn is_bool(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
}

/// `2020-01-31`, which Go's reader takes for a time.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| if matches!(i, 4 | 7) { *b == b'-' } else { b.is_ascii_digit() })
}

impl Value {
    /// A value as it was read: aliases and merge keys expanded, of duplicate keys the last kept.
    pub fn read(node: Node<'_>, tree: TreeId, dialect: Dialect) -> Value {
        let data = match node.shape() {
            Shape::Scalar => {
                let held =
                    matches!(node.style(), Style::SingleQuoted | Style::DoubleQuoted | Style::Literal | Style::Folded);
                let text = node.shared_text().unwrap_or_default();
                Data::Scalar(Scalar { text, kind: type_of(node, dialect), held, untagged: false, shared: None })
            }
            Shape::Sequence => {
                Data::Seq(Arc::new(node.items().into_iter().map(|i| Value::read(i, tree, dialect)).collect()))
            }
            Shape::Mapping => {
                let all = node.entries();
                let mut entries: Vec<Entry> = Vec::with_capacity(all.len());
                // Only merge keys and mistakes repeat a key; looking for them in every mapping would cost.
                let repeats = all.iter().any(|e| e.merged.is_some()) || has_repeats(&all);
                for entry in all {
                    let text = entry.key.text().unwrap_or_default();
                    let value = Value::read(entry.value, tree, dialect);
                    let key = Key {
                        text: entry.key.shared_text().unwrap_or_default(),
                        origin: Origin::node(tree, entry.key.id()),
                    };
                    match entries.iter_mut().find(|e| repeats && e.key.text == text) {
                        Some(old) => *old = Entry { key, value },
                        None => entries.push(Entry { key, value }),
                    }
                }
                Data::Map(Arc::new(entries))
            }
        };
        Value { data, origin: Origin::node(tree, node.id()) }
    }

    /// A text.
    pub fn text_of(text: impl Into<SmolStr>, origin: Origin) -> Value {
        Value { data: Data::Scalar(Scalar::text(text.into())), origin }
    }

    /// A text that a setter fills next: nothing is written there, so nothing holds it.
    pub fn blank(origin: Origin) -> Value {
        let scalar = Scalar { text: "".into(), kind: Type::Str, held: false, untagged: true, shared: None };
        Value { data: Data::Scalar(scalar), origin }
    }

    /// A text or number that is typed as Kustomize would type it unquoted.
    pub fn plain_of(text: impl Into<SmolStr>, origin: Origin) -> Value {
        let text = text.into();
        let kind = match resolve::plain(&text) {
            Typed::Null => Type::Null,
            Typed::Bool(_) if !is_bool(&text) => Type::Str,
            Typed::Bool(_) => Type::Bool,
            Typed::Str(_) => Type::Str,
            _ => Type::Number,
        };
        Value { data: Data::Scalar(Scalar { text, kind, held: false, untagged: true, shared: None }), origin }
    }

    /// Makes texts of all values of a mapping, as Kustomize does it with labels and annotations: a mapping or list has none.
    pub fn make_texts(&mut self) {
        for entry in self.entries_mut().into_iter().flatten() {
            match &mut entry.value.data {
                // Each becomes a value of its own.
                Data::Scalar(scalar) => *scalar = Scalar::text(scalar.text.clone()),
                _ => entry.value = Value::text_of("", entry.value.origin.derived(0)),
            }
        }
    }

    /// Says that Kustomize wrote this without its type.
    pub fn untag(&mut self) {
        if let Data::Scalar(scalar) = &mut self.data {
            scalar.untagged = true;
        }
    }

    /// A mapping without entries.
    pub fn empty_map(origin: Origin) -> Value {
        Value { data: Data::Map(Arc::default()), origin }
    }

    /// A list without items.
    pub fn empty_seq(origin: Origin) -> Value {
        Value { data: Data::Seq(Arc::default()), origin }
    }

    /// The text of a scalar, whatever its type.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(s) => Some(&s.text),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar(Scalar { kind: Type::Null, .. }))
    }

    /// Whether it is a text.
    pub fn is_str(&self) -> bool {
        matches!(&self.data, Data::Scalar(Scalar { kind: Type::Str | Type::Time, .. }))
    }

    /// Whether it is a scalar.
    pub fn is_scalar(&self) -> bool {
        matches!(self.data, Data::Scalar(_))
    }

    /// Whether it is null, or a collection or text without content.
    pub fn is_empty(&self) -> bool {
        match &self.data {
            Data::Map(entries) => entries.is_empty(),
            Data::Seq(items) => items.is_empty(),
            Data::Scalar(s) => s.kind == Type::Null || (s.kind == Type::Str && s.text.is_empty()),
        }
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list.
    pub fn items(&self) -> &[Value] {
        match &self.data {
            Data::Seq(items) => items,
            _ => &[],
        }
    }

    /// The entries of a mapping, to be changed.
    pub fn entries_mut(&mut self) -> Option<&mut Vec<Entry>> {
        match &mut self.data {
            Data::Map(entries) => Some(Arc::make_mut(entries)),
            _ => None,
        }
    }

    /// The items of a list, to be changed.
    pub fn items_mut(&mut self) -> Option<&mut Vec<Value>> {
        match &mut self.data {
            Data::Seq(items) => Some(Arc::make_mut(items)),
            _ => None,
        }
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries().iter().find(|e| e.key.text == key).map(|e| &e.value)
    }

    /// The value under a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        // Look first, so that nothing is copied where there is nothing.
        self.get(key)?;
        self.entries_mut()?.iter_mut().find(|e| e.key.text == key).map(|e| &mut e.value)
    }

    /// The value at the end of a path.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text at the end of a path.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Value::text)
    }

    /// Puts a value under a key; what stood there is remembered as overridden.
    pub fn set(&mut self, key: Key, mut value: Value) {
        let Some(entries) = self.entries_mut() else { return };
        match entries.iter_mut().find(|e| e.key.text == key.text) {
            Some(entry) => {
                value.override_from(&entry.value);
                entry.value = value;
            }
            None => entries.push(Entry { key, value }),
        }
    }

    /// [`Value::set`] for a part that comes with its key: what stood there is gone, its key with it.
    pub fn set_with_key(&mut self, key: Key, mut value: Value) {
        let Some(entries) = self.entries_mut() else { return };
        match entries.iter_mut().find(|e| e.key.text == key.text) {
            Some(entry) => {
                value.override_from(&entry.value);
                if !value.is_scalar() {
                    entry.key.give_way_to(key);
                }
                entry.value = value;
            }
            None => entries.push(Entry { key, value }),
        }
    }

    /// Takes the place of an older value as Kustomize's setters do it: the quotes stay, and in quotes everything is a text; who
    /// shared the old one shares this one.
    pub fn take_place_of(&mut self, old: &Value) {
        let (Data::Scalar(old), Data::Scalar(new)) = (&old.data, &mut self.data) else { return };
        if old.held && new.kind != Type::Null {
            new.kind = Type::Str;
        }
        (new.held, new.shared) = (old.held, old.shared);
    }

    /// Remembers what stood here before.
    pub fn override_from(&mut self, old: &Value) {
        if self.origin.overrode.is_none() && self.origin.place != old.origin.place {
            self.origin.overrode = Some(Arc::new(old.origin.clone()));
        }
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        self.get(key)?;
        let entries = self.entries_mut()?;
        let index = entries.iter().position(|e| e.key.text == key)?;
        Some(entries.remove(index))
    }

    /// The value at the end of a path; mappings on the way are made where they are missing or null. `None` where something
    /// else stands in the way.
    pub fn at_or_create(&mut self, path: &[&str], origin: &Origin) -> Option<&mut Value> {
        let mut value = self;
        for key in path {
            if value.get(key).is_none() {
                let made = Key { text: SmolStr::new(key), origin: origin.derived(key.len()) };
                value.entries_mut()?.push(Entry { key: made, value: Value::empty_map(origin.clone()) });
            }
            value = value.get_mut(key)?;
            if value.is_null() {
                value.data = Data::Map(Arc::default());
            }
        }
        Some(value)
    }

    /// Marks a subtree as brought in by a step; parts that another step brought in keep theirs.
    pub fn mark(&mut self, step: StepId) {
        if self.origin.step == WRITTEN {
            self.origin.step = step;
        }
        match &mut self.data {
            Data::Map(entries) => {
                for entry in Arc::make_mut(entries) {
                    if entry.key.origin.step == WRITTEN {
                        entry.key.origin.step = step;
                    }
                    entry.value.mark(step);
                }
            }
            Data::Seq(items) => Arc::make_mut(items).iter_mut().for_each(|i| i.mark(step)),
            Data::Scalar(_) => {}
        }
    }

    /// Whether it has grown beyond what an object can be, by being copied into itself. Stops counting there.
    pub fn is_too_large(&self) -> bool {
        fn count(value: &Value, left: &mut usize) {
            let own = 1 + value.text().map_or(0, |t| t.len() / TEXT_WEIGHT);
            *left = left.saturating_sub(own);
            for child in value.entries().iter().map(|e| &e.value).chain(value.items()) {
                if *left == 0 {
                    return;
                }
                count(child, left);
            }
        }
        let mut left = SIZE_LIMIT;
        count(self, &mut left);
        left == 0
    }

    /// Whether two values mean the same; the order of keys does not count.
    pub fn same(&self, other: &Value) -> bool {
        match (&self.data, &other.data) {
            (Data::Scalar(a), Data::Scalar(b)) => a.kind == b.kind && (a.text == b.text || a.kind == Type::Null),
            (Data::Seq(a), Data::Seq(b)) => {
                Arc::ptr_eq(a, b) || (a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same(b)))
            }
            (Data::Map(a), Data::Map(b)) => {
                Arc::ptr_eq(a, b)
                    || (a.len() == b.len() && a.iter().all(|e| other.get(&e.key.text).is_some_and(|v| e.value.same(v))))
            }
            _ => false,
        }
    }

    /// The JSON that Kustomize makes of it.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.data {
            Data::Map(entries) => {
                let mut sorted: Vec<&Entry> = entries.iter().collect();
                sorted.sort_by(|a, b| a.key.text.cmp(&b.key.text));
                Json::Object(sorted.into_iter().map(|e| (e.key.text.to_string(), e.value.to_json())).collect())
            }
            Data::Seq(items) => Json::Array(items.iter().map(Value::to_json).collect()),
            Data::Scalar(scalar) => scalar.to_json(),
        }
    }
}

fn has_repeats(entries: &[crate::yaml::Entry<'_>]) -> bool {
    if entries.len() < 12 {
        return entries.iter().enumerate().any(|(i, e)| entries[..i].iter().any(|o| o.key.text() == e.key.text()));
    }
    let mut seen = std::collections::HashSet::new();
    !entries.iter().all(|e| seen.insert(e.key.text()))
}

impl Scalar {
    /// A text, in quotes where it needs them.
    fn text(text: SmolStr) -> Scalar {
        let held = text.contains('\n') || !matches!(resolve::plain(&text), Typed::Str(_));
        Scalar { text, kind: Type::Str, held, untagged: false, shared: None }
    }

    /// The JSON that Kustomize makes of it.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::{Number, Value as Json};
        match self.kind {
            Type::Str => Json::String(self.text.to_string()),
            Type::Time => Json::String(format!("{}T00:00:00Z", self.text)),
            Type::Null => Json::Null,
            Type::Bool | Type::Number => match resolve::plain(&self.text) {
                Typed::Bool(b) => Json::Bool(b),
                Typed::Int(i) => Json::Number(i.into()),
                Typed::UInt(u) => Json::Number(u.into()),
                Typed::Float(x) => {
                    Number::from_f64(x).map_or_else(|| Json::String(self.text.to_string()), Json::Number)
                }
                Typed::Null => Json::Null,
                Typed::Str(s) => Json::String(s.to_string()),
            },
        }
    }
}
