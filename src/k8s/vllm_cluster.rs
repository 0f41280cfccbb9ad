//! VLLMCluster: a custom resource from which a controller writes a StatefulSet of engines.

use crate::facts::kubernetes;
use crate::load::Resource;
use crate::source::Span;
use crate::yaml::Node;

use super::Resolved;
use super::autoscaler::whole_number;

/// A VLLMCluster.
#[derive(Clone, Copy, Debug)]
pub struct VllmCluster<'t> {
    /// The object.
    pub resource: &'t Resource,
}

/// The resource that a GPU is asked for by.
pub const GPU: &str = "nvidia.com/gpu";

impl<'t> VllmCluster<'t> {
    /// The view of an object of this kind.
    pub fn new(resource: &'t Resource) -> Option<VllmCluster<'t>> {
        let kind = resource.kind() == "VLLMCluster";
        (kind && kubernetes::spec_schema(resource.api_version(), resource.kind()).is_some())
            .then_some(VllmCluster { resource })
    }

    fn number(self, path: &str) -> Resolved<i64> {
        whole_number(self.resource.node().at(path)).unwrap_or(Resolved::Absent(self.resource.grip()))
    }

    /// How many pods to start with.
    pub fn replicas(self) -> Resolved<i64> {
        self.number("spec.replicas")
    }

    /// Whether the number of pods is left to an autoscaler.
    pub fn is_scaled(self) -> bool {
        self.resource.node().at("spec.autoScaling.enabled").and_then(Node::as_bool) == Some(true)
    }

    /// The autoscaler's least number of pods.
    pub fn min(self) -> Resolved<i64> {
        self.number("spec.autoScaling.minReplicas")
    }

    /// The autoscaler's greatest number of pods.
    pub fn max(self) -> Resolved<i64> {
        self.number("spec.autoScaling.maxReplicas")
    }

    /// In how many parts each layer is cut; one where nothing is written.
    pub fn tensor_parallel(self) -> Resolved<i64> {
        self.or_one("spec.vllm.tensorParallelSize")
    }

    /// In how many stages the layers are cut; one where nothing is written.
    pub fn pipeline_parallel(self) -> Resolved<i64> {
        self.or_one("spec.vllm.pipelineParallelSize")
    }

    fn or_one(self, path: &str) -> Resolved<i64> {
        self.number(path).or(Resolved::Known(1, self.resource.grip()))
    }

    /// The GPUs of a pod: `limits` if there are any, since Kubernetes takes the request from them; else `requests`.
    pub fn gpus(self) -> Resolved<i64> {
        self.quantity("limits").or(self.quantity("requests"))
    }

    /// The GPUs that `requests` asks for beside `limits`.
    pub fn requested_gpus(self) -> Resolved<i64> {
        self.quantity("requests")
    }

    /// The place where GPUs would be asked for.
    pub fn gpus_place(self) -> Span {
        let node = self.resource.node();
        let places = ["spec.resources.resources.limits", "spec.resources.resources.requests", "spec.resources"];
        let found = places.iter().find_map(|path| node.at(path));
        found.map_or_else(|| self.resource.grip(), |n| n.key_span().unwrap_or_else(|| n.grip()))
    }

    fn quantity(self, list: &str) -> Resolved<i64> {
        let resources = self.resource.node().at("spec.resources.resources");
        match resources.and_then(|r| r.get(list)).and_then(|l| l.get(GPU)).filter(|n| !n.is_null()) {
            None => Resolved::Absent(self.gpus_place()),
            Some(n) => n
                .text()
                .and_then(|t| t.trim().parse().ok())
                .map_or(Resolved::Unknown(n.span()), |i| Resolved::Known(i, n.span())),
        }
    }
}
