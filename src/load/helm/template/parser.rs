//! Tags to control structures. A mistake becomes a [`Problem`] and reading goes on behind its tag.

use super::ast::{Action, Arm, Block, Branch, Call, Control, Define, Name, Node, Pipeline, Tag, Text};
use super::expression::{Cursor, Mistake};
use super::lexer::{self, Keyword, Kind, Lexed, Token};
use super::{MAX_DEPTH, Problem};
use crate::source::{FileId, Span};

/// Reads a whole file.
pub(super) fn parse(file: FileId, text: &str) -> (Vec<Node>, Vec<Problem>) {
    let mut parser = Parser { file, text, pos: 0, trimmed: false, depth: 0, ranges: 0, problems: Vec::new() };
    let mut nodes = Vec::new();
    loop {
        match parser.list(&mut nodes) {
            Stop::Eof => return (nodes, parser.problems),
            Stop::End(tag) => {
                parser.problem(tag.span, "`end` without anything to end");
                nodes.push(Node::Broken(tag));
            }
            Stop::Else(tag, _) => {
                parser.problem(tag.span, "`else` without `if`, `with` or `range`");
                nodes.push(Node::Broken(tag));
            }
        }
    }
}

struct Parser<'t> {
    file: FileId,
    text: &'t str,
    pos: usize,
    /// The tag before `pos` trims what follows.
    trimmed: bool,
    depth: usize,
    /// How many `range` are open in this template.
    ranges: usize,
    problems: Vec<Problem>,
}

/// Why a list of nodes ended.
enum Stop {
    Eof,
    End(Tag),
    /// With the tokens behind `else`.
    Else(Tag, Tokens),
}

/// What stands in an action, without the first keyword.
struct Tokens {
    tokens: Vec<Token>,
    close: usize,
    problem: Option<Mistake>,
}

impl Parser<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end as u32)
    }

    fn problem(&mut self, span: Span, message: impl Into<String>) {
        self.problems.push(Problem { span, message: message.into() });
    }

    fn mistake(&mut self, mistake: Mistake) {
        let span = self.span(mistake.start, mistake.end);
        self.problem(span, mistake.message);
    }

    /// Reads nodes up to `end`, `else` or the end of the file.
    fn list(&mut self, nodes: &mut Vec<Node>) -> Stop {
        loop {
            let rest = self.text.get(self.pos..).unwrap_or("");
            if rest.is_empty() {
                return Stop::Eof;
            }
            let length = rest.find("{{").unwrap_or(rest.len());
            if length > 0 {
                nodes.push(Node::Text(self.literal(length)));
                continue;
            }
            if let Some(stop) = self.tag(nodes) {
                return stop;
            }
        }
    }

    /// The text of `length` bytes from here.
    fn literal(&mut self, length: usize) -> Text {
        let (start, end) = (self.pos, self.pos + length);
        let bytes = self.text.as_bytes();
        let blank = |at: &usize| bytes.get(*at).copied().is_some_and(lexer::is_space);
        let (mut first, mut last) = (start, end);
        if self.trimmed {
            first = (start..end).find(|at| !blank(at)).unwrap_or(end);
        }
        if end < bytes.len() && lexer::trims_before(self.text, end + 2) {
            last = (first..end).rev().find(|at| !blank(at)).map_or(first, |at| at + 1);
        }
        self.pos = end;
        self.trimmed = false;
        Text { span: self.span(start, end), kept: self.span(first, last) }
    }

    /// Reads the tag that starts here and what it opens.
    fn tag(&mut self, nodes: &mut Vec<Node>) -> Option<Stop> {
        let start = self.pos;
        let trims_before = lexer::trims_before(self.text, start + 2);
        let inside = start + 2 + if trims_before { 2 } else { 0 };
        if self.text.get(inside..).is_some_and(|rest| rest.starts_with("/*")) {
            let node = self.comment(start, inside, trims_before);
            nodes.push(node);
            return None;
        }
        let Lexed { mut tokens, close, end, trims_after, problem } = lexer::action(self.text, inside);
        let tag = Tag { span: self.span(start, end), trims_before, trims_after };
        self.pos = end;
        self.trimmed = trims_after;
        let problem = problem.map(|(start, end, message)| Mistake { start, end, message });
        let first = tokens.iter().position(|token| token.kind != Kind::Space);
        let keyword = match first.and_then(|at| tokens.get(at)).map(|token| token.kind) {
            Some(Kind::Keyword(keyword)) => {
                tokens.drain(..=first.unwrap_or(0));
                Some(keyword)
            }
            _ => None,
        };
        let tokens = Tokens { tokens, close, problem };
        match keyword {
            Some(Keyword::End) => {
                self.nothing_else(tokens, "`end`");
                return Some(Stop::End(tag));
            }
            Some(Keyword::Else) => return Some(Stop::Else(tag, tokens)),
            _ => {}
        }
        let node = self.node(tag, keyword, tokens);
        nodes.push(node);
        None
    }

    /// The node that a tag stands for, and what belongs to it.
    fn node(&mut self, tag: Tag, keyword: Option<Keyword>, tokens: Tokens) -> Node {
        match keyword {
            None => match self.pipeline(tokens, "action", false) {
                Some(pipeline) => Node::Action(Action { tag, pipeline }),
                None => Node::Broken(tag),
            },
            Some(Keyword::If) => self.branch(Control::If, tag, tokens),
            Some(Keyword::With) => self.branch(Control::With, tag, tokens),
            Some(Keyword::Range) => self.branch(Control::Range, tag, tokens),
            Some(Keyword::Define) => self.define(tag, tokens),
            Some(Keyword::Block) => self.block(tag, tokens),
            Some(Keyword::Template) => self.call(tag, tokens),
            Some(Keyword::Break) => self.leave(tag, tokens, "break").map_or(Node::Broken(tag), Node::Break),
            Some(Keyword::Continue) => self.leave(tag, tokens, "continue").map_or(Node::Broken(tag), Node::Continue),
            // The caller has taken these two.
            Some(Keyword::End | Keyword::Else) => Node::Broken(tag),
        }
    }

    fn comment(&mut self, start: usize, inside: usize, trims_before: bool) -> Node {
        let body = self.text.get(inside + 2..).unwrap_or("");
        let Some(length) = body.find("*/") else {
            // Everything behind it would be a guess.
            self.pos = self.text.len();
            self.trimmed = false;
            let span = self.span(start, self.pos);
            self.problem(self.span(start, inside + 2), "the comment is not closed");
            return Node::Broken(Tag { span, trims_before, trims_after: false });
        };
        let closed = inside + 2 + length + 2;
        if let Some((end, trims_after)) = lexer::right_delimiter(self.text, closed) {
            self.pos = end;
            self.trimmed = trims_after;
            return Node::Comment(Tag { span: self.span(start, end), trims_before, trims_after });
        }
        self.problem(self.span(start, closed), "`}}` must follow the end of a comment");
        let found = self.text.get(closed..).and_then(|rest| rest.find("}}"));
        self.pos = found.map_or(self.text.len(), |offset| closed + offset + 2);
        self.trimmed = false;
        Node::Broken(Tag { span: self.span(start, self.pos), trims_before, trims_after: false })
    }

    fn pipeline(&mut self, tokens: Tokens, context: &str, range: bool) -> Option<Pipeline> {
        self.pipeline_from(&tokens, 0, context, range)
    }

    fn pipeline_from(&mut self, tokens: &Tokens, at: usize, context: &str, range: bool) -> Option<Pipeline> {
        if let Some(problem) = &tokens.problem {
            self.mistake(problem.clone());
            return None;
        }
        let mut cursor = Cursor::new(self.file, self.text, tokens.tokens.get(at..).unwrap_or(&[]), tokens.close);
        match cursor.whole_pipeline(context, range) {
            Ok(pipeline) => Some(pipeline),
            Err(mistake) => {
                self.mistake(mistake);
                None
            }
        }
    }

    /// Complains about what stands behind a keyword that takes nothing.
    fn nothing_else(&mut self, tokens: Tokens, what: &str) -> bool {
        if let Some(problem) = tokens.problem {
            self.mistake(problem);
            return false;
        }
        let mut words = tokens.tokens.iter().filter(|token| token.kind != Kind::Space);
        let Some(first) = words.next() else { return true };
        let span = self.span(first.start, words.next_back().unwrap_or(first).end);
        self.problem(span, format!("nothing can follow {what}"));
        false
    }

    fn leave(&mut self, tag: Tag, tokens: Tokens, keyword: &str) -> Option<Tag> {
        if !self.nothing_else(tokens, &format!("`{keyword}`")) {
            return None;
        }
        if self.ranges == 0 {
            self.problem(tag.span, format!("`{keyword}` outside `range`"));
            return None;
        }
        Some(tag)
    }

    /// Reads what a tag opens, up to its `end` or `else`.
    fn body(&mut self, opened: Tag) -> (Vec<Node>, Stop) {
        let mut body = Vec::new();
        self.depth += 1;
        let stop = self.list(&mut body);
        self.depth -= 1;
        if matches!(stop, Stop::Eof) {
            self.problem(opened.span, "there is no `end` for this");
        }
        (body, stop)
    }

    /// Whether one more level can be opened.
    fn can_open(&mut self, tag: Tag) -> bool {
        let fits = self.depth < MAX_DEPTH;
        if !fits {
            self.problem(tag.span, format!("this is nested deeper than {MAX_DEPTH} levels"));
        }
        fits
    }

    fn branch(&mut self, control: Control, tag: Tag, tokens: Tokens) -> Node {
        if !self.can_open(tag) {
            return Node::Broken(tag);
        }
        let word = match control {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        };
        let is_range = control == Control::Range;
        let pipeline = self.pipeline(tokens, word, is_range);
        let mut arms = Vec::new();
        let mut open = Arm { tag, broken: pipeline.is_none(), pipeline, body: Vec::new() };
        let end = loop {
            // `break` in the `else` of a range belongs to the range around it.
            let counts = usize::from(is_range && arms.is_empty());
            self.ranges += counts;
            let (body, stop) = self.body(open.tag);
            self.ranges -= counts;
            open.body = body;
            let last_is_else = open.is_else();
            arms.push(open);
            match stop {
                Stop::Eof => break None,
                Stop::End(tag) => break Some(tag),
                Stop::Else(tag, tokens) => {
                    if last_is_else {
                        self.problem(tag.span, "there is an `else` already");
                    }
                    open = self.other_arm(control, tag, tokens, word);
                }
            }
        };
        Node::Branch(Branch { control, arms, end })
    }

    /// `else`, `else if …` or `else with …`, which only the same control structure may have.
    fn other_arm(&mut self, control: Control, tag: Tag, tokens: Tokens, word: &str) -> Arm {
        let arm = |pipeline: Option<Pipeline>, broken| Arm { tag, pipeline, broken, body: Vec::new() };
        let first = tokens.tokens.iter().position(|token| token.kind != Kind::Space);
        let second = first.and_then(|at| tokens.tokens.get(at).map(|token| (at, token.kind)));
        match (second, control) {
            (Some((at, Kind::Keyword(Keyword::If))), Control::If)
            | (Some((at, Kind::Keyword(Keyword::With))), Control::With) => {
                let pipeline = self.pipeline_from(&tokens, at + 1, word, false);
                let broken = pipeline.is_none();
                arm(pipeline, broken)
            }
            _ => {
                let fine = self.nothing_else(tokens, "`else`");
                arm(None, !fine)
            }
        }
    }

    /// The quoted name at the start of the tokens, and the index of the token behind it.
    fn name(&mut self, tokens: &Tokens, tag: Tag, keyword: &str) -> Option<(Name, usize)> {
        let first = tokens.tokens.iter().position(|token| token.kind != Kind::Space);
        let token = first.and_then(|at| tokens.tokens.get(at));
        let (Some(at), Some(token)) = (first, token) else {
            match &tokens.problem {
                Some(problem) => self.mistake(problem.clone()),
                None => self.problem(tag.span, format!("`{keyword}` needs a quoted name")),
            }
            return None;
        };
        let span = self.span(token.start, token.end);
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            self.problem(span, format!("`{keyword}` needs a quoted name"));
            return None;
        }
        match super::expression::unquote(self.text.get(token.start..token.end).unwrap_or("")) {
            Some(text) => Some((Name { text: text.into(), span }, at + 1)),
            None => {
                self.problem(span, "the string has an escape that does not exist");
                None
            }
        }
    }

    /// Drops the tokens before `at`.
    fn behind(mut tokens: Tokens, at: usize) -> Tokens {
        tokens.tokens.drain(..at.min(tokens.tokens.len()));
        tokens
    }

    /// Reads a body that ends with `end` and has no `else`.
    fn definition(&mut self, tag: Tag) -> (Vec<Node>, Option<Tag>) {
        // A template of its own: a `range` around it is not one that it could leave.
        let ranges = std::mem::take(&mut self.ranges);
        let (mut body, mut stop) = self.body(tag);
        while let Stop::Else(tag, _) = stop {
            self.problem(tag.span, "`else` without `if`, `with` or `range`");
            body.push(Node::Broken(tag));
            self.depth += 1;
            stop = self.list(&mut body);
            self.depth -= 1;
        }
        self.ranges = ranges;
        let end = if let Stop::End(tag) = stop { Some(tag) } else { None };
        (body, end)
    }

    fn define(&mut self, tag: Tag, tokens: Tokens) -> Node {
        if !self.can_open(tag) {
            return Node::Broken(tag);
        }
        if self.depth > 0 {
            self.problem(tag.span, "`define` is only possible at the top of a file");
        }
        let name = self.name(&tokens, tag, "define").map(|(name, at)| {
            self.nothing_else(Self::behind(tokens, at), "the name of a `define`");
            name
        });
        let name = name.unwrap_or(Name { text: "".into(), span: tag.span.tail() });
        let (body, end) = self.definition(tag);
        Node::Define(Define { tag, name, body, end })
    }

    fn block(&mut self, tag: Tag, tokens: Tokens) -> Node {
        if !self.can_open(tag) {
            return Node::Broken(tag);
        }
        let named = self.name(&tokens, tag, "block");
        let read = named.and_then(|(name, at)| {
            self.pipeline(Self::behind(tokens, at), "block", false).map(|pipeline| (name, pipeline))
        });
        let (body, end) = self.definition(tag);
        let (name, pipeline) = read.unwrap_or_else(|| {
            let span = tag.span.tail();
            (Name { text: "".into(), span }, Pipeline { span, declaration: None, commands: Vec::new() })
        });
        Node::Block(Block { tag, name, pipeline, body, end })
    }

    fn call(&mut self, tag: Tag, tokens: Tokens) -> Node {
        let Some((name, at)) = self.name(&tokens, tag, "template") else { return Node::Broken(tag) };
        let tokens = Self::behind(tokens, at);
        if tokens.problem.is_none() && tokens.tokens.iter().all(|token| token.kind == Kind::Space) {
            return Node::Call(Call { tag, name, pipeline: None });
        }
        match self.pipeline(tokens, "template", false) {
            Some(pipeline) => Node::Call(Call { tag, name, pipeline: Some(pipeline) }),
            None => Node::Broken(tag),
        }
    }
}
