//! Which paths a finding is about.

use crate::events::Model;
use crate::lint::Diagnostic;
use crate::source::Span;
use crate::yaml::Node;

/// Which bytes belong to whom. An object that was put together from several files has places in each.
pub(super) struct Territory {
    engines: Vec<Owned>,
    /// For each gateway its object.
    gateways: Vec<Vec<Span>>,
}

/// What belongs to an engine.
struct Owned {
    /// Its pod's template.
    pod: Vec<Span>,
    /// Its object, where that makes no other pods.
    object: Vec<Span>,
    /// Other templates of the object.
    others: Vec<Vec<Span>>,
}

/// The bytes of a node, and of those parts of it that lie elsewhere.
fn places(node: Node<'_>) -> Vec<Span> {
    fn walk(node: Node<'_>, around: Span, found: &mut Vec<Span>) {
        let own = node.span();
        let around = if around.contains(own) && !found.is_empty() {
            around
        } else {
            found.push(own);
            own
        };
        node.items().into_iter().for_each(|item| walk(item, around, found));
        for entry in node.entries() {
            if !around.contains(entry.key.span()) {
                found.push(entry.key.span());
            }
            walk(entry.value, around, found);
        }
    }
    let mut found = Vec::new();
    walk(node, node.span(), &mut found);
    found
}

impl Territory {
    pub(super) fn new(model: &Model<'_>) -> Territory {
        let engines = model.publishers.iter().map(|p| {
            let pods = model.workloads.get(p.workload).map_or(&[][..], |w| &w.pods);
            let others = pods.iter().filter(|pod| pod.node != p.pod.node).map(|pod| places(pod.node)).collect();
            Owned { pod: places(p.pod.node), object: places(p.pod.resource.node()), others }
        });
        let gateways = model.gateways.iter().map(|g| places(g.pod.resource.node())).collect();
        Territory { engines: engines.collect(), gateways }
    }

    fn is_engine(&self, index: usize, span: Span) -> bool {
        let within = |spans: &[Span]| spans.iter().any(|own| own.contains(span));
        self.engines.get(index).is_some_and(|owned| {
            within(&owned.pod) || within(&owned.object) && !owned.others.iter().any(|other| within(other))
        })
    }

    fn engines_at(&self, span: Span) -> Vec<usize> {
        (0..self.engines.len()).filter(|index| self.is_engine(*index, span)).collect()
    }

    fn gateways_at(&self, span: Span) -> Vec<usize> {
        (0..self.gateways.len()).filter(|index| self.gateways[*index].iter().any(|own| own.contains(span))).collect()
    }

    /// Which paths a finding is about; `None`: it is about none. Where its main place lies decides; a finding in a third
    /// object (a policy) is about those that it names.
    pub(super) fn scope(&self, finding: &Diagnostic) -> Option<Scope> {
        let related: Vec<Span> = finding.related.iter().map(|label| label.span).collect();
        let rendered = || finding.rendered.iter().find_map(|r| self.scope_at(r.primary, &r.related));
        self.scope_at(finding.primary.span, &related).or_else(rendered)
    }

    fn scope_at(&self, primary: Span, related: &[Span]) -> Option<Scope> {
        let some = |found: Vec<usize>| (!found.is_empty()).then_some(found);
        if let Some(gateways) = some(self.gateways_at(primary)) {
            return Some(Scope { engines: None, gateways: Some(gateways) });
        }
        let related = || related.iter().copied();
        let gateways = some(related().flat_map(|span| self.gateways_at(span)).collect());
        let mut engines = self.engines_at(primary);
        if engines.is_empty() {
            engines = related().flat_map(|span| self.engines_at(span)).collect();
            engines.sort_unstable();
            engines.dedup();
        }
        let engines = some(engines);
        (engines.is_some() || gateways.is_some()).then_some(Scope { engines, gateways })
    }
}

/// The paths that a finding is about; `None` stands for all.
pub(super) struct Scope {
    pub(super) engines: Option<Vec<usize>>,
    gateways: Option<Vec<usize>>,
}

impl Scope {
    pub(super) fn covers(&self, gateway: Option<usize>) -> bool {
        self.gateways.as_ref().is_none_or(|all| gateway.is_some_and(|g| all.contains(&g)))
    }
}
