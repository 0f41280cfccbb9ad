//! Suppressions: comments and annotations that silence a finding and say why.

use crate::load::{Content, Loaded};
use crate::source::{SourceFile, SourceMap, Span};

use super::diagnostic::Diagnostic;

/// The word that starts a suppression comment.
const MARKER: &str = "kvlint:";

/// The annotation that survives rendering: `rule: reason` a line, or rule names separated by commas.
pub const ANNOTATION: &str = "kvlint.dev/ignore";

/// What a suppression covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Findings whose place touches these bytes.
    Span(Span),
    /// A whole file.
    File(Span),
}

/// One rule named by one suppression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The rule's name as written.
    pub rule: String,
    /// The bytes of the name.
    pub span: Span,
    /// The reason, empty when none is given.
    pub reason: String,
    /// What it covers.
    pub scope: Scope,
    /// Other places that it covers: those of an object that a build put together from several files.
    pub also: Vec<Span>,
    /// How many findings it silenced.
    pub silenced: usize,
}

/// All suppressions of a run, in source order.
pub fn collect(loaded: &Loaded) -> Vec<Suppression> {
    let mut found = Vec::new();
    // A base that several overlays build is in the units of all of them.
    let mut seen = std::collections::HashSet::new();
    for unit in &loaded.units {
        for file in unit.files.iter().filter(|f| seen.insert(f.source.id())) {
            if let Content::Stream(stream) = &file.content {
                for comment in &stream.comments {
                    from_comment(&file.source, comment.span, comment.trailing, &mut found);
                }
            }
        }
        for resource in &unit.resources {
            let annotation = resource.node().at("metadata.annotations").and_then(|a| a.get(ANNOTATION));
            if let Some(node) = annotation
                && let Some(text) = node.text()
            {
                let scope = Scope::Span(resource.node().span());
                let mut also = Vec::new();
                if resource.tree().is_composed() {
                    places(resource.node(), &mut also);
                }
                let mut at = 0;
                for line in text.split_inclusive('\n') {
                    let (names, reason) = line.split_once(':').unwrap_or((line, ""));
                    let mut offset = at;
                    for name in names.split_inclusive(',') {
                        let start = offset + (name.len() - name.trim_start().len());
                        let rule = name.trim_end_matches(',').trim();
                        offset += name.len();
                        let span = node.sub_span(start..start + rule.len());
                        // Every overlay brings the annotation of its base again.
                        let known = found.iter_mut().find(|s: &&mut Suppression| s.span == span);
                        if let Some(known) = known {
                            known.also.extend(also.iter().copied());
                        } else if !rule.is_empty() {
                            found.push(Suppression {
                                rule: rule.to_string(),
                                span,
                                reason: reason.trim().to_string(),
                                scope,
                                also: also.clone(),
                                silenced: 0,
                            });
                        }
                    }
                    at += line.len();
                }
            }
        }
    }
    found
}

/// The stretch of each file that the parts of a built object lie in.
fn places(node: crate::yaml::Node<'_>, into: &mut Vec<Span>) {
    fn add(span: Span, into: &mut Vec<Span>) {
        match into.iter_mut().find(|s| s.file == span.file) {
            Some(old) => *old = old.to(span),
            None => into.push(span),
        }
    }
    if node.text().is_some() {
        add(node.span(), into);
    }
    for entry in node.entries() {
        add(entry.key.span(), into);
        places(entry.value, into);
    }
    node.items().into_iter().for_each(|i| places(i, into));
}

/// `# kvlint: ignore[rule, rule] reason` or `# kvlint: ignore-file[rule] reason`.
fn from_comment(source: &SourceFile, comment: Span, trailing: bool, found: &mut Vec<Suppression>) {
    let text = source.slice(comment);
    let body = text.trim_start_matches('#').trim_start();
    let Some(directive) = body.strip_prefix(MARKER).map(str::trim_start) else { return };
    let Some((verb, rest)) = directive.split_once('[') else { return };
    let Some((names, reason)) = rest.split_once(']') else { return };
    let scope = match verb.trim() {
        "ignore-file" => Scope::File(comment),
        "ignore" => Scope::Span(covered(source, comment, trailing)),
        _ => return,
    };
    // `names` is a slice of `text`, so its offset is a difference of lengths.
    let mut offset = comment.start as usize + text.len() - rest.len();
    for name in names.split_inclusive(',') {
        let start = offset + (name.len() - name.trim_start().len());
        let rule = name.trim_end_matches(',').trim();
        offset += name.len();
        found.push(Suppression {
            rule: rule.to_string(),
            span: Span::new(comment.file, start as u32, (start + rule.len()) as u32),
            reason: reason.trim().to_string(),
            scope,
            also: Vec::new(),
            silenced: 0,
        });
    }
}

/// The line of a trailing comment; else the next line that is not blank or a comment, with the lines that are indented
/// deeper than it, which are its value.
fn covered(source: &SourceFile, comment: Span, trailing: bool) -> Span {
    let line = source.line_index(comment.start);
    let text = |i: usize| source.line_span(i).map(|s| (s, source.slice(s)));
    if trailing {
        return text(line).map_or(comment, |(span, _)| span);
    }
    let indent = |t: &str| t.len() - t.trim_start().len();
    let is_content = |t: &str| !t.trim().is_empty() && !t.trim_start().starts_with('#');
    let mut next = line + 1;
    while let Some((_, t)) = text(next)
        && !is_content(t)
    {
        next += 1;
    }
    let Some((mut span, first)) = text(next) else { return comment };
    let depth = indent(first);
    let mut i = next + 1;
    while let Some((s, t)) = text(i) {
        if is_content(t) {
            // A list may stand at the same indentation as its key.
            let list_of_key = indent(t) == depth && t.trim_start().starts_with("- ") && first.trim_end().ends_with(':');
            if (indent(t) <= depth && !list_of_key) || t.starts_with("---") {
                break;
            }
            span = span.to(s);
        }
        i += 1;
    }
    span
}

/// Whether a suppression covers the finding; counts it.
pub fn silence(suppressions: &mut [Suppression], diagnostic: &Diagnostic, _sources: &SourceMap) -> bool {
    let place = diagnostic.primary.span;
    let mut silenced = false;
    for suppression in suppressions.iter_mut().filter(|s| s.rule == diagnostic.rule) {
        let covers = match suppression.scope {
            Scope::File(span) => span.file == place.file,
            Scope::Span(span) => span.file == place.file && span.start <= place.start && place.start <= span.end,
        };
        let covers = covers || suppression.also.iter().any(|s| s.contains(place));
        if covers {
            suppression.silenced += 1;
            silenced = true;
        }
    }
    silenced
}
