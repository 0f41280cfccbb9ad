//! `kvlint units [PATHS]`: what is deployed together, what was recognised in it, and what may be missing from it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use clap::Args;

use super::settings::{self, InputArguments};
use super::terminal::{self, Color};
use super::{FAILURE, output};
use crate::config::Config;
use crate::display::{shown, visible};
use crate::events::{Company, ImageRelease, Model, Publishing};
use crate::load::{Loaded, Unit};
use crate::report::{Coverage, Style};
use crate::source::{FileId, Span};

/// What the subcommand takes.
#[derive(Args, Debug)]
pub struct UnitsArguments {
    #[command(flatten)]
    inputs: InputArguments,
}

pub fn run(arguments: &UnitsArguments, color: Color) -> u8 {
    let (config, sources) = match settings::configure(&arguments.inputs) {
        Ok(configured) => configured,
        Err(message) => {
            output::complain(&message);
            return FAILURE;
        }
    };
    let Some(loaded) = settings::load(&arguments.inputs, &config, sources) else { return FAILURE };
    let style = terminal::standard_output(color);
    let coverage = Coverage::of(&loaded);
    let mut text: String = loaded.units.iter().map(|unit| describe(unit, &loaded, &config, &style) + "\n").collect();
    for missed in &coverage.not_analysed {
        let part = if missed.in_part { "analysed in part" } else { "not analysed" };
        let line = format!("{}: {}", visible::line(&shown(&missed.path)), visible::line(&missed.reason));
        text.push_str(&format!("{} {line}\n", style.advice(&format!("{part}:"))));
    }
    text.push_str(&format!("{coverage}\n"));
    match output::deliver(None, |out| out.write_all(text.as_bytes())) {
        Ok(()) if !config.problems.is_empty() || coverage.not_analysed.iter().any(|n| n.failed) => FAILURE,
        Ok(()) => 0,
        Err(message) => {
            output::complain(&message);
            FAILURE
        }
    }
}

/// One unit, a line for each thing that matters. Writing to a string can't fail.
fn describe(unit: &Unit, loaded: &Loaded, config: &Config, style: &Style) -> String {
    let model = Model::new(unit, config);
    let at = |span: Span| {
        let span = loaded.shown_span(span);
        let place = loaded.sources.line_column(span);
        format!("{}:{}:{}", shown(loaded.sources.file(span.file).path()), place.line, place.column)
    };
    let state = if unit.is_complete() { "complete" } else { "partial" };
    let mut text =
        format!("{}  {}, {state}\n", style.bold(&visible::line(&shown(Path::new(&unit.title())))), unit.kind.as_str());
    for missing in &unit.missing {
        let place = missing.span.map_or(String::new(), |span| format!("  {}", at(span)));
        let _ =
            writeln!(text, "  {} {}{}", style.advice("why:"), visible::line(&missing.reason), visible::line(&place));
    }
    for layer in unit.kustomize.iter().flat_map(|k| &k.layers) {
        let _ = writeln!(text, "  {:<10} {}", "layer", visible::line(&shown(&layer.folder)));
    }
    let _ = writeln!(text, "  {:<10} {} in {} files", "resources", unit.resources.len(), files(unit));
    for publisher in &model.publishers {
        let publishing = match publisher.publishing() {
            Publishing::On => "publishes events",
            Publishing::Off => "has events switched off",
            Publishing::Unconfigured => "publishes nothing",
            Publishing::Unknown => "can't be known",
        };
        let engine = format!("{} {}", publisher.engine().name(), release(&publisher.image));
        let title = publisher.pod.resource.title();
        let name = publisher.container.name();
        // Of several starts in one script each has a line of its own.
        let place = match publisher.command.company {
            Company::Alone => publisher.container.grip(),
            _ => publisher.command.grip,
        };
        let line = format!("{title}, container {name}: {engine}, {publishing}  {}", at(place));
        let _ = writeln!(text, "  {:<10} {}", "publisher", visible::line(&line));
    }
    for gateway in &model.gateways {
        let engine = format!("AIBrix {}", release(&gateway.image));
        let title = gateway.pod.resource.title();
        let name = gateway.container.name();
        let line = format!("{title}, container {name}: {engine}  {}", at(gateway.container.grip()));
        let _ = writeln!(text, "  {:<10} {}", "gateway", visible::line(&line));
    }
    text
}

/// The files that a unit is made from: the text that a chart renders to is none.
fn files(unit: &Unit) -> usize {
    let Some(helm) = &unit.helm else { return unit.files.len() };
    let own = unit.files.iter().map(|file| file.source.id()).filter(|id| Some(*id) != helm.rendered);
    own.chain(helm.sources.iter().copied()).collect::<HashSet<FileId>>().len()
}

fn release(image: &ImageRelease) -> String {
    match &image.release {
        Some(release) if image.assumed => format!("{release} (assumed)"),
        Some(release) => release.to_string(),
        None => "of unknown release".into(),
    }
}
