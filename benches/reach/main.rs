//! Reachability of 2,000 workloads under 500 policies, as ratios to parsing the same tree once.
//!
//! `cargo bench --bench reach`: deciding all event paths costs less than parsing; listing every connection at most 20 times
//! as much.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kvlint::config::Config;
use kvlint::events::Model;
use kvlint::k8s::reach::{Assumptions, Reach, Reading};
use kvlint::load;
use kvlint::reach::{self, ReachOptions};
use kvlint::trace::path;

const NAMESPACES: usize = 20;
const WORKLOADS: usize = 2_000;
const POLICIES: usize = 500;
const ROUNDS: usize = 5;

fn main() {
    // `cargo test` runs benches too; a debug build tells nothing about speed.
    if cfg!(debug_assertions) {
        return;
    }
    let files = tree();
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    let config = Config::default();
    let parse = best(|| load::from_texts(&files).units.len());
    let loaded = load::from_texts(&files);
    let unit = &loaded.units[0];
    let model = Model::new(unit, &config);
    let assumptions = Assumptions { namespace: Some("default"), reading: Reading::Careful };
    let decide = best(|| {
        let reach = Reach::new(unit, &model.workloads, Vec::new(), assumptions);
        reach.policies.len() + path::paths(&model, &[]).len()
    });
    let whole = best(|| Model::new(unit, &config).publishers.len());
    let mut lines = 0;
    let list = best(|| {
        lines = reach::run(&loaded, &config, &ReachOptions::default()).lines().count();
        lines
    });
    let ratio = |time: Duration| time.as_secs_f64() / parse.as_secs_f64();
    println!("{WORKLOADS} workloads, {POLICIES} policies, {:.1} MB, {lines} connections", bytes as f64 / 1e6);
    println!("parse             {parse:>10.1?}   1.00");
    println!("model             {whole:>10.1?}  {:>5.2}", ratio(whole));
    println!("all event paths   {decide:>10.1?}  {:>5.2}  (at most 1)", ratio(decide));
    println!("list              {list:>10.1?}  {:>5.2}  (at most 20)", ratio(list));
    assert!(ratio(decide) <= 1.0, "deciding all event paths costs more than parsing");
    assert!(ratio(list) <= 20.0, "listing costs more than 20 times parsing");
}

fn best<T>(mut work: impl FnMut() -> T) -> Duration {
    let time = |_| {
        let start = Instant::now();
        std::hint::black_box(work());
        start.elapsed()
    };
    (0..ROUNDS).map(time).min().unwrap_or_default()
}

fn tree() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for n in 0..WORKLOADS {
        files.push((PathBuf::from(format!("workloads/{n}.yaml")), workload(n)));
    }
    for n in 0..POLICIES {
        files.push((PathBuf::from(format!("policies/{n}.yaml")), policy(n)));
    }
    for n in 0..NAMESPACES {
        let text = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team-{n}\n  labels:\n    tier: \"{}\"\n",
            ["gold", "silver"][n % 2]
        );
        files.push((PathBuf::from(format!("namespaces/{n}.yaml")), text));
    }
    files
}

/// Half of the workloads are engines.
fn workload(n: usize) -> String {
    let engine = n.is_multiple_of(2);
    let labels = if engine { "\n        model.aibrix.ai/kv-events-enabled: \"true\"" } else { "" };
    let (image, args) = if engine {
        (
            "vllm/vllm-openai:v0.12.0",
            "\n          command: [vllm, serve, org/model]\n          args:\n            - --port\n            - \"8000\"\n            \
             - --kv-events-config\n            - '{\"enable_kv_cache_events\": true, \"publisher\": \"zmq\", \"endpoint\": \
             \"tcp://*:5557\", \"replay_endpoint\": \"tcp://*:5558\"}'",
        )
    } else {
        ("registry.example.com/web:1.2.3", "\n          args: [--listen, \"8080\"]")
    };
    let mut text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{n}\n  namespace: team-{}\nspec:\n  replicas: 2\n  \
         selector:\n    matchLabels:\n      app: app-{n}\n  template:\n    metadata:\n      labels:\n        app: app-{n}\n        \
         model.aibrix.ai/name: app-{n}\n        group: g{}{labels}\n    spec:\n      containers:\n        - name: main\n          \
         image: {image}{args}\n          ports:\n            - {{name: http, containerPort: 8000}}\n            - {{name: \
         kv-events, containerPort: 5557}}\n            - {{name: kv-replay, containerPort: 5558}}\n          env:\n",
        n % NAMESPACES,
        n % 7,
    );
    for variable in 0..12 {
        writeln!(text, "            - name: SETTING_{variable}\n              value: \"value {variable} of app-{n}\"")
            .expect("a string");
    }
    text.push_str(
        "          readinessProbe:\n            httpGet: {path: /health, port: http}\n            periodSeconds: 5\n          \
         resources:\n            limits:\n              cpu: \"8\"\n              memory: 40Gi\n            requests:\n              \
         cpu: \"4\"\n              memory: 32Gi\n      volumes:\n        - name: shm\n          emptyDir:\n            medium: \
         Memory\n",
    );
    text
}

fn policy(n: usize) -> String {
    let namespace = n % NAMESPACES;
    let spec = match n / NAMESPACES % 5 {
        0 => "  podSelector: {}\n  policyTypes: [Ingress]\n".to_string(),
        1 => "  podSelector:\n    matchLabels:\n      model.aibrix.ai/kv-events-enabled: \"true\"\n  ingress:\n    - from:\n        - \
              namespaceSelector:\n            matchLabels:\n              kubernetes.io/metadata.name: aibrix-system\n      \
              ports:\n        - port: 5557\n          endPort: 5558\n        - port: http\n"
            .to_string(),
        2 => format!(
            "  podSelector:\n    matchExpressions:\n      - {{key: group, operator: In, values: [g{}, g{}]}}\n  ingress:\n    - \
             from:\n        - namespaceSelector:\n            matchLabels:\n              tier: gold\n      ports:\n        - \
             port: {}\n",
            n % 7,
            (n + 1) % 7,
            9000 + n
        ),
        3 => format!(
            "  podSelector:\n    matchLabels:\n      app: app-{n}\n  policyTypes: [Egress]\n  egress:\n    - to:\n        - \
             ipBlock:\n            cidr: 10.{}.0.0/16\n            except: [10.{}.1.0/24]\n    - to:\n        - podSelector: \
             {{}}\n      ports:\n        - port: http\n    - ports:\n        - {{port: 53, protocol: UDP}}\n",
            n % 256,
            n % 256
        ),
        _ => format!(
            "  podSelector:\n    matchLabels:\n      app: app-{}\n  ingress:\n    - from:\n        - podSelector:\n            \
             matchLabels:\n              group: g{}\n",
            (n * 4) % WORKLOADS,
            n % 7
        ),
    };
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: policy-{n}\n  namespace: \
         team-{namespace}\nspec:\n{spec}"
    )
}
