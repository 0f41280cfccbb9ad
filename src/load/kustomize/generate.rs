//! ConfigMaps and Secrets from literals, files and lines of variables.

use super::accumulate::{Accumulated, Layer};
use super::fields::Text;
use super::kustomization::GeneratorEntry;
use super::resource::{Behavior, Resource, by_any_id};
use super::value::{Fragment, FragmentPlace, Key, Origin, Place, StepId, Value};
use super::workspace::{BuildProblem, Outcome, Workspace};
use crate::source::Span;
use crate::yaml::{Directive, Step};

/// A key and its bytes, and where they stand.
struct Pair {
    key: String,
    key_place: FragmentPlace,
    bytes: Vec<u8>,
    place: FragmentPlace,
}

impl Workspace<'_> {
    /// Makes the object of an entry.
    pub(super) fn generate(
        &mut self,
        layer: &Layer,
        entry: &GeneratorEntry,
        into: &mut Accumulated,
    ) -> Outcome<Resource> {
        let step = self.add_step(Step::Applied(Directive::Generator, entry.span));
        let made = Origin::made(entry.span, step);
        let key = |text: &str| Key { text: text.into(), origin: made.clone() };
        let word = |text: &str| Value::text_of(text, made.clone());
        let Some(name) = &entry.name else {
            let problem = BuildProblem::failed(entry.span, "a generator needs a name");
            return Err(Box::new(problem.help("write `name: …`")));
        };
        let mut object = Value::empty_map(made.clone());
        object.set(key("apiVersion"), word("v1"));
        object.set(key("kind"), word(if entry.secret { "Secret" } else { "ConfigMap" }));
        let mut metadata = Value::empty_map(made.clone());
        metadata.set(key("name"), Value::text_of(name.text.clone(), name.origin().by(step)));
        if let Some(namespace) = &entry.namespace {
            metadata.set(key("namespace"), Value::text_of(namespace.text.clone(), namespace.origin().by(step)));
        }
        for (field, pairs) in [("labels", &entry.options.labels), ("annotations", &entry.options.annotations)] {
            if pairs.is_empty() {
                continue;
            }
            let mut map = Value::empty_map(made.clone());
            for (k, v) in pairs {
                let origin = k.origin().by(step);
                map.set(Key { text: k.text.clone(), origin }, Value::text_of(v.text.clone(), v.origin().by(step)));
            }
            metadata.set(key(field), map);
        }
        object.set(key("metadata"), metadata);
        if entry.secret {
            let kind = entry
                .kind
                .as_ref()
                .map_or_else(|| word("Opaque"), |t| Value::text_of(t.text.clone(), t.origin().by(step)));
            object.set(key("type"), kind);
            object.set(key("data"), Value::empty_map(made.clone()));
        }
        let mut pairs = self.pairs(layer, entry, into)?;
        pairs.sort_by(|a, b| a.key.cmp(&b.key));
        for (i, pair) in pairs.iter().enumerate() {
            if i > 0 && pairs[i - 1].key == pair.key {
                let problem =
                    BuildProblem::failed(place_span(self, pair), format!("the key `{}` is given twice", pair.key));
                return Err(Box::new(
                    problem.help("give each key once").related(place_span(self, &pairs[i - 1]), "the other one"),
                ));
            }
            let (field, text, is_text) = match std::str::from_utf8(&pair.bytes) {
                Ok(text) if !entry.secret => ("data", text.to_string(), true),
                _ if entry.secret => ("data", base64(&pair.bytes), false),
                _ => ("binaryData", base64(&pair.bytes), false),
            };
            let origin = match (&pair.place, is_text) {
                (FragmentPlace::Span(span), _) => Origin::made(*span, step),
                (FragmentPlace::Node(tree, node, _), true) => {
                    let place = FragmentPlace::Node(*tree, *node, offset(&pair.place));
                    let rope = vec![Fragment { len: text.len(), place }];
                    Origin { place: Place::Rope(rope.into()), step, overrode: None }
                }
                (FragmentPlace::Node(tree, node, _) | FragmentPlace::Whole(tree, node), _) => {
                    Origin::made(self.node(*tree, *node).span(), step)
                }
            };
            let key_origin = match &pair.key_place {
                FragmentPlace::Span(span) => Origin::made(*span, step),
                FragmentPlace::Whole(tree, node) => Origin::node(*tree, *node).by(step),
                FragmentPlace::Node(tree, node, _) => {
                    let rope = vec![Fragment {
                        len: pair.key.len(),
                        place: FragmentPlace::Node(*tree, *node, offset(&pair.key_place)),
                    }];
                    Origin { place: Place::Rope(rope.into()), step, overrode: None }
                }
            };
            if let Some(data) = object.at_or_create(&[field], &made) {
                data.set(Key { text: pair.key.as_str().into(), origin: key_origin }, Value::text_of(text, origin));
            }
        }
        if entry.options.immutable {
            object.set(key("immutable"), Value::plain_of("true", made.clone()));
        }
        let mut resource = Resource::new(object);
        resource.untouched = false;
        resource.generated = true;
        resource.hashed = !entry.options.no_hash;
        resource.behavior = match entry.behavior.as_ref().map(|b| b.text.as_str()) {
            None | Some("create") => Behavior::Create,
            Some("replace") => Behavior::Replace,
            Some("merge") => Behavior::Merge,
            Some(_) => Behavior::Create,
        };
        Ok(resource)
    }

    fn pairs(&mut self, layer: &Layer, entry: &GeneratorEntry, into: &mut Accumulated) -> Outcome<Vec<Pair>> {
        let mut found = Vec::new();
        for text in &entry.envs {
            self.pairs_of_env(layer, text, into, &mut found)?;
        }
        for text in &entry.literals {
            found.push(literal(text)?);
        }
        for text in &entry.files {
            found.push(self.pair_of_file(layer, text, into)?);
        }
        Ok(found)
    }

    /// Lines of `KEY=value`; blank ones and comments are passed over.
    fn pairs_of_env(
        &mut self,
        layer: &Layer,
        text: &Text,
        into: &mut Accumulated,
        found: &mut Vec<Pair>,
    ) -> Outcome<()> {
        let (source, bytes) = self.input(layer, text, into)?;
        let Ok(content) = std::str::from_utf8(&bytes) else {
            return Err(Box::new(BuildProblem::failed(text.span, format!("`{}` is not UTF-8", text.text))));
        };
        let mut at = 0;
        for (i, line) in content.split_inclusive('\n').enumerate() {
            let start = at;
            at += line.len();
            let mut body = line.trim_end_matches('\n');
            body = body.strip_suffix('\r').unwrap_or(body);
            let mut lead = 0;
            if i == 0 && body.starts_with('\u{feff}') {
                lead = '\u{feff}'.len_utf8();
            }
            let trimmed = body[lead..].trim_start();
            lead = body.len() - trimmed.len();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let (key, value) = trimmed.split_once('=').unwrap_or((trimmed, ""));
            let span = |from: usize, len: usize| {
                FragmentPlace::Span(Span::new(source.id(), (start + from) as u32, (start + from + len) as u32))
            };
            found.push(Pair {
                key: key.to_string(),
                key_place: span(lead, key.len()),
                bytes: value.as_bytes().to_vec(),
                place: span(body.len() - value.len(), value.len()),
            });
        }
        Ok(())
    }

    /// `path` or `key=path`: the whole file is the value.
    fn pair_of_file(&mut self, layer: &Layer, text: &Text, into: &mut Accumulated) -> Outcome<Pair> {
        let parts: Vec<&str> = text.text.split('=').collect();
        let (key, path, start) = match parts[..] {
            [path] => {
                let base = path.rsplit('/').next().unwrap_or(path);
                (base, path, path.len() - base.len())
            }
            [key, path] if !key.is_empty() && !path.is_empty() => (key, path, 0),
            _ => {
                let problem =
                    BuildProblem::failed(text.span, format!("`{}` is neither `path` nor `key=path`", text.text));
                return Err(Box::new(problem.help("write `key=path`")));
            }
        };
        let (source, bytes) = self.input(layer, &Text { text: path.into(), ..text.clone() }, into)?;
        let whole = Span::new(source.id(), 0, source.text().len() as u32);
        Ok(Pair {
            key: key.to_string(),
            key_place: FragmentPlace::Node(text.tree, text.node, start),
            bytes,
            place: FragmentPlace::Span(whole),
        })
    }

    fn input(
        &mut self,
        layer: &Layer,
        text: &Text,
        into: &mut Accumulated,
    ) -> Outcome<(std::sync::Arc<crate::source::SourceFile>, Vec<u8>)> {
        let (canonical, shown) = self.locate_file(layer, text)?;
        into.log.uses(&canonical);
        let file = self
            .read(&canonical, &shown)
            .map_err(|e| Box::new(BuildProblem::failed(text.span, format!("`{}` can't be read: {e}", text.text))))?;
        let bytes = file.bytes.as_ref().map_or_else(|| file.source.text().as_bytes().to_vec(), |b| b.to_vec());
        Ok((file.source, bytes))
    }
}

/// `key=value`, of which one pair of quotes around the value goes.
fn literal(text: &Text) -> Outcome<Pair> {
    let Some((key, value)) = text.text.split_once('=').filter(|(k, _)| !k.is_empty()) else {
        let problem = BuildProblem::failed(text.span, format!("`{}` is not `key=value`", text.text));
        return Err(Box::new(problem.help("write `key=value`")));
    };
    let quoted = value.len() >= 2
        && ((value.starts_with('"') && value.ends_with('"')) || (value.starts_with('\'') && value.ends_with('\'')));
    let inner = if quoted { &value[1..value.len() - 1] } else { value };
    let start = key.len() + 1 + usize::from(quoted);
    Ok(Pair {
        key: key.to_string(),
        key_place: FragmentPlace::Node(text.tree, text.node, 0),
        bytes: inner.as_bytes().to_vec(),
        place: FragmentPlace::Node(text.tree, text.node, start),
    })
}

fn offset(place: &FragmentPlace) -> usize {
    match place {
        FragmentPlace::Node(_, _, offset) => *offset,
        FragmentPlace::Span(_) | FragmentPlace::Whole(..) => 0,
    }
}

fn place_span(ws: &Workspace<'_>, pair: &Pair) -> Span {
    match &pair.key_place {
        FragmentPlace::Node(tree, node, _) | FragmentPlace::Whole(tree, node) => ws.node(*tree, *node).span(),
        FragmentPlace::Span(span) => *span,
    }
}

/// Adds a generated object to those that are there: creates, merges or replaces.
///
/// # Errors
/// When the behaviour does not fit what is there.
pub fn absorb(into: &mut Accumulated, mut new: Resource, span: Span) -> Outcome<()> {
    let id = new.id();
    let found = by_any_id(&into.resources, |i| i.same(&id));
    match (&found[..], new.behavior) {
        ([], Behavior::Create) => {
            into.resources.push(new);
            Ok(())
        }
        ([], _) => {
            let problem = BuildProblem::absent(span, format!("there is no `{}` to merge into or replace", id.title()));
            Err(Box::new(
                problem.help("take `behavior` out, or add the kustomization that generates it to `resources`"),
            ))
        }
        ([_], Behavior::Create) => {
            let problem = BuildProblem::failed(span, format!("`{}` exists already", id.title()));
            Err(Box::new(problem.help("write `behavior: merge` or `behavior: replace`")))
        }
        ([i], behavior) => {
            let old = into.resources[*i].clone();
            keep_metadata(&mut new, &old);
            if behavior == Behavior::Merge {
                for field in ["data", "binaryData"] {
                    let own = new.value.get(field).cloned();
                    let Some(mut merged) = old.value.get(field).cloned().or_else(|| own.clone()) else { continue };
                    let origin = merged.origin.clone();
                    merged.make_texts();
                    for entry in own.as_ref().map_or(&[][..], Value::entries) {
                        merged.set(entry.key.clone(), entry.value.clone());
                    }
                    // Where nothing comes together the field goes, which the hash shows.
                    match merged.is_empty() {
                        true => drop(new.value.remove(field)),
                        false => new.value.set(Key { text: field.into(), origin }, merged),
                    }
                }
            }
            into.resources[*i] = new;
            Ok(())
        }
        _ => Err(Box::new(BuildProblem::failed(span, format!("several objects are `{}`", id.title())))),
    }
}

/// Labels and annotations are joined, the new ones winning; name and namespace stay.
fn keep_metadata(new: &mut Resource, old: &Resource) {
    for field in ["labels", "annotations"] {
        let Some(map) = old.value.at(&["metadata", field]).cloned() else { continue };
        let mut merged = map;
        merged.make_texts();
        for entry in new.value.at(&["metadata", field]).map_or(&[][..], Value::entries) {
            merged.set(entry.key.clone(), entry.value.clone());
        }
        if !merged.is_empty() {
            new.set_metadata(field, merged);
        }
    }
    for field in ["name", "namespace"] {
        match old.value.at(&["metadata", field]).cloned() {
            Some(value) => new.set_metadata(field, value),
            None => {
                if let Some(metadata) = new.value.get_mut("metadata") {
                    metadata.remove(field);
                }
            }
        }
    }
    new.previous.clone_from(&old.previous);
    new.prefixes.clone_from(&old.prefixes);
    new.suffixes.clone_from(&old.suffixes);
    new.generated = old.generated;
    new.hashed = new.hashed && old.hashed;
    new.behavior = old.behavior;
    new.variables.clone_from(&old.variables);
    new.annotations.transformers.clone_from(&old.annotations.transformers);
    if new.annotations.origin.is_none() {
        new.annotations.origin.clone_from(&old.annotations.origin);
    }
}

/// Base64, in lines of 70 letters where there is more than one line.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut letters = String::with_capacity(bytes.len() * 4 / 3 + 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |w, b| (w << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * i)) as usize & 63];
            letters.push(if i <= chunk.len() { letter.into() } else { '=' });
        }
    }
    const LINE: usize = 70;
    if letters.len() < LINE {
        return letters;
    }
    let mut lines = String::with_capacity(letters.len() + letters.len() / LINE + 1);
    for (i, letter) in letters.chars().enumerate() {
        lines.push(letter);
        if (i + 1) % LINE == 0 || i + 1 == letters.len() {
            lines.push('\n');
        }
    }
    lines
}

/// The step of a hash, for `accumulate`.
pub fn add_hash(resource: &mut Resource, span: Span, step: StepId) {
    let hash = super::hash::of(resource);
    resource.remember();
    let Some(old) = resource.value.at(&["metadata", "name"]) else { return };
    let name = old.text().unwrap_or_default().to_string();
    let mut rope = old.origin.fragments(name.len());
    rope.push(Fragment { len: hash.len() + 1, place: FragmentPlace::Span(span) });
    let origin = Origin { place: Place::Rope(rope.into()), step, overrode: None };
    resource.set_name(Value::text_of(format!("{name}-{hash}"), origin));
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn letters_of_base64() {
        assert_eq!(base64(b"hello"), "aGVsbG8=");
        assert_eq!(base64(b""), "");
        assert_eq!(base64(&[0; 60]).lines().count(), 2);
    }
}
