//! A container: its image, command, environment and ports.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::Resolved;
use super::expansion::{GROWTH, Variable};
use super::text::{Text, expand};
use crate::source::Span;
use crate::yaml::{Node, Scalar};

/// A container of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Container<'t> {
    /// Its mapping.
    pub node: Node<'t>,
    /// Whether it runs before the others and ends.
    pub init: bool,
}

/// A port that a container lists.
#[derive(Clone, Debug)]
pub struct ContainerPort<'t> {
    /// Its mapping.
    pub node: Node<'t>,
    /// The number. A string that is no number is unknown: the API server refuses it, which is another finding.
    pub number: Resolved<u16>,
    /// Its name.
    pub name: Option<Node<'t>>,
    /// `TCP` unless it says otherwise.
    pub protocol: &'t str,
}

/// A variable of a container's environment.
#[derive(Clone, Debug)]
pub struct EnvVar<'t> {
    /// Its mapping in the list.
    pub node: Node<'t>,
    /// The name's node.
    pub name: Node<'t>,
    /// The value that the program gets.
    pub value: Resolved<Text>,
}

impl<'t> Container<'t> {
    /// Its name; empty when it has none.
    pub fn name(self) -> &'t str {
        self.node.get("name").and_then(Node::text).unwrap_or("")
    }

    /// A short place to hold it by: its name.
    pub fn grip(self) -> Span {
        self.node.get("name").map_or_else(|| self.node.grip(), Node::span)
    }

    /// Whether it runs as long as the pod's main containers: one of them, or an init container that is restarted always.
    pub fn runs_beside(self) -> bool {
        !self.init || self.node.get("restartPolicy").and_then(Node::text) == Some("Always")
    }

    /// The image reference.
    pub fn image(self) -> Option<Node<'t>> {
        self.node.get("image").filter(|n| n.text().is_some_and(|t| !t.is_empty()))
    }

    /// The ports list, when there is one.
    pub fn ports_node(self) -> Option<Node<'t>> {
        self.node.get("ports").filter(|n| n.is_sequence())
    }

    /// The ports that it lists.
    pub fn ports(self) -> Vec<ContainerPort<'t>> {
        self.listed_ports().collect()
    }

    /// [`Container::ports`], one after another.
    pub fn listed_ports(self) -> impl Iterator<Item = ContainerPort<'t>> {
        self.port_nodes().map(ContainerPort::new)
    }

    /// The port of this name.
    pub fn port_named(self, name: &str) -> Option<ContainerPort<'t>> {
        self.port_nodes().find(|n| n.get("name").and_then(Node::text) == Some(name)).map(ContainerPort::new)
    }

    fn port_nodes(self) -> impl Iterator<Item = Node<'t>> {
        let items = self.ports_node().map(Node::items).unwrap_or_default();
        items.into_iter().filter(|n| n.is_mapping())
    }

    /// The variable of this name that counts: the last.
    pub fn env(self, name: &str) -> Option<EnvVar<'t>> {
        let named = |n: &&Node<'t>| n.get("name").and_then(Node::text) == Some(name);
        let node = self.env_items().iter().rfind(named).copied()?;
        // Most values stand for themselves.
        if node.get("value").and_then(Node::text).is_some_and(|text| text.contains('$')) {
            self.environment().variables.into_iter().rfind(|var| var.name.text() == Some(name))
        } else {
            Some(EnvVar::new(node, Text::literal))
        }
    }

    /// All variables in order.
    pub fn env_vars(self) -> Vec<EnvVar<'t>> {
        self.environment().variables
    }

    /// The environment as the kubelet makes it.
    pub fn environment(self) -> Environment<'t> {
        Environment::new(self)
    }

    fn env_items(self) -> Vec<Node<'t>> {
        self.node.get("env").map(Node::items).unwrap_or_default()
    }

    /// Whether variables come from ConfigMaps or Secrets as a whole, so that any name may be set.
    pub fn has_env_from(self) -> bool {
        self.node.get("envFrom").is_some_and(|n| !n.is_empty())
    }

    /// The part of the environment that may bring variables of any name: ConfigMaps or Secrets as a whole, a name or a list
    /// that is filled in later.
    fn open_env(self) -> Option<Span> {
        if self.has_env_from() {
            return Some(self.node.get("envFrom").map_or_else(|| self.grip(), Node::grip));
        }
        let list = self.node.get("env").filter(|n| !n.is_null())?;
        let open = |item: &Node<'t>| !item.is_mapping() || item.get("name").is_some_and(Node::is_templated);
        match list.is_sequence() {
            true => list.items().into_iter().find(open).map(Node::grip),
            false => Some(list.grip()),
        }
    }

    /// The value of a setting that is read from the environment.
    pub fn setting(self, name: &str) -> Resolved<Text> {
        match (self.env(name), self.open_env()) {
            (Some(var), _) => var.value,
            (None, Some(open)) => Resolved::Unknown(open),
            (None, None) => Resolved::Absent(
                self.node.entry("env").filter(|e| e.value.is_sequence()).map_or_else(|| self.grip(), |e| e.key.span()),
            ),
        }
    }

    /// The word of [`Container::argv`] as it is written.
    pub fn argv_node(self, index: usize) -> Option<Node<'t>> {
        let list = |key| self.node.get(key).map(Node::items).unwrap_or_default();
        let words = list("command").into_iter().chain(list("args")).filter(|n| n.text().is_some());
        words.into_iter().nth(index)
    }

    /// `command` and `args` as one list after expansion, and whether `command` is there: without it the image's own entry
    /// point runs.
    pub fn argv(self) -> Argv {
        let list = |key| self.node.get(key).filter(|n| n.is_sequence());
        let (command, args) = (list("command"), list("args"));
        let words = |node: Option<Node<'t>>| node.map(Node::items).unwrap_or_default();
        let environment = OnceCell::new();
        let value = |name: &str| environment.get_or_init(|| self.environment()).variable(name);
        let mut budget = GROWTH;
        let mut expand_all = |items: Vec<Node<'t>>| -> Vec<Text> {
            let words = items.into_iter().filter(|n| n.text().is_some());
            words.map(|n| expand(n, &mut budget, value)).collect()
        };
        let mut texts = expand_all(words(command));
        let own_command = texts.len();
        texts.extend(expand_all(words(args)));
        let end = args.or(command).map(|n| n.grip()).unwrap_or_else(|| self.grip());
        Argv { words: texts, command_words: own_command, grip: end }
    }
}

impl<'t> EnvVar<'t> {
    /// What an item of `env` sets; `expand` gives the text of a value.
    fn new(node: Node<'t>, expand: impl FnOnce(Node<'t>) -> Text) -> EnvVar<'t> {
        let name = node.get("name").unwrap_or(node);
        let value = match (node.get("value"), node.get("valueFrom")) {
            (_, Some(from)) if !from.is_null() => Resolved::Unknown(from.grip()),
            (Some(value), _) if value.text().is_some() => {
                let text = expand(value);
                let span = text.span();
                if text.opaque { Resolved::Unknown(span) } else { Resolved::Known(text, span) }
            }
            (Some(value), _) => Resolved::Unknown(value.span()),
            (None, _) => Resolved::Known(Text::literal(name), name.span()).map(|mut text| {
                text.value.clear();
                text
            }),
        };
        EnvVar { node, name, value }
    }
}

/// The variables of a container, made in their order as the kubelet makes them: a value sees only those before it, and each of them is
/// read once, however many refer to it. What references add together is bounded; what is beyond that is unknown.
/// Source: k8s.io/kubernetes `pkg/kubelet/kubelet_pods.go`, `makeEnvironmentVariables`.
#[derive(Clone, Debug)]
pub struct Environment<'t> {
    /// All of them, in order.
    pub variables: Vec<EnvVar<'t>>,
    /// By name, the last: its place in the list.
    last: HashMap<&'t str, usize>,
    /// Whether any name may be set from elsewhere.
    open: bool,
}

impl<'t> Environment<'t> {
    fn new(container: Container<'t>) -> Environment<'t> {
        let open = container.has_env_from();
        let mut made = Environment { variables: Vec::new(), last: HashMap::new(), open };
        let mut budget = GROWTH;
        for node in container.env_items() {
            let Some(name) = node.get("name") else { continue };
            let variable = EnvVar::new(node, |value| expand(value, &mut budget, |name| made.variable(name)));
            if let Some(name) = name.text() {
                made.last.insert(name, made.variables.len());
            }
            made.variables.push(variable);
        }
        made
    }

    /// What `$(name)` stands for in `command` and `args`.
    pub fn variable(&self, name: &str) -> Variable {
        match self.last.get(name).and_then(|&index| self.variables.get(index)) {
            Some(EnvVar { value: Resolved::Known(text, _), .. }) => Variable::Value(text.value.clone()),
            Some(_) => Variable::Unknown,
            None if self.open || is_service_variable(name) => Variable::Unknown,
            None => Variable::Absent,
        }
    }
}

/// The command line of a container.
#[derive(Clone, Debug)]
pub struct Argv {
    /// Every word.
    pub words: Vec<Text>,
    /// How many of them come from `command`.
    pub command_words: usize,
    /// The `args` key, else the `command` key, else the container's name.
    pub grip: Span,
}

/// Variables that Kubernetes adds for each Service of the namespace (`REDIS_SERVICE_HOST`, `REDIS_PORT`).
fn is_service_variable(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST") || name.contains("_PORT_") || name.ends_with("_PORT")
}

impl<'t> ContainerPort<'t> {
    fn new(node: Node<'t>) -> ContainerPort<'t> {
        let number = match node.get("containerPort") {
            None => Resolved::Absent(node.grip()),
            Some(n) => match n.scalar() {
                Some(Scalar::Int(i)) if u16::try_from(i).is_ok() => Resolved::Known(i as u16, n.span()),
                _ => Resolved::Unknown(n.span()),
            },
        };
        let protocol = node.get("protocol").and_then(Node::text).filter(|p| !p.is_empty()).unwrap_or("TCP");
        ContainerPort { node, number, name: node.get("name").filter(|n| n.text().is_some()), protocol }
    }

    /// Whether it is a TCP port, as all ports of engines are.
    pub fn is_tcp(&self) -> bool {
        self.protocol == crate::facts::kubernetes::table().default_protocol
    }

    /// The number's bytes, or the port's.
    pub fn span(&self) -> Span {
        self.number.span()
    }
}

#[cfg(test)]
mod tests;
