//! Release numbers, ranges of them, and what an image tag says about them.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use semver::Version;
use serde::{Deserialize, Deserializer};

/// A release of vLLM, SGLang or AIBrix: three numbers, sometimes a fourth, sometimes `.postN`.
///
/// Ordered as Python orders them (PEP 440): `0.9.0 < 0.9.0.post1 < 0.9.0.1 < 0.9.1`. Pre-releases are not releases.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// `major.minor.patch`, never with a pre-release or build part.
    pub version: Version,
    /// The fourth number of `0.10.1.1`; 0 when there is none.
    pub micro: u64,
    /// The number after `.post`; 0 when there is none.
    pub post: u64,
}

impl Release {
    /// A plain release of three numbers.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Release {
        Release { version: Version::new(major, minor, patch), micro: 0, post: 0 }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.version)?;
        if self.micro > 0 {
            write!(out, ".{}", self.micro)?;
        }
        if self.post > 0 {
            write!(out, ".post{}", self.post)?;
        }
        Ok(())
    }
}

impl FromStr for Release {
    type Err = String;

    /// Reads `0.11.0`, `0.10.1.1` or `0.8.5.post1`, with or without a leading `v`.
    fn from_str(text: &str) -> Result<Release, String> {
        let bare = text.strip_prefix('v').unwrap_or(text);
        match leading_release(bare) {
            Some(found) if found.length == bare.len() && !found.prerelease => Ok(found.release),
            _ => Err(format!("`{text}` is not a release such as 0.11.0 or 0.8.5.post1")),
        }
    }
}

impl<'de> Deserialize<'de> for Release {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Release, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A range of releases; both ends are included and either may be open.
///
/// Written in the tables as `0.9.0..=0.11.0`, `0.9.1..`, `..=0.8.5.post1`, `=0.11.0` or `..` for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReleaseRange {
    /// The first release; `None`: from the oldest that was looked at.
    pub since: Option<Release>,
    /// The last release; `None`: still true in the newest that was looked at.
    pub until: Option<Release>,
}

impl ReleaseRange {
    /// Whether the release lies in the range.
    pub fn contains(&self, release: &Release) -> bool {
        self.since.as_ref().is_none_or(|since| since <= release)
            && self.until.as_ref().is_none_or(|until| release <= until)
    }

    /// Whether some release lies in both.
    pub fn overlaps(&self, other: &ReleaseRange) -> bool {
        let starts_by = |left: &ReleaseRange, right: &ReleaseRange| match (&left.since, &right.until) {
            (Some(since), Some(until)) => since <= until,
            _ => true,
        };
        starts_by(self, other) && starts_by(other, self)
    }

    /// Whether the range covers every release.
    pub fn is_all(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    /// Whether the first release is not after the last.
    pub fn is_forward(&self) -> bool {
        match (&self.since, &self.until) {
            (Some(since), Some(until)) => since <= until,
            _ => true,
        }
    }
}

impl fmt::Display for ReleaseRange {
    /// For people: `0.9.0 to 0.11.0`, `0.9.1 and later`, `up to 0.8.5.post1`, `0.11.0 alone`, `every release`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.since, &self.until) {
            (Some(since), Some(until)) if since == until => write!(out, "{since} alone"),
            (Some(since), Some(until)) => write!(out, "{since} to {until}"),
            (Some(since), None) => write!(out, "{since} and later"),
            (None, Some(until)) => write!(out, "up to {until}"),
            (None, None) => write!(out, "every release"),
        }
    }
}

impl FromStr for ReleaseRange {
    type Err = String;

    fn from_str(text: &str) -> Result<ReleaseRange, String> {
        if let Some(only) = text.strip_prefix('=') {
            let only: Release = only.parse()?;
            return Ok(ReleaseRange { since: Some(only.clone()), until: Some(only) });
        }
        let (since, until) = text.split_once("..").ok_or_else(|| format!("`{text}` is not a range such as 0.9.0.."))?;
        let since = if since.is_empty() { None } else { Some(since.parse()?) };
        let until = match until.strip_prefix('=') {
            Some(until) => Some(until.parse()?),
            None if until.is_empty() => None,
            // An exclusive end would read like an inclusive one to half of the readers.
            None => return Err(format!("`{text}`: write `..={until}`, ranges include their last release")),
        };
        Ok(ReleaseRange { since, until })
    }
}

impl<'de> Deserialize<'de> for ReleaseRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ReleaseRange, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What an image tag says about the release inside the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagRelease {
    /// The release; of a pre-release such as `v0.11.0rc1`, the release that it leads to.
    pub release: Release,
    /// The tag is the release and nothing else but a suffix that names a platform, such as `-cu128`. A tag with other
    /// parts (`-lmcache-0.3.2`, a date) names a private build, which may carry patches: its release is a hint.
    pub exact: bool,
    /// A release candidate, alpha, beta or development build, which may lack what the release has. Never `exact`.
    pub prerelease: bool,
    /// Where the release text stands in the tag: without the `v`, with `.post1` or `rc1`.
    pub range: Range<usize>,
}

/// First words of a tag's part that say on what the build runs and not what is in it.
const PLATFORM_SUFFIXES: &[&str] = &["x86_64", "aarch64", "amd64", "arm64", "ubuntu", "cu", "cuda"];

/// Other software whose version stands in tags of engine images.
const OTHER_SOFTWARE: &[&str] =
    &["aibrix", "nixl", "lmcache", "mooncake", "flashinfer", "torch", "pytorch", "cuda", "rocm", "ucx", "infinistore"];

/// Numbers that start at 20 are years: `25.06-py3` is NVIDIA's calendar, not a release of vLLM.
const FIRST_CALENDAR_YEAR: u64 = 20;

/// Reads an image tag. `None` when it names no release: `latest`, `nightly`, a date, `25.06-py3`, a commit.
///
/// `0.9` is `None` as well: two numbers are a line of releases, and most facts change within a line.
pub fn parse_tag(tag: &str) -> Option<TagRelease> {
    let start = usize::from(tag.starts_with(['v', 'V']));
    if let Some(found) = leading_release(&tag[start..]) {
        let end = start + found.length;
        let exact = !found.prerelease && is_platform_suffix(&tag[end..]);
        return Some(TagRelease { release: found.release, exact, prerelease: found.prerelease, range: start..end });
    }
    embedded_release(tag)
}

/// A release inside a private tag: `aibrix-kvcache-v0.8.5-20250520`. It must have its `v`, or follow the engine's name,
/// and must not be the version of something else.
fn embedded_release(tag: &str) -> Option<TagRelease> {
    let mut before = "";
    let mut offset = 0;
    for part in tag.split_inclusive(['-', '_', '+']) {
        let word = part.trim_end_matches(['-', '_', '+']);
        let start = offset + usize::from(word.starts_with('v'));
        let named = start > offset || matches!(before, "vllm" | "sglang");
        if named
            && !OTHER_SOFTWARE.contains(&before)
            && let Some(found) = leading_release(&tag[start..offset + word.len()])
        {
            let range = start..start + found.length;
            return Some(TagRelease { release: found.release, exact: false, prerelease: found.prerelease, range });
        }
        before = word;
        offset += part.len();
    }
    None
}

/// Whether what follows the release names only platforms: ``, `-cu128`, `-x86_64`, `-cu129-ubuntu22.04`.
fn is_platform_suffix(rest: &str) -> bool {
    let Some(parts) = rest.strip_prefix('-') else { return rest.is_empty() };
    parts.split('-').all(|part| {
        PLATFORM_SUFFIXES
            .iter()
            .filter_map(|suffix| part.strip_prefix(suffix))
            .any(|number| number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
    })
}

/// A release at the start of a text, and how many bytes it takes.
struct Leading {
    release: Release,
    prerelease: bool,
    length: usize,
}

fn leading_release(text: &str) -> Option<Leading> {
    let mut numbers = Vec::new();
    let mut length = 0;
    while numbers.len() < 4 {
        let from = if numbers.is_empty() { 0 } else { length + 1 };
        if from > 0 && text.as_bytes().get(length) != Some(&b'.') {
            break;
        }
        let Some((number, digits)) = leading_number(text.get(from..)?) else { break };
        numbers.push(number);
        length = from + digits;
    }
    let (&[major, minor, patch], rest) = numbers.split_first_chunk::<3>()?;
    if major >= FIRST_CALENDAR_YEAR {
        return None;
    }
    let mut release = Release::new(major, minor, patch);
    release.micro = rest.first().copied().unwrap_or(0);
    if let Some((post, taken)) = marked_number(&text[length..], &["post"]) {
        release.post = post;
        length += taken;
    }
    let prerelease = marked_number(&text[length..], &["rc", "alpha", "beta", "a", "b", "dev"]);
    length += prerelease.map_or(0, |(_, taken)| taken);
    // `0.9.1foo` and `1.2.3.self`: only a separator may follow, or the text is something else.
    match text.as_bytes().get(length) {
        Some(byte) if byte.is_ascii_alphanumeric() => None,
        _ => Some(Leading { release, prerelease: prerelease.is_some(), length }),
    }
}

/// A decimal number without leading zeros: `06` belongs to a date.
fn leading_number(text: &str) -> Option<(u64, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 1 && text.starts_with('0') {
        return None;
    }
    Some((text[..digits].parse().ok()?, digits))
}

/// `.post1`, `rc1`, `-rc.1`: a marker, perhaps after one separator, and its number. Gives the number and the bytes taken.
fn marked_number(text: &str, markers: &[&str]) -> Option<(u64, usize)> {
    let separator = usize::from(text.starts_with(['.', '-', '_']));
    let rest = &text[separator..];
    // `-a3` and `-b200` are hardware; only `0.9.0a3` is an alpha.
    let marker = markers.iter().find(|marker| rest.starts_with(**marker) && (separator == 0 || marker.len() > 1))?;
    let dot = usize::from(rest[marker.len()..].starts_with('.'));
    let (number, digits) = leading_number(&rest[marker.len() + dot..])?;
    Some((number, separator + marker.len() + dot + digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        text.parse().unwrap()
    }

    fn range(text: &str) -> ReleaseRange {
        text.parse().unwrap()
    }

    #[test]
    fn releases_are_ordered_as_python_orders_them() {
        let ordered = ["0.8.5", "0.8.5.post1", "0.9.0", "0.9.0.1", "0.9.1", "0.10.0", "0.10.1.1", "0.10.2", "0.33.0"];
        for pair in ordered.windows(2) {
            assert!(release(pair[0]) < release(pair[1]), "{} < {}", pair[0], pair[1]);
        }
        for text in ordered {
            assert_eq!(release(text).to_string(), text);
        }
    }

    #[test]
    fn ranges_include_both_ends() {
        assert!(range("0.9.0..=0.11.0").contains(&release("0.9.0")));
        assert!(range("0.9.0..=0.11.0").contains(&release("0.11.0")));
        assert!(!range("0.9.0..=0.11.0").contains(&release("0.11.1")));
        assert!(!range("0.9.1..").contains(&release("0.9.0.1")));
        assert!(range("..=0.8.5.post1").contains(&release("0.6.6")));
        assert!(range("..").contains(&release("0.33.0")));
    }

    #[test]
    fn ranges_that_share_an_end_overlap() {
        assert!(range("0.9.0..=0.11.0").overlaps(&range("0.11.0..")));
        assert!(!range("0.9.0..=0.11.0").overlaps(&range("0.11.1..")));
        assert!(range("..").overlaps(&range("=0.9.0")));
    }

    #[test]
    fn ranges_read_like_sentences() {
        assert_eq!(range("0.9.0..=0.11.0").to_string(), "0.9.0 to 0.11.0");
        assert_eq!(range("0.9.1..").to_string(), "0.9.1 and later");
        assert_eq!(range("..=0.8.5.post1").to_string(), "up to 0.8.5.post1");
        assert_eq!(range("=0.11.0").to_string(), "0.11.0 alone");
        assert_eq!(range("..").to_string(), "every release");
    }

    #[test]
    fn a_range_with_an_exclusive_end_is_refused() {
        assert!("0.9.0..0.11.0".parse::<ReleaseRange>().unwrap_err().contains("..=0.11.0"));
    }

    /// The tag, the release text in it, and whether the tag is certain.
    #[track_caller]
    fn tag_says(tag: &str, text: &str, exact: bool, prerelease: bool) -> Release {
        let found = parse_tag(tag).unwrap_or_else(|| panic!("{tag} names no release"));
        assert_eq!(&tag[found.range.clone()], text, "{tag}");
        assert_eq!((found.exact, found.prerelease), (exact, prerelease), "{tag}");
        found.release
    }

    #[test]
    fn a_tag_that_is_a_release_is_exact() {
        assert_eq!(tag_says("v0.10.1", "0.10.1", true, false), Release::new(0, 10, 1));
        tag_says("0.10.1", "0.10.1", true, false);
        assert_eq!(tag_says("v0.8.5.post1", "0.8.5.post1", true, false), release("0.8.5.post1"));
        assert_eq!(tag_says("v0.9.0.1", "0.9.0.1", true, false), release("0.9.0.1"));
        tag_says("v0.10.1-cu128", "0.10.1", true, false);
        tag_says("v0.11.2-x86_64", "0.11.2", true, false);
        tag_says("v0.13.0-cu130-ubuntu22.04", "0.13.0", true, false);
    }

    #[test]
    fn a_tag_with_other_parts_is_a_private_build() {
        tag_says("v0.10.0-cu128-nixl-v0.4.1-lmcache-0.3.2", "0.10.0", false, false);
        assert_eq!(tag_says("v0.7.3.self.post1", "0.7.3", false, false), release("0.7.3"));
        tag_says("aibrix-kvcache-v0.8.5-20250520", "0.8.5", false, false);
        tag_says("v0.10.2-aibrix-v0.5.0-nixl-0.7.1-20251123", "0.10.2", false, false);
        tag_says("v0.6.1-edb07092-20250118", "0.6.1", false, false);
        tag_says("v0.10.2-20251022", "0.10.2", false, false);
        tag_says("v0.4.9.post3-cu126-nixl-v0.4.1", "0.4.9.post3", false, false);
        tag_says("lmcache-0.3.2-vllm-0.9.1", "0.9.1", false, false);
        tag_says("v0.11.0-a3", "0.11.0", false, false);
    }

    #[test]
    fn a_release_candidate_is_not_its_release() {
        assert_eq!(tag_says("v0.11.0rc1", "0.11.0rc1", false, true), release("0.11.0"));
        tag_says("v0.11.0rc1-a3", "0.11.0rc1", false, true);
        tag_says("v0.7.0-rc.2", "0.7.0-rc.2", false, true);
        tag_says("1.3.0rc8", "1.3.0rc8", false, true);
    }

    #[test]
    fn a_tag_without_a_release_says_nothing() {
        for tag in
            ["latest", "nightly", "25.06-py3", "2025.1.2", "0.9", "v0.7", "20241120", "", "v", "cu128-nixl-v0.4.1"]
        {
            assert_eq!(parse_tag(tag), None, "{tag}");
        }
        for tag in ["nightly-1a2b3c4d", "customized-v1", "v0.9.1foo", "é-v0.9", "latest-nightly", "0.11.01"] {
            assert_eq!(parse_tag(tag), None, "{tag}");
        }
    }
}
