//! What the values of a chart are computed from: names, texts, and what `Chart.yaml` says of its dependencies.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::source::SourceFile;

/// A chart and the charts in its `charts/`, as they were read.
#[derive(Clone, Debug, Default)]
pub struct ChartTexts {
    /// `name` in `Chart.yaml`.
    pub name: SmolStr,
    /// `version` in `Chart.yaml`, to tell copies of one chart apart.
    pub version: SmolStr,
    /// `type: library`: its templates are there to be included.
    pub library: bool,
    /// `Chart.yaml`, where it is at hand.
    pub metadata: Option<Arc<SourceFile>>,
    /// `values.yaml`.
    pub values: Option<Arc<SourceFile>>,
    /// `dependencies` in `Chart.yaml`, or in `requirements.yaml` for old charts.
    pub dependencies: Vec<Dependency>,
    /// What stands below `templates/`: the path within the chart (`templates/service.yaml`) and the text.
    pub templates: Vec<(String, Arc<SourceFile>)>,
    /// What stands in `charts/`, unpacked or from `.tgz`.
    pub charts: Vec<ChartTexts>,
    /// Files below `templates/` or `charts/` that could not be read, so that they may use any value.
    pub unread: bool,
}

/// An entry of `dependencies`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependency {
    /// The chart's own name.
    pub name: SmolStr,
    /// A range of versions.
    pub version: SmolStr,
    /// Where it comes from: a URL, or `file://` and a folder.
    pub repository: SmolStr,
    /// The name that the chart gets here, which is also its key in the values.
    pub alias: Option<SmolStr>,
    /// Paths of values, separated by commas: the first that is a boolean switches the chart.
    pub condition: String,
    /// Keys below `tags` in the values.
    pub tags: Vec<SmolStr>,
    /// Tables that the parent takes over from the chart's values.
    pub import_values: Vec<Import>,
}

impl Dependency {
    /// The chart's key in the values: its alias, else its name.
    pub fn key(&self) -> &SmolStr {
        self.alias.as_ref().unwrap_or(&self.name)
    }

    /// The folder that it lies in, from the folder of the chart that needs it.
    pub fn local_path(&self) -> Option<&str> {
        self.repository.strip_prefix("file://").filter(|path| !path.is_empty())
    }

    /// The paths in [`Dependency::condition`].
    pub fn conditions(&self) -> impl Iterator<Item = &str> {
        self.condition.trim().split(',').filter(|path| !path.is_empty())
    }
}

/// An entry of `import-values`: a table of the subchart, and the place in the parent that it is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// A dotted path in the subchart's values; a plain name `x` stands for `exports.x`.
    pub child: String,
    /// A dotted path in the parent's values; `.` is their root.
    pub parent: String,
}

impl ChartTexts {
    /// The charts in `charts/`, each under every key that it has in the values.
    pub fn children(&self) -> Vec<(&SmolStr, &ChartTexts)> {
        let mut found = Vec::new();
        for chart in &self.charts {
            let listed: Vec<&Dependency> = self.dependencies.iter().filter(|d| d.name == chart.name).collect();
            if listed.is_empty() {
                found.push((&chart.name, chart));
            }
            found.extend(listed.into_iter().map(|d| (d.key(), chart)));
        }
        found
    }
}
