//! Text forms that the server parses while decoding: quantities, base64 and times, read as Go reads them.
//!
//! k8s-openapi's own readers differ (no check of quantities, no line breaks in base64), so they are given a
//! placeholder and the text is judged here.

/// Whether [`resource.ParseQuantity`] accepts the text: `500m`, `2Gi`, `1e3`, but neither `16GB` nor `1K`.
///
/// [`resource.ParseQuantity`]: https://github.com/kubernetes/apimachinery/blob/v0.34.0/pkg/api/resource/quantity.go
pub(crate) fn is_quantity(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() {
        return false;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let suffix = unsigned.trim_start_matches(|c: char| c.is_ascii_digit());
    let suffix = match suffix.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => suffix,
    };
    match suffix {
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" => true,
        "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei" => true,
        _ => suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| exponent.parse::<i64>().is_ok()),
    }
}

/// Whether Go's `base64.StdEncoding` accepts the text: padded, line breaks ignored.
pub(crate) fn is_base64(text: &str) -> bool {
    let bytes = || text.bytes().filter(|b| !matches!(b, b'\n' | b'\r'));
    let padding = bytes().filter(|b| *b == b'=').count();
    let symbols = bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).count();
    padding <= 2 && bytes().count() == symbols + padding && (symbols + padding).is_multiple_of(4)
}

/// Whether the text has the form of RFC 3339: `2024-05-01T12:00:00Z`, with a fraction or an offset if wanted.
pub(crate) fn is_rfc3339(text: &str) -> bool {
    let (date_time, rest) = match text.split_at_checked(19) {
        Some(parts) => parts,
        None => return false,
    };
    let fits = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(b, f)| if f == b'0' { b.is_ascii_digit() } else { b == f })
    };
    let number = |text: &str| text.parse::<u8>().unwrap_or(u8::MAX);
    let zone = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    fits(date_time, "0000-00-00T00:00:00")
        && (1..=12).contains(&number(&date_time[5..7]))
        && (1..=31).contains(&number(&date_time[8..10]))
        && number(&date_time[11..13]) < 24
        && number(&date_time[14..16]) < 60
        && number(&date_time[17..19]) < 60
        && (zone == "Z" || fits(zone, "+00:00") || fits(zone, "-00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_as_go_reads_them() {
        for text in ["1", "0.5", ".5", "5.", "500m", "2Gi", "16G", "1e3", "1E3", "1e-3", "-1", "+1k", "100u", " 8 "] {
            assert!(is_quantity(text), "{text} is a quantity");
        }
        for text in ["", "16GB", "16gb", "16g", "1K", "1mi", "two", "1 Gi", "1e", "1ee3", "50%", "1,5", "Gi Gi"] {
            assert!(!is_quantity(text), "{text} is no quantity");
        }
    }

    #[test]
    fn base64_as_go_reads_it() {
        for text in ["", "YQ==", "YWI=", "YWJj", "YW\nJj\n", "YR==", "+/+/"] {
            assert!(is_base64(text), "{text:?} is base64");
        }
        for text in ["YQ", "YQ=", "Y", "Y===", "Y=Q=", "YWJj====", "hunter2", "YW Jj", "a-b_", "====", "ü==="] {
            assert!(!is_base64(text), "{text:?} is not base64");
        }
    }

    #[test]
    fn times_are_rfc_3339() {
        for text in ["2024-05-01T12:00:00Z", "2024-05-01T12:00:00.123456Z", "2024-05-01T12:00:00+02:00"] {
            assert!(is_rfc3339(text), "{text} is a time");
        }
        for text in [
            "",
            "2024-05-01",
            "2024-05-01 12:00:00Z",
            "2024-05-01T12:00:00",
            "2024-13-01T12:00:00Z",
            "2024-05-01T12:00:00.Z",
            "äöüäöüäöüäöüäöüäöüä",
        ] {
            assert!(!is_rfc3339(text), "{text} is no time");
        }
    }
}
