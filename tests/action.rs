//! The GitHub Action's scripts, run as a runner would: inputs in the environment, outputs and the summary in files.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use support::git::git;
use tempfile::TempDir;

/// One error, one publisher, one assumed gateway.
const BROKEN: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: phi-4\n  labels: {model.aibrix.ai/name: phi-4}\nspec:\n  \
    containers:\n    - name: vllm\n      image: vllm/vllm-openai:v0.11.1\n      args: [--kv-events-config, \
    '{\"enable_kv_cache_events\": true, \"publisher\": \"zmq\", \"endpoint\": \"tcp://0.0.0.0:5557\"}']\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A runner with a workspace of its own.
struct Runner {
    top: TempDir,
    action: PathBuf,
    variables: BTreeMap<&'static str, String>,
}

struct Step {
    code: i32,
    log: String,
    outputs: BTreeMap<String, String>,
    summary: String,
}

impl Runner {
    fn new(files: &[(&str, &str)]) -> Runner {
        let top = tempfile::tempdir().unwrap();
        for folder in ["workspace", "temp", "tools", "bin"] {
            fs::create_dir(top.path().join(folder)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_kvlint"), top.path().join("bin/kvlint")).unwrap();
        let runner = Runner { top, action: root().join("action"), variables: BTreeMap::new() };
        files.iter().for_each(|(path, text)| runner.write(path, text));
        runner
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.workspace().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn workspace(&self) -> PathBuf {
        self.top.path().join("workspace")
    }

    fn with(mut self, name: &'static str, value: &str) -> Runner {
        self.variables.insert(name, value.into());
        self
    }

    /// A program on the PATH before all others.
    fn program(&self, name: &str, text: &str) {
        let path = self.top.path().join("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.workspace(), arguments).trim().to_string()
    }

    fn run(&self) -> Step {
        let at = |name: &str| self.top.path().join(name);
        let (output, summary) = (at("output"), at("summary"));
        fs::write(&output, "").unwrap();
        fs::write(&summary, "").unwrap();
        let ran = Command::new("bash")
            .arg(self.action.join("run.sh"))
            // A runner starts in the workspace.
            .current_dir(self.workspace())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", at("bin").display()))
            .env("GITHUB_WORKSPACE", self.workspace())
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("RUNNER_TEMP", at("temp"))
            .env("RUNNER_TOOL_CACHE", at("tools"))
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .envs(&self.variables)
            .output()
            .unwrap();
        let text = fs::read_to_string(&output).unwrap();
        let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.to_string(), value.to_string()));
        let outputs: BTreeMap<String, String> = text.lines().map(|l| pair(l).expect("key=value")).collect();
        assert_eq!(outputs.len(), text.lines().count(), "an output was given twice: {text}");
        let log = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        Step { code: ran.status.code().unwrap(), log, outputs, summary: fs::read_to_string(&summary).unwrap() }
    }
}

impl Step {
    fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }

    /// What a runner takes for commands: lines that start so after blanks, unless it was told to stop.
    fn commands(&self) -> Vec<&str> {
        let mut stopped: Option<&str> = None;
        let mut commands = Vec::new();
        for line in self.log.lines().map(str::trim_start).filter(|l| l.starts_with("::")) {
            match stopped {
                Some(token) if line == format!("::{token}::") => stopped = None,
                Some(_) => {}
                None => match line.strip_prefix("::stop-commands::") {
                    Some(token) => stopped = Some(token),
                    None => commands.push(line),
                },
            }
        }
        assert_eq!(stopped, None, "commands stay stopped");
        commands
    }
}

fn validate_sarif(path: &str) -> serde_json::Value {
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let schema = root().join("tests/schema/sarif-schema-2.1.0.json");
    let schema = compiler.compile(schema.to_str().unwrap(), &mut schemas).unwrap();
    schemas.validate(&report, schema).unwrap_or_else(|e| panic!("{e:#}"));
    report
}

#[test]
fn findings_go_to_annotations_sarif_outputs_and_the_summary() {
    let runner = Runner::new(&[("deploy/pod.yaml", BROKEN)]);
    let step = runner.run();
    // The verdict is a step of its own, after the upload.
    assert_eq!(step.code, 0, "{}", step.log);
    assert_eq!(step.output("exit-code"), "1", "{}", step.log);
    let number = |name: &str| step.output(name).parse::<usize>().unwrap();
    assert!(number("errors") >= 1 && number("findings") >= number("errors") + number("warnings"));
    let sarif = validate_sarif(step.output("sarif-file"));
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), number("findings"));
    let commands = step.commands();
    assert_eq!(commands.len(), number("findings"), "{commands:?}");
    assert!(commands.iter().any(|c| c.starts_with("::error file=deploy/pod.yaml,line=10,")), "{commands:?}");
    assert!(
        step.summary.contains("| error | <code>deploy/pod.yaml&#58;10</code>")
            || step.summary.contains("deploy/pod.yaml:10")
    );
    assert!(
        step.summary
            .contains("[endpoint-connects](https://github.com/kvlint/kvlint/blob/main/rules/endpoint-connects.md)")
    );
    assert!(step.summary.contains("```mermaid\nflowchart LR\n"), "{}", step.summary);
}

#[test]
fn nothing_found_is_said_too() {
    let runner =
        Runner::new(&[]).with("INPUT_WORKING_DIRECTORY", &root().join("testdata/samples").display().to_string());
    let step = runner.run();
    assert_eq!((step.code, step.output("exit-code"), step.output("findings")), (0, "0", "0"), "{}", step.log);
    assert!(step.summary.contains("kvlint: no findings") && step.summary.contains("subgraph"), "{}", step.summary);
    validate_sarif(step.output("sarif-file"));
}

#[test]
fn what_fails_the_step_is_chosen() {
    let only_warnings = BROKEN
        .replace("tcp://0.0.0.0", "tcp://*")
        .replace("phi-4}", "phi-4, model.aibrix.ai/kv-events-enabled: \"true\"}")
        + "      ports: [{containerPort: 5557}]\n";
    let code = |text: &str, fail_on: &str| {
        let step = Runner::new(&[("a.yaml", text)]).with("INPUT_FAIL_ON", fail_on).run();
        step.output("exit-code").to_string()
    };
    assert_eq!((code(BROKEN, "error"), code(BROKEN, "never")), ("1".into(), "0".into()));
    assert_eq!((code(&only_warnings, "error"), code(&only_warnings, "warning")), ("0".into(), "1".into()));
    // What can't be read fails the step whatever was chosen.
    let step = Runner::new(&[]).with("INPUT_FAIL_ON", "never").with("INPUT_PATHS", "missing.yaml").run();
    assert_eq!((step.code, step.output("exit-code")), (0, "2"), "{}", step.log);
    assert!(step.summary.contains("could not do its work"), "{}", step.summary);
    let step = Runner::new(&[]).with("INPUT_FAIL_ON", "Error").run();
    assert_eq!(step.code, 2);
    assert!(step.log.contains("is one of: error warning never"), "{}", step.log);
}

#[test]
fn parts_can_be_left_out_and_reports_can_go_elsewhere() {
    let runner = Runner::new(&[("a b/pod.yaml", BROKEN), ("c/pod.yaml", BROKEN), ("d/pod.yaml", BROKEN)])
        .with("INPUT_PATHS", "a b\n\nc\r\n")
        .with("INPUT_ANNOTATIONS", "false")
        .with("INPUT_SUMMARY", "false")
        .with("INPUT_SARIF_FILE", "out.sarif");
    let step = runner.run();
    assert_eq!(step.output("exit-code"), "1", "{}", step.log);
    assert_eq!((step.commands(), step.summary.as_str()), (vec![], ""));
    let sarif = fs::read_to_string(runner.workspace().join("out.sarif")).unwrap();
    assert!(sarif.contains("a%20b/pod.yaml") && sarif.contains("c/pod.yaml") && !sarif.contains("d/pod.yaml"));
}

/// Names that a pull request could bring along.
const HOSTILE: &[&str] = &[
    "$(touch pwned).yaml",
    "`touch pwned`.yaml",
    "a; touch pwned #.yaml",
    "line\n::error title=forged::name.yaml",
    "%0A::error::forged.yaml",
    "::error::forged.yaml",
    "  ::add-path::evil.yaml",
    "--exit-zero.yaml",
    "-o.yaml",
    "```\n<script>|x|.yaml",
    "'quoted' \"twice\".yaml",
];

/// Lines with a word that Markdown would take for HTML: in neither a fence nor a code span. Backticks of names are
/// written as other quotes in spans, so that each one left begins or ends one.
fn outside_code<'s>(markdown: &'s str, word: &str) -> Vec<&'s str> {
    let mut fence: Option<usize> = None;
    let mut found = Vec::new();
    for line in markdown.lines() {
        let ticks = line.bytes().take_while(|b| *b == b'`').count();
        match fence {
            Some(open) if ticks >= open && line.len() == ticks => fence = None,
            Some(_) => {}
            None if ticks >= 3 => fence = Some(ticks),
            None if line.split('`').step_by(2).any(|outside| outside.contains(word)) => found.push(line),
            None => {}
        }
    }
    found
}

#[test]
fn names_of_files_are_no_commands() {
    let mut runner = Runner::new(&[]);
    HOSTILE.iter().for_each(|name| runner.write(name, BROKEN));
    runner.write("::warning::not yaml.yaml", "a: {{ x }}: y\n");
    for paths in [".".to_string(), HOSTILE.iter().filter(|n| !n.contains('\n')).map(|n| format!("{n}\n")).collect()] {
        runner = runner.with("INPUT_PATHS", &paths);
        let step = runner.run();
        assert_eq!(step.output("exit-code"), "1", "{}", step.log);
        assert!(!runner.workspace().join("pwned").exists());
        let findings: usize = step.output("findings").parse().unwrap();
        let commands = step.commands();
        assert_eq!(commands.len(), findings, "{commands:?}");
        assert!(commands.iter().all(|c| c.contains(",title=kvlint%3A ")), "{commands:?}");
        assert_eq!(outside_code(&step.summary, "<script>"), Vec::<&str>::new());
        // A row for each finding, and none that a name began.
        let rows = step.summary.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| |")).count();
        assert_eq!(rows, findings, "{}", step.summary);
        validate_sarif(step.output("sarif-file"));
    }
}

#[test]
fn inputs_are_no_commands() {
    let hostile = [
        "$(touch pwned)",
        "x\"; touch pwned; \"",
        "`touch pwned`",
        "--version",
        "-",
        "a\n::error::forged",
        "%0A::error::x",
    ];
    let inputs = [
        "INPUT_PATHS",
        "INPUT_CONFIG",
        "INPUT_WORKING_DIRECTORY",
        "INPUT_FAIL_ON",
        "INPUT_CHANGED_ONLY",
        "INPUT_DIFF_BASE",
        "INPUT_ANNOTATIONS",
        "INPUT_SUMMARY",
        "INPUT_SARIF_FILE",
        "INPUT_VERSION",
    ];
    for input in inputs {
        for value in hostile {
            let runner = Runner::new(&[("pod.yaml", BROKEN)]).with(input, value).with("INPUT_CHANGED_ONLY", "true");
            let runner = if input == "INPUT_CHANGED_ONLY" { runner.with(input, value) } else { runner };
            let step = runner.run();
            assert!(!runner.workspace().join("pwned").exists(), "{input} {value:?}: {}", step.log);
            let forged = step.commands().into_iter().filter(|c| !c.contains("title=kvlint")).count();
            assert_eq!(forged, 0, "{input} {value:?}: {}", step.log);
            let known = ["errors", "exit-code", "findings", "sarif-file", "warnings"];
            assert!(step.outputs.keys().all(|k| known.contains(&k.as_str())), "{input} {value:?}: {:?}", step.outputs);
        }
    }
}

/// A merge of a pull request that adds a line to a file with an old finding, as actions/checkout leaves it.
fn pull_request(added: &str) -> Runner {
    let runner = Runner::new(&[("pod.yaml", BROKEN)]);
    runner.git(&["init", "-q"]);
    runner.git(&["add", "."]);
    runner.git(&["commit", "-qm", "old"]);
    runner.git(&["checkout", "-qb", "topic"]);
    runner.write("new.yaml", added);
    runner.git(&["add", "."]);
    runner.git(&["commit", "-qm", "new"]);
    runner.git(&["checkout", "-q", "main"]);
    runner.git(&["merge", "-q", "--no-ff", "-m", "merge", "topic"]);
    let head = runner.git(&["rev-parse", "HEAD"]);
    runner
        .with("GITHUB_EVENT_NAME", "pull_request")
        .with("GITHUB_REF", "refs/pull/7/merge")
        .with("GITHUB_BASE_REF", "main")
        .with("GITHUB_SHA", &head)
}

#[test]
fn a_merge_that_was_pushed_is_not_the_merge_of_the_pull_request() {
    // The head of the branch is checked out, and it is a merge of the main branch: what came before it is the change, too.
    let runner = Runner::new(&[("old.yaml", "# nothing\n")]);
    runner.git(&["init", "-q"]);
    runner.git(&["add", "."]);
    runner.git(&["commit", "-qm", "old"]);
    runner.git(&["checkout", "-qb", "topic"]);
    runner.write("new.yaml", BROKEN);
    runner.git(&["add", "."]);
    runner.git(&["commit", "-qm", "new"]);
    runner.git(&["checkout", "-q", "main"]);
    runner.write("old.yaml", "# something\n");
    runner.git(&["commit", "-qam", "meanwhile"]);
    runner.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    runner.git(&["checkout", "-q", "topic"]);
    runner.git(&["merge", "-q", "--no-ff", "-m", "main into topic", "main"]);
    let runner = runner
        .with("GITHUB_EVENT_NAME", "pull_request")
        .with("GITHUB_REF", "refs/pull/7/merge")
        .with("GITHUB_BASE_REF", "main")
        .with("GITHUB_SHA", &"1".repeat(40));
    let step = runner.run();
    assert_eq!(step.output("exit-code"), "1", "{}", step.log);
    assert!(!step.log.contains("::warning title=kvlint::"), "{}", step.log);
}

#[test]
fn paths_of_reports_count_from_the_top_of_the_repository() {
    for git in [true, false] {
        let runner = Runner::new(&[("apps/models/pod.yaml", BROKEN)]).with("INPUT_WORKING_DIRECTORY", "apps");
        if git {
            runner.git(&["init", "-q"]);
        }
        let step = runner.run();
        let commands = step.commands();
        assert!(commands.iter().any(|c| c.starts_with("::error file=apps/models/pod.yaml,line=10,")), "{commands:?}");
        let sarif = validate_sarif(step.output("sarif-file"));
        let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(place["uri"], "apps/models/pod.yaml", "{place}");
    }
}

#[test]
fn a_base_that_is_named_counts_on_a_push_and_is_said_to_be_ignored_where_it_is() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 1}]}\n";
    let push = || pull_request(service).with("GITHUB_EVENT_NAME", "push").with("INPUT_DIFF_BASE", "HEAD^1");
    let step = push().run();
    assert_eq!(step.output("exit-code"), "0", "{}", step.log);
    let step = push().with("INPUT_CHANGED_ONLY", "false").run();
    assert_eq!(step.output("exit-code"), "1", "{}", step.log);
    assert!(step.log.contains("::warning title=kvlint::`diff-base` is ignored"), "{}", step.log);
}

#[test]
fn blanks_around_a_path_are_none_of_it() {
    let step = Runner::new(&[("a b/pod.yaml", BROKEN)]).with("INPUT_PATHS", "  a b \t\n   \n").run();
    assert_eq!(step.output("exit-code"), "1", "{}", step.log);
    let step = Runner::new(&[(" a/pod.yaml", BROKEN)]).with("INPUT_PATHS", " a").run();
    assert_eq!(step.output("exit-code"), "1", "what is there as it is written is meant so: {}", step.log);
}

#[test]
fn a_pull_request_fails_on_what_it_changed() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 1}]}\n";
    let step = pull_request(service).run();
    assert_eq!(step.output("exit-code"), "0", "{}", step.log);
    assert_ne!(step.output("errors"), "0", "old findings are still told");
    let step = pull_request(service).with("INPUT_CHANGED_ONLY", "false").run();
    assert_eq!(step.output("exit-code"), "1", "{}", step.log);
    let step = pull_request(&BROKEN.replace("phi-4", "phi-5")).run();
    assert_eq!(step.output("exit-code"), "1", "{}", step.log);
    // A push is judged whole.
    let step = pull_request(service).with("GITHUB_EVENT_NAME", "push").run();
    assert_eq!(step.output("exit-code"), "1", "{}", step.log);
}

#[test]
fn a_shallow_checkout_of_a_pull_request_is_deepened_or_all_counts() {
    let full = pull_request("# nothing\n");
    let url = format!("file://{}", full.workspace().display());
    let head = full.git(&["rev-parse", "HEAD"]);
    let shallow = |reachable: bool| {
        let runner = Runner::new(&[]);
        runner.git(&["clone", "-q", "--depth=1", &url, "."]);
        if !reachable {
            runner.git(&["remote", "set-url", "origin", "file:///nowhere"]);
        }
        runner
            .with("GITHUB_EVENT_NAME", "pull_request")
            .with("GITHUB_REF", "refs/pull/7/merge")
            .with("GITHUB_BASE_REF", "main")
            .with("GITHUB_SHA", &head)
    };
    let step = shallow(true).run();
    assert_eq!(step.output("exit-code"), "0", "{}", step.log);
    let step = shallow(false).run();
    assert_eq!(step.output("exit-code"), "1", "{}", step.log);
    assert!(step.log.contains("::warning title=kvlint::the base of the pull request is not at hand"), "{}", step.log);
    let step = shallow(false).with("INPUT_CHANGED_ONLY", "true").run();
    assert_eq!(step.code, 2, "{}", step.log);
}

/// A runner without kvlint, an Action with a table, and a `curl` that gives an archive from a folder.
fn without_kvlint(archive: &[u8], sum: &str) -> Runner {
    let mut runner = Runner::new(&[("pod.yaml", BROKEN)]);
    fs::remove_file(runner.top.path().join("bin/kvlint")).unwrap();
    let action = runner.top.path().join("action");
    fs::create_dir(&action).unwrap();
    for script in ["run.sh", "install.sh", "summary.sh"] {
        fs::copy(root().join("action").join(script), action.join(script)).unwrap();
    }
    let table = format!(
        "# comment\n{0}  kvlint-0.1.0-x86_64-unknown-linux-musl.tar.gz\n{sum}  kvlint-0.2.0-x86_64-unknown-linux-musl.tar.gz\n",
        "0".repeat(64)
    );
    fs::write(action.join("checksums.txt"), table).unwrap();
    fs::write(runner.top.path().join("archive"), archive).unwrap();
    let curl = format!(
        "#!/bin/bash\nfor last; do :; done\n[[ $last == https://github.com/kvlint/kvlint/releases/download/v0.2.0/* ]] || exit 22\n\
         while [[ $1 != --output ]]; do shift; done\ncp '{}/archive' \"$2\"\n",
        runner.top.path().display()
    );
    runner.program("curl", &curl);
    runner.action = action;
    runner
}

fn release() -> (Vec<u8>, String) {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("kvlint-0.2.0-x86_64-unknown-linux-musl");
    fs::create_dir(&folder).unwrap();
    // The real program would make each archive 50 MB here.
    let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_kvlint"));
    fs::write(folder.join("kvlint"), script).unwrap();
    let archive = work.path().join("a.tar.gz");
    let packed = Command::new("tar")
        .arg("-czf")
        .arg(&archive)
        .arg("-C")
        .arg(work.path())
        .arg(folder.file_name().unwrap())
        .status();
    assert!(packed.unwrap().success());
    let sum = Command::new("sha256sum").arg(&archive).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap()[..64].to_string();
    (fs::read(&archive).unwrap(), sum)
}

#[test]
fn the_newest_release_of_the_table_is_installed_once() {
    let (archive, sum) = release();
    let runner = without_kvlint(&archive, &sum);
    assert_eq!(runner.run().output("exit-code"), "1");
    assert!(runner.top.path().join("tools/kvlint/0.2.0/x64/kvlint").is_file());
    runner.program("curl", "#!/bin/sh\nexit 7\n");
    assert_eq!(runner.run().output("exit-code"), "1", "the second run takes what is in the tool cache");
}

#[test]
fn an_archive_with_another_sum_is_not_unpacked() {
    let (mut archive, sum) = release();
    archive.push(0);
    let runner = without_kvlint(&archive, &sum);
    let step = runner.run();
    assert_eq!(step.code, 2, "{}", step.log);
    assert!(step.log.contains("its SHA-256 differs from the table"), "{}", step.log);
    assert!(!runner.top.path().join("tools/kvlint").exists());
}

#[test]
fn without_a_release_the_next_step_is_named() {
    let (archive, sum) = release();
    let step = without_kvlint(&archive, &sum).with("INPUT_VERSION", "0.3.0").run();
    assert!(step.code == 2 && step.log.contains("not in the Action's table of checksums"), "{}", step.log);
    let step = without_kvlint(&archive, &sum).with("INPUT_VERSION", "0.2.0/../../x").run();
    assert!(step.code == 2 && step.log.contains("is not like 0.1.0"), "{}", step.log);
    let step = without_kvlint(&archive, &sum).with("RUNNER_ARCH", "RISCV").run();
    assert!(step.code == 2 && step.log.contains("no release for this kind of runner"), "{}", step.log);
    let runner = without_kvlint(&archive, &sum);
    fs::write(runner.action.join("checksums.txt"), "# nothing yet\n").unwrap();
    let step = runner.run();
    assert!(step.code == 2 && step.log.contains("install kvlint in a step before"), "{}", step.log);
}

#[test]
fn every_input_of_the_action_reaches_the_script_through_the_environment() {
    let text = fs::read_to_string(root().join("action.yml")).unwrap();
    let action: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let steps = action["runs"]["steps"].as_sequence().unwrap();
    for run in steps.iter().filter_map(|s| s["run"].as_str()) {
        assert!(!run.contains("${{"), "{run}");
    }
    let script = fs::read_to_string(root().join("action/run.sh")).unwrap()
        + &fs::read_to_string(root().join("action/install.sh")).unwrap();
    for input in action["inputs"].as_mapping().unwrap().keys().filter_map(|k| k.as_str()) {
        let variable = format!("INPUT_{}", input.to_uppercase().replace('-', "_"));
        assert_eq!(steps[0]["env"][variable.as_str()].as_str(), Some(format!("${{{{ inputs.{input} }}}}").as_str()));
        assert!(script.contains(&variable), "{variable}");
    }
    // Without a report there is nothing to upload.
    let upload = steps.iter().find(|s| s["uses"].as_str().is_some_and(|u| u.contains("upload-sarif"))).unwrap();
    let condition = upload["if"].as_str().unwrap();
    assert!(
        condition.contains("inputs.upload-sarif == 'true'") && condition.contains("outputs.sarif-file"),
        "{condition}"
    );
    let step = Runner::new(&[]).with("INPUT_UPLOAD_SARIF", "yes").run();
    assert!(step.code == 2 && step.log.contains("the input `upload-sarif` is one of: true false"), "{}", step.log);
}
