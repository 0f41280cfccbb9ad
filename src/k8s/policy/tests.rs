//! What a policy says, taken from its text.
use super::*;
use crate::load;

fn with<R>(spec: &str, f: impl FnOnce(NetworkPolicy<'_>, &crate::source::SourceMap) -> R) -> R {
    let text = format!("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p}}\nspec:\n{spec}");
    let loaded = load::from_texts(&[("p.yaml".into(), text)]);
    f(NetworkPolicy::new(&loaded.units[0].resources[0]).unwrap(), &loaded.sources)
}

#[test]
fn policy_types_default_to_ingress_and_to_egress_where_it_has_rules() {
    for (spec, ingress, egress) in [
        ("  podSelector: {}\n", Truth::Yes, Truth::No),
        ("  egress: []\n", Truth::Yes, Truth::No),
        ("  egress: [{}]\n", Truth::Yes, Truth::Yes),
        ("  policyTypes: []\n  egress: [{}]\n", Truth::Yes, Truth::Yes),
        ("  policyTypes: [Egress]\n  ingress: [{}]\n", Truth::No, Truth::Yes),
        ("  policyTypes: ['{{ .type }}']\n", Truth::Unknown, Truth::Unknown),
    ] {
        with(spec, |policy, _| {
            assert_eq!(policy.isolates(Direction::Ingress), ingress, "{spec}");
            assert_eq!(policy.isolates(Direction::Egress), egress, "{spec}");
        });
    }
}

#[test]
fn empty_lists_mean_everybody_and_every_port() {
    with("  ingress:\n    - from: []\n      ports: null\n    - from: [{podSelector: {}}]\n", |policy, _| {
        let rules = policy.rules(Direction::Ingress).unwrap();
        assert!(rules[0].peers.is_none() && rules[0].ports.is_none());
        let peers = rules[1].peers.as_ref().unwrap();
        assert!(peers[0].pods.is_some() && peers[0].namespaces.is_none() && peers[0].block.is_none());
    });
}

#[test]
fn ports_are_numbers_ranges_names_or_not_known() {
    let spec = "  ingress:\n    - ports:\n        - {}\n        - {port: 80}\n        - {port: 80, endPort: 90, protocol: UDP}\n        - {port: dns}\n        - {port: '{{ .p }}'}\n        - {port: 90, endPort: 80}\n        - {port: 70000}\n        - {port: 1, protocol: ICMP}\n";
    with(spec, |policy, _| {
        let rules = policy.rules(Direction::Ingress).unwrap();
        let found: Vec<_> = rules[0].ports.iter().flatten().map(|p| (p.protocol, p.range.clone())).collect();
        let tcp = Some(Protocol::Tcp);
        assert_eq!(
            found,
            [
                (tcp, PortRange::Every),
                (tcp, PortRange::Numbers(80, 80)),
                (Some(Protocol::Udp), PortRange::Numbers(80, 90)),
                (tcp, PortRange::Named("dns".into())),
                (tcp, PortRange::Unknown),
                (tcp, PortRange::Unknown),
                (tcp, PortRange::Unknown),
                (None, PortRange::Numbers(1, 1)),
            ]
        );
    });
}

#[test]
fn places_are_what_a_person_would_edit() {
    with(
        "  podSelector:\n    matchLabels: {app: x}\n  policyTypes: [Ingress, Egress]\n  egress: []\n",
        |p, sources| {
            assert_eq!(sources.slice(p.selector_place()), "x");
            assert_eq!(sources.slice(p.isolation_place(Direction::Ingress)), "Ingress");
            assert_eq!(sources.slice(p.isolation_place(Direction::Egress)), "egress");
        },
    );
    with("  podSelector: {}\n", |p, sources| {
        assert_eq!(sources.slice(p.selector_place()), "podSelector");
        assert_eq!(sources.slice(p.isolation_place(Direction::Ingress)), "p");
    });
}

#[test]
fn a_block_that_cannot_be_read_is_an_error_at_its_text() {
    let spec = "  ingress:\n    - from:\n        - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}\n        - ipBlock: {cidr: nonsense}\n";
    with(spec, |policy, sources| {
        let rules = policy.rules(Direction::Ingress).unwrap();
        let peers = rules[0].peers.as_ref().unwrap();
        assert_eq!(peers[0].addresses().unwrap().unwrap().ranges().len(), 2);
        assert_eq!(sources.slice(peers[1].addresses().unwrap().unwrap_err()), "nonsense");
    });
}
