//! Everything that rules ask of a unit, made once: workloads, publishers, gateways, services.

use std::collections::HashMap;

use crate::config::Config;
use crate::k8s::{Container, Labels, PodTemplate, Service, Truth, Workload};
use crate::load::{Resource, Unit};
use crate::yaml::Node;

use super::publisher::Publisher;
use super::subscribers::aibrix::Gateway;
use super::subscribers::{self, Subscriber};
use crate::k8s::reach::{Assumptions, Reach};

/// The model of one unit.
#[derive(Debug)]
pub struct Model<'t> {
    /// The unit.
    pub unit: &'t Unit,
    /// Objects that make pods, those without a template included.
    pub workloads: Vec<Workload<'t>>,
    /// Engine containers.
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
}

impl<'t> Model<'t> {
    /// Makes the model of a unit.
    pub fn new(unit: &'t Unit, config: &'t Config) -> Model<'t> {
        let mut by_kind: HashMap<&str, Vec<&Resource>> = HashMap::new();
        for resource in &unit.resources {
            by_kind.entry(resource.kind()).or_default().push(resource);
        }
        let workloads: Vec<Workload<'t>> =
            unit.resources.iter().filter_map(|r| Workload::new(r, &config.workloads)).collect();
        let mut model = Model {
            unit,
            workloads,
            publishers: Vec::new(),
            gateways: Vec::new(),
            services: unit.resources.iter().filter_map(Service::new).collect(),
            reach: Reach::default(),
            subscribers: Vec::new(),
            by_kind,
        };
        let mut publishers = Vec::new();
        let mut gateways = Vec::new();
        for (index, workload) in model.workloads.iter().enumerate() {
            for pod in &workload.pods {
                let containers = pod.containers();
                let alone = containers.iter().filter(|c| !c.init).count() == 1;
                for container in containers {
                    let assume = config.assume.engine.as_ref();
                    let find = |pod: &PodTemplate<'t>, c, path: &str| model.mounted_file(pod, c, path);
                    if pod.is_serving()
                        && !container.init
                        && let Some(publisher) = Publisher::new(index, pod, container, assume, find)
                    {
                        publishers.push(publisher);
                    } else if let Some(gateway) = Gateway::new(pod, container, alone, config.assume.gateway.as_ref()) {
                        gateways.push(gateway);
                    }
                }
            }
        }
        model.publishers = publishers;
        model.gateways = gateways;
        let assumed = subscribers::assumed(config, !model.gateways.is_empty());
        model.reach = Reach::new(unit, &model.workloads, assumed, Assumptions::default());
        model.subscribers = subscribers::all(&model);
        model
    }

    /// The objects of a kind, in order.
    pub fn of_kind(&self, kind: &str) -> &[&'t Resource] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Objects of this kind and name that may lie in the namespace of `from`.
    pub fn named<'s>(
        &'s self,
        kind: &str,
        name: &'s str,
        from: &'s Resource,
    ) -> impl Iterator<Item = &'t Resource> + 's {
        self.of_kind(kind).iter().copied().filter(move |r| r.name() == name && r.may_share_namespace(from))
    }

    /// Every pod template with its workload.
    pub fn pods(&self) -> impl Iterator<Item = (&Workload<'t>, &PodTemplate<'t>)> {
        self.workloads.iter().flat_map(|w| w.pods.iter().map(move |p| (w, p)))
    }

    /// The pods that a Service selects, with how sure that is. Empty where it has no selector.
    pub fn selected(&self, service: Service<'t>) -> Vec<(&PodTemplate<'t>, Truth)> {
        let Some(selector) = service.selector() else { return Vec::new() };
        let select = |pod: &PodTemplate<'t>| {
            if !pod.resource.may_share_namespace(service.resource) {
                return Truth::No;
            }
            pod.selected_by(selector)
        };
        self.pods().map(|(_, pod)| (pod, select(pod))).filter(|(_, truth)| *truth != Truth::No).collect()
    }

    /// The publishers of a pod template.
    pub fn publishers_of<'s>(&'s self, pod: &'s PodTemplate<'t>) -> impl Iterator<Item = &'s Publisher<'t>> {
        self.publishers.iter().filter(move |p| p.pod.node == pod.node)
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
