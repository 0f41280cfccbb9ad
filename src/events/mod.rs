//! The domain: who publishes KV-cache events, who listens, and the path between them.

pub mod shell;
