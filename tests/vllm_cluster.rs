//! A VLLMCluster gives its pods neither flags nor ports nor labels, so that nothing of the path of KV events can be wrong
//! in it: the only findings are those about the custom resource itself.

use kvlint::config::Config;
use kvlint::lint::{self, Group, Severity};
use kvlint::load;

fn findings(text: &str) -> Vec<(&'static str, Severity, String)> {
    let loaded = load::from_texts(&[("cluster.yaml".into(), text.into())]);
    let outcome = lint::lint(&loaded, &Config::default(), None);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    let text = |d: &lint::Diagnostic| loaded.sources.slice(d.primary.span).to_string();
    outcome.diagnostics.iter().map(|d| (d.rule, d.severity, text(d))).collect()
}

const GOOD: &str = r#"
apiVersion: training.distributed-inference.io/v1alpha1
kind: VLLMCluster
metadata:
  name: llama
spec:
  model: {modelPath: meta-llama/Llama-3.1-8B-Instruct}
  vllm:
    tensorParallelSize: 2
    pipelineParallelSize: 1
    servePort: 8000
    gpuMemoryUtilization: "0.9"
  replicas: 2
  resources:
    resources:
      requests: {nvidia.com/gpu: "2", memory: 16Gi}
      limits: {nvidia.com/gpu: "2", memory: 32Gi}
  autoScaling:
    enabled: true
    minReplicas: 1
    maxReplicas: 5
    triggers:
      - type: prometheus
        metadata: {serverAddress: "http://prometheus:9090", metricName: vllm_request_queue_size, threshold: "10"}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: llama}
spec:
  scaleTargetRef: {apiVersion: training.distributed-inference.io/v1alpha1, kind: VLLMCluster, name: llama}
  minReplicaCount: 1
  maxReplicaCount: 10
  triggers:
    - type: prometheus
      metadata: {serverAddress: "http://prometheus:9090", threshold: "5", query: avg(vllm_request_queue_size)}
---
apiVersion: v1
kind: Service
metadata: {name: llama-metrics}
spec:
  selector: {app: vllm-cluster, cluster: llama}
  ports: [{name: http, port: 8000, targetPort: http}]
"#;

#[test]
fn a_right_cluster_has_no_finding() {
    assert_eq!(findings(GOOD), []);
}

#[test]
fn every_finding_is_about_the_resource_itself() {
    let broken = GOOD
        .replace("  name: llama\nspec", "  name: llama\n  labels: {model.aibrix.ai/kv-events-enabled: \"true\"}\nspec")
        .replace("tensorParallelSize: 2", "tensorParallelSize: 4")
        .replace("replicas: 2\n", "replicas: 9\n");
    let found = findings(&broken);
    assert_eq!(
        found,
        [
            ("vllmcluster-label", Severity::Error, "model.aibrix.ai/kv-events-enabled".to_string()),
            ("vllmcluster-bounds", Severity::Warning, "9".to_string()),
            ("vllmcluster-gpus", Severity::Error, "\"2\"".to_string()),
        ]
    );
    for (rule, ..) in found {
        assert_eq!(lint::find(rule).map(|r| r.group), Some(Group::Autoscaling));
    }
}

#[test]
fn an_autoscaler_of_another_cluster_scales_nothing() {
    let found = findings(&GOOD.replace("kind: VLLMCluster, name: llama}", "kind: VLLMCluster, name: lama}"));
    assert_eq!(found, [("autoscaler-target-missing", Severity::Error, "lama".to_string())]);
}
