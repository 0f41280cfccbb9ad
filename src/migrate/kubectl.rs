//! A migration as a script of `kubectl` commands for objects that are in a cluster already, with the way back in the same script.

use serde_json::Value as Json;

use super::patches::{ObjectChange, ObjectName};
use crate::report::visible;

/// The script. Without an argument it makes the change, with `--rollback` it takes it back; `--dry-run` before either asks the API
/// server and changes nothing.
pub fn script(changes: &[ObjectChange]) -> String {
    let there: Vec<String> = changes.iter().map(|change| command(change, false)).collect();
    let back: Vec<String> = changes.iter().rev().map(|change| command(change, true)).collect();
    format!(
        r#"#!/bin/sh
# Written by kvlint. Usage: sh SCRIPT [--dry-run] [--rollback]
# Each patch first tests what it found in the manifests; where the cluster holds something else, nothing of that object is changed.
set -eu

dry_run=
way=change
for word in "$@"; do
  case $word in
    --dry-run) dry_run=--dry-run=server ;;
    --rollback) way=rollback ;;
    *) echo "usage: $0 [--dry-run] [--rollback]" >&2; exit 2 ;;
  esac
done

change() {{
{}
}}

rollback() {{
{}
}}

"$way"
"#,
        body(&there),
        body(&back),
    )
}

fn body(commands: &[String]) -> String {
    if commands.is_empty() { "  :".to_string() } else { commands.join("\n") }
}

fn command(change: &ObjectChange, back: bool) -> String {
    match (change, back) {
        (ObjectChange::Patched { object, there, back: other }, _) => {
            let patch = Json::Array(if back { other.clone() } else { there.clone() });
            format!("  kubectl patch {} --type=json $dry_run -p {}", named(object), json(patch))
        }
        (ObjectChange::Created(_, value), false) | (ObjectChange::Deleted(_, value), true) => {
            // `apply` and not `create`: run a second time, it changes nothing.
            format!("  printf '%s' {} | kubectl apply $dry_run -f -", json(value.clone()))
        }
        (ObjectChange::Created(object, _), true) | (ObjectChange::Deleted(object, _), false) => {
            format!("  kubectl delete {} --ignore-not-found $dry_run", named(object))
        }
    }
}

/// `deployment.v1.apps/name -n namespace`.
fn named(object: &ObjectName) -> String {
    let kind = match object.api_version.split_once('/') {
        Some((group, version)) => format!("{}.{version}.{group}", object.kind.to_ascii_lowercase()),
        None => object.kind.to_ascii_lowercase(),
    };
    let mut words = quoted(&format!("{kind}/{}", object.name));
    if let Some(namespace) = &object.namespace {
        words.push_str(&format!(" -n {}", quoted(namespace)));
    }
    words
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
