//! Kustomize's own tests: the same objects in the same order, and an error where it gives one.
//!
//! The cases lie beside the repository (`../shared/conformance/kustomize`); without them the test says so and passes.
//! `CASE=name cargo test --test kustomize` runs one and prints it.

use std::path::{Path, PathBuf};

use kvlint::load::kustomize::{Accumulated, Disk, Folder, Order, Workspace, build, emit};
use kvlint::source::SourceMap;
use serde_json::Value as Json;

/// Cases in which the real tool (kubectl with Kustomize v5.5.0) does not do what the case says; we do what the tool does.
const TOOL_DISAGREES: &[&str] = &[
    // The case's build calls itself `kustomize-(test)`, the tool writes its version.
    "managedbylabel__TestAddManagedbyLabel__2",
];

fn cases() -> Option<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/kustomize");
    let mut found: Vec<PathBuf> = std::fs::read_dir(root).ok()?.flatten().map(|e| e.path()).collect();
    found.retain(|p| p.join("meta.json").is_file());
    found.sort();
    Some(found)
}

fn run(folder: &Path, anywhere: bool, order: Order) -> (Accumulated, String, String) {
    let mut sources = SourceMap::new();
    // Places without a file of their own are in the first.
    sources.add("<none>", "");
    let files = Disk;
    let mut ws = Workspace::new(&files, &mut sources);
    ws.load_anywhere = anywhere;
    let canonical = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let root = Folder { canonical, shown: folder.to_path_buf() };
    let built = build(&mut ws, &root, order);
    let text = emit(&ws, &built.resources, false);
    let with_origins = emit(&ws, &built.resources, true);
    (built, text, with_origins)
}

fn documents(text: &str) -> Vec<Json> {
    use serde::Deserialize;
    serde_yaml::Deserializer::from_str(text)
        .map(|d| Json::deserialize(d).expect("printed YAML is YAML"))
        .filter(|d| !d.is_null())
        .collect()
}

#[test]
fn the_cases_of_kustomize_agree() {
    let Some(cases) = cases() else {
        eprintln!("skipped: ../shared/conformance/kustomize is not there");
        return;
    };
    let only = std::env::var("CASE").ok();
    let (mut agreed, mut wrong) = (0, Vec::new());
    for case in cases {
        let name = case.file_name().expect("a name").to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|o| !name.contains(o.as_str())) || TOOL_DISAGREES.contains(&name.as_str()) {
            continue;
        }
        let meta: Json =
            serde_json::from_str(&std::fs::read_to_string(case.join("meta.json")).expect("meta")).expect("JSON");
        let folder = case.join("input").join(meta["run"].as_str().unwrap_or("."));
        let anywhere = meta["options"]["LoadRestrictions"].as_str().is_some_and(|o| o.ends_with("None"));
        let order = if meta["options"]["Reorder"].is_string() { Order::Legacy } else { Order::Fifo };
        let (built, text, with_origins) = run(&folder, anywhere, order);
        let fatal: Vec<&str> = built.log.problems.iter().filter(|p| p.is_fatal()).map(|p| p.message.as_str()).collect();
        if only.is_some() {
            println!("{with_origins}\n{:#?}", built.log);
        }
        let verdict = match std::fs::read_to_string(case.join("expected.yaml")) {
            Err(_) if fatal.is_empty() => Err("an error is expected".to_string()),
            Err(_) => Ok(()),
            Ok(_) if !fatal.is_empty() => Err(format!("fails: {fatal:?}")),
            Ok(_) if !built.log.missing.is_empty() => Err(format!("partial: {:?}", built.log.missing)),
            Ok(expected) => {
                let (found, expected) = (documents(&text), documents(&expected));
                if found == expected { Ok(()) } else { Err(difference(&found, &expected)) }
            }
        };
        match verdict {
            Ok(()) => agreed += 1,
            Err(e) => wrong.push(format!("{name}: {e}")),
        }
    }
    println!("{agreed} cases agree");
    assert!(wrong.is_empty(), "{agreed} agree, {} do not:\n{}", wrong.len(), wrong.join("\n"));
}

fn difference(found: &[Json], expected: &[Json]) -> String {
    let title =
        |d: &Json| format!("{}/{}", d["kind"].as_str().unwrap_or("?"), d["metadata"]["name"].as_str().unwrap_or("?"));
    let titles = |list: &[Json]| list.iter().map(title).collect::<Vec<_>>();
    if titles(found) != titles(expected) {
        return format!("objects are {:?}, not {:?}", titles(found), titles(expected));
    }
    let at = found.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(0);
    format!("{}: found\n  {}\nexpected\n  {}", title(&found[at]), found[at], expected[at])
}

fn texts(files: &[(&str, &str)]) -> kvlint::load::Loaded {
    let files: Vec<(PathBuf, String)> = files.iter().map(|(p, t)| (PathBuf::from(p), t.to_string())).collect();
    kvlint::load::from_texts(&files)
}

const BASE: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: engine
  labels: {app: engine, tier: old}
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: engine
          image: vllm/vllm-openai:v0.8.0
          args: [serve, qwen]
";

#[test]
fn every_part_leads_to_the_line_that_set_it() {
    let loaded = texts(&[
        ("base/deployment.yaml", BASE),
        ("base/kustomization.yaml", "resources: [deployment.yaml]\n"),
        (
            "prod/kustomization.yaml",
            "resources: [../base]\nnamePrefix: prod-\nimages:\n  - name: vllm/vllm-openai\n    newTag: v0.12.0\npatches:\n  - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata:\n        name: engine\n        labels:\n          tier: null\n      spec:\n        replicas: 3\n",
        ),
    ]);
    let unit = &loaded.units[0];
    assert_eq!(unit.root, Path::new("prod"));
    let node = unit.resources[0].node();
    let at = |span: kvlint::source::Span| {
        let file = loaded.sources.file(span.file);
        format!("{}:{} {}", file.path().display(), file.line_column(span.start).line, file.slice(span))
    };
    let name = node.at("metadata.name").expect("a name");
    assert_eq!(name.text(), Some("prod-engine"));
    assert_eq!(at(name.sub_span(0..5)), "prod/kustomization.yaml:2 prod-");
    assert_eq!(at(name.sub_span(5..11)), "base/deployment.yaml:4 engine");
    let image =
        node.at("spec.template.spec.containers").expect("containers").items()[0].get("image").expect("an image");
    assert_eq!(image.text(), Some("vllm/vllm-openai:v0.12.0"));
    assert_eq!(at(image.sub_span(17..24)), "prod/kustomization.yaml:5 v0.12.0");
    assert_eq!(at(image.sub_span(0..16)), "base/deployment.yaml:12 vllm/vllm-openai");
    assert_eq!(at(image.overridden()[0].span), "base/deployment.yaml:12 vllm/vllm-openai:v0.8.0");
    let replicas = node.at("spec.replicas").expect("replicas");
    assert_eq!((replicas.as_int(), at(replicas.span())), (Some(3), "prod/kustomization.yaml:15 3".to_string()));
    assert!(matches!(replicas.origin().step, kvlint::yaml::Step::Applied(kvlint::yaml::Directive::Patch, _)));
    let removal = &node.tree().removals()[0];
    assert_eq!(removal.path, ["metadata", "labels", "tier"]);
    assert_eq!(
        (at(removal.by), at(removal.removed)),
        ("prod/kustomization.yaml:13 null".to_string(), "base/deployment.yaml:5 old".to_string(),)
    );
}

#[test]
fn a_defect_of_the_base_is_one_finding_that_names_the_overlays() {
    let patch = "resources: [../base]\npatches:\n  - target: {kind: Deployment}\n    patch: |\n      - {op: remove, path: /spec/nothing}\n";
    let loaded = texts(&[
        ("base/deployment.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: \"engine}\n"),
        ("base/kustomization.yaml", "resources: [deployment.yaml]\n"),
        ("dev/kustomization.yaml", "resources: [../base]\n"),
        ("prod/kustomization.yaml", patch),
    ]);
    let outcome = kvlint::lint::lint(&loaded, &kvlint::config::Config::default(), Some(&["yaml-syntax"]));
    assert_eq!(outcome.diagnostics.len(), 1, "{:?}", outcome.diagnostics);
    assert_eq!(outcome.diagnostics[0].notes.last().map(String::as_str), Some("in dev and prod"));
}

#[test]
fn leftover_files_beside_a_kustomization_are_not_deployed() {
    let folder = support::folder(&[
        ("app/kustomization.yaml", "resources: [used.yaml]\n"),
        ("app/used.yaml", BASE),
        ("app/unused.yaml", BASE),
        ("plain/deployment.yaml", BASE),
    ]);
    let inputs = kvlint::load::Inputs { paths: vec![folder.path().to_path_buf()], ..Default::default() };
    let loaded = kvlint::load::load(&inputs).expect("a folder");
    let kinds: Vec<(&str, usize)> = loaded.units.iter().map(|u| (u.kind.as_str(), u.resources.len())).collect();
    assert_eq!(kinds, [("kustomize", 1), ("plain", 1)]);
    assert!(loaded.skipped.iter().any(|s| s.path.ends_with("unused.yaml")));
}

/// What the root `k` of some texts builds, as text and with its log.
fn printed(files: &[(&str, &str)]) -> (String, kvlint::load::kustomize::accumulate::Log) {
    let mut sources = SourceMap::new();
    sources.add("<none>", "");
    let texts =
        kvlint::load::kustomize::Texts::new(files.iter().map(|(path, text)| (Path::new(*path), text.as_bytes())));
    let mut ws = Workspace::new(&texts, &mut sources);
    let built = build(&mut ws, &Folder { canonical: "k".into(), shown: "k".into() }, Order::Legacy);
    let text = emit(&ws, &built.resources, false);
    (text, built.log)
}

fn messages(log: &kvlint::load::kustomize::accumulate::Log) -> Vec<&str> {
    log.problems.iter().map(|p| p.message.as_str()).collect()
}

#[test]
fn what_stands_in_quotes_stays_a_text() {
    let object =
        "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: e}\nspec: {paused: 'x', replicas: \"1\", a: plain}\n";
    let patch = "resources: [a.yaml]\nreplicas: [{name: e, count: 4}]\npatches:\n- patch: |\n    kind: Deployment\n    apiVersion: apps/v1\n    metadata: {name: e}\n    spec: {paused: true, a: true}\n";
    let (text, _) = printed(&[("k/a.yaml", object), ("k/kustomization.yaml", patch)]);
    assert!(text.contains("  a: true\n  paused: \"true\"\n  replicas: \"4\"\n"), "{text}");
    let generated = "configMapGenerator:\n- name: c\n  literals: [j=1, k=x]\npatches:\n- patch: |\n    kind: ConfigMap\n    apiVersion: v1\n    metadata: {name: c}\n    data: {j: true, k: true}\n";
    let (text, _) = printed(&[("k/kustomization.yaml", generated)]);
    assert!(text.contains("  j: \"true\"\n  k: true\n"), "{text}");
}

#[test]
fn labels_that_one_directive_set_are_one() {
    let base = [
        (
            "b/a.yaml",
            "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: e}\nspec: {template: {metadata: {labels: {app: a}}}}\n",
        ),
        ("b/kustomization.yaml", "resources: [a.yaml]\nlabels: [{pairs: {team: one}, includeSelectors: true}]\n"),
    ];
    let teams = |overlay: &str| {
        let (text, _) = printed(&[base[0], base[1], ("k/kustomization.yaml", overlay)]);
        text.lines().filter_map(|l| l.trim().strip_prefix("team: ")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(teams("resources: [../b]\nlabels: [{pairs: {team: two}}]\n"), "two two two");
    let merge = "resources: [../b]\npatches:\n- patch: |\n    kind: Deployment\n    apiVersion: apps/v1\n    metadata: {name: e, labels: {team: two}}\n";
    assert_eq!(teams(merge), "two two two");
    // A generator writes the labels and annotations of what it replaces anew.
    let marks = "configMapGenerator: [{name: c}]\nlabels: [{pairs: {t: one}, fields: [{path: metadata/annotations, create: true}]}]\n";
    let over = "resources: [../b]\nlabels: [{pairs: {t: two}}]\nconfigMapGenerator: [{name: c, behavior: replace}]\n";
    let (text, _) = printed(&[("b/kustomization.yaml", marks), ("k/kustomization.yaml", over)]);
    assert!(text.contains("  annotations:\n    t: one\n  labels:\n    t: two\n"), "{text}");
    let json = "resources: [../b]\nlabels: [{pairs: {team: three}}]\npatches:\n- target: {kind: Deployment}\n  patch: |\n    - {op: replace, path: /metadata/labels/team, value: two}\n";
    assert_eq!(teams(json), "three one one");
}

#[test]
fn small_things_are_as_in_the_real_tool() {
    let (text, _) = printed(&[(
        "k/kustomization.yaml",
        "secretGenerator: [{name: g}, {name: g, behavior: merge}]\nconfigMapGenerator: [{name: f, literals: [f2=a, f10=b, f1=c]}]\n",
    )]);
    assert!(text.contains("name: g-8226t8dd99") && !text.contains("data: {}"), "{text}");
    assert!(text.contains("  f1: c\n  f2: a\n  f10: b\n"), "{text}");
    let (text, _) = printed(&[
        ("k/a.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: c, annotations: {a: 1e3, b: 007, c: yes}}\n"),
        (
            "k/kustomization.yaml",
            "resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: '[{op: add, path: /data, value: {z: q}}]'\n",
        ),
    ]);
    assert!(text.contains("    a: \"1000\"\n    b: \"7\"\n    c: \"yes\"\n"), "{text}");
    // The narrower field comes first when the lists are joined, and so the field of all kinds counts as there.
    let (text, _) = printed(&[
        ("k/a.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\n"),
        ("k/f.yaml", "namePrefix: [{path: metadata/name, kind: Namespace}]\n"),
        ("k/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: p-\nconfigurations: [f.yaml]\n"),
    ]);
    assert!(text.contains("  name: c\n"), "{text}");
    let (text, log) = printed(&[
        ("k/a.yaml", "kind: Service\napiVersion: v1\nmetadata: {name: a}\nspec: {type: x}\n"),
        (
            "k/kustomization.yaml",
            "resources: [a.yaml]\npatches:\n- patch: |\n    kind: Service\n    apiVersion: v1\n    metadata: {name: a}\n    $patch: replace\n    spec: {type: y}\n",
        ),
    ]);
    assert!(text.contains("type: x"), "{text}");
    assert_eq!(messages(&log), ["`$patch: replace` does nothing for a whole object: `Service/a` stays as it is"]);
}

/// A map of settings named `a`, and what `fields` adds to it.
fn settings(name: &str, fields: &str) -> String {
    format!("kind: ConfigMap\napiVersion: v1\nmetadata: {{name: {name}{fields}}}\ndata: {{n: \"7\", m: q}}\n---\n")
}

#[test]
fn replacements_copy_what_stands_there_now() {
    // The source is written to by its own replacement, twice.
    let itself = "resources: [a.yaml]\nnamePrefix: p-\nreplacements:\n- source: {kind: ConfigMap, name: a}\n  targets:\n  - select: {kind: ConfigMap, name: a}\n    fieldPaths: [metadata.name, metadata.name]\n    options: {delimiter: '-', index: 1}\n";
    let (text, _) = printed(&[("k/a.yaml", &settings("a", "")), ("k/kustomization.yaml", itself)]);
    assert!(text.contains("name: p-p-p-a-a\n"), "{text}");
    // A name that a prefix or a patch wrote is no text any more by its tag, and a number takes its place as one.
    let number = |extra: &str| {
        let overlay = format!(
            "resources: [a.yaml]\n{extra}replacements:\n- source: {{kind: ConfigMap, name: s, fieldPath: data.n}}\n  targets: [{{select: {{kind: ConfigMap, name: a}}}}]\n"
        );
        let files = settings("a", "") + &settings("s", "");
        printed(&[("k/a.yaml", &files), ("k/kustomization.yaml", &overlay)]).0
    };
    assert!(number("").contains("name: \"7\"\n"));
    assert!(number("namePrefix: p-\n").contains("name: 7\n"));
    let patch =
        "patches:\n- patch: |\n    kind: ConfigMap\n    apiVersion: v1\n    metadata: {name: a}\n    data: {x: z}\n";
    assert!(number(patch).contains("name: 7\n"));
}

#[test]
fn an_empty_text_is_a_value_to_copy() {
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: ''}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {x: was}\n";
    let replacements = "resources: [a.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: a, fieldPath: data.x}\n  targets: [{select: {kind: ConfigMap, name: b}, fieldPaths: [data.x]}]\n";
    let (text, log) = printed(&[("k/kustomization.yaml", replacements), ("k/a.yaml", settings)]);
    assert!(messages(&log).is_empty(), "{:?}", messages(&log));
    assert_eq!(text.matches("x: \"\"").count(), 2, "{text}");
}

#[test]
fn a_mapping_has_no_text_to_copy() {
    let copy = |annotations: &str, prefix: &str| {
        let files = settings("a", "") + &settings("s", annotations);
        let overlay = format!(
            "resources: [a.yaml]\n{prefix}replacements:\n- source: {{kind: ConfigMap, name: s, fieldPath: metadata.annotations}}\n  targets: [{{select: {{kind: ConfigMap, name: a}}, fieldPaths: [data.m]}}]\n"
        );
        printed(&[("k/a.yaml", &files), ("k/kustomization.yaml", &overlay)])
    };
    for annotations in [", annotations: {x: z}", ", annotations: {}", ", annotations: null", ""] {
        let (text, log) = copy(annotations, "namePrefix: p-\n");
        assert!(text.contains("  m: \"\"\n") && log.problems.is_empty(), "{text} {log:?}");
        assert!(!text.contains("annotations: null"), "{text}");
    }
    // Without notes of Kustomize's own there is nothing to copy.
    assert_eq!(messages(&copy(", annotations: {}", "").1), ["`ConfigMap/s` has no `metadata.annotations`"]);
}

#[test]
fn notes_among_the_annotations_are_as_in_the_real_tool() {
    let patched = |patch: &str, options: &str| {
        let overlay = format!(
            "configMapGenerator: [{{name: c, literals: [j=x], options: {{annotations: {{b: v}}}}}}]\npatches:\n- patch: |\n    kind: ConfigMap\n    apiVersion: v1\n    metadata: {{name: c, annotations: {patch}}}\n{options}"
        );
        printed(&[("k/kustomization.yaml", &overlay)]).0
    };
    // With options the annotations are written anew as texts, and null deletes none of them.
    let options = "  options: {allowNameChange: true}\n";
    assert!(patched("{b: null}", options).contains("    b: \"null\"\n"));
    assert!(patched("null", options).contains("    b: v\n"));
    assert!(!patched("{b: null}", "").contains("b:"));
    // Where all go, the note goes that asks for a hash.
    assert!(patched("{x: z}", "").contains("  name: c-"));
    assert!(patched("null", "").contains("  name: c\n"));
    assert!(patched("{$patch: replace, x: z}", "").contains("  name: c\n"));
    // Notes make the mapping be there for labels that do not make it.
    let fields =
        "resources: [a.yaml]\nnamespace: n\nlabels: [{pairs: {t: u}, fields: [{path: metadata/annotations}]}]\n";
    let (text, _) = printed(&[("k/a.yaml", &settings("a", "")), ("k/kustomization.yaml", fields)]);
    assert!(text.contains("  annotations:\n    t: u\n"), "{text}");
}

#[test]
fn names_follow_the_kinds_in_the_order_of_the_real_tool() {
    let set = |kind: &str| format!("kind: {kind}\napiVersion: apps/v1\nmetadata: {{name: e}}\nspec: {{}}\n---\n");
    let scaler = "kind: HorizontalPodAutoscaler\napiVersion: autoscaling/v2\nmetadata: {name: h}\nspec: {scaleTargetRef: {kind: ReplicaSet, name: e}}\n";
    let files = set("ReplicaSet") + &set("StatefulSet") + scaler;
    let overlay = "resources: [a.yaml]\nnamePrefix: p-\npatches: [{target: {kind: ReplicaSet}, patch: '[{\"op\": \"replace\", \"path\": \"/metadata/name\", \"value\": \"r\"}]'}]\n";
    let (text, _) = printed(&[("k/a.yaml", &files), ("k/kustomization.yaml", overlay)]);
    assert!(text.contains("    kind: ReplicaSet\n    name: p-e\n"), "{text}");
}

#[test]
fn a_namespace_beside_a_name_is_the_first_one_where_any_object_started_there() {
    let account = "kind: ServiceAccount\napiVersion: v1\nmetadata: {name: default, namespace: serving}\n---\n";
    let binding = |namespace: &str| {
        format!(
            "kind: RoleBinding\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {{name: r{namespace}}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: x}}\nsubjects: [{{kind: ServiceAccount, name: default}}]\n"
        )
    };
    let base = "resources: [a.yaml]\nnamespace: default\n";
    let built = |binding: &str| {
        let files = account.to_string() + binding;
        let over = "resources: [../b]\nnamePrefix: p-\n";
        printed(&[("b/a.yaml", &files), ("b/kustomization.yaml", base), ("k/kustomization.yaml", over)]).0
    };
    // The binding itself started in the namespace that both are in now, and the account did not.
    let text = built(&binding(""));
    assert!(text.contains("- kind: ServiceAccount\n  name: default\n"), "{text}");
    let text = built(&binding(", namespace: serving"));
    assert!(text.contains("- kind: ServiceAccount\n  name: p-default\n"), "{text}");
}

#[test]
fn a_transformer_of_hashes_adds_one_more() {
    let overlay = "configMapGenerator: [{name: c, literals: [j=x]}]\ntransformers: ['{apiVersion: builtin, kind: HashTransformer, metadata: {name: h}}']\n";
    let (text, _) = printed(&[("k/kustomization.yaml", overlay)]);
    let name = text.lines().find_map(|l| l.strip_prefix("  name: c-")).expect("a name");
    let (first, second) = name.split_once('-').expect("two hashes");
    assert_eq!((first, first.len()), (second, 10));
}

#[test]
fn what_the_real_tool_refuses_is_an_error() {
    let no_name = "resources: [a.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: a, fieldPath: data.m, options: {delimiter: q}}\n  targets: [{select: {kind: ConfigMap, name: a}}]\n";
    let (_, log) = printed(&[("k/a.yaml", &settings("a", "")), ("k/kustomization.yaml", no_name)]);
    assert_eq!(messages(&log), ["something takes the name of this ConfigMap away"]);
    let over = "resources: [../b]\nnamePrefix: p-\n";
    let object = settings("a", "");
    let (_, log) = printed(&[("b/a.yaml", &object), ("b/kustomization.yaml", no_name), ("k/kustomization.yaml", over)]);
    assert_eq!(messages(&log), ["something takes the name of this ConfigMap away"]);
    // A replacement gives two objects one name, and nothing looks until the end.
    let one_name = "resources: [a.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: s}\n  targets: [{select: {kind: ConfigMap, name: a}}]\n";
    for other in ["", ", annotations: {config.kubernetes.io/local-config: \"true\"}"] {
        let files = settings("a", other) + &settings("s", "");
        let (_, log) = printed(&[("k/a.yaml", &files), ("k/kustomization.yaml", one_name)]);
        assert_eq!(messages(&log), ["in the end two objects are `ConfigMap/s`"]);
    }
    let (_, log) = printed(&[
        (
            "k/a.yaml",
            "kind: Service\napiVersion: v1\nmetadata: {name: a}\nspec: {ports: [{name: http, targetPort: 80}]}\n",
        ),
        (
            "k/kustomization.yaml",
            "resources: [a.yaml]\nreplacements:\n- source: {kind: Service, fieldPath: spec.ports.0.name}\n  targets: [{select: {kind: Service}, fieldPaths: [spec.ports.0.targetPort]}]\n",
        ),
    ]);
    assert_eq!(messages(&log).len(), 1, "{log:?}");
    let (_, log) = printed(&[
        (
            "k/a.yaml",
            "kind: RoleBinding\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: r}\nsubjects: [{kind: User}]\n",
        ),
        ("k/kustomization.yaml", "resources: [a.yaml]\n"),
    ]);
    assert_eq!(messages(&log), ["this subject of the binding has no name"]);
    let (text, log) = printed(&[
        ("k/a.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {size: {{SIZE}}}\n"),
        ("k/kustomization.yaml", "resources: [a.yaml]\n"),
    ]);
    assert!(text.is_empty() && log.problems.iter().all(|p| p.is_fatal()) && log.problems.len() == 1, "{log:?}");
}

#[test]
fn what_a_missing_file_would_have_made_is_not_missed_again() {
    let uses = "replacements:\n- source: {kind: ConfigMap, name: env, fieldPath: data.A}\n  targets: [{select: {kind: Pod}, fieldPaths: [metadata.namespace]}]\n";
    let base = format!("configMapGenerator: [{{name: env, envs: [site.env]}}]\n{uses}");
    let over = format!("resources: [../b]\n{uses}");
    let (_, log) = printed(&[("b/kustomization.yaml", &base), ("k/kustomization.yaml", &over)]);
    assert_eq!(messages(&log), ["there is no file `site.env`"]);
    // What another base lacks says nothing about this one.
    let both = "resources: [../b, ../c]\n";
    let alone = format!("configMapGenerator: [{{name: x}}]\n{uses}");
    let (_, log) =
        printed(&[("b/kustomization.yaml", &base), ("c/kustomization.yaml", &alone), ("k/kustomization.yaml", both)]);
    assert_eq!(messages(&log), ["there is no file `site.env`", "no object is the source of this replacement"]);
}

#[test]
fn what_is_elsewhere_is_missing_and_not_wrong() {
    let overlay = "resources: [a.yaml]\npatches: [{path: 'https://x.example/p.yaml'}]\nconfigurations: ['https://x.example/c.yaml']\nconfigMapGenerator: [{name: c, envs: ['https://x.example/c.env']}]\n";
    let (text, log) =
        printed(&[("k/a.yaml", "kind: Pod\napiVersion: v1\nmetadata: {name: a}\n"), ("k/kustomization.yaml", overlay)]);
    assert_eq!((messages(&log), log.missing.len()), (Vec::new(), 3), "{log:?}");
    assert!(text.contains("kind: Pod"), "{text}");
}

#[test]
fn replaced_labels_are_those_of_the_patch() {
    let overlay =
        |patch: &str| format!("resources: [../base]\npatches:\n- target: {{kind: Deployment}}\n  patch: |\n{patch}");
    let json = "    - op: replace\n      path: /metadata/labels\n      value: {app: engine}\n";
    let merge = "    kind: Deployment\n    apiVersion: apps/v1\n    metadata:\n      name: engine\n      labels: {$patch: replace, app: engine}\n";
    for (patch, line) in [(json, 6), (merge, 9)] {
        let loaded = texts(&[
            ("base/deployment.yaml", BASE),
            ("base/kustomization.yaml", "resources: [deployment.yaml]\n"),
            ("prod/kustomization.yaml", &overlay(patch)),
        ]);
        let node = loaded.units[0].resources[0].node();
        let at = |span: kvlint::source::Span| {
            let file = loaded.sources.file(span.file);
            (file.path().display().to_string(), file.line_column(span.start).line, file.slice(span).to_string())
        };
        let labels = node.at("metadata").and_then(|m| m.entry("labels")).expect("labels");
        let (path, found, text) = at(labels.key.span());
        assert_eq!((path.as_str(), found, text.as_str()), ("prod/kustomization.yaml", line, "labels"));
        let (gone, removed) = loaded.units[0].resources[0].removed(&["metadata", "labels", "tier"]).expect("a trace");
        assert_eq!(at(gone).1, line);
        assert_eq!(at(removed).2, "old");
    }
}

#[test]
fn a_folder_without_a_kustomization_is_one_error() {
    let ran = support::kvlint(support::folder(&[]), &["build", "empty"]);
    assert_eq!((ran.err.trim_end(), ran.code), ("error: `empty` holds no kustomization", Some(2)));
}

#[test]
fn origins_lead_through_every_wrapping() {
    let patches = [
        "|\n      - op: add\n        path: /metadata/labels/new\n        value: \"1\"\n",
        "|4-\n        - {op: add, path: /metadata/labels/new, value: \"a\\tb\"}\n",
        ">-\n      [{\"op\": \"add\", \"path\": \"/metadata/labels/new\",\n      \"value\": \"1\"}]\n",
        "\"- op: add\\n  path: /metadata/labels/new\\n  value: \\\"1\\\"\\n\"\n",
        "'- {op: add, path: /metadata/labels/new, value: ''1''}'\n",
        "\"kind: Deployment\\napiVersion: apps/v1\\nmetadata: {name: engine, labels: {new: \\\"1\\\"}}\\n\"\n",
        "|+2\n        kind: Deployment\n        apiVersion: apps/v1\n        metadata:\n          name: engine\n          labels:\n            new: |-\n              two\n              lines\n\n",
    ];
    let aliases = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: engine, labels: &l {app: \"a\\u0062\"}}\nspec:\n  selector: {matchLabels: *l}\n  template: {metadata: {labels: {<<: *l, more: x}}, spec: {containers: [{name: e, image: 'r:5000/e:1@sha256:2'}]}}\n";
    let replacement = "replacements:\n- source: {kind: Deployment, fieldPath: spec.template.spec.containers.0.image, options: {delimiter: ':', index: 1}}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [metadata.labels.app, metadata.annotations.made]\n    options: {delimiter: '-', index: 1, create: true}\nnamePrefix: p-\nimages: [{name: 'r:5000/e', newTag: \"v1\"}]\n";
    for patch in patches {
        let overlay =
            format!("resources: [../base]\n{replacement}patches:\n- target: {{kind: Deployment}}\n  patch: {patch}");
        let loaded = texts(&[
            ("base/deployment.yaml", aliases),
            ("base/kustomization.yaml", "resources: [deployment.yaml]\n"),
            ("over/kustomization.yaml", &overlay),
        ]);
        let unit = &loaded.units[0];
        assert!(unit.is_complete(), "{:?} {overlay}", unit.missing);
        let node = unit.resources[0].node();
        assert!(node.at("metadata.labels.new").is_some(), "{overlay}");
        assert_eq!(node.at("metadata.labels.app").and_then(|n| n.text()), Some("ab-5000/e"));
        let mut wrong = Vec::new();
        every_byte(node, &loaded.sources, &mut wrong);
        assert!(wrong.is_empty(), "{wrong:#?}\n{overlay}");
    }
}

proptest::proptest! {
    #[test]
    fn origins_decode_to_the_values(
        prefix in proptest::option::of("[a-z]{1,4}-"),
        tag in proptest::option::of("v[0-9]\\.[0-9]{1,2}"),
        new_name in proptest::option::of("[a-z]{2,6}/[a-z]{2,6}"),
        namespace in proptest::option::of("[a-z]{2,8}"),
        label in proptest::option::of("[a-z]{1,6}"),
        replicas in proptest::option::of(0..9u8),
        argument in proptest::option::of("[a-z-]{1,8}"),
    ) {
        let mut overlay = String::from("resources: [../base]\n");
        if let Some(p) = &prefix { overlay += &format!("namePrefix: {p}\n"); }
        if let Some(n) = &namespace { overlay += &format!("namespace: \"{n}\"\n"); }
        if let Some(l) = &label { overlay += &format!("commonLabels: {{team: '{l}'}}\n"); }
        if tag.is_some() || new_name.is_some() {
            overlay += "images:\n  - name: vllm/vllm-openai\n";
            if let Some(t) = &tag { overlay += &format!("    newTag: {t}\n"); }
            if let Some(n) = &new_name { overlay += &format!("    newName: {n}\n"); }
        }
        if let Some(n) = replicas { overlay += &format!("replicas:\n  - name: engine\n    count: {n}\n"); }
        if let Some(a) = &argument {
            overlay += &format!("patches:\n  - target: {{kind: Deployment}}\n    patch: |\n      - op: add\n        path: /spec/template/spec/containers/0/args/-\n        value: \"{a}\"\n");
        }
        let loaded = texts(&[
            ("base/deployment.yaml", BASE),
            ("base/kustomization.yaml", "resources: [deployment.yaml]\n"),
            ("over/kustomization.yaml", &overlay),
        ]);
        let unit = &loaded.units[0];
        proptest::prop_assert!(unit.is_complete(), "{:?} {:?}", unit.missing, overlay);
        let mut wrong = Vec::new();
        every_byte(unit.resources[0].node(), &loaded.sources, &mut wrong);
        proptest::prop_assert!(wrong.is_empty(), "{wrong:?}\n{overlay}");
    }
}

/// Character by character, a text is what stands at its origin, escapes read. The signs that `images` puts between the parts are
/// not written, and a hash leads to the entry that asks for it: neighbours of one place.
fn every_byte(node: kvlint::yaml::Node<'_>, sources: &SourceMap, wrong: &mut Vec<String>) {
    node.entries().into_iter().for_each(|e| {
        every_byte(e.key, sources, wrong);
        every_byte(e.value, sources, wrong);
    });
    node.items().into_iter().for_each(|i| every_byte(i, sources, wrong));
    let text = node.text().filter(|_| !node.is_synthesised()).unwrap_or_default();
    let spans: Vec<(char, kvlint::source::Span)> =
        text.char_indices().map(|(i, c)| (c, node.sub_span(i..i + c.len_utf8()))).collect();
    let made = |i: usize| {
        let is = |other: Option<usize>| other.and_then(|o| spans.get(o)).is_some_and(|o| o.1 == spans[i].1);
        is(i.checked_sub(1)) || is(Some(i + 1))
    };
    if spans.len() > 1 && (0..spans.len()).all(made) {
        wrong.push(format!("all of {text:?} is {:?}", sources.slice(spans[0].1)));
    }
    for (i, (wanted, span)) in spans.iter().enumerate().filter(|(i, _)| !made(*i)) {
        let found = sources.slice(*span);
        let same = match found.strip_prefix('\\') {
            Some("n") => *wanted == '\n',
            Some("t") => *wanted == '\t',
            Some(escaped) if escaped.len() == 1 => escaped.starts_with(*wanted),
            Some(_) => true,
            None => found.starts_with(*wanted) || (*wanted == ' ' && found.trim().is_empty()),
        };
        if !same && !matches!(wanted, ':' | '@') {
            wrong.push(format!("character {i} of {text:?} is {found:?}"));
        }
    }
}

/// [`every_byte`] for all roots of a folder: `TREES=folder cargo test --test kustomize -- --ignored origins`.
#[test]
#[ignore = "needs a folder of trees"]
fn origins_of_a_folder_of_trees() {
    let Ok(folder) = std::env::var("TREES") else { return };
    let (mut objects, mut wrong) = (0, Vec::new());
    let mut trees: Vec<PathBuf> = std::fs::read_dir(folder).expect("trees").flatten().map(|e| e.path()).collect();
    trees.sort();
    for tree in trees {
        let inputs = kvlint::load::Inputs { paths: vec![tree.clone()], ..Default::default() };
        let Ok(loaded) = kvlint::load::load(&inputs) else { continue };
        for resource in loaded.units.iter().flat_map(|u| &u.resources) {
            let before = wrong.len();
            every_byte(resource.node(), &loaded.sources, &mut wrong);
            wrong.truncate(before + 2);
            wrong[before..].iter_mut().for_each(|w| *w = format!("{}: {w}", tree.display()));
            objects += 1;
        }
    }
    println!("{objects} objects");
    assert!(wrong.is_empty(), "{} of {objects} objects:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn hostile_trees_end() {
    // Two components a level, each of which names the next level twice.
    let mut files: Vec<(PathBuf, String)> =
        vec![(PathBuf::from("k/kustomization.yaml"), "resources: [a.yaml]\ncomponents: [../c0, ../c0/.]\n".into())];
    files.push((PathBuf::from("k/a.yaml"), BASE.to_string()));
    for i in 0..40 {
        let text = format!("kind: Component\ncomponents: [../c{0}, ../c{0}/.]\n", i + 1);
        files.push((PathBuf::from(format!("c{i}/kustomization.yaml")), text));
    }
    files.push((PathBuf::from("c40/kustomization.yaml"), "kind: Component\nnamePrefix: a-\n".into()));
    let loaded = kvlint::load::from_texts(&files);
    assert!(!loaded.units[0].is_complete());
    // A value that is copied into itself.
    let copies: String = (0..60).map(|i| format!("      - {{op: copy, from: /spec, path: /spec/a{i}}}\n")).collect();
    let patch = format!("resources: [a.yaml]\npatches:\n  - target: {{kind: Deployment}}\n    patch: |\n{copies}");
    let loaded = texts(&[("a.yaml", BASE), ("kustomization.yaml", &patch)]);
    assert!(!loaded.units[0].is_complete());
    // Not even a mapping.
    for text in [
        "[]",
        "a",
        "resources: {a: b}",
        "patches: [1]",
        "images: [[]]",
        "vars: [{name: a}]",
        "replacements: [{path: 1}]",
        "",
    ] {
        texts(&[("kustomization.yaml", text)]);
    }
}

/// Every kustomization of AIBrix that `kubectl kustomize` builds gives the same objects here. Takes a while, so it runs on
/// demand: `cargo test --test kustomize -- --ignored`.
#[test]
#[ignore = "runs kubectl for every folder"]
fn the_objects_of_aibrix_are_those_of_kubectl() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/aibrix/config");
    let kubectl = |folder: &Path| std::process::Command::new("kubectl").arg("kustomize").arg(folder).output();
    if !root.is_dir() || kubectl(&root).is_err() {
        eprintln!("skipped: kubectl or ../shared/corpus/aibrix/config is not there");
        return;
    }
    let mut compared = 0;
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().flatten() {
        if entry.file_name() != "kustomization.yaml" {
            continue;
        }
        let folder = entry.path().parent().expect("a folder");
        let theirs = kubectl(folder).expect("kubectl ran before");
        if !theirs.status.success() {
            continue;
        }
        let (built, ours, _) = run(folder, false, Order::Legacy);
        let fatal: Vec<&str> = built.log.problems.iter().filter(|p| p.is_fatal()).map(|p| p.message.as_str()).collect();
        assert!(fatal.is_empty(), "{}: {fatal:?}", folder.display());
        let theirs = documents(&String::from_utf8(theirs.stdout).expect("UTF-8"));
        let ours = documents(&ours);
        assert!(ours == theirs, "{}: {}", folder.display(), difference(&ours, &theirs));
        compared += 1;
    }
    println!("{compared} folders give the same objects");
}
