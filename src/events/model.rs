//! Everything that rules ask of a unit, made once: workloads, publishers, gateways, services.

use std::collections::HashMap;
use std::ops::Range;

use rayon::prelude::*;

use crate::config::Config;
use crate::facts::kubernetes;
use crate::k8s::{Container, Labels, PodTemplate, Service, Truth, Workload};
use crate::load::{Resource, Unit};
use crate::yaml::{Node, NodeId, is_unfinished};

use super::publisher::{Publisher, Publishing};
use super::subscribers::aibrix::Gateway;
use super::subscribers::{self, Subscriber};
use crate::k8s::reach::{Assumptions, Reach};

/// What a container is for.
enum Role<'t> {
    Publisher(Box<Publisher<'t>>),
    Gateway(Box<Gateway<'t>>),
}

/// The model of one unit.
#[derive(Debug)]
pub struct Model<'t> {
    /// The unit.
    pub unit: &'t Unit,
    /// Objects that make pods, those without a template included.
    pub workloads: Vec<Workload<'t>>,
    /// Engine containers; those whose scripts start engines in several places once for each, next to each other.
    pub publishers: Vec<Publisher<'t>>,
    /// AIBrix gateways.
    pub gateways: Vec<Gateway<'t>>,
    /// Services.
    pub services: Vec<Service<'t>>,
    /// What NetworkPolicies allow between the unit's pods, and those of a gateway that is elsewhere.
    pub reach: Reach<'t>,
    /// Who wants the events.
    pub subscribers: Vec<Subscriber>,
    by_kind: HashMap<&'t str, Vec<&'t Resource>>,
    by_name: HashMap<(&'t str, &'t str), Vec<&'t Resource>>,
    /// For each pod template, by its node: its publishers, which stand next to each other.
    publishers_by_pod: HashMap<(usize, NodeId), Range<usize>>,
    /// For each Service, by its object: the pods that it may select.
    selections: HashMap<usize, Vec<(PodIndex, Truth)>>,
}

/// A pod template by its workload and its place there.
type PodIndex = (usize, usize);

/// What makes an object itself and no other: where it lies.
fn identity<T>(of: &T) -> usize {
    std::ptr::from_ref(of).addr()
}

fn pod_key(pod: &PodTemplate<'_>) -> (usize, NodeId) {
    (identity(pod.node.tree()), pod.node.id())
}

impl<'t> Model<'t> {
    /// Makes the model of a unit.
    pub fn new(unit: &'t Unit, config: &'t Config) -> Model<'t> {
        let mut by_kind: HashMap<&str, Vec<&Resource>> = HashMap::new();
        let mut by_name: HashMap<(&str, &str), Vec<&Resource>> = HashMap::new();
        for resource in &unit.resources {
            by_kind.entry(resource.kind()).or_default().push(resource);
            by_name.entry((resource.kind(), resource.name())).or_default().push(resource);
        }
        let workloads = unit.resources.par_iter().filter_map(|r| Workload::new(r, &config.workloads)).collect();
        let mut model = Model {
            unit,
            workloads,
            publishers: Vec::new(),
            gateways: Vec::new(),
            services: unit.resources.iter().filter_map(Service::new).collect(),
            reach: Reach::default(),
            subscribers: Vec::new(),
            by_kind,
            by_name,
            publishers_by_pod: HashMap::new(),
            selections: HashMap::new(),
        };
        let found: Vec<Vec<Role<'t>>> =
            model.workloads.par_iter().enumerate().map(|(index, w)| model.roles(index, w, config)).collect();
        for role in found.into_iter().flatten() {
            match role {
                Role::Gateway(gateway) => model.gateways.push(*gateway),
                Role::Publisher(publisher) => {
                    let at = model.publishers.len();
                    let range = model.publishers_by_pod.entry(pod_key(&publisher.pod)).or_insert(at..at);
                    range.end = at + 1;
                    model.publishers.push(*publisher);
                }
            }
        }
        model.selections = model.select_pods();
        let assumed = subscribers::assumed(config, !model.gateways.is_empty());
        model.reach = Reach::new(unit, &model.workloads, assumed, Assumptions::default());
        model.subscribers = subscribers::all(&model);
        model
    }

    /// What the containers of a workload are for.
    fn roles(&self, index: usize, workload: &Workload<'t>, config: &Config) -> Vec<Role<'t>> {
        let mut found = Vec::new();
        for pod in &workload.pods {
            let alone = pod.containers().filter(|c| !c.init).count() == 1;
            for container in pod.containers() {
                let assume = config.assume.engine.as_ref();
                let find = |pod: &PodTemplate<'t>, c, path: &str| self.mounted_file(pod, c, path);
                let engines = match pod.is_serving() && !container.init {
                    true => Publisher::all(index, pod, container, assume, workload.kind.completed, find),
                    false => Vec::new(),
                };
                if !engines.is_empty() {
                    found.extend(engines.into_iter().map(|publisher| Role::Publisher(Box::new(publisher))));
                } else if let Some(gateway) = Gateway::new(pod, container, alone, config.assume.gateway.as_ref()) {
                    found.push(Role::Gateway(Box::new(gateway)));
                }
            }
        }
        found
    }

    /// The pods of each Service. An index by labels spares comparing every Service with every pod.
    fn select_pods(&self) -> HashMap<usize, Vec<(PodIndex, Truth)>> {
        let mut by_label: HashMap<(&str, &str), Vec<PodIndex>> = HashMap::new();
        let mut open: Vec<PodIndex> = Vec::new();
        let mut all: Vec<PodIndex> = Vec::new();
        for (w, workload) in self.workloads.iter().enumerate() {
            for (p, pod) in workload.pods.iter().enumerate() {
                all.push((w, p));
                if pod.has_open_labels() {
                    open.push((w, p));
                    continue;
                }
                for entry in pod.labels.node.map(Node::entries).unwrap_or_default() {
                    if let (Some(key), Some(value)) = (entry.key.text(), entry.value.text()) {
                        by_label.entry((key, value)).or_default().push((w, p));
                    }
                }
            }
        }
        let select = |service: &Service<'t>| {
            let selector = service.selector()?;
            let first = selector.node().entries().into_iter().find_map(|e| Some((e.key.text()?, e.value.text()?)));
            let plain = first.filter(|(k, v)| !is_unfinished(k) && !is_unfinished(v) && !v.is_empty());
            let mut candidates = match plain.filter(|(key, _)| !kubernetes::is_controller_label(key)) {
                Some(label) => by_label.get(&label).into_iter().flatten().chain(&open).copied().collect(),
                None => all.clone(),
            };
            candidates.sort_unstable();
            candidates.dedup();
            let truth = |&(w, p): &PodIndex| {
                let pod = self.workloads.get(w)?.pods.get(p)?;
                let near = pod.resource.may_share_namespace(service.resource);
                let truth = if near { pod.selected_by(selector) } else { Truth::No };
                (truth != Truth::No).then_some(((w, p), truth))
            };
            Some((identity(service.resource), candidates.iter().filter_map(truth).collect()))
        };
        self.services.par_iter().filter_map(select).collect()
    }

    /// The objects of a kind, in order.
    pub fn of_kind(&self, kind: &str) -> &[&'t Resource] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Objects of this kind and name that may lie in the namespace of `from`.
    pub fn named<'s>(
        &'s self,
        kind: &'s str,
        name: &'s str,
        from: &'s Resource,
    ) -> impl Iterator<Item = &'t Resource> + 's {
        let found = self.by_name.get(&(kind, name)).map_or(&[][..], Vec::as_slice);
        found.iter().copied().filter(move |r| r.may_share_namespace(from))
    }

    /// Every pod template with its workload.
    pub fn pods(&self) -> impl Iterator<Item = (&Workload<'t>, &PodTemplate<'t>)> {
        self.workloads.iter().flat_map(|w| w.pods.iter().map(move |p| (w, p)))
    }

    /// The pods that a Service selects, with how sure that is. Empty where it has no selector.
    pub fn selected(&self, service: Service<'t>) -> Vec<(&PodTemplate<'t>, Truth)> {
        let found = self.selections.get(&identity(service.resource)).map_or(&[][..], Vec::as_slice);
        found.iter().filter_map(|&((w, p), truth)| Some((self.workloads.get(w)?.pods.get(p)?, truth))).collect()
    }

    /// Whether a Service selects a pod, or may select one.
    pub fn selects_something(&self, service: Service<'t>) -> bool {
        self.selections.get(&identity(service.resource)).is_some_and(|found| !found.is_empty())
    }

    /// The publishers of a pod template.
    pub fn publishers_of<'s>(&'s self, pod: &PodTemplate<'t>) -> impl Iterator<Item = &'s Publisher<'t>> + use<'s, 't> {
        let range = self.publishers_by_pod.get(&pod_key(pod)).cloned().unwrap_or(0..0);
        self.publishers[range].iter()
    }

    /// The publishers that stand for their containers, by their place in [`Model::publishers`]: of several starts in one script
    /// the last that publishes, else the last.
    pub fn containers(&self) -> impl Iterator<Item = (usize, &Publisher<'t>)> {
        let mut next = 0;
        self.publishers.chunk_by(|a, b| a.shares_container(b)).filter_map(move |starts| {
            let first = next;
            next += starts.len();
            let on = starts.iter().rposition(|p| p.publishing() == Publishing::On);
            let at = on.or(starts.len().checked_sub(1))?;
            Some((first + at, starts.get(at)?))
        })
    }

    /// [`Model::containers`] without their places.
    pub fn engines(&self) -> impl Iterator<Item = &Publisher<'t>> {
        self.containers().map(|(_, publisher)| publisher)
    }

    /// The value of a ConfigMap that stands at a path in a container, through its volume mounts.
    pub fn mounted_file(&self, pod: &PodTemplate<'t>, container: Container<'t>, path: &str) -> Option<Node<'t>> {
        let text = |node: Node<'t>, key: &str| node.get(key).and_then(Node::text);
        for mount in container.node.get("volumeMounts").map(Node::items).unwrap_or_default() {
            let (Some(at), Some(name)) = (text(mount, "mountPath"), text(mount, "name")) else { continue };
            let Some(below) = path.strip_prefix(at.trim_end_matches('/')) else { continue };
            let below = below.trim_start_matches('/');
            let file = match text(mount, "subPath") {
                Some(sub) if below.is_empty() => sub.to_string(),
                Some(sub) => format!("{sub}/{below}"),
                None => below.to_string(),
            };
            let Some(source) = pod.volume(name).and_then(|v| v.get("configMap")) else { continue };
            let Some(map) = text(source, "name") else { continue };
            // `items` renames keys to paths.
            let items = source.get("items").map(Node::items).unwrap_or_default();
            let key = if items.is_empty() {
                file
            } else {
                let item = items.into_iter().find(|i| text(*i, "path") == Some(file.as_str()))?;
                text(item, "key")?.to_string()
            };
            let found = self.named("ConfigMap", map, pod.resource).next();
            if let Some(value) = found.and_then(|r| r.node().get("data")).and_then(|d| d.get(&key)) {
                return Some(value);
            }
        }
        None
    }

    /// Whether anything in the unit says that AIBrix is meant to find this pod: a gateway, or one of its labels on the pod or
    /// on the workload.
    pub fn is_for_aibrix(&self, publisher: &Publisher<'t>) -> bool {
        let labels = &crate::facts::aibrix::table().labels;
        let keys = [&labels.enabled.key, &labels.model.key];
        let marked = |l: &Labels<'t>| keys.iter().any(|key| l.get(key).is_some());
        let workload = &self.workloads[publisher.workload];
        !self.gateways.is_empty()
            || marked(&publisher.pod.labels)
            || workload.misleading_labels().iter().any(|(_, l)| marked(l))
    }
}
