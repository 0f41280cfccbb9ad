//! Runs templates on origins instead of values.
//!
//! In one mode every arm of every branch is taken, to see what a chart can read. In the other one the values decide, to
//! see what was read for one line of the output.

use std::collections::HashMap;
use std::sync::Arc;

use smol_str::SmolStr;

use super::library::Library;
use super::reads::Reads;
use super::sym::{Const, Sym};
use crate::load::helm::template::{
    Action, Branch, Command, Control, Declaration, Expr, Ident, Node, Pipeline, Template, Text,
};
use crate::load::helm::values::{Kind, Segment, ValuePath};
use crate::source::{SourceFile, Span};

/// Deepest `include`.
const DEEPEST: usize = 40;
/// How often one template may stand in itself.
const MOST_REPEATED: usize = 3;
/// Nodes that are looked at before a walk is given up.
const MOST_STEPS: usize = 200_000;
/// Entries of a list or mapping that are gone through one by one.
const MOST_ITEMS: usize = 64;

/// Dot and the variables.
#[derive(Clone, Debug)]
pub(super) struct Env {
    pub(super) dot: Sym,
    pub(super) variables: Vec<(SmolStr, Sym)>,
}

impl Env {
    /// At the start of a template: `$` is dot.
    pub(super) fn start(dot: Sym) -> Env {
        Env { variables: vec![("$".into(), dot.clone())], dot }
    }

    fn get(&self, name: &str) -> Sym {
        self.variables.iter().rev().find(|(n, _)| n == name).map_or(Sym::Unknown, |(_, sym)| sym.clone())
    }

    pub(super) fn declare(&mut self, name: &SmolStr, value: Sym) {
        self.variables.push((name.clone(), value));
    }

    fn assign(&mut self, name: &str, value: Sym) {
        if let Some(variable) = self.variables.iter_mut().rev().find(|(n, _)| n == name) {
            variable.1 = value;
        }
    }

    /// What the variables are after one of several ways was taken; all have the same ones.
    fn join(&mut self, ways: Vec<Env>) {
        for (i, (_, value)) in self.variables.iter_mut().enumerate() {
            let alternatives = ways.iter().filter_map(|way| way.variables.get(i)).map(|(_, v)| v.clone()).collect();
            *value = Sym::one_of(alternatives);
        }
    }
}

/// What was printed.
#[derive(Clone, Debug, Default)]
pub(super) struct Printed {
    parts: Vec<Sym>,
    /// Not everything in `parts` is printed.
    uncertain: bool,
}

impl Printed {
    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.parts.push(Sym::text(text));
        }
    }

    /// The whole as one value.
    fn into_sym(self) -> Sym {
        let as_text = |part: &Sym| match part {
            Sym::Const(Const::Text(text) | Const::Number(text)) => Some(text.to_string()),
            Sym::Const(Const::Bool(b)) => Some(b.to_string()),
            Sym::Const(Const::Nil) => Some(String::new()),
            _ => None,
        };
        if !self.uncertain
            && let Some(texts) = self.parts.iter().map(as_text).collect::<Option<Vec<_>>>()
        {
            return Sym::text(&texts.concat());
        }
        let is_blank = |part: &&Sym| !as_text(part).is_some_and(|text| text.trim().is_empty());
        let mut solid = self.parts.iter().filter(is_blank);
        match (solid.next(), solid.next()) {
            (Some(one), None) if !self.uncertain => one.verbatim(),
            _ => Sym::made(&self.parts),
        }
    }
}

pub(super) struct Machine<'l, 't> {
    pub(super) library: &'l Library<'t>,
    /// Whether the values decide which arms are taken.
    pub(super) decides: bool,
    /// What was found by a walk through everything, where there was one.
    pub(super) known: Option<&'l Reads>,
    pub(super) reads: Reads,
    /// The tags of arms that a walk came by, and whether it took one of them.
    pub(super) arms: HashMap<Span, bool>,
    /// Some template was called whose name is not known.
    pub(super) calls_any: bool,
    memo: HashMap<(SmolStr, Sym), Sym>,
    /// The templates that are being run, the outermost first.
    open: Vec<SmolStr>,
    steps: usize,
}

impl<'l, 't> Machine<'l, 't> {
    /// Takes every arm.
    pub(super) fn reader(library: &'l Library<'t>) -> Machine<'l, 't> {
        Machine {
            library,
            decides: false,
            known: None,
            reads: Reads::default(),
            arms: HashMap::new(),
            calls_any: false,
            memo: HashMap::new(),
            open: Vec::new(),
            steps: 0,
        }
    }

    /// Lets the values decide.
    pub(super) fn decider(library: &'l Library<'t>, known: &'l Reads) -> Machine<'l, 't> {
        Machine { decides: true, known: Some(known), ..Machine::reader(library) }
    }

    /// Runs a file from its start.
    pub(super) fn file(&mut self, template: &Template, dot: Sym) -> Sym {
        let mut printed = Printed::default();
        self.run(template.source(), template.nodes(), &mut Env::start(dot), &mut printed);
        printed.into_sym()
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.steps > MOST_STEPS
    }

    /// Runs nodes one after the other.
    pub(super) fn run(&mut self, source: &Arc<SourceFile>, nodes: &[Node], env: &mut Env, printed: &mut Printed) {
        for node in nodes {
            self.steps += 1;
            if self.is_exhausted() {
                self.reads.given_up = true;
                printed.uncertain = true;
                printed.parts.push(Sym::Unknown);
                return;
            }
            match node {
                Node::Text(Text { kept, .. }) => printed.text(source.slice(*kept)),
                Node::Action(action) => self.action(action, env, printed),
                Node::Branch(branch) => self.branch(source, branch, env, printed),
                Node::Block(block) => {
                    let dot = self.pipeline(&block.pipeline, env);
                    let value = self.include(&block.name.text, &dot);
                    printed.parts.push(value);
                }
                Node::Call(call) => {
                    let dot = call.pipeline.as_ref().map_or(Sym::NIL, |p| self.pipeline(p, env));
                    let value = self.include(&call.name.text, &dot);
                    printed.parts.push(value);
                }
                // Whatever follows in the arm may or may not be printed.
                Node::Break(_) | Node::Continue(_) | Node::Broken(_) => printed.uncertain = true,
                Node::Define(_) | Node::Comment(_) => {}
            }
        }
    }

    fn action(&mut self, action: &Action, env: &mut Env, printed: &mut Printed) {
        let value = self.pipeline(&action.pipeline, env);
        match &action.pipeline.declaration {
            None => {
                self.consume(&value);
                printed.parts.push(value);
            }
            Some(declaration) => declare(declaration, value, env),
        }
    }

    fn branch(&mut self, source: &Arc<SourceFile>, branch: &Branch, env: &mut Env, printed: &mut Printed) {
        let outer = env.variables.len();
        let mut ways: Vec<Env> = Vec::new();
        // What the variables are while the next arm is looked at; a condition may declare some.
        let mut open = true;
        for arm in &branch.arms {
            self.arms.entry(arm.tag.span).or_insert(false);
        }
        for arm in &branch.arms {
            let mut inside = env.clone();
            let value = arm.pipeline.as_ref().map(|p| self.pipeline(p, &mut inside));
            if let Some(value) = &value {
                self.touch(value);
            }
            let truth = match &value {
                Some(value) => self.truth(value),
                None if arm.broken => None,
                None => Some(true),
            };
            if truth == Some(false) {
                continue;
            }
            printed.uncertain |= truth.is_none();
            self.arms.insert(arm.tag.span, true);
            match (branch.control, value) {
                (Control::Range, Some(value)) => {
                    let declaration = arm.pipeline.as_ref().and_then(|p| p.declaration.as_ref());
                    self.range(source, &value, declaration, &arm.body, &mut inside, printed);
                }
                (control, value) => {
                    let declaration = arm.pipeline.as_ref().and_then(|p| p.declaration.as_ref());
                    let value = value.unwrap_or(Sym::Unknown);
                    if let Some(declaration) = declaration {
                        declare(declaration, value.clone(), &mut inside);
                    }
                    if control == Control::With && arm.pipeline.is_some() {
                        inside.dot = value;
                    }
                    self.run(source, &arm.body, &mut inside, printed);
                }
            }
            inside.variables.truncate(outer);
            ways.push(inside);
            if truth == Some(true) {
                open = false;
                break;
            }
        }
        if open {
            ways.push(env.clone());
        }
        env.join(ways);
    }

    fn range(
        &mut self,
        source: &Arc<SourceFile>,
        value: &Sym,
        declaration: Option<&Declaration>,
        body: &[Node],
        env: &mut Env,
        printed: &mut Printed,
    ) {
        let outer = env.variables.len();
        let dot = env.dot.clone();
        let certain = self.decides && matches!(value, Sym::List(_) | Sym::Value(_));
        let items = self.items(value);
        printed.uncertain |= !certain;
        // Variables that the body sets are there in its next round.
        let rounds = if certain { 1 } else { 2 };
        for _ in 0..rounds {
            let before = env.variables.clone();
            for (key, item) in &items {
                enter(declaration, key, item, env);
                self.run(source, body, env, printed);
                env.variables.truncate(outer);
                env.dot = dot.clone();
            }
            if !certain {
                let earlier = Env { dot: dot.clone(), variables: before.clone() };
                let later = env.clone();
                env.join(vec![earlier, later]);
            }
            if env.variables == before {
                break;
            }
        }
    }

    /// The entries that a `range` goes through, each with its key or index.
    pub(super) fn items(&mut self, value: &Sym) -> Vec<(Sym, Sym)> {
        match value {
            Sym::Value(path) => {
                let entries = self.entries(path);
                entries.into_iter().map(|s| path.then(s)).map(|p| (Sym::Key(p.clone()), Sym::Value(p))).collect()
            }
            Sym::List(items) => {
                let number = |i: usize| Sym::Const(Const::Number(i.to_string().into()));
                items.iter().enumerate().map(|(i, item)| (number(i), item.clone())).collect()
            }
            Sym::Dict(entries) => entries.iter().map(|(k, v)| (Sym::text(k), v.clone())).collect(),
            Sym::OneOf(ways) => ways.iter().flat_map(|way| self.items(way)).take(MOST_ITEMS).collect(),
            Sym::Const(Const::Nil) => Vec::new(),
            Sym::Const(_) | Sym::Other | Sym::Meta(..) | Sym::Key(_) => vec![(Sym::Other, Sym::Other)],
            Sym::Made(_) => vec![(Sym::Other, value.clone())],
            Sym::Yaml(_) | Sym::Scope(_) | Sym::Files(..) | Sym::Unknown => {
                self.consume(value);
                vec![(Sym::Unknown, Sym::Unknown)]
            }
        }
    }

    /// The steps to the entries of a value: all of them where the values decide and they are few.
    fn entries(&self, path: &ValuePath) -> Vec<Segment> {
        if !self.decides {
            return vec![Segment::Any];
        }
        let segments = if path.is_root() {
            self.library.values.root_segments()
        } else {
            match self.library.values.get(path) {
                Some(leaf) if path.is_exact() => leaf.segments(),
                _ => return vec![Segment::Any],
            }
        };
        if segments.len() > MOST_ITEMS { vec![Segment::Any] } else { segments }
    }

    /// What a pipeline gives; declarations are left to the caller.
    pub(super) fn pipeline(&mut self, pipeline: &Pipeline, env: &mut Env) -> Sym {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value, env));
        }
        value.unwrap_or(Sym::Unknown)
    }

    /// What a command gives; `piped` is its last argument.
    pub(super) fn command(&mut self, command: &Command, piped: Option<Sym>, env: &mut Env) -> Sym {
        let Some((first, rest)) = command.arguments.split_first() else { return Sym::Unknown };
        let Expr::Function(function) = first else {
            let value = self.expr(first, env);
            let mut given: Vec<Sym> = rest.iter().map(|e| self.expr(e, env)).collect();
            given.extend(piped);
            if given.is_empty() {
                return value;
            }
            // A method of the release's own objects.
            given.iter().for_each(|g| self.consume(g));
            self.consume(&value);
            if let Sym::Files(scope, method) = &value {
                return self.file_text(scope, method, &given);
            }
            return if value == Sym::Other { Sym::Other } else { Sym::Unknown };
        };
        let mut arguments: Vec<Sym> = rest.iter().map(|e| self.expr(e, env)).collect();
        arguments.extend(piped);
        let value = self.call(&function.name, &arguments);
        self.mutate(&function.name, rest.first(), &arguments, &value, env);
        value
    }

    /// `set`, `unset` and the merging functions change their first argument.
    fn mutate(&mut self, function: &str, target: Option<&Expr>, arguments: &[Sym], value: &Sym, env: &mut Env) {
        let merges = matches!(function, "merge" | "mustMerge" | "mergeOverwrite" | "mustMergeOverwrite");
        if !merges && function != "set" && function != "unset" {
            return;
        }
        let first = arguments.first().cloned().unwrap_or(Sym::Unknown);
        if let Sym::Value(path) = &first {
            match arguments.get(1) {
                Some(Sym::Const(Const::Text(key))) if !merges => self.reads.change(&path.key(key)),
                _ => self.reads.change(path),
            }
            if merges {
                arguments.iter().for_each(|a| self.consume(a));
            }
        }
        match target {
            Some(Expr::Variable { name, path, .. }) if path.is_empty() && name.name != "$" => {
                let mut changed = value.clone();
                if function == "unset" {
                    changed = Sym::Unknown;
                    self.consume(&first);
                }
                env.assign(&name.name, changed);
            }
            // A new mapping, which nobody else has.
            Some(Expr::Parenthesis { .. }) => {}
            _ => {
                arguments.iter().skip(1).for_each(|a| self.consume(a));
                match arguments.get(1) {
                    Some(Sym::Const(Const::Text(key))) if !merges => _ = self.reads.set_keys.insert(key.clone()),
                    Some(Sym::Dict(entries)) if merges => self.reads.set_keys.extend(entries.keys().cloned()),
                    _ => self.reads.sets_any = true,
                }
            }
        }
    }

    /// What an operand gives.
    pub(super) fn expr(&mut self, expr: &Expr, env: &mut Env) -> Sym {
        match expr {
            Expr::Dot(_) => env.dot.clone(),
            Expr::Field { path, .. } => {
                let dot = env.dot.clone();
                self.fields(dot, path)
            }
            Expr::Variable { name, path, .. } => self.fields(env.get(&name.name), path),
            Expr::Chain { base, path, .. } => {
                let value = self.expr(base, env);
                self.fields(value, path)
            }
            Expr::Parenthesis { pipeline, .. } => self.pipeline(pipeline, env),
            Expr::Function(name) => self.call(&name.name, &[]),
            Expr::String { value, .. } => Sym::Const(Const::Text(value.clone())),
            Expr::Number(number) => Sym::Const(Const::Number(number.name.clone())),
            Expr::Char(_) => Sym::Other,
            Expr::Bool { value, .. } => Sym::bool(*value),
            Expr::Nil(_) => Sym::NIL,
        }
    }

    fn fields(&mut self, start: Sym, path: &[Ident]) -> Sym {
        path.iter().fold(start, |value, ident| self.field(&value, &ident.name))
    }

    /// The field or key of a value.
    pub(super) fn field(&mut self, value: &Sym, key: &str) -> Sym {
        match value {
            Sym::Scope(scope) => match key {
                "Values" => Sym::Value(scope.clone()),
                "Chart" => Sym::Meta(scope.clone(), SmolStr::default()),
                "Files" => Sym::Files(scope.clone(), SmolStr::default()),
                "Release" | "Capabilities" => Sym::Other,
                "Template" => {
                    let base = Sym::Const(Const::BasePath(scope.clone(), SmolStr::default()));
                    Sym::Dict(Arc::new([("BasePath".into(), base), ("Name".into(), Sym::Other)].into()))
                }
                "Subcharts" => {
                    let below = self.library.charts.iter().filter_map(|chart| {
                        let (last, rest) = chart.scope.segments().split_last()?;
                        let Segment::Key(name) = last else { return None };
                        (rest == scope.segments()).then(|| (name.clone(), Sym::Scope(chart.scope.clone())))
                    });
                    Sym::Dict(Arc::new(below.collect()))
                }
                _ => Sym::Unknown,
            },
            Sym::Value(path) if key == "AsMap" && self.is_scope(path) => value.clone(),
            Sym::Value(path) if matches!(key, "YAML" | "Table" | "PathValue" | "Encode") && self.is_scope(path) => {
                self.consume(value);
                Sym::Unknown
            }
            Sym::Value(path) => Sym::Value(path.key(key)),
            Sym::Dict(entries) => {
                let loose = self.known.is_some_and(|k| k.sets_any || k.set_keys.contains(key));
                match entries.get(key) {
                    Some(found) if loose => Sym::one_of(vec![found.clone(), Sym::Unknown]),
                    Some(found) => found.clone(),
                    None if loose || !self.decides => Sym::Unknown,
                    None => Sym::NIL,
                }
            }
            Sym::OneOf(ways) => {
                let ways: Vec<Sym> = ways.iter().map(|way| self.field(way, key)).collect();
                let there: Vec<Sym> = ways.iter().filter(|way| !self.is_absent(way)).cloned().collect();
                self.narrow(if there.is_empty() { ways } else { there })
            }
            Sym::Const(Const::Nil) => Sym::NIL,
            Sym::Made(made) if made.from.is_empty() => Sym::Other,
            Sym::Made(_) => Sym::made([value]),
            Sym::Meta(scope, name) if name.is_empty() => Sym::Meta(scope.clone(), key.into()),
            Sym::Files(scope, name) if name.is_empty() => Sym::Files(scope.clone(), key.into()),
            Sym::Files(..) => Sym::Unknown,
            Sym::Other | Sym::Meta(..) | Sym::Const(_) => Sym::Other,
            Sym::Key(_) | Sym::Yaml(_) | Sym::List(_) | Sym::Unknown => {
                self.consume(value);
                Sym::Unknown
            }
        }
    }

    fn is_scope(&self, path: &ValuePath) -> bool {
        self.library.charts.iter().any(|chart| chart.scope == *path)
    }

    /// Whether the values say that there is nothing.
    fn is_absent(&self, value: &Sym) -> bool {
        match value {
            Sym::Value(path) if self.decides && path.is_exact() && !path.is_root() => {
                self.library.values.get(path).is_none()
            }
            Sym::Const(Const::Nil) => true,
            _ => false,
        }
    }

    /// One of these, unless they are too many.
    pub(super) fn narrow(&mut self, ways: Vec<Sym>) -> Sym {
        let one = Sym::one_of(ways);
        if one.is_too_wide() {
            self.consume(&one);
            return Sym::Unknown;
        }
        one
    }

    /// The entry of a mapping or list under a key that a template computes.
    pub(super) fn entry(&mut self, value: &Sym, key: &Sym) -> Sym {
        match (value, key) {
            (_, Sym::Const(Const::Text(key))) => self.field(value, key),
            (Sym::Value(path), Sym::Key(at)) if at.is_exact() => match at.segments().last() {
                Some(last) => Sym::Value(path.then(last.clone())),
                None => Sym::Unknown,
            },
            (Sym::Value(path), Sym::Const(Const::Number(number))) => match number.parse() {
                Ok(index) => Sym::Value(path.index(index)),
                Err(_) => Sym::Value(path.then(Segment::Any)),
            },
            (Sym::Value(path), _) => {
                self.consume(key);
                Sym::Value(path.then(Segment::Any))
            }
            (Sym::List(items), Sym::Const(Const::Number(number))) => {
                let index = number.parse::<usize>().ok();
                index.and_then(|i| items.get(i).cloned()).unwrap_or(Sym::Unknown)
            }
            (Sym::List(items), _) => {
                self.consume(key);
                self.narrow(items.to_vec())
            }
            (Sym::Dict(entries), _) => {
                self.consume(key);
                self.narrow(entries.values().cloned().chain([Sym::NIL]).collect())
            }
            (Sym::OneOf(ways), _) => {
                let ways = ways.iter().map(|way| self.entry(way, key)).collect();
                self.narrow(ways)
            }
            _ => {
                self.consume(value);
                self.consume(key);
                if matches!(value, Sym::Other | Sym::Meta(..)) { Sym::Other } else { Sym::Unknown }
            }
        }
    }

    /// What a method of `.Files` gives: the text of a file that is named by the template. Of other files nothing is known, not
    /// even which values actions in them read.
    fn file_text(&self, scope: &ValuePath, method: &str, given: &[Sym]) -> Sym {
        match (method, given) {
            ("Get", [Sym::Const(Const::Text(name))]) => {
                self.library.other_file(scope, name).map_or(Sym::Unknown, |text| Sym::text(&text))
            }
            _ => Sym::Unknown,
        }
    }

    /// What a named template prints.
    pub(super) fn include(&mut self, name: &SmolStr, dot: &Sym) -> Sym {
        let Some((template, body)) = self.library.define(name) else {
            // It may stand in a chart that is not here.
            self.consume(dot);
            return Sym::Unknown;
        };
        self.inner(name, dot, template.source(), body)
    }

    /// Whether a named template was run.
    pub(super) fn called(&self, name: &str) -> bool {
        self.memo.keys().any(|(called, _)| called == name)
    }

    /// Runs another body with a dot of its own.
    pub(super) fn inner(&mut self, name: &SmolStr, dot: &Sym, source: &Arc<SourceFile>, body: &[Node]) -> Sym {
        let key = (name.clone(), dot.clone());
        if let Some(known) = self.memo.get(&key) {
            return known.clone();
        }
        let repeated = self.open.iter().filter(|open| *open == name).count();
        if self.open.len() >= DEEPEST || repeated >= MOST_REPEATED {
            self.consume(dot);
            return Sym::Unknown;
        }
        // One that includes itself says nothing new.
        self.memo.insert(key.clone(), Sym::Unknown);
        self.open.push(name.clone());
        let mut printed = Printed::default();
        self.run(source, body, &mut Env::start(dot.clone()), &mut printed);
        self.open.pop();
        let value = printed.into_sym();
        self.memo.insert(key, value.clone());
        value
    }

    /// Something uses the value, with all in it.
    pub(super) fn consume(&mut self, value: &Sym) {
        match value {
            Sym::Scope(path) | Sym::Value(path) | Sym::Yaml(path) => self.reads.read(path),
            Sym::Key(path) => {
                let parent = path.parent().unwrap_or_default();
                let values = self.library.values;
                let is_list = values.get(&parent).is_some_and(|leaf| leaf.kind() == Kind::List);
                if !is_list {
                    self.reads.read(path);
                }
            }
            Sym::Dict(entries) => entries.values().for_each(|v| self.consume(v)),
            Sym::List(items) | Sym::OneOf(items) => items.iter().for_each(|v| self.consume(v)),
            // What they were made of was used when they were made.
            Sym::Const(_) | Sym::Other | Sym::Meta(..) | Sym::Files(..) | Sym::Made(_) | Sym::Unknown => {}
        }
    }

    /// Something asks whether there is a value.
    pub(super) fn touch(&mut self, value: &Sym) {
        match value {
            Sym::Value(path) => self.reads.test(path),
            Sym::OneOf(ways) => ways.iter().for_each(|way| self.touch(way)),
            _ => {}
        }
    }
}

/// Sets the variable of an action or a condition.
pub(super) fn declare(declaration: &Declaration, value: Sym, env: &mut Env) {
    let Some(variable) = declaration.variables.last() else { return };
    if declaration.assigns { env.assign(&variable.name, value) } else { env.declare(&variable.name, value) }
}

/// Dot and the variables inside a `range`.
pub(super) fn enter(declaration: Option<&Declaration>, key: &Sym, item: &Sym, env: &mut Env) {
    env.dot = item.clone();
    let Some(declaration) = declaration else { return };
    let mut set = |variable: &Ident, value: &Sym| {
        if declaration.assigns {
            env.assign(&variable.name, value.clone())
        } else {
            env.declare(&variable.name, value.clone())
        }
    };
    match declaration.variables.as_slice() {
        [one] => set(one, item),
        [first, second, ..] => {
            set(first, key);
            set(second, item);
        }
        [] => {}
    }
}
