//! "Did you mean": the name that a misspelt one was meant to be.

/// The nearest of the names, when it is near enough to be what was meant. Letter case counts little.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let allowed = (lower.chars().count() / 3).max(1);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
    let near = names.into_iter().map(|n| (distance(n), n)).filter(|(d, _)| *d <= allowed);
    near.min_by_key(|(d, _)| *d).map(|(_, n)| n)
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
    }
}
