//! Trees that look like a platform team's repository.

use std::fmt::Write as _;
use std::path::Path;

/// Writes `count` files below `folder` and returns their bytes. The same count gives the same bytes.
pub fn tree(folder: &Path, count: usize) -> usize {
    let mut bytes = 0;
    for i in 0..count {
        let model = i / 4;
        let text = match i % 4 {
            0 => deployment(model),
            1 => service(model),
            2 => config_map(model),
            _ => autoscaler(model),
        };
        let place = folder.join(format!("team-{:02}", model % 20)).join(format!("model-{model:05}"));
        std::fs::create_dir_all(&place).expect("a folder can be made");
        let name = ["deployment", "service", "config", "autoscaler"][i % 4];
        std::fs::write(place.join(format!("{name}.yaml")), &text).expect("a file can be written");
        bytes += text.len();
    }
    bytes
}

/// Writes about `count` files below `folder`: models of six files, a base of four manifests and an overlay.
pub fn overlays(folder: &Path, count: usize) {
    let write = |path: std::path::PathBuf, text: &str| {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    };
    for n in 0..count / 6 {
        let place = folder.join(format!("team-{:02}", n % 20)).join(format!("model-{n:05}"));
        let files = [deployment(n), service(n), config_map(n), autoscaler(n)];
        for (name, text) in ["deployment", "service", "config", "autoscaler"].iter().zip(files) {
            write(place.join("base").join(format!("{name}.yaml")), &text);
        }
        let base = "resources: [deployment.yaml, service.yaml, config.yaml, autoscaler.yaml]\n";
        write(place.join("base/kustomization.yaml"), base);
        write(place.join("overlays/prod/kustomization.yaml"), "resources: [../../base]\nnamePrefix: prod-\n");
    }
}

/// Writes one file below `folder` with `count` pods, each with several findings that have a fix: as items of a list, which are
/// one document, or as documents of their own.
pub fn faulty(folder: &Path, count: usize, as_list: bool) {
    let mut text = if as_list { "apiVersion: v1\nkind: List\nitems:\n".to_string() } else { String::new() };
    for n in 0..count {
        let pod = faulty_pod(n);
        if as_list {
            for (i, line) in pod.lines().enumerate() {
                writeln!(text, "{}{line}", if i == 0 { "- " } else { "  " }).expect("a string");
            }
        } else {
            write!(text, "---\n{pod}").expect("a string");
        }
    }
    std::fs::create_dir_all(folder).expect("a folder can be made");
    std::fs::write(folder.join("pods.yaml"), text).expect("a file can be written");
}

fn faulty_pod(n: usize) -> String {
    format!(
        r#"apiVersion: v1
kind: Pod
metadata:
  name: model-{n}
  labels:
    model.aibrix.ai/name: model-{n}
    model.aibrix.ai/kv-events-enabled: "True"
spec:
  containers:
    - name: vllm
      image: vllm/vllm-openai:v0.11.1
      command: ["vllm", "serve", "org/model-{n}"]
      args:
        - --kv-events-config
        - '{{"enable_kv_cache_events": true, "publisher": "zmq", "endpoint": "tcp://0.0.0.0:5557", "replay_endpoint": "tcp://0.0.0.0:5558"}}'
"#
    )
}

/// Writes one file below `folder` with `count` entries, each under a comment that ignores a rule.
pub fn suppressed(folder: &Path, count: usize) {
    let mut text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: prompts\ndata:\n".to_string();
    for n in 0..count {
        writeln!(text, "  # kvlint: ignore[event-port-not-exposed] measured\n  key-{n}: text").expect("a string");
    }
    std::fs::create_dir_all(folder).expect("a folder can be made");
    std::fs::write(folder.join("prompts.yaml"), text).expect("a file can be written");
}

fn deployment(n: usize) -> String {
    // Every tenth has a mistake, so that findings are made and sorted.
    let endpoint = if n % 10 == 3 { "tcp://0.0.0.0:5557" } else { "tcp://*:5557" };
    format!(
        r#"# Model {n}, owned by team {team}.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: model-{n}
  namespace: models
  labels:
    model.aibrix.ai/name: model-{n}
    model.aibrix.ai/port: "8000"
    app.kubernetes.io/part-of: inference
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/port: "8000"
spec:
  replicas: {replicas}
  strategy:
    type: RollingUpdate
    rollingUpdate: {{maxSurge: 1, maxUnavailable: 0}}
  selector:
    matchLabels:
      model.aibrix.ai/name: model-{n}
  template:
    metadata:
      labels:
        model.aibrix.ai/name: model-{n}
        model.aibrix.ai/port: "8000"
        model.aibrix.ai/engine: vllm
        model.aibrix.ai/kv-events-enabled: "true"
    spec:
      terminationGracePeriodSeconds: 120
      tolerations:
        - key: nvidia.com/gpu
          operator: Exists
          effect: NoSchedule
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.12.0
          imagePullPolicy: IfNotPresent
          command: ["vllm", "serve", "org/model-{n}"]
          args:
            - --served-model-name
            - model-{n}
            - --port
            - "8000"
            - --max-model-len
            - "8192"
            - --gpu-memory-utilization=0.9
            - --kv-events-config
            - '{{"enable_kv_cache_events": true, "publisher": "zmq", "endpoint": "{endpoint}", "replay_endpoint": "tcp://*:5558"}}'
          env:
            - name: HF_HOME
              value: /models
            - name: HF_TOKEN
              valueFrom:
                secretKeyRef: {{name: hf, key: token}}
            - name: VLLM_LOGGING_LEVEL
              value: INFO
          ports:
            - name: http
              containerPort: 8000
            - name: kv-events
              containerPort: 5557
            - name: kv-replay
              containerPort: 5558
          readinessProbe:
            httpGet: {{path: /health, port: http}}
            periodSeconds: 5
          livenessProbe:
            httpGet: {{path: /health, port: http}}
            periodSeconds: 10
            failureThreshold: 6
          volumeMounts:
            - name: models
              mountPath: /models
            - name: shm
              mountPath: /dev/shm
          resources:
            limits:
              cpu: "8"
              memory: 40Gi
              nvidia.com/gpu: "1"
            requests:
              cpu: "4"
              memory: 32Gi
              nvidia.com/gpu: "1"
      volumes:
        - name: models
          persistentVolumeClaim:
            claimName: models-{team}
        - name: shm
          emptyDir:
            medium: Memory
            sizeLimit: 8Gi
"#,
        team = n % 20,
        replicas = 1 + n % 4
    )
}

fn service(n: usize) -> String {
    format!(
        r"apiVersion: v1
kind: Service
metadata:
  name: model-{n}
  namespace: models
  labels:
    model.aibrix.ai/name: model-{n}
    prometheus-discovery: 'true'
spec:
  type: ClusterIP
  selector:
    model.aibrix.ai/name: model-{n}
  ports:
    - name: http # requests
      port: 8000
      protocol: TCP
      targetPort: http
"
    )
}

fn config_map(n: usize) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: model-{n}-prompts\n  namespace: models\ndata:\n  system.txt: |\n"
    );
    for line in 0..40 {
        writeln!(text, "    Line {line} of the system prompt of model {n}: answer briefly and cite the source.")
            .expect("a string");
    }
    text
}

fn autoscaler(n: usize) -> String {
    format!(
        r#"apiVersion: autoscaling.aibrix.ai/v1alpha1
kind: PodAutoscaler
metadata:
  name: model-{n}
  namespace: models
spec:
  scalingStrategy: KPA
  minReplicas: 1
  maxReplicas: {max}
  metricsSources:
    - metricSourceType: pod
      protocolType: http
      port: "8000"
      path: metrics
      targetMetric: gpu_cache_usage_perc
      targetValue: "0.5"
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: model-{n}
"#,
        max = 2 + n % 8
    )
}
