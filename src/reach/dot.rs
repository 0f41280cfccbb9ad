//! A Graphviz digraph: a cluster for each namespace, an edge for each connection.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::display::{shown, visible};
use crate::k8s::reach::End;

use super::{UnitReach, words};

/// The graph of every unit.
pub fn write(units: &[UnitReach<'_>]) -> String {
    let mut text = String::from(
        "digraph reach {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=11, \
         color=\"#2f6fb5\", fillcolor=\"#eaf2fb\"];\n  edge [fontname=\"sans-serif\", fontsize=9, color=\"#59636e\"];\n",
    );
    for (u, unit) in units.iter().enumerate() {
        let _ =
            writeln!(text, "  subgraph cluster_{u} {{\n    label={};", quoted(&shown(Path::new(&unit.unit.title()))));
        let mut ends: BTreeMap<String, BTreeSet<End>> = BTreeMap::new();
        let mut edges = String::new();
        unit.each(|c| {
            for end in [c.from, c.to] {
                let space = match end {
                    End::Outside(_) => String::new(),
                    End::Pods { namespace, .. } => namespace.clone(),
                };
                ends.entry(space).or_default().insert(end.clone());
            }
            let style = if c.certain.is_empty() { ", style=dashed" } else { "" };
            let label = quoted(&words(c.certain, c.possible));
            let _ = writeln!(edges, "    {} -> {} [label={label}{style}];", id(u, c.from), id(u, c.to));
        });
        for (n, (space, members)) in ends.iter().enumerate() {
            if !space.is_empty() {
                let _ = writeln!(
                    text,
                    "    subgraph cluster_{u}_{n} {{\n      label={}; color=\"#d0d7de\";",
                    quoted(space)
                );
            }
            for end in members {
                let label = match end {
                    End::Outside(range) => range.to_string(),
                    End::Pods { name, kind, .. } => format!("{name}\n{kind}"),
                };
                let _ = writeln!(text, "      {} [label={}];", id(u, end), quoted(&label));
            }
            if !space.is_empty() {
                text.push_str("    }\n");
            }
        }
        text.push_str(&edges);
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    text
}

fn id(unit: usize, end: &End) -> String {
    quoted(&format!("{unit} {end}"))
}

/// A quoted string; a line break of ours is `\n`, none of the text's own is left.
fn quoted(text: &str) -> String {
    let lines: Vec<String> =
        text.split('\n').map(|line| visible::line(line).replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", lines.join("\\n"))
}
