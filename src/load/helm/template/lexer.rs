//! The tokens of one action, as Go's `text/template/parse` cuts them.

/// A token's bytes, as offsets into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Assign,
    Bool,
    Char,
    Comma,
    Declare,
    Dot,
    /// With its dot.
    Field,
    Identifier,
    Keyword(Keyword),
    LeftParen,
    Nil,
    Number,
    Pipe,
    RawString,
    RightParen,
    Space,
    String,
    /// With its `$`.
    Variable,
    /// A printable character that nothing uses.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
}

impl Keyword {
    fn parse(word: &str) -> Option<Keyword> {
        Some(match word {
            "block" => Keyword::Block,
            "break" => Keyword::Break,
            "continue" => Keyword::Continue,
            "define" => Keyword::Define,
            "else" => Keyword::Else,
            "end" => Keyword::End,
            "if" => Keyword::If,
            "range" => Keyword::Range,
            "template" => Keyword::Template,
            "with" => Keyword::With,
            _ => return None,
        })
    }
}

/// An action, cut up.
#[derive(Debug)]
pub(super) struct Lexed {
    pub tokens: Vec<Token>,
    /// Where the delimiter that closes the action starts, its trim mark included.
    pub close: usize,
    /// Offset after `}}`.
    pub end: usize,
    pub trims_after: bool,
    /// Where reading stopped, and why; the tokens before it stand.
    pub problem: Option<(usize, usize, String)>,
}

/// The blanks of Go's lexer, which trimming takes away.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether an action that starts with `{{` before `at` trims what stands before it.
pub(super) fn trims_before(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    bytes.get(at) == Some(&b'-') && bytes.get(at + 1).copied().is_some_and(is_space)
}

/// The offset after a delimiter that closes an action at `at`, and whether it trims.
pub(super) fn right_delimiter(text: &str, at: usize) -> Option<(usize, bool)> {
    let rest = text.as_bytes().get(at..)?;
    if rest.starts_with(b"}}") {
        return Some((at + 2, false));
    }
    let (first, rest) = rest.split_first()?;
    (is_space(*first) && rest.starts_with(b"-}}")).then_some((at + 4, true))
}

/// Cuts the action whose tokens start at `start`, behind `{{` and its trim mark.
pub(super) fn action(text: &str, start: usize) -> Lexed {
    let mut lexer = Lexer { text, pos: start, parens: 0, tokens: Vec::new() };
    match lexer.run() {
        Ok((close, end, trims_after)) => Lexed { tokens: lexer.tokens, close, end, trims_after, problem: None },
        Err(message) => {
            let from = lexer.tokens.last().map_or(start, |token| token.end);
            let at = lexer.pos.min(text.len());
            // What follows the mistake is not read; the next delimiter is taken for the action's.
            let found = text.as_bytes().get(from..).and_then(|rest| rest.windows(2).position(|w| w == b"}}"));
            let end = found.map_or(text.len(), |offset| from + offset + 2);
            let trims_after = found.is_some() && end >= from + 4 && right_delimiter(text, end - 4) == Some((end, true));
            let close = if found.is_none() { end } else { end - if trims_after { 4 } else { 2 } };
            let problem = Some((from.min(at), at.min(end).max(from.min(at)), message));
            Lexed { tokens: lexer.tokens, close, end, trims_after, problem }
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    pos: usize,
    parens: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.pos..)?.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.tokens.push(Token { kind, start, end: self.pos });
    }

    fn run(&mut self) -> Result<(usize, usize, bool), String> {
        loop {
            if let Some((end, trims)) = right_delimiter(self.text, self.pos) {
                if self.parens > 0 {
                    return Err("a parenthesis is not closed".into());
                }
                return Ok((self.pos, end, trims));
            }
            let start = self.pos;
            let Some(c) = self.bump() else { return Err("the action is not closed".into()) };
            let kind = match c {
                ' ' | '\t' | '\r' | '\n' => {
                    while self.peek().is_some_and(|c| c.is_ascii() && is_space(c as u8))
                        && right_delimiter(self.text, self.pos).is_none()
                    {
                        self.pos += 1;
                    }
                    Kind::Space
                }
                '=' => Kind::Assign,
                ':' => match self.bump() {
                    Some('=') => Kind::Declare,
                    _ => return Err("`:=` was expected".into()),
                },
                '|' => Kind::Pipe,
                ',' => Kind::Comma,
                '"' => self.quoted('"', "the string is not closed").map(|()| Kind::String)?,
                '\'' => self.quoted('\'', "the character is not closed").map(|()| Kind::Char)?,
                '`' => self.raw()?,
                '$' => self.word().map(|()| Kind::Variable)?,
                '.' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => {
                    self.word()?;
                    if self.pos == start + 1 { Kind::Dot } else { Kind::Field }
                }
                '.' | '+' | '-' | '0'..='9' => {
                    self.pos = start;
                    self.number()?
                }
                '(' => {
                    self.parens += 1;
                    Kind::LeftParen
                }
                ')' => {
                    self.parens = self.parens.checked_sub(1).ok_or("a parenthesis is closed that was not opened")?;
                    Kind::RightParen
                }
                c if is_word(c) => {
                    self.word()?;
                    let word = self.text.get(start..self.pos).unwrap_or("");
                    match word {
                        "true" | "false" => Kind::Bool,
                        "nil" => Kind::Nil,
                        _ => Keyword::parse(word).map_or(Kind::Identifier, Kind::Keyword),
                    }
                }
                c if c.is_ascii_graphic() => Kind::Other,
                _ => return Err("this character can't stand in an action".into()),
            };
            self.push(kind, start);
        }
    }

    /// The rest of a word, and the check that what follows ends it.
    fn word(&mut self) -> Result<(), String> {
        while self.peek().is_some_and(is_word) {
            self.bump();
        }
        if self.at_terminator() {
            return Ok(());
        }
        let bad = self.bump().unwrap_or_default();
        Err(format!("`{bad}` can't follow a name without a blank"))
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.text.get(self.pos..).is_some_and(|rest| rest.starts_with("}}")),
        }
    }

    fn quoted(&mut self, quote: char, message: &str) -> Result<(), String> {
        loop {
            match self.bump() {
                Some('\\') if !matches!(self.peek(), None | Some('\n')) => {
                    self.bump();
                }
                None | Some('\n' | '\\') => return Err(message.into()),
                Some(c) if c == quote => return Ok(()),
                Some(_) => {}
            }
        }
    }

    fn raw(&mut self) -> Result<Kind, String> {
        let rest = self.text.get(self.pos..).unwrap_or("");
        let Some(length) = rest.find('`') else {
            self.pos = self.text.len();
            return Err("the string is not closed".into());
        };
        self.pos += length + 1;
        Ok(Kind::RawString)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let found = self.peek().is_some_and(|c| valid.contains(c));
        if found {
            self.pos += 1;
        }
        found
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn number(&mut self) -> Result<Kind, String> {
        let start = self.pos;
        self.scan_number()?;
        if matches!(self.peek(), Some('+' | '-')) {
            self.scan_number()?;
            if !self.text.get(start..self.pos).is_some_and(|number| number.ends_with('i')) {
                return Err("this is not a number".into());
            }
        }
        // A sign alone passes the scanner of Go, and fails when its value is taken.
        let digits = self.text.get(start..self.pos).is_some_and(|number| number.contains(|c: char| c.is_ascii_digit()));
        if digits { Ok(Kind::Number) } else { Err("this is not a number".into()) }
    }

    fn scan_number(&mut self) -> Result<(), String> {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_word) {
            self.bump();
            return Err("this is not a number".into());
        }
        Ok(())
    }
}

/// What names consist of. Go asks for a letter or digit of Unicode, which differs from this in a few marks.
fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
