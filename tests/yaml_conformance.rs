//! What Kubernetes' own YAML reader makes of odd inputs, against what kvlint makes of them.
//!
//! The cases live outside the project; the test says so and passes where they are absent.

use std::path::Path;
use std::sync::Arc;

use kvlint::source::{FileId, SourceFile};
use kvlint::yaml::{self, json};

const CASES: &str = "../shared/conformance/yaml";

/// Where kvlint answers differently on purpose.
const DIFFERENT: &[(&str, &str)] = &[
    ("bom_doc", "a byte order mark inside a stream is refused: Kubernetes takes it, and it is always an accident"),
    ("multi_inline", "content on the `---` line is refused, as Kubernetes' strict reader does"),
    ("nel", "U+0085 is no line break in YAML 1.2; the document is refused, so nothing is read differently in silence"),
    ("tag_str", "`!!binary` is not decoded: no Kubernetes field is written so"),
];

/// The outcome in the notation of `expected.tsv`: JSON of each document, `ERR` for a refusal.
fn outcome(bytes: Vec<u8>) -> Vec<Result<serde_json::Value, String>> {
    let text = match kvlint::load::decode(bytes) {
        Ok(decoded) => decoded.text,
        Err(e) => return vec![Err(e.message)],
    };
    let source = Arc::new(SourceFile::new(FileId(0), "case.yaml", text));
    let stream = yaml::parse(&source);
    let mut found = Vec::new();
    for document in &stream.documents {
        found.push(match &document.content {
            Err(e) => Err(e.message.clone()),
            Ok(_) if document.oddities.iter().any(|o| o.kind != yaml::OddityKind::DroppedDocument) => {
                Err(document.oddities[0].message.clone())
            }
            Ok(tree) => json::to_json(tree.root()).map_err(|(_, e)| e),
        });
    }
    found
}

#[test]
fn kvlint_reads_what_kubernetes_reads() {
    let Ok(expected) = std::fs::read_to_string(Path::new(CASES).join("expected.tsv")) else {
        eprintln!("skipped: {CASES} is not here");
        return;
    };
    let mut failures = Vec::new();
    let mut compared = 0;
    for line in expected.lines() {
        let mut columns = line.split('\t');
        let (Some(name), Some(wanted)) = (columns.next(), columns.next()) else { continue };
        let Ok(bytes) = std::fs::read(Path::new(CASES).join("cases").join(name)) else { continue };
        let stem = name.trim_end_matches(".yaml");
        let wanted = wanted.strip_prefix("v2:").unwrap_or(wanted);
        let wanted: Vec<&str> = wanted.split(" ¶ ").map(|w| w.split(" STRICT:").next().unwrap_or(w)).collect();
        let got = outcome(bytes);
        compared += 1;
        // Empty documents are not worth a null object each.
        let wanted: Vec<&str> = wanted.into_iter().filter(|w| !w.is_empty() && *w != "null").collect();
        let equal = wanted.len() == got.len()
            && wanted.iter().zip(&got).all(|(w, g)| match g {
                Err(_) => w.starts_with("ERR") || w.contains("Unsupported map key"),
                // Long answers are cut off with an ellipsis; Go writes its keys sorted, and these have only one each.
                Ok(g) => match w.strip_suffix('…') {
                    Some(head) => g.to_string().starts_with(head),
                    None => serde_json::from_str::<serde_json::Value>(w).is_ok_and(|w| &w == g),
                },
            });
        let excused = DIFFERENT.iter().any(|(n, _)| *n == stem);
        if equal == excused {
            let short = |s: String| s.chars().take(160).collect::<String>();
            failures.push(format!("{name}: wanted {} got {}", short(format!("{wanted:?}")), short(format!("{got:?}"))));
        }
    }
    assert!(compared > 100, "only {compared} cases were there");
    assert!(failures.is_empty(), "{} of {compared} differ:\n{}", failures.len(), failures.join("\n"));
}
