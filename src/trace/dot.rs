//! A Graphviz digraph.

use std::fmt::Write as _;

use super::path::HopState;
use crate::display::visible;

use super::{Outcome, Row, UnitTrace};

/// The graph of every unit.
pub fn write(units: &[UnitTrace]) -> String {
    let mut text = String::from(
        "digraph kv_events {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=11, \
         color=\"#2f6fb5\", fillcolor=\"#eaf2fb\"];\n  edge [fontname=\"sans-serif\", fontsize=9];\n",
    );
    for (u, unit) in units.iter().enumerate().filter(|(_, unit)| !unit.rows.is_empty()) {
        let _ = writeln!(text, "  subgraph cluster_{u} {{\n    label={}; color=\"#d0d7de\";", quoted(&unit.root));
        let mut engines: Vec<(&str, String)> = Vec::new();
        for row in &unit.rows {
            let key = format!("u{u} {} {}", row.engine_place, row.engine);
            if !engines.iter().any(|(_, k)| *k == key) {
                let _ = writeln!(text, "    {} [label={}];", quoted(&key), quoted(&row.engine));
                engines.push((&row.engine, key));
            }
        }
        for (gateway, assumed, rows) in unit.by_gateway() {
            let key = quoted(&format!("u{u} to {gateway}"));
            let dashed = if assumed { "rounded,dashed" } else { "rounded,filled" };
            let _ = writeln!(
                text,
                "    {key} [label={}, color=\"#6b4fbb\", fillcolor=\"#efeafc\", style=\"{dashed}\"];",
                quoted(gateway)
            );
            for row in rows {
                let from = quoted(&format!("u{u} {} {}", row.engine_place, row.engine));
                let _ = writeln!(text, "    {from} -> {key} [{}];", edge(row));
            }
        }
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    text
}

fn edge(row: &Row) -> String {
    let (color, style) = match row.outcome {
        Outcome::Delivers => ("#1a7f37", "solid"),
        Outcome::Silent => ("#d0d7de", "dotted"),
        Outcome::Unknown => ("#8c959f", "dashed"),
        Outcome::Impaired => ("#bf8700", "solid"),
        Outcome::Broken => ("#cf222e", "solid"),
    };
    let bad = row.cells.iter().filter(|c| matches!(c.state, HopState::Broken(_) | HopState::Impaired(_)));
    let words: Vec<String> = bad
        .map(|c| match c.state.reason().and_then(|r| r.rule) {
            Some(rule) => format!("{}: {rule}", c.kind.as_str()),
            None => c.kind.as_str().to_string(),
        })
        .collect();
    format!("color=\"{color}\", fontcolor=\"{color}\", style={style}, label={}", quoted(&words.join("\n")))
}

/// A quoted string; a line break of ours is `\n`, none of the text's own is left.
fn quoted(text: &str) -> String {
    let lines: Vec<String> =
        text.split('\n').map(|line| visible::line(line).replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", lines.join("\\n"))
}
