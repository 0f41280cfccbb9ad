use crate::facts::aibrix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let label = &aibrix::table().labels.enabled;
    // With several gateways it is not known which one serves a pod.
    let [gateway] = model.gateways.as_slice() else { return };
    let (Some(_), Some((port, template))) = (gateway.syncing(), gateway.tokenizer_port()) else { return };
    for publisher in &model.publishers {
        let asked = label.value.as_deref().is_some_and(|v| publisher.pod.labels.equals(&label.key, v) == Some(true));
        let Resolved::Known(own, span) = publisher.http_port() else { continue };
        if !asked || publisher.publishing() != Publishing::On || own == port {
            continue;
        }
        let variable = aibrix::variable("tokenizer_endpoint_template");
        let name = gateway.name_of(variable);
        let report = cx.report(span, format!("the engine answers on port {own}, and the gateway tokenises on {port}"));
        let report = report.observed(Certainty::Certain).related(template, format!("`{name}` leads to port {port}"));
        let report = report.help(format!("serve on port {port}, or set `{name}` to `http://%s:{own}`"));
        if let Some(wrong) = &variable.when_wrong {
            report.note(wrong.note.clone());
        }
    }
}
