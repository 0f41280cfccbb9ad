//! Every rule's Markdown is its specification: each example is linted with that rule alone.
//!
//! In an example, ``# error at `bytes` `` at the end of a line says that a finding is about these bytes of that line; so do
//! `# warning` and `# info`. A text in quotes behind it asks for words of the message. `# related` marks what a finding must name
//! as well. A line may have several markers. How bytes are written says `place.rs`. The markers are cut out before the text is
//! read, so that they may stand inside JSON or a script. Fences with `file=NAME` that follow one another are one example;
//! `partial` says that the example is not all there is; `file=kvlint.yaml` is the configuration. What `## Fixed` means stands in `fixed.rs`. An example with a `Chart.yaml` is rendered, where
//! there is a helm: the one that the variable `KVLINT_HELM` names, else the one on the search path.

mod example;
#[path = "../helm/find.rs"]
mod find;
mod fixed;
mod place;
mod style;

use std::path::{Path, PathBuf};

use example::{Example, Marker};
use kvlint::config::Config;
use kvlint::lint::{self, Check, Diagnostic, RULES, Rule};
use kvlint::load::helm::{self, Binary};
use kvlint::load::{self, Inputs, Loaded, Missing};
use place::Place;

/// What the rule finds in an example, each finding with its place, and the related places.
struct Found {
    primary: Vec<(Place, Diagnostic)>,
    related: Vec<Place>,
}

/// Loads texts as the example says.
fn load(example: &Example, texts: &[(PathBuf, String)]) -> (Loaded, Config) {
    settle(example, load::from_texts(texts))
}

/// What the example says beside its texts.
fn settle(example: &Example, mut loaded: Loaded) -> (Loaded, Config) {
    if example.partial {
        let reason = "the example says so".to_string();
        loaded.units[0].missing.push(Missing { reason, span: None });
    }
    let config = example.config(&mut loaded);
    (loaded, config)
}

/// `None` for an example with a chart where there is no helm to render it.
fn run(rule: &Rule, example: &Example) -> Option<Found> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (loaded, config) = match example.has_chart() {
        true => settle(example, load_chart(example, folder.path())?),
        false => load(example, &example.texts()),
    };
    let only = [rule.name];
    // Suppressions are about other rules' findings, so those have to run.
    let only = (!matches!(rule.check, Check::Run(_))).then_some(&only[..]);
    let outcome = lint::lint(&loaded, &config, only);
    assert!(outcome.failures.is_empty(), "{}: {:?}", rule.name, outcome.failures);
    let place = |span: kvlint::source::Span| {
        let file = loaded.sources.file(span.file);
        let path = file.path().strip_prefix(folder.path()).unwrap_or(file.path());
        Place::new(path.display().to_string(), file.text(), span.start as usize..span.end as usize)
    };
    let found: Vec<Diagnostic> = outcome.diagnostics.into_iter().filter(|d| d.rule == rule.name).collect();
    let related = found.iter().flat_map(|d| d.related.iter().map(|l| place(l.span))).collect();
    let primary = found.into_iter().map(|d| (place(d.primary.span), d)).collect();
    Some(Found { primary, related })
}

/// A chart is read from a disk, because helm reads it there.
fn load_chart(example: &Example, folder: &Path) -> Option<Loaded> {
    let binary = Binary::At(find::helm("an example with a chart")?);
    for (name, text) in example.texts() {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let helm = helm::Options { binary, ..helm::Options::default() };
    let inputs = Inputs { paths: vec![folder.to_path_buf()], helm, ..Inputs::default() };
    Some(load::load(&inputs).expect("the example is there"))
}

fn compare(rule: &Rule, heading: &str, number: usize, example: &Example) -> Vec<String> {
    let Some(found) = run(rule, example) else { return Vec::new() };
    let at = format!("{}, {heading} example {number}", rule.name);
    let mut wrong = Vec::new();
    let mut left: Vec<&(Place, Diagnostic)> = found.primary.iter().collect();
    for Marker { file, line, word, at: bytes, text } in &example.markers {
        let is_here = |place: &Place| place.file == *file && place.line == *line;
        let is_meant = |place: &Place| is_here(place) && bytes.as_ref().is_some_and(|bytes| bytes.is(place));
        let is_said = |d: &Diagnostic| text.as_ref().is_none_or(|text| d.message.contains(text.as_str()));
        let there: Vec<String> = if *word == "related" {
            if found.related.iter().any(is_meant) {
                continue;
            }
            found.related.iter().filter(|place| is_here(place)).map(Place::to_string).collect()
        } else {
            let matches =
                |(place, d): &&(Place, Diagnostic)| is_meant(place) && d.severity.as_str() == *word && is_said(d);
            if let Some(index) = left.iter().position(matches) {
                left.remove(index);
                continue;
            }
            let shown = |(place, d): &&(Place, Diagnostic)| format!("{} {place} {:?}", d.severity, d.message);
            left.iter().filter(|(place, _)| is_here(place)).map(shown).collect()
        };
        wrong.push(format!("{at}: nothing like `{word} {bytes:?} {text:?}` at {file}:{line}; there is {there:?}"));
    }
    wrong.extend(left.iter().map(|(place, d)| {
        let Place { file, line, .. } = place;
        format!("{at}: not marked: {} {place} {:?} at {file}:{line}", d.severity, d.message)
    }));
    if heading == "Incorrect" {
        wrong.extend(found.primary.iter().flat_map(|(_, d)| style::faults(d)).map(|f| format!("{at}: {f}")));
    }
    wrong
}

#[test]
fn every_example_gives_exactly_its_findings() {
    let chosen = std::env::var("RULE").ok();
    let mut wrong = Vec::new();
    for rule in RULES.iter().filter(|r| chosen.as_ref().is_none_or(|c| r.name == c)) {
        for heading in ["Incorrect", "Correct"] {
            let examples = example::parse(rule.section(heading));
            if examples.is_empty() {
                wrong.push(format!("{}: no example under {heading}", rule.name));
            }
            for (i, example) in examples.iter().enumerate() {
                let silent = example.markers.iter().all(|m| m.word == "related");
                if silent != (heading == "Correct") {
                    wrong.push(format!("{}: {heading} example {} has the wrong markers", rule.name, i + 1));
                }
                wrong.extend(compare(rule, heading, i + 1, example));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_marker_names_its_bytes() {
    let mut wrong = Vec::new();
    for rule in RULES {
        for heading in ["Incorrect", "Correct"] {
            for (i, example) in example::parse(rule.section(heading)).iter().enumerate() {
                for Marker { file, line, word, .. } in example.markers.iter().filter(|m| m.at.is_none()) {
                    wrong.push(format!("{}, {heading} example {}: `# {word}` at {file}:{line}", rule.name, i + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these say no bytes:\n{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_its_texts() {
    for rule in RULES {
        assert!(rule.section("Why").len() > 60, "{}: say why, with the source of the claim", rule.name);
        assert!(rule.section("References").contains("http"), "{}: no reference", rule.name);
        assert!(!rule.summary.ends_with('.') && rule.summary.len() <= 100, "{}: summary", rule.name);
        let fixed = !rule.section("Fixed").is_empty();
        assert_eq!(fixed, rule.fix != kvlint::lint::FixKind::None, "{}: Fixed goes with fix:", rule.name);
    }
}
