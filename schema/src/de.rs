//! A [`serde::Deserializer`] over a node that reports misfits instead of failing.
//!
//! Every k8s-openapi type says which type it wants before it is handed a value, so a value that does not fit is
//! recorded here and the type is given an empty one in its place. One pass therefore finds every problem. Unknown
//! fields are those that a struct decodes as `IgnoredAny`.

use crate::{Kind, ProblemKind, node::De, run::Step};
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Visitor,
    value::{StrDeserializer, UnitDeserializer},
};
use std::{borrow::Cow, fmt};

/// An error that stops the decoding. None is foreseen: misfits are recorded, not returned.
#[derive(Debug)]
pub(crate) struct DecodeError(pub(crate) String);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

const NO_ENTRIES: Cow<'static, [(u32, u32)]> = Cow::Borrowed(&[]);
const NO_ITEMS: Cow<'static, [u32]> = Cow::Borrowed(&[]);

impl<'a> De<'a> {
    fn entries(self, entries: Cow<'a, [(u32, u32)]>, fields: &'static [&'static str]) -> Entries<'a> {
        // k8s-openapi compares an object's own apiVersion and kind with its type's. For the root that is the caller's
        // choice, and for a claim template the server reads them as any strings.
        let is_object = fields.starts_with(&["apiVersion", "kind"]) && fields.contains(&"metadata");
        Entries { of: self, entries, next: 0, fields, is_object, nameless: false }
    }

    fn items(self, items: Cow<'a, [u32]>) -> Items<'a> {
        Items { of: self, items, next: 0 }
    }
}

impl<'de> Deserializer<'de> for De<'_> {
    type Error = DecodeError;

    /// Only the types that take several kinds of value ask for any; their visitors tell which type it is.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let type_name = (&visitor as &dyn Expected).to_string();
        // The server decodes a schema inside these three without field validation.
        let open = Self { open: true, ..self };
        match (type_name.as_str(), self.kind()) {
            ("IntOrString", Kind::Str(text)) => visitor.visit_str(&text),
            ("IntOrString", _) => visitor.visit_i64(self.int32("an integer or a string")),
            ("JSONSchemaPropsOrBool", Kind::Map(entries)) => visitor.visit_map(open.entries(entries, &[])),
            ("JSONSchemaPropsOrBool", Kind::Bool(b)) => visitor.visit_bool(b),
            ("JSONSchemaPropsOrBool", other) => {
                self.wrong_type(&other, "a schema or a boolean");
                visitor.visit_bool(true)
            }
            ("JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray", Kind::Map(entries)) => {
                visitor.visit_map(open.entries(entries, &[]))
            }
            ("JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray", Kind::Seq(items)) => {
                visitor.visit_seq(open.items(items))
            }
            // The server reads any other value as an empty schema.
            ("JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray", _) => visitor.visit_seq(open.items(NO_ITEMS)),
            _ => visitor.visit_unit(),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.kind() {
            Kind::Bool(b) => visitor.visit_bool(b),
            other => {
                self.wrong_type(&other, "a boolean");
                visitor.visit_bool(false)
            }
        }
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_i64(self.int32("an integer"))
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_i64(self.integer(i64::MIN, i64::MAX, "an integer", "an integer of at most 64 bits"))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let kind = self.kind();
        if !matches!(kind, Kind::Int(_) | Kind::UInt(_) | Kind::Float(_)) {
            self.wrong_type(&kind, "a number");
        }
        visitor.visit_f64(0.0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.kind() {
            Kind::Str(_) => {}
            other => self.wrong_type(&other, "a string"),
        }
        // Nobody looks at the decoded object, so the text is not copied into it.
        visitor.visit_str("")
    }

    /// A `String` asks for `deserialize_string`; what asks for this is `ByteString`, base64 text.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.check_base64();
        visitor.visit_str("")
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.kind() {
            Kind::Null | Kind::Unknown => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let text: StrDeserializer<'_, DecodeError> = match name {
            "Quantity" => {
                self.check_quantity();
                "0".into_deserializer()
            }
            "Time" | "MicroTime" => {
                self.check_time();
                "1970-01-01T00:00:00Z".into_deserializer()
            }
            // All others wrap a JSON value: RawExtension, JSON, FieldsV1. Anything may stand there.
            _ => return visitor.visit_newtype_struct(UnitDeserializer::<DecodeError>::new()),
        };
        visitor.visit_newtype_struct(text)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let entries = match self.kind() {
            Kind::Map(entries) => {
                self.require(name, fields, &entries);
                entries
            }
            // A null item of a list is an object without fields.
            Kind::Null => {
                self.require(name, fields, &NO_ENTRIES);
                NO_ENTRIES
            }
            other => {
                self.wrong_type(&other, "a mapping");
                NO_ENTRIES
            }
        };
        visitor.visit_map(self.entries(entries, fields))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let entries = match self.kind() {
            Kind::Map(entries) => entries,
            other => {
                self.wrong_type(&other, "a mapping");
                NO_ENTRIES
            }
        };
        visitor.visit_map(Entries { nameless: true, ..self.entries(entries, &[]) })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let items = match self.kind() {
            Kind::Seq(items) => items,
            other => {
                self.wrong_type(&other, "a list");
                NO_ITEMS
            }
        };
        visitor.visit_seq(self.items(items))
    }

    /// A struct asks for this when it has no such field.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let (Some((key, expected)), false) = (self.field, self.open) {
            let name = self.run.key_text(key).unwrap_or_default().into_owned();
            self.run.record(key, ProblemKind::UnknownField { name, expected }, None);
        }
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

/// The items of a sequence.
struct Items<'a> {
    of: De<'a>,
    items: Cow<'a, [u32]>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        let Some(&item) = self.items.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        self.of.run.step(Step::Index(index), || seed.deserialize(self.of.child(item, None)).map(Some))
    }
}

/// The entries of a mapping.
struct Entries<'a> {
    of: De<'a>,
    entries: Cow<'a, [(u32, u32)]>,
    next: usize,
    fields: &'static [&'static str],
    is_object: bool,
    /// Whether every key is given as the empty text. Nobody looks at the decoded map, and with one key it holds one value
    /// at a time, where the schema of a large CRD would hold all of its thousands.
    nameless: bool,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        while let Some(&(key, value)) = self.entries.get(self.next) {
            match self.of.run.key_text(key).as_deref() {
                None => self.of.child(key, None).wrong_type(&self.of.run.tree.kind(key), "a string"),
                Some("<<") => {}
                Some("apiVersion" | "kind") if self.is_object => {
                    let kind = self.of.run.tree.kind(value);
                    if !matches!(kind, Kind::Str(_)) {
                        let value = self.of.child(value, None);
                        self.of.run.step(Step::Key(key), || value.wrong_type(&kind, "a string"));
                    }
                }
                Some(_) if self.nameless => return seed.deserialize(StrDeserializer::<DecodeError>::new("")).map(Some),
                Some(name) => return seed.deserialize(StrDeserializer::<DecodeError>::new(name)).map(Some),
            }
            self.next += 1;
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        let (key, value) = self.entries[self.next];
        self.next += 1;
        let value = self.of.child(value, Some((key, self.fields)));
        self.of.run.step(Step::Key(key), || seed.deserialize(value))
    }
}
