//! Running rules over units: the registry, what a rule is given, and what becomes of its findings.

pub mod baseline;
mod blocked;
mod context;
mod diagnostic;
mod fingerprint;
mod objects;
mod overlays;
mod problems;
mod relocate;
mod restrain;
mod rule;
mod run;
mod standing;
mod stretches;
pub mod suppress;

pub use blocked::{name_ends, report_blocked};
pub use context::{ResourceContext, RunContext, UnitContext};
pub use diagnostic::{Advice, Applicability, Diagnostic, Fix, Label, Rendered, Report, Severity};
pub use fingerprint::{FINGERPRINT, fingerprints, relative};
pub use problems::report_problems;
pub use rule::{Check, FixKind, Group, HopKind, RULES, Rule, find};
pub use run::{Failure, Outcome, Part, lint};
pub use standing::{Standing, any_counts};

pub use crate::config::Contract;
pub use crate::edit::Edit;

/// What nearly every rule needs.
pub mod prelude {
    pub use super::{Applicability, Diagnostic, ResourceContext, RunContext, Severity, UnitContext};
    pub use crate::display::{excerpt, excerpt_of};
    pub use crate::events::{Certainty, Publishing, Resolved};
    pub use crate::source::Span;
    pub use crate::yaml::Node;

    /// Of places of one sort, such as engines, a finding names so many at most.
    pub const NAMED: usize = 5;
}
