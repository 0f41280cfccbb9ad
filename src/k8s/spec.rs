//! Checking the `spec` of a custom kind against what is known of its schema.

use std::fmt;

use crate::facts::kubernetes::{Field, FieldType, SpecSchema};
use crate::source::Span;
use crate::yaml::{Entry, Node, Scalar};

/// What is wrong with a field.
#[derive(Clone, Debug)]
pub enum Fault<'t> {
    /// The schema has no such field.
    Unknown {
        /// The field.
        entry: Entry<'t>,
        /// Its path from `spec`.
        path: String,
        /// What to write instead, as a path from `spec`.
        instead: Option<String>,
    },
    /// The value has another type.
    WrongType {
        /// The value.
        node: Node<'t>,
        /// Its path from `spec`.
        path: String,
        /// What belongs there.
        expected: FieldType,
    },
    /// The value is none of the literals.
    BadValue {
        /// The value.
        node: Node<'t>,
        /// Its path from `spec`.
        path: String,
        /// The literals.
        values: &'static [String],
    },
    /// A field that must be there is not.
    Missing {
        /// Where it would go.
        place: Span,
        /// Its path from `spec`.
        path: String,
    },
}

/// Everything that is wrong with a `spec`, in the order of the file.
pub fn faults<'t>(spec: Node<'t>, schema: &'static SpecSchema) -> Vec<Fault<'t>> {
    let mut found = Vec::new();
    Walk { schema, found: &mut found }.object(
        spec,
        &schema.fields,
        schema.open,
        &Path { parent: None, step: Step::Key("spec") },
    );
    found
}

/// The way to a node. Written out where there is something to say, and most often there is nothing.
struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.parent, &self.step) {
            (None, Step::Key(key)) => f.write_str(key),
            (Some(parent), Step::Key(key)) => write!(f, "{parent}.{key}"),
            (None, Step::Index(index)) => write!(f, "[{index}]"),
            (Some(parent), Step::Index(index)) => write!(f, "{parent}[{index}]"),
        }
    }
}

struct Walk<'a, 't> {
    schema: &'static SpecSchema,
    found: &'a mut Vec<Fault<'t>>,
}

type Fields = std::collections::BTreeMap<String, Field>;

impl<'t> Walk<'_, 't> {
    fn object(&mut self, node: Node<'t>, fields: &'static Fields, open: bool, path: &Path<'_>) {
        let entries = node.entries();
        for &entry in &entries {
            let Some(key) = entry.key.text() else { continue };
            let below = Path { parent: Some(path), step: Step::Key(key) };
            match fields.get(key) {
                Some(field) => self.value(entry.value, field, &below),
                None if open || entry.key.is_templated() => {}
                None => {
                    let instead = self.instead(key, fields, path);
                    self.found.push(Fault::Unknown { entry, path: below.to_string(), instead });
                }
            }
        }
        // What a template brings in can't be missed.
        let templated = entries.iter().any(|e| e.key.is_templated());
        for (key, _) in fields.iter().filter(|(_, field)| field.required && !templated) {
            if node.get(key).is_none_or(Node::is_null) {
                self.found.push(Fault::Missing { place: node.grip(), path: format!("{path}.{key}") });
            }
        }
    }

    fn value(&mut self, node: Node<'t>, field: &'static Field, path: &Path<'_>) {
        if node.is_null() || node.is_templated() {
            return;
        }
        if !has_type(node, field.kind) {
            self.found.push(Fault::WrongType { node, path: path.to_string(), expected: field.kind });
            return;
        }
        let known = |text: &str| field.values.is_empty() || field.values.iter().any(|v| v == text);
        if node.text().is_some_and(|text| !known(text)) {
            self.found.push(Fault::BadValue { node, path: path.to_string(), values: &field.values });
        }
        match field.kind {
            FieldType::Object => self.object(node, &field.fields, field.open, path),
            FieldType::List if !field.fields.is_empty() => {
                for (index, item) in node.items().into_iter().enumerate() {
                    if item.is_mapping() {
                        let item_path = Path { parent: Some(path), step: Step::Index(index) };
                        self.object(item, &field.fields, field.open, &item_path);
                    }
                }
            }
            _ => {}
        }
    }

    /// What people mean by an unknown field: a known renaming, the same name further down, or a near miss.
    fn instead(&self, key: &str, fields: &'static Fields, path: &Path<'_>) -> Option<String> {
        if path.parent.is_none()
            && let Some(row) = self.schema.renamed.iter().find(|row| row.written == key)
        {
            return row.instead.as_ref().map(|name| format!("{path}.{name}"));
        }
        let nested = fields.iter().find(|(_, field)| field.fields.contains_key(key));
        let by_case = || fields.keys().find(|name| name.eq_ignore_ascii_case(key)).map(|name| format!("{path}.{name}"));
        nested.map(|(name, _)| format!("{path}.{name}.{key}")).or_else(by_case)
    }
}

fn has_type(node: Node<'_>, kind: FieldType) -> bool {
    match kind {
        FieldType::Object => node.is_mapping(),
        FieldType::List => node.is_sequence(),
        FieldType::String => matches!(node.scalar(), Some(Scalar::Str(_))),
        FieldType::Integer => node.as_int().is_some(),
        FieldType::Boolean => node.as_bool().is_some(),
    }
}

impl FieldType {
    /// What to call it: "a string".
    pub fn noun(self) -> &'static str {
        match self {
            FieldType::String => "a string",
            FieldType::Integer => "a whole number",
            FieldType::Boolean => "true or false",
            FieldType::Object => "a mapping",
            FieldType::List => "a list",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::kubernetes::spec_schema;
    use crate::load;

    /// The faults of a PodAutoscaler's spec as (what, path, bytes).
    fn found(spec: &str) -> Vec<(&'static str, String, String)> {
        let text = format!("kind: PodAutoscaler\napiVersion: autoscaling.aibrix.ai/v1alpha1\nspec: {spec}\n");
        let loaded = load::from_texts(&[("a.yaml".into(), text)]);
        let resource = &loaded.units[0].resources[0];
        let schema = spec_schema(resource.api_version(), resource.kind()).unwrap();
        let bytes = |span| loaded.sources.slice(span).to_string();
        let row = |fault: Fault<'_>| match fault {
            Fault::Unknown { entry, path, .. } => ("unknown", path, bytes(entry.key.span())),
            Fault::WrongType { node, path, .. } => ("type", path, bytes(node.span())),
            Fault::BadValue { node, path, .. } => ("value", path, bytes(node.span())),
            Fault::Missing { place, path } => ("missing", path, bytes(place)),
        };
        faults(resource.node().get("spec").unwrap(), schema).into_iter().map(row).collect()
    }

    #[test]
    fn a_fault_has_its_path_and_its_bytes() {
        let rows = found(
            "{scaleTargetRef: {kind: Deployment, names: a}, scalingStrategy: kpa, maxReplicas: '3', \
             metricsSources: [{metricSourceType: pod, targetMetric: m, targetValue: 5}]}",
        );
        let expected = [
            ("unknown", "spec.scaleTargetRef.names", "names"),
            ("value", "spec.scalingStrategy", "kpa"),
            ("type", "spec.maxReplicas", "'3'"),
            ("type", "spec.metricsSources[0].targetValue", "5"),
        ];
        assert_eq!(rows, expected.map(|(what, path, bytes)| (what, path.to_string(), bytes.to_string())));
    }

    #[test]
    fn what_is_missing_is_asked_for_at_the_parent() {
        let rows = found("{scalingStrategy: HPA, scaleTargetRef: {name: a}}");
        assert_eq!(rows, [("missing", "spec.maxReplicas".to_string(), "spec".to_string())]);
    }

    #[test]
    fn what_is_filled_in_later_is_neither_wrong_nor_missing() {
        assert_eq!(found("{'{{- include \"a\" . }}': x, maxReplicas: '{{ .Values.max }}'}"), []);
    }
}
