//! Changes of an engine's command: a flag removed, its JSON changed, or words added, in a list of words or inside a script.

use crate::edit::{At, Changes, Refusal, Script, WordId};
use crate::events::options::FlagUse;
use crate::events::shell;
use crate::events::{Company, Publisher};
use crate::yaml::Node;

/// What stands behind it is no option, whatever it looks like.
const END_OF_OPTIONS: &str = "--";

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

    /// Writes a flag as another word. A value that stands in the flag's own word goes.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn rename(&self, changes: &mut Changes<'t>, flag: &FlagUse, word: &str) -> Result<(), Refusal> {
        match &self.place {
            Place::Items(items) => {
                let item = items.get(flag.index).ok_or_else(|| lost(flag))?;
                if item.text().is_none_or(|text| text.contains("$(")) {
                    return Err(Refusal::at(flag.span, "a part of the word comes from a variable"));
                }
                changes.replace(*item, word)
            }
            Place::Script { script, words, .. } => {
                let id = words.get(flag.index).ok_or_else(|| lost(flag))?;
                changes.replace_word(script, *id, word)
            }
        }
    }

    /// Whether the words stand in a script.
    pub fn is_script(&self) -> bool {
        matches!(self.place, Place::Script { .. })
    }

    /// Puts a flag and its value where another flag stands. In a list of words the other stays behind it, to be removed; in a
    /// script its own words become the new ones.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn put_before(&self, changes: &mut Changes<'t>, old: &FlagUse, name: &str, value: &str) -> Result<(), Refusal> {
        match &self.place {
            Place::Items(items) => {
                let item = *items.get(old.index).ok_or_else(|| lost(old))?;
                let lists = ["command", "args"].into_iter().filter_map(|key| self.container.get(key));
                let holds = |list: &Node<'t>| list.items().iter().any(|i| i.span() == item.span());
                let list = lists.into_iter().find(holds).ok_or_else(|| lost(old))?;
                changes.insert_item(list, At::Before(item), name)?;
                changes.insert_item(list, At::Before(item), value)
            }
            Place::Script { script, words, .. } => {
                let first = *words.get(old.index).ok_or_else(|| lost(old))?;
                changes.replace_word(script, first, name)?;
                match words.get(old.index + 1).filter(|_| old.words == 2) {
                    Some(second) => changes.replace_word(script, *second, value),
                    None => changes.insert_words(script, first, &[value]),
                }
            }
        }
    }

    /// Adds options to the end, in front of a `--` that ends them.
    ///
    /// # Errors
    /// When the place can't be edited.
    pub fn append(&self, changes: &mut Changes<'t>, new: &[&str]) -> Result<(), Refusal> {
        match &self.place {
            Place::Items(items) if items.iter().any(is_end_of_options) => {
                let end = items.iter().find(|item| is_end_of_options(item)).copied();
                let lists = ["command", "args"].into_iter().filter_map(|key| self.container.get(key));
                let holds = |list: &Node<'t>| list.items().iter().any(|i| end.is_some_and(|e| e.span() == i.span()));
                let (Some(list), Some(end)) = (lists.into_iter().find(holds), end) else {
                    return Err(Refusal::at(self.container.grip(), "the words of the command were not found again"));
                };
                new.iter().try_for_each(|word| changes.insert_item(list, At::Before(end), *word))
            }
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
                let is_end = |id: &&WordId| script.word(**id).is_some_and(|word| word.text == END_OF_OPTIONS);
                let options = words.iter().position(|id| is_end(&id)).map_or(words.as_slice(), |end| &words[..end]);
                let compact: Vec<String> = new.iter().map(|word| compact(word)).collect();
                // Without `: ` and `, ` a scalar without quotes needs none.
                let new: Vec<&str> = match script.is_plain() {
                    true => compact.iter().map(String::as_str).collect(),
                    false => new.to_vec(),
                };
                changes.insert_words(script, options.last().copied().unwrap_or(*entry), &new)
            }
        }
    }
}

/// Refuses an engine that may run beside another one of its script.
///
/// # Errors
/// When one may.
pub fn in_turn(publisher: &Publisher<'_>) -> Result<(), Refusal> {
    let grip = publisher.command.grip;
    match &publisher.command.company {
        Company::Alone | Company::InTurn => Ok(()),
        Company::Abreast(others) if others.contains(&grip) => Err(Refusal::at(
            grip,
            "a loop of the script may run several of these at once, and only one of them could have the ports for events",
        )),
        Company::Abreast(_) => Err(Refusal::at(
            grip,
            "the script runs several engines at once, and only one of them could have the ports that the gateway dials",
        )),
        Company::Hidden(place) => {
            Err(Refusal::at(*place, "the script may start an engine here, too, in a way that kvlint does not read"))
        }
        Company::Unknown => Err(Refusal::at(
            grip,
            "the script starts vLLM in several places, and it does not tell which of them run at the same time",
        )),
    }
}

/// JSON without the blanks between its parts; any other word as it is.
fn compact(word: &str) -> String {
    let compact = word.replace("\": ", "\":").replace(", \"", ",\"");
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    match read(word) {
        Some(json) if read(&compact) == Some(json.clone()) => compact,
        _ => word.to_string(),
    }
}

fn is_end_of_options(item: &Node<'_>) -> bool {
    item.as_str() == Some(END_OF_OPTIONS)
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
