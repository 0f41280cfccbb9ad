//! A tree made from JSON, with short views of what the checker says about it.

use kvlint_schema::{Fragment, Kind, Outcome, Problem, Tree, check, check_fragment};
use serde_json::Value;

/// A string that stands for template text.
pub const UNKNOWN: &str = "{{ unknown }}";

/// Nodes in an arena, in the order in which they are read.
#[derive(Default)]
pub struct JsonTree {
    nodes: Vec<Node>,
}

enum Node {
    Scalar(Value),
    Seq(Vec<u32>),
    Map(Vec<(u32, u32)>),
}

impl JsonTree {
    pub fn new(value: &Value) -> (Self, u32) {
        let mut tree = Self::default();
        let root = tree.add(value);
        (tree, root)
    }

    pub fn add(&mut self, value: &Value) -> u32 {
        let node = match value {
            Value::Array(items) => Node::Seq(items.iter().map(|item| self.add(item)).collect()),
            Value::Object(entries) => {
                Node::Map(entries.iter().map(|(k, v)| (self.add(&Value::from(k.as_str())), self.add(v))).collect())
            }
            scalar => Node::Scalar(scalar.clone()),
        };
        self.push(node)
    }

    /// A sequence of nodes that are already there: what aliases make.
    pub fn seq(&mut self, items: Vec<u32>) -> u32 {
        self.push(Node::Seq(items))
    }

    /// A mapping with keys of any type.
    pub fn map(&mut self, entries: Vec<(u32, u32)>) -> u32 {
        self.push(Node::Map(entries))
    }

    fn push(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        (self.nodes.len() - 1) as u32
    }
}

impl Tree for JsonTree {
    fn kind(&self, node: u32) -> Kind<'_> {
        match &self.nodes[node as usize] {
            Node::Seq(items) => Kind::Seq(items.into()),
            Node::Map(entries) => Kind::Map(entries.into()),
            Node::Scalar(Value::String(s)) if s == UNKNOWN => Kind::Unknown,
            Node::Scalar(Value::String(s)) => Kind::Str(s.as_str().into()),
            Node::Scalar(Value::Bool(b)) => Kind::Bool(*b),
            Node::Scalar(Value::Number(n)) => match (n.as_i64(), n.as_u64()) {
                (Some(i), _) => Kind::Int(i),
                (None, Some(u)) => Kind::UInt(u),
                (None, None) => Kind::Float(n.as_f64().expect("a number")),
            },
            Node::Scalar(_) => Kind::Null,
        }
    }
}

/// The problems of an object, whose `apiVersion` and `kind` say what it is.
pub fn problems(object: &Value) -> Vec<Problem> {
    let (tree, root) = JsonTree::new(object);
    let name = |field: &str| object[field].as_str().expect("apiVersion and kind are strings");
    match check(&tree, root, name("apiVersion"), name("kind")) {
        Outcome::Checked(problems) => problems,
        Outcome::NotCore => panic!("a core kind"),
    }
}

/// `path: what is wrong (help)` a problem, sorted.
pub fn lines(problems: &[Problem]) -> Vec<String> {
    let mut lines: Vec<_> = problems
        .iter()
        .map(|p| match &p.help {
            Some(help) => format!("{}: {} ({help})", p.path, p.what),
            None => format!("{}: {}", p.path, p.what),
        })
        .collect();
    lines.sort();
    lines
}

/// What is said of an object.
pub fn said(object: &Value) -> Vec<String> {
    lines(&problems(object))
}

/// What is said of a fragment.
pub fn said_of_fragment(value: &Value, fragment: Fragment) -> Vec<String> {
    let (tree, root) = JsonTree::new(value);
    lines(&check_fragment(&tree, root, fragment))
}

/// What is said of one container of a sound pod.
pub fn said_of_container(fields: Value) -> Vec<String> {
    let mut container = serde_json::json!({"name": "engine", "image": "vllm"});
    container.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    said(&pod(serde_json::json!({"containers": [container]})))
        .into_iter()
        .map(|line| line.replacen("spec.containers[0].", "", 1))
        .collect()
}

/// A pod with that spec.
pub fn pod(spec: Value) -> Value {
    serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
}

/// The text of a scalar node, to see where a problem points.
pub fn text(tree: &JsonTree, node: u32) -> String {
    match tree.kind(node) {
        Kind::Str(s) => s.into_owned(),
        other => format!("{other:?}"),
    }
}
