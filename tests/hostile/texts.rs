//! Manifests that are broken, huge, deep or endless.

use support::folder_of_bytes as folder;
use support::manifests::SILENT;

use crate::run;

/// One bad text each: its name, its bytes, and words of what is said. An empty word asks for nothing but a quiet end.
fn bad_texts() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let laughs = |text: &str, close: &str| -> Vec<u8> {
        let line = |i: usize| format!("a{i}: &a{i} {}{close}\n", text.replace('*', &format!("*a{}", i - 1)));
        (1..12).map(line).fold("a0: &a0 lol\n".to_string(), |all, line| all + &line).into_bytes()
    };
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    vec![
        ("billion laughs in lists", laughs("[*,*,*,*,*,*,*,*,*", "]"), "yaml-syntax"),
        ("billion laughs in maps", laughs("{a: *,b: *,c: *,d: *,e: *,f: *,g: *,h: *", "}"), "yaml-syntax"),
        ("merge keys", laughs("{<<: [*,*,*,*,*,*,*,*]", "}"), "yaml-syntax"),
        ("an alias of itself", b"a: &a [*a]\n".to_vec(), "yaml-syntax"),
        ("nested flow lists", format!("a: {}\n", "[".repeat(10_000)).into_bytes(), "yaml-syntax"),
        ("nested flow maps", format!("{}1{}\n", "{a: ".repeat(10_000), "}".repeat(10_000)).into_bytes(), "yaml-syntax"),
        (
            "nested JSON",
            format!("{}{}", "{\"apiVersion\":[".repeat(10_000), "]}".repeat(10_000)).into_bytes(),
            "yaml-syntax",
        ),
        (
            "nested blocks",
            (0..10_000).map(|i| format!("{}a:\n", " ".repeat(i % 3000))).collect::<String>().into_bytes(),
            "",
        ),
        ("nested dashes", format!("{}a\n", "- ".repeat(10_000)).into_bytes(), "yaml-syntax"),
        ("nested question marks", format!("{}a\n", "? ".repeat(10_000)).into_bytes(), "yaml-syntax"),
        ("a huge plain scalar", format!("{pod}spec: {}\n", "x".repeat(10 << 20)).into_bytes(), ""),
        ("a huge quoted scalar", format!("{pod}x: \"{}\"\n", "\\u00e9".repeat(2 << 20)).into_bytes(), ""),
        ("a huge block", format!("{pod}x: |\n{}", "  some text\n".repeat(1 << 20)).into_bytes(), ""),
        ("a huge key", format!("{pod}{}: 1\n", "k".repeat(10 << 20)).into_bytes(), ""),
        ("a huge comment", format!("{pod}# {}\n", "c".repeat(10 << 20)).into_bytes(), ""),
        ("a huge number", format!("{pod}x: {}\n", "9".repeat(1 << 20)).into_bytes(), ""),
        ("many anchors", (0..50_000).map(|i| format!("k{i}: &a{i} x\n")).collect::<String>().into_bytes(), ""),
        ("many equal keys", "k: x\n".repeat(20_000).into_bytes(), ""),
        ("many tags", "- !t x\n".repeat(50_000).into_bytes(), ""),
        ("NUL bytes", b"apiVersion: v1\nkind: Pod\x00\nmetadata: {name: a\x00b}\n".to_vec(), "yaml-syntax"),
        ("invalid UTF-8", b"apiVersion: v1\nkind: Pod\nmetadata: {name: \xff\xfe\xc0\x80}\n".to_vec(), "yaml-syntax"),
        ("UTF-16 without a mark", utf16(SILENT), ""),
        ("half a character of UTF-16", b"\xfe\xff\x00a\x00".to_vec(), "yaml-syntax"),
        ("a surrogate alone", b"\xfe\xff\x00a\xd8\x00\x00b".to_vec(), "yaml-syntax"),
        ("a mark in the middle", format!("{pod}\u{feff}x: 1\n").into_bytes(), ""),
        ("directives", "%YAML 9.9\n%TAG ! tag:x,\n%FOO\n---\n".repeat(2000).into_bytes(), ""),
        (
            "a version that is no version",
            format!("{SILENT}---\n{}", SILENT.replace("v0.11.1", &"9".repeat(5000))).into_bytes(),
            "labelled-but-silent",
        ),
    ]
}

#[test]
fn bad_texts_are_told_and_hide_no_other_file() {
    for (what, bytes, words) in bad_texts() {
        let dir = folder(&[("a.yaml", &bytes), ("b.yaml", SILENT.as_bytes())]);
        let ran = run(dir.path(), &["--format=concise", "--select=labelled-but-silent,yaml-syntax"]);
        assert_eq!(ran.code, Some(1), "{what}: {:.2000}", ran.said());
        assert!(ran.out.contains("b.yaml:7:40: error[labelled-but-silent]"), "{what} hides a file: {:.2000}", ran.out);
        assert!(
            ran.out.lines().any(|l| l.starts_with("a.yaml:") && l.contains(words)) || words.is_empty(),
            "{what}: {:.2000}",
            ran.out
        );
        assert!(ran.out.lines().all(|l| l.len() < 2000), "{what} floods the output");
        // Every rule, as people see it.
        let ran = run(dir.path(), &["--color=never"]);
        assert!(ran.code == Some(1) && ran.out.len() < 200_000 + 100 * bytes.len(), "{what}: {} bytes", ran.out.len());
    }
}

#[test]
fn bad_json_in_scalars_is_told() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let bomb = format!("{{\\\"enable_kv_cache_events\\\": {deep}}}");
    let text = SILENT.trim_end_matches("]\n").to_string() + ", --kv-events-config, \"" + &bomb + "\"]\n";
    let script: String = format!("sh -c '{}'", "$(".repeat(20_000));
    let shell = SILENT.replace("[vllm, serve, meta-llama/Llama-3.1-8B-Instruct]", &format!("[sh, -c, {script:?}]"));
    let heredocs = SILENT.replace(
        "[vllm, serve, meta-llama/Llama-3.1-8B-Instruct]",
        &format!("[sh, -c, {:?}]", "cat <<A <<B\n".repeat(5000)),
    );
    for text in [&text, &shell, &heredocs] {
        let dir = folder(&[("a.yaml", text.as_bytes())]);
        for way in [&["--format=text"][..], &["--format=json"], &["trace"], &["--diff", "--unsafe-fixes"]] {
            let ran = run(dir.path(), way);
            assert!(ran.code < Some(2), "{}", &ran.said()[..ran.said().len().min(3000)]);
        }
    }
}

#[test]
fn a_hundred_thousand_documents_are_read() {
    let mut text: String =
        (0..100_000).map(|i| format!("---\nkind: ConfigMap\napiVersion: v1\nmetadata: {{name: c{i}}}\n")).collect();
    text.push_str("---\n");
    text.push_str(SILENT);
    let dir = folder(&[("a.yaml", text.as_bytes())]);
    let ran = run(dir.path(), &["--format=concise", "--select=labelled-but-silent,yaml-syntax"]);
    assert_eq!(
        (ran.out.lines().filter(|l| l.contains("labelled-but-silent")).count(), ran.code),
        (1, Some(1)),
        "{:.2000}",
        ran.out
    );
    let dir = folder(&[("a.yaml", "---\n".repeat(100_000).as_bytes()), ("b.yaml", SILENT.as_bytes())]);
    assert_eq!(run(dir.path(), &["--format=concise"]).code, Some(1));
}

#[test]
fn variables_that_double_each_other_end() {
    let chain = |n: usize, value: &str| -> String {
        let one = |i: usize| format!("        - {{name: A{}, value: '$(A{i})$(A{i})'}}\n", i + 1);
        format!("      env:\n        - {{name: A0, value: '{value}'}}\n") + &(0..n).map(one).collect::<String>()
    };
    let many: String = (0..2000).map(|_| ", '$(A20)'").collect();
    for env in [chain(60, ""), chain(60, "x"), chain(2000, "x"), chain(5, &"v".repeat(1 << 20))] {
        let text = SILENT.trim_end_matches("]\n").to_string() + ", '$(A60)'" + &many + "]\n" + &env;
        let dir = folder(&[("a.yaml", text.as_bytes())]);
        assert!(run(dir.path(), &["--format=concise"]).code < Some(2));
    }
    // What is small enough is still known.
    let env = chain(3, "1").replace("A3", "VLLM_KV_EVENTS_USE_INT_BLOCK_HASHES");
    let dir = folder(&[("a.yaml", (SILENT.to_string() + &env).as_bytes())]);
    let ran = run(dir.path(), &["--format=concise"]);
    assert!(ran.code < Some(2), "{}", ran.said());
}

#[test]
fn many_findings_in_one_large_document_end() {
    let container = |i: usize| {
        format!(
            "    - {{name: v{i}, image: 'vllm/vllm-openai:v0.12.0', args: [--kv-events-config, '{{\"enable_kv_cache_events\": true, \
             \"endpoint\": \"tcp://0.0.0.0:5557\"}}']}}\n"
        )
    };
    // Each wants the port of all others, which are no pairs to be told one by one.
    let many: String = (0..200).map(container).collect();
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n{many}")
        .replace("0.0.0.0", "*");
    let dir = folder(&[("a.yaml", text.as_bytes())]);
    let ran = run(dir.path(), &["--format=json", "--select=port-clash"]);
    assert_eq!(ran.out.matches("\"rule\": \"port-clash\"").count(), 199, "{:.2000}", ran.err);
    let large = format!("  annotations: {{x: '{}'}}\n", "x".repeat(1 << 20));
    let containers: String = (0..40).map(container).collect();
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n{large}spec:\n  containers:\n{containers}");
    let dir = folder(&[("a.yaml", text.as_bytes())]);
    let ran = run(dir.path(), &["--format=json", "--select=endpoint-connects"]);
    assert_eq!(ran.code, Some(1), "{:.2000}", ran.err);
    assert_eq!(ran.out.matches("\"rule\": \"endpoint-connects\"").count(), 40);
    assert_eq!(ran.out.matches("\"applicability\"").count(), 40, "each has its fix");
}
