//! Changes of an engine's command: a flag removed, given another value, or added, in a list of words or inside a script.

use std::ops::Range;

use super::edit::{At, Changes, Refusal, TextEdit};
use crate::events::Publisher;
use crate::events::options::FlagUse;
use crate::events::shell::{self, Word};
use crate::yaml::Node;

/// The words of an engine's command, where they are written.
#[derive(Debug)]
pub struct CommandLine<'m, 't> {
    publisher: &'m Publisher<'t>,
    place: Place<'t>,
}

#[derive(Debug)]
enum Place<'t> {
    /// Items of `command` and `args`; the items of the words behind the entry point.
    Items(Vec<Node<'t>>),
    /// The words behind the entry point as ranges of a script, and the end of the entry point.
    Script { node: Node<'t>, words: Vec<Range<usize>>, entry: usize },
}

impl<'m, 't> CommandLine<'m, 't> {
    /// The command of an engine.
    ///
    /// # Errors
    /// When it is not certain where its words are written.
    pub fn of(publisher: &'m Publisher<'t>) -> Result<CommandLine<'m, 't>, Refusal> {
        let place = if publisher.command.in_script { script(publisher)? } else { items(publisher)? };
        Ok(CommandLine { publisher, place })
    }

    /// Takes a flag away, with its value.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn remove(&self, changes: &mut Changes<'t>, flag: &FlagUse) -> Result<(), Refusal> {
        let words = flag.index..flag.index + flag.words;
        match &self.place {
            Place::Items(items) => {
                for item in items.get(words).ok_or_else(|| lost(flag))? {
                    changes.remove(*item)?;
                }
                Ok(())
            }
            Place::Script { node, words: all, entry } => {
                let own = all.get(words.clone()).filter(|w| !w.is_empty()).ok_or_else(|| lost(flag))?;
                // What stands before it, a line's end with its backslash too, belongs to it.
                let start = words.start.checked_sub(1).and_then(|i| all.get(i)).map_or(*entry, |w| w.end);
                let end = own.last().map_or(start, |w| w.end);
                changes.retext(*node, vec![TextEdit::new(start..end, "")])
            }
        }
    }

    /// Gives a flag another value.
    ///
    /// # Errors
    /// When it has none, or the place can't be edited.
    pub fn set_value(&self, changes: &mut Changes<'t>, flag: &FlagUse, value: &str) -> Result<(), Refusal> {
        let index = if flag.equals { flag.index } else { flag.index + 1 };
        if flag.value.is_none() || (!flag.equals && flag.words != 2) {
            return Err(Refusal::at(flag.span, format!("`{}` has not one value", flag.name)));
        }
        let word = if flag.equals { format!("{}={value}", flag.name) } else { value.to_string() };
        match &self.place {
            Place::Items(items) => {
                let item = items.get(index).ok_or_else(|| lost(flag))?;
                let old = item.text().unwrap_or_default();
                changes.retext(*item, super::edit::difference(old, &word))
            }
            Place::Script { node, words, .. } => {
                let range = words.get(index).ok_or_else(|| lost(flag))?;
                changes.retext(*node, vec![TextEdit::new(range.clone(), quoted(&word))])
            }
        }
    }

    /// Adds words to the end.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn append(&self, changes: &mut Changes<'t>, new: &[&str]) -> Result<(), Refusal> {
        let container = self.publisher.container.node;
        match &self.place {
            Place::Items(items) => {
                let list = container.get("args").or_else(|| container.get("command").filter(|_| !items.is_empty()));
                for word in new {
                    match list.filter(|l| l.is_sequence() && !l.is_empty()) {
                        Some(list) => changes.insert_item(list, At::Last, *word)?,
                        None => changes.append(container, &["args"], *word)?,
                    }
                }
                Ok(())
            }
            Place::Script { node, words, entry } => {
                let end = words.last().map_or(*entry, |w| w.end);
                let text = node.text().unwrap_or_default();
                let mut added = String::new();
                added.push_str(&separator(text, words, *entry));
                added.push_str(&new.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" "));
                changes.retext(*node, vec![TextEdit::new(end..end, added)])
            }
        }
    }
}

/// What stands between the last two options of a script: a blank, or a line's end and an indentation.
fn separator(script: &str, words: &[Range<usize>], entry: usize) -> String {
    let flag = words.iter().rposition(|w| script.get(w.clone()).is_some_and(|t| t.starts_with("--")));
    let between = flag.and_then(|i| {
        let before = i.checked_sub(1).and_then(|i| words.get(i)).map_or(entry, |w| w.end);
        script.get(before..words[i].start)
    });
    match between {
        Some(gap) if gap.chars().all(|c| c.is_whitespace() || c == '\\') && !gap.is_empty() => gap.to_string(),
        _ => " ".to_string(),
    }
}

/// A word as a shell reads it back: as it is where nothing in it means anything to a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_string() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn items<'t>(publisher: &Publisher<'t>) -> Result<Place<'t>, Refusal> {
    let container = publisher.container;
    let argv = container.argv();
    let skipped = argv.words.len().saturating_sub(publisher.command.words.len());
    let items: Vec<Node<'t>> = (skipped..argv.words.len()).filter_map(|index| container.argv_node(index)).collect();
    let same = items.iter().zip(&publisher.command.words).all(|(item, word)| item.text() == Some(&word.value) || word.opaque);
    if items.len() != publisher.command.words.len() || !same {
        let expanded = "the command has `$(…)` in it, whose words stand elsewhere";
        // A word that a variable makes another is still one item.
        if items.len() != publisher.command.words.len() {
            return Err(Refusal::at(publisher.command.grip, expanded));
        }
    }
    Ok(Place::Items(items))
}

fn script<'t>(publisher: &Publisher<'t>) -> Result<Place<'t>, Refusal> {
    let refuse = |why: &str| Refusal::at(publisher.command.grip, why);
    let container = publisher.container;
    let argv = container.argv();
    let words: Vec<&str> = argv.words.iter().map(|t| t.value.as_str()).collect();
    let index = shell::shell_script_index(&words).ok_or_else(|| refuse("the script was not found again"))?;
    let node = container.argv_node(index).ok_or_else(|| refuse("the script was not found again"))?;
    let text = node.text().unwrap_or_default();
    let read = shell::parse_argument(text, |name| container.variable(name));
    let wanted = &publisher.command.words;
    let found = read.commands.iter().rev().find_map(|command| {
        let program = command.program();
        let rest = program.len().checked_sub(wanted.len()).filter(|n| *n > 0)?;
        let same = program[rest..].iter().zip(wanted).all(|(word, text)| word.text == text.value);
        same.then(|| (program[rest..].to_vec(), program[rest - 1].range.end))
    });
    let (found, entry): (Vec<Word>, usize) = found.ok_or_else(|| refuse("the command was not found again in the script"))?;
    let ranges: Vec<Range<usize>> = found.iter().map(|w| w.range.clone()).collect();
    // Words that one variable stands for share a range.
    if ranges.windows(2).any(|pair| pair[0].end > pair[1].start) || text.get(entry..).is_none() {
        return Err(refuse("a variable of the script stands for several words of the command"));
    }
    Ok(Place::Script { node, words: ranges, entry })
}

fn lost(flag: &FlagUse) -> Refusal {
    Refusal::at(flag.span, format!("`{}` was not found again where it is written", flag.name))
}
