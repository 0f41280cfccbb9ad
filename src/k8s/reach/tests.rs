//! Verdicts with their reasons.

use super::*;
use crate::config::Config;
use crate::events::Model;
use crate::load::{self, Loaded};

const PODS: &str = "
apiVersion: v1
kind: Pod
metadata: {name: server, namespace: a, labels: {app: server}}
spec: {containers: [{name: c, ports: [{name: web, containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: b, labels: {app: client}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: on-host, namespace: b, labels: {app: client}}
spec: {hostNetwork: true, containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nowhere, labels: {app: client}}
spec: {containers: [{name: c}]}
";

fn unit(policies: &str) -> Loaded {
    load::from_texts(&[("pods.yaml".into(), PODS.into()), ("policies.yaml".into(), policies.into())])
}

fn policy(spec: &str) -> String {
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: a}}\nspec: {spec}\n"
    )
}

/// The truth of client (or another pod) to server:80, the text at the place that denies, and the words of the doubt.
fn ask(policies: &str, from: usize) -> (Truth, Option<(String, Why)>, Option<String>) {
    let loaded = unit(policies);
    let config = Config::default();
    let model = Model::new(&loaded.units[0], &config);
    let reach = Reach::new(&loaded.units[0], &model.workloads, Vec::new(), Assumptions::default());
    let verdict = reach.verdict(from, 0, Protocol::Tcp, 80);
    let obstacle = verdict.sides().into_iter().find_map(|side| reach.obstacle(side));
    let doubt = verdict.sides().into_iter().find_map(|side| reach.doubt(side)).map(|(words, _)| words);
    (verdict.truth(), obstacle.map(|o| (loaded.sources.slice(o.span).to_string(), o.why)), doubt)
}

fn denied(spec: &str, place: &str, why: Why) {
    let (truth, obstacle, doubt) = ask(&policy(spec), 1);
    assert_eq!((truth, doubt), (Truth::No, None), "{spec}");
    assert_eq!(obstacle, Some((place.to_string(), why)), "{spec}");
}

#[test]
fn a_denial_points_at_the_field_to_change() {
    denied("{podSelector: {}, ingress: []}", "ingress", Why::Closed);
    denied("{podSelector: {}, policyTypes: [Ingress]}", "Ingress", Why::Closed);
    denied("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 81}]}]}", "ports", Why::Port);
    let b = "kubernetes.io/metadata.name: b";
    denied(
        &format!(
            "{{podSelector: {{}}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{{b}}}}}, podSelector: {{matchLabels: {{app: x}}}}}}]}}]}}"
        ),
        "x",
        Why::Labels,
    );
    denied(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: c}}}]}]}",
        "c",
        Why::Namespace,
    );
    denied(
        "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]}",
        "podSelector",
        Why::OtherNamespace,
    );
    // Opening more to everybody is nobody's wish.
    denied("{podSelector: {}, ingress: [{ports: [{port: 81}]}]}", "ingress", Why::Closed);
}

#[test]
fn what_the_unit_does_not_tell_is_doubt_with_a_reason() {
    let doubt = |spec: &str, from: usize, words: &str| {
        let (truth, obstacle, doubt) = ask(&policy(spec), from);
        assert_eq!((truth, obstacle), (Truth::Unknown, None), "{spec}");
        let doubt = doubt.unwrap_or_default();
        assert!(doubt.contains(words), "{doubt:?} has no {words:?}");
    };
    let team = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}]}]}";
    doubt(team, 1, "the labels of the namespace `b` are not in the unit");
    let address = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}";
    doubt(address, 1, "`ipBlock`");
    let all = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}";
    doubt(all, 2, "the host's network");
    let own = "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}";
    doubt(own, 3, "is not written");
    doubt("{podSelector: {matchLabels: {app: '{{ .x }}'}}, ingress: []}", 1, "labels are decided elsewhere");
    doubt("{podSelector: {}, ingress: [{ports: [{port: '{{ .x }}'}]}]}", 1, "a port of");
    doubt("{podSelector: {}, policyTypes: ['{{ .x }}']}", 1, "policy types");
}

#[test]
fn what_holds_either_way_is_certain() {
    // Whether or not the policy selects the pod, the port is open.
    let spec = "{podSelector: {matchLabels: {app: '{{ .x }}'}}, ingress: [{ports: [{port: web}]}]}";
    assert_eq!(ask(&policy(spec), 1).0, Truth::Yes);
    // A namespace that is made here has the labels that are written.
    let space = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b, labels: {team: x}}\n";
    let team = |name: &str| {
        policy(&format!(
            "{{podSelector: {{}}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{team: {name}}}}}}}]}}]}}"
        ))
    };
    assert_eq!(ask(&(space.to_string() + &team("x")), 1).0, Truth::Yes);
    assert_eq!(ask(&(space.to_string() + &team("y")), 1).0, Truth::No);
    // One policy closes, another opens.
    let both = policy("{podSelector: {}, ingress: []}") + &policy("{podSelector: {}, ingress: [{}]}");
    assert_eq!(ask(&both, 1).0, Truth::Yes);
    assert_eq!(ask("", 2).0, Truth::Yes);
}

#[test]
fn egress_and_ingress_both_have_to_allow() {
    let egress = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: out, namespace: b}\nspec: {podSelector: {}, egress: [{ports: [{port: web}]}]}\n";
    assert_eq!(ask(egress, 1).0, Truth::Yes, "the name is the destination's");
    let closed = egress.replace("web", "81");
    let (truth, obstacle, _) = ask(&closed, 1);
    assert_eq!((truth, obstacle), (Truth::No, Some(("egress".into(), Why::Closed))));
}

#[test]
fn an_assumed_pod_has_its_labels_and_perhaps_others() {
    let loaded = unit(&policy(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {K: v}}}]}]}",
    ));
    let config = Config::default();
    let model = Model::new(&loaded.units[0], &config);
    let ask = |label: (&'static str, &'static str), others| {
        let assumed = Assumed { name: "x", namespace: "z", labels: vec![label], others };
        let reach = Reach::new(&loaded.units[0], &model.workloads, vec![assumed], Assumptions::default());
        let (id, _) = reach.assumed().next().unwrap();
        reach.verdict(id, 0, Protocol::Tcp, 80).truth()
    };
    assert_eq!(ask(("K", "v"), Others::Only(vec![])), Truth::Yes);
    assert_eq!(ask(("K", "w"), Others::Only(vec!["K"])), Truth::No);
    assert_eq!(ask(("other", "v"), Others::Only(vec![])), Truth::No);
    assert_eq!(ask(("other", "v"), Others::Only(vec!["K"])), Truth::Unknown);
    assert_eq!(ask(("other", "v"), Others::AnyBut(vec![])), Truth::Unknown);
    assert_eq!(ask(("other", "v"), Others::AnyBut(vec!["K"])), Truth::No);
}
