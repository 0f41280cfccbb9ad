//! One JSON document.

use serde_json::{Value, json};

use super::{Cell, Place, Row, UnitTrace, summary};

/// The version of the document; it grows when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// The document.
pub fn write(units: &[UnitTrace]) -> String {
    let units_json: Vec<Value> = units
        .iter()
        .map(|unit| json!({"root": unit.root, "complete": unit.complete, "paths": unit.rows.iter().map(row).collect::<Vec<_>>()}))
        .collect();
    let document = json!({"version": VERSION, "summary": summary(units), "units": units_json});
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    crate::display::visible::json(text) + "\n"
}

fn row(row: &Row) -> Value {
    json!({
        "engine": {"name": row.engine, "place": place(&row.engine_place)},
        "gateway": {"name": row.gateway, "assumed": row.assumed},
        "state": row.outcome.as_str(),
        "hops": row.cells.iter().map(cell).collect::<Vec<_>>(),
    })
}

fn cell(cell: &Cell) -> Value {
    let reason = cell.state.reason();
    json!({
        "hop": cell.kind.key(),
        "state": cell.state.as_str(),
        "rule": reason.and_then(|r| r.rule),
        "message": reason.map(|r| r.words.as_str()),
        "place": cell.place.as_ref().map(place),
    })
}

fn place(place: &Place) -> Value {
    json!({"path": place.path, "line": place.line, "column": place.column})
}
