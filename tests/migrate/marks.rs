//! What stood there before, and is there again afterwards: empty lists, and ports without names.

use super::*;

fn model(container: &str, template: &str, object: &str, ports: &str) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: m
{object}spec:
  selector: {{matchLabels: {{app: m}}}}
  template:
{template}    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.11.1
{container}          tty: false
---
apiVersion: v1
kind: Service
metadata:
  name: m
spec:
  selector: {{app: m}}
  ports:
{ports}"
    )
}

const LABELS: &str = "    metadata:\n      labels: {app: m}\n";
const NAMED: &str = "    - {name: http, port: 8000}\n";

fn round(text: &str) -> (String, String) {
    let top = folder(&[("m.yaml", text)]);
    run(top.path(), &["enable", "--all", "."]);
    let enabled = read(&top, "m.yaml");
    silent(top.path(), ".");
    run(top.path(), &["enable", "--all", "."]);
    assert_eq!(read(&top, "m.yaml"), enabled, "a second time changes nothing");
    run(top.path(), &["disable", "--all", "."]);
    let disabled = read(&top, "m.yaml");
    run(top.path(), &["disable", "--all", "."]);
    assert_eq!(read(&top, "m.yaml"), disabled, "a second time changes nothing");
    (enabled, disabled)
}

#[test]
fn what_somebody_wrote_and_left_empty_is_there_again() {
    let command = "          command: [vllm, serve, m]\n";
    for (text, marked) in [
        (model("          args: []\n", LABELS, "", NAMED), Some("vllm/args")),
        (model(&format!("{command}          ports: []\n"), LABELS, "", NAMED), Some("vllm/ports")),
        (model(&format!("{command}          ports: [] # none\n"), LABELS, "", NAMED), Some("vllm/ports")),
        (model("          args: []\n          ports: []\n", LABELS, "", NAMED), Some("vllm/args vllm/ports")),
        (model(command, LABELS, "  annotations: {}\n", NAMED), Some("annotations")),
        (model(command, LABELS, "", NAMED), None),
        (model(&format!("{command}          args: []\n"), LABELS, "", NAMED), Some("vllm/args")),
    ] {
        let (enabled, disabled) = round(&text);
        // `command` has words, so that empty arguments may stay as they are.
        let written = marked.is_some_and(|names| enabled.contains(&format!("kvlint.dev/was-empty: {names}\n")));
        assert!(written || !enabled.contains("was-empty"), "{enabled}");
        assert_eq!(disabled, text, "{enabled}");
    }
}

#[test]
fn empty_labels_stay() {
    let text = model("          command: [vllm, serve, m]\n", LABELS, "", NAMED);
    for (metadata, marked) in
        [("    metadata:\n      labels: {}\n", "metadata/labels"), ("    metadata: {}\n", "metadata")]
    {
        let text = text.replace(LABELS, metadata);
        let top = folder(&[("m.yaml", &text)]);
        run(top.path(), &["enable", "--all", "."]);
        assert!(read(&top, "m.yaml").contains(&format!("kvlint.dev/was-empty: {marked}\n")));
        run(top.path(), &["disable", "--all", "."]);
        assert_eq!(read(&top, "m.yaml"), text);
    }
}

#[test]
fn a_key_without_a_value_has_none_afterwards() {
    let command = "          command: [vllm, serve, m]\n";
    let plain = model(command, LABELS, "", NAMED);
    for text in [
        model("          args:\n", LABELS, "", NAMED),
        model(&format!("{command}          ports:\n"), LABELS, "", NAMED),
        model(&format!("{command}          ports: # none\n"), LABELS, "", NAMED),
        model(&format!("{command}          ports:\n          # none yet\n"), LABELS, "", NAMED),
        model(command, LABELS, "  annotations:\n", NAMED),
    ] {
        assert_eq!(round(&text).1, text);
        assert_eq!(round(&text.replace('\n', "\r\n")).1, text.replace('\n', "\r\n"));
    }
    // A null in so many words.
    let text = plain.replace("          tty", "          ports: ~\n          tty");
    assert_eq!(round(&text).1, text.replace('~', "[]"));
}

#[test]
fn annotations_of_objects_in_a_cluster_are_left_alone() {
    let text = model("          command: [vllm, serve, m]\n          ports: []\n", LABELS, "", "    - port: 8000\n");
    let top = folder(&[("m.yaml", &text)]);
    run(top.path(), &["enable", "--all", "."]);
    assert_eq!(read(&top, "m.yaml").matches("kvlint.dev/").count(), 3);
    let script = run(top.path(), &["disable", "--all", ".", "--as", "kubectl"]);
    assert!(script.contains("/spec/ports/0/name") && !script.contains("annotations"), "{script}");
}

#[test]
fn a_port_that_needed_no_name_has_none_afterwards() {
    let command = "          command: [vllm, serve, m]\n";
    for ports in [
        "    - port: 8000\n",
        "    - {port: 80, targetPort: 8000} # the API\n",
        "    - port: 80\n      targetPort: http\n",
    ] {
        let container = format!("{command}          ports: [{{name: http, containerPort: 8000}}]\n");
        let text = model(&container, LABELS, "", ports);
        let (enabled, disabled) = round(&text);
        assert!(enabled.contains("annotations:\n    kvlint.dev/added: http\n"), "{enabled}");
        assert_eq!(disabled, text, "{enabled}");
    }
}

#[test]
fn a_name_that_is_used_by_then_stays() {
    let text = model("          command: [vllm, serve, m]\n", LABELS, "", "    - port: 8000\n");
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: m}\nspec:\n  defaultBackend: {service: {name: m, port: {name: http}}}\n";
    let monitor = "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: m}\nspec:\n  selector: {matchLabels: {app: m}}\n  endpoints: [{port: http}]\n";
    let client = "apiVersion: v1\nkind: Pod\nmetadata: {name: c}\nspec: {containers: [{name: c, image: busybox, command: [sh, -c, 'nc $M_SERVICE_HOST $M_SERVICE_PORT_HTTP']}]}\n";
    for (other, title) in [(ingress, "Ingress/m"), (monitor, "ServiceMonitor/m"), (client, "Pod/c")] {
        let top = folder(&[("m.yaml", &text)]);
        run(top.path(), &["enable", "--all", "."]);
        write(&top, "other.yaml", other);
        let output = kvlint(top.path(), &["disable", "--all", "."]);
        let told = output.err;
        assert!(output.code == Some(0) && told.contains("keeps the name `http`") && told.contains(title), "{told}");
        assert_eq!(read(&top, "m.yaml"), text.replace("    - port: 8000", "    - name: http\n      port: 8000"));
    }
    // Other ports came meanwhile.
    let top = folder(&[("m.yaml", &text)]);
    run(top.path(), &["enable", "--all", "."]);
    let more = read(&top, "m.yaml")
        .replace("  ports:\n    - name: http", "  ports:\n    - name: grpc\n      port: 9000\n    - name: http");
    write(&top, "m.yaml", more);
    run(top.path(), &["disable", "--all", "."]);
    assert!(read(&top, "m.yaml").ends_with("    - name: grpc\n      port: 9000\n    - name: http\n      port: 8000\n"));
    // Somebody else's name.
    let own = text.replace("    - port: 8000", "    - name: http\n      port: 8000");
    assert_eq!(round(&own).1, own);
}

#[test]
fn annotations_that_a_build_drops_are_filled() {
    for annotations in ["annotations: {}", "annotations:"] {
        let object = format!("  {annotations}\n");
        let text = model("          command: [vllm, serve, m]\n", LABELS, &object, "    - port: 8000\n");
        let top = folder(&[("m.yaml", &text), ("kustomization.yaml", "resources: [m.yaml]\n")]);
        run(top.path(), &["enable", "--all", "."]);
        assert!(read(&top, "m.yaml").contains("--kv-events-config"), "{annotations}");
        run(top.path(), &["disable", "--all", "."]);
        assert!(!read(&top, "m.yaml").contains("events"), "{annotations}");
    }
}

#[test]
fn what_is_decided_elsewhere_is_not_said_to_be_off() {
    let start = |command: &str| {
        let env = "          envFrom: [{configMapRef: {name: c}}]\n";
        model(&format!("          command: {command}\n{env}"), LABELS, "", "    - port: 8000\n")
    };
    let top = folder(&[("m.yaml", &start("[vllm, serve, m, $(EXTRA_ARGS)]"))]);
    let refused = kvlint(top.path(), &["disable", "--all", "."]);
    assert_eq!(refused.code, Some(2), "{}", refused.said());
    assert!(refused.err.contains("a part of the command is decided elsewhere"), "{}", refused.err);
    let flag = "--kv-events-config, '{\"enable_kv_cache_events\": true, \"publisher\": \"zmq\"}'";
    let top = folder(&[("m.yaml", &start(&format!("[vllm, serve, m, {flag}, $(EXTRA_ARGS)]")))]);
    let disabled = kvlint(top.path(), &["disable", "--all", "."]);
    assert_eq!(disabled.code, Some(0), "{}", disabled.said());
    assert!(disabled.err.contains("is decided elsewhere: events may be switched on there"), "{}", disabled.said());
    assert!(!read(&top, "m.yaml").contains("kv-events-config"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_was_empty_comes_back(
        args in prop::sample::select(vec!["", "args:\n", "args: []\n", "args: [] # none\n", "args: # none\n"]),
        ports in prop::sample::select(vec!["", "ports:\n", "ports: []\n", "ports: [{containerPort: 8000}]\n"]),
        object in prop::sample::select(vec!["", "  annotations:\n", "  annotations: {}\n", "  annotations: {a: b}\n"]),
        port in prop::sample::select(vec!["- port: 80\n", "- {port: 80}\n", "- name: web\n      port: 80\n"]),
        command in prop::sample::select(vec![
            "",
            "command: [vllm, serve, m]\n",
            "command: [sh, -c, \"vllm serve m || vllm serve n\"]\n",
            "command:\n            - sh\n            - -c\n            - |\n              if x; then vllm serve m; else\n                vllm serve n \\\n                  --port 80; fi\n",
            "command:\n            - sh\n            - -c\n            - vllm serve m\n              --port 80\n",
        ]),
        crlf in any::<bool>(),
    ) {
        let lines = [command, args, ports].map(|line| if line.is_empty() { String::new() } else { format!("          {line}") });
        let text = model(&lines.concat(), LABELS, object, &format!("    {port}"));
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        let (enabled, disabled) = round(&text);
        prop_assert_eq!(disabled, text, "{}", enabled);
    }
}
