use crate::facts::aibrix;
use crate::fix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let variable = aibrix::variable("tokenizer_type");
    let Some(required) = variable.required.as_deref() else { return };
    for gateway in &cx.model.gateways {
        let Some(sync) = gateway.syncing() else { continue };
        let name = gateway.name_of(variable);
        let default = variable.default.as_deref().unwrap_or_default();
        let (span, message) = match gateway.setting(variable) {
            Resolved::Absent(place) => {
                (place, format!("synchronisation is on, and `{name}` is not set, so that it is `{default}`"))
            }
            Resolved::Known(text, span) if text.value != required => {
                (span, format!("synchronisation is on, and `{name}` is `{}`, not `{required}`", text.value))
            }
            _ => continue,
        };
        let report = cx.report(span, message).related(sync, "synchronisation is switched on here");
        let same = |text: &crate::k8s::Text| text.value.trim().eq_ignore_ascii_case(required);
        let setting = gateway.setting(variable);
        let plain = setting.is_absent() || setting.known().is_some_and(same);
        let applicability = if plain { Applicability::Safe } else { Applicability::Unsafe };
        let report = report.mend(format!("set it to \"{required}\""), applicability, |changes| {
            fix::gateway::set(gateway, variable, required, changes)
        });
        let report = report.help(format!("set `{name}` to \"{required}\", in lower case"));
        let report = report.observed(Certainty::Certain);
        let report =
            report.note(format!("AIBrix's own manifests set it to `{default}`, which has to be overridden there"));
        if let Some(wrong) = &variable.when_wrong {
            report.note(wrong.note.clone());
        }
    }
}
