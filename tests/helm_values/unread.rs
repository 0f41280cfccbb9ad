use std::path::PathBuf;
use std::sync::Arc;

use kvlint::load::helm::Chart;
use kvlint::load::helm::values::{
    Tracer, ValuePath, Values, outside_templates, override_of, templates_of, unread_keys,
};
use kvlint::source::{SourceFile, SourceMap};
use kvlint::yaml;

use super::{CHARTS, corpus, find, render};

/// Read by hand: each of these names stands in no template.
const EXPECTED: [(&str, &[&str]); 5] = [
    ("aibrix/dist/chart", &["crd"]),
    ("stable.yaml", &["metadata.service.metricRefreshIntervalMs", "crd"]),
    ("vke.yaml", &["metadata.service.metricRefreshIntervalMs", "crd"]),
    ("production-stack/helm", &["loraAdapters[0].loraAdapterDeploymentConfig.labels"]),
    ("values-example.yaml", &["cacheserverSpec.repository", "cacheserverSpec.tag"]),
];

#[test]
fn keys_that_nothing_reads_change_nothing() {
    let helm = find::helm("changing keys that nothing reads");
    for (path, files) in CHARTS {
        let Some((folder, copy)) = corpus(path) else { continue };
        let renderable = copy.path().join("chart");
        for file in std::iter::once(None).chain(files.iter().map(Some)) {
            let mut sources = SourceMap::new();
            let chart = Chart::read(&folder, &[folder.canonicalize().unwrap()], &mut sources).unwrap();
            let given: Vec<PathBuf> = file.iter().map(|f| folder.join(f)).collect();
            let read = |p: &PathBuf| sources.add(p, std::fs::read_to_string(p).unwrap());
            let read: Vec<Arc<SourceFile>> = given.iter().map(read).collect();
            let values = Values::compute(&chart.texts(), &read, &[]).unwrap();
            let templates = templates_of(&chart, chart.parsed(), &ValuePath::root());
            let tracer = Tracer::new(templates, &values, outside_templates(&chart.texts()));
            let target = read.first().or(chart.values.as_ref()).unwrap();
            let tree = yaml::parse(target).documents[0].content.clone().unwrap();
            let found = unread_keys(&tracer, &tree);
            let shown: Vec<String> = found.iter().map(|key| key.path.to_string()).collect();
            let name = file.map_or(path, |f| *f);
            let expected = EXPECTED.iter().find(|(n, _)| *n == name).unwrap().1;
            assert_eq!(shown, expected, "{path} {file:?}");
            for key in &found {
                assert!(key.path.to_string().ends_with(sources.slice(key.key)), "the span is the key's");
            }
            let Some(helm) = &helm else { continue };
            let clean = render(helm, &renderable, &given, None).unwrap();
            for (leaf, _) in values.leaves() {
                if !found.iter().any(|key| key.path.covers(&leaf)) {
                    continue;
                }
                let Some(text) = override_of(&values, &leaf) else { continue };
                // A schema of the chart may refuse the other value.
                if let Ok(other) = render(helm, &renderable, &given, Some(&text)) {
                    assert_eq!(other, clean, "{leaf}");
                }
            }
        }
    }
}
