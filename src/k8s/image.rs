//! Container image references, cut into their parts with the place of each.
//!
//! The grammar is that of the OCI distribution project (`distribution/reference`), read as the kubelet reads it but
//! without filling anything in: no tag and `:latest` are different things to a person who edits the file.

use std::fmt;
use std::ops::Range;

/// An image reference: `registry/repository:tag@digest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRef<'a> {
    /// The host, with a port if there is one. `None` means Docker Hub.
    pub registry: Option<Part<'a>>,
    /// The path behind the registry, without tag and digest.
    pub repository: Part<'a>,
    /// The last segment of the repository.
    pub name: Part<'a>,
    /// What follows the `:`. `None` when no tag is written; the runtime takes `latest` then, if there is no digest.
    pub tag: Option<Part<'a>>,
    /// What follows the `@`, algorithm included; it wins over the tag.
    pub digest: Option<Part<'a>>,
}

impl ImageRef<'_> {
    /// Registry and repository, without tag and digest.
    pub fn full_name(&self) -> String {
        match &self.registry {
            Some(registry) => format!("{}/{}", registry.text, self.repository.text),
            None => self.repository.text.to_string(),
        }
    }
}

/// A part of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The text.
    pub text: &'a str,
    /// Where it stands in the reference.
    pub range: Range<usize>,
}

/// Why a text is not read as an image reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageError {
    /// Something is to be filled in: there is no text, or it holds `$(VAR)`, `${VAR}`, `{{ … }}` or `<placeholder>`.
    /// The range is that of the first such thing.
    Unknown(Range<usize>),
    /// No runtime accepts it; the range is the part at fault.
    Malformed(Range<usize>, Reason),
}

/// What is wrong with a malformed reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The repository has an upper-case letter. (A runtime takes `Team/app` for the path `app` on a host `Team`, and
    /// fails when it looks the host up.)
    UpperCase,
    /// The repository is not made of lower-case letters, digits and single separators between slashes, or is too long.
    Repository,
    /// The registry is not a host name or address with an optional port.
    Registry,
    /// The tag is not 1 to 128 letters, digits, `_`, `.` and `-`, of which the first is a letter, a digit or `_`.
    Tag,
    /// The digest is not an algorithm, a colon and enough hexadecimal digits.
    Digest,
    /// There is a blank or a line break in it.
    Blank,
}

/// The longest registry and repository together (`NameTotalLengthMax` in distribution/reference).
const NAME_LENGTH: usize = 255;

/// Reads an image reference.
///
/// # Errors
///
/// [`ImageError::Unknown`] when the text is yet to be completed, [`ImageError::Malformed`] when it cannot be one.
pub fn parse(text: &str) -> Result<ImageRef<'_>, ImageError> {
    if let Some(unknown) = unknown(text) {
        return Err(ImageError::Unknown(unknown));
    }
    if let Some((at, blank)) = text.char_indices().find(|(_, c)| c.is_whitespace()) {
        return Err(ImageError::Malformed(at..at + blank.len_utf8(), Reason::Blank));
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(Part::at(rest.len() + 1, digest).checked(is_digest, Reason::Digest)?)),
        None => (text, None),
    };
    // A colon behind the last slash starts the tag; one before it belongs to the registry's port.
    let last_segment = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest.get(last_segment..).and_then(|segment| segment.find(':')) {
        Some(colon) => {
            let (name, tag) = rest.split_at(last_segment + colon);
            let tag = Part::at(name.len() + 1, tag.get(1..).unwrap_or(""));
            (name, Some(tag.checked(is_tag, Reason::Tag)?))
        }
        None => (rest, None),
    };
    let (registry, path) = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
            (Some(Part::at(0, host).checked(is_registry, Reason::Registry)?), path)
        }
        _ => (None, name),
    };
    let repository = Part::at(name.len() - path.len(), path);
    let reason = if path.contains(|c: char| c.is_ascii_uppercase()) { Reason::UpperCase } else { Reason::Repository };
    let repository = repository.checked(is_repository, reason)?;
    if name.len() > NAME_LENGTH {
        return Err(ImageError::Malformed(0..name.len(), Reason::Repository));
    }
    let last = path.rsplit('/').next().unwrap_or(path);
    let last = Part::at(name.len() - last.len(), last);
    Ok(ImageRef { registry, repository, name: last, tag, digest })
}

impl<'a> Part<'a> {
    fn at(start: usize, text: &'a str) -> Self {
        Self { text, range: start..start + text.len() }
    }

    fn checked(self, holds: impl Fn(&str) -> bool, reason: Reason) -> Result<Self, ImageError> {
        if holds(self.text) { Ok(self) } else { Err(ImageError::Malformed(self.range, reason)) }
    }
}

impl ImageError {
    /// Whether the reference may be a good one once it is completed.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// The part at fault.
    pub fn range(&self) -> Range<usize> {
        match self {
            Self::Unknown(range) | Self::Malformed(range, _) => range.clone(),
        }
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown(_) => "the image is yet to be filled in",
            Self::Malformed(_, Reason::UpperCase) => "an image's repository must be lower case",
            Self::Malformed(_, Reason::Repository) => "the image's repository is malformed",
            Self::Malformed(_, Reason::Registry) => "the image's registry is malformed",
            Self::Malformed(_, Reason::Tag) => "the image's tag is malformed",
            Self::Malformed(_, Reason::Digest) => "the image's digest is malformed",
            Self::Malformed(_, Reason::Blank) => "an image must not contain blanks",
        })
    }
}

impl std::error::Error for ImageError {}

/// The first thing in the text that somebody or something is still to replace.
fn unknown(text: &str) -> Option<Range<usize>> {
    if text.trim().is_empty() {
        return Some(0..text.len());
    }
    let markers = [("$(", ")"), ("${", "}"), ("{{", "}}"), ("<", ">")];
    markers
        .iter()
        .filter_map(|(open, close)| {
            let start = text.find(open)?;
            let length = text.get(start..)?.find(close)?;
            Some(start..start + length + close.len())
        })
        .min_by_key(|range| range.start)
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|address| address.split_once(']')) {
        Some((address, port)) if !address.is_empty() => {
            if !address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':') {
                return false;
            }
            (None, port.strip_prefix(':').or_else(|| (!port.is_empty()).then_some("")))
        }
        _ => match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), None),
        },
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.is_none_or(|host| host.split('.').all(is_label))
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_repository(text: &str) -> bool {
    text.split('/').all(is_path_component)
}

/// `[a-z0-9]+` joined by `.`, `_`, `__` or any number of `-`.
fn is_path_component(text: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut separators = text.split(is_alphanumeric).filter(|between| !between.is_empty());
    text.starts_with(is_alphanumeric)
        && text.ends_with(is_alphanumeric)
        && separators.all(|between| matches!(between, "." | "_" | "__") || between.bytes().all(|byte| byte == b'-'))
}

fn is_tag(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.len() <= 128
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let is_component = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let long_enough = match algorithm {
        "sha256" => hex.len() == 64,
        "sha384" => hex.len() == 96,
        "sha512" => hex.len() == 128,
        _ => hex.len() >= 32,
    };
    algorithm.split(['-', '_', '+', '.']).all(is_component)
        && long_enough
        && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA: &str = "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

    fn parts(text: &str) -> (Option<&str>, &str, &str, Option<&str>, Option<&str>) {
        let image = parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let all = [image.registry.as_ref(), Some(&image.repository), Some(&image.name), image.tag.as_ref()];
        for part in all.into_iter().chain([image.digest.as_ref()]).flatten() {
            assert_eq!(&text[part.range.clone()], part.text);
        }
        (
            image.registry.map(|part| part.text),
            image.repository.text,
            image.name.text,
            image.tag.map(|part| part.text),
            image.digest.map(|part| part.text),
        )
    }

    #[test]
    fn references_are_cut_into_their_parts() {
        for (text, registry, repository, name, tag) in [
            ("busybox", None, "busybox", "busybox", None),
            ("busybox:latest", None, "busybox", "busybox", Some("latest")),
            ("vllm/vllm-openai:v0.10.1", None, "vllm/vllm-openai", "vllm-openai", Some("v0.10.1")),
            ("docker.io/library/a", Some("docker.io"), "library/a", "a", None),
            ("localhost/a", Some("localhost"), "a", "a", None),
            ("localhost:5000/a/b:tag", Some("localhost:5000"), "a/b", "b", Some("tag")),
            ("localhost:5000/a", Some("localhost:5000"), "a", "a", None),
            ("test.com:8080", None, "test.com", "test.com", Some("8080")),
            ("[::1]:5000/a", Some("[::1]:5000"), "a", "a", None),
            ("[2001:db8::1]/a:1", Some("[2001:db8::1]"), "a", "a", Some("1")),
            ("Registry.example.com/a", Some("Registry.example.com"), "a", "a", None),
            ("xn--n3h.com/myimage:xn--n3h.com", Some("xn--n3h.com"), "myimage", "myimage", Some("xn--n3h.com")),
            ("foo_bar.com:8080", None, "foo_bar.com", "foo_bar.com", Some("8080")),
            ("foo/foo_bar.com:8080", None, "foo/foo_bar.com", "foo_bar.com", Some("8080")),
            ("a--b/c__d.e:_T.1-x", None, "a--b/c__d.e", "c__d.e", Some("_T.1-x")),
            ("aibrix-cn.cr.volces.com/x/y:v0.5.0", Some("aibrix-cn.cr.volces.com"), "x/y", "y", Some("v0.5.0")),
        ] {
            assert_eq!(parts(text), (registry, repository, name, tag, None), "{text}");
            let with_digest = format!("{text}@{SHA}");
            assert_eq!(parts(&with_digest), (registry, repository, name, tag, Some(SHA)), "{text}");
        }
    }

    #[test]
    fn malformed_references_tell_which_part_is_wrong() {
        for (text, fault, reason) in [
            ("Uppercase:tag", "Uppercase", Reason::UpperCase),
            ("UPPER/x", "UPPER/x", Reason::UpperCase),
            ("test:5000/Uppercase/lowercase:tag", "Uppercase/lowercase", Reason::UpperCase),
            (":justtag", "", Reason::Repository),
            ("@sha256:ff", "sha256:ff", Reason::Digest),
            (
                "repo@sha256:ffffffffffffffffffffffffffffffffff",
                "sha256:ffffffffffffffffffffffffffffffffff",
                Reason::Digest,
            ),
            ("repo@sha256", "sha256", Reason::Digest),
            ("validname@", "", Reason::Digest),
            ("a//b", "a//b", Reason::Repository),
            ("/a", "/a", Reason::Repository),
            ("a/", "a/", Reason::Repository),
            ("a_-b", "a_-b", Reason::Repository),
            ("a___b", "a___b", Reason::Repository),
            ("-foo", "-foo", Reason::Repository),
            ("https://github.com/x/y", "https:", Reason::Registry),
            ("-test.com/a", "-test.com", Reason::Registry),
            ("a..b/c", "a..b", Reason::Registry),
            ("host:port/c", "host:port", Reason::Registry),
            ("[fe80::1%eth0]:5000/c", "[fe80::1%eth0]:5000", Reason::Registry),
            ("[::1]5000/c", "[::1]5000", Reason::Registry),
            ("a:", "", Reason::Tag),
            ("a:b:c", "b:c", Reason::Tag),
            ("a:-b", "-b", Reason::Tag),
            ("a: b", " ", Reason::Blank),
            (" a", " ", Reason::Blank),
            ("é", "é", Reason::Repository),
        ] {
            let error = parse(text).expect_err(text);
            assert!(!error.is_unknown());
            assert_eq!(&text[error.range()], fault, "{text}");
            assert_eq!(error, ImageError::Malformed(error.range(), reason), "{text}");
        }
        assert!(parse(&format!("a:{}", "t".repeat(128))).is_ok());
        assert!(parse(&format!("a:{}", "t".repeat(129))).is_err());
        assert!(parse("a/".repeat(127).trim_end_matches('/')).is_ok());
        assert!(parse(&format!("{}a", "a/".repeat(128))).is_err());
    }

    #[test]
    fn what_is_to_be_filled_in_is_unknown_and_not_malformed() {
        for (text, what) in [
            ("", ""),
            (" ", " "),
            ("$(IMG)", "$(IMG)"),
            ("vllm/vllm-openai:${TAG}", "${TAG}"),
            ("{{ .Values.image }}:{{ .Values.tag }}", "{{ .Values.image }}"),
            ("<your registry>/vllm:v1", "<your registry>"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.is_unknown(), "{text}");
            assert_eq!(&text[error.range()], what);
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_ranges_inside_it(text in "[a-cA/:@.$(){}<>\\[\\] _é-]{0,30}|.{0,30}") {
            match parse(&text) {
                Ok(image) => {
                    let mut end = 0;
                    for part in [image.registry, Some(image.repository), image.tag, image.digest].into_iter().flatten() {
                        prop_assert!(part.range.start >= end);
                        prop_assert_eq!(text.get(part.range.clone()), Some(part.text));
                        end = part.range.end;
                    }
                }
                Err(error) => prop_assert!(text.get(error.range()).is_some()),
            }
        }
    }
}
