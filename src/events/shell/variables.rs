//! The variables of a script as far as they are certain, and the expansion of words with them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::builder::Builder;
use super::lexer::{Form, Part, RawWord};
use super::{Binding, Bound, Variable, Word, chain};
use crate::k8s::expansion::{Expanded, Place};

/// How many bytes expansions may add in one script (`A=$A$A` doubles each time); later ones are opaque.
const GROWTH: usize = 1 << 20;

/// How many bindings are followed; a script with more has no known variables from there on.
const BINDINGS: usize = 1000;

/// A script with more functions has no known variables.
const FUNCTIONS: usize = 64;

/// What the script and its surroundings have set so far.
pub(super) struct Variables<'t> {
    map: &'t Expanded,
    env: &'t dyn Fn(&str) -> Variable,
    pub bindings: Vec<Binding>,
    /// The latest binding of the chain in effect.
    pub head: Option<usize>,
    /// Whether variables are no longer followed (`eval`, `source`, too many).
    pub lost: bool,
    /// The function whose body is read, by its number.
    pub function: Option<usize>,
    /// What arithmetic sets somewhere: certain nowhere.
    counted: &'t BTreeSet<String>,
    /// Where variables are set in all of the script; from a first reading, if there was one.
    known: Option<&'t Survey>,
    /// The same for this reading.
    pub survey: Survey,
    budget: usize,
}

/// Where a script sets variables: what a function sets, it sets where it is called.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// For each variable, the functions whose bodies set it and `None` for the script outside of them.
    sets: BTreeMap<String, Vec<Option<usize>>>,
    /// How many functions there are.
    pub functions: usize,
}

impl Survey {
    /// Whether a variable is certain nowhere but in this function: another one sets it, whenever that runs.
    fn is_uncertain(&self, name: &str, inside: Option<usize>) -> bool {
        self.sets.get(name).is_some_and(|sets| sets.iter().any(|set| set.is_some() && *set != inside))
    }
}

/// What is known of a variable at one point of the script.
pub(super) enum Resolved {
    Word(Word),
    Text(String),
    Unset,
    Unknown,
}

impl<'t> Variables<'t> {
    pub(super) fn new(
        map: &'t Expanded,
        env: &'t dyn Fn(&str) -> Variable,
        counted: &'t BTreeSet<String>,
        known: Option<&'t Survey>,
    ) -> Self {
        Self {
            map,
            env,
            bindings: Vec::new(),
            head: None,
            lost: known.is_some_and(|known| known.functions > FUNCTIONS),
            function: None,
            counted,
            known,
            survey: Survey::default(),
            budget: GROWTH,
        }
    }

    /// Goes into the body of a function, which runs later: what the script sets in several places, or has not set yet, may be
    /// something else by then.
    pub(super) fn enter_function(&mut self) {
        self.function = Some(self.survey.functions);
        self.survey.functions += 1;
        let Some(known) = self.known.filter(|_| !self.lost) else { return };
        let before: BTreeSet<String> = self.names_since(None);
        for (name, sets) in &known.sets {
            if sets.len() > 1 || !before.contains(name) {
                self.forget(name.clone());
            }
        }
    }

    /// What was bound since `mark` was the head.
    pub(super) fn names_since(&self, mark: Option<usize>) -> BTreeSet<String> {
        // Links lead to earlier bindings only, so a chain that does not meet the mark has passed it by.
        let mut next = self.head;
        let mut names = BTreeSet::new();
        while let Some(at) = next.filter(|at| mark.is_none_or(|mark| *at > mark)) {
            let Some(binding) = self.bindings.get(at) else { break };
            names.insert(binding.name.clone());
            next = binding.previous;
        }
        names
    }

    /// Goes back to the scope in front of a function; what its body set since `start` is no longer certain.
    pub(super) fn leave_function(&mut self, scope: Option<usize>, start: Option<usize>) {
        if self.lost {
            return;
        }
        let exported = |name: &String| {
            chain(&self.bindings, self.head).find(|binding| binding.name == *name).is_some_and(|b| b.exported)
        };
        let set: Vec<(String, bool)> =
            self.names_since(start).into_iter().map(|name| (name.clone(), exported(&name))).collect();
        self.head = scope;
        for (name, exported) in set {
            self.set(name, Bound::Unknown, exported);
        }
    }

    /// What a command does to a variable.
    pub(super) fn bind(&mut self, name: String, value: Bound, exported: bool) {
        if self.lost {
            return;
        }
        let elsewhere = self.known.is_some_and(|known| known.is_uncertain(&name, self.function));
        let uncertain = elsewhere || self.counted.contains(&name);
        self.survey.sets.entry(name.clone()).or_default().push(self.function);
        self.set(name, if uncertain { Bound::Unknown } else { value }, exported);
    }

    /// A variable is no longer certain.
    pub(super) fn forget(&mut self, name: String) {
        if !self.lost {
            self.set(name, Bound::Unknown, false);
        }
    }

    fn set(&mut self, name: String, value: Bound, exported: bool) {
        if self.bindings.len() >= BINDINGS {
            return self.lose();
        }
        // A variable that was exported, or came from outside, stays so.
        let exported = exported
            || match chain(&self.bindings, self.head).find(|binding| binding.name == name) {
                Some(binding) => binding.exported,
                None => matches!((self.env)(&name), Variable::Value(_)),
            };
        self.bindings.push(Binding { name, value, exported, previous: self.head });
        self.head = Some(self.bindings.len() - 1);
    }

    /// Gives up on variables: from here on none is known, and those exported so far are uncertain.
    pub(super) fn lose(&mut self) {
        self.lost = true;
        let exported: BTreeSet<String> = chain(&self.bindings, self.head)
            .filter(|binding| binding.exported)
            .map(|binding| binding.name.clone())
            .collect();
        for name in exported {
            let binding = Binding { name, value: Bound::Unknown, exported: true, previous: self.head };
            self.bindings.push(binding);
            self.head = Some(self.bindings.len() - 1);
        }
    }

    pub(super) fn resolve(&self, name: &str) -> Resolved {
        let elsewhere = self.known.is_some_and(|known| known.is_uncertain(name, self.function));
        if self.lost || elsewhere || self.counted.contains(name) {
            return Resolved::Unknown;
        }
        match chain(&self.bindings, self.head).find(|binding| binding.name == name) {
            Some(Binding { value: Bound::Word(word), .. }) if !word.opaque => Resolved::Word(word.clone()),
            Some(Binding { value: Bound::Unset, .. }) => Resolved::Unset,
            Some(_) => Resolved::Unknown,
            None => match (self.env)(name) {
                Variable::Value(text) => Resolved::Text(text),
                Variable::Unknown | Variable::Absent => Resolved::Unknown,
            },
        }
    }

    /// Pays for text that an expansion adds; false, and nothing left, when there is too much of it.
    pub(super) fn charge(&mut self, length: usize) -> bool {
        let left = self.budget.checked_sub(length);
        self.budget = left.unwrap_or(0);
        left.is_some()
    }

    pub(super) fn expand(&mut self, word: &RawWord, split: bool) -> Vec<Word> {
        let mut builder = Builder::new(self.map, word.range.start);
        self.append(&word.parts, split, &mut builder);
        if split { builder.words(word.range.end) } else { vec![builder.single(word.range.end)] }
    }

    pub(super) fn append(&mut self, parts: &[Part], split: bool, to: &mut Builder<'_>) {
        for part in parts {
            match part {
                Part::Fields(range) if split => to.fields(range.clone()),
                Part::Verbatim(range) | Part::Fields(range) => to.verbatim(range.clone()),
                Part::Decoded { range, text } => {
                    let place = Place { range: self.map.source_range(range.clone()), verbatim: false };
                    to.push(text, place, None);
                }
                Part::Quotes => to.started = true,
                Part::Opaque { range, splits } => to.opaque(range.clone(), split && *splits),
                Part::Variable { range, name, form, quoted } => {
                    self.variable(range, name, form, split && !quoted, to);
                }
            }
        }
    }

    fn variable(&mut self, range: &Range<usize>, name: &str, form: &Form, split: bool, to: &mut Builder<'_>) {
        let value = if self.budget == 0 { Resolved::Unknown } else { self.resolve(name) };
        let length = match &value {
            Resolved::Word(word) => word.text.len(),
            Resolved::Text(text) => text.len(),
            Resolved::Unset | Resolved::Unknown => 0,
        };
        if !self.charge(length) {
            return to.opaque(range.clone(), split);
        }
        let empty = match &value {
            Resolved::Word(word) => word.text.is_empty(),
            Resolved::Text(text) => text.is_empty(),
            Resolved::Unset => true,
            Resolved::Unknown => {
                if let Form::Default { assigns: true, .. } = form {
                    self.bind(name.to_owned(), Bound::Unknown, false);
                }
                return to.opaque(range.clone(), split);
            }
        };
        let counts_as_unset = |or_empty: bool| matches!(value, Resolved::Unset) || (or_empty && empty);
        match form {
            Form::Default { word, or_empty, assigns } if counts_as_unset(*or_empty) => {
                if *assigns {
                    let mut set = Builder::new(self.map, range.start);
                    self.append(word, false, &mut set);
                    self.bind(name.to_owned(), Bound::Word(set.single(range.end)), false);
                }
                return self.append(word, split, to);
            }
            Form::Alternative { or_empty, .. } if counts_as_unset(*or_empty) => return,
            Form::Alternative { word, .. } => return self.append(word, split, to),
            Form::Value | Form::Default { .. } => {}
        }
        let source = self.map.source_range(range.clone());
        let (text, pieces) = match value {
            Resolved::Word(word) => (word.text, word.pieces),
            Resolved::Text(text) => (text, Vec::new()),
            Resolved::Unset | Resolved::Unknown => (String::new(), Vec::new()),
        };
        to.value(&text, &pieces, &source, split);
    }
}
