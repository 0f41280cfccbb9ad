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

use super::Values;
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
    machine.reads
}
