//! Reachability against a second evaluation that is as naive as can be: pod by pod, port by port, straight from the text of
//! the API's documentation, over JSON values and without any set.

use kvlint::config::Config;
use kvlint::events::Model;
use kvlint::k8s::Truth;
use kvlint::k8s::policy::Protocol;
use kvlint::k8s::reach::{Assumptions, End, Reach, Reading};
use kvlint::load;
use proptest::prelude::*;
use serde_json::{Value, json};

const PORTS: [u16; 6] = [53, 80, 81, 5557, 5558, 8000];

// What is generated.

fn maybe<T: std::fmt::Debug + Clone + 'static>(s: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Option<T>> {
    prop_oneof![Just(None), s.prop_map(Some)].boxed()
}

fn labels() -> impl Strategy<Value = Value> {
    let value = || maybe(prop_oneof![Just("x"), Just("y"), Just("")]);
    (value(), value()).prop_map(|(app, role)| {
        let mut map = serde_json::Map::new();
        app.map(|v| map.insert("app".into(), json!(v)));
        role.map(|v| map.insert("role".into(), json!(v)));
        Value::Object(map)
    })
}

fn selector(keys: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let key = || prop::sample::select(keys);
    let value = || prop_oneof![Just("x"), Just("y"), Just("a"), Just("")];
    let expression = (key(), 0..4u8, prop::collection::vec(value(), 1..3)).prop_map(|(key, op, values)| match op {
        0 => json!({"key": key, "operator": "In", "values": values}),
        1 => json!({"key": key, "operator": "NotIn", "values": values}),
        2 => json!({"key": key, "operator": "Exists"}),
        _ => json!({"key": key, "operator": "DoesNotExist"}),
    });
    let map = (key(), value()).prop_map(|(key, value)| json!({key: value}));
    prop_oneof![
        2 => Just(json!({})),
        3 => map.clone().prop_map(|m| json!({"matchLabels": m})),
        2 => prop::collection::vec(expression.clone(), 1..3).prop_map(|e| json!({"matchExpressions": e})),
        1 => (map, expression).prop_map(|(m, e)| json!({"matchLabels": m, "matchExpressions": [e]})),
    ]
}

fn peer() -> impl Strategy<Value = Value> {
    let pods = || selector(&["app", "role"]);
    let spaces = || selector(&["team", "kubernetes.io/metadata.name"]);
    prop_oneof![
        pods().prop_map(|p| json!({"podSelector": p})),
        spaces().prop_map(|n| json!({"namespaceSelector": n})),
        (pods(), spaces()).prop_map(|(p, n)| json!({"podSelector": p, "namespaceSelector": n})),
        Just(json!({"ipBlock": {"cidr": "10.0.0.0/8"}})),
    ]
}

fn port() -> impl Strategy<Value = Value> {
    let protocol = || maybe(prop_oneof![Just("TCP"), Just("UDP"), Just("SCTP")]);
    let number = || prop::sample::select(&PORTS[..]);
    let shape = prop_oneof![
        Just(json!({})),
        number().prop_map(|p| json!({"port": p})),
        (number(), number()).prop_map(|(a, b)| json!({"port": a.min(b), "endPort": a.max(b)})),
        prop_oneof![Just("web"), Just("events")].prop_map(|n| json!({"port": n})),
    ];
    (shape, protocol()).prop_map(|(mut shape, protocol)| {
        if let Some(protocol) = protocol {
            shape["protocol"] = json!(protocol);
        }
        shape
    })
}

fn put(object: &mut Value, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[key] = value;
    }
}

fn rules(peers: &'static str) -> impl Strategy<Value = Option<Value>> {
    let list = |s: BoxedStrategy<Value>| maybe(prop::collection::vec(s, 0..3));
    let rule = (list(peer().boxed()), list(port().boxed())).prop_map(move |(from, ports)| {
        let mut rule = json!({});
        put(&mut rule, peers, from.map(|from| json!(from)));
        put(&mut rule, "ports", ports.map(|ports| json!(ports)));
        rule
    });
    maybe(prop::collection::vec(rule, 0..3).prop_map(|rules| json!(rules)))
}

fn policy() -> impl Strategy<Value = Value> {
    let types = prop_oneof![
        Just(None),
        Just(Some(json!(["Ingress"]))),
        Just(Some(json!(["Egress"]))),
        Just(Some(json!(["Ingress", "Egress"]))),
    ];
    let space = prop_oneof![Just("a"), Just("b")];
    (space, selector(&["app", "role"]), types, rules("from"), rules("to")).prop_map(
        |(space, pods, types, ingress, egress)| {
            let mut spec = json!({"podSelector": pods});
            put(&mut spec, "policyTypes", types);
            put(&mut spec, "ingress", ingress);
            put(&mut spec, "egress", egress);
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": {"name": "p", "namespace": space}, "spec": spec,
            })
        },
    )
}

fn pod() -> impl Strategy<Value = Value> {
    let space = prop_oneof![Just("a"), Just("b"), Just("c")];
    let named = prop_oneof![
        Just(json!([])),
        Just(json!([{"name": "web", "containerPort": 80}, {"name": "events", "containerPort": 5557}])),
        Just(
            json!([{"name": "web", "containerPort": 8000}, {"name": "events", "containerPort": 53, "protocol": "UDP"}])
        ),
    ];
    (space, labels(), named).prop_map(|(space, labels, ports)| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "", "namespace": space, "labels": labels},
            "spec": {"containers": [{"name": "main", "image": "x", "ports": ports}]},
        })
    })
}

#[derive(Debug, Clone)]
struct World {
    spaces: Vec<Value>,
    pods: Vec<Value>,
    policies: Vec<Value>,
}

fn world() -> impl Strategy<Value = World> {
    let team = || maybe(prop_oneof![Just("x"), Just("y")]);
    let pods = prop::collection::vec(pod(), 2..6);
    (team(), team(), team(), pods, prop::collection::vec(policy(), 0..5)).prop_map(|(a, b, c, mut pods, policies)| {
        let space = |name: &str, team: Option<&str>| {
            let labels = team.map_or(json!({}), |team| json!({"team": team}));
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        };
        for (index, pod) in pods.iter_mut().enumerate() {
            pod["metadata"]["name"] = json!(format!("pod-{index}"));
        }
        World { spaces: vec![space("a", a), space("b", b), space("c", c)], pods, policies }
    })
}

// The naive evaluation.

impl World {
    fn space_labels(&self, name: &Value) -> Value {
        let found = self.spaces.iter().find(|s| s["metadata"]["name"] == *name).expect("every namespace is there");
        let mut labels = found["metadata"]["labels"].clone();
        labels["kubernetes.io/metadata.name"] = name.clone();
        labels
    }

    fn allowed(&self, from: &Value, to: &Value, protocol: &str, port: u16) -> bool {
        self.side(from, to, to, "Egress", protocol, port) && self.side(to, from, to, "Ingress", protocol, port)
    }

    fn side(&self, own: &Value, other: &Value, target: &Value, way: &str, protocol: &str, port: u16) -> bool {
        let (rules, peers) = if way == "Ingress" { ("ingress", "from") } else { ("egress", "to") };
        let mut isolated = false;
        for policy in &self.policies {
            let spec = &policy["spec"];
            let has_egress = spec["egress"].as_array().is_some_and(|e| !e.is_empty());
            let applies = match spec["policyTypes"].as_array() {
                Some(types) => types.contains(&json!(way)),
                None => way == "Ingress" || has_egress,
            };
            let same_space = policy["metadata"]["namespace"] == own["metadata"]["namespace"];
            if !applies || !same_space || !matches(&spec["podSelector"], &own["metadata"]["labels"]) {
                continue;
            }
            isolated = true;
            for rule in spec[rules].as_array().into_iter().flatten() {
                let everybody = rule[peers].as_array().is_none_or(Vec::is_empty);
                let all_ports = rule["ports"].as_array().is_none_or(Vec::is_empty);
                let who = everybody || rule[peers].as_array().unwrap().iter().any(|p| self.is_peer(p, policy, other));
                let what =
                    all_ports || rule["ports"].as_array().unwrap().iter().any(|p| is_port(p, target, protocol, port));
                if who && what {
                    return true;
                }
            }
        }
        !isolated
    }

    fn is_peer(&self, peer: &Value, policy: &Value, other: &Value) -> bool {
        if peer.get("ipBlock").is_some() {
            return false;
        }
        let space = &other["metadata"]["namespace"];
        let in_space = match peer.get("namespaceSelector") {
            Some(selector) => matches(selector, &self.space_labels(space)),
            None => policy["metadata"]["namespace"] == *space,
        };
        in_space && peer.get("podSelector").is_none_or(|s| matches(s, &other["metadata"]["labels"]))
    }
}

fn is_port(item: &Value, target: &Value, protocol: &str, port: u16) -> bool {
    if item.get("protocol").map_or("TCP", |p| p.as_str().unwrap()) != protocol {
        return false;
    }
    match item.get("port") {
        None => true,
        Some(Value::String(name)) => {
            let ports = target["spec"]["containers"][0]["ports"].as_array().unwrap();
            ports.iter().any(|p| {
                let same = p.get("protocol").map_or("TCP", |p| p.as_str().unwrap()) == protocol;
                same && p["name"] == *name && p["containerPort"] == json!(port)
            })
        }
        Some(first) => {
            let last = item.get("endPort").unwrap_or(first);
            (first.as_u64().unwrap()..=last.as_u64().unwrap()).contains(&u64::from(port))
        }
    }
}

fn matches(selector: &Value, labels: &Value) -> bool {
    let wanted = selector["matchLabels"].as_object().into_iter().flatten().all(|(k, v)| labels.get(k) == Some(v));
    wanted
        && selector["matchExpressions"].as_array().into_iter().flatten().all(|e| {
            let value = labels.get(e["key"].as_str().unwrap());
            let among = value.is_some_and(|v| e["values"].as_array().is_some_and(|values| values.contains(v)));
            match e["operator"].as_str().unwrap() {
                "In" => among,
                "NotIn" => !among,
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_evaluations_agree(world in world()) {
        let objects = world.spaces.iter().chain(&world.pods).chain(&world.policies);
        let text: Vec<String> = objects.map(ToString::to_string).collect();
        let loaded = load::from_texts(&[("world.yaml".into(), text.join("\n---\n"))]);
        let config = Config::default();
        let model = Model::new(&loaded.units[0], &config);
        let reach = |reading| {
            let assumptions = Assumptions { namespace: None, reading };
            Reach::new(&loaded.units[0], &model.workloads, Vec::new(), assumptions)
        };
        let (plain, careful) = (reach(Reading::Plain), reach(Reading::Careful));
        let mut listed = std::collections::HashMap::new();
        plain.connections(|_, _| true, |c| {
            assert_eq!(c.certain, c.possible);
            listed.insert((c.from.clone(), c.to.clone()), c.certain.clone());
        });
        let end = |id: usize| -> End { plain.end(id) };
        for (from, source) in world.pods.iter().enumerate() {
            for (to, target) in world.pods.iter().enumerate().filter(|(to, _)| *to != from) {
                for protocol in Protocol::ALL {
                    for port in PORTS {
                        let expected = world.allowed(source, target, protocol.as_str(), port);
                        let at = format!("{from} => {to} {} {port}", protocol.as_str());
                        let truth = plain.verdict(from, to, protocol, port).truth();
                        prop_assert_eq!(truth, if expected { Truth::Yes } else { Truth::No }, "{}", at);
                        let set = listed.get(&(end(from), end(to)));
                        prop_assert_eq!(set.is_some_and(|s| s.contains(protocol, port)), expected, "listed: {}", at);
                        // What is certain with care is true; only addresses are in doubt here.
                        match careful.verdict(from, to, protocol, port).truth() {
                            Truth::Yes => prop_assert!(expected, "certain: {}", at),
                            Truth::No => prop_assert!(!expected, "certain: {}", at),
                            Truth::Unknown => {}
                        }
                        // Every denial names a place, and only denials do.
                        let verdict = plain.verdict(from, to, protocol, port);
                        let places = verdict.sides().into_iter().filter_map(|side| plain.obstacle(side)).count();
                        prop_assert_eq!(places == 0, expected, "obstacle: {}", at);
                    }
                }
            }
        }
    }
}
