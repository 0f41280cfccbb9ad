//! Pipelines: the grammar inside an action, after Go's `text/template/parse`.

use smol_str::SmolStr;

use super::MAX_DEPTH;
use super::ast::{Command, Declaration, Expr, Ident, Pipeline};
use super::lexer::{Kind, Token};
use crate::source::{FileId, Span};

/// Something that does not follow the grammar; offsets into the file.
#[derive(Clone, Debug)]
pub(super) struct Mistake {
    pub start: usize,
    pub end: usize,
    pub message: String,
}

/// A place among the tokens of one action.
pub(super) struct Cursor<'t> {
    file: FileId,
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
    /// Where the action's closing delimiter starts.
    close: usize,
    depth: usize,
}

type Parsed<T> = Result<T, Mistake>;

impl<'t> Cursor<'t> {
    pub fn new(file: FileId, text: &'t str, tokens: &'t [Token], close: usize) -> Cursor<'t> {
        Cursor { file, text, tokens, at: 0, close, depth: 0 }
    }

    /// All tokens as one pipeline; `range` may set two variables.
    pub fn whole_pipeline(&mut self, context: &str, range: bool) -> Parsed<Pipeline> {
        let pipeline = self.pipeline(context, range)?;
        match self.next_word() {
            None => Ok(pipeline),
            Some(token) => Err(self.unexpected(token)),
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end as u32)
    }

    fn slice(&self, token: Token) -> &'t str {
        self.text.get(token.start..token.end).unwrap_or("")
    }

    fn ident(&self, token: Token) -> Ident {
        Ident { name: SmolStr::new(self.slice(token)), span: self.span(token.start, token.end) }
    }

    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    /// The next token that is not a blank, which is not yet taken.
    fn next_word(&mut self) -> Option<Token> {
        while self.peek().is_some_and(|token| token.kind == Kind::Space) {
            self.at += 1;
        }
        self.peek()
    }

    fn unexpected(&self, token: Token) -> Mistake {
        let message = format!("`{}` is not expected here", self.slice(token).trim());
        Mistake { start: token.start, end: token.end, message }
    }

    fn pipeline(&mut self, context: &str, range: bool) -> Parsed<Pipeline> {
        let start = self.next_word().map_or(self.close, |token| token.start);
        let declaration = self.declaration(range)?;
        let mut commands: Vec<Command> = Vec::new();
        while let Some(token) = self.next_word().filter(|token| token.kind != Kind::RightParen) {
            commands.push(self.command(token)?);
            match self.next_word() {
                // Go takes a pipe that nothing follows.
                Some(token) if token.kind == Kind::Pipe => self.at += 1,
                _ => break,
            }
        }
        let Some(last) = commands.last() else {
            return Err(Mistake { start, end: self.close.max(start), message: format!("the {context} has no value") });
        };
        let end = last.span.end as usize;
        // Only the first of several can be a mere value.
        if let Some(command) = commands.iter().skip(1).find(|command| is_value(command)) {
            let message = "a value can't be passed to something that is not a function".into();
            let Span { start, end, .. } = command.span;
            return Err(Mistake { start: start as usize, end: end as usize, message });
        }
        Ok(Pipeline { span: self.span(start, end), declaration, commands })
    }

    /// `$x :=`, `$x =`, `$k, $v :=`, if that is what stands here.
    fn declaration(&mut self, range: bool) -> Parsed<Option<Declaration>> {
        let begin = self.at;
        let mut variables = Vec::new();
        let mut comma = false;
        while let Some(variable) = self.next_word().filter(|token| token.kind == Kind::Variable) {
            self.at += 1;
            variables.push(self.ident(variable));
            match self.next_word() {
                Some(token) if matches!(token.kind, Kind::Assign | Kind::Declare) => {
                    self.at += 1;
                    return Ok(Some(Declaration { variables, assigns: token.kind == Kind::Assign }));
                }
                Some(token) if token.kind == Kind::Comma => {
                    self.at += 1;
                    comma = true;
                    if !range || variables.len() > 1 {
                        let message = "there are too many variables for this".into();
                        return Err(Mistake { start: token.start, end: token.end, message });
                    }
                }
                _ => break,
            }
        }
        match variables.first() {
            // `$k, .x`: a comma has no other use.
            Some(first) if variables.len() > 1 || comma => {
                let start = first.span.start as usize;
                let message = "`range` can only set variables".into();
                Err(Mistake { start, end: first.span.end as usize, message })
            }
            _ => {
                self.at = begin;
                Ok(None)
            }
        }
    }

    fn command(&mut self, first: Token) -> Parsed<Command> {
        let mut arguments = Vec::new();
        let mut end = first.start;
        while let Some(token) = self.next_word() {
            let Some(operand) = self.operand(token)? else { break };
            end = operand.span().end as usize;
            arguments.push(operand);
            match self.peek().map(|token| token.kind) {
                None | Some(Kind::Space | Kind::Pipe | Kind::RightParen) => {}
                Some(_) => {
                    let token = self.peek().unwrap_or(first);
                    return Err(self.unexpected(token));
                }
            }
        }
        if arguments.is_empty() {
            return Err(self.unexpected(self.peek().unwrap_or(first)));
        }
        Ok(Command { span: self.span(first.start, end), arguments })
    }

    /// A term and the fields behind it; `None` when no operand stands here.
    fn operand(&mut self, token: Token) -> Parsed<Option<Expr>> {
        let Some(mut term) = self.term(token)? else { return Ok(None) };
        let mut fields = Vec::new();
        while let Some(field) = self.peek().filter(|token| token.kind == Kind::Field) {
            self.at += 1;
            fields.push(self.field(field));
        }
        let Some(last) = fields.last() else { return Ok(Some(term)) };
        let whole = term.span().to(last.span);
        match &mut term {
            Expr::Field { span, path } | Expr::Variable { span, path, .. } => {
                path.append(&mut fields);
                *span = whole;
                Ok(Some(term))
            }
            Expr::Parenthesis { .. } | Expr::Function(_) | Expr::Chain { .. } => {
                Ok(Some(Expr::Chain { span: whole, base: Box::new(term), path: fields }))
            }
            _ => Err(Mistake {
                start: whole.start as usize,
                end: whole.end as usize,
                message: "a literal has no fields".into(),
            }),
        }
    }

    fn field(&self, token: Token) -> Ident {
        self.ident(Token { start: token.start + 1, ..token })
    }

    fn term(&mut self, token: Token) -> Parsed<Option<Expr>> {
        let span = self.span(token.start, token.end);
        let term = match token.kind {
            Kind::Identifier => Expr::Function(self.ident(token)),
            Kind::Dot => Expr::Dot(span),
            Kind::Nil => Expr::Nil(span),
            Kind::Variable => Expr::Variable { span, name: self.ident(token), path: Vec::new() },
            Kind::Field => Expr::Field { span, path: vec![self.field(token)] },
            Kind::Bool => Expr::Bool { span, value: self.slice(token) == "true" },
            Kind::Number => Expr::Number(self.ident(token)),
            Kind::Char => Expr::Char(self.ident(token)),
            Kind::String | Kind::RawString => {
                let raw = token.kind == Kind::RawString;
                let Some(value) = unquote(self.slice(token)) else {
                    let message = "the string has an escape that does not exist".into();
                    return Err(Mistake { start: token.start, end: token.end, message });
                };
                Expr::String { span, value: value.into(), raw }
            }
            Kind::LeftParen => return self.parenthesis(token).map(Some),
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(term))
    }

    fn parenthesis(&mut self, open: Token) -> Parsed<Expr> {
        if self.depth >= MAX_DEPTH {
            let message = format!("this is nested deeper than {MAX_DEPTH} levels");
            return Err(Mistake { start: open.start, end: open.end, message });
        }
        self.depth += 1;
        self.at += 1;
        let pipeline = self.pipeline("parenthesis", false)?;
        self.depth -= 1;
        match self.next_word() {
            Some(close) if close.kind == Kind::RightParen => {
                self.at += 1;
                Ok(Expr::Parenthesis { span: self.span(open.start, close.end), pipeline })
            }
            Some(token) => Err(self.unexpected(token)),
            None => Err(Mistake { start: open.start, end: open.end, message: "this parenthesis is not closed".into() }),
        }
    }
}

/// Whether a command is a literal or dot, which can't take an argument.
fn is_value(command: &Command) -> bool {
    use Expr::{Bool, Char, Dot, Nil, Number, String};
    matches!(command.arguments.first(), Some(Bool { .. } | Char(_) | Dot(_) | Nil(_) | Number(_) | String { .. }))
}

/// The text of a quoted literal, as Go's `strconv.Unquote` reads it. Bytes that are not UTF-8 are replaced.
pub(super) fn unquote(literal: &str) -> Option<String> {
    let mut chars = literal.chars();
    let quote = chars.next()?;
    if chars.next_back() != Some(quote) {
        return None;
    }
    let body = chars.as_str();
    if quote == '`' {
        // Go drops carriage returns from raw strings.
        return Some(body.replace('\r', ""));
    }
    let mut out: Vec<u8> = Vec::with_capacity(body.len());
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = chars.next()?;
        let simple = match escape {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            '\\' => b'\\',
            c if c == quote => c as u8,
            _ => 0,
        };
        if simple != 0 {
            out.push(simple);
            continue;
        }
        let (digits, radix) = match escape {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (3, 8),
            _ => return None,
        };
        let bytes = digits < 4;
        // The first of three octal digits is part of the number.
        let rest = chars.as_str();
        let start = literal.len() - 1 - rest.len() - usize::from(radix == 8);
        let number = literal.get(start..start + digits)?;
        let value = u32::from_str_radix(number, radix).ok().filter(|_| !number.starts_with(['+', '-']))?;
        if bytes {
            out.push(u8::try_from(value).ok()?);
        } else {
            out.extend_from_slice(char::from_u32(value)?.encode_utf8(&mut [0; 4]).as_bytes());
        }
        chars = literal.get(start + digits..literal.len() - 1)?.chars();
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}
