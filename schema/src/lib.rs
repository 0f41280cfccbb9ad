//! Decodes Kubernetes' core kinds strictly and names the node that the API server would refuse.
//!
//! The types come from [`k8s_openapi`]. They are instantiated here once, because that is slow to build; the rest of
//! kvlint sees three functions and a trait. The crate knows nothing of kvlint's tree: it reads any [`Tree`].
//!
//! What is reported is what a server refuses under strict field validation, the default of `kubectl apply`: a wrong
//! type, an unknown field, a malformed quantity, time or base64 text, and the absence of a field without which the
//! object is never accepted. Rules about values (a port's range, `protocol: tcp`) are not types and not looked at.
//!
//! * A value written as null is absent, as it is to the server.
//! * A [`Kind::Unknown`] value fits everywhere and counts as present.
//! * Every problem is reported, not the first alone: a value that does not fit is reported and then read as absent.

mod de;
mod kinds;
mod node;
mod problem;
mod required;
mod run;
mod scalars;

pub use problem::{Problem, ProblemKind};

use run::Scope;
use std::borrow::Cow;

/// A tree of nodes, each named by a number.
///
/// Aliases must be resolved and merge keys (`<<`) expanded; an entry still named `<<` is passed over, and nothing is
/// concluded from what its mapping lacks.
pub trait Tree {
    /// What the node holds. Borrow where possible: a node may be asked for more than once.
    fn kind(&self, node: u32) -> Kind<'_>;
}

/// What a node holds, typed as the API server's reader of YAML types it.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'a> {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`, and what YAML 1.1 takes for them.
    Bool(bool),
    /// An integer that fits an `i64`.
    Int(i64),
    /// An integer beyond `i64`.
    UInt(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    Str(Cow<'a, str>),
    /// A sequence's items.
    Seq(Cow<'a, [u32]>),
    /// A mapping's entries: the key's node and the value's.
    Map(Cow<'a, [(u32, u32)]>),
    /// What can't be known before deployment, such as template text: any type is accepted.
    Unknown,
}

/// What [`check`] has to say of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The kind is none of the core kinds in the table (a custom kind, or a removed version): nothing was checked.
    NotCore,
    /// The object was decoded. The problems, at most 50, roughly in the order of the text; none for a sound object.
    Checked(Vec<Problem>),
}

/// A part of a core object, as custom kinds embed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// `template:` of a workload: `metadata` and `spec`.
    PodTemplateSpec,
    /// A pod's `spec:`.
    PodSpec,
    /// One item of `containers:`.
    Container,
    /// `metadata:`.
    ObjectMeta,
}

/// Checks the object at `root` as the core kind that `api_version` and `kind` name.
///
/// The object must be complete: a strategic-merge patch is not an object, and its `$patch` keys and missing fields
/// would be reported. A `List` is not looked into; check its items. Messages about a Secret name no values.
pub fn check(tree: &dyn Tree, root: u32, api_version: &str, kind: &str) -> Outcome {
    let scope = if kind == "Secret" { Scope::Secret } else { Scope::Object };
    match kinds::decoder(api_version, kind) {
        Some(decoder) => Outcome::Checked(run::run(tree, root, decoder, scope)),
        None => Outcome::NotCore,
    }
}

/// Whether [`check`] knows this kind.
pub fn is_core(api_version: &str, kind: &str) -> bool {
    kinds::decoder(api_version, kind).is_some()
}

/// Checks a part of a core object inside a custom kind.
///
/// Of missing fields only those are reported that Kubernetes' own schema marks as required, because the schemas of
/// custom kinds copy it; what only the server's validation asks for (a container's `image`) an operator may fill in.
/// A custom kind may still be laxer: [`ProblemKind::Missing`] is then the caller's to drop.
pub fn check_fragment(tree: &dyn Tree, node: u32, fragment: Fragment) -> Vec<Problem> {
    run::run(tree, node, kinds::fragment_decoder(fragment), Scope::Fragment)
}
