//! What must hold for changes of any text: see [`edits`].

use std::sync::Arc;

use kvlint::edit::{At, Changes, Refusal, TextEdit, Value, append_document, apply_to, remove_document};
use kvlint::lint::Edit;
use kvlint::source::{FileId, SourceFile};
use kvlint::yaml::{self, Node, Shape, Stream};
use serde_json::Value as Json;

/// Changes made one after the other.
const ROUNDS: usize = 6;

/// Keys and texts that YAML reads as something else when they are written carelessly.
const TEXTS: &[&str] = &[
    "a",
    "",
    "true",
    "~",
    "5557",
    "x: y",
    "c #d",
    "- z",
    "it's",
    "\"",
    "{",
    "]",
    "one\ntwo\n",
    "\n",
    " lead",
    "trail ",
    "*a",
    "&a",
    "!t",
    "---",
    "...",
    "é漢😀",
    "\t",
    "\u{1b}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "tcp://*:5557",
    "0x1F",
    "1e3",
    "<<",
    "? q",
    "%p",
    "back\\slash",
    "{{ x }}",
    "\r\n",
];

/// Decisions, one byte each; when they are used up, the first of all choices.
struct Tape<'d>(std::slice::Iter<'d, u8>);

impl Tape<'_> {
    fn pick(&mut self, below: usize) -> usize {
        self.0.next().map_or(0, |byte| usize::from(*byte) % below.max(1))
    }

    fn text(&mut self) -> &'static str {
        TEXTS[self.pick(TEXTS.len())]
    }

    fn value(&mut self, depth: usize) -> Json {
        match self.pick(if depth == 0 { 4 } else { 6 }) {
            0 | 1 => Json::from(self.text()),
            2 => Json::from(self.pick(256)),
            3 => [Json::Null, Json::Bool(true), Json::Bool(false)][self.pick(3)].clone(),
            4 => Json::Array((0..self.pick(3)).map(|_| self.value(depth - 1)).collect()),
            _ => Json::Object((0..self.pick(3)).map(|_| (self.text().to_string(), self.value(depth - 1))).collect()),
        }
    }
}

/// A step down from a node.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

/// Text up to a NUL, and then one byte a decision: changes are made one after the other, and what comes of each is read again.
///
/// A change is refused, or the text holds exactly what was meant: in the changed document as in all others. No comment is lost
/// that stands outside of what was replaced.
pub fn edits(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (text, choices) = (&data[..at], data.get(at + 1..).unwrap_or(&[]));
    let Some(mut text) = super::text(text).filter(|text| text.len() <= super::SMALL) else { return };
    let mut tape = Tape(choices.iter());
    for _ in 0..ROUNDS {
        let file = Arc::new(SourceFile::new(FileId(0), "a.yaml", text.clone()));
        let stream = yaml::parse(&file);
        let Some(edits) = one(&mut tape, &file, &stream) else { continue };
        text = applied(&text, &edits);
        if tape.0.len() == 0 {
            return;
        }
    }
}

/// One change; `None` where it is refused or can't be meant.
fn one(tape: &mut Tape<'_>, file: &Arc<SourceFile>, stream: &Stream) -> Option<Vec<Edit>> {
    // A file in which anything can't be read has no meaning to compare with.
    let before: Option<Vec<Json>> = stream.documents.iter().map(|d| meaning(d.content.as_ref().ok()?)).collect();
    let index = tape.pick(stream.documents.len());
    let kind = tape.pick(10);
    if kind == 9 {
        let new = tape.value(2);
        let edits = append_document(file, &Value::from(&new)).ok()?;
        let mut expected = before?;
        expected.push(new);
        return holds(file, stream, edits, &expected);
    }
    let tree = stream.documents.get(index)?.content.as_ref().ok()?;
    if kind == 8 {
        let edits = remove_document(tree).ok()?;
        let mut expected = before?;
        expected.remove(index);
        return holds(file, stream, edits, &expected);
    }
    let mut changes = Changes::new();
    let Some(mut expected) = before else {
        // It must not panic, and its edits must fit.
        let node = tree.node(tape.pick(tree.len().min(256)) as u32);
        let _ = any(tape, kind, &mut changes, node, tree.root());
        let edits = changes.finish().ok()?;
        applied(file.text(), &edits);
        return Some(edits);
    };
    if kind == 7 {
        // Several at once, whose outcome nobody has computed: they are refused or applied.
        for _ in 0..3 {
            let node = tree.node(tape.pick(tree.len().min(256)) as u32);
            let kind = tape.pick(7);
            let _ = any(tape, kind, &mut changes, node, tree.root());
        }
        let edits = changes.finish().ok()?;
        let after = applied(file.text(), &edits);
        let again = Arc::new(SourceFile::new(FileId(0), "a.yaml", after));
        let again = yaml::parse(&again);
        assert_eq!(again.documents.len(), stream.documents.len(), "documents came or went");
        assert!(again.documents.iter().all(|d| d.content.is_ok()), "what could be read can still be read");
        return Some(edits);
    }
    let path = way(tape, &expected[index]);
    let node = node_at(tree.root(), &path)?;
    let target = path.iter().try_fold(&mut expected[index], |json, step| match step {
        Step::Key(key) => json.get_mut(key),
        Step::Index(index) => json.get_mut(*index),
    })?;
    meant(tape, kind, &mut changes, node, target).ok()?;
    let edits = changes.finish().ok()?;
    holds(file, stream, edits, &expected)
}

/// Asks for a change of a node, and makes it of the JSON. Changes that JSON can't follow are refused here.
fn meant<'t>(
    tape: &mut Tape<'_>,
    kind: usize,
    changes: &mut Changes<'t>,
    node: Node<'t>,
    json: &mut Json,
) -> Result<(), Refusal> {
    let none = || Err(Refusal::new("no such change here"));
    match (kind, json) {
        (0, json) => {
            *json = tape.value(2);
            changes.replace(node, Value::from(&*json))
        }
        (1 | 2, Json::Object(entries)) => {
            let (key, value) = (tape.text(), tape.value(2));
            entries.insert(key.to_string(), value.clone());
            changes.set(node, &[key], Value::from(&value))
        }
        (1 | 2, Json::Array(items)) => {
            items.push(tape.value(2));
            changes.append(node, &[], Value::from(&items[items.len() - 1]))
        }
        (3, Json::Object(entries)) => {
            let Some(key) = entries.keys().nth(tape.pick(entries.len())).cloned() else { return none() };
            let Some(value) = child(node, &Step::Key(key.clone())) else { return none() };
            entries.shift_remove(&key);
            changes.remove(value)
        }
        (3, Json::Array(items)) if !items.is_empty() => {
            let index = tape.pick(items.len());
            items.remove(index);
            changes.remove(node.items()[index])
        }
        (4, Json::Object(entries)) => {
            let Some(key) = entries.keys().nth(tape.pick(entries.len())).cloned() else { return none() };
            let Some(value) = child(node, &Step::Key(key.clone())) else { return none() };
            let new = tape.text();
            if entries.contains_key(new) {
                return none();
            }
            let old = entries.shift_remove(&key).unwrap_or(Json::Null);
            entries.insert(new.to_string(), old);
            changes.rename(value, new)
        }
        (5, Json::Array(items)) if !items.is_empty() => {
            let (index, value) = (tape.pick(items.len()), tape.value(2));
            let neighbour = node.items()[index];
            let (at, place) = [
                (At::First, 0),
                (At::Last, items.len()),
                (At::After(neighbour), index + 1),
                (At::Before(neighbour), index),
            ][tape.pick(4)];
            items.insert(place, value.clone());
            changes.insert_item(node, at, Value::from(&value))
        }
        (6, Json::String(text)) => {
            let snap = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let start = snap(tape.pick(256));
            let range = start..snap(start + tape.pick(8)).max(start);
            let new = tape.text();
            text.replace_range(range.clone(), new);
            changes.retext(node, vec![TextEdit::new(range, new)])
        }
        _ => none(),
    }
}

/// Asks for a change of any node, whatever it is.
fn any<'t>(
    tape: &mut Tape<'_>,
    kind: usize,
    changes: &mut Changes<'t>,
    node: Node<'t>,
    root: Node<'t>,
) -> Result<(), Refusal> {
    let value = Value::from(&tape.value(1));
    match kind {
        0 => changes.replace(node, value),
        1 => changes.set(node, &[tape.text(), tape.text()], value),
        2 => changes.append(node, &[tape.text()], value),
        3 => changes.remove(node),
        4 => changes.rename(node, tape.text()),
        5 => changes.remove_up_to(node, root),
        6 => changes.insert(root, At::After(node), tape.text(), value),
        // Ranges that may fit nothing.
        _ => changes.retext(node, vec![TextEdit::new(tape.pick(256)..tape.pick(256), tape.text())]),
    }
}

/// The edits, if the edited text holds what was meant.
fn holds(file: &Arc<SourceFile>, stream: &Stream, edits: Vec<Edit>, expected: &[Json]) -> Option<Vec<Edit>> {
    let text = file.text();
    let after = applied(text, &edits);
    let again = Arc::new(SourceFile::new(FileId(0), "a.yaml", after.clone()));
    let read = yaml::parse(&again);
    let found: Vec<Option<Json>> = read.documents.iter().map(|d| meaning(d.content.as_ref().ok()?)).collect();
    let expected: Vec<Option<Json>> = expected.iter().cloned().map(Some).collect();
    assert_eq!(found, expected, "{text:?}\nbecame\n{after:?}");
    let mut comments: Vec<&str> = read.comments.iter().map(|c| again.slice(c.span).trim_end()).collect();
    for comment in &stream.comments {
        let touched = |e: &Edit| e.span.start <= comment.span.end && comment.span.start <= e.span.end;
        if edits.iter().any(touched) {
            continue;
        }
        let kept = comments.iter().position(|c| *c == file.slice(comment.span).trim_end());
        assert!(kept.is_some(), "{:?} is lost\n{text:?}\nbecame\n{after:?}", file.slice(comment.span));
        comments.swap_remove(kept.unwrap_or(0));
    }
    Some(edits)
}

fn applied(text: &str, edits: &[Edit]) -> String {
    apply_to(text, edits).expect("edits fit the text and do not overlap")
}

/// What a document holds, where it has what JSON has: each value at one place, and each key once.
fn meaning(tree: &yaml::Tree) -> Option<Json> {
    let plain = |id| {
        let node = tree.node(id);
        !node.is_alias() && !node.is_anchored() && !node.is_merge_key() && node.tag().is_none()
    };
    let simple = (0..tree.len() as u32).all(plain) && tree.duplicate_keys().next().is_none();
    if simple { yaml::json::to_json(tree.root()).ok() } else { None }
}

/// A way down from the root.
fn way(tape: &mut Tape<'_>, mut json: &Json) -> Vec<Step> {
    let mut path = Vec::new();
    loop {
        let stop = tape.pick(4) == 3;
        let (step, below) = match json {
            Json::Object(entries) if !entries.is_empty() && !stop => {
                let Some((key, below)) = entries.iter().nth(tape.pick(entries.len())) else { return path };
                (Step::Key(key.clone()), below)
            }
            Json::Array(items) if !items.is_empty() && !stop => {
                let index = tape.pick(items.len());
                (Step::Index(index), &items[index])
            }
            _ => return path,
        };
        path.push(step);
        json = below;
    }
}

fn child<'t>(node: Node<'t>, step: &Step) -> Option<Node<'t>> {
    match step {
        Step::Key(key) => {
            let found = node.written_entries().into_iter().find(|e| yaml::json::key(e.key).ok().as_ref() == Some(key));
            found.map(|entry| entry.value)
        }
        Step::Index(index) => (node.shape() == Shape::Sequence).then(|| node.items().get(*index).copied())?,
    }
}

fn node_at<'t>(root: Node<'t>, path: &[Step]) -> Option<Node<'t>> {
    path.iter().try_fold(root, child)
}
