//! Follows a script's commands in the order of its text: which words each gets, and what it does to the variables.

mod commands;

use std::collections::BTreeSet;
use std::ops::Range;

use super::lexer::{self, Operator, Part, RawWord, Token, Tokens};
use super::order::{Background, Branch, BranchKind, Function};
use super::variables::{Survey, Variables};
use super::{Assignment, Bound, Heredoc, Script, Variable, Word, assignment_name, is_name};
use crate::k8s::expansion::Expanded;

/// The commands of the script in `map`, run with the outer variables `env`.
pub(super) fn run(map: &Expanded, env: &dyn Fn(&str) -> Variable) -> Script {
    let tokens = lexer::tokens(map);
    let (script, survey) = read(map, env, &tokens, None);
    // What functions do to variables counts wherever they may be called.
    if survey.functions > 0 { read(map, env, &tokens, Some(&survey)).0 } else { script }
}

fn read(map: &Expanded, env: &dyn Fn(&str) -> Variable, tokens: &Tokens, known: Option<&Survey>) -> (Script, Survey) {
    let mut interpreter = Interpreter {
        map,
        tokens: &tokens.tokens,
        next: 0,
        script: Script { incomplete: tokens.incomplete, ..Script::default() },
        variables: Variables::new(map, env, &tokens.counted, known),
        frames: Vec::new(),
        list: None,
        joined: false,
        piped: false,
        perhaps: None,
        function: None,
        branch: None,
        first: 0,
        current: Current::default(),
    };
    interpreter.run();
    let Variables { bindings, survey, .. } = interpreter.variables;
    (Script { bindings, ..interpreter.script }, survey)
}

struct Interpreter<'t> {
    map: &'t Expanded,
    tokens: &'t [Token],
    next: usize,
    script: Script,
    variables: Variables<'t>,
    /// The compound commands that are open here.
    frames: Vec<Frame>,
    /// Inside `a && b`, the scope behind the part that certainly ran.
    list: Option<Option<usize>>,
    /// Whether `&&`, `||` or `|` was the latest, so that a line's end does not end the list.
    joined: bool,
    /// Whether `|` was the latest, so that the next command is a part of a pipe.
    piped: bool,
    /// Behind an `&&` or `||`, the branch that the list stands in.
    perhaps: Option<Option<usize>>,
    /// The name in `name()` if that was the latest, so that a body follows.
    function: Option<Range<usize>>,
    /// The branch of a compound command that is read.
    branch: Option<usize>,
    /// The first command of the list that is read, which a `&` would send to the background.
    first: usize,
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
    /// The branch that it stands in, and the first command of the list that it is a part of.
    branch: Option<usize>,
    first: usize,
    perhaps: Option<Option<usize>>,
    /// Of a function's body, which runs some other time, the scope at its start.
    body: Option<Option<usize>>,
    /// The function that it stands in.
    function: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    If,
    Loop,
    /// The flag: a pattern comes next.
    Case {
        pattern: bool,
    },
    /// `{ … }`.
    Group,
    Subshell,
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
        if leads && self.defines_function(word) {
            return;
        }
        self.current.extend(&word.range);
        let takes_assignments = self.current.words.is_empty() || self.declares();
        if let Some(assignment) = takes_assignments.then(|| self.assignment(word)).flatten() {
            self.current.assignments.push(assignment);
            if !self.current.words.is_empty() {
                let whole = self.variables.expand(word, false);
                self.current.words.extend(whole);
            }
            return;
        }
        let words = self.variables.expand(word, true);
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
                    self.variables.bind(text_of(self.map, name).to_owned(), Bound::Unknown, false);
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
            "{" => self.open(Kind::Group),
            "}" => self.close(|kind| matches!(kind, Kind::Group)),
            "function" => {
                let name = self.tokens.get(self.next).and_then(|token| match token {
                    Token::Word(name) => Some(name.range.clone()),
                    _ => None,
                });
                self.function = Some(name.unwrap_or(word.range.clone()));
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
        let mut words = self.variables.expand(word, false);
        while let Some(token) = self.take() {
            match token {
                Token::Word(word) => {
                    end = word.range.end;
                    words.extend(self.variables.expand(word, false));
                    if bare(self.map, word) == Some("]]") {
                        break;
                    }
                }
                // A `]]` that never comes must not swallow the script.
                Token::Operator(Operator::Sequence | Operator::Background, _) => break,
                _ => {}
            }
        }
        self.current.extend(&(start..end));
        self.current.words.extend(words);
    }

    /// Whether `name()` stands here; its parentheses are consumed, so that the body comes next.
    fn defines_function(&mut self, name: &RawWord) -> bool {
        let operator = |at: usize| match self.tokens.get(at) {
            Some(Token::Operator(operator, _)) => Some(*operator),
            _ => None,
        };
        let defines = operator(self.next) == Some(Operator::Open) && operator(self.next + 1) == Some(Operator::Close);
        if defines {
            self.next += 2;
            self.function = Some(name.range.clone());
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
        self.piped = operator == Operator::Pipe;
        match operator {
            Operator::Sequence => {
                if !self.joined {
                    self.end_list();
                    self.first = self.script.commands.len();
                }
            }
            Operator::Background => {
                self.end_list();
                let commands = self.first..self.script.commands.len();
                self.first = commands.end;
                if !commands.is_empty() {
                    self.script.background.push(Background { commands, within: self.branch });
                }
            }
            Operator::And | Operator::Or | Operator::Pipe => {
                self.joined = true;
                if operator == Operator::Pipe {
                    self.script.commands.last_mut().into_iter().for_each(|command| command.piped = true);
                } else if self.perhaps.is_none() {
                    self.may_go_on();
                }
                match self.list {
                    None => self.list = Some(self.variables.head),
                    // What ran before an `||` may have failed, and a pipe's parts have their own variables.
                    Some(start) if operator != Operator::And => {
                        self.forget_since(start);
                        self.list = Some(self.variables.head);
                    }
                    Some(_) => {}
                }
            }
            Operator::Open => {
                self.joined = false;
                if let Some(Frame { kind: Kind::Case { pattern: pattern @ true }, .. }) = self.frames.last_mut() {
                    *pattern = false;
                    self.skip_pattern();
                } else if self.function.is_some()
                    && matches!(self.tokens.get(self.next), Some(Token::Operator(Operator::Close, _)))
                {
                    // `function name() {`, and not `name() ( … )`.
                    self.next += 1;
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

    /// Begins a compound command; behind the name of a function, its body.
    fn open(&mut self, kind: Kind) {
        let function = self.function.take();
        let branches = match kind {
            _ if function.is_some() => BranchKind::Function,
            Kind::If | Kind::Case { .. } => BranchKind::Choice,
            Kind::Loop => BranchKind::Loop,
            Kind::Group => BranchKind::Once,
            Kind::Subshell => BranchKind::Subshell,
        };
        self.frames.push(Frame {
            kind,
            scope: self.variables.head,
            list: self.list.take(),
            names: BTreeSet::new(),
            branch: self.branch,
            first: self.first,
            perhaps: self.perhaps.take(),
            body: None,
            function: self.variables.function,
        });
        self.open_branch(branches);
        self.first = self.script.commands.len();
        if let (Some(name), Some(body)) = (function, self.branch) {
            self.variables.enter_function();
            self.frames.last_mut().into_iter().for_each(|frame| frame.body = Some(self.variables.head));
            let (range, name) = (self.map.source_range(name.clone()), self.map.text().get(name).unwrap_or_default());
            self.script.functions.push(Function { name: name.to_owned(), range, body });
        }
    }

    fn open_branch(&mut self, kind: BranchKind) {
        let compound = self.script.branches.len();
        self.script.branches.push(Branch { above: self.branch, compound, kind });
        self.branch = Some(compound);
    }

    /// What follows in the list runs only if what stands before it ends as it should.
    fn may_go_on(&mut self) {
        self.perhaps = Some(self.branch);
        self.open_branch(BranchKind::Perhaps);
    }

    /// Commands that follow stand in another branch of the same compound command.
    fn next_branch(&mut self) {
        self.first = self.script.commands.len();
        let Some(branch) = self.branch.and_then(|at| self.script.branches.get(at)).cloned() else { return };
        self.branch = Some(self.script.branches.len());
        self.script.branches.push(branch);
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
        // Behind these, words are the names of variables.
        let mut takes_names = false;
        let mut loses = false;
        for token in self.tokens.get(self.next..).unwrap_or_default() {
            let Token::Word(word) = token else {
                takes_names &= !matches!(token, Token::Operator(..));
                continue;
            };
            match bare(self.map, word) {
                Some("while" | "until" | "for" | "select") => depth += 1,
                Some("done") => depth -= 1,
                Some("source" | "eval") => loses = true,
                Some("read" | "getopts" | "printf" | "mapfile" | "readarray" | "unset") => takes_names = true,
                Some(name) if takes_names && is_name(name) => drop(names.insert(name.to_owned())),
                _ => names.extend(assignment_name(text_of(self.map, word)).map(str::to_owned)),
            }
            if depth == 0 {
                break;
            }
        }
        if loses {
            return self.variables.lose();
        }
        for name in names {
            self.variables.forget(name);
        }
    }

    /// Goes to another branch of the compound command: it starts with the variables of the first.
    fn alternate(&mut self) {
        if !self.frames.is_empty() {
            self.next_branch();
        }
        let Some(frame) = self.frames.last_mut().filter(|_| !self.variables.lost) else { return };
        frame.names.extend(self.variables.names_since(frame.scope));
        self.variables.head = frame.scope;
    }

    /// Ends the innermost compound command if it is of the kind.
    fn close(&mut self, is_kind: impl Fn(Kind) -> bool) {
        self.end_list();
        let Some(frame) = self.frames.pop_if(|frame| is_kind(frame.kind)) else {
            self.script.incomplete = true;
            return;
        };
        self.list = frame.list;
        (self.branch, self.first, self.perhaps) = (frame.branch, frame.first, frame.perhaps);
        self.variables.function = frame.function;
        if let Some(start) = frame.body.filter(|_| frame.kind != Kind::Subshell) {
            return self.variables.leave_function(frame.scope, start);
        }
        match frame.kind {
            Kind::Subshell => self.variables.head = frame.scope,
            Kind::Group => {}
            Kind::If | Kind::Loop | Kind::Case { .. } => {
                let mut names = frame.names;
                if self.variables.lost {
                    return;
                }
                names.extend(self.variables.names_since(frame.scope));
                for name in names {
                    self.variables.forget(name);
                }
            }
        }
    }

    fn end_list(&mut self) {
        if let Some(start) = self.list.take() {
            self.forget_since(start);
        }
        if let Some(outside) = self.perhaps.take() {
            self.branch = outside;
        }
    }

    fn forget_since(&mut self, start: Option<usize>) {
        for name in self.variables.names_since(start) {
            self.variables.forget(name);
        }
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
