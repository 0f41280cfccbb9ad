//! The ports of an engine, by ranks and releases, with their bytes.

use super::*;
use crate::config::Config;
use crate::events::Model;
use crate::load;

/// Calls `test` with the engine of a pod that runs `vllm serve m` with these arguments.
fn with_engine(tag: &str, args: &str, test: impl FnOnce(&Publisher<'_>, &dyn Fn(Span) -> String)) {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n    - name: vllm\n      image: \
         vllm/vllm-openai:{tag}\n      command: [vllm, serve, m]\n      args: {args}\n"
    );
    let loaded = load::from_texts(&[("x.yaml".into(), text)]);
    let config = Config::default();
    let model = Model::new(&loaded.units[0], &config);
    test(&model.publishers[0], &|span| loaded.sources.slice(span).to_string());
}

/// The numbers of the event port, if it is known.
fn events(tag: &str, args: &str) -> Option<(u16, u16, u16)> {
    let mut found = None;
    with_engine(tag, args, |engine, _| {
        found = engine.event_port().known().map(|p| (p.written, p.first, p.last));
    });
    found
}

#[test]
fn ranks_of_a_pod_take_a_range_of_ports() {
    let on = r#"--kv-events-config, '{"enable_kv_cache_events": true, "endpoint": "tcp://*:5557"}'"#;
    for (flags, wanted) in [
        ("", Some((5557, 5557, 5557))),
        ("--data-parallel-size=4, ", Some((5557, 5557, 5560))),
        ("--data-parallel-size=4, --data-parallel-size-local=2, ", Some((5557, 5557, 5558))),
        ("--data-parallel-size=4, --data-parallel-rank=3, ", Some((5557, 5560, 5560))),
        (
            "--data-parallel-size=8, --data-parallel-size-local=2, --data-parallel-start-rank=4, ",
            Some((5557, 5561, 5562)),
        ),
        // Further than any port goes.
        ("--data-parallel-rank=65000, ", None),
    ] {
        assert_eq!(events("v0.11.1", &format!("[{flags}{on}]")), wanted, "{flags}");
    }
    // 0.9.0 gives every rank the same port.
    assert_eq!(events("v0.9.0", &format!("[--data-parallel-size=4, {on}]")), Some((5557, 5557, 5557)));
}

#[test]
fn a_port_that_is_left_to_chance_is_not_known() {
    for endpoint in ["tcp://*:0", "ipc:///tmp/kv", "tcp://*", "tcp://*:{{ .Values.port }}"] {
        let args = format!(r#"[--kv-events-config, '{{"enable_kv_cache_events": true, "endpoint": "{endpoint}"}}']"#);
        assert_eq!(events("v0.11.1", &args), None, "{endpoint}");
    }
}

#[test]
fn a_port_is_held_by_its_number_and_a_default_by_what_could_set_it() {
    let json = r#"[--kv-events-config, '{"enable_kv_cache_events": true, "replay_endpoint": "tcp://*:5558"}', --port, "8001"]"#;
    with_engine("v0.11.1", json, |engine, text| {
        let (events, replay) = (engine.event_port(), engine.replay_port());
        let events = events.known().unwrap();
        assert_eq!((text(events.span).as_str(), events.is_default), ("--kv-events-config", true));
        let replay = replay.known().unwrap();
        assert_eq!((text(replay.span).as_str(), replay.is_default), ("5558", false));
        let http = engine.http_listener().unwrap();
        assert_eq!((http.first, text(http.span).as_str()), (8001, "\"8001\""));
        assert_eq!((events.meets(replay), replay.title()), (None, "the replay port 5558".to_string()));
    });
}

#[test]
fn connectors_are_found_inside_others() {
    let args = r#"[--kv-transfer-config, '{"kv_connector": "MultiConnector", "kv_connector_extra_config": {"connectors": [{"kv_connector": "NixlConnector"}]}}']"#;
    with_engine("v0.10.2", args, |engine, text| {
        let names: Vec<_> = engine.kv_connectors().into_iter().map(|c| (text(c.span), c.name)).collect();
        assert_eq!(names[0].1, "MultiConnector");
        assert_eq!(names[1], ("\"NixlConnector\"".to_string(), "NixlConnector".to_string()));
        assert_eq!(engine.nixl_port().map(|p| (p.first, p.is_default)), Some((5557, true)));
    });
    with_engine("v0.10.2", "[--kv-transfer-config.kv_connector, NixlConnector]", |engine, _| {
        assert!(engine.nixl_port().is_some());
    });
    with_engine("v0.10.2", r#"[--kv-transfer-config, '{"kv_connector": "SharedStorageConnector"}']"#, |engine, _| {
        assert!(engine.nixl_port().is_none());
    });
    // The default depends on the release.
    with_engine("latest", r#"[--kv-transfer-config, '{"kv_connector": "NixlConnector"}']"#, |engine, _| {
        assert!(engine.nixl_port().is_none());
    });
}
