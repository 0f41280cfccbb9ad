//! Takes the settings out of a tree; what is wrong with it was said by the check and is passed over here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::{Config, Contract, Level, Override, Place};
use crate::facts::Release;
use crate::facts::Status;
use crate::facts::workloads::{PodPath, PodRole, SelectorForm, Shape, WorkloadKind};
use crate::load::{Exclude, helm};
use crate::yaml::Node;

/// Reads a pattern. `*` stays within a folder, `**` does not; a pattern without `/` matches at any depth.
///
/// # Errors
/// What is malformed.
pub(super) fn glob(pattern: &str) -> Result<Glob, String> {
    let bare = pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/');
    let rooted = match bare.strip_prefix('/') {
        Some(rest) => rest.to_string(),
        None if bare.contains('/') => bare.to_string(),
        None => format!("**/{bare}"),
    };
    if bare.is_empty() {
        return Err("it is empty".into());
    }
    GlobBuilder::new(&rooted).literal_separator(true).build().map_err(|e| e.kind().to_string())
}

fn globs(node: Option<Node<'_>>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    texts(node).filter_map(|t| glob(t).ok()).for_each(|g| {
        set.add(g);
    });
    set.build().unwrap_or_default()
}

fn texts(node: Option<Node<'_>>) -> impl Iterator<Item = &str> {
    node.map(Node::items).unwrap_or_default().into_iter().filter_map(Node::as_str)
}

fn items(node: Option<Node<'_>>) -> Vec<Node<'_>> {
    node.map(Node::items).unwrap_or_default()
}

fn text(node: Node<'_>, key: &str) -> Option<String> {
    node.get(key).and_then(Node::as_str).map(str::to_string)
}

fn release(node: Option<Node<'_>>) -> Option<Release> {
    node?.text()?.parse().ok()
}

/// The level that a word names. `off` is a boolean to YAML 1.1, so the words count as written.
fn level(node: Node<'_>) -> Option<Level> {
    match node.text()? {
        "off" => Some(Level::Off),
        "info" => Some(Level::Info),
        "warning" => Some(Level::Warning),
        "error" => Some(Level::Error),
        _ => None,
    }
}

fn levels(node: Option<Node<'_>>) -> Vec<(String, Level)> {
    let entries = node.map(Node::entries).unwrap_or_default();
    entries.into_iter().filter_map(|e| Some((e.key.text()?.to_string(), level(e.value)?))).collect()
}

fn labels(node: Node<'_>) -> Vec<(String, String)> {
    let pair = |e: crate::yaml::Entry<'_>| Some((e.key.text()?.to_string(), e.value.as_str()?.to_string()));
    node.entries().into_iter().filter_map(pair).collect()
}

/// Fills a configuration from the top mapping.
pub(super) fn read(root: Node<'_>, place: Place<'_>, config: &mut Config) {
    config.rules = levels(root.get("rules"));
    config.exclude = globs(root.get("exclude"));
    let one = |node: Node<'_>| Override { files: globs(node.get("files")), rules: levels(node.get("rules")) };
    config.overrides = items(root.get("overrides")).into_iter().map(one).collect();
    config.assume.engine = release(root.at("assume.engine"));
    config.assume.gateway = release(root.at("assume.gateway"));
    if let Some(minimum) = release(root.at("minimum.engine")) {
        config.minimum_engine = minimum;
    }
    config.contract = match root.get("contract").and_then(Node::text) {
        Some("documented") => Contract::Documented,
        _ => Contract::Observed,
    };
    if let Some(gateway) = root.get("gateway") {
        if let Some(namespace) = text(gateway, "namespace") {
            config.gateway.namespace = namespace;
        }
        match gateway.get("labels") {
            Some(sets) if sets.is_sequence() => config.gateway.labels = sets.items().into_iter().map(labels).collect(),
            Some(set) if set.is_mapping() => config.gateway.labels = vec![labels(set)],
            _ => {}
        }
    }
    config.workloads = items(root.get("workloads")).into_iter().filter_map(workload).collect();
    let canonical = |path: &str| std::fs::canonicalize(place.at(path)?).ok().filter(|p| p.is_dir());
    if let Some(node) = root.get("helm") {
        helm(node, place, &mut config.helm);
    }
    config.roots = texts(root.get("roots")).filter_map(canonical).collect();
}

fn helm(node: Node<'_>, place: Place<'_>, options: &mut helm::Options) {
    let strings = |node: Option<Node<'_>>| texts(node).map(str::to_string).collect::<Vec<_>>();
    options.release = text(node, "release").filter(|name| helm::is_release_name(name));
    options.namespace = text(node, "namespace");
    options.kube_version = text(node, "kube_version").filter(|version| helm::is_kube_version(version));
    options.api_versions = strings(node.get("api_versions"));
    let arguments = |node: Option<Node<'_>>| {
        let mut found = strings(node);
        found.retain(|text| helm::values::check_set(text).is_ok());
        found
    };
    options.set = arguments(node.get("set"));
    let seconds = node.get("timeout").and_then(Node::as_int).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
    options.timeout = seconds.map_or(options.timeout, Duration::from_secs);
    // Shown as they would be given on the command line.
    let here = std::env::current_dir().unwrap_or_default();
    let file = |path: &str| -> Option<PathBuf> {
        let path = place.at(path)?;
        Some(path.strip_prefix(&here).map_or_else(|_| path.clone(), Path::to_path_buf))
    };
    let set = |node: Node<'_>| {
        Some(helm::NamedSet {
            name: text(node, "name")?,
            files: texts(node.get("files")).filter_map(file).filter(|path| path.is_file()).collect(),
            set: arguments(node.get("set")),
            charts: node
                .get("charts")
                .map(|charts| Exclude { base: place.folder.to_path_buf(), patterns: globs(Some(charts)) }),
        })
    };
    options.sets = items(node.get("values")).into_iter().filter_map(set).collect();
}

fn workload(node: Node<'_>) -> Option<WorkloadKind> {
    Some(WorkloadKind {
        group: text(node, "group")?,
        kind: text(node, "kind")?,
        versions: texts(node.get("versions")).map(str::to_string).collect(),
        pods: items(node.get("pods")).into_iter().filter_map(pod).collect(),
        misleading_labels: texts(node.get("misleading_labels")).map(str::to_string).collect(),
        completed: false,
        args: None,
        env: None,
        creates: None,
        pod_labels: Vec::new(),
        note: None,
        source: "kvlint.yaml".into(),
        status: Status::Documented,
    })
}

fn pod(node: Node<'_>) -> Option<PodPath> {
    Some(PodPath {
        path: text(node, "path")?,
        shape: match node.get("shape")?.text()? {
            "pod_template" => Shape::PodTemplate,
            "pod_spec" => Shape::PodSpec,
            "container" => Shape::Container,
            _ => return None,
        },
        labels: text(node, "labels"),
        role: match node.get("role").and_then(Node::text) {
            Some("worker") => PodRole::Worker,
            Some("auxiliary") => PodRole::Auxiliary,
            _ => PodRole::Serving,
        },
        replicas: text(node, "replicas"),
        selector: text(node, "selector"),
        selector_form: match node.get("selector_form").and_then(Node::text) {
            Some("labels") => SelectorForm::Labels,
            _ => SelectorForm::LabelSelector,
        },
    })
}
