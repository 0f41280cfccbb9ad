//! Text to trees in which every key and value knows its bytes; comments kept; scalars typed as Kubernetes types them.
//!
//! Two readers disagree about YAML: version 1.2, which most tools speak, and the YAML 1.1 of Go's `sigs.k8s.io/yaml`,
//! through which every manifest reaches the API server. [`parse`] reads 1.2 with exact spans, [`resolve`] types
//! scalars as Go does, and [`Document::oddities`] lists the places where Go would refuse or lose what was read.

mod compose;
mod dialect;
pub mod json;
mod layout;
mod mistake;
mod origin;
mod parse;
mod placeholder;
pub mod resolve;
mod scalar_map;
mod tree;
mod written;

pub use compose::Composer;
pub use dialect::{Oddity, OddityKind};
pub use layout::Layout;
pub use origin::{Blame, BlamePart, BlamePlace, Directive, Origin, Removal, Step};
pub use parse::{Comment, Document, Stream, SyntaxError, parse, parse_embedded, parse_embedded_stream};
pub use placeholder::{is_template, is_unfinished};
pub use resolve::Scalar;
pub use scalar_map::ScalarMap;
pub use tree::{Entry, Node, NodeId, Shape, Style, Tree};
pub use written::{Written, document_at};
