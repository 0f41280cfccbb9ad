//! URIs of files, for reports that a program reads.

use std::path::{Component, Path};

use crate::lexical::clean;

/// A URI for a path, and whether it is relative to `folder`. What lies outside the folder becomes an absolute `file:` URI,
/// because consumers refuse `..`.
pub fn uri(path: &Path, folder: &Path) -> (String, bool) {
    let mut parts: Vec<String> = Vec::new();
    let absolute = clean(&folder.join(path));
    let inside = absolute.strip_prefix(folder).ok().filter(|p| !p.as_os_str().is_empty());
    for component in inside.unwrap_or(&absolute).components() {
        if let Component::Normal(name) = component {
            parts.push(encode(name.as_encoded_bytes()));
        }
    }
    match inside {
        Some(_) => (parts.join("/"), true),
        None => (format!("file:///{}", parts.join("/")), false),
    }
}

/// One segment of a path, with everything but unreserved characters as `%XX`.
fn encode(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for &byte in name {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_relative_inside_the_folder_and_absolute_outside() {
        let folder = Path::new("/w/project");
        assert_eq!(uri(Path::new("./a b/ü:1.yaml"), folder), ("a%20b/%C3%BC%3A1.yaml".into(), true));
        assert_eq!(uri(Path::new("../x/y.yaml"), folder), ("file:///w/x/y.yaml".into(), false));
        assert_eq!(uri(Path::new("/w/project/a.yaml"), folder), ("a.yaml".into(), true));
    }
}
