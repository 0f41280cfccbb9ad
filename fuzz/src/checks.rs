//! What must hold for any input: one function for each fuzz target. `tests/fuzz_seeds.rs` runs them over the seeds and over damaged
//! copies of them, so that they are exercised on every change without a fuzzer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kvlint::config::Config;
use kvlint::events::shell;
use kvlint::fix::{self, State};
use kvlint::lint::baseline::{Baseline, Scope};
use kvlint::lint::{self, Applicability, Diagnostic, Severity};
use kvlint::load::{self, Loaded, Overlay};
use kvlint::report::{Coverage, Format, Report, Style};
use kvlint::source::{SourceFile, SourceMap, Span};
use kvlint::yaml;

#[path = "edits.rs"]
mod edits;

pub use edits::edits;

/// The line that starts another file of a tree: this, and the file's path.
const NEXT_FILE: &str = "#file ";

/// Larger inputs only cost time.
const LIMIT: usize = 64 << 10;

/// The limit of what is read and linted many times over.
const SMALL: usize = 8 << 10;

/// Any bytes are read; every node, comment and error lies in the text, on whole characters.
pub fn yaml(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut sources = SourceMap::new();
    let source = sources.add("a.yaml", text);
    let stream = yaml::parse(&source);
    stream.comments.iter().for_each(|comment| fits(&source, comment.span));
    for document in &stream.documents {
        document.oddities.iter().for_each(|oddity| fits(&source, oddity.span));
        let tree = match &document.content {
            Ok(tree) => tree,
            Err(e) => {
                fits(&source, e.span);
                assert!(!e.message.is_empty());
                continue;
            }
        };
        let _ = tree.duplicate_keys();
        for id in 0..tree.len() as u32 {
            let node = tree.node(id);
            fits(&source, node.span());
            fits(&source, node.grip());
            let Some(text) = node.text() else { continue };
            let _ = (node.scalar(), node.is_templated());
            let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            for pair in bounds.windows(2).take(64) {
                let part = node.sub_span(pair[0]..pair[1]);
                fits(&source, part);
                assert!(node.is_alias() || node.written_span().contains(part), "a part lies in the whole");
            }
        }
    }
}

/// Any script is read; every word comes from bytes of it.
pub fn shell(data: &[u8]) {
    let Some(script) = text(data) else { return };
    for command in &shell::parse(&script).commands {
        for word in &command.words {
            assert!(script.get(word.range.clone()).is_some(), "a word's range lies in the script");
            let bounds: Vec<usize> = word.text.char_indices().map(|(at, _)| at).chain([word.text.len()]).collect();
            for pair in bounds.windows(2).take(64) {
                let range = word.source_range(pair[0]..pair[1]);
                assert!(range.start <= range.end && range.end <= script.len());
            }
        }
    }
}

/// Any JSON in any quoting: the engine's options are read, and findings stand on bytes of the file.
pub fn events_json(data: &[u8]) {
    let Some(json) = text(data) else { return };
    let indented = json.replace(['\n', '\r'], "\n            ");
    let quoted = json.replace('\'', "''");
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  containers:\n    - name: vllm\n      image: vllm/vllm-openai:v0.11.1\n      \
         args:\n        - --kv-events-config\n        - |\n            {indented}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: b}}\nspec:\n  \
         containers:\n    - name: vllm\n      image: vllm/vllm-openai:v0.11.1\n      args: [--kv-events-config, '{quoted}']\n"
    );
    report(&[("pod.yaml".into(), pod)]);
}

/// Any manifest is linted by every rule and written in every format.
pub fn manifest(data: &[u8]) {
    let Some(text) = text(data) else { return };
    report(&[("manifest.yaml".into(), text)]);
}

/// Any tree of kustomizations is built, linted and written.
pub fn kustomize(data: &[u8]) {
    let Some(text) = text(data) else { return };
    report(&tree(&text));
}

/// Any configuration is read, and what is wrong with it stands on bytes of it.
pub fn config(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut sources = SourceMap::new();
    let source = sources.add("kvlint.yaml", text);
    let config = Config::read(&source);
    config.problems.iter().for_each(|problem| fits(&source, problem.span));
}

/// Any tree is mended as `--fix --unsafe-fixes` does it: that ends, what was read before is read after, and what is changed has
/// other text.
pub fn fix(data: &[u8]) {
    let Some(text) = text(data).filter(|text| text.len() <= SMALL) else { return };
    let files = tree(&text);
    let state = |over: &Overlay| {
        let current = |(path, text): &(PathBuf, String)| {
            let new = over.get(path).map(|bytes| String::from_utf8(bytes.to_vec()).expect("fixes write text"));
            (path.clone(), new.unwrap_or_else(|| text.clone()))
        };
        let loaded = load::from_texts(&files.iter().map(current).collect::<Vec<_>>());
        let outcome = lint::lint(&loaded, &Config::default(), None);
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        State { loaded, outcome, all: None }
    };
    let unreadable = |state: &State| state.outcome.diagnostics.iter().filter(|d| d.rule == "yaml-syntax").count();
    let first = state(&Overlay::default());
    let before = unreadable(&first);
    let mut reload = |over: &Overlay| Some(state(over));
    let fixed = fix::fix(first, Overlay::default(), Applicability::Unsafe, &|_| true, &mut reload);
    assert!(unreadable(&fixed.state) <= before, "fixes leave what can be read");
    fixed.changes.iter().for_each(|change| assert_ne!(change.after, change.before.text()));
    assert_eq!(fixed.made.is_empty(), fixed.changes.is_empty(), "{:?}", fixed.made);
}

/// Any baseline is read or refused, and compared with a run.
pub fn baseline(data: &[u8]) {
    let Ok(baseline) = Baseline::parse(Path::new("baseline.json"), data) else { return };
    let loaded = load::from_texts(&[("a.yaml".into(), "apiVersion: v1\nkind: Pod\n".into())]);
    let outcome = lint::lint(&loaded, &Config::default(), None);
    let paths = [PathBuf::from(".")];
    let compared = baseline.compare(&loaded, &outcome.diagnostics, &Scope { paths: &paths, ran: &|_| true });
    assert_eq!(compared.listed.len(), outcome.diagnostics.len());
}

/// A tree of files: lines `#file PATH` start another.
pub fn tree(text: &str) -> Vec<(PathBuf, String)> {
    let mut files: Vec<(PathBuf, String)> = vec![("kustomization.yaml".into(), String::new())];
    for line in text.split_inclusive('\n') {
        match line.strip_prefix(NEXT_FILE).map(str::trim) {
            Some(path) if relative(path) => match files.iter().position(|(p, _)| p == Path::new(path)) {
                Some(at) => files[at].1.clear(),
                None => files.push((path.into(), String::new())),
            },
            _ => {
                if let Some((_, last)) = files.last_mut() {
                    last.push_str(line);
                }
            }
        }
    }
    files
}

/// Texts are given by paths as a loader would: relative, without `..`.
fn relative(path: &str) -> bool {
    use std::path::Component;
    let inside = |c: Component<'_>| matches!(c, Component::Normal(_));
    !path.is_empty() && Path::new(path).components().all(inside) && !path.contains('\0')
}

fn text(data: &[u8]) -> Option<String> {
    let decoded = (data.len() <= LIMIT).then(|| load::decode(data.to_vec()))?;
    // What is no text has a place in it, too.
    if let Err(e) = &decoded {
        assert!(e.lossy_offset <= e.lossy.len());
    }
    decoded.ok().map(|d| d.text)
}

/// Lints files that are at hand, and writes what is found in every format.
fn report(files: &[(PathBuf, String)]) {
    let loaded = load::from_texts(files);
    let outcome = lint::lint(&loaded, &Config::default(), None);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    outcome.diagnostics.iter().for_each(|d| stands(&loaded, d));
    let coverage = Coverage::of(&loaded);
    let report = Report {
        sources: &loaded.sources,
        units: &loaded.units,
        diagnostics: &outcome.diagnostics,
        standings: &[],
        gone: &[],
        coverage: &coverage,
        failures: &[],
        suppressed: outcome.suppressed,
        fixed: 0,
        limit: Severity::Error,
        exit_code: 0,
        folder: PathBuf::from("/"),
        top: PathBuf::from("/"),
    };
    for format in Format::ALL {
        let mut out = Vec::new();
        report.write(format, &Style::PLAIN, &mut out).expect("memory takes everything");
        let written = String::from_utf8(out).expect("reports are text");
        let control = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!written.contains(control), "nothing that a terminal acts on: {written:?}");
    }
}

fn stands(loaded: &Loaded, diagnostic: &Diagnostic) {
    let places = std::iter::once(&diagnostic.primary).chain(&diagnostic.related);
    places.for_each(|label| fits(loaded.sources.file(label.span.file), label.span));
}

fn fits(source: &Arc<SourceFile>, span: Span) {
    assert_eq!(span.file, source.id());
    let range = span.start as usize..span.end as usize;
    assert!(source.text().get(range).is_some(), "{span:?} does not fit the text");
}
