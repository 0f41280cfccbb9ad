//! The ways in which people write a publisher's settings, each read with spans.

use crate::facts::vllm::events::Setting;
use crate::k8s::Text;
use crate::source::Span;
use crate::yaml::{self, Node, Scalar};

/// A way to write settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// `--kv-events-config '{…}'`
    Json,
    /// `--kv-events-config.endpoint …`
    Dotted,
    /// `kv-events-config` in the file of `--config`.
    ConfigFile,
    /// The flags of AIBrix's documents: `--enable-kv-cache-events` and others.
    Flag,
    /// The variables of AIBrix's documents: `VLLM_ENABLE_KV_CACHE_EVENTS` and others.
    Env,
}

impl Dialect {
    /// What it is called in messages.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Json => "`--kv-events-config`",
            Dialect::Dotted => "the dotted form of `--kv-events-config`",
            Dialect::ConfigFile => "the configuration file",
            Dialect::Flag => "a flag",
            Dialect::Env => "an environment variable",
        }
    }
}

/// The JSON type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A whole number.
    Integer,
    /// Another number.
    Number,
    /// A string; also every value of a flag or variable.
    String,
    /// A list or mapping.
    Collection,
}

/// One value of one setting.
#[derive(Clone, Debug)]
pub struct ConfigValue {
    /// The value as text, with the way to its bytes.
    pub text: Text,
    /// Its type.
    pub kind: ValueKind,
}

impl ConfigValue {
    /// The value as a boolean, also where it is written as a string.
    pub fn as_bool(&self) -> Option<bool> {
        match self.text.value.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// A value given on the command line, which is read as JSON where it is JSON and as a string otherwise.
    pub fn guess(text: Text) -> ConfigValue {
        let kind = match serde_json::from_str::<serde_json::Value>(&text.value) {
            Ok(serde_json::Value::Null) => ValueKind::Null,
            Ok(serde_json::Value::Bool(_)) => ValueKind::Bool,
            Ok(serde_json::Value::Number(n)) if n.is_f64() => ValueKind::Number,
            Ok(serde_json::Value::Number(_)) => ValueKind::Integer,
            Ok(serde_json::Value::Array(_) | serde_json::Value::Object(_)) => ValueKind::Collection,
            _ => ValueKind::String,
        };
        ConfigValue { text, kind }
    }

    /// A value in a tree.
    pub fn from_node(node: Node<'_>) -> ConfigValue {
        let kind = match node.scalar() {
            None => ValueKind::Collection,
            Some(Scalar::Null) => ValueKind::Null,
            Some(Scalar::Bool(_)) => ValueKind::Bool,
            Some(Scalar::Int(_) | Scalar::UInt(_)) => ValueKind::Integer,
            Some(Scalar::Float(_)) => ValueKind::Number,
            Some(Scalar::Str(_)) => ValueKind::String,
        };
        ConfigValue { text: Text::literal(node), kind }
    }
}

/// One key of a configuration.
#[derive(Clone, Debug)]
pub struct ConfigEntry {
    /// The key as written.
    pub key: String,
    /// The key's bytes.
    pub key_span: Span,
    /// What it is set to.
    pub value: ConfigValue,
}

/// What is wrong with a configuration's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The place.
    pub span: Span,
    /// What is wrong, in words.
    pub message: String,
    /// Whether numbers such as `10k` are all that is wrong; later releases read them.
    pub human_numbers: bool,
}

/// One configuration object, wherever it was written.
#[derive(Clone, Debug)]
pub struct EventsConfig {
    /// Where it was written.
    pub dialect: Dialect,
    /// The flag's name, or the key in the file.
    pub key_span: Span,
    /// The object's bytes.
    pub span: Span,
    /// Its keys in order, duplicates kept. Where the JSON is malformed, what could be guessed.
    pub entries: Vec<ConfigEntry>,
    /// Why it is not JSON.
    pub error: Option<JsonError>,
    /// Whether a part or all of it is decided elsewhere.
    pub opaque: bool,
    /// Whether the configuration file holds a mapping rather than a JSON string.
    pub nested: bool,
}

impl EventsConfig {
    /// The value of a key: the last counts.
    pub fn get(&self, key: &str) -> Option<&ConfigEntry> {
        self.entries.iter().rfind(|e| e.key == key)
    }

    /// Reads JSON in an argument. `source` is the file that `text` stands in.
    pub fn from_json(
        source: &std::sync::Arc<crate::source::SourceFile>,
        key_span: Span,
        text: &Text,
        dialect: Dialect,
    ) -> EventsConfig {
        let mut config = EventsConfig {
            dialect,
            key_span,
            span: text.span(),
            entries: Vec::new(),
            error: None,
            opaque: text.opaque,
            nested: false,
        };
        if text.opaque && !text.value.contains('{') {
            return config;
        }
        let parsed = match serde_json::from_str::<serde_json::Value>(&text.value) {
            Ok(serde_json::Value::Object(_)) => None,
            Ok(other) => {
                let message = format!("{} where an object belongs", json_type(&other));
                Some(JsonError { span: text.span(), message, human_numbers: false })
            }
            Err(e) => Some(json_error(text, &e)),
        };
        // An unknown part inside a value does not make the rest unreadable.
        config.error = parsed.filter(|_| !text.opaque);
        if let Ok(tree) = yaml::parse_embedded(source, &text.value, text.map().clone()) {
            config.read(tree.root());
        }
        if text.opaque {
            // Expansions that are not known stand in the text as they were written.
            for entry in &mut config.entries {
                entry.value.text.opaque |= entry.value.text.value.contains(['$', '`']);
            }
        }
        config
    }

    /// Reads a mapping of a configuration file.
    pub fn from_mapping(key_span: Span, node: Node<'_>) -> EventsConfig {
        let mut config = EventsConfig {
            dialect: Dialect::ConfigFile,
            key_span,
            span: node.span(),
            entries: Vec::new(),
            error: None,
            opaque: false,
            nested: true,
        };
        config.read(node);
        config
    }

    fn read(&mut self, node: Node<'_>) {
        for entry in node.entries() {
            let Some(key) = entry.key.text() else { continue };
            let value = ConfigValue::from_node(entry.value);
            self.opaque |= value.text.opaque;
            self.entries.push(ConfigEntry { key: key.to_string(), key_span: entry.key.span(), value });
        }
    }
}

fn json_type(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "`null`",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    }
}

fn json_error(text: &Text, error: &serde_json::Error) -> JsonError {
    let value = &text.value;
    // serde_json counts lines and columns from 1, columns in bytes; at the end of input it points behind it.
    let line_start: usize = value.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut start = (line_start + error.column().saturating_sub(1)).min(value.len());
    while !value.is_char_boundary(start) {
        start -= 1;
    }
    let full = error.to_string();
    let message = full.split(" at line ").next().unwrap_or(&full).to_string();
    let place = match value[..start].trim_end().strip_suffix(',') {
        // serde_json points behind the comma that is one too many.
        Some(before) if value[start..].starts_with(['}', ']']) => before.len()..before.len() + 1,
        _ => word_at(value, start),
    };
    let span = if value.trim().is_empty() { text.span() } else { text.sub_span(place) };
    let message = match value.as_bytes().get(start) {
        _ if value.trim().is_empty() => "nothing where an object belongs".to_string(),
        Some(b'\'') => "single quotes, where JSON has double quotes".to_string(),
        Some(b'T' | b'F' | b'N') => {
            "Python's `True`, `False` or `None`, where JSON has `true`, `false`, `null`".to_string()
        }
        _ => message,
    };
    JsonError { span, message, human_numbers: only_human_numbers(value) }
}

/// The bare word around a place, such as `True` or `10k`; the character there where it is in none.
fn word_at(text: &str, at: usize) -> std::ops::Range<usize> {
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let quotes = text[..at].matches('"').count() - text[..at].matches("\\\"").count();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.');
    if quotes % 2 == 1 || !text[at..end].chars().all(is_part) {
        return at..end;
    }
    let start = text[..at].trim_end_matches(is_part).len();
    let rest = text[at..].trim_start_matches(is_part);
    start..text.len() - rest.len()
}

/// Whether the text is JSON once numbers such as `10k` or `1.5M` are written out.
fn only_human_numbers(text: &str) -> bool {
    let mut plain = String::with_capacity(text.len());
    let mut in_string = false;
    let mut previous = ' ';
    let mut changed = false;
    for c in text.chars() {
        if c == '"' && previous != '\\' {
            in_string = !in_string;
        }
        if !in_string && "kKmMgGtT".contains(c) && previous.is_ascii_digit() {
            plain.push('0');
            changed = true;
        } else {
            plain.push(c);
        }
        previous = c;
    }
    changed && serde_json::from_str::<serde_json::Value>(&plain).is_ok()
}

/// One setting in one dialect.
#[derive(Clone, Debug)]
pub struct Written {
    /// The setting.
    pub setting: Setting,
    /// How it was written.
    pub dialect: Dialect,
    /// The flag's name or the variable's name, with its bytes.
    pub name: String,
    /// The name's bytes.
    pub name_span: Span,
    /// The value; `None` for a switch, and where the value is not known.
    pub value: Option<ConfigValue>,
    /// Whether the value is decided elsewhere.
    pub unknown: bool,
}
