//! Finds the rules: a pair `rules/<name>.md` and `rules/<name>.rs` each, and writes the registry from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const KEYS: &[&str] =
    &["summary", "group", "severity", "scope", "needs", "fix", "contract", "breaks", "noted-at", "since"];

/// The hops of an event's way, as the front matter and the program name them.
const HOPS: &[(&str, &str)] = &[
    ("published", "Published"),
    ("bound", "Bound"),
    ("exposed", "Exposed"),
    ("discovered", "Discovered"),
    ("allowed", "Allowed"),
    ("decodable", "Decodable"),
    ("block-size", "BlockSize"),
];

fn main() {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=src/facts");
    tables();
    println!("cargo::rerun-if-changed=build.rs");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder");
    let rules = Path::new(&root).join("rules");
    let mut names: BTreeMap<String, [bool; 2]> = BTreeMap::new();
    for entry in fs::read_dir(&rules).expect("rules/ can be read") {
        let path = entry.expect("rules/ can be listed").path();
        let stem = path.file_stem().and_then(|s| s.to_str()).expect("a rule's name is text").to_string();
        let half = match path.extension().and_then(|e| e.to_str()) {
            Some("md") => 0,
            Some("rs") => 1,
            _ => panic!("{} is neither the text nor the check of a rule", path.display()),
        };
        names.entry(stem).or_default()[half] = true;
    }
    let mut modules = String::new();
    let mut table = String::from("/// Every rule, by name.\npub static RULES: &[Rule] = &[\n");
    let mut known = String::from("/// Every rule, by name.\npub(super) static RULES: &[Known] = &[\n");
    for (name, halves) in &names {
        assert!(halves[0], "rules/{name}.rs has no rules/{name}.md");
        assert!(halves[1], "rules/{name}.md has no rules/{name}.rs");
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "rules/{name}: a rule's name is made of lower-case letters, digits and `-`"
        );
        let text_path = rules.join(format!("{name}.md"));
        let check_path = rules.join(format!("{name}.rs"));
        let text = fs::read_to_string(&text_path).expect("a rule's text can be read");
        let meta = front_matter(name, &text);
        let module = format!("rule_{}", name.replace('-', "_"));
        writeln!(modules, "#[path = {:?}]\nmod {module};", check_path.display().to_string()).unwrap();
        let scope = meta.get("scope").map_or("unit", String::as_str);
        let check = match scope {
            "unit" => format!("Check::Unit({module}::check)"),
            "resource" => format!("Check::Resource({module}::check)"),
            "run" => format!("Check::Run({module}::check)"),
            other => panic!("rules/{name}.md: scope is unit, resource or run, not {other}"),
        };
        writeln!(
            table,
            "    Rule {{ name: {name:?}, summary: {:?}, group: Group::{}, severity: Severity::{}, needs_complete: {}, \
             fix: FixKind::{}, contract: Contract::{}, breaks: {}, noted_at: {}, since: {:?}, text: include_str!({:?}), check: {check} }},",
            meta["summary"],
            one_of(name, &meta, "group", None),
            one_of(name, &meta, "severity", None),
            match meta.get("needs").map(String::as_str) {
                None => false,
                Some("complete") => true,
                Some(other) => panic!("rules/{name}.md: needs can only be `complete`, not {other}"),
            },
            one_of(name, &meta, "fix", Some("none")),
            one_of(name, &meta, "contract", Some("documented")),
            hop(name, &meta, "breaks"),
            hop(name, &meta, "noted-at"),
            meta["since"],
            text_path.display().to_string(),
        )
        .unwrap();
        let (summary, group) = (&meta["summary"], &meta["group"]);
        writeln!(known, "    Known {{ name: {name:?}, summary: {summary:?}, group: {group:?} }},").unwrap();
    }
    table.push_str("];\n");
    known.push_str("];\n");
    let out = env::var("OUT_DIR").expect("cargo names the output folder");
    fs::write(Path::new(&out).join("rules.rs"), modules + &table).expect("the registry can be written");
    fs::write(Path::new(&out).join("known.rs"), known).expect("the names can be written");
}

/// Writes each table of facts as JSON, which the program decodes faster.
fn tables() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo names the output folder")).join("facts");
    convert(&Path::new(&root).join("src/facts"), &out);
}

fn convert(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the output folder can be made");
    for entry in fs::read_dir(from).expect("a folder of tables can be read") {
        let path = entry.expect("a folder of tables can be listed").path();
        let name = path.file_name().and_then(|n| n.to_str()).expect("a table's name is text");
        if path.is_dir() {
            convert(&path, &to.join(name));
        } else if path.extension().is_some_and(|e| e == "yaml") {
            let text = fs::read_to_string(&path).expect("a table can be read");
            let shown = path.display();
            let value: serde_json::Value = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{shown}: {e}"));
            fs::write(to.join(format!("{name}.json")), value.to_string()).expect("a table can be written");
        }
    }
}

/// The `key: value` lines between the two `---`, with every required key there.
fn front_matter(name: &str, text: &str) -> BTreeMap<String, String> {
    let body = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    let (front, _) = body.unwrap_or_else(|| panic!("rules/{name}.md does not start with front matter"));
    let mut meta = BTreeMap::new();
    for line in front.lines() {
        let (key, value) =
            line.split_once(": ").unwrap_or_else(|| panic!("rules/{name}.md: {line:?} is not `key: value`"));
        assert!(KEYS.contains(&key), "rules/{name}.md: unknown key {key:?}, known are {KEYS:?}");
        assert!(meta.insert(key.to_string(), value.trim().to_string()).is_none(), "rules/{name}.md: {key} twice");
    }
    for key in ["summary", "group", "severity", "since"] {
        assert!(meta.contains_key(key), "rules/{name}.md has no {key}");
    }
    meta
}

/// The hop that a key of the front matter names, where there is one.
fn hop(name: &str, meta: &BTreeMap<String, String>, key: &str) -> String {
    let Some(word) = meta.get(key) else { return "None".into() };
    let found = HOPS.iter().find(|(known, _)| known == word);
    let (_, hop) = found.unwrap_or_else(|| panic!("rules/{name}.md: {key} is one of {HOPS:?}, not {word:?}"));
    format!("Some(HopKind::{hop})")
}

/// A front-matter word as the name of an enum's variant.
fn one_of(name: &str, meta: &BTreeMap<String, String>, key: &str, default: Option<&str>) -> String {
    let allowed: &[&str] = match key {
        "severity" => &["error", "warning", "info"],
        "fix" => &["none", "safe", "unsafe"],
        "contract" => &["documented", "observed"],
        _ => &[
            "publisher",
            "ports",
            "discovery",
            "network",
            "version",
            "service",
            "gateway",
            "autoscaling",
            "manifest",
            "kvlint",
        ],
    };
    let value = meta.get(key).map(String::as_str).or(default).unwrap_or_default();
    assert!(allowed.contains(&value), "rules/{name}.md: {key} is one of {allowed:?}, not {value:?}");
    value[..1].to_ascii_uppercase() + &value[1..]
}
