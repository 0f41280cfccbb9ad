//! A root as a unit: its objects, and what the build has to say.

use std::collections::HashMap;
use std::path::PathBuf;

use super::accumulate::DirectiveUse;
use super::order::Order;
use super::workspace::{BuildProblem, Folder, ProblemKind, Workspace};
use super::{build, compose, dangling};
use crate::load::unit::{Missing, Unit, UnitKind};
use crate::source::Span;

/// One kustomization of a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its folder, as it was reached.
    pub folder: PathBuf,
}

/// A name inside a custom resource that Kustomize did not follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dangling {
    /// The name.
    pub span: Span,
    /// What it says.
    pub name: String,
    /// `Kind/name` of the object that is meant, as it is called now.
    pub now: String,
    /// The object.
    pub object: Span,
}

/// What the build of a root has to say.
#[derive(Clone, Debug, Default)]
pub struct Kustomized {
    /// What is wrong.
    pub problems: Vec<BuildProblem>,
    /// What every directive did.
    pub directives: Vec<DirectiveUse>,
    /// The folders that were built, the root first.
    pub layers: Vec<Layer>,
    /// Names that lead nowhere now.
    pub dangling: Vec<Dangling>,
}

/// Builds a root as a unit; gives the files that it used, too.
pub fn unit(ws: &mut Workspace<'_>, root: &Folder) -> (Unit, Vec<PathBuf>) {
    let built = build(ws, root, Order::Legacy);
    let dangling = dangling::dangling(&built);
    let dangling = dangling.into_iter().map(|(name, i)| Dangling {
        span: ws.grip(&name.origin),
        name: name.text().unwrap_or_default().to_string(),
        now: built.resources[i].id().title(),
        object: super::patch_target::resource_grip(ws, &built.resources[i]),
    });
    let dangling = dangling.collect();
    let mut missing = built.log.missing.clone();
    let mut problems = built.log.problems;
    // What is not there may be in what is not at hand.
    problems.retain(|p| missing.is_empty() || p.kind != ProblemKind::Absent);
    if let Some(problem) = problems.iter().find(|p| p.is_fatal())
        && missing.is_empty()
    {
        let reason = format!("the build fails: {}", problem.message);
        missing.push(Missing { reason, span: Some(problem.span) });
    }
    let layers = built.log.folders.iter().map(|f| Layer { folder: f.shown.clone() }).collect();
    let unit = Unit {
        root: if root.shown.as_os_str().is_empty() { PathBuf::from(".") } else { root.shown.clone() },
        kind: UnitKind::Kustomize,
        missing,
        files: built.log.files.iter().filter_map(|f| ws.input_file(f)).collect(),
        resources: built.resources.iter().filter_map(|r| compose::object(ws, r)).collect(),
        kustomize: Some(Box::new(Kustomized { problems, directives: built.log.directives, layers, dangling })),
        helm: None,
    };
    (unit, built.log.files)
}

/// A directive of a base or component runs in several roots: it is dead only where it is dead in all of them.
pub fn join_uses(units: &mut [Unit]) {
    let mut uses: HashMap<Span, (usize, usize)> = HashMap::new();
    for unit in units.iter() {
        // What a partial root lacks may be what the directive is for.
        let unknown = usize::from(!unit.is_complete());
        for directive in unit.kustomize.iter().flat_map(|k| &k.directives) {
            let most = uses.entry(directive.span).or_default();
            most.0 = most.0.max(directive.matched).max(unknown);
            most.1 = most.1.max(directive.changed).max(unknown);
        }
    }
    for directive in units.iter_mut().filter_map(|u| u.kustomize.as_mut()).flat_map(|k| &mut k.directives) {
        if let Some(most) = uses.get(&directive.span) {
            (directive.matched, directive.changed) = *most;
        }
    }
}
