//! Files to units of resources: discovery, then one loader for each way to write manifests.

pub mod discover;
mod git_index;
pub mod helm;
mod ignored;
pub mod kustomize;
pub(crate) mod overlay;
mod repository;
pub(crate) mod text;
pub mod triggers;
pub(crate) mod unit;
pub(crate) mod untrusted;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

pub use discover::{Exclude, NotFound, Skipped};
pub use overlay::{Overlay, STDIN};
pub use text::{DecodeError, Decoded, Encoding, decode};
pub use unit::{Content, InputFile, Missing, Resource, Unit, UnitKind};

use crate::source::{FileId, ReadOnly, SourceFile, SourceMap, Span};
use crate::yaml;
use discover::Argument;

/// What to load.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Files, folders, patterns; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// The path to show for standard input.
    pub stdin_filename: Option<PathBuf>,
    /// What to leave out.
    pub exclude: Exclude,
    /// Folders whose manifests form a unit of their own, canonical.
    pub roots: Vec<PathBuf>,
    /// How Helm charts are rendered.
    pub helm: helm::Options,
    /// Texts that were read before, such as the configuration: they keep their ids.
    pub sources: SourceMap,
    /// Texts that count instead of what is on disk.
    pub overlay: Overlay,
    /// Whether files outside of the paths count as editable, for who writes no file.
    pub detached: bool,
    /// Folders whose files count as editable beside those of the paths; canonical.
    pub editable: Vec<PathBuf>,
}

/// All that was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Every text.
    pub sources: SourceMap,
    /// What is deployed together.
    pub units: Vec<Unit>,
    /// What was found and not read, sorted.
    pub skipped: Vec<Skipped>,
    /// Texts that were rendered, and the way back from them.
    pub renderings: HashMap<FileId, Arc<helm::Rendering>>,
    /// Where a build looked for a file or folder and found none: with something there, it might say something else.
    pub absent: BTreeSet<PathBuf>,
}

impl Loaded {
    /// Lets go of rendered charts, and so of the folders on disk that they were rendered in. Nothing in them is located afterwards.
    pub fn forget_renderings(&mut self) {
        self.renderings.clear();
        self.units.iter_mut().for_each(|unit| unit.helm = None);
    }

    /// The place to show for a place: where the chart prints what stands there, for a place in rendered text.
    pub fn shown_span(&self, span: Span) -> Span {
        let located = self.renderings.get(&span.file).and_then(|r| helm::Locator::new(r).locate_template(span));
        located.map_or(span, |located| located.primary)
    }
}

/// A file that waits to be read.
struct Job {
    path: PathBuf,
    shown: PathBuf,
    /// Whether the file was named rather than found, so that it is read whatever its name.
    explicit: bool,
}

/// A unit that waits for its files.
struct Plan {
    root: PathBuf,
    kind: UnitKind,
    missing: Vec<Missing>,
    jobs: Vec<Job>,
    /// Whether single files were named, not a folder.
    single: bool,
}

/// Files that are read before they are parsed.
const BATCH: usize = 256;

/// What the paths of a run lead to, before any of it is read.
#[derive(Default)]
struct Found {
    plans: Vec<Plan>,
    /// Folders.
    kustomizations: Vec<PathBuf>,
    /// Folders, with repetitions.
    charts: Vec<PathBuf>,
    stdin: bool,
    /// Edits stay inside these, canonical.
    given: Vec<PathBuf>,
}

impl Found {
    /// Looks where each path leads. What is left out on the way is added to `skipped`.
    fn of(inputs: &Inputs, skipped: &mut Vec<Skipped>) -> Result<Found, Vec<NotFound>> {
        let mut found = Found { given: inputs.editable.clone(), ..Found::default() };
        if inputs.detached {
            // Every path starts with it.
            found.given.push(PathBuf::new());
        }
        let mut errors = Vec::new();
        let mut single: Vec<Job> = Vec::new();
        for path in &inputs.paths {
            if path == Path::new(STDIN) {
                found.stdin = true;
            } else if let Some(chart) = discover::chart_of(path) {
                found.charts.push(chart);
            } else {
                match discover::resolve(path, &inputs.exclude, &inputs.overlay) {
                    Err(e) => errors.push(e),
                    Ok(Argument::Files(listing)) => single.extend(found.add_files(listing, skipped)),
                    Ok(Argument::Folder(listing)) => found.add_folder(path, listing, &inputs.roots, skipped),
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        if let Some(first) = single.first() {
            let reason = "only single files were given, so what stands elsewhere is not seen".to_string();
            let (root, missing) = (first.shown.clone(), vec![Missing { reason, span: None }]);
            found.plans.push(Plan { root, kind: UnitKind::Plain, missing, jobs: single, single: true });
        }
        let depth = |plan: &Plan| std::fs::canonicalize(&plan.root).map_or(usize::MAX, |p| p.components().count());
        found.plans.sort_by_cached_key(depth);
        // One folder's walk meets no file twice.
        if inputs.paths.len() > 1 {
            drop_repeated(&mut found.plans);
        }
        Ok(found)
    }

    /// Files that were named, or met by a pattern. Gives those that are read as they are.
    fn add_files(&mut self, listing: discover::Found, skipped: &mut Vec<Skipped>) -> impl Iterator<Item = Job> + use<> {
        skipped.extend(listing.skipped);
        let (named, files): (Vec<PathBuf>, Vec<PathBuf>) =
            listing.files.into_iter().partition(|p| discover::is_kustomization(p));
        let (inner, files): (Vec<PathBuf>, Vec<PathBuf>) =
            files.into_iter().partition(|p| discover::chart_of(p).is_some());
        self.charts.extend(inner.iter().filter_map(|p| discover::chart_of(p)));
        self.kustomizations.extend(named.iter().map(|p| p.parent().unwrap_or(Path::new("")).to_path_buf()));
        let folders = named.iter().chain(&files).map(|p| canonical_folder(p.parent().unwrap_or(Path::new(""))));
        self.given.extend(folders);
        self.given.sort();
        self.given.dedup();
        files.into_iter().map(|p| Job { shown: p.clone(), path: p, explicit: true })
    }

    /// All below a folder.
    fn add_folder(&mut self, path: &Path, listing: discover::Found, roots: &[PathBuf], skipped: &mut Vec<Skipped>) {
        self.given.push(canonical_folder(path));
        let missing: Vec<Missing> = listing.skipped.iter().filter_map(unread).collect();
        skipped.extend(listing.skipped);
        self.kustomizations.extend(listing.kustomizations);
        self.charts.extend(listing.charts);
        let jobs = listing.files.into_iter().map(|p| Job { shown: p.clone(), path: p, explicit: false });
        let first = self.plans.len();
        split_by_roots(path, jobs.collect(), roots, &mut self.plans);
        // Which of the roots it belongs to is not worth the telling.
        self.plans[first..].iter_mut().for_each(|plan| plan.missing.extend_from_slice(&missing));
    }
}

/// Loads everything that the paths lead to.
///
/// # Errors
/// Every path that leads nowhere. Files that exist and can't be read are in [`Loaded::skipped`].
pub fn load(inputs: &Inputs) -> Result<Loaded, Vec<NotFound>> {
    let mut loaded = Loaded { sources: inputs.sources.clone(), ..Loaded::default() };
    let Found { mut plans, kustomizations, charts, stdin, given } = Found::of(inputs, &mut loaded.skipped)?;
    if !kustomizations.is_empty() {
        let files = kustomize::Asking::new(&inputs.overlay);
        let used = build_kustomizations(&files, &kustomizations, &given, &mut loaded);
        loaded.absent.extend(files.absent());
        for plan in &mut plans {
            leave_to_kustomize(plan, &kustomizations, &used, &mut loaded.skipped);
        }
    }
    plans.retain(|plan| !plan.jobs.is_empty());
    for plan in plans {
        read_unit(plan, inputs, &given, &mut loaded);
    }
    if stdin {
        let shown = inputs.stdin_filename.clone().unwrap_or_else(|| PathBuf::from("<stdin>"));
        match inputs.overlay.stdin() {
            Ok(bytes) => add_stream(shown, bytes, &mut loaded),
            Err(e) => {
                loaded.skipped.push(Skipped { path: shown, reason: discover::describe(&e), failed: true, files: 1 });
            }
        }
    }
    read_charts(charts, inputs, given, &mut loaded).map_err(|e| vec![e])?;
    loaded.skipped.sort();
    loaded.skipped.dedup();
    Ok(loaded)
}

/// The folder as edits see it: without links and `..`.
fn canonical_folder(folder: &Path) -> PathBuf {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    overlay::place(folder)
}

/// Renders the charts that were found, and leads rendered input back to them and to those that were named for it.
fn read_charts(
    mut folders: Vec<PathBuf>,
    inputs: &Inputs,
    mut editable: Vec<PathBuf>,
    loaded: &mut Loaded,
) -> Result<(), NotFound> {
    let canonical = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    folders.sort();
    let mut seen = HashSet::new();
    folders.retain(|folder| seen.insert(canonical(folder)));
    // Links in a chart may lead to its neighbours, in the repository that is looked at.
    let mut inside: Vec<PathBuf> = std::env::current_dir().ok().into_iter().collect();
    inside.extend(inputs.paths.iter().chain(&inputs.helm.charts).filter(|p| p.is_dir()).map(canonical));
    inside.extend(folders.iter().map(canonical));
    editable.extend(folders.iter().map(canonical));
    let bounds = helm::Bounds { inside: &inside, editable: &editable, overlay: &inputs.overlay };
    let mut charts = helm::load(&folders, &bounds, &inputs.helm, loaded)?;
    let mut named = Vec::new();
    for folder in inputs.helm.charts.iter().filter(|folder| !seen.contains(&canonical(folder))) {
        if !folder.join(discover::CHART).is_file() {
            let message = format!("no Helm chart: there is no {} in it", discover::CHART);
            return Err(NotFound { path: folder.clone(), message });
        }
        let mut reading = helm::Reading::new(&inside, &editable, &inputs.overlay);
        named.extend(helm::read_chart(folder, &mut reading, loaded));
    }
    charts.extend(named.iter().cloned());
    helm::add_rendered(&charts, loaded);
    for chart in named.iter().filter(|chart| !loaded.renderings.values().any(|r| r.is_made_from(chart))) {
        let reason = format!("no `# Source:` of the input is about this chart, which is called `{}`", chart.name);
        loaded.skipped.push(Skipped { path: chart.folder.clone(), reason, failed: false, files: 1 });
    }
    Ok(())
}

/// Builds the roots among some folders as units; gives the files that they used, canonical. Files outside of `given` are
/// read and not edited.
fn build_kustomizations(
    files: &dyn kustomize::Files,
    folders: &[PathBuf],
    given: &[PathBuf],
    loaded: &mut Loaded,
) -> HashSet<PathBuf> {
    let mut used = HashSet::new();
    let mut ws = kustomize::Workspace::new(files, &mut loaded.sources);
    ws.editable = given.to_vec();
    let found = kustomize::roots::find(&mut ws, folders);
    let first = loaded.units.len();
    for root in &found.roots {
        let (unit, files) = kustomize::unit(&mut ws, root);
        used.extend(files);
        loaded.units.push(unit);
    }
    kustomize::join_uses(&mut loaded.units[first..]);
    loaded.skipped.extend(found.unused_components.into_iter().map(|folder| Skipped {
        path: folder.shown,
        reason: "a Kustomize component that no kustomization here uses".into(),
        failed: false,
        files: 1,
    }));
    used
}

/// Files that a kustomization uses are not plain manifests; neither are those beside one that it does not use.
fn leave_to_kustomize(plan: &mut Plan, folders: &[PathBuf], used: &HashSet<PathBuf>, skipped: &mut Vec<Skipped>) {
    plan.jobs.retain(|job| {
        if used.contains(&overlay::place(&job.path)) || discover::is_kustomization(&job.path) {
            return false;
        }
        let beside = job.path.parent().is_some_and(|p| folders.iter().any(|f| f == p));
        if beside && !job.explicit {
            let reason = "the kustomization beside it does not use it".into();
            skipped.push(Skipped { path: job.shown.clone(), reason, failed: false, files: 1 });
        }
        !beside || job.explicit
    });
}

/// Kustomizations among texts are built; the texts that they use are no plain manifests.
fn texts_of_kustomize(files: &[(PathBuf, String)], loaded: &mut Loaded) -> HashSet<PathBuf> {
    let folders: Vec<PathBuf> = files
        .iter()
        .filter(|(path, _)| discover::is_kustomization(path))
        .map(|(path, _)| path.parent().unwrap_or(Path::new("")).to_path_buf())
        .collect();
    if folders.is_empty() {
        return HashSet::new();
    }
    let texts = kustomize::Texts::new(files.iter().map(|(path, text)| (path.as_path(), text.as_bytes())));
    let mut used = build_kustomizations(&texts, &folders, &[], loaded);
    used.extend(
        files.iter().filter(|(p, _)| p.parent().is_some_and(|p| folders.iter().any(|f| f == p))).map(|f| f.0.clone()),
    );
    used
}

/// Loads texts that are at hand as one complete unit, and each kustomization among them as one more: for tests, examples
/// and editors.
pub fn from_texts(files: &[(PathBuf, String)]) -> Loaded {
    let mut loaded = Loaded::default();
    let used = texts_of_kustomize(files, &mut loaded);
    let plain: Vec<&(PathBuf, String)> = files.iter().filter(|(path, _)| !used.contains(path)).collect();
    let read = |(path, text): &(PathBuf, String)| {
        let text = decode(text.clone().into_bytes());
        let raw = Raw { path: path.clone(), location: None, text, read_only: None };
        let file = interpret(loaded.sources.next_id(), raw);
        loaded.sources.insert_shared(&file.source);
        file
    };
    if plain.is_empty() && !loaded.units.is_empty() {
        return loaded;
    }
    let files = plain.into_iter().map(read).collect();
    loaded.units.push(Unit::new(PathBuf::from("."), UnitKind::Plain, Vec::new(), files));
    loaded
}

/// The files of one folder argument go to the configured root that they lie in, else to the folder itself.
fn split_by_roots(folder: &Path, jobs: Vec<Job>, roots: &[PathBuf], plans: &mut Vec<Plan>) {
    let plan = |root: &Path, missing| Plan {
        root: root.to_path_buf(),
        kind: UnitKind::Plain,
        missing,
        jobs: Vec::new(),
        single: false,
    };
    let canonical = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    let mut rest = plan(folder, Vec::new());
    let mut by_root: Vec<(&PathBuf, Plan)> = Vec::new();
    for job in jobs {
        // The walk's paths start with the folder as it was given.
        let absolute = job.path.strip_prefix(folder).map_or_else(|_| job.path.clone(), |p| canonical.join(p));
        let root = roots.iter().filter(|r| absolute.starts_with(r)).max_by_key(|r| r.as_os_str().len());
        let Some(root) = root else {
            rest.jobs.push(job);
            continue;
        };
        let index = by_root.iter().position(|(r, _)| *r == root).unwrap_or_else(|| {
            let shown = root.strip_prefix(&canonical).map_or_else(|_| folder.to_path_buf(), |p| folder.join(p));
            let part = !root.starts_with(&canonical);
            let reason = format!("only {} of the root {} was given", folder.display(), root.display());
            by_root.push((root, plan(&shown, if part { vec![Missing { reason, span: None }] } else { Vec::new() })));
            by_root.len() - 1
        });
        by_root[index].1.jobs.push(job);
    }
    plans.extend(by_root.into_iter().map(|(_, plan)| plan));
    plans.push(rest);
}

/// A file that two arguments lead to is read once, with the outermost folder, which comes first: `kvlint deploy/svc deploy` must not take
/// the Services away from the rest of `deploy`.
fn drop_repeated(plans: &mut [Plan]) {
    let mut seen = std::collections::HashSet::new();
    for plan in plans.iter_mut() {
        plan.jobs.retain(|job| seen.insert(overlay::place(&job.path)));
    }
}

/// What could not be read may hold anything, so nothing is concluded from its absence.
fn unread(skipped: &Skipped) -> Option<Missing> {
    let reason = format!("{} was not read: {}", skipped.path.display(), skipped.reason);
    skipped.failed.then_some(Missing { reason, span: None })
}

fn read_unit(mut plan: Plan, inputs: &Inputs, given: &[PathBuf], loaded: &mut Loaded) {
    let mut files: Vec<InputFile> = Vec::with_capacity(plan.jobs.len());
    let mut resources: Vec<Resource> = Vec::with_capacity(plan.jobs.len());
    // The number of a file depends on how many before it could be read, so that all are read before any is parsed; in
    // batches, so that a text is still in the processor's cache when it is parsed, and its tree when the objects are taken out.
    for jobs in plan.jobs.chunks(BATCH) {
        let read: Vec<Result<Raw, Skipped>> =
            jobs.par_iter().map(|job| read_file(job, &inputs.overlay, given)).collect();
        let mut texts = Vec::with_capacity(read.len());
        for result in read {
            match result {
                Ok(raw) => texts.push(raw),
                Err(skipped) => {
                    plan.missing.extend(unread(&skipped));
                    loaded.skipped.push(skipped);
                }
            }
        }
        let first = loaded.sources.next_id().0;
        let parse = |(i, raw)| {
            let file = interpret(FileId(first + i as u32), raw);
            let resources = unit::resources_of(&file);
            (file, resources)
        };
        let parsed: Vec<(InputFile, Vec<Resource>)> = texts.into_par_iter().enumerate().map(parse).collect();
        for (file, found) in parsed {
            loaded.sources.insert_shared(&file.source);
            files.push(file);
            resources.extend(found);
        }
    }
    loaded.skipped.extend(files.iter().filter(|f| matches!(f.content, Content::Template)).map(|f| Skipped {
        path: f.source.path().to_path_buf(),
        reason: "a template: lint what it renders to".into(),
        failed: false,
        files: 1,
    }));
    let alone = plan.single && plan.jobs.len() == 1 && files.len() == 1;
    let unit = if alone && helm::stream::is_rendered(files[0].source.text()) {
        Unit::with_resources(plan.root, UnitKind::Stream, Vec::new(), files, resources)
    } else {
        Unit::with_resources(plan.root, plan.kind, plan.missing, files, resources)
    };
    loaded.units.push(unit);
}

/// A file's text, before it has a place among the sources.
struct Raw {
    path: PathBuf,
    location: Option<PathBuf>,
    text: Result<Decoded, DecodeError>,
    /// Why the bytes can't be written back.
    read_only: Option<ReadOnly>,
}

fn read_file(job: &Job, overlay: &Overlay, given: &[PathBuf]) -> Result<Raw, Skipped> {
    let skip = |reason: String, failed| Skipped { path: job.shown.clone(), reason, failed, files: 1 };
    let io = |e: &std::io::Error| skip(discover::describe(e), true);
    let mut read_only = None;
    let bytes = match overlay.get(&job.path) {
        Some(bytes) => bytes.to_vec(),
        None => {
            let mut file = File::open(&job.path).map_err(|e| io(&e))?;
            let meta = file.metadata().map_err(|e| io(&e))?;
            if meta.len() > discover::SIZE_LIMIT {
                return Err(skip(format!("larger than {} MiB", discover::SIZE_LIMIT >> 20), true));
            }
            if !meta.is_file() {
                read_only = Some(ReadOnly::Foreign);
            }
            let mut bytes = Vec::with_capacity(meta.len() as usize + 1);
            // The limit also spares two questions about the size that a plain `read_to_end` asks again.
            untrusted::to_end(&mut file, &mut bytes).map_err(|e| io(&e))?;
            bytes
        }
    };
    // A walk stays inside by itself; a link that is named may lead anywhere.
    if job.explicit && job.path.is_symlink() {
        let target = std::fs::canonicalize(&job.path).map_err(|e| io(&e))?;
        if !given.iter().any(|g| target.starts_with(g)) {
            read_only.get_or_insert(ReadOnly::Outside);
        }
    }
    let json = job.path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    // Most JSON files are not manifests, and JSON with comments is not even JSON.
    if json && !job.explicit && !contains(&bytes, b"\"apiVersion\"") {
        return Err(skip("JSON without a Kubernetes object".into(), false));
    }
    Ok(Raw { path: job.shown.clone(), location: Some(job.path.clone()), text: decode(bytes), read_only })
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}

/// Parses a text. A file that holds `{{` and is not YAML is a template, not a broken manifest.
fn interpret(id: FileId, raw: Raw) -> InputFile {
    let (text, own, error) = match raw.text {
        Ok(decoded) => (decoded.text, decoded.encoding == Encoding::Utf8, None),
        Err(e) => (e.lossy, false, Some((e.lossy_offset, e.message))),
    };
    let mut source = SourceFile::new(id, raw.path, text);
    if let Some(location) = raw.location {
        source = source.read_from(location);
    }
    if !own {
        source = source.read_only();
    }
    if let Some(reason) = raw.read_only {
        source = source.read_only_for(reason);
    }
    if helm::stream::is_rendered(source.text()) {
        source = source.read_only_for(ReadOnly::Rendered);
    }
    let source = Arc::new(source);
    let content = match error {
        Some((place, message)) => {
            let place = place.min(source.text().len()) as u32;
            Content::NotText { span: Span::new(id, place, place), message }
        }
        None => {
            let stream = yaml::parse(&source);
            let unreadable = |d: &yaml::Document| {
                d.content.is_err() || d.oddities.iter().any(|o| o.kind == yaml::OddityKind::NotJson)
            };
            if source.text().contains("{{") && stream.documents.iter().any(unreadable) {
                Content::Template
            } else {
                Content::Stream(stream)
            }
        }
    };
    InputFile { source, content }
}

fn add_stream(shown: PathBuf, bytes: Vec<u8>, loaded: &mut Loaded) {
    let location = Some(PathBuf::from(STDIN));
    let raw = Raw { path: shown.clone(), location, text: decode(bytes), read_only: None };
    let file = interpret(loaded.sources.next_id(), raw);
    loaded.sources.insert_shared(&file.source);
    let missing = if helm::stream::is_rendered(file.source.text()) {
        Vec::new()
    } else {
        let reason = "a stream given on its own, so what stands elsewhere is not seen".to_string();
        vec![Missing { reason, span: None }]
    };
    loaded.units.push(Unit::new(shown, UnitKind::Stream, missing, vec![file]));
}
