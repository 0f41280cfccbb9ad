//! A template as a graph of what it can print: the paths through it are its possible outputs.
//!
//! Conditions are not evaluated, so both arms of an `if` are paths, and a `range` goes round as often as it likes.
//! Values are holes. The bodies of included templates stand where they are included.

use std::borrow::Cow;
use std::sync::Arc;

use smol_str::SmolStr;

use super::super::template::{Branch, Control, Node, Pipeline, Tag, Template, Text};
use super::output::{self, Output, Scope, Shape};
use super::{Defines, Kind};
use crate::source::{SourceFile, Span};

/// Nodes of a graph. A chart that includes more is aligned with the includes as holes.
const MAX_NODES: usize = 60_000;

/// How deep `include` is followed.
const MAX_CALLS: usize = 12;

/// Index of a node.
pub(super) type Id = u32;

/// What one node prints before it goes on.
#[derive(Debug)]
pub(super) enum Op<'t> {
    /// Nothing; goes on with any of these.
    Jump(Vec<Id>),
    /// This text, which has no line break.
    Text(Cow<'t, str>, Id),
    /// A line break and so many blanks.
    Newline(usize, Id),
    /// Any text of a shape.
    Hole(Hole, Id),
    /// `---` at the start of a line: one document ends, the next one starts.
    Break(Id),
    /// The end of the file.
    Stop,
}

/// A place for a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hole {
    pub shape: Shape,
    /// Blanks behind each line break.
    pub pad: usize,
}

/// Where what a node prints comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// The text that is printed, or the whole action.
    pub span: Span,
    /// The expression in the action.
    pub expr: Option<Span>,
    pub kind: Kind,
    /// The call that this is a part of.
    pub call: Option<u32>,
    /// The innermost arm of a control structure that this stands in.
    pub arm: Option<u32>,
}

/// An arm of a control structure; of the arms of one, one is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arm {
    branch: u32,
    is_range: bool,
    parent: Option<u32>,
}

/// An `include` or `template` on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// The action.
    pub span: Span,
    /// The expression that includes.
    pub expr: Span,
    /// The call that this one stands in.
    pub parent: Option<u32>,
}

/// The graph.
#[derive(Debug, Default)]
pub(super) struct Program<'t> {
    pub ops: Vec<Op<'t>>,
    /// For each node an index into `origins`.
    pub origin: Vec<u32>,
    pub origins: Vec<Origin>,
    pub calls: Vec<Call>,
    arms: Vec<Arm>,
    /// Where the file starts.
    pub entry: Id,
}

impl<'t> Program<'t> {
    /// The graph of a file's template.
    pub fn new(template: &'t Template, defines: &Defines<'t>) -> Program<'t> {
        let mut builder = Builder { program: Program::default(), defines, names: Vec::new(), call: None, branches: 0 };
        let none = Origin {
            span: Span::new(template.source().id(), 0, 0),
            expr: None,
            kind: Kind::Literal,
            call: None,
            arm: None,
        };
        builder.program.origins.push(none);
        let stop = builder.push(Op::Stop, 0);
        let entry = builder.body(template.source(), template.nodes(), stop, Frame::default());
        builder.program.entry = entry;
        builder.program
    }

    /// Whether an origin stands in a loop.
    pub fn is_repeated(&self, origin: &Origin) -> bool {
        let mut at = origin.arm;
        while let Some(arm) = at.and_then(|index| self.arms.get(index as usize)) {
            if arm.is_range {
                return true;
            }
            at = arm.parent;
        }
        false
    }

    /// Whether two origins stand in different arms of one control structure: where the one prints, the other does not.
    pub fn exclude_each_other(&self, one: &Origin, other: &Origin) -> bool {
        let mut mine = one.arm;
        while let Some((index, arm)) = mine.and_then(|index| Some((index, self.arms.get(index as usize)?))) {
            let mut theirs = other.arm;
            while let Some((at, rival)) = theirs.and_then(|at| Some((at, self.arms.get(at as usize)?))) {
                if arm.branch == rival.branch {
                    // The innermost that they share.
                    return index != at;
                }
                theirs = rival.parent;
            }
            mine = arm.parent;
        }
        false
    }
}

/// How a body's text is printed.
#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    /// Blanks behind each line break, from `indent`.
    pad: usize,
    /// Blanks and line breaks may be missing, from `trim`.
    trimmed: bool,
    /// The innermost arm that this stands in.
    arm: Option<u32>,
    /// Where `continue` and `break` lead.
    range: Option<(Id, Id)>,
}

struct Builder<'t, 'd> {
    program: Program<'t>,
    defines: &'d Defines<'t>,
    /// Names of the templates that are being included, outermost first.
    names: Vec<SmolStr>,
    call: Option<u32>,
    branches: u32,
}

impl<'t> Builder<'t, '_> {
    fn arm(&mut self, branch: u32, is_range: bool, frame: Frame) -> u32 {
        self.program.arms.push(Arm { branch, is_range, parent: frame.arm });
        self.program.arms.len() as u32 - 1
    }

    fn push(&mut self, op: Op<'t>, origin: u32) -> Id {
        self.program.ops.push(op);
        self.program.origin.push(origin);
        self.program.ops.len() as Id - 1
    }

    fn origin(&mut self, span: Span, expr: Option<Span>, kind: Kind, frame: Frame) -> u32 {
        self.program.origins.push(Origin { span, expr, kind, call: self.call, arm: frame.arm });
        self.program.origins.len() as u32 - 1
    }

    /// A template's body; it is built from its end, because each node knows what follows it.
    fn body(&mut self, source: &'t Arc<SourceFile>, nodes: &'t [Node], next: Id, frame: Frame) -> Id {
        self.list(source, &Scope::of(nodes), nodes, next, frame)
    }

    fn list(&mut self, source: &'t Arc<SourceFile>, scope: &Scope, nodes: &'t [Node], next: Id, frame: Frame) -> Id {
        nodes.iter().rev().fold(next, |next, node| self.node(source, scope, node, next, frame))
    }

    fn node(&mut self, source: &'t Arc<SourceFile>, scope: &Scope, node: &'t Node, next: Id, frame: Frame) -> Id {
        match node {
            Node::Text(text) => self.text(source, text, next, frame),
            Node::Comment(_) | Node::Define(_) => next,
            Node::Action(action) if !action.prints() => next,
            Node::Action(action) => self.action(action.tag, &action.pipeline, scope, next, frame),
            Node::Branch(branch) => self.branch(source, scope, branch, next, frame),
            Node::Block(block) => self.include(block.tag.span, block.tag.span, &block.name.text, next, frame),
            Node::Call(call) => self.include(call.tag.span, call.tag.span, &call.name.text, next, frame),
            Node::Break(_) => frame.range.map_or(next, |(_, exit)| exit),
            Node::Continue(_) => frame.range.map_or(next, |(head, _)| head),
            Node::Broken(tag) => {
                let origin = self.origin(tag.span, None, Kind::Hole, frame);
                self.hole(Shape::Lines, origin, next, frame)
            }
        }
    }

    fn hole(&mut self, shape: Shape, origin: u32, next: Id, frame: Frame) -> Id {
        let hole = Hole { shape, pad: frame.pad };
        self.push(Op::Hole(hole, next), origin)
    }

    fn branch(&mut self, source: &'t Arc<SourceFile>, scope: &Scope, branch: &'t Branch, next: Id, frame: Frame) -> Id {
        self.branches += 1;
        let number = self.branches;
        if branch.control != Control::Range {
            let mut ways = Vec::new();
            for arm in &branch.arms {
                let frame = Frame { arm: Some(self.arm(number, false, frame)), ..frame };
                let inside = arm.pipeline.as_ref().filter(|_| branch.control == Control::With);
                ways.push(match inside.map(|pipeline| scope.with(pipeline)) {
                    Some(scope) => self.list(source, &scope, &arm.body, next, frame),
                    None => self.list(source, scope, &arm.body, next, frame),
                });
            }
            if !branch.has_else() {
                ways.push(next);
            }
            return self.push(Op::Jump(ways), 0);
        }
        let head = self.push(Op::Jump(Vec::new()), 0);
        let mut first = head;
        let mut bodies = Vec::new();
        for arm in &branch.arms {
            if arm.is_else() {
                // Printed where there is no element: instead of the loop.
                let frame = Frame { arm: Some(self.arm(number, false, frame)), ..frame };
                let otherwise = self.list(source, scope, &arm.body, next, frame);
                first = self.push(Op::Jump(vec![head, otherwise]), 0);
            } else {
                let frame = Frame { range: Some((head, next)), arm: Some(self.arm(number, true, frame)), ..frame };
                bodies.push(self.list(source, &scope.range(), &arm.body, head, frame));
            }
        }
        bodies.push(next);
        if let Some(op) = self.program.ops.get_mut(head as usize) {
            *op = Op::Jump(bodies);
        }
        first
    }

    /// Text of the file, line by line.
    fn text(&mut self, source: &'t Arc<SourceFile>, text: &Text, mut next: Id, frame: Frame) -> Id {
        let kept = source.slice(text.kept);
        let mut end = text.kept.end;
        for (i, line) in kept.rsplit('\n').enumerate() {
            if i > 0 {
                let span = Span::new(text.kept.file, end - 1, end);
                let origin = self.origin(span, None, Kind::Literal, frame);
                next = self.newline(origin, next, frame);
                end -= 1;
            }
            let span = Span::new(text.kept.file, end - line.len() as u32, end);
            next = self.literal(Cow::Borrowed(line), span, next, frame);
            end = span.start;
        }
        next
    }

    fn newline(&mut self, origin: u32, next: Id, frame: Frame) -> Id {
        let newline = self.push(Op::Newline(frame.pad, next), origin);
        if frame.trimmed { self.push(Op::Jump(vec![newline, next]), 0) } else { newline }
    }

    /// A part of a line of the file.
    fn literal(&mut self, line: Cow<'t, str>, span: Span, next: Id, frame: Frame) -> Id {
        if line.is_empty() {
            return next;
        }
        let separator = line.strip_prefix("---").map(|rest| rest.len() - rest.trim_start().len() + 3);
        let blanks = line.len() - line.trim_start().len();
        let skipped = separator.or((frame.trimmed && blanks > 0).then_some(blanks));
        let origin = self.origin(span, None, Kind::Literal, frame);
        let rest = skipped.map(|length| (length, line.get(length..).unwrap_or("").to_string()));
        let whole = self.push(Op::Text(line, next), origin);
        let Some((length, rest)) = rest else { return whole };
        let mut other = next;
        if !rest.is_empty() {
            let span = Span { start: span.start + length as u32, ..span };
            let origin = self.origin(span, None, Kind::Literal, frame);
            other = self.push(Op::Text(Cow::Owned(rest), next), origin);
        }
        if separator.is_some() {
            other = self.push(Op::Break(other), 0);
        }
        self.push(Op::Jump(vec![whole, other]), 0)
    }

    fn action(&mut self, tag: Tag, pipeline: &Pipeline, scope: &Scope, next: Id, frame: Frame) -> Id {
        let printed = output::pipeline(pipeline, scope);
        self.output(tag.span, &printed, next, frame)
    }

    fn output(&mut self, tag: Span, printed: &Output, next: Id, frame: Frame) -> Id {
        match printed {
            Output::Text(text, expr) => {
                let mut next = next;
                for (i, line) in text.rsplit('\n').enumerate() {
                    let origin = self.origin(tag, Some(*expr), Kind::Hole, frame);
                    if i > 0 {
                        next = self.newline(origin, next, frame);
                    }
                    if !line.is_empty() {
                        next = self.push(Op::Text(Cow::Owned(line.to_string()), next), origin);
                    }
                }
                next
            }
            Output::Hole(shape, expr) => {
                let kind = if *shape == Shape::Lines { Kind::Expansion } else { Kind::Hole };
                let origin = self.origin(tag, Some(*expr), kind, frame);
                self.hole(*shape, origin, next, frame)
            }
            Output::All(parts) => parts.iter().rev().fold(next, |next, part| self.output(tag, part, next, frame)),
            Output::Any(ways) => {
                let ways = ways.iter().map(|way| self.output(tag, way, next, frame)).collect();
                self.push(Op::Jump(ways), 0)
            }
            Output::Indent(width, inner) => {
                let inner = self.output(tag, inner, next, Frame { pad: frame.pad + width, ..frame });
                if *width == 0 {
                    return inner;
                }
                let origin = self.origin(tag, None, Kind::Expansion, frame);
                let pad = self.push(Op::Text(Cow::Owned(" ".repeat(*width)), inner), origin);
                if frame.trimmed { self.push(Op::Jump(vec![pad, inner]), 0) } else { pad }
            }
            Output::Trim(inner) => self.output(tag, inner, next, Frame { trimmed: true, ..frame }),
            Output::Include(name, expr) => self.include(tag, *expr, name, next, frame),
        }
    }

    /// The body of a named template; a hole where it is not known or calls itself.
    fn include(&mut self, tag: Span, expr: Span, name: &SmolStr, next: Id, frame: Frame) -> Id {
        let repeated = self.names.iter().filter(|open| *open == name).count() > 1;
        let full = self.names.len() >= MAX_CALLS || self.program.ops.len() >= MAX_NODES;
        let Some((template, definition)) = self.defines.get(name).filter(|_| !repeated && !full) else {
            let origin = self.origin(tag, Some(expr), Kind::Expansion, frame);
            return self.hole(Shape::Lines, origin, next, frame);
        };
        self.program.calls.push(Call { span: tag, expr, parent: self.call });
        let outer = self.call.replace(self.program.calls.len() as u32 - 1);
        self.names.push(name.clone());
        let frame = Frame { range: None, ..frame };
        let start = self.body(template.source(), definition.body, next, frame);
        self.names.pop();
        self.call = outer;
        start
    }
}
