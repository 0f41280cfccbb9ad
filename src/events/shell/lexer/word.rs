//! Reads the inside of a word: quotes, escapes and expansions.

use std::ops::Range;

use super::{Form, Lexer, Part};

/// How deep `${A:-${B:-…}}` is followed; what lies deeper is opaque.
const DEPTH: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Word,
    Double,
    /// The word inside `${A:-word}`, outside of double quotes and inside.
    Brace,
    QuotedBrace,
}

impl Mode {
    fn quoted(self) -> bool {
        matches!(self, Mode::Double | Mode::QuotedBrace)
    }

    /// Text in which nothing is special.
    fn plain(self, range: Range<usize>) -> Part {
        if self == Mode::Brace { Part::Fields(range) } else { Part::Verbatim(range) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nest {
    Paren,
    Brace,
    Double,
    Backtick,
}

impl Lexer<'_> {
    /// Reads up to what ends `mode`, which is not consumed.
    pub(super) fn parts(&mut self, mode: Mode, depth: usize) -> Vec<Part> {
        let start = self.pos;
        let mut parts = Vec::new();
        let mut plain = self.pos;
        while let Some(byte) = self.peek() {
            let stops = match mode {
                Mode::Double => byte == b'"',
                Mode::Brace | Mode::QuotedBrace => byte == b'}',
                Mode::Word => match byte {
                    b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'>' => true,
                    b'<' => {
                        let digits = self.slice(start..self.pos).bytes().all(|b| b.is_ascii_digit());
                        self.placeholder_end(digits).is_none()
                    }
                    b'\r' => self.looking_at("\r\n"),
                    _ => false,
                },
            };
            if stops {
                break;
            }
            let special = match byte {
                b'\\' | b'$' | b'`' => true,
                b'\'' => !mode.quoted(),
                b'"' => true,
                b'<' => mode == Mode::Word,
                _ => false,
            };
            if !special {
                self.pos += 1;
                continue;
            }
            let here = self.pos;
            if !self.special(byte, mode, depth, plain, &mut parts) {
                self.pos += 1;
                continue;
            }
            debug_assert!(self.pos > here);
            plain = self.pos;
        }
        if plain < self.pos {
            parts.push(mode.plain(plain..self.pos));
        }
        parts
    }

    /// Reads the quote, escape or expansion here; false when the byte is no such thing after all. The plain text
    /// from `plain` on is pushed before it.
    fn special(&mut self, byte: u8, mode: Mode, depth: usize, plain: usize, parts: &mut Vec<Part>) -> bool {
        let start = self.pos;
        let flush = |parts: &mut Vec<Part>| {
            if plain < start {
                parts.push(mode.plain(plain..start));
            }
        };
        match byte {
            b'\\' => {
                if let Some(length) = self.continuation() {
                    flush(parts);
                    self.pos += length;
                    return true;
                }
                let Some(next) = self.text.get(start + 1..).and_then(|rest| rest.chars().next()) else { return false };
                let escapes = match mode {
                    Mode::Word | Mode::Brace => true,
                    Mode::Double => matches!(next, '$' | '`' | '"' | '\\'),
                    Mode::QuotedBrace => matches!(next, '$' | '`' | '"' | '\\' | '}'),
                };
                if !escapes {
                    return false;
                }
                flush(parts);
                self.pos += 1 + next.len_utf8();
                parts.push(Part::Decoded { range: start..self.pos, text: next.to_string() });
            }
            b'\'' => {
                flush(parts);
                self.single_quotes(parts);
            }
            b'"' => {
                flush(parts);
                self.double_quotes(depth, parts);
            }
            b'`' => {
                flush(parts);
                self.pos += 1;
                self.skip(Nest::Backtick);
                parts.push(Part::Opaque { range: start..self.pos, splits: !mode.quoted() });
            }
            b'<' => {
                let Some(end) = self.placeholder_end(false) else { return false };
                flush(parts);
                self.pos = end;
                parts.push(Part::Opaque { range: start..end, splits: false });
            }
            _ => {
                let Some(mut part) = self.dollar(mode, depth) else { return false };
                flush(parts);
                parts.append(&mut part);
            }
        }
        true
    }

    fn single_quotes(&mut self, parts: &mut Vec<Part>) {
        parts.push(Part::Quotes);
        self.pos += 1;
        let mut plain = self.pos;
        loop {
            match self.peek() {
                None => {
                    self.incomplete = true;
                    break;
                }
                Some(b'\'') => break,
                Some(b'$') => match self.map.unknown_end(self.pos) {
                    Some(end) => {
                        parts.push(Part::Verbatim(plain..self.pos));
                        parts.push(Part::Opaque { range: self.pos..end, splits: false });
                        self.pos = end;
                        plain = end;
                    }
                    None => self.pos += 1,
                },
                Some(_) => self.pos += 1,
            }
        }
        parts.push(Part::Verbatim(plain..self.pos));
        if self.peek().is_some() {
            self.pos += 1;
        }
    }

    fn double_quotes(&mut self, depth: usize, parts: &mut Vec<Part>) {
        parts.push(Part::Quotes);
        self.pos += 1;
        parts.append(&mut self.parts(Mode::Double, depth));
        self.close();
    }

    /// Steps over the closing quote or brace, which is missing only at the end of the text.
    fn close(&mut self) {
        if self.peek().is_some() {
            self.pos += 1;
        } else {
            self.incomplete = true;
        }
    }

    /// The expansion that starts with the `$` here, or `None` when the `$` is only a character.
    fn dollar(&mut self, mode: Mode, depth: usize) -> Option<Vec<Part>> {
        let start = self.pos;
        let splits = !mode.quoted();
        if let Some(end) = self.map.unknown_end(start) {
            self.pos = end;
            return Some(vec![Part::Opaque { range: start..end, splits }]);
        }
        let splits = match self.peek_at(1)? {
            b'\'' if !mode.quoted() => return Some(self.ansi_quotes()),
            b'"' if !mode.quoted() => {
                let mut parts = Vec::new();
                self.pos += 1;
                self.double_quotes(depth, &mut parts);
                return Some(parts);
            }
            b'(' => {
                self.pos += 2;
                self.skip(Nest::Paren);
                if self.slice(start..self.pos).starts_with("$((") {
                    self.count(start..self.pos);
                }
                splits
            }
            b'{' => return Some(vec![self.braces(mode, depth)]),
            byte if byte == b'_' || byte.is_ascii_alphabetic() => {
                self.pos += 1;
                let name = self.name();
                let range = start..self.pos;
                return Some(vec![Part::Variable { range, name, form: Form::Value, quoted: mode.quoted() }]);
            }
            byte @ (b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-' | b'0'..=b'9') => {
                self.pos += 2;
                splits || byte == b'@'
            }
            _ => return None,
        };
        Some(vec![Part::Opaque { range: start..self.pos, splits }])
    }

    fn name(&mut self) -> String {
        let start = self.pos;
        while self.peek().is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            self.pos += 1;
        }
        self.slice(start..self.pos).to_owned()
    }

    fn braces(&mut self, mode: Mode, depth: usize) -> Part {
        let start = self.pos;
        let quoted = mode.quoted();
        self.pos += 2;
        let name = self.name();
        let or_empty = self.peek() == Some(b':');
        let sign = self.peek_at(usize::from(or_empty));
        let named = name.starts_with(|c: char| !c.is_ascii_digit());
        let form = match sign {
            Some(b'}') if named && !or_empty => Form::Value,
            Some(sign @ (b'-' | b'=' | b'+' | b'?')) if named && depth < DEPTH => {
                self.pos += 1 + usize::from(or_empty);
                let inner = if quoted { Mode::QuotedBrace } else { Mode::Brace };
                let word = self.parts(inner, depth + 1);
                match sign {
                    b'-' | b'=' => Form::Default { word, or_empty, assigns: sign == b'=' },
                    b'+' => Form::Alternative { word, or_empty },
                    _ => Form::Value,
                }
            }
            _ => {
                // Lengths, substrings, patterns, arrays: `"${A[@]}"` can be any number of words.
                let many = matches!(self.text.get(self.pos..self.pos + 2), Some("[@")) || self.peek() == Some(b'@');
                self.skip(Nest::Brace);
                if self.slice(start..self.pos).contains("((") {
                    self.count(start..self.pos);
                }
                return Part::Opaque { range: start..self.pos, splits: !quoted || many };
            }
        };
        let closed = self.peek().is_some();
        self.close();
        let range = start..self.pos;
        if closed { Part::Variable { range, name, form, quoted } } else { Part::Opaque { range, splits: !quoted } }
    }

    /// `$'…'`, with the escapes of C.
    fn ansi_quotes(&mut self) -> Vec<Part> {
        let mut parts = vec![Part::Quotes];
        self.pos += 2;
        let mut plain = self.pos;
        loop {
            match self.peek() {
                None => {
                    self.incomplete = true;
                    parts.push(Part::Verbatim(plain..self.pos));
                    return parts;
                }
                Some(b'\'') => {
                    parts.push(Part::Verbatim(plain..self.pos));
                    self.pos += 1;
                    return parts;
                }
                Some(b'\\') => {
                    let start = self.pos;
                    let Some((text, length)) = self.text.get(start + 1..).and_then(ansi_escape) else {
                        self.pos += 1;
                        continue;
                    };
                    parts.push(Part::Verbatim(plain..start));
                    self.pos += 1 + length;
                    plain = self.pos;
                    parts.push(Part::Decoded { range: start..self.pos, text });
                }
                Some(b'$') if self.map.unknown_end(self.pos).is_some() => {
                    let end = self.map.unknown_end(self.pos).unwrap_or(self.pos + 1);
                    parts.push(Part::Verbatim(plain..self.pos));
                    parts.push(Part::Opaque { range: self.pos..end, splits: false });
                    self.pos = end;
                    plain = end;
                }
                Some(_) => self.pos += 1,
            }
        }
    }

    /// Goes behind the end of what was just opened. A stack and not recursion: the depth is the input's choice.
    pub(super) fn skip(&mut self, opened: Nest) {
        let mut stack = vec![opened];
        let mut backtick = (opened == Nest::Backtick).then_some(0);
        while let Some(&top) = stack.last() {
            let Some(byte) = self.peek() else {
                self.incomplete = true;
                self.pos = self.text.len();
                return;
            };
            let before = self.pos.checked_sub(1).and_then(|at| self.text.as_bytes().get(at).copied());
            self.pos += 1;
            match (top, byte) {
                (_, b'\\') => {
                    self.pos += self.slice(self.pos..self.text.len()).chars().next().map_or(0, char::len_utf8)
                }
                (Nest::Paren, b')') | (Nest::Brace, b'}') | (Nest::Double, b'"') => drop(stack.pop()),
                (_, b'`') => match backtick.take() {
                    Some(at) => stack.truncate(at),
                    None => {
                        backtick = Some(stack.len());
                        stack.push(Nest::Backtick);
                    }
                },
                (_, b'"') => stack.push(Nest::Double),
                (_, b'$') if self.peek() == Some(b'(') => {
                    self.pos += 1;
                    stack.push(Nest::Paren);
                }
                (_, b'$') if self.peek() == Some(b'{') => {
                    self.pos += 1;
                    stack.push(Nest::Brace);
                }
                (Nest::Paren, b'(') => stack.push(Nest::Paren),
                (Nest::Paren | Nest::Brace | Nest::Backtick, b'\'') => {
                    let length = self.slice(self.pos..self.text.len()).find('\'').map(|at| at + 1);
                    self.pos += length.unwrap_or(0);
                    self.incomplete |= length.is_none();
                }
                (Nest::Paren, b'#') if matches!(before, Some(b' ' | b'\t' | b'\n' | b';' | b'(')) => {
                    self.pos = self.line_end();
                }
                _ => {}
            }
            if backtick.is_some_and(|at| at >= stack.len()) {
                backtick = None;
            }
        }
    }
}

/// What the escape after a backslash in `$'…'` stands for, and its length. `None`: the backslash is a character.
fn ansi_escape(rest: &str) -> Option<(String, usize)> {
    let first = rest.chars().next()?;
    let number = |skip: usize, radix: u32, most: usize| {
        let digits = rest.get(skip..)?.chars().take(most).take_while(|c| c.is_digit(radix)).count();
        let value = u32::from_str_radix(rest.get(skip..skip + digits)?, radix).ok()?;
        // Bytes that are not characters on their own are beyond what a manifest needs.
        Some((char::from_u32(value)?.to_string(), skip + digits))
    };
    let simple = |c: char| Some((c.to_string(), 1));
    match first {
        'n' => simple('\n'),
        't' => simple('\t'),
        'r' => simple('\r'),
        'a' => simple('\u{7}'),
        'b' => simple('\u{8}'),
        'e' | 'E' => simple('\u{1b}'),
        'f' => simple('\u{c}'),
        'v' => simple('\u{b}'),
        '\\' | '\'' | '"' | '?' => simple(first),
        'x' => number(1, 16, 2),
        'u' => number(1, 16, 4),
        'U' => number(1, 16, 8),
        '0'..='7' => number(0, 8, 3),
        _ => None,
    }
}
