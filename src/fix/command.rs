//! Changes of an engine's command: a flag removed, its JSON changed, or words added, in a list of words or inside a script.

use super::edit::{At, Changes, Refusal, Script, WordId};
use crate::events::Publisher;
use crate::events::options::FlagUse;
use crate::events::shell;
use crate::yaml::Node;

/// The words of an engine's command, where they are written.
#[derive(Debug)]
pub struct CommandLine<'t> {
    container: Node<'t>,
    place: Place<'t>,
}

#[derive(Debug)]
enum Place<'t> {
    /// Items of `command` and `args`, for the words behind the entry point.
    Items(Vec<Node<'t>>),
    /// The words behind the entry point, and the last word of the entry point.
    Script { script: Script<'t>, words: Vec<WordId>, entry: WordId },
}

impl<'t> CommandLine<'t> {
    /// The command of an engine.
    ///
    /// # Errors
    /// When it is not certain where its words are written.
    pub fn of(publisher: &Publisher<'t>) -> Result<CommandLine<'t>, Refusal> {
        let place = if publisher.command.in_script { script(publisher)? } else { items(publisher)? };
        Ok(CommandLine { container: publisher.container.node, place })
    }

    /// Takes a flag away, with its value.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn remove(&self, changes: &mut Changes<'t>, flag: &FlagUse) -> Result<(), Refusal> {
        match &self.place {
            Place::Items(items) => {
                let own = items.get(flag.index..flag.index + flag.words).ok_or_else(|| lost(flag))?;
                own.iter().try_for_each(|item| changes.remove_up_to(*item, self.container))
            }
            Place::Script { script, words, .. } => {
                let first = words.get(flag.index).ok_or_else(|| lost(flag))?;
                changes.remove_words(script, *first, flag.words)
            }
        }
    }

    /// Changes the JSON that a flag is given.
    ///
    /// # Errors
    /// When it has none, or the place can't be edited.
    pub fn json(
        &self,
        changes: &mut Changes<'t>,
        flag: &FlagUse,
        change: impl for<'x> FnOnce(Node<'x>, &mut Changes<'x>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        if flag.value.is_none() || (!flag.equals && flag.words != 2) {
            return Err(Refusal::at(flag.span, format!("`{}` has not one value", flag.name)));
        }
        let index = if flag.equals { flag.index } else { flag.index + 1 };
        // Behind `--flag=`, else all of the word.
        let start = |word: &str| if flag.equals { word.find('=').map_or(0, |at| at + 1) } else { 0 };
        match &self.place {
            Place::Items(items) => {
                let item = items.get(index).ok_or_else(|| lost(flag))?;
                let text = item.text().unwrap_or_default();
                changes.json(*item, start(text)..text.len(), change)
            }
            Place::Script { script, words, .. } => {
                let id = words.get(index).ok_or_else(|| lost(flag))?;
                let text = script.word(*id).map_or("", |word| word.text.as_str());
                changes.json_word(script, *id, start(text)..text.len(), change)
            }
        }
    }

    /// Adds words to the end.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn append(&self, changes: &mut Changes<'t>, new: &[&str]) -> Result<(), Refusal> {
        match &self.place {
            Place::Items(items) => {
                let full = |key| self.container.get(key).filter(|l: &Node<'t>| l.is_sequence() && !l.is_empty());
                // A command without `args` holds the options, unless the image's own entry point runs.
                let list = full("args").or_else(|| full("command").filter(|_| !items.is_empty()));
                for word in new {
                    match list {
                        Some(list) => changes.insert_item(list, At::Last, *word)?,
                        None => changes.append(self.container, &["args"], *word)?,
                    }
                }
                Ok(())
            }
            Place::Script { script, words, entry } => {
                changes.insert_words(script, words.last().copied().unwrap_or(*entry), new)
            }
        }
    }
}

fn items<'t>(publisher: &Publisher<'t>) -> Result<Place<'t>, Refusal> {
    let container = publisher.container;
    let all = container.argv().words.len();
    let wanted = &publisher.command.words;
    let first = all.saturating_sub(wanted.len());
    let items: Vec<Node<'t>> = (first..all).filter_map(|index| container.argv_node(index)).collect();
    if items.len() != wanted.len() {
        return Err(Refusal::at(publisher.command.grip, "the words of the command were not found again"));
    }
    Ok(Place::Items(items))
}

fn script<'t>(publisher: &Publisher<'t>) -> Result<Place<'t>, Refusal> {
    let refuse = |why: &str| Refusal::at(publisher.command.grip, why);
    let container = publisher.container;
    let argv = container.argv();
    let words: Vec<&str> = argv.words.iter().map(|t| t.value.as_str()).collect();
    let node = shell::shell_script_index(&words).and_then(|index| container.argv_node(index));
    let script = Script::new(node.ok_or_else(|| refuse("the script was not found again"))?)?;
    let entry =
        script.word_at(publisher.command.grip.tail()).ok_or_else(|| refuse("the command was not found again"))?;
    let id = |index: usize| WordId { command: entry.command, word: entry.word + 1 + index };
    let wanted = &publisher.command.words;
    // A variable may stand for several words, and words may be known only to who knows the variables.
    let same = wanted
        .iter()
        .enumerate()
        .all(|(index, text)| script.word(id(index)).is_some_and(|w| w.text == text.value || w.opaque));
    if !same || script.word(id(wanted.len())).is_some() {
        return Err(refuse("words of the command come from variables of the script"));
    }
    Ok(Place::Script { words: (0..wanted.len()).map(id).collect(), entry, script })
}

fn lost(flag: &FlagUse) -> Refusal {
    Refusal::at(flag.span, format!("`{}` was not found again where it is written", flag.name))
}
