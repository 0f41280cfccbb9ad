//! Stretches of bytes, in an order in which those around a place are found without a look at all others.

use crate::source::{FileId, Span};

/// A place in one of the files. Of two files the one with the greater id lies behind.
type Offset = (FileId, u32);

/// Stretches of any files, each with what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Stretches<T> {
    /// Sorted.
    all: Vec<(Span, T)>,
    /// The list as a tree, each part with its middle as the top: the farthest end in the part below each. Stretches may lie in
    /// each other, so the ends are in no order.
    farthest: Vec<Offset>,
}

impl<T> Default for Stretches<T> {
    fn default() -> Stretches<T> {
        Stretches { all: Vec::new(), farthest: Vec::new() }
    }
}

/// A step on the way through the tree.
enum Step {
    /// This one is found.
    Take(usize),
    /// What lies between two positions is looked at.
    Part(usize, usize),
}

impl<T: Ord> Stretches<T> {
    pub(super) fn new(mut all: Vec<(Span, T)>) -> Stretches<T> {
        all.sort_unstable();
        all.dedup();
        let mut farthest = vec![(FileId(0), 0); all.len()];
        measure(&all, &mut farthest, 0, all.len());
        Stretches { all, farthest }
    }

    /// Those that hold all of a place, sorted.
    pub(super) fn around(&self, place: Span) -> impl Iterator<Item = &(Span, T)> {
        let (start, end) = ((place.file, place.start), (place.file, place.end));
        let mut steps = vec![Step::Part(0, self.all.len())];
        std::iter::from_fn(move || {
            loop {
                match steps.pop()? {
                    Step::Take(at) => return self.all.get(at),
                    Step::Part(from, to) if from >= to => {}
                    Step::Part(from, to) => {
                        let middle = from + (to - from) / 2;
                        if self.farthest[middle] < end {
                            continue;
                        }
                        let span = self.all[middle].0;
                        if (span.file, span.start) <= start {
                            steps.push(Step::Part(middle + 1, to));
                            if span.contains(place) {
                                steps.push(Step::Take(middle));
                            }
                        }
                        steps.push(Step::Part(from, middle));
                    }
                }
            }
        })
    }
}

/// Fills in how far each part reaches. As deep as the logarithm of the count.
fn measure<T>(all: &[(Span, T)], farthest: &mut [Offset], from: usize, to: usize) -> Option<Offset> {
    if from >= to {
        return None;
    }
    let middle = from + (to - from) / 2;
    let own = (all[middle].0.file, all[middle].0.end);
    let sides = [measure(all, farthest, from, middle), measure(all, farthest, middle + 1, to)];
    farthest[middle] = sides.into_iter().flatten().fold(own, Offset::max);
    Some(farthest[middle])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_around_a_place_are_found_in_order(
            stretches in proptest::collection::vec((0..3u32, 0..20u32, 0..8u32), 0..30),
            place in (0..3u32, 0..20u32, 0..3u32),
        ) {
            let span = |(file, start, len): (u32, u32, u32)| Span::new(FileId(file), start, start + len);
            let mut all: Vec<(Span, ())> = stretches.into_iter().map(|s| (span(s), ())).collect();
            let found: Vec<Span> = Stretches::new(all.clone()).around(span(place)).map(|(span, ())| *span).collect();
            all.sort();
            all.dedup();
            let wanted: Vec<Span> = all.into_iter().map(|(s, ())| s).filter(|s| s.contains(span(place))).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
