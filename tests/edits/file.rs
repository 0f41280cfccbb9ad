//! Random files, written in every style that people use.

use kvlint::yaml;
use serde_json::{Value as Json, json};

use crate::{read, view};

/// Decisions, taken one after the other from random numbers; when they are used up, the simplest.
pub struct Tape<'d> {
    pub data: std::slice::Iter<'d, u16>,
}

impl Tape<'_> {
    pub fn pick(&mut self, below: usize) -> usize {
        self.data.next().map_or(0, |n| usize::from(*n) % below.max(1))
    }

    /// True in one of `n` cases.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.pick(n) == n - 1
    }

    pub fn of<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.pick(from.len())].clone()
    }
}

const KEYS: &[&str] = &["a", "name", "b.c/d-e", "labels", "true", "y", "12", "with space", "é", "ports", "null", "k:v"];
const TEXTS: &[&str] = &[
    "x",
    "vllm serve",
    "true",
    "5557",
    "tcp://*:5557",
    "--flag=x",
    "it's",
    "say \"hi\"",
    "a: b",
    "c #d",
    "",
    " lead",
    "trail ",
    "- x",
    "{\"e\":true}",
    "[a, b]",
    "back\\slash",
    "tab\there",
    "{{ x }}",
    "é漢😀",
    "null",
    "~",
    "0x1F",
    "1e3",
    "2024-01-01",
    "one\ntwo\n",
    "one\n\n  two",
    "end:",
    "@at",
    "*star",
    "!bang",
    "%p",
    "k?",
    "? q",
    "<<",
    "-",
    "---",
    "#",
    "\u{1b}[0m",
    "\u{85}",
];

fn scalar(tape: &mut Tape<'_>) -> Json {
    match tape.pick(8) {
        0..=4 => Json::String(tape.of(TEXTS).into()),
        5 => json!(tape.pick(60000)),
        6 => json!(tape.pick(2) == 0),
        _ => Json::Null,
    }
}

pub fn value(tape: &mut Tape<'_>, depth: usize) -> Json {
    match if depth == 0 { 0 } else { tape.pick(4) } {
        2 => map(tape, depth - 1, 0),
        3 => Json::Array((0..tape.pick(4)).map(|_| value(tape, depth - 1)).collect()),
        _ => scalar(tape),
    }
}

pub fn map(tape: &mut Tape<'_>, depth: usize, least: usize) -> Json {
    let count = least + tape.pick(4);
    Json::Object((0..count).map(|_| (tape.of(KEYS).to_string(), value(tape, depth))).collect())
}

/// Writes values in random styles; it shares no code with the writer under test.
struct Pen<'a, 'd> {
    tape: &'a mut Tape<'d>,
    unit: usize,
    dash: usize,
    gap: usize,
    comments: bool,
    lines: Vec<String>,
}

impl Pen<'_, '_> {
    fn put(&mut self, text: &str) {
        if let Some(line) = self.lines.last_mut() {
            line.push_str(text);
        }
    }

    fn line(&mut self, indent: usize) {
        self.lines.push(" ".repeat(indent));
    }

    fn comment_lines(&mut self, indent: usize) {
        if self.comments && self.tape.one_in(6) {
            self.lines.push(format!("{}# own line {}", " ".repeat(indent), self.lines.len()));
        }
        if self.comments && self.tape.one_in(12) {
            self.lines.push(String::new());
        }
    }

    fn trailing(&mut self) {
        if self.comments && self.tape.one_in(6) {
            let number = self.lines.len();
            self.put(&format!("  # trailing {number}"));
        }
    }

    fn quoted(&mut self, text: &str, json: bool) -> String {
        let odd = text.chars().any(|c| c.is_control() || c == '\u{feff}');
        let plain = !text.is_empty()
            && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '/' | '.' | ' ' | '_' | '='))
            && !text.starts_with(['-', ' '])
            && !text.ends_with(' ')
            && matches!(yaml::resolve::plain(text), yaml::Scalar::Str(_));
        match self.tape.pick(3) {
            0 if plain && !json => text.into(),
            1 if !odd && !json => format!("'{}'", text.replace('\'', "''")),
            _ => serde_json::to_string(text).expect("text").replace('\u{85}', "\\u0085"),
        }
    }

    fn simple(&mut self, value: &Json, json: bool) -> String {
        match value {
            Json::Null if json => "null".into(),
            Json::Null => self.tape.of(&["null", "~"]).into(),
            Json::String(text) => self.quoted(text, json),
            other => other.to_string(),
        }
    }

    /// A value behind a key or dash. `column` is that of the key; `inner` that of what stands below a dash.
    fn value(&mut self, value: &Json, column: usize, under_dash: Option<usize>) {
        let flow = self.tape.one_in(5);
        match value {
            Json::Object(entries) if !entries.is_empty() && !flow => match under_dash {
                Some(gap) => {
                    self.put(&" ".repeat(gap));
                    self.block_map(entries, column + 1 + gap, true);
                }
                None => {
                    self.trailing();
                    self.block_map(entries, column + self.unit, false);
                }
            },
            Json::Array(items) if !items.is_empty() && !flow => match under_dash {
                Some(gap) => {
                    self.put(&" ".repeat(gap));
                    self.block_list(items, column + 1 + gap, true);
                }
                None => {
                    self.trailing();
                    self.block_list(items, column + self.dash, false);
                }
            },
            Json::Object(_) | Json::Array(_) => {
                self.put(&" ".repeat(under_dash.unwrap_or(1)));
                let json = self.tape.one_in(3);
                let spread = self.tape.one_in(3).then_some(column);
                self.flow(value, spread, json);
                self.trailing();
            }
            Json::String(text) if text.contains('\n') && !text.starts_with([' ', '\n']) && self.tape.pick(4) > 0 => {
                let chomp = if text.ends_with("\n\n") {
                    "+"
                } else if text.ends_with('\n') {
                    ""
                } else {
                    "-"
                };
                self.put(&format!("{}|{chomp}", " ".repeat(under_dash.unwrap_or(1))));
                self.trailing();
                let body = text.strip_suffix('\n').unwrap_or(text);
                for line in body.split('\n') {
                    let indent = column + if under_dash.is_some() { 2 } else { self.unit };
                    self.lines.push(if line.is_empty() {
                        String::new()
                    } else {
                        format!("{}{line}", " ".repeat(indent))
                    });
                }
            }
            Json::Null if self.tape.pick(2) == 0 => self.trailing(),
            other => {
                let text = self.simple(other, false);
                self.put(&format!("{}{text}", " ".repeat(under_dash.unwrap_or(1))));
                self.trailing();
            }
        }
    }

    fn block_map(&mut self, entries: &serde_json::Map<String, Json>, column: usize, mut inline: bool) {
        for (key, value) in entries {
            if !inline {
                self.comment_lines(column);
                self.line(column);
            }
            inline = false;
            let key = self.quoted(key, false);
            self.put(&format!("{key}:"));
            self.value(value, column, None);
        }
    }

    fn block_list(&mut self, items: &[Json], column: usize, mut inline: bool) {
        for item in items {
            if !inline {
                self.comment_lines(column);
                self.line(column);
            }
            inline = false;
            self.put("-");
            let gap = self.gap;
            self.value(item, column, Some(gap));
        }
    }

    fn flow(&mut self, value: &Json, spread: Option<usize>, json: bool) {
        let (open, close, parts): (_, _, Vec<(Option<String>, &Json)>) = match value {
            Json::Object(entries) => ("{", "}", entries.iter().map(|(k, v)| (Some(k.clone()), v)).collect()),
            Json::Array(items) => ("[", "]", items.iter().map(|v| (None, v)).collect()),
            other => {
                let text = self.simple(other, json);
                return self.put(&text);
            }
        };
        let pad = if self.tape.one_in(4) { " " } else { "" };
        let many = !parts.is_empty();
        let spread = spread.filter(|_| many);
        let count = parts.len();
        self.put(open);
        let extra = !json && self.tape.one_in(3);
        for (i, (key, value)) in parts.into_iter().enumerate() {
            match spread {
                Some(column) => {
                    self.comment_lines(column + self.unit);
                    self.line(column + self.unit);
                }
                None => self.put(if i > 0 { " " } else { pad }),
            }
            if let Some(key) = key {
                let key = self.quoted(&key, json);
                self.put(&format!("{key}: "));
            }
            let inner = spread.map(|column| column + self.unit).filter(|_| self.tape.one_in(2));
            self.flow(value, inner, json);
            if i + 1 < count || (spread.is_some() && extra) {
                self.put(",");
            }
            if spread.is_some() {
                self.trailing();
            }
        }
        match spread {
            Some(column) => {
                let deeper = self.tape.pick(2);
                self.line(column + deeper);
            }
            None if many => self.put(pad),
            None => {}
        }
        self.put(close);
    }
}

/// A random file, and what its first document holds.
pub fn file(tape: &mut Tape<'_>) -> (String, Json) {
    let depth = 1 + tape.pick(4);
    let root = map(tape, depth, 1);
    let eol = tape.of(&["\n", "\n", "\r\n"]);
    let mut text = String::from(if tape.one_in(8) { "\u{feff}" } else { "" });
    match tape.pick(8) {
        6 => text.push_str(&root.to_string()),
        7 => text.push_str(&serde_json::to_string_pretty(&root).expect("JSON").replace('\n', eol)),
        _ => {
            let (unit, dash) = (tape.of(&[2, 2, 4, 3]), tape.pick(2));
            let mut pen = Pen {
                unit,
                dash: dash * unit,
                gap: tape.of(&[1, 1, 3]),
                comments: tape.pick(3) > 0,
                tape,
                lines: Vec::new(),
            };
            if pen.tape.one_in(4) {
                pen.lines.push("---".into());
                pen.trailing();
            }
            pen.comment_lines(0);
            if let Json::Object(entries) = &root {
                pen.block_map(entries, 0, false);
            }
            pen.comment_lines(0);
            let lines = std::mem::take(&mut pen.lines);
            text.push_str(&lines.join(eol));
        }
    }
    match tape.pick(6) {
        // A text block that ends the file ends without a line break too.
        0 if read(&text).first().is_some_and(|t| view(t.root()) == root) => {}
        1 => text.push_str(&format!("{eol}---{eol}other: 1{eol}")),
        2 => text.push_str(&format!("{eol}...{eol}")),
        _ => text.push_str(eol),
    }
    (text, root)
}
