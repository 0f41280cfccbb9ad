use crate::facts::aibrix;
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::events::{self, Setting};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let label = &aibrix::table().labels.enabled;
    for (_, pod) in model.pods() {
        let Some(entry) = pod.labels.entry(&label.key) else { continue };
        // Any other value is not subscribed to, which is another rule's finding.
        if entry.value.text() != label.value.as_deref() {
            continue;
        }
        let publishers: Vec<_> = model.publishers_of(pod).collect();
        let silent = |p: &crate::events::Publisher<'_>| p.publishing() == Publishing::Unconfigured;
        let Some(first) = publishers.first().filter(|_| publishers.iter().all(|p| silent(p))) else { continue };
        let flag = &cli::flag_for(Role::KvEventsConfig).name;
        let enable = &events::field(Setting::Enable).key;
        cx.report(entry.value.span(), "the pod asks to be heard by the gateway, but its engine publishes nothing")
            .label("the gateway subscribes to this pod")
            .related(first.command.grip, format!("{} is started without KV-event options", first.engine().name()))
            .help(format!("add `{flag} '{{\"{enable}\": true, …}}'` to the engine, or remove the label"))
            .note("the pod will be Running and serve requests, and the gateway will never learn what it has cached");
    }
}
