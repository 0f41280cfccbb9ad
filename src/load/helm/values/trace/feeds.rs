//! Which values stand at a place of the output.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use smol_str::SmolStr;

use super::Tracer;
use super::expansion;
use super::library::Library;
use super::machine::{Env, Machine};
use super::reach::{At, Reached, Switch, includes, part, reach};
use super::sym::{Const, Sym};
use crate::load::helm::align::{Kind, Place};
use crate::load::helm::template::{Expr, Pipeline};
use crate::load::helm::values::{Leaf, Place as Written, Segment, ValuePath, Values};
use crate::source::Span;

/// Values that a path with [`Segment::Any`] may stand for before nothing is said of them.
const MOST_VALUES: usize = 256;

/// A value that stands in the output.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fed {
    /// Its path.
    pub path: ValuePath,
    /// Its key or index is printed, not the value.
    pub is_key: bool,
    /// It is printed as it is, maybe in quotes or indented.
    pub verbatim: bool,
}

/// What stands at a place of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feeds {
    /// This value and no other.
    Exact(Fed),
    /// One or several of these.
    Several(Vec<Fed>),
    /// No value: text of the template, the release's name and the like.
    Literal,
    /// Nobody knows.
    Unknown,
}

/// What is known of a place of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What stands there.
    pub feeds: Feeds,
    /// The conditions around it, the outermost first, through all templates on the way.
    pub switches: Vec<Switch>,
    /// The actions on the way: in the template that was rendered, then in each `define`. The values rule out that any
    /// further place of the question printed, so that one was mapped wrongly.
    pub chain: Vec<Span>,
    /// It is what Chart.yaml says: the key of the chart, and the name of the field as templates write it.
    pub metadata: Option<(ValuePath, SmolStr)>,
}

/// A place of the output.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// Where the values of the chart stand that the template belongs to.
    pub scope: &'q ValuePath,
    /// The places of the template that printed it, the outermost first.
    pub places: &'q [Place],
    /// The rendered document.
    pub document: &'q str,
    /// The part of it that the last of the places printed.
    pub piece: Range<usize>,
    /// The byte of it that is asked for.
    pub at: usize,
}

/// The value that one has to change.
#[derive(Clone, Debug)]
pub struct FoundLeaf<'v> {
    /// Its path.
    pub path: ValuePath,
    /// Its key, or the value: what is printed at the place.
    pub span: Span,
    /// The bytes are the very text of the output.
    pub is_same_text: bool,
    /// The value and what it overrode.
    pub leaf: Leaf<'v>,
}

impl<'t> Tracer<'t> {
    /// What stands at a place of the output.
    pub fn trace(&self, question: &Question<'_>) -> Trace {
        let mut machine = Machine::decider(&self.library, &self.reads);
        let mut trace = Trace { feeds: Feeds::Unknown, switches: Vec::new(), chain: Vec::new(), metadata: None };
        let Some((ways, depth)) = ways(&mut machine, question) else { return trace };
        let (places, _) = question.places.split_at(depth);
        trace.chain.extend(places.iter().map(|place| place.span));
        if let Some(first) = ways.first() {
            // The conditions are the same in each round; what they look at may differ.
            trace.switches.clone_from(&first.0);
        }
        let literal = places.last().is_some_and(|place| place.kind == Kind::Literal);
        let values: Vec<Sym> = ways.into_iter().map(|(_, value)| value).collect();
        if values.is_empty() || machine.is_exhausted() {
            return trace;
        }
        if let Some(Sym::Meta(scope, name)) = values.first().filter(|first| values.iter().all(|v| v == *first)) {
            trace.metadata = Some((scope.clone(), name.clone()));
        }
        trace.feeds = if literal { Feeds::Literal } else { self.decide(&values, question) };
        trace
    }

    /// The value to change for what stands at a place of the output, where exactly one stands there and a file says so.
    pub fn leaf(&self, question: &Question<'_>) -> Option<FoundLeaf<'t>> {
        match self.trace(question).feeds {
            Feeds::Exact(fed) => self.found(&fed, question),
            _ => None,
        }
    }

    /// The bytes of a value that stands at a place.
    pub fn found(&self, fed: &Fed, question: &Question<'_>) -> Option<FoundLeaf<'t>> {
        let leaf = self.library.values.get(&fed.path)?;
        let written = leaf.place();
        let span = if fed.is_key { written.key_span()? } else { written.grip()? };
        let source = match written {
            Written::Written { tree, .. } => tree.source(),
            Written::CommandLine(_) | Written::Made => return None,
        };
        let printed = question.document.get(question.piece.clone());
        let is_same_text = !fed.is_key && printed == Some(source.slice(span));
        Some(FoundLeaf { path: fed.path.clone(), span, is_same_text, leaf })
    }

    fn decide(&self, values: &[Sym], question: &Question<'_>) -> Feeds {
        let mut candidates: BTreeMap<(ValuePath, bool), bool> = BTreeMap::new();
        let mut literal = false;
        for value in values {
            match self.candidates(value, &mut candidates) {
                None => return Feeds::Unknown,
                Some(is_literal) => literal |= is_literal,
            }
        }
        if candidates.is_empty() {
            return if literal { Feeds::Literal } else { Feeds::Unknown };
        }
        let printed = question.document.get(question.piece.clone()).unwrap_or_default();
        let judged: Vec<(Fed, Option<Fit>)> = candidates
            .into_iter()
            .filter_map(|((path, is_key), verbatim)| self.judge(Fed { path, is_key, verbatim }, printed, question))
            .collect();
        // Of values that the text holds, one that is all of the text is meant.
        let equal = judged.iter().any(|(_, fit)| *fit == Some(Fit::Equal));
        let agrees = |fit: &Option<Fit>| if equal { *fit == Some(Fit::Equal) } else { *fit != Some(Fit::Not) };
        let agreeing: Vec<&Fed> = judged.iter().filter(|(_, fit)| agrees(fit)).map(|(fed, _)| fed).collect();
        match agreeing.as_slice() {
            [one] if !literal && !self.reads.is_changed(&one.path) => Feeds::Exact((*one).clone()),
            // Nothing fits: the place is another one than it seems, or a function changes the text.
            [] if judged.is_empty() => Feeds::Unknown,
            [] => Feeds::Several(judged.into_iter().map(|(fed, _)| fed).collect()),
            several => Feeds::Several(several.iter().map(|fed| (*fed).clone()).collect()),
        }
    }

    /// Adds what a value was made of; whether it may also be made of nothing. `None` where that is not known.
    fn candidates(&self, value: &Sym, into: &mut BTreeMap<(ValuePath, bool), bool>) -> Option<bool> {
        let mut add = |path: &ValuePath, is_key: bool, verbatim: bool| {
            let paths = spread(self.library.values, path)?;
            for path in paths {
                let known = into.entry((path, is_key)).or_insert(verbatim);
                *known &= verbatim;
            }
            Some(())
        };
        match value {
            Sym::Other | Sym::Meta(..) | Sym::Const(_) => Some(true),
            Sym::Value(path) | Sym::Yaml(path) => add(path, false, true).map(|()| false),
            Sym::Key(path) => match path.segments().last() {
                Some(Segment::Index(_)) => Some(true),
                _ => add(path, true, true).map(|()| false),
            },
            Sym::Made(made) if made.from.is_empty() => Some(true),
            Sym::Made(made) => {
                for path in &made.from {
                    add(path, false, made.verbatim && made.from.len() == 1)?;
                }
                // Several values in one text: none of them is the one.
                Some(made.from.len() > 1)
            }
            Sym::OneOf(ways) => {
                let mut literal = false;
                for way in ways.iter() {
                    literal |= self.candidates(way, into)?;
                }
                Some(literal)
            }
            Sym::Dict(_) | Sym::List(_) | Sym::Scope(_) | Sym::Files(..) | Sym::Unknown => None,
        }
    }

    /// Whether what is printed is this value: `None` where the text can't tell. Of a collection that is written out, the
    /// part at the place takes its stead.
    fn judge(&self, fed: Fed, printed: &str, question: &Question<'_>) -> Option<(Fed, Option<Fit>)> {
        let leaf = self.library.values.get(&fed.path)?;
        if fed.is_key {
            let fits = match fed.path.segments().last() {
                Some(Segment::Key(key)) => Some(fit(key, printed)),
                _ => None,
            };
            return Some((fed, fits));
        }
        if leaf.entries().is_some_and(|n| n > 0) {
            let part = fed.verbatim.then(|| expansion::part_at(question.document, &question.piece, question.at));
            let Some(part) = part.flatten() else { return Some((fed, None)).filter(|(fed, _)| !fed.verbatim) };
            let path = fed.path.join(&part.path);
            let leaf = self.library.values.get(&path)?;
            let fits = match (&part.text, leaf.text()) {
                (Some(printed), Some(text)) => Some(fit(&text, printed)),
                _ => None,
            };
            return Some((Fed { path, is_key: part.is_key, verbatim: true }, fits));
        }
        let fits = match leaf.text() {
            Some(text) if fed.verbatim => Some(fit(&text, printed)),
            _ => None,
        };
        Some((fed, fits))
    }
}

/// Values of one place, each with the conditions around it, and how many places lead there.
type Ways = (Vec<(Vec<Switch>, Sym)>, usize);

/// The value of the last place on each way to it, with the conditions around it, and how many of the places can print:
/// behind them, values rule the next one out.
fn ways(machine: &mut Machine<'_, '_>, question: &Question<'_>) -> Option<Ways> {
    let (first, rest) = question.places.split_first()?;
    let library = machine.library;
    let chart = library.charts.iter().find(|chart| chart.scope == *question.scope)?;
    let (_, template) = chart.files.iter().find(|(_, t)| t.source().id() == first.span.file)?;
    let env = Env::start(Sym::Scope(question.scope.clone()));
    let mut reached = reach(machine, template.source(), template.nodes(), env, first.span);
    if reached.is_empty() {
        return Some((Vec::new(), 0));
    }
    let (mut place, mut depth) = (first, 1);
    for next in rest {
        let mut further = Vec::new();
        for way in &reached {
            further.extend(enter_call(machine, library, way.clone(), place, next)?);
        }
        if further.is_empty() {
            break;
        }
        reached = further;
        place = next;
        depth += 1;
    }
    let value = |mut way: Reached<'_>| {
        let value = match way.at {
            At::Action(action) => {
                let whole = machine.pipeline(&action.pipeline, &mut way.env);
                let part = part(machine, &action.pipeline, place.expr, &mut way.env);
                choose(whole, part)
            }
            At::Text => Sym::text(""),
            At::Call(call) => {
                let dot = call.pipeline.as_ref().map_or(Sym::NIL, |p| machine.pipeline(p, &mut way.env));
                machine.include(&call.name.text, &dot)
            }
            At::Block(_) => Sym::Unknown,
        };
        (way.switches, value)
    };
    Some((reached.into_iter().map(value).collect(), depth))
}

/// What an action prints is told by the values better than by the text, save for the parts of a text that is put together.
fn choose(whole: Sym, part: Sym) -> Sym {
    let (mut all, mut some) = (BTreeSet::new(), BTreeSet::new());
    if !whole.collect(&mut all) {
        return part;
    }
    // The text was taken for an alternative that the values rule out.
    if part.collect(&mut some) && !some.is_subset(&all) {
        return whole;
    }
    match &whole {
        Sym::OneOf(ways) if ways.contains(&part) => part,
        Sym::Made(made) if !made.verbatim => part,
        Sym::Dict(_) | Sym::List(_) => part,
        _ => whole,
    }
}

/// From a call to a place in the body of the template that it calls.
fn enter_call<'t>(
    machine: &mut Machine<'_, 't>,
    library: &Library<'t>,
    way: Reached<'_>,
    place: &Place,
    next: &Place,
) -> Option<Vec<Reached<'t>>> {
    let Reached { mut env, at, switches } = way;
    let mut dot_of = |machine: &mut Machine<'_, 't>, pipeline: Option<&Pipeline>| {
        pipeline.map_or(Sym::NIL, |p| machine.pipeline(p, &mut env))
    };
    let (name, dot) = match at {
        At::Text => return None,
        At::Call(call) => (call.name.text.clone(), dot_of(machine, call.pipeline.as_ref())),
        At::Block(block) => (block.name.text.clone(), dot_of(machine, Some(&block.pipeline))),
        At::Action(action) => {
            let calls = includes(&action.pipeline);
            let exact = calls.iter().find(|command| Some(command.span) == place.expr);
            let command = exact.or(if calls.len() == 1 { calls.first() } else { None })?;
            let (_, arguments) = command.function()?;
            let [name, dot] = arguments else { return None };
            let name = match machine.expr(name, &mut env) {
                Sym::Const(Const::Text(name)) => name,
                _ => return None,
            };
            let dot = match dot {
                Expr::Function(_) => return None,
                dot => machine.expr(dot, &mut env),
            };
            (name, dot)
        }
    };
    let (template, body) = library.define(&name)?;
    if template.source().id() != next.span.file {
        return None;
    }
    let mut reached = reach(machine, template.source(), body, Env::start(dot), next.span);
    for inner in &mut reached {
        let own = std::mem::take(&mut inner.switches);
        inner.switches = switches.iter().cloned().chain(own).collect();
    }
    Some(reached)
}

/// The paths that one with [`Segment::Any`] may be; `None` where they are too many.
fn spread(values: &Values, path: &ValuePath) -> Option<Vec<ValuePath>> {
    let mut found = vec![ValuePath::root()];
    for segment in path.segments() {
        if *segment != Segment::Any {
            found.iter_mut().for_each(|p| *p = p.then(segment.clone()));
            continue;
        }
        let below = |p: &ValuePath| {
            let segments = if p.is_root() { values.root_segments() } else { values.get(p)?.segments() };
            Some(segments.into_iter().map(|s| p.then(s)).collect::<Vec<_>>())
        };
        found = found.iter().filter_map(below).flatten().collect();
        if found.len() > MOST_VALUES {
            return None;
        }
    }
    Some(found)
}

/// How a printed text agrees with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// It is the value, maybe in quotes.
    Equal,
    /// It holds the value.
    Within,
    /// It is something else.
    Not,
}

/// Compares a value with what was printed: as it is, in quotes, or line by line with other blanks.
fn fit(text: &str, printed: &str) -> Fit {
    let bare = printed.trim().trim_matches(['"', '\'']);
    if text.trim() == bare {
        return Fit::Equal;
    }
    if let (Ok(a), Ok(b)) = (text.parse::<f64>(), bare.parse::<f64>()) {
        return if a == b { Fit::Equal } else { Fit::Not };
    }
    // Quotes and backslashes are escaped in quoted text.
    let plain = |t: &str| t.replace(['\\', '"', '\''], "");
    let (text, printed) = (plain(text), plain(printed));
    let mut rest = printed.as_str();
    let within = !text.trim().is_empty()
        && text.lines().map(str::trim).filter(|line| !line.is_empty()).all(|line| match rest.find(line) {
            Some(i) => {
                rest = rest.get(i + line.len()..).unwrap_or_default();
                true
            }
            None => false,
        });
    if within { Fit::Within } else { Fit::Not }
}
