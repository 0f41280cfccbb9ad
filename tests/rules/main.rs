//! Every rule's Markdown is its specification: each example is linted with that rule alone.
//!
//! In an example, `# error` at the end of a line says that a finding's caret stands on that line; so do `# warning`
//! and `# info`. `# error "text"` also asks for words of the message. `# related` marks a line that a finding must name
//! as well. The markers are cut out before the text is read, so that they may stand inside JSON or a script. Fences with
//! `file=NAME` that follow one another are one example; `partial` says that the example is not all there is;
//! `file=kvlint.yaml` is the configuration. What `## Fixed` means stands in `fixed.rs`. An example with a `Chart.yaml` is rendered, where
//! there is a helm: the one that the variable `KVLINT_HELM` names, else the one on the search path.

mod example;
#[path = "../helm/find.rs"]
mod find;
mod fixed;
mod style;

use std::path::{Path, PathBuf};

use example::{Example, Marker};
use kvlint::config::Config;
use kvlint::lint::{self, Check, Diagnostic, RULES, Rule};
use kvlint::load::helm::{self, Binary};
use kvlint::load::{self, Inputs, Loaded, Missing};

/// What the rule finds in an example: (file, line, severity, message), and the related places.
struct Found {
    diagnostics: Vec<Diagnostic>,
    primary: Vec<(String, usize, &'static str, String)>,
    related: Vec<(String, usize)>,
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
        (path.display().to_string(), loaded.sources.line_column(span).line)
    };
    let diagnostics: Vec<Diagnostic> = outcome.diagnostics.into_iter().filter(|d| d.rule == rule.name).collect();
    let primary = diagnostics.iter().map(|d| {
        let (file, line) = place(d.primary.span);
        (file, line, d.severity.as_str(), d.message.clone())
    });
    let primary = primary.collect();
    let related = diagnostics.iter().flat_map(|d| d.related.iter().map(|l| place(l.span))).collect();
    Some(Found { diagnostics, primary, related })
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
    let mut left = found.primary.clone();
    for Marker { file, line, word, text } in &example.markers {
        if word == "related" {
            if !found.related.contains(&(file.clone(), *line)) {
                wrong.push(format!("{at}: no related place at {file}:{line}; there are {:?}", found.related));
            }
            continue;
        }
        let matches = |(f, l, severity, message): &(String, usize, &str, String)| {
            f == file && l == line && severity == word && text.as_ref().is_none_or(|t| message.contains(t.as_str()))
        };
        match left.iter().position(matches) {
            Some(index) => {
                left.remove(index);
            }
            None => wrong.push(format!("{at}: nothing like `{word} {text:?}` at {file}:{line}; found {left:?}")),
        }
    }
    wrong.extend(left.into_iter().map(|f| format!("{at}: not marked: {f:?}")));
    if heading == "Incorrect" {
        wrong.extend(found.diagnostics.iter().flat_map(style::faults).map(|f| format!("{at}: {f}")));
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
fn every_rule_has_its_texts() {
    for rule in RULES {
        assert!(rule.section("Why").len() > 60, "{}: say why, with the source of the claim", rule.name);
        assert!(rule.section("References").contains("http"), "{}: no reference", rule.name);
        assert!(!rule.summary.ends_with('.') && rule.summary.len() <= 100, "{}: summary", rule.name);
        let fixed = !rule.section("Fixed").is_empty();
        assert_eq!(fixed, rule.fix != kvlint::lint::FixKind::None, "{}: Fixed goes with fix:", rule.name);
    }
}
