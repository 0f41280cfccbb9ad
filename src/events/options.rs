//! A command's words as options: which flag each word is, and what it is given.

use crate::facts::Release;
use crate::facts::vllm::cli::{self, DocumentedFlag, Flag, FlagMatch, FlagValue, Role};
use crate::k8s::{Resolved, Text};
use crate::source::Span;

/// What a flag of the command line turned out to be.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// A flag of some release.
    Known {
        /// The flag.
        flag: &'static Flag,
        /// Whether it was shortened.
        abbreviated: bool,
    },
    /// A flag that documents ask for and no release has.
    Documented(&'static DocumentedFlag),
    /// A prefix of several flags.
    Ambiguous,
    /// A flag that the tables don't know; most flags are not about events.
    Other,
}

/// One flag as it was written.
#[derive(Clone, Debug)]
pub struct FlagUse {
    /// The name as written, without `=` and what follows, and without a dotted key.
    pub name: String,
    /// The name's bytes, dotted key included.
    pub name_span: Span,
    /// What it is.
    pub meaning: Meaning,
    /// The key behind the dot in `--kv-events-config.endpoint`.
    pub dotted: Option<Text>,
    /// What it is given.
    pub value: Option<Text>,
    /// Whether the value was written with `=`.
    pub equals: bool,
    /// From the name to the end of the value.
    pub span: Span,
    /// The position of the flag's word in the command.
    pub index: usize,
    /// How many words it takes, itself included.
    pub words: usize,
}

impl FlagUse {
    /// The role, if the flag is known and has one.
    pub fn role(&self) -> Option<Role> {
        match self.meaning {
            Meaning::Known { flag, .. } => flag.role,
            _ => None,
        }
    }
}

/// Splits words into flags and positional words.
pub fn split(words: &[Text], release: Option<&Release>) -> (Vec<FlagUse>, Vec<usize>) {
    let mut flags = Vec::new();
    let mut positional = Vec::new();
    let mut index = 0;
    while index < words.len() {
        let word = &words[index];
        if !is_flag(word) {
            positional.push(index);
            index += 1;
            continue;
        }
        let (written, inline) = match word.value.split_once('=') {
            Some((name, _)) => (name, Some(name.len() + 1)),
            None => (word.value.as_str(), None),
        };
        let (name, dotted) = match written.split_once('.') {
            Some((base, _)) if written.starts_with("--") => (base, Some(word.part(base.len() + 1..written.len()))),
            _ => (written, None),
        };
        let meaning = meaning(name, release);
        let arity = match meaning {
            _ if dotted.is_some() => FlagValue::One,
            Meaning::Known { flag, .. } => flag.value,
            Meaning::Documented(flag) => flag.value,
            Meaning::Ambiguous | Meaning::Other => FlagValue::Optional,
        };
        let mut taken = 1;
        let value = if let Some(start) = inline {
            Some(word.part(start..word.value.len()))
        } else {
            let next = words.get(index + 1).filter(|next| match arity {
                FlagValue::None => false,
                FlagValue::One | FlagValue::Json => !is_flag(next) || next.value.starts_with("-1"),
                FlagValue::Optional | FlagValue::Many => !is_flag(next),
            });
            taken += usize::from(next.is_some());
            if arity == FlagValue::Many {
                while next.is_some() && words.get(index + taken).is_some_and(|w| !is_flag(w)) {
                    taken += 1;
                }
            }
            next.cloned()
        };
        let name_span = word.sub_span(0..written.len());
        let span = value.as_ref().map_or(name_span, |v| name_span.to(v.span()));
        flags.push(FlagUse {
            name: name.to_string(),
            name_span,
            meaning,
            dotted,
            equals: inline.is_some(),
            value,
            span,
            index,
            words: taken,
        });
        index += taken;
    }
    (flags, positional)
}

fn is_flag(text: &Text) -> bool {
    let value = &text.value;
    value.starts_with("--") && value.len() > 2
        || value.starts_with('-') && value[1..].starts_with(|c: char| c.is_ascii_alphabetic())
}

fn meaning(name: &str, release: Option<&Release>) -> Meaning {
    // A flag of a later release is still that flag: the rule about releases says so.
    let found = match cli::resolve(name, release) {
        FlagMatch::None => cli::resolve(name, None),
        found => found,
    };
    match found {
        FlagMatch::Exact(flag) => Meaning::Known { flag, abbreviated: false },
        _ if cli::option_by_flag(name).is_some() => {
            cli::option_by_flag(name).map_or(Meaning::Other, Meaning::Documented)
        }
        FlagMatch::Abbreviation(flag) => Meaning::Known { flag, abbreviated: true },
        FlagMatch::Ambiguous(_) => Meaning::Ambiguous,
        FlagMatch::None => Meaning::Other,
    }
}

/// The uses of a role, in order.
pub fn uses(flags: &[FlagUse], role: Role) -> impl Iterator<Item = &FlagUse> {
    flags.iter().filter(move |f| f.role() == Some(role) && f.dotted.is_none())
}

/// The text that a flag is given: of several uses the last counts. `open` says that unknown words may give it too;
/// `grip` is where it would be added.
pub fn value(flags: &[FlagUse], role: Role, open: bool, grip: Span) -> Resolved<Text> {
    match uses(flags, role).last() {
        Some(FlagUse { value: Some(text), .. }) if !text.opaque => Resolved::Known(text.clone(), text.span()),
        Some(flag) => Resolved::Unknown(flag.span),
        None if open => Resolved::Unknown(grip),
        None => Resolved::Absent(grip),
    }
}
