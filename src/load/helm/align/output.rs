//! What an action can print, told from its pipeline alone: literal text, holes of a known shape, the body of a `define`.

use std::collections::HashMap;

use smol_str::SmolStr;

use super::super::template::{Command, Control, Expr, Node, Pipeline};
use crate::source::Span;

/// What an expression can print.
#[derive(Clone, Debug)]
pub(super) enum Output {
    /// This text.
    Text(String, Span),
    /// Some text.
    Hole(Shape, Span),
    /// All of these, one behind the other.
    All(Vec<Output>),
    /// One of these.
    Any(Vec<Output>),
    /// Its lines, each behind so many blanks.
    Indent(usize, Box<Output>),
    /// What a named template prints.
    Include(SmolStr, Span),
    /// Without the blanks and line breaks around it.
    Trim(Box<Output>),
}

/// Which texts fill a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A value, usually on one line.
    Word,
    /// On one line, certainly: what is quoted or encoded.
    Line,
    /// Any number of lines.
    Lines,
    /// Digits, maybe with a sign.
    Integer,
    /// Hexadecimal digits.
    Hex,
    /// The alphabet of base64.
    Base64,
}

impl Shape {
    /// Whether a byte can stand in it; line breaks apart.
    pub fn accepts(self, byte: u8) -> bool {
        match self {
            Shape::Word | Shape::Line | Shape::Lines => byte != b'\n',
            Shape::Integer => byte.is_ascii_digit() || byte == b'-',
            Shape::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Shape::Base64 => byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte),
        }
    }

    /// Whether it may go on behind a line break.
    pub fn breaks(self) -> bool {
        matches!(self, Shape::Word | Shape::Lines)
    }
}

/// What the names in a body stand for, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// What variables print.
    variables: HashMap<SmolStr, Output>,
    /// What `.` prints.
    dot: Option<Output>,
}

impl Scope {
    /// The scope of a body, with all variables that are set anywhere in it.
    pub fn of(nodes: &[Node]) -> Scope {
        let mut scope = Scope::default();
        scope.collect(nodes);
        scope
    }

    /// The scope inside `with`.
    pub fn with(&self, pipeline: &Pipeline) -> Scope {
        let dot = bounded(self::pipeline(pipeline, self), pipeline.span);
        Scope { variables: self.variables.clone(), dot: Some(dot) }
    }

    /// The scope inside `range`.
    pub fn range(&self) -> Scope {
        Scope { variables: self.variables.clone(), dot: None }
    }

    fn collect(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Action(action) => self.declare(&action.pipeline, false),
                Node::Branch(branch) => {
                    for arm in &branch.arms {
                        arm.pipeline
                            .iter()
                            .for_each(|pipeline| self.declare(pipeline, branch.control == Control::Range));
                        self.collect(&arm.body);
                    }
                }
                _ => {}
            }
        }
    }

    fn declare(&mut self, pipeline: &Pipeline, range: bool) {
        let Some(declaration) = &pipeline.declaration else { return };
        for variable in &declaration.variables {
            let mut value = bounded(self::pipeline(pipeline, self), variable.span);
            // Elements of a list, and a variable that is set in several places, may be anything of that kind.
            if let Some(before) = self.variables.get(&variable.name) {
                value = Output::Any(vec![before.clone(), value]);
            }
            if range || matches!(value, Output::Any(_)) {
                let shape = if has_lines(&value) { Shape::Lines } else { Shape::Word };
                value = Output::Hole(shape, variable.span);
            }
            self.variables.insert(variable.name.clone(), value);
        }
    }
}

/// Parts of a value that is kept under a name. Names that are made of names twice over would grow without end.
const MAX_PARTS: usize = 64;

fn bounded(value: Output, span: Span) -> Output {
    fn parts(value: &Output) -> usize {
        match value {
            Output::All(list) | Output::Any(list) => list.iter().map(parts).sum(),
            Output::Indent(_, inner) | Output::Trim(inner) => parts(inner),
            Output::Text(..) | Output::Hole(..) | Output::Include(..) => 1,
        }
    }
    if parts(&value) > MAX_PARTS { Output::Hole(Shape::Lines, span) } else { value }
}

/// What a name prints: what it was set to, where it is used.
fn named(value: Option<&Output>, span: Span) -> Output {
    match value {
        None => Output::Hole(Shape::Word, span),
        Some(Output::Hole(shape, _)) => Output::Hole(*shape, span),
        Some(known) => known.clone(),
    }
}

/// Functions of Helm and sprig whose result has lines, or may be anything.
fn gives_lines(function: &str) -> bool {
    matches!(
        function,
        "toYaml"
            | "toYamlPretty"
            | "mustToYaml"
            | "toToml"
            | "toPrettyJson"
            | "mustToPrettyJson"
            | "tpl"
            | "b64dec"
            | "fromYaml"
            | "genPrivateKey"
            | "wrap"
            | "wrapWith"
            | "buildCustomCert"
            | "derivePassword"
            | "join"
    )
}

/// What a pipeline prints.
pub(super) fn pipeline(pipeline: &Pipeline, scope: &Scope) -> Output {
    let mut value: Option<Output> = None;
    for command in &pipeline.commands {
        value = Some(call(command, value, scope));
    }
    value.unwrap_or(Output::Hole(Shape::Word, pipeline.span))
}

fn expression(expr: &Expr, scope: &Scope) -> Output {
    match expr {
        Expr::String { span, value, .. } => Output::Text(value.to_string(), *span),
        Expr::Number(number) if number.name.bytes().all(|b| b.is_ascii_digit()) && !number.name.starts_with('0') => {
            Output::Text(number.name.to_string(), number.span)
        }
        Expr::Bool { span, value } => Output::Text(value.to_string(), *span),
        Expr::Parenthesis { pipeline: inner, .. } => pipeline(inner, scope),
        Expr::Variable { name, path, span } if path.is_empty() => named(scope.variables.get(&name.name), *span),
        Expr::Dot(span) => named(scope.dot.as_ref(), *span),
        // `.Files.Get "x"` and the like are methods: the file may have any lines.
        Expr::Field { path, span } if path.first().is_some_and(|name| name.name == "Files") => {
            Output::Hole(Shape::Lines, *span)
        }
        Expr::Function(name) => function(name.name.as_str(), name.span, Vec::new(), &[]),
        other => Output::Hole(Shape::Word, other.span()),
    }
}

fn call(command: &Command, piped: Option<Output>, scope: &Scope) -> Output {
    let Some((name, arguments)) = command.function() else {
        return match command.arguments.split_first() {
            Some((only, [])) if piped.is_none() => expression(only, scope),
            // A method with its arguments, such as `.Files.Get "x"`.
            _ => Output::Hole(Shape::Lines, command.span),
        };
    };
    let mut values: Vec<Output> = arguments.iter().map(|argument| expression(argument, scope)).collect();
    values.extend(piped);
    function(name.name.as_str(), command.span, values, arguments)
}

/// What a function prints; `values` are its arguments, the piped one last, and `written` those that stand in the call.
fn function(name: &str, span: Span, mut values: Vec<Output>, written: &[Expr]) -> Output {
    match name {
        "include" => match written.first().and_then(Expr::as_str) {
            Some(name) => Output::Include(name.into(), span),
            None => Output::Hole(Shape::Lines, span),
        },
        "nindent" | "indent" => {
            let (Some(width), Some(value)) = (written.first().and_then(number), values.pop()) else {
                return Output::Hole(Shape::Lines, span);
            };
            let indented = Output::Indent(width, Box::new(several_lines(value)));
            if name == "indent" {
                return indented;
            }
            Output::All(vec![Output::Text("\n".into(), span), indented])
        }
        "quote" | "squote" => {
            let Some(value) = values.pop().filter(|_| values.is_empty()) else {
                return Output::Hole(Shape::Line, span);
            };
            let mark = if name == "quote" { "\"" } else { "'" };
            let mark = || Output::Text(mark.into(), span);
            // Nothing is printed for a value that is not there.
            let quoted = Output::All(vec![mark(), single_line(value, span), mark()]);
            Output::Any(vec![quoted, Output::Text(String::new(), span)])
        }
        "printf" => format(values, span),
        "default" | "coalesce" | "or" | "and" => Output::Any(values.into_iter().rev().collect()),
        "ternary" if values.len() == 3 => {
            values.truncate(2);
            Output::Any(values)
        }
        "required" | "toString" | "trim" => match values.pop() {
            Some(value) if name == "trim" => Output::Trim(Box::new(value)),
            Some(value) => value,
            None => Output::Hole(Shape::Word, span),
        },
        "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "not" | "has" | "hasKey" | "contains" | "empty" | "hasPrefix"
        | "hasSuffix" | "kindIs" | "typeIs" | "semverCompare" => {
            let word = |word: &str| Output::Text(word.into(), span);
            Output::Any(vec![word("true"), word("false")])
        }
        "int" | "int64" | "len" | "add" | "add1" | "sub" | "mul" | "div" | "mod" | "max" | "min" | "floor" | "ceil" => {
            Output::Hole(Shape::Integer, span)
        }
        "sha256sum" | "sha1sum" | "sha512sum" | "adler32sum" => Output::Hole(Shape::Hex, span),
        "b64enc" => Output::Hole(Shape::Base64, span),
        "toJson" | "mustToJson" | "toRawJson" => Output::Hole(Shape::Line, span),
        _ if gives_lines(name) => Output::Hole(Shape::Lines, span),
        // Of names, mostly, which a helper puts together.
        "trunc"
        | "trimSuffix"
        | "trimPrefix"
        | "trimAll"
        | "lower"
        | "upper"
        | "title"
        | "replace"
        | "nospace"
        | "regexReplaceAll"
        | "regexReplaceAllLiteral"
        | "abbrev"
        | "substr"
        | "kebabcase"
        | "camelcase"
        | "snakecase" => Output::Hole(Shape::Word, span),
        // What a function makes of several lines may have several lines.
        _ if values.iter().any(has_lines) => Output::Hole(Shape::Lines, span),
        _ => Output::Hole(Shape::Word, span),
    }
}

fn number(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Number(number) => number.name.parse().ok().filter(|&width| width <= 200),
        Expr::Parenthesis { pipeline, .. } => match pipeline.commands.as_slice() {
            [command] => command.arguments.first().filter(|_| command.arguments.len() == 1).and_then(number),
            _ => None,
        },
        _ => None,
    }
}

fn has_lines(value: &Output) -> bool {
    match value {
        Output::Text(text, _) => text.contains('\n'),
        Output::Hole(shape, _) => *shape == Shape::Lines,
        Output::All(list) | Output::Any(list) => list.iter().any(has_lines),
        Output::Indent(_, inner) | Output::Trim(inner) => has_lines(inner),
        // Mostly names; what prints lines is indented, where it counts.
        Output::Include(..) => false,
    }
}

/// A value that somebody indents: it is meant to have lines.
fn several_lines(value: Output) -> Output {
    match value {
        Output::Hole(Shape::Word, span) => Output::Hole(Shape::Lines, span),
        Output::Trim(inner) => Output::Trim(Box::new(several_lines(*inner))),
        Output::Any(list) => Output::Any(list.into_iter().map(several_lines).collect()),
        other => other,
    }
}

/// A value between quotes: escapes make one line of it.
fn single_line(value: Output, span: Span) -> Output {
    match value {
        Output::Hole(Shape::Word | Shape::Lines, span) => Output::Hole(Shape::Line, span),
        Output::Text(text, span) if text.contains(['\n', '"', '\\', '\'']) => Output::Hole(Shape::Line, span),
        Output::All(list) => Output::All(list.into_iter().map(|value| single_line(value, span)).collect()),
        Output::Any(list) => Output::Any(list.into_iter().map(|value| single_line(value, span)).collect()),
        Output::Indent(..) => Output::Hole(Shape::Line, span),
        other => other,
    }
}

/// `printf`: the text of the format with the arguments in their places.
fn format(mut values: Vec<Output>, span: Span) -> Output {
    if values.is_empty() {
        return Output::Hole(Shape::Lines, span);
    }
    let mut arguments = values.split_off(1).into_iter();
    let Some(Output::Text(format, place)) = values.pop() else { return Output::Hole(Shape::Lines, span) };
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            text.push('%');
            continue;
        }
        let mut plain = true;
        while let Some(c) = chars.peek() {
            match c {
                // An index or a width from the arguments: which argument goes where is not told here.
                '[' | '*' => return Output::Hole(Shape::Lines, span),
                '0'..='9' | '.' | '+' | '-' | ' ' | '#' => plain = false,
                _ => break,
            }
            chars.next();
        }
        parts.push(Output::Text(std::mem::take(&mut text), place));
        let value = arguments.next().unwrap_or(Output::Hole(Shape::Line, span));
        parts.push(match (chars.next(), value) {
            (Some('s' | 'v'), value) if plain => value,
            (Some('d'), Output::Hole(_, span)) if plain => Output::Hole(Shape::Integer, span),
            (Some('d'), value) if plain => value,
            (_, Output::Hole(_, span)) => Output::Hole(Shape::Line, span),
            _ => Output::Hole(Shape::Line, span),
        });
    }
    parts.push(Output::Text(text, place));
    if arguments.next().is_some() {
        // `%!(EXTRA …)`
        parts.push(Output::Hole(Shape::Lines, span));
    }
    Output::All(parts)
}
