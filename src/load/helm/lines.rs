//! Each line of rendered text with the line of the template that it comes from, and how many of them are certain.

use std::path::PathBuf;
use std::sync::Arc;

use super::align::{Alignment, Confidence, Kind, Place};
use super::markers::Mark;
use super::rendering::Rendering;
use crate::source::{FileId, SourceFile, Span};

/// A rendered text, line by line.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// Its parts, in their order.
    pub sections: Vec<MappedSection>,
    /// The counts over all of them.
    pub share: Share,
    /// Whether the chart could be rendered with marks. `None`: nobody asked.
    pub marked: Option<bool>,
}

/// What was made from one template.
#[derive(Clone, Debug)]
pub struct MappedSection {
    /// What `# Source:` says.
    pub source: String,
    /// The chart's folder, where it is at hand.
    pub folder: Option<PathBuf>,
    /// One for each line.
    pub lines: Vec<MappedLine>,
}

/// A rendered line.
#[derive(Clone, Debug)]
pub struct MappedLine {
    /// The line, without its end.
    pub text: String,
    /// Where it comes from: the place in the template, and behind it those in the `define` bodies on the way. Empty where
    /// only the file is known.
    pub places: Vec<Span>,
    /// How far the first of them can be trusted.
    pub confidence: Confidence,
    /// A mark says something else, though the confidence was high. Then `places` are those of the mark.
    pub wrong: bool,
}

/// Counts over the lines of rendered text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Lines of all documents but CustomResourceDefinitions, without blank ones.
    pub lines: usize,
    /// Lines whose line in the template is mapped with high confidence, before marks are looked at.
    pub high: usize,
    /// Lines that are mapped to the best of several.
    pub medium: usize,
    /// Lines of which only the file is known.
    pub file: usize,
    /// Lines of CustomResourceDefinitions, which are counted nowhere else.
    pub definitions: usize,
    /// Lines mapped with high confidence on which a mark came out that says the same.
    pub right: usize,
    /// Lines mapped with high confidence on which a mark came out that says something else.
    pub wrong: usize,
}

impl Share {
    /// Adds the counts of another text.
    pub fn add(&mut self, other: Share) {
        self.lines += other.lines;
        self.high += other.high;
        self.medium += other.medium;
        self.file += other.file;
        self.definitions += other.definitions;
        self.right += other.right;
        self.wrong += other.wrong;
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} lines mapped: high {:.1} %, medium {:.1} %, file only {:.1} %",
            self.lines,
            percent(self.high, self.lines),
            percent(self.medium, self.lines),
            percent(self.file, self.lines)
        )?;
        if self.definitions > 0 {
            write!(f, "; {} lines of CustomResourceDefinitions not counted", self.definitions)?;
        }
        Ok(())
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

impl Mapping {
    /// Maps a rendered text. With `check`, the chart is rendered once more with marks, where it was rendered here.
    pub fn new(rendering: &Rendering, check: bool) -> Mapping {
        let marked = if check { rendering.marked() } else { None };
        let mut mapping = Mapping { marked: check.then_some(marked.is_some()), ..Mapping::default() };
        for (index, section) in rendering.sections().iter().enumerate() {
            let text = rendering.source().text().get(section.body.clone()).unwrap_or("");
            let source = section.source.clone();
            let folder = rendering.place(section).map(|(chart, _)| chart.folder.clone());
            if let Some(alignment) = rendering.alignment(index) {
                let marks = marked.and_then(|marked| marked.section(index));
                let files = marked.map_or(&[][..], |marked| marked.files());
                let find = |file| rendering.file(file);
                let (lines, share) = lines(text, alignment, &find, files, marks);
                mapping.share.add(share);
                mapping.sections.push(MappedSection { source, folder, lines });
                continue;
            }
            let line = |text: &str| MappedLine {
                text: text.to_string(),
                places: Vec::new(),
                confidence: Confidence::File,
                wrong: false,
            };
            let lines: Vec<MappedLine> = text.lines().map(line).collect();
            let count = lines.iter().filter(|line| !line.text.trim().is_empty()).count();
            mapping.share.add(if is_definition(text) {
                Share { definitions: count, ..Share::default() }
            } else {
                Share { lines: count, file: count, ..Share::default() }
            });
            mapping.sections.push(MappedSection { source, folder, lines });
        }
        mapping
    }
}

/// Whether a document defines a type. Such files are long, and mostly without actions.
fn is_definition(text: &str) -> bool {
    text.lines().any(|line| line.trim_end() == "kind: CustomResourceDefinition")
}

/// The lines of a document. `files` are those that were marked, `marks` the marks of each line.
pub fn lines<'s>(
    text: &str,
    alignment: &Alignment,
    find: &dyn Fn(FileId) -> Option<&'s Arc<SourceFile>>,
    files: &[Arc<SourceFile>],
    marks: Option<&[Vec<Mark>]>,
) -> (Vec<MappedLine>, Share) {
    let mut share = Share::default();
    let mut found = Vec::new();
    for (number, (line, text)) in alignment.lines.iter().zip(text.split('\n')).enumerate() {
        // Blank lines count for nothing: helm 4 ends each document with one.
        let is_blank = text.trim().is_empty();
        share.lines += usize::from(!is_blank);
        match line.confidence {
            _ if is_blank => {}
            Confidence::High | Confidence::Exact => share.high += 1,
            Confidence::Medium => share.medium += 1,
            Confidence::File => share.file += 1,
        }
        let mut mapped = MappedLine {
            text: text.to_string(),
            places: line.places.iter().map(|place| place.span).collect(),
            confidence: line.confidence,
            wrong: false,
        };
        let marks = marks.and_then(|marks| marks.get(number)).filter(|marks| !marks.is_empty());
        if let Some(marks) = marks {
            let sure = |place: &Place| place.confidence >= Confidence::High;
            let trusted = line.confidence >= Confidence::High && line.last.iter().all(sure);
            let agrees = agrees(&line.last, marks, find, files);
            share.right += usize::from(trusted && agrees);
            share.wrong += usize::from(trusted && !agrees);
            mapped.wrong = trusted && !agrees;
            mapped.confidence = Confidence::Exact;
            if !agrees {
                let place = |mark: &Mark| files.get(mark.file).and_then(|file| file.line_span(mark.line));
                mapped.places = marks.iter().rev().filter_map(place).collect();
            }
        }
        found.push(mapped);
    }
    if is_definition(text) {
        share = Share { definitions: share.lines, ..Share::default() };
    }
    (found, share)
}

/// Whether marks stand on the lines that the places name, in the same order. Not every line has a mark, and what an action
/// prints may have marks of its own, from a helper that a value names: a place that is an action says nothing against them.
fn agrees<'s>(
    places: &[Place],
    marks: &[Mark],
    find: &dyn Fn(FileId) -> Option<&'s Arc<SourceFile>>,
    files: &[Arc<SourceFile>],
) -> bool {
    let mut rest = places.iter();
    for (found, mark) in marks.iter().rev().enumerate() {
        let Some(marked) = files.get(mark.file) else { return false };
        let is_here = |place: &Place| {
            place.span.file == marked.id()
                && find(place.span.file).is_some_and(|file| line_of(place, file) == mark.line)
        };
        if !rest.any(is_here) {
            return found > 0 && places.last().is_some_and(|place| place.kind != Kind::Literal);
        }
    }
    true
}

/// The line of a template that a place ends on, as a mark would name it.
fn line_of(place: &Place, source: &SourceFile) -> usize {
    let Span { start, end, .. } = place.span;
    source.line_index(if place.kind == Kind::Literal { start } else { end.saturating_sub(1).max(start) })
}
