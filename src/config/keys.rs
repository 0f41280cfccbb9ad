//! The keys of kvlint.yaml: one table, from which the file is checked and its JSON Schema is made.

/// One key of a mapping.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    /// For editors: what the key does.
    pub(super) about: &'static str,
    pub(super) value: Value,
    pub(super) required: bool,
}

/// What may stand under a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A release such as `0.11.0`.
    Release,
    /// A pattern of paths.
    Glob,
    /// A path of keys into an object.
    ObjectPath,
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A number of seconds.
    Seconds,
    /// The name of a release.
    ReleaseName,
    /// A version of Kubernetes.
    KubeVersion,
    /// What helm's `--set` takes.
    Set,
    /// Rules and their levels.
    Levels,
    /// One set of labels, or several.
    LabelSets,
    /// Any number of these.
    List(&'static Value),
    /// A mapping with these keys.
    Object(&'static [Key]),
}

/// What a user can make of a rule.
pub(super) const LEVELS: &[&str] = &["off", "info", "warning", "error"];

const fn key(name: &'static str, value: Value, about: &'static str) -> Key {
    Key { name, about, value, required: false }
}

const fn required(name: &'static str, value: Value, about: &'static str) -> Key {
    Key { name, about, value, required: true }
}

/// The keys at the top.
pub(super) const TOP: &[Key] = &[
    key("rules", Value::Levels, "The level of each rule: off, info, warning or error."),
    key("overrides", Value::List(&Value::Object(OVERRIDE)), "Levels for some files; later entries win."),
    key("exclude", Value::List(&Value::Glob), "Files and folders to leave out, as patterns relative to this file."),
    key(
        "roots",
        Value::List(&Value::Folder),
        "Folders whose manifests are deployed together, each apart from the rest.",
    ),
    key(
        "contract",
        Value::Choice(&["documented", "observed"]),
        "Whether to judge by the documents alone, or also by what releases do.",
    ),
    key("assume", Value::Object(ASSUME), "Releases that image tags do not tell."),
    key("minimum", Value::Object(MINIMUM), "The oldest releases to accept."),
    key("gateway", Value::Object(GATEWAY), "Where the gateway runs, when it is not among the manifests."),
    key("workloads", Value::List(&Value::Object(WORKLOAD)), "Kinds of your own that make pods."),
    key("helm", Value::Object(HELM), "How Helm charts are rendered."),
];

const HELM: &[Key] = &[
    key("release", Value::ReleaseName, "The release's name; release-name when left out, as in helm."),
    key("namespace", Value::Text, "The namespace of the release."),
    key("kube_version", Value::KubeVersion, "The version of Kubernetes that templates are told, such as 1.31.0."),
    key("api_versions", Value::List(&Value::Text), "API versions that templates are told of beside the built-in ones."),
    key("timeout", Value::Seconds, "How many seconds one run of helm may take; 30 when left out."),
    key(
        "values",
        Value::List(&Value::Object(VALUES)),
        "Values sets that charts are rendered with, instead of their own values and their ci/ files.",
    ),
    key("set", Value::List(&Value::Set), "Values over all sets, as helm's --set takes them."),
];

const VALUES: &[Key] = &[
    required("name", Value::Text, "What findings call the set."),
    key("files", Value::List(&Value::File), "Values files, relative to this file; later ones win."),
    key("set", Value::List(&Value::Set), "Values over the files, as helm's --set takes them."),
    key(
        "charts",
        Value::List(&Value::Glob),
        "The charts that it is for, as patterns relative to this file; all when left out.",
    ),
];

const OVERRIDE: &[Key] = &[
    required("files", Value::List(&Value::Glob), "Patterns of paths, relative to this file."),
    required("rules", Value::Levels, "The level of each rule for these files."),
];

const ASSUME: &[Key] = &[
    key("engine", Value::Release, "The release of vLLM in images whose tag does not tell, such as 0.11.0."),
    key("gateway", Value::Release, "The release of the gateway, such as 0.5.0."),
];

const MINIMUM: &[Key] = &[key("engine", Value::Release, "The oldest vLLM to accept, such as 0.9.0.")];

const GATEWAY: &[Key] = &[
    key("namespace", Value::Text, "The gateway's namespace."),
    key("labels", Value::LabelSets, "The labels of the gateway's pods; a list where several sets are possible."),
];

const WORKLOAD: &[Key] = &[
    required("group", Value::Text, "The API group; empty for the core group."),
    required("kind", Value::Text, "The kind."),
    key("versions", Value::List(&Value::Text), "The versions that this holds for; all when left out."),
    required(
        "pods",
        Value::List(&Value::Object(POD)),
        "Where pods are described; empty when the kind has no pod template.",
    ),
    key("misleading_labels", Value::List(&Value::ObjectPath), "Paths of labels that do not reach the pods."),
];

const POD: &[Key] = &[
    required(
        "path",
        Value::ObjectPath,
        "Keys from the object's root: `[]` is every item of a list, `{}` every value of a map.",
    ),
    required("shape", Value::Choice(&["pod_template", "pod_spec", "container"]), "What stands there."),
    key("labels", Value::ObjectPath, "The path of the pods' labels, where the shape does not say it."),
    key("role", Value::Choice(&["serving", "worker", "auxiliary"]), "What the pods are; serving when left out."),
    key("replicas", Value::ObjectPath, "The path of the number of pods."),
    key("selector", Value::ObjectPath, "The path of the selector that must match the labels."),
    key(
        "selector_form",
        Value::Choice(&["label_selector", "labels"]),
        "How the selector is written; label_selector when left out.",
    ),
];
