//! A chart with all its values sets: what is asked of them together.

use std::sync::{Arc, OnceLock};

use super::trace::{ChartTemplates, Tracer};
use super::unread::{UnreadKey, outside_templates, unread_keys};
use super::{Set, ValuePath, Values};
use crate::load::helm::chart::{Chart, Templates};
use crate::load::helm::sets::ValuesSet;
use crate::source::{FileId, SourceFile};
use crate::yaml;

/// A chart and the values sets that it is rendered with.
#[derive(Debug)]
pub struct ChartValues {
    chart: Arc<Chart>,
    sets: Vec<ValuesSet>,
    read_by_others: Vec<ValuePath>,
    unread: OnceLock<Vec<UnreadKey>>,
}

impl ChartValues {
    /// Nothing is looked at before it is asked for. `read_by_others` are values that charts read which need this one.
    pub fn new(chart: &Arc<Chart>, sets: &[ValuesSet], read_by_others: &[ValuePath]) -> ChartValues {
        let (chart, sets) = (Arc::clone(chart), sets.to_vec());
        ChartValues { chart, sets, read_by_others: read_by_others.to_vec(), unread: OnceLock::new() }
    }

    /// Keys that nothing reads: of the chart's values those that no set changes anything about, and of each set's files those
    /// that nothing reads with it. Empty for a library, which others read, and while a template can't be read.
    pub fn unread(&self) -> &[UnreadKey] {
        self.unread.get_or_init(|| if self.chart.library { Vec::new() } else { self.find_unread() })
    }

    /// The values files that a set brings, by the set's name, and the chart's own; of all sets where the name is empty.
    pub fn files(&self, set: &str) -> Vec<FileId> {
        let sets = self.sets.iter().filter(|s| set.is_empty() || s.name == set).flat_map(|s| &s.files);
        sets.chain(&self.chart.values).map(|source| source.id()).collect()
    }

    fn find_unread(&self) -> Vec<UnreadKey> {
        if self.chart.parsed().any_is_broken() {
            return Vec::new();
        }
        let texts = self.chart.texts();
        let mut own: Option<Vec<UnreadKey>> = None;
        let mut found: Vec<UnreadKey> = Vec::new();
        let bare = ValuesSet { name: String::new(), files: Vec::new(), set: Vec::new() };
        let sets = if self.sets.is_empty() { std::slice::from_ref(&bare) } else { self.sets.as_slice() };
        for set in sets {
            let arguments: Vec<Set> = set.set.iter().map(|text| Set { text: text.clone(), string: false }).collect();
            // Values that can't be computed are helm's to complain about, and say nothing about what is read.
            let Ok(values) = Values::compute(&texts, &set.files, &arguments) else { return Vec::new() };
            let templates = templates_of(&self.chart, self.chart.parsed(), &ValuePath::root());
            let mut outside = outside_templates(&texts);
            self.read_by_others.iter().for_each(|path| outside.read(path));
            let tracer = Tracer::new(templates, &values, outside);
            let here = self.chart.values.as_ref().map(|file| of_file(&tracer, file)).unwrap_or_default();
            match &mut own {
                None => own = Some(here),
                Some(own) => own.retain(|key| here.iter().any(|k| k.path == key.path)),
            }
            for file in &set.files {
                let more = of_file(&tracer, file);
                found.extend(more.into_iter().filter(|key| found.iter().all(|f| f.key != key.key)).collect::<Vec<_>>());
            }
        }
        own.unwrap_or_default().into_iter().chain(found).collect()
    }
}

fn of_file(tracer: &Tracer<'_>, file: &Arc<SourceFile>) -> Vec<UnreadKey> {
    // helm reads the first document.
    let document = yaml::parse(file).documents.into_iter().next();
    let tree = document.and_then(|document| document.content.ok());
    tree.map(|tree| unread_keys(tracer, &tree)).unwrap_or_default()
}

/// The templates of a chart and of all charts in it, under each of their keys.
pub fn templates_of<'t>(chart: &'t Chart, parsed: &'t Templates, scope: &ValuePath) -> Vec<ChartTemplates<'t>> {
    let template =
        |file: &'t crate::load::helm::chart::ChartFile| Some((file.name.as_str(), parsed.of(file.source.id())?));
    let files = chart.templates.iter().filter_map(template).collect();
    let mut found = vec![ChartTemplates { scope: scope.clone(), files, library: chart.library, chart: Some(chart) }];
    for child in &chart.children {
        found.extend(templates_of(&child.chart, parsed, &scope.key(&child.name)));
    }
    found
}
