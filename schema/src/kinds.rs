//! Which core kinds there are, and the type that each is decoded into.

use crate::{Fragment, de::DecodeError, node::De};
use k8s_openapi::{
    api::{
        admissionregistration::v1 as admission, apps::v1 as apps, autoscaling::v1 as autoscaling_v1,
        autoscaling::v2 as autoscaling_v2, batch::v1 as batch, coordination::v1 as coordination, core::v1 as core,
        discovery::v1 as discovery, networking::v1 as networking, node::v1 as node, policy::v1 as policy,
        rbac::v1 as rbac, resource::v1 as resource, scheduling::v1 as scheduling, storage::v1 as storage,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions,
    apimachinery::pkg::apis::meta::v1 as meta,
};
use serde::de::DeserializeOwned;

/// Decodes a node into one type, for the problems found on the way.
pub(crate) type Decoder = fn(De<'_>) -> Result<(), DecodeError>;

fn decode<T: DeserializeOwned>(node: De<'_>) -> Result<(), DecodeError> {
    T::deserialize(node).map(drop)
}

/// `"v1": core { Pod Service }` reads: kind `Pod` of `v1` is `core::Pod`.
macro_rules! table {
    ($($api_version:literal : $module:ident { $($kind:ident)* })*) => {
        /// The decoder of a core kind.
        pub(crate) fn decoder(api_version: &str, kind: &str) -> Option<Decoder> {
            match api_version {
                $($api_version => match kind {
                    $(stringify!($kind) => Some(decode::<$module::$kind>),)*
                    _ => None,
                },)*
                _ => None,
            }
        }
    };
}

table! {
    "v1": core {
        ConfigMap Endpoints Event LimitRange Namespace PersistentVolume PersistentVolumeClaim Pod PodTemplate
        ReplicationController ResourceQuota Secret Service ServiceAccount
    }
    "apps/v1": apps { DaemonSet Deployment ReplicaSet StatefulSet }
    "batch/v1": batch { CronJob Job }
    "networking.k8s.io/v1": networking { Ingress IngressClass NetworkPolicy }
    "autoscaling/v1": autoscaling_v1 { HorizontalPodAutoscaler }
    "autoscaling/v2": autoscaling_v2 { HorizontalPodAutoscaler }
    "policy/v1": policy { PodDisruptionBudget }
    "rbac.authorization.k8s.io/v1": rbac { ClusterRole ClusterRoleBinding Role RoleBinding }
    "storage.k8s.io/v1": storage { StorageClass }
    "scheduling.k8s.io/v1": scheduling { PriorityClass }
    "node.k8s.io/v1": node { RuntimeClass }
    "apiextensions.k8s.io/v1": apiextensions { CustomResourceDefinition }
    "admissionregistration.k8s.io/v1": admission { MutatingWebhookConfiguration ValidatingWebhookConfiguration }
    "coordination.k8s.io/v1": coordination { Lease }
    "discovery.k8s.io/v1": discovery { EndpointSlice }
    "resource.k8s.io/v1": resource { DeviceClass ResourceClaim ResourceClaimTemplate }
}

/// The decoder of a fragment.
pub(crate) fn fragment_decoder(fragment: Fragment) -> Decoder {
    match fragment {
        Fragment::PodTemplateSpec => decode::<core::PodTemplateSpec>,
        Fragment::PodSpec => decode::<core::PodSpec>,
        Fragment::Container => decode::<core::Container>,
        Fragment::ObjectMeta => decode::<meta::ObjectMeta>,
    }
}
