//! What an engine container will do: whether it publishes, where, and how that was written.

use std::sync::OnceLock;

use crate::facts::vllm::cli::Role;
use crate::facts::vllm::events::{self, Setting};
use crate::facts::vllm::{self, EnvRole};
use crate::k8s::image;
use crate::k8s::{Container, PodTemplate, Resolved, Text};
use crate::source::Span;
use crate::yaml::Node;

use super::command::{self, Engine, EngineCommand};
use super::config_file::ConfigFile;
use super::dialect::{ConfigValue, Dialect, EventsConfig, ValueKind, Written};
use super::endpoint::{Endpoint, Malformed};
use super::options::{self, FlagUse, Meaning};
use super::ports::BoundPort;
use super::release::ImageRelease;

/// Whether an engine publishes events, as far as its options tell. What a release really makes of the options is for
/// rules to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishing {
    /// It is told to.
    On,
    /// It is configured and told not to, or the switch is left out.
    Off,
    /// Nothing about events is written.
    Unconfigured,
    /// A part of the command is decided elsewhere.
    Unknown,
}

/// An engine container; where its script starts engines in several places, one of them.
#[derive(Clone, Debug)]
pub struct Publisher<'t> {
    /// The index of the workload in [`super::Model::workloads`].
    pub workload: usize,
    /// Its pod.
    pub pod: PodTemplate<'t>,
    /// Its container.
    pub container: Container<'t>,
    /// The command.
    pub command: EngineCommand,
    /// The release, from the image.
    pub image: ImageRelease,
    /// Every flag of the command, in order.
    pub flags: Vec<FlagUse>,
    /// Words that are neither flags nor their values.
    pub positional: Vec<usize>,
    /// Every `--kv-events-config` in order, as JSON.
    pub json: Vec<EventsConfig>,
    /// The dotted keys together, if there are any.
    pub dotted: Option<EventsConfig>,
    /// The file of `--config`.
    pub config_file: Option<ConfigFile>,
    /// The flags and variables of AIBrix's documents.
    pub documented: Vec<Written>,
    pub(super) concluded: Concluded,
}

/// What follows from the options, concluded when the first rule asks: nearly all rules do.
#[derive(Clone, Debug, Default)]
pub(super) struct Concluded {
    publishing: OnceLock<Publishing>,
    endpoint: OnceLock<Resolved<EndpointSetting>>,
    replay_endpoint: OnceLock<Resolved<EndpointSetting>>,
    pub(super) event_port: OnceLock<Resolved<BoundPort>>,
    pub(super) replay_port: OnceLock<Resolved<BoundPort>>,
}

/// An endpoint with what is known about it.
#[derive(Clone, Debug)]
pub struct EndpointSetting {
    /// The endpoint, or why it is none.
    pub parsed: Result<Endpoint, Malformed>,
    /// The text with the way to its bytes; for a default, the place where it would be set.
    pub text: Option<Text>,
    /// The value's bytes, or that place.
    pub span: Span,
}

impl EndpointSetting {
    /// The port.
    pub fn port(&self) -> Option<u16> {
        self.parsed.as_ref().ok()?.port
    }

    /// The port's bytes; for a default the place where it would be set.
    pub fn port_span(&self) -> Span {
        match (&self.parsed, &self.text) {
            (Ok(endpoint), Some(text)) if !endpoint.port_range.is_empty() => text.sub_span(endpoint.port_range.clone()),
            _ => self.span,
        }
    }

    /// Whether the engine's default is meant, so that nothing stands in the file.
    pub fn is_default(&self) -> bool {
        self.text.is_none()
    }
}

impl<'t> Publisher<'t> {
    /// The views of a container that starts an engine: one for each command that does. `completed` says that a controller may
    /// add to the command; `find_file` gives the text of a mounted file.
    pub fn all(
        workload: usize,
        pod: &PodTemplate<'t>,
        container: Container<'t>,
        assume: Option<&crate::facts::Release>,
        completed: bool,
        find_file: impl Fn(&PodTemplate<'t>, Container<'t>, &str) -> Option<Node<'t>>,
    ) -> Vec<Publisher<'t>> {
        let image_node = container.image();
        let reference = image_node.and_then(Node::text).and_then(|t| image::parse(t).ok());
        let commands = command::engine_commands(container, reference.as_ref());
        let publisher = |mut command: EngineCommand| {
            command.open |= completed;
            let image = ImageRelease::of_engine(image_node, container.grip(), assume);
            let release = image.release.as_ref().filter(|_| command.engine == Engine::Vllm);
            let (flags, positional) = options::split(&command.words, release);
            let source = pod.resource.tree().source();
            let json = options::uses(&flags, Role::KvEventsConfig)
                .filter_map(|f| Some((f.name_span, f.value.as_ref()?)))
                .map(|(name, text)| EventsConfig::from_json(source, name, text, Dialect::Json))
                .collect();
            let config_file = options::uses(&flags, Role::ConfigFile).last().and_then(|flag| {
                let path = flag.value.as_ref()?;
                let node = find_file(pod, container, &path.value);
                Some(ConfigFile::read(flag, path, node))
            });
            let mut publisher = Publisher {
                workload,
                pod: pod.clone(),
                container,
                dotted: dotted(&flags),
                documented: Vec::new(),
                command,
                image,
                flags,
                positional,
                json,
                config_file,
                concluded: Concluded::default(),
            };
            publisher.documented = publisher.read_documented();
            publisher
        };
        commands.into_iter().map(publisher).collect()
    }

    /// Whether another view is of the same container: of another command in its script.
    pub fn shares_container(&self, other: &Publisher<'t>) -> bool {
        self.pod.node == other.pod.node && self.container.node == other.container.node
    }

    /// Whether the script may start an engine in another way, which is not read: what this one lacks, that one may have.
    pub fn has_hidden_company(&self) -> bool {
        matches!(self.command.company, super::Company::Hidden(_))
    }

    fn read_documented(&self) -> Vec<Written> {
        let mut found = Vec::new();
        if self.command.engine != Engine::Vllm {
            return found;
        }
        for flag in &self.flags {
            if let Meaning::Documented(row) = flag.meaning {
                let unknown = flag.value.as_ref().is_some_and(|v| v.opaque);
                found.push(Written {
                    setting: row.setting,
                    dialect: Dialect::Flag,
                    name: flag.name.clone(),
                    name_span: flag.name_span,
                    value: flag.value.clone().filter(|_| !unknown).map(string_value),
                    unknown,
                });
            }
        }
        for var in self.container.env_vars() {
            let name = var.name.text().unwrap_or("");
            let Some(row) = vllm::option_by_env(name) else { continue };
            found.push(Written {
                setting: row.setting,
                dialect: Dialect::Env,
                name: name.to_string(),
                name_span: var.name.span(),
                value: var.value.known().cloned().map(string_value),
                unknown: var.value.is_unknown(),
            });
        }
        found
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.command.engine
    }

    /// The script that starts the engine, if one does.
    pub fn script(&self) -> Option<&'t str> {
        let argv = self.container.argv();
        let words: Vec<&str> = argv.words.iter().map(|t| t.value.as_str()).collect();
        let index = super::shell::shell_script_index(&words).filter(|_| self.command.in_script)?;
        self.container.argv_node(index)?.text()
    }

    /// Whether words of the command are decided elsewhere, so that any flag may be there.
    pub fn is_open(&self) -> bool {
        self.command.open
    }

    /// The configuration that vLLM's own parser ends up with: dotted keys drop the JSON, the last JSON counts, the file
    /// comes last.
    pub fn effective_config(&self) -> Option<&EventsConfig> {
        self.dotted
            .as_ref()
            .or_else(|| self.json.last())
            .or_else(|| self.config_file.as_ref().and_then(|f| f.events.as_ref()))
    }

    /// A setting, from whichever dialect gives it: the engine's own first, then the documented flags, then the
    /// documented variables.
    pub fn setting(&self, setting: Setting) -> Resolved<ConfigValue> {
        let key = events::field(setting).key.as_str();
        if let Some(config) = self.effective_config() {
            if let Some(entry) = config.get(key) {
                let span = entry.value.text.span();
                if entry.value.text.opaque {
                    return Resolved::Unknown(span);
                }
                return Resolved::Known(entry.value.clone(), span);
            }
            if config.opaque && config.entries.is_empty() {
                return Resolved::Unknown(config.span);
            }
        }
        for dialect in [Dialect::Flag, Dialect::Env] {
            if let Some(written) = self.documented.iter().rfind(|w| w.setting == setting && w.dialect == dialect) {
                return match &written.value {
                    _ if written.unknown => Resolved::Unknown(written.name_span),
                    Some(value) => Resolved::Known(value.clone(), value.text.span()),
                    // A switch.
                    None => Resolved::Known(self.switch(written.name_span), written.name_span),
                };
            }
        }
        if self.is_open() || self.config_file.as_ref().is_some_and(ConfigFile::is_unknown) {
            return Resolved::Unknown(self.command.grip);
        }
        Resolved::Absent(self.effective_config().map_or(self.command.grip, |c| c.key_span))
    }

    fn switch(&self, span: Span) -> ConfigValue {
        ConfigValue { text: Text::synthetic("true", span), kind: ValueKind::Bool }
    }

    /// Whether events are published, as far as the options tell.
    pub fn publishing(&self) -> Publishing {
        *self.concluded.publishing.get_or_init(|| self.conclude_publishing())
    }

    fn conclude_publishing(&self) -> Publishing {
        let configured = self.effective_config().is_some() || !self.documented.is_empty();
        match self.engine() {
            Engine::Vllm => match self.setting(Setting::Enable) {
                Resolved::Known(value, _) => match value.as_bool() {
                    Some(true) => Publishing::On,
                    Some(false) => Publishing::Off,
                    None => Publishing::Unknown,
                },
                Resolved::Unknown(_) => Publishing::Unknown,
                Resolved::Absent(_) if configured => Publishing::Off,
                Resolved::Absent(_) => Publishing::Unconfigured,
            },
            // SGLang has no switch: a publisher turns it on.
            Engine::Sglang => match self.setting(Setting::Publisher) {
                Resolved::Known(value, _) if value.kind == ValueKind::Null => Publishing::Off,
                Resolved::Known(value, _) => {
                    let sends = crate::facts::sglang::sglang().publishers.contains(&value.text.value);
                    if sends { Publishing::On } else { Publishing::Off }
                }
                Resolved::Unknown(_) => Publishing::Unknown,
                Resolved::Absent(_) if configured => Publishing::Off,
                Resolved::Absent(_) => Publishing::Unconfigured,
            },
            Engine::Simulator => Publishing::Unknown,
        }
    }

    /// The endpoint that events are published on; the engine's default where none is written.
    pub fn endpoint(&self) -> &Resolved<EndpointSetting> {
        self.concluded.endpoint.get_or_init(|| match self.endpoint_of(Setting::Endpoint) {
            Resolved::Absent(span) => {
                let default = events::field(Setting::Endpoint).default.as_deref().unwrap_or_default();
                Resolved::Known(EndpointSetting { parsed: Endpoint::parse(default), text: None, span }, span)
            }
            found => found,
        })
    }

    /// The endpoint that missed events are asked for on. Off by default.
    pub fn replay_endpoint(&self) -> &Resolved<EndpointSetting> {
        self.concluded.replay_endpoint.get_or_init(|| self.endpoint_of(Setting::ReplayEndpoint))
    }

    fn endpoint_of(&self, setting: Setting) -> Resolved<EndpointSetting> {
        match self.setting(setting) {
            Resolved::Known(value, span) if value.kind == ValueKind::Null => Resolved::Absent(span),
            Resolved::Known(value, span) => {
                let parsed = Endpoint::parse(&value.text.value);
                Resolved::Known(EndpointSetting { parsed, text: Some(value.text), span }, span)
            }
            Resolved::Absent(span) => Resolved::Absent(span),
            Resolved::Unknown(span) => Resolved::Unknown(span),
        }
    }

    /// The text that a flag is given, the configuration file included.
    pub fn flag(&self, role: Role) -> Resolved<Text> {
        let on_line = options::value(&self.flags, role, false, self.command.grip);
        if !on_line.is_absent() {
            return on_line;
        }
        let names = vllm::cli::flags_for(role).map(|f| f.name.trim_start_matches("--"));
        if let Some(file) = &self.config_file {
            for name in names {
                if let Some(entry) = file.get(name) {
                    let text = entry.value.text.clone();
                    let span = text.span();
                    return if text.opaque { Resolved::Unknown(span) } else { Resolved::Known(text, span) };
                }
            }
            if file.is_unknown() {
                return Resolved::Unknown(file.path_span);
            }
        }
        if self.is_open() { Resolved::Unknown(self.command.grip) } else { Resolved::Absent(self.command.grip) }
    }

    /// The uses of a flag on the command line.
    pub fn uses(&self, role: Role) -> impl Iterator<Item = &FlagUse> {
        options::uses(&self.flags, role)
    }

    /// A number that a flag is given.
    pub fn number(&self, role: Role) -> Resolved<u32> {
        self.flag(role).parse(|text| text.value.trim().parse().ok())
    }

    /// A variable of the engine's process: the script's own assignments come before the container's environment.
    pub fn env(&self, name: &str) -> Resolved<Text> {
        if let Some((_, value)) = self.command.script_env.iter().find(|(n, _)| n == name) {
            return match value {
                Some(text) if !text.opaque => Resolved::Known(text.clone(), text.span()),
                Some(text) => Resolved::Unknown(text.span()),
                None => Resolved::Unknown(self.command.grip),
            };
        }
        self.container.setting(name)
    }

    /// The variable for a role.
    pub fn env_for(&self, role: EnvRole) -> Resolved<Text> {
        self.env(&vllm::env_for(role).name)
    }

    /// The port that the server answers requests on.
    pub fn http_port(&self) -> Resolved<u16> {
        match self.flag(Role::Port) {
            Resolved::Absent(span) => {
                let own = self.command.entry_point.map(|e| e.port);
                let sglang = crate::facts::sglang::by_module("sglang.launch_server").and_then(|e| e.http_port);
                match self.engine() {
                    Engine::Vllm => Resolved::Known(own.unwrap_or(vllm::table().http_default_port.port), span),
                    Engine::Sglang => sglang.map_or(Resolved::Unknown(span), |p| Resolved::Known(p, span)),
                    Engine::Simulator => Resolved::Unknown(span),
                }
            }
            found => found.parse(|text| text.value.trim().parse().ok()),
        }
    }

    /// Tokens of a cache block; the default where none is written. A model may choose another in that case.
    pub fn block_size(&self) -> Resolved<u32> {
        match self.number(Role::BlockSize) {
            Resolved::Absent(span) if self.engine() == Engine::Vllm => {
                Resolved::Known(vllm::default_block_size(), span)
            }
            found => found,
        }
    }

    /// Data-parallel ranks that run in this one pod. Unknown where there are more than any pod can have.
    pub fn local_ranks(&self) -> Resolved<u32> {
        let most = events::table().data_parallel.most_ranks;
        let ranks = |role| self.number(role).parse(|ranks| Some(ranks).filter(|ranks| *ranks <= most));
        match ranks(Role::DataParallelSizeLocal) {
            Resolved::Absent(_) => match ranks(Role::DataParallelSize) {
                // With a rank of its own the pod runs that rank alone.
                Resolved::Known(..) if !self.number(Role::DataParallelRank).is_absent() => {
                    Resolved::Known(1, self.command.grip)
                }
                Resolved::Absent(span) => Resolved::Known(1, span),
                found => found,
            },
            found => found,
        }
    }

    /// Whether the pod carries the label by which AIBrix's gateway finds it, with the value that it looks for.
    pub fn asks_to_be_heard(&self) -> bool {
        let label = &crate::facts::aibrix::table().labels.enabled;
        self.pod.labels.get(&label.key).is_some_and(|value| value.text() == label.value.as_deref())
    }

    /// Whether AIBrix's gateway is meant to find this pod: one of its labels is on the pod.
    pub fn is_labelled(&self) -> bool {
        self.pod.labels.get(&crate::facts::aibrix::table().labels.enabled.key).is_some()
    }
}

fn string_value(text: Text) -> ConfigValue {
    ConfigValue { text, kind: ValueKind::String }
}

/// Dotted keys as one configuration.
fn dotted(flags: &[FlagUse]) -> Option<EventsConfig> {
    let mut config: Option<EventsConfig> = None;
    for flag in flags.iter().filter(|f| f.role() == Some(Role::KvEventsConfig)) {
        let Some(key) = &flag.dotted else { continue };
        let config = config.get_or_insert_with(|| EventsConfig {
            dialect: Dialect::Dotted,
            key_span: flag.name_span,
            span: flag.span,
            entries: Vec::new(),
            error: None,
            opaque: false,
            nested: false,
        });
        let value = flag.value.clone().unwrap_or_else(|| Text::synthetic("", flag.name_span));
        config.opaque |= value.opaque;
        config.entries.push(super::dialect::ConfigEntry {
            key: key.value.clone(),
            key_span: key.span(),
            value: ConfigValue::guess(value),
        });
    }
    config
}
