use crate::edit::Value;
use crate::facts::aibrix::{self, Kind};
use crate::facts::{effect_at, effect_everywhere};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for gateway in &model.gateways {
        for variable in aibrix::table().variables.iter().filter(|v| v.kind == Kind::Bool) {
            let Some((text, span)) = gateway.refused(variable) else { continue };
            let name = gateway.name_of(variable);
            let needed = variable.required.is_some();
            let severity = if needed { Severity::Error } else { Severity::Warning };
            let yes = aibrix::bool_text(true);
            let accepted = aibrix::table().bool_true.join("`, `");
            let report = cx
                .report(span, format!("`{}` is false to the gateway", text.value))
                .severity(severity)
                .label(format!("`{name}` stays {}", variable.default.as_deref().unwrap_or(aibrix::bool_text(false))))
                .help(format!("write \"{yes}\"; accepted are `{accepted}`"));
            // What comes by way of another variable may be meant for others, too.
            let value = gateway.variable(variable).and_then(|var| var.node.get("value"));
            let report = match value.filter(|node| node.text() == Some(&text.value)) {
                Some(node) => report.mend(format!("write \"{yes}\""), Applicability::Safe, |changes| {
                    changes.replace(node, Value::string(yes))
                }),
                None => report,
            };
            let rows = &aibrix::table().bool_invalid;
            let row = gateway.image.release.as_ref().and_then(|release| effect_at(rows, release));
            let row = row.or_else(|| effect_everywhere(rows).and(rows.first()));
            if let Some(note) = row.and_then(|row| row.note.clone()) {
                report.note(note);
            }
        }
    }
}
