//! A Mermaid flowchart: engines on the left, gateways on the right, an arrow for each path with what breaks it.

use std::fmt::Write as _;

use super::path::HopState;
use crate::display::visible;

use super::{Outcome, Row, UnitTrace};

/// The flowchart of every unit.
pub fn write(units: &[UnitTrace]) -> String {
    let mut text = String::from("flowchart LR\n");
    let mut links = 0;
    let mut styles = String::new();
    for (u, unit) in units.iter().enumerate().filter(|(_, unit)| !unit.rows.is_empty()) {
        let mut engines: Vec<(&Row, String)> = Vec::new();
        let gateways = unit.by_gateway();
        for row in &unit.rows {
            if !engines.iter().any(|(r, _)| same_engine(r, row)) {
                engines.push((row, format!("u{u}e{}", engines.len())));
            }
        }
        let _ = writeln!(text, "  subgraph u{u}[{}]\n    direction LR", quoted(&unit.root));
        for (row, id) in &engines {
            let _ = writeln!(text, "    {id}[{}]:::engine", quoted(&row.engine));
        }
        for (g, (gateway, assumed, _)) in gateways.iter().enumerate() {
            let class = if *assumed { "assumed" } else { "gateway" };
            let _ = writeln!(text, "    u{u}g{g}([{}]):::{class}", quoted(gateway));
        }
        for (g, (_, _, rows)) in gateways.iter().enumerate() {
            for row in rows {
                let Some((_, id)) = engines.iter().find(|(r, _)| same_engine(r, row)) else { continue };
                let _ = match label(row) {
                    Some(label) => writeln!(text, "    {id} -->|{}| u{u}g{g}", quoted(&label)),
                    None => writeln!(text, "    {id} --> u{u}g{g}"),
                };
                let _ = writeln!(styles, "  linkStyle {links} {}", style(row.outcome));
                links += 1;
            }
        }
        text.push_str("  end\n");
    }
    text.push_str(&styles);
    text.push_str("  classDef engine fill:#eaf2fb,stroke:#2f6fb5,color:#12263a\n");
    text.push_str("  classDef gateway fill:#efeafc,stroke:#6b4fbb,color:#23193f\n");
    text.push_str("  classDef assumed fill:#ffffff,stroke:#6b4fbb,color:#23193f,stroke-dasharray:4 3\n");
    text
}

/// Two engines may have one name in different files.
fn same_engine(a: &Row, b: &Row) -> bool {
    a.engine == b.engine && a.engine_place == b.engine_place
}

/// What stands in the way: the hops and their rules.
fn label(row: &Row) -> Option<String> {
    let bad = row.cells.iter().filter(|c| match row.outcome {
        Outcome::Broken => matches!(c.state, HopState::Broken(_)),
        Outcome::Impaired => matches!(c.state, HopState::Impaired(_)),
        Outcome::Unknown => matches!(c.state, HopState::Unknown(_)),
        Outcome::Silent => matches!(c.state, HopState::Off(_)),
        Outcome::Delivers => false,
    });
    let sign = match row.outcome {
        Outcome::Broken => "✕",
        Outcome::Impaired => "!",
        Outcome::Silent => "not",
        _ => "?",
    };
    let words: Vec<String> = bad
        .map(|c| match c.state.reason().and_then(|r| r.rule) {
            Some(rule) => format!("{sign} {}: {rule}", c.kind.as_str()),
            None => format!("{sign} {}", c.kind.as_str()),
        })
        .collect();
    (!words.is_empty()).then(|| words.join("<br/>"))
}

fn style(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivers => "stroke:#1a7f37,stroke-width:2px",
        Outcome::Silent => "stroke:#d0d7de,stroke-width:1px,stroke-dasharray:2 4",
        Outcome::Unknown => "stroke:#8c959f,stroke-width:2px,stroke-dasharray:5 4",
        Outcome::Impaired => "stroke:#bf8700,stroke-width:2px",
        Outcome::Broken => "stroke:#cf222e,stroke-width:2px",
    }
}

/// Text in quotes; `<br/>` is the only markup that is left. Mermaid reads `#name;` as a character.
fn quoted(text: &str) -> String {
    let parts: Vec<String> = text.split("<br/>").map(escaped).collect();
    format!("\"{}\"", parts.join("<br/>"))
}

fn escaped(text: &str) -> String {
    let mut found = String::new();
    for c in visible::line(text).chars() {
        match c {
            '"' => found.push_str("#quot;"),
            '#' => found.push_str("#35;"),
            '<' => found.push_str("#lt;"),
            '>' => found.push_str("#gt;"),
            '&' => found.push_str("#amp;"),
            '`' => found.push_str("#96;"),
            '\\' => found.push_str("#92;"),
            ';' => found.push_str("#59;"),
            _ => found.push(c),
        }
    }
    found
}
