//! Cuts a script into words and operators; expansions are recognised here and resolved by the interpreter.

mod arithmetic;
mod word;

use std::collections::BTreeSet;
use std::ops::Range;

use self::word::{Mode, Nest};
use crate::k8s::expansion::Expanded;

/// How often `((` is tried as arithmetic, so that a file of parentheses costs no more than any other.
const ARITHMETIC_TRIES: usize = 64;

#[derive(Debug)]
pub(super) enum Token {
    Word(RawWord),
    Operator(Operator, Range<usize>),
    /// A redirection with its target.
    Redirection(Range<usize>),
    Heredoc {
        range: Range<usize>,
        body: Range<usize>,
        quoted: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `;` or a line's end.
    Sequence,
    /// `&`.
    Background,
    /// `;;`, `;&` or `;;&`.
    CaseEnd,
    And,
    Or,
    Pipe,
    Open,
    Close,
}

/// A word before expansion; ranges are in the kubelet's output.
#[derive(Debug, Clone)]
pub(super) struct RawWord {
    pub range: Range<usize>,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Text that stands for itself.
    Verbatim(Range<usize>),
    /// Such text in an unquoted `${A:-default text}`, where its blanks separate words.
    Fields(Range<usize>),
    /// Text behind a backslash.
    Decoded {
        range: Range<usize>,
        text: String,
    },
    /// A pair of quotes: the word exists even when nothing is in it.
    Quotes,
    Variable {
        range: Range<usize>,
        name: String,
        form: Form,
        quoted: bool,
    },
    /// An expansion that cannot be known from the script; `splits` when it may give no word or several.
    Opaque {
        range: Range<usize>,
        splits: bool,
    },
}

/// What `${NAME…}` asks for.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// `$A`, `${A}`, `${A:?why}`.
    Value,
    /// `${A-word}`, `${A:-word}`; with `=` the variable is set too. The flag: an empty value counts as unset.
    Default { word: Vec<Part>, or_empty: bool, assigns: bool },
    /// `${A+word}`, `${A:+word}`.
    Alternative { word: Vec<Part>, or_empty: bool },
}

struct Lexer<'t> {
    map: &'t Expanded,
    text: &'t str,
    pos: usize,
    tokens: Vec<Token>,
    pending: Vec<PendingHeredoc>,
    arithmetic_tries: usize,
    counted: BTreeSet<String>,
    incomplete: bool,
}

struct PendingHeredoc {
    token: usize,
    delimiter: String,
    strip_tabs: bool,
}

/// What a script is cut into.
pub(super) struct Tokens {
    pub tokens: Vec<Token>,
    /// The variables that arithmetic sets somewhere: `((P++))`, `$((P += 1))`, `let P=P+1`.
    pub counted: BTreeSet<String>,
    /// Whether a quote, an expansion or a heredoc was left open.
    pub incomplete: bool,
}

/// The tokens of a script.
pub(super) fn tokens(map: &Expanded) -> Tokens {
    let mut lexer = Lexer {
        map,
        text: map.text(),
        pos: 0,
        tokens: Vec::new(),
        pending: Vec::new(),
        arithmetic_tries: ARITHMETIC_TRIES,
        counted: BTreeSet::new(),
        incomplete: false,
    };
    lexer.run();
    lexer.let_commands();
    Tokens { tokens: lexer.tokens, counted: lexer.counted, incomplete: lexer.incomplete }
}

impl<'t> Lexer<'t> {
    fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.pos + ahead).copied()
    }

    fn looking_at(&self, prefix: &str) -> bool {
        self.text.as_bytes().get(self.pos..).is_some_and(|rest| rest.starts_with(prefix.as_bytes()))
    }

    fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or("")
    }

    fn line_end(&self) -> usize {
        self.slice(self.pos..self.text.len()).find('\n').map_or(self.text.len(), |length| self.pos + length)
    }

    fn run(&mut self) {
        loop {
            self.blanks();
            let Some(byte) = self.peek() else { break };
            match byte {
                b'\n' => {
                    self.operator(Operator::Sequence, 1);
                    self.heredoc_bodies();
                }
                b'\r' if self.looking_at("\r\n") => self.pos += 1,
                b'#' => self.pos = self.line_end(),
                b';' if self.looking_at(";;&") => self.operator(Operator::CaseEnd, 3),
                b';' if self.looking_at(";;") || self.looking_at(";&") => self.operator(Operator::CaseEnd, 2),
                b';' => self.operator(Operator::Sequence, 1),
                b'&' if self.looking_at("&&") => self.operator(Operator::And, 2),
                b'&' if self.looking_at("&>") => self.redirection(self.pos),
                b'&' => self.operator(Operator::Background, 1),
                b'|' if self.looking_at("||") => self.operator(Operator::Or, 2),
                b'|' if self.looking_at("|&") => self.operator(Operator::Pipe, 2),
                b'|' => self.operator(Operator::Pipe, 1),
                b'(' if self.arithmetic() => {}
                b'(' => self.operator(Operator::Open, 1),
                b')' => self.operator(Operator::Close, 1),
                b'<' | b'>' if self.peek_at(1) == Some(b'(') => self.process_substitution(),
                b'<' if self.placeholder_end(true).is_some() => self.word(),
                b'<' | b'>' => self.redirection(self.pos),
                _ => self.word(),
            }
        }
        // A heredoc whose line was never ended has no body.
        self.incomplete |= !self.pending.is_empty();
    }

    fn operator(&mut self, operator: Operator, length: usize) {
        self.tokens.push(Token::Operator(operator, self.pos..self.pos + length));
        self.pos += length;
    }

    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.pos += 1,
                Some(b'\\') => match self.continuation() {
                    Some(length) => self.pos += length,
                    None => return,
                },
                _ => return,
            }
        }
    }

    /// The length of the backslash and line end here. A shell takes only `\n`; a CRLF is read as what was meant.
    fn continuation(&self) -> Option<usize> {
        if self.looking_at("\\\n") {
            Some(2)
        } else if self.looking_at("\\\r\n") {
            Some(3)
        } else {
            None
        }
    }

    /// Skips `(( … ))`, which has operators that are none of the shell's.
    fn arithmetic(&mut self) -> bool {
        if !self.looking_at("((") || self.arithmetic_tries == 0 {
            return false;
        }
        self.arithmetic_tries -= 1;
        let (start, incomplete) = (self.pos, self.incomplete);
        self.pos += 2;
        self.skip(Nest::Paren);
        if self.peek() == Some(b')') {
            self.pos += 1;
            self.count(start..self.pos);
            return true;
        }
        (self.pos, self.incomplete) = (start, incomplete);
        false
    }

    fn process_substitution(&mut self) {
        let start = self.pos;
        self.pos += 2;
        self.skip(Nest::Paren);
        let range = start..self.pos;
        let parts = vec![Part::Opaque { range: range.clone(), splits: false }];
        self.tokens.push(Token::Word(RawWord { range, parts }));
    }

    /// The end of `<name>` here: in a sample that is yet to be filled in, it is a value and not two redirections.
    /// `<in>out` at the start of a word stays what a shell makes of it.
    fn placeholder_end(&self, at_word_start: bool) -> Option<usize> {
        let inside = self.text.get(self.pos + 1..)?;
        let length = inside.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))?;
        let after = inside.get(length..)?.strip_prefix('>')?;
        let named = inside.starts_with(|c: char| c.is_ascii_alphabetic());
        let alone = after.chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, '\\' | ';' | '&' | '|' | ')'));
        (named && (alone || !at_word_start)).then_some(self.pos + 1 + length + 1)
    }

    fn redirection(&mut self, start: usize) {
        if self.looking_at("<<") && !self.looking_at("<<<") {
            return self.heredoc(start);
        }
        while let Some(b'<' | b'>' | b'&') = self.peek() {
            self.pos += 1;
        }
        if self.peek() == Some(b'|') {
            self.pos += 1;
        }
        self.blanks();
        match self.peek() {
            // `> >(tee log)`: the loop above took the sign already.
            Some(b'(') => {
                self.pos += 1;
                self.skip(Nest::Paren);
            }
            Some(b'<' | b'>') if self.peek_at(1) == Some(b'(') => {
                self.pos += 2;
                self.skip(Nest::Paren);
            }
            _ => drop(self.parts(Mode::Word, 0)),
        }
        self.tokens.push(Token::Redirection(start..self.pos));
    }

    fn heredoc(&mut self, start: usize) {
        self.pos += 2;
        let strip_tabs = self.peek() == Some(b'-');
        if strip_tabs {
            self.pos += 1;
        }
        self.blanks();
        let mut quoted = false;
        let mut delimiter = String::new();
        for part in self.parts(Mode::Word, 0) {
            match part {
                Part::Verbatim(range)
                | Part::Fields(range)
                | Part::Opaque { range, .. }
                | Part::Variable { range, .. } => {
                    delimiter.push_str(self.slice(range));
                }
                Part::Decoded { text, .. } => {
                    quoted = true;
                    delimiter.push_str(&text);
                }
                Part::Quotes => quoted = true,
            }
        }
        self.pending.push(PendingHeredoc { token: self.tokens.len(), delimiter, strip_tabs });
        self.tokens.push(Token::Heredoc { range: start..self.pos, body: self.pos..self.pos, quoted });
    }

    /// Reads the bodies of the heredocs that the line just ended announced.
    fn heredoc_bodies(&mut self) {
        for heredoc in std::mem::take(&mut self.pending) {
            let start = self.pos;
            let mut end = None;
            while end.is_none() && self.pos < self.text.len() {
                let line_start = self.pos;
                let rest = self.slice(line_start..self.text.len());
                let line = rest.split_inclusive('\n').next().unwrap_or(rest);
                self.pos += line.len();
                let line = line.trim_end_matches('\n').trim_end_matches('\r');
                let line = if heredoc.strip_tabs { line.trim_start_matches('\t') } else { line };
                if line == heredoc.delimiter {
                    end = Some(line_start);
                }
            }
            self.incomplete |= end.is_none();
            if let Some(Token::Heredoc { body, .. }) = self.tokens.get_mut(heredoc.token) {
                *body = start..end.unwrap_or(self.pos);
            }
        }
    }

    fn word(&mut self) {
        let start = self.pos;
        let parts = self.parts(Mode::Word, 0);
        let text = self.slice(start..self.pos);
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && matches!(self.peek(), Some(b'<' | b'>')) {
            return self.redirection(start);
        }
        self.tokens.push(Token::Word(RawWord { range: start..self.pos, parts }));
    }
}
