//! Data runs one way: which room of the source uses which is what docs/design.md says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use regex::Regex;
use walkdir::WalkDir;

/// Rooms by name, each with those that it uses.
type Rooms = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The table of docs/design.md, in its order.
fn designed() -> Vec<(String, BTreeSet<String>)> {
    let text = fs::read_to_string(root().join("docs/design.md")).expect("docs/design.md");
    let row = Regex::new(r"(?m)^\| `(?:src/(\w+)(?:\.rs)?|(rules)/)` \|[^|]*\| ([a-z0-9 ]*) \|$").expect("a pattern");
    let rooms = row.captures_iter(&text).map(|found| {
        let name = found.get(1).or(found.get(2)).expect("a room");
        (name.as_str().to_string(), found[3].split_whitespace().map(str::to_string).collect())
    });
    rooms.collect()
}

/// What the source does. Tests stand above all rooms.
fn used() -> Rooms {
    let name = Regex::new(r"\bcrate::([a-z0-9_]+)").expect("a pattern");
    let mut rooms = Rooms::new();
    for entry in ["src", "rules"].into_iter().flat_map(|top| WalkDir::new(root().join(top))) {
        let path = entry.expect("an entry").into_path();
        let inside = path.strip_prefix(root()).expect("a path inside").with_extension("");
        let parts: Vec<&str> = inside.iter().filter_map(|part| part.to_str()).collect();
        let is_rust = path.extension().is_some_and(|e| e == "rs");
        if !is_rust || parts.contains(&"tests") || ["lib", "main"].contains(&parts[1]) {
            continue;
        }
        let room = if parts[0] == "rules" { "rules" } else { parts[1] };
        let uses = rooms.entry(room.to_string()).or_default();
        let text = fs::read_to_string(&path).expect("a source");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            uses.extend(name.captures_iter(line).map(|found| found[1].to_string()).filter(|other| other != room));
        }
    }
    rooms
}

#[test]
fn rooms_use_what_the_design_says() {
    let (designed, used) = (designed(), used());
    let names = |rooms: &mut dyn Iterator<Item = &String>| rooms.cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&mut designed.iter().map(|(name, _)| name)), names(&mut used.keys()), "the rooms of the design");
    for (room, uses) in &designed {
        assert_eq!(uses, &used[room], "what docs/design.md says of `{room}`, and what it does");
    }
}

#[test]
fn no_room_uses_one_below_it() {
    let mut above = BTreeSet::new();
    for (room, uses) in designed() {
        let below: Vec<&String> = uses.difference(&above).collect();
        assert!(below.is_empty(), "`{room}` uses {below:?}, which docs/design.md has below it");
        above.insert(room);
    }
}
