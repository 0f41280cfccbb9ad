//! What only a file system of Unix has: pipes, devices, links, permissions; and a git that runs programs.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use support::folder_of_bytes as folder;
use support::git::{self, git};
use support::manifests::SILENT;

use crate::{run, run_with};

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

#[test]
fn pipes_and_devices_under_any_name_are_not_waited_for() {
    let names = [
        "a.yaml",
        "kustomization.yaml",
        "kvlint.yaml",
        ".gitignore",
        ".kvlintignore",
        ".git/info/exclude",
        ".git/index",
        "Chart.yaml",
        "baseline.json",
    ];
    for name in names {
        for device in [false, true] {
            let dir =
                folder(&[("pod.yaml", SILENT.as_bytes()), ("sub/pod.yaml", SILENT.as_bytes()), (".git/info/x", b"")]);
            for place in [dir.path().join(name), dir.path().join("sub").join(name)] {
                fs::create_dir_all(place.parent().expect("a parent")).expect("a folder");
                if device { symlink("/dev/zero", &place).expect("a link") } else { fifo(&place) }
            }
            for way in [
                &["--format=concise"][..],
                &["--format=concise", "--whole-unit", "sub/pod.yaml"],
                &["units"],
                &["--diff"],
                &["sub"],
            ] {
                let ran = run(dir.path(), way);
                // What hides the rest is no quiet success.
                let told = ran.said().contains("not analysed");
                assert!(
                    ran.code != Some(0) || told || ["units", "--diff"].contains(&way[0]),
                    "{name} {way:?}: {}",
                    ran.said()
                );
            }
            run(dir.path(), &["build"]);
        }
    }
}

#[test]
fn what_a_command_line_names_may_be_a_device() {
    let dir = folder(&[("pod.yaml", SILENT.as_bytes())]);
    fifo(&dir.path().join("pipe"));
    symlink("/dev/zero", dir.path().join("zero.json")).expect("a link");
    for option in ["--config", "--baseline"] {
        for file in ["/dev/zero", "zero.json", "pipe"] {
            let ran = run(dir.path(), &[option, file]);
            assert_eq!(ran.code, Some(2), "{option} {file}: {}", ran.said());
            assert!(ran.err.contains("not a regular file"), "{option} {file}: {}", ran.said());
        }
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_no_missing_one() {
    for target in ["/dev/zero", "pipe", "sub", "kvlint.yaml", "nowhere"] {
        let dir = folder(&[("pod.yaml", SILENT.as_bytes()), ("sub/x", b"")]);
        fifo(&dir.path().join("pipe"));
        symlink(target, dir.path().join("kvlint.yaml")).expect("a link");
        for way in [&["--format=json"][..], &["--whole-unit", "pod.yaml"], &["units"]] {
            let ran = run(dir.path(), way);
            assert_eq!(ran.code, Some(2), "{target} {way:?}: {}", ran.said());
            assert!(ran.err.contains("kvlint.yaml: "), "{target} {way:?}: {}", ran.err);
        }
    }
}

/// Files that are settings, and not read as manifests, are links or name others: nothing of what lies outside is printed.
#[test]
fn settings_lead_to_no_secret() {
    let secret = "TOP-SECRET: [TOP-SECRET\n";
    let values = "helm: {values: [{name: a, files: [../secret.yaml]}]}\nroots: [..]\n";
    let cases: [(&str, Option<&str>, &str); 6] = [
        ("kvlint.yaml", None, "leads out of the repository"),
        ("a/.kvlint.yaml", None, "leads out of the repository"),
        ("a/kustomization.yaml", None, "leads out of the folder"),
        ("a/Kustomization", None, "leads out of the folder"),
        ("kvlint.yaml", Some(values), "leads out of the repository"),
        ("a/kustomization.yaml", Some("resources: [pod.yaml]\n"), "two kustomizations"),
    ];
    for (place, text, said) in cases {
        let outer = folder(&[
            ("secret.yaml", secret.as_bytes()),
            ("work/a/pod.yaml", SILENT.as_bytes()),
            ("work/.git/HEAD", b""),
            ("work/c/Chart.yaml", b"apiVersion: v2\nname: c\nversion: 0.1.0\n"),
            ("work/c/templates/a.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Values }}'}\n"),
        ]);
        let work = outer.path().join("work");
        match text {
            Some(text) => fs::write(work.join(place), text).expect("a file"),
            None => symlink(outer.path().join("secret.yaml"), work.join(place)).expect("a link"),
        }
        if said == "two kustomizations" {
            symlink(outer.path().join("secret.yaml"), work.join("a/kustomization.yml")).expect("a link");
        }
        for way in [
            &["--format=text", "a", "c"][..],
            &["--format=json", "a", "c"],
            &["--format=sarif", "a", "c"],
            &["--whole-unit", "a/pod.yaml"],
            &["units", "a", "c"],
            &["build", "a"],
            &["--diff", "a", "c"],
        ] {
            let ran = run(&work, way);
            assert!(!ran.said().contains("TOP-SECRET"), "{place} {way:?}: {}", ran.said());
            if way[0] == "--format=text" {
                assert!(ran.said().contains(said), "{place}: {}", ran.said());
                assert_ne!(ran.code, Some(0), "{place}: {}", ran.said());
            }
        }
    }
    // A link that stays inside is one as any other.
    let dir = folder(&[("a/pod.yaml", SILENT.as_bytes()), ("set.yaml", b"rules: {labelled-but-silent: off}\n")]);
    symlink("set.yaml", dir.path().join("kvlint.yaml")).expect("a link");
    let ran = run(dir.path(), &["--format=concise", "a"]);
    assert!(!ran.out.contains("labelled-but-silent"), "{}", ran.said());
}

#[test]
fn endless_input_is_refused() {
    let dir = folder(&[]);
    for way in [&["-"][..], &["--fix", "-"]] {
        let zero = fs::File::open("/dev/zero").expect("a device");
        let ran = run_with(dir.path(), way, Stdio::from(zero));
        assert_eq!(ran.code, Some(2), "{}", ran.said());
        assert!(ran.said().contains("larger than"), "{}", ran.said());
    }
}

#[test]
fn links_out_of_the_tree_are_not_followed_and_their_targets_never_written() {
    let outer = folder(&[
        ("outside/pod.yaml", SILENT.as_bytes()),
        ("work/own.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
    ]);
    let work = outer.path().join("work");
    symlink("../outside/pod.yaml", work.join("file.yaml")).expect("a link");
    symlink("../outside", work.join("folder")).expect("a link");
    symlink("/etc/passwd", work.join("passwd.yaml")).expect("a link");
    symlink(".", work.join("loop")).expect("a link");
    symlink("a", work.join("b")).expect("a link");
    symlink("b", work.join("a")).expect("a link");
    symlink("circle.yaml", work.join("circle.yaml")).expect("a link");
    let ran = run(&work, &["--format=concise"]);
    assert!(!ran.said().contains("labelled-but-silent"), "{}", ran.said());
    assert!(ran.said().contains("file.yaml: a link that leads out of the folder"), "{}", ran.said());
    for way in [
        &["--fix", "--unsafe-fixes", "."][..],
        &["--fix", "--unsafe-fixes", "file.yaml"],
        &["enable", "--all", "."],
        &["enable", "--all", "file.yaml"],
    ] {
        run(&work, way);
        assert_eq!(fs::read_to_string(outer.path().join("outside/pod.yaml")).expect("a file"), SILENT, "{way:?}");
    }
}

#[test]
fn an_unreadable_file_is_an_error_and_hides_no_other() {
    let dir = folder(&[("pod.yaml", SILENT.as_bytes()), ("sub/locked.yaml", b"a: 1\n")]);
    fs::set_permissions(dir.path().join("sub/locked.yaml"), fs::Permissions::from_mode(0o000)).expect("permissions");
    let ran = run(dir.path(), &["--format=concise", "--select=labelled-but-silent"]);
    assert!(ran.out.contains("pod.yaml:7"), "{}", ran.said());
    // Nothing is unreadable for root.
    if fs::read(dir.path().join("sub/locked.yaml")).is_err() {
        assert_eq!(ran.code, Some(2));
        assert!(ran.said().contains("locked.yaml: permission denied"), "{}", ran.said());
    }
}

#[test]
fn nothing_of_a_hostile_repository_is_run() {
    let dir = folder(&[("pod.yaml", SILENT.as_bytes()), ("other.yaml", SILENT.as_bytes())]);
    if !git::is_installed() {
        return;
    }
    git(dir.path(), &["init", "--quiet", "--initial-branch=main"]);
    git(dir.path(), &["add", "--all"]);
    git(dir.path(), &["commit", "--quiet", "-m", "first"]);
    let spy = dir.path().join("spy.sh");
    fs::write(&spy, "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\ncat\n").expect("a script");
    fs::set_permissions(&spy, fs::Permissions::from_mode(0o755)).expect("permissions");
    let spy = spy.display().to_string();
    fs::write(dir.path().join(".gitattributes"), "* diff=spy filter=Spy.Two merge=spy\n").expect("a file");
    fs::create_dir_all(dir.path().join("hooks")).expect("a folder");
    for hook in ["post-index-change", "post-checkout", "reference-transaction", "fsmonitor-watchman", "pre-auto-gc"] {
        fs::copy(&spy, dir.path().join("hooks").join(hook)).expect("a hook");
    }
    let keys = [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.askPass",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "diff.external",
        "diff.spy.command",
        "diff.spy.textconv",
        "filter.Spy.Two.clean",
        "filter.Spy.Two.smudge",
        "filter.Spy.Two.process",
        "pager.diff",
        "credential.helper",
        "gpg.program",
        "remote.origin.uploadpack",
        "sequence.editor",
        "alias.diff",
        "alias.rev-parse",
        "merge.spy.driver",
        "uploadpack.packObjectsHook",
        "interactive.diffFilter",
    ];
    for key in keys {
        git(dir.path(), &["config", key, &spy]);
    }
    git(dir.path(), &["config", "filter.Spy.Two.required", "true"]);
    git(dir.path(), &["config", "core.hooksPath", &dir.path().join("hooks").display().to_string()]);
    fs::write(dir.path().join("pod.yaml"), SILENT.replace("\"true\"", "'true'")).expect("a file");
    // A file that looks changed and is not: git reads it to know.
    fs::write(dir.path().join("other.yaml"), SILENT).expect("a file");
    let _ = fs::remove_file(dir.path().join("ran"));
    for base in ["main", "HEAD"] {
        let ran = run(dir.path(), &["--select=labelled-but-silent", "--diff-base", base, "--format=json", "."]);
        assert_eq!(ran.code, Some(1), "{}", ran.said());
        assert!(
            !dir.path().join("ran").exists() && !dir.path().join("hooks/ran").exists(),
            "a program of the repository ran"
        );
    }
    // A name that the command line can't turn off.
    git(dir.path(), &["config", "filter.a=b.clean", &spy]);
    let ran = run(dir.path(), &["--diff-base", "main", "."]);
    assert_eq!(ran.code, Some(2), "{}", ran.said());
    assert!(ran.err.contains("has a `=` in its name"), "{}", ran.err);
    assert!(!dir.path().join("ran").exists());
}

#[test]
fn a_reference_is_no_option_of_git() {
    let dir = folder(&[("pod.yaml", SILENT.as_bytes())]);
    if !git::is_installed() {
        return;
    }
    git(dir.path(), &["init", "--quiet"]);
    for reference in
        ["--output=pwned", "-O", "", "--upload-pack=touch pwned", "main\n::error::pwned", "\u{1b}[31m", "HEAD:pod.yaml"]
    {
        let ran = run(dir.path(), &[&format!("--diff-base={reference}"), "."]);
        assert_eq!(ran.code, Some(2), "{reference:?}: {}", ran.said());
    }
    assert!(!dir.path().join("pwned").exists());
}

#[test]
fn standard_input_may_be_cut_off_or_hold_anything() {
    let dir = folder(&[]);
    for bytes in [&b"\x00\xff\xfe\x1b[31m"[..], b"", SILENT.as_bytes(), b"--- \x1b]0;x\x07"] {
        let mut input = tempfile::tempfile().expect("a file");
        input.write_all(bytes).expect("written");
        std::io::Seek::rewind(&mut input).expect("rewound");
        run_with(dir.path(), &["--stdin-filename", "\u{1b}[31m\n::error::pwned", "-"], Stdio::from(input));
    }
}
