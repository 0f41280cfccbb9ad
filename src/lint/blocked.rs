//! What is said of event paths that network policies block: one text for both directions.

use super::UnitContext;
use super::diagnostic::{Report, Severity};
use super::prelude::NAMED;
use crate::events::Model;
use crate::events::policies::{self, Blocked, words};
use crate::k8s::policy::Direction;
use crate::k8s::reach::Why;

/// Reports the paths that policies block in one direction, for the rule that the context belongs to.
pub fn report_blocked(cx: &mut UnitContext<'_>, direction: Direction) {
    let model = cx.model;
    for blocked in policies::blocked(model, direction) {
        // A peer without its namespace is policy-peer-other-namespace.
        if blocked.obstacle.why == Why::OtherNamespace {
            continue;
        }
        // Where the gateway is elsewhere, the policy's author may know its namespace better.
        let unsure =
            blocked.obstacle.why == Why::Namespace && blocked.needed.iter().all(|n| n.subscriber.is_assumed(model));
        let severity = if unsure || blocked.is_replay_alone() { Severity::Warning } else { Severity::Error };
        let report = cx
            .report(blocked.obstacle.span, blocked.message(model, direction))
            .severity(severity)
            .help(blocked.help(model, direction));
        name_ends(report, model, &blocked);
    }
}

/// Names the engines and the gateways at the ends of a blocked path, and says what comes of it.
pub fn name_ends(mut report: Report<'_>, model: &Model<'_>, blocked: &Blocked<'_, '_>) {
    for needed in blocked.engines().into_iter().take(NAMED) {
        let title = policies::engine_title(model, needed.publisher);
        report = report.related(needed.span, format!("`{title}` listens on port {}", needed.port.number));
    }
    for id in blocked.subscribers() {
        if let Some(pod) = model.reach.endpoints.get(id).and_then(|e| e.pod()) {
            report = report.related(pod.resource.grip(), words::gateway_words(model, id));
        }
    }
    let assumption = blocked.needed.first().and_then(|first| policies::assumption(model, first.subscriber));
    for note in blocked.consequences(model).into_iter().chain(assumption) {
        report = report.note(note);
    }
}
