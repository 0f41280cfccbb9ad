//! Scripts: those that start an engine in several places, and those that are written in unusual ways.

use super::*;

fn engine(command: &str) -> String {
    let command = command.replace('\n', "\n          ");
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: m, namespace: d}}
spec:
  selector: {{matchLabels: {{app: m}}}}
  template:
    metadata:
      labels:
        app: m
        model.aibrix.ai/name: m
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.11.1
          {command}
          tty: false
"
    )
}

fn script(text: &str) -> String {
    engine(&format!("command: [bash, -c]\nargs:\n  - |\n    {}", text.replace('\n', "\n    ")))
}

const HIDDEN: &str = "in a way that kvlint does not read";

/// Enabled, silent, enabled once more, and disabled.
fn round(text: &str) -> String {
    let top = folder(&[("m.yaml", text)]);
    run(top.path(), &["enable", "d/m"]);
    silent(top.path(), ".");
    let enabled = read(&top, "m.yaml");
    run(top.path(), &["enable", "d/m"]);
    assert_eq!(read(&top, "m.yaml"), enabled, "a second time changes nothing");
    run(top.path(), &["disable", "d/m"]);
    assert_eq!(read(&top, "m.yaml"), text, "{enabled}");
    enabled
}

#[test]
fn every_start_of_which_one_runs_is_enabled() {
    for text in [
        "if [ -n \"$BIG\" ]; then\n  vllm serve big\nelse\n  vllm serve small\nfi",
        "vllm serve big --port 8000 || vllm serve small --port 8000",
        "case \"$SIZE\" in\n  big) vllm serve big ;;\n  *) exec vllm serve small ;;\nesac",
        "[ -e /big ] && exec vllm serve big\nexec vllm serve small",
        "if true; then vllm serve big & else vllm serve small & fi\nwait",
        "vllm serve big &\nwait\nvllm serve small",
        "until vllm serve big; do vllm serve small; done",
        "vllm serve big &\nPID=$!\nwait \"$PID\"\nexec vllm serve small",
        "if [ \"$RANK\" = 0 ]; then\n  vllm serve big & wait $!\n  exit\nfi\nexec vllm serve small",
        "if command -v uv; then\n  uv run vllm serve m\nelse\n  vllm serve m\nfi",
    ] {
        let enabled = round(&script(text));
        assert_eq!(enabled.matches("--kv-events-config").count(), 2, "{enabled}");
        assert_eq!(enabled.matches("containerPort: 5557").count(), 1, "{enabled}");
    }
    // Asking for help starts nothing.
    let enabled = round(&script("vllm serve --help\nwhile true; do\n  vllm serve m &\n  wait $!\ndone"));
    assert_eq!(enabled.matches("--kv-events-config").count(), 1, "{enabled}");
}

#[test]
fn engines_that_run_at_once_are_refused() {
    for (text, why) in [
        ("vllm serve a --port 1 &\nvllm serve b --port 2 &\nwait", "runs several engines at once"),
        ("(vllm serve a --port 1) & exec vllm serve b --port 2", "runs several engines at once"),
        ("for p in 1 2; do\n  vllm serve a --port $p &\ndone\nwait", "a loop of the script may run several"),
        (
            "while true; do\n  if true; then vllm serve a & else vllm serve b & fi\ndone",
            "a loop of the script may run several",
        ),
        ("run() { vllm serve a --port $1; }\nrun 1 & run 2 &\nvllm serve b", "does not tell which of them run"),
        ("if true; then vllm serve a; else python3 -m sglang.launch_server; fi", "may also start SGLang"),
        ("run() { vllm serve m --port 8000; }\nrun & run & wait", "does not tell which of them run"),
        ("run() { vllm serve m; }\nfor i in 1 2; do run & done\nwait", "does not tell which of them run"),
        ("vllm serve a & PID=$!\nkill $PID\nvllm serve b", "does not tell which of them run"),
        ("if true; then vllm serve m; else bash -c 'vllm serve m'; fi", HIDDEN),
        ("if true; then vllm serve m; else su user -c 'exec env A=b vllm serve m'; fi", HIDDEN),
        ("if true; then vllm serve m; else eval 'vllm serve m'; fi", HIDDEN),
        ("if true; then vllm serve m; else eval \"$START\"; fi", HIDDEN),
        ("A=(serve m)\nif true; then vllm serve m; else vllm \"${A[@]}\"; fi", HIDDEN),
        ("A=(vllm serve m)\nif true; then vllm serve m; else \"${A[@]}\"; fi", HIDDEN),
        ("if true; then vllm serve m; else poetry run python3 -m vllm.entrypoints.openai.api_server; fi", HIDDEN),
        ("if true; then vllm serve m; else torchrun -m vllm.entrypoints.openai.api_server; fi", HIDDEN),
        ("cat >start.sh <<'EOF'\nexec vllm serve m\nEOF\nif true; then vllm serve m; else bash start.sh; fi", HIDDEN),
        ("vllm() { command vllm \"$@\" --port 8000; }\nvllm serve m", HIDDEN),
    ] {
        let text = script(text);
        let top = folder(&[("m.yaml", &text)]);
        let refused = kvlint(top.path(), &["enable", "d/m"]);
        let told = refused.err;
        assert_eq!(refused.code, Some(2), "{told}");
        assert!(told.contains(why) && told.contains("m.yaml:"), "{told}");
        assert_eq!(read(&top, "m.yaml"), text, "all or nothing");
    }
}

#[test]
fn words_about_an_engine_start_none() {
    for before in [
        "echo vllm serve m",
        "eval \"$(conda shell.bash hook)\"",
        "pkill -f 'vllm serve'",
        "trap \"pkill -f 'vllm serve'\" EXIT",
        "bash -c 'echo vllm serve'",
        "pip install vllm",
        "uv run vllm serve --help",
        "mkdir -p \"$DIR\" && cd \"$DIR\"",
        "run() { sleep 1; }\nrun",
    ] {
        let enabled = round(&script(&format!("{before}\nvllm serve m\nexec vllm serve m\nvllm serve never")));
        assert_eq!(enabled.matches("--kv-events-config").count(), 2, "{enabled}");
    }
}

#[test]
fn events_are_taken_from_engines_that_run_at_once() {
    let config = "--kv-events-config '{\"enable_kv_cache_events\": true, \"publisher\": \"zmq\"}'";
    let both = script(&format!("vllm serve a --port 1 {config} &\nvllm serve b {config} --port 2 &\nwait"));
    let top = folder(&[("m.yaml", &both)]);
    run(top.path(), &["disable", "d/m"]);
    assert_eq!(read(&top, "m.yaml"), script("vllm serve a --port 1 &\nvllm serve b --port 2 &\nwait"));
}

#[test]
fn text_on_several_lines_keeps_them() {
    let script = |text: &str| {
        let text = text.replace('\n', "\n  ");
        engine(&format!("command:\n- sh\n- -c\n- {text}"))
    };
    for text in [
        ">-\nexec vllm serve m\n--port 8000\n--max-num-seqs 8",
        ">\nvllm serve m\n--port 8000",
        ">2-\n  vllm serve m \\\n  --port 8000",
        ">-\nvllm serve m \\\n  --port 8000 \\\n  --max-num-seqs 8\n\necho done",
        ">-\nvllm serve m\n--port 8000 # note\n\necho done",
        ">-\necho hi &&\nvllm serve m\n--port 8000;\necho done",
        ">-\nvllm serve m  \n--port 8000   \n--seed 1",
        ">-\nset -e\n\nvllm serve m\n--port 8000\n\nwait",
        "|-\nvllm serve m \\\n--port 8000 \\\n--seed 1",
        "\"vllm serve m\n--port 8000\"",
        "\"vllm serve m \\\n--port 8000 \\\n--seed 1\"",
        "\"set -e\\nvllm serve m \\\\\\n  --port 8000\\n\"",
        "'vllm serve m\n--port 8000'",
        "vllm serve m\n--port 8000\n--seed 1",
        "vllm serve m --port 8000",
    ] {
        for line_break in ["\n", "\r\n"] {
            let text = script(text).replace('\n', line_break);
            let enabled = round(&text);
            let line = |line: &str| !line.contains("--kv-events") && !line.contains("kv-events-enabled");
            let gone: Vec<&str> = text.lines().filter(|line| !enabled.contains(*line)).collect();
            assert!(gone.len() <= 1 && gone.into_iter().all(line), "{enabled}");
        }
    }
}

#[test]
fn brackets_and_quotes_around_several_lines_stay() {
    // In brackets the JSON needs quotes around it, which stay.
    let text = engine("command: [sh, -c, vllm serve \"m\\\\x\"\n  --port 8000]");
    let top = folder(&[("m.yaml", &text)]);
    run(top.path(), &["enable", "d/m"]);
    let enabled = read(&top, "m.yaml");
    let lines = "command: [sh, -c, \"vllm serve \\\"m\\\\\\\\x\\\"\n            --port 8000 --kv-events-config '{\\\"enable_kv_cache_events\\\": true,";
    assert!(enabled.contains(lines), "{enabled}");
    run(top.path(), &["disable", "d/m"]);
    let disabled = text.replace(
        "vllm serve \"m\\\\x\"\n            --port 8000]",
        "\"vllm serve \\\"m\\\\\\\\x\\\"\n            --port 8000\"]",
    );
    assert_eq!(read(&top, "m.yaml"), disabled);
}
