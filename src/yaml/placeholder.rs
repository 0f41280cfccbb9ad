//! Text that a renderer or a person has yet to fill in. What it will be is not known here, so nothing is said of it.

/// Whether text is still to be filled in by a renderer or a person: `{{ … }}`, `${NAME}`, `<name>`. For text in which the
/// kubelet or a shell expands variables of its own, which is not the same.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("${") || (text.starts_with('<') && text.ends_with('>'))
}

/// Whether text where nothing in a cluster expands anything (a name, a port, a label) is still to be filled in: also by
/// `$(NAME)`, by `$NAME` as `envsubst` takes it, and with `<name>` anywhere. Most text has none of the signs, which one look
/// tells.
pub fn is_unfinished(text: &str) -> bool {
    // Without a way out of the loop, so that it looks at many bytes at once.
    if !text.bytes().fold(false, |found, b| found | matches!(b, b'{' | b'<' | b'$')) {
        return false;
    }
    let variable = |t: &str| t.strip_prefix('$').is_some_and(|name| !name.is_empty() && name.bytes().all(is_name));
    let blank = |t: &str| t.find('<').is_some_and(|open| t[open..].contains('>'));
    is_template(text) || text.contains("$(") || variable(text) || blank(text)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_later_is_told_by_its_signs() {
        for text in ["{{ .Values.name }}", "a-${NAME}", "$(NAME)", "$PORT", "<your-model>", "http://<host>"] {
            assert!(is_unfinished(text), "{text}");
        }
        for text in ["", "llama-8b", "$patch", "a$b", "a > b", "5557", "{a}"] {
            assert!(!is_unfinished(text), "{text}");
        }
        // A kubelet expands it, so that it is known where a container defines it.
        assert!(!is_template("$(NAME)") && is_template("${NAME}"));
    }
}
