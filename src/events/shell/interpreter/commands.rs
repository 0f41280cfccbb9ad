//! What a simple command is made of, and what it does to the variables.

use super::{Current, Interpreter};
use crate::events::shell::argv::program_index;
use crate::events::shell::builder::Builder;
use crate::events::shell::lexer::{Operator, Part, RawWord, Token};
use crate::events::shell::variables::Resolved;
use crate::events::shell::{Assignment, Bound, Command, Word, assignment_name, is_name, order};

impl Interpreter<'_> {
    pub(super) fn end_command(&mut self) {
        let Current { mut assignments, words, heredocs, range } = std::mem::take(&mut self.current);
        let Some(range) = range else { return };
        if assignments.is_empty() && words.is_empty() && heredocs.is_empty() {
            return;
        }
        let scope = self.variables.head;
        self.effects(&assignments, &words);
        assignments.extend(env_assignments(&words));
        let range = self.map.source_range(range);
        let within = self.branch;
        let (piped, signals) = (self.piped, order::signals(&words));
        self.script.commands.push(Command { assignments, words, heredocs, range, scope, within, piped, signals });
    }

    fn effects(&mut self, assignments: &[Assignment], words: &[Word]) {
        let Some(program) = words.first() else {
            for assignment in assignments {
                self.variables.bind(assignment.name.clone(), Bound::Word(assignment.value.clone()), false);
            }
            return;
        };
        let arguments = words.get(1..).unwrap_or_default();
        match program.text.as_str() {
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                let exports = program.text == "export"
                    || arguments.iter().any(|word| word.text.starts_with('-') && word.text.contains('x'));
                // A number, a name for another variable, capital letters: the value is not what is written.
                let changes = |word: &Word| word.text.starts_with('-') && word.text.contains(['i', 'n', 'l', 'u', 'c']);
                if arguments.iter().any(changes) {
                    return self.variables.lose();
                }
                // `export $(cat file)` sets nobody knows what; `export $PAIR` what is in it.
                for word in
                    arguments.iter().filter(|word| assignments.iter().all(|a| a.range.start != word.range.start))
                {
                    match assignment_name(&word.text) {
                        Some(name) => self.variables.bind(name.to_owned(), Bound::Unknown, exports),
                        None if word.opaque => return self.variables.lose(),
                        None => {}
                    }
                }
                for assignment in assignments {
                    self.variables.bind(assignment.name.clone(), Bound::Word(assignment.value.clone()), exports);
                }
                for name in arguments.iter().filter(|word| exports && is_name(&word.text)) {
                    match self.variables.resolve(&name.text) {
                        Resolved::Word(word) if self.variables.charge(word.text.len()) => {
                            self.variables.bind(name.text.clone(), Bound::Word(word), true);
                        }
                        Resolved::Word(_) => self.variables.bind(name.text.clone(), Bound::Unknown, true),
                        Resolved::Unset | Resolved::Text(_) | Resolved::Unknown => {}
                    }
                }
            }
            "unset" => {
                if arguments.iter().any(|word| word.opaque) {
                    return self.variables.lose();
                }
                for name in arguments.iter().filter(|word| is_name(&word.text)) {
                    self.variables.bind(name.text.clone(), Bound::Unset, false);
                }
            }
            "read" | "getopts" | "printf" | "mapfile" | "readarray" | "wait" => {
                for name in arguments.iter() {
                    let name = assignment_name(&name.text).unwrap_or(&name.text);
                    if is_name(name) {
                        self.variables.bind(name.to_owned(), Bound::Unknown, false);
                    }
                }
            }
            // An activated virtual environment changes the search path and nothing that matters here.
            "source" | "." if arguments.first().is_some_and(|file| file.text.ends_with("/activate")) => {}
            "source" | "." | "eval" => self.variables.lose(),
            _ => {}
        }
    }

    /// Whether the command being read takes assignments as arguments.
    pub(super) fn declares(&self) -> bool {
        self.current
            .words
            .first()
            .is_some_and(|word| matches!(word.text.as_str(), "export" | "declare" | "typeset" | "readonly" | "local"))
    }

    /// The word as an assignment, if it is one.
    pub(super) fn assignment(&mut self, word: &RawWord) -> Option<Assignment> {
        let Some(Part::Verbatim(first)) = word.parts.first() else { return None };
        let text = self.map.text().get(first.clone())?;
        let name = assignment_name(text)?;
        let (before, _) = text.split_once('=')?;
        let start = first.start + before.len() + 1;
        let mut range = word.range.clone();
        let mut parts = word.parts.clone();
        if let Some(part) = parts.first_mut() {
            *part = Part::Verbatim(start..first.end);
        }
        let array = range.end == start
            && matches!(self.tokens.get(self.next), Some(Token::Operator(Operator::Open, open)) if open.start == start);
        if array {
            range.end = self.array_end();
            self.current.extend(&range);
        }
        if array || before.ends_with('+') {
            parts = vec![Part::Opaque { range: start..range.end, splits: false }];
        }
        let mut value = Builder::new(self.map, start);
        self.variables.append(&parts, false, &mut value);
        let value = value.single(range.end);
        Some(Assignment { name: name.to_owned(), value, range: self.map.source_range(range) })
    }

    fn array_end(&mut self) -> usize {
        let mut depth = 0_usize;
        let mut end = self.map.text().len();
        while let Some(token) = self.take() {
            match token {
                Token::Operator(Operator::Open, _) => depth += 1,
                Token::Operator(Operator::Close, range) => {
                    end = range.end;
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        end
    }
}

/// The assignments in `env A=b program`, also behind another wrapper.
fn env_assignments(words: &[Word]) -> Vec<Assignment> {
    let argv: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let is_env = |word: &&Word| word.text.rsplit('/').next() == Some("env");
    let program = program_index(&argv);
    let wrappers = words.get(..program).unwrap_or_default();
    let Some(env) = wrappers.iter().position(|word| is_env(&word)) else { return Vec::new() };
    wrappers.iter().skip(env + 1).filter_map(Word::as_assignment).collect()
}
