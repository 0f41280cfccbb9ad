//! AIBrix's gateway: how it is recognised, and its settings under the names of its release.

use crate::facts::aibrix::{self, Variable};
use crate::k8s::image;
use crate::k8s::{Container, EnvVar, PodTemplate, Resolved, Text};
use crate::source::Span;
use crate::yaml::Node;

use super::super::release::ImageRelease;

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

    /// The setting of a variable: its text, absent, or decided elsewhere.
    pub fn setting(&self, variable: &'static Variable) -> Resolved<Text> {
        let names = self.names(variable);
        names
            .iter()
            .map(|name| self.container.setting(name))
            .find(|s| !s.is_absent())
            .unwrap_or_else(|| Resolved::Absent(self.place()))
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
