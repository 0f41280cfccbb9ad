use crate::facts::aibrix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let labels = &aibrix::table().labels;
    let (excluded, value) = (&labels.excluded.key, labels.excluded.value.as_deref());
    for (_, pod) in model.pods().filter(|(_, pod)| pod.is_serving()) {
        let Some(enabled) = pod.labels.entry(&labels.enabled.key) else { continue };
        let Some(entry) = pod.labels.entry(excluded) else { continue };
        if enabled.value.text() != labels.enabled.value.as_deref() || entry.value.text() != value {
            continue;
        }
        let shown = value.unwrap_or_default();
        cx.report(entry.value.span(), format!("`{excluded}: {shown}` keeps the gateway from subscribing to the pod"))
            .label("pods with this label are skipped")
            .related(enabled.key.span(), "this label asks the gateway to subscribe")
            .help(format!("remove `{excluded}` from pods that publish, or the other label from Ray's workers"))
            .note("the gateway skips Ray's workers because the head of a cluster publishes for all of them");
    }
}
