//! Text from files made harmless for terminals: nothing in it moves the cursor, changes colours or reorders what is read.

use std::borrow::Cow;

/// What is printed for a character of untrusted text that a terminal would act on or hide; `None` for all others.
pub fn replacement(c: char) -> Option<char> {
    match c {
        // Pictures of the control characters stand in Unicode in the order of their codes.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('\u{2421}'),
        // C1 controls (a terminal may take U+009B as ESC [), line separators, marks that reorder text, invisible marks.
        '\u{80}'..='\u{9f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{61c}'
        | '\u{2060}'
        | '\u{feff}' => Some(char::REPLACEMENT_CHARACTER),
        _ => None,
    }
}

/// The text with visible symbols for what a terminal would act on. Line breaks and tabs count as such.
pub fn line(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| replacement(c).is_none()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| replacement(c).unwrap_or(c)).collect())
}

/// A line in which GitHub's runner finds no command: what begins with `::`, behind any blanks, gets another sign of that look.
pub fn no_command(line: Cow<'_, str>) -> Cow<'_, str> {
    if line.trim_start().starts_with("::") { Cow::Owned(line.replacen("::", "\u{2237}", 1)) } else { line }
}

/// As [`line()`], but line breaks stay.
pub fn lines(text: &str) -> String {
    text.lines().map(|text| no_command(line(text))).collect::<Vec<_>>().join("\n")
}

/// A JSON document with escapes for what a terminal would act on: such characters stand in strings alone. Line breaks of
/// the document stay, and those in strings are escapes already.
pub fn json(document: String) -> String {
    let acted_on = |c: char| c != '\n' && replacement(c).is_some();
    if !document.contains(acted_on) {
        return document;
    }
    let mut text = String::with_capacity(document.len());
    for c in document.chars() {
        if acted_on(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        assert_eq!(line("a\u{1b}[31m\u{9b}2J\r\u{7f}é"), "a␛[31m\u{fffd}2J␍␡é");
        assert_eq!(line("\u{202e}x"), "\u{fffd}x");
        assert_eq!(lines("a\nb\u{7}"), "a\nb␇");
        assert_eq!(json("{\n\"a\": \"\u{9b}\"}".into()), "{\n\"a\": \"\\u009b\"}");
        assert!(matches!(line("plain ü 漢"), Cow::Borrowed(_)));
    }
}
