//! Suppressions: comments and annotations that silence a finding and say why.
//!
//! * `# kvlint: ignore[rule, rule] reason` after a value covers its line; on a line of its own it covers the next entry
//!   with all that is indented below it.
//! * `# kvlint: ignore-file[rule] reason` covers the file.
//! * The annotation `kvlint.dev/ignore` covers its object, and survives rendering.

mod cover;
mod read;
mod rendered;

use std::collections::{HashMap, HashSet};

use crate::config::{Config, Level};
use crate::load::{Content, Loaded};
use crate::source::{FileId, Span};

use super::diagnostic::Diagnostic;
use super::rule::{self, Check, Rule};
use super::stretches::Stretches;

/// The annotation that survives rendering: `rule: reason` a line, or rule names separated by commas.
pub const ANNOTATION: &str = "kvlint.dev/ignore";

/// What a suppression covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Findings whose place touches these bytes.
    Span(Span),
    /// A whole file.
    File(Span),
}

/// One rule named by one suppression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The rule's name as written.
    pub rule: String,
    /// The bytes of the name.
    pub span: Span,
    /// The comment, or the line of the annotation, that names it.
    pub written: Span,
    /// The reason, empty when none is given.
    pub reason: String,
    /// What it covers.
    pub scope: Scope,
    /// Other places that it covers: those of an object that a build put together from several files.
    pub also: Vec<Span>,
    /// How many findings it silenced.
    pub silenced: usize,
    /// Whether the rule looked at what is covered, so that no finding means that there is none.
    pub ran: bool,
}

/// A comment that is meant as a suppression and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The bytes at fault.
    pub span: Span,
    /// What is wrong.
    pub message: String,
}

/// All suppressions of a run, in source order.
#[derive(Clone, Debug, Default)]
pub struct Suppressions {
    /// Those that count, one for each rule that is named.
    pub entries: Vec<Suppression>,
    /// Those that don't.
    pub malformed: Vec<Malformed>,
    /// What the entries of each rule cover, by their positions.
    covered: HashMap<String, Stretches<usize>>,
}

impl Suppressions {
    /// Finds them in all that was loaded.
    pub fn collect(loaded: &Loaded) -> Suppressions {
        let mut reader = read::Reader::new(loaded);
        // A base that several overlays build is in the units of all of them.
        let mut seen = HashSet::new();
        for unit in &loaded.units {
            for file in unit.files.iter().filter(|file| seen.insert(file.source.id())) {
                if let Content::Stream(stream) = &file.content {
                    stream.comments.iter().for_each(|comment| reader.read_comment(&file.source, comment));
                }
            }
            unit.resources.iter().for_each(|resource| reader.read_annotation(resource));
        }
        let mut found = reader.found;
        let mut covered: HashMap<&str, Vec<(Span, usize)>> = HashMap::new();
        for (at, entry) in found.entries.iter().enumerate() {
            covered.entry(&entry.rule).or_default().extend(entry.covered().map(|span| (span, at)));
        }
        found.covered = covered.into_iter().map(|(rule, all)| (rule.to_string(), Stretches::new(all))).collect();
        found
    }

    /// Whether a finding is silenced; counts it.
    pub fn silence(&mut self, diagnostic: &Diagnostic) -> bool {
        let Some(covered) = self.covered.get(diagnostic.rule) else { return false };
        let mut by = Vec::new();
        for place in diagnostic.places() {
            // A finding belongs to where it starts.
            let around = covered.around(place.head()).map(|(_, at)| *at);
            // Nothing silences what is said of itself.
            by.extend(around.filter(|at| self.entries.get(*at).is_some_and(|s| !s.written.contains(place))));
        }
        by.sort_unstable();
        by.dedup();
        for at in &by {
            self.entries[*at].silenced += 1;
        }
        !by.is_empty()
    }

    /// Says of each whether its rule could have found something. `chosen` are the rules of the run that did not fail.
    pub(super) fn settle(&mut self, chosen: &[&'static Rule], loaded: &Loaded, config: &Config) {
        let read = Read::of(loaded);
        for entry in &mut self.entries {
            let rule = chosen.iter().find(|r| r.name == entry.rule);
            entry.ran = rule.is_some_and(|rule| looked(rule, entry.written, &read, loaded, config));
        }
    }
}

impl Suppression {
    /// Whether there is a rule of this name.
    pub fn is_known(&self) -> bool {
        rule::find(&self.rule).is_some()
    }

    /// Where findings that it silences start, or at the end of which.
    fn covered(&self) -> impl Iterator<Item = Span> + '_ {
        let own = match self.scope {
            Scope::File(span) => Span { start: 0, end: u32::MAX, ..span },
            Scope::Span(span) => span,
        };
        std::iter::once(own).chain(self.also.iter().copied())
    }
}

/// What came of reading the files.
struct Read {
    /// Files with a document that can't be read.
    broken: HashSet<FileId>,
    /// Files of units that are not complete.
    partial: HashSet<FileId>,
}

impl Read {
    fn of(loaded: &Loaded) -> Read {
        let mut read = Read { broken: HashSet::new(), partial: HashSet::new() };
        for unit in &loaded.units {
            for file in &unit.files {
                if !unit.is_complete() {
                    read.partial.insert(file.source.id());
                }
                if file.documents().iter().any(|d| d.content.is_err()) {
                    read.broken.insert(file.source.id());
                }
            }
        }
        read
    }
}

/// Whether a rule looked at the document around a place.
fn looked(rule: &Rule, place: Span, read: &Read, loaded: &Loaded, config: &Config) -> bool {
    // The rules about suppressions run after all is silenced.
    if matches!(rule.check, Check::Run(_)) {
        return false;
    }
    if read.broken.contains(&place.file) || (rule.needs_complete && read.partial.contains(&place.file)) {
        return false;
    }
    config.level(rule.name, loaded.sources.file(place.file).path()) != Some(Level::Off)
}

#[cfg(test)]
mod tests;
