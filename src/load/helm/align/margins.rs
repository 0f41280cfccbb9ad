//! How far the best explanation of each byte is ahead of the next.

use std::collections::HashMap;
use std::sync::Arc;

use super::program::Program;
use super::search::Ways;
use super::{Aligner, Confidence, Defines, Kind};
use crate::source::{SourceFile, Span};

/// What the next best explanation of a line must cost more, for the first to be trusted: 24 letters that would have to
/// stand in a value by chance. Keys are no chance: a list in the values has the keys that the items in the template have.
/// On 350 renderings of public charts no mapping with this margin contradicts a mark.
const MARGIN: u32 = 96;

/// By what the cost is divided of a value that would be the text of another arm.
const DEFAULTS: u32 = 8;

/// By what the cost is divided of lines of a value that would be what a loop prints: each round repeats the same keys.
const ROUNDS: u32 = 4;

/// What makes two origins the same: the line of the template, the line of the define, the very text or action, and the part of
/// the action. Two values of one `default` fill one place: which of them it is, is for the values to say.
pub(super) struct Keys {
    outer: Vec<u32>,
    full: Vec<u32>,
    piece: Vec<u32>,
    part: Vec<u32>,
}

impl Keys {
    pub fn new(program: &Program<'_>, source: &Arc<SourceFile>, defines: &Defines<'_>) -> Keys {
        let line = |span: Span| {
            let file = if span.file == source.id() { Some(source) } else { defines.file(span.file) };
            (span.file, file.map_or(0, |file| file.line_index(span.start)))
        };
        let mut chains: HashMap<(Option<u32>, Span), u32> = HashMap::new();
        let mut roots = Vec::new();
        let mut links: Vec<u32> = Vec::new();
        for call in &program.calls {
            let parent = call.parent.and_then(|parent| links.get(parent as usize).copied());
            let next = chains.len() as u32;
            links.push(*chains.entry((parent, call.expr)).or_insert(next));
            let root = call.parent.and_then(|parent| roots.get(parent as usize).copied()).unwrap_or(call.span);
            roots.push(root);
        }
        let mut keys = Keys { outer: Vec::new(), full: Vec::new(), piece: Vec::new(), part: Vec::new() };
        let (mut outers, mut fulls, mut pieces) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut parts = HashMap::new();
        for origin in &program.origins {
            let chain = origin.call.and_then(|call| links.get(call as usize).copied());
            let root = origin.call.and_then(|call| roots.get(call as usize).copied()).unwrap_or(origin.span);
            let next = outers.len() as u32;
            keys.outer.push(*outers.entry(line(root)).or_insert(next));
            let next = fulls.len() as u32;
            keys.full.push(*fulls.entry((chain, line(origin.span))).or_insert(next));
            let next = pieces.len() as u32;
            keys.piece.push(*pieces.entry((chain, origin.span)).or_insert(next));
            let next = parts.len() as u32;
            keys.part.push(*parts.entry((chain, origin.span, origin.expr)).or_insert(next));
        }
        keys
    }
}

/// For each byte of a document what its best explanation by something else costs more than the best of all.
pub(super) struct Margins {
    /// By another line of the template.
    pub outer: Vec<u32>,
    /// By another line, in a `define` perhaps.
    pub full: Vec<u32>,
    /// By another text or action.
    pub piece: Vec<u32>,
    /// By another part of the action.
    pub part: Vec<u32>,
    relaxed: bool,
}

impl Margins {
    pub fn new(aligner: &Aligner<'_>, body: &str, ways: &Ways) -> Margins {
        let mut best: Vec<Option<usize>> = vec![None; body.len()];
        for printed in &ways.best {
            let origin = aligner.origin(printed).map(|(_, index)| index);
            best.get_mut(printed.start as usize..printed.end as usize).unwrap_or_default().fill(origin);
        }
        let none = || vec![u32::MAX; body.len()];
        let mut margins = Margins { outer: none(), full: none(), piece: none(), part: none(), relaxed: ways.relaxed };
        for (printed, cost) in &ways.steps {
            let rival = aligner.origin(printed).map(|(_, index)| index);
            let range = printed.start as usize..printed.end as usize;
            let mut last = (usize::MAX, *cost);
            for (at, mine) in range.clone().zip(best.get(range).unwrap_or_default()) {
                if *mine == rival {
                    continue;
                }
                if mine.is_some() && last.0 != mine.unwrap_or(usize::MAX) {
                    last = (mine.unwrap_or(usize::MAX), Self::weighed(&aligner.program, *cost, *mine, rival));
                }
                let cost = last.1;
                let differs = |list: &[u32]| {
                    let key = |origin: Option<usize>| origin.and_then(|index| list.get(index));
                    key(*mine) != key(rival)
                };
                let note = |list: &mut Vec<u32>| {
                    if let Some(margin) = list.get_mut(at) {
                        *margin = cost.min(*margin);
                    }
                };
                if differs(&aligner.keys.part) {
                    note(&mut margins.part);
                }
                if differs(&aligner.keys.piece) {
                    note(&mut margins.piece);
                }
                if differs(&aligner.keys.full) {
                    note(&mut margins.full);
                }
                if differs(&aligner.keys.outer) {
                    note(&mut margins.outer);
                }
            }
        }
        margins
    }

    /// What a rival's explanation counts for. Where it stands in another arm of the same `if`, its value may well be the
    /// very text of this arm: people spell defaults out. A list in a value looks like the list that a loop prints.
    fn weighed(program: &Program<'_>, cost: u32, mine: Option<usize>, rival: Option<usize>) -> u32 {
        let origin = |index: Option<usize>| program.origins.get(index?);
        match (origin(mine), origin(rival)) {
            (Some(mine), Some(rival)) if program.exclude_each_other(mine, rival) => cost / DEFAULTS,
            (Some(mine), Some(rival)) if rival.kind == Kind::Expansion && program.is_repeated(mine) => cost / ROUNDS,
            _ => cost,
        }
    }

    /// What a margin is worth. No byte, no trust.
    pub fn trust(&self, list: &[u32], at: usize) -> Confidence {
        let margin = list.get(at).copied().unwrap_or(0);
        if margin >= MARGIN && !self.relaxed { Confidence::High } else { Confidence::Medium }
    }
}
