//! A migration as a script of `kubectl` commands for objects that are in a cluster already, with the way back in the same script.

use serde_json::Value as Json;

use super::patches::{ObjectChange, ObjectName};
use crate::display::visible;

/// The script. Without an argument it makes the change, with `--rollback` it takes it back; `--dry-run` before either asks the API
/// server and changes nothing. `namespace` is that of objects which leave theirs to whoever applies them.
pub fn script(changes: &[ObjectChange], namespace: Option<&str>) -> String {
    let mut steps = String::new();
    let mut titles = String::new();
    // Patches that go through once, and those that may go through again.
    let (mut sure, mut unsure) = (String::new(), String::new());
    for (index, change) in changes.iter().enumerate() {
        let number = index + 1;
        for (way, back) in [("change", false), ("rollback", true)] {
            steps.push_str(&format!("{way}_{number}() {{\n  {}\n}}\n", command(change, back, namespace)));
        }
        let (ObjectChange::Patched { object, .. }
        | ObjectChange::Created(object, _)
        | ObjectChange::Deleted(object, _)) = change;
        titles.push_str(&format!("    {number}) echo {} ;;\n", quoted(&named(object, namespace))));
        if let ObjectChange::Patched { there, back, .. } = change {
            for (way, operations) in [("change", there), ("rollback", back)] {
                let list = if goes_once(operations) { &mut sure } else { &mut unsure };
                list.push_str(&format!("{way}_{number} "));
            }
        }
    }
    let numbers: Vec<String> = (1..=changes.len()).map(|n| n.to_string()).collect();
    let back: Vec<String> = numbers.iter().rev().cloned().collect();
    format!(
        r#"#!/bin/sh
# Written by kvlint. Usage: sh SCRIPT [--dry-run] [--rollback]
# The API server is asked about every object before the first is changed. Each patch tests what it found in the manifests; where the
# cluster holds something else, nothing is changed. The rollback takes each object by itself.
set -eu

dry_run=
way=change
for word in "$@"; do
  case $word in
    --dry-run) dry_run=yes ;;
    --rollback) way=rollback ;;
    *) echo "usage: $0 [--dry-run] [--rollback]" >&2; exit 2 ;;
  esac
done

title() {{
  case $1 in
{titles}    *) echo "$1" ;;
  esac
}}

# Whether a step would go through: 0 where it would, 1 where it is made already, 2 where the API server refuses it. Some patches would
# go through a second time, so the way back is asked first where that one would not.
ask() {{
  case " {sure}" in
    *" $2_$3 "*) if "$2_$3" --dry-run=server >/dev/null 2>&1; then return 1; fi ;;
  esac
  if [ -n "$dry_run" ]; then
    if "$1_$3" --dry-run=server; then return 0; fi
  else
    if "$1_$3" --dry-run=server >/dev/null; then return 0; fi
  fi
  case " {unsure}" in
    *" $2_$3 "*) if "$2_$3" --dry-run=server >/dev/null 2>&1; then return 1; fi ;;
  esac
  return 2
}}

change() {{
  todo=
  failed=
  for n in {all}; do
    state=0
    ask change rollback "$n" || state=$?
    case $state in
      0) todo="$todo $n" ;;
      1) echo "$(title "$n"): changed already" ;;
      *) failed=yes; echo "$(title "$n"): can't be changed" >&2 ;;
    esac
  done
  if [ -n "$failed" ]; then echo "nothing is changed" >&2; exit 1; fi
  if [ -n "$dry_run" ]; then exit 0; fi
  for n in $todo; do
    if ! "change_$n"; then
      echo "$(title "$n"): not changed; --rollback takes back what was" >&2
      exit 1
    fi
  done
}}

rollback() {{
  failed=
  for n in {back}; do
    state=0
    ask rollback change "$n" || state=$?
    case $state in
      0) if [ -z "$dry_run" ]; then "rollback_$n" || failed=yes; fi ;;
      1) echo "$(title "$n"): not changed, or taken back already" ;;
      *) failed=yes; echo "$(title "$n"): can't be taken back" >&2 ;;
    esac
  done
  if [ -n "$failed" ]; then echo "not all is taken back" >&2; exit 1; fi
}}

{steps}"$way"
"#,
        all = numbers.join(" "),
        back = back.join(" "),
    )
}

/// Whether operations can't be made again where they were made: all do but those that only add to lists.
fn goes_once(operations: &[Json]) -> bool {
    let once = |operation: &Json| match operation["op"].as_str() {
        Some("remove" | "replace") => true,
        Some("test") => operation["value"].is_null() || operation["value"].is_array(),
        _ => false,
    };
    operations.iter().any(once)
}

fn command(change: &ObjectChange, back: bool, namespace: Option<&str>) -> String {
    match (change, back) {
        (ObjectChange::Patched { object, there, back: other }, _) => {
            let patch = Json::Array(if back { other.clone() } else { there.clone() });
            format!("kubectl patch {} --type=json -p {} \"$@\"", named(object, namespace), json(patch))
        }
        (ObjectChange::Created(object, value), false) | (ObjectChange::Deleted(object, value), true) => {
            // `apply` and not `create`: run a second time, it changes nothing.
            let place = place(object, namespace);
            format!("printf '%s' {} | kubectl apply{place} -f - \"$@\"", json(value.clone()))
        }
        (ObjectChange::Created(object, _), true) | (ObjectChange::Deleted(object, _), false) => {
            format!("kubectl delete {} --ignore-not-found \"$@\"", named(object, namespace))
        }
    }
}

/// `deployment.v1.apps/name -n namespace`.
fn named(object: &ObjectName, namespace: Option<&str>) -> String {
    let kind = match object.api_version.split_once('/') {
        Some((group, version)) => format!("{}.{version}.{group}", object.kind.to_ascii_lowercase()),
        None => object.kind.to_ascii_lowercase(),
    };
    format!("{}{}", quoted(&format!("{kind}/{}", object.name)), place(object, namespace))
}

/// ` -n namespace`, where one is known.
fn place(object: &ObjectName, namespace: Option<&str>) -> String {
    let namespace = object.namespace.as_deref().or(namespace);
    namespace.map_or(String::new(), |namespace| format!(" -n {}", quoted(namespace)))
}

/// JSON as a word. Its escapes keep the script from acting on the terminal of who reads it.
fn json(value: Json) -> String {
    quoted(&visible::json(value.to_string()))
}

/// A word of a shell. Characters that act on a terminal become symbols: no API server takes a name that has one.
fn quoted(word: &str) -> String {
    let word = &visible::line(word);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
