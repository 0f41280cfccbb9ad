//! The named templates of a chart and its dependencies.

use std::collections::HashMap;
use std::sync::Arc;

use smol_str::SmolStr;

use super::super::template::{Definition, Template};
use crate::source::{FileId, SourceFile};

/// Named templates by name. A chart and its dependencies share them.
#[derive(Clone, Debug, Default)]
pub struct Defines<'t> {
    by_name: HashMap<SmolStr, (&'t Template, Definition<'t>)>,
    files: HashMap<FileId, &'t Arc<SourceFile>>,
}

impl<'t> Defines<'t> {
    /// Collects the definitions of all files under `templates/` of a chart and of its dependencies, each with its path
    /// as `# Source:` would name it (`chart/templates/x.yaml`, `chart/charts/sub/templates/y.tpl`).
    ///
    /// Where a name is defined twice, the last that Helm reads wins: it reads files of deeper folders first, and those
    /// of one depth in descending order (`sortTemplates` in helm's `pkg/engine`).
    pub fn new(templates: impl IntoIterator<Item = (&'t str, &'t Template)>) -> Defines<'t> {
        let mut files: Vec<(&str, &Template)> = templates.into_iter().collect();
        files.sort_by(|(a, _), (b, _)| {
            let depth = |path: &str| path.split('/').count();
            depth(b).cmp(&depth(a)).then_with(|| b.cmp(a))
        });
        let mut by_name = HashMap::new();
        let mut sources = HashMap::new();
        for (_, template) in files {
            sources.insert(template.source().id(), template.source());
            for definition in template.definitions() {
                by_name.insert(definition.name.text.clone(), (template, definition));
            }
        }
        Defines { by_name, files: sources }
    }

    /// The definition that counts for a name, and the file that it stands in.
    pub fn get(&self, name: &str) -> Option<(&'t Template, Definition<'t>)> {
        self.by_name.get(name).copied()
    }

    /// The file with this id.
    pub fn file(&self, id: FileId) -> Option<&'t Arc<SourceFile>> {
        self.files.get(&id).copied()
    }
}
