//! One run of `helm template` for one chart and one values set.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::Options;
use super::binary::{Helm, RunError};
use super::chart::Chart;
use super::sets::ValuesSet;
use crate::source::SourceFile;
use crate::yaml;

/// A chart as helm is given it: its own folder, or a copy that differs in what must differ.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The folder, absolute.
    pub folder: PathBuf,
}

impl Prepared {
    /// The chart's folder, where helm can take it as it is; else a copy in helm's own folder: with the texts that count instead of
    /// those on disk, with the charts of other folders that it needs, and without the dependencies that are not there, for helm
    /// renders nothing of a chart that lacks one.
    ///
    /// # Errors
    /// When the copy can't be written, in words.
    pub fn new(helm: &Helm, chart: &Chart, number: usize) -> Result<Prepared, String> {
        let is_changed = chart.on_disk.iter().any(|file| file.over.is_some());
        if chart.missing.is_empty() && !is_changed && !chart.charts.iter().any(|c| c.is_local) {
            let folder = fs::canonicalize(&chart.folder).map_err(|e| format!("{}: {e}", chart.folder.display()))?;
            return Ok(Prepared { folder });
        }
        let folder = helm.folder().join(format!("chart-{number}"));
        copy_chart(chart, &folder)?;
        Ok(Prepared { folder })
    }
}

/// Copies a chart as [`Prepared::new`] says.
///
/// # Errors
/// When the copy can't be written, in words.
pub fn copy_chart(chart: &Chart, to: &Path) -> Result<(), String> {
    let mut folders = HashSet::new();
    for (name, file) in chart.to_copy() {
        // They would no longer agree with what is in `charts/`.
        if name.ends_with("Chart.lock") || name.ends_with("requirements.lock") {
            continue;
        }
        let listed = (name == "Chart.yaml" || name == "requirements.yaml") && !chart.missing.is_empty();
        // The names were put together from single components of a walk, so none leads out of the folder.
        let target = to.join(&name);
        let mut written = || {
            if let Some(parent) = target.parent().filter(|parent| folders.insert(parent.to_path_buf())) {
                fs::create_dir_all(parent)?;
            }
            match (&file.over, listed.then(|| without_missing(chart, &name)).flatten()) {
                (_, Some(text)) => fs::write(&target, text),
                (Some(text), None) => fs::write(&target, text),
                (None, None) => fs::copy(&file.path, &target).map(|_| ()),
            }
        };
        written().map_err(|e| format!("{} can't be copied: {e}", file.path.display()))?;
    }
    Ok(())
}

/// Chart.yaml with the entries of missing dependencies taken out.
fn without_missing(chart: &Chart, name: &str) -> Option<String> {
    let source = if name == "Chart.yaml" { &chart.metadata } else { chart.requirements.as_ref()? };
    let document = yaml::parse(source).documents.into_iter().next()?;
    let mut root = yaml::json::to_json(document.content.ok()?.root()).ok()?;
    if let Some(list) = root.get_mut("dependencies").and_then(|d| d.as_array_mut()) {
        let missing = |entry: &serde_json::Value| chart.missing.iter().any(|m| entry["name"] == m.name.as_str());
        list.retain(|entry| !missing(entry));
    }
    // JSON is YAML.
    Some(root.to_string())
}

/// Runs `helm template`. `extra` are more values files, which win over those of the set.
///
/// # Errors
/// Why there is no text.
pub fn render(
    helm: &Helm,
    options: &Options,
    chart: &Path,
    set: &ValuesSet,
    extra: &[PathBuf],
    flags: &[&str],
) -> Result<String, RunError> {
    let mut arguments: Vec<OsString> = vec!["template".into()];
    let mut add = |flag: &str, value: &str| arguments.push(format!("{flag}={value}").into());
    if let Some(namespace) = &options.namespace {
        add("--namespace", namespace);
    }
    if let Some(version) = &options.kube_version {
        add("--kube-version", version);
    }
    options.api_versions.iter().for_each(|version| add("--api-versions", version));
    set.set.iter().for_each(|text| add("--set", text));
    for source in &set.files {
        arguments.push(values_argument(&values_path(helm, source)?));
    }
    arguments.extend(extra.iter().map(|path| values_argument(path)));
    arguments.extend(flags.iter().map(OsString::from));
    // What comes now is never taken for a flag.
    arguments.push("--".into());
    arguments.push(options.release.as_deref().unwrap_or("release-name").into());
    arguments.push(chart.as_os_str().to_os_string());
    helm.run(&arguments)
}

fn values_argument(path: &Path) -> OsString {
    let mut argument = OsString::from("--values=");
    argument.push(path);
    argument
}

/// The file, absolute. helm takes commas and quotes in names for lists, and what starts like a URL for one, so such a file is
/// given by a copy, as is one whose text here is another than on disk.
fn values_path(helm: &Helm, source: &SourceFile) -> Result<PathBuf, RunError> {
    let unusable = |e: std::io::Error| RunError::Unusable(format!("{}: {e}", source.path().display()));
    let path = std::path::absolute(source.location().unwrap_or(source.path())).map_err(unusable)?;
    let harmless = path.to_str().is_some_and(|p| !p.contains([',', '"', '\n', '\r']) && !p.contains("://"));
    let is_same = || !source.has_own_bytes() || fs::read(&path).is_ok_and(|bytes| bytes == source.text().as_bytes());
    if harmless && is_same() {
        return Ok(path);
    }
    let copy = helm.folder().join(format!("values-{}.yaml", source.id().0));
    fs::write(&copy, source.text()).map_err(unusable)?;
    Ok(copy)
}
