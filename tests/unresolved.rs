//! Values that are filled in later are never judged: each value of the samples, made unknown, gives no finding.

use std::path::{Path, PathBuf};

use kvlint::config::Config;
use kvlint::lint::{self, Severity};
use kvlint::load;
use kvlint::source::{FileId, SourceFile};
use kvlint::yaml::{self, Node, Shape};

/// Forms in which a value is left to a renderer, a script or a person.
const FORMS: &[&str] = &["${VAR}", "\"{{ VAR }}\"", "$(VAR)", "<var>"];

/// What is known all the same: (the end of the path, the form, the rule).
const ALLOWED: &[(&str, &str, &str)] = &[
    // In brackets a `{` starts a mapping, for Kubernetes' reader as well, so that the text has to be quoted.
    (".command[0]", "${VAR}", "yaml-syntax"),
    (".command[1]", "${VAR}", "yaml-syntax"),
    // The kubelet leaves a reference alone to a variable that the container does not have: the program reads `$(VAR)`.
    (".args[6]", "$(VAR)", "labelled-but-silent"),
    (".value", "$(VAR)", "sync-off"),
    (".value", "$(VAR)", "sync-without-tokenizer"),
    (".value", "$(VAR)", "tokenizer-type"),
    (".value", "$(VAR)", "tokenizer-endpoint"),
];

fn samples() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/samples");
    let mut found = Vec::new();
    for folder in ["autoscaling", "gateway", "model", "network-policies", "disaggregated"] {
        for entry in std::fs::read_dir(root.join(folder)).expect(folder) {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("UTF-8");
            let name = path.strip_prefix(&root).expect("below the samples").to_path_buf();
            if name.extension().is_some_and(|e| e == "yaml") {
                found.push((name, text));
            }
        }
    }
    found.sort();
    assert!(found.len() > 5, "{found:?}");
    found
}

/// The values of a node with their paths. What an object is, is no value.
fn values<'t>(node: Node<'t>, path: &str, found: &mut Vec<(String, Node<'t>)>) {
    match node.shape() {
        Shape::Scalar => found.push((path.to_string(), node)),
        Shape::Sequence => {
            node.items().into_iter().enumerate().for_each(|(i, item)| values(item, &format!("{path}[{i}]"), found));
        }
        Shape::Mapping => {
            for entry in node.entries() {
                let key = entry.key.text().unwrap_or_default();
                if !matches!(key, "apiVersion" | "kind") || !path.is_empty() {
                    values(entry.value, &format!("{path}.{key}"), found);
                }
            }
        }
    }
}

/// The warnings and errors of a unit.
fn findings(texts: &[(PathBuf, String)]) -> Vec<String> {
    let outcome = lint::lint(&load::from_texts(texts), &Config::default(), None);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    let told = outcome.diagnostics.into_iter().filter(|d| d.severity >= Severity::Warning);
    told.map(|d| format!("{}: {}", d.rule, d.message)).collect()
}

#[test]
fn a_value_that_is_filled_in_later_is_not_judged() {
    let samples = samples();
    assert_eq!(findings(&samples), Vec::<String>::new());
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (index, (file, text)) in samples.iter().enumerate() {
        let source = std::sync::Arc::new(SourceFile::new(FileId(0), file, text.as_str()));
        for document in yaml::parse(&source).documents {
            let tree = document.content.expect("a sample is YAML");
            let mut found = Vec::new();
            values(tree.root(), "", &mut found);
            for (path, node) in found.into_iter().filter(|(_, node)| !source.slice(node.span()).contains('\n')) {
                for form in FORMS {
                    let mut changed = samples.clone();
                    let span = node.span();
                    changed[index].1.replace_range(span.start as usize..span.end as usize, form);
                    tried += 1;
                    let rule = |finding: &str| finding.split(':').next().unwrap_or_default().to_string();
                    let allowed = |finding: &String| {
                        ALLOWED.iter().any(|(end, f, r)| path.ends_with(end) && f == form && rule(finding) == *r)
                    };
                    let new = findings(&changed).into_iter().filter(|finding| !allowed(finding));
                    wrong.extend(new.map(|f| format!("{}{path} as {form}: {f}", file.display())));
                }
            }
        }
    }
    assert!(tried > 300, "{tried}");
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}
