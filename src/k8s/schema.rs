//! What the API server would refuse in an object: the decoded types of [`kvlint_schema`] over our trees.

use std::borrow::Cow;
use std::path::Path;

use kvlint_schema::{Fragment, Kind, Outcome};
pub use kvlint_schema::{Problem, ProblemKind};

use super::workload::Workload;
use crate::facts::workloads::{Shape, WorkloadKind};
use crate::load::Resource;
use crate::source::Span;
use crate::yaml::{NodeId, Scalar, Tree, is_unfinished};

/// What starts the keys by which a strategic merge patch gives orders.
const DIRECTIVE: char = '$';

/// Our tree, as the decoder reads it.
struct Adapter<'t>(&'t Tree);

impl kvlint_schema::Tree for Adapter<'_> {
    fn kind(&self, id: u32) -> Kind<'_> {
        let node = self.0.node(id);
        match node.scalar() {
            // To be filled in before the object reaches a server.
            Some(Scalar::Str(text)) if is_unfinished(text) => Kind::Unknown,
            Some(Scalar::Str(text)) => Kind::Str(Cow::Borrowed(text)),
            Some(Scalar::Null) => Kind::Null,
            Some(Scalar::Bool(b)) => Kind::Bool(b),
            Some(Scalar::Int(i)) => Kind::Int(i),
            Some(Scalar::UInt(u)) => Kind::UInt(u),
            Some(Scalar::Float(x)) => Kind::Float(x),
            None if node.is_mapping() => Kind::Map(node.entry_ids()),
            None => Kind::Seq(Cow::Borrowed(node.item_ids())),
        }
    }
}

/// Whether the object's values are encrypted by SOPS, which leaves a mapping of its own in it until they are decrypted.
fn is_encrypted(resource: &Resource) -> bool {
    resource.node().at("sops.mac").is_some()
}

/// What in one object does not fit its kind.
#[derive(Clone, Debug, Default)]
pub struct Misfits {
    /// In the order of the text, roughly.
    pub problems: Vec<Problem>,
    /// Whether the kind is a custom one, of which only the embedded core parts were looked at.
    pub custom: bool,
    /// Whether the object is a part of another, by which that one is changed.
    pub patch: Patch,
}

/// Whether an object is a strategic merge patch, which need not be complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch {
    /// It is a whole object.
    #[default]
    No,
    /// It lacks so much that it can hardly be meant to be applied as it stands.
    Likely,
    /// It gives a patch's orders, or its file is called a patch.
    Named,
}

impl Misfits {
    /// Decodes an object. `extra` are kinds of the user's configuration.
    pub fn of(resource: &Resource, extra: &[WorkloadKind]) -> Misfits {
        if is_encrypted(resource) {
            return Misfits::default();
        }
        let tree = resource.tree();
        let adapter = Adapter(tree);
        let mut misfits =
            match kvlint_schema::check(&adapter, resource.node().id(), resource.api_version(), resource.kind()) {
                Outcome::Checked(problems) => Misfits { problems, ..Misfits::default() },
                Outcome::NotCore => {
                    Misfits { problems: custom(resource, &adapter, extra), custom: true, patch: Patch::No }
                }
            };
        if misfits.problems.is_empty() {
            return misfits;
        }
        let before = misfits.problems.len();
        misfits.problems.retain(|p| !is_directive(&p.what));
        let ordered = misfits.problems.len() < before;
        misfits.patch = match () {
            () if ordered || is_called_patch(tree.source().path()) => Patch::Named,
            () if lacks_much(&misfits.problems) => Patch::Likely,
            () => Patch::No,
        };
        misfits
    }
}

/// The parts of core objects in a custom kind: its metadata and its pods. What may be missing there is the kind's affair.
fn custom(resource: &Resource, adapter: &Adapter<'_>, extra: &[WorkloadKind]) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Some(metadata) = resource.node().get("metadata") {
        let problems = kvlint_schema::check_fragment(adapter, metadata.id(), Fragment::ObjectMeta);
        // Files of other tools have an apiVersion, a kind and metadata of their own.
        found.extend(problems.into_iter().filter(|p| !matches!(p.what, ProblemKind::UnknownField { .. })));
    }
    for pod in Workload::new(resource, extra).map(|w| w.pods).unwrap_or_default() {
        let fragment = match pod.row.shape {
            Shape::PodTemplate => Fragment::PodTemplateSpec,
            Shape::PodSpec => Fragment::PodSpec,
            Shape::Container => Fragment::Container,
        };
        // Kinds that embed a spec or a container often add fields of their own beside its fields.
        let open = pod.row.shape != Shape::PodTemplate;
        let own =
            |p: &Problem| open && matches!(p.what, ProblemKind::UnknownField { .. }) && !p.path.contains(['.', '[']);
        let problems = kvlint_schema::check_fragment(adapter, pod.node.id(), fragment);
        found.extend(problems.into_iter().filter(|p| !own(p)));
    }
    found.retain(|p| !matches!(p.what, ProblemKind::Missing { .. }));
    found
}

fn is_directive(what: &ProblemKind) -> bool {
    matches!(what, ProblemKind::UnknownField { name, .. } if name.starts_with(DIRECTIVE))
}

/// Whether the file, or the folder that it lies in, is called `patch` or so.
fn is_called_patch(path: &Path) -> bool {
    let named = |part: Option<&std::ffi::OsStr>| {
        let name = part.and_then(|p| p.to_str()).unwrap_or("").to_lowercase();
        name.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "patch" | "patches"))
    };
    named(path.file_name()) || named(path.parent().and_then(Path::file_name))
}

/// Whether two fields or more are missing, and one of them near the top. People forget one field; a patch has few.
fn lacks_much(problems: &[Problem]) -> bool {
    let missing = || problems.iter().filter(|p| matches!(p.what, ProblemKind::Missing { .. }));
    missing().count() >= 2 && missing().any(|p| matches!(p.path.as_str(), "" | "spec"))
}

/// The bytes to show for a node of a problem: a scalar's own, else its key or its first key.
pub fn place(resource: &Resource, id: NodeId) -> Span {
    let (tree, root) = (resource.tree(), resource.node());
    let node = tree.node(id);
    if node == root {
        return resource.grip();
    }
    if node.text().is_some() && !node.span().is_empty() {
        return node.span();
    }
    tree.key_of(id).map_or_else(|| node.grip(), |key| key.written_span())
}

/// The end of a path, short enough for a message.
pub fn short_path(path: &str) -> &str {
    const LONGEST: usize = 45;
    let mut rest = path;
    while rest.len() > LONGEST {
        // Dots in `["a.b/c"]` are no steps.
        match rest[..rest.find("[\"").unwrap_or(rest.len())].find('.') {
            Some(dot) => rest = &rest[dot + 1..],
            None => break,
        }
    }
    rest
}

/// The path of the mapping that the field at this path stands in; empty for the object itself.
pub fn parent_path(path: &str) -> &str {
    let step = if path.ends_with("\"]") { path.rfind("[\"") } else { path.rfind('.') };
    step.map_or("", |at| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_in_keys_are_no_steps() {
        assert_eq!(parent_path("spec.template.metadata.labels[\"a.b/c\"]"), "spec.template.metadata.labels");
        assert_eq!(parent_path("spec.ports[0].port"), "spec.ports[0]");
        assert_eq!(parent_path("data"), "");
        let long = "spec.jobTemplate.spec.template.metadata.labels[\"model.aibrix.ai/kv-events-enabled\"]";
        assert_eq!(short_path(long), "labels[\"model.aibrix.ai/kv-events-enabled\"]");
    }

    #[test]
    fn patches_are_known_by_name() {
        for path in ["a/patches/x.yaml", "my-patch.yaml", "memory_patch.yml"] {
            assert!(is_called_patch(Path::new(path)), "{path}");
        }
        assert!(!is_called_patch(Path::new("dispatch/deployment.yaml")));
    }
}
