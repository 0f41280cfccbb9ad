//! Reads suppressions out of comments and annotations.

use std::collections::{HashMap, HashSet, hash_map};

use super::cover::Covers;
use super::{ANNOTATION, Malformed, Scope, Suppression, Suppressions};
use crate::load::{Loaded, Resource};
use crate::source::{SourceFile, Span};
use crate::suggest;
use crate::yaml::{Comment, Node};

/// The word that starts a suppression comment.
const MARKER: &str = "kvlint";

const VERBS: &[&str] = &["ignore", "ignore-file"];

/// Words of other linters that people write from habit.
const HABITS: &[&str] =
    &["disable", "disable-line", "disable-next-line", "ignore-next-line", "noqa", "nolint", "allow", "off", "skip"];

/// Parts of a comment, as byte ranges of its text.
struct Parts {
    file_wide: bool,
    /// Where the names start, between the brackets.
    names: usize,
    names_end: usize,
}

/// Suppressions while they are read.
pub(super) struct Reader<'l> {
    pub(super) loaded: &'l Loaded,
    pub(super) found: Suppressions,
    pub(super) covers: Covers,
    /// The positions of the entries, by the bytes of the name and the name.
    known: HashMap<(Span, String), usize>,
    /// What was found to be malformed.
    said: HashSet<(Span, String)>,
}

impl<'l> Reader<'l> {
    pub(super) fn new(loaded: &'l Loaded) -> Reader<'l> {
        Reader {
            loaded,
            found: Suppressions::default(),
            covers: Covers::default(),
            known: HashMap::new(),
            said: HashSet::new(),
        }
    }

    /// Keeps an entry; one that is there already, as each values set of a chart and each overlay of a base brings it again,
    /// covers more.
    fn add(&mut self, entry: Suppression) {
        let entry = self.led_back(entry);
        match self.known.entry((entry.span, entry.rule.clone())) {
            hash_map::Entry::Occupied(known) => self.found.entries[*known.get()].also.extend(entry.also),
            hash_map::Entry::Vacant(place) => {
                place.insert(self.found.entries.len());
                self.found.entries.push(entry);
            }
        }
    }

    fn complain(&mut self, span: Span, message: String) {
        let span = self.loaded.shown_span(span);
        if self.said.insert((span, message.clone())) {
            self.found.malformed.push(Malformed { span, message });
        }
    }

    /// `# kvlint: ignore[rule, rule] reason` or `# kvlint: ignore-file[rule] reason`.
    pub(super) fn read_comment(&mut self, source: &SourceFile, comment: &Comment) {
        let text = source.slice(comment.span);
        let at = |start: usize, end: usize| {
            Span::new(comment.span.file, comment.span.start + start as u32, comment.span.start + end as u32)
        };
        let parts = match parse(text) {
            None => return,
            Some(Ok(parts)) => parts,
            Some(Err((start, end, message))) => {
                return self.complain(at(start, end), message);
            }
        };
        let scope = match parts.file_wide {
            true => Scope::File(comment.span),
            false => Scope::Span(self.covers.covered(source, comment)),
        };
        let reason = text[parts.names_end + 1..].trim().trim_start_matches([':', '-']).trim();
        for (start, name) in names(&text[parts.names..parts.names_end]) {
            let start = parts.names + start;
            self.add(Suppression {
                rule: name.to_string(),
                span: at(start, start + name.len()),
                written: comment.span,
                reason: reason.to_string(),
                scope,
                also: Vec::new(),
                silenced: 0,
                ran: false,
            });
        }
    }

    /// `rule: reason` a line, or rule names separated by commas, in the annotation of an object.
    pub(super) fn read_annotation(&mut self, resource: &Resource) {
        let annotation = resource.annotations().and_then(|a| a.get(ANNOTATION));
        let Some((node, text)) = annotation.and_then(|node| Some((node, node.text()?))) else { return };
        let object = resource.node();
        let map = node.scalar_map();
        let mut line_start = 0;
        let mut any = false;
        let mut also = Vec::new();
        if object.tree().is_composed() {
            places(object, &mut also);
        }
        for line in text.split_inclusive('\n') {
            let (list, reason) = line.split_once(':').unwrap_or((line, ""));
            for (start, name) in names(list) {
                let start = line_start + start;
                let span = map.span(start..start + name.len());
                any = true;
                self.add(Suppression {
                    rule: name.to_string(),
                    span,
                    written: map.span(line_start..line_start + line.trim_end().len()),
                    reason: reason.trim().to_string(),
                    scope: Scope::Span(object.span()),
                    also: also.clone(),
                    silenced: 0,
                    ran: false,
                });
            }
            line_start += line.len();
        }
        if !any {
            let message = format!("the annotation `{ANNOTATION}` names no rule");
            self.complain(node.grip(), message);
        }
    }
}

/// The stretch of each file that the parts of a built object lie in.
fn places(node: Node<'_>, into: &mut Vec<Span>) {
    let mut add = |span: Span| match into.iter_mut().find(|s| s.file == span.file) {
        Some(old) => *old = old.to(span),
        None => into.push(span),
    };
    if node.text().is_some() {
        add(node.span());
    }
    node.entries().iter().for_each(|entry| add(entry.key.span()));
    node.entries().into_iter().for_each(|entry| places(entry.value, into));
    node.items().into_iter().for_each(|item| places(item, into));
}

/// The names of a list separated by commas, with their offsets.
fn names(list: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    list.split_inclusive(',').filter_map(move |part| {
        let start = offset + (part.len() - part.trim_start().len());
        offset += part.len();
        let name = part.trim_end_matches(',').trim();
        (!name.is_empty()).then_some((start, name))
    })
}

/// Takes a comment apart. `None` for a comment about something else; an error is a range and what is wrong with it.
fn parse(text: &str) -> Option<Result<Parts, (usize, usize, String)>> {
    let body = text.trim_start_matches('#').trim_start();
    let start = text.len() - body.len();
    let rest = body.strip_prefix(MARKER)?;
    let (verb_start, rest) = match rest.strip_prefix(':') {
        Some(rest) => (text.len() - rest.trim_start().len(), rest.trim_start()),
        None => {
            // Prose may start with the program's name.
            let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
            let word: &str = rest.split(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap_or("");
            let meant = VERBS.contains(&word) && rest[word.len()..].trim_start().starts_with('[');
            let message = format!("a colon is missing after `{MARKER}`");
            return meant.then(|| Err((start, start + MARKER.len(), message)));
        }
    };
    let verb_len = rest.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').unwrap_or(rest.len());
    let verb = &rest[..verb_len];
    let verb_end = verb_start + verb_len;
    let form = "write `ignore[rule] reason`";
    if !VERBS.contains(&verb) {
        let message = match suggest::nearest(verb, VERBS.iter().copied()) {
            _ if verb.is_empty() => format!("nothing is said here: {form}"),
            _ if HABITS.contains(&verb) => format!("`{verb}` is no order to kvlint: {form}"),
            Some(near) => format!("`{verb}` is no order to kvlint; did you mean `{near}`?"),
            None => format!("`{verb}` is no order to kvlint: {form}"),
        };
        let end = if verb.is_empty() { text.len() } else { verb_end };
        return Some(Err((verb_start.min(end), end, message)));
    }
    let after = rest[verb_len..].trim_start();
    let open = text.len() - after.len();
    let Some(inside) = after.strip_prefix('[') else {
        return Some(Err((verb_start, verb_end, format!("`{verb}` names no rule: {form}"))));
    };
    let Some(close) = inside.find(']') else {
        return Some(Err((open, open + 1, "this `[` is not closed".to_string())));
    };
    let parts = Parts { file_wide: verb == "ignore-file", names: open + 1, names_end: open + 1 + close };
    if names(&inside[..close]).next().is_none() {
        return Some(Err((open, open + close + 2, format!("`{verb}` names no rule: {form}"))));
    }
    Some(Ok(parts))
}
