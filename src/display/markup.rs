//! Text from files made harmless inside Markdown: nothing in it is markup but code, and it reaches no people and no places.

use super::visible;

/// A name as code, also in a table's cell. Backticks would end it, a bar would end the cell.
pub fn code(text: &str) -> String {
    format!("`{}`", visible::line(text).replace('`', "'").replace('|', "\\|"))
}

/// Words with names in backticks, for a table's cell. A mention or a link in it would reach people and places.
pub fn plain(text: &str) -> String {
    let mut found = String::new();
    let mut inside = false;
    // Several backticks in a row begin code of another kind, and what looks like code then need not be any.
    let balanced = text.matches('`').count().is_multiple_of(2) && !text.contains("``");
    let mut characters = visible::line(text).chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(c) = characters.next() {
        match c {
            '`' if balanced => {
                inside = !inside;
                found.push(c);
            }
            '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '\\' | '#' | '~' | '&' if !inside => {
                found.push('\\');
                found.push(c);
            }
            '@' if !inside => found.push_str("@\u{200b}"),
            ':' if !inside && characters.peek() == Some(&'/') => found.push_str(":\u{200b}"),
            '|' => found.push_str("\\|"),
            _ => found.push(c),
        }
    }
    found
}

/// Lines in a fence that nothing in them can close.
pub fn fenced(text: &str) -> String {
    let mut longest = 2;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup_but_code() {
        assert_eq!(plain("the label `a|b<c>` is *wrong* <img>"), "the label `a\\|b<c>` is \\*wrong\\* \\<img\\>");
        assert_eq!(plain("`x` @team https://a.b `y`"), "`x` @\u{200b}team https:\u{200b}//a.b `y`");
        assert_eq!(plain("``` <img> `"), "\\`\\`\\` \\<img\\> \\`");
        assert_eq!(plain("`a"), "\\`a");
        assert_eq!(code("a`|\u{1b}\n"), "`a'\\|␛␊`");
        assert_eq!(fenced("a ```` b\n"), "`````text\na ```` b\n`````\n");
        assert_eq!(fenced("a"), "```text\na\n```\n");
    }
}
