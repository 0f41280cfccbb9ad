//! One check from start to end: what it may look at, where it stands, what it found.

use crate::{Kind, Problem, ProblemKind, Tree, de::DecodeError, kinds::Decoder, node::De};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt::Write,
};

/// Deepest nesting that is looked into: half of a 2 MiB stack in a debug build, where a level of a CRD's schema takes
/// about 12 KiB. The deepest of the 29 CRDs that AIBrix and production-stack install, pod templates in them, has 38.
const MAX_DEPTH: u16 = 80;
/// Most values that are looked at. The largest CRDs have some 100 000; aliases can multiply a small file's.
const MAX_VALUES: u32 = 1_000_000;
/// Most problems that are reported.
const MAX_PROBLEMS: usize = 1000;

/// What is checked: it decides which fields may be missing and what messages repeat.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Scope {
    /// A core object.
    Object,
    /// A Secret: an object whose values are not repeated in messages.
    Secret,
    /// A part of one, inside a custom kind.
    Fragment,
}

/// Decodes `root` and returns the problems.
pub(crate) fn run(tree: &dyn Tree, root: u32, decoder: Decoder, scope: Scope) -> Vec<Problem> {
    let run =
        Run { tree, scope, values_left: Cell::new(MAX_VALUES), path: RefCell::default(), problems: RefCell::default() };
    let de = De::root(&run, root);
    if scope != Scope::Fragment {
        de.require_name();
    }
    if let Err(DecodeError(reason)) = decoder(de) {
        run.record(root, ProblemKind::Undecodable(reason), None);
    }
    run.problems.into_inner()
}

/// What one run shares: the tree, where it stands, what it found.
pub(crate) struct Run<'a> {
    pub(crate) tree: &'a dyn Tree,
    pub(crate) scope: Scope,
    values_left: Cell<u32>,
    pub(crate) path: RefCell<Vec<Step>>,
    problems: RefCell<Vec<Problem>>,
}

/// One step of the path: the key's node, or the index.
pub(crate) enum Step {
    Key(u32),
    Index(usize),
}

impl<'a> Run<'a> {
    /// Records a problem, unless there are enough or an alias led here before.
    pub(crate) fn record(&self, node: u32, what: ProblemKind, help: Option<Cow<'static, str>>) {
        let mut problems = self.problems.borrow_mut();
        if problems.iter().any(|p| p.node == node && p.what == what) {
            return;
        }
        let problem = match problems.len() {
            MAX_PROBLEMS => Problem { node, path: self.path(), what: ProblemKind::TooMany, help: None },
            n if n < MAX_PROBLEMS => Problem { node, path: self.path(), what, help },
            _ => return,
        };
        problems.push(problem);
    }

    /// The limit that a value at this depth is beyond.
    pub(crate) fn limit(&self, depth: u16) -> Option<ProblemKind> {
        match () {
            () if depth > MAX_DEPTH => Some(ProblemKind::TooDeep),
            () if self.values_left.get() == 0 => Some(ProblemKind::TooBig),
            () => None,
        }
    }

    /// Records that a limit was reached, the first time.
    pub(crate) fn record_limit(&self, node: u32, limit: ProblemKind) {
        if !self.problems.borrow().iter().any(|p| p.what == limit) {
            self.record(node, limit, None);
        }
    }

    /// Counts a value that is about to be looked at.
    pub(crate) fn count_value(&self) {
        self.values_left.set(self.values_left.get().saturating_sub(1));
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in self.path.borrow().iter() {
            let _ = match step {
                Step::Index(index) => write!(path, "[{index}]"),
                Step::Key(key) => {
                    let name = self.key_text(*key).unwrap_or(Cow::Borrowed("?"));
                    match name.contains(['.', '/']) {
                        true => write!(path, "[\"{name}\"]"),
                        false if path.is_empty() => write!(path, "{name}"),
                        false => write!(path, ".{name}"),
                    }
                }
            };
        }
        path
    }

    /// A key as text: the server's reader turns scalar keys into strings. None for what is no scalar, or not known.
    pub(crate) fn key_text(&self, key: u32) -> Option<Cow<'a, str>> {
        Some(match self.tree.kind(key) {
            Kind::Str(text) => text,
            Kind::Null => "null".into(),
            Kind::Bool(b) => b.to_string().into(),
            Kind::Int(i) => i.to_string().into(),
            Kind::UInt(u) => u.to_string().into(),
            Kind::Float(x) => x.to_string().into(),
            Kind::Seq(_) | Kind::Map(_) | Kind::Unknown => return None,
        })
    }

    /// Runs `inside` one step further down.
    pub(crate) fn step<T>(&self, step: Step, inside: impl FnOnce() -> T) -> T {
        self.path.borrow_mut().push(step);
        let result = inside();
        self.path.borrow_mut().pop();
        result
    }
}
