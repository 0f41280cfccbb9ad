//! What a configuration has to know of rules. The registry itself lies above: a rule is given the configuration.

/// What a rule's claim rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// What the documents of Kubernetes and AIBrix ask for.
    Documented,
    /// What releases were seen to do.
    Observed,
}

impl Contract {
    /// The word for output.
    pub fn as_str(self) -> &'static str {
        match self {
            Contract::Documented => "documented",
            Contract::Observed => "observed",
        }
    }
}

/// A rule that may be named.
pub(super) struct Known {
    pub name: &'static str,
    pub summary: &'static str,
    pub group: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/known.rs"));
