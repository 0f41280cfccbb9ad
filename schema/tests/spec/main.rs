//! What the checker refuses and what it accepts, as the API server does.

mod limits;
mod required;
mod tree;
mod types;
mod unknown_fields;
