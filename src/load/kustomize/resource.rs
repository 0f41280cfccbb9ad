//! An object under construction, the names it had, and sets of objects.

use std::collections::HashMap;

use smol_str::SmolStr;

use super::value::{Key, Origin, StepId, Value};
use crate::facts::kustomize::{self as facts, Gvk};

/// What names an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id {
    /// The API group.
    pub group: SmolStr,
    /// The version.
    pub version: SmolStr,
    /// The kind.
    pub kind: SmolStr,
    /// The name.
    pub name: SmolStr,
    /// The namespace as it is compared: `default` where none is set.
    pub namespace: SmolStr,
    /// The namespace as written.
    pub written_namespace: SmolStr,
}

/// Stands for the namespace of objects that have none.
const NO_NAMESPACE: &str = "_non_namespaceable_";

impl Id {
    /// The id of an object.
    pub fn new(api_version: &str, kind: &str, name: &str, namespace: &str) -> Id {
        let (group, version) = split_api_version(api_version);
        let effective = if facts::is_cluster_scoped(api_version, kind) {
            NO_NAMESPACE
        } else if namespace.is_empty() {
            "default"
        } else {
            namespace
        };
        Id {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            name: name.into(),
            namespace: effective.into(),
            written_namespace: namespace.into(),
        }
    }

    /// Whether both name the same object.
    pub fn same(&self, other: &Id) -> bool {
        self.namespace == other.namespace && self.same_but_namespace(other)
    }

    /// Whether both have the same group, version, kind and name.
    pub fn same_but_namespace(&self, other: &Id) -> bool {
        self.name == other.name && self.group == other.group && self.version == other.version && self.kind == other.kind
    }

    /// Whether the object has no namespace.
    pub fn is_cluster_scoped(&self) -> bool {
        self.namespace == NO_NAMESPACE
    }

    /// Whether a selector takes it.
    pub fn is_selected(&self, gvk: &Gvk) -> bool {
        gvk.selects(&self.group, &self.version, &self.kind)
    }

    /// `Kind/name`, for messages.
    pub fn title(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// `apps/v1` as group and version.
pub fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// What a generator does to an object that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behavior {
    /// It must not exist.
    #[default]
    Create,
    /// It is replaced.
    Replace,
    /// Its data is added to.
    Merge,
}

/// Something that a step took away.
#[derive(Clone, Debug)]
pub struct Tombstone {
    /// Keys from the object's root; an item of a list by its key's value.
    pub path: Vec<SmolStr>,
    /// What took it away.
    pub step: StepId,
    /// Where the deletion is written.
    pub by: Origin,
    /// What was there.
    pub removed: Origin,
}

/// An object under construction.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The object; an empty mapping once it is deleted.
    pub value: Value,
    /// Whether nothing changed it since it was read.
    pub untouched: bool,
    /// Names, namespaces and kinds that it had, oldest first.
    pub previous: Vec<(SmolStr, SmolStr, SmolStr)>,
    /// Prefixes that it got, in order.
    pub prefixes: Vec<SmolStr>,
    /// Suffixes that it got, in order.
    pub suffixes: Vec<SmolStr>,
    /// For generated objects.
    pub behavior: Behavior,
    /// Whether it had no name when one was to be remembered.
    pub nameless: bool,
    /// Whether a generator made it.
    pub generated: bool,
    /// Whether its name ends with a hash of its content.
    pub hashed: bool,
    /// Variables that take their value from it.
    pub variables: Vec<SmolStr>,
    /// What was taken away.
    pub tombstones: Vec<Tombstone>,
    /// For the annotation that names the origin.
    pub annotations: Notes,
}

/// What `buildMetadata` asks to be written on objects.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The text of the origin annotation.
    pub origin: Option<String>,
    /// The texts of the transformer annotation.
    pub transformers: Vec<String>,
}

impl Resource {
    /// An object as it was read or made.
    pub fn new(value: Value) -> Resource {
        Resource {
            value,
            untouched: true,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            behavior: Behavior::Create,
            nameless: false,
            generated: false,
            hashed: false,
            variables: Vec::new(),
            tombstones: Vec::new(),
            annotations: Notes::default(),
        }
    }

    /// The `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.value.get("apiVersion").and_then(Value::text).unwrap_or_default()
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        self.value.get("kind").and_then(Value::text).unwrap_or_default()
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.value.text_at(&["metadata", "name"]).unwrap_or_default()
    }

    /// The namespace as written; empty where there is none.
    pub fn namespace(&self) -> &str {
        self.value.text_at(&["metadata", "namespace"]).unwrap_or_default()
    }

    /// Whether it was deleted.
    pub fn is_deleted(&self) -> bool {
        self.value.is_empty()
    }

    /// What names it now.
    pub fn id(&self) -> Id {
        Id::new(self.api_version(), self.kind(), self.name(), self.namespace())
    }

    /// What named it, oldest first.
    pub fn previous_ids(&self) -> impl DoubleEndedIterator<Item = Id> + '_ {
        self.previous.iter().map(|(name, namespace, kind)| Id::new(self.api_version(), kind, name, namespace))
    }

    /// What named it first.
    pub fn original_id(&self) -> Id {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// Everything that named it, and what names it now.
    pub fn all_ids(&self) -> Vec<Id> {
        self.previous_ids().chain([self.id()]).collect()
    }

    /// Whether Kustomize keeps notes of its own among the annotations, which makes the mapping be there.
    pub fn is_noted(&self) -> bool {
        self.generated || self.hashed || !self.previous.is_empty() || !self.prefixes.is_empty()
    }

    /// Forgets all that Kustomize notes among the annotations, for when they are taken away as a whole: the object gets no hash, and
    /// names of it are no longer followed.
    pub fn forget(&mut self) {
        self.previous.clear();
        self.prefixes.clear();
        self.suffixes.clear();
        (self.generated, self.hashed) = (false, false);
    }

    /// Remembers what names it before that changes.
    pub fn remember(&mut self) {
        let id = self.id();
        // Kustomize keeps them in lists in annotations, in which an empty word is lost, and stops where they differ in length.
        match id.name.is_empty() {
            true => self.nameless = true,
            false => self.previous.push((id.name, id.namespace, id.kind)),
        }
    }

    /// Sets the name.
    pub fn set_name(&mut self, value: Value) {
        self.set_metadata("name", value);
    }

    /// Sets a field of the metadata.
    pub fn set_metadata(&mut self, key: &str, value: Value) {
        let origin = value.origin.clone();
        self.untouched = false;
        if let Some(metadata) = self.value.at_or_create(&["metadata"], &origin) {
            metadata.set(Key { text: key.into(), origin: origin.derived(key.len()) }, value);
        }
    }

    /// A map of the metadata as texts.
    pub fn texts(&self, key: &str) -> impl Iterator<Item = (&str, &str)> {
        let map = self.value.at(&["metadata", key]);
        map.into_iter().flat_map(Value::entries).map(|e| (e.key.text.as_str(), e.value.text().unwrap_or_default()))
    }
}

/// How many objects each id names now, so that nobody has to go through all of them for each of them.
#[derive(Debug, Default)]
pub struct Ids(HashMap<[SmolStr; 5], usize>);

impl Ids {
    /// The ids of some objects.
    pub fn of(resources: &[Resource]) -> Ids {
        let mut ids = Ids::default();
        resources.iter().for_each(|r| {
            ids.add(&r.id());
        });
        ids
    }

    fn key(id: &Id) -> [SmolStr; 5] {
        [&id.namespace, &id.name, &id.group, &id.version, &id.kind].map(Clone::clone)
    }

    /// Adds an object; gives how many its id names with it.
    pub fn add(&mut self, id: &Id) -> usize {
        let count = self.0.entry(Ids::key(id)).or_default();
        *count += 1;
        *count
    }

    /// Takes an object away.
    pub fn remove(&mut self, id: &Id) {
        if let Some(count) = self.0.get_mut(&Ids::key(id)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Whether an id names something.
    pub fn has(&self, id: &Id) -> bool {
        self.0.get(&Ids::key(id)).is_some_and(|count| *count > 0)
    }
}

/// The objects that an id names now or named before.
pub fn by_any_id(resources: &[Resource], matches: impl Fn(&Id) -> bool) -> Vec<usize> {
    (0..resources.len()).filter(|&i| resources[i].all_ids().iter().any(&matches)).collect()
}
