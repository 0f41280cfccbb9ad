//! The first step of switching events on: the engines, their pods' labels and ports, and the Services in front of them.

use super::run::Migration;
use super::{mark, target};
use crate::edit::{Changes, Refusal};
use crate::events::{Engine, Model, Publisher};
use crate::facts::vllm::cli::{self, Role};
use crate::facts::{Release, aibrix};
use crate::fix::command::{self, CommandLine};
use crate::fix::{engine, pod, publish};
use crate::k8s::{PodTemplate, Truth};

/// Changes one workload.
///
/// # Errors
/// Why nothing of it is changed.
pub fn workload<'t>(
    model: &Model<'t>,
    index: usize,
    migration: &Migration,
    changes: &mut Changes<'t>,
) -> Result<(), Refusal> {
    let workload = &model.workloads[index];
    let engines = target::engines(model, index)?;
    for starts in engines.chunk_by(|a, b| a.shares_container(b)) {
        let publisher = starts[0];
        let mut beside = model.publishers_of(&publisher.pod).filter(|p| p.shares_container(publisher));
        if let Some(other) = beside.find(|p| p.engine() != Engine::Vllm) {
            let reason = format!("the script may also start {}, which would not publish", other.engine().name());
            return Err(Refusal::at(other.command.grip, reason));
        }
        release(model, publisher, migration, changes)?;
        starts.iter().try_for_each(|start| options(start, changes))?;
        publish::remove_variables(publisher, changes)?;
        pod::list_ports(publisher, changes)?;
        // Engines of one pod share its labels.
        if model.publishers_of(&publisher.pod).next().is_some_and(|first| std::ptr::eq(first, publisher)) {
            labels(model, publisher, migration, changes)?;
        }
    }
    match migration.detached {
        true => Ok(()),
        false => mark::write_empty(workload, changes),
    }
}

/// Opens the ports in the Services that select a changed workload's pods. `done` are Services that were changed before.
///
/// # Errors
/// When a Service can't be edited.
pub fn services<'t>(
    model: &Model<'t>,
    index: usize,
    migration: &Migration,
    changes: &mut Changes<'t>,
    done: &mut Vec<usize>,
) -> Result<(), Refusal> {
    for (at, service) in model.services.iter().enumerate() {
        let of_workload = |pod: &PodTemplate<'t>| std::ptr::eq(pod.resource, model.workloads[index].resource);
        let selects = model.selected(*service).iter().any(|(pod, truth)| *truth == Truth::Yes && of_workload(pod));
        if !selects || done.contains(&at) || !pod::is_internal(*service) {
            continue;
        }
        done.push(at);
        let open = service.ports();
        let leads =
            |number: u16, name: &str| open.iter().any(|p| p.port.known() == Some(&number) || p.name == Some(name));
        let missing: Vec<(u16, &str)> =
            engine::ports().into_iter().filter(|(number, name)| !leads(*number, name)).collect();
        // A headless Service that lists no ports leads to all of them.
        if open.is_empty() && service.is_headless() || missing.is_empty() {
            continue;
        }
        // A name that stood there empty stays a name.
        let nameless = open.iter().any(|port| port.node.get("name").is_none());
        let named = pod::open_ports(*service, changes, &missing)?;
        if let [name] = named.as_slice()
            && nameless
            && !migration.detached
        {
            changes.set(service.resource.node(), &["metadata", "annotations", mark::ADDED], name.as_str())?;
        }
    }
    Ok(())
}

/// Makes sure that the release has events, raising the image's tag where that was asked for.
fn release<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    migration: &Migration,
    changes: &mut Changes<'t>,
) -> Result<(), Refusal> {
    let flag = cli::flag_for(Role::KvEventsConfig);
    let lacks = |release: &Release| flag.is_absent(release);
    let Some(release) = publisher.image.release.as_ref().filter(|r| lacks(r)) else { return Ok(()) };
    let Some(wanted) = &migration.vllm else {
        return Err(Refusal::at(
            publisher.image.span,
            format!(
                "vLLM {release} has no KV-cache events, {} have; raise the tag, or add `--vllm RELEASE` to have it raised",
                flag.releases
            ),
        ));
    };
    if lacks(wanted) {
        return Err(Refusal::at(publisher.image.span, format!("vLLM {wanted} has no KV-cache events either")));
    }
    publish::raise(publisher, wanted, changes)?;
    publish::raise_companions(model, publisher, wanted, changes)
}

/// The flag with its JSON; the flags of AIBrix's documents, which end the process, go.
fn options<'t>(publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    command::in_turn(publisher)?;
    let flag = engine::config_flag(publisher)?;
    if publisher.is_open() {
        return Err(Refusal::at(publisher.command.grip, "a part of the command is decided elsewhere"));
    }
    if flag.is_none() && publisher.effective_config().is_some() {
        let place = publisher.effective_config().map_or(publisher.command.grip, |c| c.key_span);
        return Err(Refusal::at(place, "events are configured in a file; change them there"));
    }
    let line = CommandLine::of(publisher)?;
    for invented in engine::invented_flags(publisher) {
        line.remove(changes, invented)?;
    }
    let Some(flag) = flag else {
        let json = engine::new_config(publisher);
        return line.append(changes, &[cli::flag_for(Role::KvEventsConfig).name.as_str(), &json]);
    };
    if flag.value.as_ref().is_none_or(|text| text.opaque) {
        return Err(Refusal::at(flag.span, "what the flag is given is decided elsewhere"));
    }
    let corrections = engine::corrections(publisher);
    if corrections.is_empty() {
        return Ok(());
    }
    line.json(changes, flag, |root, json| {
        corrections.into_iter().try_for_each(|(key, value)| json.set(root, &[key], value))
    })
}

/// The labels by which the gateway finds the pod, and knows what it serves.
fn labels<'t>(
    model: &Model<'t>,
    publisher: &Publisher<'t>,
    migration: &Migration,
    changes: &mut Changes<'t>,
) -> Result<(), Refusal> {
    let table = &aibrix::table().labels;
    let enabled = table.enabled.value.as_deref().unwrap_or_default();
    let labels = &publisher.pod.labels;
    let nameless = labels.has(&table.model.key) == Some(false);
    // Without quotes it is a boolean, which the API server refuses.
    let unquoted = labels.get(&table.enabled.key).is_some_and(|node| node.as_bool().is_some());
    if unquoted || labels.equals(&table.enabled.key, enabled) == Some(false) {
        pod::announce(model, &publisher.pod, changes)?;
    } else if nameless {
        pod::set_label(&publisher.pod, changes, &table.model.key, &pod::model_name(publisher))?;
    }
    let workload = &model.workloads[publisher.workload];
    // A script and a component have a way back of their own, and objects in a cluster have annotations that no manifest tells.
    if nameless
        && !migration.detached
        && workload.pods.iter().all(|pod| pod.labels.has(&table.model.key) == Some(false))
    {
        changes.set(workload.resource.node(), &["metadata", "annotations", mark::ADDED], table.model.key.as_str())?;
    }
    Ok(())
}
