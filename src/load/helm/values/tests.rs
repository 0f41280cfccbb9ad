//! What helm documents of values, one sentence a test.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::source::SourceMap;

/// A chart and its files, with one map for their spans.
#[derive(Default)]
pub(super) struct Bench {
    pub(super) sources: SourceMap,
}

impl Bench {
    pub(super) fn file(&mut self, path: &str, text: &str) -> Arc<SourceFile> {
        self.sources.add(path, text)
    }

    pub(super) fn chart(&mut self, name: &str, values: &str) -> ChartTexts {
        let values = Some(self.file(&format!("{name}/values.yaml"), values));
        ChartTexts { name: name.into(), version: "0.1.0".into(), values, ..ChartTexts::default() }
    }

    /// The text under the value at a path and the file that it stands in.
    pub(super) fn shown(&self, values: &Values, path: &ValuePath) -> (String, String) {
        let leaf = values.get(path).unwrap_or_else(|| panic!("no {path}"));
        self.place(leaf.place())
    }

    pub(super) fn place(&self, place: &Place) -> (String, String) {
        let span = place.span().expect("written in a file");
        (self.sources.file(span.file).path().display().to_string(), self.sources.slice(span).to_string())
    }
}

fn dependency(name: &str) -> Dependency {
    Dependency { name: name.into(), ..Dependency::default() }
}

fn set(text: &str) -> Set {
    Set { text: text.into(), string: false }
}

#[test]
fn the_last_file_that_sets_a_key_wins_and_the_others_are_remembered() {
    let mut bench = Bench::default();
    let chart = bench.chart("c", "image: {tag: v1, repo: vllm}\nargs: [a, b]\n");
    let first = bench.file("one.yaml", "image:\n  tag: v2\n");
    let second = bench.file("two.yaml", "image:\n  tag: v3\nargs: [c]\n");
    let values = Values::compute(&chart, &[first, second], &[]).unwrap();
    assert_eq!(values.to_json(), json!({"args": ["c"], "image": {"repo": "vllm", "tag": "v3"}}));
    let path = ValuePath::dotted("image.tag");
    assert_eq!(bench.shown(&values, &path), ("two.yaml".into(), "v3".into()));
    let lost: Vec<_> = values.get(&path).unwrap().overrode().map(|p| bench.place(p)).collect();
    assert_eq!(lost, [("one.yaml".into(), "v2".into()), ("c/values.yaml".into(), "v1".into())]);
    assert_eq!(bench.shown(&values, &ValuePath::dotted("args").index(0)), ("two.yaml".into(), "c".into()));
    assert_eq!(bench.shown(&values, &ValuePath::dotted("image.repo")), ("c/values.yaml".into(), "vllm".into()));
}

#[test]
fn null_in_a_later_file_deletes_the_key() {
    let mut bench = Bench::default();
    let chart = bench.chart("c", "probe: {http: {path: /}, period: 5}\nother: 1\n");
    let file = bench.file("f.yaml", "probe:\n  http: null\nother: ~\n");
    let values = Values::compute(&chart, &[file], &[]).unwrap();
    assert_eq!(values.to_json(), json!({"probe": {"period": 5}}));
}

#[test]
fn a_parents_values_win_over_those_of_its_subchart_under_its_alias() {
    let mut bench = Bench::default();
    let mut chart = bench.chart("c", "cache:\n  size: 2\n");
    chart.charts.push(bench.chart("redis", "size: 1\nport: 6379\n"));
    chart.dependencies.push(Dependency { alias: Some("cache".into()), ..dependency("redis") });
    let values = Values::compute(&chart, &[], &[]).unwrap();
    assert_eq!(values.to_json(), json!({"cache": {"global": {}, "port": 6379, "size": 2}}));
    let path = ValuePath::dotted("cache.size");
    assert_eq!(bench.shown(&values, &path), ("c/values.yaml".into(), "2".into()));
    let lost: Vec<_> = values.get(&path).unwrap().overrode().map(|p| bench.place(p)).collect();
    assert_eq!(lost, [("redis/values.yaml".to_string(), "1".to_string())]);
    assert_eq!(bench.shown(&values, &ValuePath::dotted("cache.port")), ("redis/values.yaml".into(), "6379".into()));
    assert_eq!(values.enabled(), [ValuePath::root(), ValuePath::dotted("cache")]);
}

#[test]
fn globals_flow_down_and_win() {
    let mut bench = Bench::default();
    let mut chart = bench.chart("c", "global: {registry: r.io}\n");
    chart.charts.push(bench.chart("sub", "global: {registry: other, mine: 1}\n"));
    let values = Values::compute(&chart, &[], &[]).unwrap();
    let path = ValuePath::dotted("sub.global.registry");
    assert_eq!(bench.shown(&values, &path), ("c/values.yaml".into(), "r.io".into()));
    assert_eq!(bench.shown(&values, &ValuePath::dotted("sub.global.mine")), ("sub/values.yaml".into(), "1".into()));
    assert!(values.get(&ValuePath::dotted("global.mine")).is_none());
}

#[test]
fn conditions_come_before_tags_and_switch_a_subchart_off() {
    let mut bench = Bench::default();
    let mut chart = bench.chart("c", "a: {enabled: false}\ntags: {extra: false}\n");
    for name in ["a", "b"] {
        chart.charts.push(bench.chart(name, "x: 1\n"));
        let condition = format!("{name}.enabled");
        chart.dependencies.push(Dependency { condition, tags: vec!["extra".into()], ..dependency(name) });
    }
    let values = Values::compute(&chart, &[], &[]).unwrap();
    assert_eq!(values.enabled(), [ValuePath::root()]);
    let values = Values::compute(&chart, &[], &[set("a.enabled=true"), set("tags.extra=true")]).unwrap();
    assert_eq!(values.enabled(), [ValuePath::root(), ValuePath::dotted("a"), ValuePath::dotted("b")]);
}

#[test]
fn imported_values_lead_to_the_file_of_the_subchart() {
    let mut bench = Bench::default();
    let mut chart = bench.chart("c", "mine: {port: 1}\n");
    chart.charts.push(bench.chart("sub", "default: {port: 80, host: h}\nexports: {data: {level: 3}}\n"));
    let import = |child: &str, parent: &str| Import { child: child.into(), parent: parent.into() };
    let import_values = vec![import("default", "mine"), import("exports.data", ".")];
    chart.dependencies.push(Dependency { import_values, ..dependency("sub") });
    let values = Values::compute(&chart, &[], &[]).unwrap();
    assert_eq!(bench.shown(&values, &ValuePath::dotted("mine.port")), ("c/values.yaml".into(), "1".into()));
    assert_eq!(bench.shown(&values, &ValuePath::dotted("mine.host")), ("sub/values.yaml".into(), "h".into()));
    assert_eq!(bench.shown(&values, &ValuePath::dotted("level")), ("sub/values.yaml".into(), "3".into()));
}

#[test]
fn arguments_are_read_as_helm_documents_them() {
    let bench = Bench::default();
    let chart = ChartTexts { name: "c".into(), ..ChartTexts::default() };
    let read = |text: &str| Values::compute(&chart, &[], &[set(text)]).map(|v| v.to_json());
    // The examples of "The Format and Limitations of --set".
    assert_eq!(read("a=b,c=d").unwrap(), json!({"a": "b", "c": "d"}));
    assert_eq!(read("outer.inner=value").unwrap(), json!({"outer": {"inner": "value"}}));
    assert_eq!(read("name={a, b, c}").unwrap(), json!({"name": ["a", " b", " c"]}));
    assert_eq!(read("name=[],a=null").unwrap(), json!({"name": "[]", "a": null}));
    assert_eq!(
        read("servers[0].port=80,servers[0].host=example").unwrap(),
        json!({"servers": [{"port": 80, "host": "example"}]})
    );
    assert_eq!(read(r"name=value1\,value2").unwrap(), json!({"name": "value1,value2"}));
    assert_eq!(
        read(r"nodeSelector.kubernetes\.io/role=master").unwrap(),
        json!({"nodeSelector": {"kubernetes.io/role": "master"}})
    );
    assert_eq!(read("a=TRUE,b=007,c=0,d=1.5,e=").unwrap(), json!({"a": true, "b": "007", "c": 0, "d": "1.5", "e": ""}));
    assert_eq!(read("a[2]=x").unwrap(), json!({"a": [null, null, "x"]}));
    for bad in ["a", "a,b=1", "a[b]=1", "a[99999999]=1", "a={1", "a.=", "x=1,x.y=2", "x=1,x[0]=2"] {
        assert!(read(bad).is_err(), "{bad}");
    }
    assert!(read(&format!("{}=1", vec!["a"; 40].join("."))).is_err());
    drop(bench);
}

#[test]
fn an_argument_that_sets_an_item_keeps_the_rest_of_the_files_list() {
    let mut bench = Bench::default();
    let chart = bench.chart("c", "ports: [1]\n");
    let file = bench.file("f.yaml", "ports: [7, 8]\n");
    let values = Values::compute(&chart, &[file], &[set("ports[1]=9")]).unwrap();
    let ports = ValuePath::dotted("ports");
    assert_eq!(bench.shown(&values, &ports.index(0)), ("f.yaml".into(), "7".into()));
    let nine = values.get(&ports.index(1)).unwrap();
    assert!(matches!(nine.place(), Place::CommandLine(0)));
    assert_eq!(bench.place(nine.overrode().next().unwrap()), ("f.yaml".into(), "8".into()));
}

#[test]
fn a_scalar_under_the_name_of_a_subchart_is_an_error_at_its_bytes() {
    let mut bench = Bench::default();
    let mut chart = bench.chart("c", "redis: true\n");
    chart.charts.push(bench.chart("redis", "x: 1\n"));
    let error = Values::compute(&chart, &[], &[]).unwrap_err();
    assert_eq!(bench.sources.slice(error.span.unwrap()), "true");
    let scalar = bench.file("f.yaml", "just text\n");
    let error = Values::compute(&ChartTexts::default(), &[scalar], &[]).unwrap_err();
    assert_eq!(bench.sources.slice(error.span.unwrap()), "just text");
}

#[test]
fn values_that_an_import_puts_into_themselves_are_an_error() {
    let mut bench = Bench::default();
    let mut chart = bench.chart("c", "{}");
    chart.charts.push(bench.chart("sub", "b: {a: {}}\n"));
    let import = |child: &str, parent: &str| Import { child: child.into(), parent: parent.into() };
    // helm 3.17 runs until its memory ends.
    let import_values = vec![import("b", "a"), import("b", "a.a.x")];
    chart.dependencies.push(Dependency { import_values, ..dependency("sub") });
    let outcome = Values::compute(&chart, &[], &[]);
    if let Ok(values) = &outcome {
        panic!("{}", values.to_json());
    }
    assert!(outcome.unwrap_err().message.contains("into itself"));
}
