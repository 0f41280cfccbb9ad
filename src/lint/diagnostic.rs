//! What a rule says: a message, the bytes it is about, and what to do.

use std::fmt;

use super::restrain::not_made;
use crate::edit::{Changes, Edit, Refusal};
use crate::events::Certainty;
use crate::source::Span;

/// How bad a finding is. Ordered: an error is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; never changes the exit code.
    Info,
    /// Events may be lost, or something is not as it seems.
    Warning,
    /// Events will not flow, or the object is refused.
    Error,
}

impl Severity {
    /// The word for output.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A place, and what it has to do with the finding. The text may be empty for a primary place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The bytes.
    pub span: Span,
    /// What is there, to stand under the caret.
    pub text: String,
}

/// Whether a fix may be made without asking. Ordered: what asks for the most is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// It does what the author meant: `--fix` makes it.
    Safe,
    /// It may change what runs: `--unsafe-fixes` makes it.
    Unsafe,
    /// It shows what is meant, and a person has to decide: it is never made.
    Display,
}

impl Applicability {
    /// The word for output.
    pub fn as_str(self) -> &'static str {
        match self {
            Applicability::Safe => "safe",
            Applicability::Unsafe => "unsafe",
            Applicability::Display => "display",
        }
    }

    /// Whether a run that makes fixes up to `limit` makes this one.
    pub fn is_within(self, limit: Applicability) -> bool {
        self <= limit && self != Applicability::Display
    }
}

/// Edits that mend a finding, applied all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the fix does, as an imperative.
    pub title: String,
    /// Whether it may be made without asking.
    pub applicability: Applicability,
    /// The changes, which do not overlap.
    pub edits: Vec<Edit>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule's name.
    pub rule: &'static str,
    /// How bad it is, after configuration.
    pub severity: Severity,
    /// What is wrong in this file, without a final stop.
    pub message: String,
    /// The value to edit.
    pub primary: Label,
    /// Other places that take part; they may lie in other files.
    pub related: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// Evidence, and the releases it holds for.
    pub notes: Vec<String>,
    /// A change that mends it.
    pub fix: Option<Fix>,
    /// Where it was found in rendered text, once `primary` is the place that the text comes from; one for each rendering.
    pub rendered: Vec<Rendered>,
}

/// The places of a finding in rendered text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Of the primary label.
    pub primary: Span,
    /// Of the others.
    pub related: Vec<Span>,
}

impl Diagnostic {
    /// The places that it was found at: the primary one, and those in rendered text.
    pub fn places(&self) -> impl Iterator<Item = Span> {
        std::iter::once(self.primary.span).chain(self.rendered.iter().map(|r| r.primary))
    }
}

/// What to do about a finding; none where nobody knows.
pub struct Advice(Option<String>);

impl From<Option<String>> for Advice {
    fn from(text: Option<String>) -> Advice {
        Advice(text)
    }
}

impl From<String> for Advice {
    fn from(text: String) -> Advice {
        Advice(Some(text))
    }
}

impl From<&str> for Advice {
    fn from(text: &str) -> Advice {
        Advice(Some(text.to_string()))
    }
}

/// A finding under construction; every method gives it back, so that they chain.
pub struct Report<'a> {
    pub(super) diagnostic: &'a mut Diagnostic,
    /// The severity is set by the user, so the rule does not lower it.
    pub(super) contract_documented: bool,
}

impl Report<'_> {
    /// The text under the caret.
    pub fn label(self, text: impl Into<String>) -> Self {
        self.diagnostic.primary.text = text.into();
        self
    }

    /// Another place that takes part.
    pub fn related(self, span: Span, text: impl Into<String>) -> Self {
        self.diagnostic.related.push(Label { span, text: text.into() });
        self
    }

    /// What to do, where it is known.
    pub fn help(self, advice: impl Into<Advice>) -> Self {
        if let Advice(Some(text)) = advice.into() {
            self.diagnostic.help = Some(text);
        }
        self
    }

    /// Evidence, or what will happen at run time.
    pub fn note(self, text: impl Into<String>) -> Self {
        self.diagnostic.notes.push(text.into());
        self
    }

    /// Another severity than the rule's own.
    pub fn severity(self, severity: Severity) -> Self {
        self.diagnostic.severity = severity;
        self
    }

    /// The finding rests on what releases really do, not on what the documents ask for: an error where that is certain, a
    /// warning where the release is not known, information where the user asked for the documented contract alone.
    pub fn observed(self, certainty: Certainty) -> Self {
        self.diagnostic.severity = match certainty {
            _ if self.contract_documented => Severity::Info,
            Certainty::Certain => self.diagnostic.severity,
            Certainty::Likely => self.diagnostic.severity.min(Severity::Warning),
        };
        self
    }

    /// Changes of nodes that mend it. Where the place can't be edited, as by an alias, a template or a merge key in the way, a
    /// note says so, and the help has to do.
    pub fn mend<'t>(
        self,
        title: impl Into<String>,
        applicability: Applicability,
        plan: impl FnOnce(&mut Changes<'t>) -> Result<(), Refusal>,
    ) -> Self {
        let mut changes = Changes::new();
        match plan(&mut changes).and_then(|()| changes.finish()) {
            Ok(edits) if edits.is_empty() => self,
            Ok(edits) => self.fix(title, applicability, edits),
            Err(refusal) => self.note(not_made(&refusal.reason)),
        }
    }

    /// Edits that mend it.
    pub fn fix(self, title: impl Into<String>, applicability: Applicability, edits: Vec<Edit>) -> Self {
        self.diagnostic.fix = Some(Fix { title: title.into(), applicability, edits });
        self
    }
}
