//! Values as text: quoting, and collections in the neighbours' style.

use super::value::Value;
use crate::yaml::{Scalar, Style, resolve};

/// Where a scalar is to stand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Setting {
    /// In brackets.
    pub flow: bool,
    /// Among JSON, where keys and text are in double quotes.
    pub json: bool,
    /// The quotes that its neighbours or its former self have.
    pub quotes: Option<Style>,
}

/// How collections are laid out here.
#[derive(Clone, Debug)]
pub(super) struct Printer {
    /// The line break.
    pub eol: &'static str,
    /// Columns from a mapping to one below its key.
    pub unit: usize,
    /// Columns from a key to the dashes of its list.
    pub dash: usize,
    /// Columns from a dash to what follows it.
    pub gap: usize,
    /// Quotes for text that needs some.
    pub quotes: Style,
    /// Between a key in brackets and its value where YAML leaves the choice.
    pub colon: &'static str,
    /// Between entries in brackets.
    pub comma: &'static str,
    /// Inside the braces of a mapping.
    pub pad: &'static str,
    /// The file ends without a line break, and so would a block of text at its end.
    pub open: bool,
    /// The column of a block of text that takes the place of one with this column.
    pub block: Option<usize>,
}

impl Printer {
    /// A value that stands on one line.
    pub(super) fn scalar(&self, value: &Value, at: Setting) -> String {
        match value {
            Value::Null => "null".into(),
            Value::Bool(b) => b.to_string(),
            Value::Int(i) => i.to_string(),
            Value::Float(x) => x.to_string(),
            Value::String(text) => self.text(text, at),
            Value::Map(_) => "{}".into(),
            Value::List(_) => "[]".into(),
        }
    }

    /// Text on one line, in the quotes that it needs.
    pub(super) fn text(&self, text: &str, at: Setting) -> String {
        if at.json {
            return double_quoted(text);
        }
        let wanted = at.quotes.unwrap_or(Style::Plain);
        if !matches!(wanted, Style::SingleQuoted | Style::DoubleQuoted) && is_plain(text, at.flow) {
            return text.into();
        }
        let quotes = if matches!(wanted, Style::SingleQuoted | Style::DoubleQuoted) { wanted } else { self.quotes };
        if quotes == Style::SingleQuoted && is_printable(text) {
            return format!("'{}'", text.replace('\'', "''"));
        }
        // JSON in double quotes would be a thicket of backslashes, whatever its neighbours are in.
        if text.contains(['"', '\\']) && !text.contains('\'') && is_printable(text) {
            return format!("'{}'", text.replace('\'', "''"));
        }
        double_quoted(text)
    }

    /// A key.
    pub(super) fn key(&self, key: &str, at: Setting) -> String {
        // `? ` makes a key of what is longer than 1024 characters; nobody has such keys.
        self.text(key, Setting { quotes: at.quotes, ..at })
    }

    /// `key: value` without the indentation of its first line and without a line break at its end. `column` is the key's.
    pub(super) fn entry(&self, key: &str, value: &Value, column: usize, at: Setting) -> String {
        format!("{}:{}", self.key(key, Setting { quotes: None, ..at }), self.after_key(value, column, at))
    }

    /// What follows a key's colon.
    pub(super) fn after_key(&self, value: &Value, column: usize, at: Setting) -> String {
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                let column = column + self.unit;
                self.lines(
                    column,
                    entries.iter().map(|(k, v)| self.entry(k, v, column, Setting { quotes: None, ..at })),
                )
            }
            Value::List(items) if !items.is_empty() => {
                let column = column + self.dash;
                self.lines(column, items.iter().map(|item| self.item(item, column, Setting { quotes: None, ..at })))
            }
            Value::String(text) => match self.literal(text, column + self.unit, at) {
                Some(block) => format!(" {block}"),
                None => format!(" {}", self.text(text, at)),
            },
            value => format!(" {}", self.scalar(value, at)),
        }
    }

    /// `- value`, as [`Printer::entry`]. `column` is the dash's.
    pub(super) fn item(&self, value: &Value, column: usize, at: Setting) -> String {
        format!("-{}{}", " ".repeat(self.gap), self.after_dash(value, column, at))
    }

    /// What follows a dash and its blanks.
    pub(super) fn after_dash(&self, value: &Value, column: usize, at: Setting) -> String {
        let inner = column + 1 + self.gap;
        let join = |lines: Vec<String>| lines.join(&format!("{}{}", self.eol, " ".repeat(inner)));
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                let at = Setting { quotes: None, ..at };
                join(entries.iter().map(|(k, v)| self.entry(k, v, inner, at)).collect())
            }
            Value::List(items) if !items.is_empty() => {
                let at = Setting { quotes: None, ..at };
                join(items.iter().map(|v| self.item(v, inner, at)).collect())
            }
            Value::String(text) => self.literal(text, inner, at).unwrap_or_else(|| self.text(text, at)),
            value => self.scalar(value, at),
        }
    }

    fn lines(&self, column: usize, lines: impl Iterator<Item = String>) -> String {
        lines.map(|line| format!("{}{}{line}", self.eol, " ".repeat(column))).collect()
    }

    /// Text of several lines as a block, where a block can hold it.
    fn literal(&self, text: &str, column: usize, at: Setting) -> Option<String> {
        if at.json
            || at.flow
            || (self.open && text.ends_with('\n'))
            || !text.contains('\n')
            || text.starts_with([' ', '\t', '\n'])
        {
            return None;
        }
        let column = self.block.unwrap_or(column);
        let body = text.strip_suffix('\n').unwrap_or(text);
        let fits = |line: &str| is_printable(line) && !line.ends_with(' ') && !line.contains('\r');
        if body.is_empty() || body.ends_with('\n') || !body.split('\n').all(fits) {
            return None;
        }
        let mut out = String::from(if body.len() < text.len() { "|" } else { "|-" });
        for line in body.split('\n') {
            out.push_str(self.eol);
            if !line.is_empty() {
                out.push_str(&" ".repeat(column));
                out.push_str(line);
            }
        }
        Some(out)
    }

    /// A value in brackets. `lines` is the indentation of the line that it stands on when its collections go over several
    /// lines.
    pub(super) fn flow(&self, value: &Value, lines: Option<usize>, at: Setting) -> String {
        let at = Setting { flow: true, ..at };
        let inner = Setting { quotes: None, ..at };
        let deeper = lines.map(|indent| indent + self.unit);
        let (open, close, parts): (_, _, Vec<String>) = match value {
            Value::Map(entries) if !entries.is_empty() => {
                ("{", "}", entries.iter().map(|(k, v)| self.flow_entry(k, v, deeper, inner)).collect())
            }
            Value::List(items) if !items.is_empty() => {
                ("[", "]", items.iter().map(|v| self.flow(v, deeper, inner)).collect())
            }
            value => return self.scalar(value, at),
        };
        match (lines, deeper) {
            (Some(indent), Some(deeper)) => {
                let line = format!("{}{}", self.eol, " ".repeat(deeper));
                let end = format!("{}{}", self.eol, " ".repeat(indent));
                format!("{open}{line}{}{end}{close}", parts.join(&format!(",{line}")))
            }
            _ => {
                let pad = if open == "{" { self.pad } else { "" };
                format!("{open}{pad}{}{pad}{close}", parts.join(self.comma))
            }
        }
    }

    /// `key: value` in brackets.
    pub(super) fn flow_entry(&self, key: &str, value: &Value, lines: Option<usize>, at: Setting) -> String {
        let key = self.key(key, Setting { quotes: None, ..at });
        // Only after a quoted key YAML needs no blank.
        let colon = if key.starts_with(['"', '\'']) { self.colon } else { ": " };
        format!("{key}{colon}{}", self.flow(value, lines, at))
    }
}

/// Whether text can stand without quotes and stays text. Stricter than YAML asks: readers differ at the edges.
pub(super) fn is_plain(text: &str, flow: bool) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let second = text.chars().nth(1);
    let starts = match first {
        '-' => second.is_some_and(|c| c != ' ' && !(flow && matches!(c, ',' | '[' | ']' | '{' | '}'))),
        '/' | '.' | '_' | '+' | '$' | '(' | ')' | ';' | '^' | '\\' => true,
        '<' => text != "<<",
        c => c.is_alphanumeric(),
    };
    let forbidden = |c: char| flow && matches!(c, ',' | '[' | ']' | '{' | '}' | '?' | '"' | '\'');
    starts
        && is_printable(text)
        && !text.contains(forbidden)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !(text.starts_with("---") || text.starts_with("..."))
        && matches!(resolve::plain(text), Scalar::Str(_))
}

/// Whether text can stand on one line without escapes.
pub(super) fn is_printable(text: &str) -> bool {
    text.chars()
        .all(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'))
}

/// Text in double quotes, with escapes that JSON and YAML share.
pub(super) fn double_quoted(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

/// The inside of double quotes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c.encode_utf8(&mut [0; 4])) => out.push(c),
            c => out.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    out
}
