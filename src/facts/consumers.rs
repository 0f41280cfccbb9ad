//! Other listeners of KV events: enough to tell that a publisher belongs to somebody else.

use serde::Deserialize;

use super::{Status, table};

table!(TABLE: Table = "consumers.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    date: String,
    consumers: Vec<Consumer>,
    lookalikes: Vec<Lookalike>,
}

/// A listener that is not AIBrix.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumer {
    /// A name for rules: `llm_d`, `dynamo`, `kthena`, `kaito`.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Last path components of its images.
    pub image_base_names: Vec<String>,
    /// API groups of the workloads whose engines it listens to.
    #[serde(default)]
    pub workload_groups: Vec<String>,
    /// API groups of its config, which may lie as a string in a ConfigMap.
    #[serde(default)]
    pub config_api_groups: Vec<String>,
    /// Kinds of its config.
    #[serde(default)]
    pub config_kinds: Vec<String>,
    /// Names in its config that switch listening on.
    #[serde(default)]
    pub plugins: Vec<String>,
    /// Flags of its own.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Variables of its own.
    #[serde(default)]
    pub env: Vec<String>,
    /// Which end it is. Exactly one end of a connection must bind.
    pub directions: Vec<Direction>,
    /// The ports that it or its guides use.
    pub ports: Vec<u16>,
    /// How its topics start.
    pub topic_prefixes: Vec<String>,
    /// How many parts its topics must have.
    pub topic_parts: Option<usize>,
    /// What separates them.
    pub topic_separator: Option<String>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// Which end of the connection a consumer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It connects to each pod; the engine must bind.
    Dial,
    /// It listens behind a Service; the engine must connect.
    Bind,
    /// It connects from within the pod; the engine must bind, and nothing need be exposed.
    Sidecar,
}

/// Something that looks like KV events and is not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookalike {
    /// A name for rules.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Its ports.
    pub ports: Vec<u16>,
    /// Its variables.
    pub env: Vec<String>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// The day of measurement.
pub fn date() -> &'static str {
    &TABLE.date
}

/// Every consumer of the table.
pub fn consumers() -> &'static [Consumer] {
    &TABLE.consumers
}

/// What looks like KV events and is not.
pub fn lookalikes() -> &'static [Lookalike] {
    &TABLE.lookalikes
}

/// The consumer with this id.
pub fn consumer(id: &str) -> Option<&'static Consumer> {
    TABLE.consumers.iter().find(|consumer| consumer.id == id)
}

/// The consumer that listens to engines of a workload of this API group.
pub fn by_workload_group(group: &str) -> Option<&'static Consumer> {
    TABLE.consumers.iter().find(|consumer| consumer.workload_groups.iter().any(|known| known == group))
}

/// The consumer in an image; `base` is the last component of its path, without a tag.
pub fn by_image(base: &str) -> Option<&'static Consumer> {
    TABLE.consumers.iter().find(|consumer| consumer.image_base_names.iter().any(|known| known == base))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::check;

    #[test]
    fn every_consumer_stands_once_and_has_a_source() {
        check::unique("consumers", consumers().iter().map(|row| row.id.as_str()));
        check::unique("lookalikes", lookalikes().iter().map(|row| row.id.as_str()));
        check::sources("consumers", consumers().iter().map(|row| row.source.as_str()));
        check::sources("lookalikes", lookalikes().iter().map(|row| row.source.as_str()));
    }
}
