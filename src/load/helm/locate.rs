//! From a place in rendered text to the bytes of the chart that made it.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::align::{self, Alignment, Confidence, Kind, Piece};
use super::chart::{Chart, ChartFile, Place};
use super::rendering::Rendering;
use super::stream::{self, Section};
use super::units::file_grip;
use super::values::{Feeds, FoundLeaf, Question, Segment, Tracer, ValuePath, outside_templates, templates_of};
use crate::source::{FileId, SourceFile, Span};
use crate::yaml;

/// Where the chart says what stands at a place of the rendered text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The bytes to edit.
    pub primary: Span,
    /// What to say of them where nothing else is said.
    pub text: String,
    /// Other places on the way.
    pub related: Vec<(Span, String)>,
    /// What a person has to know about the place.
    pub notes: Vec<String>,
    /// Whether the place in the chart is certain. Where it is not, it is the template, and the text names the rendered line.
    pub is_proven: bool,
    /// Whether the bytes are the very text of the place.
    pub is_same_text: bool,
    /// Whether the bytes are a value, not a part of a template.
    pub is_value: bool,
}

/// Rendered lines that are repeated are cut to this many characters.
const SHOWN: usize = 60;

/// Values that one finding names at most, where several stand at its place.
const NAMED: usize = 3;

/// Asks a rendering for places: what is made for one question serves the next.
pub struct Locator<'r> {
    rendering: &'r Rendering,
    tracer: OnceLock<Option<Tracer<'r>>>,
    /// What the sections hold as YAML, each read when a scalar of it is asked for.
    streams: Vec<OnceLock<yaml::Stream>>,
}

impl<'r> Locator<'r> {
    /// Nothing is computed until it is asked for.
    pub fn new(rendering: &'r Rendering) -> Locator<'r> {
        let streams = rendering.sections().iter().map(|_| OnceLock::new()).collect();
        Locator { rendering, tracer: OnceLock::new(), streams }
    }

    /// Where the chart says what stands at `span`, which lies in the rendered text. `None` where the text itself is the best
    /// place.
    pub fn locate(&self, span: Span) -> Option<Located> {
        self.find(span, true)
    }

    /// As [`Locator::locate`], but the place in the template, whatever value stands there.
    pub fn locate_template(&self, span: Span) -> Option<Located> {
        self.find(span, false)
    }

    fn find(&self, span: Span, values: bool) -> Option<Located> {
        let rendering = self.rendering;
        let index = stream::section_at(rendering.sections(), span.start as usize)?;
        let section = rendering.sections().get(index)?;
        let (chart, place) = rendering.place(section)?;
        let template = place.file?;
        let alignment = rendering.alignment(index);
        let proven = alignment.and_then(|a| Proven::find(rendering, section, a, span));
        let Some(proven) = proven.or_else(|| Proven::of_mark(rendering, index, section, span)) else {
            return self.unknown_line(span, section, template, alignment);
        };
        let mut located = Located {
            primary: proven.outer,
            text: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
            is_proven: true,
            is_same_text: proven.is_same_text && !place.chart.packed,
            is_value: false,
        };
        let inner = proven.inner.map(|inner| (inner, "the definition writes it here".to_string()));
        let (fed, written) =
            if values { self.values_at(span, (index, section), &place, &proven) } else { Default::default() };
        located.related.extend(written);
        let shown = rendering.source().slice(span);
        match fed.as_slice() {
            [only] if proven.is_one_value => {
                located.related.push((proven.outer, "the template prints it here".into()));
                located.primary = self.part_of(only, span).unwrap_or(only.span);
                // Quotes may be those of the template, as long as they are the value's, too.
                let is_as_written = || only.leaf.place().node().is_some_and(|n| n.source().slice(only.span) == shown);
                located.is_same_text =
                    located.primary == only.span && (only.is_same_text && proven.is_whole_piece || is_as_written());
                located.is_value = true;
            }
            several => {
                let each = several.iter().take(NAMED);
                located.related.extend(each.map(|leaf| (leaf.span, format!("`{}` stands in it", leaf.path))));
            }
        }
        located.related.extend(inner);
        if rendering.is_file() {
            located.related.push((span, "rendered here".into()));
        }
        located.notes.extend(packed(chart, &place));
        Some(located)
    }

    /// The values that stand at a place, as far as files say them, and what Chart.yaml says there.
    fn values_at(
        &self,
        span: Span,
        (index, section): (usize, &Section),
        place: &Place<'_>,
        proven: &Proven,
    ) -> (Vec<FoundLeaf<'r>>, Vec<(Span, String)>) {
        let mut written = Vec::new();
        let Some(tracer) = self.tracer() else { return Default::default() };
        let Some(document) = self.rendering.source().text().get(section.body.clone()) else {
            return Default::default();
        };
        let scope = place.keys.iter().fold(ValuePath::root(), |path, key| path.key(key));
        let line = self.rendering.source().line_index(span.start);
        let first = section.first_line;
        let changes = |path: &ValuePath, hole: &Hole| {
            // A text of several lines may change in any of those that it is printed in: as a scalar of its own, or as all that the
            // action prints.
            let is_long =
                || tracer.values().get(path).and_then(|leaf| leaf.text()).is_some_and(|t| t.trim().contains('\n'));
            let of_piece = || is_long().then(|| lines_between(document, &hole.piece));
            let ways: [&dyn Fn() -> Option<Range<usize>>; 3] =
                [&|| Some(line - first..line - first + 1), &|| self.scalar_lines(index, document, hole.at), &of_piece];
            let answers = ways.iter().filter_map(|lines| {
                let lines = lines()?;
                self.rendering.changes(path, first + lines.start..first + lines.end)
            });
            let mut answer = None;
            for changes in answers {
                answer = Some(changes);
                if changes {
                    break;
                }
            }
            answer
        };
        let mut found: Vec<FoundLeaf<'r>> = Vec::new();
        for hole in &proven.holes {
            let (places, piece) = (hole.places.as_slice(), hole.piece.clone());
            let question = Question { scope: &scope, places, document, piece, at: hole.at };
            let trace = tracer.trace(&question);
            written.extend(trace.metadata.and_then(|(scope, name)| self.in_metadata(&scope, &name)));
            let fed = match trace.feeds {
                // helm has the last word, where it can be asked.
                Feeds::Exact(fed) if changes(&fed.path, hole) != Some(false) => Some(fed),
                Feeds::Several(several) => {
                    let mut changing = several.into_iter().filter(|fed| changes(&fed.path, hole) == Some(true));
                    changing.next().filter(|_| changing.next().is_none())
                }
                _ => None,
            };
            if let Some(leaf) = fed.and_then(|fed| tracer.found(&fed, &question))
                && found.iter().all(|known| known.span != leaf.span)
            {
                found.push(leaf);
            }
        }
        (found, written)
    }

    /// What Chart.yaml of a chart says under a name, as templates write it: `AppVersion`.
    fn in_metadata(&self, scope: &ValuePath, name: &str) -> Option<(Span, String)> {
        let mut chart: &Chart = self.rendering.chart()?;
        for segment in scope.segments() {
            let Segment::Key(key) = segment else { return None };
            chart = chart.children.iter().find(|child| child.name == *key).map(|child| &*child.chart)?;
        }
        let mut letters = name.chars();
        let key: String = letters.next()?.to_lowercase().chain(letters).collect();
        let document = yaml::parse(&chart.metadata).documents.into_iter().next()?.content.ok()?;
        let span = document.root().get(&key)?.span();
        Some((span, format!("the `{key}` of the chart is printed there")))
    }

    /// The lines of a section, from 0, that hold the scalar around a byte of it, where it is YAML.
    fn scalar_lines(&self, section: usize, document: &str, at: usize) -> Option<Range<usize>> {
        let file = FileId(u32::MAX);
        let parse = || yaml::parse(&Arc::new(SourceFile::new(file, "document", document)));
        let stream = self.streams.get(section)?.get_or_init(parse);
        let byte = Span::new(file, at as u32, at as u32);
        let mut trees = stream.documents.iter().filter_map(|document| document.content.as_ref().ok());
        let scalar = trees.find_map(|tree| tree.scalars_around(byte).next())?;
        let (source, span) = (scalar.source(), scalar.span());
        Some(source.line_index(span.start)..source.line_index(span.end.saturating_sub(1)) + 1)
    }

    /// The part of a longer value that a place shows, where it stands in it once.
    fn part_of(&self, leaf: &FoundLeaf<'_>, span: Span) -> Option<Span> {
        let node = leaf.leaf.place().node()?;
        let (text, shown) = (node.text()?, self.rendering.source().slice(span).trim());
        if leaf.span != node.span() {
            return None;
        }
        // A quote that is printed within quotes is escaped.
        let bare = shown.trim_matches(|c: char| ['"', '\'', '\\'].contains(&c));
        let once = |part: &str| {
            let at = text.find(part).filter(|at| !part.is_empty() && text.rfind(part) == Some(*at))?;
            (part.len() < text.len()).then(|| node.sub_span(at..at + part.len()))
        };
        once(shown).or_else(|| once(bare))
    }

    fn tracer(&self) -> Option<&Tracer<'r>> {
        let make = || {
            let (chart, values) = (self.rendering.chart()?, self.rendering.values()?);
            let charts = templates_of(chart, chart.parsed(), &ValuePath::root());
            Some(Tracer::new(charts, values, outside_templates(&chart.texts())))
        };
        self.tracer.get_or_init(make).as_ref()
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
        if self.rendering.is_file() {
            return None;
        }
        let source = self.rendering.source();
        let line = source.line_index(span.start);
        let text = source.line_span(line).map_or("", |line| source.slice(line));
        let shown: String = text.trim().chars().take(SHOWN).collect();
        let number = line.saturating_sub(section.first_line);
        let likely = alignment.and_then(|a| a.lines.get(number)).and_then(|l| l.places.first());
        let likely = likely.filter(|place| place.confidence >= Confidence::Medium);
        Some(Located {
            primary: file_grip(&template.source),
            text: format!("line {} of what this template renders to: `{shown}`", number + 1),
            related: likely.map(|place| (place.span, "perhaps from here".to_string())).into_iter().collect(),
            notes: vec!["the line of the template that this comes from could not be determined".into()],
            is_proven: false,
            is_same_text: false,
            is_value: false,
        })
    }
}

/// The lines, from 0, that hold some bytes of a document.
fn lines_between(document: &str, piece: &Range<usize>) -> Range<usize> {
    let before = |at: usize| document.get(..at).unwrap_or_default().matches('\n').count();
    before(piece.start)..before(piece.end) + 1
}

/// Who can't edit a template has to know where its values are set.
fn packed(chart: &Chart, place: &Place<'_>) -> Option<String> {
    let file = place.file?;
    let values = chart.values.as_ref().map_or_else(|| chart.folder.join("values.yaml"), |v| v.path().to_path_buf());
    place.chart.packed.then(|| {
        let keys = place.keys.join(".");
        format!("{} is packed: what can be set of it is set below `{keys}` in {}", file.name, values.display())
    })
}

/// A place of a template that is certain to have made a place of the rendered text.
#[derive(Clone, Debug)]
struct Proven {
    /// In the template that was rendered: the text itself, the action that printed it, or the line.
    outer: Span,
    /// Where a definition writes it.
    inner: Option<Span>,
    /// The parts of the place that actions printed.
    holes: Vec<Hole>,
    /// Whether one action printed it, but for quotes around it.
    is_one_value: bool,
    /// Whether it is all that the one action printed.
    is_whole_piece: bool,
    is_same_text: bool,
}

/// What an action printed.
#[derive(Clone, Debug)]
struct Hole {
    places: Vec<align::Place>,
    /// All that it printed, in the document.
    piece: Range<usize>,
    /// The byte that is asked for.
    at: usize,
}

impl Proven {
    /// From the alignment of the section that holds the span.
    fn find(rendering: &Rendering, section: &Section, alignment: &Alignment, span: Span) -> Option<Proven> {
        let body = &section.body;
        let from = (span.start as usize).checked_sub(body.start)?;
        let to = (span.end as usize).saturating_sub(body.start).max(from);
        let text = rendering.source().text().get(body.clone())?;
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
        let is_literal = |piece: &&Piece| piece.inner().is_some_and(|place| place.kind == Kind::Literal);
        let is_quote = |piece: &&Piece| {
            let text = text.get(piece.range.clone()).unwrap_or_default();
            text.chars().all(|c| c == '"' || c == '\'' || c.is_whitespace())
        };
        let (literals, printed): (Vec<&Piece>, Vec<&Piece>) = pieces.iter().partition(is_literal);
        let whole_of = |part: &Piece| {
            let mut all = alignment.pieces.iter();
            all.find(|p| p.range.start <= part.range.start && part.range.end <= p.range.end).map(|p| p.range.clone())
        };
        // `quote` prints the quotes, too.
        let values = printed.iter().copied().filter(|piece| printed.len() == 1 || !is_quote(piece));
        let holes: Vec<Hole> = values
            .filter_map(|part| Some(Hole { places: part.places.clone(), piece: whole_of(part)?, at: part.range.start }))
            .collect();
        Some(Proven {
            outer,
            inner: called.then_some(inner),
            is_one_value: holes.len() == 1 && literals.iter().all(is_quote),
            is_whole_piece: matches!(holes.as_slice(), [hole] if hole.piece == (from..to)),
            holes,
            is_same_text: !called && printed.is_empty() && outer.len() == span.len(),
        })
    }

    /// From the line of the place, where no more is certain.
    fn of_line(rendering: &Rendering, section: &Section, alignment: &Alignment, span: Span) -> Option<Proven> {
        let line = rendering.source().line_index(span.start).checked_sub(section.first_line)?;
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
        Some(Proven::line(outer))
    }

    /// From a mark that came out on the line: the text itself, where the template's line has it once, else that line.
    fn of_mark(rendering: &Rendering, index: usize, section: &Section, span: Span) -> Option<Proven> {
        let line = rendering.source().line_index(span.start).checked_sub(section.first_line)?;
        let line = rendering.marked_line(index, line)?;
        let source = rendering.file(line.file)?;
        let (text, part) = (source.slice(line), rendering.source().slice(span));
        let once = text.find(part).filter(|at| !part.trim().is_empty() && text.rfind(part) == Some(*at));
        // Between braces it is a name for something else.
        let outside = once.filter(|at| text[..*at].matches("{{").count() == text[..*at].matches("}}").count());
        if let Some(at) = outside.filter(|_| !part.contains('\n')) {
            let start = line.start + at as u32;
            let outer = Span::new(line.file, start, start + part.len() as u32);
            return Some(Proven { is_same_text: true, ..Proven::line(outer) });
        }
        let start = line.start + (text.len() - text.trim_start().len()) as u32;
        Some(Proven::line(Span::new(line.file, start, start + text.trim().len() as u32)))
    }

    /// A place of which no more is known than where it is.
    fn line(outer: Span) -> Proven {
        Proven {
            outer,
            inner: None,
            holes: Vec::new(),
            is_one_value: false,
            is_whole_piece: false,
            is_same_text: false,
        }
    }
}

/// From the start of one place to the end of another, where they stand in that order in one file; else the first.
fn join(first: Span, last: Span) -> Span {
    let in_order = first.file == last.file && first.start <= last.end;
    if in_order { Span::new(first.file, first.start, last.end.max(first.end)) } else { first }
}
