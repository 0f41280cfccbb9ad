use std::collections::HashMap;

use crate::lint::prelude::*;
use crate::source::{FileId, ReadOnly};

pub fn check(cx: &mut UnitContext<'_>) {
    let unit = cx.unit;
    // Most files hold one object, which need not be looked into.
    let mut objects: HashMap<FileId, usize> = HashMap::new();
    unit.resources.iter().for_each(|o| *objects.entry(o.file()).or_default() += 1);
    let mut seen = HashMap::new();
    for object in unit.resources.iter().filter(|o| objects.get(&o.file()).is_some_and(|n| *n > 1)) {
        let name = object.node().at("metadata.name").and_then(Node::as_str).unwrap_or("");
        if name.is_empty() || object.has_open_name() {
            continue;
        }
        let namespace = object.node().at("metadata.namespace").and_then(Node::text);
        let key = (object.file(), object.group(), object.kind(), namespace, name);
        let Some(first) = seen.insert(key, object) else { continue };
        let text = |o: &crate::load::Resource| o.tree().source().slice(o.node().span()).trim_end().to_string();
        // A copy changes nothing.
        if text(first) == text(object) {
            continue;
        }
        // What a chart renders comes from several files.
        let rendered = unit.helm.is_some() || object.tree().source().why_read_only() == Some(ReadOnly::Rendered);
        let place = if rendered { "in what is rendered" } else { "in this file" };
        cx.report(object.grip(), format!("{} `{name}` stands twice {place}", object.kind()))
            .label("this one is applied last")
            .related(first.grip(), "this one is applied first, and changed again by the other")
            .help("give one of them another name, or remove it")
            .note("what is left in the cluster depends on the tool that applies the file");
    }
}
