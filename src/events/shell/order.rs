//! Which commands of a script may run at the same time, and of which only one runs.

use std::ops::Range;

use super::{Command, Script};

/// A branch of a compound command, in which commands stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Branch {
    /// The branch that the compound command stands in.
    pub above: Option<usize>,
    /// The compound command, by the first of its branches.
    pub compound: usize,
    /// What the compound command does with its branches.
    pub kind: BranchKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BranchKind {
    /// One of them runs: `if`, `case`.
    Choice,
    /// It runs several times.
    Loop,
    /// It runs where it is called.
    Function,
    /// It runs once, where it stands: `{ … }`, `( … )`.
    Once,
}

/// Commands that a `&` sends to the background together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Background {
    /// Their positions.
    pub commands: Range<usize>,
    /// The branch that the `&` stands in.
    pub within: Option<usize>,
}

/// How two commands of a script stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Only one of them runs, or the one ends before the other starts.
    InTurn,
    /// They may run at the same time.
    Abreast,
    /// One of them stands in a function, which runs where it is called.
    Unknown,
}

impl Script {
    /// How two commands stand to each other, by their positions.
    pub fn order(&self, one: usize, other: usize) -> Order {
        let (first, second) = (one.min(other), one.max(other));
        let (before, after) = (self.around(self.within(first)), self.around(self.within(second)));
        let is = |kind: BranchKind| move |&&branch: &&usize| self.branches[branch].kind == kind;
        if before.iter().chain(&after).any(|branch| is(BranchKind::Function)(&branch)) {
            return Order::Unknown;
        }
        // A choice may be made otherwise in the next round of a loop.
        let apart = before.iter().filter(is(BranchKind::Choice)).any(|branch| {
            let compound = self.branches[*branch].compound;
            after.iter().any(|other| other != branch && self.branches[*other].compound == compound)
        });
        let goes_on = self.sent_away(first, second).any(|sent| !self.waits(sent, second));
        let shared = before.iter().filter(|branch| after.contains(branch));
        let again = shared.filter(is(BranchKind::Loop)).any(|&round| {
            let mut sent = self.sent_away(first, second).chain(self.sent_away(second, first));
            sent.any(|sent| self.outlives(sent, round))
        });
        if again || goes_on && !apart { Order::Abreast } else { Order::InTurn }
    }

    /// Whether a command may run beside itself: a loop sends it to the background again and again.
    pub fn repeats(&self, command: usize) -> bool {
        let around = self.around(self.within(command));
        let mut rounds = around.iter().filter(|branch| self.branches[**branch].kind == BranchKind::Loop);
        let sent = || self.background.iter().filter(|sent| sent.commands.contains(&command));
        rounds.any(|&round| sent().any(|sent| self.outlives(sent, round)))
    }

    fn within(&self, command: usize) -> Option<usize> {
        self.commands.get(command).and_then(|c| c.within)
    }

    /// A branch and those around it, the innermost first.
    fn around(&self, branch: Option<usize>) -> Vec<usize> {
        std::iter::successors(branch, |&branch| self.branches.get(branch)?.above).collect()
    }

    /// What is sent to the background with one command and without the other.
    fn sent_away(&self, with: usize, without: usize) -> impl Iterator<Item = &Background> {
        let parts = move |sent: &&Background| sent.commands.contains(&with) && !sent.commands.contains(&without);
        self.background.iter().filter(parts)
    }

    /// Whether what was sent to the background has certainly ended when a command starts.
    fn waits(&self, sent: &Background, command: usize) -> bool {
        let around = self.around(self.within(command));
        let certain = |c: &Command| is_wait(c) && c.within.is_none_or(|branch| around.contains(&branch));
        self.commands.get(sent.commands.end..command).unwrap_or_default().iter().any(certain)
    }

    /// Whether what was sent to the background in a loop may still run in its next round.
    fn outlives(&self, sent: &Background, round: usize) -> bool {
        let around = self.around(sent.within);
        let certain = |c: &Command| {
            is_wait(c)
                && around.iter().take_while(|branch| **branch != round).chain([&round]).any(|b| c.within == Some(*b))
        };
        around.contains(&round) && !self.commands.get(sent.commands.end..).unwrap_or_default().iter().any(certain)
    }
}

/// `wait` for all that runs in the background, or for the latest.
fn is_wait(command: &Command) -> bool {
    match command.words.as_slice() {
        [wait] => wait.text == "wait",
        [wait, process] => wait.text == "wait" && process.text == "$!",
        _ => false,
    }
}
