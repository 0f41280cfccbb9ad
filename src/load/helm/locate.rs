//! From a place in rendered text to the bytes of the chart that made it.

use std::sync::{Arc, OnceLock};

use super::Options;
use super::align::{self, Aligner, Alignment, Confidence, Kind};
use super::binary::Helm;
use super::chart::{Chart, ChartFile, Place};
use super::render::{self, Prepared};
use super::sets::ValuesSet;
use super::stream::{self, Section};
use super::template::Template;
use super::units::{self, file_grip};
use super::values::{Segment, Set, ValuePath, Values};
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
        let alignments = sections.iter().map(|_| OnceLock::new()).collect();
        Rendering { source, sections, charts: vec![chart], is_file: false, set: Some(set), live: None, alignments, values: OnceLock::new() }
    }

    /// A file or stream that somebody else rendered.
    pub(super) fn of_file(source: Arc<SourceFile>, charts: &[Arc<Chart>]) -> Rendering {
        let sections = stream::sections(source.text());
        let alignments = sections.iter().map(|_| OnceLock::new()).collect();
        Rendering { source, sections, charts: charts.to_vec(), is_file: true, set: None, live: None, alignments, values: OnceLock::new() }
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
    pub fn chart(&self) -> Option<&Chart> {
        self.set.as_ref().and(self.charts.first()).map(AsRef::as_ref)
    }

    /// What the chart renders to with another value at a path; `None` where that can't be found out. `number` tells calls
    /// that run at the same time apart.
    pub fn render_with(&self, path: &ValuePath, value: serde_json::Value, number: usize) -> Option<String> {
        let (live, set, chart) = (self.live.as_ref()?, self.set.as_ref()?, self.charts.first()?);
        let nested = path.segments().iter().rev().try_fold(value, |inner, segment| match segment {
            Segment::Key(key) => Some(serde_json::json!({ key.as_str(): inner })),
            // A list would be replaced as a whole.
            Segment::Index(_) | Segment::Any => None,
        })?;
        let file = live.helm.folder().join(format!("value-{}-{number}.yaml", self.source.id().0));
        std::fs::write(&file, nested.to_string()).ok()?;
        // What `--set` says would win over the file.
        let over = |text: &String| text.split(',').any(|part| part.split('=').next() == Some(&path.to_string()));
        let set = ValuesSet { set: set.set.iter().filter(|text| !over(text)).cloned().collect(), ..set.clone() };
        let text = render::render(&live.helm, &live.options, &live.chart.folder, &set, &[file], &[]).ok();
        text.map(|text| units::without_crds(&text, chart).0)
    }

    /// The templates that parts of the text were made from, with repetitions.
    pub fn templates(&self) -> impl Iterator<Item = &ChartFile> {
        self.sections.iter().filter_map(|section| self.template(section))
    }

    /// The template of a part.
    fn template(&self, section: &Section) -> Option<&ChartFile> {
        self.place(section).and_then(|(_, place)| place.file)
    }

    /// The file of a part: in the only chart that has such a file.
    fn place(&self, section: &Section) -> Option<(&Chart, Place<'_>)> {
        let mut found = self.charts.iter().filter_map(|chart| {
            let place = chart.find(&section.source).filter(|place| place.file.is_some())?;
            Some((&**chart, place))
        });
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// What each part of a section comes from.
    fn alignment(&self, index: usize) -> Option<&Alignment> {
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

    /// Where the chart says what stands at `span`, which lies in this text. `None` where the text itself is the best place.
    pub fn locate(&self, span: Span) -> Option<Located> {
        let index = stream::section_at(&self.sections, span.start as usize)?;
        let section = self.sections.get(index)?;
        let (chart, place) = self.place(section)?;
        let template = place.file?;
        let alignment = self.alignment(index);
        let proven = alignment.and_then(|a| Proven::find(self, section, a, span));
        match proven {
            Some(proven) => Some(self.proven(span, &proven, chart, template)),
            None => self.unknown_line(span, section, template, alignment),
        }
    }

    /// A place of the template that is certain.
    fn proven(&self, span: Span, proven: &Proven, chart: &Chart, template: &ChartFile) -> Located {
        let mut related = Vec::new();
        if let Some(inner) = proven.inner {
            related.push((inner, "the definition writes it here".to_string()));
        }
        if self.is_file {
            related.push((span, "rendered here".to_string()));
        }
        let _ = (chart, template);
        Located { primary: proven.outer, text: String::new(), related, note: None, is_same_text: proven.is_same_text }
    }

    /// The template, with the rendered line in words.
    fn unknown_line(
        &self,
        span: Span,
        section: &Section,
        template: &ChartFile,
        alignment: Option<&Alignment>,
    ) -> Option<Located> {
        // A file that is at hand shows the line itself.
        if self.is_file {
            return None;
        }
        let line = self.source.line_index(span.start);
        let text = self.source.line_span(line).map_or("", |line| self.source.slice(line));
        let shown: String = text.trim().chars().take(SHOWN).collect();
        let number = line.saturating_sub(section.first_line) + 1;
        let likely = alignment.and_then(|a| a.lines.get(number - 1)).and_then(|l| l.places.first());
        let likely = likely.filter(|place| place.confidence >= Confidence::Medium);
        Some(Located {
            primary: file_grip(&template.source),
            text: format!("line {number} of what this template renders to: `{shown}`"),
            related: likely.map(|place| (place.span, "perhaps from here".to_string())).into_iter().collect(),
            note: Some("the line of the template that this comes from could not be determined".into()),
            is_same_text: false,
        })
    }
}

/// A place of a template that is certain to have made a place of the rendered text.
#[derive(Clone, Debug)]
struct Proven {
    /// In the template that was rendered: the text itself, the action that printed it, or the line.
    outer: Span,
    /// Where a definition writes it.
    inner: Option<Span>,
    /// The expressions whose values stand there.
    expressions: Vec<Expression>,
    is_same_text: bool,
}

/// An expression that printed a part of the place.
#[derive(Clone, Debug)]
struct Expression {
    /// Its bytes, and those of the `include`s on the way to it, outermost first.
    chain: Vec<Span>,
}

impl Proven {
    /// From the alignment of the section that holds the span.
    fn find(rendering: &Rendering, section: &Section, alignment: &Alignment, span: Span) -> Option<Proven> {
        let body = &section.body;
        let from = (span.start as usize).checked_sub(body.start)?;
        let to = (span.end as usize).saturating_sub(body.start).max(from);
        let text = rendering.source.text().get(body.clone())?;
        // Blanks around a value prove nothing of it.
        let (from, to) = match text.get(from..to) {
            Some(inner) if !inner.trim().is_empty() => {
                let start = from + (inner.len() - inner.trim_start().len());
                (start, start + inner.trim().len())
            }
            _ => return Proven::of_line(rendering, section, alignment, span),
        };
        let pieces = alignment.locate(from..to);
        let sure = |place: &align::Place| place.confidence >= Confidence::High;
        let whole = !pieces.is_empty() && pieces.iter().all(|p| !p.places.is_empty() && p.places.iter().all(sure));
        if !whole {
            return Proven::of_line(rendering, section, alignment, span);
        }
        let (first, last) = (pieces.first()?, pieces.last()?);
        let outer = join(first.outer()?.span, last.outer()?.span);
        let inner = join(first.inner()?.span, last.inner()?.span);
        let called = first.places.len() > 1 || last.places.len() > 1;
        let mut expressions: Vec<Expression> = Vec::new();
        for piece in pieces.iter().filter(|p| p.inner().is_some_and(|place| place.kind != Kind::Literal)) {
            expressions.push(Expression { chain: piece.places.iter().map(|p| p.expr.unwrap_or(p.span)).collect() });
        }
        let is_same_text = !called
            && pieces.iter().all(|p| p.inner().is_some_and(|place| place.kind == Kind::Literal))
            && outer.len() == span.len();
        Some(Proven { outer, inner: called.then_some(inner), expressions, is_same_text })
    }

    /// From the line of the place, where no more is certain.
    fn of_line(rendering: &Rendering, section: &Section, alignment: &Alignment, span: Span) -> Option<Proven> {
        let line = rendering.source.line_index(span.start).checked_sub(section.first_line)?;
        let line = alignment.lines.get(line)?;
        let place = line.places.first().filter(|_| line.confidence >= Confidence::High)?;
        let source = rendering.file(place.span.file)?;
        let outer = match place.kind {
            Kind::Expansion => place.span,
            Kind::Literal | Kind::Hole => {
                let whole = source.line_span(source.line_index(place.span.start))?;
                let text = source.slice(whole);
                let start = whole.start + (text.len() - text.trim_start().len()) as u32;
                Span::new(whole.file, start, start + text.trim().len() as u32)
            }
        };
        Some(Proven { outer, inner: None, expressions: Vec::new(), is_same_text: false })
    }
}

impl Rendering {
    /// A template of the charts by its id.
    fn file(&self, id: FileId) -> Option<&Arc<SourceFile>> {
        self.charts.iter().find_map(|chart| chart.parsed().of(id)).map(Template::source)
    }
}

/// From the start of one place to the end of another, where they stand in that order in one file; else the first.
fn join(first: Span, last: Span) -> Span {
    if first.file == last.file && first.start <= last.end {
        Span::new(first.file, first.start, last.end.max(first.end))
    } else {
        first
    }
}
