use std::collections::HashMap;

use crate::edit::{Changes, Refusal, Value};
use crate::events::Model;
use crate::facts::kubernetes::PortNameFault;
use crate::facts::{aibrix, kubernetes};
use crate::fix::{engine, pod};
use crate::k8s::{Container, ContainerPort, PodTemplate};
use crate::lint::prelude::*;
use crate::yaml::is_unfinished;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let rule = &kubernetes::table().port_name;
    let suggestion = &aibrix::table().documented.port_names.events;
    for (pod, container) in model.pods().flat_map(|(_, pod)| pod.containers().map(move |c| (pod, c))) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for port in container.ports() {
            // A name that is no string is refused for its type.
            let Some((node, name)) = port.name.and_then(|n| Some((n, n.as_str()?))) else { continue };
            if name.is_empty() || is_unfinished(name) {
                continue;
            }
            if let Some(fault) = rule.fault(name) {
                let message = if fault == PortNameFault::Long {
                    format!("the port name `{}` has {} characters", excerpt(name), name.len())
                } else {
                    format!("`{name}` can't be the name of a port")
                };
                let most = rule.max_length;
                cx.report(node.span(), message)
                    .label(words(fault, most))
                    .mend("give it a name that is accepted", certainty(&port, name), |changes| {
                        let new = right_name(container, &port, name)
                            .ok_or_else(|| Refusal::at(node.span(), "no name is plainly meant"))?;
                        rename(model, pod, container, changes, node, &new)
                    })
                    .help(format!("choose at most {most} of a-z, 0-9 and `-`, with a letter, such as `{suggestion}`"))
                    .note("the API server refuses the pod");
            } else if let Some(first) = seen.insert(name, node.span()) {
                seen.insert(name, first);
                cx.report(
                    node.span(),
                    format!("the port name `{name}` stands twice in container `{}`", container.name()),
                )
                .label("used a second time")
                .mend("give it the name of its number", Applicability::Safe, |changes| {
                    let new = convention(container, &port);
                    let new = new.ok_or_else(|| Refusal::at(node.span(), "no name is plainly meant"))?;
                    // What uses the name goes on to mean the first.
                    changes.replace(node, Value::from(new))
                })
                .related(first, "used here first")
                .help("give each port of the container a name of its own")
                .note("the API server refuses the pod; which port a Service would mean could not be told");
            }
        }
    }
}

/// The name that AIBrix's documents give to the port's number, unless another port has it.
fn convention(container: Container<'_>, port: &ContainerPort<'_>) -> Option<&'static str> {
    let known = engine::ports().into_iter().find(|(number, _)| port.number.known() == Some(number));
    known.map(|(_, name)| name).filter(|name| port.is_tcp() && container.port_named(name).is_none())
}

/// A name that is accepted and looks like the one that is not.
fn right_name(container: Container<'_>, port: &ContainerPort<'_>, name: &str) -> Option<String> {
    if let Some(name) = convention(container, port) {
        return Some(name.to_string());
    }
    let rule = &kubernetes::table().port_name;
    let words = plain(name);
    let mut new = String::new();
    for word in words.split('-').filter(|word| !word.is_empty()) {
        let joined = if new.is_empty() { word.to_string() } else { format!("{new}-{word}") };
        if joined.len() > rule.max_length {
            break;
        }
        new = joined;
    }
    (rule.accepts(&new) && container.port_named(&new).is_none()).then_some(new)
}

/// A name with the letters that names of ports have.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.', ' '], "-")
}

/// Another spelling is what was meant; a shorter name is a guess.
fn certainty(port: &ContainerPort<'_>, name: &str) -> Applicability {
    let dialled = engine::ports().iter().any(|(number, _)| port.number.known() == Some(number));
    if dialled || kubernetes::table().port_name.accepts(&plain(name)) {
        Applicability::Safe
    } else {
        Applicability::Unsafe
    }
}

/// Renames a port and what refers to it.
fn rename<'t>(
    model: &Model<'t>,
    pod: &PodTemplate<'t>,
    container: Container<'t>,
    changes: &mut Changes<'t>,
    node: Node<'t>,
    new: &str,
) -> Result<(), Refusal> {
    changes.replace(node, Value::from(new))?;
    pod::rename_references(model, pod, container, changes, (node.text().unwrap_or_default(), new))
}

/// What is wrong with a name, in words.
fn words(fault: PortNameFault<'_>, most: usize) -> String {
    match fault {
        PortNameFault::Long => format!("a port's name has at most {most} characters"),
        PortNameFault::Character(bad) => format!("`{bad}` is not allowed in a port's name"),
        PortNameFault::Edge => "a port's name starts and ends with a letter or digit".to_string(),
        PortNameFault::Forbidden(part) => format!("a port's name has no `{part}`"),
        PortNameFault::NoLetter => "a port's name has at least one letter".to_string(),
    }
}
