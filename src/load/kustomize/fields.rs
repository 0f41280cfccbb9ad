//! Reading a mapping of a kustomization: keys in any letter case, unknown keys noted, every value with its place.

use smol_str::SmolStr;

use super::value::{Origin, Place, TreeId};
use super::workspace::{BuildProblem, ProblemKind};
use crate::display::excerpt;
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Node, NodeId, Scalar};

/// A text and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// The text.
    pub text: SmolStr,
    /// The tree that it stands in.
    pub tree: TreeId,
    /// The node.
    pub node: NodeId,
    /// The node's bytes.
    pub span: Span,
}

impl Text {
    /// Where it stands, for a value made of it.
    pub fn origin(&self) -> Origin {
        Origin { place: Place::Node(self.tree, self.node), step: super::value::WRITTEN, overrode: None }
    }
}

/// Some keys and texts in the order of the file.
pub type Pairs = Vec<(Text, Text)>;

/// Problems found while reading.
pub type Problems = Vec<BuildProblem>;

/// A mapping that is being read.
pub struct Fields<'t> {
    node: Node<'t>,
    tree: TreeId,
}

impl<'t> Fields<'t> {
    /// Reads a mapping. A key that is not `known` is a problem where `strict`.
    pub fn new(
        node: Node<'t>,
        tree: TreeId,
        known: &[&str],
        what: &str,
        strict: bool,
        problems: &mut Problems,
    ) -> Fields<'t> {
        if !node.is_mapping() && !node.is_null() {
            problems.push(
                BuildProblem::failed(node.grip(), format!("{what} is a mapping, and this is not one"))
                    .help("write keys and values"),
            );
        }
        for entry in node.entries() {
            let key = entry.key.text().unwrap_or_default();
            if strict && !known.iter().any(|k| k.eq_ignore_ascii_case(key)) {
                let message = format!("`{}` is no key of {what}", excerpt(key));
                let mut problem = BuildProblem::of(ProblemKind::UnknownKey, entry.key.span(), message);
                problem.help = suggest::nearest(key, known.iter().copied()).map(|k| format!("did you mean `{k}`?"));
                problems.push(problem);
            }
        }
        Fields { node, tree }
    }

    /// The mapping.
    pub fn node(&self) -> Node<'t> {
        self.node
    }

    /// The value under a key in any letter case; `None` for null. Of several the last counts, as in Go.
    pub fn get(&self, name: &str) -> Option<Node<'t>> {
        let entries = self.node.entries();
        let entry = entries.into_iter().rfind(|e| e.key.text().is_some_and(|k| k.eq_ignore_ascii_case(name)))?;
        (!entry.value.is_null()).then_some(entry.value)
    }

    /// A text.
    pub fn text(&self, name: &str, problems: &mut Problems) -> Option<Text> {
        text(self.get(name)?, self.tree, problems)
    }

    /// A text that is not empty.
    pub fn word(&self, name: &str, problems: &mut Problems) -> Option<Text> {
        self.text(name, problems).filter(|t| !t.text.is_empty())
    }

    /// A boolean; false where there is none.
    pub fn flag(&self, name: &str, problems: &mut Problems) -> bool {
        let Some(node) = self.get(name) else { return false };
        node.as_bool().unwrap_or_else(|| {
            problems.push(BuildProblem::failed(node.grip(), format!("`{name}` is true or false, and this is neither")));
            false
        })
    }

    /// An integer; 0 where there is none.
    pub fn integer(&self, name: &str, problems: &mut Problems) -> i64 {
        let Some(node) = self.get(name) else { return 0 };
        node.as_int().unwrap_or_else(|| {
            problems.push(BuildProblem::failed(node.grip(), format!("`{name}` is a whole number, and this is not")));
            0
        })
    }

    /// A list of nodes.
    pub fn list(&self, name: &str, problems: &mut Problems) -> Vec<Node<'t>> {
        let Some(node) = self.get(name) else { return Vec::new() };
        if !node.is_sequence() {
            problems.push(
                BuildProblem::failed(node.grip(), format!("`{name}` is a list, and this is not one"))
                    .help("start each entry with `- `"),
            );
        }
        node.items()
    }

    /// A list of texts.
    pub fn texts(&self, name: &str, problems: &mut Problems) -> Vec<Text> {
        self.list(name, problems).into_iter().filter_map(|n| text(n, self.tree, problems)).collect()
    }

    /// A mapping of texts.
    pub fn pairs(&self, name: &str, problems: &mut Problems) -> Pairs {
        let Some(node) = self.get(name) else { return Vec::new() };
        if !node.is_mapping() {
            problems.push(BuildProblem::failed(node.grip(), format!("`{name}` is a mapping, and this is not one")));
        }
        let mut found: Pairs = Vec::new();
        for entry in node.entries() {
            let key = plain_text(entry.key, self.tree);
            if let Some(value) = text(entry.value, self.tree, problems) {
                found.retain(|(k, _)| k.text != key.text);
                found.push((key, value));
            }
        }
        found.sort_by(|a, b| a.0.text.cmp(&b.0.text));
        found
    }
}

/// The text of a scalar as it stands, whatever its type.
fn plain_text(node: Node<'_>, tree: TreeId) -> Text {
    Text { text: node.text().unwrap_or_default().into(), tree, node: node.id(), span: node.span() }
}

/// A text. Numbers and booleans are none, as in Go's JSON reader.
pub fn text(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> Option<Text> {
    match node.scalar() {
        Some(Scalar::Str(_) | Scalar::Null) => {}
        Some(other) => {
            let shown = node.text().unwrap_or_default();
            problems.push(
                BuildProblem::failed(
                    node.span(),
                    format!("`{shown}` is {} here, and a text is needed", other.type_name()),
                )
                .help(format!("quote it: `\"{shown}\"`")),
            );
        }
        None => {
            problems.push(BuildProblem::failed(node.grip(), "a text is needed here, not a list or mapping"));
            return None;
        }
    }
    Some(plain_text(node, tree))
}
