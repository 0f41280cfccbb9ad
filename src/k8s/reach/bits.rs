//! Sets of small numbers, and pairs of them for what is certain and what is possible.

use super::super::selector::Truth;

/// A set of numbers below a fixed bound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// The empty set below a bound.
    pub fn none(len: usize) -> Bits {
        Bits { words: vec![0; len.div_ceil(64)], len }
    }

    /// Every number below a bound.
    pub fn all(len: usize) -> Bits {
        Bits::none(len).complement()
    }

    /// Adds a number.
    pub fn insert(&mut self, index: usize) {
        if let Some(word) = self.words.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    /// Whether a number is in the set.
    pub fn contains(&self, index: usize) -> bool {
        self.words.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// Adds all of another set.
    pub fn add(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    /// What is in both.
    pub fn and(mut self, other: &Bits) -> Bits {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
        self
    }

    /// What is not in the set.
    pub fn complement(mut self) -> Bits {
        self.words.iter_mut().for_each(|word| *word = !*word);
        if !self.len.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << (self.len % 64)) - 1;
        }
        self
    }

    /// Whether the set has no number.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            std::iter::successors((word != 0).then_some(word), |w| Some(w & (w - 1)).filter(|w| *w != 0))
                .map(move |w| index * 64 + w.trailing_zeros() as usize)
        })
    }
}

/// A set of which some members are certain and others only possible.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tri {
    /// Certainly in.
    pub yes: Bits,
    /// Possibly in; holds all of `yes`.
    pub maybe: Bits,
}

impl Tri {
    /// The empty set.
    pub fn none(len: usize) -> Tri {
        Tri { yes: Bits::none(len), maybe: Bits::none(len) }
    }

    /// All, for certain.
    pub fn all(len: usize) -> Tri {
        Tri { yes: Bits::all(len), maybe: Bits::all(len) }
    }

    /// Nothing is known.
    pub fn unknown(len: usize) -> Tri {
        Tri { yes: Bits::none(len), maybe: Bits::all(len) }
    }

    /// Whether a number is in.
    pub fn get(&self, index: usize) -> Truth {
        match (self.yes.contains(index), self.maybe.contains(index)) {
            (true, _) => Truth::Yes,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::No,
        }
    }

    /// What is in both.
    pub fn and(self, other: &Tri) -> Tri {
        Tri { yes: self.yes.and(&other.yes), maybe: self.maybe.and(&other.maybe) }
    }

    /// Adds all of another set.
    pub fn add(&mut self, other: &Tri) {
        self.yes.add(&other.yes);
        self.maybe.add(&other.maybe);
    }

    /// What is not in.
    pub fn complement(self) -> Tri {
        Tri { yes: self.maybe.complement(), maybe: self.yes.complement() }
    }

    /// What was certain is only possible for the members of `doubtful`.
    pub fn doubt(mut self, doubtful: &Bits) -> Tri {
        self.yes = self.yes.and(&doubtful.clone().complement());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let mut set = Bits::none(70);
        [0, 63, 64, 69].into_iter().for_each(|i| set.insert(i));
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 69]);
        let rest = set.clone().complement();
        assert_eq!(rest.iter().count(), 66);
        assert!(!rest.contains(69) && !rest.contains(70) && rest.contains(68));
        assert!(set.clone().and(&rest).is_empty());
        assert_eq!(Bits::all(70).iter().count(), 70);
        assert_eq!(Bits::all(64).iter().count(), 64);
        assert!(Bits::all(0).is_empty());
    }

    #[test]
    fn what_is_possible_stays_possible_in_the_complement() {
        let mut set = Tri::unknown(3);
        set.yes.insert(0);
        let not = set.complement();
        assert_eq!([not.get(0), not.get(1), not.get(2)], [Truth::No, Truth::Unknown, Truth::Unknown]);
    }
}
