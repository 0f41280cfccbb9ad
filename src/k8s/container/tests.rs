//! A container's words, variables and ports, each with its bytes.

use super::*;
use crate::load::{self, Loaded};

/// The first container of a pod; `body` is the container's mapping below its name.
fn load(body: &str) -> Loaded {
    let indented: String = body.lines().map(|line| format!("      {line}\n")).collect();
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n    - name: engine\n{indented}"
    );
    load::from_texts(&[("x.yaml".into(), text)])
}

fn container(loaded: &Loaded) -> Container<'_> {
    let node = loaded.units[0].resources[0].node().at("spec.containers").unwrap().items()[0];
    Container { node, init: false }
}

/// A variable's value: the text and its bytes, or why there is none.
fn value(loaded: &Loaded, name: &str) -> String {
    match container(loaded).setting(name) {
        Resolved::Known(text, span) => format!("{} at {}", text.value, loaded.sources.slice(span)),
        Resolved::Absent(span) => format!("absent at {}", loaded.sources.slice(span)),
        Resolved::Unknown(span) => format!("unknown at {}", loaded.sources.slice(span)),
    }
}

#[test]
fn a_variable_is_known_absent_or_unknown() {
    let loaded = load(
        "env:\n  - {name: A, value: \"5557\"}\n  - name: B\n    valueFrom: {fieldRef: {fieldPath: status.podIP}}\n  - name: C\n  - \
         {name: D, value: \"{{ .Values.d }}\"}\n  - {name: E, value: \"\"}\n",
    );
    assert_eq!(value(&loaded, "A"), "5557 at \"5557\"");
    assert_eq!(value(&loaded, "B"), "unknown at valueFrom");
    // A name alone is the empty string.
    assert_eq!(value(&loaded, "C"), " at C");
    assert_eq!(value(&loaded, "D"), "unknown at \"{{ .Values.d }}\"");
    assert_eq!(value(&loaded, "E"), " at \"\"");
    assert_eq!(value(&loaded, "F"), "absent at env");
    assert_eq!(value(&load("image: x"), "F"), "absent at engine");
}

#[test]
fn of_two_variables_of_a_name_the_last_counts() {
    let loaded = load("env: [{name: A, value: x}, {name: A, value: y}]");
    assert_eq!(value(&loaded, "A"), "y at y");
    assert_eq!(container(&loaded).env_vars().len(), 2);
}

#[test]
fn any_name_may_come_from_a_config_map() {
    let loaded = load("envFrom: [{configMapRef: {name: c}}]\nenv: [{name: A, value: x}]");
    assert_eq!(value(&loaded, "A"), "x at x");
    assert_eq!(value(&loaded, "B"), "unknown at envFrom");
    assert_eq!(value(&load("envFrom: []"), "B"), "absent at engine");
}

#[test]
fn a_value_sees_only_the_variables_before_it() {
    let loaded = load(
        "env:\n  - {name: EARLY, value: $(PORT)}\n  - {name: PORT, value: \"5557\"}\n  - {name: LATE, value: \"tcp://*:$(PORT)\"}\n  - \
         {name: ESCAPED, value: $$(PORT)}\n  - {name: CHAIN, value: \"<$(LATE)\"}\n",
    );
    // Nothing defines it yet, so it stays as it is written.
    assert_eq!(value(&loaded, "EARLY"), "$(PORT) at $(PORT)");
    assert_eq!(value(&loaded, "LATE"), "tcp://*:5557 at \"tcp://*:$(PORT)\"");
    assert_eq!(value(&loaded, "ESCAPED"), "$(PORT) at $$(PORT)");
    assert_eq!(value(&loaded, "CHAIN"), "<tcp://*:5557 at \"<$(LATE)\"");
}

#[test]
fn an_undefined_reference_stays_as_it_is_written() {
    let loaded = load("env: [{name: A, value: x-$(NOWHERE)}]");
    assert_eq!(value(&loaded, "A"), "x-$(NOWHERE) at x-$(NOWHERE)");
    // Kubernetes sets variables like these for Services.
    for name in ["REDIS_SERVICE_HOST", "REDIS_PORT", "REDIS_PORT_6379_TCP_ADDR", "REDIS_SERVICE_PORT_WEB"] {
        let loaded = load(&format!("env: [{{name: A, value: $({name})}}]"));
        assert_eq!(value(&loaded, "A"), format!("unknown at $({name})"));
    }
}

#[test]
fn command_and_args_are_one_list_with_spans_through_the_expansion() {
    let loaded =
        load("command: [vllm, serve]\nargs:\n  - --port=$(P)\n  - 'tcp://*:$(P)/x'\nenv: [{name: P, value: \"5557\"}]");
    let argv = container(&loaded).argv();
    let words: Vec<&str> = argv.words.iter().map(|w| w.value.as_str()).collect();
    assert_eq!(words, ["vllm", "serve", "--port=5557", "tcp://*:5557/x"]);
    assert_eq!((argv.command_words, loaded.sources.slice(argv.grip)), (2, "args"));
    let endpoint = &argv.words[3];
    assert_eq!(loaded.sources.slice(endpoint.span()), "'tcp://*:$(P)/x'");
    // A replaced part leads to the reference, what stands around it to itself.
    assert_eq!(loaded.sources.slice(endpoint.sub_span(8..12)), "$(P)");
    assert_eq!(loaded.sources.slice(endpoint.sub_span(0..6)), "tcp://");
    assert_eq!(loaded.sources.slice(endpoint.sub_span(12..14)), "/x");
    assert!(!endpoint.opaque);
    assert_eq!(container(&loaded).argv_node(2).and_then(Node::text), Some("--port=$(P)"));
}

#[test]
fn a_word_from_elsewhere_is_opaque() {
    let loaded =
        load("args: [$(EXTRA), --port]\nenv: [{name: EXTRA, valueFrom: {configMapKeyRef: {name: c, key: k}}}]");
    let argv = container(&loaded).argv();
    assert_eq!(argv.command_words, 0);
    assert_eq!(argv.words.iter().map(|w| w.opaque).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_container_without_words_is_held_by_its_name() {
    for (body, grip) in
        [("image: x", "engine"), ("command: []", "command"), ("args: x", "engine"), ("command: [a]", "command")]
    {
        let loaded = load(body);
        assert_eq!(loaded.sources.slice(container(&loaded).argv().grip), grip, "{body}");
    }
    let loaded = load("args: [--port, 8000, [nested], ~]");
    let argv = container(&loaded).argv();
    assert_eq!(argv.words.iter().map(|w| w.value.as_str()).collect::<Vec<_>>(), ["--port", "8000", "~"]);
}

#[test]
fn ports_are_numbers_with_a_protocol() {
    let loaded = load(
        "ports:\n  - {name: http, containerPort: 8000}\n  - {containerPort: 5557, protocol: UDP}\n  - {containerPort: \"5558\"}\n  - \
         {name: none}\n  - {containerPort: 70000}\n  - nonsense\n",
    );
    let ports = container(&loaded).ports();
    let text = |p: &ContainerPort<'_>| loaded.sources.slice(p.span()).to_string();
    assert_eq!(ports.len(), 5);
    assert_eq!((ports[0].number.known(), text(&ports[0]).as_str(), ports[0].is_tcp()), (Some(&8000), "8000", true));
    assert_eq!(ports[0].name.and_then(Node::text), Some("http"));
    assert!(!ports[1].is_tcp() && ports[2].number.is_unknown() && ports[3].number.is_absent());
    assert!(ports[4].number.is_unknown());
    assert!(container(&load("ports: \"{{ .Values.ports }}\"")).ports().is_empty());
}

#[test]
fn an_init_container_that_is_restarted_runs_beside_the_others() {
    let restarted = load("restartPolicy: Always");
    let plain = load("image: x");
    let init = |loaded| Container { init: true, ..container(loaded) }.runs_beside();
    assert!(init(&restarted) && !init(&plain));
    assert!(container(&plain).runs_beside());
}

#[test]
fn references_of_an_environment_share_what_they_may_add() {
    let value = "v".repeat(600_000);
    let loaded = load(&format!(
        "command: [x, $(A), $(A), $(B)]\nenv:\n  - {{name: A, value: {value}}}\n  - {{name: B, value: $(A)}}\n  - {{name: C, value: $(A)}}\n  - \
         {{name: D, value: $(E)}}\n"
    ));
    let container = container(&loaded);
    let known: Vec<bool> = container.env_vars().iter().map(|var| var.value.known().is_some()).collect();
    // What is beyond the bound is unknown, and so is all that comes after it.
    assert_eq!(known, [true, true, false, false]);
    let opaque: Vec<bool> = container.argv().words.iter().map(|word| word.opaque).collect();
    assert_eq!(opaque, [false, false, true, true]);
}
