//! Charts as units: one for each values set.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::binary::{Helm, RunError};
use super::chart::{Chart, ChartFile, MissingDependency, Reading};
use super::errors::{self, ChartProblem};
use super::render::{self, Prepared};
use super::rendering::Rendering;
use super::sets::{self, ValuesSet};
use super::values::{ChartValues, ValuePath};
use super::{Binary, Options, stream};
use crate::load::{Content, InputFile, Loaded, Missing, NotFound, Overlay, Skipped, Unit, UnitKind};
use crate::panics;
use crate::source::{FileId, ReadOnly, SourceFile, Span};
use crate::yaml;

/// What the rendering of a chart has to say.
#[derive(Clone, Debug, Default)]
pub struct Charted {
    /// The values set; empty where nothing was rendered.
    pub set: String,
    /// How many sets the chart is rendered with.
    pub sets: usize,
    /// What is wrong with the chart; a problem of several sets stands with the first of them.
    pub problems: Vec<ChartProblem>,
    /// Dependencies that are not there, told with the first set.
    pub missing: Vec<MissingDependency>,
    /// Whether helm refuses it, whatever was made of its reasons.
    pub is_broken: bool,
    /// The rendered text.
    pub rendered: Option<FileId>,
    /// The way back from it, for the first set alone: what is asked of the chart, not of a set, is asked once.
    pub rendering: Option<Arc<Rendering>>,
    /// The chart and its values sets, for what is asked of all of them.
    pub values: Option<Arc<ChartValues>>,
    /// The chart's files that took part: templates, values.
    pub sources: Vec<FileId>,
}

/// What a run gave: a text, why there is none, or both where the text is no YAML.
type Ran = (Result<String, RunError>, Option<RunError>);

/// A chart with what it takes to render it.
struct Job {
    chart: Arc<Chart>,
    sets: Vec<ValuesSet>,
    /// Values that other charts read.
    read_by_others: Vec<ValuePath>,
}

/// Where charts may lie, and what counts instead of what is on disk.
pub struct Bounds<'b> {
    /// Links must stay in one of these, and charts of other folders lie there; canonical.
    pub inside: &'b [PathBuf],
    /// Files may be edited in these; canonical.
    pub editable: &'b [PathBuf],
    /// Texts that count instead of what is on disk.
    pub overlay: &'b Overlay,
}

/// Loads the charts in some folders as units. Gives the charts, for rendered input that was made from them.
pub fn load(
    folders: &[PathBuf],
    bounds: &Bounds<'_>,
    options: &Options,
    loaded: &mut Loaded,
) -> Result<Vec<Arc<Chart>>, NotFound> {
    let mut charts = Vec::new();
    let mut jobs = Vec::new();
    let mut reading = Reading::new(bounds.inside, bounds.editable, bounds.overlay);
    for folder in folders {
        let Some(chart) = read_chart(folder, &mut reading, loaded) else { continue };
        charts.push(Arc::clone(&chart));
        if chart.library {
            leave_out_unused(&chart, &[], loaded);
            let reason = "a Helm chart of the type library, which renders nothing by itself".into();
            let files = templates(&chart).count();
            loaded.skipped.push(Skipped { path: chart.folder.clone(), reason, failed: false, files });
            continue;
        }
        let (editable, overlay) = (bounds.editable, bounds.overlay);
        let mut files = sets::Files { editable, overlay, sources: &mut loaded.sources };
        let sets = sets::of_chart(&chart, &options.sets, &options.set, &mut files)?;
        leave_out_unused(&chart, &sets, loaded);
        let read_by_others = Vec::new();
        jobs.push(Job { chart, sets, read_by_others });
    }
    for job in &mut jobs {
        job.read_by_others = charts.iter().flat_map(|parent| read_by_parent(parent, &job.chart)).collect();
    }
    if jobs.is_empty() {
        return Ok(charts);
    }
    match Helm::find(&options.binary, options.timeout)? {
        None => jobs.iter().for_each(|job| not_rendered(job, &options.binary, loaded)),
        Some(helm) => rendered(&jobs, &Arc::new(helm.until(&options.cancel)), options, loaded),
    }
    Ok(charts)
}

/// YAML files of the chart that take part in nothing are told, by the folder at the top that they are in.
fn leave_out_unused(chart: &Chart, sets: &[ValuesSet], loaded: &mut Loaded) {
    let canonical = |path: &Path| std::fs::canonicalize(path).ok();
    let given: Vec<PathBuf> = sets.iter().flat_map(|set| &set.files).filter_map(|f| canonical(f.location()?)).collect();
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for name in &chart.unused {
        if !given.is_empty() && canonical(&chart.folder.join(name)).is_some_and(|path| given.contains(&path)) {
            continue;
        }
        let top = name.split('/').next().unwrap_or_default();
        match counts.iter_mut().find(|(known, _)| *known == top) {
            Some((_, count)) => *count += 1,
            None => counts.push((top, 1)),
        }
    }
    loaded.skipped.extend(counts.into_iter().map(|(top, files)| Skipped {
        path: chart.folder.join(top),
        reason: "in a Helm chart, and not among what it renders".into(),
        failed: false,
        files,
    }));
}

/// Values of a chart that one which needs it from its own folder reads without a template: switches, and what it imports.
fn read_by_parent(parent: &Chart, chart: &Chart) -> Vec<ValuePath> {
    let is_chart = |path: &str| {
        let folder = |folder: &Path| std::fs::canonicalize(folder).ok();
        folder(&parent.folder.join(path)).is_some_and(|found| Some(found) == folder(&chart.folder))
    };
    let mut found = Vec::new();
    for entry in parent.dependencies.iter().filter(|d| d.name == chart.name && d.local_path().is_some_and(is_chart)) {
        let prefix = format!("{}.", entry.key());
        found.extend(entry.conditions().filter_map(|path| path.strip_prefix(&prefix)).map(ValuePath::dotted));
        found.extend(entry.import_values.iter().map(|import| ValuePath::dotted(&import.child)));
    }
    found
}

/// Reads a chart; `None` where it can't be read, which is told.
pub fn read_chart(folder: &Path, reading: &mut Reading<'_>, loaded: &mut Loaded) -> Option<Arc<Chart>> {
    match Chart::read_among(folder, reading, &mut loaded.sources) {
        Ok(chart) => Some(Arc::new(chart)),
        Err(reason) => {
            let reason = format!("this Helm chart can't be read: {reason}");
            loaded.skipped.push(Skipped { path: folder.to_path_buf(), reason, failed: true, files: 1 });
            None
        }
    }
}

/// Manifest templates, without definitions and notes.
fn templates(chart: &Chart) -> impl Iterator<Item = &ChartFile> {
    chart.templates.iter().filter(|file| {
        let name = file.name.rsplit('/').next().unwrap_or_default();
        !name.starts_with('_') && (name.ends_with(".yaml") || name.ends_with(".yml"))
    })
}

fn parsed(source: &Arc<SourceFile>) -> InputFile {
    InputFile { source: Arc::clone(source), content: Content::Stream(yaml::parse(source)) }
}

/// The chart's own files that are no manifests: what is checked of them is that they can be read.
fn own_files(chart: &Chart, sets: &[ValuesSet]) -> Vec<InputFile> {
    let mut sources = vec![&chart.metadata];
    sources.extend(&chart.requirements);
    sources.extend(&chart.values);
    sources.extend(&chart.schema);
    sources.extend(chart.more_values.iter().map(|f| &f.source));
    sources.extend(sets.iter().flat_map(|set| &set.files));
    for child in chart.charts.iter().filter(|c| !c.packed) {
        sources.extend([Some(&child.metadata), child.values.as_ref(), child.schema.as_ref()].into_iter().flatten());
    }
    sources.sort_by_key(|s| s.id());
    sources.dedup_by_key(|s| s.id());
    let is_schema = |source: &SourceFile| source.path().extension().is_some_and(|end| end == "json");
    sources.into_iter().map(|source| if is_schema(source) { json(source) } else { parsed(source) }).collect()
}

/// A file that helm reads as JSON, where most YAML is none.
fn json(source: &Arc<SourceFile>) -> InputFile {
    let as_yaml = parsed(source);
    let is_broken = as_yaml.documents().iter().any(|document| document.content.is_err());
    let Some(e) = serde_json::from_str::<serde::de::IgnoredAny>(source.text()).err().filter(|_| !is_broken) else {
        return as_yaml;
    };
    let message = e.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let message = format!("helm reads this file as JSON, and it is none: {message}");
    let line = source.line_starts().get(e.line().saturating_sub(1)).map_or(0, |start| *start as usize);
    let mut at = (line + e.column().saturating_sub(1)).min(source.text().len());
    while !source.text().is_char_boundary(at) {
        at -= 1;
    }
    // At the end something is missing; before it a character is wrong.
    let length = source.text()[at..].chars().next().filter(|c| !c.is_whitespace()).map_or(0, char::len_utf8);
    let span = Span::new(source.id(), at as u32, (at + length) as u32);
    let whole = Span::new(source.id(), 0, source.text().len() as u32);
    let content = Err(yaml::SyntaxError { span, message });
    let documents = vec![yaml::Document { span: whole, content, oddities: Vec::new() }];
    let stream = yaml::Stream { documents, comments: Vec::new() };
    InputFile { source: Arc::clone(source), content: Content::Stream(stream) }
}

/// A chart without helm: its CRDs, and templates in which nothing is to be filled in.
fn not_rendered(job: &Job, binary: &Binary, loaded: &mut Loaded) {
    let chart = &job.chart;
    let plain = |file: &&ChartFile| !file.source.text().contains("{{");
    let inner = chart.all().into_iter().skip(1).map(|inner| templates(inner).count()).sum::<usize>();
    let left = templates(chart).filter(|file| !plain(file)).count() + inner;
    let why = match binary {
        Binary::Never => "charts are not rendered here",
        _ => "there is no helm on the search path",
    };
    let files: Vec<InputFile> =
        chart.crds.iter().chain(templates(chart).filter(plain)).map(|file| parsed(&file.source)).collect();
    let mut missing = Vec::new();
    if left > 0 || !chart.charts.is_empty() || !chart.missing.is_empty() {
        let reason = format!("a Helm chart, and {why}: install helm, or lint `helm template … | kvlint -`");
        missing.push(Missing { reason: reason.clone(), span: None });
        loaded.skipped.push(Skipped { path: chart.folder.clone(), reason, failed: false, files: left });
    }
    let mut unit = Unit::new(chart.folder.clone(), UnitKind::Helm, missing, files);
    unit.files.splice(0..0, own_files(chart, &job.sets));
    let values = Some(Arc::new(ChartValues::new(chart, &job.sets, &job.read_by_others)));
    unit.helm = Some(Box::new(Charted { values, ..Charted::default() }));
    loaded.units.push(unit);
}

/// Renders every chart with each of its sets, all at once, and makes units of what comes out.
fn rendered(jobs: &[Job], helm: &Arc<Helm>, options: &Options, loaded: &mut Loaded) {
    let prepared: Vec<Result<Prepared, String>> =
        jobs.iter().enumerate().map(|(i, job)| Prepared::new(helm, &job.chart, i)).collect();
    let runs: Vec<(usize, usize)> =
        jobs.iter().enumerate().flat_map(|(j, job)| (0..job.sets.len()).map(move |s| (j, s))).collect();
    let render = || -> Vec<Ran> {
        let one = |&(j, s): &(usize, usize)| match &prepared[j] {
            Ok(chart) => run(helm, options, &jobs[j].chart, chart, &jobs[j].sets[s]),
            Err(reason) => (Err(RunError::Unusable(reason.clone())), None),
        };
        runs.par_iter().map(one).collect()
    };
    // What needs no rendering is read while helm works.
    let (results, read) = rayon::join(render, || jobs.iter().map(Unrendered::read).collect::<Vec<_>>());
    let mut results = results.into_iter();
    for ((job, prepared), Unrendered { own, crds, values }) in jobs.iter().zip(&prepared).zip(read) {
        let ready = Ready { job, prepared, crds, helm, options };
        let first = loaded.units.len();
        for (s, set) in job.sets.iter().enumerate() {
            let Some((text, error)) = results.next() else { continue };
            let error = error.or_else(|| text.as_ref().err().cloned());
            let mut unit = unit(&ready, set, text.ok(), loaded);
            let Some(charted) = &mut unit.helm else { continue };
            charted.values = Some(Arc::clone(&values));
            if let Some(error) = &error {
                let broken = |file: &InputFile| file.documents().iter().any(|d| d.content.is_err());
                // A document that is no YAML is reported in its place.
                let told = matches!(error, RunError::Failed { message, .. } if message.contains(errors::BAD_YAML))
                    && unit.files.iter().any(broken);
                charted.problems = if told { Vec::new() } else { errors::explain(error, &job.chart, set) };
                charted.is_broken = true;
                if let RunError::Unusable(reason) = error {
                    let reason = format!("a Helm chart, and helm could not be run: {reason}");
                    loaded.skipped.push(Skipped { path: job.chart.folder.clone(), reason, failed: true, files: 1 });
                }
                let span = charted.problems.first().map(|p| p.span);
                let reason = format!("helm does not render it{}", with(job, set));
                unit.missing.push(Missing { reason, span });
            }
            if error.is_none() && unit.resources.is_empty() {
                let reason = format!("a Helm chart of which helm prints no object{}", with(job, set));
                loaded.skipped.push(Skipped { path: job.chart.folder.clone(), reason, failed: false, files: 1 });
            }
            let Some(charted) = &mut unit.helm else { continue };
            if s == 0 {
                charted.missing = job.chart.missing.clone();
                unit.files.splice(0..0, own.iter().cloned());
            }
            loaded.units.push(unit);
        }
        join_problems(&mut loaded.units[first..]);
    }
}

/// ` with prod`, where there are several sets.
fn with(job: &Job, set: &ValuesSet) -> String {
    if job.sets.len() > 1 { format!(" with {}", set.name) } else { String::new() }
}

/// Renders once, and once more for the text that helm takes for broken YAML: there the mistake shows.
fn run(helm: &Helm, options: &Options, chart: &Chart, prepared: &Prepared, set: &ValuesSet) -> Ran {
    let crds = chart.charts.iter().any(|c| c.all().iter().any(|c| !c.crds.is_empty()));
    let mut flags = if crds { vec!["--include-crds"] } else { Vec::new() };
    match render::render(helm, options, &prepared.folder, set, &[], &flags) {
        Err(RunError::Failed { message, .. }) if message.contains(errors::BAD_YAML) => {
            flags.push("--debug");
            match render::render(helm, options, &prepared.folder, set, &[], &flags) {
                Err(RunError::Failed { output, message }) if !output.is_empty() => {
                    (Ok(output), Some(RunError::Failed { message, output: String::new() }))
                }
                other => (other, None),
            }
        }
        other => (other, None),
    }
}

/// Rendered CRDs are the chart's files as they are, so those count in their place: findings can be edited there.
pub(super) fn without_crds(text: &str, chart: &Chart) -> (String, Vec<Arc<SourceFile>>) {
    let sections = stream::sections(text);
    let mut files: Vec<Arc<SourceFile>> = chart.crds.iter().map(|f| Arc::clone(&f.source)).collect();
    let mut kept = String::with_capacity(text.len());
    let mut start = 0;
    for section in &sections {
        let end = section.body.end;
        let crd = section.source.contains("/crds/");
        match chart.find(&section.source).and_then(|p| p.file).filter(|_| crd) {
            Some(file) if files.iter().any(|f| f.id() == file.source.id()) => {}
            Some(file) => files.push(Arc::clone(&file.source)),
            None => kept.push_str(&text[start..end]),
        }
        start = end;
    }
    kept.push_str(&text[start..]);
    (kept, files)
}

/// A file in which keys were looked for that stand there twice, so that the answer is there when a rule asks.
fn searched(file: InputFile) -> InputFile {
    let trees = file.documents().iter().filter_map(|document| document.content.as_ref().ok());
    trees.for_each(|tree| drop(tree.duplicate_keys()));
    file
}

/// What is known of a chart without helm.
struct Unrendered {
    own: Vec<InputFile>,
    crds: Vec<InputFile>,
    values: Arc<ChartValues>,
}

impl Unrendered {
    fn read(job: &Job) -> Unrendered {
        let values = Arc::new(ChartValues::new(&job.chart, &job.sets, &job.read_by_others));
        // It is only asked here, so that the answer is there when a rule asks; one that breaks is told there, too.
        let answer = || drop(panics::guarded(|| values.unread().len()));
        let files = || {
            let crds = job.chart.crds.par_iter().map(|file| searched(parsed(&file.source))).collect();
            (own_files(&job.chart, &job.sets), crds)
        };
        let ((), (own, crds)) = rayon::join(answer, files);
        Unrendered { own, crds, values }
    }
}

/// A chart while its sets become units.
struct Ready<'j> {
    job: &'j Job,
    prepared: &'j Result<Prepared, String>,
    /// The chart's own CRDs.
    crds: Vec<InputFile>,
    helm: &'j Arc<Helm>,
    options: &'j Options,
}

fn unit(ready: &Ready<'_>, set: &ValuesSet, text: Option<String>, loaded: &mut Loaded) -> Unit {
    let Ready { job, prepared, crds, helm, options } = ready;
    let chart = &job.chart;
    let (text, sources) = text.map_or_else(Default::default, |text| without_crds(&text, chart));
    let inner = sources.iter().filter(|source| crds.iter().all(|file| file.source.id() != source.id())).map(parsed);
    let mut files: Vec<InputFile> = crds.iter().cloned().chain(inner).collect();
    let shown = format!("{} rendered with {}", chart.folder.display(), set.name);
    let source = SourceFile::new(loaded.sources.next_id(), shown, text).read_only_for(ReadOnly::Rendered);
    let source = loaded.sources.insert(source);
    files.push(parsed(&source));
    let missing = chart.missing.iter().map(|dependency| Missing {
        reason: format!("the dependency {} is not in charts/", dependency.name),
        span: Some(dependency.span),
    });
    let mut unit = Unit::new(chart.folder.clone(), UnitKind::Helm, missing.collect(), files);
    let rendering = Rendering::of_chart(Arc::clone(&source), Arc::clone(chart), set.clone());
    let rendering = match prepared {
        Ok(prepared) => rendering.with_helm(Arc::clone(helm), (*options).clone(), prepared.clone()),
        Err(_) => rendering,
    };
    let mut sources: Vec<FileId> = rendering.templates().map(|file| file.source.id()).collect();
    sources.extend(chart.all().iter().filter_map(|c| c.values.as_ref()).map(|source| source.id()));
    sources.extend(set.files.iter().map(|source| source.id()));
    // Definitions take part without being a part.
    sources.extend(
        chart.all().iter().flat_map(|c| &c.templates).filter(|f| f.name.ends_with(".tpl")).map(|f| f.source.id()),
    );
    sources.sort();
    sources.dedup();
    unit.helm = Some(Box::new(Charted {
        set: set.name.clone(),
        sets: job.sets.len(),
        rendered: Some(source.id()),
        sources,
        ..Charted::default()
    }));
    let rendering = Arc::new(rendering);
    loaded.renderings.insert(source.id(), Arc::clone(&rendering));
    if let Some(charted) = unit.helm.as_mut().filter(|_| job.sets.first().is_some_and(|first| first.name == set.name)) {
        charted.rendering = Some(rendering);
    }
    unit
}

/// What a chart renders to with another value, as a unit to be compared. Its places are in no source.
pub fn unit_of_text(like: &Unit, text: String) -> Unit {
    let source = Arc::new(SourceFile::new(FileId(u32::MAX), &like.root, text).read_only());
    let rendered = like.helm.as_ref().and_then(|helm| helm.rendered);
    let others = like.files.iter().filter(|file| Some(file.source.id()) != rendered);
    let crds = others.filter(|file| like.resources.iter().any(|r| r.file() == file.source.id())).cloned();
    let files = crds.chain([parsed(&source)]).collect();
    Unit::new(like.root.clone(), UnitKind::Helm, like.missing.clone(), files)
}

/// One problem that several sets have is one, and says with which.
fn join_problems(units: &mut [Unit]) {
    let mut joined: Vec<(ChartProblem, Vec<usize>)> = Vec::new();
    for (i, unit) in units.iter_mut().enumerate() {
        for problem in unit.helm.iter_mut().flat_map(|c| std::mem::take(&mut c.problems)) {
            match joined.iter_mut().find(|(p, _)| p.span == problem.span && p.message == problem.message) {
                Some((_, seen)) => seen.push(i),
                None => joined.push((problem, vec![i])),
            }
        }
    }
    let names: Vec<String> = units.iter().filter_map(|u| u.helm.as_ref()).map(|c| c.set.clone()).collect();
    for (mut problem, mut seen) in joined {
        seen.dedup();
        if seen.len() < names.len() {
            problem.sets = seen.iter().filter_map(|&i| names.get(i).cloned()).collect();
        }
        if let Some(charted) = seen.first().and_then(|&i| units[i].helm.as_mut()) {
            charted.problems.push(problem);
        }
    }
}

/// Input that a renderer wrote leads to the charts that it was made from, where they are at hand.
pub fn add_rendered(charts: &[Arc<Chart>], loaded: &mut Loaded) {
    if charts.is_empty() {
        return;
    }
    for unit in loaded.units.iter().filter(|unit| unit.helm.is_none()) {
        for file in &unit.files {
            let source = &file.source;
            if !stream::is_rendered(source.text()) || loaded.renderings.contains_key(&source.id()) {
                continue;
            }
            let rendering = Rendering::of_file(Arc::clone(source), charts);
            if rendering.templates().next().is_some() {
                loaded.renderings.insert(source.id(), Arc::new(rendering));
            }
        }
    }
}

/// The place to hold a whole file by: its first line that says something.
pub(super) fn file_grip(source: &SourceFile) -> Span {
    let lines = (0..source.line_starts().len()).filter_map(|i| source.line_span(i));
    let mut filled = lines.filter(|line| !source.slice(*line).trim().is_empty());
    filled.next().map_or(Span::new(source.id(), 0, 0), |line| {
        let text = source.slice(line);
        let start = line.start + (text.len() - text.trim_start().len()) as u32;
        Span::new(line.file, start, start + text.trim().len() as u32)
    })
}
