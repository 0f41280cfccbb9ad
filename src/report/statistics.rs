//! How often each rule spoke.

use std::collections::BTreeMap;

use super::Report;
use crate::lint::Severity;

/// Counts per rule and severity, the most frequent first.
pub fn of(report: &Report<'_>) -> Vec<(usize, Severity, &'static str)> {
    let mut counts: BTreeMap<(&'static str, Severity), usize> = BTreeMap::new();
    for (diagnostic, _) in report.findings() {
        *counts.entry((diagnostic.rule, diagnostic.severity)).or_default() += 1;
    }
    let mut rows: Vec<_> = counts.into_iter().map(|((rule, severity), n)| (n, severity, rule)).collect();
    rows.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)).then(a.2.cmp(b.2)));
    rows
}

/// The same as aligned lines.
pub fn table(report: &Report<'_>) -> String {
    let rows = of(report);
    let width = rows.iter().map(|r| r.0.to_string().len()).max().unwrap_or(0);
    rows.iter().map(|(n, severity, rule)| format!("{n:>width$}  {:<7}  {rule}\n", severity.as_str())).collect()
}
