//! What the API server receives: a document as JSON, by the rules of go-yaml v2.

use serde_json::{Map, Number, Value};

use super::resolve::Scalar;
use super::tree::{Node, Shape};

/// Converts a node to the JSON that `sigs.k8s.io/yaml` makes of it: merge keys expanded, boolean and number keys turned
/// into strings, the last of duplicate keys kept.
///
/// # Errors
/// The reason in words, and the node at fault, where Go has no JSON for it: a key that is a list, a null key, an
/// infinite number.
pub fn to_json(node: Node<'_>) -> Result<Value, (Node<'_>, String)> {
    match node.shape() {
        Shape::Sequence => node.items().into_iter().map(to_json).collect::<Result<_, _>>().map(Value::Array),
        Shape::Mapping => {
            let mut map = Map::new();
            for entry in node.entries() {
                map.insert(key(entry.key)?, to_json(entry.value)?);
            }
            Ok(Value::Object(map))
        }
        Shape::Scalar => scalar(node),
    }
}

/// The key as JSON has it.
///
/// # Errors
/// When the key is a collection or null, which Go refuses.
pub fn key(node: Node<'_>) -> Result<String, (Node<'_>, String)> {
    match node.scalar() {
        None => Err((node, "a key must be a single value, not a list or mapping".into())),
        Some(Scalar::Null) => Err((node, "a key must not be null".into())),
        Some(scalar) => Ok(scalar.to_string()),
    }
}

fn scalar(node: Node<'_>) -> Result<Value, (Node<'_>, String)> {
    Ok(match node.scalar().unwrap_or(Scalar::Null) {
        Scalar::Null => Value::Null,
        Scalar::Bool(b) => Value::Bool(b),
        Scalar::Int(i) => Value::Number(i.into()),
        Scalar::UInt(u) => Value::Number(u.into()),
        Scalar::Float(x) => match Number::from_f64(x) {
            Some(number) => Value::Number(number),
            None => return Err((node, "JSON has no infinite number and no not-a-number".into())),
        },
        Scalar::Str(s) => Value::String(s.into()),
    })
}
