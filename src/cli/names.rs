//! Names of rules and groups on the command line.

use crate::lint::{Group, RULES};
use crate::suggest::nearest;

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
    if groups.contains(&name) {
        return format!("`{name}` is a group of rules: `kvlint rules` lists its rules");
    }
    match nearest(name, RULES.iter().map(|r| r.name).chain(groups)) {
        Some(meant) => format!("there is no rule `{name}`: did you mean `{meant}`?"),
        None => format!("there is no rule `{name}`: `kvlint rules` lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        assert!(unknown("labeled-but-silent").contains("`labelled-but-silent`"));
        assert!(unknown("zzz").contains("kvlint rules"));
        assert!(unknown("manifest").contains("is a group"));
        assert_eq!(expand(&["yaml-syntax".into()]), Ok(vec!["yaml-syntax".to_string()]));
        assert!(expand(&["manifest".into()]).is_ok_and(|r| r.contains(&"yaml-syntax".to_string())));
    }
}
