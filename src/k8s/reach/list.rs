//! Every allowed connection between the workloads of a unit, and from and to addresses outside.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::rc::Rc;

use crate::facts::kubernetes;
use crate::yaml::Node;

use super::super::policy::ip::{Addresses, Family, IpRange};
use super::super::policy::{Direction, Protocol};
use super::super::selector::Truth;
use super::connections::Connections;
use super::{Endpoint, EndpointId, PolicyId, Reach, Rule, Who};

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Addresses outside of the cluster.
    Outside(IpRange),
    /// The pods of a workload.
    Pods {
        /// Their namespace; empty where it is not known.
        namespace: String,
        /// The workload's name.
        name: String,
        /// Its kind.
        kind: String,
    },
}

impl fmt::Display for End {
    /// `namespace/name[Kind]`, or `first-last[External]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Outside(range) => write!(f, "{range}[External]"),
            End::Pods { namespace, name, kind } if namespace.is_empty() => write!(f, "{name}[{kind}]"),
            End::Pods { namespace, name, kind } => write!(f, "{namespace}/{name}[{kind}]"),
        }
    }
}

/// What is allowed from one end to another.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'l> {
    /// Who opens it.
    pub from: &'l End,
    /// Who listens.
    pub to: &'l End,
    /// Allowed for certain.
    pub certain: &'l Connections,
    /// Allowed for certain or perhaps.
    pub possible: &'l Connections,
}

/// The number of a set in [`Sets`].
type SetId = u32;
const NONE: SetId = 0;
const ALL: SetId = 1;

/// Certain and possible connections.
type Pair = (SetId, SetId);

/// Sets of connections, each kept once, so that a set is a number and joining two is a look-up.
struct Sets {
    sets: Vec<Connections>,
    ids: HashMap<Connections, SetId>,
    joined: HashMap<(SetId, SetId), SetId>,
    cut: HashMap<(SetId, SetId), SetId>,
}

impl Sets {
    fn new() -> Sets {
        let mut sets = Sets { sets: Vec::new(), ids: HashMap::new(), joined: HashMap::new(), cut: HashMap::new() };
        sets.id(Connections::none());
        sets.id(Connections::all());
        sets
    }

    fn id(&mut self, set: Connections) -> SetId {
        if let Some(id) = self.ids.get(&set) {
            return *id;
        }
        let id = self.sets.len() as SetId;
        self.sets.push(set.clone());
        self.ids.insert(set, id);
        id
    }

    fn get(&self, id: SetId) -> &Connections {
        &self.sets[id as usize]
    }

    fn or(&mut self, a: SetId, b: SetId) -> SetId {
        if a == b || b == NONE || a == ALL {
            return a;
        }
        if a == NONE || b == ALL {
            return b;
        }
        let key = (a.min(b), a.max(b));
        if let Some(id) = self.joined.get(&key) {
            return *id;
        }
        let mut set = self.get(a).clone();
        set.add(self.get(b));
        let id = self.id(set);
        self.joined.insert(key, id);
        id
    }

    fn and(&mut self, a: SetId, b: SetId) -> SetId {
        if a == b || a == NONE || b == ALL {
            return a;
        }
        if b == NONE || a == ALL {
            return b;
        }
        let key = (a.min(b), a.max(b));
        if let Some(id) = self.cut.get(&key) {
            return *id;
        }
        let set = self.get(a).and(self.get(b));
        let id = self.id(set);
        self.cut.insert(key, id);
        id
    }
}

/// Addresses outside that no policy tells apart.
struct Outside {
    classes: Vec<Addresses>,
    /// For each `ipBlock`, by its node's place, the classes in it; `None` for a block that can't be read here.
    blocks: HashMap<BlockKey, Option<Vec<usize>>>,
}

type BlockKey = (PolicyId, Direction, usize, usize);

impl Outside {
    fn new(reach: &Reach<'_>) -> Outside {
        let mut blocks: Vec<(BlockKey, Option<Addresses>)> = Vec::new();
        for (policy, compiled) in reach.policies.iter().enumerate() {
            for direction in [Direction::Ingress, Direction::Egress] {
                for (r, rule) in compiled.rules(direction).iter().enumerate() {
                    for (p, peer) in rule.peers.iter().enumerate() {
                        if let Some(addresses) = peer.view.addresses() {
                            blocks.push(((policy, direction, r, p), addresses.ok()));
                        }
                    }
                }
            }
        }
        let known = || blocks.iter().filter_map(|(_, a)| a.as_ref());
        let mut families = vec![Family::V4];
        if known().any(|a| a.ranges().iter().any(|r| r.family == Family::V6)) {
            families.push(Family::V6);
        }
        let mut by_signature: BTreeMap<Vec<usize>, Addresses> = BTreeMap::new();
        for family in families {
            let mut starts = vec![0];
            for range in known().flat_map(Addresses::ranges).filter(|r| r.family == family) {
                starts.push(range.first);
                starts.extend(range.last.checked_add(1).filter(|next| *next <= family.last()));
            }
            starts.sort_unstable();
            starts.dedup();
            for (index, &first) in starts.iter().enumerate() {
                let last = starts.get(index + 1).map_or(family.last(), |next| next - 1);
                let within = |a: &Option<Addresses>| a.as_ref().is_some_and(|a| a.contains(family, first));
                let signature: Vec<usize> =
                    blocks.iter().enumerate().filter(|(_, (_, a))| within(a)).map(|(i, _)| i).collect();
                by_signature.entry(signature).or_default().add(&[IpRange { family, first, last }]);
            }
        }
        let mut found = Outside { classes: Vec::new(), blocks: HashMap::new() };
        for (index, (key, addresses)) in blocks.iter().enumerate() {
            let classes = by_signature.keys().enumerate().filter(|(_, s)| s.contains(&index)).map(|(c, _)| c);
            found.blocks.insert(*key, addresses.as_ref().map(|_| classes.collect()));
        }
        found.classes = by_signature.into_values().collect();
        found
    }

    /// Whether a rule lets a class of addresses through.
    fn admits(&self, rule: &Rule<'_>, key: (PolicyId, Direction, usize), class: usize) -> Truth {
        let (policy, direction, index) = key;
        let mut found = rule.everybody;
        for (p, peer) in rule.peers.iter().enumerate() {
            let one = match self.blocks.get(&(policy, direction, index, p)) {
                Some(Some(classes)) => {
                    if classes.contains(&class) {
                        Truth::Yes
                    } else {
                        Truth::No
                    }
                }
                Some(None) => Truth::Unknown,
                None if peer.view.node.is_mapping() => Truth::No,
                None => Truth::Unknown,
            };
            found = found.or(one);
        }
        found
    }
}

/// What the policies on one endpoint let through, for every other party: endpoints first, classes outside after them.
type Row = Option<Rc<Vec<Pair>>>;
type RowKey<'t> = (Vec<(PolicyId, Truth)>, Vec<(Protocol, &'t str, Option<u16>)>);

struct Lister<'r, 't> {
    reach: &'r Reach<'t>,
    outside: Outside,
    sets: Sets,
    rows: [HashMap<RowKey<'t>, Rc<Vec<Pair>>>; 2],
}

impl<'r, 't> Lister<'r, 't> {
    fn parties(&self) -> usize {
        self.reach.endpoints.len() + self.outside.classes.len()
    }

    /// `None`: everything.
    fn row(&mut self, direction: Direction, endpoint: EndpointId) -> Row {
        let policies: Vec<(PolicyId, Truth)> = self
            .reach
            .policies_on(endpoint)
            .map(|(id, policy)| (id, policy.selects(endpoint).and(policy.isolates(direction))))
            .filter(|(_, truth)| *truth != Truth::No)
            .collect();
        if policies.is_empty() {
            return None;
        }
        // Names of ports stand for the numbers of the destination, which for ingress is the endpoint itself.
        let ports = match direction {
            Direction::Ingress => self.reach.endpoints.get(endpoint).map(|e| e.ports.clone()).unwrap_or_default(),
            Direction::Egress => Vec::new(),
        };
        let slot = usize::from(direction == Direction::Egress);
        let key = (policies, ports);
        if let Some(row) = self.rows[slot].get(&key) {
            return Some(Rc::clone(row));
        }
        let row = Rc::new(self.combine(direction, endpoint, &key.0));
        self.rows[slot].insert(key, Rc::clone(&row));
        Some(row)
    }

    fn combine(&mut self, direction: Direction, endpoint: EndpointId, policies: &[(PolicyId, Truth)]) -> Vec<Pair> {
        let count = self.parties();
        let certain = policies.iter().any(|(_, truth)| *truth == Truth::Yes);
        let mut found = vec![if certain { (NONE, NONE) } else { (ALL, ALL) }; count];
        for &(id, truth) in policies {
            let one = self.policy_row(direction, endpoint, id);
            for (all, (yes, maybe)) in found.iter_mut().zip(one) {
                match (certain, truth) {
                    (true, Truth::Yes) => *all = (self.sets.or(all.0, yes), self.sets.or(all.1, maybe)),
                    (true, _) => all.1 = self.sets.or(all.1, maybe),
                    // Perhaps none of them selects it, and everything is open.
                    (false, _) => all.0 = self.sets.and(all.0, yes),
                }
            }
        }
        found
    }

    fn policy_row(&mut self, direction: Direction, endpoint: EndpointId, id: PolicyId) -> Vec<Pair> {
        let reach = self.reach;
        let mut row = vec![(NONE, NONE); self.parties()];
        let Some(policy) = reach.policies.get(id) else { return row };
        for (index, rule) in policy.rules(direction).iter().enumerate() {
            let fixed = match direction {
                Direction::Ingress => Some(rule.connections(reach, Some(endpoint))),
                Direction::Egress if rule.ports.named.is_empty() => Some(rule.connections(reach, None)),
                Direction::Egress => None,
            };
            let fixed = fixed.map(|(yes, maybe)| (self.sets.id(yes), self.sets.id(maybe)));
            let mut let_in = |sets: &mut Sets, party: usize, truth: Truth, destination: Option<EndpointId>| {
                let (yes, maybe) = fixed.unwrap_or_else(|| {
                    let (yes, maybe) = rule.connections(reach, destination);
                    (sets.id(yes), sets.id(maybe))
                });
                let Some(pair) = row.get_mut(party) else { return };
                if truth == Truth::Yes {
                    pair.0 = sets.or(pair.0, yes);
                }
                pair.1 = sets.or(pair.1, maybe);
            };
            for other in rule.pods.maybe.iter() {
                let_in(&mut self.sets, other, rule.admits(other), Some(other));
            }
            for class in 0..self.outside.classes.len() {
                let truth = self.outside.admits(rule, (id, direction, index), class);
                if truth != Truth::No {
                    let_in(&mut self.sets, reach.endpoints.len() + class, truth, None);
                }
            }
        }
        row
    }
}

impl<'t> Reach<'t> {
    /// The end that an endpoint belongs to: pods of one owner are one end.
    pub fn end(&self, id: EndpointId) -> End {
        let namespace = self.namespace_of_endpoint(id).unwrap_or_default().to_string();
        let Some(endpoint) = self.endpoints.get(id) else {
            return End::Pods { namespace, name: String::new(), kind: String::new() };
        };
        let (name, kind) = owner(endpoint).unwrap_or_else(|| {
            let kind = endpoint.pod().map_or("Pod", |pod| pod.resource.kind());
            (endpoint.name(), kind.to_string())
        });
        End::Pods { namespace, name, kind }
    }

    /// Shows every pair of different ends between which something may be allowed, in order. Pairs that `wanted` refuses
    /// are left out.
    pub fn connections(&self, wanted: impl Fn(&End, &End) -> bool, mut show: impl FnMut(Connection<'_>)) {
        let mut members: BTreeMap<End, Vec<EndpointId>> = BTreeMap::new();
        for id in 0..self.endpoints.len() {
            members.entry(self.end(id)).or_default().push(id);
        }
        let mut lister =
            Lister { reach: self, outside: Outside::new(self), sets: Sets::new(), rows: Default::default() };
        let ingress: Vec<Row> = (0..self.endpoints.len()).map(|id| lister.row(Direction::Ingress, id)).collect();
        let first_outside = self.endpoints.len();
        let at = |row: &Row, party: usize| {
            row.as_ref().map_or((ALL, ALL), |r| r.get(party).copied().unwrap_or((NONE, NONE)))
        };
        // From outside.
        for (to, ids) in &members {
            lister.outside(
                first_outside,
                to,
                |lister, class| {
                    let pairs = ids.iter().map(|&id| at(&ingress[id], class));
                    pairs.fold((NONE, NONE), |a, b| (lister.sets.or(a.0, b.0), lister.sets.or(a.1, b.1)))
                },
                |from, to, certain, possible| {
                    if wanted(from, to) {
                        show(Connection { from, to, certain, possible });
                    }
                },
            );
        }
        for (from, sources) in &members {
            let egress: Vec<Row> = sources.iter().map(|&id| lister.row(Direction::Egress, id)).collect();
            lister.outside(
                first_outside,
                from,
                |lister, class| {
                    let pairs = egress.iter().map(|row| at(row, class));
                    pairs.fold((NONE, NONE), |a, b| (lister.sets.or(a.0, b.0), lister.sets.or(a.1, b.1)))
                },
                |to, from, certain, possible| {
                    if wanted(from, to) {
                        show(Connection { from, to, certain, possible });
                    }
                },
            );
            for (to, destinations) in members.iter().filter(|(to, _)| *to != from) {
                if !wanted(from, to) {
                    continue;
                }
                let mut all = (NONE, NONE);
                for (row, &source) in egress.iter().zip(sources) {
                    for &destination in destinations {
                        let (out, into) = (at(row, destination), at(&ingress[destination], source));
                        let both = (lister.sets.and(out.0, into.0), lister.sets.and(out.1, into.1));
                        all = (lister.sets.or(all.0, both.0), lister.sets.or(all.1, both.1));
                    }
                }
                if all.1 != NONE {
                    let (certain, possible) = (lister.sets.get(all.0), lister.sets.get(all.1));
                    show(Connection { from, to, certain, possible });
                }
            }
        }
    }
}

impl Lister<'_, '_> {
    /// Shows the ranges outside that are let through, those with the same connections joined.
    fn outside(
        &mut self,
        first: usize,
        end: &End,
        mut pair: impl FnMut(&mut Self, usize) -> Pair,
        mut show: impl FnMut(&End, &End, &Connections, &Connections),
    ) {
        let mut by_pair: BTreeMap<Pair, Addresses> = BTreeMap::new();
        for class in 0..self.outside.classes.len() {
            let found = pair(self, first + class);
            if found.1 != NONE {
                by_pair.entry(found).or_default().add(self.outside.classes[class].ranges());
            }
        }
        let mut lines: Vec<(IpRange, Pair)> =
            by_pair.iter().flat_map(|(pair, a)| a.ranges().iter().map(|r| (*r, *pair))).collect();
        lines.sort();
        for (range, (certain, possible)) in lines {
            show(&End::Outside(range), end, self.sets.get(certain), self.sets.get(possible));
        }
    }
}

/// The name and kind of the object that made a pod, as its owner references tell.
fn owner(endpoint: &Endpoint<'_>) -> Option<(String, String)> {
    let Who::Pods(pod) = &endpoint.who else { return None };
    if pod.resource.kind() != "Pod" || !kubernetes::is_built_in(pod.resource.group()) {
        return None;
    }
    let owners = pod.resource.node().at("metadata.ownerReferences").map(Node::items).unwrap_or_default();
    let controls = |o: &&Node<'_>| o.get("controller").and_then(Node::as_bool) == Some(true);
    let owner = owners.iter().find(controls).or(owners.first())?;
    let name = owner.get("name").and_then(Node::text)?;
    Some((name.to_string(), owner.get("kind").and_then(Node::text).unwrap_or("Pod").to_string()))
}
