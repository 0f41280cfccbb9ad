//! Words of a shell script that is the text of a scalar.

use std::ops::Range;

use super::changes::Changes;
use super::inside;
use super::refusal::Refusal;
use super::text::{TextEdit, changed};
use crate::events::shell::{self, Word};
use crate::source::Span;
use crate::yaml::{Node, Style};

/// A script in a scalar, read without knowing any variable: words that come from variables are not edited.
#[derive(Debug)]
pub struct Script<'t> {
    node: Node<'t>,
    text: &'t str,
    parsed: shell::Script,
}

/// A word of a [`Script`], by its command and its position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordId {
    /// The command's position in the script.
    pub command: usize,
    /// The word's position in the command.
    pub word: usize,
}

impl<'t> Script<'t> {
    /// Reads the script that a scalar holds.
    ///
    /// # Errors
    /// When the node is no text, or the script has something that is not closed.
    pub fn new(node: Node<'t>) -> Result<Script<'t>, Refusal> {
        let text = node.text().ok_or_else(|| Refusal::at(node.grip(), "the value is no text"))?;
        let parsed = shell::parse(text);
        if parsed.incomplete {
            return Err(Refusal::at(node.grip(), "the script leaves a quote or bracket open"));
        }
        Ok(Script { node, text, parsed })
    }

    /// Whether the scalar stands without quotes outside of brackets, where most characters stand for themselves.
    pub fn is_plain(&self) -> bool {
        let parent = self.node.tree().place(self.node.id()).map(|(parent, _)| self.node.tree().node(parent));
        self.node.style() == Style::Plain && parent.is_some_and(|parent| parent.style() == Style::Block)
    }

    /// The word that holds this range of the scalar's text.
    pub fn word_in(&self, range: &Range<usize>) -> Option<WordId> {
        let commands = self.parsed.commands.iter().enumerate();
        let mut words = commands
            .flat_map(|(command, c)| c.words.iter().enumerate().map(move |(word, w)| (WordId { command, word }, w)));
        words.find(|(_, w)| w.range.start <= range.start && range.end <= w.range.end).map(|(id, _)| id)
    }

    /// The word that holds these bytes of the file.
    pub fn word_at(&self, span: Span) -> Option<WordId> {
        let map = self.node.scalar_map();
        let commands = self.parsed.commands.iter().enumerate();
        let mut words = commands
            .flat_map(|(command, c)| c.words.iter().enumerate().map(move |(word, w)| (WordId { command, word }, w)));
        words.find(|(_, w)| map.span(w.range.clone()).contains(span)).map(|(id, _)| id)
    }

    /// The word.
    pub fn word(&self, id: WordId) -> Option<&Word> {
        self.parsed.commands.get(id.command)?.words.get(id.word)
    }

    /// The last word of a command.
    pub fn last_word(&self, command: usize) -> Option<WordId> {
        let words = self.parsed.commands.get(command)?.words.len();
        Some(WordId { command, word: words.checked_sub(1)? })
    }

    fn known(&self, id: WordId) -> Result<&Word, Refusal> {
        let word = self.word(id).ok_or_else(|| Refusal::at(self.node.grip(), "the script has no such word"))?;
        // A word that was split from another's expansion shares its bytes.
        let alone = self.parsed.commands.iter().flat_map(|c| &c.words).filter(|w| w.range == word.range).count() == 1;
        let own = self.text.get(word.range.clone()).is_some_and(|raw| {
            matches!(shell::parse(raw).commands.as_slice(), [only] if only.words.iter().chain(
                only.assignments.iter().map(|a| &a.value)).any(|w| w.text == word.text || only.words.is_empty()))
        });
        if word.opaque || !alone || !own {
            let span = self.node.sub_span(word.range.clone());
            return Err(Refusal::at(span, "the word comes from a variable or a substitution"));
        }
        Ok(word)
    }

    /// Puts other text in the place of a word, in the quotes that it has if they can hold it.
    ///
    /// # Errors
    /// When the word comes from a variable, or the script would not be read as intended.
    pub fn replace(&self, id: WordId, text: &str) -> Result<Vec<TextEdit>, Refusal> {
        let word = self.known(id)?;
        let raw = &self.text[word.range.clone()];
        let edits = vec![TextEdit::new(word.range.clone(), quoted_like(raw, text))];
        self.checked(edits, |words| {
            if let Some(word) = words.get_mut(id.command).and_then(|c| c.get_mut(id.word)) {
                *word = text.into();
            }
        })
    }

    /// Changes parts of a word's text.
    ///
    /// # Errors
    /// As [`Script::replace`].
    pub fn retext(&self, id: WordId, edits: &[TextEdit]) -> Result<Vec<TextEdit>, Refusal> {
        let word = self.known(id)?;
        let text = changed(&word.text, edits)?;
        let raw = &self.text[word.range.clone()];
        let direct: Option<Vec<TextEdit>> = edits
            .iter()
            .map(|edit| {
                let source = word.source_range(edit.range.clone());
                let start = source.start.checked_sub(word.range.start)?;
                let replacement = match quote_at(raw, start) {
                    Some('\'') => edit.text.replace('\'', r"'\''"),
                    Some(_) => escape_double(&edit.text),
                    None if edit.text.chars().all(is_bare) => edit.text.clone(),
                    None => return None,
                };
                Some(TextEdit::new(source, replacement))
            })
            .collect();
        let expect = |words: &mut Vec<Vec<String>>| {
            if let Some(word) = words.get_mut(id.command).and_then(|c| c.get_mut(id.word)) {
                word.clone_from(&text);
            }
        };
        match direct.map(|edits| self.checked(edits, expect)) {
            Some(Ok(edits)) => Ok(edits),
            _ => self.replace(id, &text),
        }
    }

    /// Puts words behind a word, on a line of their own where the command has its words on several lines.
    ///
    /// # Errors
    /// When the script would not be read as intended.
    pub fn insert_after(&self, id: WordId, words: &[&str]) -> Result<Vec<TextEdit>, Refusal> {
        let word = self.word(id).ok_or_else(|| Refusal::at(self.node.grip(), "the script has no such word"))?;
        let at = word.range.end;
        let all: Vec<String> = words.iter().map(|w| quoted(w)).collect();
        let text = format!("{}{}", self.separator(id, at), all.join(" "));
        self.checked(vec![TextEdit::new(at..at, text)], |commands| {
            if let Some(command) = commands.get_mut(id.command) {
                let tail = command.split_off((id.word + 1).min(command.len()));
                command.extend(words.iter().map(ToString::to_string).chain(tail));
            }
        })
    }

    /// What stands between a word that ends at `at` and one that is put behind it.
    fn separator(&self, id: WordId, at: usize) -> String {
        // A line that is folded away can't be continued.
        if self.node.style() == Style::Folded {
            return " ".into();
        }
        let line_of = |at: usize| self.text[..at].rfind('\n').map_or(0, |i| i + 1);
        let indent = |line: usize| {
            let rest = &self.text[line..];
            rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()].to_string()
        };
        let continues = |end: usize| self.text.get(..end).is_some_and(|t| t.ends_with("\\\n"));
        let rest = &self.text[at..];
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        if rest[blanks..].starts_with("\\\n") {
            let own = line_of(at);
            let next = at + blanks + 2;
            let indent = if continues(own) { indent(own) } else { indent(next) };
            return format!(" \\\n{indent}");
        }
        // The last word of a command of several lines.
        let own = line_of(at);
        let started = self.parsed.commands.get(id.command).is_some_and(|c| c.range.start < own);
        if continues(own) && started { format!(" \\\n{}", indent(own)) } else { " ".into() }
    }

    /// Takes words away that stand next to each other in one command.
    ///
    /// # Errors
    /// When it is all of the command, or the script would not be read as intended.
    pub fn remove(&self, first: WordId, count: usize) -> Result<Vec<TextEdit>, Refusal> {
        let refuse = || Refusal::at(self.node.grip(), "the script has no such words");
        let command = self.parsed.commands.get(first.command).ok_or_else(refuse)?;
        let words = command.words.get(first.word..first.word + count).ok_or_else(refuse)?;
        let (Some(start), Some(end)) = (words.first(), words.last()) else { return Ok(Vec::new()) };
        let before = first.word.checked_sub(1).and_then(|i| command.words.get(i));
        let after = command.words.get(first.word + count);
        let range = match (before, after) {
            (Some(before), _) => before.range.end..end.range.end,
            (None, Some(after)) => start.range.start..after.range.start,
            (None, None) => return Err(Refusal::at(self.node.grip(), "nothing would be left of the command")),
        };
        self.checked(vec![TextEdit::new(range, "")], |commands| {
            if let Some(command) = commands.get_mut(first.command) {
                command.drain(first.word..first.word + count);
            }
        })
    }

    /// The edits, if the script is then read as before but for what `expect` does to its words.
    fn checked(
        &self,
        edits: Vec<TextEdit>,
        expect: impl FnOnce(&mut Vec<Vec<String>>),
    ) -> Result<Vec<TextEdit>, Refusal> {
        let words = |script: &shell::Script| -> Vec<Vec<String>> {
            script.commands.iter().map(|c| c.words.iter().map(|w| w.text.clone()).collect()).collect()
        };
        let rest = |script: &shell::Script| -> Vec<Vec<(String, String)>> {
            let pair = |a: &shell::Assignment| (a.name.clone(), a.value.text.clone());
            script.commands.iter().map(|c| c.assignments.iter().map(pair).collect()).collect()
        };
        let mut expected = words(&self.parsed);
        expect(&mut expected);
        let new = shell::parse(&changed(self.text, &edits)?);
        if !new.incomplete && words(&new) == expected && rest(&new) == rest(&self.parsed) {
            return Ok(edits);
        }
        Err(Refusal::at(self.node.grip(), "the script is written in a way that edits don't understand"))
    }
}

impl<'t> Changes<'t> {
    /// Puts other text in the place of a word of a script.
    ///
    /// # Errors
    /// As [`Script::replace`] and [`Changes::retext`].
    pub fn replace_word(&mut self, script: &Script<'t>, word: WordId, text: &str) -> Result<(), Refusal> {
        self.retext(script.node, script.replace(word, text)?)
    }

    /// Changes parts of the text of a word of a script.
    ///
    /// # Errors
    /// As [`Script::retext`] and [`Changes::retext`].
    pub fn retext_word(&mut self, script: &Script<'t>, word: WordId, edits: &[TextEdit]) -> Result<(), Refusal> {
        self.retext(script.node, script.retext(word, edits)?)
    }

    /// Puts words behind a word of a script.
    ///
    /// # Errors
    /// As [`Script::insert_after`] and [`Changes::retext`].
    pub fn insert_words(&mut self, script: &Script<'t>, after: WordId, words: &[&str]) -> Result<(), Refusal> {
        self.retext(script.node, script.insert_after(after, words)?)
    }

    /// Takes words of a script away.
    ///
    /// # Errors
    /// As [`Script::remove`] and [`Changes::retext`].
    pub fn remove_words(&mut self, script: &Script<'t>, first: WordId, count: usize) -> Result<(), Refusal> {
        self.retext(script.node, script.remove(first, count)?)
    }

    /// Changes JSON that stands in a word of a script, from `range.start` to `range.end` of the word's text.
    ///
    /// # Errors
    /// As [`inside::json`] and [`Changes::retext_word`].
    pub fn json_word(
        &mut self,
        script: &Script<'t>,
        word: WordId,
        range: Range<usize>,
        change: impl for<'x> FnOnce(Node<'x>, &mut Changes<'x>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let known = script.known(word)?;
        let text = known.text.get(range.clone()).ok_or_else(|| Refusal::new("the word has no such part"))?;
        let edits = inside::json(text, change).map_err(|r| Refusal::at(script.node.span(), r.reason))?;
        let edits: Vec<TextEdit> = edits.into_iter().map(|e| e.moved(range.start)).collect();
        self.retext_word(script, word, &edits)
    }
}

/// The quote that encloses all of a word, if there is one.
fn whole_quote(raw: &str) -> Option<char> {
    let quote = raw.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inside = raw.strip_prefix(quote)?.strip_suffix(quote)?;
    let clean = if quote == '\'' { !inside.contains('\'') } else { !has_bare_quote(inside) };
    clean.then_some(quote)
}

/// The quote that is open at an offset of a word.
fn quote_at(raw: &str, at: usize) -> Option<char> {
    let mut quote = None;
    let mut escaped = false;
    for (i, c) in raw.char_indices() {
        if i >= at {
            break;
        }
        match (quote, c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    quote
}

fn has_bare_quote(inside: &str) -> bool {
    let mut escaped = false;
    inside.chars().any(|c| {
        let bare = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        bare
    })
}

/// Characters that need no quotes in any shell and at any place of a word.
fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | ',' | '@' | '%' | '+')
}

/// A word as a shell reads it.
fn quoted(text: &str) -> String {
    if !text.is_empty() && text.chars().all(is_bare) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn quoted_like(raw: &str, text: &str) -> String {
    match whole_quote(raw) {
        Some('\'') => format!("'{}'", text.replace('\'', r"'\''")),
        // Single quotes spare JSON its backslashes, unless the neighbours have them.
        Some(_) if text.contains('"') && !text.contains('\'') && !raw.contains('\\') => format!("'{text}'"),
        Some(_) => format!("\"{}\"", escape_double(text)),
        None => quoted(text),
    }
}

fn escape_double(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '$' | '`' | '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
