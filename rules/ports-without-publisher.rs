use crate::facts::vllm::EnvRole;
use crate::facts::vllm::cli::{self, Role};
use crate::facts::{aibrix, consumers};
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let table = aibrix::table();
    let numbers = [table.dial.events, table.dial.replay];
    for (_, pod) in model.pods() {
        // The label asks for events, and labelled-but-silent says that none come. Others configure engines themselves.
        let has_label = pod.labels.has(&table.labels.enabled.key) != Some(false);
        if has_label || consumers::by_workload_group(pod.resource.group()).is_some() {
            continue;
        }
        let publishers: Vec<_> = model.publishers_of(pod).collect();
        if publishers.iter().any(|p| p.publishing() != Publishing::Unconfigured || p.has_hidden_company()) {
            continue;
        }
        for starts in publishers.chunk_by(|a, b| a.shares_container(b)) {
            let publisher = starts[0];
            let nixl = publisher.env_for(EnvRole::NixlPort);
            for port in publisher.container.ports() {
                let (Some((&number, span)), Some(name)) = (port.number.known_at(), port.name) else { continue };
                let says_events = name.text().is_some_and(|n| table.documented.port_name_words.names_events(n));
                let is_nixl = match &nixl {
                    Resolved::Known(text, _) => text.value.trim() == number.to_string(),
                    Resolved::Unknown(_) => true,
                    Resolved::Absent(_) => publisher.nixl_port().is_some_and(|p| p.contains(number)),
                };
                if !numbers.contains(&number) || !says_events || is_nixl {
                    continue;
                }
                let name = name.text().unwrap_or_default();
                cx.report(span, format!("port {number} is exposed as `{name}`, and nothing publishes on it"))
                    .label("nothing in the pod listens here")
                    .related(
                        publisher.command.grip,
                        format!("{} is started without KV-event options", publisher.engine().name()),
                    )
                    .help(format!(
                        "add `{}` to the engine, or remove the port",
                        cli::flag_for(Role::KvEventsConfig).name
                    ))
                    .note("a port in the list opens nothing: connections to it are refused until a process listens");
            }
        }
    }
}
