//! Reads the scripts of `sh -c` and `bash -c` far enough to find an engine's command, its words and its variables.
//!
//! Nothing is ever run and nothing fails: a script is cut into simple commands in the order in which they stand,
//! variables are followed as long as the value is certain, and what is not certain is marked opaque. The reading
//! follows the POSIX shell language with bash's `$'…'`, `|&`, `&>`, `[[ ]]`, `(( ))` and arrays (as opaque words).

mod argv;
mod builder;
mod interpreter;
mod lexer;
mod order;
mod variables;

use std::collections::BTreeSet;
use std::ops::Range;

pub use crate::k8s::expansion::Variable;
use crate::k8s::expansion::{self, Expanded, Place};
pub use argv::shell_script_index;
pub use order::Order;

/// A script, as a sequence of simple commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// Every simple command in the order of the text, also those in branches, loops and functions that may not run.
    pub commands: Vec<Command>,
    /// Whether something was left open: a quote, an expansion, a heredoc, an `if`. The commands are what could be
    /// read in spite of that.
    pub incomplete: bool,
    bindings: Vec<Binding>,
    branches: Vec<order::Branch>,
    background: Vec<order::Background>,
    functions: Vec<order::Function>,
}

/// A simple command: `A=b program argument`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The assignments before the program, those of an `env` in front of it, and those that `export`, `readonly`,
    /// `declare`, `typeset` or `local` make.
    pub assignments: Vec<Assignment>,
    /// The words as written, `exec` and other wrappers included; see [`Command::program`].
    pub words: Vec<Word>,
    /// The heredocs that it reads, in order.
    pub heredocs: Vec<Heredoc>,
    /// From the first assignment or word to the last word or redirection.
    pub range: Range<usize>,
    /// The head of the chain of bindings in effect when the command runs.
    scope: Option<usize>,
    /// The branch of a compound command that it stands in.
    within: Option<usize>,
    /// Whether it is a part of a pipe, and so runs in a process of its own.
    piped: bool,
    /// Whether it waits for a process or ends one.
    signals: bool,
}

/// `NAME=value` or `NAME+=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The variable's name.
    pub name: String,
    /// What it is set to. Opaque for `NAME+=` and for arrays.
    pub value: Word,
    /// From the name to the value's end.
    pub range: Range<usize>,
}

/// The text between a `<<EOF` and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The lines of the body, without the delimiter's.
    pub body: Range<usize>,
    /// Whether the delimiter was quoted, so that the body is taken literally.
    pub quoted: bool,
}

/// A word after expansion: one element of a program's argument vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text as the program sees it; expansions that are not known stand in it as written.
    pub text: String,
    /// Where it stands in the input, quotes included. Words split from one `$VAR` share its range.
    pub range: Range<usize>,
    /// Whether a part of the text is not known.
    pub opaque: bool,
    /// Whether it is opaque and may turn out as no word at all or as several: an unquoted `$EXTRA`, `"$@"`.
    pub splits: bool,
    pieces: Vec<Piece>,
}

/// A stretch of a word's text with one origin.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    text: Range<usize>,
    place: Place,
    /// Where the script gives the variable its value, for text that came through one.
    definition: Option<Place>,
}

/// What the script did to a variable. Bindings form chains, so that each command keeps its scope for one index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Binding {
    name: String,
    value: Bound,
    exported: bool,
    previous: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Bound {
    Word(Word),
    Unset,
    Unknown,
}

/// Reads a script that no kubelet touched (a file in a ConfigMap) and nothing is known about the environment of.
pub fn parse(script: &str) -> Script {
    interpreter::run(&Expanded::unchanged(script), &|_| Variable::Unknown)
}

/// Reads a script that stands in a container's `command` or `args`: the kubelet first replaces `$(NAME)` by the
/// variables in `env`, quotes or not, and the shell then sees the same variables.
pub fn parse_argument(script: &str, env: impl Fn(&str) -> Variable) -> Script {
    interpreter::run(&expansion::expand(script, &env), &env)
}

impl Script {
    /// The variables that the script itself puts into a command's environment, the latest first and each once:
    /// assignments in front of it, then what was exported before. `None` as value: removed, or not certain.
    pub fn environment<'s>(&'s self, command: &'s Command) -> Vec<(&'s str, Option<&'s Word>)> {
        let own =
            command.assignments.iter().rev().map(|assignment| (assignment.name.as_str(), Some(&assignment.value)));
        let exported = chain(&self.bindings, command.scope).filter(|binding| binding.exported).map(|binding| {
            let value = match &binding.value {
                Bound::Word(word) => Some(word),
                Bound::Unset | Bound::Unknown => None,
            };
            (binding.name.as_str(), value)
        });
        let mut seen = BTreeSet::new();
        own.chain(exported)
            .filter(|(name, _)| seen.insert(*name))
            .map(|(name, value)| (name, value.filter(|value| !value.opaque)))
            .collect()
    }
}

impl Command {
    /// The words of the program that runs in the end: without `exec`, `nohup`, `env A=b`, `timeout 60` and the like.
    /// Empty when there is none.
    pub fn program(&self) -> &[Word] {
        let argv: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        self.words.get(argv::program_index(&argv)..).unwrap_or_default()
    }
}

impl Word {
    /// The range of the input that a byte range of `text` was written as. Quotes around it are not included, a
    /// backslash before one of its characters is. Text that came through a variable maps to the `$VAR`.
    pub fn source_range(&self, decoded: Range<usize>) -> Range<usize> {
        self.locate(decoded, |piece| Some(&piece.place)).unwrap_or_else(|| self.range.clone())
    }

    /// The stretches of `text` that stand in the input byte for byte: offset in the text, offset in the input, length.
    pub fn pieces(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        let verbatim = self.pieces.iter().filter(|piece| piece.place.verbatim);
        verbatim.map(|piece| (piece.text.start, piece.place.range.start, piece.text.len()))
    }

    /// The range where the script assigns a byte range of `text`: in `C='{"a":1}'; vllm --config "$C"` the bytes to
    /// edit are in the assignment. `None` when a part of it did not come through a variable of this script.
    pub fn definition_range(&self, decoded: Range<usize>) -> Option<Range<usize>> {
        self.locate(decoded, |piece| piece.definition.as_ref())
    }

    fn locate<'w>(
        &'w self,
        decoded: Range<usize>,
        place: impl Fn(&'w Piece) -> Option<&'w Place>,
    ) -> Option<Range<usize>> {
        let mut found: Option<Range<usize>> = None;
        let at = self.snap(decoded.start)..self.snap(decoded.end.max(decoded.start));
        // An empty range is a point in the piece that follows it, or at the end of the last.
        let point = at.is_empty();
        let first = self.pieces.partition_point(|piece| piece.text.end <= at.start);
        let first = if point { first.min(self.pieces.len().saturating_sub(1)) } else { first };
        for piece in self.pieces.iter().skip(first).take_while(|piece| point || piece.text.start < at.end) {
            let place = place(piece)?;
            let part = if place.verbatim {
                let offset =
                    |at: usize| place.range.start + (at.clamp(piece.text.start, piece.text.end) - piece.text.start);
                offset(at.start)..offset(at.end)
            } else if point && at.start >= piece.text.end {
                place.range.end..place.range.end
            } else if point {
                place.range.start..place.range.start
            } else {
                place.range.clone()
            };
            found = match found {
                None => Some(part),
                // Two definitions in the wrong order have no range in common.
                Some(so_far) if so_far.start > part.start => return None,
                Some(so_far) => Some(so_far.start..so_far.end.max(part.end)),
            };
            if point {
                break;
            }
        }
        found
    }

    /// The nearest character boundary at or before `at`.
    fn snap(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// The bindings in effect at `head`, the latest first.
fn chain(bindings: &[Binding], head: Option<usize>) -> impl Iterator<Item = &Binding> {
    let mut next = head;
    std::iter::from_fn(move || {
        let binding = bindings.get(next?)?;
        next = binding.previous;
        Some(binding)
    })
}

/// The name in front of the `=` or `+=` that makes a word an assignment.
fn assignment_name(word: &str) -> Option<&str> {
    let (name, _) = word.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    is_name(name).then_some(name)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
