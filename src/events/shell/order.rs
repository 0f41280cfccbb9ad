//! Which commands of a script may run at the same time, of which only one runs, and which never do.

use std::ops::Range;

use super::argv::program_index;
use super::{Bound, Command, Script, Word, chain};

/// Of a script with more functions nothing is known.
const FUNCTIONS: usize = 64;

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
    /// What stands behind an `&&` or `||`.
    Perhaps,
    /// It runs several times.
    Loop,
    /// It runs where it is called.
    Function,
    /// It runs once, where it stands: `{ … }`.
    Once,
    /// The same, in a process of its own: `( … )`.
    Subshell,
}

/// Commands that a `&` sends to the background together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Background {
    /// Their positions.
    pub commands: Range<usize>,
    /// The branch that the `&` stands in.
    pub within: Option<usize>,
}

/// `name() { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Function {
    pub name: String,
    /// The name in the input.
    pub range: Range<usize>,
    /// Its branch.
    pub body: usize,
}

/// How two commands of a script stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Only one of them runs, or the one ends before the other starts.
    InTurn,
    /// They run at the same time, if both run.
    Abreast,
    /// It depends on what the script does not tell: on a function, which runs where it is called, on a condition, or on which
    /// process is waited for.
    Unknown,
}

impl Script {
    /// How two commands stand to each other, by their positions.
    pub fn order(&self, one: usize, other: usize) -> Order {
        let (first, second) = (one.min(other), one.max(other));
        let (before, after) = (self.around(self.within(first)), self.around(self.within(second)));
        let called = before.iter().chain(&after).any(|branch| self.is(*branch, BranchKind::Function));
        if called || self.functions.len() > FUNCTIONS {
            return Order::Unknown;
        }
        // A choice may be made otherwise in the next round of a loop.
        let apart = before.iter().filter(|branch| self.is(**branch, BranchKind::Choice)).any(|branch| {
            let compound = self.branches[*branch].compound;
            after.iter().any(|other| other != branch && self.branches[*other].compound == compound)
        });
        let goes_on = self.sent_away(first, second).any(|sent| !self.waits(sent, second));
        let shared = before.iter().filter(|branch| after.contains(branch));
        let again = shared.copied().find(|&round| {
            let mut sent = self.sent_away(first, second).chain(self.sent_away(second, first));
            self.is(round, BranchKind::Loop) && sent.any(|sent| self.outlives(sent, round))
        });
        if again.is_none() && (!goes_on || apart || self.leaves(first, second)) {
            return Order::InTurn;
        }
        let conditional =
            |branch: &usize| matches!(self.branches[*branch].kind, BranchKind::Choice | BranchKind::Perhaps);
        let alone = |these: &[usize], those: &[usize]| these.iter().any(|b| conditional(b) && !those.contains(b));
        let between = |at: usize| match again {
            Some(round) => self.around(self.within(at)).contains(&round),
            None => (first + 1..second).contains(&at),
        };
        let may_end = (0..self.commands.len()).any(|at| self.may_end_another(at) && between(at));
        if may_end || alone(&before, &after) || alone(&after, &before) { Order::Unknown } else { Order::Abreast }
    }

    /// Whether a command may run beside itself: a loop sends it to the background again and again.
    pub fn repeats(&self, command: usize) -> bool {
        let around = self.around(self.within(command));
        let mut rounds = around.iter().filter(|branch| self.is(**branch, BranchKind::Loop));
        let sent = || self.background.iter().filter(|sent| sent.commands.contains(&command));
        rounds.any(|&round| sent().any(|sent| self.outlives(sent, round)))
    }

    /// Whether a command stands in a function that is not seen to be called just once.
    pub fn may_be_called_again(&self, command: usize) -> bool {
        let around = self.around(self.within(command));
        let mut bodies = self.functions.iter().filter(|function| around.contains(&function.body));
        bodies.any(|function| !self.is_called_once(function))
    }

    fn is_called_once(&self, function: &Function) -> bool {
        let names = |command: &Command| command.words.iter().any(|word| word.text.contains(&function.name));
        let mut mentions = self.commands.iter().filter(|command| names(command));
        let (Some(call), None) = (mentions.next(), mentions.next()) else { return false };
        let around = self.around(call.within);
        // In the background, too, it runs once.
        let often = |branch: &usize| matches!(self.branches[*branch].kind, BranchKind::Loop | BranchKind::Function);
        call.words.first().is_some_and(|word| word.text == function.name) && !around.iter().any(often)
    }

    /// The name of a function that hides the program of this name, where the script defines it.
    pub fn definition(&self, program: &str) -> Option<Range<usize>> {
        self.functions.iter().find(|function| function.name == program).map(|function| function.range.clone())
    }

    /// The first command that never runs, because `exec` or `exit` ends the script before it; the number of commands if none
    /// does. A function that stands before it may be called before it.
    pub fn end(&self) -> usize {
        let ends = |(at, command): (usize, &Command)| {
            let alone = command.within.is_none() && !self.background.iter().any(|sent| sent.commands.contains(&at));
            (alone && is_exit(command)).then_some(at + 1)
        };
        self.commands.iter().enumerate().find_map(ends).filter(|_| !self.incomplete).unwrap_or(self.commands.len())
    }

    fn is(&self, branch: usize, kind: BranchKind) -> bool {
        self.branches[branch].kind == kind
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

    /// Whether the branch of the first command ends the script before the second.
    fn leaves(&self, first: usize, second: usize) -> bool {
        let (before, after) = (self.around(self.within(first)), self.around(self.within(second)));
        let mut exits = (first + 1..second).filter(|at| is_exit(&self.commands[*at]));
        exits.any(|at| {
            let up = self.around(self.within(at));
            let up = up.iter().take_while(|branch| !after.contains(branch));
            self.within(at).is_some_and(|branch| before.contains(&branch) && !after.contains(&branch))
                && up.clone().all(|branch| !self.is(*branch, BranchKind::Subshell))
                && self.sent_away(at, second).next().is_none()
        })
    }

    /// Whether a command may wait for what runs in the background, or end it.
    fn may_end_another(&self, at: usize) -> bool {
        let command = &self.commands[at];
        command.signals || command.words.first().is_some_and(|word| self.definition(&word.text).is_some())
    }

    /// Whether what was sent to the background has certainly ended when a command starts.
    fn waits(&self, sent: &Background, command: usize) -> bool {
        let around = self.around(self.within(command));
        let certain = |at: &usize| self.commands[*at].within.is_none_or(|branch| around.contains(&branch));
        let mut waits = (sent.commands.end..command).filter(|at| self.is_wait(*at, sent));
        waits.any(|at| certain(&at))
    }

    /// Whether what was sent to the background in a loop may still run in its next round.
    fn outlives(&self, sent: &Background, round: usize) -> bool {
        let around = self.around(sent.within);
        let inside = || around.iter().take_while(|branch| **branch != round).chain([&round]);
        let certain = |at: &usize| inside().any(|branch| self.commands[*at].within == Some(*branch));
        let rest = sent.commands.end..self.commands.len();
        around.contains(&round) && !rest.filter(|at| self.is_wait(*at, sent)).any(|at| certain(&at))
    }

    /// `wait` for all that runs in the background, or for this: by `$!`, or by a variable that keeps it.
    fn is_wait(&self, at: usize, sent: &Background) -> bool {
        let command = &self.commands[at];
        let Some((wait, processes)) = command.words.split_first() else { return false };
        if wait.text != "wait" || command.piped {
            return false;
        }
        let latest = |until: usize| {
            self.background.iter().all(|other| other.commands.start < sent.commands.end || other.commands.end > until)
        };
        let keeps = |process: &str| {
            let Some(name) = variable(process) else { return false };
            let binding = chain(&self.bindings, command.scope).find(|binding| binding.name == name);
            let is_kept = binding.is_some_and(|b| matches!(&b.value, Bound::Word(word) if word.text == "$!"));
            let sets = |at: &usize| self.commands[*at].assignments.iter().any(|assignment| assignment.name == name);
            is_kept && (sent.commands.end..at).rfind(sets).is_some_and(latest)
        };
        processes.is_empty() || processes.iter().any(|p| if p.text == "$!" { latest(at) } else { keeps(&p.text) })
    }
}

/// Whether these words wait for a process or end it.
pub(super) fn signals(words: &[Word]) -> bool {
    let argv: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let is_signal = |at: usize| matches!(argv.get(at), Some(&("wait" | "fg" | "kill" | "pkill" | "killall")));
    // `tail --pid=$!` ends with the process.
    is_signal(0) || is_signal(program_index(&argv)) || argv.iter().any(|word| word.starts_with("--pid"))
}

/// The name in `$NAME` and `${NAME}`.
fn variable(word: &str) -> Option<&str> {
    let name = word.strip_prefix('$')?;
    Some(name.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(name))
}

/// Whether the shell that runs the command ends with it.
fn is_exit(command: &Command) -> bool {
    let mut words = command.words.iter();
    match words.next().map(|word| word.text.as_str()).filter(|_| !command.piped) {
        Some("exit") => true,
        // Without a program it only redirects, also in `exec {log}>file`.
        Some("exec") => words.next().is_some_and(|word| !word.splits && !word.text.starts_with('{')),
        _ => false,
    }
}
