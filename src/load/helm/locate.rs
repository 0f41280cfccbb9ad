//! From a place in rendered text to the bytes of the chart that made it.

use std::sync::Arc;

use super::Options;
use super::binary::Helm;
use super::chart::{Chart, ChartFile};
use super::render::Prepared;
use super::sets::ValuesSet;
use super::stream::{self, Section};
use super::units::file_grip;
use crate::source::{SourceFile, Span};

/// Text that helm rendered, and the charts that it may have been made from.
#[derive(Debug)]
pub struct Rendering {
    source: Arc<SourceFile>,
    sections: Vec<Section>,
    charts: Vec<Arc<Chart>>,
    /// Whether the text is a file of its own, which a person may look at.
    is_file: bool,
    set: Option<ValuesSet>,
    live: Option<Live>,
}

/// What it takes to render again.
#[derive(Debug)]
struct Live {
    helm: Arc<Helm>,
    options: Options,
    chart: Prepared,
}

/// Where the chart says what stands at a place of the rendered text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The bytes to edit.
    pub primary: Span,
    /// What to say of them where nothing else is said.
    pub text: String,
    /// Other places on the way.
    pub related: Vec<(Span, String)>,
    /// What can't be said.
    pub note: Option<String>,
    /// Whether the bytes are the very text of the place, so that an edit of one is an edit of the other.
    pub is_same_text: bool,
}

/// Rendered lines that are repeated are cut to this many characters.
const SHOWN: usize = 60;

impl Rendering {
    /// What one run printed.
    pub(super) fn of_chart(source: Arc<SourceFile>, chart: Arc<Chart>, set: ValuesSet) -> Rendering {
        let sections = stream::sections(source.text());
        Rendering { source, sections, charts: vec![chart], is_file: false, set: Some(set), live: None }
    }

    /// A file or stream that somebody else rendered.
    pub(super) fn of_file(source: Arc<SourceFile>, charts: &[Arc<Chart>]) -> Rendering {
        let sections = stream::sections(source.text());
        Rendering { source, sections, charts: charts.to_vec(), is_file: true, set: None, live: None }
    }

    /// The same, with what it takes to render again.
    pub(super) fn with_helm(mut self, helm: Arc<Helm>, options: Options, chart: Prepared) -> Rendering {
        self.live = Some(Live { helm, options, chart });
        self
    }

    /// The templates that parts of the text were made from, with repetitions.
    pub fn templates(&self) -> impl Iterator<Item = &ChartFile> {
        self.sections.iter().filter_map(|section| self.template(section))
    }

    /// The template of a part: in the only chart that has such a file.
    fn template(&self, section: &Section) -> Option<&ChartFile> {
        let mut found = self.charts.iter().filter_map(|c| c.find(&section.source).and_then(|p| p.file));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Where the chart says what stands at `span`, which lies in this text. `None` where the text itself is the best place.
    pub fn locate(&self, span: Span) -> Option<Located> {
        let section = stream::section_at(&self.sections, span.start as usize)?;
        let template = self.template(section)?;
        self.unknown_line(span, section, template)
    }

    /// The template, with the rendered line in words.
    fn unknown_line(&self, span: Span, section: &Section, template: &ChartFile) -> Option<Located> {
        // A file that is at hand shows the line itself.
        if self.is_file {
            return None;
        }
        let line = self.source.line_index(span.start);
        let text = self.source.line_span(line).map_or("", |line| self.source.slice(line));
        let shown: String = text.trim().chars().take(SHOWN).collect();
        let number = line.saturating_sub(section.first_line) + 1;
        Some(Located {
            primary: file_grip(&template.source),
            text: format!("line {number} of what this template renders to: `{shown}`"),
            related: Vec::new(),
            note: Some("the line of the template that this comes from could not be determined".into()),
            is_same_text: false,
        })
    }
}
