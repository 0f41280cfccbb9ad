//! `kvlint trace`: for each engine and each gateway the whole way of an event, hop by hop, as a table or a picture.

mod dot;
mod json;
mod markdown;
mod mermaid;
pub mod path;
mod svg;
mod text;

use std::path::Path;

use self::path::{EventPath, HopState, Reason};
use crate::config::Config;
use crate::display::shown;
use crate::events::Model;
use crate::lint::{self, HopKind};
use crate::load::Loaded;
use crate::source::Span;

/// How a trace is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum TraceFormat {
    /// A table, for the terminal
    #[default]
    Text,
    /// One JSON document
    Json,
    /// A table for a pull request
    Markdown,
    /// A Mermaid flowchart
    Mermaid,
    /// A Graphviz digraph
    Dot,
    /// A picture
    Svg,
}

/// What to trace, and how to write it.
#[derive(Clone, Debug, Default)]
pub struct TraceOptions {
    /// How to write it.
    pub format: TraceFormat,
}

/// Paths by what becomes of events on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Every hop is fine.
    #[default]
    Delivers,
    /// The engine is not meant to publish.
    Silent,
    /// No hop is broken, and some can't be decided from the manifests.
    Unknown,
    /// No hop is broken, and some may lose events.
    Impaired,
    /// Some hop is broken.
    Broken,
}

impl Outcome {
    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Delivers => "ok",
            Outcome::Silent => "off",
            Outcome::Unknown => "unknown",
            Outcome::Impaired => "impaired",
            Outcome::Broken => "broken",
        }
    }

    /// What it means, for people.
    fn words(self) -> &'static str {
        match self {
            Outcome::Delivers => "events arrive",
            Outcome::Silent => "publishes no events",
            Outcome::Unknown => "nothing wrong is known",
            Outcome::Impaired => "events may be lost",
            Outcome::Broken => "no event arrives",
        }
    }
}

/// A place for people.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    path: String,
    line: usize,
    column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// A hop, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cell {
    kind: HopKind,
    state: HopState,
    place: Option<Place>,
}

/// A path, ready to be written.
#[derive(Clone, Debug)]
struct Row {
    engine: String,
    engine_place: Place,
    gateway: String,
    /// The gateway is not among the manifests.
    assumed: bool,
    cells: Vec<Cell>,
    outcome: Outcome,
}

/// The paths of one unit.
#[derive(Clone, Debug)]
struct UnitTrace {
    root: String,
    complete: bool,
    rows: Vec<Row>,
}

impl UnitTrace {
    /// The gateways in order, each with its paths.
    fn by_gateway(&self) -> Vec<(&str, bool, Vec<&Row>)> {
        let mut found: Vec<(&str, bool, Vec<&Row>)> = Vec::new();
        for row in &self.rows {
            match found.iter_mut().find(|(name, ..)| *name == row.gateway) {
                Some((_, _, rows)) => rows.push(row),
                None => found.push((&row.gateway, row.assumed, vec![row])),
            }
        }
        found
    }
}

/// Traces all that was loaded.
pub fn run(loaded: &Loaded, config: &Config, options: &TraceOptions) -> String {
    let findings = lint::lint(loaded, config, None).diagnostics;
    let units: Vec<UnitTrace> = loaded
        .units
        .iter()
        .map(|unit| {
            let model = Model::new(unit, config);
            let rows = path::paths(&model, &findings).iter().map(|p| row(loaded, &model, p)).collect();
            UnitTrace { root: shown(Path::new(&unit.title())), complete: unit.is_complete(), rows }
        })
        .collect();
    match options.format {
        TraceFormat::Text => text::write(&units),
        TraceFormat::Json => json::write(&units),
        TraceFormat::Markdown => markdown::write(&units),
        TraceFormat::Mermaid => mermaid::write(&units),
        TraceFormat::Dot => dot::write(&units),
        TraceFormat::Svg => svg::write(&units),
    }
}

fn place(loaded: &Loaded, span: Span) -> Place {
    let span = loaded.shown_span(span);
    let at = loaded.sources.line_column(span);
    Place { path: shown(loaded.sources.file(span.file).path()), line: at.line, column: at.column }
}

fn row(loaded: &Loaded, model: &Model<'_>, path: &EventPath<'_, '_>) -> Row {
    let cells: Vec<Cell> = path
        .hops
        .iter()
        .map(|hop| Cell {
            kind: hop.kind,
            state: hop.state.clone(),
            place: hop.state.reason().and_then(|r| r.span).map(|span| place(loaded, span)),
        })
        .collect();
    let outcome = match path.worst() {
        HopState::Ok | HopState::Noted(_) | HopState::Moot => Outcome::Delivers,
        HopState::Off(_) => Outcome::Silent,
        HopState::Unknown(_) => Outcome::Unknown,
        HopState::Impaired(_) => Outcome::Impaired,
        HopState::Broken(_) => Outcome::Broken,
    };
    Row {
        engine: path::engine_title(model, path),
        engine_place: place(loaded, path.publisher.container.grip()),
        gateway: path.subscriber.title(model),
        assumed: path.subscriber.is_assumed(model),
        cells,
        outcome,
    }
}

/// `3 paths: 1 broken, 2 ok`.
fn summary(units: &[UnitTrace]) -> String {
    let rows = || units.iter().flat_map(|u| &u.rows);
    let total = rows().count();
    if total == 0 {
        return "no engine here is meant for an AIBrix gateway".into();
    }
    let count = |outcome: Outcome| rows().filter(|r| r.outcome == outcome).count();
    let parts: Vec<String> = [
        (Outcome::Broken, "broken"),
        (Outcome::Impaired, "impaired"),
        (Outcome::Unknown, "not known in full"),
        (Outcome::Silent, "without events"),
        (Outcome::Delivers, "ok"),
    ]
    .into_iter()
    .filter(|(outcome, _)| count(*outcome) > 0)
    .map(|(outcome, word)| format!("{} {word}", count(outcome)))
    .collect();
    format!("{total} {}: {}", if total == 1 { "path" } else { "paths" }, parts.join(", "))
}

/// Why hops are as they are; what several paths share is one note.
#[derive(Clone, Debug)]
struct Note<'r> {
    cell: &'r Cell,
    engines: Vec<&'r str>,
}

impl Note<'_> {
    fn reason(&self) -> Option<&Reason> {
        self.cell.state.reason()
    }

    /// The place, where it is the same for all engines.
    fn place(&self) -> Option<&Place> {
        let own = self.cell.has_own_place() || self.engines.len() == 1;
        self.cell.place.as_ref().filter(|_| own)
    }
}

/// The notes of some paths, in the order in which they come up.
fn notes<'r>(rows: &[&'r Row]) -> Vec<Note<'r>> {
    let mut found: Vec<Note<'r>> = Vec::new();
    for row in rows {
        for cell in row.cells.iter().filter(|c| c.state.reason().is_some()) {
            match found.iter_mut().find(|note| note.cell.says_the_same(cell)) {
                Some(note) => note.engines.push(&row.engine),
                None => found.push(Note { cell, engines: vec![&row.engine] }),
            }
        }
    }
    found
}

impl Cell {
    /// Engines that have nothing to say about events each say so in a place of their own.
    fn says_the_same(&self, other: &Cell) -> bool {
        let words = |c: &Cell| c.state.reason().map(|r| (r.rule, r.words.clone()));
        self.kind == other.kind
            && self.state.as_str() == other.state.as_str()
            && words(self) == words(other)
            && (!self.has_own_place() || self.place == other.place)
    }

    fn has_own_place(&self) -> bool {
        matches!(self.state, HopState::Broken(_) | HopState::Impaired(_) | HopState::Noted(_))
    }
}

/// Names, a few of them.
fn some(names: &[&str], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).copied().collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
