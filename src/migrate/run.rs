//! The steps of a migration, each on what the one before left.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::target::Target;
use super::{disable, enable, gateway, policy};
use crate::config::Config;
use crate::edit::{Changes, Refusal, apply_to};
use crate::events::Model;
use crate::facts::Release;
use crate::fix::Change;
use crate::fix::apply::key_of;
use crate::lint::Edit;
use crate::load::helm::Locator;
use crate::load::{Loaded, Overlay, Unit, UnitKind};
use crate::source::{ReadOnly, SourceFile, Span};

/// Which way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Events are switched on.
    Enable,
    /// Events are switched off.
    Disable,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Migration {
    /// Which way to go.
    pub way: Way,
    /// The workloads.
    pub targets: Vec<Target>,
    /// The release to raise the images of older engines to.
    pub vllm: Option<Release>,
    /// The URL of the tokenizer, for the gateway.
    pub tokenizer: Option<String>,
    /// Whether no file is written, so that the change may go through text that a renderer wrote.
    pub detached: bool,
}

/// A workload that is not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `Kind/namespace/name`.
    pub title: String,
    /// Why.
    pub why: String,
    /// The place that stands in the way, as `path:line:column`.
    pub place: Option<String>,
}

/// What came of a migration. Nothing is written yet.
#[derive(Debug)]
pub struct Migrated {
    /// All that was read, as it was.
    pub first: Loaded,
    /// All of it, as it is after the migration.
    pub last: Loaded,
    /// The texts that count instead of what is on disk.
    pub overlay: Overlay,
    /// Files that differ, sorted by path.
    pub changes: Vec<Change>,
    /// What a person has to know or to do.
    pub notes: Vec<String>,
    /// Workloads that are not changed.
    pub refused: Vec<Refused>,
    /// The titles of the workloads that were meant and can be changed.
    pub meant: Vec<String>,
}

/// Loads what is on disk with some texts over it. `None` where the paths lead nowhere any more.
pub type Reload<'a> = dyn FnMut(&Overlay) -> Option<Loaded> + 'a;

/// What one step changes.
#[derive(Clone, Copy, Debug)]
enum Step {
    Engines,
    Gateways,
    Policies,
}

/// What the steps share.
struct Work<'a> {
    migration: &'a Migration,
    config: &'a Config,
    notes: Vec<String>,
    refused: Vec<Refused>,
    meant: Vec<String>,
}

/// Runs a migration in memory.
///
/// # Errors
/// What stops all of it, in words.
pub fn migrate(
    migration: &Migration,
    config: &Config,
    overlay: Overlay,
    reload: &mut Reload<'_>,
) -> Result<Migrated, String> {
    let gone = || "what the change leaves can't be loaded".to_string();
    let first = reload(&overlay).ok_or_else(gone)?;
    let mut work = Work { migration, config, notes: Vec::new(), refused: Vec::new(), meant: Vec::new() };
    work.decide(&first);
    let mut last = None;
    let mut over = overlay;
    let mut before: BTreeMap<PathBuf, Arc<SourceFile>> = BTreeMap::new();
    // A gateway that synchronises needs more ports than one that does not, so that policies come last.
    // In the end, a policy that was added must be gone before it is asked who selects a label.
    let steps = match migration.way {
        Way::Enable => [Step::Engines, Step::Gateways, Step::Policies],
        Way::Disable => [Step::Policies, Step::Engines, Step::Gateways],
    };
    for step in steps {
        let loaded = last.as_ref().unwrap_or(&first);
        let edits = work.run(loaded, step)?;
        if edits.is_empty() {
            continue;
        }
        for (key, (file, edits)) in &edits {
            let allowed = |why: &ReadOnly| migration.detached && *why == ReadOnly::Rendered;
            if let Some(why) = file.why_read_only().filter(|why| !allowed(why)) {
                return Err(format!("{} {}{}", shown(file), why.as_str(), origins(file, edits, loaded)));
            }
            let text = apply_to(file.text(), edits).map_err(|conflict| format!("{}: {conflict}", shown(file)))?;
            before.entry(key.clone()).or_insert_with(|| Arc::clone(file));
            over.insert(key.clone(), text.into_bytes());
        }
        last = Some(reload(&over).ok_or_else(gone)?);
    }
    let text = |key: &PathBuf| over.get(key).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let changes = before
        .into_iter()
        .filter_map(|(location, before)| Some(Change { after: text(&location)?, location, before }))
        .filter(|change| change.after != change.before.text())
        .collect();
    let last = match last {
        Some(last) => last,
        None => reload(&over).ok_or_else(gone)?,
    };
    let Work { mut notes, refused, meant, .. } = work;
    let gateways = first.units.iter().any(|unit| !Model::new(unit, config).gateways.is_empty());
    if migration.tokenizer.is_some() && !gateways {
        notes.push(
            "`--tokenizer` is for the gateway, which is not among these manifests: give its manifests as well".into(),
        );
    }
    Ok(Migrated { first, last, overlay: over, changes, notes, refused, meant })
}

/// Edits of each file, by its key.
type ByFile = BTreeMap<PathBuf, (Arc<SourceFile>, Vec<Edit>)>;

impl Work<'_> {
    /// The workloads of a unit that are meant, by their place in its model.
    fn targets(&self, model: &Model<'_>) -> Vec<usize> {
        let mut targets: Vec<usize> = self.migration.targets.iter().flat_map(|t| t.find(model)).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// Tries each workload alone, before anything is changed: one that is refused keeps its policy and its Services as well.
    fn decide(&mut self, loaded: &Loaded) {
        for unit in &loaded.units {
            let model = Model::new(unit, self.config);
            for index in self.targets(&model) {
                let title = model.workloads[index].resource.title();
                match self.attempt(&model, index) {
                    Ok(()) if self.meant.contains(&title) => {}
                    Ok(()) => self.meant.push(title),
                    Err(Refusal { reason, span }) => {
                        let refused = Refused { title, why: reason, place: span.map(|span| place(span, loaded)) };
                        if !self.refused.contains(&refused) {
                            self.refused.push(refused);
                        }
                    }
                }
            }
        }
        // A workload goes by one name in every overlay, and is changed in all of them or in none.
        self.meant.retain(|title| self.refused.iter().all(|refused| refused.title != *title));
    }

    fn attempt(&self, model: &Model<'_>, index: usize) -> Result<(), Refusal> {
        let mut changes = Changes::new();
        self.engine(model, index, &mut changes, &mut Vec::new())?;
        if self.migration.way == Way::Enable {
            enable::services(model, index, self.migration, &mut changes, &mut Vec::new())?;
        }
        changes.finish().map(drop)
    }

    /// One step over all units.
    fn run(&mut self, loaded: &Loaded, step: Step) -> Result<ByFile, String> {
        let mut edits: ByFile = BTreeMap::new();
        let mut meant_units: Vec<bool> = Vec::new();
        for unit in &loaded.units {
            let model = Model::new(unit, self.config);
            let mut targets = self.targets(&model);
            targets.retain(|&index| self.meant.contains(&model.workloads[index].resource.title()));
            meant_units.push(!targets.is_empty());
            if targets.is_empty() {
                continue;
            }
            let found = match step {
                Step::Engines => self.engines(&targets, &model),
                Step::Policies => self.policies(unit, &targets, &model),
                Step::Gateways => self.gateways(&model),
            };
            let found = found.map_err(|refusal| tell(&refusal, loaded))?;
            let mut own: ByFile = BTreeMap::new();
            for edit in found {
                let file = loaded.sources.file(edit.span.file);
                own.entry(key_of(file)).or_insert_with(|| (Arc::clone(file), Vec::new())).1.push(edit);
            }
            for (key, (file, wanted)) in own {
                match edits.get(&key) {
                    // Overlays ask for the same change of their base.
                    Some((_, other)) if *other == wanted => {}
                    Some(_) => {
                        return Err(format!(
                            "two units ask for different changes of {}; name one of them, and use `--as kustomize`",
                            shown(&file)
                        ));
                    }
                    None => _ = edits.insert(key, (file, wanted)),
                }
            }
        }
        for (unit, meant) in loaded.units.iter().zip(&meant_units) {
            let touched = unit.files.iter().find(|f| !meant && edits.contains_key(&key_of(&f.source)));
            if let Some(file) = touched.filter(|_| unit.kind == UnitKind::Kustomize) {
                return Err(format!(
                    "{} is also used by {}, where no workload of that name is meant; use `--as kustomize` for one overlay alone",
                    shown(&file.source),
                    unit.root.display()
                ));
            }
        }
        Ok(edits)
    }

    fn engines(&mut self, targets: &[usize], model: &Model<'_>) -> Result<Vec<Edit>, Refusal> {
        let mut changes = Changes::new();
        let (mut services, mut notes) = (Vec::new(), Vec::new());
        for &index in targets {
            self.engine(model, index, &mut changes, &mut notes)?;
            if self.migration.way == Way::Enable {
                enable::services(model, index, self.migration, &mut changes, &mut services)?;
            }
        }
        if self.migration.way == Way::Disable {
            disable::services(model, targets, self.migration, &mut changes, &mut notes)?;
        }
        // An object that overlays share is met in each of them.
        notes.retain(|note| !self.notes.contains(note));
        self.notes.extend(notes);
        changes.finish()
    }

    fn engine<'t>(
        &self,
        model: &Model<'t>,
        index: usize,
        changes: &mut Changes<'t>,
        notes: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        match self.migration.way {
            Way::Enable => enable::workload(model, index, self.migration, changes),
            Way::Disable => disable::workload(model, index, self.migration, changes, notes),
        }
    }

    fn policies(&mut self, unit: &Unit, targets: &[usize], model: &Model<'_>) -> Result<Vec<Edit>, Refusal> {
        match self.migration.way {
            Way::Enable => policy::enable(model, targets, self.config, &mut self.notes),
            Way::Disable => policy::disable(model, targets, unit),
        }
    }

    fn gateways(&mut self, model: &Model<'_>) -> Result<Vec<Edit>, Refusal> {
        let mut changes = Changes::new();
        match self.migration.way {
            Way::Enable => gateway::enable(model, self.migration, &mut changes, &mut self.notes)?,
            Way::Disable => gateway::disable(model, self.migration, &mut changes)?,
        }
        changes.finish()
    }
}

/// Where the chart says what edits of its rendered text would change: the values that are printed there, else the templates.
fn origins(file: &SourceFile, edits: &[Edit], loaded: &Loaded) -> String {
    let Some(rendering) = loaded.renderings.get(&file.id()) else { return String::new() };
    let locator = Locator::new(rendering);
    let mut places: Vec<String> = Vec::new();
    for edit in edits {
        // What is added comes behind the line above.
        let line = match edit.span.is_empty() {
            true => {
                let above = file.text().get(..edit.span.start as usize).unwrap_or_default().trim_end();
                let start = above.rfind(['\n', '\r']).map_or(0, |at| at + 1);
                let start = start + above[start..].len() - above[start..].trim_start().len();
                Span::new(file.id(), start as u32, above.len() as u32)
            }
            false => edit.span,
        };
        let Some(located) = locator.locate(line) else { continue };
        let place = place(located.primary, loaded);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    if places.is_empty() { String::new() } else { format!(", at {}", places.join(", ")) }
}

fn tell(refusal: &Refusal, loaded: &Loaded) -> String {
    match refusal.span {
        Some(span) => format!("{}: {}", place(span, loaded), refusal.reason),
        None => refusal.reason.clone(),
    }
}

/// `path:line:column`.
fn place(span: Span, loaded: &Loaded) -> String {
    let at = loaded.sources.line_column(span);
    format!("{}:{}:{}", shown(loaded.sources.file(span.file)), at.line, at.column)
}

fn shown(file: &SourceFile) -> String {
    crate::display::shown(file.path())
}
