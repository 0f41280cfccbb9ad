use crate::load::{self, Loaded};

use super::*;

fn load(spec: &str) -> Loaded {
    let mut text = String::from("apiVersion: v1\nkind: Service\nmetadata: {name: llama}\nspec:\n");
    for line in spec.lines() {
        text += &format!("  {line}\n");
    }
    load::from_texts(&[("service.yaml".into(), text)])
}

/// The ports of a Service as (port, target, bytes of the target).
fn ports(spec: &str) -> Vec<(Option<u16>, Option<TargetPort>, String)> {
    let loaded = load(spec);
    let service = Service::new(&loaded.units[0].resources[0]).unwrap();
    let row = |p: &ServicePort<'_>| {
        (p.port.known().copied(), p.target.known().cloned(), loaded.sources.slice(p.target.span()).to_string())
    };
    service.ports().iter().map(row).collect()
}

#[test]
fn a_target_is_a_number_a_name_or_the_port_itself() {
    use TargetPort::{Name, Number};
    let found = ports(
        "ports:\n  - {port: 80, targetPort: 8000}\n  - {port: 5557, targetPort: kv-events}\n  - port: 5558\n  \
         - {port: 81, targetPort: null}\n  - {port: 82, targetPort: ''}\n",
    );
    let row = |port, target, bytes: &str| (Some(port), Some(target), bytes.to_string());
    assert_eq!(
        found,
        [
            row(80, Number(8000), "8000"),
            row(5557, Name("kv-events".into()), "kv-events"),
            row(5558, Number(5558), "5558"),
            row(81, Number(81), "81"),
            row(82, Number(82), "82"),
        ]
    );
}

#[test]
fn a_target_of_digits_in_quotes_is_a_name_and_a_template_is_unknown() {
    let found = ports("ports:\n  - {port: 80, targetPort: '8000'}\n  - {port: 81, targetPort: '{{ .Values.port }}'}\n");
    assert_eq!(found[0].1, Some(TargetPort::Name("8000".into())));
    assert_eq!(found[1].1, None);
    assert_eq!(found[1].2, "'{{ .Values.port }}'");
}

#[test]
fn a_service_without_a_selector_selects_nothing_of_itself() {
    for spec in ["ports: []", "selector: {}", "type: ExternalName\nselector: {app: a}"] {
        let loaded = load(spec);
        assert!(Service::new(&loaded.units[0].resources[0]).unwrap().selector().is_none(), "{spec}");
    }
}

#[test]
fn what_is_missing_goes_below_the_ports() {
    for (spec, place) in [("ports: []\nselector: {app: a}", "ports"), ("selector: {app: a}", "llama")] {
        let loaded = load(spec);
        let service = Service::new(&loaded.units[0].resources[0]).unwrap();
        assert_eq!(loaded.sources.slice(service.ports_place()), place);
    }
}

#[test]
fn the_names_of_a_service_in_the_cluster() {
    let host = |text| ClusterHost::parse(text).map(|h| (h.name.to_string(), h.namespace.map(str::to_string)));
    let in_ns = Some(("llama".to_string(), Some("prod".to_string())));
    for text in ["llama.prod", "llama.prod.svc", "llama.prod.svc.cluster.local", "llama.prod.svc.cluster.local."] {
        assert_eq!(host(text), in_ns, "{text}");
    }
    assert_eq!(host("llama"), Some(("llama".to_string(), None)));
    for text in ["10.0.0.1", "localhost", "a.b.c", "a.b.example.com", "::1", "", "a..svc", "Llama_x"] {
        assert_eq!(host(text), None, "{text}");
    }
}

#[test]
fn a_label_that_a_controller_may_add_is_unknown() {
    use crate::k8s::{Truth, Workload};
    let pod = |api_version: &str, kind: &str, path: &str| {
        format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {path}\n---\n")
    };
    let template = "{template: {metadata: {labels: {app: a, tier: x}}, spec: {containers: []}}}";
    let ray = "{headGroupSpec: {template: {metadata: {labels: {app: a, tier: x}}, spec: {containers: []}}}}";
    let judge = |workload: &str, selector: &str| {
        let text =
            format!("{workload}apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{selector: {selector}}}\n");
        let loaded = load::from_texts(&[("a.yaml".into(), text)]);
        let resources = &loaded.units[0].resources;
        let workload = Workload::new(&resources[0], &[]).unwrap();
        workload.pods[0].selected_by(Service::new(&resources[1]).unwrap().selector().unwrap())
    };
    let (own, custom) = (pod("apps/v1", "StatefulSet", template), pod("ray.io/v1", "RayCluster", ray));
    for (selector, of_own, of_custom) in [
        ("{app: a}", Truth::Yes, Truth::Yes),
        ("{app: a, role: head}", Truth::No, Truth::Unknown),
        ("{app: b, role: head}", Truth::No, Truth::No),
        ("{app: a, statefulset.kubernetes.io/pod-name: a-0}", Truth::Unknown, Truth::Unknown),
        ("{app: '{{ .Values.app }}'}", Truth::Unknown, Truth::Unknown),
    ] {
        assert_eq!((judge(&own, selector), judge(&custom, selector)), (of_own, of_custom), "{selector}");
    }
}
