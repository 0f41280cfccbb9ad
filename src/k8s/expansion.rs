//! The kubelet's own `$(NAME)` expansion, which happens to `command` and `args` before any shell reads them.
//!
//! The replacement is textual: a value with a quote in it changes how the shell reads what follows. So the whole
//! text is expanded first and every byte remembers where in the input it came from.
//! Rules: k8s.io/kubernetes `third_party/forked/golang/expansion/expand.go`.

use std::ops::Range;

/// What is known of a variable from outside of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// It has this value.
    Value(String),
    /// It is set, and the manifest does not tell to what (`valueFrom`, `envFrom`).
    Unknown,
    /// The manifest does not set it. The kubelet leaves `$(NAME)` alone then; to the shell it is unknown, since an
    /// image may set it.
    Absent,
}

/// How much text references may add to the words of a command line, or to the values of an environment; later ones stay unresolved.
/// A hostile manifest could otherwise multiply a large value by a large number of references.
pub(crate) const GROWTH: usize = 1 << 20;

/// A text after the kubelet's expansion, with a way back to the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    text: String,
    runs: Vec<Run>,
}

/// A stretch of expanded text with one origin. Runs lie end to end, and so do their sources.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    at: Range<usize>,
    source: Range<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Byte for byte the input.
    Verbatim,
    /// Put there in place of a reference (or of `$$`).
    Value,
    /// A reference to a variable whose value is not known; the run holds the reference itself.
    Unknown,
}

/// Where some text stands in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub range: Range<usize>,
    /// Whether the input has the very same bytes there, so that an offset in one is an offset in the other.
    pub verbatim: bool,
}

/// Expands `$(NAME)` in one element of `command` or `args` as the kubelet does: `$$` becomes `$`, a variable that is
/// [`Variable::Absent`] is left as it is written, and nothing is expanded twice.
pub fn expand(input: &str, lookup: impl Fn(&str) -> Variable) -> Expanded {
    expand_within(input, &mut GROWTH.clone(), lookup)
}

/// As [`expand`], where several inputs share what references may add: it is taken from `budget`, and once there is too little left,
/// nothing is, and every later reference is unknown.
pub(crate) fn expand_within(input: &str, budget: &mut usize, lookup: impl Fn(&str) -> Variable) -> Expanded {
    let mut expanded = Expanded { text: String::with_capacity(input.len()), runs: Vec::new() };
    let mut rest = 0;
    let mut from = 0;
    while let Some(dollar) = input.get(from..).and_then(|tail| tail.find('$')).map(|at| from + at) {
        let after = input.get(dollar + 1..).unwrap_or("");
        if after.starts_with('$') {
            from = dollar + 2;
            expanded.verbatim(input, rest..dollar);
            expanded.push("$", dollar..from, Kind::Value);
            rest = from;
        } else if let Some(inside) = after.strip_prefix('(') {
            // Without a closing parenthesis here there is none for any later reference either.
            let Some(length) = inside.find(')') else { break };
            from = dollar + 2 + length + 1;
            // Looking a large value up costs its length, too.
            let spent = *budget == 0;
            let variable = inside.get(..length).filter(|_| !spent).map(&lookup);
            let (kind, value) = match variable.unwrap_or(if spent { Variable::Unknown } else { Variable::Absent }) {
                Variable::Absent => continue,
                Variable::Value(value) => match budget.checked_sub(value.len()) {
                    Some(left) => {
                        *budget = left;
                        (Kind::Value, value)
                    }
                    None => {
                        *budget = 0;
                        (Kind::Unknown, input.get(dollar..from).unwrap_or("").to_owned())
                    }
                },
                Variable::Unknown => (Kind::Unknown, input.get(dollar..from).unwrap_or("").to_owned()),
            };
            expanded.verbatim(input, rest..dollar);
            expanded.push(&value, dollar..from, kind);
            rest = from;
        } else {
            from = dollar + 1;
        }
    }
    expanded.verbatim(input, rest..input.len());
    expanded
}

impl Expanded {
    /// The input as it stands, for text that the kubelet does not expand.
    pub(crate) fn unchanged(input: &str) -> Self {
        let mut expanded = Self { text: String::with_capacity(input.len()), runs: Vec::new() };
        expanded.verbatim(input, 0..input.len());
        expanded
    }

    /// What the container's process is given; an unknown reference stands in it as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The stretches that stand in the input byte for byte: offset in the text, offset in the input, length.
    pub fn pieces(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        let verbatim = self.runs.iter().filter(|run| run.kind == Kind::Verbatim);
        verbatim.map(|run| (run.at.start, run.source.start, run.at.len()))
    }

    /// Whether a part of `range` of the text is a reference whose value is not known.
    pub fn is_unknown(&self, range: Range<usize>) -> bool {
        let first = self.runs.partition_point(|run| run.at.end <= range.start);
        self.runs
            .iter()
            .skip(first)
            .take_while(|run| run.at.start < range.end)
            .any(|run| run.kind == Kind::Unknown && !run.at.is_empty())
    }

    /// The range of the input that a range of the text came from; a substituted value comes from its reference.
    pub fn source_range(&self, range: Range<usize>) -> Range<usize> {
        let start = self.source_start(range.start);
        if range.is_empty() {
            return start..start;
        }
        let last = self.runs.partition_point(|run| run.at.start < range.end).checked_sub(1);
        let end = last.and_then(|last| self.runs.get(last)).map_or(start, |run| match run.kind {
            Kind::Verbatim => run.source.start + (range.end.min(run.at.end) - run.at.start),
            Kind::Value | Kind::Unknown => run.source.end,
        });
        start..end.max(start)
    }

    fn source_start(&self, at: usize) -> usize {
        let run = self.runs.get(self.runs.partition_point(|run| run.at.end <= at));
        match run {
            Some(run) if run.kind == Kind::Verbatim => run.source.start + (at.max(run.at.start) - run.at.start),
            Some(run) => run.source.start,
            None => self.runs.last().map_or(0, |run| run.source.end),
        }
    }

    /// The stretches of `range`, each with its place in the input.
    pub(crate) fn stretches(&self, range: Range<usize>) -> impl Iterator<Item = (Range<usize>, Place)> {
        let first = self.runs.partition_point(|run| run.at.end <= range.start);
        let end = range.end;
        self.runs.iter().skip(first).take_while(move |run| run.at.start < end).filter_map(move |run| {
            let at = run.at.start.max(range.start)..run.at.end.min(range.end);
            let verbatim = run.kind == Kind::Verbatim;
            let source = match run.kind {
                Kind::Verbatim => {
                    run.source.start + (at.start - run.at.start)..run.source.start + (at.end - run.at.start)
                }
                Kind::Value | Kind::Unknown => run.source.clone(),
            };
            (!at.is_empty()).then_some((at, Place { range: source, verbatim }))
        })
    }

    /// The end of the unknown reference that starts at `at`, if one does.
    pub(crate) fn unknown_end(&self, at: usize) -> Option<usize> {
        let run = self.runs.get(self.runs.partition_point(|run| run.at.end <= at))?;
        (run.kind == Kind::Unknown && run.at.start == at).then_some(run.at.end)
    }

    fn verbatim(&mut self, input: &str, source: Range<usize>) {
        if let Some(text) = input.get(source.clone()).filter(|text| !text.is_empty()) {
            self.push(text, source, Kind::Verbatim);
        }
    }

    fn push(&mut self, text: &str, source: Range<usize>, kind: Kind) {
        let start = self.text.len();
        self.text.push_str(text);
        self.runs.push(Run { at: start..self.text.len(), source, kind });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Variable {
        match name {
            "PORT" => Variable::Value("5557".into()),
            "EMPTY" => Variable::Value(String::new()),
            "POD_IP" => Variable::Unknown,
            _ => Variable::Absent,
        }
    }

    #[test]
    fn references_to_the_containers_variables_are_replaced_and_others_stay() {
        for (input, text) in [
            ("tcp://*:$(PORT)", "tcp://*:5557"),
            ("$(PORT)$(EMPTY)$(PORT)", "55575557"),
            ("$$(PORT)", "$(PORT)"),
            ("$$$(PORT)", "$5557"),
            ("$(nproc) $PORT ${PORT}", "$(nproc) $PORT ${PORT}"),
            ("$(POD_IP):$(PORT)", "$(POD_IP):5557"),
            ("$(PORT", "$(PORT"),
            ("$(echo $(PORT))", "$(echo $(PORT))"),
            ("$", "$"),
            ("", ""),
        ] {
            assert_eq!(expand(input, env).text(), text, "{input}");
        }
    }

    #[test]
    fn every_byte_leads_back_to_the_input() {
        let input = "é $(PORT) x";
        let expanded = expand(input, env);
        let at = expanded.text().find("55").unwrap_or_default();
        assert_eq!(&input[expanded.source_range(at..at + 1)], "$(PORT)");
        assert_eq!(&input[expanded.source_range(at + 5..at + 6)], "x");
        assert_eq!(&input[expanded.source_range(0..expanded.text().len())], input);
    }

    #[test]
    fn unknown_references_are_told_apart_from_text() {
        let expanded = expand("tcp://$(POD_IP):$(PORT)", env);
        assert!(expanded.is_unknown(0..expanded.text().len()));
        assert!(!expanded.is_unknown(0..6));
    }

    #[test]
    fn a_value_cannot_be_multiplied_without_end() {
        let big = "v".repeat(1 << 16);
        let input = "$(A)".repeat(1000);
        let expanded = expand(&input, |_| Variable::Value(big.clone()));
        assert!(expanded.text().len() <= input.len() * 2 + GROWTH);
    }
}
