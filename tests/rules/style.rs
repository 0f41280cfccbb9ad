//! Tests about the findings' wording.

use kvlint::lint::Diagnostic;

/// What is wrong with a finding's texts.
pub fn faults(d: &Diagnostic) -> Vec<String> {
    let mut found = Vec::new();
    let mut fault = |what: &str, text: &str| found.push(format!("{what}: {text:?}"));
    let first = d.message.chars().next();
    if first.is_some_and(char::is_uppercase) && !d.message.starts_with('`') && !starts_with_name(&d.message) {
        fault("the message starts with a capital", &d.message);
    }
    for text in std::iter::once(&d.message).chain(&d.help).chain(d.related.iter().map(|l| &l.text)).chain(&d.notes) {
        if text.ends_with('.') {
            fault("ends with a stop", text);
        }
        if text.contains("  ") || text.contains('\n') && text == &d.message {
            fault("has stray blanks", text);
        }
        if text.trim() != text {
            fault("has blanks around it", text);
        }
    }
    if d.message.len() > 160 {
        fault("the message is longer than 160 bytes", &d.message);
    }
    if d.help.is_none() && d.notes.is_empty() {
        fault("neither help nor note", &d.message);
    }
    if d.related.iter().any(|l| l.text.is_empty()) {
        fault("a related place does not speak for itself", &d.message);
    }
    found
}

/// Names of things keep their capital.
fn starts_with_name(message: &str) -> bool {
    let word: String = message.chars().take_while(|c| c.is_alphanumeric()).collect();
    word.chars().skip(1).any(char::is_uppercase)
        || ["Service", "Deployment", "Kubernetes", "Redis", "JSON", "YAML", "Pod"].contains(&word.as_str())
}
