//! Which variables arithmetic sets. What it makes of them is not worked out.

use std::ops::Range;

use super::{Lexer, Operator, Token};

impl Lexer<'_> {
    /// Takes note of the variables that the arithmetic in a range of the text sets.
    pub(super) fn count(&mut self, range: Range<usize>) {
        let text = self.slice(range);
        self.counted.extend(assigned(text).map(str::to_owned));
    }

    /// Takes note of those that `let` sets.
    pub(super) fn let_commands(&mut self) {
        let mut found = Vec::new();
        let mut inside = false;
        for token in &self.tokens {
            match token {
                Token::Word(word) if inside => found.push(word.range.clone()),
                Token::Word(word) => inside = self.slice(word.range.clone()) == "let",
                // In `let (a=1)*2` the parentheses belong to the arithmetic.
                Token::Operator(Operator::Open | Operator::Close, _) => {}
                Token::Operator(..) => inside = false,
                Token::Redirection(_) | Token::Heredoc { .. } => {}
            }
        }
        found.into_iter().for_each(|range| self.count(range));
    }
}

/// The names in arithmetic that meet `=`, `+=` and their like, `++` or `--`.
fn assigned(text: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let start = at + rest.find(is_name_byte)?;
            let name = text.get(start..)?;
            let name = name.get(..name.find(|c| !is_name_byte(c)).unwrap_or(name.len()))?;
            at = start + name.len();
            let before = text.get(..start)?.trim_end();
            let steps = before.ends_with("++") || before.ends_with("--");
            if super::super::is_name(name) && (steps || is_set_by(text.get(at..)?)) {
                return Some(name);
            }
        }
    })
}

fn is_name_byte(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

/// Whether what follows a name sets it.
fn is_set_by(text: &str) -> bool {
    let mut text = text.trim_start();
    // An element of an array.
    if let Some(end) = text.strip_prefix('[').and_then(|inner| inner.find(']')) {
        text = text[end + 2..].trim_start();
    }
    if text.starts_with("++") || text.starts_with("--") {
        return true;
    }
    let shifted = text.strip_prefix("<<").or_else(|| text.strip_prefix(">>"));
    let operator = shifted.or_else(|| text.strip_prefix(['+', '-', '*', '/', '%', '&', '|', '^'])).unwrap_or(text);
    operator.starts_with('=') && !operator.starts_with("==")
}
