//! Running rules over units: the registry, what a rule is given, and what becomes of its findings.

mod blocked;
mod context;
mod diagnostic;
mod overlays;
mod relocate;
mod rule;
mod run;
pub mod suppress;

pub use blocked::report_blocked;
pub use context::{ResourceContext, RunContext, UnitContext};
pub use diagnostic::{Applicability, Diagnostic, Edit, Fix, Label, Rendered, Report, Severity};
pub use rule::{Check, Contract, FixKind, Group, RULES, Rule, find};
pub use run::{Outcome, examine, lint};

/// What nearly every rule needs.
pub mod prelude {
    pub use super::{Diagnostic, ResourceContext, RunContext, Severity, UnitContext};
    pub use crate::events::{Certainty, Publishing, Resolved};
    pub use crate::source::Span;
    pub use crate::yaml::Node;
}
