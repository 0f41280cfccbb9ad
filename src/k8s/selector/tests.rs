//! Selectors against labels, as Kubernetes matches them.

use super::*;
use crate::load::{self, Loaded};

fn load(text: &str) -> Loaded {
    load::from_texts(&[("x.yaml".into(), format!("apiVersion: v1\nkind: ConfigMap\n{text}"))])
}

/// The requirements of a `LabelSelector` against labels: the text of each with its truth, and the whole.
#[track_caller]
fn requirements(selector: &str, labels: &str) -> (Vec<(String, Truth)>, Truth) {
    let loaded = load(&format!("selector: {selector}\nlabels: {labels}\n"));
    let node = loaded.units[0].resources[0].node();
    let selector = Selector::Expressions(node.get("selector").unwrap());
    let labels = Labels { node: node.get("labels") };
    let each = selector.requirements(&labels);
    let each = each.into_iter().map(|(n, truth)| (loaded.sources.slice(n.span()).to_string(), truth)).collect();
    (each, selector.selects(&labels))
}

#[test]
fn each_label_of_a_map_is_a_requirement_with_its_own_bytes() {
    let (each, whole) =
        requirements("{matchLabels: {app: x, \"team\": 'search', n: 1}}", "{app: x, team: other, n: \"1\"}");
    let wanted = [("x", Truth::Yes), ("'search'", Truth::No), ("1", Truth::Yes)];
    assert_eq!(each, wanted.map(|(text, truth)| (text.to_string(), truth)));
    assert_eq!(whole, Truth::No);
}

#[test]
fn operators_match_as_in_kubernetes() {
    for (expression, truth) in [
        ("{key: app, operator: In, values: [x, y]}", Truth::Yes),
        ("{key: app, operator: In, values: [y]}", Truth::No),
        ("{key: other, operator: In, values: [y]}", Truth::No),
        ("{key: app, operator: NotIn, values: [y]}", Truth::Yes),
        ("{key: app, operator: NotIn, values: [x]}", Truth::No),
        // A label that is not there is not among the values.
        ("{key: other, operator: NotIn, values: [x]}", Truth::Yes),
        ("{key: app, operator: Exists}", Truth::Yes),
        ("{key: other, operator: Exists}", Truth::No),
        ("{key: app, operator: DoesNotExist}", Truth::No),
        ("{key: other, operator: DoesNotExist}", Truth::Yes),
        // The API server refuses these, which is another finding.
        ("{key: app, operator: in, values: [x]}", Truth::Unknown),
        ("{key: app}", Truth::Unknown),
        ("{operator: Exists}", Truth::Unknown),
    ] {
        let (each, _) = requirements(&format!("{{matchExpressions: [{expression}]}}"), "{app: x}");
        assert_eq!(each, [(expression.to_string(), truth)], "{expression}");
    }
}

#[test]
fn what_is_filled_in_later_is_neither_yes_nor_no() {
    for (selector, labels, truth) in [
        ("{matchLabels: {app: \"{{ .Values.app }}\"}}", "{app: x}", Truth::Unknown),
        ("{matchLabels: {app: x}}", "{app: \"{{ .Values.app }}\"}", Truth::Unknown),
        ("{matchLabels: {app: \"${APP}\"}}", "{app: x}", Truth::Unknown),
        ("{matchLabels: {app: <your-app>}}", "{app: x}", Truth::Unknown),
        ("{matchLabels: {app: \"{{ .Values.app }}\"}}", "{app: \"{{ .Values.app }}\"}", Truth::Yes),
        ("{matchLabels: {\"{{ .Values.key }}\": x}}", "{app: x}", Truth::Unknown),
        ("{matchLabels: {app: x}}", "{\"{{ .Values.key }}\": x}", Truth::Unknown),
        ("{matchExpressions: [{key: app, operator: In, values: [\"{{ .V }}\"]}]}", "{app: x}", Truth::Unknown),
        ("{matchExpressions: [{key: \"{{ .K }}\", operator: Exists}]}", "{app: x}", Truth::Unknown),
        ("{matchExpressions: [{key: app, operator: NotIn, values: [x]}]}", "{app: \"${APP}\"}", Truth::Unknown),
        // One requirement that fails for certain is enough.
        ("{matchLabels: {app: \"${APP}\", team: a}}", "{app: x, team: b}", Truth::No),
    ] {
        assert_eq!(requirements(selector, labels).1, truth, "{selector} {labels}");
    }
}

#[test]
fn an_empty_selector_selects_everything() {
    for selector in ["{}", "{matchLabels: {}}", "{matchLabels: ~, matchExpressions: []}"] {
        let loaded = load(&format!("selector: {selector}\n"));
        let selector = Selector::Expressions(loaded.units[0].resources[0].node().get("selector").unwrap());
        assert!(selector.is_empty());
        assert_eq!(selector.selects(&Labels { node: None }), Truth::Yes);
    }
}

#[test]
fn a_plain_map_has_no_expressions() {
    let loaded = load("selector: {app: x, matchLabels: y}\nlabels: {app: x, matchLabels: y}\n");
    let node = loaded.units[0].resources[0].node();
    let selector = Selector::Map(node.get("selector").unwrap());
    assert!(!selector.is_empty());
    assert_eq!(selector.selects(&Labels { node: node.get("labels") }), Truth::Yes);
    assert_eq!(selector.selects(&Labels { node: None }), Truth::No);
}

#[test]
fn truth_is_a_conjunction() {
    use Truth::*;
    assert_eq!([Yes.and(Unknown), No.and(Unknown), Unknown.and(No), Yes.and(Yes)], [Unknown, No, No, Yes]);
}
