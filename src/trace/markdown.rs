//! A table for a pull request.

use std::fmt::Write as _;

use super::path::HopState;
use crate::display::markup::{code, plain};
use crate::lint::HopKind;

use super::{UnitTrace, notes, summary};

/// Engines that a note names at most.
const ENGINES: usize = 6;

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
            let notes = notes(&rows);
            if !notes.is_empty() {
                text.push('\n');
            }
            for note in notes {
                let Some(reason) = note.reason() else { continue };
                let rule = reason.rule.map(|rule| format!(" ({})", code(rule))).unwrap_or_default();
                let place = note.place().map(|p| format!(", {}", code(&p.to_string()))).unwrap_or_default();
                let mut names: Vec<String> = note.engines.iter().take(ENGINES).map(|name| code(name)).collect();
                if note.engines.len() > ENGINES {
                    names.push(format!("{} more", note.engines.len() - ENGINES));
                }
                let _ = writeln!(
                    text,
                    "- {} **{}**, {}: {}{rule}{place}",
                    mark(&note.cell.state),
                    note.cell.kind.as_str(),
                    names.join(", "),
                    plain(&reason.words)
                );
            }
        }
    }
    text.push_str("\n✅ ok, ❌ broken, ⚠️ events may be lost, ❔ the manifests don't tell, ➖ nothing is sent\n");
    text
}

fn mark(state: &HopState) -> &'static str {
    match state {
        HopState::Ok | HopState::Noted(_) => "✅",
        HopState::Impaired(_) => "⚠️",
        HopState::Broken(_) => "❌",
        HopState::Unknown(_) => "❔",
        HopState::Off(_) | HopState::Moot => "➖",
    }
}
