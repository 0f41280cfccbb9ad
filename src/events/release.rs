//! Which release an image holds, and how sure that is.

use super::Certainty;
use crate::facts::vllm::{self, ImageOrigin};
use crate::facts::{self, Effect, EffectRow, Release, parse_tag};
use crate::k8s::image::{self, ImageRef};
use crate::source::Span;
use crate::yaml::Node;

/// What an image tells about the release in it.
#[derive(Clone, Debug)]
pub struct ImageRelease {
    /// The image reference as written; empty where there is none.
    pub reference: String,
    /// The tag's bytes, else the image's, else the container's name.
    pub span: Span,
    /// The release, when the tag or the configuration tells one.
    pub release: Option<Release>,
    /// Whether the release is what runs, beyond doubt.
    pub certainty: Certainty,
    /// Whether `assume:` in the configuration told it.
    pub assumed: bool,
    /// Whether the reference can't be read here, so that nothing at all is known of the image.
    pub opaque: bool,
    /// Whether the image is upstream's own or a copy of it in another registry, whatever its tag.
    pub upstream: bool,
}

impl ImageRelease {
    /// Reads a vLLM image.
    pub fn of_engine(image: Option<Node<'_>>, place: Span, assume: Option<&Release>) -> ImageRelease {
        // Under upstream's own path another registry holds a copy.
        let upstream =
            |name: &str| matches!(vllm::image_origin(name), Some(ImageOrigin::Upstream | ImageOrigin::Mirror));
        let known = |name: &str, release: &Release| upstream(name) && vllm::is_release(release);
        ImageRelease::read(image, place, assume, known, upstream, vllm::tag_tells_engine)
    }

    /// Reads an image whose tag counts when it is exactly a release, whoever built it.
    pub fn of_gateway(image: Option<Node<'_>>, place: Span, assume: Option<&Release>) -> ImageRelease {
        let known = |_: &str, release: &Release| facts::aibrix::table().releases.contains(release);
        ImageRelease::read(image, place, assume, known, |_| true, |_, _| true)
    }

    fn read(
        image: Option<Node<'_>>,
        place: Span,
        assume: Option<&Release>,
        is_known: impl Fn(&str, &Release) -> bool,
        is_upstream: impl Fn(&str) -> bool,
        tells: impl Fn(&str, &str) -> bool,
    ) -> ImageRelease {
        let text = image.and_then(Node::text).unwrap_or("");
        let mut found = ImageRelease {
            reference: text.to_string(),
            span: image.map_or(place, Node::span),
            release: None,
            certainty: Certainty::Likely,
            assumed: false,
            opaque: false,
            upstream: false,
        };
        let parsed = image::parse(text);
        found.opaque = parsed.is_err();
        if let (Ok(reference), Some(node)) = (&parsed, image) {
            found.upstream = is_upstream(&reference.full_name());
            found.read_tag(reference, node, is_known, tells);
        }
        if found.release.is_none()
            && let Some(release) = assume
        {
            found.release = Some(release.clone());
            found.certainty = Certainty::Certain;
            found.assumed = true;
        }
        found
    }

    fn read_tag(
        &mut self,
        reference: &ImageRef<'_>,
        node: Node<'_>,
        is_known: impl Fn(&str, &Release) -> bool,
        tells: impl Fn(&str, &str) -> bool,
    ) {
        let Some(tag) = &reference.tag else { return };
        self.span = node.sub_span(tag.range.clone());
        if !tells(&reference.full_name(), tag.text) {
            return;
        }
        let Some(found) = parse_tag(tag.text) else { return };
        let certain = found.exact && !found.prerelease && is_known(&reference.full_name(), &found.release);
        self.certainty = if certain { Certainty::Certain } else { Certainty::Likely };
        self.release = Some(found.release);
    }

    /// What the image does in a situation: the row of its release; without a known release, the first row where all
    /// releases do the same. The certainty goes with it.
    pub fn effect<'r>(&self, rows: &'r [EffectRow]) -> Option<(&'r EffectRow, Certainty)> {
        match &self.release {
            Some(release) => facts::effect_at(rows, release).map(|row| (row, self.certainty)),
            None => {
                facts::effect_everywhere(rows)?;
                rows.first().map(|row| (row, self.certainty_of_all()))
            }
        }
    }

    /// How sure it is that this image behaves as every release does: a private build may be patched.
    pub fn certainty_of_all(&self) -> Certainty {
        if self.release.is_none() && self.upstream { Certainty::Certain } else { self.certainty }
    }

    /// What the image does in a situation, if that is `bad`: the row of its release; without a known release all rows, if
    /// each of them is bad, whichever it turns out to be.
    pub fn verdict<'r>(&self, all: &'r [EffectRow], bad: impl Fn(Effect) -> bool) -> Option<Verdict<'r>> {
        let rows: Vec<&EffectRow> = match &self.release {
            Some(release) => facts::effect_at(all, release).into_iter().collect(),
            None => all.iter().collect(),
        };
        let everywhere = all.iter().all(|row| bad(row.effect));
        (!rows.is_empty() && rows.iter().all(|row| bad(row.effect))).then(|| Verdict {
            rows,
            certainty: self.certainty_of_all(),
            everywhere,
        })
    }

    /// A verdict as a note: what which releases do, and where the release of this image was read.
    pub fn evidence(&self, product: &str, verdict: &Verdict<'_>) -> String {
        let row = |row: &&EffectRow| {
            let note = row.note.as_deref().map(|n| format!(" ({n})")).unwrap_or_default();
            let range = if row.releases.is_all() {
                format!("every release of {product}")
            } else {
                format!("{product} {}", row.releases)
            };
            format!("{range}: {}{note}", row.effect.outcome())
        };
        let rows: Vec<String> = verdict.rows.iter().map(row).collect();
        let here = match &self.release {
            Some(_) => format!("; the image holds {}", self.describe(product)),
            None => "; which release the image holds is not known".to_string(),
        };
        rows.join("; ") + &here
    }

    /// What the release is called in a note: "vLLM 0.11.0 (from the image tag)".
    pub fn describe(&self, product: &str) -> String {
        match &self.release {
            Some(release) if self.assumed => format!("{product} {release} (assumed in the configuration)"),
            Some(release) => format!("{product} {release} (read from the image tag)"),
            None => format!("{product} of an unknown release"),
        }
    }
}

/// What an image does in a situation that a rule asked about.
#[derive(Clone, Debug)]
pub struct Verdict<'r> {
    /// What it does; several rows where the release is not known.
    pub rows: Vec<&'r EffectRow>,
    /// How sure that is.
    pub certainty: Certainty,
    everywhere: bool,
}

impl Verdict<'_> {
    /// How sure it is where no build can be expected to differ, as in what JSON is, or what a socket does: what every release
    /// does is certain of a private image, too. Not for options, which a fork may add.
    pub fn of_every_release(&self) -> Certainty {
        if self.everywhere { Certainty::Certain } else { self.certainty }
    }

    /// Whether the engine does not come up or does not stay up, whatever the release.
    pub fn is_fatal(&self) -> bool {
        self.rows.iter().all(|row| row.effect.is_fatal())
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Status;
    use crate::source::FileId;

    fn image(release: Option<&str>, upstream: bool) -> ImageRelease {
        ImageRelease {
            reference: String::new(),
            span: Span::new(FileId(0), 0, 0),
            release: release.map(|r| r.parse().unwrap()),
            certainty: if release.is_some() && upstream { Certainty::Certain } else { Certainty::Likely },
            assumed: false,
            opaque: false,
            upstream,
        }
    }

    fn rows(of: &[(&str, Effect)]) -> Vec<EffectRow> {
        let row = |(releases, effect): &(&str, Effect)| EffectRow {
            releases: releases.parse().unwrap(),
            effect: *effect,
            note: None,
            source: "test".into(),
            status: Status::Executed,
        };
        of.iter().map(row).collect()
    }

    #[test]
    fn without_a_release_only_what_every_release_does_counts() {
        let mixed = rows(&[("..=0.9.2", Effect::Exit2), ("0.10.0..", Effect::Works)]);
        let bad = rows(&[("..=0.9.2", Effect::Exit2), ("0.10.0..", Effect::Ignored)]);
        let harmful = |effect| effect != Effect::Works;
        assert!(image(None, true).verdict(&mixed, harmful).is_none());
        assert!(image(Some("0.9.1"), true).verdict(&mixed, harmful).is_some());
        assert!(image(Some("0.10.0"), true).verdict(&mixed, harmful).is_none());
        let verdict = image(None, true).verdict(&bad, harmful).unwrap();
        assert_eq!((verdict.rows.len(), verdict.certainty, verdict.is_fatal()), (2, Certainty::Certain, false));
        assert_eq!(image(None, false).verdict(&bad, harmful).unwrap().certainty, Certainty::Likely);
    }

    #[test]
    fn tags_of_other_products_are_no_engine_releases() {
        let release = |reference: &str| {
            let text = format!("image: {reference}\n");
            let source = std::sync::Arc::new(crate::source::SourceFile::new(FileId(0), "p.yaml", text));
            let stream = crate::yaml::parse(&source);
            let tree = stream.documents[0].content.clone().unwrap();
            let node = tree.root().get("image");
            ImageRelease::of_engine(node, Span::new(FileId(0), 0, 0), None).release
        };
        for text in ["vllm/vllm-openai:v0.11.0", "team/my-vllm:v0.11.0", "lmsysorg/sglang:v0.5.2"] {
            assert!(release(text).is_some(), "{text}");
        }
        for text in ["team/chat:0.3.0", "nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.4.0"] {
            assert!(release(text).is_none(), "{text}");
        }
    }
}
