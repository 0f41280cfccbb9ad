//! A migration as a Kustomize component: `components: [kv-events]` in an overlay makes the change there and nowhere else.

use serde_json::{Value as Json, json};

use super::patches::{ObjectChange, ObjectName};

/// The files of a component: names and texts.
///
/// # Errors
/// When an object would have to go away, which a component can say only of objects that it patches.
pub fn component(changes: &[ObjectChange]) -> Result<Vec<(String, String)>, String> {
    let mut patches: Vec<Json> = Vec::new();
    let mut resources: Vec<String> = Vec::new();
    let mut files = Vec::new();
    for change in changes {
        match change {
            ObjectChange::Patched { object, there, .. } => {
                patches.push(json!({"target": target(object), "patch": text(&Json::Array(there.clone()))?}));
            }
            ObjectChange::Created(object, value) => {
                let name = format!("{}-{}.yaml", object.kind.to_ascii_lowercase(), object.name);
                files.push((name.clone(), text(value)?));
                resources.push(name);
            }
            ObjectChange::Deleted(object, _) => {
                let delete = json!({
                    "apiVersion": object.api_version, "kind": object.kind, "metadata": {"name": object.name}, "$patch": "delete",
                });
                patches.push(json!({"target": target(object), "patch": text(&delete)?}));
            }
        }
    }
    let mut root = json!({"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"});
    if let Some(root) = root.as_object_mut() {
        if !resources.is_empty() {
            root.insert("resources".into(), resources.into());
        }
        if !patches.is_empty() {
            root.insert("patches".into(), patches.into());
        }
    }
    files.insert(0, ("kustomization.yaml".to_string(), text(&root)?));
    Ok(files)
}

fn target(object: &ObjectName) -> Json {
    let (group, version) = object.api_version.split_once('/').unwrap_or(("", &object.api_version));
    let mut target = json!({"version": version, "kind": object.kind, "name": anchored(&object.name)});
    if let Some(target) = target.as_object_mut() {
        if !group.is_empty() {
            target.insert("group".into(), group.into());
        }
        if let Some(namespace) = &object.namespace {
            target.insert("namespace".into(), anchored(namespace).into());
        }
    }
    target
}

/// Names in a target are regular expressions, anchored by Kustomize.
fn anchored(name: &str) -> String {
    regex::escape(name).replace(r"\-", "-")
}

fn text(value: &Json) -> Result<String, String> {
    serde_yaml::to_string(value).map_err(|e| e.to_string())
}
