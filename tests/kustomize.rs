//! Kustomize's own tests: the same objects in the same order, and an error where it gives one.
//!
//! The cases lie beside the repository (`../shared/conformance/kustomize`); without them the test says so and passes.
//! `CASE=name cargo test --test kustomize` runs one and prints it.

use std::path::{Path, PathBuf};

use kvlint::load::kustomize::{Accumulated, Disk, Folder, Order, Workspace, build, emit};
use kvlint::source::SourceMap;
use serde_json::Value as Json;

/// Cases in which the real tool (kubectl with Kustomize v5.5.0) does not do what the case says; we do what the tool does.
const TOOL_DISAGREES: &[&str] = &[
    // The case's build calls itself `kustomize-(test)`, the tool writes its version.
    "managedbylabel__TestAddManagedbyLabel__2",
];

fn cases() -> Option<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/kustomize");
    let mut found: Vec<PathBuf> = std::fs::read_dir(root).ok()?.flatten().map(|e| e.path()).collect();
    found.retain(|p| p.join("meta.json").is_file());
    found.sort();
    Some(found)
}

fn run(folder: &Path, anywhere: bool, order: Order) -> (Accumulated, String, String) {
    let mut sources = SourceMap::new();
    // Places without a file of their own are in the first.
    sources.add("<none>", "");
    let files = Disk;
    let mut ws = Workspace::new(&files, &mut sources);
    ws.load_anywhere = anywhere;
    let canonical = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let root = Folder { canonical, shown: folder.to_path_buf() };
    let built = build(&mut ws, &root, order);
    let text = emit(&ws, &built.resources, false);
    let with_origins = emit(&ws, &built.resources, true);
    (built, text, with_origins)
}

fn documents(text: &str) -> Vec<Json> {
    use serde::Deserialize;
    serde_yaml::Deserializer::from_str(text)
        .map(|d| Json::deserialize(d).expect("printed YAML is YAML"))
        .filter(|d| !d.is_null())
        .collect()
}

#[test]
fn the_cases_of_kustomize_agree() {
    let Some(cases) = cases() else {
        eprintln!("skipped: ../shared/conformance/kustomize is not there");
        return;
    };
    let only = std::env::var("CASE").ok();
    let (mut agreed, mut wrong) = (0, Vec::new());
    for case in cases {
        let name = case.file_name().expect("a name").to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|o| !name.contains(o.as_str())) || TOOL_DISAGREES.contains(&name.as_str()) {
            continue;
        }
        let meta: Json = serde_json::from_str(&std::fs::read_to_string(case.join("meta.json")).expect("meta")).expect("JSON");
        let folder = case.join("input").join(meta["run"].as_str().unwrap_or("."));
        let anywhere = meta["options"]["LoadRestrictions"].as_str().is_some_and(|o| o.ends_with("None"));
        let order = if meta["options"]["Reorder"].is_string() { Order::Legacy } else { Order::Fifo };
        let (built, text, with_origins) = run(&folder, anywhere, order);
        let fatal: Vec<&str> = built.log.problems.iter().filter(|p| p.is_fatal()).map(|p| p.message.as_str()).collect();
        if only.is_some() {
            println!("{with_origins}\n{:#?}", built.log);
        }
        let verdict = match std::fs::read_to_string(case.join("expected.yaml")) {
            Err(_) if fatal.is_empty() => Err("an error is expected".to_string()),
            Err(_) => Ok(()),
            Ok(_) if !fatal.is_empty() => Err(format!("fails: {fatal:?}")),
            Ok(_) if !built.log.missing.is_empty() => Err(format!("partial: {:?}", built.log.missing)),
            Ok(expected) => {
                let (found, expected) = (documents(&text), documents(&expected));
                if found == expected {
                    Ok(())
                } else {
                    Err(difference(&found, &expected))
                }
            }
        };
        match verdict {
            Ok(()) => agreed += 1,
            Err(e) => wrong.push(format!("{name}: {e}")),
        }
    }
    println!("{agreed} cases agree");
    assert!(wrong.is_empty(), "{agreed} agree, {} do not:\n{}", wrong.len(), wrong.join("\n"));
}

fn difference(found: &[Json], expected: &[Json]) -> String {
    let title = |d: &Json| format!("{}/{}", d["kind"].as_str().unwrap_or("?"), d["metadata"]["name"].as_str().unwrap_or("?"));
    let titles = |list: &[Json]| list.iter().map(title).collect::<Vec<_>>();
    if titles(found) != titles(expected) {
        return format!("objects are {:?}, not {:?}", titles(found), titles(expected));
    }
    let at = found.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(0);
    format!("{}: found\n  {}\nexpected\n  {}", title(&found[at]), found[at], expected[at])
}
