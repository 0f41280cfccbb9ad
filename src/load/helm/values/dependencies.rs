//! Which subcharts take part, under which names, and what their parents import from them.
//!
//! Source: `pkg/chartutil/dependencies.go` of helm 3.17 (`ProcessDependenciesWithMerge`, as `helm template` calls it).

use semver::{Version, VersionReq};
use smol_str::SmolStr;

use super::chart::{ChartTexts, Dependency, Import};
use super::coalesce::ValueChart;
use super::store::{Data, Slot, Store, Table, TableId, ValuesError};

/// A chart on its way to [`ValueChart`].
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// The chart's own name, or its alias once dependencies were matched.
    pub(super) name: SmolStr,
    pub(super) version: SmolStr,
    pub(super) values: TableId,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) charts: Vec<Draft>,
}

impl Draft {
    /// Reads the values of a chart and all below it.
    pub(super) fn read(store: &mut Store, chart: &ChartTexts) -> Result<Draft, ValuesError> {
        let values = match &chart.values {
            Some(source) => super::read_file(store, source)?,
            None => store.new_table(),
        };
        let charts = chart.charts.iter().map(|c| Draft::read(store, c)).collect::<Result<_, _>>()?;
        Ok(Draft {
            name: chart.name.clone(),
            version: chart.version.clone(),
            values,
            dependencies: chart.dependencies.clone(),
            charts,
        })
    }

    pub(super) fn chart(&self) -> ValueChart {
        ValueChart {
            name: self.name.clone(),
            values: self.values,
            charts: self.charts.iter().map(Draft::chart).collect(),
        }
    }

    /// Gives subcharts their aliases and drops those that conditions or tags switch off. `path` leads to this chart's
    /// values and ends with a dot.
    pub(super) fn drop_disabled(&mut self, store: &mut Store, given: TableId, path: &str) -> Result<(), ValuesError> {
        if self.dependencies.is_empty() {
            return Ok(());
        }
        let listed = |chart: &Draft, dependencies: &[Dependency]| {
            dependencies.iter().any(|d| d.name == chart.name && in_range(&d.version, &chart.version))
        };
        let mut charts: Vec<Draft> = self.charts.iter().filter(|c| !listed(c, &self.dependencies)).cloned().collect();
        for dependency in &self.dependencies {
            let same = |c: &&Draft| c.name == dependency.name && in_range(&dependency.version, &c.version);
            if let Some(chart) = self.charts.iter().find(same) {
                charts.push(Draft { name: dependency.key().clone(), ..chart.clone() });
            }
        }
        self.charts = charts;
        let values = store.coalesce_chart(&self.chart(), given, false)?;
        let enabled: Vec<bool> = self.dependencies.iter().map(|d| is_enabled(store, values, d, path)).collect();
        let off: Vec<SmolStr> =
            self.dependencies.iter().zip(&enabled).filter(|(_, on)| !**on).map(|(d, _)| d.key().clone()).collect();
        self.charts.retain(|c| !off.contains(&c.name));
        self.dependencies.retain(|d| !off.contains(d.key()));
        for chart in &mut self.charts {
            let below = format!("{path}{}.", chart.name);
            chart.drop_disabled(store, values, &below)?;
        }
        Ok(())
    }

    /// Takes over what `import-values` asks for, the lowest charts first.
    pub(super) fn import(&mut self, store: &mut Store) -> Result<(), ValuesError> {
        for chart in &mut self.charts {
            chart.import(store)?;
        }
        if self.dependencies.is_empty() {
            return Ok(());
        }
        let nothing = store.new_table();
        let values = store.coalesce_chart(&self.chart(), nothing, true)?;
        let imported = store.new_table();
        for dependency in &self.dependencies {
            for Import { child, parent } in &dependency.import_values {
                let path = format!("{}.{child}", dependency.key());
                let Some(table) = store.table_path(values, &path) else { continue };
                // helm shares tables here, but not empty ones.
                let table = if store.tables[table].is_empty() { store.new_table() } else { table };
                let wrapped = wrap(store, parent, table);
                // helm merges into its first operand, which here keeps what came before.
                store.coalesce_tables(imported, wrapped, true);
                if store.is_endless(imported) || store.is_endless(values) {
                    let message =
                        format!("`import-values` puts `{path}` into itself at `{parent}`, and helm does not end");
                    return Err(ValuesError { span: None, message });
                }
            }
        }
        self.values = store.copy(values);
        store.coalesce_tables(self.values, imported, true);
        Ok(())
    }
}

/// The table as the value at a dotted path; `.` is the table itself.
fn wrap(store: &mut Store, path: &str, table: TableId) -> TableId {
    if path == "." {
        return table;
    }
    path.rsplit('.').fold(table, |inner, key| {
        let slot = Slot::made(Data::Table(inner));
        store.add_table(Table::from([(key.into(), slot)]))
    })
}

/// Tags first, then the first condition that is a boolean.
fn is_enabled(store: &Store, values: TableId, dependency: &Dependency, path: &str) -> bool {
    let mut enabled = true;
    if let Some(tags) = store.table_at(values, "tags") {
        let has = |wanted: bool| {
            dependency.tags.iter().any(|t| store.tables[tags].get(t).is_some_and(|s| s.data == Data::Bool(wanted)))
        };
        enabled = has(true) || !has(false);
    }
    for condition in dependency.conditions() {
        let full = format!("{path}{condition}");
        let (table, key) = match full.rsplit_once('.') {
            Some((parent, key)) => (store.table_path(values, parent), key),
            None => (Some(values), full.as_str()),
        };
        if let Some(Slot { data: Data::Bool(on), .. }) = table.and_then(|t| store.tables[t].get(key)) {
            return *on;
        }
    }
    enabled
}

/// Whether a version lies in a range. What can't be read counts as fitting: names tell charts apart nearly always.
pub(in crate::load::helm) fn in_range(range: &str, version: &str) -> bool {
    let Ok(version) = Version::parse(version.trim_start_matches('v')) else { return true };
    // In Go's semver blanks join comparators as commas do, and a bare version is exact.
    let range = range.split_whitespace().collect::<Vec<_>>().join(",");
    if range.is_empty() || range.contains(['|', '-', '*', 'x', 'X']) {
        return true;
    }
    let range = if range.starts_with(|c: char| c.is_ascii_digit()) { format!("={range}") } else { range };
    VersionReq::parse(&range).map_or(true, |r| r.matches(&version))
}
