//! A chart: Chart.yaml, values, templates, and the charts inside it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use smol_str::SmolStr;

use super::align::Defines;
use super::files::{self, Budget, Contents};
use super::template::Template;
use super::values::{ChartTexts, Dependency, Import};
use crate::load::text;
use crate::source::{FileId, SourceFile, SourceMap, Span};
use crate::yaml::{self, Node};

/// Charts in charts.
const DEEPEST: usize = 8;

/// A file of a chart that is text.
#[derive(Clone, Debug)]
pub struct ChartFile {
    /// Its name in the chart: `templates/deployment.yaml`.
    pub name: String,
    /// Its text.
    pub source: Arc<SourceFile>,
}

/// An entry of `dependencies` that `charts/` has nothing for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingDependency {
    /// The chart's name.
    pub name: String,
    /// The name in Chart.yaml.
    pub span: Span,
}

/// A chart inside another.
#[derive(Clone, Debug)]
pub struct Child {
    /// What the parent calls it (its alias, else its name): the key of its values, and its part of `# Source:` paths.
    pub name: String,
    /// The chart.
    pub chart: Arc<Chart>,
}

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The name in Chart.yaml; empty where it has none.
    pub name: String,
    /// The version in Chart.yaml; empty where it has none.
    pub version: String,
    /// The name's place, else the start of Chart.yaml.
    pub grip: Span,
    /// The folder, or the archive, to show.
    pub folder: PathBuf,
    /// Whether it is an archive.
    pub packed: bool,
    /// Whether it only holds definitions for other charts.
    pub library: bool,
    /// Chart.yaml.
    pub metadata: Arc<SourceFile>,
    /// requirements.yaml, where old charts list their dependencies.
    pub requirements: Option<Arc<SourceFile>>,
    /// values.yaml.
    pub values: Option<Arc<SourceFile>>,
    /// values.schema.json.
    pub schema: Option<Arc<SourceFile>>,
    /// Values files beside values.yaml: those in `ci/`, and `values-*.yaml`.
    pub more_values: Vec<ChartFile>,
    /// What stands in `templates/`, definitions and notes included, by name.
    pub templates: Vec<ChartFile>,
    /// Manifests in `crds/`, which are never templates.
    pub crds: Vec<ChartFile>,
    /// What stands in `charts/`.
    pub charts: Vec<Arc<Chart>>,
    /// The same, one for each name that it uses them under.
    pub children: Vec<Child>,
    /// What Chart.yaml, or requirements.yaml, says of them.
    pub dependencies: Vec<Dependency>,
    /// Dependencies that are not there.
    pub missing: Vec<MissingDependency>,
    /// YAML files that helm does not render: their top folders or names, with the number of files.
    pub unused: Vec<(PathBuf, usize)>,
    /// Files on disk by their names in the chart, for copies of it; empty for an archive.
    pub on_disk: Vec<(String, PathBuf)>,
    /// For the outermost chart: the templates of all, read when they are asked for.
    parsed: OnceLock<Arc<Templates>>,
}

/// The templates of a chart and of those in it, as the names that `# Source:` gives them, and what stands in them.
#[derive(Debug, Default)]
pub struct Templates {
    /// By name.
    pub files: Vec<(String, Template)>,
}

impl Templates {
    /// The template in a file.
    pub fn of(&self, file: FileId) -> Option<&Template> {
        self.files.iter().map(|(_, template)| template).find(|template| template.source().id() == file)
    }

    /// The named templates.
    pub fn defines(&self) -> Defines<'_> {
        Defines::new(self.files.iter().map(|(name, template)| (name.as_str(), template)))
    }
}

impl Chart {
    /// Reads the chart in a folder with all charts in it; texts become sources.
    ///
    /// # Errors
    /// What can't be read, in words that name it.
    pub fn read(folder: &Path, inside: &[PathBuf], sources: &mut SourceMap) -> Result<Chart, String> {
        let mut budget = Budget::default();
        let contents = files::of_folder(folder, inside, &mut budget)?;
        Reader { sources, budget }.chart(contents, folder, false, 0)
    }

    /// The chart and file that a `# Source:` path is about, with the names of the charts on the way to it.
    pub fn find<'c>(&'c self, source: &str) -> Option<Place<'c>> {
        let mut parts = source.split('/');
        if parts.next() != Some(&self.name) {
            return None;
        }
        let mut rest = source.split_once('/')?.1;
        let mut place = Place { chart: self, keys: Vec::new(), file: None };
        while let Some(inner) = rest.strip_prefix("charts/") {
            let (name, after) = inner.split_once('/')?;
            let child = place.chart.children.iter().find(|c| c.name == name)?;
            place.keys.push(&child.name);
            place.chart = &child.chart;
            rest = after;
        }
        let files = if rest.starts_with("crds/") { &place.chart.crds } else { &place.chart.templates };
        place.file = files.binary_search_by(|f| f.name.as_str().cmp(rest)).ok().map(|i| &files[i]);
        Some(place)
    }

    /// What the values of the chart are computed from.
    pub fn texts(&self) -> ChartTexts {
        ChartTexts {
            name: self.name.as_str().into(),
            version: self.version.as_str().into(),
            library: self.library,
            metadata: Some(Arc::clone(&self.metadata)),
            values: self.values.clone(),
            dependencies: self.dependencies.clone(),
            templates: self.templates.iter().map(|f| (f.name.clone(), Arc::clone(&f.source))).collect(),
            charts: self.charts.iter().map(|chart| chart.texts()).collect(),
            unread: false,
        }
    }

    /// The templates of this chart and of those in it.
    pub fn parsed(&self) -> &Templates {
        self.parsed.get_or_init(|| {
            let mut templates = Templates::default();
            self.collect_templates(&self.name, &mut templates);
            Arc::new(templates)
        })
    }

    fn collect_templates(&self, prefix: &str, into: &mut Templates) {
        for file in &self.templates {
            into.files.push((format!("{prefix}/{}", file.name), Template::parse(&file.source)));
        }
        for child in &self.children {
            child.chart.collect_templates(&format!("{prefix}/charts/{}", child.name), into);
        }
    }

    /// This chart and all in it, each once.
    pub fn all(&self) -> Vec<&Chart> {
        let mut found = vec![self];
        for child in &self.children {
            for chart in child.chart.all() {
                if !found.iter().any(|c| c.metadata.id() == chart.metadata.id()) {
                    found.push(chart);
                }
            }
        }
        found
    }
}

/// What a `# Source:` path leads to.
#[derive(Clone, Debug)]
pub struct Place<'c> {
    /// The chart.
    pub chart: &'c Chart,
    /// The names of the charts from the root, which is left out, to this one: where the parent's values for it stand.
    pub keys: Vec<&'c str>,
    /// The file, where the chart has it.
    pub file: Option<&'c ChartFile>,
}

struct Reader<'s> {
    sources: &'s mut SourceMap,
    budget: Budget,
}

impl Reader<'_> {
    fn chart(&mut self, mut contents: Contents, folder: &Path, packed: bool, depth: usize) -> Result<Chart, String> {
        if depth > DEEPEST {
            return Err(format!("{}: charts are nested too deep", folder.display()));
        }
        let on_disk = contents.iter().filter_map(|(n, f)| Some((n.clone(), f.on_disk.clone()?)));
        let on_disk: Vec<(String, PathBuf)> = if depth == 0 { on_disk.collect() } else { Vec::new() };
        let metadata = contents.remove("Chart.yaml").ok_or_else(|| format!("{}: no Chart.yaml", folder.display()))?;
        let metadata = self.text(metadata);
        let requirements = contents.remove("requirements.yaml").map(|file| self.text(file));
        let mut chart = Chart {
            name: String::new(),
            version: String::new(),
            dependencies: Vec::new(),
            grip: Span::new(metadata.id(), 0, 0),
            folder: folder.to_path_buf(),
            packed,
            library: false,
            values: contents.remove("values.yaml").map(|file| self.text(file)),
            schema: contents.remove("values.schema.json").map(|file| self.text(file)),
            more_values: Vec::new(),
            templates: Vec::new(),
            crds: Vec::new(),
            charts: Vec::new(),
            children: Vec::new(),
            missing: Vec::new(),
            unused: Vec::new(),
            on_disk,
            parsed: OnceLock::new(),
            requirements,
            metadata: Arc::clone(&metadata),
        };
        let mut inner: Vec<(String, Contents)> = Vec::new();
        for (name, file) in contents {
            let (top, rest) = name.split_once('/').map_or(("", name.as_str()), |(top, rest)| (top, rest));
            match top {
                "charts" => match rest.split_once('/') {
                    // helm passes over what starts with these.
                    _ if rest.starts_with(['_', '.']) => {}
                    Some((chart, rest)) => {
                        let rest = rest.to_string();
                        match inner.iter_mut().find(|(n, _)| n == chart) {
                            Some((_, files)) => _ = files.insert(rest, file),
                            None => inner.push((chart.to_string(), Contents::from([(rest, file)]))),
                        }
                    }
                    None if rest.ends_with(".tgz") => {
                        let files = files::of_archive(&file.shown, &file.bytes, &mut self.budget)?;
                        if files.contains_key("Chart.yaml") {
                            let child = self.chart(files, &file.shown, true, depth + 1)?;
                            chart.charts.push(Arc::new(child));
                        }
                    }
                    None => {}
                },
                "templates" => chart.templates.push(ChartFile { source: self.text(file), name }),
                "crds" if is_yaml(rest) => chart.crds.push(ChartFile { source: self.text(file), name }),
                "ci" if rest.ends_with("-values.yaml") && !rest.contains('/') => {
                    chart.more_values.push(ChartFile { source: self.text(file), name });
                }
                "" if rest.starts_with("values") && is_yaml(rest) => {
                    chart.more_values.push(ChartFile { source: self.text(file), name });
                }
                _ if is_yaml(rest) && !packed && depth == 0 => {
                    let path = folder.join(if top.is_empty() { rest } else { top });
                    match chart.unused.iter_mut().find(|(p, _)| *p == path) {
                        Some((_, n)) => *n += 1,
                        None => chart.unused.push((path, 1)),
                    }
                }
                _ => {}
            }
        }
        for (name, files) in inner {
            if files.contains_key("Chart.yaml") {
                let shown = inner_folder(folder, &name, packed);
                let child = self.chart(files, &shown, packed, depth + 1)?;
                chart.charts.push(Arc::new(child));
            }
        }
        describe(&mut chart);
        Ok(chart)
    }

    /// A file's text as a source. What is not UTF-8 is shown with replacement characters, and is no text to be edited.
    fn text(&mut self, file: files::File) -> Arc<SourceFile> {
        let id = self.sources.next_id();
        let source = match text::decode(file.bytes) {
            Ok(decoded) if decoded.encoding == text::Encoding::Utf8 && file.on_disk.is_some() => {
                SourceFile::new(id, file.shown, decoded.text)
            }
            Ok(decoded) => SourceFile::new(id, file.shown, decoded.text).read_only(),
            Err(e) => SourceFile::new(id, file.shown, e.lossy).read_only(),
        };
        self.sources.insert(source)
    }
}

fn is_yaml(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

fn inner_folder(parent: &Path, name: &str, packed: bool) -> PathBuf {
    if !packed {
        return parent.join("charts").join(name);
    }
    let parent = parent.display().to_string();
    let separator = if parent.ends_with(".tgz") { ":" } else { "/" };
    PathBuf::from(format!("{parent}{separator}charts/{name}"))
}

/// Takes name, type and dependencies out of Chart.yaml. What is wrong with the file is helm's to say.
fn describe(chart: &mut Chart) {
    let read = |source: &Arc<SourceFile>| yaml::parse(source).documents.into_iter().next()?.content.ok();
    let tree = read(&chart.metadata);
    let root = tree.as_ref().map(|t| t.root());
    if let Some(name) = root.and_then(|r| r.get("name")) {
        chart.name = name.text().unwrap_or_default().to_string();
        chart.grip = name.span();
    }
    chart.version = root.and_then(|r| r.get("version")).and_then(Node::text).unwrap_or_default().to_string();
    chart.library = root.and_then(|r| r.get("type")).and_then(Node::text) == Some("library");
    let old = chart.requirements.as_ref().and_then(read);
    let listed = root.and_then(|r| r.get("dependencies"));
    let listed = listed.or_else(|| old.as_ref().and_then(|t| t.root().get("dependencies")));
    for entry in listed.map(Node::items).unwrap_or_default() {
        let Some(name) = entry.get("name") else { continue };
        let Some(text) = name.text() else { continue };
        if !chart.charts.iter().any(|c| c.name == text) {
            chart.missing.push(MissingDependency { name: text.to_string(), span: name.span() });
        }
        chart.dependencies.push(dependency(entry, text));
    }
    for child in &chart.charts {
        let listed: Vec<&SmolStr> =
            chart.dependencies.iter().filter(|d| d.name == child.name).map(Dependency::key).collect();
        let own = SmolStr::new(&child.name);
        let names = if listed.is_empty() { vec![&own] } else { listed };
        chart.children.extend(names.iter().map(|n| Child { name: n.to_string(), chart: Arc::clone(child) }));
    }
}

/// An entry of `dependencies`.
fn dependency(entry: Node<'_>, name: &str) -> Dependency {
    let text = |key: &str| entry.get(key).and_then(Node::text).unwrap_or_default();
    let items = |key: &str| entry.get(key).map(Node::items).unwrap_or_default();
    let import = |item: Node<'_>| match item.text() {
        Some(name) => Some(Import { child: format!("exports.{name}"), parent: ".".into() }),
        None => Some(Import {
            child: item.get("child")?.text()?.to_string(),
            parent: item.get("parent")?.text()?.to_string(),
        }),
    };
    Dependency {
        name: name.into(),
        version: text("version").into(),
        alias: Some(text("alias")).filter(|a| !a.is_empty()).map(SmolStr::new),
        condition: text("condition").to_string(),
        tags: items("tags").into_iter().filter_map(Node::text).map(SmolStr::new).collect(),
        import_values: items("import-values").into_iter().filter_map(import).collect(),
    }
}
