//! What the place that is written to can show.

use std::env;
use std::io::{self, IsTerminal};

use clap::ValueEnum;

use crate::report::Style;

/// The answer of `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Also in files and pipes
    Always,
    /// Nowhere
    Never,
}

/// The style for standard output.
pub fn standard_output(color: Color) -> Style {
    let terminal = io::stdout().is_terminal();
    let style = Style {
        color: colored(color, variable("NO_COLOR"), variable("FORCE_COLOR"), terminal && !is("TERM", "dumb")),
        unicode: speaks_unicode(),
        links: terminal && has_links(),
        ..Style::PLAIN
    };
    match terminal.then(terminal_size::terminal_size).flatten() {
        Some((width, _)) => Style { width: usize::from(width.0).clamp(60, 200), ..style },
        None => style,
    }
}

/// The style for a file: its readers have other environments, so only the flag counts.
pub fn file(color: Color) -> Style {
    Style { color: color == Color::Always, unicode: speaks_unicode(), ..Style::PLAIN }
}

/// The flag counts first, then `NO_COLOR`, `FORCE_COLOR`, and whether a terminal looks on.
fn colored(flag: Color, no_color: Option<String>, force_color: Option<String>, terminal: bool) -> bool {
    match (flag, no_color, force_color) {
        (Color::Always, ..) => true,
        (Color::Never, ..) | (Color::Auto, Some(_), _) => false,
        (Color::Auto, None, Some(force)) => force != "0",
        (Color::Auto, None, None) => terminal,
    }
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    env::var_os(name).map(|v| v.to_string_lossy().into_owned()).filter(|v| !v.is_empty())
}

fn is(name: &str, value: &str) -> bool {
    variable(name).as_deref() == Some(value)
}

/// Whether the locale has Unicode. Containers and CI set no locale and take UTF-8.
fn speaks_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    let console = is("TERM", "linux") && io::stdout().is_terminal();
    !console && locale.is_none_or(|l| l.to_ascii_lowercase().replace('-', "").contains("utf8"))
}

/// Whether the terminal is known to make links of OSC 8 sequences; others may print them.
fn has_links() -> bool {
    const PROGRAMS: &[&str] = &["Hyper", "iTerm.app", "WezTerm", "vscode", "ghostty", "zed"];
    const TERMS: &[&str] = &["xterm-kitty", "alacritty", "xterm-ghostty", "foot"];
    if let Some(forced) = variable("FORCE_HYPERLINK") {
        return forced != "0";
    }
    let listed = |name, values: &[&str]| variable(name).is_some_and(|v| values.contains(&v.as_str()));
    listed("TERM_PROGRAM", PROGRAMS)
        || listed("TERM", TERMS)
        || variable("WT_SESSION").is_some()
        || variable("KONSOLE_VERSION").is_some()
        || variable("VTE_VERSION").and_then(|v| v.parse().ok()).is_some_and(|v: u32| v >= 5000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_decided_by_flag_then_variables_then_terminal() {
        let set = || Some("1".to_string());
        assert!(colored(Color::Always, set(), None, false));
        assert!(!colored(Color::Never, None, set(), true));
        assert!(!colored(Color::Auto, set(), set(), true));
        assert!(colored(Color::Auto, None, set(), false));
        assert!(!colored(Color::Auto, None, Some("0".into()), true));
        assert!(colored(Color::Auto, None, None, true));
        assert!(!colored(Color::Auto, None, None, false));
    }
}
