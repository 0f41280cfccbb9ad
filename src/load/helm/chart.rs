//! A chart: Chart.yaml, values, templates, and the charts inside it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use smol_str::SmolStr;

use super::align::Defines;
use super::files::{self, Budget, Contents};
use super::template::Template;
use super::values::{ChartTexts, Dependency, Import, in_range};
use crate::lexical::clean;
use crate::load::{Overlay, text};
use crate::source::{FileId, ReadOnly, SourceFile, SourceMap, Span};
use crate::yaml::{self, Node};

/// Charts in charts.
const DEEPEST: usize = 8;

/// Bytes of a file that templates print, in which something is looked for.
const LONGEST_TEXT: u64 = 256 << 10;

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
    /// Why the folder that `repository` names does not do.
    pub why_not_local: Option<String>,
}

/// A file of a chart that lies in a folder.
#[derive(Clone, Debug)]
pub struct DiskFile {
    /// Its name in the chart.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// The text that counts instead of what lies there.
    pub over: Option<Arc<[u8]>>,
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
    /// YAML files that helm does not render, by their names in the chart.
    pub unused: Vec<String>,
    /// Files on disk, for copies of the chart; empty for an archive.
    pub on_disk: Vec<DiskFile>,
    /// Whether it lies outside of the chart that needs it, which names its folder with `file://`.
    pub is_local: bool,
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

    /// Whether one of them is no template, so that what it reads is not known.
    pub fn any_is_broken(&self) -> bool {
        self.files.iter().any(|(_, template)| !template.problems().is_empty())
    }

    /// The named templates.
    pub fn defines(&self) -> Defines<'_> {
        Defines::new(self.files.iter().map(|(name, template)| (name.as_str(), template)))
    }
}

impl Chart {
    /// Reads the chart in a folder with all charts in it; texts become sources. Links must stay in one of `inside`, and files
    /// there are edited.
    ///
    /// # Errors
    /// What can't be read, in words that name it.
    pub fn read(folder: &Path, inside: &[PathBuf], sources: &mut SourceMap) -> Result<Chart, String> {
        let overlay = Overlay::default();
        Chart::read_among(folder, &mut Reading::new(inside, inside, &overlay), sources)
    }

    /// As [`Chart::read`], beside other charts.
    ///
    /// # Errors
    /// What can't be read, in words that name it.
    pub fn read_among(folder: &Path, reading: &mut Reading<'_>, sources: &mut SourceMap) -> Result<Chart, String> {
        let mut budget = Budget::default();
        let contents = files::of_folder(folder, reading.inside, reading.overlay, &mut budget)?;
        Reader { sources, reading, budget, open: Vec::new() }.chart(contents, folder, Kind::Folder, 0)
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

    /// All files that a copy needs, by their names in it: those of the folder, and below `charts/` those of charts that lie elsewhere.
    pub fn to_copy(&self) -> Vec<(String, &DiskFile)> {
        let mut found: Vec<(String, &DiskFile)> = self.on_disk.iter().map(|file| (file.name.clone(), file)).collect();
        for chart in self.charts.iter().filter(|chart| chart.is_local) {
            let taken = |name: &str| self.on_disk.iter().any(|f| f.name.starts_with(&format!("charts/{name}/")));
            let folder = if taken(&chart.name) { format!("{}-from-elsewhere", chart.name) } else { chart.name.clone() };
            found.extend(chart.to_copy().into_iter().map(|(name, file)| (format!("charts/{folder}/{name}"), file)));
        }
        found
    }

    /// The text of a file that is no template, as `.Files.Get` gives it; `None` where it is not at hand, or too long to look into.
    pub fn other_file(&self, name: &str) -> Option<String> {
        let Some(file) = self.on_disk.iter().find(|file| file.name == name) else {
            // helm gives nothing of a file that is not there.
            return (!self.on_disk.is_empty()).then(String::new);
        };
        let bytes = match &file.over {
            Some(text) => text.to_vec(),
            None if std::fs::metadata(&file.path).is_ok_and(|meta| meta.len() <= LONGEST_TEXT) => {
                std::fs::read(&file.path).ok()?
            }
            None => return None,
        };
        String::from_utf8(bytes).ok()
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

/// What the charts of one run are read with.
pub struct Reading<'r> {
    /// Where links and charts of other folders may lie, canonical.
    inside: &'r [PathBuf],
    /// Where files may be edited, canonical.
    editable: &'r [PathBuf],
    overlay: &'r Overlay,
    /// Sources by their canonical paths: two charts may need a third one.
    known: HashMap<PathBuf, Arc<SourceFile>>,
}

impl<'r> Reading<'r> {
    /// Nothing is read yet.
    pub fn new(inside: &'r [PathBuf], editable: &'r [PathBuf], overlay: &'r Overlay) -> Reading<'r> {
        Reading { inside, editable, overlay, known: HashMap::new() }
    }
}

/// How a chart is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Folder,
    /// A folder outside of the chart that needs it.
    Local,
    Archive,
}

struct Reader<'s, 'r> {
    sources: &'s mut SourceMap,
    reading: &'s mut Reading<'r>,
    budget: Budget,
    /// Folders of charts that lead to this one by `file://`, canonical.
    open: Vec<PathBuf>,
}

impl Reader<'_, '_> {
    fn chart(&mut self, mut contents: Contents, folder: &Path, kind: Kind, depth: usize) -> Result<Chart, String> {
        if depth > DEEPEST {
            return Err(format!("{}: charts are nested too deep", folder.display()));
        }
        let packed = kind == Kind::Archive;
        let file = |(name, file): (&String, &files::File)| {
            let over = file.is_over.then(|| Arc::from(file.bytes.as_slice()));
            Some(DiskFile { name: name.clone(), path: file.on_disk.clone()?, over })
        };
        let on_disk: Vec<DiskFile> = contents.iter().filter_map(file).collect();
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
            is_local: kind == Kind::Local,
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
                            let child = self.chart(files, &file.shown, Kind::Archive, depth + 1)?;
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
                _ if is_yaml(rest) && depth == 0 => chart.unused.push(name),
                _ => {}
            }
        }
        for (name, files) in inner {
            if files.contains_key("Chart.yaml") {
                let shown = inner_folder(folder, &name, packed);
                let inner = if packed { Kind::Archive } else { Kind::Folder };
                let child = self.chart(files, &shown, inner, depth + 1)?;
                chart.charts.push(Arc::new(child));
            }
        }
        let elsewhere = describe(&mut chart);
        // Of a chart in `charts/` helm packs what is there.
        if kind == Kind::Local || depth == 0 {
            self.local(&mut chart, elsewhere, depth);
        }
        adopt(&mut chart);
        Ok(chart)
    }

    /// Reads the missing dependencies that lie in other folders, as `helm dependency build` would pack them.
    fn local(&mut self, chart: &mut Chart, elsewhere: Vec<Elsewhere>, depth: usize) {
        let folder = chart.folder.clone();
        let opened = std::fs::canonicalize(&folder).ok();
        self.open.extend(opened.clone());
        for entry in elsewhere {
            // One that is listed twice, under two names, is read once.
            if chart.charts.iter().any(|c| c.name == entry.name) {
                chart.missing.retain(|missing| missing.name != entry.name);
                continue;
            }
            match self.local_chart(&folder, &entry, depth) {
                Ok(child) => {
                    chart.missing.retain(|missing| missing.name != entry.name);
                    chart.charts.push(Arc::new(child));
                }
                Err(why) => {
                    let of_it = chart.missing.iter_mut().filter(|missing| missing.name == entry.name);
                    of_it.for_each(|missing| missing.why_not_local = Some(why.clone()));
                }
            }
        }
        self.open.truncate(self.open.len() - usize::from(opened.is_some()));
    }

    /// # Errors
    /// Why the folder does not do for the entry.
    fn local_chart(&mut self, from: &Path, entry: &Elsewhere, depth: usize) -> Result<Chart, String> {
        let shown = clean(&from.join(&entry.path));
        let canonical = std::fs::canonicalize(&shown).map_err(|_| format!("there is no folder {}", shown.display()))?;
        if !self.reading.inside.iter().any(|base| canonical.starts_with(base)) {
            return Err(format!("{} lies outside of what is looked at", shown.display()));
        }
        if self.open.contains(&canonical) {
            return Err(format!("{} is a chart that needs this one", shown.display()));
        }
        let contents = files::of_folder(&shown, self.reading.inside, self.reading.overlay, &mut self.budget)?;
        let chart = self.chart(contents, &shown, Kind::Local, depth + 1)?;
        if chart.name != entry.name {
            return Err(format!("the chart in {} is called `{}`", shown.display(), chart.name));
        }
        if !in_range(&entry.version, &chart.version) {
            let (version, wanted) = (&chart.version, &entry.version);
            return Err(format!("the chart in {} has version {version}, and `{wanted}` is asked for", shown.display()));
        }
        Ok(chart)
    }

    /// A file's text as a source. What is not UTF-8 is shown with replacement characters, and is no text to be edited.
    fn text(&mut self, file: files::File) -> Arc<SourceFile> {
        let canonical = file.on_disk.as_ref().and_then(|path| std::fs::canonicalize(path).ok());
        if let Some(known) = canonical.as_ref().and_then(|path| self.reading.known.get(path)) {
            return Arc::clone(known);
        }
        let id = self.sources.next_id();
        let (text, is_own) = match text::decode(file.bytes) {
            Ok(decoded) => (decoded.text, decoded.encoding == text::Encoding::Utf8),
            Err(e) => (e.lossy, false),
        };
        let mut source = SourceFile::new(id, file.shown, text);
        if !is_own || file.on_disk.is_none() {
            source = source.read_only();
        }
        if let Some(path) = file.on_disk {
            source = source.read_from(path);
        }
        if let Some(path) = &canonical
            && !self.reading.editable.iter().any(|base| path.starts_with(base))
        {
            source = source.read_only_for(ReadOnly::Outside);
        }
        let source = self.sources.insert(source);
        if let Some(path) = canonical {
            self.reading.known.insert(path, Arc::clone(&source));
        }
        source
    }
}

/// A dependency that `charts/` has nothing for, and that names the folder it lies in.
struct Elsewhere {
    name: String,
    version: SmolStr,
    /// From the folder of the chart that needs it.
    path: PathBuf,
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

/// Takes name, type and dependencies out of Chart.yaml. What is wrong with the file is helm's to say. Gives what may lie elsewhere.
fn describe(chart: &mut Chart) -> Vec<Elsewhere> {
    let read = |source: &Arc<SourceFile>| yaml::parse(source).documents.into_iter().next()?.content.ok();
    let tree = read(&chart.metadata);
    let root = tree.as_ref().map(|t| t.root());
    if let Some(name) = root.and_then(|r| r.get("name")) {
        chart.name = word(name).unwrap_or_default();
        chart.grip = name.span();
    }
    chart.version = root.and_then(|r| r.get("version")).and_then(word).unwrap_or_default();
    chart.library = root.and_then(|r| r.get("type")).and_then(Node::text) == Some("library");
    let old = chart.requirements.as_ref().and_then(read);
    let listed = root.and_then(|r| r.get("dependencies"));
    let listed = listed.or_else(|| old.as_ref().and_then(|t| t.root().get("dependencies")));
    let mut elsewhere = Vec::new();
    for entry in listed.map(Node::items).unwrap_or_default() {
        let Some(name) = entry.get("name") else { continue };
        let Some(text) = word(name) else { continue };
        let dependency = dependency(entry, &text);
        if !chart.charts.iter().any(|c| c.name == text) {
            let path = dependency.local_path().map(PathBuf::from);
            let version = dependency.version.clone();
            elsewhere.extend(path.map(|path| Elsewhere { name: text.clone(), version, path }));
            chart.missing.push(MissingDependency { name: text, span: name.span(), why_not_local: None });
        }
        chart.dependencies.push(dependency);
    }
    elsewhere
}

/// Gives each chart in it the names that the list of dependencies has for it.
fn adopt(chart: &mut Chart) {
    for child in &chart.charts {
        let listed: Vec<&SmolStr> =
            chart.dependencies.iter().filter(|d| d.name == child.name).map(Dependency::key).collect();
        let own = SmolStr::new(&child.name);
        let names = if listed.is_empty() { vec![&own] } else { listed };
        chart.children.extend(names.iter().map(|n| Child { name: n.to_string(), chart: Arc::clone(child) }));
    }
}

/// A text, as helm's reader makes one of what YAML takes for a boolean or number: `y` is `true`.
fn word(node: Node<'_>) -> Option<String> {
    node.scalar().filter(|scalar| *scalar != yaml::Scalar::Null).map(|scalar| scalar.to_string())
}

/// An entry of `dependencies`.
fn dependency(entry: Node<'_>, name: &str) -> Dependency {
    let text = |key: &str| entry.get(key).and_then(word).unwrap_or_default();
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
        repository: text("repository").into(),
        alias: Some(text("alias")).filter(|a| !a.is_empty()).map(SmolStr::new),
        condition: text("condition"),
        tags: items("tags").into_iter().filter_map(Node::text).map(SmolStr::new).collect(),
        import_values: items("import-values").into_iter().filter_map(import).collect(),
    }
}
