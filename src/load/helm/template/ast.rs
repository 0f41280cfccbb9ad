//! What a template consists of. Every part carries the span of its bytes in the template's file.

use smol_str::SmolStr;

use crate::source::Span;

/// One piece of a template's body, in the order of the text.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Text between actions.
    Text(Text),
    /// `{{/* … */}}`: prints nothing.
    Comment(Tag),
    /// `{{ pipeline }}`: prints its value, or declares or assigns a variable and prints nothing.
    Action(Action),
    /// `{{ if }}`, `{{ with }}` or `{{ range }}`, up to its `{{ end }}`.
    Branch(Branch),
    /// `{{ define "name" }} … {{ end }}`: prints nothing where it stands. Only at the top of a file.
    Define(Define),
    /// `{{ block "name" pipeline }} … {{ end }}`: defines a template and prints it where it stands.
    Block(Block),
    /// `{{ template "name" pipeline }}`.
    Call(Call),
    /// `{{ break }}`.
    Break(Tag),
    /// `{{ continue }}`.
    Continue(Tag),
    /// A tag that can't be read; what is wrong with it stands in [`super::Template::problems`].
    Broken(Tag),
}

/// Text between actions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Text {
    /// The text as it stands in the file.
    pub span: Span,
    /// What is printed of it: the text without the blanks that `-}}` before it and `{{-` after it trim away.
    pub kept: Span,
}

/// The bytes of an action from `{{` to `}}`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tag {
    /// Both delimiters and all between them.
    pub span: Span,
    /// It starts with `{{-`: blanks and line breaks before it are not printed.
    pub trims_before: bool,
    /// It ends with `-}}`: blanks and line breaks after it are not printed.
    pub trims_after: bool,
}

/// `{{ pipeline }}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Its bytes.
    pub tag: Tag,
    /// What is evaluated.
    pub pipeline: Pipeline,
}

impl Action {
    /// Whether it prints its value: one that declares or assigns a variable prints nothing.
    pub fn prints(&self) -> bool {
        self.pipeline.declaration.is_none()
    }
}

/// The keyword that opens a [`Branch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// `if`: at most one arm is printed, and dot stays what it is.
    If,
    /// `with`: as `if`, and dot is the value of the arm's pipeline.
    With,
    /// `range`: the first arm once for each element, dot being the element; the `else` arm where there is none.
    Range,
}

/// A control structure with all its arms.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The keyword.
    pub control: Control,
    /// The first arm, each `else if` or `else with`, and the `else`, in this order.
    pub arms: Vec<Arm>,
    /// `{{ end }}`; `None` where the file ends before it, which is a problem of the template.
    pub end: Option<Tag>,
}

impl Branch {
    /// Whether one of the arms is printed whatever the values.
    pub fn has_else(&self) -> bool {
        self.arms.last().is_some_and(|arm| arm.is_else())
    }
}

/// One arm of a [`Branch`].
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// The tag that opens it.
    pub tag: Tag,
    /// What decides over it; `None` for a plain `else`, and where it can't be read (`broken`).
    pub pipeline: Option<Pipeline>,
    /// Its pipeline can't be read.
    pub broken: bool,
    /// What it prints.
    pub body: Vec<Node>,
}

impl Arm {
    /// Whether this is a plain `{{ else }}`.
    pub fn is_else(&self) -> bool {
        self.pipeline.is_none() && !self.broken
    }
}

/// A quoted name, as in `{{ define "name" }}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The name, decoded.
    pub text: SmolStr,
    /// Its bytes, with the quotes.
    pub span: Span,
}

/// `{{ define "name" }} … {{ end }}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Define {
    /// The tag that opens it.
    pub tag: Tag,
    /// What it is called by.
    pub name: Name,
    /// What it prints.
    pub body: Vec<Node>,
    /// `{{ end }}`.
    pub end: Option<Tag>,
}

/// `{{ block "name" pipeline }} … {{ end }}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The tag that opens it.
    pub tag: Tag,
    /// What it is called by elsewhere.
    pub name: Name,
    /// What dot is inside.
    pub pipeline: Pipeline,
    /// What it prints.
    pub body: Vec<Node>,
    /// `{{ end }}`.
    pub end: Option<Tag>,
}

/// `{{ template "name" pipeline }}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its bytes.
    pub tag: Tag,
    /// The template to print.
    pub name: Name,
    /// What dot is inside; `nil` without it.
    pub pipeline: Option<Pipeline>,
}

/// Commands joined by `|`, each value being the last argument of the next command.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// From the first to the last byte of it, without parentheses and without blanks around it.
    pub span: Span,
    /// `$x :=`, `$x =` or `$k, $v :=` before it.
    pub declaration: Option<Declaration>,
    /// At least one.
    pub commands: Vec<Command>,
}

/// The variables that a pipeline sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// One, or in a `range` up to two: the key or index, and the element.
    pub variables: Vec<Ident>,
    /// `=`: the variables exist already, maybe further out.
    pub assigns: bool,
}

/// A name in the text: a variable with its `$`, a field without its dot, a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    /// The name; of a variable with `$`, of a field without the dot.
    pub name: SmolStr,
    /// Its bytes; of a field without the dot.
    pub span: Span,
}

/// An operand, or a function or method with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// From the first to the last argument.
    pub span: Span,
    /// At least one; the first is the function where it is called.
    pub arguments: Vec<Expr>,
}

impl Command {
    /// The function that is called, and its arguments.
    pub fn function(&self) -> Option<(&Ident, &[Expr])> {
        match self.arguments.split_first() {
            Some((Expr::Function(name), arguments)) => Some((name, arguments)),
            _ => None,
        }
    }
}

/// An operand.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `.`
    Dot(Span),
    /// `.a.b`
    Field {
        /// All of it.
        span: Span,
        /// At least one name.
        path: Vec<Ident>,
    },
    /// `$`, `$x`, `$x.a.b`
    Variable {
        /// All of it.
        span: Span,
        /// The variable, with its `$`.
        name: Ident,
        /// The fields behind it.
        path: Vec<Ident>,
    },
    /// `(index .Values "a").b`: fields of the value of an operand that is neither a field nor a variable.
    Chain {
        /// All of it.
        span: Span,
        /// What the fields are taken from.
        base: Box<Expr>,
        /// At least one name.
        path: Vec<Ident>,
    },
    /// `( pipeline )`
    Parenthesis {
        /// With the parentheses.
        span: Span,
        /// What stands inside.
        pipeline: Pipeline,
    },
    /// A function's name.
    Function(Ident),
    /// `"text"` or `` `text` ``
    String {
        /// With the quotes.
        span: Span,
        /// Decoded; bytes that are not UTF-8 are replaced.
        value: SmolStr,
        /// Whether it stands in back quotes, so that nothing in it is an escape.
        raw: bool,
    },
    /// A number, as it is written.
    Number(Ident),
    /// `'c'`: a number too.
    Char(Ident),
    /// `true` or `false`
    Bool {
        /// Its bytes.
        span: Span,
        /// Its value.
        value: bool,
    },
    /// `nil`
    Nil(Span),
}

impl Expr {
    /// All bytes of it.
    pub fn span(&self) -> Span {
        match self {
            Expr::Dot(span) | Expr::Nil(span) => *span,
            Expr::Field { span, .. }
            | Expr::Variable { span, .. }
            | Expr::Chain { span, .. }
            | Expr::Parenthesis { span, .. }
            | Expr::String { span, .. }
            | Expr::Bool { span, .. } => *span,
            Expr::Function(ident) | Expr::Number(ident) | Expr::Char(ident) => ident.span,
        }
    }

    /// The text of a string literal.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Expr::String { value, .. } => Some(value),
            _ => None,
        }
    }
}
