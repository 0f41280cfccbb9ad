//! `images`: another repository, tag or digest, kept as a rope so that each part leads to its own line.

use regex::Regex;

use super::fields::Text;
use super::kustomization::ImageEntry;
use super::value::{Data, Fragment, FragmentPlace, Origin, Place, StepId, Value, cut};
use super::workspace::{BuildProblem, Outcome};
use crate::facts::kustomize::image_lists;

/// An entry, ready to match.
pub struct Image<'e> {
    entry: &'e ImageEntry,
    pattern: Regex,
    step: StepId,
}

impl<'e> Image<'e> {
    /// Reads the entry's name.
    ///
    /// # Errors
    /// When it is no regular expression.
    pub fn new(entry: &'e ImageEntry, step: StepId) -> Outcome<Image<'e>> {
        let name = entry.name.as_ref().map_or("", |n| n.text.as_str());
        let pattern = format!("^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$");
        let pattern = regex::RegexBuilder::new(&pattern).size_limit(1 << 20).build().map_err(|_| {
            let span = entry.name.as_ref().map_or(entry.span, |n| n.span);
            let problem = BuildProblem::failed(span, format!("`{name}` is not a regular expression"));
            Box::new(problem.help("the name of an image is a regular expression: escape `(`, `[`, `*`, `+`"))
        })?;
        Ok(Image { entry, pattern, step })
    }

    /// Changes every `image` in the lists of containers, wherever they stand. Gives how many matched and changed.
    pub fn everywhere(&self, value: &mut Value, count: &mut (usize, usize)) {
        if !self.finds(value) {
            return;
        }
        let lists = image_lists();
        if let Some(entries) = value.entries_mut() {
            for entry in entries {
                self.everywhere(&mut entry.value, count);
                if lists.iter().any(|l| *l == entry.key.text) {
                    for item in entry.value.items_mut().into_iter().flatten() {
                        if let Some(image) = item.get_mut("image") {
                            self.set(image, count);
                        }
                    }
                }
            }
        } else if let Some(items) = value.items_mut() {
            items.iter_mut().for_each(|i| self.everywhere(i, count));
        }
    }

    /// Whether there is anything to change, so that nothing is copied in vain.
    fn finds(&self, value: &Value) -> bool {
        match &value.data {
            Data::Map(entries) => entries.iter().any(|e| {
                self.finds(&e.value)
                    || (image_lists().iter().any(|l| *l == e.key.text)
                        && e.value
                            .items()
                            .iter()
                            .any(|i| i.get("image").and_then(Value::text).is_some_and(|t| self.pattern.is_match(t))))
            }),
            Data::Seq(items) => items.iter().any(|i| self.finds(i)),
            Data::Scalar(_) => false,
        }
    }

    /// Changes one image if it is meant.
    pub fn set(&self, image: &mut Value, count: &mut (usize, usize)) {
        let Some(old) = image.text().map(str::to_string) else { return };
        if !self.pattern.is_match(&old) {
            return;
        }
        count.0 += 1;
        let (name, tag, digest) = split(&old);
        let parts = image.origin.fragments(old.len());
        let part = |range: std::ops::Range<usize>| (old[range.clone()].to_string(), cut(&parts, range));
        let given = |text: &Text| (text.text.to_string(), text.origin().fragments(text.text.len()));
        let entry = self.entry;
        let name = entry.new_name.as_ref().map_or_else(|| part(name), given);
        let (tag, digest) = match (&entry.new_tag, &entry.digest, &entry.tag_suffix) {
            (Some(tag), digest, _) => (Some(given(tag)), digest.as_ref().map(given)),
            (None, Some(digest), _) => (None, Some(given(digest))),
            (None, None, Some(suffix)) => {
                let (mut text, mut fragments) = tag.map(part).unwrap_or_default();
                let (more, more_fragments) = given(suffix);
                text.push_str(&more);
                fragments.extend(more_fragments);
                (Some((text, fragments)), None)
            }
            (None, None, None) => (tag.map(part), digest.map(part)),
        };
        let (mut text, mut rope) = name;
        for (sign, piece) in [(':', tag), ('@', digest)] {
            let Some((more, fragments)) = piece.filter(|(t, _)| !t.is_empty()) else { continue };
            text.push(sign);
            text.push_str(&more);
            // The sign belongs to what follows it.
            rope.push(Fragment { len: 1, place: sign_place(&fragments, entry) });
            rope.extend(fragments);
        }
        if text == old {
            return;
        }
        count.1 += 1;
        let place = Place::Rope(rope.into());
        let origin = Origin { place, step: self.step, overrode: None };
        let mut new = Value::plain_of(text, origin);
        new.take_place_of(image);
        new.override_from(image);
        *image = new;
    }
}

fn sign_place(fragments: &[Fragment], entry: &ImageEntry) -> FragmentPlace {
    match fragments.first().map(|f| &f.place) {
        Some(FragmentPlace::Span(span)) => FragmentPlace::Span(*span),
        _ => FragmentPlace::Span(entry.span),
    }
}

type Range = std::ops::Range<usize>;

/// The repository, tag and digest of an image as ranges, as Kustomize takes it apart.
fn split(image: &str) -> (Range, Option<Range>, Option<Range>) {
    let from = image.find('/').filter(|&i| i > 0).unwrap_or(0);
    let at = image[from..].find('@').map(|i| i + from);
    let colon = image[from..].find(':').map(|i| i + from);
    match (colon, at) {
        (None, None) => (0..image.len(), None, None),
        (None, Some(at)) => (0..at, None, Some(at + 1..image.len())),
        (Some(colon), Some(at)) if at < colon => (0..at, None, Some(at + 1..image.len())),
        (Some(colon), Some(at)) => (0..colon, Some(colon + 1..at), Some(at + 1..image.len())),
        (Some(colon), None) => (0..colon, Some(colon + 1..image.len()), None),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn an_image_has_three_parts() {
        assert_eq!(split("a:5000/b:1"), (0..8, Some(9..10), None));
        assert_eq!(split("b@sha256:1"), (0..1, None, Some(2..10)));
        assert_eq!(split("b:1@sha256:2"), (0..1, Some(2..3), Some(4..12)));
    }
}
