use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use kvlint::load::helm::values::{ChartTexts, Dependency, Import, Segment, Set, Values};
use kvlint::source::{SourceFile, SourceMap};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{find, run};

/// What one case of the comparison consists of.
#[derive(Clone, Debug)]
struct Case {
    parent: Value,
    child: Value,
    grandchild: Value,
    files: Vec<Value>,
    sets: Vec<String>,
    alias: bool,
    imports: Vec<(String, String)>,
    condition: bool,
    tagged: bool,
}

const PRINTER: &str = "values: {{ .Values | toJson | quote }}\n";

impl Case {
    fn child_key(&self) -> &'static str {
        if self.alias { "kid" } else { "child" }
    }

    fn metadata(&self) -> Value {
        let imports: Vec<Value> = self.imports.iter().map(|(c, p)| json!({"child": c, "parent": p})).collect();
        let mut dependency = json!({"name": "child", "version": "0.1.0", "import-values": imports});
        if self.alias {
            dependency["alias"] = json!("kid");
        }
        if self.condition {
            dependency["condition"] = json!(format!("{}.on,b.on", self.child_key()));
        }
        if self.tagged {
            dependency["tags"] = json!(["t"]);
        }
        json!({"apiVersion": "v2", "name": "parent", "version": "0.1.0", "dependencies": [dependency]})
    }

    /// What helm computes, by chart: the path of the template to its values; `None` where it refuses.
    fn by_helm(&self, helm: &Path, dir: &Path) -> Option<Vec<(String, Value)>> {
        let write = |path: &str, text: &str| {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let plain = |name: &str| json!({"apiVersion": "v2", "name": name, "version": "0.1.0"}).to_string();
        write("c/Chart.yaml", &self.metadata().to_string());
        write("c/values.yaml", &self.parent.to_string());
        write("c/templates/v.yaml", PRINTER);
        write("c/charts/child/Chart.yaml", &plain("child"));
        write("c/charts/child/values.yaml", &self.child.to_string());
        write("c/charts/child/templates/v.yaml", PRINTER);
        write("c/charts/child/charts/grand/Chart.yaml", &plain("grand"));
        write("c/charts/child/charts/grand/values.yaml", &self.grandchild.to_string());
        write("c/charts/child/charts/grand/templates/v.yaml", PRINTER);
        let mut command = Command::new(helm);
        command.arg("template").arg("r").arg(dir.join("c"));
        for (i, file) in self.files.iter().enumerate() {
            let path = format!("f{i}.yaml");
            write(&path, &file.to_string());
            command.arg("-f").arg(dir.join(path));
        }
        for set in &self.sets {
            command.arg("--set").arg(set);
        }
        let text = run(command, &dir.join("out"))?;
        let mut found = Vec::new();
        let mut source = String::new();
        for line in text.lines() {
            if let Some(path) = line.strip_prefix("# Source: ") {
                source = path.to_string();
            } else if let Some(quoted) = line.strip_prefix("values: ") {
                let inner: String = serde_json::from_str(quoted).unwrap();
                found.push((source.clone(), serde_json::from_str(&inner).unwrap()));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Some(found)
    }

    fn by_us(&self) -> Option<Vec<(String, Value)>> {
        let mut sources = SourceMap::new();
        let mut file = |path: &str, value: &Value| sources.add(path, value.to_string());
        let grand = ChartTexts {
            name: "grand".into(),
            version: "0.1.0".into(),
            values: Some(file("grand", &self.grandchild)),
            ..ChartTexts::default()
        };
        let child = ChartTexts {
            name: "child".into(),
            version: "0.1.0".into(),
            values: Some(file("child", &self.child)),
            charts: vec![grand],
            ..ChartTexts::default()
        };
        let dependency = Dependency {
            repository: "https://charts.example".into(),
            name: "child".into(),
            version: "0.1.0".into(),
            alias: self.alias.then(|| "kid".into()),
            condition: if self.condition { format!("{}.on,b.on", self.child_key()) } else { String::new() },
            tags: if self.tagged { vec!["t".into()] } else { Vec::new() },
            import_values: self
                .imports
                .iter()
                .map(|(child, parent)| Import { child: child.clone(), parent: parent.clone() })
                .collect(),
        };
        let chart = ChartTexts {
            name: "parent".into(),
            values: Some(file("parent", &self.parent)),
            dependencies: vec![dependency],
            charts: vec![child],
            ..ChartTexts::default()
        };
        let files: Vec<Arc<SourceFile>> = self.files.iter().map(|f| file("f", f)).collect();
        let sets: Vec<Set> = self.sets.iter().map(|s| Set { text: s.clone(), string: false }).collect();
        let values = Values::compute(&chart, &files, &sets).ok()?;
        let all = values.to_json();
        let mut found = Vec::new();
        for scope in values.enabled() {
            let mut path = String::from("parent");
            let mut value = all.clone();
            for (i, segment) in scope.segments().iter().enumerate() {
                let Segment::Key(key) = segment else { unreachable!() };
                // helm shows an alias for the chart itself and the chart's own name for those below it.
                let shown = if key == "kid" && i + 1 < scope.segments().len() { "child" } else { key };
                write!(path, "/charts/{shown}").unwrap();
                value = value[key.as_str()].take();
            }
            found.push((format!("{path}/templates/v.yaml"), value));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Some(found)
    }
}

/// Few keys, so that files meet each other.
fn values(depth: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => any::<bool>().prop_map(Value::from),
        3 => (0..3i32).prop_map(Value::from),
        2 => Just(Value::Null),
        2 => "[xy]".prop_map(Value::from),
        1 => proptest::collection::vec(0..3i32, 0..3).prop_map(Value::from),
    ];
    let inner = leaf.prop_recursive(depth, 12, 3, |inner| {
        proptest::collection::btree_map("a|b|on", inner, 0..3).prop_map(|m| Value::Object(m.into_iter().collect()))
    });
    let keys = prop_oneof![4 => "a|b", 2 => Just("global".to_string()), 1 => Just("tags".to_string()),
        1 => Just("child".to_string()), 1 => Just("kid".to_string()), 1 => Just("grand".to_string())];
    proptest::collection::btree_map(keys, inner, 0..5).prop_map(|m| {
        let table = |key: &str, value: Value| match (key, &value) {
            // A scalar here is an error most of the time, which is not what the test is about.
            ("child" | "kid" | "grand", v) if !v.is_object() => json!({"a": value}),
            ("tags", Value::Bool(_)) => json!({"t": value}),
            _ => value,
        };
        Value::Object(m.into_iter().map(|(k, v)| (k.clone(), table(&k, v))).collect())
    })
}

fn case() -> impl Strategy<Value = Case> {
    let paths = || prop_oneof![Just("a".to_string()), Just("b".to_string()), Just("a.b".to_string())];
    let parents = prop_oneof![Just(".".to_string()), paths()];
    let sets = prop_oneof![
        "(a|b|child[.]a|global[.]b)=(1|x|null|true)",
        "a[.](a|on)=(1|null|false),b=\\{x,y\\}",
        "(a|b)\\[[01]\\](=1|[.]a=x)",
    ];
    (
        (values(3), values(3), values(2)),
        proptest::collection::vec(values(3), 0..3),
        proptest::collection::vec(sets, 0..2),
        (any::<bool>(), proptest::collection::vec((paths(), parents), 0..3), any::<bool>(), any::<bool>()),
    )
        .prop_map(|((parent, child, grandchild), files, sets, (alias, imports, condition, tagged))| Case {
            parent,
            child,
            grandchild,
            files,
            sets,
            alias,
            imports,
            condition,
            tagged,
        })
}

#[test]
fn values_are_those_that_helm_computes() {
    let Some(helm) = find::helm("comparing values with those of helm") else { return };
    let cases = std::env::var("HELM_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let compared = std::cell::Cell::new(0);
    runner
        .run(&case(), |case| {
            let dir = tempfile::tempdir().unwrap();
            let helm = case.by_helm(&helm, dir.path());
            let ours = case.by_us();
            compared.set(compared.get() + u32::from(helm.is_some()));
            prop_assert_eq!(ours, helm);
            Ok(())
        })
        .unwrap();
    assert!(compared.get() > cases / 4, "helm refused nearly all cases: only {} were compared", compared.get());
}
