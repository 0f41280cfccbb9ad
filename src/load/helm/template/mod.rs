//! Templates as text: Go's `text/template` as Helm uses it, with the span of every part.
//!
//! Nothing is evaluated here. The grammar is that of Go's `text/template/parse`, which neither knows the functions nor
//! their results; what it refuses is a [`Problem`] with its place, and reading goes on behind it, so that the rest of a
//! broken template can still be looked at.

mod ast;
mod expression;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use ast::{
    Action, Arm, Block, Branch, Call, Command, Control, Declaration, Define, Expr, Ident, Name, Node, Pipeline, Tag,
    Text,
};

use crate::source::{SourceFile, Span};

/// How deep control structures, and parentheses, may be nested. Go allows 10000 parentheses; people write five.
const MAX_DEPTH: usize = 100;

/// Something that `helm` would refuse.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The bytes to look at.
    pub span: Span,
    /// What is wrong, lower case, without a stop.
    pub message: String,
}

/// One file under `templates/`, read.
#[derive(Clone, Debug)]
pub struct Template {
    source: Arc<SourceFile>,
    nodes: Vec<Node>,
    problems: Vec<Problem>,
}

impl Template {
    /// Reads a file. Any text gives a template; see [`Template::problems`].
    pub fn parse(source: &Arc<SourceFile>) -> Template {
        let (nodes, problems) = parser::parse(source.id(), source.text());
        Template { source: Arc::clone(source), nodes, problems }
    }

    /// The file.
    pub fn source(&self) -> &Arc<SourceFile> {
        &self.source
    }

    /// What the file prints when it is rendered, and the templates that it defines.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What is wrong with it, in the order of the text. With one of these, `helm` renders nothing of the chart.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether nothing but text stands in it, so that it is rendered to itself.
    pub fn is_plain(&self) -> bool {
        self.nodes.iter().all(|node| matches!(node, Node::Text(_)))
    }

    /// The templates that the file defines, by `define` and `block`, in the order of the text.
    pub fn definitions(&self) -> Vec<Definition<'_>> {
        let mut found = Vec::new();
        definitions(&self.nodes, &mut found);
        found
    }
}

/// A named template.
#[derive(Clone, Copy, Debug)]
pub struct Definition<'t> {
    /// What it is called by.
    pub name: &'t Name,
    /// The tag that opens it.
    pub tag: Tag,
    /// What it prints.
    pub body: &'t [Node],
}

fn definitions<'t>(nodes: &'t [Node], found: &mut Vec<Definition<'t>>) {
    for node in nodes {
        match node {
            Node::Define(define) => {
                found.push(Definition { name: &define.name, tag: define.tag, body: &define.body });
                definitions(&define.body, found);
            }
            Node::Block(block) => {
                found.push(Definition { name: &block.name, tag: block.tag, body: &block.body });
                definitions(&block.body, found);
            }
            Node::Branch(branch) => branch.arms.iter().for_each(|arm| definitions(&arm.body, found)),
            Node::Text(_)
            | Node::Comment(_)
            | Node::Action(_)
            | Node::Call(_)
            | Node::Break(_)
            | Node::Continue(_)
            | Node::Broken(_) => {}
        }
    }
}
