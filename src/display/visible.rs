//! Text from files made harmless for terminals: nothing in it moves the cursor, changes colours or reorders what is read.

use std::borrow::Cow;

/// What is printed for a character of untrusted text that a terminal would act on or hide; `None` for all others.
pub fn replacement(c: char) -> Option<char> {
    match c {
        // Pictures of the control characters stand in Unicode in the order of their codes.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('\u{2421}'),
        // C1 controls (a terminal may take U+009B as ESC [) and line separators.
        '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => Some(char::REPLACEMENT_CHARACTER),
        c if is_ignorable(c) => Some(char::REPLACEMENT_CHARACTER),
        _ => None,
    }
}

/// Whether a character is shown as nothing: two texts that differ in it alone look the same.
/// Source: Unicode 16, `DerivedCoreProperties.txt`, `Default_Ignorable_Code_Point`, and the marks of annotations (U+FFF9 to U+FFFB).
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
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
            // Above the first plane it takes two.
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
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
        assert!(matches!(line("plain ü 漢 😀 é e\u{301}"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_shown_as_nothing_is_shown() {
        let hidden =
            "\u{200b}\u{200c}\u{200d}\u{ad}\u{180e}\u{115f}\u{3164}\u{ffa0}\u{fe0f}\u{2064}\u{e0001}\u{e007f}\u{e0100}";
        assert!(hidden.chars().all(|c| replacement(c).is_some()));
        assert_eq!(line("a\u{e0041}b"), "a\u{fffd}b");
        assert_eq!(json("\"\u{e0041}\"".into()), "\"\\udb40\\udc41\"");
    }
}
