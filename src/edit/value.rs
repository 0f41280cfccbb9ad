//! Values to write: a small owned tree.

use crate::yaml::{Node, Scalar, Shape, resolve};

use super::refusal::Refusal;

/// Deepest nesting that is copied.
const DEPTH: usize = 100;

/// A value to write into a manifest. Its kind is what Kubernetes shall read: `Value::from("true")` is text and will be
/// quoted where it must be, `Value::from(true)` is a boolean.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a fraction; it must be finite.
    Float(f64),
    /// Text.
    String(String),
    /// Keys and values in the order in which they are written.
    Map(Vec<(String, Value)>),
    /// A list.
    List(Vec<Value>),
}

impl Value {
    /// A mapping.
    pub fn map<K: Into<String>, V: Into<Value>>(entries: impl IntoIterator<Item = (K, V)>) -> Value {
        Value::Map(entries.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// A list.
    pub fn list<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Value {
        Value::List(items.into_iter().map(Into::into).collect())
    }

    /// Text, as `Value::from`.
    pub fn string(text: impl Into<String>) -> Value {
        Value::String(text.into())
    }

    /// What unquoted text would be: `Value::typed("5557")` is an integer, `Value::typed("zmq")` is text.
    pub fn typed(text: &str) -> Value {
        match resolve::plain(text) {
            Scalar::Null => Value::Null,
            Scalar::Bool(b) => Value::Bool(b),
            Scalar::Int(i) => Value::Int(i),
            Scalar::Float(x) if x.is_finite() => Value::Float(x),
            _ => Value::String(text.into()),
        }
    }

    /// A copy of a node, for moving it elsewhere.
    ///
    /// # Errors
    /// When it has a number that no `Value` holds, or is nested as no manifest is.
    pub fn of(node: Node<'_>) -> Result<Value, Refusal> {
        Value::copy(node, 0)
    }

    fn copy(node: Node<'_>, depth: usize) -> Result<Value, Refusal> {
        if depth > DEPTH {
            return Err(Refusal::at(node.grip(), "the value is nested too deeply"));
        }
        Ok(match node.shape() {
            Shape::Mapping => {
                let entry = |e: crate::yaml::Entry<'_>| {
                    let key = crate::yaml::json::key(e.key).map_err(|(at, why)| Refusal::at(at.span(), why))?;
                    Ok((key, Value::copy(e.value, depth + 1)?))
                };
                Value::Map(node.entries().into_iter().map(entry).collect::<Result<_, Refusal>>()?)
            }
            Shape::Sequence => {
                Value::List(node.items().into_iter().map(|i| Value::copy(i, depth + 1)).collect::<Result<_, _>>()?)
            }
            Shape::Scalar => match node.scalar().unwrap_or(Scalar::Null) {
                Scalar::Null => Value::Null,
                Scalar::Bool(b) => Value::Bool(b),
                Scalar::Int(i) => Value::Int(i),
                Scalar::Float(x) if x.is_finite() => Value::Float(x),
                Scalar::Str(s) => Value::String(s.into()),
                Scalar::UInt(_) | Scalar::Float(_) => {
                    return Err(Refusal::at(node.span(), "this number can't be written again as it is"));
                }
            },
        })
    }

    /// Whether it is written in brackets or on one line wherever it stands.
    pub(super) fn is_inline(&self) -> bool {
        match self {
            Value::Map(entries) => entries.is_empty(),
            Value::List(items) => items.is_empty(),
            _ => true,
        }
    }

    /// Whether a node has this value, its keys in this order.
    pub fn matches(&self, node: Node<'_>) -> bool {
        match self {
            Value::Map(entries) => {
                let found = node.written_entries();
                node.is_mapping()
                    && found.len() == entries.len()
                    && entries.iter().zip(found).all(|((k, v), e)| e.key.as_str() == Some(k) && v.matches(e.value))
            }
            Value::List(items) => {
                let found = node.items();
                node.is_sequence()
                    && found.len() == items.len()
                    && items.iter().zip(found).all(|(item, node)| item.matches(node))
            }
            Value::Null => node.is_null(),
            Value::Bool(b) => node.as_bool() == Some(*b),
            Value::Int(i) => node.as_int() == Some(*i),
            Value::Float(x) => node.scalar().is_some_and(|s| s == resolve::plain(&x.to_string())),
            Value::String(s) => node.as_str() == Some(s),
        }
    }

    /// The value under a path of keys, each created where it is missing.
    ///
    /// # Errors
    /// When something on the way is no mapping.
    pub(super) fn put(
        &mut self,
        path: &[&str],
        then: impl FnOnce(&mut Value) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let Some((key, rest)) = path.split_first() else { return then(self) };
        if matches!(self, Value::Null) {
            *self = Value::Map(Vec::new());
        }
        let Value::Map(entries) = self else {
            return Err(Refusal::new(format!("`{key}` can't be added to what is no mapping")));
        };
        let index = entries.iter().position(|(k, _)| k == key).unwrap_or_else(|| {
            entries.push(((*key).to_string(), Value::Null));
            entries.len() - 1
        });
        match entries.get_mut(index) {
            Some((_, value)) => value.put(rest, then),
            None => Ok(()),
        }
    }

    /// Adds to the end of a list; null becomes one.
    pub(super) fn push(&mut self, item: Value) -> Result<(), Refusal> {
        if matches!(self, Value::Null) {
            *self = Value::List(Vec::new());
        }
        match self {
            Value::List(items) => items.push(item),
            _ => return Err(Refusal::new("an item can't be added to what is no list")),
        }
        Ok(())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Value {
        Value::Int(value.into())
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Value {
        Value::Int(value.into())
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Value {
        Value::list(items)
    }
}

impl From<&serde_json::Value> for Value {
    fn from(value: &serde_json::Value) -> Value {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(i), _) => Value::Int(i),
                (None, Some(x)) => Value::Float(x),
                (None, None) => Value::Null,
            },
            serde_json::Value::String(s) => Value::String(s.clone()),
            serde_json::Value::Array(items) => Value::list(items),
            serde_json::Value::Object(entries) => Value::map(entries),
        }
    }
}
