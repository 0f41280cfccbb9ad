//! Workloads and the pods that they make, wherever their kind keeps the template.

use std::sync::Arc;

use crate::facts::kubernetes;
use crate::facts::workloads::{self, PodPath, PodRole, Segment, SelectorForm, Shape, WorkloadKind};
use crate::load::Resource;
use crate::source::Span;
use crate::yaml::{Entry, Node, is_unfinished};

use super::Resolved;
use super::container::Container;
use super::selector::{Selector, Truth};

/// A set of labels as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'t> {
    /// The mapping, where there is one.
    pub node: Option<Node<'t>>,
}

impl<'t> Labels<'t> {
    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<Entry<'t>> {
        self.node?.entry(key)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Node<'t>> {
        self.entry(key).map(|e| e.value)
    }

    /// Whether a key stands there; not known where keys or the whole mapping are templated.
    pub fn has(&self, key: &str) -> Option<bool> {
        let Some(node) = self.node else { return Some(false) };
        if self.get(key).is_some() {
            return Some(true);
        }
        (!self.is_open(node)).then_some(false)
    }

    fn is_open(&self, node: Node<'t>) -> bool {
        !node.is_mapping() && !node.is_null() || node.entries().iter().any(|e| e.key.text().is_none_or(is_unfinished))
    }

    /// Whether a key or a value, or the whole mapping, is still to be filled in.
    pub fn has_templates(&self) -> bool {
        let Some(node) = self.node else { return false };
        let open = |node: Node<'t>| node.text().is_none_or(is_unfinished);
        !node.is_mapping() || node.entries().iter().any(|e| open(e.key) || open(e.value))
    }

    /// Whether a key has a value; not known where either is templated.
    pub fn equals(&self, key: &str, value: &str) -> Option<bool> {
        match self.get(key) {
            // Kubernetes reads null as the empty string.
            Some(node) if node.is_null() => Some(value.is_empty()),
            // The same template on both sides renders to the same text.
            Some(node) if node.text() == Some(value) => Some(true),
            Some(node) if is_unfinished(value) || node.text().is_none_or(is_unfinished) => None,
            Some(_) => Some(false),
            None => self.has(key),
        }
    }
}

/// One kind of pod that a workload makes.
#[derive(Clone, Debug)]
pub struct PodTemplate<'t> {
    /// The workload's object.
    pub resource: &'t Resource,
    /// The row of the table that led here.
    pub row: &'t PodPath,
    /// The template: `metadata` and `spec`, or a bare spec, or one container.
    pub node: Node<'t>,
    /// The name of the list item or the key of the map that the pods belong to, where the object makes several kinds.
    pub part: Option<&'t str>,
    /// The pod's spec; none where the row leads to a single container.
    pub spec: Option<Node<'t>>,
    /// The labels that the pods will carry.
    pub labels: Labels<'t>,
    /// The annotations that the pods will carry, which stand beside the labels.
    pub annotations: Labels<'t>,
    /// Where a label would be added: the labels' key, else the nearest parent's.
    pub labels_place: Span,
    /// Whether labels can be set at all.
    pub can_have_labels: bool,
    /// How many pods; not known where an autoscaler or a template decides.
    pub replicas: Resolved<i64>,
    /// The selector that must match the labels.
    pub selector: Option<Selector<'t>>,
    // Nearly every rule asks for them.
    containers: Arc<[Container<'t>]>,
}

/// An object that makes pods.
#[derive(Clone, Debug)]
pub struct Workload<'t> {
    /// The object.
    pub resource: &'t Resource,
    /// Its row of the table.
    pub kind: &'t WorkloadKind,
    /// Its pods.
    pub pods: Vec<PodTemplate<'t>>,
}

impl<'t> Workload<'t> {
    /// The view of an object that makes pods. `extra` are kinds of the user's configuration, which win.
    pub fn new(resource: &'t Resource, extra: &'t [WorkloadKind]) -> Option<Workload<'t>> {
        let (api_version, kind) = (resource.api_version(), resource.kind());
        let row = workloads::find_in(extra, api_version, kind).or_else(|| workloads::find(api_version, kind))?;
        let mut pods = Vec::new();
        for path in &row.pods {
            let mut at = Vec::new();
            follow(resource.node(), &workloads::segments(&path.path), &mut Vec::new(), &mut at);
            pods.extend(at.into_iter().map(|(node, choices)| PodTemplate::new(resource, path, node, &choices)));
        }
        Some(Workload { resource, kind: row, pods })
    }

    /// Labels that stand where people take them for the pods' labels, with the path of each.
    pub fn misleading_labels(&self) -> Vec<(&'t str, Labels<'t>)> {
        let mut found = Vec::new();
        for path in &self.kind.misleading_labels {
            let mut at = Vec::new();
            follow(self.resource.node(), &workloads::segments(path), &mut Vec::new(), &mut at);
            found.extend(at.into_iter().map(|(node, _)| (path.as_str(), Labels { node: Some(node) })));
        }
        found
    }
}

/// Which item or value was taken at each `[]` and `{}` of a path, so that a sibling path takes the same.
type Choices<'t> = Vec<Node<'t>>;

fn follow<'t>(
    node: Node<'t>,
    path: &[Segment<'_>],
    choices: &mut Choices<'t>,
    found: &mut Vec<(Node<'t>, Choices<'t>)>,
) {
    let Some((step, rest)) = path.split_first() else {
        found.push((node, choices.clone()));
        return;
    };
    let next = match step {
        Segment::Key(key) => {
            if let Some(value) = node.get(key) {
                follow(value, rest, choices, found);
            }
            return;
        }
        Segment::Items => node.items(),
        Segment::Values => node.entries().into_iter().map(|e| e.value).collect(),
    };
    for item in next {
        choices.push(item);
        follow(item, rest, choices, found);
        choices.pop();
    }
}

/// The node at a sibling path, under the same list items; and the last node on the way when it ends early.
fn sibling<'t>(root: Node<'t>, path: &str, choices: &Choices<'t>) -> Result<Node<'t>, Node<'t>> {
    let mut node = root;
    let mut taken = choices.iter();
    for step in workloads::segments(path) {
        node = match step {
            Segment::Key(key) => node.get(key).ok_or(node)?,
            Segment::Items | Segment::Values => *taken.next().ok_or(node)?,
        };
    }
    Ok(node)
}

/// The containers of one list of a pod's spec.
fn list<'t>(spec: Option<Node<'t>>, key: &str, init: bool) -> impl Iterator<Item = Container<'t>> {
    let items = spec.and_then(|s| s.get(key)).map(Node::items).unwrap_or_default();
    items.into_iter().filter(|n| n.is_mapping()).map(move |node| Container { node, init })
}

impl<'t> PodTemplate<'t> {
    fn new(resource: &'t Resource, row: &'t PodPath, node: Node<'t>, choices: &Choices<'t>) -> PodTemplate<'t> {
        let root = resource.node();
        let labels_path = row.labels_path();
        let labels = labels_path.as_deref().map(|path| sibling(root, path, choices));
        let annotations = labels_path.as_deref().and_then(|path| path.strip_suffix("labels"));
        let annotations = annotations.and_then(|parent| sibling(root, &format!("{parent}annotations"), choices).ok());
        let labels_place = match labels {
            Some(Ok(labels)) => labels.key_span().unwrap_or_else(|| labels.grip()),
            Some(Err(parent)) if parent != root => parent.key_span().unwrap_or_else(|| parent.grip()),
            _ => node.key_span().unwrap_or_else(|| resource.grip()),
        };
        let replicas = match row.replicas.as_deref().map(|path| sibling(root, path, choices)) {
            Some(Ok(n)) => n.as_int().map_or(Resolved::Unknown(n.span()), |i| Resolved::Known(i, n.span())),
            Some(Err(parent)) => Resolved::Absent(parent.grip()),
            None => Resolved::Unknown(resource.grip()),
        };
        let selector = row.selector.as_deref().and_then(|path| sibling(root, path, choices).ok()).map(|n| {
            match row.selector_form {
                SelectorForm::LabelSelector => Selector::Expressions(n),
                SelectorForm::Labels => Selector::Map(n),
            }
        });
        let spec = match row.shape {
            Shape::PodTemplate => node.get("spec"),
            Shape::PodSpec => Some(node),
            Shape::Container => None,
        };
        PodTemplate {
            resource,
            row,
            node,
            part: choices.last().and_then(|item| {
                let name =
                    || row.path.contains("[]").then(|| item.get("name").or_else(|| item.get("groupName"))).flatten();
                item.key_text().or_else(|| name()?.text())
            }),
            spec,
            containers: match row.shape {
                Shape::Container => Arc::new([Container { node, init: false }]),
                _ => list(spec, "initContainers", true).chain(list(spec, "containers", false)).collect(),
            },
            labels: Labels { node: labels.and_then(Result::ok).filter(|n| !n.is_null()) },
            annotations: Labels { node: annotations.filter(|n| !n.is_null()) },
            labels_place,
            can_have_labels: labels_path.is_some(),
            replicas,
            selector,
        }
    }

    /// Whether a selector selects the pods. Where a controller adds labels of its own, a label that the template lacks may
    /// still be on the pods, so it is unknown; a label with another value is not the one that is asked for.
    pub fn selected_by(&self, selector: Selector<'t>) -> Truth {
        selector.requirements(&self.labels).into_iter().fold(Truth::Yes, |all, (node, one)| {
            all.and(if one == Truth::No && self.may_gain(node) { Truth::Unknown } else { one })
        })
    }

    /// Whether a controller may give the pods a label that a requirement asks for and the template lacks.
    fn may_gain(&self, requirement: Node<'t>) -> bool {
        let key = match requirement.get("key").and_then(Node::text) {
            Some(key) => key,
            None => requirement.key_text().unwrap_or(""),
        };
        let missing = self.labels.has(key) == Some(false);
        missing && (!kubernetes::is_built_in(self.resource.group()) || kubernetes::is_controller_label(key))
    }

    /// Whether labels may be on the pods that the template does not tell, so that an index by labels misses them.
    pub fn has_open_labels(&self) -> bool {
        !kubernetes::is_built_in(self.resource.group()) || self.labels.has_templates()
    }

    /// The place that took a label of the pods away while a kustomization was built.
    pub fn removed_label(&self, key: &str) -> Option<Span> {
        let labels = self.row.labels_path()?;
        let mut path: Vec<&str> = labels.split('.').collect();
        path.push(key);
        self.resource.removed(&path).map(|(by, _)| by)
    }

    /// What to say about [`PodTemplate::labels_place`].
    pub fn labels_hint(&self) -> &'static str {
        if self.labels.node.is_some() { "the pods' labels are here" } else { "the pods' labels belong here" }
    }

    /// Whether the pods may serve a model themselves.
    pub fn is_serving(&self) -> bool {
        self.row.role == PodRole::Serving
    }

    /// The containers, init containers first.
    pub fn containers(&self) -> impl Iterator<Item = Container<'t>> + '_ {
        self.containers.iter().copied()
    }

    /// Whether the pods may have ports of any name beside those that can be read: a controller adds containers, a part is
    /// filled in later, or a name is one that Kubernetes refuses, so that it has to become another.
    pub fn has_open_port_names(&self) -> bool {
        let refused = |name: Node<'_>| name.as_str().is_some_and(|n| !kubernetes::table().port_name.accepts(n));
        let open = |container: Container<'_>| {
            // Without an image it is a patch of a container that is written elsewhere.
            container.image().is_none()
                || container.node.get("ports").is_some_and(|n| !n.is_sequence() && !n.is_null())
                || container.listed_ports().filter_map(|p| p.name).any(|name| name.is_templated() || refused(name))
        };
        !kubernetes::keeps_containers(self.resource.group(), self.resource.kind())
            || self.containers.is_empty()
            || self.containers().any(open)
    }

    /// Whether the pods share the node's network.
    pub fn host_network(&self) -> Option<Node<'t>> {
        self.spec?.get("hostNetwork").filter(|n| n.as_bool() == Some(true))
    }

    /// The volume of this name.
    pub fn volume(&self, name: &str) -> Option<Node<'t>> {
        let volumes = self.spec?.get("volumes")?.items();
        volumes.into_iter().find(|v| v.get("name").and_then(Node::text) == Some(name))
    }

    /// What to call the pods in a message: the object, and the place in it where there are several.
    pub fn title(&self) -> String {
        self.resource.title()
    }
}

#[cfg(test)]
mod tests;
