use std::collections::{BTreeMap, BTreeSet};

use kvlint::load::helm::Chart;
use kvlint::load::helm::align::{Aligner, Confidence};
use kvlint::load::helm::stream;
use kvlint::load::helm::values::{
    Confirm, Feeds, Question, Tracer, ValuePath, Values, outside_templates, override_of, templates_of,
};
use kvlint::source::SourceMap;

use super::{CHARTS, corpus, find, render};

/// Counts of what is said of places, and of what changing the value said to it.
#[derive(Debug, Default)]
struct Score {
    literal: usize,
    exact: usize,
    several: usize,
    unknown: usize,
    proven: usize,
    /// helm refuses the other value, or renders another number of lines.
    untold: usize,
    wrong: Vec<String>,
}

#[test]
fn a_value_that_is_said_to_stand_in_a_line_changes_it() {
    let Some(helm) = find::helm("changing the values behind lines") else { return };
    for (path, _) in CHARTS {
        let Some((_, copy)) = corpus(path) else { continue };
        let folder = copy.path().join("chart");
        let mut sources = SourceMap::new();
        let chart = Chart::read(&folder, &[folder.canonicalize().unwrap()], &mut sources).unwrap();
        let values = Values::compute(&chart.texts(), &[], &[]).unwrap();
        let scope = ValuePath::root();
        let tracer =
            Tracer::new(templates_of(&chart, chart.parsed(), &scope), &values, outside_templates(&chart.texts()));
        let again = |more: &str| render(&helm, &folder, &[], Some(more));
        let clean = render(&helm, &folder, &[], None).unwrap();
        let mut confirm = Confirm::new(&values, &clean, &again);
        let mut in_place: BTreeMap<ValuePath, bool> = BTreeMap::new();
        let mut score = Score::default();
        for section in stream::sections(&clean) {
            let Some(file) = chart.find(&section.source).and_then(|place| place.file) else { continue };
            let document = &clean[section.body.clone()];
            let template = chart.parsed().of(file.source.id()).unwrap();
            let alignment = Aligner::new(template, &chart.parsed().defines()).align(document);
            for piece in &alignment.pieces {
                let places = &piece.places;
                for at in places_in(document, piece.range.clone()) {
                    let question = Question { scope: &scope, places, document, piece: piece.range.clone(), at };
                    let fed = match tracer.trace(&question).feeds {
                        Feeds::Literal => {
                            score.literal += 1;
                            continue;
                        }
                        Feeds::Several(_) => {
                            score.several += 1;
                            continue;
                        }
                        Feeds::Unknown => {
                            score.unknown += 1;
                            continue;
                        }
                        Feeds::Exact(fed) => fed,
                    };
                    score.exact += 1;
                    let line = clean[..section.body.start + at].matches('\n').count();
                    let found = tracer.found(&fed, &question).expect("it stands in a file");
                    assert!(found.leaf.place().span().is_some());
                    let comparable = *in_place.entry(fed.path.clone()).or_insert_with(|| {
                        let other = override_of(&values, &fed.path).and_then(|text| again(&text).ok());
                        other.is_some_and(|text| text.lines().count() == clean.lines().count())
                    });
                    // A key is not changed by changing what stands under it.
                    if fed.is_key || !comparable {
                        score.untold += 1;
                    } else if confirm.changes(&fed.path, line) {
                        score.proven += 1;
                    } else if places.iter().all(|place| place.confidence >= Confidence::Medium) {
                        let text = clean.lines().nth(line).unwrap_or_default();
                        score.wrong.push(format!("{}: {} does not change `{text}`", section.source, fed.path));
                    }
                }
            }
        }
        println!("{path}: {score:?}");
        assert_eq!(score.wrong, Vec::<String>::new(), "{path}");
        assert!(score.proven >= 50, "{path}: {score:?}");
        assert!(score.unknown * 20 < score.literal, "{path}: {score:?}");
    }
}

/// The first byte of each value in a piece: behind a key on lines of an expansion, else where the line starts.
fn places_in(document: &str, piece: std::ops::Range<usize>) -> BTreeSet<usize> {
    let text = &document[piece.clone()];
    let mut found = BTreeSet::new();
    let mut start = piece.start;
    for line in text.split_inclusive('\n') {
        let first = start + (line.len() - line.trim_start().len());
        let value = line.find(": ").filter(|_| text.contains('\n')).map(|i| start + i + 2);
        found.extend((!line.trim().is_empty()).then_some(value.unwrap_or(first)));
        start += line.len();
    }
    found
}
