//! What a template knows of a value before it is rendered: where it comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::load::helm::values::ValuePath;

/// Alternatives that are told apart; of more nothing is said.
const MOST_ALTERNATIVES: usize = 24;

/// A value that the text of the template gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Const {
    Nil,
    Bool(bool),
    /// As it is written.
    Number(SmolStr),
    Text(SmolStr),
    /// `.Template.BasePath` of the chart with this key: what comes behind it names a file.
    BasePath(ValuePath, SmolStr),
}

/// A value by its origin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sym {
    /// What `$` is at the top of a file: `.Values`, `.Chart` and the rest, for the chart with this key.
    Scope(ValuePath),
    /// The value at a path.
    Value(ValuePath),
    /// The key or index that ends a path.
    Key(ValuePath),
    /// The value at a path as YAML or JSON text.
    Yaml(ValuePath),
    /// The template's own.
    Const(Const),
    /// Not from the values: the release, random numbers.
    Other,
    /// What Chart.yaml of the chart with this key says, under a name as templates write it.
    Meta(ValuePath, SmolStr),
    /// `.Files` of the chart with this key, and the method of it that is named.
    Files(ValuePath, SmolStr),
    /// `dict`.
    Dict(Arc<BTreeMap<SmolStr, Sym>>),
    /// `list`.
    List(Arc<Vec<Sym>>),
    /// One of these.
    OneOf(Arc<Vec<Sym>>),
    /// Something that was made of values.
    Made(Arc<Made>),
    /// Nobody knows.
    Unknown,
}

/// What a function made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Made {
    /// What went in.
    pub(super) from: BTreeSet<ValuePath>,
    /// Whether the text of the one value stands in it as it was.
    pub(super) verbatim: bool,
    /// What came out, where that is known.
    pub(super) value: Option<Const>,
}

impl Sym {
    pub(super) const NIL: Sym = Sym::Const(Const::Nil);

    pub(super) fn text(text: &str) -> Sym {
        Sym::Const(Const::Text(text.into()))
    }

    pub(super) fn bool(value: bool) -> Sym {
        Sym::Const(Const::Bool(value))
    }

    /// Something made of all these.
    pub(super) fn made<'s>(parts: impl IntoIterator<Item = &'s Sym>) -> Sym {
        let mut made = Made::default();
        if parts.into_iter().all(|part| part.collect(&mut made.from)) {
            Sym::Made(Arc::new(made))
        } else {
            Sym::Unknown
        }
    }

    /// The text of this, maybe in quotes or indented.
    pub(super) fn verbatim(&self) -> Sym {
        match self {
            Sym::Value(path) => Sym::Made(Arc::new(Made { from: [path.clone()].into(), verbatim: true, value: None })),
            Sym::OneOf(ways) => Sym::one_of(ways.iter().map(Sym::verbatim).collect()),
            Sym::Yaml(_) | Sym::Made(_) | Sym::Const(_) | Sym::Key(_) | Sym::Unknown => self.clone(),
            Sym::Other | Sym::Meta(..) => self.clone(),
            Sym::Files(..) | Sym::Scope(_) | Sym::Dict(_) | Sym::List(_) => Sym::made([self]),
        }
    }

    /// One of these, the same ones once.
    pub(super) fn one_of(ways: Vec<Sym>) -> Sym {
        let mut flat: Vec<Sym> = Vec::new();
        for way in ways {
            let parts = match &way {
                Sym::OneOf(inner) => inner.as_slice(),
                one => std::slice::from_ref(one),
            };
            for part in parts {
                if !flat.contains(part) {
                    flat.push(part.clone());
                }
            }
        }
        match flat.len() {
            0 => Sym::NIL,
            1 => flat.swap_remove(0),
            _ => Sym::OneOf(Arc::new(flat)),
        }
    }

    /// Whether there are more alternatives than are worth following.
    pub(super) fn is_too_wide(&self) -> bool {
        matches!(self, Sym::OneOf(ways) if ways.len() > MOST_ALTERNATIVES)
    }

    /// Adds the paths that it came from; `false` where not all are known.
    pub(super) fn collect(&self, into: &mut BTreeSet<ValuePath>) -> bool {
        match self {
            Sym::Scope(_) | Sym::Files(..) | Sym::Unknown => false,
            Sym::Value(path) | Sym::Yaml(path) | Sym::Key(path) => {
                into.insert(path.clone());
                true
            }
            Sym::Const(_) | Sym::Other | Sym::Meta(..) => true,
            Sym::Dict(entries) => {
                // Not `all`, which would stop at the first that is not known.
                let known = entries.values().filter(|value| value.collect(into)).count();
                known == entries.len()
            }
            Sym::List(items) | Sym::OneOf(items) => {
                let known = items.iter().filter(|value| value.collect(into)).count();
                known == items.len()
            }
            Sym::Made(made) => {
                into.extend(made.from.iter().cloned());
                true
            }
        }
    }
}
