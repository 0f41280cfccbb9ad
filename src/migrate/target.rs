//! Which workloads are meant.

use std::fmt;
use std::str::FromStr;

use crate::edit::Refusal;
use crate::events::{Engine, Model, Publisher};
use crate::k8s::Workload;

/// What a person names on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Every workload that runs vLLM.
    All,
    /// One workload, or several of one name.
    Named {
        /// The kind, in any case; any kind where none is given.
        kind: Option<String>,
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
    },
}

impl Target {
    /// Whether a workload is meant. One that leaves its namespace to whoever applies it is meant by every namespace.
    pub fn means(&self, workload: &Workload<'_>) -> bool {
        let Target::Named { kind, namespace, name } = self else { return true };
        let resource = workload.resource;
        kind.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case(resource.kind()))
            && resource.namespace().is_none_or(|n| n == namespace)
            && resource.name() == name
    }

    /// The namespace that is named.
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Target::All => None,
            Target::Named { namespace, .. } => Some(namespace),
        }
    }

    /// The workloads of a unit that are meant; of all, those that run vLLM.
    pub fn find(&self, model: &Model<'_>) -> Vec<usize> {
        let runs = |index: usize| engines(model, index).is_ok();
        let named = *self != Target::All;
        let found = model.workloads.iter().enumerate().filter(|(i, w)| self.means(w) && (named || runs(*i)));
        found.map(|(i, _)| i).collect()
    }
}

/// What starts vLLM in a workload, the starts of each container together.
///
/// # Errors
/// When nothing does.
pub(super) fn engines<'m, 't>(model: &'m Model<'t>, index: usize) -> Result<Vec<&'m Publisher<'t>>, Refusal> {
    let found: Vec<_> = model.publishers.iter().filter(|p| p.workload == index && p.engine() == Engine::Vllm).collect();
    if found.is_empty() {
        let place = model.workloads[index].resource.grip();
        return Err(Refusal::at(place, "no container of it is seen to start vLLM"));
    }
    Ok(found)
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let named = |kind: Option<&str>, namespace: &str, name: &str| Target::Named {
            kind: kind.map(str::to_string),
            namespace: namespace.to_string(),
            name: name.to_string(),
        };
        match parts.as_slice() {
            _ if parts.iter().any(|p| p.is_empty()) => Err("a part of it is empty".into()),
            [namespace, name] => Ok(named(None, namespace, name)),
            [kind, namespace, name] => Ok(named(Some(kind), namespace, name)),
            _ => Err("it is `namespace/name` or `kind/namespace/name`, as in `default/llama-8b`".into()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::All => f.write_str("any workload"),
            Target::Named { kind: Some(kind), namespace, name } => write!(f, "{kind}/{namespace}/{name}"),
            Target::Named { kind: None, namespace, name } => write!(f, "{namespace}/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_two_parts_or_three() {
        for text in ["default/llama", "deployment/default/llama"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for text in ["llama", "/llama", "a//b", "a/b/c/d", ""] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
