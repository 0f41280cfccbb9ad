//! The publisher in every dialect, with the bytes that each value is read from.

use std::path::PathBuf;

use kvlint::config::Config;
use kvlint::events::{Dialect, Engine, Model, Publisher, Publishing, Resolved};
use kvlint::facts::vllm::events::Setting;
use kvlint::load::{self, Loaded};

/// A pod whose only container is written by the test: the lines below `- name: engine`.
fn pod(container: &str) -> String {
    let body: String = container.lines().map(|l| format!("      {l}\n")).collect();
    format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n    - name: engine\n{body}")
}

fn with<R>(manifest: &str, read: impl FnOnce(&Loaded, &Publisher<'_>) -> R) -> R {
    let loaded = load::from_texts(&[(PathBuf::from("p.yaml"), manifest.to_string())]);
    let config = Config::default();
    let model = Model::new(&loaded.units[0], &config);
    let publisher = model.publishers.first().expect("an engine is recognised");
    read(&loaded, publisher)
}

/// The value of a setting, and the file's text under it.
fn setting(container: &str, setting: Setting) -> (String, String) {
    with(&pod(container), |loaded, publisher| match publisher.setting(setting) {
        Resolved::Known(value, span) => (value.text.value, loaded.sources.slice(span).to_string()),
        other => (format!("{other:?}").split('(').next().unwrap_or("").to_string(), String::new()),
    })
}

const JSON: &str = r#"{"enable_kv_cache_events": true, "endpoint": "tcp://*:6000"}"#;

#[test]
fn json_is_read_however_it_is_given() {
    let image = "image: vllm/vllm-openai:v0.11.1\n";
    let forms = [
        format!("args: [--model, m, --kv-events-config, '{JSON}']"),
        format!("args: [\"m\", '--kv-events-config={JSON}']"),
        format!("args: [--kv_events_config, '{JSON}']"),
        format!("args: [--kv-events, '{JSON}']"),
        format!("args: [--kv-events-config, '{{}}', --kv-events-config, '{JSON}']"),
        format!("command: [vllm, serve, m]\nargs:\n  - --kv-events-config\n  - '{JSON}'"),
        format!("command: [python3, -u, -m, vllm.entrypoints.openai.api_server]\nargs: [--kv-events-config, '{JSON}']"),
        format!("command: [sh, -c]\nargs:\n  - |\n    exec vllm serve m \\\n      --kv-events-config '{JSON}'"),
        format!("command: [bash, -lc, \"vllm serve m --kv-events-config '{}'\"]", JSON.replace('"', "\\\"")),
        format!("command: [vllm, serve, m, --kv-events-config, $(KV)]\nenv:\n  - name: KV\n    value: '{JSON}'"),
        "args: [--kv-events-config.enable_kv_cache_events, \"true\", --kv-events-config.endpoint, tcp://*:6000]".into(),
    ];
    for form in forms {
        let (value, bytes) = setting(&format!("{image}{form}"), Setting::Endpoint);
        assert_eq!(value, "tcp://*:6000", "{form}");
        assert!(bytes.contains("tcp://*:6000") || bytes == "$(KV)", "{bytes:?} in {form}");
        let on = with(&pod(&format!("{image}{form}")), |_, p| p.publishing());
        assert_eq!(on, Publishing::On, "{form}");
    }
}

#[test]
fn the_documents_flags_and_variables_are_understood() {
    let flags = "image: vllm/vllm-openai:v0.7.1\ncommand: [python3, -m, vllm.entrypoints.openai.api_server]\nargs:\n  \
                 - --enable-kv-cache-events\n  - --kv-events-publisher\n  - zmq\n  - --kv-events-endpoint=tcp://*:5557\n";
    assert_eq!(setting(flags, Setting::Endpoint), ("tcp://*:5557".into(), "tcp://*:5557".into()));
    assert_eq!(setting(flags, Setting::Publisher).0, "zmq");
    let env = "image: vllm/vllm-openai:v0.7.1\ncommand: [vllm, serve, m]\nenv:\n  - name: VLLM_ENABLE_KV_CACHE_EVENTS\n    \
               value: \"true\"\n  - name: VLLM_KV_EVENTS_ENDPOINT\n    value: tcp://*:5557\n";
    assert_eq!(setting(env, Setting::Endpoint).0, "tcp://*:5557");
    for form in [flags, env] {
        with(&pod(form), |_, p| assert_eq!(p.publishing(), Publishing::On));
    }
}

#[test]
fn a_mounted_configuration_file_is_read() {
    let manifest = pod("image: vllm/vllm-openai:v0.16.0\nargs: [--config, /etc/engine/vllm.yaml]\n\
         volumeMounts:\n  - {name: conf, mountPath: /etc/engine}")
        + "  volumes:\n    - name: conf\n      configMap: {name: engine}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  \
         name: engine\ndata:\n  vllm.yaml: |\n    port: 9000\n    kv-events-config:\n      enable_kv_cache_events: true\n      \
         endpoint: tcp://*:7000\n";
    with(&manifest, |loaded, publisher| {
        assert_eq!(publisher.publishing(), Publishing::On);
        assert_eq!(publisher.http_port().known(), Some(&9000));
        let endpoint = publisher.endpoint();
        let endpoint = endpoint.known().unwrap();
        assert_eq!(endpoint.port(), Some(7000));
        assert_eq!(loaded.sources.slice(endpoint.port_span()), "7000");
        assert_eq!(publisher.effective_config().unwrap().dialect, Dialect::ConfigFile);
    });
}

#[test]
fn what_is_decided_elsewhere_is_unknown() {
    for form in [
        "image: vllm/vllm-openai:v0.11.1\nargs: [$(ARGS)]\nenv:\n  - name: ARGS\n    valueFrom: {configMapKeyRef: {name: c, key: k}}",
        "image: vllm/vllm-openai:v0.11.1\ncommand: [sh, -c, 'vllm serve m $EXTRA']",
        "image: vllm/vllm-openai:v0.11.1\nargs: [--kv-events-config, '{{ .Values.kv }}']",
        "image: vllm/vllm-openai:v0.11.1\nargs: [--config, /mnt/elsewhere.yaml]",
    ] {
        with(&pod(form), |_, p| assert_eq!(p.publishing(), Publishing::Unknown, "{form}"));
    }
}

#[test]
fn a_part_of_json_in_a_script_is_found_at_its_bytes() {
    let form = "image: vllm/vllm-openai:v0.11.1\ncommand: [sh, -c]\nargs:\n  - |\n    vllm serve m --kv-events-config \
                '{\"enable_kv_cache_events\":true,\"endpoint\":\"tcp://0.0.0.0:5557\"}'\n";
    with(&pod(form), |loaded, publisher| {
        let endpoint = publisher.endpoint();
        let endpoint = endpoint.known().unwrap();
        assert_eq!(loaded.sources.slice(endpoint.port_span()), "5557");
        let host = endpoint.parsed.as_ref().unwrap().host_range.clone();
        assert_eq!(loaded.sources.slice(endpoint.text.as_ref().unwrap().sub_span(host)), "0.0.0.0");
        let entry = publisher.json[0].get("endpoint").unwrap();
        assert_eq!(loaded.sources.slice(entry.key_span), "\"endpoint\"");
    });
}

#[test]
fn broken_json_points_at_what_is_to_be_edited() {
    let broken = [
        ("{'a': 1}", "'"),
        ("{\"a\": True}", "True"),
        ("{\"a\": 1", "1"),
        ("{\"a\": 10_000}", "10_000"),
        ("{\"a\": 1,}", ","),
        ("{a: 1}", "a"),
        ("{\"a\": \"b\\qrs\"}", "q"),
    ];
    for (json, bytes) in broken {
        let form = format!("image: vllm/vllm-openai:v0.11.1\nargs:\n  - --kv-events-config\n  - |-\n    {json}\n");
        with(&pod(&form), |loaded, publisher| {
            let error = publisher.json[0].error.as_ref().expect(json);
            assert_eq!(loaded.sources.slice(error.span), bytes, "{json}: {}", error.message);
        });
    }
    let human = "image: vllm/vllm-openai:v0.20.0\nargs: [--kv-events-config, '{\"buffer_steps\": 10k}']";
    with(&pod(human), |_, p| assert!(p.json[0].error.as_ref().unwrap().human_numbers));
}

#[test]
fn what_a_controller_may_add_to_a_command_is_unknown() {
    let manifest = "apiVersion: serving.kserve.io/v1alpha1\nkind: LLMInferenceService\nmetadata: {name: s}\nspec:\n  template:\n    \
                    containers:\n      - name: main\n        image: vllm/vllm-openai:v0.12.0\n";
    with(manifest, |_, p| assert_eq!(p.publishing(), Publishing::Unknown));
}

#[test]
fn engines_are_told_apart_by_the_command() {
    for (form, engine) in [
        ("image: my/own:1\ncommand: [vllm, serve, m]", Engine::Vllm),
        ("image: my/own:1\ncommand: [/opt/venv/bin/python3.12, -m, vllm.entrypoints.openai.api_server]", Engine::Vllm),
        ("image: vllm/vllm-openai:latest\nargs: [--model, m]", Engine::Vllm),
        ("image: registry.local:5000/vllm/vllm-openai:v0.9.2", Engine::Vllm),
        ("image: vllm/vllm-openai:v0.9.2\ncommand: [python3, -m, sglang.launch_server]", Engine::Sglang),
    ] {
        with(&pod(form), |_, p| assert_eq!(p.engine(), engine, "{form}"));
    }
}

#[test]
fn the_release_comes_from_the_tag_with_its_bytes() {
    for (image, release, certain) in [
        ("vllm/vllm-openai:v0.10.1", Some("0.10.1"), true),
        ("vllm/vllm-openai:0.8.5.post1", Some("0.8.5.post1"), true),
        (
            "localhost:5000/vllm/vllm-openai:v0.10.0-cu128@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            Some("0.10.0"),
            true,
        ),
        // Another path is somebody's own build, whatever its tag.
        ("registry.example.com/team/vllm-openai:v0.10.0", Some("0.10.0"), false),
        ("vllm/vllm-openai:latest", None, false),
        ("vllm/vllm-openai", None, false),
    ] {
        with(&pod(&format!("image: {image}\nargs: [m]")), |_, p| {
            assert_eq!(p.image.release.as_ref().map(ToString::to_string).as_deref(), release, "{image}");
            assert_eq!(p.image.certainty == kvlint::events::Certainty::Certain, certain, "{image}");
        });
    }
}
