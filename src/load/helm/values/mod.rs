//! The values of a chart: what each one is, which file said so, and which template reads it.

mod chart;
mod coalesce;
mod confirm;
mod dependencies;
mod inputs;
mod path;
mod set;
mod store;
#[cfg(test)]
mod tests;
mod trace;
mod unread;

use std::sync::Arc;

pub use chart::{ChartTexts, Dependency, Import};
pub use confirm::{Confirm, changed, override_of};
pub(super) use dependencies::in_range;
pub use inputs::{ChartValues, templates_of};
pub use path::{Segment, ValuePath};
pub use set::{Set, check_set};
pub use store::{Place, ValuesError};
pub use trace::{ChartTemplates, Fed, Feeds, FoundLeaf, Question, Reads, Switch, Trace, Tracer};
pub use unread::{UnreadKey, outside_templates, unread_keys};

use crate::source::SourceFile;
use crate::yaml;
use dependencies::Draft;
use store::{Data, Slot, Store, TableId};

/// The values that templates are rendered with, each with its place.
#[derive(Clone, Debug)]
pub struct Values {
    store: Store,
    root: TableId,
    enabled: Vec<ValuePath>,
}

/// A value and the places that it came from.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'v> {
    values: &'v Values,
    slot: &'v Slot,
}

/// The type of a value, as templates see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A list.
    List,
    /// A mapping.
    Table,
}

impl Values {
    /// Computes the values as `helm template -f FILE… --set …` does.
    ///
    /// # Errors
    /// Where helm would stop, too: a file that can't be read or is no mapping, a `--set` without a value, a scalar under the name of a
    /// subchart.
    pub fn compute(chart: &ChartTexts, files: &[Arc<SourceFile>], sets: &[Set]) -> Result<Values, ValuesError> {
        let mut store = Store::default();
        let given = store.new_table();
        for file in files {
            let table = read_file(&mut store, file)?;
            store.overlay(given, table);
        }
        for (i, set) in sets.iter().enumerate() {
            set::apply(&mut store, given, set, i)?;
        }
        let mut draft = Draft::read(&mut store, chart)?;
        draft.drop_disabled(&mut store, given, "")?;
        draft.import(&mut store)?;
        let root = store.coalesce_chart(&draft.chart(), given, false)?;
        if store.overflowed {
            let message = "the values of the chart and its dependencies are too many".to_string();
            return Err(ValuesError { span: None, message });
        }
        let mut enabled = Vec::new();
        scopes(&draft, &ValuePath::root(), &mut enabled);
        Ok(Values { store, root, enabled })
    }

    /// The value at a path; `None` where there is none.
    pub fn get(&self, path: &ValuePath) -> Option<Leaf<'_>> {
        self.store.slot(self.root, path).map(|slot| Leaf { values: self, slot })
    }

    /// The keys of the charts that take part, each a path of keys: the chart itself is the root.
    pub fn enabled(&self) -> &[ValuePath] {
        &self.enabled
    }

    /// Every value that holds no other: scalars, and empty mappings and lists. In the order of their paths.
    pub fn leaves(&self) -> Vec<(ValuePath, Leaf<'_>)> {
        let mut found = Vec::new();
        self.collect(&Data::Table(self.root), &ValuePath::root(), &mut found);
        found
    }

    /// The keys at the root.
    pub(crate) fn root_segments(&self) -> Vec<Segment> {
        self.store.tables[self.root].keys().cloned().map(Segment::Key).collect()
    }

    /// Adds every text at or below a path; [`Segment::Any`] is every entry.
    pub(crate) fn texts_below(&self, path: &ValuePath, into: &mut Vec<String>) {
        for (at, leaf) in self.leaves() {
            if path.covers(&at)
                && let Data::Text(text) = &leaf.slot.data
            {
                into.push(text.to_string());
            }
        }
    }

    /// What `toYaml .Values` prints, as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        self.store.to_json(&Data::Table(self.root), 0)
    }

    fn collect<'v>(&'v self, data: &Data, path: &ValuePath, into: &mut Vec<(ValuePath, Leaf<'v>)>) {
        let children: Vec<(Segment, &Slot)> = match data {
            Data::Table(id) => self.store.tables[*id].iter().map(|(k, s)| (Segment::Key(k.clone()), s)).collect(),
            Data::List(id) => self.store.lists[*id].iter().enumerate().map(|(i, s)| (Segment::Index(i), s)).collect(),
            _ => Vec::new(),
        };
        for (segment, slot) in children {
            let path = path.then(segment);
            let leaf = Leaf { values: self, slot };
            if leaf.is_empty_or_scalar() {
                into.push((path, leaf));
            } else {
                self.collect(&slot.data, &path, into);
            }
        }
    }
}

impl<'v> Leaf<'v> {
    /// Where the value that counts was written.
    pub fn place(&self) -> &'v Place {
        &self.slot.place
    }

    /// Places that said something else and lost, the nearest first.
    pub fn overrode(&self) -> impl Iterator<Item = &'v Place> + use<'v> {
        self.slot.overrode.iter().map(AsRef::as_ref)
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        match self.slot.data {
            Data::Null => Kind::Null,
            Data::Bool(_) => Kind::Bool,
            Data::Number(_) => Kind::Number,
            Data::Text(_) => Kind::Text,
            Data::List(_) => Kind::List,
            Data::Table(_) => Kind::Table,
        }
    }

    /// Whether `if` takes it for true: neither nothing nor zero nor empty.
    pub fn is_truthy(&self) -> bool {
        match &self.slot.data {
            Data::Null => false,
            Data::Bool(b) => *b,
            Data::Number(n) => n.as_f64() != Some(0.0),
            Data::Text(text) => !text.is_empty(),
            Data::List(id) => !self.values.store.lists[*id].is_empty(),
            Data::Table(id) => !self.values.store.tables[*id].is_empty(),
        }
    }

    /// How many entries a mapping or list has; `None` for scalars.
    pub fn entries(&self) -> Option<usize> {
        match &self.slot.data {
            Data::List(id) => Some(self.values.store.lists[*id].len()),
            Data::Table(id) => Some(self.values.store.tables[*id].len()),
            _ => None,
        }
    }

    /// The steps to its entries, in the order in which `range` visits them.
    pub fn segments(&self) -> Vec<Segment> {
        match &self.slot.data {
            Data::List(id) => (0..self.values.store.lists[*id].len()).map(Segment::Index).collect(),
            Data::Table(id) => self.values.store.tables[*id].keys().cloned().map(Segment::Key).collect(),
            _ => Vec::new(),
        }
    }

    /// The value.
    pub fn to_json(&self) -> serde_json::Value {
        self.values.store.to_json(&self.slot.data, 0)
    }

    /// A scalar as a template prints it; `None` for collections and null.
    pub fn text(&self) -> Option<String> {
        match &self.slot.data {
            Data::Bool(b) => Some(b.to_string()),
            Data::Number(n) => Some(n.to_string()),
            Data::Text(text) => Some(text.to_string()),
            Data::Null | Data::List(_) | Data::Table(_) => None,
        }
    }

    fn is_empty_or_scalar(&self) -> bool {
        self.entries().is_none_or(|n| n == 0)
    }
}

/// The chart's path and those of all below it.
fn scopes(draft: &Draft, path: &ValuePath, into: &mut Vec<ValuePath>) {
    into.push(path.clone());
    for chart in &draft.charts {
        scopes(chart, &path.key(&chart.name), into);
    }
}

/// The values of a file: its first document, as helm reads it.
fn read_file(store: &mut Store, source: &Arc<SourceFile>) -> Result<TableId, ValuesError> {
    let stream = yaml::parse(source);
    match stream.documents.first() {
        None => Ok(store.new_table()),
        Some(document) => match &document.content {
            Ok(tree) => store.read(tree),
            Err(e) => Err(ValuesError { span: Some(e.span), message: e.message.clone() }),
        },
    }
}
