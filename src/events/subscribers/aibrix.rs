//! AIBrix's gateway: how it is recognised, and its settings under the names of its release.

use crate::facts::aibrix::{self, Variable};
use crate::k8s::image;
use crate::k8s::{Container, EnvVar, PodTemplate, Resolved, Text};
use crate::source::Span;
use crate::yaml::Node;

use super::super::http_url::HttpUrl;
use super::super::model::Model;
use super::super::ports::PortUse;
use super::super::release::ImageRelease;
use super::{Dialled, Direction, Subscriber};
use crate::config::{Config, GatewayPlace};
use crate::k8s::reach::{Assumed, Others};

/// The gateway of a unit.
#[derive(Clone, Debug)]
pub struct Gateway<'t> {
    /// Its pod.
    pub pod: PodTemplate<'t>,
    /// Its container.
    pub container: Container<'t>,
    /// Its release, from the image.
    pub image: ImageRelease,
}

impl<'t> Gateway<'t> {
    /// The view of a container that runs the gateway. Any mark of `facts/aibrix.yaml` is enough, but the object's name
    /// and the pod's label are marks only for a pod with one container, or the one with the name of the gateway's.
    pub fn new(
        pod: &PodTemplate<'t>,
        container: Container<'t>,
        alone: bool,
        assume: Option<&crate::facts::Release>,
    ) -> Option<Gateway<'t>> {
        let marks = &aibrix::table().gateway;
        let reference = container.image().and_then(Node::text);
        let parsed = reference.and_then(|text| image::parse(text).ok());
        let by_image = parsed.is_some_and(|i| marks.image_base_names.iter().any(|n| n == i.name.text));
        let by_name = marks.container_names.iter().any(|n| n == container.name());
        let by_pod = alone
            && (pod.resource.name().ends_with(&marks.deployment_suffix)
                || marks.pod_labels.iter().any(|l| pod.labels.equals(&l.key, &l.value) == Some(true)));
        (!container.init && (by_image || by_name || by_pod)).then(|| Gateway {
            pod: pod.clone(),
            container,
            image: ImageRelease::of_gateway(container.image(), container.grip(), assume),
        })
    }

    /// The names under which this release reads a variable; of all releases where this one is not known, the newest
    /// first.
    pub fn names(&self, variable: &'static Variable) -> Vec<&'static str> {
        aibrix::names_for(variable, self.image.release.as_ref()).into_iter().map(|n| n.name.as_str()).collect()
    }

    /// The variable as this gateway reads it.
    pub fn variable(&self, variable: &'static Variable) -> Option<EnvVar<'t>> {
        self.names(variable).into_iter().find_map(|name| self.container.env(name))
    }

    /// The setting of a variable: its text, absent, or decided elsewhere. A container without an image is a patch of one that
    /// is written elsewhere, so that nothing is absent from it.
    pub fn setting(&self, variable: &'static Variable) -> Resolved<Text> {
        let found = || self.names(variable).into_iter().map(|name| self.container.setting(name));
        // What may be set under one name does not hide what is set under another.
        match found().find(|s| s.known().is_some()).or_else(|| found().find(Resolved::is_unknown)) {
            Some(found) => found,
            None if self.container.image().is_none() => Resolved::Unknown(self.container.grip()),
            None => Resolved::Absent(self.place()),
        }
    }

    /// The variable under a name that this release does not read, while the name that it reads is not set.
    pub fn misnamed(&self, variable: &'static Variable) -> Option<EnvVar<'t>> {
        let read = self.names(variable);
        if self.image.release.is_none() || read.iter().any(|name| self.container.env(name).is_some()) {
            return None;
        }
        variable.names.iter().filter(|n| !read.contains(&n.name.as_str())).find_map(|n| self.container.env(&n.name))
    }

    /// The name to advise: the one that this release reads, else the newest.
    pub fn name_of(&self, variable: &'static Variable) -> &'static str {
        let newest = || variable.names.last().map_or("", |n| n.name.as_str());
        self.names(variable).first().copied().unwrap_or_else(newest)
    }

    /// A boolean setting that `ParseBool` refuses though it was meant as true.
    pub fn refused(&self, variable: &'static Variable) -> Option<(Text, Span)> {
        match self.setting(variable) {
            Resolved::Known(text, span) if aibrix::meant_bool(&text.value) == Some(true) => Some((text, span)),
            _ => None,
        }
    }

    /// The value that switches synchronisation on, where it is known to be on in a release that has it.
    pub fn syncing(&self) -> Option<Span> {
        self.sync().known_at().filter(|(on, _)| **on).map(|(_, span)| span)
    }

    /// Whether its release has synchronisation at all; a release that is not known may.
    pub fn can_sync(&self) -> bool {
        self.image.release.as_ref().is_none_or(|release| aibrix::can("sync_exists", release))
    }

    /// Whether its release synchronises and understands the events of no vLLM.
    pub fn decodes_nothing(&self) -> bool {
        let release = self.image.release.as_ref();
        release.is_some_and(|release| aibrix::can("sync_exists", release) && aibrix::decoder(release).is_none())
    }

    /// Whether it is told to run without Redis.
    pub fn is_standalone(&self) -> bool {
        let flag = &aibrix::table().redis.standalone_flag;
        self.container
            .argv()
            .words
            .iter()
            .any(|w| w.opaque || w.value.trim_start_matches('-').starts_with(flag.trim_start_matches('-')))
    }

    /// A boolean setting as Go's `ParseBool` reads it; unset and unreadable text are the default.
    pub fn switch(&self, variable: &'static Variable) -> Resolved<bool> {
        let default = variable.default.as_deref().and_then(aibrix::parse_bool).unwrap_or(false);
        match self.setting(variable) {
            Resolved::Known(text, span) => Resolved::Known(aibrix::parse_bool(&text.value).unwrap_or(default), span),
            Resolved::Absent(span) => Resolved::Absent(span),
            Resolved::Unknown(span) => Resolved::Unknown(span),
        }
    }

    /// Whether synchronisation is asked for.
    pub fn sync(&self) -> Resolved<bool> {
        self.switch(aibrix::variable("kv_event_sync"))
    }

    /// The port of a pod that it tokenises through, and the place that decides it; `None` where that is not known.
    pub fn tokenizer_port(&self) -> Option<(u16, Span)> {
        let variable = aibrix::variable("tokenizer_endpoint_template");
        match self.setting(variable) {
            Resolved::Known(text, span) => template_port(&text.value).map(|port| (port, span)),
            Resolved::Absent(place) => variable.default.as_deref().and_then(template_port).map(|port| (port, place)),
            Resolved::Unknown(_) => None,
        }
    }

    /// Where a variable would be added.
    pub fn place(&self) -> Span {
        self.container.node.entry("env").map_or_else(|| self.container.grip(), |e| e.key.span())
    }

    /// The size of a block in bytes that it hashes prefixes by; the default of the code where none is written.
    pub fn block_size(&self) -> Resolved<u32> {
        let variable = aibrix::variable("block_size");
        match self.setting(variable) {
            Resolved::Absent(span) => match variable.default.as_deref().and_then(|d| d.parse().ok()) {
                Some(default) => Resolved::Known(default, span),
                None => Resolved::Absent(span),
            },
            found => found.parse(|text| text.value.trim().parse().ok()),
        }
    }
}

fn template_port(text: &str) -> Option<u16> {
    HttpUrl::parse(&text.replacen("%s", "0.0.0.0", 1)).ok().map(|url| url.port)
}

/// The pods that a gateway outside of the unit is taken to have: one for each way of installing.
pub fn assumed(config: &Config) -> Vec<Assumed<'_>> {
    let installs = &aibrix::table().installs;
    let installed = config.gateway == GatewayPlace::default();
    let known: Vec<&str> = installs.iter().flat_map(|i| &i.pod_labels).map(|p| p.key.as_str()).collect();
    let place = &config.gateway;
    let pods = place.labels.iter().enumerate().map(|(index, labels)| Assumed {
        name: &aibrix::table().gateway.deployment_suffix,
        namespace: &place.namespace,
        labels: labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
        others: match installs.get(index).filter(|_| installed) {
            Some(install) => Others::Only(install.other_label_keys.iter().map(String::as_str).collect()),
            // What a person wrote need not be all, but it tells the ways of installing apart.
            None => Others::AnyBut(known.clone()),
        },
    });
    pods.collect()
}

/// The gateways that listen in a unit; without one, the gateway that is taken to be elsewhere.
pub fn subscribers(model: &Model<'_>) -> Vec<Subscriber> {
    let dial = &aibrix::table().dial;
    let port = |number, what| Dialled { number, what };
    let default = aibrix::variable("tokenizer_endpoint_template").default.as_deref().and_then(template_port);
    let dials = |tokenizer: Option<u16>| {
        let http = tokenizer.map(|number| port(number, PortUse::Http));
        [port(dial.events, PortUse::Events), port(dial.replay, PortUse::Replay)].into_iter().chain(http).collect()
    };
    let one = |endpoints, gateway, tokenizer| Subscriber {
        product: "AIBrix gateway",
        direction: Direction::Dials,
        ports: dials(tokenizer),
        endpoints,
        gateway,
    };
    if model.gateways.is_empty() {
        let assumed: Vec<_> = model.reach.assumed().map(|(id, _)| id).collect();
        return if assumed.is_empty() { Vec::new() } else { vec![one(assumed, None, default)] };
    }
    let in_unit = model.gateways.iter().enumerate().filter_map(|(index, gateway)| {
        let endpoint = model.reach.endpoint_of(&gateway.pod)?;
        // Without synchronisation it tokenises elsewhere, or not at all.
        let tokenizer = gateway.syncing().and_then(|_| gateway.tokenizer_port()).map(|(port, _)| port);
        Some(one(vec![endpoint], Some(index), tokenizer))
    });
    in_unit.collect()
}

#[cfg(test)]
#[path = "aibrix/tests.rs"]
mod tests;
