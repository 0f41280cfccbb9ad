//! Edits of random manifests: the edited text holds exactly what was meant, and everything else stays.
//!
//! `PROPTEST_CASES=20000 cargo test --test edits` tries more.

mod built;
mod file;

use std::sync::Arc;

use kvlint::edit::{At, Changes, Refusal, Script, Value, WordId, append_document, apply_to, remove_document};
use kvlint::lint::Edit;
use kvlint::source::{FileId, SourceFile};
use kvlint::yaml::{self, Node, Tree};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::file::{Tape, file, map, value};

fn read(text: &str) -> Vec<Arc<Tree>> {
    let file = Arc::new(SourceFile::new(FileId(0), "a.yaml", text));
    yaml::parse(&file).documents.into_iter().filter_map(|d| d.content.ok()).collect()
}

fn view(node: Node<'_>) -> Json {
    yaml::json::to_json(node).unwrap_or_else(|(_, why)| Json::String(why))
}

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

fn node_at<'t>(root: Node<'t>, path: &[Step]) -> Node<'t> {
    path.iter().fold(root, |node, step| match step {
        Step::Key(key) => {
            let found = node.written_entries().into_iter().find(|e| yaml::json::key(e.key).ok().as_ref() == Some(key));
            found.expect("the key is there").value
        }
        Step::Index(index) => node.items()[*index],
    })
}

fn json_at<'j>(root: &'j mut Json, path: &[Step]) -> &'j mut Json {
    path.iter().fold(root, |json, step| match step {
        Step::Key(key) => json.get_mut(key).expect("the key is there"),
        Step::Index(index) => json.get_mut(*index).expect("the item is there"),
    })
}

/// A random way down from the root, at least one step long if `deep`.
fn way(tape: &mut Tape<'_>, root: &Json, deep: bool) -> Vec<Step> {
    let (mut path, mut at) = (Vec::new(), root);
    loop {
        let stop = tape.one_in(4) && !(deep && path.is_empty());
        match at {
            Json::Object(entries) if !entries.is_empty() && !stop => {
                let (key, value) = entries.iter().nth(tape.pick(entries.len())).expect("an entry");
                path.push(Step::Key(key.clone()));
                at = value;
            }
            Json::Array(items) if !items.is_empty() && !stop => {
                let index = tape.pick(items.len());
                path.push(Step::Index(index));
                at = &items[index];
            }
            _ => return path,
        }
    }
}

fn is_template(json: &Json) -> bool {
    json.as_str().is_some_and(|t| t.contains("{{"))
}

/// What was changed, for the way back.
enum Back {
    /// This was added, into a collection that was not empty.
    Added(Vec<Step>),
    Nothing,
}

/// Makes one random change of the document and of its JSON; `None` where it would be none.
fn change<'t>(
    tape: &mut Tape<'_>,
    changes: &mut Changes<'t>,
    root: Node<'t>,
    json: &mut Json,
) -> Option<(Result<(), Refusal>, Back)> {
    let new = value(tape, 2);
    let own = Value::from(&new);
    let fresh = ["new", "on", "x y", "0"];
    match tape.pick(6) {
        0 => {
            // A key, perhaps with missing parents.
            let path = way(tape, json, false);
            let target = json_at(json, &path);
            let keys: Vec<&str> = (0..=tape.pick(2)).map(|_| tape.of(&fresh)).collect();
            let before = match target {
                Json::Null => 0,
                Json::Object(entries) if !entries.contains_key(keys[0]) => entries.len(),
                _ => return None,
            };
            let mut leaf = target;
            for key in &keys {
                if leaf.is_null() {
                    *leaf = json!({});
                }
                leaf = leaf.as_object_mut()?.entry(*key).or_insert(Json::Null);
            }
            *leaf = new;
            let mut added = path.clone();
            added.push(Step::Key(keys[0].into()));
            let done = changes.set(node_at(root, &path), &keys, own);
            Some((done, if before > 0 { Back::Added(added) } else { Back::Nothing }))
        }
        1 => {
            let path = way(tape, json, false);
            let Json::Array(items) = json_at(json, &path) else { return None };
            items.push(new);
            let mut added = path.clone();
            added.push(Step::Index(items.len() - 1));
            let back = if items.len() > 1 { Back::Added(added) } else { Back::Nothing };
            Some((changes.append(node_at(root, &path), &[], own), back))
        }
        2 => {
            let path = way(tape, json, true);
            let (last, parent) = path.split_last()?;
            let removed = changes.remove(node_at(root, &path));
            match (json_at(json, parent), last) {
                (Json::Object(entries), Step::Key(key)) => drop(entries.shift_remove(key)),
                (Json::Array(items), Step::Index(index)) => drop(items.remove(*index)),
                _ => {}
            }
            Some((removed, Back::Nothing))
        }
        3 => {
            let path = way(tape, json, true);
            let target = json_at(json, &path);
            if is_template(target) {
                return None;
            }
            *target = new;
            Some((changes.replace(node_at(root, &path), own), Back::Nothing))
        }
        4 => {
            let path = way(tape, json, true);
            let (Step::Key(old), parent) = path.split_last()? else { return None };
            let key = tape.of(&fresh);
            let Json::Object(entries) = json_at(json, parent) else { return None };
            if entries.contains_key(key) {
                return None;
            }
            let renamed = entries.iter().map(|(k, v)| (if k == old { key.into() } else { k.clone() }, v.clone()));
            *entries = renamed.collect();
            Some((changes.rename(node_at(root, &path), key), Back::Nothing))
        }
        _ => {
            let path = way(tape, json, true);
            let (last, parent) = path.split_last()?;
            let node = node_at(root, &path);
            let outer = node_at(root, parent);
            let side = tape.pick(3);
            let at = [At::First, At::After(node), At::Before(node)][side];
            let mut added = parent.to_vec();
            match (json_at(json, parent), last) {
                (Json::Object(entries), Step::Key(_)) => {
                    let key = tape.of(&fresh);
                    if entries.contains_key(key) {
                        return None;
                    }
                    entries.insert(key.into(), new);
                    added.push(Step::Key(key.into()));
                    Some((changes.insert(outer, at, key, own), Back::Added(added)))
                }
                (Json::Array(items), Step::Index(index)) => {
                    let place = [0, index + 1, *index][side];
                    items.insert(place, new);
                    added.push(Step::Index(place));
                    Some((changes.insert_item(outer, at, own), Back::Added(added)))
                }
                _ => None,
            }
        }
    }
}

fn edited(text: &str, edits: &[Edit]) -> String {
    apply_to(text, edits).expect("edits fit the text and do not overlap")
}

/// Comments of the whole file.
fn comments(text: &str) -> Vec<String> {
    let file = Arc::new(SourceFile::new(FileId(0), "a.yaml", text));
    yaml::parse(&file).comments.iter().map(|c| file.slice(c.span).trim_end().to_string()).collect()
}

/// Comments that an edit took away.
fn lost(text: &str, edits: &[Edit]) -> Vec<(String, u32)> {
    let file = Arc::new(SourceFile::new(FileId(0), "a.yaml", text));
    let stream = yaml::parse(&file);
    let gone = |c: &&yaml::Comment| edits.iter().any(|e| e.span.contains(c.span));
    stream.comments.iter().filter(gone).map(|c| (file.slice(c.span).trim_end().to_string(), c.span.start)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_change_changes_what_was_meant_and_nothing_else(data in prop::collection::vec(any::<u16>(), 0..250)) {
        let mut tape = Tape { data: data.iter() };
        let (text, mut json) = file(&mut tape);
        let trees = read(&text);
        prop_assert!(!trees.is_empty(), "the manifest is no YAML:\n{text}");
        let root = trees[0].root();
        prop_assert_eq!(&view(root), &json, "the manifest does not hold what was written:\n{}", text);
        let before = json.clone();
        let mut changes = Changes::new();
        let Some((done, back)) = change(&mut tape, &mut changes, root, &mut json) else { return Ok(()) };
        let edits = match done.and_then(|()| changes.finish()) {
            Ok(edits) => edits,
            Err(refusal) => panic!("refused: {refusal}\n{before}\n{json}\n{text}"),
        };
        let after = edited(&text, &edits);
        let again = read(&after);
        prop_assert_eq!(again.len(), trees.len(), "{}\n{}", text, after);
        prop_assert_eq!(&view(again[0].root()), &json, "{}\n-----\n{}", text, after);
        // Line ends, byte order mark, the end of the file.
        prop_assert_eq!(after.starts_with('\u{feff}'), text.starts_with('\u{feff}'));
        let ends = |t: &str| t.ends_with('\n');
        // Text in a block before the end needs its own line break.
        prop_assert!(ends(&after) == ends(&text) || text.contains('|'), "{:?}\n{:?}", text, after);
        if text.contains("\r\n") {
            prop_assert_eq!(after.matches('\n').count(), after.matches("\r\n").count(), "{:?}", after);
        } else {
            prop_assert!(!after.contains('\r'));
        }
        for line in after.lines() {
            prop_assert!(line != line.trim_end() || !line.ends_with(' ') || text.lines().any(|l| l.ends_with(' ')));
        }
        if let Back::Added(path) = back {
            // What was added took no comment away, and taking it away again leaves what was there.
            prop_assert_eq!(lost(&text, &edits), vec![], "{}\n-----\n{}", text, after);
            let mut kept = comments(&after);
            kept.retain(|c| comments(&text).contains(c));
            prop_assert_eq!(kept, comments(&text), "{}\n-----\n{}", text, after);
            let mut changes = Changes::new();
            changes.remove(node_at(again[0].root(), &path)).expect("what was added can be removed");
            let edits = changes.finish().unwrap_or_else(|r| panic!("refused: {r}\n{text}\n-----\n{after}"));
            let sealed = text.contains("|") && !ends(&text);
            if !sealed {
                prop_assert_eq!(edited(&after, &edits), text, "through\n{}", after);
            }
        }
    }

    #[test]
    fn several_changes_meet(data in prop::collection::vec(any::<u16>(), 0..300)) {
        let mut tape = Tape { data: data.iter() };
        let (text, json) = file(&mut tape);
        let trees = read(&text);
        let root = trees[0].root();
        let mut changes = Changes::new();
        // Additions to different places, one after the other; their order is that of the keys.
        let mut expected = json.clone();
        for number in 0..2 + tape.pick(3) {
            let path = way(&mut tape, &json, false);
            let new = value(&mut tape, 1);
            let key = format!("added-{number}");
            match json_at(&mut expected, &path) {
                Json::Object(entries) => {
                    entries.insert(key.clone(), new.clone());
                    changes.set(node_at(root, &path), &[&key], Value::from(&new)).expect("a key can be added");
                }
                Json::Array(items) => {
                    items.push(new.clone());
                    changes.append(node_at(root, &path), &[], Value::from(&new)).expect("an item can be added");
                }
                _ => {}
            }
        }
        let edits = changes.finish().unwrap_or_else(|r| panic!("refused: {r}\n{text}\n{expected}"));
        let after = edited(&text, &edits);
        let found = view(read(&after)[0].root());
        prop_assert_eq!(found.to_string(), expected.to_string(), "{}\n-----\n{}", text, after);
    }

    #[test]
    fn a_document_comes_and_goes(data in prop::collection::vec(any::<u16>(), 0..200)) {
        let mut tape = Tape { data: data.iter() };
        let (text, _) = file(&mut tape);
        let new = map(&mut tape, 3, 1);
        let source = SourceFile::new(FileId(0), "a.yaml", text.clone());
        let Ok(edits) = append_document(&source, &Value::from(&new)) else { return Ok(()) };
        let after = edited(&text, &edits);
        let trees = read(&after);
        let last = trees.last().expect("a document");
        prop_assert_eq!(&view(last.root()), &new, "{}", after);
        let back = remove_document(last).expect("it can be removed");
        prop_assert_eq!(edited(&after, &back), text);
    }

    #[test]
    fn parts_of_texts_change_in_place(
        before in "[a-z0-9 '\"\\\\:#{}\n$é-]{0,30}",
        style in 0..5,
        eol in 0..2usize,
        from in 0..31usize,
        len in 0..8usize,
        new in "[a-z '\"\\\\:#\n{},é-]{0,8}",
    ) {
        let eol = ["\n", "\r\n"][eol];
        let body = |text: &str| text.lines().map(|l| if l.is_empty() { eol.to_string() } else { format!("    {l}{eol}") }).collect::<String>();
        let text = match style {
            0 => format!("k:{eol}  a: {}{eol}  z: 1{eol}", serde_json::to_string(&before).unwrap()),
            1 => format!("k:{eol}  a: '{}'{eol}  z: 1{eol}", before.replace('\'', "''").replace('\n', "")),
            2 => format!("k:{eol}  a: {before}{eol}  z: 1{eol}"),
            3 => format!("k:{eol}  a: |{eol}{}  z: 1{eol}", body(&before)),
            _ => format!("k:{eol}  a: >-{eol}{}  z: 1{eol}", body(&before)),
        };
        let trees = read(&text);
        let Some(node) = trees.first().and_then(|t| t.root().at("k.a")) else { return Ok(()) };
        let (Some(old), Some(_)) = (node.as_str(), trees[0].root().at("k.z")) else { return Ok(()) };
        let snap = |at: usize| (0..=at.min(old.len())).rev().find(|i| old.is_char_boundary(*i)).unwrap_or(0);
        let range = snap(from)..snap(from + len).max(snap(from));
        let expected = format!("{}{new}{}", &old[..range.start], &old[range.end..]);
        let mut changes = Changes::new();
        let done = changes
            .retext(node, vec![kvlint::edit::TextEdit::new(range, new.clone())])
            .and_then(|()| changes.finish());
        match done {
            Ok(edits) => {
                let after = edited(&text, &edits);
                let again = read(&after);
                prop_assert_eq!(again[0].root().at("k.a").unwrap().as_str(), Some(expected.as_str()), "{}\n{}", text, after);
                prop_assert_eq!(again[0].root().at("k.z").unwrap().as_int(), Some(1));
            }
            // A block without text does not tell its indentation.
            Err(_) if style >= 3 && old.trim().is_empty() => {}
            Err(refusal) => prop_assert!(old.contains("{{") || old.contains("${"), "refused: {refusal}\n{text}\n{expected:?}"),
        }
    }

    #[test]
    fn words_of_scripts_change_in_place(
        // Letters that make no reserved word.
        words in prop::collection::vec("[a-c]{1,4}|--[a-z]{1,3}|'[a-z \"]{0,4}'|\"[a-z ']{0,4}\"|[a-z]'[a-z ]'[a-z]", 2..7),
        joints in prop::collection::vec(0..3usize, 6),
        at in 0..7usize,
        new in "[a-c '\"$\\\\{}:é-]{0,6}",
        style in 0..4,
        act in 0..3,
    ) {
        let joint = |i: usize| [" ", "  ", " \\\n  "][joints[i % joints.len()]];
        let script: String = words.iter().enumerate().map(|(i, w)| format!("{}{w}", if i > 0 { joint(i) } else { "" })).collect();
        let text = match style {
            0 => format!("a: {}\n", serde_json::to_string(&script).unwrap()),
            1 if !script.contains('\n') => format!("a: '{}'\n", script.replace('\'', "''")),
            2 => format!("a: |\n{}", script.lines().map(|l| format!("  {l}\n")).collect::<String>()),
            _ => format!("a: [sh, -c, {}]\n", serde_json::to_string(&script).unwrap()),
        };
        let trees = read(&text);
        let root = trees[0].root().get("a").unwrap();
        let node = root.items().last().copied().unwrap_or(root);
        let parsed = Script::new(node).expect("a script");
        let list = |node: Node<'_>| -> Vec<String> {
            let script = Script::new(node).expect("a script");
            (0..).map_while(|word| script.word(WordId { command: 0, word }).map(|w| w.text.clone())).collect()
        };
        let mut expected = list(node);
        let at = at % expected.len();
        let id = WordId { command: 0, word: at };
        let mut changes = Changes::new();
        let done = match act {
            0 => {
                expected[at].clone_from(&new);
                changes.replace_word(&parsed, id, &new)
            }
            1 => {
                expected.insert(at + 1, new.clone());
                changes.insert_words(&parsed, id, &[&new])
            }
            _ => {
                expected.remove(at);
                changes.remove_words(&parsed, id, 1)
            }
        };
        let edits = match done.and_then(|()| changes.finish()) {
            Ok(edits) => edits,
            Err(refusal) => panic!("refused: {refusal}\n{text}\n{expected:?}"),
        };
        let after = edited(&text, &edits);
        let again = read(&after);
        let root = again[0].root().get("a").unwrap();
        prop_assert_eq!(list(root.items().last().copied().unwrap_or(root)), expected, "{}\n{}", text, after);
    }

    #[test]
    fn hostile_text_never_panics(
        text in "([ \t\n\r]|- |\\? |: |:|#|&x |\\*x|!t |!!str |<<: |\\||>|[-+]|'|\"|\\{|\\}|\\[|\\]|,|---\n|\\.\\.\\.\n|\u{feff}|k|v|1|é|\\{\\{|\\$\\{|  |\n  |\n- |a: |b:\n){0,40}",
        pick in any::<u8>(),
    ) {
        for tree in read(&text) {
            for id in 0..tree.len() {
                let node = tree.node(id as u32);
                let mut all: Vec<Changes<'_>> = Vec::new();
                let mut attempt = |act: u8| {
                    let mut changes = Changes::new();
                    let value = Value::map([("p", Value::list(["q"]))]);
                    let done = match act {
                        0 => changes.set(node, &["n", "m"], "v"),
                        1 => changes.append(node, &[], value),
                        2 => changes.remove(node),
                        3 => changes.replace(node, if pick % 2 == 0 { value } else { Value::from("w") }),
                        4 => changes.rename(node, "r"),
                        5 => changes.remove_up_to(node, tree.root()),
                        _ => changes.insert(node, At::First, "f", value),
                    };
                    if done.is_ok() {
                        all.push(changes);
                    }
                };
                (0..7).for_each(&mut attempt);
                for changes in all {
                    if let Ok(edits) = changes.finish() {
                        edited(&text, &edits);
                    }
                }
            }
        }
    }
}
