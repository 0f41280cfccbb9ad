use crate::facts::aibrix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    for gateway in &model.gateways {
        for variable in aibrix::table().variables.iter().filter(|v| v.never_set) {
            let Some(var) = gateway.variable(variable) else { continue };
            // An empty value is as good as none.
            if var.value.known().is_some_and(|text| text.value.is_empty()) {
                continue;
            }
            let name = gateway.name_of(variable);
            let report =
                cx.report(var.name.span(), format!("every value of `{name}` is wrong")).observed(Certainty::Certain);
            let report = report.help("remove it, so that the default holds");
            let report = report.note(variable.effect.clone());
            if let Some(row) = variable.names.last() {
                report.note(format!("releases {}; {}", row.releases, gateway.image.describe("the gateway")));
            }
        }
    }
}
