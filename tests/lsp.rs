//! The language server through its standard input and output, as an editor speaks with it. Charts are rendered where there is a helm.

#[path = "helm/find.rs"]
mod find;

use std::io::BufReader;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use find::helm;
use lsp_server::Message;
use serde_json::{Value, json};
use support::{command, finish, folder, write};

/// Longer than any answer takes on a loaded machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

const POD: &str = "apiVersion: v1
kind: Pod
metadata:
  name: engine
  labels:
    model.aibrix.ai/name: phi-4
    model.aibrix.ai/kv-events-enabled: \"true\"
spec:
  containers:
    - name: vllm
      image: vllm/vllm-openai:v0.11.1
      command: [vllm, serve, microsoft/phi-4]
      args: [--kv-events-config, '{\"enable_kv_cache_events\": true, \"endpoint\": \"tcp://0.0.0.0:5557\"}']
";

struct Editor {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Message>,
    requests: i32,
}

impl Editor {
    fn start(folder: &Path, encodings: &[&str]) -> Editor {
        Editor::in_workspace(folder, &uri(folder, ""), encodings, true)
    }

    fn with_helm(folder: &Path, helm: &str) -> Editor {
        Editor::of(&["lsp", "--helm", helm], folder, &uri(folder, ""), &[], true)
    }

    fn in_workspace(folder: &Path, root: &str, encodings: &[&str], document_changes: bool) -> Editor {
        Editor::of(&["lsp", "--helm=never"], folder, root, encodings, document_changes)
    }

    fn of(arguments: &[&str], folder: &Path, root: &str, encodings: &[&str], document_changes: bool) -> Editor {
        let mut process = command(folder, arguments).stdin(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let output: ChildStdout = process.stdout.take().unwrap();
        let (send, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Ok(Some(message)) = Message::read(&mut output) {
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        let input = process.stdin.take().unwrap();
        let mut editor = Editor { process, input, messages, requests: 0 };
        let capabilities = json!({
            "general": {"positionEncodings": encodings},
            "workspace": {
                "didChangeWatchedFiles": {"dynamicRegistration": true},
                "workspaceEdit": {"documentChanges": document_changes},
            },
        });
        let answer = editor.ask(
            "initialize",
            json!({"processId": null, "capabilities": capabilities, "workspaceFolders": [{"uri": root, "name": "w"}]}),
        );
        assert_eq!(answer["serverInfo"]["name"], "kvlint");
        editor.tell("initialized", json!({}));
        editor
    }

    fn tell(&mut self, method: &str, params: Value) {
        let notice = lsp_server::Notification::new(method.to_string(), params);
        Message::from(notice).write(&mut self.input).unwrap();
    }

    /// The result of a request; notifications that come before it are dropped.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let request = lsp_server::Request::new(self.requests.into(), method.to_string(), params);
        Message::from(request).write(&mut self.input).unwrap();
        loop {
            if let Message::Response(response) = self.messages.recv_timeout(PATIENCE).expect("an answer") {
                assert_eq!(response.id, self.requests.into());
                return response.response_result.unwrap_or_else(|e| panic!("{method}: {e:?}"));
            }
        }
    }

    /// The next findings of a file for a count of changes.
    fn findings(&mut self, uri: &str, version: Option<i32>) -> Vec<Value> {
        loop {
            let Message::Notification(notice) = self.messages.recv_timeout(PATIENCE).expect("findings") else {
                continue;
            };
            let params = &notice.params;
            if notice.method == "textDocument/publishDiagnostics"
                && params["uri"] == uri
                && params["version"] == json!(version)
            {
                return params["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    fn open(&mut self, uri: &str, text: &str) {
        let document = json!({"uri": uri, "languageId": "yaml", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
    }

    fn change(&mut self, uri: &str, version: i32, changes: Value) {
        let params = json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": changes});
        self.tell("textDocument/didChange", params);
    }

    fn leave(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.process.wait().unwrap().success());
    }
}

fn uri(folder: &Path, name: &str) -> String {
    let folder = std::fs::canonicalize(folder).unwrap();
    format!("file://{}/{name}", folder.display()).trim_end_matches('/').to_string()
}

fn rules(findings: &[Value]) -> Vec<&str> {
    findings.iter().filter_map(|f| f["code"].as_str()).collect()
}

fn of<'a>(findings: &'a [Value], rule: &str) -> &'a Value {
    findings.iter().find(|f| f["code"] == rule).unwrap_or_else(|| panic!("no {rule} among {:?}", rules(findings)))
}

/// A folder that is a repository of its own, so that nothing above it counts.
fn workspace() -> tempfile::TempDir {
    folder(&[(".git/HEAD", "")])
}

#[test]
fn findings_follow_the_unsaved_text() {
    let folder = workspace();
    write(&folder, "pod.yaml", "# nothing yet\n");
    let mut editor = Editor::start(folder.path(), &["utf-16"]);
    let pod = uri(folder.path(), "pod.yaml");
    editor.open(&pod, POD);
    let found = editor.findings(&pod, Some(1));
    let connects = of(&found, "endpoint-connects");
    assert_eq!(connects["range"]["start"]["line"], 12);
    assert_eq!(connects["severity"], 1);
    let column = POD.lines().nth(12).unwrap().find("0.0.0.0").unwrap();
    assert_eq!(
        connects["range"],
        json!({"start": {"line": 12, "character": column}, "end": {"line": 12, "character": column + 7}})
    );
    let host = json!({"start": {"line": 12, "character": column}, "end": {"line": 12, "character": column + 7}});
    editor.change(&pod, 2, json!([{"range": host, "text": "*"}]));
    assert!(!rules(&editor.findings(&pod, Some(2))).contains(&"endpoint-connects"));
    assert_eq!(
        std::fs::read_to_string(folder.path().join("pod.yaml")).unwrap(),
        "# nothing yet\n",
        "nothing is written"
    );
    editor.leave();
}

#[test]
fn the_unit_around_a_file_is_linted_with_it() {
    let folder = workspace();
    std::fs::create_dir_all(folder.path().join("base")).unwrap();
    std::fs::create_dir_all(folder.path().join("prod")).unwrap();
    write(&folder, "base/kustomization.yaml", "resources: [pod.yaml]\n");
    write(&folder, "base/pod.yaml", POD.replace("0.0.0.0", "*"));
    write(&folder, "prod/kustomization.yaml", "resources: [../base]\n");
    let mut editor = Editor::start(folder.path(), &[]);
    let overlay = uri(folder.path(), "prod/kustomization.yaml");
    let base = uri(folder.path(), "base/pod.yaml");
    editor.open(&overlay, "resources: [../base]\nimages: [{name: vllm/vllm-openai, newTag: v0.8.5}]\n");
    // The tag that is not saved yet is too old for events: said at the flag in the base, which is not open.
    let found = editor.findings(&base, None);
    assert_eq!(of(&found, "unsupported-option")["range"]["start"]["line"], 12);
    let before = found.len();
    // The base as the editor has it counts for the overlay's unit.
    editor.open(&base, &POD.replace("vllm, serve", "sleep, serve"));
    assert!(editor.findings(&base, Some(1)).iter().all(|f| f["code"] != "endpoint-connects"));
    // Closing it brings back what is on disk.
    editor.tell("textDocument/didClose", json!({"textDocument": {"uri": base}}));
    assert_eq!(editor.findings(&base, None).len(), before);
    editor.leave();
}

#[test]
fn columns_are_counted_as_the_client_counts() {
    let text = POD.replace("args: [", "args: [\"😀é\", ");
    let line = text.lines().nth(12).unwrap().to_string();
    let at = line.find("0.0.0.0").unwrap();
    let utf16: usize = line[..at].chars().map(char::len_utf16).sum();
    for (encodings, column) in [(&["utf-8", "utf-16"][..], at), (&["utf-16"], utf16), (&[], utf16)] {
        let folder = workspace();
        let mut editor = Editor::start(folder.path(), encodings);
        let pod = uri(folder.path(), "pod.yaml");
        write(&folder, "pod.yaml", &text);
        editor.open(&pod, &text);
        let found = editor.findings(&pod, Some(1));
        assert_eq!(of(&found, "endpoint-connects")["range"]["start"]["character"], column, "{encodings:?}");
        editor.leave();
    }
}

#[test]
fn a_text_that_was_never_saved_is_linted_alone() {
    let folder = workspace();
    let mut editor = Editor::start(folder.path(), &[]);
    editor.open("untitled:Untitled-1", POD);
    assert!(rules(&editor.findings("untitled:Untitled-1", Some(1))).contains(&"endpoint-connects"));
    // A file outside the workspace is a unit of its own, and one that is no YAML has nothing said of it.
    let elsewhere = workspace();
    let outside = uri(elsewhere.path(), "pod.yaml");
    std::fs::write(elsewhere.path().join("pod.yaml"), POD).unwrap();
    editor.open(&outside, POD);
    assert!(rules(&editor.findings(&outside, Some(1))).contains(&"endpoint-connects"));
    let readme = uri(elsewhere.path(), "README.md");
    std::fs::write(elsewhere.path().join("README.md"), "# x\n").unwrap();
    editor.open(&readme, "# x\n");
    assert!(editor.findings(&readme, Some(1)).is_empty());
    editor.leave();
}

#[test]
fn hover_tells_the_rule_and_the_fact() {
    let folder = workspace();
    write(&folder, "pod.yaml", POD);
    let mut editor = Editor::start(folder.path(), &[]);
    let pod = uri(folder.path(), "pod.yaml");
    editor.open(&pod, POD);
    editor.findings(&pod, Some(1));
    let mut hover = |needle: &str| {
        let (line, text) = POD.lines().enumerate().find(|(_, l)| l.contains(needle)).unwrap();
        let place = json!({"line": line, "character": text.find(needle).unwrap() + 2});
        let answer = editor.ask("textDocument/hover", json!({"textDocument": {"uri": pod}, "position": place}));
        answer["contents"]["value"].as_str().unwrap_or_default().to_string()
    };
    assert!(hover("--kv-events-config").contains("a flag of vLLM, 0.9.0 and later"));
    assert!(hover("model.aibrix.ai/kv-events-enabled").contains("the gateway subscribes"));
    assert!(hover("endpoint").contains("a setting of vLLM's KV-cache events"));
    assert!(hover("0.0.0.0").contains("**[endpoint-connects]"));
    assert_eq!(hover("engine"), "", "a name of the user's own");
    let text = "args: [--kv-events-config.publisher=zmq]\n";
    editor.change(&pod, 2, json!([{"text": text}]));
    let place = json!({"line": 0, "character": 12});
    let answer = editor.ask("textDocument/hover", json!({"textDocument": {"uri": pod}, "position": place}));
    let told = answer["contents"]["value"].as_str().unwrap();
    assert!(told.starts_with("`publisher`: a setting") && told.contains("a flag of vLLM, 0.9.0 and later"), "{told}");
    editor.leave();
}

#[test]
fn links_lead_to_files_and_rules() {
    let folder = workspace();
    std::fs::create_dir(folder.path().join("base")).unwrap();
    write(&folder, "base/kustomization.yaml", "resources: []\n");
    write(&folder, "app.conf", "x\n");
    let text = "resources: [base, missing.yaml]\nconfigMapGenerator:\n  - name: c\n    files: [key=app.conf]\n# kvlint: ignore[endpoint-connects] why\n";
    let mut editor = Editor::start(folder.path(), &[]);
    let root = uri(folder.path(), "kustomization.yaml");
    write(&folder, "kustomization.yaml", text);
    editor.open(&root, text);
    let links = editor.ask("textDocument/documentLink", json!({"textDocument": {"uri": root}}));
    let targets: Vec<&str> = links.as_array().unwrap().iter().filter_map(|l| l["target"].as_str()).collect();
    assert_eq!(targets.len(), 3, "{targets:?}");
    assert!(targets[0].ends_with("/base/kustomization.yaml") && targets[1].ends_with("/app.conf"), "{targets:?}");
    assert!(targets[2].ends_with("/rules/endpoint-connects.md"));
    let app = &links.as_array().unwrap()[1]["range"];
    assert_eq!(
        *app,
        json!({"start": {"line": 3, "character": 16}, "end": {"line": 3, "character": 24}}),
        "without the key"
    );
    editor.leave();
}

#[test]
fn a_client_that_leaves_without_a_word_is_a_failure() {
    let folder = workspace();
    let mut editor = Editor::start(folder.path(), &[]);
    let refused = {
        editor.requests += 1;
        let request = lsp_server::Request::new(editor.requests.into(), "textDocument/rename".into(), json!({}));
        Message::from(request).write(&mut editor.input).unwrap();
        loop {
            if let Message::Response(response) = editor.messages.recv_timeout(PATIENCE).unwrap() {
                break response;
            }
        }
    };
    assert!(refused.response_result.is_err());
    editor.tell("exit", Value::Null);
    assert_eq!(editor.process.wait().unwrap().code(), Some(1), "as the protocol asks");
}

/// All that the server says to some messages, and its exit code.
fn said_to(messages: &[&str]) -> (String, Option<i32>) {
    use std::io::Write;
    let mut process = command(".", &["lsp"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    for text in messages {
        // A server that is gone reads nothing more.
        let _ = write!(input, "Content-Length: {}\r\n\r\n{text}", text.len());
    }
    drop(input);
    let ran = finish(process);
    (ran.out, ran.code)
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}"#;
const SHUTDOWN: &str = r#"{"jsonrpc":"2.0","id":2,"method":"shutdown"}"#;
const EXIT: &str = r#"{"jsonrpc":"2.0","method":"exit"}"#;
const HOVER: &str = r#"{"jsonrpc":"2.0","id":3,"method":"textDocument/hover","params":{}}"#;

#[test]
fn a_session_ends_as_the_protocol_asks() {
    let (_, code) = said_to(&[INITIALIZE, SHUTDOWN, EXIT]);
    assert_eq!(code, Some(0), "`initialized` need not come");
    let opened = r#"{"jsonrpc":"2.0","method":"textDocument/didClose","params":{}}"#;
    let (said, code) = said_to(&[INITIALIZE, SHUTDOWN, HOVER, opened, SHUTDOWN, EXIT]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("-32600").count(), 2, "{said}");
    assert_eq!(said_to(&[INITIALIZE, SHUTDOWN]).1, Some(0), "gone after it said so");
    for abrupt in [&[][..], &[EXIT], &[INITIALIZE], &[INITIALIZE, EXIT]] {
        assert_eq!(said_to(abrupt).1, Some(1), "{abrupt:?}");
    }
    let (said, _) = said_to(&[HOVER]);
    assert!(said.contains("-32002"), "{said}");
}

#[test]
fn what_is_no_message_is_answered_and_ends_nothing() {
    let folders = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":7,"rootUri":3,
        "workspaceFolders":[{"uri":"no uri"},{"name":"x"},{"uri":"vfs://x/y"}]}}"#;
    let (said, code) = said_to(&["{oops", folders, "[]", "{oops", SHUTDOWN, EXIT]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("-32700").count(), 2, "{said}");
    assert_eq!(said.matches("-32600").count(), 1, "{said}");
    assert!(said.contains("serverInfo"), "{said}");
}

#[test]
fn a_file_that_is_not_on_disk_yet_counts() {
    let folder = workspace();
    std::fs::create_dir(folder.path().join("base")).unwrap();
    let mut editor = Editor::start(folder.path(), &[]);
    let new = uri(folder.path(), "deep/er/new.yaml");
    editor.open(&new, POD);
    assert!(rules(&editor.findings(&new, Some(1))).contains(&"endpoint-connects"));
    // A configuration that is not saved.
    let config = uri(folder.path(), "kvlint.yaml");
    editor.open(&config, "rules: {endpoint-connects: off}\n");
    assert!(!rules(&editor.findings(&new, Some(1))).contains(&"endpoint-connects"));
    editor.leave();
}

#[test]
fn kustomizations_that_are_not_saved_decide_what_is_linted_together() {
    let folder = workspace();
    std::fs::create_dir(folder.path().join("base")).unwrap();
    write(&folder, "base/pod.yaml", POD.replace("0.0.0.0", "*"));
    let mut editor = Editor::start(folder.path(), &[]);
    let pod = uri(folder.path(), "base/pod.yaml");
    editor.open(&pod, &POD.replace("0.0.0.0", "*"));
    assert!(!rules(&editor.findings(&pod, Some(1))).contains(&"unsupported-option"));
    let base = uri(folder.path(), "base/kustomization.yaml");
    editor.open(&base, "resources: [pod.yaml]\n");
    editor.findings(&base, Some(1));
    let prod = uri(folder.path(), "prod/kustomization.yaml");
    editor.open(&prod, "resources: [../base]\nimages: [{name: vllm/vllm-openai, newTag: v0.8.5}]\n");
    loop {
        // The first answer may be to the question before.
        if rules(&editor.findings(&pod, Some(1))).contains(&"unsupported-option") {
            break;
        }
    }
    editor.leave();
}

#[test]
fn uris_that_are_not_escaped_are_read() {
    let folder = workspace();
    let place = folder.path().join("[id] é");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("pod.yaml"), POD).unwrap();
    let mut editor = Editor::in_workspace(&place, &uri(&place, ""), &[], true);
    editor.open(&uri(&place, "pod.yaml"), POD);
    let escaped = uri(folder.path(), "%5Bid%5D%20%C3%A9/pod.yaml");
    assert!(rules(&editor.findings(&escaped, Some(1))).contains(&"endpoint-connects"));
    editor.leave();
}

#[test]
fn a_base_is_mended_where_an_overlay_uses_it() {
    let folder = workspace();
    let text = format!("# kvlint: ignore-file[host-network-clash] moved on\n{POD}");
    for (name, text) in [
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", text.as_str()),
        ("prod/kustomization.yaml", "resources: [../base]\n"),
    ] {
        write(&folder, name, text);
    }
    let mut editor = Editor::in_workspace(folder.path(), &uri(folder.path(), ""), &[], false);
    let pod = uri(folder.path(), "base/pod.yaml");
    editor.open(&pod, &text);
    let found = editor.findings(&pod, Some(1));
    let range = of(&found, "suppression-unused")["range"].clone();
    let ask = json!({"textDocument": {"uri": pod}, "range": range, "context": {"diagnostics": []}});
    let actions = editor.ask("textDocument/codeAction", ask);
    let edit = &actions.as_array().unwrap()[0]["edit"];
    assert_eq!(edit["changes"][&pod][0]["newText"], "", "for a client without documentChanges: {edit}");
    assert!(edit.get("documentChanges").is_none());
    editor.leave();
}

#[test]
fn a_chart_has_its_own_data_read_and_is_told_as_not_rendered() {
    let folder = workspace();
    for (name, text) in [
        ("model/Chart.yaml", "apiVersion: v2\nname: model\nversion: 0.1.0\n"),
        ("model/values.yaml", "port: 1\n"),
        ("model/templates/a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: x{{ .Values.port }}}\n"),
    ] {
        write(&folder, name, text);
    }
    let mut editor = Editor::start(folder.path(), &[]);
    let values = uri(folder.path(), "model/values.yaml");
    editor.open(&values, "port: 1\nport: 2\n");
    let mut told = false;
    loop {
        let Message::Notification(notice) = editor.messages.recv_timeout(PATIENCE).expect("findings") else { continue };
        told |= notice.params["message"].as_str().is_some_and(|text| text.contains("model is not rendered"));
        if notice.method == "textDocument/publishDiagnostics" && notice.params["uri"] == values {
            assert_eq!(rules(notice.params["diagnostics"].as_array().unwrap()), ["duplicate-key"]);
            break;
        }
    }
    assert!(told, "in the log");
    editor.leave();
}

#[test]
fn a_chart_is_rendered_with_the_texts_that_are_not_saved() {
    let Some(helm) = helm("a_chart_is_rendered_with_the_texts_that_are_not_saved") else { return };
    let folder = workspace();
    write(&folder, "model/Chart.yaml", "apiVersion: v2\nname: model\nversion: 0.1.0\n");
    write(&folder, "model/values.yaml", "endpoint: tcp://*:5557\n");
    let template = POD.replace("tcp://0.0.0.0:5557", "{{ .Values.endpoint }}");
    write(&folder, "model/templates/pod.yaml", &template);
    let mut editor = Editor::with_helm(folder.path(), &helm.display().to_string());
    let values = uri(folder.path(), "model/values.yaml");
    editor.open(&values, "endpoint: tcp://*:5557\n");
    assert_eq!(rules(&editor.findings(&values, Some(1))), [""; 0]);
    editor.change(&values, 2, json!([{"text": "# elsewhere\nendpoint: tcp://0.0.0.0:5557\n"}]));
    let found = editor.findings(&values, Some(2));
    let host = json!({"start": {"line": 1, "character": 16}, "end": {"line": 1, "character": 23}});
    assert_eq!(of(&found, "endpoint-connects")["range"], host);
    // A template that helm does not take says where.
    let pod = uri(folder.path(), "model/templates/pod.yaml");
    editor.open(&pod, &template.replace("}}", "}"));
    assert_eq!(rules(&editor.findings(&pod, Some(1))), ["chart-does-not-render"]);
    editor.leave();
}

#[test]
fn what_a_template_reads_counts_before_it_is_saved() {
    let Some(helm) = helm("what_a_template_reads_counts_before_it_is_saved") else { return };
    let folder = workspace();
    write(&folder, "model/Chart.yaml", "apiVersion: v2\nname: model\nversion: 0.1.0\n");
    write(&folder, "model/files/host", "*\n");
    let template =
        POD.replace("0.0.0.0", "{{ .Files.Get `files/host` | trim }}").replace("phi-4\n", "{{ include \"name\" . }}\n");
    write(&folder, "model/templates/pod.yaml", &template);
    let mut editor = Editor::with_helm(folder.path(), &helm.display().to_string());
    let (pod, host) = (uri(folder.path(), "model/templates/pod.yaml"), uri(folder.path(), "model/files/host"));
    editor.open(&pod, &template);
    assert_eq!(rules(&editor.findings(&pod, Some(1))), ["chart-does-not-render"]);
    // A definition in a file that is not on disk yet.
    editor.open(&uri(folder.path(), "model/templates/_name.tpl"), "{{- define \"name\" -}}phi-4{{- end -}}");
    let found = editor.findings(&pod, Some(1));
    assert!(!rules(&found).contains(&"chart-does-not-render") && !rules(&found).contains(&"endpoint-connects"));
    editor.open(&host, "0.0.0.0\n");
    assert!(rules(&editor.findings(&pod, Some(1))).contains(&"endpoint-connects"));
    editor.leave();
}

#[test]
fn a_session_ends_while_helm_is_at_work() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = workspace();
    write(&folder, "model/Chart.yaml", "apiVersion: v2\nname: model\nversion: 0.1.0\n");
    write(&folder, "model/values.yaml", "port: 1\n");
    write(&folder, "helm", "#!/bin/sh\n: > \"${0%/*}/started\"\nexec /bin/sleep 600\n");
    let helm = folder.path().join("helm");
    std::fs::set_permissions(&helm, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut editor = Editor::with_helm(folder.path(), &helm.display().to_string());
    editor.open(&uri(folder.path(), "model/values.yaml"), "port: 2\n");
    let begun = std::time::Instant::now();
    while !folder.path().join("started").exists() {
        assert!(begun.elapsed() < PATIENCE, "helm is started");
        std::thread::sleep(Duration::from_millis(20));
    }
    // helm alone would take longer than the limit of a run.
    editor.leave();
}

#[test]
fn a_fix_is_offered_as_an_edit_of_the_text_that_it_was_found_in() {
    let folder = workspace();
    let text = format!("# kvlint: ignore-file[host-network-clash] moved on\n{POD}");
    write(&folder, "pod.yaml", &text);
    let mut editor = Editor::start(folder.path(), &[]);
    let pod = uri(folder.path(), "pod.yaml");
    editor.open(&pod, &text);
    let found = editor.findings(&pod, Some(1));
    let range = of(&found, "suppression-unused")["range"].clone();
    let ask = |kinds: Value| json!({"textDocument": {"uri": pod}, "range": range, "context": {"diagnostics": [], "only": kinds}});
    let actions = editor.ask("textDocument/codeAction", ask(json!(["quickfix"])));
    let action = &actions.as_array().unwrap()[0];
    assert!(action["title"].as_str().unwrap().ends_with("(suppression-unused)"), "{action}");
    assert_eq!(action["isPreferred"], true);
    let edits = &action["edit"]["documentChanges"][0];
    assert_eq!(edits["textDocument"], json!({"uri": pod, "version": 1}));
    let start = json!({"line": 0, "character": 0});
    assert_eq!(edits["edits"][0]["range"]["start"], start, "{edits}");
    assert_eq!(edits["edits"][0]["newText"], "");
    let none = editor.ask("textDocument/codeAction", ask(json!(["refactor"])));
    assert_eq!(none, json!([]));
    editor.leave();
}
