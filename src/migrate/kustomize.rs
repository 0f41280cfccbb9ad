//! A migration as a Kustomize component: `components: [kv-events]` in an overlay makes the change there and nowhere else. Where the
//! overlay changes names, images or more itself, which Kustomize does after its components, a kustomization around it does.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value as Json, json};

use super::patches::{self, ObjectChange, ObjectName};
use crate::edit::{changed, yaml};
use crate::lexical;
use crate::load::Unit;
use crate::load::kustomize::{Disk, Files, Folder, Workspace, unit};
use crate::source::SourceMap;

/// The files of a component or kustomization: names and texts.
pub type Parts = Vec<(String, String)>;

/// The name of a kustomization's own file, as it is written here.
const ROOT: &str = "kustomization.yaml";

/// The files of a component.
///
/// # Errors
/// When an object can't be named in a file's name or a patch.
pub fn component(changes: &[ObjectChange]) -> Result<Parts, String> {
    parts(changes, json!({"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}), Vec::new())
}

/// The files of a kustomization around an overlay, whose folder is given as seen from theirs.
///
/// # Errors
/// As [`component`].
pub fn around(changes: &[ObjectChange], overlay: &str) -> Result<Parts, String> {
    let root = json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"});
    parts(changes, root, vec![overlay.to_string()])
}

fn parts(changes: &[ObjectChange], mut root: Json, mut resources: Vec<String>) -> Result<Parts, String> {
    let mut patches: Vec<Json> = Vec::new();
    let mut files: Parts = Vec::new();
    for change in changes {
        match change {
            ObjectChange::Patched { object, there, .. } => {
                // The base is at hand, so that what is missing there is known to be missing.
                let absent = |op: &&Json| op["op"] == "test" && op["value"].is_null();
                let operations: Vec<Json> = there.iter().filter(|op| !absent(op)).cloned().collect();
                patches.push(json!({"target": target(object), "patch": text(&Json::Array(operations))?}));
            }
            ObjectChange::Created(object, value) => {
                let mut name = file_name(object, None)?;
                if resources.contains(&name) {
                    name = file_name(object, object.namespace.as_deref())?;
                }
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
    if let Some(root) = root.as_object_mut() {
        if !resources.is_empty() {
            root.insert("resources".into(), resources.into());
        }
        if !patches.is_empty() {
            root.insert("patches".into(), patches.into());
        }
    }
    files.insert(0, (ROOT.to_string(), text(&root)?));
    Ok(files)
}

/// `networkpolicy-name.yaml`. Names of manifests that no API server takes could lead anywhere on the disk.
fn file_name(object: &ObjectName, namespace: Option<&str>) -> Result<String, String> {
    let words = [Some(object.kind.to_ascii_lowercase().as_str()), namespace, Some(object.name.as_str())]
        .into_iter()
        .flatten()
        .map(str::to_string)
        .collect::<Vec<_>>();
    match words.iter().find(|word| !is_subdomain(word)) {
        Some(word) => Err(format!("`{word}` is no name that Kubernetes takes, so that no file is named after it")),
        None => Ok(format!("{}.yaml", words.join("-"))),
    }
}

/// Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names>.
fn is_subdomain(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= 253 && name.split('.').all(part)
}

/// Whether an overlay comes to what is wanted, once it names the component in `folder`.
pub fn component_gives(overlay: &Path, folder: &Path, files: &Parts, wanted: &Unit) -> bool {
    let Some(root) = Disk.canonical(overlay) else { return false };
    let mut beside = Beside::new(folder, files);
    let Some(own) = crate::load::discover::KUSTOMIZATION.iter().map(|name| root.join(name)).find(|path| path.is_file())
    else {
        return false;
    };
    let Some(text) = Disk.read(&own).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else { return false };
    let Some(way) = way(&root, &beside.folder) else { return false };
    let edits = yaml(&text, |node, changes| changes.append(node, &["components"], way.as_str()));
    let Some(text) = edits.and_then(|edits| changed(&text, &edits)).ok() else { return false };
    beside.texts.insert(own, text.into_bytes());
    beside.gives(&root, wanted)
}

/// Whether the kustomization in `folder` comes to what is wanted.
pub fn around_gives(folder: &Path, files: &Parts, wanted: &Unit) -> bool {
    let beside = Beside::new(folder, files);
    beside.gives(&beside.folder, wanted)
}

/// From one folder to another: `../prod`. `None` where they have nothing in common.
pub fn way(from: &Path, to: &Path) -> Option<String> {
    let from = Disk.canonical(from).unwrap_or_else(|| from.to_path_buf());
    let to = Disk.canonical(to).unwrap_or_else(|| to.to_path_buf());
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(shared)).collect();
    let text = path.to_str()?.replace('\\', "/");
    (shared > 0).then(|| if text.is_empty() { ".".to_string() } else { text })
}

/// A folder as it will be: absolute and without links, as far as it is there.
pub fn place(folder: &Path) -> PathBuf {
    let path = lexical::absolute(folder);
    for above in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (std::fs::canonicalize(above), path.strip_prefix(above)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path
}

/// The disk with files that are not written yet.
struct Beside {
    folder: PathBuf,
    texts: BTreeMap<PathBuf, Vec<u8>>,
}

impl Beside {
    fn new(folder: &Path, files: &Parts) -> Beside {
        let folder = place(folder);
        let texts = files.iter().map(|(name, text)| (folder.join(name), text.clone().into_bytes())).collect();
        Beside { folder, texts }
    }

    /// The path, where it leads through the folder that is not there yet without that way round.
    fn known(&self, path: &Path) -> PathBuf {
        Disk.canonical(path).unwrap_or_else(|| lexical::clean(path))
    }

    fn gives(&self, root: &Path, wanted: &Unit) -> bool {
        let mut sources = SourceMap::new();
        // Problems without a place point here.
        sources.add(root, "");
        let mut workspace = Workspace::new(self, &mut sources);
        let folder = Folder { canonical: root.to_path_buf(), shown: root.to_path_buf() };
        let (built, _) = unit(&mut workspace, &folder);
        let failed = built.kustomize.iter().flat_map(|k| &k.problems).any(|problem| problem.is_fatal());
        !failed && patches::between(&built, wanted).is_ok_and(|changes| changes.is_empty())
    }
}

impl Files for Beside {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.texts.get(&self.known(path)) {
            Some(text) => Ok(text.clone()),
            None => Disk.read(&self.known(path)),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        let path = self.known(path);
        self.texts.contains_key(&path) || Disk.is_file(&path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        let path = self.known(path);
        path == self.folder || Disk.is_folder(&path)
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        let path = self.known(path);
        let here = path == self.folder || self.texts.contains_key(&path);
        Disk.canonical(&path).or_else(|| here.then_some(path))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn created(name: &str, namespace: &str) -> ObjectChange {
        let object = ObjectName {
            api_version: "v1".into(),
            kind: "Service".into(),
            namespace: Some(namespace.into()),
            name: name.into(),
        };
        ObjectChange::Created(object, json!({"kind": "Service"}))
    }

    #[test]
    fn a_file_is_named_after_a_name_and_not_after_a_path() {
        for name in ["../evil", "x/../../evil", "", ".", "/etc/passwd", "A", "a\nb"] {
            assert!(component(&[created(name, "d")]).is_err(), "{name}");
        }
        let names = |changes: &[ObjectChange]| -> Vec<String> {
            component(changes).unwrap().into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&[created("a.b", "d")]), [ROOT, "service-a.b.yaml"]);
        assert_eq!(names(&[created("a", "d"), created("a", "e")]), [ROOT, "service-a.yaml", "service-e-a.yaml"]);
    }

    #[test]
    fn the_way_from_one_folder_to_another() {
        assert_eq!(way(Path::new("/nowhere/a/b"), Path::new("/nowhere/c")).as_deref(), Some("../../c"));
        assert_eq!(way(Path::new("/nowhere/a"), Path::new("/nowhere/a")).as_deref(), Some("."));
    }
}
