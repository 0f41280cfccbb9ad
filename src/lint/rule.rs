//! The registry of rules, written by the build script from the pairs in `rules/`.

use super::context::{ResourceContext, RunContext, UnitContext};
use super::diagnostic::Severity;
use crate::config::Contract;

/// What part of the chain from engine to gateway a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The engine's options.
    Publisher,
    /// Container ports.
    Ports,
    /// How the gateway finds the pod.
    Discovery,
    /// NetworkPolicies between gateway and engines.
    Network,
    /// Releases that must understand each other.
    Version,
    /// Services in front of engines.
    Service,
    /// The gateway's settings.
    Gateway,
    /// Autoscalers.
    Autoscaling,
    /// The manifest itself.
    Manifest,
    /// kvlint's own configuration and comments.
    Kvlint,
}

impl Group {
    /// The word for output.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Publisher => "publisher",
            Group::Ports => "ports",
            Group::Discovery => "discovery",
            Group::Network => "network",
            Group::Version => "version",
            Group::Service => "service",
            Group::Gateway => "gateway",
            Group::Autoscaling => "autoscaling",
            Group::Manifest => "manifest",
            Group::Kvlint => "kvlint",
        }
    }
}

/// Whether a rule can mend what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixKind {
    /// It can't.
    None,
    /// Without asking.
    Safe,
    /// With `--unsafe-fixes`.
    Unsafe,
}

impl FixKind {
    /// The word for output.
    pub fn as_str(self) -> &'static str {
        match self {
            FixKind::None => "none",
            FixKind::Safe => "safe",
            FixKind::Unsafe => "unsafe",
        }
    }
}

/// A step of events on their way from an engine to a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HopKind {
    /// The engine is told to publish, and starts with what it is told.
    Published,
    /// It listens where it can be reached.
    Bound,
    /// Its port is the one that is dialled, and it is listed.
    Exposed,
    /// The subscriber finds the pod and wants its events.
    Discovered,
    /// NetworkPolicies let the connection through.
    Allowed,
    /// The subscriber understands what this release sends.
    Decodable,
    /// Both hash blocks of the same size.
    BlockSize,
}

impl HopKind {
    /// Every hop, in the order in which events pass.
    pub const ALL: [HopKind; 7] = [
        HopKind::Published,
        HopKind::Bound,
        HopKind::Exposed,
        HopKind::Discovered,
        HopKind::Allowed,
        HopKind::Decodable,
        HopKind::BlockSize,
    ];

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            HopKind::Published => "published",
            HopKind::Bound => "bound",
            HopKind::Exposed => "exposed",
            HopKind::Discovered => "discovered",
            HopKind::Allowed => "allowed",
            HopKind::Decodable => "decodable",
            HopKind::BlockSize => "block size",
        }
    }

    /// The word for machines.
    pub fn key(self) -> &'static str {
        match self {
            HopKind::BlockSize => "block_size",
            other => other.as_str(),
        }
    }
}

/// What a rule looks at in one call.
#[derive(Clone, Copy)]
pub enum Check {
    /// A unit and the model made of it.
    Unit(fn(&mut UnitContext<'_>)),
    /// One object; calls run in parallel.
    Resource(fn(&mut ResourceContext<'_>)),
    /// The whole run, after all other rules: configuration and suppressions.
    Run(fn(&mut RunContext<'_>)),
}

/// A rule: its text and its check.
pub struct Rule {
    /// Its name, which is the problem's.
    pub name: &'static str,
    /// The problem in one line.
    pub summary: &'static str,
    /// What it is about.
    pub group: Group,
    /// How bad it is unless a finding says otherwise.
    pub severity: Severity,
    /// Whether it concludes from absence, and so is silent on partial units.
    pub needs_complete: bool,
    /// Whether it can mend.
    pub fix: FixKind,
    /// What it rests on.
    pub contract: Contract,
    /// The hop that events don't pass, or may not, where it finds something.
    pub breaks: Option<HopKind>,
    /// The hop that events pass, whatever it asks for there.
    pub noted_at: Option<HopKind>,
    /// The kvlint release that brought it.
    pub since: &'static str,
    /// The whole Markdown, front matter included.
    pub text: &'static str,
    /// The check.
    pub check: Check,
}

impl Rule {
    /// The Markdown without its front matter.
    pub fn body(&self) -> &'static str {
        self.text.splitn(3, "---\n").nth(2).unwrap_or(self.text).trim_start()
    }

    /// The text of a `## heading` section, without the heading; empty when there is none.
    pub fn section(&self, heading: &str) -> &'static str {
        let mut inside = false;
        let mut fence = false;
        let (mut start, mut end) = (0, 0);
        let mut at = 0;
        for line in self.body().split_inclusive('\n') {
            at += line.len();
            if line.starts_with("```") {
                fence = !fence;
            } else if !fence && let Some(title) = line.strip_prefix("## ") {
                if inside {
                    break;
                }
                if title.trim() == heading {
                    inside = true;
                    start = at;
                }
            }
            if inside {
                end = at;
            }
        }
        self.body()[start..end.max(start)].trim()
    }
}

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The rule with this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    RULES.binary_search_by(|rule| rule.name.cmp(name)).ok().map(|i| &RULES[i])
}
