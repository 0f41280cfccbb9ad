//! A table for the terminal, and below it what stands in the way.

use std::fmt::Write as _;

use super::path::HopState;
use crate::display::visible;
use crate::lint::HopKind;

use super::{UnitTrace, notes, some, summary};

/// Engines that a note names at most.
const ENGINES: usize = 6;

/// The table of every unit.
pub fn write(units: &[UnitTrace]) -> String {
    let mut text = String::new();
    for unit in units.iter().filter(|u| !u.rows.is_empty()) {
        let partial = if unit.complete { "" } else { "  (a part of what is deployed)" };
        let _ = writeln!(text, "{}{partial}", visible::line(&unit.root));
        for (gateway, assumed, rows) in unit.by_gateway() {
            let elsewhere = if assumed { " (not among these manifests)" } else { "" };
            let _ = writeln!(text, "\n  to {}{elsewhere}\n", visible::line(gateway));
            let names: Vec<String> = rows.iter().map(|r| visible::line(&r.engine).into_owned()).collect();
            let width = names.iter().map(|n| n.chars().count()).max().unwrap_or(0).max("engine".len());
            let _ = write!(text, "  {:<width$}", "engine");
            for kind in HopKind::ALL {
                let _ = write!(text, "  {}", kind.as_str());
            }
            text.push('\n');
            for (row, name) in rows.iter().zip(&names) {
                let _ = write!(text, "  {name:<width$}");
                for cell in &row.cells {
                    let _ = write!(text, "  {:<1$}", word(&cell.state), cell.kind.as_str().len());
                }
                while text.ends_with(' ') {
                    text.pop();
                }
                text.push('\n');
            }
            for note in notes(&rows) {
                let Some(reason) = note.reason() else { continue };
                let rule = reason.rule.map(|rule| format!(" [{rule}]")).unwrap_or_default();
                let kind = note.cell.kind.as_str();
                let _ = writeln!(text, "\n  {kind}: {}{rule}", visible::line(&reason.words));
                if let Some(place) = note.place() {
                    let _ = writeln!(text, "    at {}", visible::line(&place.to_string()));
                }
                let _ =
                    writeln!(text, "    {} {}", label(&note.cell.state), visible::line(&some(&note.engines, ENGINES)));
            }
        }
        text.push('\n');
    }
    text.push_str(&summary(units));
    text.push('\n');
    text
}

/// What the engines of a note have in common.
fn label(state: &HopState) -> &'static str {
    match state {
        HopState::Broken(_) => "no event arrives from",
        HopState::Impaired(_) => "events may be lost from",
        HopState::Off(_) => "without events:",
        HopState::Noted(_) => "events pass all the same from",
        _ => "not known for",
    }
}

fn word(state: &HopState) -> &'static str {
    match state {
        HopState::Ok | HopState::Noted(_) => "ok",
        HopState::Impaired(_) => "!",
        HopState::Broken(_) => "BROKEN",
        HopState::Unknown(_) => "?",
        HopState::Off(_) => "off",
        HopState::Moot => "-",
    }
}
