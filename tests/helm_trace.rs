//! Values behind rendered lines, in real charts: whatever is said to stand at a place must change that line when it is
//! changed. Skips, and says so, where there is no helm on PATH.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kvlint::load::helm::align::{Aligner, Defines};
use kvlint::load::helm::template::Template;
use kvlint::load::helm::values::{
    ChartTemplates, ChartTexts, Confirm, Feeds, Question, Reads, Tracer, ValuePath, Values,
};
use kvlint::source::SourceMap;

struct Chart {
    folder: PathBuf,
    name: &'static str,
    texts: ChartTexts,
}

fn read(folder: &Path, name: &'static str, sources: &mut SourceMap) -> Chart {
    let values = fs::read_to_string(folder.join("values.yaml")).unwrap();
    let mut texts =
        ChartTexts { name: name.into(), values: Some(sources.add("values.yaml", values)), ..ChartTexts::default() };
    let mut folders = vec![folder.join("templates")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if let Ok(text) = fs::read_to_string(&entry) {
                let path = entry.strip_prefix(folder).unwrap().display().to_string();
                texts.templates.push((path.clone(), sources.add(path, text)));
            }
        }
    }
    texts.templates.sort_by(|a, b| a.0.cmp(&b.0));
    Chart { folder: folder.to_path_buf(), name, texts }
}

fn render(folder: &Path, more: Option<&str>) -> Result<String, String> {
    let mut command = Command::new("helm");
    command.arg("template").arg("r").arg(folder);
    let file = tempfile::NamedTempFile::new().unwrap();
    if let Some(text) = more {
        fs::write(file.path(), text).unwrap();
        command.arg("-f").arg(file.path());
    }
    let output = command.output().map_err(|e| e.to_string())?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// The documents of rendered output: the template's path, where the text starts, the text.
fn documents(text: &str) -> Vec<(&str, usize, &str)> {
    let mut found = Vec::new();
    let starts: Vec<usize> = text
        .match_indices("---\n# Source: ")
        .map(|(i, _)| i)
        .filter(|&i| i == 0 || text.as_bytes()[i - 1] == b'\n')
        .collect();
    for (n, &start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(text.len());
        let head = start + "---\n# Source: ".len();
        let line = text[head..].find('\n').unwrap();
        found.push((&text[head..head + line], head + line + 1, &text[head + line + 1..end]));
    }
    found
}

/// Counts of claims: those on one value, those that the value's change proved, those that it did not.
#[derive(Debug, Default)]
struct Score {
    pieces: usize,
    exact: usize,
    several: usize,
    literal: usize,
    unknown: usize,
    proven: usize,
    refused: usize,
    wrong: Vec<String>,
}

fn score(chart: &Chart, set: Option<&str>) -> Score {
    let mut sources = SourceMap::new();
    // The spans of the templates' map come first.
    let mut other = SourceMap::new();
    let _ = read(&chart.folder, chart.name, &mut sources);
    let _ = &mut other;
    let given = set.map(|text| sources.add("set.yaml", text));
    let values = Values::compute(&chart.texts, given.as_slice(), &[]).unwrap();
    let templates: Vec<Template> = chart.texts.templates.iter().map(|(_, s)| Template::parse(s)).collect();
    let named: Vec<(&str, &Template)> = chart.texts.templates.iter().map(|(n, _)| n.as_str()).zip(&templates).collect();
    let defines = Defines::new(named.iter().copied());
    let scope = ValuePath::root();
    let charts = vec![ChartTemplates { scope: scope.clone(), files: named.clone(), library: false }];
    let tracer = Tracer::new(charts, &values, Reads::default());
    let merged = |more: &str| {
        // The set and the change in one file each would need two arguments; the change wins over the set.
        render_with(&chart.folder, set, Some(more))
    };
    let clean = render_with(&chart.folder, set, None).unwrap();
    let mut confirm = Confirm::new(&values, &clean, &merged);
    let mut score = Score::default();
    let mut refused: BTreeMap<String, bool> = BTreeMap::new();
    for (source, offset, document) in documents(&clean) {
        let name = source.split_once('/').unwrap().1;
        let Some((_, template)) = named.iter().find(|(n, _)| *n == name) else { continue };
        let alignment = Aligner::new(template, &defines).align(document);
        for piece in &alignment.pieces {
            let text = &document[piece.range.clone()];
            if piece.places.is_empty() || text.trim().is_empty() {
                continue;
            }
            score.pieces += 1;
            // Each line of an expansion is a question of its own.
            let mut at = piece.range.start;
            for line in text.split_inclusive('\n') {
                let place = at + line.len() - line.trim_start().len();
                at += line.len();
                let value = document[place..].find(": ").filter(|_| text.contains('\n')).map(|i| place + i + 2);
                let place = value.filter(|&v| v < at).unwrap_or(place);
                if place >= piece.range.end {
                    continue;
                }
                let question =
                    Question { scope: &scope, places: &piece.places, document, piece: piece.range.clone(), at: place };
                match tracer.trace(&question).feeds {
                    Feeds::Literal => score.literal += 1,
                    Feeds::Unknown => {
                        score.unknown += 1;
                        if std::env::var_os("SHOW").is_some() {
                            println!(
                                "unknown {source}: {:?} {:?} {}",
                                piece.places.last().unwrap().kind,
                                piece.places.iter().map(|p| sources.slice(p.span)).collect::<Vec<_>>(),
                                document[place..].lines().next().unwrap_or_default()
                            );
                        }
                    }
                    Feeds::Several(_) => score.several += 1,
                    Feeds::Exact(fed) if fed.is_key => score.exact += 1,
                    Feeds::Exact(fed) => {
                        score.exact += 1;
                        let number = clean[..offset + place].matches('\n').count();
                        let changes = confirm.changes(&fed.path, number);
                        let fails = *refused.entry(fed.path.to_string()).or_insert_with(|| {
                            let text = kvlint::load::helm::values::override_of(&values, &fed.path);
                            let lines = clean.lines().count();
                            text.is_none_or(|t| merged(&t).map_or(true, |r| r.lines().count() != lines))
                        });
                        match (changes, fails) {
                            (true, _) => score.proven += 1,
                            (false, true) => score.refused += 1,
                            (false, false) => {
                                let line = clean.lines().nth(number).unwrap_or_default();
                                score.wrong.push(format!("{source}: {} does not change `{line}`", fed.path));
                            }
                        }
                    }
                }
            }
        }
    }
    score
}

fn render_with(folder: &Path, set: Option<&str>, more: Option<&str>) -> Result<String, String> {
    match (set, more) {
        (None, more) => render(folder, more),
        (Some(set), None) => render(folder, Some(set)),
        (Some(set), Some(more)) => {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), set).unwrap();
            let last = tempfile::NamedTempFile::new().unwrap();
            fs::write(last.path(), more).unwrap();
            let mut command = Command::new("helm");
            command.arg("template").arg("r").arg(folder).arg("-f").arg(file.path()).arg("-f").arg(last.path());
            let output = command.output().map_err(|e| e.to_string())?;
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
        }
    }
}

#[test]
fn a_value_that_is_said_to_stand_in_a_line_changes_it() {
    if !Command::new("helm").arg("version").output().is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: no helm on PATH");
        return;
    }
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    for (path, name) in [("aibrix/dist/chart", "aibrix"), ("production-stack/helm", "vllm-stack")] {
        let folder = corpus.join(path);
        if !folder.is_dir() {
            eprintln!("skipped: no {}", folder.display());
            continue;
        }
        // Dependencies that are not there keep helm from rendering.
        let copy = tempfile::tempdir().unwrap();
        copy_tree(&folder, copy.path());
        let metadata = fs::read_to_string(copy.path().join("Chart.yaml")).unwrap();
        let metadata = metadata.split("\ndependencies:").next().unwrap().to_string() + "\n";
        fs::write(copy.path().join("Chart.yaml"), metadata).unwrap();
        let mut sources = SourceMap::new();
        let chart = read(copy.path(), name, &mut sources);
        let score = score(&chart, None);
        println!("{path}: {score:#?}");
        assert_eq!(score.wrong, Vec::<String>::new(), "{path}");
        assert!(score.proven > 70, "{path}: {score:?}");
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|e| e.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
