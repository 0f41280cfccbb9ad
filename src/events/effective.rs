//! What an engine's own parser takes of what is written.

use crate::facts::Effect;
use crate::facts::vllm::cli::{self, Role};
use crate::facts::vllm::events::{self, Setting};
use crate::facts::vllm::{is_unread_event_variable, table};
use crate::k8s::{Resolved, Text};

use super::dialect::{ConfigEntry, Dialect, EventsConfig, ValueKind};
use super::options::Meaning;
use super::publisher::{Publisher, Publishing};

impl EventsConfig {
    /// The entry of a key. Unknown where a template may still bring the key.
    pub fn entry(&self, key: &str) -> Resolved<&ConfigEntry> {
        match self.get(key) {
            Some(entry) if entry.value.text.opaque => Resolved::Unknown(entry.value.text.span()),
            Some(entry) => Resolved::Known(entry, entry.value.text.span()),
            None if self.is_open() => Resolved::Unknown(self.span),
            None => Resolved::Absent(self.key_span),
        }
    }

    /// Whether keys may be there that can't be read.
    fn is_open(&self) -> bool {
        let filled_in = |entry: &ConfigEntry| entry.key.contains('$') || entry.key.contains("{{");
        self.opaque && (self.entries.is_empty() || self.entries.iter().any(filled_in))
    }
}

impl Publisher<'_> {
    /// Every configuration that is checked when the engine starts. Dotted keys replace the JSON before it is read.
    pub fn configs(&self) -> Vec<&EventsConfig> {
        if let Some(dotted) = &self.dotted {
            return vec![dotted];
        }
        let file = self.config_file.as_ref().and_then(|f| f.events.as_ref());
        self.json.iter().chain(file).collect()
    }

    /// Whether dotted keys replace a JSON that is given too.
    pub fn drops_json(&self) -> bool {
        self.dotted.is_some() && !self.json.is_empty()
    }

    /// Whether the configuration that counts is no JSON, which is a finding of its own.
    pub fn is_unreadable(&self) -> bool {
        self.effective_config().is_some_and(|c| c.error.is_some())
    }

    /// The configuration that counts, where all of it can be read.
    pub fn readable_config(&self) -> Option<&EventsConfig> {
        self.effective_config().filter(|c| c.error.is_none() && !self.is_open() && !self.drops_json())
    }

    /// Whether there are options about events that engine or release do not take at all: misspelt flags and variables, a
    /// file that is never read.
    pub fn fails_to_configure(&self) -> bool {
        let refused = |flag: &str| cli::option_by_flag(flag).is_some() || cli::is_unknown_event_flag(flag);
        let events = &cli::flag_for(Role::KvEventsConfig).name;
        let on_line = self.flags.iter().any(|flag| match flag.meaning {
            Meaning::Ambiguous => events.starts_with(&flag.name.replace('_', "-")),
            Meaning::Other => refused(&flag.name),
            // Given no value, it ends the engine.
            Meaning::Known { .. } => flag.role() == Some(Role::KvEventsConfig) && flag.value.is_none(),
            Meaning::Documented(_) => false,
        });
        let in_file = self
            .config_file
            .as_ref()
            .is_some_and(|file| file.never_read || file.entries.iter().any(|e| refused(&format!("--{}", e.key))));
        let variables = self.container.env_vars();
        on_line || in_file || variables.iter().filter_map(|v| v.name.text()).any(is_unread_event_variable)
    }

    /// Whether somebody switched it off in so many words. Where strings are not read, the string `false` is true.
    pub fn is_switched_off(&self) -> bool {
        let rows = &events::table().config.enable_as_string;
        let is_true = |effect| effect == Effect::ChangesBehaviour;
        self.setting(Setting::Enable).known().is_some_and(|value| {
            let misread = value.kind == ValueKind::String
                && self.effective_config().is_some()
                && self.image.release.is_some()
                && self.image.verdict(rows, is_true).is_some();
            value.as_bool() == Some(false) && !misread
        })
    }

    /// Whether its options ask for events.
    pub fn is_on(&self) -> bool {
        self.publishing() == Publishing::On
    }

    /// The text of a setting that counts, also where a part of it is not known.
    pub fn written(&self, setting: Setting) -> Option<&Text> {
        let key = events::field(setting).key.as_str();
        if let Some(entry) = self.effective_config().and_then(|c| c.get(key)) {
            return Some(&entry.value.text);
        }
        let of = |dialect| self.documented.iter().rfind(move |w| w.setting == setting && w.dialect == dialect);
        let value = of(Dialect::Flag).or_else(|| of(Dialect::Env))?.value.as_ref()?;
        Some(&value.text)
    }

    /// What to call it in a message: the container by its name, or the engine.
    pub fn title(&self) -> String {
        match self.container.name() {
            "" => self.engine().name().to_string(),
            name => format!("container `{name}`"),
        }
    }

    /// Whether a hash algorithm makes hashes that do not fit into events, in the releases where one does.
    pub fn overflows(&self, algorithm: &str) -> bool {
        table().overflowing_hash_algorithms.iter().any(|a| a == algorithm)
    }
}
