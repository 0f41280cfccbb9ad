//! Who listens for events. One file each.

pub mod aibrix;
