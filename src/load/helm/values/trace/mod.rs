//! Which values a template reads, and which one stands at a place of the output.

mod expansion;
mod feeds;
mod functions;
mod library;
mod machine;
mod reach;
mod reads;
mod sym;

pub use feeds::{Fed, Feeds, FoundLeaf, Question, Trace};
pub use library::ChartTemplates;
pub use reach::Switch;
pub use reads::Reads;

use std::collections::HashSet;

use super::Values;
use crate::source::Span;
use library::Library;
use machine::Machine;
use sym::Sym;

/// The templates of a chart and its values, ready to be asked.
#[derive(Clone, Debug)]
pub struct Tracer<'t> {
    library: Library<'t>,
    reads: Reads,
}

impl<'t> Tracer<'t> {
    /// Looks through all templates. `charts` are the chart and every subchart under each of its keys, `outside` what is
    /// read otherwise.
    pub fn new(charts: Vec<ChartTemplates<'t>>, values: &'t Values, outside: Reads) -> Tracer<'t> {
        let library = Library::new(charts, values);
        let reads = read_all(&library, outside);
        Tracer { library, reads }
    }

    /// What some template reads.
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// The tags of arms that no rendering with these values takes, in files that are rendered and in definitions. Empty
    /// where that can't be told.
    pub fn dead_arms(&self) -> HashSet<Span> {
        let mut machine = Machine::decider(&self.library, &self.reads);
        for (scope, template) in self.library.rendered() {
            if self.library.values.enabled().contains(scope) {
                machine.file(template, Sym::Scope(scope.clone()));
            }
        }
        if machine.is_exhausted() || machine.calls_any {
            return HashSet::new();
        }
        machine.arms.into_iter().filter(|(_, taken)| !taken).map(|(tag, _)| tag).collect()
    }

    /// The values.
    pub fn values(&self) -> &'t Values {
        self.library.values
    }
}

fn read_all(library: &Library<'_>, outside: Reads) -> Reads {
    let mut machine = Machine::reader(library);
    machine.reads = outside;
    for (scope, template) in library.rendered() {
        machine.file(template, Sym::Scope(scope.clone()));
        if machine.is_exhausted() {
            machine.reads.given_up = true;
        }
    }
    // Definitions that the chart does not use are there for others, who mostly give them what templates start with.
    let mut reads = std::mem::take(&mut machine.reads);
    for chart in &library.charts {
        for (_, template) in &chart.files {
            for definition in template.definitions() {
                if !machine.called(&definition.name.text) {
                    machine.include(&definition.name.text, &Sym::Scope(chart.scope.clone()));
                }
            }
        }
        // One that uses all that it is given was meant for less.
        reads.add(std::mem::take(&mut machine.reads), &chart.scope);
    }
    reads
}

#[cfg(test)]
mod tests;
