//! A [`serde::Deserializer`] over a [`Tree`] that reports misfits instead of failing.
//!
//! Every k8s-openapi type says which type it wants before it is handed a value, so a value that does not fit is
//! recorded here and the type is given an empty one in its place. One pass therefore finds every problem. Unknown
//! fields are those that a struct decodes as `IgnoredAny`.

use crate::{
    Kind, Problem, ProblemKind, Tree, kinds::Decoder, problem::describe, problem::type_help, required, scalars,
};
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Visitor,
    value::{StrDeserializer, UnitDeserializer},
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt::{self, Write},
};

/// Deepest nesting that is looked into. A CRD around a pod template, the deepest real object, has about 50 levels;
/// the limit keeps the recursion within a 2 MiB stack also in a debug build.
const MAX_DEPTH: u16 = 100;
/// Most values that are looked at. The largest CRDs have some 100 000; aliases can multiply a small file's.
const MAX_VALUES: u32 = 1_000_000;
/// Most problems that are reported.
const MAX_PROBLEMS: usize = 50;

/// What is checked: it decides which fields may be missing.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Scope {
    /// A core object.
    Object,
    /// A part of one, inside a custom kind.
    Fragment,
}

/// Decodes `root` and returns the problems.
pub(crate) fn run(tree: &dyn Tree, root: u32, decoder: Decoder, scope: Scope) -> Vec<Problem> {
    let run =
        Run { tree, scope, values_left: Cell::new(MAX_VALUES), path: RefCell::default(), problems: RefCell::default() };
    let de = De { run: &run, node: root, depth: 0, field: None, open: false };
    if scope == Scope::Object {
        de.require_name();
    }
    if let Err(DecodeError(reason)) = decoder(de) {
        run.record(root, ProblemKind::Undecodable(reason), None);
    }
    run.problems.into_inner()
}

/// What one run shares: the tree, where it stands, what it found.
struct Run<'a> {
    tree: &'a dyn Tree,
    scope: Scope,
    values_left: Cell<u32>,
    path: RefCell<Vec<Step>>,
    problems: RefCell<Vec<Problem>>,
}

/// One step of the path: the key's node, or the index.
enum Step {
    Key(u32),
    Index(usize),
}

impl<'a> Run<'a> {
    /// Records a problem, unless there are enough or an alias led here before.
    fn record(&self, node: u32, what: ProblemKind, help: Option<Cow<'static, str>>) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MAX_PROBLEMS && !problems.iter().any(|p| p.node == node && p.what == what) {
            problems.push(Problem { node, path: self.path(), what, help });
        }
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in self.path.borrow().iter() {
            let _ = match step {
                Step::Index(index) => write!(path, "[{index}]"),
                Step::Key(key) => {
                    let name = self.key_text(*key).unwrap_or(Cow::Borrowed("?"));
                    match name.contains(['.', '/']) {
                        true => write!(path, "[\"{name}\"]"),
                        false if path.is_empty() => write!(path, "{name}"),
                        false => write!(path, ".{name}"),
                    }
                }
            };
        }
        path
    }

    /// A key as text: the server's reader turns scalar keys into strings. None for what is no scalar, or not known.
    fn key_text(&self, key: u32) -> Option<Cow<'a, str>> {
        Some(match self.tree.kind(key) {
            Kind::Str(text) => text,
            Kind::Null => "null".into(),
            Kind::Bool(b) => b.to_string().into(),
            Kind::Int(i) => i.to_string().into(),
            Kind::UInt(u) => u.to_string().into(),
            Kind::Float(x) => x.to_string().into(),
            Kind::Seq(_) | Kind::Map(_) | Kind::Unknown => return None,
        })
    }

    /// Runs `inside` one step further down.
    fn step<T>(&self, step: Step, inside: impl FnOnce() -> T) -> T {
        self.path.borrow_mut().push(step);
        let result = inside();
        self.path.borrow_mut().pop();
        result
    }
}

/// An error that stops the decoding. None is foreseen: misfits are recorded, not returned.
#[derive(Debug)]
pub(crate) struct DecodeError(String);

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

/// One node, about to be decoded.
#[derive(Clone, Copy)]
pub(crate) struct De<'a> {
    run: &'a Run<'a>,
    node: u32,
    depth: u16,
    /// The key that leads here and the fields of the struct that it stands in.
    field: Option<(u32, &'static [&'static str])>,
    /// Whether unknown fields are accepted here and below.
    open: bool,
}

impl<'a> De<'a> {
    /// What the node holds; unknown once a limit is reached.
    fn kind(&self) -> Kind<'a> {
        let limit = match () {
            () if self.depth > MAX_DEPTH => ProblemKind::TooDeep,
            () if self.run.values_left.get() == 0 => ProblemKind::TooBig,
            () => return self.run.tree.kind(self.node),
        };
        if !self.run.problems.borrow().iter().any(|p| p.what == limit) {
            self.run.record(self.node, limit, None);
        }
        Kind::Unknown
    }

    fn child(self, node: u32, field: Option<(u32, &'static [&'static str])>) -> Self {
        self.run.values_left.set(self.run.values_left.get().saturating_sub(1));
        Self { node, field, depth: self.depth + 1, ..self }
    }

    /// Records that another type belongs here. Null and unknown values belong everywhere.
    fn wrong_type(&self, found: &Kind<'_>, expected: &'static str) {
        if !matches!(found, Kind::Null | Kind::Unknown) {
            let help = type_help(found, expected).map(Cow::Borrowed);
            self.run.record(self.node, ProblemKind::WrongType { found: describe(found), expected }, help);
        }
    }

    fn bad_value(&self, found: &Kind<'_>, expected: &'static str, help: Option<Cow<'static, str>>) {
        self.run.record(self.node, ProblemKind::BadValue { found: describe(found), expected }, help);
    }

    /// The integer, or 0 where it does not fit. `1.0` is one: on the way from YAML to JSON it becomes `1`.
    fn integer(&self, min: i64, max: i64, expected: &'static str, in_range: &'static str) -> i64 {
        let kind = self.kind();
        let value = match kind {
            Kind::Int(i) => i128::from(i),
            Kind::UInt(u) => i128::from(u),
            Kind::Float(x) if x.fract() == 0.0 => x as i128,
            _ => {
                self.wrong_type(&kind, expected);
                return 0;
            }
        };
        match i64::try_from(value) {
            Ok(value) if (min..=max).contains(&value) => value,
            _ => {
                self.bad_value(&kind, in_range, None);
                0
            }
        }
    }

    fn int32(&self, expected: &'static str) -> i64 {
        self.integer(i32::MIN.into(), i32::MAX.into(), expected, "an integer of at most 32 bits")
    }

    fn check_quantity(&self) {
        const EXPECTED: &str = "a quantity such as `500m` or `2Gi`";
        match self.kind() {
            Kind::Int(_) | Kind::UInt(_) => {}
            Kind::Float(x) if x.is_finite() => {}
            Kind::Str(text) if scalars::is_quantity(&text) => {}
            Kind::Str(text) => {
                let bare = text.trim_end_matches(['B', 'b']);
                let help = (scalars::is_quantity(bare) && bare != text)
                    .then(|| Cow::Owned(format!("quantities have no `B`: write `{bare}`")));
                self.bad_value(&Kind::Str(text), EXPECTED, help);
            }
            other => self.wrong_type(&other, EXPECTED),
        }
    }

    fn check_time(&self) {
        const EXPECTED: &str = "a time such as `2024-05-01T12:00:00Z`";
        match self.kind() {
            Kind::Str(text) if scalars::is_rfc3339(&text) => {}
            found @ Kind::Str(_) => self.bad_value(&found, EXPECTED, None),
            other => self.wrong_type(&other, EXPECTED),
        }
    }

    fn check_base64(&self) {
        const EXPECTED: &str = "base64 text";
        let kind = self.kind();
        let is_secret = matches!(self.run.path.borrow()[..], [Step::Key(key), _] if self.run.key_text(key).as_deref() == Some("data"));
        let help = is_secret.then_some(Cow::Borrowed("put plain text under `stringData`, or encode it"));
        match &kind {
            Kind::Null | Kind::Unknown => {}
            Kind::Str(text) if scalars::is_base64(text) => {}
            Kind::Str(_) => self.bad_value(&kind, EXPECTED, help),
            _ => {
                self.run.record(self.node, ProblemKind::WrongType { found: describe(&kind), expected: EXPECTED }, help)
            }
        }
    }

    /// Records which of the struct's required fields its entries lack.
    fn require(&self, type_name: &str, fields: &'static [&'static str], entries: &[(u32, u32)]) {
        for field in required::by_schema(type_name) {
            self.require_field(field, entries);
        }
        if self.run.scope == Scope::Object {
            for field in required::by_validation(type_name) {
                self.require_field(field, entries);
            }
        }
        debug_assert!(
            required::by_schema(type_name).iter().chain(required::by_validation(type_name)).all(|f| fields.contains(f)),
            "{type_name} has every field that it is said to require"
        );
    }

    fn require_field(&self, field: &'static str, entries: &[(u32, u32)]) {
        let mut at = self.node;
        for &(key, value) in entries {
            match self.run.tree.kind(key) {
                Kind::Str(name) if name == field => match self.run.tree.kind(value) {
                    Kind::Null => at = key,
                    _ => return,
                },
                // A key that is not known, or a merge, could bring the field.
                Kind::Str(name) if name == "<<" => return,
                Kind::Unknown => return,
                _ => {}
            }
        }
        self.run.record(at, ProblemKind::Missing { field }, None);
    }

    /// Every object has a name, or asks for one.
    fn require_name(&self) {
        let Kind::Map(entries) = self.kind() else { return };
        self.require_field("metadata", &entries);
        for &(key, value) in entries.iter() {
            if self.run.key_text(key).as_deref() == Some("metadata")
                && let Kind::Map(metadata) = self.run.tree.kind(value)
            {
                let generated = metadata.iter().any(|(key, value)| {
                    self.run.key_text(*key).as_deref() == Some("generateName")
                        && self.run.tree.kind(*value) != Kind::Null
                });
                if !generated {
                    let metadata_node = Self { node: value, ..*self };
                    self.run.step(Step::Key(key), || metadata_node.require_field("name", &metadata));
                }
            }
        }
    }

    fn entries(self, entries: Cow<'a, [(u32, u32)]>, fields: &'static [&'static str]) -> Entries<'a> {
        // k8s-openapi compares an object's own apiVersion and kind with its type's. For the root that is the caller's
        // choice, and for a claim template the server reads them as any strings.
        let is_object = fields.starts_with(&["apiVersion", "kind"]) && fields.contains(&"metadata");
        Entries { of: self, entries, next: 0, fields, is_object }
    }

    fn items(self, items: Cow<'a, [u32]>) -> Items<'a> {
        Items { of: self, items, next: 0 }
    }
}

const NO_ENTRIES: Cow<'static, [(u32, u32)]> = Cow::Borrowed(&[]);
const NO_ITEMS: Cow<'static, [u32]> = Cow::Borrowed(&[]);

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
            Kind::Str(text) => visitor.visit_str(&text),
            other => {
                self.wrong_type(&other, "a string");
                visitor.visit_str("")
            }
        }
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
        visitor.visit_map(self.entries(entries, &[]))
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
