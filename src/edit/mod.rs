//! Intended changes of nodes, turned into edits of the bytes that hold them.
//!
//! ```
//! use kvlint::edit::{self, Changes, Value, apply_to};
//! # let mut files = kvlint::source::SourceMap::new();
//! let file = files.add("pod.yaml", "metadata:\n  labels: {}\nspec:\n  containers:\n  - name: vllm # the engine\n");
//! let stream = kvlint::yaml::parse(&file);
//! let root = stream.documents[0].content.as_ref().unwrap().root();
//! let container = root.at("spec.containers").unwrap().items()[0];
//!
//! let mut changes = Changes::new();
//! changes.set(root, &["metadata", "labels", "model.aibrix.ai/kv-events-enabled"], "true")?;
//! let port = |name: &str, port: u16| Value::map([("name", Value::from(name)), ("containerPort", Value::from(port))]);
//! changes.append(container, &["ports"], port("kv-events", 5557))?;
//! changes.append(container, &["ports"], port("kv-replay", 5558))?;
//! let edits = changes.finish()?;
//!
//! assert_eq!(apply_to(file.text(), &edits).unwrap(), "\
//! metadata:
//!   labels:
//!     model.aibrix.ai/kv-events-enabled: \"true\"
//! spec:
//!   containers:
//!   - name: vllm # the engine
//!     ports:
//!     - name: kv-events
//!       containerPort: 5557
//!     - name: kv-replay
//!       containerPort: 5558
//! ");
//! # Ok::<(), edit::Refusal>(())
//! ```
//!
//! A change is planned on nodes, and all edits of a document are made together when [`Changes::finish`] is called. The
//! edited text is then read again: where it does not hold exactly what was planned there is a [`Refusal`] and no edit.
//! Everything that is not edited stays byte for byte.
//!
//! Edits at equal offsets must be applied in the order of the list, insertions before what replaces bytes from there on:
//! [`apply_to`] does.

mod apply;
mod block;
mod changes;
mod documents;
mod draft;
mod emit;
mod flow;
mod inside;
mod locate;
mod page;
mod print;
mod refusal;
#[cfg(test)]
mod tests;
mod text;
mod value;
mod verify;
mod words;

pub use apply::{Conflict, Edit, apply_to};
pub use changes::{At, Changes, Empty};
pub use documents::{append_document, remove_document};
pub use inside::{json, yaml};
pub use locate::scalar_at;
pub use refusal::Refusal;
pub use text::{TextEdit, changed, difference};
pub use value::Value;
pub use words::{Script, WordId};
