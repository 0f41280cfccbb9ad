//! Whole trees, each with the findings that it must give, and no others: `expected.txt` is the concise output, each line followed by the
//! bytes that the finding is about, written as in the examples of the rules.
//!
//! A project with a chart holds what it renders to, `rendered.yaml`: without helm its findings are led back to the templates. With
//! helm the chart itself is linted, which gives `expected-helm.txt`.
//!
//! `UPDATE=1 cargo test --test projects` writes the files anew; read the difference before you keep it.

#[path = "helm/find.rs"]
mod find;
#[path = "rules/place.rs"]
mod place;

use std::path::{Path, PathBuf};

use place::Place;

fn projects() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/projects");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(root).expect("testdata/projects").map(|e| e.expect("an entry").path()).collect();
    found.sort();
    found
}

fn run(folder: &Path, format: &str, arguments: &[&str]) -> (String, Option<i32>) {
    let ran = support::kvlint(folder, &[&["--format", format, "--color", "never"], arguments].concat());
    (ran.out, ran.code)
}

/// The findings as the concise output has them, and the places of their bytes.
fn findings(folder: &Path, arguments: &[&str]) -> (Vec<(String, Place)>, Option<i32>) {
    let (lines, code) = run(folder, "concise", arguments);
    let (report, _) = run(folder, "json", arguments);
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let place = |found: &serde_json::Value| {
        let path = found["path"].as_str().expect("a path");
        let text = std::fs::read_to_string(folder.join(path)).expect(path);
        let at = |key: &str| usize::try_from(found["span"][key].as_u64().expect(key)).expect(key);
        Place::new(path, &text, at("start")..at("end"))
    };
    let places: Vec<Place> = report["diagnostics"].as_array().expect("findings").iter().map(place).collect();
    let lines: Vec<String> = lines.lines().map(str::to_string).collect();
    assert_eq!(lines.len(), places.len(), "{lines:#?}");
    (lines.into_iter().zip(places).collect(), code)
}

/// What an expected file holds.
fn shown(found: &[(String, Place)]) -> String {
    found.iter().map(|(line, place)| format!("{line}\n    {place}\n")).collect()
}

/// What is wrong with the findings of a project, which a file beside it must hold. `UPDATE` makes the file anew.
fn unexpected(file: &Path, found: &str) -> Option<String> {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, found).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    (found != expected).then(|| format!("{} is\n{expected}\nand the program gives\n{found}", file.display()))
}

#[test]
fn every_project_gives_its_findings() {
    let mut wrong = Vec::new();
    for folder in projects() {
        let (found, code) = findings(&folder, &["."]);
        let found = shown(&found);
        wrong.extend(unexpected(&folder.join("expected.txt"), &found));
        let has_errors = found.contains(": error[");
        let config_error = found.contains("[config-invalid]");
        let wanted = if config_error { 2 } else { i32::from(has_errors) };
        assert_eq!(code, Some(wanted), "exit code of {}", folder.display());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_chart_gives_its_findings_with_helm() {
    let Some(helm) = find::helm("findings of charts") else { return };
    let helm = helm.to_str().expect("a path that is text");
    let mut wrong = Vec::new();
    for folder in projects().into_iter().filter(|folder| folder.join("chart/Chart.yaml").is_file()) {
        let found = shown(&findings(&folder, &["--helm", helm, "chart"]).0);
        wrong.extend(unexpected(&folder.join("expected-helm.txt"), &found));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_sample_chart_is_clean_with_its_switch_on_and_off() {
    let Some(helm) = find::helm("the sample chart") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (found, code) = run(root, "concise", &["--helm", helm.to_str().expect("text"), "testdata/samples"]);
    assert_eq!((found.as_str(), code), ("", Some(0)));
}

#[test]
fn the_samples_are_clean() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (found, code) = run(root, "concise", &["testdata/samples"]);
    assert_eq!((found.as_str(), code), ("", Some(0)));
}

/// A sample with one thing broken, and all that must be found: `file:line rule at bytes`.
struct Broken {
    file: &'static str,
    /// The last of it is replaced: labels stand first on the object and then on the pods.
    from: &'static str,
    to: &'static str,
    gives: &'static [&'static str],
}

const BROKEN: &[Broken] = &[
    Broken {
        file: "model/deployment.yaml",
        from: "        model.aibrix.ai/kv-events-enabled: \"true\"\n",
        to: "",
        gives: &["model/deployment.yaml:22 discovery-label-missing at `labels`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "kv-events-enabled: \"true\"",
        to: "kv-events-enabled: \"True\"",
        gives: &["model/deployment.yaml:26 discovery-label-value at `\"True\"`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "\"enable_kv_cache_events\": true",
        to: "\"enable_kv_cache_events\": false",
        gives: &["model/deployment.yaml:26 labelled-but-silent at `\"true\"`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "\"enable_kv_cache_events\": true",
        to: "'enable_kv_cache_events': true",
        gives: &["model/deployment.yaml:44 config-json-malformed at 1st `'`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "\"buffer_steps\": 10000",
        to: "\"buffer_steps\": \"many\"",
        gives: &["model/deployment.yaml:48 config-wrong-type at `\"many\"`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "buffer_steps",
        to: "buffer_step",
        gives: &["model/deployment.yaml:48 config-unknown-key at `\"buffer_step\"`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "tcp://*:5557",
        to: "tcp://0.0.0.0:5557",
        gives: &["model/deployment.yaml:46 endpoint-connects at `0.0.0.0`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "tcp://*:5557",
        to: "tcp://*",
        gives: &["model/deployment.yaml:46 endpoint-malformed at `tcp://*`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "tcp://*:5557",
        to: "tcp://*:6000",
        gives: &["model/deployment.yaml:46 port-not-dialled at `6000`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "tcp://*:5558",
        to: "tcp://*:5557",
        gives: &["model/deployment.yaml:47 replay-port-clash at `5557`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "            - name: kv-events\n              containerPort: 5557\n",
        to: "",
        gives: &["model/deployment.yaml:49 event-port-not-exposed at `ports`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "v0.12.0",
        to: "v0.6.6",
        gives: &[
            "model/deployment.yaml:30 engine-too-old at `v0.6.6`",
            "model/deployment.yaml:42 unsupported-option at `--kv-events-config`",
        ],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "v0.12.0",
        to: "latest",
        gives: &["model/deployment.yaml:30 engine-version-unknown at `latest`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "v0.12.0",
        to: "v0.24.0",
        gives: &["model/deployment.yaml:30 gateway-cannot-decode at `v0.24.0`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "\"16\"",
        to: "\"32\"",
        gives: &["model/deployment.yaml:41 block-size-mismatch at `\"32\"`"],
    },
    Broken {
        file: "model/deployment.yaml",
        from: "name: kv-replay",
        to: "name: kv-replay-endpoint",
        gives: &["model/deployment.yaml:54 port-name-invalid at `kv-replay-endpoint`"],
    },
    Broken {
        file: "model/service.yaml",
        from: "targetPort: http",
        to: "targetPort: web",
        gives: &["model/service.yaml:17 service-target-port-unknown at `web`"],
    },
    Broken {
        file: "model/service.yaml",
        from: "  name: qwen-coder-7b\n  namespace",
        to: "  name: coder\n  namespace",
        gives: &[
            "gateway/gateway.yaml:43 tokenizer-endpoint at `qwen-coder-7b.default`",
            "model/service.yaml:7 service-name-differs at `coder`",
        ],
    },
    Broken {
        file: "gateway/gateway.yaml",
        from: "value: remote\n",
        to: "value: character\n",
        gives: &["gateway/gateway.yaml:41 tokenizer-type at `character`"],
    },
    Broken {
        file: "gateway/gateway.yaml",
        from: "AIBRIX_PREFIX_CACHE_USE_REMOTE_TOKENIZER",
        to: "AIBRIX_USE_REMOTE_TOKENIZER",
        gives: &["gateway/gateway.yaml:37 gateway-variable-unread at `AIBRIX_USE_REMOTE_TOKENIZER`"],
    },
    Broken {
        file: "gateway/gateway.yaml",
        from: "REMOTE_TOKENIZER\n              value: \"true\"",
        to: "REMOTE_TOKENIZER\n              value: \"yes\"",
        gives: &["gateway/gateway.yaml:38 gateway-value-false at `\"yes\"`"],
    },
    Broken {
        file: "gateway/gateway.yaml",
        from: "qwen-coder-7b.default:8000",
        to: "qwen-coder.default:8000",
        gives: &["gateway/gateway.yaml:43 tokenizer-endpoint at `qwen-coder.default`"],
    },
    Broken {
        file: "autoscaling/podautoscaler.yaml",
        from: "scaleTargetRef",
        to: "targetRef",
        gives: &["autoscaling/podautoscaler.yaml:19 autoscaler-unknown-field at `targetRef`"],
    },
    Broken {
        file: "autoscaling/podautoscaler.yaml",
        from: "    name: qwen-coder-7b\n",
        to: "    name: coder\n",
        gives: &["autoscaling/podautoscaler.yaml:22 autoscaler-target-missing at `coder`"],
    },
];

#[test]
fn each_broken_sample_gives_its_rule() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/samples");
    let mut wrong = Vec::new();
    for Broken { file, from, to, gives } in BROKEN {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(&samples, folder.path());
        replace_last(&folder.path().join(file), from, to);
        let (found, _) = findings(folder.path(), &["."]);
        let brief = |(line, place): &(String, Place)| {
            let rule = line.split(['[', ']']).nth(1).unwrap_or_default();
            format!("{}:{} {rule} {place}", place.file, place.line)
        };
        let found: Vec<String> = found.iter().map(brief).collect();
        if found != *gives {
            wrong.push(format!("{from:?} as {to:?} gives {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A sample with one mistake in it, and the one rule that says so: what follows from the mistake is no finding of its own.
const ONE_MISTAKE: &[(&str, &str, &str, &str)] = &[
    ("model/deployment.yaml", EVENTS, "            - --enable-kv-cache-events\n", "unsupported-option"),
    ("model/deployment.yaml", EVENTS, "            - --kv-events-config\n", "config-json-malformed"),
    (
        "model/deployment.yaml",
        "            - name: kv-events\n              containerPort: 5557\n            - name: kv-replay\n              containerPort: 5558\n",
        "",
        "event-port-not-exposed",
    ),
    ("model/deployment.yaml", "containerPort: 5557", "containerport: 5557", "unknown-field"),
    ("model/deployment.yaml", "      containers:\n", "      container:\n", "unknown-field"),
    ("model/deployment.yaml", "name: kv-replay", "name: kv-replay-endpoint", "port-name-invalid"),
    ("model/deployment.yaml", "tcp://*:5557", "tcp://*:5556", "port-not-dialled"),
    ("model/deployment.yaml", "events-enabled: \"true\"", "events-enabled: \"True\"", "discovery-label-value"),
    ("model/deployment.yaml", "        model.aibrix.ai/kv-events-enabled: \"true\"\n", "", "discovery-label-missing"),
    (
        "model/deployment.yaml",
        "ai/kv-events-enabled: \"true\"",
        "ai/kv-event-enabled: \"true\"",
        "discovery-label-missing",
    ),
    (
        "model/deployment.yaml",
        "        model.aibrix.ai/kv-events-enabled: \"true\"\n",
        "      annotations:\n        model.aibrix.ai/kv-events-enabled: \"true\"\n",
        "discovery-label-value",
    ),
    ("model/service.yaml", "targetPort: kv-events", "targetPort: kv-event", "service-target-port-unknown"),
    ("gateway/gateway.yaml", "gateway-plugins:v0.7.0", "gateway-plugins:v0.4.1", "gateway-cannot-decode"),
    ("network-policies/allow-gateway.yaml", "port: 5557", "port: kv-event", "events-blocked-ingress"),
];

/// The engine's options for events in the sample.
const EVENTS: &str = "            - --kv-events-config
            - >-
              {\"enable_kv_cache_events\": true,
               \"publisher\": \"zmq\",
               \"endpoint\": \"tcp://*:5557\",
               \"replay_endpoint\": \"tcp://*:5558\",
               \"buffer_steps\": 10000}
";

#[test]
fn each_mistake_is_said_once() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/samples");
    let mut wrong = Vec::new();
    for (file, from, to, rule) in ONE_MISTAKE {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for part in ["autoscaling", "gateway", "model", "network-policies"] {
            std::fs::create_dir_all(folder.path().join(part)).expect("made");
            copy(&samples.join(part), &folder.path().join(part));
        }
        replace_last(&folder.path().join(file), from, to);
        let (found, _) = findings(folder.path(), &["."]);
        if !matches!(found.as_slice(), [(line, _)] if line.contains(&format!("[{rule}]"))) {
            wrong.push(format!("{rule} ({from:?} as {to:?}): {}", shown(&found)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Breaks a file: the last of some text becomes another.
fn replace_last(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let at = text.rfind(from).unwrap_or_else(|| panic!("{from:?} is not in {}", file.display()));
    std::fs::write(file, format!("{}{to}{}", &text[..at], &text[at + from.len()..])).expect("written");
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).expect("made");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("copied");
        }
    }
}
