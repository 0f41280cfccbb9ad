//! Paths as they are shown: without a leading `./`, with forward slashes.

use std::path::Path;

/// The path for output. Not neutralised: formats that a terminal reads do that themselves.
pub fn shown(path: &Path) -> String {
    let path = path.strip_prefix(".").ok().filter(|p| !p.as_os_str().is_empty()).unwrap_or(path);
    let text = path.to_string_lossy();
    // At the start of a line GitHub's runner would take it for a command.
    let text = if text.starts_with("::") { format!("./{text}").into() } else { text };
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dot_in_front_is_not_shown() {
        assert_eq!(shown(Path::new("./a/b.yaml")), "a/b.yaml");
        assert_eq!(shown(Path::new(".")), ".");
        assert_eq!(shown(Path::new("../a")), "../a");
    }
}
