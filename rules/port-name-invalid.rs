use std::collections::HashMap;

use crate::facts::kubernetes;
use crate::k8s::text::is_template;
use crate::lint::prelude::*;

pub fn check(cx: &mut UnitContext<'_>) {
    let model = cx.model;
    let rule = &kubernetes::table().port_name;
    let suggestion = &crate::facts::aibrix::table().documented.port_names.events;
    for container in model.pods().flat_map(|(_, pod)| pod.containers()) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for port in container.ports() {
            // A name that is no string is refused for its type.
            let Some((node, name)) = port.name.and_then(|n| Some((n, n.as_str()?))) else { continue };
            if name.is_empty() || is_template(name) {
                continue;
            }
            if !rule.accepts(name) {
                let message = if name.len() > rule.max_length {
                    format!("the port name `{}` has {} characters", shortened(name), name.len())
                } else {
                    format!("`{name}` can't be the name of a port")
                };
                let most = rule.max_length;
                cx.report(node.span(), message)
                    .label(fault(name, most))
                    .help(format!("choose at most {most} of a-z, 0-9 and `-`, with a letter, such as `{suggestion}`"))
                    .note("the API server refuses the pod");
            } else if let Some(first) = seen.insert(name, node.span()) {
                seen.insert(name, first);
                cx.report(
                    node.span(),
                    format!("the port name `{name}` stands twice in container `{}`", container.name()),
                )
                .label("used a second time")
                .related(first, "used here first")
                .help("give each port of the container a name of its own")
                .note("the API server refuses the pod; which port a Service would mean could not be told");
            }
        }
    }
}

/// Enough of a name to recognise it in a message.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_string(),
    }
}

/// The first thing that is wrong with a name.
fn fault(name: &str, most: usize) -> String {
    if name.len() > most {
        return format!("a port's name has at most {most} characters");
    }
    if let Some(bad) = name.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        return format!("`{bad}` is not allowed in a port's name");
    }
    if name.starts_with('-') || name.ends_with('-') {
        return "a port's name starts and ends with a letter or digit".to_string();
    }
    if name.contains("--") {
        return "a port's name has no two dashes in a row".to_string();
    }
    "a port's name has at least one letter".to_string()
}
