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

/// The lines of a text that are prose: blocks of code are left out.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fence: Option<usize> = None;
    text.lines().filter(move |line| {
        let ticks = line.trim_start().bytes().take_while(|b| *b == b'`').count();
        match fence {
            Some(opened) if ticks >= opened => fence = None,
            None if ticks >= 3 => fence = Some(ticks),
            open => return open.is_none(),
        }
        false
    })
}

/// The names under which GitHub shows the headings of a document.
fn anchors(text: &str) -> Vec<String> {
    let headings =
        prose(text).filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    let slug = |heading: &str| -> String {
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    };
    headings.map(slug).collect()
}

/// What is wrong with the relative links of a document.
fn dead_links(path: &Path, text: &str) -> Vec<String> {
    let link = regex::Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
    let mut wrong = Vec::new();
    for line in prose(text) {
        for found in link.captures_iter(line) {
            let (target, anchor) = found[1].split_once('#').map_or((&found[1], None), |(t, a)| (t, Some(a)));
            if target.contains("://") {
                continue;
            }
            let to = if target.is_empty() { path.to_path_buf() } else { path.parent().unwrap_or(path).join(target) };
            let there = match anchor {
                None => to.exists(),
                Some(anchor) => std::fs::read_to_string(&to).is_ok_and(|t| anchors(&t).iter().any(|a| a == anchor)),
            };
            if !there {
                wrong.push(format!("{}: {}", path.display(), &found[1]));
            }
        }
    }
    wrong
}

#[test]
fn links_between_documents_lead_somewhere() {
    let rules = std::fs::read_dir(root().join("rules")).expect("rules/");
    let rules = rules.map(|e| e.expect("an entry").path()).filter(|p| p.extension().is_some_and(|e| e == "md"));
    let mut wrong = Vec::new();
    for path in documents().into_iter().chain(rules) {
        let text = std::fs::read_to_string(&path).expect("a document");
        wrong.extend(dead_links(&path, &text));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_dead_link_is_seen() {
    let path = root().join("docs/made-up.md");
    let text = "[a](output.md#exit-codes) [b](output.md#no-such-part) [c](gone.md) [d](https://example.com/x)\n```md\n[e](gone.md)\n```\n";
    let wrong = dead_links(&path, text);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].ends_with("output.md#no-such-part") && wrong[1].ends_with("gone.md"), "{wrong:?}");
}

#[test]
fn every_page_is_in_the_index() {
    let index = std::fs::read_to_string(root().join("docs/README.md")).expect("docs/README.md");
    for path in documents().iter().filter(|p| p.parent() == Some(&root().join("docs"))) {
        let name = path.file_name().and_then(|n| n.to_str()).expect("a name");
        assert!(name == "README.md" || index.contains(&format!("]({name})")), "docs/README.md does not name {name}");
    }
}

/// What a schema allows, in a few words.
fn allowed(schema: &serde_json::Value) -> String {
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().filter_map(|w| w.as_str()).map(|w| format!("`{w}`")).collect();
        return words.join(", ");
    }
    if let Some(several) = schema["oneOf"].as_array() {
        return several.iter().map(allowed).collect::<Vec<_>>().join(", or ");
    }
    match schema["type"].as_str().unwrap_or_default() {
        "string" if schema.get("pattern").is_some() => "a release".into(),
        "string" => "text".into(),
        "array" => match allowed(&schema["items"]).as_str() {
            "keys" => "a list".into(),
            "a map of text" => "a list of such maps".into(),
            item => format!("a list of {item}"),
        },
        "object" if schema["additionalProperties"]["type"] == "string" => "a map of text".into(),
        "object" => "keys".into(),
        other => other.into(),
    }
}

/// A line for each key of a mapping, and for those below it. The names of the rules have a page of their own.
fn describe(schema: &serde_json::Value, above: &str, text: &mut String) {
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|r| r == name));
    let Some(keys) = schema["properties"].as_object() else { return };
    for (name, value) in keys {
        let path = format!("{above}{name}");
        let must = if required(name) { "; required" } else { "" };
        let about = value["description"].as_str().expect("every key is described");
        let rules = value["properties"].as_object().is_some_and(|keys| keys.contains_key(RULES[0].name));
        let what = if rules { "[rules](rules.md) and levels".into() } else { allowed(value) };
        writeln!(text, "| `{path}` | {what}{must} | {about} |").expect("a string");
        if !rules {
            describe(value, &format!("{path}."), text);
            describe(&value["items"], &format!("{path}[]."), text);
        }
    }
}

#[test]
fn the_reference_of_keys_is_that_of_the_schema() {
    let (begin, end) = ("<!-- keys: made from the JSON Schema -->\n", "<!-- keys: end -->");
    let path = root().join("docs/configuration.md");
    let text = std::fs::read_to_string(&path).expect("docs/configuration.md");
    let (before, rest) = text.split_once(begin).expect("where the keys begin");
    let (_, after) = rest.split_once(end).expect("where the keys end");
    let mut table = String::from("| key | value | |\n|---|---|---|\n");
    describe(&kvlint::config::json_schema(), "", &mut table);
    keep(&path, &format!("{before}{begin}{table}{end}{after}"));
}

/// The manifests of a project of testdata, by name.
fn manifests(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path());
    let mut found: Vec<(String, String)> = entries
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .map(|path| {
            let name = path.file_name().and_then(|n| n.to_str()).expect("a name").to_string();
            (name, std::fs::read_to_string(&path).expect("a manifest"))
        })
        .collect();
    found.sort();
    found
}

/// docs/migration.md shows one tree before and one after.
#[test]
fn the_migration_leads_from_the_one_tree_to_the_other() {
    let top = tempfile::tempdir().expect("a folder");
    let before = manifests(&root().join("testdata/projects/before-the-migration"));
    for (name, text) in &before {
        std::fs::write(top.path().join(name), text).expect("a manifest");
    }
    let kvlint = |words: &[&str]| {
        let status = Command::new(env!("CARGO_BIN_EXE_kvlint")).args(words).current_dir(top.path()).status();
        assert!(status.expect("kvlint runs").success(), "{words:?}");
    };
    kvlint(&["enable", "models/phi-4", ".", "--tokenizer", "http://phi-4.models:8000"]);
    assert_eq!(manifests(top.path()), manifests(&root().join("testdata/projects/after-the-migration")));
    kvlint(&["disable", "models/phi-4", "."]);
    let (engines, old) = (manifests(top.path()), before);
    let of = |all: &[(String, String)], name: &str| all.iter().find(|m| m.0 == name).map(|m| m.1.clone());
    for name in ["models.yaml", "policies.yaml"] {
        assert_eq!(of(&engines, name), of(&old, name));
    }
    // What the page says of it: the variables go, and the values that stood there before don't come back.
    let gateway = of(&engines, "gateway.yaml").expect("the gateway");
    assert!(!gateway.contains("AIBRIX_PREFIX_CACHE_"), "{gateway}");
}

/// A block of commands: the document, the line that it begins at, the comment above it, and its lines.
struct Commands {
    document: PathBuf,
    line: usize,
    comment: String,
    lines: Vec<String>,
}

fn blocks_of_commands() -> Vec<Commands> {
    let mut found = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).expect("a document");
        let lines: Vec<&str> = text.lines().collect();
        for (at, _) in lines.iter().enumerate().filter(|(_, line)| line.trim() == "```sh") {
            let comment = at.checked_sub(1).map_or("", |above| lines[above]).to_string();
            let inside = lines[at + 1..].iter().take_while(|line| line.trim() != "```").map(|line| line.to_string());
            found.push(Commands { document: document.clone(), line: at + 1, comment, lines: inside.collect() });
        }
    }
    found
}

const HERE: &str = "<!-- executed by tests/docs.rs -->";

#[test]
fn every_block_of_commands_is_executed_or_says_why_not() {
    let blocks = blocks_of_commands();
    for Commands { document, line, comment, .. } in &blocks {
        let known = comment == HERE
            || ["<!-- executed by .ci/documents: ", "<!-- executed by .ci/run -->", "<!-- not executed: "]
                .iter()
                .any(|start| comment.starts_with(start));
        assert!(
            known,
            "{}:{line}: the line above the block says neither who runs it nor why nobody does",
            document.display()
        );
    }
    let left_out = blocks.iter().filter(|b| b.comment.starts_with("<!-- not executed")).count();
    assert!(left_out <= 7, "{left_out} of {} blocks are not executed", blocks.len());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &to),
            false => std::fs::copy(entry.path(), to).map(|_| ()).expect("a file"),
        }
    }
}

/// What the commands of the documents name: a folder of models, overlays, a chart, a repository with a main branch.
fn project() -> tempfile::TempDir {
    let top = tempfile::tempdir().expect("a folder");
    let testdata = root().join("testdata");
    copy(&testdata.join("projects/overlays"), top.path());
    copy(&testdata.join("projects/before-the-migration"), &top.path().join("deploy"));
    for chart in ["chart", "charts/my-model"] {
        copy(&testdata.join("samples/charts/model"), &top.path().join(chart));
    }
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(words).current_dir(top.path());
        for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
            command.env_remove(name);
        }
        assert!(command.status().expect("git runs").success(), "git {words:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "All of it"]);
    git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    top
}

/// Each line ends as it should: with what was found, and not with a mistake of whoever wrote the document.
#[test]
fn commands_of_the_documents_do_what_they_say() {
    let helm = find::helm("commands of the documents that render charts");
    let program = Path::new(env!("CARGO_BIN_EXE_kvlint"));
    let folders = [program.parent(), helm.as_deref().and_then(Path::parent)];
    let path: Vec<String> = folders.into_iter().flatten().map(|folder| folder.display().to_string()).collect();
    let mut executed = 0;
    for block in blocks_of_commands().iter().filter(|block| block.comment == HERE) {
        let top = project();
        for line in &block.lines {
            if line.contains("chart") && helm.is_none() {
                continue;
            }
            let endless = line.contains("--watch");
            let line = if endless { format!("timeout 3 {line}") } else { line.clone() };
            let output = Command::new("sh")
                .args(["-c", &line])
                .current_dir(top.path())
                .env_clear()
                .env("PATH", format!("{}:/usr/bin:/bin", path.join(":")))
                .env("HOME", top.path())
                .output()
                .expect("sh runs");
            let code = output.status.code();
            let right = if endless { code == Some(124) } else { matches!(code, Some(0 | 1)) };
            let place = format!("{}:{}", block.document.display(), block.line);
            assert!(right, "{place}: `{line}` ends with {code:?}: {}", String::from_utf8_lossy(&output.stderr));
            executed += 1;
        }
    }
    assert!(executed >= 15, "only {executed} lines");
}
