//! Objects that scale other workloads: PodAutoscaler, KEDA's ScaledObject, HorizontalPodAutoscaler.

use crate::facts::kubernetes;
use crate::load::Resource;
use crate::yaml::{Node, is_unfinished};

use super::Resolved;

/// An autoscaler.
#[derive(Clone, Copy, Debug)]
pub struct Autoscaler<'t> {
    /// The object.
    pub resource: &'t Resource,
    /// Its row of the table.
    pub row: &'static kubernetes::Autoscaler,
}

/// The workload that an autoscaler scales.
#[derive(Clone, Copy, Debug)]
pub struct ScaleTarget<'t> {
    /// The reference.
    pub node: Node<'t>,
    /// The kind.
    pub kind: &'t str,
    /// The name.
    pub name: Node<'t>,
    /// The API group; `None` where it is not written.
    pub group: Option<&'t str>,
    /// The namespace, where the reference names one.
    pub namespace: Option<&'t str>,
}

impl<'t> Autoscaler<'t> {
    /// The view of an object that scales others.
    pub fn new(resource: &'t Resource) -> Option<Autoscaler<'t>> {
        kubernetes::autoscaler(resource.group(), resource.kind()).map(|row| Autoscaler { resource, row })
    }

    /// What it scales; `None` where the reference is not complete or is decided elsewhere.
    pub fn target(self) -> Option<ScaleTarget<'t>> {
        let node = self.resource.node().at(&self.row.target)?;
        let text = |key: &str| node.get(key).and_then(Node::text).filter(|t| !t.is_empty());
        let name = node.get("name").filter(|n| n.text().is_some_and(|t| !t.is_empty()))?;
        let kind = text("kind").or(self.row.default_kind.as_deref())?;
        if [Some(kind), name.text(), text("apiVersion"), text("namespace")].into_iter().flatten().any(is_unfinished) {
            return None;
        }
        let group = text("apiVersion").map(|version| version.split_once('/').map_or("", |(group, _)| group));
        Some(ScaleTarget { node, kind, name, group, namespace: text("namespace") })
    }

    /// The least number of pods; the default where none is written.
    pub fn min(self) -> Resolved<i64> {
        self.bound(&self.row.min, self.row.default_min)
    }

    /// The greatest number of pods; the default where none is written.
    pub fn max(self) -> Resolved<i64> {
        self.bound(&self.row.max, self.row.default_max)
    }

    fn bound(self, path: &str, default: Option<i64>) -> Resolved<i64> {
        let place = self.resource.grip();
        match (whole_number(self.resource.node().at(path)), default) {
            (Some(found), _) => found,
            (None, Some(default)) => Resolved::Known(default, place),
            (None, None) => Resolved::Absent(place),
        }
    }
}

/// A whole number, as far as it is known; `None` where nothing is written.
pub(super) fn whole_number(node: Option<Node<'_>>) -> Option<Resolved<i64>> {
    let node = node.filter(|n| !n.is_null())?;
    Some(node.as_int().map_or(Resolved::Unknown(node.span()), |i| Resolved::Known(i, node.span())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;

    #[test]
    fn defaults_and_references_differ_by_kind() {
        let text = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec:\n  \
                    scaleTargetRef: {name: llama}\n  minReplicaCount: 3\n---\n\
                    apiVersion: autoscaling.aibrix.ai/v1alpha1\nkind: PodAutoscaler\nmetadata: {name: b}\nspec:\n  \
                    scaleTargetRef: {name: llama}\n  maxReplicas: '4'\n---\n\
                    apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: c}\n";
        let loaded = load::from_texts(&[("a.yaml".into(), text.into())]);
        let resources = &loaded.units[0].resources;
        let keda = Autoscaler::new(&resources[0]).unwrap();
        let target = keda.target().unwrap();
        assert_eq!((target.kind, loaded.sources.slice(target.name.span())), ("Deployment", "llama"));
        assert_eq!((keda.min().known(), keda.max().known()), (Some(&3), Some(&100)));
        assert_eq!(loaded.sources.slice(keda.min().span()), "3");
        // Without a kind nobody knows what a PodAutoscaler scales; a string is no number.
        let pod = Autoscaler::new(&resources[1]).unwrap();
        assert!(pod.target().is_none() && pod.min().is_absent() && pod.max().is_unknown());
        assert!(Autoscaler::new(&resources[2]).is_none());
    }
}
