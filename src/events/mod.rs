//! The domain: who publishes KV-cache events, who listens.

mod absence;
pub mod command;
pub mod config_file;
pub mod dialect;
mod effective;
pub mod endpoint;
pub mod http_url;
mod model;
pub mod options;
pub mod policies;
pub mod ports;
pub mod publisher;
pub mod release;
pub mod shell;
pub mod subscribers;

pub use crate::k8s::Resolved;
pub use command::{Company, Cut, Engine, EngineCommand};
pub use dialect::{ConfigEntry, ConfigValue, Dialect, EventsConfig, ValueKind, Written};
pub use endpoint::Endpoint;
pub use http_url::HttpUrl;
pub use model::Model;
pub use ports::{BoundPort, PortUse};
pub use publisher::{EndpointSetting, Publisher, Publishing};
pub use release::{ImageRelease, Verdict};
pub use subscribers::aibrix::Gateway;

/// How sure an observed behaviour is for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The release is in the tables, or every release behaves so.
    Certain,
    /// The image is private or its release unknown.
    Likely,
}
