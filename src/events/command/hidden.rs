//! Commands of a script that may start an engine in a way that is not read: by a text, a variable, an unknown program.

use std::cell::OnceCell;
use std::ops::Range;

use super::{Entry, is_interpreter, match_entry, match_module, start};
use crate::events::shell::{self, Command, Script, Word};
use crate::facts::vllm;

/// How deep scripts in scripts are read.
const DEPTH: usize = 3;

/// As many words as an entry point takes, with switches of the interpreter.
const ENTRY_WORDS: usize = 8;

/// The first place that may start an engine beside `starts`, those that are read. Where there are none, nothing is asked.
pub(super) fn find(text: &str, script: &Script, starts: &[(usize, Entry)]) -> Option<Range<usize>> {
    let redefined = |(at, _): &(usize, Entry)| script.definition(&script.commands[*at].program().first()?.text);
    if let Some(place) = starts.first().and_then(|_| starts.iter().find_map(redefined)) {
        return Some(place);
    }
    let search = Search { text, script, kept: OnceCell::new(), depth: DEPTH };
    let others = script.commands.iter().take(script.end()).enumerate();
    let mut others = others.filter(|(at, _)| !starts.is_empty() && !starts.iter().any(|(start, _)| start == at));
    let (_, found) = others.find(|(_, command)| search.may_start(command))?;
    found.words.first().map(|word| word.range.clone())
}

struct Search<'s> {
    text: &'s str,
    script: &'s Script,
    /// Whether a variable holds a command that starts an engine.
    kept: OnceCell<bool>,
    depth: usize,
}

impl Search<'_> {
    fn may_start(&self, command: &Command) -> bool {
        let program = command.program();
        let Some(first) = program.first() else { return false };
        if self.writes_start(command) {
            return true;
        }
        let name = first.text.rsplit('/').next().unwrap_or_default();
        if vllm::table().mentioning_programs.iter().any(|known| known == name) {
            return false;
        }
        let arguments = &program[1..];
        // What `$(…)` prints is hardly ever a server.
        let unknown = |word: &Word| word.opaque && !word.text.starts_with("$(") && !word.text.starts_with('`');
        let reads = name == "eval" && arguments.iter().any(|word| unknown(word) || self.holds_start(&word.text));
        reads
            || first.opaque && self.is_kept()
            || is_entry_with_unknown_words(name, arguments)
            || self.scripts(command).any(|word| self.holds_start(&word.text))
            || stands_further_on(&command.words)
    }

    /// `cat >start.sh <<EOF`: what is written may be run.
    fn writes_start(&self, command: &Command) -> bool {
        let bodies = command.heredocs.iter().filter_map(|heredoc| self.text.get(heredoc.body.clone()));
        bodies.into_iter().any(|body| shell::parse(body).commands.iter().any(|command| start(command).is_some()))
    }

    /// The texts that a program is given to run: `sh -c TEXT`, `su user -c TEXT`.
    fn scripts<'c>(&self, command: &'c Command) -> impl Iterator<Item = &'c Word> + use<'c> {
        let asks = |word: &Word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c');
        command.words.windows(2).filter(move |pair| asks(&pair[0])).map(|pair| &pair[1])
    }

    /// Whether a text, read as a script, may start an engine.
    fn holds_start(&self, text: &str) -> bool {
        let Some(depth) = self.depth.checked_sub(1).filter(|_| text.contains(char::is_whitespace)) else {
            return false;
        };
        let script = shell::parse(text);
        let search = Search { text, script: &script, kept: OnceCell::new(), depth };
        script.commands.iter().any(|command| start(command).is_some() || search.may_start(command))
    }

    fn is_kept(&self) -> bool {
        let array = |text: &str| text.trim_start_matches('(').trim_end_matches(')').to_string();
        *self.kept.get_or_init(|| {
            let values = self.script.commands.iter().flat_map(|command| &command.assignments).map(|a| &a.value);
            values.into_iter().any(|value| self.holds_start(&array(&value.text)))
        })
    }
}

/// `vllm "$@"`, `python -m "$MODULE"`.
fn is_entry_with_unknown_words(name: &str, arguments: &[Word]) -> bool {
    if is_interpreter(name) {
        let module = arguments.iter().position(|word| word.text == "-m").and_then(|at| arguments.get(at + 1));
        return module.is_some_and(|word| word.opaque);
    }
    let has_words = |entry: &&vllm::EntryPoint| !entry.module && entry.words.len() > 1;
    let mut entries = vllm::table().entry_points.iter().filter(has_words);
    entries.any(|entry| entry.words[0] == name) && arguments.first().is_some_and(|word| word.opaque)
}

/// An entry point behind a program that is no known wrapper.
fn stands_further_on(words: &[Word]) -> bool {
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let next = |at: usize| &words[at..words.len().min(at + ENTRY_WORDS)];
    // `torchrun -m MODULE` is no interpreter by name.
    let is_module = |at: usize| words[at] == "-m" && match_module(next(at + 1)).is_some();
    let is_entry = |at: usize| is_module(at) || match_entry(next(at)).is_some();
    (1..words.len()).any(is_entry) && !words.iter().any(super::asks_for_help)
}
