//! Resources, and the units that are deployed together.

use std::path::PathBuf;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::source::{FileId, SourceFile, Span};
use crate::yaml::{Document, Node, NodeId, Stream, Tree, is_unfinished};

/// Where an object says that it lies.
#[derive(Clone, Debug)]
enum Namespace {
    Named(SmolStr),
    /// Nowhere: that is left to whoever applies the manifest.
    Unwritten,
    /// In text that is still to be filled in.
    Unfinished(SmolStr),
}

/// One Kubernetes object: a mapping with an `apiVersion` and a `kind`.
#[derive(Clone, Debug)]
pub struct Resource {
    tree: Arc<Tree>,
    node: NodeId,
    // Asked for so often that looking them up each time would show.
    api_version: SmolStr,
    kind: SmolStr,
    name: SmolStr,
    namespace: Namespace,
    annotations: Option<NodeId>,
}

impl Resource {
    /// The object at `node`, when it is one.
    pub fn new(tree: &Arc<Tree>, node: Node<'_>) -> Option<Resource> {
        Resource::in_list(tree, node, None)
    }

    /// The object at `node`; as an item of a typed list it may leave its version and kind to the list.
    /// Source: `k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/helpers.go`, `decodeToList`.
    fn in_list(tree: &Arc<Tree>, node: Node<'_>, list: Option<&Resource>) -> Option<Resource> {
        let text = |node: Option<Node<'_>>| node.and_then(Node::text).filter(|t| !t.is_empty()).map(SmolStr::new);
        let metadata = node.get("metadata");
        let typed = list.filter(|l| l.kind != "List" && node.is_mapping());
        let kind_of_list = || typed.and_then(|l| l.kind.strip_suffix("List")).map(SmolStr::new);
        Some(Resource {
            api_version: text(node.get("apiVersion")).or_else(|| typed.map(|l| l.api_version.clone()))?,
            kind: text(node.get("kind")).or_else(kind_of_list)?,
            name: text(metadata.and_then(|m| m.get("name"))).unwrap_or_default(),
            annotations: metadata.and_then(|m| m.get("annotations")).map(Node::id),
            namespace: match text(metadata.and_then(|m| m.get("namespace"))) {
                Some(written) if is_unfinished(&written) => Namespace::Unfinished(written),
                Some(written) => Namespace::Named(written),
                None => Namespace::Unwritten,
            },
            tree: Arc::clone(tree),
            node: node.id(),
        })
    }

    /// The object's mapping.
    pub fn node(&self) -> Node<'_> {
        self.tree.node(self.node)
    }

    /// The tree that the object stands in.
    pub fn tree(&self) -> &Arc<Tree> {
        &self.tree
    }

    /// The file that the object stands in.
    pub fn file(&self) -> FileId {
        self.tree.source().id()
    }

    /// `group/version`, or `v1`.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The object's name as it is written; empty where it has none (`generateName`).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the name is still to be filled in, so that it may be any.
    pub fn has_open_name(&self) -> bool {
        is_unfinished(&self.name)
    }

    /// Whether the object has this name, or one that is not known and may be it.
    pub fn may_be_called(&self, name: &str) -> bool {
        self.name == name || self.has_open_name()
    }

    /// The namespace, where it is known. `None` where it is left to whoever applies the manifest, or still to be filled in:
    /// the object may lie in any.
    pub fn namespace(&self) -> Option<&str> {
        match &self.namespace {
            Namespace::Named(name) => Some(name),
            Namespace::Unwritten | Namespace::Unfinished(_) => None,
        }
    }

    /// The namespace as it is written, for what is to stand in the same: it is filled in there like here.
    pub fn written_namespace(&self) -> Option<&str> {
        match &self.namespace {
            Namespace::Named(text) | Namespace::Unfinished(text) => Some(text),
            Namespace::Unwritten => None,
        }
    }

    /// Whether the namespace is still to be filled in: the object lies in one that is not known, and hardly in the default.
    pub fn has_open_namespace(&self) -> bool {
        matches!(self.namespace, Namespace::Unfinished(_))
    }

    /// The object's annotations.
    pub fn annotations(&self) -> Option<Node<'_>> {
        self.annotations.map(|id| self.tree.node(id))
    }

    /// Whether two objects can be in one namespace: unless both name one and the names differ.
    pub fn may_share_namespace(&self, other: &Resource) -> bool {
        match (self.namespace(), other.namespace()) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        }
    }

    /// A short place to hold the object by: its name, else its kind.
    pub fn grip(&self) -> Span {
        let node = self.node();
        node.at("metadata.name").or_else(|| node.get("kind")).map_or_else(|| node.grip(), Node::span)
    }

    /// The place that took something out of the object while it was built, and what stood there: keys from the object's
    /// root. A removal of what it stood in counts, too.
    pub fn removed(&self, path: &[&str]) -> Option<(Span, Span)> {
        let covers = |removed: &[SmolStr]| {
            !removed.is_empty() && removed.len() <= path.len() && removed.iter().zip(path).all(|(a, b)| a == b)
        };
        self.tree.removals().iter().rev().find(|r| covers(&r.path)).map(|r| (r.by, r.removed))
    }

    /// `kind/namespace/name`, for messages; the namespace only where one is written.
    pub fn title(&self) -> String {
        match self.namespace() {
            Some(namespace) => format!("{}/{namespace}/{}", self.kind(), self.name()),
            None => format!("{}/{}", self.kind(), self.name()),
        }
    }
}

/// What a file's bytes turned out to be.
#[derive(Clone, Debug)]
pub enum Content {
    /// YAML or JSON, parsed.
    Stream(Stream),
    /// Bytes that are no text: where and why.
    NotText {
        /// The first bad byte.
        span: Span,
        /// What is wrong with it.
        message: String,
    },
    /// Template text that a renderer must read first.
    Template,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// Its text.
    pub source: Arc<SourceFile>,
    /// What it holds.
    pub content: Content,
}

impl InputFile {
    /// The documents, none where the file is not YAML.
    pub fn documents(&self) -> &[Document] {
        match &self.content {
            Content::Stream(stream) => &stream.documents,
            _ => &[],
        }
    }
}

/// Why a unit does not hold all that is deployed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// In words, to follow "partial: ".
    pub reason: String,
    /// The place that says so, where there is one.
    pub span: Option<Span>,
}

/// How the unit's manifests were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// Plain files below one root.
    Plain,
    /// One stream: standard input, or rendered output in one file.
    Stream,
    /// What a kustomization builds.
    Kustomize,
    /// A Helm chart, rendered with one values set.
    Helm,
}

impl UnitKind {
    /// One word, for output.
    pub fn as_str(self) -> &'static str {
        match self {
            UnitKind::Plain => "plain",
            UnitKind::Stream => "stream",
            UnitKind::Kustomize => "kustomize",
            UnitKind::Helm => "helm",
        }
    }
}

/// What is deployed together.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The root's path as people gave it.
    pub root: PathBuf,
    /// How it was written.
    pub kind: UnitKind,
    /// Empty for a complete unit.
    pub missing: Vec<Missing>,
    /// In the order of files and documents.
    pub files: Vec<InputFile>,
    /// In the order of files and documents; lists are taken apart.
    pub resources: Vec<Resource>,
    /// For a unit that was built by Kustomize: what the build has to say.
    pub kustomize: Option<Box<super::kustomize::Kustomized>>,
    /// For a Helm chart: what its rendering has to say.
    pub helm: Option<Box<super::helm::Charted>>,
}

impl Unit {
    /// Whether what is not in the unit is not deployed with it, so that absence means something.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// The root, and for a chart that is rendered with several values sets the one of this unit.
    pub fn title(&self) -> String {
        let root = self.root.display();
        match self.helm.as_ref().filter(|helm| helm.sets > 1) {
            Some(helm) => format!("{root} with {}", helm.set),
            None => root.to_string(),
        }
    }

    /// Builds a unit from files and takes the resources out of them.
    pub fn new(root: PathBuf, kind: UnitKind, missing: Vec<Missing>, files: Vec<InputFile>) -> Unit {
        let resources = files.iter().flat_map(resources_of).collect();
        Unit::with_resources(root, kind, missing, files, resources)
    }

    /// [`Unit::new`] where the resources of the files were taken out already.
    pub(super) fn with_resources(
        root: PathBuf,
        kind: UnitKind,
        missing: Vec<Missing>,
        files: Vec<InputFile>,
        resources: Vec<Resource>,
    ) -> Unit {
        let mut unit = Unit { root, kind, missing, files, resources, kustomize: None, helm: None };
        // A document that can't be read may hold anything.
        for file in &unit.files {
            let path = file.source.path().display();
            match &file.content {
                Content::NotText { span, .. } => {
                    unit.missing.push(Missing { reason: format!("{path} is not text"), span: Some(*span) });
                }
                Content::Stream(stream) => {
                    for document in &stream.documents {
                        if let Err(e) = &document.content {
                            let reason = format!("a document of {path} can't be read");
                            unit.missing.push(Missing { reason, span: Some(e.span) });
                        }
                    }
                }
                Content::Template => {
                    unit.missing.push(Missing { reason: format!("{path} is a template"), span: None });
                }
            }
        }
        unit
    }
}

/// Deepest nesting of lists in lists that is followed.
const LIST_DEPTH: usize = 8;

/// The resources in a file.
pub(super) fn resources_of(file: &InputFile) -> Vec<Resource> {
    let mut resources = Vec::new();
    for document in file.documents() {
        if let Ok(tree) = &document.content {
            collect(tree, tree.root(), None, 0, &mut resources);
        }
    }
    resources
}

/// Takes objects out of a document; `kind: List` and its typed forms are taken apart.
fn collect(tree: &Arc<Tree>, node: Node<'_>, list: Option<&Resource>, depth: usize, into: &mut Vec<Resource>) {
    let Some(resource) = Resource::in_list(tree, node, list) else { return };
    let items = node.get("items").filter(|i| i.is_sequence());
    match items {
        Some(items) if resource.kind().ends_with("List") && depth < LIST_DEPTH => {
            for item in items.items() {
                collect(tree, item, Some(&resource), depth + 1, into);
            }
        }
        _ => into.push(resource),
    }
}
