//! The command line as users and scripts meet it: exit codes, streams, and bad input of every kind. Nothing hangs, nothing
//! panics.

use std::fs;
use std::process::Command;

use support::manifests::{FINE, ONE_RULE, SILENT};
use support::{command, finish, folder_of_bytes as folder, kvlint, kvlint_with_input, run};

#[test]
fn exit_codes_are_the_same_for_every_format() {
    let dir = folder(&[("bad.yaml", SILENT.as_bytes()), ("fine/a.yaml", FINE.as_bytes()), ("none/a.yaml", b"a: b\n")]);
    for format in ["text", "concise", "json", "sarif", "github"] {
        let code = |arguments: &[&str]| {
            let format = format!("--format={format}");
            kvlint(dir.path(), &[arguments, &[ONE_RULE, format.as_str()]].concat()).code
        };
        assert_eq!(code(&["bad.yaml"]), Some(1), "{format}");
        assert_eq!(code(&["bad.yaml", "--exit-zero"]), Some(0), "{format}");
        assert_eq!(code(&["fine"]), Some(0), "{format}");
        assert_eq!(code(&["none"]), Some(2), "{format}");
        assert_eq!(code(&["none", "--exit-zero"]), Some(2), "{format}");
        assert_eq!(code(&["missing"]), Some(2), "{format}");
    }
}

#[test]
fn mistakes_on_the_command_line_exit_with_2_and_say_what_is_meant() {
    let dir = folder(&[("a.yaml", FINE.as_bytes())]);
    for (arguments, words) in [
        (&["--format", "xml"][..], "possible values"),
        (&["--select", "labeled-but-silent"], "did you mean `labelled-but-silent`?"),
        (&["--ignore", "nonsense"], "kvlint rules"),
        (&["--select", "yaml-syntax", "--ignore", "manifest"], "no rule"),
        (&["--config", "missing.yaml"], "missing.yaml"),
        (&["--config", "a.yaml", "--no-config"], "cannot be used with"),
        (&["explain", "yaml-sintax"], "did you mean `yaml-syntax`?"),
        (&["missing.yaml"], "missing.yaml: no such file or folder"),
        (&["*.yml"], "no file matches"),
        (&["--threads", "0"], "--threads"),
    ] {
        let ran = kvlint(dir.path(), arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}");
        assert!(ran.err.contains(words), "{arguments:?} says {}", ran.err);
        assert_eq!(ran.out, "", "{arguments:?}");
    }
}

#[test]
fn text_ends_with_the_coverage_and_quiet_drops_it() {
    let dir = folder(&[("a.yaml", SILENT.as_bytes()), ("b.yaml", FINE.as_bytes()), ("c.yaml", b"a: {{ x }}: y\n")]);
    let ran = kvlint(dir.path(), &[ONE_RULE]);
    assert!(ran.out.contains("error[labelled-but-silent]: "), "{}", ran.out);
    assert!(
        ran.out.ends_with(
            "1 error\n1 fixable with `--fix --unsafe-fixes`\n2 resources in 2 files, 1 unit; 1 file not analysed\n"
        ),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("not analysed: c.yaml: a template"), "{}", ran.out);
    assert_eq!(ran.err, "");
    let quiet = kvlint(dir.path(), &[ONE_RULE, "--quiet"]);
    assert!(ran.out.starts_with(quiet.out.trim_end()) && !quiet.out.contains("resources in"), "{}", quiet.out);
    let counted = kvlint(dir.path(), &[ONE_RULE, "--statistics"]);
    assert!(counted.out.contains("\n1  error    labelled-but-silent\n"), "{}", counted.out);
}

#[test]
fn machine_formats_print_data_only() {
    let dir = folder(&[("a.yaml", SILENT.as_bytes())]);
    let concise = kvlint(dir.path(), &[ONE_RULE, "--format", "concise", "--statistics"]);
    assert_eq!(concise.out.lines().count(), 1);
    assert!(concise.out.starts_with("a.yaml:7:40: error[labelled-but-silent] the pod asks"), "{}", concise.out);
    assert!(concise.err.ends_with("1 resource in 1 file, 1 unit\n"), "{}", concise.err);
    for format in ["json", "sarif"] {
        let ran = kvlint(dir.path(), &[ONE_RULE, "--format", format]);
        serde_json::from_str::<serde_json::Value>(&ran.out).expect(format);
    }
    assert!(kvlint(dir.path(), &[ONE_RULE, "--format", "github"]).out.starts_with("::error file=a.yaml,line=7,"));
}

#[test]
fn standard_input_is_linted_under_the_name_it_is_given() {
    let dir = folder(&[]);
    let ran = kvlint_with_input(dir.path(), &["-", ONE_RULE, "--format", "concise"], SILENT);
    assert!(ran.out.starts_with("<stdin>:7:40: error[labelled-but-silent]"), "{}", ran.out);
    let named = ["-", "--stdin-filename", "chart.yaml", ONE_RULE, "--format", "concise"];
    let ran = kvlint_with_input(dir.path(), &named, SILENT);
    assert!(ran.out.starts_with("chart.yaml:7:40: "), "{}", ran.out);
    assert_eq!(ran.code, Some(1));
    let ran = kvlint(dir.path(), &["-"]);
    assert_eq!(ran.code, Some(2), "nothing on standard input");
    assert!(ran.err.contains("no Kubernetes object found in `-`"), "{}", ran.err);
}

#[test]
fn a_subcommand_wins_over_a_path_of_its_name() {
    let dir = folder(&[("rules/a.yaml", SILENT.as_bytes())]);
    assert!(kvlint(dir.path(), &["rules"]).out.contains("labelled-but-silent"));
    assert_eq!(kvlint(dir.path(), &["./rules", ONE_RULE]).code, Some(1));
    assert_eq!(kvlint(dir.path(), &["lint", "rules", ONE_RULE]).code, Some(1));
}

#[test]
fn a_report_in_a_file_replaces_it_whole() {
    let dir = folder(&[("a.yaml", SILENT.as_bytes()), ("report.json", &[b'x'; 100_000])]);
    let ran = kvlint(dir.path(), &["a.yaml", ONE_RULE, "--format", "json", "-o", "report.json"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("1 resource in 1 file"), "{}", ran.err);
    let written = fs::read_to_string(dir.path().join("report.json")).expect("a report");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&written).expect("JSON")["summary"]["errors"], 1);
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 2, "no temporary file is left");
    let ran = kvlint(dir.path(), &["a.yaml", "-o", "missing/report.txt"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("can't write missing/report.txt: no such file or folder"), "{}", ran.err);
    assert_eq!(kvlint(dir.path(), &["a.yaml", ONE_RULE, "-o", "/dev/null"]).code, Some(1));
}

#[test]
fn colour_follows_flag_then_no_color_then_force_color() {
    let dir = folder(&[("a.yaml", SILENT.as_bytes())]);
    let colored = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(dir.path(), &[arguments, &[ONE_RULE]].concat());
        run(command.envs(variables.iter().copied())).out.contains('\u{1b}')
    };
    assert!(!colored(&[], &[]));
    assert!(colored(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(!colored(&["--color=never"], &[("FORCE_COLOR", "1")]));
    assert!(!colored(&[], &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")]));
    assert!(colored(&[], &[("FORCE_COLOR", "1")]));
    assert!(colored(&[], &[("NO_COLOR", ""), ("FORCE_COLOR", "1")]), "an empty variable is not set");
}

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let many: String = (0..500).map(|_| format!("{SILENT}---\n")).collect();
    let dir = folder(&[("a.yaml", many.as_bytes())]);
    for format in ["text", "concise", "json", "sarif", "github"] {
        let mut child = command(dir.path(), &[ONE_RULE, "--format", format]).spawn().expect("kvlint starts");
        drop(child.stdout.take());
        let ran = finish(child);
        assert_eq!(ran.code, Some(1), "{format}");
        assert!(!ran.err.contains("can't write"), "{}", ran.err);
    }
    let mut child = command(dir.path(), &["--help"]).spawn().expect("kvlint starts");
    drop(child.stdout.take());
    assert_eq!(finish(child).code, Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let dir = folder(&[("a.yaml", FINE.as_bytes())]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let ran = run(command(dir.path(), &["a.yaml"]).stdout(full));
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("can't write to standard output"), "{}", ran.err);
}

#[test]
fn output_does_not_depend_on_the_number_of_threads() {
    let mut files: Vec<(String, String)> = (0..40).map(|i| (format!("d{}/p{i}.yaml", i % 7), SILENT.into())).collect();
    files.push(("broken.yaml".into(), format!("{SILENT}---\n\"open\n---\n{SILENT}")));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, t)| (n.as_str(), t.as_bytes())).collect();
    let dir = folder(&files);
    for format in ["text", "json", "sarif"] {
        let output =
            |threads: &str| run(command(dir.path(), &["--format", format]).env("RAYON_NUM_THREADS", threads)).out;
        let one = output("1");
        assert_eq!(one, output("2"), "{format}");
        assert_eq!(one, kvlint(dir.path(), &["--format", format, "--threads", "3"]).out, "{format}");
    }
}

#[test]
fn bad_files_give_a_finding_or_an_error_and_the_right_code() {
    let deep_flow = format!("a: {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let deep_block: String = (0..10_000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    let bomb: String = (1..10)
        .map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(",")))
        .fold("a0: &a0 x\n".to_string(), |all, line| all + &line);
    let utf16: Vec<u8> = format!("\u{feff}{SILENT}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let no_object = "no Kubernetes object found";
    let cases: &[(&str, &[u8], i32, &str)] = &[
        ("empty", b"", 2, no_object),
        ("only comments", b"# one\n# two\n", 2, no_object),
        ("no object", b"a: 1\n", 2, no_object),
        ("binary", b"\x00\x01\x02\xff\xfe", 1, "yaml-syntax"),
        ("invalid UTF-8", b"apiVersion: v1\nkind: \xe9\xe9\n", 1, "not UTF-8"),
        ("UTF-16", &utf16, 1, "labelled-but-silent"),
        ("broken UTF-16", b"\xff\xfea\x00\x00\xd8", 1, "UTF-16"),
        ("tabs", b"apiVersion: v1\nkind: Pod\nmetadata:\n\tname: x\n", 1, "yaml-syntax"),
        ("unclosed quotes", b"apiVersion: v1\nkind: \"Pod\n", 1, "yaml-syntax"),
        ("nested flow", deep_flow.as_bytes(), 1, "yaml-syntax"),
        ("nested blocks", deep_block.as_bytes(), 1, "yaml-syntax"),
        ("alias bomb", bomb.as_bytes(), 1, "yaml-syntax"),
        ("terminal escapes", b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"\x1b[2J\x1b[31m\n", 1, "yaml-syntax"),
    ];
    for (what, bytes, code, words) in cases {
        let dir = folder(&[("a.yaml", bytes)]);
        for format in ["text", "concise"] {
            let ran = kvlint(dir.path(), &["a.yaml", ONE_RULE, "--format", format]);
            let said = format!("{}{}", ran.out, ran.err);
            assert_eq!(ran.code, Some(*code), "{what} ({format}) gives {said}");
            assert!(said.contains(words), "{what} ({format}) gives {said}");
            assert!(!said.contains(['\u{1b}', '\u{0}']), "{what} ({format}) lets control characters through");
        }
        let dir = folder(&[("a.yaml", bytes), ("b.yaml", SILENT.as_bytes())]);
        let ran = kvlint(dir.path(), &[ONE_RULE, "--format", "concise"]);
        assert!(ran.out.contains("b.yaml:7:40: error[labelled-but-silent]"), "{what} hides another file: {}", ran.out);
    }
}

#[test]
fn a_large_file_is_read() {
    let blob = "x".repeat(50 << 20);
    let text = format!("{SILENT}---\n{FINE}data:\n  blob: \"{blob}\"\n");
    let dir = folder(&[("a.yaml", text.as_bytes())]);
    let ran = kvlint(dir.path(), &["a.yaml", ONE_RULE, "--format", "concise"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
}

#[test]
fn a_finding_in_a_long_line_shows_its_surroundings() {
    let object = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"model.aibrix.ai/kv-events-enabled":"true"}},"spec":{"containers":[{"name":"c","image":"vllm/vllm-openai:v0.11.1","command":["vllm","serve","m"]}]}}"#;
    let filler = format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","data":{{"blob":"{}"}}}}"#, "é".repeat(2 << 20));
    let text = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{filler},{object}]}}"#);
    let dir = folder(&[("a.json", text.as_bytes())]);
    let ran = kvlint(dir.path(), &[ONE_RULE]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.len() < 4000 && ran.out.contains(r#""model.aibrix.ai/kv-events-enabled":"true""#), "{}", ran.out);
}

#[test]
#[cfg(unix)]
fn odd_files_never_hang_and_are_accounted_for() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = folder(&[("good.yaml", FINE.as_bytes()), ("x.yaml/inner.yaml", SILENT.as_bytes())]);
    let at = |name: &str| dir.path().join(name);
    symlink(at("nowhere.yaml"), at("dangling.yaml")).expect("a link");
    symlink(dir.path(), at("loop.yaml")).expect("a link");
    let made = Command::new("mkfifo").arg(at("pipe.yaml")).status().expect("mkfifo");
    assert!(made.success());
    let ran = kvlint(dir.path(), &[".", ONE_RULE]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("x.yaml/inner.yaml:7:40"), "{}", ran.out);
    assert!(ran.out.contains("not analysed: dangling.yaml: a link that leads nowhere"), "{}", ran.out);
    assert!(ran.out.contains("not analysed: pipe.yaml: not a regular file"), "{}", ran.out);
    let ran = kvlint(dir.path(), &["pipe.yaml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("pipe.yaml: not a regular file"), "{}", ran.err);
    let ran = kvlint(dir.path(), &["dangling.yaml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("dangling.yaml: this link leads nowhere"), "{}", ran.err);
    fs::set_permissions(at("good.yaml"), fs::Permissions::from_mode(0o000)).expect("permissions");
    // Nothing is unreadable for root.
    if fs::read(at("good.yaml")).is_err() {
        let ran = kvlint(dir.path(), &[".", ONE_RULE]);
        assert_eq!(ran.code, Some(2));
        assert!(ran.err.contains("good.yaml: permission denied"), "{}", ran.err);
        assert!(ran.out.contains("labelled-but-silent"), "the others are still linted");
    }
}

#[test]
#[cfg(unix)]
fn names_of_files_can_not_speak_for_kvlint() {
    let name = "a\n::error::\u{1b}[31mx%,:.yaml";
    let dir = folder(&[(name, SILENT.as_bytes())]);
    for format in ["text", "concise", "json", "sarif", "github"] {
        let ran = kvlint(dir.path(), &[ONE_RULE, "--format", format]);
        assert_eq!(ran.code, Some(1), "{format}: {}", ran.err);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{format}");
        assert!(!ran.out.lines().any(|l| l.starts_with("::error::")), "{format}: {}", ran.out);
    }
}

#[test]
fn rules_are_listed_and_explained() {
    let dir = folder(&[]);
    let list = kvlint(dir.path(), &["rules", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&list.out).expect("JSON");
    let names: Vec<&str> = list.as_array().expect("a list").iter().filter_map(|r| r["name"].as_str()).collect();
    assert!(names.contains(&"yaml-syntax"));
    let table = kvlint(dir.path(), &["rules"]).out;
    for name in names {
        assert!(table.contains(name));
        let explained = kvlint(dir.path(), &["explain", name]);
        assert_eq!(explained.code, Some(0));
        assert!(explained.out.contains("## Why") && explained.out.contains(name), "{}", explained.out);
    }
}

#[test]
fn units_tell_what_was_recognised_and_why_a_unit_is_partial() {
    let dir = folder(&[("a.yaml", SILENT.as_bytes()), ("b.yaml", b"x: \"open\n")]);
    let ran = kvlint(dir.path(), &["units", "."]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("plain, partial"), "{}", ran.out);
    assert!(ran.out.contains("b.yaml:"), "{}", ran.out);
    assert!(ran.out.contains("Pod/llama, container vllm: vLLM 0.11.1, publishes nothing  a.yaml:"), "{}", ran.out);
}

#[test]
fn version_and_completions() {
    let dir = folder(&[]);
    let version = kvlint(dir.path(), &["--version"]).out;
    assert_eq!(version, format!("kvlint {} (facts of {})\n", env!("CARGO_PKG_VERSION"), kvlint::facts::DATE));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(kvlint(dir.path(), &["completions", shell]).out.contains("kvlint"), "{shell}");
    }
}

#[test]
fn a_mistake_in_the_configuration_exits_with_2_and_is_told_whatever_is_selected() {
    let config = b"rulez: {}\n";
    let dir = folder(&[("kvlint.yaml", config), ("a.yaml", FINE.as_bytes()), ("deep/b.yaml", FINE.as_bytes())]);
    let ran = kvlint(dir.path(), &["--format", "concise"]);
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("kvlint.yaml:1:1: error[config-invalid]"), "{}", ran.out);
    let ran = kvlint(dir.path(), &["--format", "concise", ONE_RULE, "--exit-zero"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("error: kvlint.yaml:1:1: "), "{}", ran.err);
    assert_eq!(kvlint::<&str>(dir.path().join("deep"), &[]).code, Some(2), "the nearest folder above counts");
    assert_eq!(kvlint(dir.path(), &["--no-config"]).code, Some(0));
}

#[test]
fn flags_win_over_the_configuration() {
    let config = b"rules:\n  labelled-but-silent: off\n";
    let dir = folder(&[("kvlint.yaml", config), ("a.yaml", SILENT.as_bytes())]);
    let finds = |arguments: &[&str]| kvlint(dir.path(), arguments).out.contains("labelled-but-silent");
    assert!(!finds(&[]));
    assert!(finds(&["--select", "labelled-but-silent"]));
    assert!(finds(&["--no-config"]));
    assert!(!finds(&["--no-config", "--ignore", "publisher"]), "a group stands for its rules");
}

#[test]
fn several_reports_of_one_run_hold_the_same_findings() {
    let dir = folder(&[("deploy/pod.yaml", SILENT.as_bytes())]);
    let reports = ["--report=sarif=out.sarif", "--report=json=a=b.json", "--report", "text=out.txt"];
    let ran = kvlint(dir.path(), &[&[ONE_RULE, "--format=github", "deploy"], &reports[..]].concat());
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.out.starts_with("::error file=deploy/pod.yaml"), "{}", ran.out);
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).expect(name);
    assert!(read("out.sarif").contains("\"exitCode\": 1"));
    assert!(read("a=b.json").contains("\"errors\": 1"));
    assert!(read("out.txt").contains("error[labelled-but-silent]") && read("out.txt").contains("1 error\n"));
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 4, "no temporary file is left");
}

#[test]
fn a_report_that_cannot_be_written_stops_no_other() {
    let dir = folder(&[("pod.yaml", SILENT.as_bytes())]);
    let ran = kvlint(dir.path(), &[ONE_RULE, "--report=json=missing/out.json", "--report=sarif=out.sarif", "pod.yaml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("can't write missing/out.json"), "{}", ran.err);
    assert!(ran.out.contains("labelled-but-silent") && dir.path().join("out.sarif").exists());
}

#[test]
fn reports_that_would_replace_each_other_are_refused() {
    let dir = folder(&[("pod.yaml", SILENT.as_bytes())]);
    for reports in [["--report=json=a", "--report=sarif=./a"], ["-o=a", "--report=sarif=a"]] {
        let ran = kvlint(dir.path(), &[&["pod.yaml"], &reports[..]].concat());
        assert!(ran.code == Some(2) && ran.err.contains("two reports go to"), "{}", ran.err);
        assert!(!dir.path().join("a").exists());
    }
    for (report, part) in [("sarif", "FORMAT=FILE"), ("xml=a", "`xml` is no format"), ("sarif=-", "standard output")] {
        let ran = kvlint(dir.path(), &["--report", report, "pod.yaml"]);
        assert!(ran.code == Some(2) && ran.err.contains(part), "{}", ran.err);
    }
}

#[test]
fn nothing_is_said_of_what_is_read_while_a_template_can_not_be() {
    let told = |template: &str| {
        let dir = folder(&[
            ("m/Chart.yaml", b"apiVersion: v2\nname: m\nversion: 0.1.0\n"),
            ("m/values.yaml", b"name: x\n"),
            ("m/templates/a.yaml", template.as_bytes()),
        ]);
        kvlint(dir.path(), &["--helm=never", "--format=concise", "m"]).out.contains("no template reads `name`")
    };
    assert!(told("a: {{ .Values.other }}\n"));
    assert!(!told("a: {{ .Values.name\n"));
}
