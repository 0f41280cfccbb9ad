//! Examples in a rule's Markdown.

use std::path::PathBuf;

use kvlint::config::Config;
use kvlint::load::Loaded;

use super::place::{LEFT_OUT, Place, suffix};

/// The bytes that a marker asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which of those on the line, from 1; `None` where they stand there once.
    nth: Option<usize>,
    bytes: String,
}

impl Wanted {
    /// Reads what follows `at `, and gives what is left of the text.
    pub fn parse(text: &str) -> Option<(Wanted, &str)> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let nth = text[..digits].parse().ok();
        let text = match nth {
            Some(n) => text[digits..].strip_prefix(suffix(n))?.strip_prefix(' ')?,
            None => text,
        };
        let ticks = text.bytes().take_while(|b| *b == b'`').count();
        let (fence, text) = text.split_at(ticks);
        let (bytes, rest) = text.split_once(fence).filter(|(bytes, _)| ticks > 0 && !bytes.is_empty())?;
        let bytes = if ticks > 1 { bytes.trim_matches(' ') } else { bytes };
        Some((Wanted { nth, bytes: bytes.to_string() }, rest))
    }

    /// Whether a place is meant.
    pub fn is(&self, place: &Place) -> bool {
        let nth = (place.times > 1).then_some(place.nth);
        let same = match self.bytes.split_once(LEFT_OUT) {
            Some((head, tail)) if place.is_long() => {
                !head.is_empty() && !tail.is_empty() && place.bytes.starts_with(head) && place.bytes.ends_with(tail)
            }
            _ => place.bytes == self.bytes,
        };
        same && nth == self.nth
    }
}

/// What a finding must name.
#[derive(Debug)]
pub struct Marker {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// `error`, `warning`, `info` or `related`.
    pub word: &'static str,
    /// The bytes on that line.
    pub at: Option<Wanted>,
    /// Words of the message.
    pub text: Option<String>,
}

/// One example: files with markers.
#[derive(Debug, Default)]
pub struct Example {
    files: Vec<(String, String)>,
    pub markers: Vec<Marker>,
    pub partial: bool,
    /// Nothing in it can be fixed, though the rule has a fix.
    pub no_fix: bool,
    /// Its fix needs `--unsafe-fixes`, though the rule's other fixes are safe.
    pub unsafe_fix: bool,
}

const CONFIG: &str = "kvlint.yaml";

impl Example {
    /// The manifests, without markers.
    pub fn texts(&self) -> Vec<(PathBuf, String)> {
        self.files.iter().filter(|(n, _)| n != CONFIG).map(|(n, t)| (PathBuf::from(n), t.clone())).collect()
    }

    /// Whether a Helm chart is among the files.
    pub fn has_chart(&self) -> bool {
        self.files.iter().any(|(name, _)| name.rsplit('/').next() == Some("Chart.yaml"))
    }

    /// The configuration, its text added to the sources.
    pub fn config(&self, loaded: &mut Loaded) -> Config {
        match self.files.iter().find(|(n, _)| n == CONFIG) {
            Some((name, text)) => {
                let source = loaded.sources.add(name, text.as_str());
                Config::read(&source)
            }
            None => Config::default(),
        }
    }

    fn add(&mut self, name: &str, text: &str) {
        let mut clean = String::new();
        for (i, mut line) in text.lines().enumerate() {
            let first = self.markers.len();
            while let Some((before, (word, at, text))) = split_marker(line) {
                self.markers.insert(first, Marker { file: name.to_string(), line: i + 1, word, at, text });
                line = before;
            }
            clean.push_str(line);
            clean.push('\n');
        }
        self.files.push((name.to_string(), clean));
    }
}

type Parts = (&'static str, Option<Wanted>, Option<String>);

/// Cuts the last marker off the end of a line.
fn split_marker(line: &str) -> Option<(&str, Parts)> {
    line.rmatch_indices("# ").find_map(|(at, _)| Some((line[..at].trim_end(), marker(&line[at + 2..])?)))
}

/// ``error at `bytes` "text"``, where `at` and the text may be left out.
fn marker(text: &str) -> Option<Parts> {
    let words = ["error", "warning", "info", "related"];
    let (word, rest) = words.into_iter().find_map(|word| Some((word, text.strip_prefix(word)?)))?;
    let (at, rest) = match rest.strip_prefix(" at ") {
        Some(rest) => Wanted::parse(rest).map(|(wanted, rest)| (Some(wanted), rest))?,
        None => (None, rest),
    };
    let rest = rest.trim();
    let text = rest.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    (rest.is_empty() || text.is_some()).then(|| (word, at, text.map(str::to_string)))
}

/// The examples of a section.
pub fn parse(section: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut lines = section.lines();
    let mut joined = false;
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            // Prose between two fences separates examples.
            joined &= line.trim().is_empty();
            continue;
        };
        let words: Vec<&str> = info.split_whitespace().collect();
        let body: Vec<&str> = lines.by_ref().take_while(|l| !l.starts_with("```")).collect();
        let name = words.iter().find_map(|w| w.strip_prefix("file="));
        if !(joined && name.is_some()) {
            examples.push(Example::default());
        }
        let Some(example) = examples.last_mut() else { continue };
        example.partial |= words.contains(&"partial");
        example.no_fix |= words.contains(&"no-fix");
        example.unsafe_fix |= words.contains(&"unsafe-fix");
        example.add(name.unwrap_or("example.yaml"), &(body.join("\n") + "\n"));
        joined = name.is_some();
    }
    examples
}
