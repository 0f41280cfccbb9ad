//! Checking the `spec` of a custom kind against what is known of its schema.

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
    Walk { schema, found: &mut found }.object(spec, &schema.fields, schema.open, "spec");
    found
}

struct Walk<'a, 't> {
    schema: &'static SpecSchema,
    found: &'a mut Vec<Fault<'t>>,
}

type Fields = std::collections::BTreeMap<String, Field>;

impl<'t> Walk<'_, 't> {
    fn object(&mut self, node: Node<'t>, fields: &'static Fields, open: bool, path: &str) {
        for entry in node.entries() {
            let Some(key) = entry.key.text() else { continue };
            let below = format!("{path}.{key}");
            match fields.get(key) {
                Some(field) => self.value(entry.value, field, &below),
                None if open || entry.key.is_templated() => {}
                None => {
                    let instead = self.instead(key, fields, path);
                    self.found.push(Fault::Unknown { entry, path: below, instead });
                }
            }
        }
        // What a template brings in can't be missed.
        let templated = node.entries().iter().any(|e| e.key.is_templated());
        for (key, _) in fields.iter().filter(|(_, field)| field.required && !templated) {
            if node.get(key).is_none_or(Node::is_null) {
                self.found.push(Fault::Missing { place: node.grip(), path: format!("{path}.{key}") });
            }
        }
    }

    fn value(&mut self, node: Node<'t>, field: &'static Field, path: &str) {
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
                        self.object(item, &field.fields, field.open, &format!("{path}[{index}]"));
                    }
                }
            }
            _ => {}
        }
    }

    /// What people mean by an unknown field: a known renaming, the same name further down, or a near miss.
    fn instead(&self, key: &str, fields: &'static Fields, path: &str) -> Option<String> {
        if path == "spec"
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
