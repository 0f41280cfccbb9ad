//! The type that Kubernetes gives a plain scalar: YAML 1.1 as go-yaml v2 (`sigs.k8s.io/yaml`) resolves it.

use std::fmt;

/// A scalar as the API server sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'t> {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on`, `y` and their opposites, in the letter cases that YAML 1.1 lists.
    Bool(bool),
    /// An integer that fits 64 signed bits; octal, binary, hexadecimal and `_` are understood.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// A number with a fraction or an exponent, or an infinity or not-a-number that JSON cannot carry.
    Float(f64),
    /// Everything else.
    Str(&'t str),
}

impl Scalar<'_> {
    /// The JSON type's name, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Scalar::Null => "null",
            Scalar::Bool(_) => "a boolean",
            Scalar::Int(_) | Scalar::UInt(_) | Scalar::Float(_) => "a number",
            Scalar::Str(_) => "a string",
        }
    }
}

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Null => f.write_str("null"),
            Scalar::Bool(b) => write!(f, "{b}"),
            Scalar::Int(i) => write!(f, "{i}"),
            Scalar::UInt(u) => write!(f, "{u}"),
            Scalar::Float(x) => write!(f, "{x}"),
            Scalar::Str(s) => f.write_str(s),
        }
    }
}

/// Types a plain (unquoted, untagged) scalar.
pub fn plain(text: &str) -> Scalar<'_> {
    // Most scalars are words. Those that mean something else start with few letters and have five at most.
    match text.as_bytes() {
        [b'~' | b'+' | b'-' | b'.' | b'0'..=b'9', ..] | [] => {}
        [b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O', rest @ ..] if rest.len() < 5 => {}
        _ => return Scalar::Str(text),
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        _ => {}
    }
    match text.as_bytes()[0] {
        b'+' | b'-' | b'.' | b'0'..=b'9' => number(text).unwrap_or(Scalar::Str(text)),
        _ => Scalar::Str(text),
    }
}

fn number(text: &str) -> Option<Scalar<'static>> {
    let without_underscores;
    let digits = if text.contains('_') {
        without_underscores = text.replace('_', "");
        without_underscores.as_str()
    } else {
        text
    };
    if let Some(integer) = integer(digits) {
        return Some(integer);
    }
    if is_float(digits) {
        // Go keeps what overflows as a string ("1e400").
        return digits.parse::<f64>().ok().filter(|x| x.is_finite()).map(float);
    }
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Scalar::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Scalar::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => Some(Scalar::Float(f64::NAN)),
        _ => None,
    }
}

/// A float without a fraction becomes an integer on its way through JSON (`1e3` is 1000).
fn float(x: f64) -> Scalar<'static> {
    // Below 2^53 every integer is exact.
    if x.fract() == 0.0 && x.abs() < 9_007_199_254_740_992.0 { Scalar::Int(x as i64) } else { Scalar::Float(x) }
}

/// Go's `strconv.ParseInt(text, 0, 64)`, then `ParseUint`, then the `0b` forms of go-yaml.
fn integer(text: &str) -> Option<Scalar<'static>> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    // `from_str_radix` would take another sign.
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let radix = |prefix: [&str; 2], radix| {
        prefix
            .iter()
            .find_map(|p| digits.strip_prefix(p))
            .map(|rest| if rest.starts_with(['+', '-']) { None } else { u64::from_str_radix(rest, radix).ok() })
    };
    let value = if let Some(hexadecimal) = radix(["0x", "0X"], 16) {
        hexadecimal
    } else if let Some(binary) = radix(["0b", "0B"], 2) {
        binary
    } else if let Some(octal) = radix(["0o", "0O"], 8) {
        octal
    } else if digits.len() > 1 && digits.starts_with('0') {
        u64::from_str_radix(&digits[1..], 8).ok()
    } else {
        digits.parse().ok()
    }?;
    match (negative, i64::try_from(value)) {
        (false, Ok(i)) => Some(Scalar::Int(i)),
        (false, Err(_)) => Some(Scalar::UInt(value)),
        (true, Ok(i)) => Some(Scalar::Int(-i)),
        (true, Err(_)) if value == 1 << 63 => Some(Scalar::Int(i64::MIN)),
        (true, Err(_)) => None,
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, go-yaml's pattern of a float.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e.strip_prefix(['-', '+']).unwrap_or(e))),
        None => (text, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if exponent.is_some_and(|e| e.is_empty() || !digits(e)) {
        return false;
    }
    match mantissa.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()),
        None => !mantissa.is_empty() && digits(mantissa),
    }
}

#[cfg(test)]
mod tests {
    use super::Scalar::*;
    use super::plain;

    #[test]
    fn booleans_are_those_of_yaml_1_1() {
        for yes in ["y", "Yes", "ON", "true"] {
            assert_eq!(plain(yes), Bool(true), "{yes}");
        }
        for text in ["tRue", "yEs", "enabled"] {
            assert_eq!(plain(text), Str(text));
        }
    }

    #[test]
    fn integers_come_in_four_bases() {
        let cases =
            [("0777", 511), ("0o777", 511), ("0b101", 5), ("0x1F", 31), ("1_000", 1000), ("-0x1", -1), ("08", 8)];
        for (text, value) in cases {
            assert_eq!(plain(text), Int(value), "{text}");
        }
        assert_eq!(plain("12345678901234567890"), UInt(12345678901234567890));
    }

    #[test]
    fn tags_times_and_dates_are_not_what_they_look_like() {
        assert_eq!(plain("1.10"), Float(1.1));
        assert_eq!(plain("1e3"), Int(1000));
        for text in ["1:30", "2001-12-14", "1.2.3", "1e400", "0x", "--1", "+-1", ".", "e5", "5e"] {
            assert_eq!(plain(text), Str(text));
        }
    }
}
