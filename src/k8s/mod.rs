//! Typed views over nodes: workloads, pods, containers, services, policies.

pub mod image;
