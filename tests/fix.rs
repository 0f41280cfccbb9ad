//! `--fix` and `--diff` from outside: what is written, what is printed, what is left alone.

use std::fs;

use support::manifests::FINE;
use support::{folder, kvlint, kvlint_with_input, read};

const UNUSED: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\ndata:\n  a: x # kvlint: ignore[duplicate-key] gone\n";
const MENDED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\ndata:\n  a: x\n";

/// A gateway that names variables as 0.4 did; renaming the first brings synchronisation to life.
const GATEWAY: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: aibrix-gateway-plugins
  namespace: aibrix-system
spec:
  selector: {matchLabels: {app: gateway-plugins}}
  template:
    metadata: {labels: {app: gateway-plugins}}
    spec:
      containers:
        - name: gateway-plugin
          image: aibrix/gateway-plugins:v0.7.0
          env:
            - {name: AIBRIX_KV_EVENT_SYNC_ENABLED, value: \"true\"} # from the guide
            - {name: AIBRIX_USE_REMOTE_TOKENIZER, value: \"true\"}
            - {name: AIBRIX_PREFIX_CACHE_TOKENIZER_TYPE, value: remote}
            - {name: AIBRIX_REMOTE_TOKENIZER_ENDPOINT, value: \"http://llama.default:8000\"}
            - {name: REDIS_HOST, value: redis}
";

fn named(text: &str, name: &str) -> String {
    text.replace("NAME", name)
}

#[test]
fn a_diff_is_printed_and_nothing_is_written() {
    let dir = folder(&[("deploy/a.yaml", &named(UNUSED, "a")), ("deploy/b.yaml", &named(MENDED, "b"))]);
    let ran = kvlint(dir.path(), &["--diff"]);
    let wanted = "\
--- a/deploy/a.yaml
+++ b/deploy/a.yaml
@@ -3,4 +3,4 @@
 metadata:
   name: a
 data:
-  a: x # kvlint: ignore[duplicate-key] gone
+  a: x
";
    assert_eq!((ran.out.as_str(), ran.code), (wanted, Some(1)));
    assert_eq!(ran.err, "would fix 1 finding in 1 file\n");
    assert_eq!(read(&dir, "deploy/a.yaml"), named(UNUSED, "a"));
    assert_eq!(kvlint(dir.path(), &["--diff", "--exit-zero"]).code, Some(0));
    let to_file = kvlint(dir.path(), &["--diff", "-o", "x.diff", "deploy"]);
    assert_eq!((to_file.out.as_str(), read(&dir, "x.diff").as_str()), ("", wanted));
    let clean = kvlint(dir.path(), &["--diff", "deploy/b.yaml"]);
    assert_eq!((clean.out.as_str(), clean.err.as_str(), clean.code), ("", "nothing to fix\n", Some(0)));
    assert_eq!(kvlint(dir.path(), &["--diff", "--format", "json"]).code, Some(2));
}

#[test]
fn fixing_reports_what_is_left_and_a_second_time_changes_nothing() {
    let silent = "---\na: 1\na: 2\n";
    let dir = folder(&[("a.yaml", &format!("{}{silent}", named(UNUSED, "a")))]);
    let ran = kvlint(dir.path(), &["--fix", "--format", "concise"]);
    assert!(ran.out.contains("a.yaml:9:1: error[duplicate-key]") && ran.out.lines().count() == 1, "{}", ran.out);
    assert!(ran.err.starts_with("1 error (1 fixed)\n"), "{}", ran.err);
    assert_eq!(ran.code, Some(1));
    let once = read(&dir, "a.yaml");
    assert_eq!(once, format!("{}{silent}", named(MENDED, "a")));
    let again = kvlint(dir.path(), &["--fix", "--format", "concise"]);
    assert!(again.err.starts_with("1 error\n"), "{}", again.err);
    assert_eq!(read(&dir, "a.yaml"), once);
    assert_eq!(kvlint(dir.path(), &["--diff"]).code, Some(0));
}

#[test]
fn the_summary_tells_what_can_be_fixed() {
    let unknown = GATEWAY.replace("v0.7.0", "nightly");
    let dir = folder(&[("a.yaml", &named(UNUSED, "a")), ("gateway.yaml", &unknown)]);
    let told = |arguments: &[&str]| kvlint(dir.path(), arguments).out;
    let out = told(&[]);
    assert!(out.contains("\n1 fixable with `--fix`, 3 more with `--unsafe-fixes`\n"), "{out}");
    assert!(out.contains("  fix: remove the comment [--fix]\n"), "{out}");
    assert!(out.contains("EVENT_SYNC_ENABLED` [--fix --unsafe-fixes]\n"), "{out}");
    assert!(told(&["--unsafe-fixes"]).contains("\n4 fixable with `--fix --unsafe-fixes`\n"));
    let out = told(&["--fix"]);
    assert!(out.contains("(1 fixed)\n3 fixable with `--unsafe-fixes`\n"), "{out}");
    assert_eq!(read(&dir, "gateway.yaml"), unknown);
    kvlint(dir.path(), &["--fix", "--unsafe-fixes"]);
    assert!(
        read(&dir, "gateway.yaml")
            .contains("{name: AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED, value: \"true\"} # from")
    );
}

#[test]
fn a_fix_that_brings_an_error_is_discarded_and_said() {
    let text = GATEWAY.replace("            - {name: REDIS_HOST, value: redis}\n", "");
    let dir = folder(&[("gateway.yaml", &text)]);
    // The error that it brings is found by a rule that was not asked for.
    let ran = kvlint(dir.path(), &["--fix", "--format", "concise", "--select", "gateway-variable-unread"]);
    let said = "not fixed: gateway.yaml:15:22: rename it to `AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED` \
                [gateway-variable-unread]: it brings error[redis-missing]";
    assert!(ran.err.starts_with(said), "{}", ran.err);
    assert!(ran.err.contains("1 error (2 fixed)"), "{}", ran.err);
    assert_eq!((ran.out.lines().count(), ran.code), (1, Some(1)));
    let fixed = text
        .replace("AIBRIX_USE_REMOTE", "AIBRIX_PREFIX_CACHE_USE_REMOTE")
        .replace("AIBRIX_REMOTE_TOKENIZER_END", "AIBRIX_PREFIX_CACHE_REMOTE_TOKENIZER_END");
    assert_eq!(read(&dir, "gateway.yaml"), fixed);
}

#[test]
fn several_names_of_one_comment_go_one_after_the_other() {
    let text = "# kvlint: ignore[wrong-type, duplicate-key, unknown-field] both are read\ndata:\n  a: v\n  a: w\n";
    let dir = folder(&[("a.yaml", &named(MENDED, "a").replace("data:\n  a: x\n", text))]);
    let ran = kvlint(dir.path(), &["--fix"]);
    assert!(ran.out.starts_with("no findings (2 fixed, 1 suppressed)"), "{}", ran.out);
    assert!(read(&dir, "a.yaml").contains("\n# kvlint: ignore[duplicate-key] both are read\ndata:"));
}

#[test]
fn line_endings_and_the_byte_order_mark_stay() {
    let crlf = format!("\u{feff}{}", named(UNUSED, "a").replace('\n', "\r\n"));
    let bare = named(UNUSED, "b").trim_end().to_string();
    let dir = folder(&[("crlf.yaml", &crlf), ("bare.yaml", &bare)]);
    assert_eq!(kvlint(dir.path(), &["--fix"]).code, Some(0));
    assert_eq!(read(&dir, "crlf.yaml"), format!("\u{feff}{}", named(MENDED, "a").replace('\n', "\r\n")));
    assert_eq!(read(&dir, "bare.yaml"), named(MENDED, "b").trim_end());
}

#[test]
fn what_is_no_file_of_its_own_is_not_edited() {
    let rendered = format!("---\n# Source: chart/templates/a.yaml\n{}", named(UNUSED, "a"));
    let utf16: Vec<u8> = format!("\u{feff}{}", named(UNUSED, "b")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let dir = folder(&[("rendered.yaml", &rendered), ("plain.yaml", &named(UNUSED, "c"))]);
    fs::write(dir.path().join("utf16.yaml"), &utf16).expect("a file");
    let ran = kvlint(dir.path(), &["--fix"]);
    assert_eq!(read(&dir, "rendered.yaml"), rendered);
    assert_eq!(fs::read(dir.path().join("utf16.yaml")).expect("bytes"), utf16);
    assert_eq!(read(&dir, "plain.yaml"), named(MENDED, "c"));
    assert!(ran.out.contains("fix: remove the comment [by hand]"), "{}", ran.out);
    assert!(ran.out.contains("rendered.yaml was rendered: change what it was rendered from"), "{}", ran.out);
    assert!(ran.out.contains("utf16.yaml can't be written back"), "{}", ran.out);
    // Nor is what comes from a renderer through a pipe.
    assert_eq!(kvlint_with_input(dir.path(), &["--fix", "-"], &rendered).out, rendered);
}

#[test]
fn standard_input_is_mended_on_standard_output() {
    let dir = folder(&[("a.yaml", FINE)]);
    let ran = kvlint_with_input(dir.path(), &["--fix", "-"], &named(UNUSED, "a"));
    assert_eq!((ran.out.as_str(), ran.code), (&*named(MENDED, "a"), Some(0)));
    assert!(ran.err.starts_with("no findings (1 fixed)\n"), "{}", ran.err);
    let same = kvlint_with_input(
        dir.path(),
        &["--fix", "--format", "concise", "-"],
        "a: 1\na: 2\n---\napiVersion: v1\nkind: Pod\n",
    );
    assert_eq!((same.out.as_str(), same.code), ("a: 1\na: 2\n---\napiVersion: v1\nkind: Pod\n", Some(1)));
    assert!(same.err.contains("<stdin>:2:1: error[duplicate-key]"), "{}", same.err);
    // The name is for messages: the file of that name is not touched.
    let named_so = kvlint_with_input(dir.path(), &["--fix", "--stdin-filename", "a.yaml", "-"], &named(UNUSED, "a"));
    assert_eq!((named_so.out, read(&dir, "a.yaml").as_str()), (named(MENDED, "a"), FINE));
    let diff = kvlint_with_input(dir.path(), &["--diff", "-", "--stdin-filename", "x/a.yaml"], &named(UNUSED, "a"));
    assert!(diff.out.starts_with("--- a/x/a.yaml\n+++ b/x/a.yaml\n") && diff.code == Some(1), "{}", diff.out);
    let both = kvlint_with_input(dir.path(), &["--fix", "-", "a.yaml"], "");
    assert!(both.err.contains("`-` stands alone") && both.code == Some(2), "{}", both.err);
}

/// An overlay that names the base and patches one container.
fn overlay(image: &str) -> String {
    format!("resources: [../base]\nimages:\n  - name: aibrix/gateway-plugins\n    newTag: {image}\n")
}

#[test]
fn a_file_that_overlays_share_is_mended_where_all_of_them_have_the_finding() {
    let base = "resources: [gateway.yaml]\n";
    let files = |dev: &str| {
        folder(&[
            ("base/kustomization.yaml", base),
            ("base/gateway.yaml", GATEWAY),
            ("dev/kustomization.yaml", &overlay(dev)),
            ("prod/kustomization.yaml", &overlay("v0.7.0")),
        ])
    };
    let dir = files("v0.6.0");
    let ran = kvlint(dir.path(), &["--fix"]);
    assert!(read(&dir, "base/gateway.yaml").contains("AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED"), "{}", ran.out);
    // 0.4.1 reads the old names.
    let dir = files("v0.4.1");
    let ran = kvlint(dir.path(), &["--fix"]);
    assert_eq!(read(&dir, "base/gateway.yaml"), GATEWAY);
    let note = "the fix is not made here: base/gateway.yaml is used by ./dev too, where this is no defect";
    assert!(ran.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(note), "{}", ran.out);
    assert!(ran.out.contains("[by hand]"), "{}", ran.out);
}

#[test]
fn an_edit_goes_to_the_patch_that_set_the_value() {
    let base =
        GATEWAY.replace("{name: AIBRIX_KV_EVENT_SYNC_ENABLED", "{name: AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED");
    let base =
        base.replace("AIBRIX_USE", "AIBRIX_PREFIX_CACHE_USE").replace("AIBRIX_REMOTE", "AIBRIX_PREFIX_CACHE_REMOTE");
    let patch = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: aibrix-gateway-plugins, namespace: aibrix-system}
spec:
  template:
    spec:
      containers:
        - name: gateway-plugin
          env:
            - name: AIBRIX_PREFIX_CACHE_KV_EVENT_SYNC_ENABLED
              value: 'on' # here, and not in the base
";
    let prod = "resources: [../base]\npatches:\n  - path: sync.yaml\n";
    let dir = folder(&[
        ("base/kustomization.yaml", "resources: [gateway.yaml]\n"),
        ("base/gateway.yaml", &base),
        ("dev/kustomization.yaml", &overlay("v0.6.0")),
        ("prod/kustomization.yaml", prod),
        ("prod/sync.yaml", patch),
    ]);
    let ran = kvlint(dir.path(), &["--fix"]);
    assert_eq!(read(&dir, "prod/sync.yaml"), patch.replace("'on'", "'true'"), "{}", ran.out);
    assert_eq!(read(&dir, "base/gateway.yaml"), base);
}

#[test]
fn a_base_outside_of_the_paths_is_not_edited() {
    let dir = folder(&[
        ("base/kustomization.yaml", "resources: [gateway.yaml]\n"),
        ("base/gateway.yaml", GATEWAY),
        ("prod/kustomization.yaml", &overlay("v0.7.0")),
    ]);
    let ran = kvlint(dir.path(), &["--fix", "prod"]);
    assert_eq!(read(&dir, "base/gateway.yaml"), GATEWAY);
    let note = "the fix is not made here: base/gateway.yaml lies outside of the paths that were given";
    assert!(ran.out.contains(note), "{}", ran.out);
    kvlint(dir.path(), &["--fix", "prod", "base"]);
    assert_ne!(read(&dir, "base/gateway.yaml"), GATEWAY);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
    use std::process::Stdio;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn permissions_stay_and_read_only_files_are_refused() {
        let dir = folder(&[("a.yaml", &named(UNUSED, "a")), ("locked.yaml", &named(UNUSED, "b"))]);
        let mode = |name: &str| fs::metadata(dir.path().join(name)).expect("there").mode() & 0o7777;
        let chmod = |name: &str, mode| {
            fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).expect("allowed");
        };
        chmod("a.yaml", 0o751);
        chmod("locked.yaml", 0o444);
        let ran = kvlint(dir.path(), &["--fix"]);
        assert_eq!((mode("a.yaml"), read(&dir, "a.yaml")), (0o751, named(MENDED, "a")));
        assert_eq!((mode("locked.yaml"), read(&dir, "locked.yaml")), (0o444, named(UNUSED, "b")));
        assert!(ran.err.contains("error: locked.yaml was not written: it is read-only"), "{}", ran.err);
        // What is reported is what is on disk.
        assert!(ran.out.contains("1 warning (1 fixed)"), "{}", ran.out);
        assert_eq!(ran.code, Some(2));
    }

    #[test]
    fn links_are_followed_inside_of_what_was_given_and_not_out_of_it() {
        let dir = folder(&[("out/a.yaml", &named(UNUSED, "a")), ("in/real/b.txt", &named(UNUSED, "b"))]);
        symlink("../out/a.yaml", dir.path().join("in/link.yaml")).expect("a link");
        symlink("real/b.txt", dir.path().join("in/inner.yaml")).expect("a link");
        let ran = kvlint(dir.path(), &["--fix", "in", "in/link.yaml"]);
        assert_eq!(read(&dir, "out/a.yaml"), named(UNUSED, "a"));
        assert!(ran.out.contains("in/link.yaml lies outside of the paths that were given"), "{}", ran.out);
        assert_eq!(read(&dir, "in/real/b.txt"), named(MENDED, "b"));
        assert!(fs::symlink_metadata(dir.path().join("in/inner.yaml")).expect("there").is_symlink());
        // With its own folder given, too, it is edited in its place.
        kvlint(dir.path(), &["--fix", "in/link.yaml", "out"]);
        assert_eq!(read(&dir, "out/a.yaml"), named(MENDED, "a"));
        assert!(fs::symlink_metadata(dir.path().join("in/link.yaml")).expect("there").is_symlink());
    }

    /// Killed at any moment, every file is the old one or the new one, and what is left beside them is never read.
    #[test]
    fn a_kill_leaves_each_file_old_or_new() {
        const FILES: usize = 60;
        // Long enough that a file written in place would be seen half written.
        let filler = "# a line that stays\n".repeat(2000);
        let old = |i: usize| named(UNUSED, &format!("n{i}")) + &filler;
        let new = |i: usize| named(MENDED, &format!("n{i}")) + &filler;
        let name = |i: usize| format!("{i}.yaml");
        // The moments: so many files prepared, so many put in place.
        let moments = [(1, 0), (FILES / 2, 0), (FILES, 0), (0, 1), (0, FILES / 3), (0, FILES)];
        let mut cut_short = 0;
        for (prepared, put) in moments {
            let dir = folder(&[]);
            for i in 0..FILES {
                fs::write(dir.path().join(name(i)), old(i)).expect("a file");
            }
            let names = || -> Vec<String> {
                let entries = fs::read_dir(dir.path()).expect("a folder");
                entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
            };
            let size = |i: usize| fs::metadata(dir.path().join(name(i))).expect("there").len();
            let mut child = support::command(dir.path(), &["--fix"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("starts");
            let mut running = true;
            while running && (names().len() < FILES + prepared || (0..put).any(|i| size(i) == old(i).len() as u64)) {
                running = child.try_wait().expect("a status").is_none();
                thread::sleep(Duration::from_micros(50));
            }
            let _ = child.kill();
            child.wait().expect("ends");
            let texts: Vec<String> = (0..FILES).map(|i| read(&dir, &name(i))).collect();
            let written = (0..FILES).filter(|&i| texts[i] == new(i)).count();
            assert!((0..FILES).all(|i| texts[i] == old(i) || texts[i] == new(i)), "a file is neither old nor new");
            cut_short += usize::from(written < FILES);
            let stray: Vec<String> = names().into_iter().filter(|n| !n.ends_with(".yaml")).collect();
            assert!(stray.iter().all(|n| n.starts_with(".kvlint-") && n.ends_with(".tmp")), "{stray:?}");
            // They are never taken for manifests.
            let again = kvlint(dir.path(), &["--fix"]);
            assert!(again.out.contains(&format!("{FILES} resources in {FILES} files, 1 unit\n")), "{}", again.out);
            assert_eq!((again.code, read(&dir, &name(0))), (Some(0), new(0)));
        }
        assert!(cut_short > 0, "no kill came before the end");
    }
}

#[test]
fn a_file_that_changed_meanwhile_is_not_overwritten() {
    use kvlint::fix::{Change, write};
    use kvlint::source::{FileId, SourceFile};

    let dir = folder(&[("a.yaml", "new: 1\n"), ("b.yaml", "b: 1\n"), ("c.yaml", "c: 1\n")]);
    let root = fs::canonicalize(dir.path()).expect("a folder");
    let change = |name: &str, before: &str, after: &str| Change {
        location: root.join(name),
        before: SourceFile::new(FileId(0), name, before).into(),
        after: after.to_string(),
    };
    let changes = [
        change("a.yaml", "a: 1\n", "a: 2\n"),
        change("b.yaml", "b: 1\n", "b: 2\n"),
        change("c.yaml", "c: 1\n", "c: 2\n"),
    ];
    // One fix changes `a` and `b`.
    let refused = write::changes(&changes, &[vec![root.join("a.yaml"), root.join("b.yaml")]]);
    let told: Vec<_> = refused.iter().map(|r| (r.path.display().to_string(), r.why.as_str())).collect();
    assert_eq!(told[0], ("a.yaml".to_string(), "it changed since it was read: run again"));
    assert_eq!(told[1], ("b.yaml".to_string(), "a fix changes it together with a file that can't be written"));
    assert_eq!(
        (read(&dir, "a.yaml"), read(&dir, "b.yaml"), read(&dir, "c.yaml")),
        ("new: 1\n".into(), "b: 1\n".into(), "c: 2\n".into())
    );
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 3, "nothing is left behind");
}

#[test]
fn an_object_with_very_many_mistakes_is_mended_whole() {
    let object = |value: &dyn Fn(usize) -> String| {
        let data: String = (1..=120).map(|i| format!("  k{i}: {}\n", value(i))).collect();
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{data}")
    };
    let dir = folder(&[("a.yaml", &object(&|i| i.to_string()))]);
    let fixed = kvlint(&dir, &["--fix", "a.yaml"]);
    assert_eq!(fixed.code, Some(0), "{}", fixed.said());
    assert_eq!(read(&dir, "a.yaml"), object(&|i| format!("\"{i}\"")));
}
