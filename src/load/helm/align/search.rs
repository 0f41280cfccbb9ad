//! The cheapest ways through a template's graph that print a given document.
//!
//! Text of the template costs nothing, text in a hole costs as much as it is long: the fewer bytes are left to
//! coincidence, the better the explanation. Costs are summed from both ends, so that for every byte the best way can be
//! compared with the best way that explains the byte by something else. The difference is what the confidence rests on.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::output::Shape;
use super::program::{Hole, Id, Op, Program};

/// What a byte in a hole costs; blanks cost less, for they carry less.
const BYTE: u32 = 4;
const BLANK: u32 = 1;
/// A hole that prints nothing.
const EMPTY: u32 = 6;
/// A line break in a hole that is meant for lines, and in one that is not.
const LINE_OF_LINES: u32 = 4;
const LINE_OF_WORD: u32 = 16;
/// A document that starts or ends within a hole.
const SEPARATOR_IN_HOLE: u32 = 600;
/// Leaving out a text of the template, and a line of the document; only where there is no other way.
const SKIP: u32 = 20;
/// Ways that are so much worse than the best are given up.
const BEAM: u32 = 1600;
/// A bound on time and memory: about 100 bytes for each.
const MAX_STATES: usize = 1_000_000;

/// An edge that prints bytes of the document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Printed {
    /// The bytes, as offsets into the document.
    pub start: u32,
    pub end: u32,
    /// The node that prints them; `None` for a line that no node prints.
    pub node: Option<Id>,
}

/// What was found out about a document.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// The best way, in the order of the document. Empty when there is none.
    pub best: Vec<Printed>,
    /// Every byte-printing step of any good way, with what its best whole way costs more than the best of all.
    pub steps: Vec<(Printed, u32)>,
    /// Texts had to be left out: the document is not exactly what the template prints.
    pub relaxed: bool,
}

/// Finds the ways that print a document. It must not start or end with blanks, as Helm's documents don't.
pub(super) fn ways(program: &Program<'_>, first: &[ByteSet], document: &str) -> Ways {
    for relaxed in [false, true] {
        let mut search = Search::new(program, first, document, relaxed);
        if let Some(ways) = search.run() {
            return ways;
        }
        // More freedom would not take less.
        if search.states.len() > MAX_STATES {
            break;
        }
    }
    Ways::default()
}

/// A set of bytes, and whether nothing need be printed before the end of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// The bytes of both.
    fn with(mut self, other: ByteSet) -> ByteSet {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine |= theirs);
        self
    }
}

/// For each node the bytes that can be printed first from there.
pub(super) fn first_bytes(program: &Program<'_>) -> Vec<ByteSet> {
    let own = |op: &Op<'_>| {
        let mut set = ByteSet::default();
        match op {
            Op::Text(text, _) => text.bytes().take(1).for_each(|byte| set.insert(byte)),
            Op::Newline(..) => set.insert(b'\n'),
            Op::Hole(Hole { shape, .. }, _) => {
                (0..=255).filter(|&byte| shape.accepts(byte)).for_each(|byte| set.insert(byte));
                if shape.breaks() {
                    set.insert(b'\n');
                }
            }
            Op::Jump(_) | Op::Break(_) | Op::Stop => {}
        }
        set
    };
    let mut sets: Vec<ByteSet> = program.ops.iter().map(own).collect();
    loop {
        let mut changed = false;
        // Nodes are made from the end of the template, so that most see their successors at once.
        for (i, op) in program.ops.iter().enumerate() {
            let after = |id: &Id| sets.get(*id as usize).copied().unwrap_or_default();
            let next = match op {
                Op::Jump(ways) => ways.iter().map(after).reduce(ByteSet::with),
                // It may be empty.
                Op::Hole(_, next) => Some(after(next)),
                Op::Text(..) | Op::Newline(..) | Op::Break(_) | Op::Stop => None,
            };
            if let Some((set, next)) = sets.get_mut(i).zip(next) {
                changed |= set.with(next) != *set;
                *set = set.with(next);
            }
        }
        if !changed {
            return sets;
        }
    }
}

/// A node at a place of the document.
#[derive(Clone, Copy, Debug)]
struct State {
    /// Twice the node's index; one more within a hole.
    key: u32,
    pos: u32,
    /// Cost from the start.
    cost: u32,
    /// The edge of the best way to here.
    parent: u32,
    expanded: bool,
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    from: u32,
    to: u32,
    cost: u32,
    /// What is printed, from the position of `from` on; nothing when both ends are the same.
    start: u32,
    end: u32,
    /// Whether it is the node of `from` that prints it.
    known: bool,
}

const NONE: u32 = u32::MAX;

struct Search<'p, 't> {
    program: &'p Program<'t>,
    first: &'p [ByteSet],
    text: &'p [u8],
    relaxed: bool,
    states: Vec<State>,
    edges: Vec<Edge>,
    index: HashMap<(u32, u32), u32>,
    heap: BinaryHeap<Reverse<(u32, u32, u32)>>,
}

/// The key of the state in which the document is printed.
const ACCEPT: u32 = u32::MAX;

impl<'p, 't> Search<'p, 't> {
    fn new(program: &'p Program<'t>, first: &'p [ByteSet], document: &'p str, relaxed: bool) -> Search<'p, 't> {
        Search {
            program,
            first,
            text: document.as_bytes(),
            relaxed,
            states: Vec::new(),
            edges: Vec::new(),
            index: HashMap::new(),
            heap: BinaryHeap::new(),
        }
    }

    fn len(&self) -> u32 {
        self.text.len() as u32
    }

    fn byte(&self, pos: u32) -> Option<u8> {
        self.text.get(pos as usize).copied()
    }

    fn seed(&mut self, node: Id, run: bool, cost: u32) {
        let id = self.state(2 * node + u32::from(run), 0);
        self.reach(id, cost, NONE);
    }

    fn state(&mut self, key: u32, pos: u32) -> u32 {
        let next = self.states.len() as u32;
        let id = *self.index.entry((pos, key)).or_insert(next);
        if id == next {
            self.states.push(State { key, pos, cost: u32::MAX, parent: NONE, expanded: false });
        }
        id
    }

    fn reach(&mut self, id: u32, cost: u32, parent: u32) {
        let Some(state) = self.states.get_mut(id as usize) else { return };
        if cost < state.cost {
            state.cost = cost;
            state.parent = parent;
            self.heap.push(Reverse((state.pos, cost, id)));
        }
    }

    /// Adds an edge that prints the bytes up to `end`.
    fn edge(&mut self, from: u32, key: u32, end: u32, cost: u32, known: bool) {
        let Some(&State { pos, cost: before, .. }) = self.states.get(from as usize) else { return };
        let to = self.state(key, end);
        self.edges.push(Edge { from, to, cost, start: pos, end, known });
        self.reach(to, before.saturating_add(cost), self.edges.len() as u32 - 1);
    }

    fn run(&mut self) -> Option<Ways> {
        if self.text.is_empty() {
            return None;
        }
        self.seed(self.program.entry, false, 0);
        for (node, op) in self.program.ops.iter().enumerate() {
            match op {
                Op::Break(next) => self.seed(*next, false, 0),
                Op::Hole(Hole { shape: Shape::Lines, .. }, _) => self.seed(node as Id, true, SEPARATOR_IN_HOLE),
                _ => {}
            }
        }
        let mut place = (NONE, 0);
        while let Some(Reverse((pos, cost, id))) = self.heap.pop() {
            if place.0 != pos {
                place = (pos, cost);
            }
            let Some(state) = self.states.get_mut(id as usize) else { continue };
            if state.expanded || cost > place.1.saturating_add(BEAM) {
                continue;
            }
            state.expanded = true;
            let key = state.key;
            if key != ACCEPT {
                self.expand(id, key, pos);
            }
            if self.states.len() > MAX_STATES {
                return None;
            }
        }
        let end = *self.index.get(&(self.len(), ACCEPT))?;
        Some(self.collect(end))
    }

    fn expand(&mut self, id: u32, key: u32, pos: u32) {
        let program = self.program;
        let Some(op) = program.ops.get(key as usize / 2) else { return };
        let at_end = pos == self.len();
        if self.relaxed && !at_end {
            self.skip_line(id, key, pos);
        }
        match op {
            Op::Jump(ways) => ways.iter().for_each(|way| self.edge(id, 2 * way, pos, 0, false)),
            Op::Text(text, next) => self.literal(id, pos, text, *next),
            Op::Newline(pad, next) => self.newline(id, pos, *pad, *next),
            Op::Hole(hole, next) if key.is_multiple_of(2) => {
                self.fill(id, key + 1, pos, *hole);
                if self.can_follow(*next, pos) {
                    self.edge(id, 2 * next, pos, EMPTY, false);
                }
            }
            Op::Hole(hole, next) => {
                self.fill(id, key, pos, *hole);
                if self.can_follow(*next, pos) {
                    self.edge(id, 2 * next, pos, 0, false);
                }
                if at_end && hole.shape == Shape::Lines {
                    self.edge(id, ACCEPT, pos, SEPARATOR_IN_HOLE, false);
                }
            }
            Op::Break(_) | Op::Stop => {
                if at_end {
                    self.edge(id, ACCEPT, pos, 0, false);
                }
            }
        }
    }

    /// Whether what a node prints first stands at a place. At the ends of a document blanks are missing.
    fn can_follow(&self, node: Id, pos: u32) -> bool {
        let Some(byte) = self.byte(pos).filter(|_| pos > 0) else { return true };
        self.first.get(node as usize).is_some_and(|set| set.contains(byte)) || (self.relaxed && byte == b'\n')
    }

    fn literal(&mut self, id: u32, pos: u32, text: &str, next: Id) {
        let rest = self.text.get(pos as usize..).unwrap_or_default();
        if rest.starts_with(text.as_bytes()) {
            self.edge(id, 2 * next, pos + text.len() as u32, 0, true);
            return;
        }
        // Helm takes away the blanks at both ends of a document.
        let mut short = text;
        if pos == 0 {
            short = short.trim_start();
        }
        if rest.len() < text.len() {
            short = short.trim_end();
        }
        if short.len() < text.len() && rest.starts_with(short.as_bytes()) {
            let end = pos + short.len() as u32;
            if pos == 0 || end == self.len() {
                self.edge(id, 2 * next, end, 0, true);
                return;
            }
        }
        if self.relaxed {
            let cost = SKIP + text.bytes().map(cost_of).sum::<u32>();
            self.edge(id, 2 * next, pos, cost, false);
        }
    }

    fn newline(&mut self, id: u32, pos: u32, pad: usize, next: Id) {
        if pos == 0 || pos == self.len() {
            self.edge(id, 2 * next, pos, 0, false);
        }
        if let Some(end) = self.break_at(pos, pad) {
            self.edge(id, 2 * next, end, 0, true);
        } else if self.relaxed && pos > 0 {
            self.edge(id, 2 * next, pos, 2 * BYTE, false);
        }
    }

    /// The place behind a line break and the blanks that must follow it.
    fn break_at(&self, pos: u32, pad: usize) -> Option<u32> {
        let rest = self.text.get(pos as usize..)?.strip_prefix(b"\n")?;
        let blanks = rest.iter().take(pad).take_while(|&&b| b == b' ').count();
        let end = pos as usize + 1 + blanks;
        (blanks == pad || end == self.text.len()).then_some(end as u32)
    }

    /// One more byte of a hole.
    fn fill(&mut self, id: u32, run: u32, pos: u32, hole: Hole) {
        let Some(byte) = self.byte(pos) else { return };
        let Hole { shape, pad } = hole;
        if byte == b'\n' {
            if let Some(end) = self.break_at(pos, pad).filter(|_| shape.breaks()) {
                let cost = if shape == Shape::Lines { LINE_OF_LINES } else { LINE_OF_WORD };
                self.edge(id, run, end, cost, true);
            }
        } else if shape.accepts(byte) {
            self.edge(id, run, pos + 1, cost_of(byte), true);
        }
    }

    /// Leaves a line of the document without an origin.
    fn skip_line(&mut self, id: u32, key: u32, pos: u32) {
        let before = self.text.get(..pos as usize).unwrap_or_default();
        let column = before.iter().rev().take_while(|&&b| b != b'\n').count();
        if before.iter().rev().take(column).any(|&b| b != b' ') {
            return;
        }
        let rest = self.text.get(pos as usize..).unwrap_or_default();
        let length = rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |at| at + 1);
        let after = rest.get(length..).unwrap_or_default();
        let pad = after.iter().take(column).take_while(|&&b| b == b' ').count();
        let cost = SKIP + rest.iter().take(length).map(|&b| cost_of(b)).sum::<u32>();
        self.edge(id, key, pos + (length + pad) as u32, cost, false);
    }

    /// Costs from the other end, and what they say of each step.
    fn collect(&self, accept: u32) -> Ways {
        let best = self.states.get(accept as usize).map_or(0, |state| state.cost);
        let rest = self.costs_to(accept);
        let mut ways = Ways { relaxed: self.relaxed, ..Ways::default() };
        let printed = |edge: &Edge| {
            let key = self.states.get(edge.from as usize).map_or(0, |state| state.key);
            Printed { start: edge.start, end: edge.end, node: edge.known.then_some(key / 2) }
        };
        for edge in self.edges.iter().filter(|edge| edge.start < edge.end) {
            let from = self.states.get(edge.from as usize).map_or(u32::MAX, |state| state.cost);
            let to = rest.get(edge.to as usize).copied().unwrap_or(u32::MAX);
            if to != u32::MAX {
                let total = from.saturating_add(edge.cost).saturating_add(to);
                ways.steps.push((printed(edge), total.saturating_sub(best)));
            }
        }
        let mut at = accept;
        while let Some(edge) = self.states.get(at as usize).and_then(|state| self.edges.get(state.parent as usize)) {
            if edge.start < edge.end {
                ways.best.push(printed(edge));
            }
            at = edge.from;
        }
        ways.best.reverse();
        ways
    }

    /// For each state what it costs to get from there to the end.
    fn costs_to(&self, accept: u32) -> Vec<u32> {
        let mut degree = vec![0u32; self.states.len() + 1];
        for edge in &self.edges {
            if let Some(count) = degree.get_mut(edge.to as usize + 1) {
                *count += 1;
            }
        }
        for i in 1..degree.len() {
            degree[i] += degree[i - 1];
        }
        let mut fill = degree.clone();
        let mut incoming = vec![0u32; self.edges.len()];
        for (i, edge) in self.edges.iter().enumerate() {
            if let Some(at) = fill.get_mut(edge.to as usize) {
                if let Some(slot) = incoming.get_mut(*at as usize) {
                    *slot = i as u32;
                }
                *at += 1;
            }
        }
        let mut rest = vec![u32::MAX; self.states.len()];
        let mut heap = BinaryHeap::new();
        if let Some(slot) = rest.get_mut(accept as usize) {
            *slot = 0;
        }
        heap.push(Reverse((0u32, accept)));
        while let Some(Reverse((cost, id))) = heap.pop() {
            if rest.get(id as usize).is_none_or(|&known| cost > known) {
                continue;
            }
            let range = (degree.get(id as usize), degree.get(id as usize + 1));
            let (Some(&from), Some(&to)) = range else { continue };
            for &index in incoming.get(from as usize..to as usize).unwrap_or_default() {
                let Some(edge) = self.edges.get(index as usize) else { continue };
                let total = cost.saturating_add(edge.cost);
                if let Some(slot) = rest.get_mut(edge.from as usize).filter(|slot| total < **slot) {
                    *slot = total;
                    heap.push(Reverse((total, edge.from)));
                }
            }
        }
        rest
    }
}

/// What a byte in a hole costs.
fn cost_of(byte: u8) -> u32 {
    match byte {
        b' ' | b'\t' => BLANK,
        // The rest of a character that was paid with its first byte.
        0x80..=0xbf => 0,
        _ => BYTE,
    }
}
