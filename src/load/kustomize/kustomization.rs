//! The kustomization file: its fields, each with its place.

use super::fields::{Fields, Pairs, Problems, Text, text};
use super::value::TreeId;
use super::workspace::BuildProblem;
use crate::source::Span;
use crate::yaml::{Node, NodeId};

/// `kind: Component` runs on the objects of whoever uses it.
pub const COMPONENT: &str = "Component";
const KUSTOMIZATION: &str = "Kustomization";
const VERSION: &str = "kustomize.config.k8s.io/v1beta1";
const COMPONENT_VERSION: &str = "kustomize.config.k8s.io/v1alpha1";

const KEYS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "openapi",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "images",
    "imageTags",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "resources",
    "components",
    "crds",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "buildMetadata",
];
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

/// A kustomization file.
#[derive(Clone, Debug, Default)]
pub struct Kustomization {
    /// Whether it is a component.
    pub component: bool,
    /// The place of the first key, for what concerns the whole file.
    pub span: Option<Span>,
    /// `resources`, then `bases`.
    pub resources: Vec<Text>,
    /// `components`.
    pub components: Vec<Text>,
    /// `configMapGenerator`, then `secretGenerator`.
    pub generators: Vec<GeneratorEntry>,
    /// `configurations`.
    pub configurations: Vec<Text>,
    /// `patchesStrategicMerge`.
    pub merge_patches: Vec<Text>,
    /// `patches`.
    pub patches: Vec<PatchEntry>,
    /// `patchesJson6902`.
    pub json_patches: Vec<PatchEntry>,
    /// `namespace`.
    pub namespace: Option<Text>,
    /// `namePrefix`.
    pub name_prefix: Option<Text>,
    /// `nameSuffix`.
    pub name_suffix: Option<Text>,
    /// `labels`.
    pub labels: Vec<LabelEntry>,
    /// `commonLabels`.
    pub common_labels: Pairs,
    /// `commonAnnotations`.
    pub common_annotations: Pairs,
    /// `replicas`.
    pub replicas: Vec<ReplicaEntry>,
    /// `images`, then `imageTags`.
    pub images: Vec<ImageEntry>,
    /// `replacements`.
    pub replacements: Vec<ReplacementEntry>,
    /// `vars`.
    pub variables: Vec<Variable>,
    /// `generators`, `transformers`, `validators`: paths or inline YAML.
    pub external_generators: Vec<Text>,
    /// See above.
    pub transformers: Vec<Text>,
    /// See above.
    pub validators: Vec<Text>,
    /// What is not resolved: Helm charts, a schema of one's own, CRD files; with a word on each.
    pub unresolved: Vec<(Span, &'static str)>,
    /// `sortOptions`.
    pub sort: Option<SortOptions>,
    /// `buildMetadata`.
    pub build_metadata: Vec<Text>,
}

impl Kustomization {
    /// Reads a kustomization file's root.
    pub fn read(root: Node<'_>, tree: TreeId, problems: &mut Problems) -> Kustomization {
        let before = problems.len();
        let f = Fields::new(root, tree, KEYS, "a kustomization", true, problems);
        let mut k = Kustomization { span: root.entries().first().map(|e| e.key.span()), ..Kustomization::default() };
        k.head(&f, problems);
        k.resources = f.texts("resources", problems);
        k.resources.extend(f.texts("bases", problems));
        k.components = f.texts("components", problems);
        let shared = f.get("generatorOptions").map(|n| generator_options(n, tree, problems));
        for (name, secret) in [("configMapGenerator", false), ("secretGenerator", true)] {
            for node in f.list(name, problems) {
                k.generators.push(generator(node, tree, secret, true, shared.as_ref(), problems));
            }
        }
        k.configurations = f.texts("configurations", problems);
        k.merge_patches = f.texts("patchesStrategicMerge", problems);
        k.patches = f.list("patches", problems).into_iter().map(|n| patch(n, tree, problems)).collect();
        k.json_patches = f.list("patchesJson6902", problems).into_iter().map(|n| patch(n, tree, problems)).collect();
        k.namespace = f.word("namespace", problems);
        k.name_prefix = f.word("namePrefix", problems);
        k.name_suffix = f.word("nameSuffix", problems);
        k.labels = f.list("labels", problems).into_iter().map(|n| label(n, tree, problems)).collect();
        k.common_labels = f.pairs("commonLabels", problems);
        k.common_annotations = f.pairs("commonAnnotations", problems);
        k.replicas = f.list("replicas", problems).into_iter().map(|n| replica(n, tree, true, problems)).collect();
        for name in ["images", "imageTags"] {
            k.images.extend(f.list(name, problems).into_iter().map(|n| image(n, tree, true, problems)));
        }
        for node in f.list("replacements", problems) {
            k.replacements.push(replacement_entry(node, tree, problems));
        }
        k.variables = f.list("vars", problems).into_iter().filter_map(|n| variable(n, tree, problems)).collect();
        k.external_generators = f.texts("generators", problems);
        k.transformers = f.texts("transformers", problems);
        k.validators = f.texts("validators", problems);
        for (name, what) in [
            ("helmCharts", "a Helm chart is rendered here"),
            ("helmChartInflationGenerator", "a Helm chart is rendered here"),
            ("crds", "name references of custom resources are read from these files"),
        ] {
            k.unresolved.extend(f.list(name, problems).into_iter().map(|n| (n.grip(), what)));
        }
        if let Some(node) = f.get("openapi").and_then(|o| o.get("path")) {
            k.unresolved.push((node.span(), "merge keys come from this schema"));
        }
        k.build_metadata = f.texts("buildMetadata", problems);
        k.sort = f.get("sortOptions").map(|n| sort_options(n, tree, problems));
        let only_head = ["apiVersion", "kind"];
        let content = root.entries().into_iter().any(|e| {
            !e.value.is_null() && !only_head.iter().any(|h| e.key.text().is_some_and(|k| k.eq_ignore_ascii_case(h)))
        });
        if !content && problems.len() == before {
            let span = k.span.unwrap_or_else(|| root.span());
            problems.push(
                BuildProblem::failed(span, "this kustomization is empty")
                    .help("name what it deploys under `resources`"),
            );
        }
        k
    }

    fn head(&mut self, f: &Fields<'_>, problems: &mut Problems) {
        let kind = f.word("kind", problems);
        self.component = kind.as_ref().is_some_and(|k| k.text == COMPONENT);
        if let Some(kind) = kind.filter(|k| k.text != COMPONENT && k.text != KUSTOMIZATION) {
            let message = format!("the kind of a kustomization is `{KUSTOMIZATION}`, not `{}`", kind.text);
            problems.push(BuildProblem::failed(kind.span, message).help(format!("write `kind: {KUSTOMIZATION}`")));
        }
        let wanted = if self.component { COMPONENT_VERSION } else { VERSION };
        if let Some(version) = f.word("apiVersion", problems).filter(|v| v.text != wanted) {
            let message = format!("the apiVersion here is `{wanted}`, not `{}`", version.text);
            problems.push(BuildProblem::failed(version.span, message).help(format!("write `apiVersion: {wanted}`")));
        }
    }
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

fn replacement_entry(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> ReplacementEntry {
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

fn variable(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> Option<Variable> {
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

fn generator_options(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> GeneratorOptions {
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

fn sort_options(node: Node<'_>, tree: TreeId, problems: &mut Problems) -> SortOptions {
    let f = Fields::new(node, tree, &["order", "legacySortOptions"], "sort options", true, problems);
    let legacy = f.get("legacySortOptions").map(|n| {
        let f = Fields::new(n, tree, &["orderFirst", "orderLast"], "legacy sort options", true, problems);
        (f.texts("orderFirst", problems), f.texts("orderLast", problems))
    });
    SortOptions { order: f.word("order", problems), legacy, span: node.grip() }
}
