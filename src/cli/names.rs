//! Names of rules and groups on the command line.

use crate::lint::{Group, RULES};

/// The rules that a list of rule and group names stands for.
///
/// # Errors
/// For a name that is neither, with the name that may be meant.
pub fn expand(names: &[String]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for name in names.iter().map(|n| n.trim()).filter(|n| !n.is_empty()) {
        let before = found.len();
        found.extend(RULES.iter().filter(|r| r.name == name || r.group.as_str() == name).map(|r| r.name.to_string()));
        if found.len() == before {
            return Err(unknown(name));
        }
    }
    Ok(found)
}

/// The message for a name that is no rule's.
pub fn unknown(name: &str) -> String {
    let mut groups: Vec<&str> = RULES.iter().map(|r| Group::as_str(r.group)).collect();
    groups.dedup();
    match closest(name, RULES.iter().map(|r| r.name).chain(groups)) {
        Some(meant) => format!("there is no rule `{name}`: did you mean `{meant}`?"),
        None => format!("there is no rule `{name}`: `kvlint rules` lists them"),
    }
}

/// The candidate that differs least, when it differs by a third of its letters or less.
fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = candidates.map(|c| (distance(name, c), c)).min()?;
    (near.0 * 3 <= near.1.len().max(name.len())).then_some(near.1)
}

/// How many letters must be changed, added or removed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert!(unknown("labeled-but-silent").contains("`labelled-but-silent`"));
        assert!(unknown("zzz").contains("kvlint rules"));
        assert_eq!(expand(&["yaml-syntax".into()]), Ok(vec!["yaml-syntax".to_string()]));
        assert!(expand(&["manifest".into()]).is_ok_and(|r| r.contains(&"yaml-syntax".to_string())));
    }
}
