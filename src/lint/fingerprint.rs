//! What makes a finding of today the finding of yesterday, although lines have moved since.
//!
//! A fingerprint is made of the rule, the file's path, the object (`kind/namespace/name`), the keys that lead to the place inside
//! the object, and, where the place is a part of a scalar (a flag in a shell command, a key of JSON), of the words of that part.
//! Items of lists are told apart by their `name`, their text or their first entry, not by their number. Where
//! there is no tree (a broken document, a template), the words of the line take the place of object and keys. Findings that
//! are equal in all of this are numbered in the order of the file.
//!
//! So a fingerprint stays when lines, documents or items come and go, when indentation, quotes or comments change, and when a
//! value is replaced by another that is wrong in the same way. It changes when the object or the file is renamed.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use crate::lexical::absolute;
use crate::load::{InputFile, Resource, Unit};
use crate::source::{FileId, SourceMap, Span};
use crate::yaml::{Node, Shape, Tree};

/// The version of the way to compute it, as SARIF wants it in the name.
pub const FINGERPRINT: &str = "kvlint/v1";

/// Longer texts take part with their beginning.
const LONGEST: usize = 1000;

/// The fingerprints of findings, in their order: 16 hexadecimal digits, each different. Paths count from `folder`.
pub fn fingerprints(units: &[Unit], sources: &SourceMap, diagnostics: &[Diagnostic], folder: &Path) -> Vec<String> {
    let mut files: HashMap<FileId, &InputFile> = HashMap::new();
    for file in units.iter().flat_map(|unit| &unit.files) {
        files.entry(file.source.id()).or_insert(file);
    }
    let mut outlines: HashMap<(FileId, u32), Outline> = HashMap::new();
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let one = |diagnostic: &Diagnostic| {
        let span = diagnostic.primary.span;
        let source = sources.file(span.file);
        let mut hash = Fnv::new();
        hash.add(diagnostic.rule.as_bytes());
        hash.add(relative(source.path(), folder).as_bytes());
        match tree_at(files.get(&span.file).copied(), span) {
            Some((start, tree)) => {
                let outline = outlines.entry((span.file, start)).or_insert_with(|| Outline::of(tree));
                outline.add(span, source.slice(span), &mut hash);
            }
            None => {
                let line = source.line_span(source.line_index(span.start)).unwrap_or(span);
                hash.words(source.slice(line));
            }
        }
        let ordinal = seen.entry(hash.0).or_default();
        *ordinal += 1;
        hash.add(ordinal.to_string().as_bytes());
        format!("{:016x}", hash.0)
    };
    diagnostics.iter().map(one).collect()
}

/// The document that a place lies in, with its first byte.
fn tree_at(file: Option<&InputFile>, span: Span) -> Option<(u32, &Arc<Tree>)> {
    let documents = file?.documents();
    let next = documents.partition_point(|d| d.span.start <= span.start);
    let document = documents.get(next.checked_sub(1)?)?;
    let tree = document.content.as_ref().ok().filter(|_| span.start <= document.span.end)?;
    Some((document.span.start, tree))
}

/// The places of a document in the order of its bytes, so that finding one does not walk the tree each time.
struct Outline {
    steps: Vec<Step>,
}

/// A key or an item begins here, and all up to the next step belongs to it.
struct Step {
    start: u32,
    /// Of the object and the keys that lead here.
    hash: Fnv,
    /// The scalar that stands here.
    scalar: Option<Span>,
}

/// Whether an object may begin at a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Object {
    Here,
    /// In the items: these are those of a list of objects.
    InItems,
    No,
}

impl Outline {
    fn of(tree: &Arc<Tree>) -> Outline {
        let mut outline = Outline { steps: Vec::new() };
        outline.walk(tree, tree.root(), Fnv::new(), Object::Here);
        // The text has this order already; what stands at one byte stays in the order of the walk, the innermost last.
        outline.steps.sort_by_key(|step| step.start);
        outline
    }

    fn walk(&mut self, tree: &Arc<Tree>, node: Node<'_>, mut hash: Fnv, object: Object) {
        let resource = (object == Object::Here).then(|| Resource::new(tree, node)).flatten();
        if let Some(resource) = &resource {
            hash = Fnv::new();
            hash.add(resource.title().as_bytes());
        }
        let span = node.written_span();
        let scalar = (node.shape() == Shape::Scalar).then_some(span);
        self.steps.push(Step { start: span.start, hash, scalar });
        // What an alias stands for stands elsewhere.
        if node.is_alias() {
            return;
        }
        let list = resource.is_some_and(|r| r.kind().ends_with("List"));
        for entry in node.written_entries() {
            let key = entry.key.text().unwrap_or_default();
            let mut inner = hash;
            inner.add(key.as_bytes());
            self.steps.push(Step { start: entry.key.written_span().start, hash: inner, scalar: None });
            self.walk(tree, entry.value, inner, if list && key == "items" { Object::InItems } else { Object::No });
        }
        let object = if object == Object::InItems { Object::Here } else { Object::No };
        for item in node.items() {
            let mut inner = hash;
            inner.add(b"[]");
            name_item(item, &mut inner);
            self.walk(tree, item, inner, object);
        }
    }

    /// Adds what stands at a place.
    fn add(&self, span: Span, text: &str, hash: &mut Fnv) {
        let next = self.steps.partition_point(|step| step.start <= span.start);
        let Some(step) = self.steps.get(next.saturating_sub(1)) else { return };
        hash.add(&step.hash.0.to_le_bytes());
        // Quotes are no part worth the mention.
        if step.scalar.is_some_and(|scalar| scalar.contains(span) && span.len() + 2 < scalar.len()) {
            hash.words(text);
        }
    }
}

/// What tells an item from its neighbours.
fn name_item(item: Node<'_>, hash: &mut Fnv) {
    if item.is_alias() {
        return;
    }
    let name = item.get("name").filter(|name| !name.is_alias()).and_then(Node::text);
    if let Some(text) = name.or(item.text()) {
        hash.words(text);
    } else if let Some(first) = item.written_entries().first() {
        hash.words(first.key.text().unwrap_or_default());
        hash.words(first.value.text().unwrap_or_default());
    }
}

/// A path as it leads there from a folder, with forward slashes; both count from the current folder. Links are not followed.
pub fn relative(path: &Path, folder: &Path) -> String {
    let (path, folder) = (absolute(path), absolute(folder));
    let shared = path.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| "..".to_string());
    let down = path.components().skip(shared).map(|c| c.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}

/// FNV-1a, because the standard library's hash may differ between releases.
#[derive(Clone, Copy)]
struct Fnv(u64);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a part and a separator.
    fn add(&mut self, part: &[u8]) {
        for &byte in part.iter().chain(&[0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Adds the words of a text, however they are spaced.
    fn words(&mut self, text: &str) {
        let end = text.char_indices().map(|(i, _)| i).find(|i| *i >= LONGEST).unwrap_or(text.len());
        text[..end].split_whitespace().for_each(|word| self.add(word.as_bytes()));
        self.add(b"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{Label, Severity};
    use crate::load::from_texts;

    /// The fingerprints of findings at each place of `mark`.
    fn marked(text: &str, mark: &str) -> Vec<String> {
        let loaded = from_texts(&[("a.yaml".into(), text.to_string())]);
        let source = &loaded.sources.files()[0];
        let places = text.match_indices(mark).map(|(i, _)| Span::new(source.id(), i as u32, (i + mark.len()) as u32));
        let diagnostics: Vec<Diagnostic> = places
            .map(|span| Diagnostic {
                rule: "yaml-syntax",
                severity: Severity::Error,
                message: String::new(),
                primary: Label { span, text: String::new() },
                related: Vec::new(),
                help: None,
                notes: Vec::new(),
                fix: None,
                rendered: Vec::new(),
            })
            .collect();
        fingerprints(&loaded.units, &loaded.sources, &diagnostics, Path::new("."))
    }

    fn distinct(found: &[String]) -> usize {
        found.iter().collect::<std::collections::HashSet<_>>().len()
    }

    const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: llama, namespace: models}
spec:
  containers:
    - name: vllm
      image: x
      args: [--a, --b]
    - name: sidecar
      image: x
";

    #[test]
    fn moved_lines_other_items_and_formatting_change_nothing() {
        let before = marked(POD, "x");
        let moved = format!("# new\n---\nkind: Other\n---\n{POD}").replace(
            "    - name: vllm\n      image: x",
            "    # first\n    - {name: new}\n    - image: \"x\"\n      name: vllm",
        );
        assert_eq!(before, marked(&moved, "x"));
        assert_eq!(before[0], marked(&POD.replacen("image: x", "image: yy", 1), "yy")[0], "another wrong value");
    }

    #[test]
    fn another_object_item_or_key_is_another_finding() {
        let before = marked(POD, "x");
        assert_eq!(distinct(&before), 2);
        for (old, new) in [
            ("name: llama", "name: other"),
            ("namespace: models", "namespace: other"),
            ("kind: Pod", "kind: Podx"),
            ("name: vllm", "name: other"),
            ("image: x", "note: x"),
        ] {
            assert_ne!(before[0], marked(&POD.replacen(old, new, 1), " x")[0], "{new}");
        }
        let args = marked(POD, "--");
        assert_eq!(distinct(&args), 2);
        assert_eq!(args[1], marked(&POD.replace("--a, ", ""), "--")[0], "items have no number");
    }

    #[test]
    fn objects_in_lists_are_objects() {
        let list =
            "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: NAME}, spec: x}\n";
        let alone = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: x}\n";
        assert_eq!(marked(&list.replace("NAME", "a"), "x"), marked(alone, "x"));
        assert_ne!(marked(&list.replace("NAME", "b"), "x"), marked(alone, "x"));
        let reference = POD.replace("metadata:", "ref: {apiVersion: v1, kind: Other}\nmetadata:");
        assert_eq!(marked(POD, "x"), marked(&reference, "x"), "a reference to an object is none");
    }

    #[test]
    fn parts_of_scalars_are_told_apart_by_their_words() {
        let script = "apiVersion: v1\nkind: ConfigMap\ndata:\n  run: |\n    serve --one 1\n    serve --two 2\n";
        let before = marked(script, "--");
        assert_eq!(distinct(&before), 2, "numbered");
        let one = marked(script, "--two");
        assert_eq!(one, marked(&script.replace("serve --one 1", "# comment\n    serve --three"), "--two"));
        assert_ne!(one, marked(&script.replace("--two", "--six"), "--six"));
    }

    #[test]
    fn without_a_tree_the_words_of_the_line_count() {
        let before = marked("a: [\n  b\n", "b");
        assert_eq!(before, marked("# x\na: [\n      b\n", "b"));
        assert_ne!(before, marked("a: [\n  b c\n", "b"));
        assert_eq!(distinct(&marked("a: [\n  b b\n  b\n", "b")), 3);
    }

    #[test]
    fn paths_lead_from_the_folder() {
        for (path, folder, wanted) in
            [("a/b.yaml", ".", "a/b.yaml"), ("./a/./b", "a", "b"), ("a/../c", "a/b", "../../c"), ("a", "a", ".")]
        {
            assert_eq!(relative(Path::new(path), Path::new(folder)), wanted, "{path} from {folder}");
        }
    }
}
