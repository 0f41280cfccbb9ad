//! Lines that alignment leaves open, decided by rendering the chart once more with marks in its templates.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chart::Chart;
use super::markers::{self, Document, Mark, TemplateFile};
use super::rendering::{Live, Rendering};
use super::{render, stream, units};
use crate::source::{SourceFile, Span};

/// What marks say of a rendering: for each section, for each of its lines, from the innermost mark to the outermost.
#[derive(Debug, Default)]
pub(super) struct Marked {
    sections: Vec<Option<Vec<Vec<Mark>>>>,
    files: Vec<Arc<SourceFile>>,
}

impl Marked {
    /// Renders the chart with marks. Nothing is known where helm does not take them.
    pub(super) fn new(rendering: &Rendering, live: &Live) -> Option<Marked> {
        let (chart, set) = (rendering.chart()?, rendering.set()?);
        let folder = live.helm.folder().join(format!("marked-{}", rendering.source().id().0));
        render::copy_chart(chart, &folder).ok()?;
        let files = files(chart);
        let render = |folder: &Path| {
            let text =
                render::render(&live.helm, &live.options, folder, set, &[], &[]).map_err(|e| format!("{e:?}"))?;
            Ok(documents(&units::without_crds(&text, chart).0))
        };
        let marks = markers::mark(&folder, &files, &documents(rendering.source().text()), &render);
        // It may be large, and is not looked at again.
        let _ = std::fs::remove_dir_all(&folder);
        let files = files.iter().map(|file| Arc::clone(file.template.source())).collect();
        Some(Marked { sections: marks.ok()?.documents, files })
    }

    /// The marks of each line of a section; `None` where they can't be used.
    pub(super) fn section(&self, index: usize) -> Option<&[Vec<Mark>]> {
        self.sections.get(index)?.as_deref()
    }

    /// The files that [`Mark::file`] counts.
    pub(super) fn files(&self) -> &[Arc<SourceFile>] {
        &self.files
    }

    /// The line of the template that printed a line of a section, both from 0.
    pub(super) fn line(&self, section: usize, line: usize) -> Option<Span> {
        let mark = self.sections.get(section)?.as_ref()?.get(line)?.last()?;
        self.files.get(mark.file)?.line_span(mark.line)
    }
}

fn documents(text: &str) -> Vec<Document> {
    let section = |s: stream::Section| Document { text: text[s.body].to_string(), source: s.source };
    stream::sections(text).into_iter().map(section).collect()
}

/// The templates that lie in folders, each once, with their places in a copy.
fn files(chart: &Chart) -> Vec<TemplateFile<'_>> {
    let canonical = |path: &Path| std::fs::canonicalize(path).ok();
    let copied: HashMap<PathBuf, String> =
        chart.to_copy().into_iter().filter_map(|(name, file)| Some((canonical(&file.path)?, name))).collect();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for (source, template) in &chart.parsed().files {
        let Some(name) = template.source().location().and_then(canonical).and_then(|path| copied.get(&path)) else {
            continue;
        };
        // A chart that is used under several names has its files once.
        if seen.insert(template.source().id()) {
            found.push(TemplateFile { source: source.clone(), path: PathBuf::from(name), template });
        }
    }
    found
}
