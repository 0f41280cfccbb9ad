//! Values as helm holds them: tables and lists that several places may share, each entry with the bytes it came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Number;
use smol_str::SmolStr;

use super::path::{Segment, ValuePath};
use crate::source::Span;
use crate::yaml::resolve::Scalar;
use crate::yaml::{Node, NodeId, Shape, Tree, json};

/// Deepest nesting that is followed. The parser reads less, so this only bounds what merging could build.
const DEPTH_LIMIT: usize = 1200;

/// Tables that copies may add. Values that many charts share grow with each of them; real ones stay below a thousand.
const MOST_TABLES: usize = 300_000;

/// Names a table of one [`Store`].
pub(super) type TableId = usize;
/// Names a list of one [`Store`].
pub(super) type ListId = usize;

/// Where a value was written.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a values file.
    Written {
        /// The file's document.
        tree: Arc<Tree>,
        /// The key, where the value has one: items of lists do not.
        key: Option<Span>,
        /// The value.
        node: NodeId,
    },
    /// In one of the `--set` arguments, counted from 0.
    CommandLine(usize),
    /// Nowhere: helm makes tables for subcharts and globals.
    Made,
}

impl Place {
    /// The bytes of the value; `None` where it was not written in a file.
    pub fn span(&self) -> Option<Span> {
        self.node().map(Node::span)
    }

    /// The bytes of the key.
    pub fn key_span(&self) -> Option<Span> {
        match self {
            Place::Written { key, .. } => *key,
            _ => None,
        }
    }

    /// A short place to hold the value by: a scalar's bytes, else its key.
    pub fn grip(&self) -> Option<Span> {
        let node = self.node()?;
        match (node.shape(), self.key_span()) {
            (Shape::Scalar, Some(key)) if node.span().is_empty() => Some(key),
            (Shape::Scalar, _) => Some(node.span()),
            (_, Some(key)) => Some(key),
            _ => Some(node.grip()),
        }
    }

    /// The value as it was written.
    pub fn node(&self) -> Option<Node<'_>> {
        match self {
            Place::Written { tree, node, .. } => Some(tree.node(*node)),
            _ => None,
        }
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    Null,
    Bool(bool),
    Number(Number),
    Text(SmolStr),
    List(ListId),
    Table(TableId),
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) data: Data,
    pub(super) place: Arc<Place>,
    /// Places that this one won over, the nearest first.
    pub(super) overrode: Vec<Arc<Place>>,
}

impl Slot {
    pub(super) fn made(data: Data) -> Slot {
        Slot { data, place: Arc::new(Place::Made), overrode: Vec::new() }
    }

    /// Remembers what the slot won over.
    pub(super) fn wins_over(&mut self, other: &Slot) {
        for place in std::iter::once(&other.place).chain(&other.overrode) {
            // Defaults of subcharts are merged more than once.
            let known = std::iter::once(&self.place).chain(&self.overrode).any(|p| Arc::ptr_eq(p, place));
            if !known && !matches!(**place, Place::Made) {
                self.overrode.push(Arc::clone(place));
            }
        }
    }
}

/// A table: keys in order, as Go prints them.
pub(super) type Table = BTreeMap<SmolStr, Slot>;

/// All tables and lists of one computation. Go's maps are references, and helm's merging shares them between a chart and
/// its subcharts in places; ids do the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    pub(super) tables: Vec<Table>,
    pub(super) lists: Vec<Vec<Slot>>,
    /// Copies were cut short.
    pub(super) overflowed: bool,
}

/// What can't be a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesError {
    /// The bytes at fault, where there are some.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
}

impl Store {
    pub(super) fn new_table(&mut self) -> TableId {
        self.add_table(Table::new())
    }

    pub(super) fn add_table(&mut self, table: Table) -> TableId {
        self.tables.push(table);
        self.tables.len() - 1
    }

    pub(super) fn add_list(&mut self, list: Vec<Slot>) -> ListId {
        self.lists.push(list);
        self.lists.len() - 1
    }

    /// The table under a key; `None` where there is none or something else.
    pub(super) fn table_at(&self, table: TableId, key: &str) -> Option<TableId> {
        match self.tables[table].get(key)?.data {
            Data::Table(id) => Some(id),
            _ => None,
        }
    }

    /// The values of a document, typed as `sigs.k8s.io/yaml` types them.
    pub(super) fn read(&mut self, tree: &Arc<Tree>) -> Result<TableId, ValuesError> {
        let root = tree.root();
        match self.read_node(tree, root)? {
            Data::Table(table) => Ok(table),
            Data::Null => Ok(self.new_table()),
            _ => Err(ValuesError {
                span: Some(root.grip()),
                message: "values must be a mapping of keys to values".into(),
            }),
        }
    }

    fn read_node(&mut self, tree: &Arc<Tree>, node: Node<'_>) -> Result<Data, ValuesError> {
        let refused = |(node, message): (Node<'_>, String)| ValuesError { span: Some(node.grip()), message };
        Ok(match node.shape() {
            Shape::Mapping => {
                let mut table = Table::new();
                for entry in node.entries() {
                    let key = json::key(entry.key).map_err(refused)?;
                    let place = self.written(tree, entry.value, Some(entry.key.written_span()));
                    let data = self.read_node(tree, entry.value)?;
                    table.insert(key.into(), Slot { data, place, overrode: Vec::new() });
                }
                Data::Table(self.add_table(table))
            }
            Shape::Sequence => {
                let mut list = Vec::new();
                for item in node.items() {
                    let place = self.written(tree, item, None);
                    let data = self.read_node(tree, item)?;
                    list.push(Slot { data, place, overrode: Vec::new() });
                }
                Data::List(self.add_list(list))
            }
            Shape::Scalar => match node.scalar().unwrap_or(Scalar::Null) {
                Scalar::Null => Data::Null,
                Scalar::Bool(b) => Data::Bool(b),
                Scalar::Int(i) => Data::Number(i.into()),
                Scalar::UInt(u) => Data::Number(u.into()),
                Scalar::Float(x) => match Number::from_f64(x) {
                    Some(number) => Data::Number(number),
                    None => {
                        let message = "JSON has no infinite number and no not-a-number".to_string();
                        return Err(ValuesError { span: Some(node.span()), message });
                    }
                },
                Scalar::Str(text) => Data::Text(text.into()),
            },
        })
    }

    fn written(&self, tree: &Arc<Tree>, node: Node<'_>, key: Option<Span>) -> Arc<Place> {
        Arc::new(Place::Written { tree: Arc::clone(tree), key, node: node.id() })
    }

    /// A deep copy of a table.
    pub(super) fn copy(&mut self, table: TableId) -> TableId {
        self.copy_table(table, 0)
    }

    fn copy_table(&mut self, table: TableId, depth: usize) -> TableId {
        if self.tables.len() > MOST_TABLES {
            self.overflowed = true;
            return table;
        }
        let mut copy = self.tables[table].clone();
        for slot in copy.values_mut() {
            slot.data = self.copy_data(slot.data.clone(), depth + 1);
        }
        self.add_table(copy)
    }

    fn copy_data(&mut self, data: Data, depth: usize) -> Data {
        match data {
            Data::Table(_) | Data::List(_) if depth > DEPTH_LIMIT => Data::Null,
            Data::Table(id) => Data::Table(self.copy_table(id, depth)),
            Data::List(id) => {
                let mut copy = self.lists[id].clone();
                for slot in &mut copy {
                    slot.data = self.copy_data(slot.data.clone(), depth + 1);
                }
                Data::List(self.add_list(copy))
            }
            scalar => scalar,
        }
    }

    /// Whether a table holds itself, so that it has no end.
    pub(super) fn is_endless(&self, table: TableId) -> bool {
        // Tables on the way, and whether all in them were looked at.
        let mut seen: BTreeMap<TableId, bool> = BTreeMap::new();
        let mut todo = vec![(table, false)];
        while let Some((id, done)) = todo.pop() {
            if done {
                seen.insert(id, true);
                continue;
            }
            match seen.get(&id) {
                Some(true) => continue,
                Some(false) => return true,
                None => _ = seen.insert(id, false),
            }
            todo.push((id, true));
            let mut inner: Vec<&Data> = self.tables[id].values().map(|slot| &slot.data).collect();
            while let Some(data) = inner.pop() {
                match data {
                    Data::Table(below) => todo.push((*below, false)),
                    Data::List(list) => inner.extend(self.lists[*list].iter().map(|slot| &slot.data)),
                    _ => {}
                }
            }
        }
        false
    }

    /// The slot at the end of a path of keys and indexes.
    pub(super) fn slot(&self, table: TableId, path: &ValuePath) -> Option<&Slot> {
        let mut segments = path.segments().iter();
        let mut slot = match segments.next()? {
            Segment::Key(key) => self.tables[table].get(key)?,
            _ => return None,
        };
        for segment in segments {
            slot = match (&slot.data, segment) {
                (Data::Table(id), Segment::Key(key)) => self.tables[*id].get(key)?,
                (Data::List(id), Segment::Index(index)) => self.lists[*id].get(*index)?,
                _ => return None,
            };
        }
        Some(slot)
    }

    /// A value as JSON.
    pub(super) fn to_json(&self, data: &Data, depth: usize) -> serde_json::Value {
        use serde_json::Value as Json;
        match data {
            Data::Null => Json::Null,
            Data::Bool(b) => Json::Bool(*b),
            Data::Number(n) => Json::Number(n.clone()),
            Data::Text(text) => Json::String(text.to_string()),
            Data::List(_) | Data::Table(_) if depth > DEPTH_LIMIT => Json::Null,
            Data::List(id) => self.lists[*id].iter().map(|s| self.to_json(&s.data, depth + 1)).collect(),
            Data::Table(id) => {
                let entry = |(key, slot): (&SmolStr, &Slot)| (key.to_string(), self.to_json(&slot.data, depth + 1));
                Json::Object(self.tables[*id].iter().map(entry).collect())
            }
        }
    }
}
