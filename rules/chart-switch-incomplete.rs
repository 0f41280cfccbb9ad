use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::events::Model;
use crate::lint::prelude::*;
use crate::load::Unit;
use crate::load::helm::values::{Kind, ValuePath};
use crate::load::helm::{Rendering, unit_of_text};

/// Values that are turned over: more are not tried, for each costs a run of helm.
const TRIED: usize = 6;

/// Rules that speak where the switch is on, and what it leaves off then.
const WITH_IT_ON: &[(&str, &str)] = &[
    ("discovery-label-missing", "the label"),
    ("event-port-not-exposed", "ports of the container"),
    ("service-events-port-missing", "a port of the Service"),
];

/// Rules that speak where the switch is off, and what it leaves on then.
const WITH_IT_OFF: &[(&str, &str)] = &[("labelled-but-silent", "the label")];

pub fn check(cx: &mut UnitContext<'_>) {
    let (unit, model, config) = (cx.unit, cx.model, cx.config);
    let Some(rendering) = unit.helm.as_ref().and_then(|helm| helm.rendering.as_deref()) else { return };
    if model.publishers.is_empty() {
        return;
    }
    let now = publishing(model);
    let candidates = candidates(rendering);
    let turned: Vec<Option<Unit>> =
        candidates.par_iter().map(|(path, ..)| Some(unit_of_text(unit, rendering.render_changed(path)?))).collect();
    for ((path, on, place), turned) in candidates.iter().zip(&turned) {
        let Some(turned) = turned else { continue };
        let then = publishing(&Model::new(turned, config));
        // A switch turns engines on in one direction alone.
        let (with, without) = match on {
            true if now.is_superset(&then) && now != then => (unit, turned),
            false if then.is_superset(&now) && now != then => (turned, unit),
            _ => continue,
        };
        for (unit, parts, does) in [(with, WITH_IT_ON, "on, but not"), (without, WITH_IT_OFF, "off, but not")] {
            let rules: Vec<&str> = parts.iter().map(|(rule, _)| *rule).collect();
            let findings = cx.examine(unit, &rules);
            let said: Vec<(&str, &Diagnostic)> = parts
                .iter()
                .filter_map(|(rule, part)| Some((*part, findings.iter().find(|finding| finding.rule == *rule)?)))
                .collect();
            if said.is_empty() {
                continue;
            }
            let left: Vec<&str> = said.iter().map(|(part, _)| *part).collect();
            let message = format!("`{path}` turns KV-cache events {does} {}", left.join(", "));
            let mut report = cx.report(*place, message).help("put what is left under the same condition");
            for (_, finding) in said {
                report = report.note(format!("{}: {}", finding.rule, finding.message));
            }
        }
    }
}

/// The engines that publish, by their objects and containers.
fn publishing(model: &Model<'_>) -> BTreeSet<(String, String)> {
    let on = model.publishers.iter().filter(|p| p.publishing() == Publishing::On);
    on.map(|p| (p.pod.resource.title(), p.container.name().to_string())).collect()
}

/// Booleans of the values files that a condition of a template may read: those whose names speak of events first.
fn candidates(rendering: &Rendering) -> Vec<(ValuePath, bool, Span)> {
    let (Some(values), Some(chart)) = (rendering.values(), rendering.chart()) else { return Vec::new() };
    let texts: Vec<&str> = chart.parsed().files.iter().map(|(_, template)| template.source().text()).collect();
    let read =
        |key: &str| texts.iter().any(|text| text.contains(&format!(".{key}")) || text.contains(&format!("\"{key}\"")));
    let mut found: Vec<(bool, ValuePath, bool, Span)> = Vec::new();
    for (path, leaf) in values.leaves() {
        let (Kind::Bool, Some(place)) = (leaf.kind(), leaf.place().grip()) else { continue };
        let name = path.to_string();
        let last = name.rsplit('.').next().unwrap_or_default();
        if read(last) {
            let lower = name.to_ascii_lowercase();
            let elsewhere = !(lower.contains("event") || lower.contains("kv"));
            found.push((elsewhere, path, leaf.is_truthy(), place));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    found.into_iter().take(TRIED).map(|(_, path, on, place)| (path, on, place)).collect()
}
