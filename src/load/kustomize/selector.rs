//! Which objects a target takes: anchored regular expressions, and selectors of labels.

use regex::Regex;

use super::fields::Text;
use super::kustomization::Selector;
use super::resource::Resource;
use super::workspace::{BuildProblem, Outcome};

/// A selector, ready to match.
pub struct Matcher {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

/// A limit on what a regular expression may grow to.
const REGEX_LIMIT: usize = 1 << 20;

fn regex(text: Option<&Text>) -> Outcome<Option<Regex>> {
    let Some(text) = text else { return Ok(None) };
    let built = regex::RegexBuilder::new(&format!("^(?:{})$", text.text)).size_limit(REGEX_LIMIT).build();
    built.map(Some).map_err(|_| {
        let message = format!("`{}` is not a regular expression", text.text);
        Box::new(
            BuildProblem::failed(text.span, message)
                .help("a target's texts are regular expressions: escape `[`, `(`, `*`"),
        )
    })
}

impl Matcher {
    /// Reads a selector's texts.
    ///
    /// # Errors
    /// The text that is no regular expression or no selector.
    pub fn new(selector: &Selector) -> Outcome<Matcher> {
        Ok(Matcher {
            group: regex(selector.group.as_ref())?,
            version: regex(selector.version.as_ref())?,
            kind: regex(selector.kind.as_ref())?,
            name: regex(selector.name.as_ref())?,
            namespace: regex(selector.namespace.as_ref())?,
            labels: requirements(selector.labels.as_ref())?,
            annotations: requirements(selector.annotations.as_ref())?,
        })
    }

    /// Whether the selector takes an object, by the id that it has or the id that it had first.
    pub fn matches(&self, resource: &Resource) -> bool {
        self.matches_but_namespace(resource) && self.matches_namespace(resource)
    }

    /// Whether the namespace fits.
    pub fn matches_namespace(&self, resource: &Resource) -> bool {
        let Some(regex) = &self.namespace else { return true };
        regex.is_match(&resource.original_id().namespace) || regex.is_match(&resource.id().namespace)
    }

    /// Whether the selector takes a namespace.
    pub fn takes_namespace(&self, namespace: &str) -> bool {
        self.namespace.as_ref().is_none_or(|r| r.is_match(namespace))
    }

    /// Whether all but the namespace fits.
    pub fn matches_but_namespace(&self, resource: &Resource) -> bool {
        let fits = |regex: &Option<Regex>, text: &str| regex.as_ref().is_none_or(|r| r.is_match(text));
        if !fits(&self.kind, resource.kind()) {
            return false;
        }
        let (group, version) = super::resource::split_api_version(resource.api_version());
        if !fits(&self.group, group) || !fits(&self.version, version) {
            return false;
        }
        if !fits(&self.name, resource.name()) && !fits(&self.name, &resource.original_id().name) {
            return false;
        }
        all_met(&self.labels, resource, "labels") && all_met(&self.annotations, resource, "annotations")
    }
}

/// Whether the labels and annotations that a selector asks for are there.
///
/// # Errors
/// When a text is no selector.
pub fn matches_texts(selector: &Selector, resource: &Resource) -> Outcome<bool> {
    Ok(all_met(&requirements(selector.labels.as_ref())?, resource, "labels")
        && all_met(&requirements(selector.annotations.as_ref())?, resource, "annotations"))
}

#[derive(Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

fn all_met(requirements: &[Requirement], resource: &Resource, map: &str) -> bool {
    let value = |key: &str| resource.texts(map).find(|(k, _)| *k == key).map(|(_, v)| v);
    requirements.iter().all(|requirement| match requirement {
        Requirement::In(key, values) => value(key).is_some_and(|v| values.iter().any(|x| x == v)),
        Requirement::NotIn(key, values) => value(key).is_none_or(|v| !values.iter().any(|x| x == v)),
        Requirement::Exists(key) => value(key).is_some(),
        Requirement::Missing(key) => value(key).is_none(),
    })
}

/// `a=b, c!=d, e in (f, g), h, !i`, as `kubectl -l` takes it.
fn requirements(text: Option<&Text>) -> Outcome<Vec<Requirement>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let wrong = || {
        let message = format!("`{}` is not a label selector", text.text);
        Box::new(
            BuildProblem::failed(text.span, message).help("write it as `kubectl -l` takes it: `app=a,tier in (b, c)`"),
        )
    };
    split_outside_brackets(&text.text).into_iter().map(|part| requirement(part.trim()).ok_or_else(wrong)).collect()
}

fn split_outside_brackets(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0i32, 0);
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn requirement(text: &str) -> Option<Requirement> {
    let key = |k: &str| {
        let k = k.trim();
        (!k.is_empty() && !k.contains(char::is_whitespace)).then(|| k.to_string())
    };
    if let Some(name) = text.strip_prefix('!') {
        return Some(Requirement::Missing(key(name)?));
    }
    if let Some((k, v)) = text.split_once("!=") {
        return Some(Requirement::NotIn(key(k)?, vec![v.trim().to_string()]));
    }
    if let Some((k, v)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some(Requirement::In(key(k)?, vec![v.trim().to_string()]));
    }
    if let Some(list) = text.strip_suffix(')') {
        let (head, values) = list.split_once('(')?;
        let values = values.split(',').map(|v| v.trim().to_string()).collect();
        let (name, operator) = head.trim().rsplit_once(char::is_whitespace)?;
        return match operator {
            "in" => Some(Requirement::In(key(name)?, values)),
            "notin" => Some(Requirement::NotIn(key(name)?, values)),
            _ => None,
        };
    }
    Some(Requirement::Exists(key(text)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_those_of_kubectl() {
        let one = |text: &str| requirement(text);
        assert_eq!(one("a=b"), Some(Requirement::In("a".into(), vec!["b".into()])));
        assert_eq!(one("a notin (b, c)"), Some(Requirement::NotIn("a".into(), vec!["b".into(), "c".into()])));
        assert_eq!(one("!a"), Some(Requirement::Missing("a".into())));
        assert_eq!(one("a b"), None);
        assert_eq!(split_outside_brackets("a in (b,c),d"), ["a in (b,c)", "d"]);
    }
}
