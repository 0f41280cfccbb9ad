//! The built objects as text: keys sorted, as `kustomize build` prints them, and each line's origin where it is asked for.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::resource::Resource;
use super::value::{Data, Entry, Origin, Scalar, Type, Value};
use super::workspace::Workspace;
use crate::yaml::Step;
use crate::yaml::resolve::{self, Scalar as Typed};

/// Prints objects as a YAML stream. With `origins`, every line ends with a comment: path, line, and the step.
pub fn emit(ws: &Workspace<'_>, resources: &[Resource], origins: bool) -> String {
    let mut printer = Printer { ws, origins, out: String::new() };
    for (i, resource) in resources.iter().enumerate() {
        if i > 0 {
            printer.out.push_str("---\n");
        }
        printer.map(&resource.value, 0, false);
    }
    printer.out
}

/// A root, built and printed.
#[derive(Debug, Default)]
pub struct Printed {
    /// The objects as YAML.
    pub text: String,
    /// What is wrong, as `path:line:column: message`; the first of them would stop `kustomize build`.
    pub problems: Vec<String>,
    /// What is not there, in the same form.
    pub missing: Vec<String>,
}

/// Builds the root in a folder and prints it, for `kvlint build`.
pub fn print(folder: &std::path::Path, origins: bool) -> Printed {
    let mut sources = crate::source::SourceMap::new();
    // Problems without a place, such as a folder without a kustomization, point here.
    sources.add(folder, "");
    let disk = super::Disk;
    let mut ws = Workspace::new(&disk, &mut sources);
    let canonical = super::Files::canonical(&disk, folder).unwrap_or_else(|| folder.to_path_buf());
    let root = super::Folder { canonical, shown: folder.to_path_buf() };
    let built = super::build(&mut ws, &root, super::Order::Legacy);
    let text = emit(&ws, &built.resources, origins);
    let at = |span: crate::source::Span, message: &str| {
        // What concerns the folder as a whole has no line.
        if ws.sources.file(span.file).path() == folder {
            return message.to_string();
        }
        let place = ws.sources.line_column(span);
        format!("{}:{}:{}: {message}", ws.sources.file(span.file).path().display(), place.line, place.column)
    };
    let absent = built.log.missing.is_empty();
    let fatal = |p: &&super::BuildProblem| p.is_fatal() && (absent || p.kind != super::ProblemKind::Absent);
    Printed {
        text,
        problems: built.log.problems.iter().filter(fatal).map(|p| at(p.span, &p.message)).collect(),
        // What is an error, too, is said once.
        missing: built
            .log
            .missing
            .iter()
            .filter(|m| !built.log.problems.iter().any(|p| m.span == Some(p.span)))
            .map(|m| m.span.map_or_else(|| m.reason.clone(), |span| at(span, &m.reason)))
            .collect(),
    }
}

struct Printer<'p, 'w> {
    ws: &'p Workspace<'w>,
    origins: bool,
    out: String,
}

impl Printer<'_, '_> {
    fn comment(&mut self, origin: &Origin) {
        if !self.origins {
            return;
        }
        let mut places: Vec<String> = Vec::new();
        for span in self.ws.spans(origin) {
            let file = self.ws.sources.file(span.file);
            let place = format!("{}:{}", file.path().display(), file.line_column(span.start).line);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let _ = write!(self.out, " # {}", places.join(" + "));
        match self.ws.steps.get(origin.step as usize) {
            None | Some(Step::Written | Step::Alias(_)) => {}
            Some(Step::Applied(directive, at)) => {
                let by = self.ws.sources.file(at.file);
                let line = by.line_column(at.start).line;
                let _ = write!(self.out, " {} at {}:{line}", directive.as_str(), by.path().display());
            }
        }
    }

    fn map(&mut self, value: &Value, indent: usize, inline: bool) {
        let mut entries: Vec<&Entry> = value.entries().iter().collect();
        entries.sort_by(|a, b| natural(&a.key.text, &b.key.text));
        for (i, entry) in entries.into_iter().enumerate() {
            if i > 0 || !inline {
                self.pad(indent);
            }
            let key = scalar(&Scalar {
                text: entry.key.text.clone(),
                kind: Type::Str,
                held: false,
                untagged: false,
                shared: None,
            });
            let _ = write!(self.out, "{key}:");
            self.value(&entry.value, indent, &entry.key.origin);
        }
    }

    fn value(&mut self, value: &Value, indent: usize, key: &Origin) {
        match &value.data {
            Data::Map(entries) if !entries.is_empty() => {
                self.comment(key);
                self.out.push('\n');
                self.map(value, indent + 2, false);
            }
            Data::Seq(items) if !items.is_empty() => {
                self.comment(key);
                self.out.push('\n');
                self.list(items, indent);
            }
            _ => self.leaf(value, indent),
        }
    }

    fn list(&mut self, items: &[Value], indent: usize) {
        for item in items {
            self.pad(indent);
            self.out.push('-');
            match &item.data {
                Data::Map(entries) if !entries.is_empty() => {
                    self.out.push(' ');
                    self.map(item, indent + 2, true);
                }
                Data::Seq(inner) if !inner.is_empty() => {
                    self.out.push('\n');
                    self.list(inner, indent + 2);
                }
                _ => self.leaf(item, indent),
            }
        }
    }

    fn leaf(&mut self, value: &Value, indent: usize) {
        match &value.data {
            Data::Map(_) => self.out.push_str(" {}"),
            Data::Seq(_) => self.out.push_str(" []"),
            Data::Scalar(s) if s.kind == Type::Str && is_block(&s.text) => {
                self.out.push_str(" |");
                if !s.text.ends_with('\n') {
                    self.out.push('-');
                } else if s.text.ends_with("\n\n") {
                    self.out.push('+');
                }
                self.comment(&value.origin);
                self.out.push('\n');
                for line in s.text.strip_suffix('\n').unwrap_or(&s.text).split('\n') {
                    if !line.is_empty() {
                        self.pad(indent + 2);
                        self.out.push_str(line);
                    }
                    self.out.push('\n');
                }
                return;
            }
            Data::Scalar(s) => {
                self.out.push(' ');
                self.out.push_str(&scalar(s));
            }
        }
        self.comment(&value.origin);
        self.out.push('\n');
    }

    fn pad(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }
}

/// Whether a text is printed as a literal block.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control())
}

/// A scalar on one line, quoted where it would be read as something else.
/// What a terminal acts on, or does not show: YAML has escapes for it.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{61c}' | '\u{2060}' | '\u{feff}')
}

/// Text in double quotes without such characters.
fn escaped(quoted: &str) -> String {
    let mut out = String::with_capacity(quoted.len());
    for c in quoted.chars() {
        match is_hidden(c) {
            true => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

fn scalar(scalar: &Scalar) -> String {
    match scalar.kind {
        Type::Null => "null".into(),
        Type::Bool | Type::Number | Type::Time => match scalar.to_json() {
            serde_json::Value::String(s) => format!("\"{s}\""),
            other => other.to_string(),
        },
        Type::Str => {
            let text = scalar.text.as_str();
            let quoted = || escaped(&serde_json::Value::String(text.to_string()).to_string());
            if text.is_empty() || !matches!(resolve::plain(text), Typed::Str(_)) || is_time(text) {
                quoted()
            } else if is_plain(text) {
                text.to_string()
            } else if text.chars().any(is_hidden) {
                quoted()
            } else {
                format!("'{}'", text.replace('\'', "''"))
            }
        }
    }
}

/// Whether a text can stand without quotes and still be this text.
pub(super) fn stands_plain(text: &str) -> bool {
    matches!(resolve::plain(text), Typed::Str(_)) && !text.is_empty() && !is_time(text) && is_plain(text)
}

/// The order in which Kustomize's library prints keys: numbers in them count as numbers, letters come after other signs.
/// Source: `go.yaml.in/yaml/v3/sorter.go`, `keyList.Less`.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let digit = |c: &char| c.is_ascii_digit();
    let mut after_digit = false;
    for i in 0..a.len().min(b.len()) {
        if a[i] == b[i] {
            after_digit = digit(&a[i]);
            continue;
        }
        match (a[i].is_alphabetic(), b[i].is_alphabetic()) {
            (true, true) => return a[i].cmp(&b[i]),
            // The letter ends a number that goes on in the other; else it comes later.
            (true, false) => return if after_digit { Ordering::Less } else { Ordering::Greater },
            (false, true) => return if after_digit { Ordering::Greater } else { Ordering::Less },
            (false, false) => {}
        }
        let started = (a[i] == '0' || b[i] == '0') && a[..i].iter().rev().take_while(|c| digit(c)).any(|c| *c != '0');
        let number = |from: &[char]| {
            let digits = from.iter().take_while(|c| digit(c));
            digits.fold((i64::from(started), 0usize), |(n, len), c| {
                (n.wrapping_mul(10).wrapping_add(i64::from(u32::from(*c) - u32::from('0'))), len + 1)
            })
        };
        return number(&a[i..]).cmp(&number(&b[i..])).then(a[i].cmp(&b[i]));
    }
    a.len().cmp(&b.len())
}

/// `2001-12-14` and what starts like it, which other readers take for a time.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 8 && bytes.get(4) == Some(&b'-') && bytes.iter().take(4).all(u8::is_ascii_digit)
}

/// Whether a text can stand without quotes.
fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    let (first, second) = (chars.next(), chars.next());
    let before_blank = second.is_none_or(|c| c == ' ');
    let starts_well = match first {
        Some('-' | '?' | ':') => !before_blank,
        Some(c) => !c.is_whitespace() && !",[]{}#&*!|>'\"%@`".contains(c),
        None => false,
    };
    starts_well
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(|c| c.is_control() || c == '\u{feff}')
        && !matches!(text, "<<" | "=")
}
