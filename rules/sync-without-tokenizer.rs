use crate::facts::aibrix;
use crate::fix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let variable = aibrix::variable("remote_tokenizer");
    for gateway in &cx.model.gateways {
        let Some(sync) = gateway.syncing() else { continue };
        // A value that was meant as true, and a name that the release does not read, are findings of their own.
        if gateway.refused(variable).is_some() || gateway.misnamed(variable).is_some() {
            continue;
        }
        let name = gateway.name_of(variable);
        let (span, message) = match gateway.switch(variable) {
            Resolved::Absent(place) => (place, format!("synchronisation is on, and `{name}` is not set")),
            Resolved::Known(false, span) => (span, format!("synchronisation is on, and `{name}` is off")),
            _ => continue,
        };
        let report = cx.report(span, message).related(sync, "synchronisation is switched on here");
        let required = variable.required.as_deref().unwrap_or(aibrix::bool_text(true));
        let absent = gateway.setting(variable).is_absent();
        let applicability = if absent { Applicability::Safe } else { Applicability::Unsafe };
        let report = report.mend(format!("set it to \"{required}\""), applicability, |changes| {
            fix::gateway::set(gateway, variable, required, changes)
        });
        let report = report.help(format!("set `{name}` to \"{required}\""));
        if let Some(wrong) = &variable.when_wrong {
            report.note(wrong.note.clone());
        }
    }
}
