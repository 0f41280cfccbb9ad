//! Checks kvlint.yaml against the table of keys.

use std::path::Path;

use super::keys::{Key, LEVELS, TOP, Value};
use super::read::glob;
use super::rules::RULES;
use super::{ConfigProblem, Place};
use crate::facts::Release;
use crate::facts::workloads;
use crate::load::helm;
use crate::source::Span;
use crate::suggest;
use crate::yaml::{Node, Scalar, Tree};

/// Everything that is wrong with the file.
pub(super) fn check(tree: &Tree, place: Place<'_>) -> Vec<ConfigProblem> {
    let mut checker = Checker { place, found: Vec::new() };
    for (first, later) in tree.duplicate_keys() {
        let line = tree.source().line_column(first.written_span().start).line;
        let name = later.text().unwrap_or_default();
        checker.add(later.written_span(), format!("`{name}` stands twice: it is in line {line} too"), None);
    }
    checker.value(tree.root(), &Value::Object(TOP), "the configuration");
    checker.found.sort_by_key(|p| p.span);
    checker.found
}

/// The longest time limit, in seconds.
const SECONDS: i64 = 3600;

struct Checker<'a> {
    place: Place<'a>,
    found: Vec<ConfigProblem>,
}

impl Checker<'_> {
    fn add(&mut self, span: Span, message: String, help: Option<String>) {
        self.found.push(ConfigProblem { span, message, help });
    }

    fn add_misspelt(&mut self, span: Span, message: String, name: &str, known: &[&'static str]) {
        let help = match suggest::nearest(name, known.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if known.len() <= 12 => Some(format!("known are `{}`", known.join("`, `"))),
            None => None,
        };
        self.add(span, message, help);
    }

    /// Checks one value. `what` names it in messages. Null counts as not given.
    fn value(&mut self, node: Node<'_>, value: &Value, what: &str) {
        if node.is_null() {
            return;
        }
        match value {
            Value::Object(keys) => self.object(node, keys, what),
            Value::List(item) => {
                if !node.is_sequence() {
                    return self.add(
                        node.grip(),
                        format!("{what} must be a list"),
                        Some("start each item with `- `".into()),
                    );
                }
                for entry in node.items() {
                    if entry.is_null() {
                        self.add(entry.span(), format!("an item of {what} is empty"), None);
                    }
                    self.value(entry, item, &format!("an item of {what}"));
                }
            }
            Value::Levels => self.levels(node, what),
            Value::LabelSets if node.is_sequence() => {
                node.items().into_iter().for_each(|set| self.labels(set, what));
            }
            Value::LabelSets => self.labels(node, what),
            Value::Text
            | Value::Choice(_)
            | Value::Release
            | Value::Glob
            | Value::ObjectPath
            | Value::Folder
            | Value::File
            | Value::ReleaseName
            | Value::KubeVersion
            | Value::Set
            | Value::Seconds => self.scalar(node, value, what),
        }
    }

    fn object(&mut self, node: Node<'_>, keys: &'static [Key], what: &str) {
        if !node.is_mapping() {
            let names: Vec<&str> = keys.iter().map(|k| k.name).collect();
            let help = format!("write `key: value` lines; the keys are `{}`", names.join("`, `"));
            return self.add(node.grip(), format!("{what} must be a mapping"), Some(help));
        }
        for entry in node.entries() {
            let name = entry.key.text().unwrap_or_default();
            match keys.iter().find(|k| k.name == name) {
                Some(key) => self.value(entry.value, &key.value, &format!("`{name}`")),
                None => {
                    let names: Vec<&'static str> = keys.iter().map(|k| k.name).collect();
                    let short: String = name.chars().take(40).collect();
                    self.add_misspelt(entry.key.written_span(), format!("{what} has no key `{short}`"), name, &names);
                }
            }
        }
        for key in keys.iter().filter(|k| k.required) {
            if node.get(key.name).is_none_or(Node::is_null) {
                self.add(
                    node.grip(),
                    format!("{what} has no `{}`", key.name),
                    Some(key.about.trim_end_matches('.').into()),
                );
            }
        }
    }

    fn levels(&mut self, node: Node<'_>, what: &str) {
        if !node.is_mapping() {
            let help = Some(format!("write `rule: level` lines; a level is `{}`", LEVELS.join("`, `")));
            return self.add(node.grip(), format!("{what} must be a mapping of rules to levels"), help);
        }
        for entry in node.entries() {
            let name = entry.key.text().unwrap_or_default();
            if RULES.iter().all(|rule| rule.name != name) {
                let names: Vec<&'static str> = RULES.iter().map(|r| r.name).collect();
                let short: String = name.chars().take(60).collect();
                let message = format!("there is no rule `{short}`");
                if RULES.iter().any(|rule| rule.group == name) {
                    let help = "levels are set rule by rule; groups are for `--select` and `--ignore`";
                    self.add(entry.key.written_span(), message, Some(help.into()));
                } else {
                    self.add_misspelt(entry.key.written_span(), message, name, &names);
                }
            }
            self.choice(entry.value, LEVELS, &format!("the level of `{name}`"));
        }
    }

    fn labels(&mut self, node: Node<'_>, what: &str) {
        if !node.is_mapping() {
            return self.add(node.grip(), format!("{what} must be a mapping of labels to values"), None);
        }
        for entry in node.entries() {
            let name = entry.key.text().unwrap_or_default();
            self.scalar(entry.value, &Value::Text, &format!("the label `{name}`"));
        }
    }

    fn choice(&mut self, node: Node<'_>, words: &'static [&'static str], what: &str) {
        match node.text() {
            Some(text) if words.contains(&text) => {}
            Some(text) if !text.is_empty() => {
                let short: String = text.chars().take(40).collect();
                self.add_misspelt(node.span(), format!("{what} can't be `{short}`"), text, words);
            }
            _ => self.add(
                node.grip(),
                format!("{what} must be one of `{}`", words.join("`, `")),
                Some("write one of them".into()),
            ),
        }
    }

    fn scalar(&mut self, node: Node<'_>, value: &Value, what: &str) {
        let Some(text) = node.text() else {
            let help = Some("a list or mapping can't stand here".into());
            return self.add(node.grip(), format!("{what} must be a single value"), help);
        };
        match value {
            Value::Choice(words) => self.choice(node, words, what),
            Value::Release => {
                if let Err(message) = text.parse::<Release>() {
                    let help = (text.split('.').count() < 3).then(|| "give all three numbers".into());
                    self.add(node.span(), message, help);
                }
            }
            Value::Seconds if node.as_int().is_some_and(|n| (1..=SECONDS).contains(&n)) => {}
            Value::Seconds => {
                let help = Some(format!("write a whole number from 1 to {SECONDS}"));
                self.add(node.grip(), format!("{what} must be a number of seconds"), help);
            }
            _ if !matches!(node.scalar(), Some(Scalar::Str(_))) => {
                self.add(node.grip(), format!("{what} must be text"), Some(format!("quote it: `\"{text}\"`")));
            }
            Value::Glob => {
                if let Err(message) = glob(text) {
                    self.add(node.span(), format!("this pattern is malformed: {message}"), None);
                }
            }
            Value::Folder | Value::File if self.place.is_beyond(Path::new(text)) => {
                let help = Some(
                    "a configuration that was found reaches no further than its repository: give it with `--config`",
                );
                self.add(node.span(), format!("`{text}` leads out of the repository"), help.map(Into::into));
            }
            Value::Folder if !self.place.folder.join(text).is_dir() => {
                let help = Some("folders are relative to the configuration file".into());
                self.add(node.span(), format!("there is no folder `{text}`"), help);
            }
            Value::File if !self.place.folder.join(text).is_file() => {
                let help = Some("files are relative to the configuration file".into());
                self.add(node.span(), format!("there is no file `{text}`"), help);
            }
            Value::ReleaseName if !helm::is_release_name(text) => {
                let help = Some("write lower case letters, digits, `-` and `.`, at most 53 of them".into());
                self.add(node.span(), format!("helm takes no release of the name `{text}`"), help);
            }
            Value::KubeVersion if !helm::is_kube_version(text) => {
                let help = Some("write a version such as 1.31.0".into());
                self.add(node.span(), format!("`{text}` is no version of Kubernetes"), help);
            }
            Value::Set => {
                if let Err(message) = helm::values::check_set(text) {
                    self.add(node.span(), message, Some("write `key=value`, as for helm's --set".into()));
                }
            }
            Value::ObjectPath => {
                if let Err(part) = workloads::check_path(text) {
                    let help = Some("a path is written like `spec.roles[].template`".into());
                    self.add(node.span(), format!("`{part}` is no step of a path"), help);
                }
            }
            _ => {}
        }
    }
}
