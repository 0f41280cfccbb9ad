//! The entries of a kustomization's lists: patches, images, generators and their like, each with its place.

use super::fields::{Fields, Pairs, Problems, Text, text};
use super::value::TreeId;
use super::workspace::BuildProblem;
use crate::source::Span;
use crate::yaml::{Node, NodeId};

const PATCH: &[&str] = &["path", "patch", "target", "options"];
const SELECTOR: &[&str] = &["group", "version", "kind", "name", "namespace", "annotationSelector", "labelSelector"];
const SOURCE: &[&str] = &["group", "version", "kind", "name", "namespace", "fieldPath", "options"];
const TARGET: &[&str] = &["select", "reject", "fieldPaths", "options"];
const FIELD_OPTIONS: &[&str] = &["delimiter", "index", "encoding", "create"];
const LABEL: &[&str] = &["pairs", "includeSelectors", "includeTemplates", "includeVolumeClaimTemplates", "fields"];
const FIELD_SPEC: &[&str] = &["group", "version", "kind", "path", "create"];
const IMAGE: &[&str] = &["name", "newName", "tagSuffix", "newTag", "digest"];
const REPLICA: &[&str] = &["name", "count"];
const VARIABLE: &[&str] = &["name", "objref", "fieldref"];
const OBJECT_REFERENCE: &[&str] = &["apiVersion", "group", "version", "kind", "name", "namespace"];
const GENERATOR: &[&str] = &["name", "namespace", "behavior", "literals", "files", "envs", "env", "options", "type"];
const GENERATOR_OPTIONS: &[&str] = &["labels", "annotations", "disableNameSuffixHash", "immutable"];

/// A node to be read later.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// Its tree.
    pub tree: TreeId,
    /// Its id.
    pub node: NodeId,
    /// Where it is, in short.
    pub span: Span,
}

/// Which objects a directive is for. The texts are regular expressions in a patch's target.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// The API group.
    pub group: Option<Text>,
    /// The version.
    pub version: Option<Text>,
    /// The kind.
    pub kind: Option<Text>,
    /// The name.
    pub name: Option<Text>,
    /// The namespace.
    pub namespace: Option<Text>,
    /// Labels, as `kubectl -l` takes them.
    pub labels: Option<Text>,
    /// Annotations in the same way.
    pub annotations: Option<Text>,
    /// The mapping, in short.
    pub span: Option<Span>,
}

impl Selector {
    /// Whether it names no object by its id.
    pub fn has_no_id(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace].iter().all(|t| t.is_none())
    }
}

/// An entry of `patches` or `patchesJson6902`.
#[derive(Clone, Debug)]
pub struct PatchEntry {
    /// The entry, in short.
    pub span: Span,
    /// A file.
    pub path: Option<Text>,
    /// The patch itself.
    pub patch: Option<Text>,
    /// The objects.
    pub target: Option<Selector>,
    /// Whether the patch may rename.
    pub allow_name_change: bool,
    /// Whether the patch may change the kind.
    pub allow_kind_change: bool,
}

/// An entry of `labels`.
#[derive(Clone, Debug)]
pub struct LabelEntry {
    /// The entry, in short.
    pub span: Span,
    /// The labels.
    pub pairs: Pairs,
    /// Selectors and templates, too.
    pub selectors: bool,
    /// Templates, too.
    pub templates: bool,
    /// Other fields.
    pub fields: Vec<crate::facts::kustomize::FieldSpec>,
}

/// An entry of `images`.
#[derive(Clone, Debug)]
pub struct ImageEntry {
    /// The entry, in short.
    pub span: Span,
    /// The image to change, a regular expression.
    pub name: Option<Text>,
    /// Another repository.
    pub new_name: Option<Text>,
    /// Another tag.
    pub new_tag: Option<Text>,
    /// What the tag gets at its end.
    pub tag_suffix: Option<Text>,
    /// A digest.
    pub digest: Option<Text>,
}

/// An entry of `replicas`.
#[derive(Clone, Debug)]
pub struct ReplicaEntry {
    /// The entry, in short.
    pub span: Span,
    /// The object.
    pub name: Option<Text>,
    /// The number.
    pub count: i64,
    /// The number's place.
    pub count_at: Option<At>,
}

/// Options of a replacement's source or target.
#[derive(Clone, Debug, Default)]
pub struct FieldOptions {
    /// Where the text is cut.
    pub delimiter: Option<Text>,
    /// Which part.
    pub index: i64,
    /// Whether the field is made.
    pub create: bool,
}

/// Where a replacement writes.
#[derive(Clone, Debug)]
pub struct ReplacementTarget {
    /// The entry, in short.
    pub span: Span,
    /// The objects.
    pub select: Option<Selector>,
    /// Objects that are left out.
    pub reject: Vec<Selector>,
    /// The fields.
    pub paths: Vec<Text>,
    /// How.
    pub options: FieldOptions,
}

/// A replacement.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The entry, in short.
    pub span: Span,
    /// The object to read.
    pub source: Option<Selector>,
    /// The field to read.
    pub field: Option<Text>,
    /// Which part of it.
    pub options: FieldOptions,
    /// Where it goes.
    pub targets: Vec<ReplacementTarget>,
}

/// An entry of `replacements`: a file, or the replacement itself.
#[derive(Clone, Debug)]
pub enum ReplacementEntry {
    /// A file of replacements.
    Path(Text),
    /// A replacement.
    Inline(Box<Replacement>),
}

/// An entry of `vars`.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The entry, in short.
    pub span: Span,
    /// Its name.
    pub name: Text,
    /// The object.
    pub object: Selector,
    /// The field; `metadata.name` by default.
    pub field: Option<Text>,
}

/// What generated objects get.
#[derive(Clone, Debug, Default)]
pub struct GeneratorOptions {
    /// Labels.
    pub labels: Pairs,
    /// Annotations.
    pub annotations: Pairs,
    /// No hash at the end of the name.
    pub no_hash: bool,
    /// `immutable: true`.
    pub immutable: bool,
}

/// An entry of `configMapGenerator` or `secretGenerator`.
#[derive(Clone, Debug)]
pub struct GeneratorEntry {
    /// The entry, in short.
    pub span: Span,
    /// Whether it makes a Secret.
    pub secret: bool,
    /// The object's name.
    pub name: Option<Text>,
    /// Its namespace.
    pub namespace: Option<Text>,
    /// `create`, `merge` or `replace`.
    pub behavior: Option<Text>,
    /// `key=value`.
    pub literals: Vec<Text>,
    /// `path` or `key=path`.
    pub files: Vec<Text>,
    /// Files of `KEY=value` lines.
    pub envs: Vec<Text>,
    /// The Secret's type.
    pub kind: Option<Text>,
    /// What it gets.
    pub options: GeneratorOptions,
}

/// `sortOptions`.
#[derive(Clone, Debug)]
pub struct SortOptions {
    /// `legacy` or `fifo`.
    pub order: Option<Text>,
    /// Kinds that come first and last, where they are given.
    pub legacy: Option<(Vec<Text>, Vec<Text>)>,
    /// The mapping, in short.
    pub span: Span,
}

fn at(node: Node<'_>, tree: TreeId) -> At {
    At { tree, node: node.id(), span: node.grip() }
}

/// Reads an entry of `patches`.
pub fn patch(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> PatchEntry {
    let f = Fields::new(node, tree, PATCH, "a patch", true, problems);
    let options = f.get("options");
    let flag = |name: &str| options.and_then(|o| o.get(name)).and_then(Node::as_bool).unwrap_or(false);
    PatchEntry {
        span: node.grip(),
        path: f.word("path", problems),
        patch: f.word("patch", problems),
        target: f.get("target").map(|n| selector(n, tree, SELECTOR, problems)),
        allow_name_change: flag("allowNameChange"),
        allow_kind_change: flag("allowKindChange"),
    }
}

/// Reads a selector.
pub fn selector(node: Node<'_>, tree: TreeId, known: &[&str], problems: &mut Problems) -> Selector {
    let f = Fields::new(node, tree, known, "a selector", true, problems);
    Selector {
        group: f.word("group", problems),
        version: f.word("version", problems),
        kind: f.word("kind", problems),
        name: f.word("name", problems),
        namespace: f.word("namespace", problems),
        labels: f.word("labelSelector", problems),
        annotations: f.word("annotationSelector", problems),
        span: Some(node.grip()),
    }
}

/// Reads an entry of `labels`.
pub fn label(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> LabelEntry {
    let f = Fields::new(node, tree, LABEL, "an entry of `labels`", true, problems);
    LabelEntry {
        span: node.grip(),
        pairs: f.pairs("pairs", problems),
        selectors: f.flag("includeSelectors", problems),
        templates: f.flag("includeTemplates", problems),
        fields: f.list("fields", problems).into_iter().map(|n| field_spec(n, tree, problems)).collect(),
    }
}

/// Reads a field of `configurations` or `labels`.
pub fn field_spec(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> crate::facts::kustomize::FieldSpec {
    let f = Fields::new(node, tree, FIELD_SPEC, "a field", false, problems);
    let word =
        |name: &str, problems: &mut Problems| f.text(name, problems).map(|t| t.text.to_string()).unwrap_or_default();
    crate::facts::kustomize::FieldSpec {
        gvk: crate::facts::kustomize::Gvk {
            group: word("group", problems),
            version: word("version", problems),
            kind: word("kind", problems),
        },
        path: word("path", problems),
        create: f.flag("create", problems),
    }
}

/// Reads an entry of `images`.
pub fn image(node: Node<'_>, tree: TreeId, strict: bool, problems: &mut Problems) -> ImageEntry {
    let f = Fields::new(node, tree, IMAGE, "an image", strict, problems);
    ImageEntry {
        span: node.grip(),
        name: f.word("name", problems),
        new_name: f.word("newName", problems),
        new_tag: f.word("newTag", problems),
        tag_suffix: f.word("tagSuffix", problems),
        digest: f.word("digest", problems),
    }
}

/// Reads an entry of `replicas`.
pub fn replica(node: Node<'_>, tree: TreeId, strict: bool, problems: &mut Problems) -> ReplicaEntry {
    let f = Fields::new(node, tree, REPLICA, "an entry of `replicas`", strict, problems);
    ReplicaEntry {
        span: node.grip(),
        name: f.word("name", problems),
        count: f.integer("count", problems),
        count_at: f.get("count").map(|n| at(n, tree)),
    }
}

fn field_options(node: Option<Node<'_>>, tree: TreeId, problems: &mut Problems) -> FieldOptions {
    let Some(node) = node else { return FieldOptions::default() };
    let f = Fields::new(node, tree, FIELD_OPTIONS, "options of a field", true, problems);
    FieldOptions {
        delimiter: f.word("delimiter", problems),
        index: f.integer("index", problems),
        create: f.flag("create", problems),
    }
}

pub(super) fn replacement_entry(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> ReplacementEntry {
    match node.entries().into_iter().find(|e| e.key.text().is_some_and(|k| k.eq_ignore_ascii_case("path"))) {
        Some(entry) => match text(entry.value, tree, problems) {
            Some(path) => ReplacementEntry::Path(path),
            None => ReplacementEntry::Inline(Box::new(replacement(node, tree, problems))),
        },
        None => ReplacementEntry::Inline(Box::new(replacement(node, tree, problems))),
    }
}

/// Reads a replacement.
pub fn replacement(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> Replacement {
    let f = Fields::new(node, tree, &["source", "targets", "path"], "a replacement", true, problems);
    let source = f.get("source");
    let source_fields = source.map(|n| Fields::new(n, tree, &[], "a source", false, problems));
    Replacement {
        span: node.grip(),
        source: source.map(|n| selector(n, tree, SOURCE, problems)),
        field: source_fields.as_ref().and_then(|s| s.word("fieldPath", problems)),
        options: field_options(source_fields.as_ref().and_then(|s| s.get("options")), tree, problems),
        targets: f.list("targets", problems).into_iter().map(|n| replacement_target(n, tree, problems)).collect(),
    }
}

fn replacement_target(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> ReplacementTarget {
    let f = Fields::new(node, tree, TARGET, "a target", true, problems);
    ReplacementTarget {
        span: node.grip(),
        select: f.get("select").map(|n| selector(n, tree, SELECTOR, problems)),
        reject: f.list("reject", problems).into_iter().map(|n| selector(n, tree, SELECTOR, problems)).collect(),
        paths: f.texts("fieldPaths", problems),
        options: field_options(f.get("options"), tree, problems),
    }
}

pub(super) fn variable(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> Option<Variable> {
    let f = Fields::new(node, tree, VARIABLE, "a variable", true, problems);
    let name = f.word("name", problems);
    let object = f.get("objref").map(|n| {
        let mut object = selector(n, tree, OBJECT_REFERENCE, problems);
        let version = Fields::new(n, tree, &[], "an object", false, problems).word("apiVersion", problems);
        if let Some(version) = version {
            let (group, rest) = super::resource::split_api_version(&version.text);
            object.group = Some(Text { text: group.into(), ..version.clone() }).filter(|g| !g.text.is_empty());
            object.version = Some(Text { text: rest.into(), ..version.clone() });
        }
        object
    });
    let field = f.get("fieldref").and_then(|n| {
        Fields::new(n, tree, &["fieldPath"], "a field reference", true, problems).word("fieldPath", problems)
    });
    let (Some(name), Some(object)) = (name, object) else {
        problems.push(BuildProblem::failed(node.grip(), "a variable needs a `name` and an `objref`"));
        return None;
    };
    Some(Variable { span: node.grip(), name, object, field })
}

pub(super) fn generator_options(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> GeneratorOptions {
    let f = Fields::new(node, tree, GENERATOR_OPTIONS, "generator options", true, problems);
    GeneratorOptions {
        labels: f.pairs("labels", problems),
        annotations: f.pairs("annotations", problems),
        no_hash: f.flag("disableNameSuffixHash", problems),
        immutable: f.flag("immutable", problems),
    }
}

/// Reads an entry of a generator; `shared` options fill the gaps of its own.
pub fn generator(
    node: Node<'_>,
    tree: TreeId,
    secret: bool,
    strict: bool,
    shared: Option<&GeneratorOptions>,
    problems: &mut Problems,
) -> GeneratorEntry {
    let f = Fields::new(node, tree, GENERATOR, "a generator", strict, problems);
    let mut options = f.get("options").map(|n| generator_options(n, tree, problems)).unwrap_or_default();
    if let Some(shared) = shared {
        let fill = |own: &mut Pairs, more: &Pairs| {
            let missing: Vec<_> = more.iter().filter(|(k, _)| !own.iter().any(|(o, _)| o.text == k.text)).collect();
            own.extend(missing.into_iter().cloned());
        };
        fill(&mut options.labels, &shared.labels);
        fill(&mut options.annotations, &shared.annotations);
        options.no_hash |= shared.no_hash;
        options.immutable |= shared.immutable;
    }
    let mut envs = f.texts("envs", problems);
    envs.extend(f.word("env", problems));
    GeneratorEntry {
        span: node.grip(),
        secret,
        name: f.word("name", problems),
        namespace: f.word("namespace", problems),
        behavior: f.word("behavior", problems),
        literals: f.texts("literals", problems),
        files: f.texts("files", problems),
        envs,
        kind: f.word("type", problems),
        options,
    }
}

pub(super) fn sort_options(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> SortOptions {
    let f = Fields::new(node, tree, &["order", "legacySortOptions"], "sort options", true, problems);
    let legacy = f.get("legacySortOptions").map(|n| {
        let f = Fields::new(n, tree, &["orderFirst", "orderLast"], "legacy sort options", true, problems);
        (f.texts("orderFirst", problems), f.texts("orderLast", problems))
    });
    SortOptions { order: f.word("order", problems), legacy, span: node.grip() }
}
