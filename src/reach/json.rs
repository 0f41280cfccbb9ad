//! One JSON document.

use serde_json::{Value, json};
use std::path::Path;

use crate::display::{shown, visible};
use crate::k8s::reach::End;
use crate::k8s::reach::connections::Connections;

use super::UnitReach;

/// The version of the document; it grows when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// The document.
pub fn write(units: &[UnitReach<'_>]) -> String {
    let units: Vec<Value> = units
        .iter()
        .map(|unit| {
            let mut connections = Vec::new();
            unit.each(|c| {
                connections.push(json!({
                    "from": end(c.from),
                    "to": end(c.to),
                    "certain": set(c.certain),
                    "possible": set(c.possible),
                }));
            });
            let other = unit.reach.other_policy.map(|r| r.title());
            json!({
                "root": shown(Path::new(&unit.unit.title())),
                "complete": unit.unit.is_complete(),
                "not_considered": other,
                "connections": connections,
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&json!({"version": VERSION, "units": units})).unwrap_or_default();
    visible::json(text) + "\n"
}

fn end(end: &End) -> Value {
    match end {
        End::Outside(range) => json!({"addresses": range.to_string()}),
        End::Pods { namespace, name, kind } => json!({"namespace": namespace, "name": name, "kind": kind}),
    }
}

/// `{"all": true}`, or the ranges of each protocol.
fn set(connections: &Connections) -> Value {
    if connections.is_all() {
        return json!({"all": true});
    }
    let ports: serde_json::Map<String, Value> =
        connections.ranges().map(|(protocol, ranges)| (protocol.as_str().to_string(), json!(ranges))).collect();
    json!({"all": false, "ports": ports})
}
