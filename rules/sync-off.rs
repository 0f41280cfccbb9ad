use crate::events::{Gateway, Publisher};
use crate::facts::aibrix;
use crate::fix;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let label = &aibrix::table().labels.enabled;
    let heard = |p: &&Publisher<'_>| {
        let asked = label.value.as_deref().is_some_and(|value| p.pod.labels.equals(&label.key, value) == Some(true));
        asked && p.publishing() == Publishing::On
    };
    let publishers: Vec<_> = model.engines().filter(heard).collect();
    // One gateway that listens, or may listen, is enough.
    if publishers.is_empty() || !model.gateways.iter().all(is_off) {
        return;
    }
    let variable = aibrix::variable("kv_event_sync");
    for gateway in &model.gateways {
        // These are findings of their own.
        if !gateway.can_sync() || gateway.misnamed(variable).is_some() || gateway.refused(variable).is_some() {
            continue;
        }
        let name = gateway.name_of(variable);
        let setting = gateway.setting(variable);
        let message = match setting.is_absent() {
            true => format!("engines publish events, and `{name}` is not set on the gateway"),
            false => format!("engines publish events, and `{name}` is off"),
        };
        let mut report = cx.report(setting.span(), message);
        for publisher in publishers.iter().take(NAMED) {
            report = report.related(publisher.container.grip(), format!("{} publishes", publisher.pod.title()));
        }
        // Without the address of a tokenizer, which is for a person to say, it would not start.
        let open = aibrix::prerequisites().any(|v| v.required_non_empty && gateway.setting(v).is_absent());
        let report = match open {
            true => report,
            false => report.mend("switch it on, with what it needs", Applicability::Unsafe, |changes| {
                let required = aibrix::prerequisites().filter(|v| !gateway.names(v).is_empty());
                let right = |text: &str, value: &str| text == value || aibrix::parse_bool(text) == Some(true);
                required
                    .filter_map(|v| Some((v, v.required.as_deref()?)))
                    .filter(|(v, value)| !gateway.setting(v).known().is_some_and(|text| right(&text.value, value)))
                    .try_for_each(|(v, value)| fix::gateway::set(gateway, v, value, changes))?;
                let size = aibrix::variable("block_size");
                match fix::gateway::matching_block_size(model) {
                    Some(right) if gateway.block_size().known() != Some(&right) => {
                        fix::gateway::set(gateway, size, &right.to_string(), changes)
                    }
                    _ => Ok(()),
                }
            }),
        };
        report
            .help(format!("set `{name}` to \"{}\"", variable.required.as_deref().unwrap_or(aibrix::bool_text(true))))
            .note("nobody receives the events; the gateway guesses from its own requests what the engines have cached");
    }
}

fn is_off(gateway: &Gateway<'_>) -> bool {
    !gateway.can_sync() || gateway.sync().is_absent() || gateway.sync().known() == Some(&false)
}
