//! The checks of the fuzz targets on their seeds, and on copies of them that are damaged in a way that is the same each time.

#[path = "../fuzz/src/checks.rs"]
mod checks;

use std::path::Path;

/// Damaged copies of each seed.
const COPIES: u64 = 40;

/// Bytes that mean something to one of the parsers.
const TOKENS: &[&str] = &[
    "\n",
    ":",
    "- ",
    "&a ",
    "*a",
    "<<: ",
    "'",
    "\"",
    "|\n",
    ">-\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    "#",
    "---\n",
    "...\n",
    "\r\n",
    "\t",
    "$(",
    "${",
    "}}",
    "{{",
    "\\",
    "`",
    "<<EOF\n",
    "&&",
    "\u{feff}",
    "\u{0}",
    "é",
    "😀",
    "!!binary ",
    "~",
    "? ",
    "%YAML 1.2\n",
    "9e999",
    "-0x1",
    "../",
];

/// A generator that is the same on every machine (Knuth's MMIX constants).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

fn damaged(seed: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 + chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        match chance.below(5) {
            0 if at < bytes.len() => bytes[at] = chance.below(256) as u8,
            1 => bytes.truncate(at),
            2 => {
                let end = (at + chance.below(20)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => {
                let end = (at + chance.below(60)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                let to = chance.below(bytes.len() + 1);
                bytes.splice(to..to, again);
            }
            _ => {
                let token = TOKENS[chance.below(TOKENS.len())];
                bytes.splice(at..at, token.bytes());
            }
        }
    }
    bytes
}

fn run(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "no seed in {}", folder.display());
    for seed in seeds {
        let bytes = std::fs::read(&seed).unwrap();
        check(&bytes);
        let mut chance = Chance(bytes.len() as u64);
        for copy in 0..COPIES {
            let broken = damaged(&bytes, &mut chance);
            let checked = std::panic::catch_unwind(|| check(&broken));
            assert!(checked.is_ok(), "{} copy {copy}: {:?}", seed.display(), String::from_utf8_lossy(&broken));
        }
    }
}

#[test]
fn yaml() {
    run("yaml", checks::yaml);
}

#[test]
fn shell() {
    run("shell", checks::shell);
}

#[test]
fn events_json() {
    run("events_json", checks::events_json);
}

#[test]
fn manifest() {
    run("manifest", checks::manifest);
}

#[test]
fn kustomize() {
    run("kustomize", checks::kustomize);
}

#[test]
fn helm() {
    run("helm", checks::helm);
}

#[test]
fn config() {
    run("config", checks::config);
}

#[test]
fn edits() {
    run("edits", checks::edits);
}

#[test]
fn fix() {
    run("fix", checks::fix);
}

#[test]
fn baseline() {
    run("baseline", checks::baseline);
}
