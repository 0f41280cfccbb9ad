//! A table for a pull request.

use std::fmt::Write as _;

use crate::events::path::{HopKind, HopState};
use crate::report::visible;

use super::{Outcome, UnitTrace, explain, summary};

/// The tables of every unit.
pub fn write(units: &[UnitTrace]) -> String {
    let mut text = format!("### KV events: {}\n", summary(units));
    for unit in units.iter().filter(|u| !u.rows.is_empty()) {
        for (gateway, assumed, rows) in unit.by_gateway() {
            let elsewhere = if assumed { ", which is not among these manifests" } else { "" };
            let _ = writeln!(text, "\n{}, to {}{elsewhere}:\n", code(&unit.root), code(gateway));
            let heads: Vec<&str> = HopKind::ALL.iter().map(|k| k.as_str()).collect();
            let _ = writeln!(text, "| engine | {} |", heads.join(" | "));
            let _ = writeln!(text, "|---|{}", ":-:|".repeat(heads.len()));
            for row in &rows {
                let marks: Vec<&str> = row.cells.iter().map(|c| mark(&c.state)).collect();
                let _ = writeln!(text, "| {} | {} |", code(&row.engine), marks.join(" | "));
            }
            let bad: Vec<_> = rows.iter().filter(|r| r.outcome > Outcome::Delivers).collect();
            if bad.is_empty() {
                continue;
            }
            text.push('\n');
            for row in bad {
                let _ = writeln!(text, "- {}: {}", code(&row.engine), row.outcome.words());
                for cell in &row.cells {
                    if let Some(words) = explain(cell) {
                        let _ = writeln!(text, "  - {}: {}", cell.kind.as_str(), plain(&words));
                    }
                }
            }
        }
    }
    text.push_str("\n✅ ok, ❌ broken, ⚠️ events may be lost, ❔ the manifests don't tell, ➖ nothing is sent\n");
    text
}

fn mark(state: &HopState) -> &'static str {
    match state {
        HopState::Ok => "✅",
        HopState::Impaired(_) => "⚠️",
        HopState::Broken(_) => "❌",
        HopState::Unknown(_) => "❔",
        HopState::Off(_) | HopState::Moot => "➖",
    }
}

/// A name as code. Backticks would end it, a bar would end the table's cell.
fn code(text: &str) -> String {
    format!("`{}`", visible::line(text).replace('`', "'").replace('|', "\\|"))
}

/// Text in which nothing is markup but code. A mention or a link in it would reach people and places.
fn plain(text: &str) -> String {
    let mut found = String::new();
    let mut inside = false;
    let balanced = text.matches('`').count() % 2 == 0;
    for c in visible::line(text).chars() {
        match c {
            '`' if balanced => {
                inside = !inside;
                found.push(c);
            }
            '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '\\' | '#' | '~' if !inside => {
                found.push('\\');
                found.push(c);
            }
            '@' if !inside => found.push_str("@\u{200b}"),
            '|' => found.push_str("\\|"),
            _ => found.push(c),
        }
    }
    found
}
