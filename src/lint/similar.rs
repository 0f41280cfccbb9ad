//! The known word that a misspelt one was meant to be.

/// The candidate that is nearest to `word`, if it is near enough to be meant. Case, `_` and `-` do not count.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |text: &str| -> Vec<char> {
        text.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
    };
    let word = plain(word);
    // A third of the letters may be wrong; of very long words nobody needs a suggestion.
    let limit = word.len() / 3;
    let near = candidates.into_iter().filter(|c| c.len() <= 128 && word.len() <= 128).map(|candidate| {
        let wanted = plain(candidate);
        (distance(&word, &wanted), candidate)
    });
    near.filter(|(d, _)| *d <= limit).min_by_key(|(d, _)| *d).map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (slot, r) in row.iter_mut().skip(1).zip(right) {
            let cost = (diagonal + usize::from(l != r)).min(before + 1).min(*slot + 1);
            diagonal = *slot;
            *slot = cost;
            before = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_found_and_a_far_one_is_not() {
        let known = ["publisher", "endpoint", "replay_endpoint", "topic"];
        assert_eq!(nearest("end-point", known), Some("endpoint"));
        assert_eq!(nearest("replay-endpoint", known), Some("replay_endpoint"));
        assert_eq!(nearest("Publisher", known), Some("publisher"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("", known), None);
    }

    #[test]
    fn distances_count_single_edits() {
        let d = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(d("kitten", "sitting"), 3);
        assert_eq!(d("", "abc"), 3);
        assert_eq!(d("abc", "abc"), 0);
    }
}
