//! Changes of source bytes: building them from what is meant, and applying them.
//!
//! [`edit`] turns an intended change of a node ("set this label", "add this item") into the bytes to change and keeps
//! everything else. Nothing here decides what is wrong: rules and commands say what they want.

pub mod edit;
