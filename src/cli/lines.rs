//! `kvlint lines [PATHS]`: where each line of a rendered chart comes from, and how many lines are certain.

use std::fmt::Write as _;

use clap::Args;

use super::settings::InputArguments;
use super::{FAILURE, output, settings, written};
use crate::display::{shown, visible};
use crate::load::helm::align::Confidence;
use crate::load::helm::lines::{MappedLine, Mapping, Share};
use crate::load::{Loaded, Unit};
use crate::source::{FileId, Span};

/// What the subcommand takes.
#[derive(Args, Debug)]
pub struct LinesArguments {
    #[command(flatten)]
    inputs: InputArguments,
    /// Render each chart once more with marks in its templates, and compare; exits with 1 where a certain line is wrong
    #[arg(long)]
    check: bool,
    /// Print the counts, and of the lines only those that marks prove wrong
    #[arg(long)]
    summary: bool,
}

pub fn run(arguments: &LinesArguments) -> u8 {
    let Some((_, loaded)) = settings::prepare(&arguments.inputs) else { return FAILURE };
    for skipped in loaded.skipped.iter().filter(|skipped| skipped.failed) {
        output::complain(&format!("{}: {}", visible::line(&shown(&skipped.path)), visible::line(&skipped.reason)));
    }
    let mut renderings: Vec<_> = loaded.renderings.iter().collect();
    renderings.sort_by_key(|(id, _)| **id);
    if renderings.is_empty() {
        for skipped in &loaded.skipped {
            output::advise(&format!("{}: {}", visible::line(&shown(&skipped.path)), visible::line(&skipped.reason)));
        }
        output::complain("there is no rendered chart here whose templates are at hand");
        return FAILURE;
    }
    let mut text = String::new();
    let mut wrong = 0;
    let broken: Vec<FileId> = loaded.units.iter().filter_map(|unit| told_broken(unit, &loaded)).collect();
    renderings.retain(|(id, _)| !broken.contains(id));
    for (id, rendering) in renderings {
        let mapping = Mapping::new(rendering, arguments.check);
        let title = shown(loaded.sources.file(*id).path());
        print(&mapping, &loaded, arguments.summary, &mut text);
        let _ = write!(text, "{}: {}", visible::line(&title), mapping.share);
        match mapping.marked {
            Some(true) => {
                let Share { right, wrong, .. } = mapping.share;
                let _ = write!(text, "; checked against markers: {right} right, {wrong} wrong");
            }
            Some(false) => text.push_str("; not checked against markers: it was not rendered here, or not with them"),
            None => {}
        }
        text.push('\n');
        wrong += mapping.share.wrong;
    }
    let code = written(None, &text);
    match code {
        0 if !broken.is_empty() => FAILURE,
        0 if wrong > 0 => 1,
        code => code,
    }
}

/// Says why helm renders nothing of a chart, and gives the text that there is not.
fn told_broken(unit: &Unit, loaded: &Loaded) -> Option<FileId> {
    let charted = unit.helm.as_ref().filter(|charted| charted.is_broken)?;
    let folder = visible::line(&shown(&unit.root)).into_owned();
    for problem in &charted.problems {
        let at = loaded.sources.line_column(problem.span);
        let path = shown(loaded.sources.file(problem.span.file).path());
        let place = format!("{}:{}:{}", visible::line(&path), at.line, at.column);
        output::complain(&format!("{place}: the chart does not render: {}", visible::line(&problem.message)));
    }
    if charted.problems.is_empty() {
        output::complain(&format!(
            "{folder}: helm does not render this chart with {}: lint it to see why",
            charted.set
        ));
    }
    charted.rendered
}

/// The lines of a rendering: how certain, where from, and the line. Writing to a string can't fail.
fn print(mapping: &Mapping, loaded: &Loaded, summary: bool, out: &mut String) {
    for section in &mapping.sections {
        let at = |span: &Span| {
            let file = loaded.sources.file(span.file);
            let path = section.folder.as_ref().and_then(|folder| file.path().strip_prefix(folder).ok());
            format!("{}:{}", shown(path.unwrap_or(file.path())), file.line_column(span.start).line)
        };
        let rows: Vec<(&MappedLine, String)> = section
            .lines
            .iter()
            .filter(|line| !summary || line.wrong)
            .map(|line| (line, line.places.iter().map(at).collect::<Vec<_>>().join(" > ")))
            .collect();
        if rows.is_empty() {
            continue;
        }
        let folder = section.folder.as_ref().map_or(String::new(), |folder| format!(", in {}", shown(folder)));
        let _ = writeln!(out, "# Source: {}", visible::line(&format!("{}{folder}", section.source)));
        let width = rows.iter().map(|(_, places)| places.chars().count()).max().unwrap_or(0);
        for (line, places) in rows {
            let confidence = match line.confidence {
                _ if line.wrong => "wrong",
                Confidence::Exact => "exact",
                Confidence::High => "high",
                Confidence::Medium => "medium",
                Confidence::File => "file",
            };
            let row = format!("{confidence:<6}  {places:<width$}  {}", line.text);
            let _ = writeln!(out, "{}", visible::line(row.trim_end()));
        }
        out.push('\n');
    }
}
