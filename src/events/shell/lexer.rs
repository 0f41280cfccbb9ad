//! Cuts a script into words and operators; expansions are recognised here and resolved by the interpreter.

use std::ops::Range;

use crate::k8s::expansion::Expanded;

/// How deep `${A:-${B:-…}}` is followed; what lies deeper is opaque.
const DEPTH: usize = 16;

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
    /// `;`, `&` or a line's end.
    Sequence,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Word,
    Double,
    /// The word inside `${A:-word}`, outside of double quotes and inside.
    Brace,
    QuotedBrace,
}

impl Mode {
    fn quoted(self) -> bool {
        matches!(self, Mode::Double | Mode::QuotedBrace)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nest {
    Paren,
    Brace,
    Double,
    Backtick,
}

struct Lexer<'t> {
    map: &'t Expanded,
    text: &'t str,
    pos: usize,
    tokens: Vec<Token>,
    pending: Vec<PendingHeredoc>,
    arithmetic_tries: usize,
    incomplete: bool,
}

struct PendingHeredoc {
    token: usize,
    delimiter: String,
    strip_tabs: bool,
}

/// The tokens of a script, and whether a quote, an expansion or a heredoc was left open.
pub(super) fn tokens(map: &Expanded) -> (Vec<Token>, bool) {
    let mut lexer = Lexer {
        map,
        text: map.text(),
        pos: 0,
        tokens: Vec::new(),
        pending: Vec::new(),
        arithmetic_tries: ARITHMETIC_TRIES,
        incomplete: false,
    };
    lexer.run();
    (lexer.tokens, lexer.incomplete)
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
                b'&' => self.operator(Operator::Sequence, 1),
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
                Part::Verbatim(range) | Part::Opaque { range, .. } | Part::Variable { range, .. } => {
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

    /// Reads up to what ends `mode`, which is not consumed.
    fn parts(&mut self, mode: Mode, depth: usize) -> Vec<Part> {
        let start = self.pos;
        let mut parts = Vec::new();
        let mut plain = self.pos;
        while let Some(byte) = self.peek() {
            let stops = match mode {
                Mode::Double => byte == b'"',
                Mode::Brace | Mode::QuotedBrace => byte == b'}',
                Mode::Word => match byte {
                    b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'>' => true,
                    b'<' => {
                        let digits = self.slice(start..self.pos).bytes().all(|b| b.is_ascii_digit());
                        self.placeholder_end(digits).is_none()
                    }
                    b'\r' => self.looking_at("\r\n"),
                    _ => false,
                },
            };
            if stops {
                break;
            }
            let special = match byte {
                b'\\' | b'$' | b'`' => true,
                b'\'' => !mode.quoted(),
                b'"' => true,
                b'<' => mode == Mode::Word,
                _ => false,
            };
            if !special {
                self.pos += 1;
                continue;
            }
            let here = self.pos;
            if !self.special(byte, mode, depth, plain, &mut parts) {
                self.pos += 1;
                continue;
            }
            debug_assert!(self.pos > here);
            plain = self.pos;
        }
        if plain < self.pos {
            parts.push(Part::Verbatim(plain..self.pos));
        }
        parts
    }

    /// Reads the quote, escape or expansion here; false when the byte is no such thing after all. The plain text
    /// from `plain` on is pushed before it.
    fn special(&mut self, byte: u8, mode: Mode, depth: usize, plain: usize, parts: &mut Vec<Part>) -> bool {
        let start = self.pos;
        let flush = |parts: &mut Vec<Part>| {
            if plain < start {
                parts.push(Part::Verbatim(plain..start));
            }
        };
        match byte {
            b'\\' => {
                if let Some(length) = self.continuation() {
                    flush(parts);
                    self.pos += length;
                    return true;
                }
                let Some(next) = self.text.get(start + 1..).and_then(|rest| rest.chars().next()) else { return false };
                let escapes = match mode {
                    Mode::Word | Mode::Brace => true,
                    Mode::Double => matches!(next, '$' | '`' | '"' | '\\'),
                    Mode::QuotedBrace => matches!(next, '$' | '`' | '"' | '\\' | '}'),
                };
                if !escapes {
                    return false;
                }
                flush(parts);
                self.pos += 1 + next.len_utf8();
                parts.push(Part::Decoded { range: start..self.pos, text: next.to_string() });
            }
            b'\'' => {
                flush(parts);
                self.single_quotes(parts);
            }
            b'"' => {
                flush(parts);
                self.double_quotes(depth, parts);
            }
            b'`' => {
                flush(parts);
                self.pos += 1;
                self.skip(Nest::Backtick);
                parts.push(Part::Opaque { range: start..self.pos, splits: !mode.quoted() });
            }
            b'<' => {
                let Some(end) = self.placeholder_end(false) else { return false };
                flush(parts);
                self.pos = end;
                parts.push(Part::Opaque { range: start..end, splits: false });
            }
            _ => {
                let Some(mut part) = self.dollar(mode, depth) else { return false };
                flush(parts);
                parts.append(&mut part);
            }
        }
        true
    }

    fn single_quotes(&mut self, parts: &mut Vec<Part>) {
        parts.push(Part::Quotes);
        self.pos += 1;
        let mut plain = self.pos;
        loop {
            match self.peek() {
                None => {
                    self.incomplete = true;
                    break;
                }
                Some(b'\'') => break,
                Some(b'$') => match self.map.unknown_end(self.pos) {
                    Some(end) => {
                        parts.push(Part::Verbatim(plain..self.pos));
                        parts.push(Part::Opaque { range: self.pos..end, splits: false });
                        self.pos = end;
                        plain = end;
                    }
                    None => self.pos += 1,
                },
                Some(_) => self.pos += 1,
            }
        }
        parts.push(Part::Verbatim(plain..self.pos));
        if self.peek().is_some() {
            self.pos += 1;
        }
    }

    fn double_quotes(&mut self, depth: usize, parts: &mut Vec<Part>) {
        parts.push(Part::Quotes);
        self.pos += 1;
        parts.append(&mut self.parts(Mode::Double, depth));
        self.close();
    }

    /// Steps over the closing quote or brace, which is missing only at the end of the text.
    fn close(&mut self) {
        if self.peek().is_some() {
            self.pos += 1;
        } else {
            self.incomplete = true;
        }
    }

    /// The expansion that starts with the `$` here, or `None` when the `$` is only a character.
    fn dollar(&mut self, mode: Mode, depth: usize) -> Option<Vec<Part>> {
        let start = self.pos;
        let splits = !mode.quoted();
        if let Some(end) = self.map.unknown_end(start) {
            self.pos = end;
            return Some(vec![Part::Opaque { range: start..end, splits }]);
        }
        let splits = match self.peek_at(1)? {
            b'\'' if !mode.quoted() => return Some(self.ansi_quotes()),
            b'"' if !mode.quoted() => {
                let mut parts = Vec::new();
                self.pos += 1;
                self.double_quotes(depth, &mut parts);
                return Some(parts);
            }
            b'(' => {
                self.pos += 2;
                self.skip(Nest::Paren);
                splits
            }
            b'{' => return Some(vec![self.braces(mode, depth)]),
            byte if byte == b'_' || byte.is_ascii_alphabetic() => {
                self.pos += 1;
                let name = self.name();
                let range = start..self.pos;
                return Some(vec![Part::Variable { range, name, form: Form::Value, quoted: mode.quoted() }]);
            }
            byte @ (b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-' | b'0'..=b'9') => {
                self.pos += 2;
                splits || byte == b'@'
            }
            _ => return None,
        };
        Some(vec![Part::Opaque { range: start..self.pos, splits }])
    }

    fn name(&mut self) -> String {
        let start = self.pos;
        while self.peek().is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            self.pos += 1;
        }
        self.slice(start..self.pos).to_owned()
    }

    fn braces(&mut self, mode: Mode, depth: usize) -> Part {
        let start = self.pos;
        let quoted = mode.quoted();
        self.pos += 2;
        let name = self.name();
        let or_empty = self.peek() == Some(b':');
        let sign = self.peek_at(usize::from(or_empty));
        let named = name.starts_with(|c: char| !c.is_ascii_digit());
        let form = match sign {
            Some(b'}') if named && !or_empty => Form::Value,
            Some(sign @ (b'-' | b'=' | b'+' | b'?')) if named && depth < DEPTH => {
                self.pos += 1 + usize::from(or_empty);
                let inner = if quoted { Mode::QuotedBrace } else { Mode::Brace };
                let word = self.parts(inner, depth + 1);
                match sign {
                    b'-' | b'=' => Form::Default { word, or_empty, assigns: sign == b'=' },
                    b'+' => Form::Alternative { word, or_empty },
                    _ => Form::Value,
                }
            }
            _ => {
                // Lengths, substrings, patterns, arrays: `"${A[@]}"` can be any number of words.
                let many = matches!(self.text.get(self.pos..self.pos + 2), Some("[@")) || self.peek() == Some(b'@');
                self.skip(Nest::Brace);
                return Part::Opaque { range: start..self.pos, splits: !quoted || many };
            }
        };
        let closed = self.peek().is_some();
        self.close();
        let range = start..self.pos;
        if closed { Part::Variable { range, name, form, quoted } } else { Part::Opaque { range, splits: !quoted } }
    }

    /// `$'…'`, with the escapes of C.
    fn ansi_quotes(&mut self) -> Vec<Part> {
        let mut parts = vec![Part::Quotes];
        self.pos += 2;
        let mut plain = self.pos;
        loop {
            match self.peek() {
                None => {
                    self.incomplete = true;
                    parts.push(Part::Verbatim(plain..self.pos));
                    return parts;
                }
                Some(b'\'') => {
                    parts.push(Part::Verbatim(plain..self.pos));
                    self.pos += 1;
                    return parts;
                }
                Some(b'\\') => {
                    let start = self.pos;
                    let Some((text, length)) = self.text.get(start + 1..).and_then(ansi_escape) else {
                        self.pos += 1;
                        continue;
                    };
                    parts.push(Part::Verbatim(plain..start));
                    self.pos += 1 + length;
                    plain = self.pos;
                    parts.push(Part::Decoded { range: start..self.pos, text });
                }
                Some(b'$') if self.map.unknown_end(self.pos).is_some() => {
                    let end = self.map.unknown_end(self.pos).unwrap_or(self.pos + 1);
                    parts.push(Part::Verbatim(plain..self.pos));
                    parts.push(Part::Opaque { range: self.pos..end, splits: false });
                    self.pos = end;
                    plain = end;
                }
                Some(_) => self.pos += 1,
            }
        }
    }

    /// Goes behind the end of what was just opened. A stack and not recursion: the depth is the input's choice.
    fn skip(&mut self, opened: Nest) {
        let mut stack = vec![opened];
        let mut backtick = (opened == Nest::Backtick).then_some(0);
        while let Some(&top) = stack.last() {
            let Some(byte) = self.peek() else {
                self.incomplete = true;
                self.pos = self.text.len();
                return;
            };
            let before = self.pos.checked_sub(1).and_then(|at| self.text.as_bytes().get(at).copied());
            self.pos += 1;
            match (top, byte) {
                (_, b'\\') => {
                    self.pos += self.slice(self.pos..self.text.len()).chars().next().map_or(0, char::len_utf8)
                }
                (Nest::Paren, b')') | (Nest::Brace, b'}') | (Nest::Double, b'"') => drop(stack.pop()),
                (_, b'`') => match backtick.take() {
                    Some(at) => stack.truncate(at),
                    None => {
                        backtick = Some(stack.len());
                        stack.push(Nest::Backtick);
                    }
                },
                (_, b'"') => stack.push(Nest::Double),
                (_, b'$') if self.peek() == Some(b'(') => {
                    self.pos += 1;
                    stack.push(Nest::Paren);
                }
                (_, b'$') if self.peek() == Some(b'{') => {
                    self.pos += 1;
                    stack.push(Nest::Brace);
                }
                (Nest::Paren, b'(') => stack.push(Nest::Paren),
                (Nest::Paren | Nest::Brace | Nest::Backtick, b'\'') => {
                    self.pos += self.slice(self.pos..self.text.len()).find('\'').map_or(0, |at| at + 1);
                }
                (Nest::Paren, b'#') if matches!(before, Some(b' ' | b'\t' | b'\n' | b';' | b'(')) => {
                    self.pos = self.line_end();
                }
                _ => {}
            }
            if backtick.is_some_and(|at| at >= stack.len()) {
                backtick = None;
            }
        }
    }
}

/// What the escape after a backslash in `$'…'` stands for, and its length. `None`: the backslash is a character.
fn ansi_escape(rest: &str) -> Option<(String, usize)> {
    let first = rest.chars().next()?;
    let number = |skip: usize, radix: u32, most: usize| {
        let digits = rest.get(skip..)?.chars().take(most).take_while(|c| c.is_digit(radix)).count();
        let value = u32::from_str_radix(rest.get(skip..skip + digits)?, radix).ok()?;
        // Bytes that are not characters on their own are beyond what a manifest needs.
        Some((char::from_u32(value)?.to_string(), skip + digits))
    };
    let simple = |c: char| Some((c.to_string(), 1));
    match first {
        'n' => simple('\n'),
        't' => simple('\t'),
        'r' => simple('\r'),
        'a' => simple('\u{7}'),
        'b' => simple('\u{8}'),
        'e' | 'E' => simple('\u{1b}'),
        'f' => simple('\u{c}'),
        'v' => simple('\u{b}'),
        '\\' | '\'' | '"' | '?' => simple(first),
        'x' => number(1, 16, 2),
        'u' => number(1, 16, 4),
        'U' => number(1, 16, 8),
        '0'..='7' => number(0, 8, 3),
        _ => None,
    }
}
