//! "Did you mean": the name that a misspelt one was meant to be.

/// Of longer names nobody needs a suggestion, and comparing them takes quadratic time.
const LONGEST: usize = 128;

/// The nearest of the names, when it is near enough to be what was meant: a third of the letters may be wrong. Letter
/// case does not count, nor whether `_` or `-` joins words.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let meant = plain(name);
    let allowed = (meant.chars().count() / 3).max(1);
    if meant.len() > LONGEST {
        return None;
    }
    let distance = |candidate: &str| strsim::damerau_levenshtein(&meant, &plain(candidate));
    let near = names.into_iter().filter(|n| n.len() <= LONGEST).map(|n| (distance(n), n));
    near.filter(|(d, _)| *d <= allowed).min_by_key(|(d, _)| *d).map(|(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let names = ["containerPort", "hostPort", "name", "protocol"];
        assert_eq!(nearest("containerport", names), Some("containerPort"));
        assert_eq!(nearest("nmae", names), Some("name"));
        assert_eq!(nearest("protocl", names), Some("protocol"));
        assert_eq!(nearest("image", names), None);
        assert_eq!(nearest("x", names), None);
        assert_eq!(nearest(&"q".repeat(400), names), None);
    }

    #[test]
    fn dashes_and_capitals_do_not_count() {
        let known = ["publisher", "endpoint", "replay_endpoint", "topic"];
        assert_eq!(nearest("end-point", known), Some("endpoint"));
        assert_eq!(nearest("replay-endpoint", known), Some("replay_endpoint"));
        assert_eq!(nearest("Publisher", known), Some("publisher"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("", known), None);
    }
}
