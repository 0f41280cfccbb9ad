//! Fields without which the API server never accepts an object.
//!
//! k8s-openapi reads an absent required field as its default, so presence is checked apart. The tables hold only what
//! decoding, defaulting and validation together always refuse: `podSelector` of a NetworkPolicy is marked as required
//! in the OpenAPI document, yet its absence is accepted, and so it is not here. Struct names are k8s-openapi's; for an
//! object that is its kind.

/// Fields that both the OpenAPI document requires and validation insists on.
pub(crate) fn by_schema(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "ClusterRoleBinding" | "RoleBinding" => &["roleRef"],
        "ConfigMapKeySelector" | "SecretKeySelector" => &["key"],
        "Container" | "EphemeralContainer" | "EnvVar" | "Volume" => &["name"],
        "ContainerPort" => &["containerPort"],
        "CronJobSpec" => &["schedule", "jobTemplate"],
        "CrossVersionObjectReference" | "RoleRef" | "Subject" => &["kind", "name"],
        "CustomResourceDefinitionNames" => &["plural", "kind"],
        "CustomResourceDefinitionSpec" => &["group", "names", "scope", "versions"],
        "CustomResourceDefinitionVersion" => &["name"],
        "DaemonSetSpec" | "DeploymentSpec" | "StatefulSetSpec" => &["selector", "template"],
        "EndpointSlice" => &["addressType"],
        "HTTPIngressPath" => &["pathType", "backend"],
        "HTTPIngressRuleValue" => &["paths"],
        "HorizontalPodAutoscalerSpec" => &["scaleTargetRef", "maxReplicas"],
        "HTTPGetAction" | "ServicePort" | "TCPSocketAction" => &["port"],
        "HostPathVolumeSource" => &["path"],
        "IngressServiceBackend" => &["name"],
        "JobSpec" => &["template"],
        "KeyToPath" => &["key", "path"],
        "LabelSelectorRequirement" | "NodeSelectorRequirement" => &["key", "operator"],
        "MetricSpec" | "MetricTarget" => &["type"],
        "MutatingWebhook" | "ValidatingWebhook" => &["name", "clientConfig", "sideEffects", "admissionReviewVersions"],
        "NFSVolumeSource" => &["server", "path"],
        "NodeSelector" => &["nodeSelectorTerms"],
        "ObjectFieldSelector" => &["fieldPath"],
        "OwnerReference" => &["apiVersion", "kind", "name", "uid"],
        "PersistentVolumeClaimVolumeSource" => &["claimName"],
        "PodAffinityTerm" => &["topologyKey"],
        "PodSpec" => &["containers"],
        "PolicyRule" => &["verbs"],
        "PreferredSchedulingTerm" => &["weight"],
        "ReplicaSetSpec" => &["selector"],
        "ResourceFieldSelector" => &["resource"],
        "ResourceMetricSource" => &["name", "target"],
        "StorageClass" => &["provisioner"],
        "TopologySpreadConstraint" => &["maxSkew", "topologyKey", "whenUnsatisfiable"],
        "VolumeDevice" => &["name", "devicePath"],
        "VolumeMount" => &["name", "mountPath"],
        "WeightedPodAffinityTerm" => &["weight", "podAffinityTerm"],
        _ => &[],
    }
}

/// Fields that the OpenAPI document calls optional and validation insists on all the same. Validation of the core
/// kinds alone: in a custom kind an operator may fill them in.
pub(crate) fn by_validation(type_name: &str) -> &'static [&'static str] {
    match type_name {
        // An absent `spec` or `template` is read as an empty one, which has no containers, rules or names.
        "CronJob"
        | "DaemonSet"
        | "Deployment"
        | "Job"
        | "Pod"
        | "ReplicaSet"
        | "ReplicationController"
        | "StatefulSet" => &["spec"],
        "CustomResourceDefinition" | "HorizontalPodAutoscaler" | "Ingress" => &["spec"],
        "Container" => &["image"],
        "JobTemplateSpec" | "PodTemplateSpec" => &["spec"],
        "ReplicaSetSpec" | "ReplicationControllerSpec" => &["template"],
        _ => &[],
    }
}
