//! Edits of objects that a kustomization built go to the files that set the values.

use std::path::PathBuf;

use kvlint::edit::{Changes, Edit, Refusal};
use kvlint::load::Loaded;
use kvlint::yaml::Node;

use crate::edited;

fn texts(files: &[(&str, &str)]) -> Loaded {
    let files: Vec<(PathBuf, String)> = files.iter().map(|(p, t)| (PathBuf::from(p), (*t).to_string())).collect();
    kvlint::load::from_texts(&files)
}

/// The edited files, by path.
fn after(loaded: &Loaded, edits: &[Edit]) -> Vec<(String, String)> {
    let files = loaded.sources.files().iter();
    files
        .filter_map(|file| {
            let own: Vec<Edit> = edits.iter().filter(|e| e.span.file == file.id()).cloned().collect();
            (!own.is_empty()).then(|| (file.path().display().to_string(), edited(file.text(), &own)))
        })
        .collect()
}

const BASE: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: engine
  labels: {app: engine}
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: engine
          image: vllm/vllm-openai:v0.8.0
          args: [serve, qwen]
";

const OVERLAY: &str = "resources: [../base]
namePrefix: prod-
images:
  - name: vllm/vllm-openai
    newTag: v0.12.0 # the release
patches:
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: engine
        annotations:
          note: x
      spec:
        replicas: 3
  - path: more.yaml
";

const PATCH: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: engine}\nspec:\n  paused: false\n";

fn overlay(
    change: impl for<'t> FnOnce(&mut Changes<'t>, Node<'t>) -> Result<(), Refusal>,
) -> Result<Vec<(String, String)>, String> {
    let loaded = texts(&[
        ("base/deployment.yaml", BASE),
        ("base/kustomization.yaml", "resources: [deployment.yaml]\n"),
        ("prod/kustomization.yaml", OVERLAY),
        ("prod/more.yaml", PATCH),
    ]);
    let unit = loaded.units.iter().find(|u| u.root.ends_with("prod")).expect("the overlay is a unit");
    let mut changes = Changes::new();
    let done = change(&mut changes, unit.resources[0].node()).and_then(|()| changes.finish());
    done.map(|edits| after(&loaded, &edits)).map_err(|r| r.reason)
}

fn one(path: &str, text: String) -> Result<Vec<(String, String)>, String> {
    Ok(vec![(path.to_string(), text)])
}

#[test]
fn edits_of_a_built_object_go_to_the_file_that_set_the_value() {
    let container = |root: Node<'_>| root.at("spec.template.spec.containers").map(|c| c.items()[0].id());
    let at = |root: Node<'_>| container(root).expect("a container");
    // From the base.
    let args = overlay(|ch, root| ch.append(root.tree().node(at(root)), &["args"], "--x"));
    assert_eq!(args, one("base/deployment.yaml", BASE.replace("qwen]", "qwen, --x]")));
    let label = overlay(|ch, root| ch.set(root, &["spec", "template", "metadata", "labels", "k"], "true"));
    let with = format!("{BASE}    metadata:\n      labels:\n        k: \"true\"\n");
    assert_eq!(label, one("base/deployment.yaml", with));
    // A part of a text that `newTag` put together.
    let image = overlay(|ch, root| {
        let image = root.tree().node(at(root)).get("image").expect("an image");
        ch.replace(image, "vllm/vllm-openai:v0.13.0")
    });
    assert_eq!(image, one("prod/kustomization.yaml", OVERLAY.replace("v0.12.0", "v0.13.0")));
    // From a patch in its own file, and from one inside the kustomization.
    let paused = overlay(|ch, root| ch.set(root, &["spec", "paused"], true));
    assert_eq!(paused, one("prod/more.yaml", PATCH.replace("false", "true")));
    let replicas = overlay(|ch, root| ch.set(root, &["spec", "replicas"], 4));
    assert_eq!(replicas, one("prod/kustomization.yaml", OVERLAY.replace("replicas: 3", "replicas: 4")));
    let note = overlay(|ch, root| {
        ch.set(root, &["metadata", "annotations", "more"], "true")?;
        ch.set(root, &["spec", "replicas"], 4)
    });
    let with =
        OVERLAY.replace("note: x\n", "note: x\n          more: \"true\"\n").replace("replicas: 3", "replicas: 4");
    assert_eq!(note, one("prod/kustomization.yaml", with));
    // What nobody wrote.
    let name = overlay(|ch, root| ch.set(root, &["metadata", "name"], "other"));
    assert!(name.is_err(), "{name:?}");
}
