//! What is written.

use super::*;
use crate::load;

const UNIT: &str = "apiVersion: v1
kind: Pod
metadata: {name: server, labels: {app: server}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: b, labels: {app: client}}
spec: {containers: [{name: c}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p}
spec:
  podSelector: {matchLabels: {app: server}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}]
      ports: [{port: 5557, endPort: 5558}, {port: 53, protocol: UDP}]
    - from: [{namespaceSelector: {matchLabels: {team: x}}}]
      ports: [{port: 8000}]
    - from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]
      ports: [{port: 443}]
";

fn list(options: ReachOptions) -> String {
    run(&load::from_texts(&[("u.yaml".into(), UNIT.into())]), &Config::default(), &options)
}

#[test]
fn a_line_for_each_connection() {
    let text = list(ReachOptions::default());
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "0.0.0.0-255.255.255.255[External] => b/client[Pod] : All Connections",
            "10.0.0.0-10.0.255.255[External] => default/server[Pod] : TCP 443",
            "10.2.0.0-10.255.255.255[External] => default/server[Pod] : TCP 443",
            "b/client[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections",
            "b/client[Pod] => default/server[Pod] : TCP 5557-5558,UDP 53, perhaps TCP 443,5557-5558,8000,UDP 53",
        ]
    );
}

#[test]
fn filters_choose_ends_and_ports() {
    let filter = |from: Option<&str>, to: Option<&str>, port: Option<&str>| {
        list(ReachOptions {
            from: from.map(str::to_string),
            to: to.map(str::to_string),
            port: port.map(|p| p.parse().unwrap()),
            ..Default::default()
        })
    };
    assert_eq!(filter(Some("b/*"), Some("server"), Some("5557")), "b/client[Pod] => default/server[Pod] : TCP 5557\n");
    assert_eq!(
        filter(Some("client"), Some("server"), Some("53/udp")),
        "b/client[Pod] => default/server[Pod] : UDP 53\n"
    );
    assert_eq!(filter(None, Some("server"), Some("22")), "");
    assert_eq!(filter(Some("external"), Some("server"), None).lines().count(), 2);
    assert_eq!("0".parse::<PortFilter>(), Err("`0` is no port: write `5557` or `53/UDP`".into()));
}

#[test]
fn explaining_names_policies_and_lines() {
    let text = list(ReachOptions { explain: true, from: Some("server".into()), ..Default::default() });
    assert!(text.contains("default/server[Pod] => b/client[Pod] : No Connections\n"), "{text}");
    assert!(text.contains("    egress: p opens nothing here  u.yaml:16:26\n"), "{text}");
    assert!(text.contains("    ingress: no policy selects b/client\n"), "{text}");
    let text = list(ReachOptions { explain: true, to: Some("server".into()), ..Default::default() });
    assert!(text.contains("    ingress: p opens TCP 5557-5558,UDP 53  u.yaml:18:"), "{text}");
    assert!(text.contains("    ingress: p opens perhaps TCP 8000  u.yaml:20:"), "{text}");
}

#[test]
fn machine_formats_say_the_same() {
    let json: serde_json::Value =
        serde_json::from_str(&list(ReachOptions { format: ReachFormat::Json, ..Default::default() })).unwrap();
    let last = json["units"][0]["connections"].as_array().unwrap().last().unwrap();
    assert_eq!(last["to"]["name"], "server");
    assert_eq!(last["certain"]["ports"]["TCP"], serde_json::json!([[5557, 5558]]));
    let dot = list(ReachOptions { format: ReachFormat::Dot, ..Default::default() });
    assert!(dot.starts_with("digraph reach {") && dot.contains("label=\"server\\nPod\""), "{dot}");
}
