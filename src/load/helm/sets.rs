//! Values sets: with which values a chart is rendered.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chart::Chart;
use crate::load::discover::{Exclude, describe, relative};
use crate::load::{NotFound, Overlay, text};
use crate::source::{ReadOnly, SourceFile, SourceMap};

/// The name of the set that is the chart's own values.
pub const DEFAULT: &str = "default";

/// A values set that the user asks for.
#[derive(Clone, Debug, Default)]
pub struct NamedSet {
    /// What findings call it.
    pub name: String,
    /// Values files; later ones win.
    pub files: Vec<PathBuf>,
    /// `key=value`, as helm's `--set` takes it; these win over files.
    pub set: Vec<String>,
    /// The charts that it is for; all where this is `None`.
    pub charts: Option<Exclude>,
}

impl NamedSet {
    /// Reads what `-f` was given: `name=FILE`, or the file alone. A file may hold `=`, so the name must look like one.
    pub fn parse(argument: &str) -> (Option<&str>, &str) {
        let is_name = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) && !text.starts_with('.')
        };
        match argument.split_once('=') {
            Some((name, file)) if is_name(name) => (Some(name), file),
            _ => (None, argument),
        }
    }

    /// The sets that some `-f` arguments ask for. Files of one name, and all files without a name, are one set each; `name=`
    /// is a set without a file.
    pub fn of_arguments(arguments: &[String]) -> Vec<NamedSet> {
        let mut sets: Vec<(Option<&str>, NamedSet)> = Vec::new();
        for argument in arguments {
            let (name, file) = NamedSet::parse(argument);
            let index = sets.iter().position(|(n, _)| *n == name).unwrap_or_else(|| {
                sets.push((name, NamedSet::default()));
                sets.len() - 1
            });
            sets[index].1.files.extend((!file.is_empty()).then(|| PathBuf::from(file)));
        }
        let named = |(name, mut set): (Option<&str>, NamedSet)| {
            let file = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let files = || set.files.iter().map(file).collect::<Vec<_>>().join(" + ");
            set.name = name.map_or_else(files, str::to_string);
            set
        };
        sets.into_iter().map(named).collect()
    }
}

/// Values that one chart is rendered with.
#[derive(Clone, Debug)]
pub struct ValuesSet {
    /// What findings call it.
    pub name: String,
    /// Values files over the chart's own; later ones win.
    pub files: Vec<Arc<SourceFile>>,
    /// `key=value`; these win over files.
    pub set: Vec<String>,
}

/// The sets of a chart: those that the user names for it, else the chart's own values and each `ci/*-values.yaml` over them.
///
/// # Errors
/// When a file that the user names can't be read.
pub fn of_chart(
    chart: &Chart,
    named: &[NamedSet],
    over: &[String],
    files: &mut Files<'_>,
) -> Result<Vec<ValuesSet>, NotFound> {
    let mut sets = Vec::new();
    for set in named.iter().filter(|set| set.is_for(&chart.folder)) {
        let read = set.files.iter().map(|path| files.read(path)).collect::<Result<_, _>>()?;
        sets.push(ValuesSet { name: set.name.clone(), files: read, set: set.set.clone() });
    }
    if sets.is_empty() {
        sets.push(ValuesSet { name: DEFAULT.into(), files: Vec::new(), set: Vec::new() });
        for file in &chart.more_values {
            if let Some(name) = file.name.strip_suffix("-values.yaml").filter(|name| name.starts_with("ci/")) {
                let files = vec![Arc::clone(&file.source)];
                sets.push(ValuesSet { name: name.to_string(), files, set: Vec::new() });
            }
        }
    }
    sets.iter_mut().for_each(|set| set.set.extend_from_slice(over));
    Ok(sets)
}

impl NamedSet {
    /// Whether a chart in this folder is rendered with it.
    pub(in crate::load) fn is_for(&self, folder: &Path) -> bool {
        let Some(charts) = &self.charts else { return true };
        relative(folder, &charts.base).ancestors().any(|p| charts.patterns.is_match(p))
    }
}

/// Values files that somebody names.
pub struct Files<'f> {
    /// Where links may lead for their target to be edited, canonical.
    pub editable: &'f [PathBuf],
    /// Texts that count instead of what is on disk.
    pub overlay: &'f Overlay,
    /// Where they become sources.
    pub sources: &'f mut SourceMap,
}

impl Files<'_> {
    /// Several charts may be rendered with one file, which is one source; it may be one of the chart's own.
    fn read(&mut self, path: &Path) -> Result<Arc<SourceFile>, NotFound> {
        let fail = |message: String| NotFound { path: path.to_path_buf(), message };
        let canonical = std::fs::canonicalize(path).map_err(|e| fail(describe(&e)))?;
        let same = |location: &Path| location == path || std::fs::canonicalize(location).is_ok_and(|l| l == canonical);
        let name = path.file_name();
        let named_so = |f: &&Arc<SourceFile>| f.location().is_some_and(|l| l.file_name() == name && same(l));
        if let Some(known) = self.sources.files().iter().find(named_so) {
            return Ok(Arc::clone(known));
        }
        let bytes = match self.overlay.get(path) {
            Some(text) => text.to_vec(),
            None => {
                let meta = std::fs::metadata(path).map_err(|e| fail(describe(&e)))?;
                if !meta.is_file() || meta.len() > crate::load::discover::SIZE_LIMIT {
                    return Err(fail("this is no file of values".into()));
                }
                std::fs::read(path).map_err(|e| fail(describe(&e)))?
            }
        };
        let decoded = text::decode(bytes).map_err(|e| fail(e.message))?;
        let mut source = SourceFile::new(self.sources.next_id(), path, decoded.text).read_from(path);
        if decoded.encoding != text::Encoding::Utf8 {
            source = source.read_only();
        }
        // Who names a file may have it edited; a link may lead anywhere.
        if path.is_symlink() && !self.editable.iter().any(|base| canonical.starts_with(base)) {
            source = source.read_only_for(ReadOnly::Outside);
        }
        Ok(self.sources.insert(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_are_one_set() {
        let arguments = ["prod=a.yaml", "x/b.yaml", "prod=c.yaml", "d.yaml", "plain=", "./e=f.yaml"];
        let sets = NamedSet::of_arguments(&arguments.map(String::from));
        let found: Vec<_> = sets
            .iter()
            .map(|s| (s.name.as_str(), s.files.iter().map(|f| f.to_str().unwrap()).collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            found,
            [
                ("prod", vec!["a.yaml", "c.yaml"]),
                ("b.yaml + d.yaml + e=f.yaml", vec!["x/b.yaml", "d.yaml", "./e=f.yaml"]),
                ("plain", vec![]),
            ]
        );
    }
}
