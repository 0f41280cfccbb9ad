//! Keys that no template reads: setting them changes nothing.

use super::chart::ChartTexts;
use super::path::ValuePath;
use super::trace::{Reads, Tracer};
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Node, Shape, Tree};

/// A key that nothing reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadKey {
    /// The path to it.
    pub path: ValuePath,
    /// The key.
    pub key: Span,
    /// The same key in further items of a list.
    pub repeated: Vec<Span>,
    /// A key that is read in its place and that it was perhaps meant to be.
    pub meant: Option<String>,
}

/// What is read without a template: globals, switches of dependencies, values of charts that are not here, values that a parent imports.
pub fn outside_templates(chart: &ChartTexts) -> Reads {
    let mut reads = Reads::default();
    outside(chart, &ValuePath::root(), &mut reads);
    reads
}

fn outside(chart: &ChartTexts, scope: &ValuePath, reads: &mut Reads) {
    if chart.unread {
        reads.read(scope);
    }
    reads.read(&scope.key("global"));
    if scope.is_root() {
        reads.read(&scope.key("tags"));
    }
    for dependency in &chart.dependencies {
        let key = scope.key(dependency.key());
        dependency.conditions().for_each(|path| reads.read(&scope.join(&ValuePath::dotted(path))));
        dependency.import_values.iter().for_each(|i| reads.read(&key.join(&ValuePath::dotted(&i.child))));
        if !chart.charts.iter().any(|c| c.name == dependency.name) {
            reads.read(&key);
        }
    }
    for (key, sub) in chart.children() {
        outside(sub, &scope.key(key), reads);
    }
}

/// The keys of a values file that nothing reads, the outermost ones, in the order of the file.
pub fn unread_keys(tracer: &Tracer<'_>, file: &Tree) -> Vec<UnreadKey> {
    let mut found = Vec::new();
    visit(tracer.reads(), file.root(), &ValuePath::root(), &mut found);
    // Keys that are there for templates in other values are explained in a comment.
    let text = file.source().text();
    found.retain(|key| !text.contains(&format!(".Values.{}", key.path)));
    found
}

fn visit(reads: &Reads, node: Node<'_>, path: &ValuePath, found: &mut Vec<UnreadKey>) {
    match node.shape() {
        Shape::Mapping => {
            for entry in node.entries() {
                // What an anchor repeats elsewhere counts there.
                let Some(key) = entry.key.text().filter(|_| entry.merged.is_none()) else { continue };
                let here = path.key(key);
                if reads.is_read(&here) {
                    if !reads.is_read_whole(&here) {
                        visit(reads, entry.value, &here, found);
                    }
                } else if !has_anchor(entry.value) {
                    let span = entry.key.written_span();
                    let same = found.iter_mut().find(|f| is_sibling(&f.path, &here));
                    match same {
                        Some(first) => first.repeated.push(span),
                        None => {
                            let candidates = reads.keys_below(path).into_iter().filter(|k| node.get(k).is_none());
                            let meant = suggest::nearest(key, candidates).map(str::to_string);
                            found.push(UnreadKey { path: here, key: span, repeated: Vec::new(), meant });
                        }
                    }
                }
            }
        }
        Shape::Sequence => {
            for (i, item) in node.items().into_iter().enumerate() {
                visit(reads, item, &path.index(i), found);
            }
        }
        Shape::Scalar => {}
    }
}

/// Whether two paths differ in nothing but items of lists.
fn is_sibling(a: &ValuePath, b: &ValuePath) -> bool {
    use super::path::Segment;
    let (a, b) = (a.segments(), b.segments());
    a.len() == b.len()
        && a.iter().zip(b).all(|pair| match pair {
            (Segment::Index(_), Segment::Index(_)) => true,
            (a, b) => a == b,
        })
}

fn has_anchor(node: Node<'_>) -> bool {
    node.is_anchored()
        || node.items().into_iter().any(has_anchor)
        || node.entries().into_iter().any(|entry| has_anchor(entry.value))
}
