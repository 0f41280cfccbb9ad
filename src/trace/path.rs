//! The way of events from one engine to one subscriber, hop by hop, and what breaks each.
//!
//! A hop is decided from the findings of a lint run, so that the trace never says anything else than the rules do; where no
//! finding speaks, the model tells whether the hop is right, wrong or not known.

mod territory;

use crate::events::subscribers::{Direction, Subscriber};
use crate::events::{Model, Publisher, Publishing, policies};
use crate::facts::aibrix;
use crate::k8s::policy::Protocol;
use crate::k8s::{Resolved, Truth};
use crate::lint::{self, Diagnostic, HopKind, Severity};
use crate::source::Span;
use territory::{Scope, Territory};

/// What becomes of events at a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HopState {
    /// They pass.
    Ok,
    /// They pass, and a finding asks for something all the same.
    Noted(Reason),
    /// They may be lost: a finding says so with less than certainty, or it is about missed events alone.
    Impaired(Reason),
    /// They don't pass.
    Broken(Reason),
    /// The manifests don't tell.
    Unknown(Reason),
    /// The engine is not meant to publish, and its pod does not ask to be heard.
    Off(Reason),
    /// Nothing is sent, so there is nothing to say.
    Moot,
}

/// Why a hop is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The rule whose finding says so.
    pub rule: Option<&'static str>,
    /// The place.
    pub span: Option<Span>,
    /// In words, without a final stop.
    pub words: String,
}

impl Reason {
    fn new(words: impl Into<String>, span: Span) -> Reason {
        Reason { rule: None, span: Some(span), words: words.into() }
    }

    fn of(finding: &Diagnostic) -> Reason {
        Reason { rule: Some(finding.rule), span: Some(finding.primary.span), words: finding.message.clone() }
    }
}

impl Reason {
    fn contract(finding: &Diagnostic) -> Reason {
        let words = format!("{}; a port that is not listed is reachable all the same", finding.message);
        Reason { words, ..Reason::of(finding) }
    }
}

impl HopState {
    /// The word for machines.
    pub fn as_str(&self) -> &'static str {
        match self {
            HopState::Ok | HopState::Noted(_) => "ok",
            HopState::Impaired(_) => "impaired",
            HopState::Broken(_) => "broken",
            HopState::Unknown(_) => "unknown",
            HopState::Off(_) => "off",
            HopState::Moot => "moot",
        }
    }

    /// Why, where there is something to say.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            HopState::Noted(r)
            | HopState::Impaired(r)
            | HopState::Broken(r)
            | HopState::Unknown(r)
            | HopState::Off(r) => Some(r),
            HopState::Ok | HopState::Moot => None,
        }
    }

    /// The worse the greater.
    fn rank(&self) -> u8 {
        match self {
            HopState::Moot => 0,
            HopState::Ok => 1,
            HopState::Noted(_) => 2,
            HopState::Off(_) => 3,
            HopState::Unknown(_) => 4,
            HopState::Impaired(_) => 5,
            HopState::Broken(_) => 6,
        }
    }
}

/// One step of one path.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Which.
    pub kind: HopKind,
    /// What becomes of events there.
    pub state: HopState,
}

/// The way from one engine to one subscriber.
#[derive(Clone, Debug)]
pub struct EventPath<'m, 't> {
    /// The engine.
    pub publisher: &'m Publisher<'t>,
    /// Who wants the events.
    pub subscriber: &'m Subscriber,
    /// The hops, in the order of [`HopKind::ALL`].
    pub hops: Vec<Hop>,
}

impl EventPath<'_, '_> {
    /// The state of the worst hop.
    pub fn worst(&self) -> &HopState {
        let worst = self.hops.iter().map(|h| &h.state).max_by_key(|s| s.rank());
        worst.unwrap_or(&HopState::Moot)
    }
}

/// Every path of a unit, decided from what a lint run found. Engines that nothing connects with AIBrix have none.
pub fn paths<'m, 't>(model: &'m Model<'t>, findings: &[Diagnostic]) -> Vec<EventPath<'m, 't>> {
    let territory = Territory::new(model);
    let mut of_engine: Vec<Vec<(usize, &Diagnostic)>> = vec![Vec::new(); model.publishers.len()];
    let mut of_all: Vec<(usize, &Diagnostic)> = Vec::new();
    let mut scopes: Vec<Scope> = Vec::new();
    let about_hop = |d: &&Diagnostic| hop_of(d.rule).or_else(|| contract_hop(d.rule)).is_some();
    for finding in findings.iter().filter(|d| d.severity > Severity::Info).filter(about_hop) {
        let Some(scope) = territory.scope(finding) else { continue };
        match &scope.engines {
            Some(engines) => engines.iter().for_each(|engine| of_engine[*engine].push((scopes.len(), finding))),
            None => of_all.push((scopes.len(), finding)),
        }
        scopes.push(scope);
    }
    let mut found = Vec::new();
    for (index, publisher) in model.containers().filter(|(_, p)| model.is_for_aibrix(p)) {
        for subscriber in &model.subscribers {
            let hears = |(scope, _): &&(usize, &Diagnostic)| scopes[*scope].covers(subscriber.gateway);
            let mine: Vec<&Diagnostic> =
                of_engine[index].iter().chain(&of_all).filter(hears).map(|(_, finding)| *finding).collect();
            let silent = matches!(publisher.publishing(), Publishing::Off | Publishing::Unconfigured);
            let hops = HopKind::ALL.into_iter().map(|kind| {
                let worst = mine.iter().filter(|d| hop_of(d.rule) == Some(kind)).max_by_key(|d| d.severity);
                let told = match worst {
                    Some(d) if d.severity == Severity::Error => HopState::Broken(Reason::of(d)),
                    Some(d) => HopState::Impaired(Reason::of(d)),
                    None if silent && kind != HopKind::Published => return Hop { kind, state: HopState::Moot },
                    None => HopState::Moot,
                };
                // Where a finding speaks, it knows how certain it is.
                let state = match told {
                    HopState::Moot => hop(model, publisher, subscriber, kind),
                    told => told,
                };
                let asked = || mine.iter().find(|d| contract_hop(d.rule) == Some(kind));
                let state = match asked().filter(|_| state == HopState::Ok) {
                    Some(finding) => HopState::Noted(Reason::contract(finding)),
                    None => state,
                };
                Hop { kind, state: named(state, kind, findings) }
            });
            found.push(EventPath { publisher, subscriber, hops: hops.collect() });
        }
    }
    found
}

/// A finding names some of the engines that it is about: a hop that is broken at its place is its own, whether named or not.
fn named(state: HopState, kind: HopKind, findings: &[Diagnostic]) -> HopState {
    match state {
        HopState::Broken(reason) if reason.rule.is_none() => {
            let here = |d: &Diagnostic| d.places().any(|place| Some(place) == reason.span);
            let same = |d: &&Diagnostic| here(d) && hop_of(d.rule) == Some(kind);
            HopState::Broken(findings.iter().find(same).map_or(reason.clone(), Reason::of))
        }
        other => other,
    }
}

/// The hop that a rule breaks.
fn hop_of(rule: &str) -> Option<HopKind> {
    lint::find(rule)?.breaks
}

/// The hop at which a rule asks for something that events pass without.
fn contract_hop(rule: &str) -> Option<HopKind> {
    lint::find(rule)?.noted_at
}

/// What the model alone tells about a hop.
fn hop(model: &Model<'_>, publisher: &Publisher<'_>, subscriber: &Subscriber, kind: HopKind) -> HopState {
    let broken = |words: String, span| HopState::Broken(Reason::new(words, span));
    let unknown = |words: &str, span| HopState::Unknown(Reason::new(words, span));
    let gateway = subscriber.gateway.and_then(|index| model.gateways.get(index));
    let grip = publisher.container.grip();
    let off = |words: &str| HopState::Off(Reason::new(words, publisher.command.grip));
    match kind {
        HopKind::Published => match publisher.publishing() {
            Publishing::On => HopState::Ok,
            Publishing::Off => off("its events are switched off"),
            Publishing::Unconfigured => off("it has no options for KV events"),
            Publishing::Unknown => unknown("a part of its command is decided elsewhere", publisher.command.grip),
        },
        HopKind::Bound => match publisher.endpoint() {
            Resolved::Known(setting, span) => match &setting.parsed {
                Ok(endpoint) if endpoint.binds() == (subscriber.direction == Direction::Dials) => HopState::Ok,
                Ok(endpoint) => broken(format!("`{}` does not listen", endpoint.text), *span),
                Err(error) => broken(format!("its endpoint {}", error.reason), *span),
            },
            found => unknown("its endpoint is decided elsewhere", found.span()),
        },
        HopKind::Exposed => match publisher.event_port() {
            Resolved::Known(port, span) => {
                let dialled = subscriber.ports.iter().find(|p| p.what == port.what).map(|p| p.number);
                match dialled {
                    Some(number) if !port.contains(number) => {
                        broken(format!("events are on port {}, and port {number} is dialled", port.numbers()), span)
                    }
                    // A port that is not listed is reachable all the same: whether that matters is for a rule to say.
                    _ => HopState::Ok,
                }
            }
            found => unknown("its event port is decided elsewhere", found.span()),
        },
        HopKind::Discovered => {
            let label = &aibrix::table().labels.enabled;
            let pod = &publisher.pod;
            let labelled = pod.labels.equals(&label.key, label.value.as_deref().unwrap_or_default());
            match labelled {
                _ if !pod.can_have_labels => unknown("the labels of its pods are set by its controller", grip),
                Some(false) if publisher.publishing() != Publishing::On => off("its pods don't ask to be heard"),
                Some(false) => broken(format!("its pods lack the label `{}`", label.key), pod.labels_place),
                None => unknown("the labels of its pods are decided elsewhere", pod.labels_place),
                Some(true) => match gateway.map(|g| (g.sync(), g)) {
                    Some((Resolved::Unknown(span), _)) => {
                        unknown("whether the gateway listens is decided elsewhere", span)
                    }
                    Some((sync, _)) if sync.known() != Some(&true) => {
                        broken("the gateway's synchronisation is off".into(), sync.span())
                    }
                    _ => HopState::Ok,
                },
            }
        }
        HopKind::Allowed => allowed(model, publisher, subscriber),
        HopKind::Decodable => {
            let Some(gateway) = gateway else { return elsewhere(model, subscriber, grip) };
            match (&gateway.image.release, &publisher.image.release) {
                (None, _) => unknown("the gateway's release is not known", gateway.image.span),
                (_, None) => unknown("the engine's release is not known", publisher.image.span),
                _ => HopState::Ok,
            }
        }
        HopKind::BlockSize => {
            let Some(gateway) = gateway else { return elsewhere(model, subscriber, grip) };
            match (gateway.block_size(), publisher.block_size()) {
                (Resolved::Known(bytes, span), Resolved::Known(tokens, _)) => {
                    match aibrix::matching_block_size(tokens) == Some(bytes) {
                        true => HopState::Ok,
                        false => broken(format!("{tokens} tokens are not {bytes} bytes"), span),
                    }
                }
                (Resolved::Known(..), found) => unknown("the engine's block size is not known", found.span()),
                (found, _) => unknown("the gateway's block size is not known", found.span()),
            }
        }
    }
}

fn elsewhere(model: &Model<'_>, subscriber: &Subscriber, span: Span) -> HopState {
    let words = format!("{} is not among these manifests", subscriber.title(model));
    HopState::Unknown(Reason::new(words, span))
}

fn allowed(model: &Model<'_>, publisher: &Publisher<'_>, subscriber: &Subscriber) -> HopState {
    let reach = &model.reach;
    let Some(engine) = reach.endpoint_of(&publisher.pod) else { return HopState::Moot };
    let Some(port) = subscriber.ports.first() else { return HopState::Moot };
    let verdicts: Vec<_> = subscriber
        .endpoints
        .iter()
        .map(|&other| match subscriber.direction {
            Direction::Dials => reach.verdict(other, engine, Protocol::Tcp, port.number),
            Direction::Binds => reach.verdict(engine, other, Protocol::Tcp, port.number),
        })
        .collect();
    let Some(first) = verdicts.first() else { return HopState::Moot };
    if let Some(other) = reach.other_policy {
        let words = format!("{} may open or close more", other.title());
        return HopState::Unknown(Reason::new(words, other.grip()));
    }
    if verdicts.iter().any(|v| v.truth() != first.truth()) {
        let words = "it depends on how the gateway was installed, which is not known here";
        return HopState::Unknown(Reason { rule: None, span: None, words: words.into() });
    }
    match first.truth() {
        Truth::Yes => HopState::Ok,
        Truth::No if !model.unit.is_complete() => {
            let obstacle = first.sides().into_iter().find_map(|side| reach.obstacle(side));
            let words = "closed here, and policies that are not at hand may open it".to_string();
            HopState::Unknown(Reason { rule: None, span: obstacle.map(|o| o.span), words })
        }
        Truth::No => {
            let obstacle = first.sides().into_iter().find_map(|side| reach.obstacle(side));
            let policy = obstacle.and_then(|o| reach.policies.get(o.policy)).map(|p| p.view.title());
            let words = format!("closed by `{}`", policy.unwrap_or_default());
            HopState::Broken(Reason { rule: None, span: obstacle.map(|o| o.span), words })
        }
        Truth::Unknown => {
            let doubt = first.sides().into_iter().find_map(|side| reach.doubt(side));
            let (words, span) = doubt
                .map_or_else(|| ("the policies don't tell".to_string(), None), |(words, span)| (words, Some(span)));
            HopState::Unknown(Reason { rule: None, span, words })
        }
    }
}

/// What to call the engine of a path.
pub fn engine_title(model: &Model<'_>, path: &EventPath<'_, '_>) -> String {
    policies::engine_title(model, path.publisher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hop_has_a_rule_that_breaks_it() {
        let breaks = |kind| lint::RULES.iter().any(|rule| rule.breaks == Some(kind));
        assert!(HopKind::ALL.into_iter().all(breaks));
    }
}
