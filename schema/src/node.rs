//! One node, and whether it fits what is wanted of it.

use crate::{
    Kind, ProblemKind,
    problem::{describe, type_help, type_name},
    required,
    run::{Run, Scope, Step},
    scalars,
};
use std::borrow::Cow;

/// One node, about to be decoded.
#[derive(Clone, Copy)]
pub(crate) struct De<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) node: u32,
    pub(crate) depth: u16,
    /// The key that leads here and the fields of the struct that it stands in.
    pub(crate) field: Option<(u32, &'static [&'static str])>,
    /// Whether unknown fields are accepted here and below.
    pub(crate) open: bool,
}

impl<'a> De<'a> {
    pub(crate) fn root(run: &'a Run<'a>, node: u32) -> Self {
        Self { run, node, depth: 0, field: None, open: false }
    }

    /// What the node holds; unknown once a limit is reached.
    pub(crate) fn kind(&self) -> Kind<'a> {
        match self.run.limit(self.depth) {
            None => self.run.tree.kind(self.node),
            Some(limit) => {
                self.run.record_limit(self.node, limit);
                Kind::Unknown
            }
        }
    }

    pub(crate) fn child(self, node: u32, field: Option<(u32, &'static [&'static str])>) -> Self {
        self.run.count_value();
        Self { node, field, depth: self.depth + 1, ..self }
    }

    /// What was found, for a message; a Secret's values are not for logs.
    fn describe(&self, found: &Kind<'_>) -> String {
        if self.run.scope == Scope::Secret { type_name(found).to_owned() } else { describe(found) }
    }

    /// Records that another type belongs here. Null and unknown values belong everywhere.
    pub(crate) fn wrong_type(&self, found: &Kind<'_>, expected: &'static str) {
        if !matches!(found, Kind::Null | Kind::Unknown) {
            let help = type_help(found, expected).map(Cow::Borrowed);
            self.run.record(self.node, ProblemKind::WrongType { found: self.describe(found), expected }, help);
        }
    }

    pub(crate) fn bad_value(&self, found: &Kind<'_>, expected: &'static str, help: Option<Cow<'static, str>>) {
        self.run.record(self.node, ProblemKind::BadValue { found: self.describe(found), expected }, help);
    }

    /// The integer, or 0 where it does not fit. `1.0` is one: on the way from YAML to JSON it becomes `1`.
    pub(crate) fn integer(&self, min: i64, max: i64, expected: &'static str, in_range: &'static str) -> i64 {
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

    pub(crate) fn int32(&self, expected: &'static str) -> i64 {
        self.integer(i32::MIN.into(), i32::MAX.into(), expected, "an integer of at most 32 bits")
    }

    pub(crate) fn check_quantity(&self) {
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

    pub(crate) fn check_time(&self) {
        const EXPECTED: &str = "a time such as `2024-05-01T12:00:00Z`";
        match self.kind() {
            Kind::Str(text) if scalars::is_rfc3339(&text) => {}
            found @ Kind::Str(_) => self.bad_value(&found, EXPECTED, None),
            other => self.wrong_type(&other, EXPECTED),
        }
    }

    pub(crate) fn check_base64(&self) {
        const EXPECTED: &str = "base64 text";
        let kind = self.kind();
        let help = (self.run.scope == Scope::Secret)
            .then_some(Cow::Borrowed("put plain text under `stringData`, or encode it"));
        match &kind {
            Kind::Null | Kind::Unknown => {}
            Kind::Str(text) if scalars::is_base64(text) => {}
            Kind::Str(_) => {
                let found = "other text".to_owned();
                self.run.record(self.node, ProblemKind::BadValue { found, expected: EXPECTED }, help);
            }
            _ => {
                let found = self.describe(&kind);
                self.run.record(self.node, ProblemKind::WrongType { found, expected: EXPECTED }, help);
            }
        }
    }

    /// Records which of the struct's required fields its entries lack.
    pub(crate) fn require(&self, type_name: &str, fields: &'static [&'static str], entries: &[(u32, u32)]) {
        for field in required::by_schema(type_name) {
            self.require_field(field, entries);
        }
        if self.run.scope != Scope::Fragment {
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
    pub(crate) fn require_name(&self) {
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
}
