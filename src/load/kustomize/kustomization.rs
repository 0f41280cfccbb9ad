//! The kustomization file: its fields, each with its place.

pub use super::entries::{
    At, FieldOptions, GeneratorEntry, GeneratorOptions, ImageEntry, LabelEntry, PatchEntry, Replacement,
    ReplacementEntry, ReplacementTarget, ReplicaEntry, Selector, SortOptions, Variable, field_spec, generator, image,
    label, patch, replacement, replica, selector,
};
use super::entries::{generator_options, replacement_entry, sort_options, variable};
use super::fields::{Fields, Pairs, Problems, Text};
use super::value::TreeId;
use super::workspace::BuildProblem;
use crate::source::Span;
use crate::yaml::Node;

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
    pub unresolved: Vec<(Text, &'static str)>,
    /// Files that nothing but what is not resolved reads.
    pub idle: Vec<Text>,
    /// `sortOptions`.
    pub sort: Option<SortOptions>,
    /// `buildMetadata`.
    pub build_metadata: Vec<Text>,
}

/// A node by its place, with the path that it may be.
fn named(node: Node<'_>, tree: TreeId) -> Text {
    Text { text: node.text().unwrap_or_default().into(), tree, node: node.id(), span: node.grip() }
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
        k.idle = k.validators.clone();
        for (name, what) in [
            ("helmCharts", "a Helm chart is rendered here"),
            ("helmChartInflationGenerator", "a Helm chart is rendered here"),
            ("crds", "name references of custom resources are read from these files"),
        ] {
            for node in f.list(name, problems) {
                k.unresolved.push((named(node, tree), what));
                let more = node.get("additionalValuesFiles").map(Node::items).unwrap_or_default();
                k.idle.extend(more.into_iter().chain(node.get("valuesFile")).chain([node]).map(|n| named(n, tree)));
            }
        }
        if let Some(node) = f.get("openapi").and_then(|o| o.get("path")) {
            k.unresolved.push((named(node, tree), "merge keys come from this schema"));
            k.idle.push(named(node, tree));
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
