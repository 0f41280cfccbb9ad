use std::path::PathBuf;

use super::*;
use crate::lint::{self, Outcome};
use crate::load;

fn collect(text: &str) -> (Suppressions, Loaded) {
    let loaded = load::from_texts(&[(PathBuf::from("a.yaml"), text.to_string())]);
    (Suppressions::collect(&loaded), loaded)
}

/// The text that the first suppression covers.
fn covered(text: &str) -> String {
    let (found, loaded) = collect(text);
    match found.entries[0].scope {
        Scope::Span(span) | Scope::File(span) => loaded.sources.slice(span).to_string(),
    }
}

/// The bytes and the message of what is malformed.
fn malformed(text: &str) -> Vec<(String, String)> {
    let (found, loaded) = collect(text);
    assert!(found.entries.is_empty(), "{text}: {:?}", found.entries);
    found.malformed.iter().map(|m| (loaded.sources.slice(m.span).to_string(), m.message.clone())).collect()
}

#[test]
fn names_and_reasons_are_read_with_their_places() {
    let (found, loaded) = collect("a: 1 # kvlint: ignore[one, two-b] a reason, and more\n");
    let shown: Vec<_> = found.entries.iter().map(|s| (s.rule.as_str(), loaded.sources.slice(s.span))).collect();
    assert_eq!(shown, [("one", "one"), ("two-b", "two-b")]);
    assert!(found.entries.iter().all(|s| s.reason == "a reason, and more"));
    assert_eq!(collect("#kvlint:ignore[one]\na: 1\n").0.entries[0].reason, "");
    assert_eq!(collect("# kvlint: ignore[one]: why\na: 1\n").0.entries[0].reason, "why");
}

#[test]
fn a_trailing_comment_covers_its_line() {
    assert_eq!(covered("a:\n  b: 1 # kvlint: ignore[x] y\n  c: 2\n"), "  b: 1 # kvlint: ignore[x] y");
}

#[test]
fn a_comment_on_its_own_covers_the_next_entry() {
    let comment = "# kvlint: ignore[x] y\n";
    let cases = [
        ("a: 1\nb: 2\n", "a: 1"),
        ("\n# other\n\na: 1\nb: 2\n", "a: 1"),
        ("---\na: 1\nb: 2\n", "a: 1"),
        ("a:\n  b: 1\n\n  # c\n  d:\n    - 2\ne: 3\n", "a:\n  b: 1\n\n  # c\n  d:\n    - 2"),
        ("a:\n- 1\n- 2\nb: 3\n", "a:\n- 1\n- 2"),
        ("a: &x # note\n- 1\nb: 3\n", "a: &x # note\n- 1"),
        ("- a:\n    - 1\n- b\n", "- a:\n    - 1"),
        ("- a:\n- b\n", "- a:"),
        ("a: |\n  one\n\n  two\nb: 3\n", "a: |\n  one\n\n  two"),
        ("a:\r\n  b: 1\r\nc: 2\r\n", "a:\r\n  b: 1"),
        ("a: 1\n---\nb: 2\n", "a: 1"),
    ];
    for (text, wanted) in cases {
        assert_eq!(covered(&format!("{comment}{text}")), wanted, "{text:?}");
    }
}

#[test]
fn an_annotation_covers_its_object() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    kvlint.dev/ignore: |\n      one: because\n      \
                two, three\n---\nb: 1\n";
    let (found, loaded) = collect(text);
    let shown: Vec<_> = found.entries.iter().map(|s| (loaded.sources.slice(s.span), s.reason.as_str())).collect();
    assert_eq!(shown, [("one", "because"), ("two", ""), ("three", "")]);
    assert!(covered(text).starts_with("apiVersion") && !covered(text).contains("b: 1"));
    assert_eq!(loaded.sources.slice(found.entries[0].written), "one: because");
}

#[test]
fn what_is_meant_as_a_suppression_and_is_none_is_told() {
    let cases = [
        ("# kvlint: ignor[x] y", "ignor", "did you mean `ignore`?"),
        ("# kvlint: disable[x] y", "disable", "write `ignore[rule] reason`"),
        ("# kvlint: ignore x", "ignore", "names no rule"),
        ("# kvlint: ignore[] y", "[]", "names no rule"),
        ("# kvlint: ignore[ , ] y", "[ , ]", "names no rule"),
        ("# kvlint: ignore[x y", "[", "not closed"),
        ("# kvlint ignore[x] y", "kvlint", "colon"),
        ("# kvlint:", "", "nothing is said"),
    ];
    for (text, under, words) in cases {
        let found = malformed(&format!("{text}\na: 1\n"));
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].0, under, "{text}: {}", found[0].1);
        assert!(found[0].1.contains(words), "{text}: {}", found[0].1);
    }
    for text in
        ["# kvlint is a linter", "# kvlint", "# see kvlint: ignore[x]", "# kvlinter: ignore[x]", "# kvlint ignores [x]"]
    {
        assert_eq!(malformed(&format!("{text}\na: 1\n")), [], "{text}");
    }
}

fn lint(text: &str, config: &Config) -> Outcome {
    let (_, loaded) = collect(text);
    lint::lint(&loaded, config, None)
}

fn rules(text: &str, config: &Config) -> Vec<&'static str> {
    lint(text, config).diagnostics.iter().map(|d| d.rule).collect()
}

const TWICE: &str = "a: 1\na: 2";

#[test]
fn a_suppression_that_silences_is_not_unused() {
    let outcome = lint(&format!("{TWICE} # kvlint: ignore[duplicate-key] kept for the test\n"), &Config::default());
    assert_eq!((outcome.diagnostics.len(), outcome.suppressed), (0, 1));
    let outcome = lint(&format!("# kvlint: ignore-file[duplicate-key] kept\n{TWICE}\n"), &Config::default());
    assert_eq!((outcome.diagnostics.len(), outcome.suppressed), (0, 1));
}

#[test]
fn unused_counts_only_where_the_rule_ran() {
    let text = "a: 1 # kvlint: ignore[duplicate-key] no longer\n";
    assert_eq!(rules(text, &Config::default()), ["suppression-unused"]);
    let off = Config { rules: vec![("duplicate-key".into(), Level::Off)], ..Config::default() };
    assert_eq!(rules(text, &off), [""; 0]);
    let select = Config { select: vec!["yaml-syntax".into(), "suppression-unused".into()], ..Config::default() };
    assert_eq!(rules(text, &select), [""; 0]);
    assert_eq!(rules(&format!("{text}---\nb: \"\n"), &Config::default()), ["yaml-syntax"]);
}

#[test]
fn rules_about_suppressions_can_be_silenced_but_not_by_themselves() {
    let silenced =
        "# kvlint: ignore-file[suppression-unused] the file is copied\na: 1 # kvlint: ignore[duplicate-key] x\n";
    assert_eq!(rules(silenced, &Config::default()), [""; 0]);
    let itself = format!("{TWICE} # kvlint: ignore[duplicate-key, suppression-without-reason]\n");
    assert_eq!(rules(&itself, &Config::default()), ["suppression-without-reason"]);
}

proptest::proptest! {
    /// Whatever a comment says, its places are text of the file.
    #[test]
    fn every_place_lies_in_the_text(rest in "[\\[\\]:, \u{e9}a-]{0,12}", verb in "(ignore|ignore-file|of)?", own in "(a: 1 )?") {
        let (found, loaded) = collect(&format!("{own}# kvlint:{verb}{rest}\nb:\n- 1\n"));
        let spans = found.entries.iter().flat_map(|s| [s.span, s.written]).chain(found.malformed.iter().map(|m| m.span));
        for span in spans {
            let text = loaded.sources.file(span.file).text();
            proptest::prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} of {text:?}");
        }
    }
}

#[test]
fn a_list_under_its_key_ends_with_the_next_key_and_with_the_document() {
    let list = "# kvlint: ignore[x] y\nargs:\n- a:\n    b: 1\n\n# about c\n- c\n";
    let end = list.find("args").unwrap();
    assert_eq!(covered(&format!("{list}next: 1\n")), list[end..].trim_end());
    assert_eq!(covered(&format!("{list}---\n- d\n")), list[end..].trim_end());
    assert_eq!(covered("# kvlint: ignore[x] y\n---\na: 1\nb: 2\n"), "a: 1");
}
