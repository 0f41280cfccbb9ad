//! `kvlint enable` and `kvlint disable` through the program: what they make of manifests, and that it can be taken back.

mod forms;
mod marks;
mod scripts;

use std::path::Path;

use proptest::prelude::*;
use support::{folder, kvlint, read, write};

/// What a run that succeeds prints.
fn run(top: &Path, words: &[&str]) -> String {
    let ran = kvlint(top, words);
    assert_eq!(ran.code, Some(0), "kvlint {words:?}: {}", ran.said());
    ran.out
}

/// Nothing is found, not even information.
fn silent(top: &Path, path: &str) {
    let ran = kvlint(top, &["--format", "concise", path]);
    assert!(ran.code == Some(0) && ran.out.is_empty(), "{}", ran.said());
}

const BARE: &str = "\
# our model
apiVersion: apps/v1
kind: Deployment
metadata:
  name: llama
  namespace: default
spec:
  selector:
    matchLabels: {app: llama}
  template:
    metadata:
      labels:
        app: llama # the Service selects it
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.11.1
          command: [\"vllm\", \"serve\", \"meta-llama/Llama-3.1-8B-Instruct\"]
---
apiVersion: v1
kind: Service
metadata: {name: llama, namespace: default}
spec:
  selector: {app: llama}
  ports:
    - {name: http, port: 8000, targetPort: 8000}
";

const SCRIPT: &str = "\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: qwen, namespace: models}
spec:
  serviceName: qwen
  selector: {matchLabels: {app: qwen}}
  template:
    metadata: {labels: {app: qwen}}
    spec:
      containers:
      - name: engine
        image: \"vllm/vllm-openai:v0.16.0\"
        command: [/bin/sh, -c]
        args:
        - |
          # warm up first
          exec vllm serve Qwen/Qwen3-8B \\
            --served-model-name qwen3 \\
            --port 8000
        ports:
        - containerPort: 8000 # http
";

#[test]
fn a_bare_deployment_is_changed_as_a_careful_person_would() {
    let top = folder(&[("model.yaml", BARE)]);
    let diff = run(top.path(), &["enable", "default/llama", ".", "--dry-run"]);
    assert_eq!(read(&top, "model.yaml"), BARE, "a dry run writes nothing");
    insta::assert_snapshot!(diff, @r#"
    --- a/model.yaml
    +++ b/model.yaml
    @@ -4,6 +4,8 @@
     metadata:
       name: llama
       namespace: default
    +  annotations:
    +    kvlint.dev/added: model.aibrix.ai/name
     spec:
       selector:
         matchLabels: {app: llama}
    @@ -11,11 +13,20 @@
         metadata:
           labels:
             app: llama # the Service selects it
    +        model.aibrix.ai/kv-events-enabled: "true"
    +        model.aibrix.ai/name: llama
         spec:
           containers:
             - name: vllm
               image: vllm/vllm-openai:v0.11.1
    -          command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct"]
    +          command: ["vllm", "serve", "meta-llama/Llama-3.1-8B-Instruct", "--kv-events-config", '{"enable_kv_cache_events": true, "publisher": "zmq", "endpoint": "tcp://*:5557", "replay_endpoint": "tcp://*:5558"}']
    +          ports:
    +            - name: kv-events
    +              containerPort: 5557
    +              protocol: TCP
    +            - name: kv-replay
    +              containerPort: 5558
    +              protocol: TCP
     ---
     apiVersion: v1
     kind: Service
    @@ -24,3 +35,5 @@
       selector: {app: llama}
       ports:
         - {name: http, port: 8000, targetPort: 8000}
    +    - {name: kv-events, port: 5557, targetPort: 5557}
    +    - {name: kv-replay, port: 5558, targetPort: 5558}
    "#);
    run(top.path(), &["enable", "deployment/default/llama", "."]);
    silent(top.path(), ".");
    let once = read(&top, "model.yaml");
    run(top.path(), &["enable", "--all", "."]);
    assert_eq!(read(&top, "model.yaml"), once, "a second time changes nothing");
    run(top.path(), &["disable", "default/llama", "."]);
    assert_eq!(read(&top, "model.yaml"), BARE);
}

#[test]
fn a_script_gets_the_flag_where_its_options_are() {
    let top = folder(&[("model.yaml", SCRIPT)]);
    run(top.path(), &["enable", "models/qwen"]);
    silent(top.path(), ".");
    let text = read(&top, "model.yaml");
    let flag = "            --port 8000 \\\n            --kv-events-config '{\"enable_kv_cache_events\": true,";
    assert!(text.contains(flag), "{text}");
    assert!(text.contains("model.aibrix.ai/name: qwen3"), "the name that it is served under: {text}");
    run(top.path(), &["disable", "models/qwen"]);
    assert_eq!(read(&top, "model.yaml"), SCRIPT);
}

#[test]
fn the_flags_and_variables_of_the_documents_become_the_json() {
    let text = BARE.replace("          command:", "          env:\n            - name: VLLM_KV_EVENTS_BUFFER_STEPS\n              value: \"500\"\n            - name: HF_HOME\n              value: /models\n          args:\n            - --enable-kv-cache-events\n            - --kv-events-endpoint\n            - tcp://*:5557\n            - --max-model-len=4096 # enough\n          command:");
    let top = folder(&[("model.yaml", &text)]);
    run(top.path(), &["enable", "default/llama"]);
    silent(top.path(), ".");
    let text = read(&top, "model.yaml");
    assert!(text.contains("\"buffer_steps\": 500}"), "{text}");
    assert!(text.contains("- --max-model-len=4096 # enough\n"), "{text}");
    assert!(!text.contains("--enable-kv-cache-events") && !text.contains("VLLM_KV_EVENTS"), "{text}");
    assert!(text.contains("- name: HF_HOME"), "{text}");
}

#[test]
fn what_is_configured_is_corrected_and_no_more() {
    let config = r#"'{"enable_kv_cache_events":false,"endpoint":"tcp://0.0.0.0:5557","hwm":5}'"#;
    let text = BARE.replace("Instruct\"]", &format!("Instruct\", --kv-events-config, {config}]"));
    let top = folder(&[("model.yaml", &text)]);
    run(top.path(), &["enable", "default/llama"]);
    silent(top.path(), ".");
    let text = read(&top, "model.yaml");
    assert!(text.contains(r#"'{"enable_kv_cache_events":true,"endpoint":"tcp://*:5557","hwm":5,"#), "{text}");
}

#[test]
fn a_release_without_events_is_refused_unless_it_may_be_raised() {
    let text = BARE.replace("v0.11.1", "v0.7.1");
    let top = folder(&[("model.yaml", &text)]);
    let refused = kvlint(top.path(), &["enable", "default/llama"]);
    let told = refused.err;
    assert_eq!(refused.code, Some(2), "{told}");
    assert!(
        told.contains("model.yaml:17:") && told.contains("vLLM 0.7.1 has no KV-cache events, 0.9.0 and later have"),
        "{told}"
    );
    assert_eq!(read(&top, "model.yaml"), text);
    run(top.path(), &["enable", "default/llama", "--vllm", "0.11.1"]);
    silent(top.path(), ".");
    assert!(read(&top, "model.yaml").contains("vllm-openai:v0.11.1\n"));
}

#[test]
fn what_is_not_certain_is_refused_with_the_place() {
    for (text, why) in [
        (
            BARE.replace("Instruct\"]", "Instruct\", $(EXTRA_ARGS)]\n          envFrom: [{configMapRef: {name: c}}]"),
            "a part of the command is decided elsewhere",
        ),
        (
            BARE.replace("command: [\"vllm\", \"serve\"", "command: [\"/start.sh\""),
            "no container of it is seen to start vLLM",
        ),
        (
            BARE.replace(
                "Instruct\"]",
                "Instruct\", --kv-events-config, $(EVENTS)]\n          envFrom: [{configMapRef: {name: c}}]",
            ),
            "decided elsewhere",
        ),
    ] {
        let top = folder(&[("model.yaml", &text)]);
        let refused = kvlint(top.path(), &["enable", "default/llama"]);
        let told = refused.err;
        assert_eq!(refused.code, Some(2), "{told}");
        assert!(told.contains(why) && told.contains("model.yaml:"), "{told}");
        assert_eq!(read(&top, "model.yaml"), text);
    }
    let top = folder(&[("model.yaml", BARE)]);
    for words in
        [&["enable", "llama"][..], &["enable", "default/other"], &["enable"], &["enable", "default/llama", "gone"]]
    {
        assert_eq!(kvlint(top.path(), words).code, Some(2), "{words:?}");
    }
}

const GATEWAY: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: aibrix-gateway-plugins, namespace: aibrix-system}
spec:
  selector: {matchLabels: {app: gateway-plugins}}
  template:
    metadata: {labels: {app: gateway-plugins}}
    spec:
      containers:
        - name: gateway-plugin
          image: aibrix/gateway-plugins:v0.7.0
          env:
            - name: REDIS_HOST
              value: aibrix-redis-master
";

const CLOSED: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: default}
spec:
  podSelector: {}
  policyTypes: [Ingress]
";

#[test]
fn the_gateway_and_the_policies_follow() {
    let top = folder(&[("model.yaml", BARE), ("gateway.yaml", GATEWAY), ("deny.yaml", CLOSED)]);
    run(top.path(), &["enable", "default/llama", "--tokenizer", "http://llama.default:8000"]);
    let gateway = read(&top, "gateway.yaml");
    for name in ["AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED", "AIBRIX_PREFIX_CACHE_USE_REMOTE_TOKENIZER"] {
        assert!(gateway.contains(&format!("            - name: {name}\n              value: \"true\"\n")), "{gateway}");
    }
    assert!(gateway.contains("value: http://llama.default:8000\n"), "{gateway}");
    let model = read(&top, "model.yaml");
    assert!(
        model.contains("kind: NetworkPolicy") && model.contains("kubernetes.io/metadata.name: aibrix-system"),
        "{model}"
    );
    let left = kvlint(top.path(), &["--format", "concise", "."]);
    let left = left.out;
    assert!(!left.contains("error["), "{left}");
    run(top.path(), &["disable", "default/llama"]);
    assert_eq!(read(&top, "model.yaml"), BARE);
    assert_eq!(read(&top, "gateway.yaml"), GATEWAY);
    assert_eq!(read(&top, "deny.yaml"), CLOSED);
}

#[test]
fn a_base_that_others_use_is_not_changed_for_one_of_them() {
    let top = folder(&[
        ("base/kustomization.yaml", "resources: [model.yaml]\n"),
        ("base/model.yaml", BARE),
        ("dev/kustomization.yaml", "resources: [../base]\nnamePrefix: dev-\n"),
        ("prod/kustomization.yaml", "resources: [../base]\nnamePrefix: prod-\n"),
    ]);
    let refused = kvlint(top.path(), &["enable", "default/prod-llama", "."]);
    let told = refused.err;
    assert_eq!(refused.code, Some(2), "{told}");
    assert!(told.contains("base/model.yaml is also used by") && told.contains("--as kustomize"), "{told}");
    run(top.path(), &["enable", "--all", "."]);
    assert!(read(&top, "base/model.yaml").contains("--kv-events-config"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn enable_then_disable_gives_the_original_bytes(
        shape in 0usize..4,
        indent in prop_oneof![Just(""), Just("  ")],
        crlf in any::<bool>(),
        last_newline in any::<bool>(),
        comment in any::<bool>(),
        service in any::<bool>(),
    ) {
        let command = match shape {
            0 => "command: [vllm, serve, m]".to_string(),
            1 => format!("command:\n          {indent}- vllm\n          {indent}- serve\n          {indent}- m"),
            2 => format!("args:\n          {indent}- --model\n          {indent}- m"),
            _ => "command: [sh, -c, \"exec vllm serve m --port 8000\"]".to_string(),
        };
        let note = if comment { " # a note" } else { "" };
        let mut text = format!("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: m{note}\nspec:\n  selector:\n    matchLabels: {{a: b}}\n  template:\n    metadata:\n      labels: {{a: b}}{note}\n    spec:\n      containers:\n      {indent}- name: vllm{note}\n      {indent}  image: vllm/vllm-openai:v0.11.1\n      {indent}  {command}\n");
        if shape == 1 || shape == 2 {
            // Items stand under their key.
            text = text.replace("\n          ", &format!("\n        {indent}"));
        }
        if service {
            text.push_str("---\napiVersion: v1\nkind: Service\nmetadata: {name: m}\nspec:\n  selector: {a: b}\n  ports:\n  - port: 80\n    name: http\n");
        }
        if !last_newline {
            text.pop();
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        let top = folder(&[("m.yaml", &text)]);
        run(top.path(), &["enable", "--all", "."]);
        let enabled = read(&top, "m.yaml");
        prop_assert_ne!(&enabled, &text);
        silent(top.path(), ".");
        run(top.path(), &["disable", "--all", "."]);
        prop_assert_eq!(read(&top, "m.yaml"), text, "{}", enabled);
    }
}

#[test]
fn a_label_that_requests_are_routed_by_stays() {
    let text = BARE.replace("app: llama # the", "model.aibrix.ai/name: llama\n        app: llama # the");
    let top = folder(&[("model.yaml", &text)]);
    run(top.path(), &["enable", "default/llama"]);
    assert!(!read(&top, "model.yaml").contains("kvlint.dev/added"), "it was there before");
    run(top.path(), &["disable", "default/llama"]);
    assert_eq!(read(&top, "model.yaml"), text);
    let written = text.replace("        app", "        model.aibrix.ai/kv-events-enabled: \"true\"\n        app");
    let top = folder(&[("model.yaml", &written)]);
    run(top.path(), &["disable", "default/llama"]);
    assert_eq!(read(&top, "model.yaml"), text, "somebody else wrote both labels");
}

#[test]
fn the_one_port_of_a_service_gets_a_name_when_others_come() {
    for (port, named) in [
        ("{port: 80}", "{name: http, port: 80}"),
        ("{port: 80, targetPort: serve}", "{name: serve, port: 80, targetPort: serve}"),
        ("{name: \"\", port: 80}", "{name: \"http\", port: 80}"),
    ] {
        let text = BARE.replace("{name: http, port: 8000, targetPort: 8000}", port);
        let text = text.replace(
            "          command:",
            "          ports:\n            - {name: serve, containerPort: 8000}\n          command:",
        );
        let top = folder(&[("model.yaml", &text)]);
        run(top.path(), &["enable", "default/llama"]);
        let enabled = read(&top, "model.yaml");
        assert!(enabled.contains(&format!("    - {named}\n    - {{name: kv-events, port: 5557")), "{enabled}");
        silent(top.path(), ".");
    }
}

#[test]
fn a_service_without_ports_keeps_none() {
    let text = BARE.replace("  ports:\n    - {name: http, port: 8000, targetPort: 8000}\n", "  clusterIP: None\n");
    let top = folder(&[("model.yaml", &text)]);
    run(top.path(), &["enable", "default/llama"]);
    assert!(read(&top, "model.yaml").ends_with("  clusterIP: None\n"));
    run(top.path(), &["disable", "default/llama"]);
    assert_eq!(read(&top, "model.yaml"), text);
}

#[test]
fn a_label_without_quotes_is_quoted() {
    for value in ["true", "yes"] {
        let text = BARE.replace(
            "app: llama # the",
            &format!("model.aibrix.ai/kv-events-enabled: {value}\n        app: llama # the"),
        );
        let top = folder(&[("model.yaml", &text)]);
        run(top.path(), &["enable", "default/llama"]);
        assert!(read(&top, "model.yaml").contains("kv-events-enabled: \"true\"\n"));
        silent(top.path(), ".");
    }
}

#[test]
fn options_stand_in_front_of_the_end_of_options() {
    for (command, end) in [
        ("[vllm, serve, --port, \"8000\", --, m]", "\"tcp://*:5558\"}', --, m]"),
        ("[sh, -c, \"vllm serve --port 8000 -- m\"]", "' -- m"),
    ] {
        let text = BARE.replace("[\"vllm\", \"serve\", \"meta-llama/Llama-3.1-8B-Instruct\"]", command);
        let top = folder(&[("model.yaml", &text)]);
        run(top.path(), &["enable", "default/llama"]);
        let enabled = read(&top, "model.yaml");
        assert!(enabled.contains(end), "{enabled}");
    }
}

#[test]
fn folded_text_keeps_its_lines() {
    let script = ">\n          exec vllm serve Qwen/Qwen3-8B\n          --served-model-name qwen3 \\\n            --port 8000 \\\n            --max-num-seqs 8\n\n          echo done";
    let text = SCRIPT.replace("|\n          # warm up first\n          exec vllm serve Qwen/Qwen3-8B \\\n            --served-model-name qwen3 \\\n            --port 8000", script);
    assert_ne!(text, SCRIPT);
    let top = folder(&[("model.yaml", &text)]);
    let output = kvlint(top.path(), &["enable", "models/qwen", ".", "--dry-run"]);
    let diff = &output.out;
    let gone: Vec<&str> = diff.lines().filter(|line| line.starts_with('-') && !line.starts_with("---")).collect();
    // The lines with the labels are two of them.
    assert!(gone.len() == 3 && diff.contains("--kv-events-config"), "{diff}{}", output.err);
}

#[test]
fn what_was_empty_or_has_a_comment_is_not_taken_away() {
    let text = BARE.replace(
        "          command:",
        "          ports: # none of its own\n            # the gateway's come here\n            - containerPort: 5557\n          command:",
    );
    let top = folder(&[("model.yaml", &text)]);
    run(top.path(), &["disable", "default/llama"]);
    let left = read(&top, "model.yaml");
    assert!(left.contains("ports: [] # none of its own\n            # the gateway's come here\n"), "{left}");
}

#[test]
fn a_workload_is_raised_as_one() {
    let text = "\
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: m, namespace: d}
spec:
  headGroupSpec:
    rayStartParams: {}
    template:
      metadata: {labels: {model.aibrix.ai/name: m}}
      spec:
        containers:
          - name: head
            image: vllm/vllm-openai:v0.8.5
            command: [/bin/bash, -lc, --]
            args: [\"ray start --head; vllm serve x\"]
  workerGroupSpecs:
    - groupName: w
      rayStartParams: {}
      template:
        spec:
          containers:
            - name: w
              image: vllm/vllm-openai:v0.8.5
              command: [/bin/bash, -lc, ray start --block]
            - {name: other, image: busybox:1.36}
";
    let top = folder(&[("m.yaml", text)]);
    run(top.path(), &["enable", "d/m", ".", "--vllm", "0.12.0"]);
    let raised = read(&top, "m.yaml");
    assert_eq!(raised.matches("vllm-openai:v0.12.0").count(), 2, "{raised}");
}

#[test]
fn engines_on_the_network_of_the_node_are_enabled() {
    let text = BARE.replace("    spec:\n      containers", "    spec:\n      hostNetwork: true\n      containers");
    let top = folder(&[("model.yaml", &text)]);
    run(top.path(), &["enable", "default/llama"]);
    assert!(read(&top, "model.yaml").contains("containerPort: 5557"));
}

#[test]
fn a_policy_selects_the_pods_of_the_workload_alone() {
    let other = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: probe, namespace: default, labels: {model.aibrix.ai/name: llama}}\nspec: {containers: [{name: a, image: busybox}]}\n";
    let closed = CLOSED.replace("podSelector: {}", "podSelector: {matchLabels: {app: llama}}");
    let top = folder(&[("model.yaml", BARE), ("deny.yaml", &closed), ("other.yaml", other)]);
    run(top.path(), &["enable", "default/llama"]);
    let model = read(&top, "model.yaml");
    assert!(model.contains("  podSelector:\n    matchLabels:\n      app: llama\n"), "{model}");
    let alike = other.replace("{model.aibrix.ai/name: llama}", "{app: llama, x: y}");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: llama\n  namespace: default\n  labels:\n    model.aibrix.ai/name: llama\nspec:\n  containers:\n    - {name: vllm, image: \"vllm/vllm-openai:v0.11.1\", args: [--model, m]}\n";
    let closed =
        CLOSED.replace("podSelector: {}", "podSelector: {matchLabels: {model.aibrix.ai/kv-events-enabled: \"true\"}}");
    let top = folder(&[
        ("model.yaml", pod),
        ("deny.yaml", &closed),
        ("other.yaml", &alike.replace("app: llama", "model.aibrix.ai/name: llama")),
    ]);
    let refused = kvlint(top.path(), &["enable", "default/llama"]);
    let told = refused.err;
    assert!(told.contains("the policy that lets the gateway in would close"), "{told}");
    assert_eq!(read(&top, "model.yaml"), pod);
}

#[test]
fn a_policy_in_a_base_has_the_names_of_the_base() {
    let deny = CLOSED.replace(", namespace: default", "");
    let model = BARE.replace("  namespace: default\n", "").replace(", namespace: default", "");
    let top = folder(&[
        ("base/kustomization.yaml", "resources: [model.yaml, deny.yaml]\n"),
        ("base/model.yaml", &model),
        ("base/deny.yaml", &deny),
        ("prod/kustomization.yaml", "resources: [../base]\nnamespace: prod\nnamePrefix: x-\nnameSuffix: -y\n"),
    ]);
    run(top.path(), &["enable", "prod/x-llama-y", "."]);
    let enabled = read(&top, "base/model.yaml");
    assert!(enabled.contains("kind: NetworkPolicy\nmetadata:\n  name: llama-kv-events\n  labels:\n"), "{enabled}");
    run(top.path(), &["disable", "prod/x-llama-y", "."]);
    assert_eq!(read(&top, "base/model.yaml"), model);
}

#[test]
fn a_json_patch_is_not_left_without_its_value() {
    let ops = |items: &str| {
        format!("resources: [model.yaml]\npatches:\n  - target: {{kind: Deployment}}\n    patch: |-\n{items}")
    };
    let label = "      - op: add\n        path: /spec/template/metadata/labels/model.aibrix.ai~1kv-events-enabled\n        value: \"true\"\n";
    let other = "      - op: add\n        path: /spec/replicas\n        value: 2\n";
    let top = folder(&[("kustomization.yaml", &ops(&format!("{other}{label}"))), ("model.yaml", BARE)]);
    run(top.path(), &["disable", "default/llama", "."]);
    assert_eq!(read(&top, "kustomization.yaml").trim_end(), ops(other).trim_end());
    let top = folder(&[("kustomization.yaml", &ops(label)), ("model.yaml", BARE)]);
    let refused = kvlint(top.path(), &["disable", "default/llama", "."]);
    let told = refused.err;
    assert!(told.contains("JSON patch"), "{told}");
    assert_eq!(read(&top, "kustomization.yaml"), ops(label));
}

#[test]
fn a_tokenizer_without_a_gateway_is_said() {
    let top = folder(&[("model.yaml", BARE)]);
    let output = kvlint(top.path(), &["enable", "default/llama", ".", "--tokenizer", "http://llama:8000"]);
    let told = output.err;
    assert!(output.code == Some(0) && told.contains("note: `--tokenizer` is for the gateway"), "{told}");
}
