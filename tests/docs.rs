//! The documents say what is so: printed output is what the program prints, and the rule index is made from the rules.
//!
//! Blocks of `console helm` are run where there is a helm.
//!
//! `UPDATE=1 cargo test --test docs` writes both anew; read the difference before you keep it.

#[path = "helm/find.rs"]
mod find;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use kvlint::lint::{FixKind, Group, RULES};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn keep(path: &Path, wanted: &str) {
    let have = std::fs::read_to_string(path).unwrap_or_default();
    if have == wanted {
        return;
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, wanted).expect("the document can be written");
        return;
    }
    let line = have
        .lines()
        .zip(wanted.lines())
        .position(|(a, b)| a != b)
        .unwrap_or(have.lines().count().min(wanted.lines().count()));
    panic!(
        "{} is not current from line {}:\n  has   {:?}\n  wants {:?}\nrun `UPDATE=1 cargo test --test docs`",
        path.display(),
        line + 1,
        have.lines().nth(line),
        wanted.lines().nth(line)
    );
}

#[test]
fn the_rule_index_is_current() {
    let groups = [
        (Group::Publisher, "The engine's options"),
        (Group::Ports, "Ports"),
        (Group::Discovery, "How the gateway finds the pod"),
        (Group::Network, "NetworkPolicies between gateway and engines"),
        (Group::Version, "Releases that must understand each other"),
        (Group::Service, "Services"),
        (Group::Gateway, "The gateway's settings"),
        (Group::Autoscaling, "Autoscaling"),
        (Group::Manifest, "The manifest itself"),
        (Group::Kvlint, "kvlint's own comments and configuration"),
    ];
    let mut text = String::from(
        "# Rules\n\nMade from the files in [`rules/`](../rules); `kvlint explain RULE` prints one. *Complete* rules conclude from \
         what is absent, and are silent where a unit is partial. *Observed* rules rest on what releases were seen to do; \
         `contract: documented` in `kvlint.yaml` turns them into information. Rules with a *fix* [mend](fixing.md) what they find, as far \
         as they can.\n",
    );
    for (group, title) in groups {
        writeln!(text, "\n## {title}\n\n| rule | severity | what is wrong | |\n|---|---|---|---|").expect("a string");
        for rule in RULES.iter().filter(|r| r.group == group) {
            let mut marks = Vec::new();
            if rule.needs_complete {
                marks.push("complete");
            }
            if rule.contract == kvlint::lint::Contract::Observed {
                marks.push("observed");
            }
            match rule.fix {
                FixKind::None => {}
                FixKind::Safe => marks.push("fix"),
                FixKind::Unsafe => marks.push("unsafe fix"),
            }
            writeln!(
                text,
                "| [`{0}`](../rules/{0}.md) | {1} | {2} | {3} |",
                rule.name,
                rule.severity,
                rule.summary.replace('|', "\\|"),
                marks.join(", ")
            )
            .expect("a string");
        }
    }
    keep(&root().join("docs/rules.md"), &text);
}

/// README and everything under docs/ in Markdown.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    let docs = std::fs::read_dir(root().join("docs")).expect("docs/");
    found.extend(docs.map(|e| e.expect("an entry").path()).filter(|p| p.extension().is_some_and(|e| e == "md")));
    found.sort();
    found
}

/// Runs a command of a `console` block in the project's folder, with `kvlint` on the path, and helm where it is given.
fn run(command: &str, helm: Option<&Path>) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_kvlint"));
    let folder = program.parent().expect("a folder");
    let helm = helm.and_then(Path::parent).map_or(String::new(), |folder| format!("{}:", folder.display()));
    let output = Command::new("sh")
        .args(["-c", &format!("{command} 2>&1")])
        .current_dir(root())
        .env_clear()
        .env("PATH", format!("{}:{helm}/usr/bin:/bin", folder.display()))
        .env("NO_COLOR", "1")
        .env("LANG", "C.UTF-8")
        .output()
        .expect("sh runs");
    String::from_utf8_lossy(&output.stdout).trim_end().to_string()
}

#[test]
fn printed_output_is_what_the_program_prints() {
    let mut blocks = 0;
    for path in documents() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let mut made = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            made.push_str(line);
            made.push('\n');
            let with_helm = line.trim() == "```console helm";
            if line.trim() != "```console" && !with_helm {
                continue;
            }
            let helm = if with_helm { find::helm("output of charts in the documents") } else { None };
            if with_helm && helm.is_none() {
                continue;
            }
            blocks += 1;
            for inner in lines.by_ref() {
                if inner.trim() == "```" {
                    made.push_str("```\n");
                    break;
                }
                let Some(command) = inner.strip_prefix("$ ") else { continue };
                assert!(command.starts_with("kvlint") || command.contains("| kvlint"), "{command:?} is not kvlint");
                let _ = writeln!(made, "{inner}");
                let output = run(command, helm.as_deref());
                if !output.is_empty() {
                    let _ = writeln!(made, "{output}");
                }
            }
        }
        keep(&path, &made);
    }
    assert!(blocks >= 3, "only {blocks} console blocks");
}

#[test]
fn the_rule_shown_to_contributors_is_the_rule() {
    let text = std::fs::read_to_string(root().join("CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    for half in ["rules/excluded-pod.md", "rules/excluded-pod.rs"] {
        let wanted = std::fs::read_to_string(root().join(half)).expect(half);
        assert!(text.contains(&wanted), "CONTRIBUTING.md does not show {half} as it is");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let link = regex::Regex::new(r"\]\(([^)#\s]+)(#[^)]*)?\)").expect("a pattern");
    let mut wrong = Vec::new();
    for path in documents() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if !target.contains("://") && !path.parent().is_some_and(|p| p.join(target).exists()) {
                wrong.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
