use crate::config::Config;
use crate::events::{Certainty, Model};
use crate::facts::aibrix::variable;
use crate::load::{self, Loaded};

use super::*;

fn load(container: &str) -> Loaded {
    let mut text = String::from(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: aibrix-gateway-plugins, namespace: aibrix-system}\n\
         spec:\n  template:\n    metadata: {labels: {app: gateway-plugins}}\n    spec:\n      containers:\n",
    );
    for line in container.lines() {
        text += &format!("        {line}\n");
    }
    load::from_texts(&[("gateway.yaml".into(), text)])
}

/// Runs `test` with the only gateway of a container, and a way to see the bytes of a span.
#[track_caller]
fn with_gateway(container: &str, test: impl Fn(&Gateway<'_>, &dyn Fn(Span) -> String)) {
    let loaded = load(container);
    let config = Config::default();
    let model = Model::new(&loaded.units[0], &config);
    assert_eq!(model.gateways.len(), 1);
    test(&model.gateways[0], &|span| loaded.sources.slice(span).to_string());
}

const NEW: &str = r#"- name: gateway-plugin
  image: aibrix/gateway-plugins:v0.7.0
  env:
    - {name: AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED, value: "true"}
    - {name: AIBRIX_PREFIX_CACHE_USE_REMOTE_TOKENIZER, value: "yes"}
    - {name: AIBRIX_PREFIX_CACHE_BLOCK_SIZE, value: "64"}
"#;

#[test]
fn settings_have_the_bytes_of_their_values() {
    with_gateway(NEW, |gateway, bytes| {
        assert_eq!(bytes(gateway.syncing().unwrap()), "\"true\"");
        let (text, span) = gateway.refused(variable("remote_tokenizer")).unwrap();
        assert_eq!((text.value.as_str(), bytes(span).as_str()), ("yes", "\"yes\""));
        assert_eq!(gateway.switch(variable("remote_tokenizer")).known(), Some(&false));
        let (size, span) = gateway.block_size().known_at().map(|(s, at)| (*s, at)).unwrap();
        assert_eq!((size, bytes(span).as_str()), (64, "\"64\""));
        // What is missing would go below `env`.
        let missing = gateway.setting(variable("tokenizer_endpoint"));
        assert!(missing.is_absent());
        assert_eq!(bytes(missing.span()), "env");
        assert_eq!(bytes(gateway.image.span), "v0.7.0");
        assert_eq!(gateway.image.certainty, Certainty::Certain);
    });
}

#[test]
fn a_variable_is_read_under_the_name_of_the_release() {
    with_gateway(&NEW.replace("v0.7.0", "v0.4.1"), |gateway, bytes| {
        assert!(gateway.sync().is_absent());
        let wrong = gateway.misnamed(variable("kv_event_sync")).unwrap();
        assert_eq!(bytes(wrong.name.span()), "AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED");
        assert_eq!(gateway.name_of(variable("kv_event_sync")), "AIBRIX_KV_EVENT_SYNC_ENABLED");
    });
    // Nobody knows what `nightly` is, so every name may count.
    let old = NEW.replace("v0.7.0", "nightly").replace("AIBRIX_PREFIX_CACHE_KV_", "AIBRIX_KV_");
    with_gateway(&old, |gateway, _| {
        assert!(gateway.syncing().is_some());
        assert!(gateway.misnamed(variable("kv_event_sync")).is_none());
        assert_eq!(gateway.name_of(variable("kv_event_sync")), "AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED");
    });
}

#[test]
fn what_comes_from_elsewhere_is_unknown() {
    let from = "  envFrom: [{configMapRef: {name: gateway}}]\n";
    with_gateway("- {name: gateway-plugin, image: 'aibrix/gateway-plugins:v0.7.0'}", |gateway, bytes| {
        assert!(gateway.sync().is_absent());
        assert_eq!(bytes(gateway.place()), "gateway-plugin");
    });
    with_gateway(&format!("- name: gateway-plugin\n  image: aibrix/gateway-plugins:v0.7.0\n{from}"), |gateway, _| {
        assert!(gateway.sync().is_unknown() && gateway.syncing().is_none());
    });
    let field = NEW.replace("value: \"true\"", "valueFrom: {configMapKeyRef: {name: a, key: b}}");
    with_gateway(&field, |gateway, _| assert!(gateway.sync().is_unknown()));
}

#[test]
fn nothing_is_absent_from_a_patch() {
    with_gateway(&NEW.replace("  image: aibrix/gateway-plugins:v0.7.0\n", ""), |gateway, _| {
        assert!(gateway.setting(variable("tokenizer_endpoint")).is_unknown());
        assert!(gateway.syncing().is_some());
    });
}

#[test]
fn a_gateway_is_known_by_any_of_its_marks() {
    let named = |container: &str| {
        let loaded = load(container);
        Model::new(&loaded.units[0], &Config::default()).gateways.len()
    };
    assert_eq!(named("- {name: x, image: 'registry:5000/aibrix/gateway-plugins:v0.6.0'}"), 1);
    assert_eq!(named("- {name: gateway-plugin, image: 'private/gw:1'}"), 1);
    // The Deployment's name is a mark while there is one container.
    assert_eq!(named("- {name: x, image: 'private/gw:1'}"), 1);
    assert_eq!(named("- {name: x, image: 'private/gw:1'}\n- {name: y, image: 'private/log:1'}"), 0);
}

#[test]
fn a_gateway_without_redis_says_so() {
    with_gateway("- {name: gateway-plugin, image: 'a/gateway-plugins:v0.7.0', args: [--standalone]}", |gateway, _| {
        assert!(gateway.is_standalone());
    });
    with_gateway(NEW, |gateway, _| assert!(!gateway.is_standalone()));
}
