//! Fixes that are shown and not made, because of where their edits would land.

use std::collections::HashMap;

use super::diagnostic::{Applicability, Diagnostic};
use super::overlays::{list, names};
use super::rule;
use crate::load::Loaded;
use crate::source::{FileId, SourceMap};

/// A fix in a text that is not edited is only shown.
pub(super) fn to_editable(diagnostic: &mut Diagnostic, sources: &SourceMap) {
    let Some(fix) = diagnostic.fix.as_ref().filter(|fix| fix.applicability != Applicability::Display) else { return };
    let locked = fix.edits.iter().map(|edit| sources.file(edit.span.file)).find(|file| !file.is_editable());
    let Some((file, reason)) = locked.and_then(|file| Some((file, file.why_read_only()?))) else { return };
    let why = format!("{} {}", file.path().display(), reason.as_str());
    only_show(diagnostic, why);
}

/// A place that several units would mend in different ways is a matter for people.
pub(super) fn to_agreed(diagnostic: &mut Diagnostic, agreed: bool, units: &[String]) {
    if !agreed && diagnostic.fix.is_some() {
        only_show(diagnostic, format!("{} need different changes", list(units)));
    }
}

/// A file that several units use is mended only where the finding is one in all of them.
pub(super) fn to_shared(
    diagnostic: &mut Diagnostic,
    seen: &[usize],
    users: &HashMap<FileId, Vec<usize>>,
    loaded: &Loaded,
) {
    let Some(fix) = diagnostic.fix.as_ref().filter(|fix| fix.applicability != Applicability::Display) else { return };
    for edit in &fix.edits {
        let others = users.get(&edit.span.file).into_iter().flatten().copied();
        let others: Vec<usize> = others.filter(|i| !seen.contains(i)).collect();
        if others.is_empty() {
            continue;
        }
        // A rule that concludes from absence did not look at a partial unit.
        let needs = rule::find(diagnostic.rule).is_some_and(|rule| rule.needs_complete);
        let looked = others.iter().all(|&i| !needs || loaded.units[i].is_complete());
        let there = if looked { "where this is no defect" } else { "where this can't be judged" };
        let path = loaded.sources.file(edit.span.file).path().display();
        let used = format!("{path} is used by {} too, {there}", list(&names(&others, loaded)));
        return only_show(diagnostic, used);
    }
}

/// The note of a finding that could be mended elsewhere or otherwise.
pub(super) fn not_made(why: &str) -> String {
    format!("the fix is not made here: {why}")
}

fn only_show(diagnostic: &mut Diagnostic, why: String) {
    if let Some(fix) = &mut diagnostic.fix
        && fix.applicability != Applicability::Display
    {
        fix.applicability = Applicability::Display;
        diagnostic.notes.push(not_made(&why));
    }
}
