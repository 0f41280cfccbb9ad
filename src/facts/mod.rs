//! Tables only: what each release accepts and does, with the evidence. Logic lives in the rules.
//!
//! A version number, flag, port, label or variable name stands in the YAML files beside this module and nowhere else.
//! Every row has a `source` (a file and line of a release, or a URL) and a [`Status`], because a finding must be able
//! to show why it believes what it says.

use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub mod aibrix;
pub mod consumers;
pub mod kubernetes;
pub mod kustomize;
pub mod sglang;
pub mod version;
pub mod vllm;
pub mod word;
pub mod workloads;

pub use version::{Release, ReleaseRange, TagRelease, parse_tag};

/// The day on which the facts were measured, for `kvlint --version`.
pub const DATE: &str = "2026-11-21";

/// How a fact is known, from the strongest evidence to the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The release's own code was run and did this.
    Executed,
    /// Seen in the release's source, or in the named schema.
    Read,
    /// A project's own documents, issue or pull request says so; its code was not looked at.
    Documented,
    /// Concluded from read code or from other facts; nothing was started.
    Inferred,
}

/// What happens at run time. Rules choose severity and wording by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Works as the user means it.
    Works,
    /// Works, and the log has a warning.
    WorksWithWarning,
    /// The argument parser refuses it: the container exits with code 2.
    #[serde(rename = "exit_2")]
    Exit2,
    /// An exception or a fatal log line ends the process while it starts.
    Crash,
    /// The process starts and dies later, under traffic.
    CrashUnderLoad,
    /// Nothing reads it and nothing says so.
    Ignored,
    /// Nothing reads it and the log has a warning.
    IgnoredWithWarning,
    /// The process runs, and publishes or receives no event, without an error.
    NoEvents,
    /// As [`Effect::NoEvents`], and the log has a warning.
    NoEventsWithWarning,
    /// The process runs, but loses event batches.
    EventsLost,
    /// The process runs; some other feature is switched off or chosen differently.
    ChangesBehaviour,
}

impl Effect {
    /// Whether the process does not come up, or does not stay up.
    pub fn is_fatal(self) -> bool {
        matches!(self, Effect::Exit2 | Effect::Crash | Effect::CrashUnderLoad)
    }

    /// What happens, for people: a clause to follow a colon.
    pub fn outcome(self) -> &'static str {
        match self {
            Effect::Works => "it works",
            Effect::WorksWithWarning => "it works, with a warning in the log",
            Effect::Exit2 => "the container exits with code 2",
            Effect::Crash => "the process ends while it starts",
            Effect::CrashUnderLoad => "the process ends under load",
            Effect::Ignored => "it is ignored without a word",
            Effect::IgnoredWithWarning => "it is ignored, with a warning in the log",
            Effect::NoEvents => "no event is sent, and nothing is logged",
            Effect::NoEventsWithWarning => "no event is sent, and the log has one warning",
            Effect::EventsLost => "events are lost",
            Effect::ChangesBehaviour => "something else happens than is written",
        }
    }

    /// Whether the process stays up and the log says nothing about it.
    pub fn is_silent(self) -> bool {
        matches!(self, Effect::Ignored | Effect::NoEvents)
    }
}

/// What the releases of one range do in one situation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectRow {
    /// The releases that behave so.
    pub releases: ReleaseRange,
    /// What they do.
    pub effect: Effect,
    /// The same for people: which message, which exception. One sentence without a full stop.
    pub note: Option<String>,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// What a release does, if the rows say it. Rows of one situation never overlap.
pub fn effect_at<'a>(rows: &'a [EffectRow], release: &Release) -> Option<&'a EffectRow> {
    rows.iter().find(|row| row.releases.contains(release))
}

/// The effect that every known release of the rows shares; `None` where they differ or there is no row.
///
/// For an image whose version is not known: what holds for all releases may still be said.
pub fn effect_everywhere(rows: &[EffectRow]) -> Option<Effect> {
    let first = rows.first()?.effect;
    rows.iter().all(|row| row.effect == first).then_some(first)
}

/// A value that holds for a range of releases, such as a default or a list of choices.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueRow {
    /// The releases that have the value.
    pub releases: ReleaseRange,
    /// The value, as a user would write it.
    pub value: String,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// The value that a release has, if the rows say it.
pub fn value_at<'a>(rows: &'a [ValueRow], release: &Release) -> Option<&'a ValueRow> {
    rows.iter().find(|row| row.releases.contains(release))
}

/// A TCP port with its evidence.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// The number.
    pub port: u16,
    /// The evidence.
    pub source: String,
    /// How good the evidence is.
    pub status: Status,
}

/// A key and a value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "nothing to add to the names")]
pub struct Pair {
    pub key: String,
    pub value: String,
}

/// Decodes an embedded table on first use.
macro_rules! table {
    ($name:ident: $type:ty = $file:literal) => {
        static $name: std::sync::LazyLock<$type> = std::sync::LazyLock::new(|| {
            $crate::facts::decode($file, include_str!(concat!(env!("OUT_DIR"), "/facts/", $file, ".json")))
        });
    };
}
pub(crate) use table;

/// Decodes one table. The build script turns the YAML into JSON, which decodes ten times as fast: every run pays for it.
/// A mistake in a table is ours, and each has a test that decodes it, so it may panic.
fn decode<T: DeserializeOwned>(file: &str, text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("src/facts/{file}: {error}"))
}

/// The dates of all tables, for the test that they agree with [`DATE`].
static DATES: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
    vec![
        ("vllm.yaml", vllm::date()),
        ("vllm_cli.yaml", vllm::cli::date()),
        ("vllm_events.yaml", vllm::events::date()),
        ("sglang.yaml", sglang::date()),
        ("aibrix.yaml", aibrix::date()),
        ("workloads.yaml", workloads::date()),
        ("kubernetes.yaml", kubernetes::date()),
        ("consumers.yaml", consumers::date()),
    ]
});

/// Every table decodes and carries a date; the newest of them is what `kvlint --version` prints.
pub fn dates() -> &'static [(&'static str, &'static str)] {
    &DATES
}

#[cfg(test)]
pub(crate) mod check {
    //! What must hold for every table.

    use super::*;

    /// Each range runs forwards and no two of one situation overlap.
    pub fn disjoint<'a>(what: &str, ranges: impl IntoIterator<Item = &'a ReleaseRange>) {
        let ranges: Vec<_> = ranges.into_iter().collect();
        for (index, range) in ranges.iter().enumerate() {
            assert!(range.is_forward(), "{what}: {range} runs backwards");
            for other in &ranges[index + 1..] {
                assert!(!range.overlaps(other), "{what}: {range} and {other} overlap");
            }
        }
    }

    /// Effect rows are disjoint and have a source.
    pub fn effects(what: &str, rows: &[EffectRow]) {
        disjoint(what, rows.iter().map(|row| &row.releases));
        sources(what, rows.iter().map(|row| row.source.as_str()));
    }

    /// Value rows are disjoint and have a source.
    pub fn values(what: &str, rows: &[ValueRow]) {
        disjoint(what, rows.iter().map(|row| &row.releases));
        sources(what, rows.iter().map(|row| row.source.as_str()));
    }

    /// Nobody wrote an empty source.
    pub fn sources<'a>(what: &str, sources: impl IntoIterator<Item = &'a str>) {
        for source in sources {
            assert!(source.trim().len() > 5, "{what}: a row has the source {source:?}");
        }
    }

    /// No name stands in a table twice.
    pub fn unique<'a>(what: &str, names: impl IntoIterator<Item = &'a str>) {
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_unstable();
        for pair in names.windows(2) {
            assert_ne!(pair[0], pair[1], "{what}: twice in the table");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_decodes_and_was_measured_on_the_same_day() {
        for (file, date) in dates() {
            assert_eq!(*date, DATE, "{file}");
        }
    }

    #[test]
    fn an_effect_that_all_rows_share_holds_for_an_unknown_release() {
        let row = |releases: &str, effect| EffectRow {
            releases: releases.parse().unwrap(),
            effect,
            note: None,
            source: "test".into(),
            status: Status::Executed,
        };
        let same = [row("..=0.9.2", Effect::Exit2), row("0.10.0..", Effect::Exit2)];
        let differs = [row("..=0.9.2", Effect::Exit2), row("0.10.0..", Effect::Ignored)];
        assert_eq!(effect_everywhere(&same), Some(Effect::Exit2));
        assert_eq!(effect_everywhere(&differs), None);
        assert_eq!(effect_everywhere(&[]), None);
    }
}
