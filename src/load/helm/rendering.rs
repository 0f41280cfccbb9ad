//! A rendered text with all that is known of how it was made.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

use super::Options;
use super::align::{Aligner, Alignment};
use super::binary::Helm;
use super::chart::{Chart, ChartFile, Place};
use super::marked::Marked;
use super::render::{self, Prepared};
use super::sets::ValuesSet;
use super::stream::{self, Section};
use super::template::Template;
use super::units;
use super::values::{self, Set, ValuePath, Values};
use crate::source::{FileId, SourceFile, Span};

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
    /// One for each section, made when a place in it is asked for.
    alignments: Vec<OnceLock<Option<Alignment>>>,
    values: OnceLock<Option<Values>>,
    marked: OnceLock<Option<Marked>>,
    /// The lines that change with a value; `None` where another value changes more than that.
    changes: Mutex<HashMap<ValuePath, Option<BTreeSet<usize>>>>,
}

/// What it takes to render again.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) helm: Arc<Helm>,
    pub(super) options: Options,
    chart: Prepared,
}

impl Rendering {
    /// What one run printed.
    pub(super) fn of_chart(source: Arc<SourceFile>, chart: Arc<Chart>, set: ValuesSet) -> Rendering {
        Rendering { set: Some(set), is_file: false, ..Rendering::of_file(source, &[chart]) }
    }

    /// A file or stream that somebody else rendered.
    pub(super) fn of_file(source: Arc<SourceFile>, charts: &[Arc<Chart>]) -> Rendering {
        let sections = stream::sections(source.text());
        let alignments = sections.iter().map(|_| OnceLock::new()).collect();
        Rendering {
            source,
            sections,
            charts: charts.to_vec(),
            is_file: true,
            set: None,
            live: None,
            alignments,
            values: OnceLock::new(),
            marked: OnceLock::new(),
            changes: Mutex::default(),
        }
    }

    /// The same, with what it takes to render again.
    pub(super) fn with_helm(mut self, helm: Arc<Helm>, options: Options, chart: Prepared) -> Rendering {
        self.live = Some(Live { helm, options, chart });
        self
    }

    /// The rendered text.
    pub fn source(&self) -> &Arc<SourceFile> {
        &self.source
    }

    /// Whether the text is a file of its own, which a person may look at.
    pub fn is_file(&self) -> bool {
        self.is_file
    }

    /// The parts of the text.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// What was made from the same template as a place, in one piece with it.
    pub fn section_span(&self, span: Span) -> Span {
        let section = stream::section_at(&self.sections, span.start as usize).and_then(|i| self.sections.get(i));
        section.map_or(span, |s| Span::new(span.file, s.body.start as u32, s.body.end as u32))
    }

    /// The values that it was rendered with; `None` where they are not known.
    pub fn values(&self) -> Option<&Values> {
        let make = || {
            let (set, chart) = (self.set.as_ref()?, self.charts.first()?);
            let sets: Vec<Set> = set.set.iter().map(|text| Set { text: text.clone(), string: false }).collect();
            Values::compute(&chart.texts(), &set.files, &sets).ok()
        };
        self.values.get_or_init(make).as_ref()
    }

    /// The chart, where the text is rendered here.
    pub fn chart(&self) -> Option<&Arc<Chart>> {
        self.set.as_ref().and(self.charts.first())
    }

    /// The templates that parts of the text were made from, with repetitions.
    pub fn templates(&self) -> impl Iterator<Item = &ChartFile> {
        self.sections.iter().filter_map(|section| self.place(section)?.1.file)
    }

    /// Whether a part of the text was made from a file of this chart.
    pub fn is_made_from(&self, chart: &Chart) -> bool {
        let made = |section: &Section| self.place(section).is_some_and(|(of, _)| std::ptr::eq(of, chart));
        self.sections.iter().any(made)
    }

    /// The file of a part: in the only chart that has such a file.
    pub(super) fn place(&self, section: &Section) -> Option<(&Chart, Place<'_>)> {
        let mut found = self.charts.iter().filter_map(|chart| {
            let place = chart.find(&section.source).filter(|place| place.file.is_some())?;
            Some((&**chart, place))
        });
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// A template of the charts by its id.
    pub(super) fn file(&self, id: FileId) -> Option<&Arc<SourceFile>> {
        self.charts.iter().find_map(|chart| chart.parsed().of(id)).map(Template::source)
    }

    /// What each part of a section comes from.
    pub(super) fn alignment(&self, index: usize) -> Option<&Alignment> {
        let make = || {
            let section = self.sections.get(index)?;
            let (chart, place) = self.place(section)?;
            let templates = chart.parsed();
            let template = templates.of(place.file?.source.id())?;
            let text = self.source.text().get(section.body.clone())?;
            Some(Aligner::new(template, &templates.defines()).align(text))
        };
        self.alignments.get(index)?.get_or_init(make).as_ref()
    }

    /// What marks in the templates say; `None` where the text was not rendered here, or helm does not take the marks.
    pub(super) fn marked(&self) -> Option<&Marked> {
        let make = || self.live.as_ref().and_then(|live| Marked::new(self, live));
        self.marked.get_or_init(make).as_ref()
    }

    /// The line of the template that printed a line of a section, as marks prove it; both count from 0.
    pub(super) fn marked_line(&self, section: usize, line: usize) -> Option<Span> {
        self.marked()?.line(section, line)
    }

    /// The values set, where the text is rendered here.
    pub(super) fn set(&self) -> Option<&ValuesSet> {
        self.set.as_ref()
    }

    /// What the chart renders to with one more values file; `None` where helm does not render it.
    fn render_with(&self, text: &str, name: &str) -> Option<String> {
        let (live, set, chart) = (self.live.as_ref()?, self.set.as_ref()?, self.charts.first()?);
        let file = live.helm.folder().join(format!("value-{}-{name}.yaml", self.source.id().0));
        std::fs::write(&file, text).ok()?;
        let rendered = render::render(&live.helm, &live.options, &live.chart.folder, set, &[file], &[]).ok()?;
        Some(units::without_crds(&rendered, chart).0)
    }

    /// What the chart renders to where one value is another of its type: text goes on, numbers count up, booleans turn. `None` where
    /// that can't be found out: `--set` has the last word, helm refuses the value, or there is no helm.
    pub fn render_changed(&self, path: &ValuePath) -> Option<String> {
        let values = self.values()?;
        if !matches!(values.get(path)?.place(), values::Place::Written { .. }) {
            return None;
        }
        let name: String = path.to_string().bytes().map(|b| format!("{b:02x}")).take(80).collect();
        self.render_with(&values::override_of(values, path)?, &name)
    }

    /// Whether one of some lines of the text, from 0, changes with a value; `None` where that can't be found out.
    pub(super) fn changes(&self, path: &ValuePath, among: Range<usize>) -> Option<bool> {
        self.live.as_ref()?;
        let known = self.changes.lock().ok().and_then(|known| known.get(path).cloned());
        let lines = known.unwrap_or_else(|| {
            let (old, new) = (self.source.text(), self.render_changed(path));
            let same = |new: &String| new.lines().count() == old.lines().count();
            let lines = new.filter(same).map(|new| values::changed(old, &new));
            if let Ok(mut known) = self.changes.lock() {
                known.insert(path.clone(), lines.clone());
            }
            lines
        });
        lines.map(|lines| lines.range(among).next().is_some())
    }
}
