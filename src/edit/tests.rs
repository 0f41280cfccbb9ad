//! Before and after, for every shape.

use std::sync::Arc;

use super::{At, Changes, Refusal, Script, Value, WordId, append_document, apply_to, remove_document};
use crate::source::{SourceFile, SourceMap};
use crate::yaml::{self, Node, Tree};

fn read(text: &str) -> (Arc<SourceFile>, Vec<Arc<Tree>>) {
    let file = SourceMap::new().add("a.yaml", text);
    let trees = yaml::parse(&file).documents.into_iter().map(|d| d.content.unwrap()).collect();
    (file, trees)
}

/// Edits the first document.
fn edit(
    text: &str,
    change: impl for<'t> FnOnce(&mut Changes<'t>, Node<'t>) -> Result<(), Refusal>,
) -> Result<String, String> {
    let (file, trees) = read(text);
    let mut changes = Changes::new();
    let done = change(&mut changes, trees[0].root()).and_then(|()| changes.finish());
    done.map(|edits| apply_to(file.text(), &edits).unwrap()).map_err(|refusal| refusal.reason)
}

/// `a.b.0.c` from the root.
fn at<'t>(root: Node<'t>, path: &str) -> Node<'t> {
    path.split('.').filter(|p| !p.is_empty()).fold(root, |node, step| match step.parse::<usize>() {
        Ok(index) if node.is_sequence() => node.items()[index],
        _ => node.get(step).unwrap(),
    })
}

fn set(text: &str, path: &[&str], value: impl Into<Value>) -> Result<String, String> {
    let value = value.into();
    edit(text, |changes, root| changes.set(root, path, value))
}

fn append(text: &str, path: &str, value: impl Into<Value>) -> Result<String, String> {
    let value = value.into();
    edit(text, |changes, root| changes.append(at(root, path), &[], value))
}

fn remove(text: &str, path: &str) -> Result<String, String> {
    edit(text, |changes, root| changes.remove(at(root, path)))
}

fn replace(text: &str, path: &str, value: impl Into<Value>) -> Result<String, String> {
    let value = value.into();
    edit(text, |changes, root| changes.replace(at(root, path), value))
}

#[test]
fn a_replaced_scalar_keeps_its_quotes() {
    for (before, value, after) in [
        ("a: x # c\n", Value::from("w"), "a: w # c\n"),
        ("a: 'x'\n", Value::from("it's"), "a: 'it''s'\n"),
        ("a: \"x\"\n", Value::from("w"), "a: \"w\"\n"),
        ("a: 'x'\n", Value::from("l1\nl2"), "a: |-\n  l1\n  l2\n"),
        ("a: 1\n", Value::from(2), "a: 2\n"),
        ("a: \"1\"\n", Value::from(2), "a: 2\n"),
        ("a: x\n", Value::from("true"), "a: \"true\"\n"),
        ("a: x\n", Value::from("5557"), "a: \"5557\"\n"),
        ("a: x\n", Value::from("b: c"), "a: \"b: c\"\n"),
        ("a: 'q'\nb: x\n", Value::from("yes"), "a: 'yes'\nb: x\n"),
        ("a: [x, y]\n", Value::from(1), "a: 1\n"),
        ("a:\n", Value::from("x"), "a: x\n"),
        ("a: # c\n", Value::from("x"), "a: x # c\n"),
        ("a: ~\n", Value::from("x"), "a: x\n"),
        ("a: >-\n  x\n  y\nb: 1\n", Value::from("z"), "a: z\nb: 1\n"),
        ("a: |\n  x\nb: 1\n", Value::from("z\nw\n"), "a: |\n  z\n  w\nb: 1\n"),
        ("a:\n  b: 1\n", Value::from("z"), "a: z\n"),
        ("a: # c\n  b: 1\nd: 2", Value::from("z"), "a: z # c\nd: 2"),
        ("a: x # c\n", Value::map([("b", 1)]), "a: # c\n  b: 1\n"),
        ("a: x", Value::list(["b"]), "a:\n- b"),
    ] {
        assert_eq!(replace(before, "a", value).as_deref(), Ok(after), "{before:?}");
    }
    assert_eq!(replace("a: [x, y]\n", "a.1", "b: c").unwrap(), "a: [x, \"b: c\"]\n");
    assert_eq!(
        replace("- x\n-   y # c\n", "1", Value::map([("a", 1), ("b", 2)])).unwrap(),
        "- x\n-   a: 1 # c\n    b: 2\n"
    );
    assert_eq!(replace("-\n- y\n", "0", "x").unwrap(), "- x\n- y\n");
}

#[test]
fn missing_parents_are_created() {
    let path = &["m", "labels", "k"];
    for (before, after) in [
        ("m:\n  labels:\n    a: b\nz: 1\n", "m:\n  labels:\n    a: b\n    k: v\nz: 1\n"),
        ("m:\n  labels: {}\nz: 1\n", "m:\n  labels:\n    k: v\nz: 1\n"),
        ("m:\n  labels:\nz: 1\n", "m:\n  labels:\n    k: v\nz: 1\n"),
        ("m:\n  labels: null # c\nz: 1\n", "m:\n  labels: # c\n    k: v\nz: 1\n"),
        ("m:\n    name: x\nz: 1\n", "m:\n    name: x\n    labels:\n        k: v\nz: 1\n"),
        ("z: 1", "z: 1\nm:\n  labels:\n    k: v"),
        ("z: 1\r\n", "z: 1\r\nm:\r\n  labels:\r\n    k: v\r\n"),
        ("\u{feff}z: 1\r\n", "\u{feff}z: 1\r\nm:\r\n  labels:\r\n    k: v\r\n"),
        ("{\"m\": {\"name\": \"x\"}}", "{\"m\": {\"name\": \"x\", \"labels\": {\"k\": \"v\"}}}"),
        ("{\"m\":{\"labels\":{}}}", "{\"m\":{\"labels\":{\"k\":\"v\"}}}"),
        ("m: {labels: {a: b}}\n", "m: {labels: {a: b, k: v}}\n"),
        ("m: { labels: { a: b } }\n", "m: { labels: { a: b, k: v } }\n"),
        ("m: {labels: }\n", "m: {labels: {k: v}}\n"),
        (
            "{\n  \"m\": {\n    \"labels\": {}\n  }\n}\n",
            "{\n  \"m\": {\n    \"labels\": {\n      \"k\": \"v\"\n    }\n  }\n}\n",
        ),
        ("{\n  \"z\": 1\n}\n", "{\n  \"z\": 1,\n  \"m\": {\n    \"labels\": {\n      \"k\": \"v\"\n    }\n  }\n}\n"),
        ("---\nz: 1\n...\n", "---\nz: 1\nm:\n  labels:\n    k: v\n...\n"),
        ("z: 1\n---\ny: 2\n", "z: 1\nm:\n  labels:\n    k: v\n---\ny: 2\n"),
    ] {
        assert_eq!(set(before, path, "v").as_deref(), Ok(after), "{before:?}");
    }
}

#[test]
fn items_stand_like_their_neighbours() {
    for (before, after) in [
        ("a:\n- x\nb: 1\n", "a:\n- x\n- w\nb: 1\n"),
        ("a:\n  - x\nb: 1\n", "a:\n  - x\n  - w\nb: 1\n"),
        ("a:\n-   x # c\n# d\nb: 1\n", "a:\n-   x # c\n-   w\n# d\nb: 1\n"),
        ("a:\n- \"x\"\n", "a:\n- \"x\"\n- \"w\"\n"),
        ("a:\n- 'x'", "a:\n- 'x'\n- 'w'"),
        ("a: [x]\n", "a: [x, w]\n"),
        ("a: [x,]\n", "a: [x, w,]\n"),
        ("a: [\"x\",\"z\"]\n", "a: [\"x\",\"z\",\"w\"]\n"),
        ("a: []\n", "a:\n- w\n"),
        ("a:\n", "a:\n- w\n"),
        ("a: [\n  x,\n  z\n]\n", "a: [\n  x,\n  z,\n  w\n]\n"),
        ("a: [\n  x,\n  z, # c\n]\n", "a: [\n  x,\n  z, # c\n  w,\n]\n"),
        ("a: [\n  x, # d\n  z # c\n]\n", "a: [\n  x, # d\n  z, # c\n  w\n]\n"),
        ("a: [\n  x, z\n]\n", "a: [\n  x, z, w\n]\n"),
        ("a:\n- |\n  x\n\nb: 1\n", "a:\n- |\n  x\n- w\n\nb: 1\n"),
        ("a:\n- |+\n  x\n\nb: 1\n", "a:\n- |+\n  x\n\n- w\nb: 1\n"),
        ("a:\n- |\n  x", "a:\n- |-\n  x\n- w"),
        ("a:\n- |+\n  x", "a:\n- |-\n  x\n- w"),
        ("a:\n- >-\n  x", "a:\n- >-\n  x\n- w"),
        ("a:\n- - x\n", "a:\n- - x\n- w\n"),
    ] {
        assert_eq!(append(before, "a", "w").as_deref(), Ok(after), "{before:?}");
    }
    let port = Value::map([("name", Value::from("k")), ("port", Value::from(1))]);
    for (before, after) in [
        ("a:\n- name: x\n", "a:\n- name: x\n- name: k\n  port: 1\n"),
        ("a:\n  -   name: x\n", "a:\n  -   name: x\n  -   name: k\n      port: 1\n"),
        ("a:\n- {name: x}\n", "a:\n- {name: x}\n- {name: k, port: 1}\n"),
        ("a: [{\"name\": \"x\"}]", "a: [{\"name\": \"x\"}, {\"name\": \"k\", \"port\": 1}]"),
        (
            "{\"a\": [\n  {\n    \"name\": \"x\"\n  }\n]}",
            "{\"a\": [\n  {\n    \"name\": \"x\"\n  },\n  {\n    \"name\": \"k\",\n    \"port\": 1\n  }\n]}",
        ),
    ] {
        assert_eq!(append(before, "a", port.clone()).as_deref(), Ok(after), "{before:?}");
    }
}

#[test]
fn removed_entries_take_their_lines_along() {
    for (before, path, after) in [
        ("a: 1\nb: 2 # c\nc: 3\n", "b", "a: 1\nc: 3\n"),
        ("a: 1\nb: 2", "b", "a: 1"),
        ("a: |\n  x\nb: 2", "b", "a: |\n  x\n"),
        ("a: |-\n  x\nb: 2", "b", "a: |-\n  x"),
        ("a: 1\n# about b\nb: 2\n# end\n", "b", "a: 1\n# about b\n# end\n"),
        ("a:\n  b: 1\nc: 2\n", "a.b", "a: {}\nc: 2\n"),
        ("a:\n- 1\nc: 2\n", "a.0", "a: []\nc: 2\n"),
        ("- a: 1\n  b: 2\n- c: 3\n", "0.a", "- b: 2\n- c: 3\n"),
        ("- a: 1\n  # x\n  b: 2\n", "0.a", "- # x\n  b: 2\n"),
        ("- a: 1\n- c: 3\n", "0.a", "- {}\n- c: 3\n"),
        ("- a: 1\n- c: 3\n", "0", "- c: 3\n"),
        ("- a: 1\n- c: 3\n", "1", "- a: 1\n"),
        ("a: [x, y, z]\n", "a.0", "a: [y, z]\n"),
        ("a: [x, y, z]\n", "a.1", "a: [x, z]\n"),
        ("a: [x, y, z]\n", "a.2", "a: [x, y]\n"),
        ("a: [x, y,]\n", "a.1", "a: [x,]\n"),
        ("a: [x]\n", "a.0", "a: []\n"),
        ("a: [\n  x,\n  y # c\n]\n", "a.1", "a: [\n  x\n]\n"),
        ("a: [\n  x, # c\n  y,\n]\n", "a.1", "a: [\n  x, # c\n]\n"),
        ("a: [\n  x, # c\n  y\n]\n", "a.0", "a: [\n  y\n]\n"),
        ("a: |\n  x\n\nb: 1\n", "a", "\nb: 1\n"),
        ("x: 1\r\na: |+\r\n  x\r\n\r\nb: 1\r\n", "a", "x: 1\r\nb: 1\r\n"),
    ] {
        assert_eq!(remove(before, path).as_deref(), Ok(after), "{before:?}");
    }
}
#[test]
fn insertions_go_where_they_are_asked_for() {
    let text = "m:\n  # about a\n  a: 1\n  b:\n    c: 1\n    # d: 2\n# end\n";
    let first = edit(text, |ch, root| ch.insert(at(root, "m"), At::First, "k", 0)).unwrap();
    assert_eq!(first, "m:\n  k: 0\n  # about a\n  a: 1\n  b:\n    c: 1\n    # d: 2\n# end\n");
    let last = edit(text, |ch, root| ch.insert(at(root, "m"), At::Last, "k", 0)).unwrap();
    assert_eq!(last, "m:\n  # about a\n  a: 1\n  b:\n    c: 1\n    # d: 2\n  k: 0\n# end\n");
    let after = edit(text, |ch, root| {
        ch.insert(at(root, "m"), At::After(at(root, "m.a")), "k", 0)?;
        ch.insert(at(root, "m"), At::After(at(root, "m.a")), "o", 0)?;
        ch.insert(at(root, "m"), At::Before(at(root, "m.b")), "p", 0)
    });
    assert_eq!(after.unwrap(), "m:\n  # about a\n  a: 1\n  k: 0\n  o: 0\n  p: 0\n  b:\n    c: 1\n    # d: 2\n# end\n");
    let compact = edit("- a: 1\n", |ch, root| ch.insert(at(root, "0"), At::First, "k", 0)).unwrap();
    assert_eq!(compact, "- k: 0\n  a: 1\n");
    let front = edit("# top\na: 1\n", |ch, root| ch.insert(root, At::First, "k", 0)).unwrap();
    assert_eq!(front, "# top\nk: 0\na: 1\n");
    let item = edit("a: [x, y]\n", |ch, root| ch.insert_item(at(root, "a"), At::First, "k")).unwrap();
    assert_eq!(item, "a: [k, x, y]\n");
}

#[test]
fn renamed_keys_keep_their_quotes() {
    let rename = |text: &str, path: &str, key: &str| edit(text, |ch, root| ch.rename(at(root, path), key));
    assert_eq!(rename("a:\n  'b' : 1 # c\n", "a.b", "c").unwrap(), "a:\n  'c' : 1 # c\n");
    assert_eq!(rename("{\"a\": 1}", "a", "true").unwrap(), "{\"true\": 1}");
    assert_eq!(rename("a: 1\n", "a", "true").unwrap(), "\"true\": 1\n");
    assert_eq!(rename("a: 1\nb: 2\n", "a", "b").unwrap_err(), "`b` stands there already");
}

#[test]
fn parents_that_are_emptied_can_go_too() {
    let up =
        |text: &str, path: &str, keep: &str| edit(text, |ch, root| ch.remove_up_to(at(root, path), at(root, keep)));
    assert_eq!(up("m:\n  name: x\n  labels:\n    k: v\n", "m.labels.k", "m").unwrap(), "m:\n  name: x\n");
    assert_eq!(up("m:\n  labels:\n    k: v\nz: 1\n", "m.labels.k", "m").unwrap(), "m: {}\nz: 1\n");
    assert_eq!(up("m:\n  labels:\n    k: v\nz: 1\n", "m.labels.k", "").unwrap(), "z: 1\n");
    assert_eq!(
        up("m:\n  labels:\n    k: v\n    l: w\nz: 1\n", "m.labels.k", "").unwrap(),
        "m:\n  labels:\n    l: w\nz: 1\n"
    );
}

#[test]
fn json_in_a_scalar_keeps_the_scalars_quotes() {
    for (before, after) in [
        ("a: ['{\"e\":true,\"p\":\"x\"}']\n", "a: ['{\"e\":true,\"p\":\"it''s\",\"t\":\"\"}']\n"),
        (
            "a:\n- \"{\\\"e\\\": true, \\\"p\\\": \\\"x\\\"}\"\n",
            "a:\n- \"{\\\"e\\\": true, \\\"p\\\": \\\"it's\\\", \\\"t\\\": \\\"\\\"}\"\n",
        ),
        (
            "a:\n- {\"e\": true}\n- |\n  {\n    \"p\": \"x\"\n  }\n",
            "a:\n- {\"e\": true}\n- |\n  {\n    \"p\": \"it's\",\n    \"t\": \"\"\n  }\n",
        ),
        ("a:\n- --c={\"p\":\"x\"}\n", "a:\n- --c={\"p\":\"it's\",\"t\":\"\"}\n"),
        ("a:\n- >-\n  {\"e\": 1,\n  \"p\": \"x\"}\n", "a:\n- >-\n  {\"e\": 1,\n  \"p\": \"it's\", \"t\": \"\"}\n"),
    ] {
        let done = edit(before, |ch, root| {
            let node = *at(root, "a").items().last().unwrap();
            let text = node.text().unwrap();
            ch.json(node, text.find('{').unwrap()..text.len(), |root, json| {
                json.set(root, &["p"], "it's")?;
                json.set(root, &["t"], "")
            })
        });
        assert_eq!(done.as_deref(), Ok(after), "{before:?}");
    }
    let removed = edit("a: '{\"e\": true, \"p\": 1}' # c\n", |ch, root| {
        let node = at(root, "a");
        ch.json(node, 0..node.text().unwrap().len(), |root, json| {
            json.remove(root.get("e").unwrap())?;
            json.rename(root.get("p").unwrap(), "q")
        })
    });
    assert_eq!(removed.unwrap(), "a: '{\"q\": 1}' # c\n");
}

#[test]
fn words_of_a_script_keep_both_quotings() {
    let word = |script: &Script<'_>, text: &str| {
        (0..40).find_map(|i| {
            let id = WordId { command: 0, word: i };
            script.word(id).filter(|w| w.text == text).map(|_| id)
        })
    };
    let run = |before: &str, act: &str| {
        edit(before, |ch, root| {
            let script = Script::new(at(root, "a"))?;
            match act {
                "replace" => ch.replace_word(&script, word(&script, "v").unwrap(), "it's $5"),
                "plain" => ch.replace_word(&script, word(&script, "v").unwrap(), "w"),
                "insert" => ch.insert_words(&script, word(&script, "v").unwrap(), &["--new", "{\"a\":1}"]),
                "remove" => ch.remove_words(&script, word(&script, "--f").unwrap(), 2),
                _ => {
                    let id = word(&script, "{\"e\":true}").unwrap();
                    ch.json_word(&script, id, 0..10, |root, json| json.set(root, &["p"], "it's"))
                }
            }
        })
    };
    assert_eq!(run("a: vllm --f v --g\n", "plain").unwrap(), "a: vllm --f w --g\n");
    assert_eq!(run("a: vllm --f v --g\n", "replace").unwrap(), "a: vllm --f 'it'\\''s $5' --g\n");
    assert_eq!(run("a: 'vllm --f \"v\" --g'\n", "replace").unwrap(), "a: 'vllm --f \"it''s \\$5\" --g'\n");
    assert_eq!(run("a: \"vllm --f 'v' --g\"\n", "plain").unwrap(), "a: \"vllm --f 'w' --g\"\n");
    assert_eq!(run("a: \"vllm --f v\"\n", "insert").unwrap(), "a: \"vllm --f v --new '{\\\"a\\\":1}'\"\n");
    let lines = "a: |\n  vllm serve \\\n    --f v \\\n    --g\nb: 1\n";
    assert_eq!(
        run(lines, "insert").unwrap(),
        "a: |\n  vllm serve \\\n    --f v \\\n    --new '{\"a\":1}' \\\n    --g\nb: 1\n"
    );
    assert_eq!(run(lines, "remove").unwrap(), "a: |\n  vllm serve \\\n    --g\nb: 1\n");
    assert_eq!(
        run("a: |\n  vllm \\\n    --f v\n", "insert").unwrap(),
        "a: |\n  vllm \\\n    --f v \\\n    --new '{\"a\":1}'\n"
    );
    assert_eq!(
        run("a: >-\n  vllm\n  --f v\n  --g\n", "insert").unwrap(),
        "a: >-\n  vllm\n  --f v --new '{\"a\":1}'\n  --g\n"
    );
    assert_eq!(run("a: >-\n  vllm\n  --f v\n  --g\n", "remove").unwrap(), "a: >-\n  vllm\n  --g\n");
    assert_eq!(run("a: vllm --f v --g\n", "remove").unwrap(), "a: vllm --g\n");
    assert_eq!(
        run("a: \"vllm --c '{\\\"e\\\":true}'\"\n", "json").unwrap(),
        "a: \"vllm --c '{\\\"e\\\":true,\\\"p\\\":\\\"it'\\\\''s\\\"}'\"\n"
    );
    assert_eq!(
        run("a: |\n  vllm --c '{\"e\":true}'\n", "json").unwrap(),
        "a: |\n  vllm --c '{\"e\":true,\"p\":\"it'\\''s\"}'\n"
    );
    for text in ["a: vllm --f $V\n", "a: vllm --f \"$V\"\n", "a: V=v; vllm --f $V\n"] {
        let refused = edit(text, |ch, root| {
            let script = Script::new(at(root, "a"))?;
            let last = (0..2).rev().find_map(|command| script.last_word(command)).unwrap();
            ch.replace_word(&script, last, "w")
        });
        assert_eq!(refused.unwrap_err(), "the word comes from a variable or a substitution", "{text}");
    }
}

#[test]
fn bytes_of_a_finding_are_written_over() {
    let write = |text: &str, old: &str, new: &str, script: bool| {
        let (file, trees) = read(text);
        let start = text.find(old).unwrap() as u32;
        let mut changes = Changes::new();
        let span = crate::source::Span::new(file.id(), start, start + old.len() as u32);
        changes
            .write_at(&trees[0], span, new, script)
            .and_then(|()| changes.finish())
            .map(|edits| apply_to(text, &edits).unwrap())
    };
    assert_eq!(write("a: [--port=5557]\n", "5557", "5559", false).unwrap(), "a: [--port=5559]\n");
    assert_eq!(write("port: 5557 # c\n", "5557", "5559", false).unwrap(), "port: 5559 # c\n");
    assert_eq!(write("port: \"5557\"\n", "5557", "5559", false).unwrap(), "port: \"5559\"\n");
    assert_eq!(
        write("a: |\n  x --e tcp://*:5557 y\n", "5557", "5559", true).unwrap(),
        "a: |\n  x --e tcp://*:5559 y\n"
    );
    assert_eq!(
        write("a: |\n  x --e='{\"a\":\"b\"}' y\n", "b", "it's", true).unwrap(),
        "a: |\n  x --e='{\"a\":\"it'\\''s\"}' y\n"
    );
}

#[test]
fn documents_come_and_go_whole() {
    let policy =
        Value::map([("kind", Value::from("NetworkPolicy")), ("spec", Value::map([("ports", Value::list([1]))]))]);
    for (before, after) in [
        ("a: 1\n", "a: 1\n---\nkind: NetworkPolicy\nspec:\n  ports:\n  - 1\n"),
        ("a: 1", "a: 1\n---\nkind: NetworkPolicy\nspec:\n  ports:\n  - 1"),
        (
            "a:\r\n    b:\r\n      - 1\r\n...\r\n",
            "a:\r\n    b:\r\n      - 1\r\n...\r\n---\r\nkind: NetworkPolicy\r\nspec:\r\n    ports:\r\n      - 1\r\n",
        ),
        ("a: 1\n---\nb: 2\n\n# end\n", "a: 1\n---\nb: 2\n\n# end\n---\nkind: NetworkPolicy\nspec:\n  ports:\n  - 1\n"),
    ] {
        let (file, _) = read(before);
        let done = apply_to(before, &append_document(&file, &policy).unwrap()).unwrap();
        assert_eq!(done, after, "{before:?}");
        let (_, trees) = read(&done);
        let back = remove_document(trees.last().unwrap()).unwrap();
        assert_eq!(apply_to(&done, &back).unwrap(), before);
    }
    let (file, _) = read("{\"a\": 1}\n");
    assert!(append_document(&file, &policy).is_err());
    let (_, trees) = read("a: 1\n---\nb: 2\n");
    assert_eq!(apply_to("a: 1\n---\nb: 2\n", &remove_document(&trees[0]).unwrap()).unwrap(), "---\nb: 2\n");
    let (file, _) = read("a: |+\n  x");
    assert!(append_document(&file, &policy).is_err());
}

#[test]
fn shapes_that_are_shared_or_unknown_are_refused() {
    for (text, path, reason) in [
        ("a: &x {b: 1}\nc: *x\n", "c.b", "the value has an anchor, and aliases repeat it elsewhere"),
        ("a: &x 1\nc: *x\n", "c", "the value is repeated from elsewhere by an alias"),
        ("a: &x 1\nc: *x\n", "a", "the value has an anchor, and aliases repeat it elsewhere"),
        ("a: !!str 1\n", "a", "the value has a tag"),
        ("a: \"{{ .x }}\"\n", "a", "the value is a template"),
        ("a: ${X}\n", "a", "the value is a template"),
    ] {
        assert_eq!(replace(text, path, "w").unwrap_err(), reason, "{text:?}");
    }
    assert!(set("a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n", &["c", "e"], 1).unwrap_err().contains("merge key"));
    assert!(set("a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n", &["c", "b"], 1).unwrap_err().contains("merge key"));
    assert!(set("a: &x\n  b: 1\nc: *x\n", &["a", "e"], 1).unwrap_err().contains("anchor"));
    assert!(set("a: &x\n  b: 1\n", &["a", "e"], 1).is_ok());
    assert!(set("a: [1]\n", &["a", "e"], 1).unwrap_err().contains("no mapping"));
    assert!(set("? a\n: b\n", &["c"], 1).is_err());
    let stdin = Arc::new(SourceFile::new(crate::source::FileId(0), "-", "a: 1\n").read_only());
    let stream = yaml::parse(&stdin);
    let root = stream.documents[0].content.as_ref().unwrap().root();
    assert_eq!(
        Changes::new().set(root, &["a"], 2).unwrap_err().reason,
        "- can't be written back: its text is not its bytes"
    );
}

#[test]
fn changes_of_one_document_meet() {
    let done = edit("a: 1\nb:\n  c: 1\n", |ch, root| {
        ch.set(root, &["env"], Value::list(["x"]))?;
        ch.append(root, &["env"], "z")?;
        ch.set(root, &["b", "d", "e"], 1)?;
        ch.set(root, &["b", "d", "f"], 2)?;
        ch.set(root, &["b", "d", "e"], 3)?;
        ch.remove(at(root, "a"))?;
        ch.set(root, &["a"], 5)?;
        ch.set(root, &["b", "c"], 1)
    });
    assert_eq!(done.unwrap(), "b:\n  c: 1\n  d:\n    e: 3\n    f: 2\nenv:\n- x\n- z\na: 5\n");
    assert_eq!(edit("a: 1\n", |ch, root| ch.set(root, &["a"], 1)).unwrap(), "a: 1\n");
    let lost = edit("a:\n  b: 1\n", |ch, root| {
        ch.replace(at(root, "a"), "x")?;
        ch.set(at(root, "a.b"), &[], 2)
    });
    assert_eq!(lost.unwrap_err(), "one change takes away what another one changes");
}

#[test]
fn large_and_deep_files_are_edited_like_others() {
    let items: Vec<String> = (0..20_000).map(|i| format!("{{\"a\":{i}}}")).collect();
    let line = format!("{{\"x\":[{}]}}", items.join(","));
    let done = append(&line, "x", Value::map([("a", 1)])).unwrap();
    assert_eq!(done, line.replace("]}", ",{\"a\":1}]}"));
    let deep = format!("a: {}{}\nb: 1\n", "[".repeat(900), "]".repeat(900));
    assert_eq!(replace(&deep, "b", 2).unwrap(), deep.replace("b: 1", "b: 2"));
    assert_eq!(replace(&deep, "a", 2).unwrap(), "a: 2\nb: 1\n");
    let blocks: String = (0..900).map(|i| format!("{}k:\n", " ".repeat(i))).collect();
    assert_eq!(set(&blocks, &["z"], 1).unwrap(), format!("{blocks}z: 1\n"));
    let inner = vec!["k"; 900];
    assert_eq!(set(&blocks, &inner, 1).unwrap(), format!("{} 1\n", blocks.trim_end()));
}
