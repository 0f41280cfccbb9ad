//! What Kustomize knows by itself: which fields a directive changes, which lists merge, which kinds have no namespace.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Status, table};

table!(FIELDS: FieldTable = "kustomize/fieldspecs.yaml");
table!(REFERENCES: ReferenceTable = "kustomize/name_references.yaml");
table!(SCHEMA: SchemaTable = "kustomize/schema.yaml");
table!(KINDS: KindTable = "kustomize/kinds.yaml");

/// Selects objects by group, version and kind; an empty word selects all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
pub struct Gvk {
    /// The API group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
}

impl Gvk {
    /// Whether an object is selected.
    pub fn selects(&self, group: &str, version: &str, kind: &str) -> bool {
        (self.group.is_empty() || self.group == group)
            && (self.version.is_empty() || self.version == version)
            && (self.kind.is_empty() || self.kind == kind)
    }
}

/// A field that a directive changes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FieldSpec {
    /// The objects that have it.
    #[serde(flatten)]
    pub gvk: Gvk,
    /// Keys from the object's root, with `/` between.
    pub path: String,
    /// Whether the field is made where it is missing.
    #[serde(default)]
    pub create: bool,
}

/// Fields that name objects of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NameReference {
    /// The objects that are named.
    pub target: Gvk,
    /// The fields.
    pub fields: Vec<FieldSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code)]
struct FieldTable {
    source: String,
    status: Status,
    name_prefix: Vec<FieldSpec>,
    name_suffix: Vec<FieldSpec>,
    namespace: Vec<FieldSpec>,
    common_labels: Vec<FieldSpec>,
    template_labels: Vec<FieldSpec>,
    common_annotations: Vec<FieldSpec>,
    images: Vec<FieldSpec>,
    replicas: Vec<FieldSpec>,
    var_reference: Vec<FieldSpec>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code)]
struct ReferenceTable {
    source: String,
    status: Status,
    name_reference: Vec<NameReference>,
}

/// What each directive changes; `configurations` add to it.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// For `namePrefix`.
    pub name_prefix: Arc<Vec<FieldSpec>>,
    /// For `nameSuffix`.
    pub name_suffix: Arc<Vec<FieldSpec>>,
    /// For `namespace`.
    pub namespace: Arc<Vec<FieldSpec>>,
    /// For `commonLabels`, and `labels` with `includeSelectors`.
    pub common_labels: Arc<Vec<FieldSpec>>,
    /// For `labels` without selectors; empty by default.
    pub labels: Arc<Vec<FieldSpec>>,
    /// For `labels` with `includeTemplates`.
    pub template_labels: Arc<Vec<FieldSpec>>,
    /// For `commonAnnotations`.
    pub common_annotations: Arc<Vec<FieldSpec>>,
    /// For `images`, beside the lists of containers.
    pub images: Arc<Vec<FieldSpec>>,
    /// For `replicas`.
    pub replicas: Arc<Vec<FieldSpec>>,
    /// For `vars`.
    pub var_reference: Arc<Vec<FieldSpec>>,
    /// Where objects are named.
    pub name_reference: Arc<Vec<NameReference>>,
}

/// The order in which Kustomize goes through fields, and through the kinds that others name: a name that could mean objects of
/// two kinds is the first's. Source: `kyaml/resid/gvk.go`, `IsLessThan`.
pub fn order(gvk: &Gvk) -> (i64, String) {
    let (first, last) = default_order();
    let place = |list: &[String]| list.iter().position(|k| *k == gvk.kind);
    let rank = match (place(first), place(last)) {
        (Some(i), _) => i as i64 - first.len() as i64,
        (None, Some(i)) => i as i64 + 1,
        (None, None) => 0,
    };
    let or = |text: &str, none: &str| if text.is_empty() { none.to_string() } else { text.to_string() };
    (rank, format!("{}_{}_{}", or(&gvk.group, "~G"), or(&gvk.version, "~V"), or(&gvk.kind, "~K")))
}

/// The fields without any `configurations`.
pub fn fields() -> Fields {
    static DEFAULT: std::sync::LazyLock<Fields> = std::sync::LazyLock::new(|| {
        let shared = |list: &Vec<FieldSpec>| Arc::new(list.clone());
        let mut references = REFERENCES.name_reference.clone();
        references.sort_by_key(|r| order(&r.target));
        Fields {
            name_prefix: shared(&FIELDS.name_prefix),
            name_suffix: shared(&FIELDS.name_suffix),
            namespace: shared(&FIELDS.namespace),
            common_labels: shared(&FIELDS.common_labels),
            labels: Arc::default(),
            template_labels: shared(&FIELDS.template_labels),
            common_annotations: shared(&FIELDS.common_annotations),
            images: shared(&FIELDS.images),
            replicas: shared(&FIELDS.replicas),
            var_reference: shared(&FIELDS.var_reference),
            name_reference: Arc::new(references),
        }
    });
    DEFAULT.clone()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct SchemaTable {
    source: String,
    status: Status,
    kinds: Vec<KindType>,
    types: HashMap<String, HashMap<String, FieldType>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct KindType {
    api_version: String,
    kind: String,
    r#type: String,
}

/// What the schema says about a field.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldType {
    r#type: Option<String>,
    items: Option<String>,
    values: Option<String>,
    /// The keys that the list merges by; empty for a set of single values; `None`: the list is replaced.
    pub merge: Option<Vec<String>>,
}

/// A place in the schema.
#[derive(Clone, Copy, Debug)]
pub enum Schema {
    /// An object of a named type.
    Type(&'static str),
    /// A field as its parent describes it.
    Field(&'static FieldType),
}

impl Schema {
    /// The type of an object; `None` for kinds that are not in the table.
    pub fn of(api_version: &str, kind: &str) -> Option<Schema> {
        type Index = HashMap<(&'static str, &'static str), &'static str>;
        static BY_KIND: std::sync::LazyLock<Index> = std::sync::LazyLock::new(|| {
            SCHEMA.kinds.iter().map(|k| ((k.api_version.as_str(), k.kind.as_str()), k.r#type.as_str())).collect()
        });
        BY_KIND.get(&(api_version, kind)).map(|t| Schema::Type(t))
    }

    /// The schema of a field.
    pub fn field(self, name: &str) -> Option<Schema> {
        let type_name = match self {
            Schema::Type(t) => t,
            Schema::Field(f) => match (&f.r#type, &f.values) {
                (Some(t), _) => t.as_str(),
                (None, Some(values)) => return Some(Schema::Type(values)),
                _ => return None,
            },
        };
        SCHEMA.types.get(type_name)?.get(name).map(Schema::Field)
    }

    /// The schema of a list's items.
    pub fn items(self) -> Option<Schema> {
        match self {
            Schema::Field(f) => f.items.as_deref().map(Schema::Type),
            Schema::Type(_) => None,
        }
    }

    /// The keys that a list merges by.
    pub fn merge_keys(self) -> Option<&'static [String]> {
        match self {
            Schema::Field(f) => f.merge.as_deref(),
            Schema::Type(_) => None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct KindTable {
    source: String,
    status: Status,
    cluster_scoped: Vec<ScopeRow>,
    order_first: Vec<String>,
    order_last: Vec<String>,
    unprefixed: Vec<Gvk>,
    image_lists: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ScopeRow {
    api_version: String,
    kinds: Vec<String>,
}

/// Whether Kustomize knows that a kind has no namespace. Custom resources count as having one.
pub fn is_cluster_scoped(api_version: &str, kind: &str) -> bool {
    KINDS.cluster_scoped.iter().any(|row| row.api_version == api_version && row.kinds.iter().any(|k| k == kind))
}

/// Whether a prefix or suffix leaves the names of a kind alone.
pub fn is_unprefixed(group: &str, version: &str, kind: &str) -> bool {
    KINDS.unprefixed.iter().any(|gvk| gvk.selects(group, version, kind))
}

/// Lists whose items have an `image`, wherever they stand.
pub fn image_lists() -> &'static [String] {
    &KINDS.image_lists
}

/// Kinds that the default order of the output puts first, and those that it puts last.
pub fn default_order() -> (&'static [String], &'static [String]) {
    (&KINDS.order_first, &KINDS.order_last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_a_container_merge_by_two_keys() {
        let mut at = Schema::of("apps/v1", "Deployment");
        for key in ["spec", "template", "spec", "containers"] {
            at = at.and_then(|s| s.field(key));
        }
        assert_eq!(at.and_then(Schema::merge_keys), Some(&["name".to_string()][..]));
        let ports = at.and_then(Schema::items).and_then(|c| c.field("ports"));
        assert_eq!(ports.and_then(Schema::merge_keys).map(<[_]>::len), Some(2));
        assert!(Schema::of("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet").is_none());
    }

    #[test]
    fn every_table_decodes() {
        assert!(fields().name_reference.len() > 10);
        assert!(is_cluster_scoped("v1", "Namespace") && !is_cluster_scoped("v1", "Pod"));
        assert!(is_unprefixed("", "v1", "Namespace"));
    }
}
