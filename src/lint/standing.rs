//! How findings count: an old debt that a baseline lists, or a line that the change at hand did not touch.

use super::diagnostic::{Diagnostic, Severity};

/// How one finding counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether it touches changed lines; `None` when nobody asked.
    pub on_changed_lines: Option<bool>,
    /// Whether the baseline lists it; `None` without a baseline.
    pub in_baseline: Option<bool>,
}

impl Standing {
    /// Whether it may decide the exit code.
    pub fn counts(self) -> bool {
        self.on_changed_lines != Some(false) && self.in_baseline != Some(true)
    }
}

/// Whether a finding of at least this severity counts. A finding without a standing does.
pub fn any_counts(diagnostics: &[Diagnostic], standings: &[Standing], limit: Severity) -> bool {
    let standing = |i: usize| standings.get(i).copied().unwrap_or_default();
    diagnostics.iter().enumerate().any(|(i, d)| d.severity >= limit && standing(i).counts())
}
