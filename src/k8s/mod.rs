//! Typed views over nodes: workloads, pods, containers, services, selectors.

pub mod autoscaler;
pub mod container;
pub mod expansion;
pub mod image;
pub mod policy;
pub mod reach;
mod resolved;
pub mod schema;
pub mod selector;
pub mod service;
pub mod spec;
pub mod text;
pub mod vllm_cluster;
pub mod workload;

pub use autoscaler::Autoscaler;
pub use container::{Argv, Container, ContainerPort, EnvVar};
pub use resolved::Resolved;
pub use selector::{Selector, Truth};
pub use service::{ClusterHost, Service, ServicePort, TargetPort};
pub use text::Text;
pub use vllm_cluster::VllmCluster;
pub use workload::{Labels, PodTemplate, Workload};
