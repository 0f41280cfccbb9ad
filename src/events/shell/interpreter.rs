//! Follows a script's commands in the order of its text: which words each gets, and what it does to the variables.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::k8s::expansion::{Expanded, Place};
use super::lexer::{self, Form, Operator, Part, RawWord, Token};
use super::{Assignment, Binding, Bound, Command, Heredoc, Piece, Script, Variable, Word, chain, is_name};

/// How many bytes expansions may add in one script (`A=$A$A` doubles each time); later ones are opaque.
const GROWTH: usize = 1 << 20;

/// How many bindings are followed; a script with more has no known variables from there on.
const BINDINGS: usize = 1000;

/// The commands of the script in `map`, run with the outer variables `env`.
pub(super) fn run(map: &Expanded, env: &dyn Fn(&str) -> Variable) -> Script {
    let (tokens, incomplete) = lexer::tokens(map);
    let mut interpreter = Interpreter {
        map,
        env,
        tokens: &tokens,
        next: 0,
        script: Script { incomplete, ..Script::default() },
        scope: None,
        lost: false,
        budget: GROWTH,
        frames: Vec::new(),
        list: None,
        joined: false,
        function: false,
        current: Current::default(),
    };
    interpreter.run();
    interpreter.script
}

struct Interpreter<'t> {
    map: &'t Expanded,
    env: &'t dyn Fn(&str) -> Variable,
    tokens: &'t [Token],
    next: usize,
    script: Script,
    /// The latest binding.
    scope: Option<usize>,
    /// Whether variables are no longer followed (`eval`, `source`, too many).
    lost: bool,
    budget: usize,
    frames: Vec<Frame>,
    /// Inside `a && b`, the scope behind the part that certainly ran.
    list: Option<Option<usize>>,
    /// Whether `&&`, `||` or `|` was the latest, so that a line's end does not end the list.
    joined: bool,
    /// Whether `name()` was the latest, so that a body follows.
    function: bool,
    current: Current,
}

/// The simple command being read; ranges are in the kubelet's output.
#[derive(Default)]
struct Current {
    assignments: Vec<Assignment>,
    words: Vec<Word>,
    heredocs: Vec<Heredoc>,
    range: Option<Range<usize>>,
}

/// A compound command being read.
struct Frame {
    kind: Kind,
    /// The scope in front of it.
    scope: Option<usize>,
    list: Option<Option<usize>>,
    /// What its earlier branches set.
    names: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    If,
    Loop,
    /// The flag: a pattern comes next.
    Case {
        pattern: bool,
    },
    /// `{ … }`; the flag: the body of a function, which runs some other time.
    Group {
        function: bool,
    },
    Subshell,
}

/// What is known of a variable at one point of the script.
enum Resolved {
    Word(Word),
    Text(String),
    Unset,
    Unknown,
}

impl<'t> Interpreter<'t> {
    fn run(&mut self) {
        while let Some(token) = self.take() {
            match token {
                Token::Word(word) => self.word(word),
                Token::Operator(operator, _) => self.operator(*operator),
                Token::Redirection(range) => self.current.extend(range),
                Token::Heredoc { range, body, quoted } => {
                    self.current.extend(range);
                    let body = self.map.source_range(body.clone());
                    self.current.heredocs.push(Heredoc { body, quoted: *quoted });
                }
            }
        }
        self.end_command();
        self.script.incomplete |= !self.frames.is_empty();
    }

    fn take(&mut self) -> Option<&'t Token> {
        let token = self.tokens.get(self.next);
        self.next += 1;
        token
    }

    // --- grammar ---

    fn word(&mut self, word: &'t RawWord) {
        self.joined = false;
        if let Some(Frame { kind: Kind::Case { pattern: pattern @ true }, .. }) = self.frames.last_mut() {
            if bare(self.map, word) == Some("esac") {
                self.close(|kind| matches!(kind, Kind::Case { .. }));
            } else {
                *pattern = false;
                self.skip_pattern();
            }
            return;
        }
        let leads = self.current.words.is_empty() && self.current.assignments.is_empty();
        if leads && bare(self.map, word).is_some_and(|text| self.reserved(text, word)) {
            return;
        }
        if leads && self.defines_function() {
            return;
        }
        self.current.extend(&word.range);
        if self.current.words.is_empty() || self.declares() {
            if let Some((assignment, raw)) = self.assignment(word) {
                self.current.assignments.push(assignment);
                if !self.current.words.is_empty() {
                    let whole = self.expand(raw, false);
                    self.current.words.extend(whole);
                }
                return;
            }
        }
        let words = self.expand(word, true);
        self.current.words.extend(words);
    }

    /// Acts on a reserved word in front of a command; false when it is none.
    fn reserved(&mut self, text: &str, word: &'t RawWord) -> bool {
        match text {
            "then" | "do" | "!" | "time" | "in" => {}
            "if" => self.open(Kind::If),
            "while" | "until" => self.open_loop(),
            "for" | "select" => {
                self.open_loop();
                if let Some(Token::Word(name)) = self.tokens.get(self.next) {
                    self.next += 1;
                    self.bind(text_of(self.map, name).to_owned(), Bound::Unknown, false);
                }
                while let Some(token) = self.take() {
                    match token {
                        Token::Operator(..) => break,
                        Token::Word(word) if bare(self.map, word) == Some("do") => break,
                        _ => {}
                    }
                }
            }
            "case" => {
                while let Some(token) = self.tokens.get(self.next) {
                    match token {
                        Token::Operator(..) => break,
                        Token::Word(word) if bare(self.map, word) == Some("in") => {
                            self.next += 1;
                            break;
                        }
                        _ => self.next += 1,
                    }
                }
                self.open(Kind::Case { pattern: true });
            }
            "else" | "elif" => {
                self.end_list();
                self.alternate();
            }
            "fi" => self.close(|kind| kind == Kind::If),
            "done" => self.close(|kind| kind == Kind::Loop),
            "esac" => self.close(|kind| matches!(kind, Kind::Case { .. })),
            "{" => {
                let function = std::mem::take(&mut self.function);
                self.open(Kind::Group { function });
            }
            "}" => self.close(|kind| matches!(kind, Kind::Group { .. })),
            "function" => {
                self.function = true;
                self.next += 1;
            }
            "[[" => self.test(word),
            _ => return false,
        }
        true
    }

    /// `[[ a && b < c ]]` is one command whose operators are its own.
    fn test(&mut self, word: &'t RawWord) {
        let start = word.range.start;
        let mut end = word.range.end;
        let mut words = self.expand(word, false);
        while let Some(token) = self.take() {
            match token {
                Token::Word(word) => {
                    end = word.range.end;
                    words.extend(self.expand(word, false));
                    if bare(self.map, word) == Some("]]") {
                        break;
                    }
                }
                // A `]]` that never comes must not swallow the script.
                Token::Operator(Operator::Sequence, _) => break,
                _ => {}
            }
        }
        self.current.extend(&(start..end));
        self.current.words.extend(words);
    }

    /// Whether `name()` stands here; its parentheses are consumed, so that the body comes next.
    fn defines_function(&mut self) -> bool {
        let operator = |at: usize| match self.tokens.get(at) {
            Some(Token::Operator(operator, _)) => Some(*operator),
            _ => None,
        };
        let defines = operator(self.next) == Some(Operator::Open) && operator(self.next + 1) == Some(Operator::Close);
        if defines {
            self.next += 2;
            self.function = true;
        }
        defines
    }

    fn skip_pattern(&mut self) {
        while let Some(token) = self.take() {
            if matches!(token, Token::Operator(Operator::Close, _)) {
                break;
            }
        }
    }

    fn operator(&mut self, operator: Operator) {
        self.end_command();
        match operator {
            Operator::Sequence => {
                if !self.joined {
                    self.end_list();
                }
            }
            Operator::And | Operator::Or | Operator::Pipe => {
                self.joined = true;
                match self.list {
                    None => self.list = Some(self.scope),
                    // What ran before an `||` may have failed, and a pipe's parts have their own variables.
                    Some(start) if operator != Operator::And => {
                        self.forget_since(start);
                        self.list = Some(self.scope);
                    }
                    Some(_) => {}
                }
            }
            Operator::Open => {
                self.joined = false;
                if let Some(Frame { kind: Kind::Case { pattern: pattern @ true }, .. }) = self.frames.last_mut() {
                    *pattern = false;
                    self.skip_pattern();
                } else if std::mem::take(&mut self.function) {
                    // `name() ( … )`, or `function name() {`.
                    match self.tokens.get(self.next) {
                        Some(Token::Operator(Operator::Close, _)) => {
                            self.next += 1;
                            self.function = true;
                        }
                        _ => self.open(Kind::Subshell),
                    }
                } else {
                    self.open(Kind::Subshell);
                }
            }
            Operator::Close => {
                if self.frames.last().is_some_and(|frame| frame.kind == Kind::Subshell) {
                    self.close(|kind| kind == Kind::Subshell);
                } else {
                    self.script.incomplete = true;
                }
            }
            Operator::CaseEnd => {
                self.end_list();
                self.alternate();
                if let Some(Frame { kind: Kind::Case { pattern }, .. }) = self.frames.last_mut() {
                    *pattern = true;
                }
            }
        }
    }

    fn open(&mut self, kind: Kind) {
        self.frames.push(Frame { kind, scope: self.scope, list: self.list.take(), names: BTreeSet::new() });
    }

    /// What a loop's body sets is unknown in it from the start: it may be the second time round.
    fn open_loop(&mut self) {
        let outermost = self.frames.iter().all(|frame| frame.kind != Kind::Loop);
        self.open(Kind::Loop);
        if !outermost {
            return;
        }
        let mut depth = 1_usize;
        let mut names = BTreeSet::new();
        for token in self.tokens.get(self.next..).unwrap_or_default() {
            let Token::Word(word) = token else { continue };
            match bare(self.map, word) {
                Some("while" | "until" | "for" | "select") => depth += 1,
                Some("done") => depth -= 1,
                _ => names.extend(super::assignment_name(text_of(self.map, word)).map(str::to_owned)),
            }
            if depth == 0 {
                break;
            }
        }
        for name in names {
            self.bind(name, Bound::Unknown, false);
        }
    }

    /// Goes to another branch of the compound command: it starts with the variables of the first.
    fn alternate(&mut self) {
        let Some(frame) = self.frames.last_mut().filter(|_| !self.lost) else { return };
        frame.names.extend(names_since(&self.script.bindings, self.scope, frame.scope));
        self.scope = frame.scope;
    }

    /// Ends the innermost compound command if it is of the kind.
    fn close(&mut self, is_kind: impl Fn(Kind) -> bool) {
        self.end_list();
        let Some(frame) = self.frames.pop_if(|frame| is_kind(frame.kind)) else {
            self.script.incomplete = true;
            return;
        };
        self.list = frame.list;
        match frame.kind {
            Kind::Subshell => self.scope = frame.scope,
            Kind::Group { function: false } => {}
            Kind::If | Kind::Loop | Kind::Case { .. } | Kind::Group { function: true } => {
                let mut names = frame.names;
                if self.lost {
                    return;
                }
                names.extend(names_since(&self.script.bindings, self.scope, frame.scope));
                for name in names {
                    self.bind(name, Bound::Unknown, false);
                }
            }
        }
    }

    fn end_list(&mut self) {
        if let Some(start) = self.list.take() {
            self.forget_since(start);
        }
    }

    fn forget_since(&mut self, start: Option<usize>) {
        for name in names_since(&self.script.bindings, self.scope, start) {
            self.bind(name, Bound::Unknown, false);
        }
    }

    // --- commands and their effects ---

    fn end_command(&mut self) {
        let Current { mut assignments, words, heredocs, range } = std::mem::take(&mut self.current);
        let Some(range) = range else { return };
        if assignments.is_empty() && words.is_empty() && heredocs.is_empty() {
            return;
        }
        let scope = self.scope;
        self.effects(&assignments, &words);
        assignments.extend(env_assignments(&words));
        let range = self.map.source_range(range);
        self.script.commands.push(Command { assignments, words, heredocs, range, scope });
    }

    fn effects(&mut self, assignments: &[Assignment], words: &[Word]) {
        let Some(program) = words.first() else {
            for assignment in assignments {
                self.bind(assignment.name.clone(), Bound::Word(assignment.value.clone()), false);
            }
            return;
        };
        let arguments = words.get(1..).unwrap_or_default();
        match program.text.as_str() {
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                let exports = program.text == "export"
                    || arguments.iter().any(|word| word.text.starts_with('-') && word.text.contains('x'));
                for assignment in assignments {
                    self.bind(assignment.name.clone(), Bound::Word(assignment.value.clone()), exports);
                }
                for name in arguments.iter().filter(|word| exports && is_name(&word.text)) {
                    match self.resolve(&name.text) {
                        Resolved::Word(word) if self.charge(word.text.len()) => {
                            self.bind(name.text.clone(), Bound::Word(word), true);
                        }
                        Resolved::Word(_) => self.bind(name.text.clone(), Bound::Unknown, true),
                        Resolved::Unset | Resolved::Text(_) | Resolved::Unknown => {}
                    }
                }
            }
            "unset" => {
                for name in arguments.iter().filter(|word| is_name(&word.text)) {
                    self.bind(name.text.clone(), Bound::Unset, false);
                }
            }
            "read" | "getopts" | "printf" | "mapfile" | "readarray" | "let" => {
                for name in arguments.iter() {
                    let name = super::assignment_name(&name.text).unwrap_or(&name.text);
                    if is_name(name) {
                        self.bind(name.to_owned(), Bound::Unknown, false);
                    }
                }
            }
            // An activated virtual environment changes the search path and nothing that matters here.
            "source" | "." if arguments.first().is_some_and(|file| file.text.ends_with("/activate")) => {}
            "source" | "." | "eval" => self.lose(),
            _ => {}
        }
    }

    /// Whether the command being read takes assignments as arguments.
    fn declares(&self) -> bool {
        self.current
            .words
            .first()
            .is_some_and(|word| matches!(word.text.as_str(), "export" | "declare" | "typeset" | "readonly" | "local"))
    }

    /// The word as an assignment, with what it is made of.
    fn assignment(&mut self, word: &'t RawWord) -> Option<(Assignment, &'t RawWord)> {
        let Some(Part::Verbatim(first)) = word.parts.first() else { return None };
        let text = self.map.text().get(first.clone())?;
        let name = super::assignment_name(text)?;
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
        self.append(&parts, false, &mut value);
        let value = value.single(range.end);
        Some((Assignment { name: name.to_owned(), value, range: self.map.source_range(range) }, word))
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

    // --- variables ---

    fn bind(&mut self, name: String, value: Bound, exported: bool) {
        if self.lost {
            return;
        }
        if self.script.bindings.len() >= BINDINGS {
            return self.lose();
        }
        // A variable that was exported, or came from outside, stays so.
        let exported = exported
            || match chain(&self.script.bindings, self.scope).find(|binding| binding.name == name) {
                Some(binding) => binding.exported,
                None => matches!((self.env)(&name), Variable::Value(_)),
            };
        self.script.bindings.push(Binding { name, value, exported, previous: self.scope });
        self.scope = Some(self.script.bindings.len() - 1);
    }

    /// Gives up on variables: from here on none is known, and those exported so far are uncertain.
    fn lose(&mut self) {
        self.lost = true;
        let exported: BTreeSet<String> = chain(&self.script.bindings, self.scope)
            .filter(|binding| binding.exported)
            .map(|binding| binding.name.clone())
            .collect();
        for name in exported {
            let binding = Binding { name, value: Bound::Unknown, exported: true, previous: self.scope };
            self.script.bindings.push(binding);
            self.scope = Some(self.script.bindings.len() - 1);
        }
    }

    fn resolve(&self, name: &str) -> Resolved {
        if self.lost {
            return Resolved::Unknown;
        }
        match chain(&self.script.bindings, self.scope).find(|binding| binding.name == name) {
            Some(Binding { value: Bound::Word(word), .. }) if !word.opaque => Resolved::Word(word.clone()),
            Some(Binding { value: Bound::Unset, .. }) => Resolved::Unset,
            Some(_) => Resolved::Unknown,
            None => match (self.env)(name) {
                Variable::Value(text) => Resolved::Text(text),
                Variable::Unknown | Variable::Absent => Resolved::Unknown,
            },
        }
    }

    /// Pays for text that an expansion adds; false, and nothing left, when there is too much of it.
    fn charge(&mut self, length: usize) -> bool {
        let left = self.budget.checked_sub(length);
        self.budget = left.unwrap_or(0);
        left.is_some()
    }

    fn expand(&mut self, word: &RawWord, split: bool) -> Vec<Word> {
        let mut builder = Builder::new(self.map, word.range.start);
        self.append(&word.parts, split, &mut builder);
        if split { builder.words(word.range.end) } else { vec![builder.single(word.range.end)] }
    }

    fn append(&mut self, parts: &[Part], split: bool, to: &mut Builder<'_>) {
        for part in parts {
            match part {
                Part::Verbatim(range) => to.verbatim(range.clone()),
                Part::Decoded { range, text } => {
                    let place = Place { range: self.map.source_range(range.clone()), verbatim: false };
                    to.push(text, place, None);
                }
                Part::Quotes => to.started = true,
                Part::Opaque { range, splits } => to.opaque(range.clone(), split && *splits),
                Part::Variable { range, name, form, quoted } => {
                    self.variable(range, name, form, split && !quoted, to);
                }
            }
        }
    }

    fn variable(&mut self, range: &Range<usize>, name: &str, form: &Form, split: bool, to: &mut Builder<'_>) {
        let value = if self.budget == 0 { Resolved::Unknown } else { self.resolve(name) };
        let length = match &value {
            Resolved::Word(word) => word.text.len(),
            Resolved::Text(text) => text.len(),
            Resolved::Unset | Resolved::Unknown => 0,
        };
        if !self.charge(length) {
            return to.opaque(range.clone(), split);
        }
        let empty = match &value {
            Resolved::Word(word) => word.text.is_empty(),
            Resolved::Text(text) => text.is_empty(),
            Resolved::Unset => true,
            Resolved::Unknown => {
                if let Form::Default { assigns: true, .. } = form {
                    self.bind(name.to_owned(), Bound::Unknown, false);
                }
                return to.opaque(range.clone(), split);
            }
        };
        let counts_as_unset = |or_empty: bool| matches!(value, Resolved::Unset) || (or_empty && empty);
        match form {
            Form::Default { word, or_empty, assigns } if counts_as_unset(*or_empty) => {
                if *assigns {
                    let mut set = Builder::new(self.map, range.start);
                    self.append(word, false, &mut set);
                    self.bind(name.to_owned(), Bound::Word(set.single(range.end)), false);
                }
                return self.append(word, split, to);
            }
            Form::Alternative { or_empty, .. } if counts_as_unset(*or_empty) => return,
            Form::Alternative { word, .. } => return self.append(word, split, to),
            Form::Value | Form::Default { .. } => {}
        }
        let source = self.map.source_range(range.clone());
        let (text, pieces) = match value {
            Resolved::Word(word) => (word.text, word.pieces),
            Resolved::Text(text) => (text, Vec::new()),
            Resolved::Unset | Resolved::Unknown => (String::new(), Vec::new()),
        };
        to.value(&text, &pieces, &source, split);
    }
}

impl Current {
    fn extend(&mut self, range: &Range<usize>) {
        let start = self.range.as_ref().map_or(range.start, |so_far| so_far.start);
        self.range = Some(start..range.end);
    }
}

/// The word's text as written.
fn text_of<'t>(map: &'t Expanded, word: &RawWord) -> &'t str {
    map.text().get(word.range.clone()).unwrap_or("")
}

/// The word's text when nothing in it is quoted or expanded, as reserved words must be.
fn bare<'t>(map: &'t Expanded, word: &RawWord) -> Option<&'t str> {
    matches!(word.parts.as_slice(), [Part::Verbatim(_)]).then(|| text_of(map, word))
}

fn names_since(bindings: &[Binding], head: Option<usize>, mark: Option<usize>) -> BTreeSet<String> {
    // Links always lead to earlier bindings, so a chain that does not meet the mark has passed it by.
    let mut next = head;
    let mut names = BTreeSet::new();
    while let Some(at) = next.filter(|at| mark.is_none_or(|mark| *at > mark)) {
        let Some(binding) = bindings.get(at) else { break };
        names.insert(binding.name.clone());
        next = binding.previous;
    }
    names
}

/// The assignments in `env A=b program`, also behind another wrapper.
fn env_assignments(words: &[Word]) -> Vec<Assignment> {
    let argv: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let is_env = |word: &&Word| word.text.rsplit('/').next() == Some("env");
    let program = super::argv::program_index(&argv);
    let wrappers = words.get(..program).unwrap_or_default();
    let Some(env) = wrappers.iter().position(|word| is_env(&word)) else { return Vec::new() };
    wrappers.iter().skip(env + 1).filter_map(Word::as_assignment).collect()
}

impl Word {
    fn as_assignment(&self) -> Option<Assignment> {
        let name = super::assignment_name(&self.text)?;
        let start = self.text.find('=')? + 1;
        let text = self.text.get(start..)?.to_owned();
        // Behind the `=`, so that an opening quote belongs to the value; both may come from one reference.
        let behind = self.source_range(start - 1..start).end;
        let range = behind.min(self.source_range(start..self.text.len()).start)..self.range.end;
        let shift = |at: usize| at.max(start) - start;
        let slice = |place: &Place, by: usize| Place {
            range: if place.verbatim { place.range.start + by..place.range.end } else { place.range.clone() },
            verbatim: place.verbatim,
        };
        let pieces = self.pieces.iter().filter(|piece| piece.text.end > start).map(|piece| {
            let by = start.saturating_sub(piece.text.start);
            Piece {
                text: shift(piece.text.start)..shift(piece.text.end),
                place: slice(&piece.place, by),
                definition: piece.definition.as_ref().map(|place| slice(place, by)),
            }
        });
        let value = Word { text, range, opaque: self.opaque, splits: false, pieces: pieces.collect() };
        Some(Assignment { name: name.to_owned(), value, range: self.range.clone() })
    }
}

/// Puts words together from parts, splitting where the shell splits.
struct Builder<'m> {
    map: &'m Expanded,
    done: Vec<Word>,
    current: Word,
    /// Where the current word starts in the input.
    start: usize,
    /// Whether there is a word, be it an empty one.
    started: bool,
}

impl<'m> Builder<'m> {
    fn new(map: &'m Expanded, start: usize) -> Self {
        Self {
            map,
            done: Vec::new(),
            current: Word::empty(),
            start: map.source_range(start..start).start,
            started: false,
        }
    }

    fn verbatim(&mut self, range: Range<usize>) {
        let map = self.map;
        for (at, place) in map.stretches(range) {
            self.push(map.text().get(at).unwrap_or(""), place, None);
        }
    }

    fn opaque(&mut self, range: Range<usize>, splits: bool) {
        self.current.opaque = true;
        self.current.splits |= splits;
        self.verbatim(range);
        self.started = true;
    }

    fn push(&mut self, text: &str, place: Place, definition: Option<Place>) {
        if text.is_empty() {
            return;
        }
        let start = self.current.text.len();
        self.current.text.push_str(text);
        self.started = true;
        self.current.pieces.push(Piece { text: start..self.current.text.len(), place, definition });
    }

    /// Appends a variable's value that was written at `source`; `pieces` tell where the script defines it.
    fn value(&mut self, text: &str, pieces: &[Piece], source: &Range<usize>, split: bool) {
        let is_blank = |c: char| split && matches!(c, ' ' | '\t' | '\n');
        let mut at = 0;
        for field in text.split_inclusive(is_blank) {
            let word = field.strip_suffix(is_blank).unwrap_or(field);
            self.slice(text, at..at + word.len(), pieces, source);
            if word.len() < field.len() {
                self.end_word(source);
            }
            at += field.len();
        }
    }

    fn slice(&mut self, text: &str, at: Range<usize>, pieces: &[Piece], source: &Range<usize>) {
        let place = Place { range: source.clone(), verbatim: false };
        if pieces.is_empty() {
            return self.push(text.get(at).unwrap_or(""), place, None);
        }
        let first = pieces.partition_point(|piece| piece.text.end <= at.start);
        for piece in pieces.iter().skip(first).take_while(|piece| piece.text.start < at.end) {
            let part = piece.text.start.max(at.start)..piece.text.end.min(at.end);
            let origin = piece.definition.as_ref().unwrap_or(&piece.place);
            let mut definition = origin.clone();
            if origin.verbatim {
                let from = origin.range.start + (part.start - piece.text.start);
                definition.range = from..from + part.len();
            }
            self.push(text.get(part).unwrap_or(""), place.clone(), Some(definition));
        }
    }

    fn end_word(&mut self, source: &Range<usize>) {
        if self.started {
            self.finish(source.end);
        }
        self.start = source.start;
    }

    fn finish(&mut self, end: usize) {
        let mut word = std::mem::replace(&mut self.current, Word::empty());
        word.range = self.start..end.max(self.start);
        self.done.push(word);
        self.started = false;
    }

    /// What there is, `end` being the end of it all in the kubelet's output.
    fn words(mut self, end: usize) -> Vec<Word> {
        if self.started {
            self.finish(self.source_end(end));
        }
        self.done
    }

    /// All of it as one word, be it empty.
    fn single(mut self, end: usize) -> Word {
        let mut word = std::mem::replace(&mut self.current, Word::empty());
        word.range = self.start..self.source_end(end).max(self.start);
        word
    }

    fn source_end(&self, end: usize) -> usize {
        self.map.source_range(end.saturating_sub(1)..end).end.max(self.start)
    }
}

impl Word {
    fn empty() -> Self {
        Self { text: String::new(), range: 0..0, opaque: false, splits: false, pieces: Vec::new() }
    }
}
