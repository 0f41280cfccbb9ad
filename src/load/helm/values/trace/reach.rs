//! The way to one place of a template: what dot and the variables are there, for each round of the loops around it.

use std::sync::Arc;

use super::machine::{Env, Machine, Printed, declare, enter};
use super::sym::Sym;
use crate::load::helm::template::{Action, Arm, Block, Branch, Call, Command, Control, Expr, Node, Pipeline};
use crate::load::helm::values::ValuePath;
use crate::source::{SourceFile, Span};

/// Rounds of loops that are told apart.
const MOST_WAYS: usize = 256;

/// A condition around a place, and the values that it looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The condition in the template.
    pub span: Span,
    /// What it asks for. With several, which one decides is not said.
    pub values: Vec<ValuePath>,
}

/// A part of a template that prints.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'n> {
    Text,
    Action(&'n Action),
    Call(&'n Call),
    Block(&'n Block),
}

/// One way to reach a place.
#[derive(Clone, Debug)]
pub(super) struct Reached<'n> {
    pub(super) env: Env,
    pub(super) at: At<'n>,
    pub(super) switches: Vec<Switch>,
}

/// Finds the ways to the node that holds `target`. None where a condition on the way is known to be false, which means that
/// the place does not print now.
pub(super) fn reach<'n>(
    machine: &mut Machine<'_, '_>,
    source: &Arc<SourceFile>,
    nodes: &'n [Node],
    env: Env,
    target: Span,
) -> Vec<Reached<'n>> {
    let mut found = Vec::new();
    let mut walk = Walk { machine, source, target, found: &mut found };
    walk.nodes(nodes, env, &[]);
    found
}

struct Walk<'w, 'l, 't, 'n> {
    machine: &'w mut Machine<'l, 't>,
    source: &'w Arc<SourceFile>,
    target: Span,
    found: &'w mut Vec<Reached<'n>>,
}

impl<'n> Walk<'_, '_, '_, 'n> {
    fn nodes(&mut self, nodes: &'n [Node], mut env: Env, switches: &[Switch]) {
        for node in nodes {
            if self.found.len() >= MOST_WAYS || self.machine.is_exhausted() {
                return;
            }
            if !holds(node, self.target) {
                self.machine.run(self.source, std::slice::from_ref(node), &mut env, &mut Printed::default());
                continue;
            }
            let at = match node {
                Node::Text(_) => At::Text,
                Node::Action(action) => At::Action(action),
                Node::Call(call) => At::Call(call),
                Node::Block(block) => At::Block(block),
                Node::Branch(branch) => return self.branch(branch, env, switches),
                Node::Define(_) | Node::Comment(_) | Node::Break(_) | Node::Continue(_) | Node::Broken(_) => return,
            };
            return self.found.push(Reached { env, at, switches: switches.to_vec() });
        }
    }

    fn branch(&mut self, branch: &'n Branch, env: Env, switches: &[Switch]) {
        let mut switches = switches.to_vec();
        for (i, arm) in branch.arms.iter().enumerate() {
            let mut inside = env.clone();
            let value = arm.pipeline.as_ref().map(|p| self.machine.pipeline(p, &mut inside));
            if let Some(pipeline) = &arm.pipeline {
                switches.push(Switch { span: pipeline.span, values: self.operands(pipeline, &mut inside) });
            }
            let truth = value.as_ref().and_then(|v| self.machine.truth(v));
            if !region(branch, i).contains(self.target) {
                // A later arm prints only where this one does not.
                if truth == Some(true) {
                    return;
                }
                continue;
            }
            if truth == Some(false) {
                return;
            }
            return self.arm(branch.control, arm, value, inside, &switches);
        }
    }

    fn arm(&mut self, control: Control, arm: &'n Arm, value: Option<Sym>, mut inside: Env, switches: &[Switch]) {
        let declaration = arm.pipeline.as_ref().and_then(|p| p.declaration.as_ref());
        let Some(value) = value else { return self.nodes(&arm.body, inside, switches) };
        if control == Control::Range {
            for (key, item) in self.machine.items(&value) {
                let mut round = inside.clone();
                enter(declaration, &key, &item, &mut round);
                self.nodes(&arm.body, round, switches);
            }
            return;
        }
        if let Some(declaration) = declaration {
            declare(declaration, value.clone(), &mut inside);
        }
        if control == Control::With {
            inside.dot = value;
        }
        self.nodes(&arm.body, inside, switches);
    }

    /// The values that a condition names.
    fn operands(&mut self, pipeline: &Pipeline, env: &mut Env) -> Vec<ValuePath> {
        let mut found = std::collections::BTreeSet::new();
        let mut todo: Vec<&Pipeline> = vec![pipeline];
        while let Some(next) = todo.pop() {
            for expr in next.commands.iter().flat_map(|command| &command.arguments) {
                match expr {
                    Expr::Parenthesis { pipeline, .. } => todo.push(pipeline),
                    Expr::Function(_) => {}
                    _ => {
                        let value = self.machine.expr(expr, env);
                        value.collect(&mut found);
                    }
                }
            }
        }
        found.into_iter().filter(|path| !path.is_root()).collect()
    }
}

/// From the tag that opens an arm to the next one.
fn region(branch: &Branch, index: usize) -> Span {
    let start = branch.arms[index].tag.span;
    let next = branch.arms.get(index + 1).map(|arm| arm.tag.span);
    let end = next.or(branch.end.map(|tag| tag.span));
    Span { start: start.start, end: end.map_or(u32::MAX, |end| end.start), file: start.file }
}

fn holds(node: &Node, target: Span) -> bool {
    match node {
        Node::Text(text) => text.span.contains(target),
        Node::Comment(tag) | Node::Break(tag) | Node::Continue(tag) | Node::Broken(tag) => tag.span.contains(target),
        Node::Action(action) => action.tag.span.contains(target),
        Node::Call(call) => call.tag.span.contains(target),
        Node::Branch(branch) => {
            let end = branch.end.map_or(u32::MAX, |tag| tag.span.end);
            branch.arms.first().is_some_and(|arm| Span { end, ..arm.tag.span }.contains(target))
        }
        Node::Define(define) => {
            let end = define.end.map_or(u32::MAX, |tag| tag.span.end);
            Span { end, ..define.tag.span }.contains(target)
        }
        Node::Block(block) => {
            let end = block.end.map_or(u32::MAX, |tag| tag.span.end);
            Span { end, ..block.tag.span }.contains(target)
        }
    }
}

/// The value of the part of a pipeline with this span; of all of it where there is no such part.
pub(super) fn part(machine: &mut Machine<'_, '_>, pipeline: &Pipeline, span: Option<Span>, env: &mut Env) -> Sym {
    let mut todo: Vec<&Pipeline> = vec![pipeline];
    while let (Some(next), Some(span)) = (todo.pop(), span) {
        if next.span == span && next.commands.len() != 1 {
            return machine.pipeline(next, env);
        }
        let mut value = None;
        for command in &next.commands {
            value = Some(machine.command(command, value, env));
            if command.span == span {
                return value.unwrap_or(Sym::Unknown);
            }
            for argument in &command.arguments {
                match argument {
                    argument if argument.span() == span && !matches!(argument, Expr::Function(_)) => {
                        return machine.expr(argument, env);
                    }
                    Expr::Parenthesis { pipeline, .. } => todo.push(pipeline),
                    _ => {}
                }
            }
        }
    }
    machine.pipeline(pipeline, env)
}

/// The calls of `include` in a pipeline.
pub(super) fn includes(pipeline: &Pipeline) -> Vec<&Command> {
    let mut found = Vec::new();
    let mut todo: Vec<&Pipeline> = vec![pipeline];
    while let Some(next) = todo.pop() {
        for command in &next.commands {
            if command.function().is_some_and(|(name, _)| name.name == "include") {
                found.push(command);
            }
            todo.extend(command.arguments.iter().filter_map(|argument| match argument {
                Expr::Parenthesis { pipeline, .. } => Some(pipeline),
                _ => None,
            }));
        }
    }
    found
}
