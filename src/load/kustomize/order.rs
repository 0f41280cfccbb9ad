//! The order of the output.

use std::cmp::Ordering;

use super::kustomization::SortOptions;
use super::resource::{Id, Resource};
use super::workspace::{BuildProblem, Outcome};
use crate::facts::kustomize::default_order;

/// How objects are sorted where the kustomization does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the command-line tools do it.
    #[default]
    Legacy,
    /// As they were accumulated.
    Fifo,
}

/// Sorts the objects.
///
/// # Errors
/// When the options contradict each other.
pub fn sort(resources: &mut [Resource], options: Option<&SortOptions>, default: Order) -> Outcome<()> {
    let (first, last) = default_order();
    let (mut first, mut last) = (first.to_vec(), last.to_vec());
    if let Some(options) = options {
        let order = options.order.as_ref().map_or("", |o| o.text.as_str());
        match (order, &options.legacy) {
            ("fifo", None) => return Ok(()),
            ("fifo", Some(_)) => {
                let problem =
                    BuildProblem::failed(options.span, "`legacySortOptions` go with `order: legacy`, not with fifo");
                return Err(Box::new(problem.help("take one of them away")));
            }
            ("legacy", Some((a, b))) => {
                first = a.iter().map(|t| t.text.to_string()).collect();
                last = b.iter().map(|t| t.text.to_string()).collect();
            }
            ("legacy", None) => {}
            _ => {
                let span = options.order.as_ref().map_or(options.span, |o| o.span);
                let problem = BuildProblem::failed(span, format!("`{order}` is no order: legacy and fifo are"));
                return Err(Box::new(problem.help("write `order: legacy` or `order: fifo`")));
            }
        }
    } else if default == Order::Fifo {
        return Ok(());
    }
    resources.sort_by(|a, b| compare(&a.id(), &b.id(), &first, &last));
    Ok(())
}

fn or<'t>(text: &'t str, none: &'t str) -> &'t str {
    if text.is_empty() { none } else { text }
}

fn compare(a: &Id, b: &Id, first: &[String], last: &[String]) -> Ordering {
    let rank = |id: &Id| match (first.iter().position(|k| *k == id.kind), last.iter().position(|k| *k == id.kind)) {
        (_, Some(i)) => i as i64 + 1,
        (Some(i), None) => i as i64 - first.len() as i64,
        (None, None) => 0,
    };
    let gvk = |id: &Id| format!("{}_{}_{}", or(&id.group, "~G"), or(&id.version, "~V"), or(&id.kind, "~K"));
    let same = a.group == b.group && a.version == b.version && a.kind == b.kind;
    if !same {
        let both_namespaces =
            a.kind == "Namespace" && b.kind == "Namespace" && (a.group.is_empty() || b.group.is_empty());
        let by_gvk = gvk(a).cmp(&gvk(b));
        return rank(a).cmp(&rank(b)).then(if both_namespaces { by_gvk.reverse() } else { by_gvk });
    }
    let key = |id: &Id| format!("{}|{}", or(&id.written_namespace, "~X"), or(&id.name, "~N"));
    key(a).cmp(&key(b))
}
