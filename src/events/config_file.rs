//! The YAML file of vLLM's `--config`, where it is a ConfigMap mounted in the pod.

use crate::facts::vllm::cli::{self, Role};
use crate::k8s::Text;
use crate::source::Span;
use crate::yaml::{self, Node, Shape};

use super::dialect::{ConfigEntry, ConfigValue, Dialect, EventsConfig};
use super::options::FlagUse;

/// The file, as far as it can be read.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// The path's bytes in the command.
    pub path_span: Span,
    /// Whether it was given as `--config=FILE`, which vLLM parses and never reads.
    pub never_read: bool,
    /// Whether the file is among the manifests.
    pub found: bool,
    /// Its keys, with dashes.
    pub entries: Vec<ConfigEntry>,
    /// What stands under `kv-events-config`.
    pub events: Option<EventsConfig>,
}

impl ConfigFile {
    /// Reads the file's text out of a ConfigMap's value.
    pub fn read(flag: &FlagUse, path: &Text, node: Option<Node<'_>>) -> ConfigFile {
        let mut file = ConfigFile {
            path_span: path.span(),
            never_read: flag.equals,
            found: false,
            entries: Vec::new(),
            events: None,
        };
        let Some(node) = node.filter(|_| !flag.equals) else { return file };
        let Some(text) = node.text() else { return file };
        let Ok(tree) = yaml::parse_embedded(node.source(), text, node.scalar_map()) else { return file };
        file.found = true;
        let events_key = cli::flag_for(Role::KvEventsConfig).name.trim_start_matches("--");
        for entry in tree.root().entries() {
            let Some(key) = entry.key.text() else { continue };
            let key = key.replace('_', "-");
            if key == events_key {
                file.events = Some(match entry.value.shape() {
                    Shape::Scalar => {
                        let text = Text::literal(entry.value);
                        EventsConfig::from_json(node.source(), entry.key.span(), &text, Dialect::ConfigFile)
                    }
                    _ => EventsConfig::from_mapping(entry.key.span(), entry.value),
                });
            }
            let value = ConfigValue::from_node(entry.value);
            file.entries.push(ConfigEntry { key, key_span: entry.key.span(), value });
        }
        file
    }

    /// Whether vLLM reads it and kvlint can't.
    pub fn is_unknown(&self) -> bool {
        !self.found && !self.never_read
    }

    /// The value of a key, written with dashes.
    pub fn get(&self, key: &str) -> Option<&ConfigEntry> {
        self.entries.iter().rfind(|e| e.key == key)
    }
}
