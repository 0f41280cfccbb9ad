use crate::events::Publisher;
use crate::facts::aibrix;
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::events::{self, Setting};
use crate::fix::publish;
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
        let Some(first) = publishers.first().filter(|_| publishers.iter().all(|p| is_silent(p))) else { continue };
        let flag = &cli::flag_for(Role::KvEventsConfig).name;
        let enable = &events::field(Setting::Enable).key;
        let report = cx
            .report(entry.value.span(), "the pod asks to be heard by the gateway, but its engine publishes nothing")
            .label("the gateway subscribes to this pod")
            .note("the pod will be Running and serve requests, and the gateway will never learn what it has cached");
        // Which of several containers is meant is not known.
        let report = match publishers.iter().all(|p| p.shares_container(first) && p.engine() == first.engine()) {
            true => report.mend("switch events on", Applicability::Unsafe, |changes| {
                publish::switch_on(model, &publishers, changes)
            }),
            false => report,
        };
        let unnamed = first.readable_config().is_some_and(|c| c.entry(Setting::Publisher.key()).is_absent());
        let rows = &events::table().config.publisher_unset;
        let ends = first.image.verdict(rows, |effect| effect.is_fatal()).filter(|_| unnamed);
        let report = match ends {
            Some(verdict) => report.note(format!(
                "without a `{}` it does not even start: {}",
                Setting::Publisher.key(),
                first.image.evidence("vLLM", &verdict)
            )),
            None => report,
        };
        match first.setting(Setting::Enable) {
            Resolved::Known(_, off) => {
                report.related(off, "events are switched off here").help("switch events on, or remove the label")
            }
            _ => report
                .related(first.command.grip, format!("{} is started without KV-event options", first.engine().name()))
                .help(format!("add `{flag} '{{\"{enable}\": true, …}}'` to the engine, or remove the label")),
        };
    }
}

/// Whether an engine sends nothing and no other rule says why: it has no options, or is switched off in so many words.
fn is_silent(publisher: &Publisher<'_>) -> bool {
    if publisher.has_hidden_company() {
        return false;
    }
    match publisher.publishing() {
        Publishing::Unconfigured => !publisher.fails_to_configure(),
        Publishing::Off => !publisher.is_unreadable() && !publisher.drops_json() && publisher.is_switched_off(),
        Publishing::On | Publishing::Unknown => false,
    }
}
