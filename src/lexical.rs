//! Paths without `.` and `..`, by their words alone: nothing is looked up, and links are not followed.

use std::path::{Component, Path, PathBuf};

/// The path without `.` and, where a folder stands before it, without `..`.
pub fn clean(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match (part, parts.last()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                parts.pop();
            }
            (Component::ParentDir, Some(Component::RootDir)) => {}
            _ => parts.push(part),
        }
    }
    parts.iter().collect()
}

/// The path from the root, cleaned. As it is where the current folder is not known.
pub fn absolute(path: &Path) -> PathBuf {
    clean(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_by_their_words() {
        assert_eq!(clean(Path::new("./a/../../b/./c")), Path::new("../b/c"));
        assert_eq!(clean(Path::new("/../a")), Path::new("/a"));
        assert_eq!(clean(Path::new(".")), Path::new(""));
    }

    #[test]
    fn what_is_absolute_has_no_way_up() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(absolute(Path::new("a/../b")), here.join("b"));
    }
}
