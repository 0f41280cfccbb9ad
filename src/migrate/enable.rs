//! The first step of switching events on: the engines, their pods' labels and ports, and the Services in front of them.

use super::engine;
use super::run::Migration;
use crate::events::{Engine, Model, Publisher};
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::env;
use crate::facts::{Release, aibrix};
use crate::fix::command::CommandLine;
use crate::fix::edit::{Changes, Refusal, Value};
use crate::k8s::{PodTemplate, Resolved, Service, Text, Truth, image};
use crate::load::Resource;
use crate::yaml::{BlamePart, Node, Written};

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
    let engines: Vec<&Publisher<'t>> =
        model.publishers.iter().filter(|p| p.workload == index && p.engine() == Engine::Vllm).collect();
    if engines.is_empty() {
        return Err(Refusal::at(workload.resource.grip(), "no container of it is seen to start vLLM"));
    }
    for publisher in engines {
        release(publisher, migration, changes)?;
        options(publisher, changes)?;
        variables(publisher, changes)?;
        container_ports(publisher, changes)?;
        labels(publisher, changes)?;
    }
    Ok(())
}

/// Opens the ports in the Services that select a changed workload's pods. `done` are Services that were changed before.
///
/// # Errors
/// When a Service can't be edited.
pub fn services<'t>(
    model: &Model<'t>,
    index: usize,
    changes: &mut Changes<'t>,
    done: &mut Vec<usize>,
) -> Result<(), Refusal> {
    for (at, service) in model.services.iter().enumerate() {
        let of_workload = |pod: &PodTemplate<'t>| std::ptr::eq(pod.resource, model.workloads[index].resource);
        let selects = model.selected(*service).iter().any(|(pod, truth)| *truth == Truth::Yes && of_workload(pod));
        if !selects || done.contains(&at) || !is_internal(*service) {
            continue;
        }
        done.push(at);
        let open = service.ports();
        for (number, name) in engine::ports() {
            let leads = |p: &crate::k8s::ServicePort<'_>| p.port.known() == Some(&number) || p.name == Some(name);
            if open.iter().any(leads) {
                continue;
            }
            let port = Value::map([
                ("name", Value::from(name)),
                ("port", Value::from(number)),
                ("protocol", Value::from("TCP")),
                ("targetPort", Value::from(number)),
            ]);
            changes.append(service.resource.node(), &["spec", "ports"], port)?;
        }
    }
    Ok(())
}

/// Whether a Service is reached from inside the cluster alone: events are nobody else's business.
pub fn is_internal(service: Service<'_>) -> bool {
    let kind = service.resource.node().at("spec.type").and_then(Node::text);
    kind.is_none_or(|kind| kind == "ClusterIP")
}

/// Makes sure that the release has events, raising the image's tag where that was asked for.
fn release<'t>(publisher: &Publisher<'t>, migration: &Migration, changes: &mut Changes<'t>) -> Result<(), Refusal> {
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
    let node = publisher.container.image();
    let tag = node.and_then(|node| Some((node, image::parse(node.text()?).ok()?.tag?)));
    let Some((node, tag)) = tag else {
        return Err(Refusal::at(publisher.image.span, "the image has no tag to raise"));
    };
    let digest = node.text().is_some_and(|t| t.contains('@'));
    if digest || tag.text.trim_start_matches('v') != release.to_string() {
        return Err(Refusal::at(publisher.image.span, "the image's tag says more than the release; raise it by hand"));
    }
    let start = if tag.text.starts_with('v') { "v" } else { "" };
    changes.retext(node, vec![crate::fix::edit::TextEdit::new(tag.range, format!("{start}{wanted}"))])
}

/// The flag with its JSON; the flags of AIBrix's documents, which end the process, go.
fn options<'t>(publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
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

/// The variables of AIBrix's documents, which nothing reads, go.
fn variables<'t>(publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    for variable in publisher.container.env_vars() {
        if env::option_by_env(variable.name.text().unwrap_or_default()).is_some() {
            changes.remove_up_to(variable.node, publisher.container.node)?;
        }
    }
    Ok(())
}

fn container_ports<'t>(publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    let listed = publisher.container.ports();
    if publisher.pod.host_network().is_some() {
        return Ok(());
    }
    for (number, name) in engine::ports() {
        if publisher.pod_lists(number) || listed.iter().any(|p| p.number.known() == Some(&number)) {
            continue;
        }
        let taken = listed.iter().any(|p| p.name.and_then(Node::text) == Some(name));
        let mut port = vec![("containerPort", Value::from(number))];
        if !taken {
            port.push(("name", Value::from(name)));
        }
        port.push(("protocol", Value::from("TCP")));
        changes.append(publisher.container.node, &["ports"], Value::map(port))?;
    }
    Ok(())
}

/// The labels by which the gateway finds the pod, and knows what it serves.
fn labels<'t>(publisher: &Publisher<'t>, changes: &mut Changes<'t>) -> Result<(), Refusal> {
    let table = &aibrix::table().labels;
    let enabled = table.enabled.value.as_deref().unwrap_or_default();
    if publisher.pod.labels.equals(&table.enabled.key, enabled) == Some(false) {
        set_label(&publisher.pod, changes, &table.enabled.key, enabled)?;
    }
    if publisher.pod.labels.has(&table.model.key) == Some(false) {
        set_label(&publisher.pod, changes, &table.model.key, &model_name(publisher))?;
    }
    Ok(())
}

/// The name that the gateway knows the model by: the one that it is served under, else the workload's.
pub fn model_name(publisher: &Publisher<'_>) -> String {
    match publisher.flag(Role::ServedModelName) {
        Resolved::Known(Text { value, .. }, _) if is_label_value(&value) => value,
        _ => written_name(publisher.pod.resource),
    }
}

/// The name as the file has it, without what a build puts around it: what is written beside it is shared by all overlays.
fn written_name(resource: &Resource) -> String {
    let node = resource.node().at("metadata.name");
    let own = match node.map(Node::written) {
        Some(Written::Node(node)) => node.text().map(str::to_string),
        Some(Written::Parts(parts)) => {
            let home = match resource.node().written() {
                Written::Node(node) => Some(node.source().id()),
                _ => None,
            };
            parts.iter().find_map(|(len, part)| match part {
                BlamePart::Node(tree, id, start) if Some(tree.source().id()) == home => {
                    tree.node(*id).text()?.get(*start..start + len).map(str::to_string)
                }
                _ => None,
            })
        }
        _ => None,
    };
    own.unwrap_or_else(|| resource.name().to_string())
}

fn set_label<'t>(pod: &PodTemplate<'t>, changes: &mut Changes<'t>, key: &str, value: &str) -> Result<(), Refusal> {
    let refused = || Refusal::at(pod.labels_place, "the pods of this kind can't be given labels");
    if let Some(labels) = pod.labels.node {
        return changes.set(labels, &[key], value);
    }
    if !pod.can_have_labels {
        return Err(refused());
    }
    match &pod.row.labels {
        None => changes.set(pod.node, &["metadata", "labels", key], value),
        Some(path) if !path.contains(['[', '*']) => {
            let mut keys: Vec<&str> = path.split('.').collect();
            keys.push(key);
            changes.set(pod.resource.node(), &keys, value)
        }
        Some(_) => Err(refused()),
    }
}

/// Whether a text can be the value of a label (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set).
fn is_label_value(text: &str) -> bool {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && end(text.chars().next())
        && end(text.chars().last())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
