//! How texts of files are shown in messages and pictures: harmless, in few words, under paths that a person would write.

mod excerpt;
pub mod markup;
mod path;
pub mod visible;

pub use excerpt::{excerpt, excerpt_of};
pub use path::shown;

/// A number and a noun, in the plural unless it is one.
pub fn plural(n: usize, noun: &str) -> String {
    if n == 1 { format!("{n} {noun}") } else { format!("{n} {noun}s") }
}
