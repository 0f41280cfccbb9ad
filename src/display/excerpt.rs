//! Texts of a file that a message repeats.

use std::borrow::Cow;

/// So many characters of a name or value tell which one is meant.
const LONGEST: usize = 60;

/// Enough of a name or value to recognise it: what is too long, or goes on in another line, ends with `…`.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    excerpt_of(text, LONGEST)
}

/// [`excerpt`] with another limit, for texts that are a sentence already.
pub fn excerpt_of(text: &str, characters: usize) -> Cow<'_, str> {
    let line = text.lines().next().unwrap_or_default();
    let end = line.char_indices().nth(characters).map_or(line.len(), |(end, _)| end);
    if end == text.len() { Cow::Borrowed(text) } else { Cow::Owned(format!("{}…", text[..end].trim_end())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_repeated_whole() {
        for text in ["", "endpoint", &"é".repeat(LONGEST)] {
            assert_eq!(excerpt(text), text);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(excerpt(&"é".repeat(LONGEST + 1)), format!("{}…", "é".repeat(LONGEST)));
        assert_eq!(excerpt("first \nsecond"), "first…");
        assert_eq!(excerpt("last\n"), "last…");
        assert_eq!(excerpt_of("three words here", 6), "three…");
    }
}
