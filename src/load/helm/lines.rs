//! How well the lines of a rendered chart are mapped, and whether marks in the templates agree.

use std::fmt::Write as _;

use super::align::{Alignment, Confidence, Kind, Place};
use super::markers::{Document, Mark, TemplateFile};
use crate::source::{SourceFile, Span};

/// Counts over the lines of documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Lines of all documents that are not definitions of types.
    pub lines: usize,
    /// Lines whose line in the template is mapped with high confidence.
    pub high: usize,
    /// Lines that are mapped to the best of several.
    pub medium: usize,
    /// Lines of which only the file is known.
    pub file: usize,
    /// Lines of type definitions, which are counted nowhere else.
    pub definitions: usize,
    /// Marks that stand where a line that is mapped with high confidence says.
    pub right: usize,
    /// Marks that stand elsewhere.
    pub wrong: usize,
    /// Lines of medium confidence on which a mark says the same, and something else.
    pub medium_right: usize,
    /// See [`Share::medium_right`].
    pub medium_wrong: usize,
}

impl Share {
    /// High confidence, in hundredths.
    pub fn high_percent(&self) -> f64 {
        percent(self.high, self.lines)
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let mut out = format!(
            "{} lines: high {:.1} %, medium {:.1} %, file only {:.1} %",
            self.lines,
            self.high_percent(),
            percent(self.medium, self.lines),
            percent(self.file, self.lines)
        );
        if self.right + self.wrong > 0 {
            let _ = write!(out, "; checked against markers: {} right, {} wrong", self.right, self.wrong);
        }
        out
    }

    /// Adds the lines of one document. `marks` are its marks, where they are known.
    pub fn add(
        &mut self,
        document: &Document,
        alignment: &Alignment,
        files: &[TemplateFile<'_>],
        marks: Option<&[Vec<Mark>]>,
    ) -> Vec<Wrong> {
        if document.text.lines().any(|line| line.trim_end() == "kind: CustomResourceDefinition") {
            self.definitions += alignment.lines.len();
            return Vec::new();
        }
        let mut all = Vec::new();
        for (number, line) in alignment.lines.iter().enumerate() {
            self.lines += 1;
            match line.confidence {
                Confidence::High | Confidence::Exact => self.high += 1,
                Confidence::Medium => self.medium += 1,
                Confidence::File => self.file += 1,
            }
            let Some(marks) = marks.and_then(|marks| marks.get(number)).filter(|marks| !marks.is_empty()) else {
                continue;
            };
            let agrees = agrees(&line.last, marks, files);
            let trusted = line.confidence >= Confidence::High
                && line.last.iter().all(|place| place.confidence >= Confidence::High);
            match (trusted, agrees) {
                (true, true) => self.right += 1,
                (true, false) => self.wrong += 1,
                (false, true) => self.medium_right += 1,
                (false, false) => self.medium_wrong += 1,
            }
            if !agrees {
                all.push(Wrong { line: number, trusted, places: line.last.clone(), marks: marks.clone() });
            }
        }
        all
    }
}

/// A line on which a mark says something else.
#[derive(Clone, Debug)]
pub struct Wrong {
    /// The line of the document, from 0.
    pub line: usize,
    /// Whether it was mapped with high confidence.
    pub trusted: bool,
    /// What the mapping says.
    pub places: Vec<Place>,
    /// What the marks say, innermost first.
    pub marks: Vec<Mark>,
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// The line of a template that a place ends on, as a mark would name it.
fn line_of(place: &Place, source: &SourceFile) -> usize {
    let Span { start, end, .. } = place.span;
    source.line_index(if place.kind == Kind::Literal { start } else { end.saturating_sub(1).max(start) })
}

/// Whether marks stand on the lines that the places name, in the same order. Not every line has a mark, and what an action
/// prints may have marks of its own, from a helper that a value names: a place that is an action says nothing against them.
fn agrees(places: &[Place], marks: &[Mark], files: &[TemplateFile<'_>]) -> bool {
    let root = places.first().map(|place| place.span.file);
    let in_root = |mark: &&Mark| files.get(mark.file).map(|file| file.template.source().id()) == root;
    // Behind the mark of the template stand only marks of lines that printed nothing but blanks.
    let innermost_first = marks.iter().position(|mark| in_root(&mark)).map_or(marks.len(), |at| at + 1);
    let mut rest = places.iter();
    let mut found = 0;
    for mark in marks.iter().take(innermost_first).rev() {
        let Some(source) = files.get(mark.file).map(|file| file.template.source()) else { return false };
        if !rest.any(|place| place.span.file == source.id() && line_of(place, source) == mark.line) {
            return found > 0 && places.last().is_some_and(|place| place.kind != Kind::Literal);
        }
        found += 1;
    }
    true
}
