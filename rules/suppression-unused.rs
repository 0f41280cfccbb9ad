use std::collections::{HashMap, HashSet};

use crate::lint::Edit;
use crate::lint::prelude::*;
use crate::lint::suppress::Suppression;
use crate::source::SourceFile;

pub fn check(cx: &mut RunContext<'_>) {
    let (suppressions, sources) = (cx.suppressions, &cx.loaded.sources);
    let mut beside: HashMap<Span, Vec<&Suppression>> = HashMap::new();
    for suppression in &suppressions.entries {
        beside.entry(suppression.written).or_default().push(suppression);
    }
    beside.values_mut().for_each(|names| names.sort_by_key(|s| s.span));
    let in_use: HashSet<Span> = suppressions.entries.iter().filter(|s| !is_unused(s)).map(|s| s.written).collect();
    for suppression in suppressions.entries.iter().filter(|s| is_unused(s)) {
        let report = cx
            .report(suppression.span, format!("`{}` finds nothing here that could be ignored", suppression.rule))
            .help("remove it")
            .note("it would hide the next mistake at this place");
        let file = sources.file(suppression.span.file);
        // An annotation is a part of the object.
        if !file.slice(suppression.written).starts_with('#') {
            continue;
        }
        let beside = beside.get(&suppression.written).map_or(&[][..], Vec::as_slice);
        let (title, span) = match in_use.contains(&suppression.written) {
            false => ("remove the comment".to_string(), whole(file, suppression.written)),
            true => (format!("remove `{}`", suppression.rule), name(beside, suppression)),
        };
        report.fix(title, Applicability::Safe, vec![Edit { span, replacement: String::new() }]);
    }
}

fn is_unused(suppression: &Suppression) -> bool {
    suppression.ran && suppression.silenced == 0
}

/// The comment with the blanks before it; with its line where nothing else stands there.
fn whole(file: &SourceFile, comment: Span) -> Span {
    let text = file.text();
    let before = text.get(..comment.start as usize).unwrap_or_default();
    let start = before.trim_end_matches([' ', '\t']).len();
    let rest = text.get(comment.end as usize..).unwrap_or_default();
    let alone = start == 0 || before[..start].ends_with(['\n', '\r', '\u{feff}']);
    let ending = ["\r\n", "\n", "\r"].into_iter().find(|e| rest.starts_with(e)).map_or(0, str::len);
    let end = comment.end + if alone { ending as u32 } else { 0 };
    Span { start: start as u32, end, ..comment }
}

/// The name with the comma that parts it from its neighbour.
fn name(beside: &[&Suppression], own: &Suppression) -> Span {
    let at = beside.partition_point(|s| s.span < own.span);
    match (at.checked_sub(1).and_then(|i| beside.get(i)), beside.get(at + 1)) {
        (Some(last), _) => Span { start: last.span.end, ..own.span },
        (None, Some(next)) => Span { end: next.span.start, ..own.span },
        (None, None) => own.span,
    }
}
