//! The listing of connections agrees with a reference analyser (np-guard's netpol-analyzer) on its own test cases.
//!
//! The cases lie beside the repository and are not a part of it; without them the test says so and passes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kvlint::config::Config;
use kvlint::events::Model;
use kvlint::k8s::policy::ip::{Addresses, Cidr};
use kvlint::k8s::reach::{Assumptions, Reach, Reading};
use kvlint::load::{self, Inputs};

const CASES: &str = "../shared/conformance/netpol";

/// (from, to, connections) without external ends, and with one: (to or from, connections, direction) to addresses.
#[derive(Default, PartialEq, Eq, Debug)]
struct List {
    inside: BTreeSet<(String, String, String)>,
    outside: BTreeMap<(String, String, &'static str), Addresses>,
}

impl List {
    fn read(text: &str) -> List {
        let mut list = List::default();
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            let (ends, connections) = line.split_once(" : ").expect("` : `");
            let (from, to) = ends.split_once(" => ").expect("` => `");
            let mut outside = |end: &str, other: &str, way| {
                let (first, last) = end.strip_suffix("[External]").unwrap().split_once('-').unwrap();
                let address = |text: &str| Cidr::parse(&format!("{text}/32")).unwrap().range;
                let range = kvlint::k8s::policy::ip::IpRange { last: address(last).first, ..address(first) };
                list.outside.entry((other.into(), connections.into(), way)).or_default().add(&[range]);
            };
            match (from.ends_with("[External]"), to.ends_with("[External]")) {
                (true, _) => outside(from, to, "in"),
                (_, true) => outside(to, from, "out"),
                _ => {
                    list.inside.insert((from.into(), to.into(), connections.into()));
                }
            }
        }
        list
    }
}

fn listed(folder: &Path) -> String {
    let inputs = Inputs { paths: vec![folder.to_path_buf()], ..Default::default() };
    let loaded = load::load(&inputs).unwrap();
    let config = Config::default();
    let mut text = String::new();
    for unit in &loaded.units {
        let model = Model::new(unit, &config);
        let assumptions = Assumptions { namespace: Some("default"), reading: Reading::Plain };
        let reach = Reach::new(unit, &model.workloads, Vec::new(), assumptions);
        reach.connections(
            |_, _| true,
            |c| {
                assert_eq!(c.certain, c.possible, "nothing is unknown in {}", folder.display());
                text.push_str(&format!("{} => {} : {}\n", c.from, c.to, c.certain));
            },
        );
    }
    text
}

#[test]
fn every_case_agrees_with_the_reference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(CASES);
    let Ok(entries) = std::fs::read_dir(&root) else {
        eprintln!("skipped: there is no {}", root.display());
        return;
    };
    let mut cases: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).filter(|p| p.join("input").is_dir()).collect();
    cases.sort();
    assert!(!cases.is_empty(), "no case in {}", root.display());
    let mut wrong = Vec::new();
    for case in &cases {
        let expected = List::read(&std::fs::read_to_string(case.join("expected.txt")).unwrap());
        let found = List::read(&listed(&case.join("input")));
        let name = case.file_name().unwrap().to_string_lossy();
        for line in expected.inside.difference(&found.inside).take(4) {
            wrong.push(format!("{name}: missing {line:?}"));
        }
        for line in found.inside.difference(&expected.inside).take(4) {
            wrong.push(format!("{name}: not expected {line:?}"));
        }
        if expected.outside != found.outside {
            for (key, addresses) in &found.outside {
                if expected.outside.get(key) != Some(addresses) {
                    wrong.push(format!("{name}: {key:?}: {addresses:?} and not {:?}", expected.outside.get(key)));
                }
            }
            let missing = expected.outside.keys().filter(|k| !found.outside.contains_key(*k));
            wrong.extend(missing.map(|key| format!("{name}: missing {key:?}")));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    eprintln!("{} cases agree", cases.len());
}
