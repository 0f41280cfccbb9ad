//! How helm puts the values of charts, files and arguments together.
//!
//! Source: `pkg/chartutil/coalesce.go` of helm 3.17. Higher charts win over lower ones, tables merge, everything else is
//! replaced, null deletes. The port keeps helm's order of steps and its sharing of tables, because both show in results.

use smol_str::SmolStr;

use super::store::{Data, Slot, Store, Table, TableId, ValuesError};

/// The key of values that every chart sees.
pub(super) const GLOBAL: &str = "global";

/// A chart as far as its values go.
#[derive(Clone, Debug)]
pub(super) struct ValueChart {
    pub(super) name: SmolStr,
    pub(super) values: TableId,
    pub(super) charts: Vec<ValueChart>,
}

impl Store {
    /// `mergeMaps` of `pkg/cli/values`: later files win, tables merge, null stays.
    pub(super) fn overlay(&mut self, base: TableId, over: TableId) {
        for (key, mut slot) in self.tables[over].clone() {
            if let (Some(into), Data::Table(from)) = (self.table_at(base, &key), &slot.data) {
                let from = *from;
                self.overlay(into, from);
                // The later file's key is the one that people look at.
                if let Some(old) = self.tables[base].get(&key).cloned() {
                    slot.wins_over(&old);
                }
                slot.data = Data::Table(into);
            } else if let Some(old) = self.tables[base].get(&key) {
                slot.wins_over(old);
            }
            self.tables[base].insert(key, slot);
        }
    }

    /// `CoalesceValues` and, with `merge`, `MergeValues`, which keeps nulls: the values of a chart and all below it.
    pub(super) fn coalesce_chart(
        &mut self,
        chart: &ValueChart,
        given: TableId,
        merge: bool,
    ) -> Result<TableId, ValuesError> {
        let values = self.copy(given);
        self.coalesce(chart, values, merge)?;
        Ok(values)
    }

    fn coalesce(&mut self, chart: &ValueChart, into: TableId, merge: bool) -> Result<(), ValuesError> {
        self.coalesce_values(chart, into, merge);
        for sub in &chart.charts {
            let below = match self.tables[into].get(&sub.name) {
                None => {
                    let table = self.new_table();
                    self.tables[into].insert(sub.name.clone(), Slot::made(Data::Table(table)));
                    table
                }
                Some(Slot { data: Data::Table(table), .. }) => *table,
                Some(other) => {
                    let message = format!("`{}` is the name of a subchart, so it must be a mapping", sub.name);
                    return Err(ValuesError { span: other.place.grip(), message });
                }
            };
            self.coalesce_globals(below, into);
            self.coalesce(sub, below, merge)?;
        }
        Ok(())
    }

    /// Puts the globals of a chart among those of its subchart.
    fn coalesce_globals(&mut self, into: TableId, from: TableId) {
        let (target, slot) = match self.tables[into].get(GLOBAL) {
            None => (self.new_table(), None),
            Some(slot @ Slot { data: Data::Table(table), .. }) => (*table, Some(slot.clone())),
            Some(_) => return,
        };
        let source = match self.tables[from].get(GLOBAL) {
            None => Table::new(),
            Some(Slot { data: Data::Table(table), .. }) => self.tables[*table].clone(),
            Some(_) => return,
        };
        for (key, mut value) in source {
            let present = self.tables[target].get(&key).cloned();
            match (&value.data, present) {
                (Data::Table(table), present) => {
                    // A shallow copy: deeper tables are shared with the parent, in helm as here.
                    let copy = self.tables[*table].clone();
                    let copy = self.add_table(copy);
                    match present.as_ref().map(|p| &p.data) {
                        None => {}
                        Some(Data::Table(old)) => self.coalesce_tables(copy, *old, true),
                        Some(_) => continue,
                    }
                    value.data = Data::Table(copy);
                    if let Some(old) = &present {
                        value.wins_over(old);
                    }
                    self.tables[target].insert(key, value);
                }
                (_, Some(Slot { data: Data::Table(_), .. })) => {}
                (_, present) => {
                    if let Some(old) = &present {
                        value.wins_over(old);
                    }
                    self.tables[target].insert(key, value);
                }
            }
        }
        let mut slot = slot.unwrap_or_else(|| Slot::made(Data::Null));
        slot.data = Data::Table(target);
        self.tables[into].insert(GLOBAL.into(), slot);
    }

    fn coalesce_values(&mut self, chart: &ValueChart, into: TableId, merge: bool) {
        let defaults = self.copy(chart.values);
        self.fill(into, defaults, merge, &|key| merge || chart.charts.iter().any(|c| c.name == key));
    }

    /// `coalesceTablesFullKey`: fills a table from another one that it wins over.
    pub(super) fn coalesce_tables(&mut self, into: TableId, from: TableId, merge: bool) {
        if into == from {
            return;
        }
        self.fill(into, from, merge, &|_| merge);
    }

    /// Fills a table from another one; `below` tells how the tables under a key are treated.
    fn fill(&mut self, into: TableId, from: TableId, merge: bool, below: &dyn Fn(&str) -> bool) {
        for (key, value) in self.tables[from].clone() {
            let Some(present) = self.tables[into].get(&key).cloned() else {
                self.tables[into].insert(key, value);
                continue;
            };
            match (&present.data, &value.data) {
                (Data::Null, _) if !merge => _ = self.tables[into].remove(&key),
                (Data::Table(to), Data::Table(from)) => {
                    self.coalesce_tables(*to, *from, below(&key));
                    self.remember(into, &key, &value);
                }
                _ => self.remember(into, &key, &value),
            }
        }
    }

    /// The entry won over another value.
    fn remember(&mut self, table: TableId, key: &str, loser: &Slot) {
        if let Some(slot) = self.tables[table].get_mut(key) {
            slot.wins_over(loser);
        }
    }

    /// The table at a dotted path.
    pub(super) fn table_path(&self, root: TableId, path: &str) -> Option<TableId> {
        path.split('.').try_fold(root, |table, key| self.table_at(table, key))
    }
}
