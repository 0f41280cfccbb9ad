//! The templates that a chart and its subcharts share.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::load::helm::Chart;
use crate::load::helm::template::{Definition, Node, Template};
use crate::load::helm::values::{ValuePath, Values};

/// The templates of one chart.
#[derive(Clone, Debug, Default)]
pub struct ChartTemplates<'t> {
    /// Where its values stand: the root for the chart that is installed, the key or alias of a subchart.
    pub scope: ValuePath,
    /// What stands below `templates/`: the path within the chart, and the text.
    pub files: Vec<(&'t str, &'t Template)>,
    /// `type: library`: nothing but definitions.
    pub library: bool,
    /// Where its other files are at hand.
    pub chart: Option<&'t Chart>,
}

/// All templates that are rendered together, and what they are rendered with.
#[derive(Clone, Debug)]
pub(super) struct Library<'t> {
    pub(super) charts: Vec<ChartTemplates<'t>>,
    pub(super) values: &'t Values,
    defines: BTreeMap<SmolStr, (&'t Template, Definition<'t>)>,
}

impl<'t> Library<'t> {
    pub(super) fn new(charts: Vec<ChartTemplates<'t>>, values: &'t Values) -> Library<'t> {
        let mut files: Vec<(usize, &str, &'t Template)> = Vec::new();
        for chart in &charts {
            let depth = chart.scope.segments().len();
            files.extend(chart.files.iter().map(|(name, t)| (2 * depth + name.matches('/').count(), *name, *t)));
        }
        // helm reads deeper files first and, at one depth, in descending order: the last definition of a name counts.
        files.sort_by(|(a, a_name, _), (b, b_name, _)| b.cmp(a).then_with(|| b_name.cmp(a_name)));
        let mut defines = BTreeMap::new();
        for (_, _, template) in files {
            for definition in template.definitions() {
                defines.insert(definition.name.text.clone(), (template, definition));
            }
        }
        Library { charts, values, defines }
    }

    /// The text and body of a named template.
    pub(super) fn define(&self, name: &str) -> Option<(&'t Template, &'t [Node])> {
        self.defines.get(name).map(|(template, definition)| (*template, definition.body))
    }

    /// The file of a chart, by its path within `templates/`.
    pub(super) fn file(&self, scope: &ValuePath, name: &str) -> Option<&'t Template> {
        let chart = self.charts.iter().find(|c| c.scope == *scope)?;
        let is_name = |path: &str| path.strip_prefix("templates/").is_some_and(|rest| rest == name);
        chart.files.iter().find(|(path, _)| is_name(path)).map(|(_, template)| *template)
    }

    /// The text that `.Files.Get` gives in a chart; `None` where it is not known.
    pub(super) fn other_file(&self, scope: &ValuePath, name: &str) -> Option<String> {
        self.charts.iter().find(|c| c.scope == *scope)?.chart?.other_file(name)
    }

    /// Files that are rendered, each with its chart's key.
    pub(super) fn rendered(&self) -> Vec<(&ValuePath, &'t Template)> {
        let is_partial = |name: &str| name.rsplit('/').next().is_some_and(|base| base.starts_with('_'));
        let charts = self.charts.iter().filter(|chart| !chart.library);
        charts
            .flat_map(|chart| chart.files.iter().map(move |(name, template)| (&chart.scope, *name, *template)))
            .filter(|(_, name, _)| !is_partial(name))
            .map(|(scope, _, template)| (scope, template))
            .collect()
    }
}
