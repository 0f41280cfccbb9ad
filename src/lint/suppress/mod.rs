//! Suppressions: comments and annotations that silence a finding and say why.
//!
//! * `# kvlint: ignore[rule, rule] reason` after a value covers its line; on a line of its own it covers the next entry
//!   with all that is indented below it.
//! * `# kvlint: ignore-file[rule] reason` covers the file.
//! * The annotation `kvlint.dev/ignore` covers its object, and survives rendering.

mod cover;
mod read;

use crate::config::{Config, Level};
use crate::load::{Content, Loaded};
use crate::source::Span;

use super::diagnostic::Diagnostic;
use super::rule::{self, Check, Rule};

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
}

impl Suppressions {
    /// Finds them in all that was loaded.
    pub fn collect(loaded: &Loaded) -> Suppressions {
        let mut found = Suppressions::default();
        // A base that several overlays build is in the units of all of them.
        let mut seen = std::collections::HashSet::new();
        for unit in &loaded.units {
            for file in unit.files.iter().filter(|file| seen.insert(file.source.id())) {
                if let Content::Stream(stream) = &file.content {
                    stream.comments.iter().for_each(|comment| found.read_comment(&file.source, comment));
                }
            }
            unit.resources.iter().for_each(|resource| found.read_annotation(resource));
        }
        found
    }

    /// Whether a finding is silenced; counts it.
    pub fn silence(&mut self, diagnostic: &Diagnostic) -> bool {
        let place = diagnostic.primary.span;
        let mut silenced = false;
        for suppression in self.entries.iter_mut().filter(|s| s.rule == diagnostic.rule && s.covers(place)) {
            suppression.silenced += 1;
            silenced = true;
        }
        silenced
    }

    /// Says of each whether its rule could have found something. `chosen` are the rules of the run that did not fail.
    pub(super) fn settle(&mut self, chosen: &[&'static Rule], loaded: &Loaded, config: &Config) {
        for entry in &mut self.entries {
            let rule = chosen.iter().find(|r| r.name == entry.rule);
            entry.ran = rule.is_some_and(|rule| looked(rule, entry.written, loaded, config));
        }
    }
}

impl Suppression {
    /// Whether there is a rule of this name.
    pub fn is_known(&self) -> bool {
        rule::find(&self.rule).is_some()
    }

    /// Whether a finding at this place is silenced. Nothing silences what is said of itself.
    fn covers(&self, place: Span) -> bool {
        let inside = match self.scope {
            Scope::File(span) => span.file == place.file,
            Scope::Span(span) => touches(span, place),
        };
        (inside || self.also.iter().any(|span| touches(*span, place))) && !self.written.contains(place)
    }
}

/// Whether a place starts in a span or at its end.
fn touches(span: Span, place: Span) -> bool {
    span.file == place.file && span.start <= place.start && place.start <= span.end
}

/// Whether a rule looked at the document around a place.
fn looked(rule: &Rule, place: Span, loaded: &Loaded, config: &Config) -> bool {
    // The rules about suppressions run after all is silenced.
    if matches!(rule.check, Check::Run(_)) {
        return false;
    }
    if config.level(rule.name, loaded.sources.file(place.file).path()) == Some(Level::Off) {
        return false;
    }
    loaded.units.iter().all(|unit| {
        let Some(file) = unit.files.iter().find(|f| f.source.id() == place.file) else { return true };
        let broken = file.documents().iter().any(|d| d.content.is_err());
        !broken && (unit.is_complete() || !rule.needs_complete)
    })
}

#[cfg(test)]
mod tests;
