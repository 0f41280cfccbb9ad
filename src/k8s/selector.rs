//! Label selectors, and whether they select a set of labels.

use crate::yaml::{Node, is_unfinished};

use super::workload::Labels;

/// A selector: a map of labels, or `matchLabels` with `matchExpressions`.
#[derive(Clone, Copy, Debug)]
pub enum Selector<'t> {
    /// A plain map, as in a Service.
    Map(Node<'t>),
    /// A `LabelSelector`.
    Expressions(Node<'t>),
}

/// Three-valued truth: what is not known is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Labels or selector hold text that is decided elsewhere.
    Unknown,
}

impl Truth {
    /// Both.
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Yes, Truth::Yes) => Truth::Yes,
            _ => Truth::Unknown,
        }
    }

    /// At least one.
    pub fn or(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
            (Truth::No, Truth::No) => Truth::No,
            _ => Truth::Unknown,
        }
    }

    fn from(known: Option<bool>) -> Truth {
        match known {
            Some(true) => Truth::Yes,
            Some(false) => Truth::No,
            None => Truth::Unknown,
        }
    }
}

impl<'t> Selector<'t> {
    /// The selector's mapping.
    pub fn node(self) -> Node<'t> {
        match self {
            Selector::Map(node) | Selector::Expressions(node) => node,
        }
    }

    /// Whether it has no requirement. What that means depends on where it stands.
    pub fn is_empty(self) -> bool {
        match self {
            Selector::Map(node) => node.is_empty(),
            Selector::Expressions(node) => {
                ["matchLabels", "matchExpressions"].iter().all(|key| node.get(key).is_none_or(Node::is_empty))
            }
        }
    }

    /// Each requirement's node with whether the labels meet it.
    pub fn requirements(self, labels: &Labels<'_>) -> Vec<(Node<'t>, Truth)> {
        let (map, expressions) = match self {
            Selector::Map(node) => (Some(node), None),
            Selector::Expressions(node) => (node.get("matchLabels"), node.get("matchExpressions")),
        };
        let mut found = Vec::new();
        for entry in map.map(Node::entries).unwrap_or_default() {
            let (Some(key), Some(value)) = (entry.key.text(), entry.value.text()) else { continue };
            let truth = if is_unfinished(key) { Truth::Unknown } else { Truth::from(labels.equals(key, value)) };
            found.push((entry.value, truth));
        }
        for expression in expressions.map(Node::items).unwrap_or_default() {
            found.push((expression, match_expression(expression, labels)));
        }
        found
    }

    /// Whether it selects the labels. An empty selector selects everything.
    pub fn selects(self, labels: &Labels<'_>) -> Truth {
        self.requirements(labels).into_iter().fold(Truth::Yes, |all, (_, one)| all.and(one))
    }
}

/// Source: Kubernetes `apimachinery/pkg/labels/selector.go`, `Requirement.Matches`.
fn match_expression(expression: Node<'_>, labels: &Labels<'_>) -> Truth {
    let text = |key| expression.get(key).and_then(Node::text);
    let (Some(key), Some(operator)) = (text("key"), text("operator")) else { return Truth::Unknown };
    let values: Vec<&str> =
        expression.get("values").map(Node::items).unwrap_or_default().into_iter().filter_map(Node::text).collect();
    if is_unfinished(key) || values.iter().any(|v| is_unfinished(v)) {
        return Truth::Unknown;
    }
    let has = labels.has(key);
    let any = || {
        let found: Vec<Option<bool>> = values.iter().map(|v| labels.equals(key, v)).collect();
        if found.contains(&Some(true)) {
            Some(true)
        } else if found.contains(&None) {
            None
        } else {
            Some(false)
        }
    };
    Truth::from(match operator {
        "In" => any(),
        "NotIn" => any().map(|b| !b),
        "Exists" => has,
        "DoesNotExist" => has.map(|b| !b),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
