use crate::facts::aibrix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let variable = aibrix::variable("routing_algorithm");
    let Some(needed) = variable.sync_value.as_deref() else { return };
    for gateway in &model.gateways {
        let (Some(sync), Resolved::Known(text, span)) = (gateway.syncing(), gateway.setting(variable)) else {
            continue;
        };
        if text.value.is_empty() || text.value == needed {
            continue;
        }
        cx.report(span, format!("`{}` routes without a look at the events", text.value))
            .related(sync, "synchronisation is switched on here")
            .help(format!("set `{}` to `{needed}`, or let each request ask for it", gateway.name_of(variable)))
            .note(variable.effect.clone());
    }
}
