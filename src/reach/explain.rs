//! Which policies and lines allow or deny.

use std::fmt::Write as _;

use crate::display::{shown, visible};
use crate::k8s::Truth;
use crate::k8s::policy::Direction;
use crate::k8s::reach::{End, EndpointId};
use crate::source::Span;

use super::{EndFilter, UnitReach, words};

/// Every pair of ends that the options ask for, those without a connection too, each with its reasons.
pub fn write(unit: &UnitReach<'_>, text: &mut String) {
    let mut open: Vec<(End, End, String)> = Vec::new();
    unit.each(|c| open.push((c.from.clone(), c.to.clone(), words(c.certain, c.possible))));
    for (from, to, words) in open.iter().filter(|(from, to, _)| is_outside(from) || is_outside(to)) {
        let _ = writeln!(text, "{} => {} : {words}", visible::line(&from.to_string()), visible::line(&to.to_string()));
    }
    let (from, to) = (EndFilter::new(unit.options.from.as_deref()), EndFilter::new(unit.options.to.as_deref()));
    for source in 0..unit.reach.endpoints.len() {
        let from_end = unit.reach.end(source);
        for destination in 0..unit.reach.endpoints.len() {
            let to_end = unit.reach.end(destination);
            if from_end == to_end || !from.shows(&from_end) || !to.shows(&to_end) {
                continue;
            }
            let found = open.iter().find(|(a, b, _)| *a == from_end && *b == to_end);
            let words = found.map_or("No Connections", |(_, _, words)| words);
            let names = (from_end.to_string(), to_end.to_string());
            let _ = writeln!(text, "{} => {} : {words}", visible::line(&names.0), visible::line(&names.1));
            side(unit, text, Direction::Egress, source, destination);
            side(unit, text, Direction::Ingress, destination, source);
        }
    }
}

fn is_outside(end: &End) -> bool {
    matches!(end, End::Outside(_))
}

/// What the policies on one end say about the other.
fn side(unit: &UnitReach<'_>, text: &mut String, direction: Direction, guarded: EndpointId, other: EndpointId) {
    let reach = &unit.reach;
    let at = |span: Span| {
        let span = unit.loaded.shown_span(span);
        let place = unit.loaded.sources.line_column(span);
        let path = shown(unit.loaded.sources.file(span.file).path());
        format!("{}:{}:{}", visible::line(&path), place.line, place.column)
    };
    let mut policies = 0;
    for (_, policy) in reach.policies_on(guarded) {
        let selects = policy.selects(guarded).and(policy.isolates(direction));
        if selects == Truth::No {
            continue;
        }
        policies += 1;
        let perhaps = if selects == Truth::Unknown { "perhaps " } else { "" };
        let title = policy.view.title();
        let name = visible::line(&title);
        let mut opens = false;
        for rule in policy.rules(direction).iter().filter(|r| r.admits(other) != Truth::No) {
            let destination = if direction == Direction::Ingress { guarded } else { other };
            let (certain, possible) = rule.connections(reach, Some(destination));
            if possible.is_empty() {
                continue;
            }
            opens = true;
            let certain = if rule.admits(other) == Truth::Yes { certain } else { Default::default() };
            let place = rule.view.as_ref().map_or_else(|| policy.view.resource.grip(), |v| v.node.grip());
            let words = words(&certain, &possible);
            let _ = writeln!(text, "    {}: {perhaps}{name} opens {words}  {}", direction.key(), at(place));
        }
        if !opens {
            let place = policy.view.isolation_place(direction);
            let _ = writeln!(text, "    {}: {perhaps}{name} opens nothing here  {}", direction.key(), at(place));
        }
    }
    if policies == 0 {
        let title = reach.title(guarded);
        let _ = writeln!(text, "    {}: no policy selects {}", direction.key(), visible::line(&title));
    }
}
