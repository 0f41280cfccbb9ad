//! Every shape of workload: where its pods are, which labels reach them, and the bytes of each.

use super::*;
use crate::facts::workloads::WorkloadKind;
use crate::load::{self, Loaded};

fn load(text: &str) -> Loaded {
    load::from_texts(&[("x.yaml".into(), text.to_string())])
}

/// A pod: its containers' names, the app label, the text of the place for labels, the replicas.
type Found = (Vec<String>, Option<String>, String, Option<i64>);

/// The same, as tests write it.
type Wanted<'a> = (&'a [&'a str], Option<&'a str>, &'a str, Option<i64>);

/// Each pod of the first object.
#[track_caller]
fn pods(loaded: &Loaded, extra: &[WorkloadKind]) -> Vec<Found> {
    let workload = Workload::new(&loaded.units[0].resources[0], extra).expect("the object makes pods");
    let describe = |pod: &PodTemplate<'_>| {
        let names = pod.containers().map(|c| c.name().to_string()).collect();
        let app = pod.labels.get("app").and_then(Node::text).map(str::to_string);
        let place = loaded.sources.slice(pod.labels_place).to_string();
        (names, app, place, pod.replicas.known().copied())
    };
    workload.pods.iter().map(describe).collect()
}

#[track_caller]
fn expect(text: &str, wanted: &[Wanted<'_>]) {
    let loaded = load(text);
    let found = pods(&loaded, &[]);
    let found: Vec<_> = found
        .iter()
        .map(|(names, app, place, replicas)| {
            (names.iter().map(String::as_str).collect::<Vec<_>>(), app.as_deref(), place.as_str(), *replicas)
        })
        .collect();
    let wanted: Vec<_> = wanted.iter().map(|(names, app, place, n)| (names.to_vec(), *app, *place, *n)).collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_pod_is_its_own_template() {
    expect(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: x}}\nspec:\n  containers: [{name: a}, {name: b}]\n",
        &[(&["a", "b"], Some("x"), "labels", None)],
    );
    expect(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a}]}\n",
        &[(&["a"], None, "metadata", None)],
    );
    // Nothing to hold it by but the kind.
    expect("apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a}]}\n", &[(&["a"], None, "Pod", None)]);
}

#[test]
fn a_deployment_keeps_its_own_labels_to_itself() {
    let loaded = load(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, labels: {app: own}}\nspec:\n  replicas: 3\n  selector: \
         {matchLabels: {app: x}}\n  template:\n    metadata: {annotations: {note: n}, labels: {app: x}}\n    spec:\n      \
         initContainers: [{name: first}]\n      containers: [{name: a}]\n",
    );
    let workload = Workload::new(&loaded.units[0].resources[0], &[]).unwrap();
    let pod = &workload.pods[0];
    assert_eq!(pod.containers().map(|c| (c.name(), c.init)).collect::<Vec<_>>(), [("first", true), ("a", false)]);
    assert_eq!(pod.labels.get("app").and_then(Node::text), Some("x"));
    assert_eq!(pod.annotations.get("note").and_then(Node::text), Some("n"));
    let (replicas, place) = pod.replicas.known_at().unwrap();
    assert_eq!((*replicas, loaded.sources.slice(place)), (3, "3"));
    let misleading = workload.misleading_labels();
    assert_eq!(misleading.iter().map(|(path, _)| *path).collect::<Vec<_>>(), ["metadata.labels"]);
    assert_eq!(misleading[0].1.get("app").and_then(Node::text), Some("own"));
    assert!(pod.selector.is_some() && pod.is_serving() && pod.can_have_labels);
}

#[test]
fn replicas_are_absent_unknown_or_known_and_never_confused() {
    let replicas = |spec: &str| {
        let loaded = load(&format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec: {{{spec}template: {{spec: {{}}}}}}\n"
        ));
        let workload = Workload::new(&loaded.units[0].resources[0], &[]).unwrap();
        workload.pods[0].replicas.clone()
    };
    assert!(replicas("").is_absent());
    assert_eq!(replicas("replicas: 0, ").known(), Some(&0));
    assert!(replicas("replicas: \"{{ .Values.replicas }}\", ").is_unknown());
    assert!(replicas("replicas: \"2\", ").is_unknown());
}

#[test]
fn a_template_without_metadata_is_held_by_its_key() {
    expect(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d}\nspec:\n  template:\n    spec: {containers: [{name: a}]}\n",
        &[(&["a"], None, "template", None)],
    );
    expect(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: d}\nspec:\n  template:\n    metadata:\n      name: x\n    spec: \
         {containers: [{name: a}]}\n",
        &[(&["a"], None, "metadata", None)],
    );
    // `labels:` with nothing behind it.
    expect(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: d}\nspec:\n  template:\n    metadata:\n      labels:\n    spec: \
         {containers: [{name: a}]}\n",
        &[(&["a"], None, "labels", None)],
    );
}

#[test]
fn a_workload_without_a_template_has_no_pods() {
    expect("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1}\n", &[]);
    expect("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: []\n", &[]);
    let loaded = load("apiVersion: v1\nkind: Service\nmetadata: {name: s}\n");
    assert!(Workload::new(&loaded.units[0].resources[0], &[]).is_none());
}

#[test]
fn a_cron_job_nests_two_templates() {
    let text = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c, labels: {app: outer}}\nspec:\n  jobTemplate:\n    metadata: \
                {labels: {app: job}}\n    spec:\n      parallelism: 2\n      template:\n        metadata: {labels: {app: pod}}\n        \
                spec: {containers: [{name: a}]}\n";
    expect(text, &[(&["a"], Some("pod"), "labels", Some(2))]);
    let loaded = load(text);
    let workload = Workload::new(&loaded.units[0].resources[0], &[]).unwrap();
    let apps: Vec<_> = workload.misleading_labels().iter().filter_map(|(_, l)| l.get("app")?.text()).collect();
    assert_eq!(apps, ["outer", "job"]);
}

#[test]
fn each_role_of_a_storm_service_has_its_own_labels_and_replicas() {
    let text = "apiVersion: orchestration.aibrix.ai/v1alpha1\nkind: StormService\nmetadata: {name: s}\nspec:\n  template:\n    metadata: \
                {labels: {app: roleset}}\n    spec:\n      roles:\n        - name: prefill\n          replicas: 1\n          template:\n            \
                metadata: {labels: {app: p}}\n            spec: {containers: [{name: a}]}\n        - name: decode\n          replicas: 4\n          \
                template:\n            spec: {containers: [{name: b}]}\n        - name: empty\n";
    expect(text, &[(&["a"], Some("p"), "labels", Some(1)), (&["b"], None, "template", Some(4))]);
    let loaded = load(text);
    let workload = Workload::new(&loaded.units[0].resources[0], &[]).unwrap();
    let misleading = workload.misleading_labels();
    assert_eq!(misleading.len(), 1);
    assert_eq!(misleading[0].0, "spec.template.metadata.labels");
}

#[test]
fn a_fleet_has_a_head_that_serves_and_workers_that_do_not() {
    let loaded = load(
        "apiVersion: orchestration.aibrix.ai/v1alpha1\nkind: RayClusterFleet\nmetadata: {name: f}\nspec:\n  replicas: 2\n  template:\n    \
         spec:\n      headGroupSpec:\n        template:\n          metadata: {labels: {app: head}}\n          spec: {containers: [{name: h}]}\n      \
         workerGroupSpecs:\n        - replicas: 3\n          template:\n            metadata: {labels: {app: w}}\n            spec: {containers: \
         [{name: w}]}\n",
    );
    let workload = Workload::new(&loaded.units[0].resources[0], &[]).unwrap();
    let found: Vec<_> = workload
        .pods
        .iter()
        .map(|p| (p.labels.get("app").and_then(Node::text), p.is_serving(), p.replicas.known().copied()))
        .collect();
    assert_eq!(found, [(Some("head"), true, Some(2)), (Some("w"), false, Some(3))]);
}

#[test]
fn an_llm_inference_service_labels_its_pods_beside_the_spec() {
    let text = "apiVersion: serving.kserve.io/v1alpha1\nkind: LLMInferenceService\nmetadata: {name: l, labels: {app: own}}\nspec:\n  \
                replicas: 2\n  labels: {app: decode}\n  template: {containers: [{name: main}]}\n  prefill:\n    replicas: 1\n    template: \
                {containers: [{name: main}]}\n";
    expect(text, &[(&["main"], Some("decode"), "labels", Some(2)), (&["main"], None, "prefill", Some(1))]);
}

#[test]
fn a_runtime_of_kserve_is_one_container_or_a_pod() {
    let text = "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: i}\nspec:\n  predictor:\n    minReplicas: \
                1\n    labels: {app: x}\n    model: {name: m, image: \"vllm/vllm-openai:v0.11.1\"}\n";
    expect(text, &[(&[], Some("x"), "labels", Some(1)), (&["m"], Some("x"), "labels", None)]);
}

#[test]
fn each_value_of_a_dynamo_map_is_a_service() {
    let text = "apiVersion: nvidia.com/v1alpha1\nkind: DynamoGraphDeployment\nmetadata: {name: g}\nspec:\n  services:\n    Frontend:\n      \
                replicas: 1\n      extraPodSpec: {mainContainer: {name: front}}\n    Worker:\n      replicas: 2\n      extraPodMetadata: {labels: \
                {app: worker}}\n      extraPodSpec:\n        mainContainer: {name: engine}\n        containers: [{name: side}]\n";
    expect(
        text,
        &[
            (&[], None, "Frontend", Some(1)),
            (&["side"], Some("worker"), "labels", Some(2)),
            (&["front"], None, "Frontend", None),
            (&["engine"], Some("worker"), "labels", None),
        ],
    );
}

#[test]
fn a_kind_of_the_configuration_wins_over_the_table() {
    let kind = |text: &str| -> WorkloadKind { serde_yaml::from_str(text).unwrap() };
    let engine = kind(
        "{group: example.com, kind: Engine, pods: [{path: 'spec.groups.{}.pods[]', shape: pod_spec, labels: \
         'spec.groups.{}.labels', replicas: spec.size}]}",
    );
    let text = "apiVersion: example.com/v2\nkind: Engine\nmetadata: {name: e}\nspec:\n  size: 7\n  groups:\n    a:\n      labels: {app: \
                a}\n      pods: [{containers: [{name: x}]}, {containers: [{name: y}]}]\n    b: {pods: [{containers: [{name: z}]}]}\n";
    let loaded = load(text);
    let owned = |names: &[&str], app: Option<&str>, place: &str| {
        (names.iter().map(|n| n.to_string()).collect::<Vec<_>>(), app.map(str::to_string), place.to_string(), Some(7))
    };
    assert_eq!(
        pods(&loaded, &[engine]),
        [owned(&["x"], Some("a"), "labels"), owned(&["y"], Some("a"), "labels"), owned(&["z"], None, "b")]
    );
    let deployment = kind("{group: apps, kind: Deployment, pods: []}");
    let loaded = load("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {}}}\n");
    assert!(pods(&loaded, &[deployment]).is_empty());
}

#[test]
fn labels_come_through_aliases_and_merge_keys() {
    expect(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\n  labels: &l {app: x}\nspec:\n  template:\n    metadata:\n      \
         labels: *l\n    spec: {containers: [{name: a}]}\n",
        &[(&["a"], Some("x"), "labels", None)],
    );
    expect(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\n  labels: &l {app: x}\nspec:\n  template:\n    metadata:\n      \
         labels: {<<: *l, tier: gold}\n    spec: {containers: [{name: a}]}\n",
        &[(&["a"], Some("x"), "labels", None)],
    );
}

#[test]
fn host_network_is_a_boolean_and_volumes_are_found_by_name() {
    let pod = |spec: &str| load(&format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{{spec}}}\n"));
    let is_host =
        |loaded: &Loaded| Workload::new(&loaded.units[0].resources[0], &[]).unwrap().pods[0].host_network().is_some();
    assert!(is_host(&pod("hostNetwork: true")));
    assert!(!is_host(&pod("hostNetwork: \"true\"")));
    assert!(!is_host(&pod("hostNetwork: false")));
    assert!(!is_host(&pod("hostNetwork: \"{{ .Values.host }}\"")));
    let loaded = pod("volumes: [{name: a, emptyDir: {}}, {name: b, configMap: {name: c}}]");
    let workload = Workload::new(&loaded.units[0].resources[0], &[]).unwrap();
    assert!(workload.pods[0].volume("b").unwrap().get("configMap").is_some());
    assert!(workload.pods[0].volume("c").is_none());
}

#[test]
fn a_label_is_there_missing_or_not_known() {
    let loaded = load(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels: {app: x, team: \"{{ .Values.team }}\", env: \"${ENV}\", none: \
         ~}\n",
    );
    let workload = Workload::new(&loaded.units[0].resources[0], &[]).unwrap();
    let labels = &workload.pods[0].labels;
    assert_eq!((labels.has("app"), labels.has("other")), (Some(true), Some(false)));
    assert_eq!((labels.equals("app", "x"), labels.equals("app", "y")), (Some(true), Some(false)));
    assert_eq!((labels.equals("team", "x"), labels.equals("env", "x")), (None, None));
    assert_eq!(labels.equals("team", "{{ .Values.team }}"), Some(true));
    assert_eq!(labels.equals("app", "${APP}"), None);
    assert_eq!((labels.equals("none", ""), labels.equals("none", "x")), (Some(true), Some(false)));
    for open in ["labels: {\"{{ .Values.key }}\": x}", "labels: \"{{ .Values.labels }}\""] {
        let loaded = load(&format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  {open}\n"));
        let workload = Workload::new(&loaded.units[0].resources[0], &[]).unwrap();
        assert_eq!(workload.pods[0].labels.has("app"), None, "{open}");
    }
}
